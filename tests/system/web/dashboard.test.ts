import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { chromiumPath, launchChromium } from './chromium.js';

/** Pictures for people, kept by CI. */
const PICTURES = process.env['DEC_SCREENSHOTS'] ?? 'outputs/screenshots';

/** In the page: a mark on everything that the keyboard can use, in the document's order; of radio buttons the one that is chosen. */
const usable = `() => {
  const all = [...document.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex]')];
  const isUsable = (one) => !one.disabled && one.tabIndex >= 0 && !one.closest('fieldset:disabled') &&
    one.checkVisibility() && (one.type !== 'radio' || one.checked);
  return all.filter(isUsable).map((one, i) => {
    const name = (one.getAttribute('aria-label') || one.placeholder || one.textContent || one.id).trim().slice(0, 40);
    one.dataset.walked = i + ' ' + one.tagName.toLowerCase() + ' ' + name;
    return one.dataset.walked;
  });
}`;
/** In the page: the mark of what has the focus, '' outside, and whether an outline shows it. */
const focusedNow = `() => {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
  const isSeen = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none';
  return [one.dataset.walked ?? '', isSeen];
}`;

/** The built program (`npm run build`) with the project's sample run, in the machine's Chromium. */
// Whole pages too break off then, so that in CI a test has a second try.
const TRIES = { retry: process.env['CI'] ? 1 : 0 };

describe.skipIf(chromiumPath === undefined)('the dashboard in a browser', TRIES, () => {
  const runs = mkdtempSync(join(tmpdir(), 'dec-runs-'));
  const models = mkdtempSync(join(tmpdir(), 'dec-models-'));
  let server: ChildProcess;
  let url = '';
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    cpSync('outputs/sample', join(runs, 'sample'), { recursive: true });
    writeRun('other', 'equalAlpha');
    writeRun('unwanted', 'maxMin');
    const feeder = smallSecondariesFile(models);
    execFileSync(
      process.execPath,
      [
        ...['dist/bin/dec.js', 'coordinate', feeder, '--load-multiplier', '0.25', '--source-voltage', '1.04'],
        ...['--compare', '--out', join(runs, 'noon'), '--store', models, '--quiet'],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const known = ['--feeder', feeder, '--store', models];
    server = spawn(process.execPath, ['dist/bin/dec.js', 'web', '--port', '0', '--json', '--runs', runs, ...known], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await Promise.all([
      new Promise<string>((resolve, reject) => {
        createInterface({ input: server.stdout! }).once('line', resolve);
        server.once('exit', (code) => reject(new Error(`dec web ended with ${code}`)));
      }),
    ]);
    url = JSON.parse(line).url;
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
    for (const folder of [runs, models]) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    // Nothing here is about time; on a loaded machine a page takes tens of seconds.
    context.setDefaultTimeout(120_000);
    page = await context.newPage();
    faults.length = 0;
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      // Containers that are tested beside bring networks of their own up and down, at which the browser breaks off what is loaded.
      const isOurs = !message.text().includes('net::ERR_NETWORK_CHANGED');
      if (message.type() === 'error' && isOurs) faults.push(message.text());
    });
    page.on('request', (request) => {
      const address = request.url().replace(/^blob:/, '');
      if (!address.startsWith(url) && !address.startsWith('data:')) faults.push(`asked ${request.url()}`);
    });
  });
  afterEach(async () => {
    await context.close();
    // No error in the page, nothing that its policy refuses, nothing from elsewhere.
    expect(faults).toEqual([]);
  });

  /** A run like the sample, told as one of another rule with half as much again curtailed. */
  function writeRun(id: string, fairness: string): void {
    mkdirSync(join(runs, id));
    const manifest = JSON.parse(readFileSync('outputs/sample/manifest.json', 'utf8'));
    const files = ['voltages.parquet', 'rounds.csv', 'setpoints.csv', 'overview.svg'];
    for (const name of files) copyFileSync(join('outputs/sample', name), join(runs, id, name));
    const summary = { ...manifest.summary, curtailedEnergyPct: 22.05 };
    const settings = { ...manifest.settings, fairness };
    writeFileSync(join(runs, id, 'manifest.json'), JSON.stringify({ ...manifest, files, settings, summary }));
  }

  /** Opens the sample run and waits until its map and its flows are there. */
  async function openSample(): Promise<void> {
    await page.goto(`${url}#/run/sample`);
    await page.getByText('AC power flow of the interval').waitFor();
  }

  /** @param rules - all where absent */
  async function seriousFaults(rules?: string[]): Promise<string[]> {
    const axe = new AxeBuilder({ page });
    const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  /** Presses Tab from the top to the end of the page: all that can be used comes, in its order, and shows that it has the focus. */
  async function walkedByTab(name: string): Promise<void> {
    const expected: string[] = await page.evaluate(`(${usable})()`);
    await page.locator('.skip').focus();
    // What was used last was perhaps the mouse: a focus is shown to whoever uses keys.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Shift+Tab');
    const met: string[] = [];
    // A field of a time has a stop for hours and one for minutes.
    for (let i = 0; i < 2 * expected.length; i++) {
      if (i > 0) await page.keyboard.press('Tab');
      const [which, isSeen]: [string, boolean] = await page.evaluate(`(${focusedNow})()`);
      if (which === met.at(-1)) continue;
      if (which === '' || met.includes(which)) break;
      expect([name, which, isSeen]).toEqual([name, which, true]);
      met.push(which);
    }
    expect(met, name).toEqual(expected);
  }

  it('goes from the list of runs to a run by the keyboard', async () => {
    await page.goto(url);
    await page.getByRole('table').waitFor();
    await walkedByTab('runs');
    await page.getByPlaceholder('Filter by name').fill('sample');
    await page.getByRole('link', { name: 'sample', exact: true }).focus();
    await page.screenshot({ path: `${PICTURES}/runs.png` });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'ieee123sec_dec' }).waitFor();
    // Summary of the sample's manifest.
    expect(await page.locator('dl').innerText()).toMatch(
      /1\.0358 – 1\.0586[\s\S]*542 → 0[\s\S]*14\.7 %[\s\S]*83 \/ 487/,
    );
  });

  it('plays a run back: every interval before and with its set-points, figures, map and log with it', async () => {
    await openSample();
    await page.screenshot({ path: `${PICTURES}/run.png`, fullPage: true });
    await page.getByRole('radio', { name: 'before' }).check();
    // outputs/sample/manifest.json, interval 0.
    expect(await page.getByRole('group', { name: 'Playback' }).innerText()).toContain('1.0586 pu at S85C_6.s1');
    await page.screenshot({ path: `${PICTURES}/run-before.png`, fullPage: true });
    await page.getByRole('slider', { name: 'Interval' }).focus();
    await page.keyboard.press('End');
    await page.getByText('14 of 14').waitFor();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByText('2 of 14').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await walkedByTab('run');
    await page.getByRole('slider', { name: 'Interval' }).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.getByText('2 of 14').waitFor();
    await page.getByRole('radio', { name: 'before' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: 'with set-points' }).isChecked()).toBe(true);
  });

  it('opens a bus with its phases, its voltages over time and its agent; the pointer finds one on the map', async () => {
    await openSample();
    await page.getByPlaceholder('Find a bus').fill('s85c_6');
    await page.getByPlaceholder('Find a bus').press('Enter');
    const bus = page.getByRole('region', { name: 'Bus S85C_6' });
    expect(await bus.innerText()).toMatch(/120 V line to neutral[\s\S]*s1\s+1\.0586\s+1\.05\d\d[\s\S]*Agent 85C/);
    await page.getByLabel('Collapse service areas').uncheck();
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${PICTURES}/bus.png`, fullPage: true });
    await page.getByPlaceholder('Find a bus or branch').fill('l9r_14');
    await page.getByPlaceholder('Find a bus or branch').press('Enter');
    // Its rating in the model; current and power from the power flow.
    const line = await page.getByRole('region', { name: 'Line l9r_14' }).innerText();
    expect(line).toMatch(/Phases\s+A\s+Rating\s+230 A\s+From, to\s+9R, 14[\s\S]*13 A of 230 A, 6 % · -31\.\d kW/);
    await page.getByRole('img', { name: /^loading \(%\) of l9r_14 over the run, at most 7/ }).waitFor();
    await page.getByRole('button', { name: 'Close the branch' }).click();
    await page.getByPlaceholder('Find a bus').fill('s85c_6');
    await page.getByPlaceholder('Find a bus').press('Enter');
    await page.getByRole('button', { name: 'Close the bus' }).press('Enter');
    await bus.waitFor({ state: 'detached' });
    // The focus is where another is opened.
    expect(await page.evaluate('document.activeElement.placeholder')).toContain('Find a bus');
    // The map moves what is looked for to its middle.
    await page.getByPlaceholder('Find a bus').fill('35');
    await page.getByPlaceholder('Find a bus').press('Enter');
    await page.waitForTimeout(800);
    const stage = page.getByRole('application');
    await stage.scrollIntoViewIfNeeded();
    const box = await stage.boundingBox();
    await page.mouse.move(box!.x + box!.width / 2 - 20, box!.y + box!.height / 2);
    await page.mouse.move(box!.x + box!.width / 2, box!.y + box!.height / 2);
    expect(await page.locator('.tip').innerText()).toMatch(/^35\s+A\s*1\.0\d{3} pu/);
  });

  it.each(['light', 'dark'] as const)(
    'has no serious fault for readers with aids, in %s colours',
    async (colorScheme) => {
      // Only colours are others in the dark.
      const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
      await page.emulateMedia({ colorScheme });
      // On a phone parts of the page are hidden or laid out anew.
      for (const width of colorScheme === 'dark' ? [1280] : [1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(url);
        await page.getByRole('table').waitFor();
        expect(await seriousFaults(rules), `runs, ${width} px`).toEqual([]);
        await page.goto(`${url}#/start`);
        await page.getByRole('button', { name: 'Start', exact: true }).waitFor();
        expect(await seriousFaults(rules), `start, ${width} px`).toEqual([]);
        await page.goto(`${url}#/compare/sample/other`);
        await page.getByText('difference of voltages (pu)').waitFor();
        expect(await seriousFaults(rules), `compare, ${width} px`).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        await openSample();
        expect(await seriousFaults(rules), `run, ${width} px`).toEqual([]);
      }
      if (colorScheme === 'dark') await page.screenshot({ path: `${PICTURES}/run-dark.png`, fullPage: true });
    },
  );

  it('can be read on a phone: nothing is wider than the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(url);
    await page.getByRole('table').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await openSample();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.screenshot({ path: `${PICTURES}/run-phone.png`, fullPage: true });
  });

  it('sets runs side by side, with the difference of their voltages on the map', async () => {
    await page.goto(url);
    await page.getByLabel('Compare sample').check();
    await page.getByLabel('Compare other').check();
    await page.getByRole('link', { name: 'Compare 2 runs' }).click();
    const table = page.getByRole('region', { name: 'Figures of the runs' });
    // The sample's share of energy, and that which the other was given.
    expect(await table.innerText()).toMatch(
      /sample\s+proportional[\s\S]*14\.7 %[\s\S]*other\s+equalAlpha[\s\S]*22\.1 %/,
    );
    await page.getByText('difference of voltages (pu)').waitFor();
    // Both have the same voltages.
    expect(await page.getByRole('group', { name: 'Which runs' }).innerText()).toContain('+0.00000 to +0.00000 pu');
    await page.screenshot({ path: `${PICTURES}/compare.png`, fullPage: true });
    expect(await seriousFaults()).toEqual([]);
  });

  it('shows the rules of dec coordinate --compare side by side, and the difference of two on the map', async () => {
    await page.goto(url);
    await page.getByRole('link', { name: 'noon-total beside the other rules of its comparison' }).click();
    const table = page.getByRole('region', { name: 'Figures of the runs' });
    await table.waitFor();
    const rules = ['total', 'alphaFair1', 'proportional', 'exportBased', 'maxMin', 'equalAlpha', 'equalKw'];
    for (const rule of rules) {
      const { summary } = JSON.parse(readFileSync(join(runs, `noon-${rule}`, 'manifest.json'), 'utf8'));
      const row = await table.getByRole('row', { name: `noon-${rule}` }).innerText();
      expect(row).toContain(`${(summary.curtailedWh / 1000).toFixed(0)} kWh`);
      expect(row).toContain(summary.jainServed.toFixed(3));
      expect(row).toContain(summary.giniServed.toFixed(3));
      expect(row).toContain(`${Math.abs(summary.priceOfFairnessPct).toFixed(1)} %`);
    }
    await page.getByText('What evenness costs').waitFor();
    await page.getByText('difference of voltages (pu)').waitFor();
    await page.getByLabel('Map:').selectOption('noon-equalAlpha');
    const spread = await page.getByRole('group', { name: 'Which runs' }).innerText();
    expect(spread).toMatch(/−0\.0\d{4} to \+0\.0\d{4} pu/);
    expect(spread).not.toContain('+0.00000 to +0.00000');
    await page.screenshot({ path: `${PICTURES}/compare-rules.png`, fullPage: true });
    await walkedByTab('compare');
    expect(await seriousFaults()).toEqual([]);
    // Each is opened as a run, at no time of day.
    await page.goto(`${url}#/run/noon-equalAlpha`);
    await page.getByText('one coordination without a simulation').waitFor();
    expect(await page.getByRole('slider', { name: 'Interval' }).count()).toBe(0);
    await page.getByRole('radio', { name: 'before' }).check();
    await page.getByText('AC power flow of the interval').waitFor();
  });

  it('gives files of a run, pictures as PNG too, and deletes a run when that is confirmed', async () => {
    await page.goto(url);
    await page.getByRole('button', { name: 'Files of unwanted' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'overview.svg as PNG' }).click();
    const bytes = readFileSync(await (await download).path());
    expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
    await page.getByRole('button', { name: 'Delete unwanted' }).click();
    // The answer that has the focus keeps the run, and the focus goes back to what asked.
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Delete unwanted');
    expect(existsSync(join(runs, 'unwanted'))).toBe(true);
    await page.getByRole('button', { name: 'Delete unwanted' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    // What has become of it has the focus, from which the keyboard goes on to the list.
    await page.locator(':focus', { hasText: 'unwanted has been deleted.' }).waitFor();
    expect(existsSync(join(runs, 'unwanted'))).toBe(false);
    expect(existsSync(join(runs, 'other/manifest.json'))).toBe(true);
  });

  it('asks again for what a network that comes or goes has broken off, but never twice to delete', async () => {
    const asked: string[] = [];
    let broken = 2;
    await page.route('**/api/runs**', (route) => {
      asked.push(route.request().method());
      return broken-- > 0 ? route.abort('connectionreset') : route.continue();
    });
    await page.goto(url);
    await page.getByRole('link', { name: 'sample', exact: true }).waitFor();
    expect(asked).toEqual(['GET', 'GET', 'GET']);
    broken = 1;
    await page.getByRole('button', { name: 'Delete other' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('server does not answer').waitFor();
    expect(asked.slice(3)).toEqual(['DELETE']);
    expect(existsSync(join(runs, 'other/manifest.json'))).toBe(true);
    expect(faults.splice(0).every((fault) => fault.includes('net::ERR_CONNECTION_RESET'))).toBe(true);
  });

  it('says when the run that is shown has gone', async () => {
    cpSync(join(runs, 'other'), join(runs, 'passing'), { recursive: true });
    await page.goto(`${url}#/run/passing`);
    await page.getByText('AC power flow of the interval').waitFor();
    rmSync(join(runs, 'passing'), { recursive: true });
    // As when somebody comes back to the page; else it looks every 20 s.
    await page.evaluate('window.dispatchEvent(new Event("focus"))');
    const alert = page.getByRole('alert').filter({ hasText: 'What is shown was read before' });
    await alert.waitFor();
    expect(await alert.innerText()).toContain('it has been deleted or moved');
    expect(faults.splice(0).filter((fault) => !/404|400/.test(fault))).toEqual([]);
  });

  it('looks at files of a feeder: findings with their line, map and power flow', async () => {
    await page.goto(url);
    const script = [
      'new circuit.small basekv=12.47 pu=1.02',
      'new line.one bus1=sourcebus bus2=a length=1 units=km',
      'new load.house bus1=a.1 phases=1 kv=7.2 kw=50 nonsense=3',
      'set voltagebases=[12.47]',
      'calcvoltagebases',
    ].join('\n');
    const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    await page.getByLabel('Files of a feeder').setInputFiles([file('small.dss', script)]);
    await page.getByRole('heading', { name: 'small', exact: true }).waitFor();
    const main = await page.getByRole('main').innerText();
    expect(main).toContain('converged');
    expect(main).toMatch(/nonsense[\s\S]*small\.dss, line 3/);
    await page.screenshot({ path: `${PICTURES}/file.png`, fullPage: true });
    expect(await seriousFaults()).toEqual([]);
    await walkedByTab('file');
    // Kept, runs can be started on it.
    await page.getByRole('button', { name: 'Keep this feeder' }).click();
    await page.getByText('small is kept.').waitFor();
    await page.getByRole('link', { name: 'Start a run on it' }).click();
    await page.getByLabel('Feeder').selectOption({ label: 'small' });
    await walkedByTab('start');
    await page.goto(url);
    await page.getByLabel('Files of a feeder').setInputFiles([file('broken.xml', '<rdf:RDF><a')]);
    await page.getByText('broken.xml, line 1').waitFor();
    // The browser itself writes of the answer 422.
    expect(faults.splice(0)).toHaveLength(1);
  });

  it('says so when a run is not there', async () => {
    await page.goto(`${url}#/run/nothing`);
    expect(await page.getByRole('alert').innerText()).toContain('There is no run nothing');
    // The browser itself writes of the answers 404: of the run, and of its map.
    await expect.poll(() => faults.length).toBe(2);
    faults.splice(0);
  });
});
