import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium } from './chromium.js';

/** Pictures for people, kept by CI. */
const PICTURES = 'outputs/screenshots';

/** The built program (`npm run build`) with the project's sample run, in the machine's Chromium. */
describe.skipIf(chromiumPath === undefined)('the dashboard in a browser', () => {
  let server: ChildProcess;
  let url = '';
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    server = spawn(process.execPath, ['dist/dec/cli.js', 'web', '--port', '0', '--json'], {
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
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    faults.length = 0;
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(`asked ${request.url()}`);
    });
  });
  afterEach(async () => {
    await context.close();
    // No error in the page, nothing that its policy refuses, nothing from elsewhere.
    expect(faults).toEqual([]);
  });

  /** Opens the sample run and waits until its map and its flows are there. */
  async function openSample(): Promise<void> {
    await page.goto(`${url}#/run/sample`);
    await page.getByText('AC power flow of the interval').waitFor({ timeout: 60_000 });
  }

  async function seriousFaults(): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page }).analyze();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  it('goes from the list of runs to a run by the keyboard', async () => {
    await page.goto(url);
    await page.getByPlaceholder('Filter by name').fill('sample');
    await page.getByRole('link', { name: 'sample', exact: true }).focus();
    await page.screenshot({ path: `${PICTURES}/runs.png` });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'ieee123sec_dec' }).waitFor();
    // Summary of the sample's manifest.
    expect(await page.locator('dl').innerText()).toMatch(/1\.0586 pu[\s\S]*542 → 0[\s\S]*14\.7 %[\s\S]*83 \/ 487/);
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
    await page.getByText('2 of 14').waitFor({ timeout: 10_000 });
    await page.getByRole('button', { name: 'Pause' }).click();
  });

  it('opens a bus with its phases, its voltages over time and its agent', async () => {
    await openSample();
    await page.getByPlaceholder('Find a bus').fill('s85c_6');
    await page.getByPlaceholder('Find a bus').press('Enter');
    const bus = page.getByRole('region', { name: 'Bus S85C_6' });
    expect(await bus.innerText()).toMatch(/120 V line to neutral[\s\S]*s1\s+1\.0586\s+1\.05\d\d[\s\S]*Agent 85C/);
    await page.getByLabel('Collapse service areas').uncheck();
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${PICTURES}/bus.png`, fullPage: true });
    await page.getByRole('button', { name: 'Close the bus' }).click();
    await bus.waitFor({ state: 'detached' });
  });

  it('draws the map where the pointer finds a bus and says its voltage', async () => {
    await openSample();
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
      await page.emulateMedia({ colorScheme });
      await page.goto(url);
      await page.getByRole('table').waitFor();
      expect(await seriousFaults()).toEqual([]);
      await openSample();
      expect(await seriousFaults()).toEqual([]);
      if (colorScheme === 'dark') await page.screenshot({ path: `${PICTURES}/run-dark.png`, fullPage: true });
    },
  );

  it('can be read on a phone: nothing is wider than the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await openSample();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.screenshot({ path: `${PICTURES}/run-phone.png`, fullPage: true });
  });

  it('says so when a run is not there', async () => {
    await page.goto(`${url}#/run/nothing`);
    expect(await page.getByRole('alert').innerText()).toContain('There is no run nothing');
    // The browser itself writes of the answer 404.
    expect(faults.splice(0)).toHaveLength(1);
  });
});
