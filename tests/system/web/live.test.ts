import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { liveLookQueue, runControlQueue, runProgressTopic } from '../../../bus/index.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { chromiumPath, launchChromium } from './chromium.js';

/** Pictures for people, kept by CI. */
const PICTURES = process.env['DEC_SCREENSHOTS'] ?? 'outputs/screenshots';
const WAIT = { timeout: 60_000 };
const RUN = 'live';
const KEY = 'a key that nobody guesses';

/** A frame of STOMP. */
const frame = (command: string, headers: Record<string, string>, body = ''): string =>
  `${command}\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')}\n${body}\0`;

/** One run of the built program that stands still between intervals, watched and steered in Chromium. */
describe.skipIf(chromiumPath === undefined)('a run that goes on, in a browser', () => {
  let folder = '';
  let runs = '';
  let feeder = '';
  const children: ChildProcess[] = [];
  let manifest: Promise<string>;
  let url = '';
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const faults: string[] = [];

  function program(args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, ['dist/bin/dec.js', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEC_WEB_KEY: KEY },
    });
    children.push(child);
    return child;
  }
  async function lineOf(child: ChildProcess, of: 'stdout' | 'stderr', what: RegExp): Promise<string> {
    const said: string[] = [];
    for await (const line of createInterface({ input: child[of]! })) {
      said.push(line);
      if (what.test(line)) return line;
    }
    throw new Error(`It never said ${what}: ${said.join('\n')}`);
  }
  /** A page whose faults count. */
  async function open(address: string): Promise<Page> {
    const opened = await context.newPage();
    opened.on('pageerror', (error) => faults.push(String(error)));
    opened.on('console', (message) => {
      if (message.type() === 'error') faults.push(`${message.text()} ${message.location().url}`);
    });
    await opened.goto(address);
    return opened;
  }

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'dec-live-'));
    runs = join(folder, 'runs');
    feeder = smallSecondariesFile(folder);
    const run = program([
      ...['run', feeder, '--web', '0', '--paused', '--json', '--hosts', '1'],
      ...['--intervals', '10', '--interval', '5m', '--start', '12:00', '--out', join(runs, RUN)],
      ...['--store', join(folder, 'store')],
    ]);
    manifest = lineOf(run, 'stdout', /^\{/);
    manifest.catch(() => undefined);
    url = (await lineOf(run, 'stderr', /^Watch it: /)).replace('Watch it: ', '');
    browser = await launchChromium();
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await open(url);
  });
  afterAll(async () => {
    await browser?.close();
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const controls = () => page.getByRole('region', { name: 'Controls' });
  const done = () => page.locator('h1 + p');
  const playback = () => page.getByRole('group', { name: 'Playback' });
  let count = 0;
  /** Has one interval be coordinated, and reads its figures from the page. */
  async function step(): Promise<Record<'vMaxPu' | 'availableKw' | 'curtailedKw', number>> {
    count++;
    await controls().getByRole('button', { name: 'One interval' }).click();
    await done().getByText(`${count} of 10 intervals`).waitFor(WAIT);
    await controls().getByText('paused ·').waitFor(WAIT);
    await page.getByText(`${count} of ${count}`, { exact: false }).first().waitFor(WAIT);
    const label = await page.getByRole('img', { name: /^PV power by interval/ }).getAttribute('aria-label', WAIT);
    const kilowatts = (what: RegExp) => {
      const [, power = '', unit] = what.exec(label ?? '') ?? [];
      return Number(power) * (unit === 'MW' ? 1000 : unit === 'kW' ? 1 : 0.001);
    };
    const text = await playback().innerText();
    return {
      vMaxPu: Number(/(\d\.\d{4}) pu at/.exec(text)?.[1]),
      availableKw: kilowatts(/now ([\d.]+) (M?k?W) available/),
      curtailedKw: kilowatts(/, ([\d.]+) (M?k?W) curtailed/),
    };
  }
  async function submit(button: string, answer: RegExp): Promise<void> {
    await controls().getByRole('button', { name: button }).click();
    await controls().getByRole('status').getByText(answer).waitFor(WAIT);
  }

  it('shows it before its first interval and follows it, with no serious fault for readers with aids', async () => {
    await controls().getByRole('button', { name: 'One interval' }).waitFor(WAIT);
    await page.getByRole('application').waitFor(WAIT);
    // Source 1.04 pu and full sun lift this feeder to 1.063 pu (tests/builders/small-secondaries.ts).
    expect(await playback().innerText()).toMatch(/1\.06\d\d pu at/);
    const first = await step();
    expect(first.vMaxPu).toBeLessThan(1.051);
    await page.screenshot({ path: `${PICTURES}/live.png`, fullPage: true });
    // Every line but the substation's transformer is measured; switches and regulators where they stand.
    await page.getByText(/as the simulation measures it; (\d+) of \d+ lines/).waitFor(WAIT);
    await expectNoSeriousFaults();
  });

  it('is read in the dark and on a phone', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: `${PICTURES}/live-dark.png`, fullPage: true });
    await expectNoSeriousFaults();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(300);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.screenshot({ path: `${PICTURES}/live-phone.png`, fullPage: true });
    await expectNoSeriousFaults();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('opens a branch: rating, what is measured of it, and the state of a switch over time', async () => {
    const find = async (name: string, title: string) => {
      await page.getByPlaceholder('Find a bus or branch').fill(name);
      await page.getByPlaceholder('Find a bus or branch').press('Enter');
      return page.getByRole('region', { name: title }).innerText();
    };
    expect(await find('l1_7', 'Line l1_7')).toMatch(
      /Phases\s+ABC[\s\S]*Rating\s+\d+ A[\s\S]*Measured\s+[\d.]+ A of \d+ A/,
    );
    expect(await find('sw3', 'Switch sw3')).toMatch(/Rating[\s\S]*State\s+closed/);
    await page.getByRole('img', { name: 'closed (1) of sw3 over the run' }).waitFor(WAIT);
  });

  async function expectNoSeriousFaults(on = page): Promise<void> {
    const { violations } = await new AxeBuilder({ page: on }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  }

  it('each control has its effect on the next interval', async () => {
    const before = await step();
    await controls().getByLabel('V max (pu)').fill('1.045');
    await submit('Set limits', /^Limits 0\.95 to 1\.045 pu, before the next interval/);
    const limited = await step();
    expect(limited.vMaxPu).toBeLessThan(1.046);
    expect(limited.curtailedKw).toBeGreaterThan(before.curtailedKw);

    await controls().getByLabel('Fairness').selectOption('equalAlpha');
    await submit('Set rule', /^Fairness rule equalAlpha/);
    await controls().getByLabel('Agent').selectOption('9A');
    await submit('Drop agent', /^Agent 9A is dropped/);
    await step();
    await controls().getByText('rule equalAlpha').waitFor(WAIT);
    await page.getByText('1 agent is dropped, limits in force stay: 9A.').waitFor(WAIT);
    await submit('Take back', /^Agent 9A takes part again/);

    await controls().getByLabel('PV ×').fill('0.5');
    await submit('Set multipliers', /PV times 0\.5/);
    const dull = await step();
    expect(dull.curtailedKw).toBeLessThan(limited.curtailedKw / 2);
    // At noon the sun hardly changes in a quarter of an hour, and the page has three digits.
    expect(dull.availableKw / limited.availableKw).toBeCloseTo(0.5, 1);

    // The first switch of the feeder that is open is a tie: closing it would make a loop.
    const switches = await controls().getByLabel('Switch').locator('option').allInnerTexts();
    const tie = switches.find((text) => text.includes('(open)'))!.replace(' (open)', '');
    await controls().getByLabel('Switch').selectOption(tie);
    await submit('Close switch', /would make a loop/);
    await controls().getByLabel('Switch').selectOption('sw3');
    await submit('Open switch', /^Switch sw3 opens/);
    await step();
    await page
      .getByText(/1 agent has no closed path to the source/)
      .first()
      .waitFor(WAIT);
    const device = page.getByRole('region', { name: 'Switch sw3' });
    await device.getByText('open', { exact: true }).first().waitFor(WAIT);
    await page.screenshot({ path: `${PICTURES}/live-controls.png`, fullPage: true });

    await controls().getByLabel('Switch').selectOption('sw3');
    await submit('Close switch', /^Switch sw3 closes/);
    // Units that were off have the sun that they had before.
    expect((await step()).vMaxPu).toBeLessThan(1.046);
    await device.getByText('closed', { exact: true }).first().waitFor(WAIT);
    expect(await controls().getByLabel('Switch').locator('option').allInnerTexts()).toContain('sw3 (closed)');
  });

  it('goes on while a tab does not read', async () => {
    const { host } = new URL(url);
    const socket = new WebSocket(`ws://${host}/stomp`, ['v12.stomp']);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send(frame('CONNECT', { 'accept-version': '1.2', host, login: 'reader' }));
    await new Promise((resolve) => socket.once('message', resolve));
    socket.pause();
    socket.send(frame('SUBSCRIBE', { id: '1', destination: runProgressTopic(RUN) }));
    socket.send(frame('SUBSCRIBE', { id: '2', destination: '/temp-queue/a' }));
    // Each answer is the whole run: together more than a socket's buffers hold.
    for (let i = 0; i < 150; i++) {
      const headers = { destination: liveLookQueue(RUN), 'reply-to': '/temp-queue/a' };
      socket.send(frame('SEND', headers, JSON.stringify({ since: 0 })));
    }
    await step();
    socket.terminate();
  });

  it('can be watched without leave to act: the page offers nothing, and the server takes nothing', async () => {
    // It knows the feeder, or its page would say that it has no map.
    const server = program([
      ...['web', '--runs', runs, '--port', '0', '--json', '--read-only'],
      ...['--feeder', feeder, '--store', join(folder, 'store')],
    ]);
    const { url: address } = JSON.parse(await lineOf(server, 'stdout', /^\{/));
    const reader = await open(address);
    await reader.getByRole('link', { name: RUN, exact: true }).click();
    await reader.getByText('Read-only: this dashboard lets nobody act on runs.').waitFor(WAIT);
    await reader.locator('h1 + p').getByText(`${count} of 10 intervals`).waitFor(WAIT);
    expect(await reader.getByRole('region', { name: 'Controls' }).getByRole('button').count()).toBe(0);
    await reader.close();

    const ask = (login: string, headers: Record<string, string> = {}) =>
      new Promise<string>((resolve, reject) => {
        const socket = new WebSocket(`${address.replace('http', 'ws')}stomp`, ['v12.stomp'], { headers });
        socket.once('error', reject);
        socket.once('open', () => {
          socket.send(frame('CONNECT', { 'accept-version': '1.2', host: 'x', login }));
          socket.send(frame('SEND', { destination: runControlQueue(RUN) }, '{"kind":"stop"}'));
        });
        socket.on('message', (data) => {
          const text = String(data);
          if (!text.includes('ERROR')) return;
          resolve(text);
          socket.terminate();
        });
      });
    expect(await ask('reader')).toContain(`This user may not send to ${runControlQueue(RUN)}`);
    expect(await ask('operator')).toContain('User name [operator] or password is invalid');
    // A page of another origin is not let in at all.
    await expect(ask('reader', { Origin: 'http://elsewhere.example' })).rejects.toThrow('403');
  });

  it('asks for the key where the dashboard is open to others, and says when its connection is lost', async () => {
    const open4all = (port: string) =>
      program([
        ...['web', '--runs', runs, '--port', port, '--host', '0.0.0.0', '--allow-control', '--json'],
        ...['--feeder', feeder, '--store', join(folder, 'store')],
      ]);
    const first = open4all('0');
    const { url: said } = JSON.parse(await lineOf(first, 'stdout', /^\{/));
    const port = new URL(said).port;
    const other = await open(`http://127.0.0.1:${port}/#/run/${RUN}`);
    const panel = other.getByRole('region', { name: 'Controls' });
    await panel.getByText('Read-only without the key of this dashboard.').waitFor(WAIT);
    expect(await panel.getByRole('button').allInnerTexts()).toEqual(['Use']);
    await panel.getByLabel('Key').fill('not the key');
    await panel.getByRole('button', { name: 'Use' }).click();
    await panel.getByText('That is not the key.').waitFor(WAIT);
    await panel.getByLabel('Key').fill(KEY);
    await panel.getByLabel('Key').press('Enter');
    await panel.getByRole('button', { name: 'One interval' }).waitFor(WAIT);
    await expectNoSeriousFaults(other);

    // Its server is gone: nothing that is shown passes for live, and nothing can be asked.
    const gone = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await gone;
    await other.getByRole('alert').getByText('The connection to the dashboard is lost.').waitFor(WAIT);
    await other.getByRole('button', { name: 'Not live' }).waitFor(WAIT);
    expect(await other.getByRole('group', { name: 'Playback' }).innerText()).toContain('last that came:');
    expect(await panel.getByRole('button', { name: 'One interval' }).isDisabled()).toBe(true);
    await other.screenshot({ path: `${PICTURES}/live-lost.png` });
    // It comes back: so does the page, without being opened anew.
    await lineOf(open4all(port), 'stdout', /^\{/);
    await other.getByRole('button', { name: 'Live', exact: true }).waitFor(WAIT);
    expect(await panel.getByRole('button', { name: 'One interval' }).isEnabled()).toBe(true);
    // What the browser itself writes of a server that is not there.
    expect(faults.splice(0).every((text) => /WebSocket|ERR_CONNECTION/.test(text))).toBe(true);
    await other.close();
  });

  it('stops the simulation of a run in real time, and lets it go on', async () => {
    const run = program([
      ...[
        'run',
        feeder,
        '--realtime',
        '--interval',
        '60s',
        '--publish',
        '1s',
        '--intervals',
        '2',
        '--json',
        '--hosts',
        '1',
      ],
      ...['--start', '12:00', '--out', join(runs, 'realtime'), '--store', join(folder, 'store')],
    ]);
    const result = lineOf(run, 'stdout', /^\{/);
    result.catch(() => undefined);
    const site = url.replace(/#.*/, '');
    const isLive = async () => (await fetch(`${site}api/runs/realtime/live`)).text();
    await expect.poll(isLive, WAIT).toContain('true');
    const watched = await open(`${site}#/run/realtime`);
    const panel = watched.getByRole('region', { name: 'Controls' });
    const clock = () => watched.getByRole('group', { name: 'Playback' }).locator('output').innerText();
    await watched.locator('h1 + p').getByText('1 of 2 intervals').waitFor(WAIT);
    const began = await clock();
    await expect.poll(clock, WAIT).not.toBe(began);
    await panel.getByRole('button', { name: 'Pause run' }).click();
    await panel.getByText('paused ·').waitFor(WAIT);
    // An output may be on its way.
    await watched.waitForTimeout(1000);
    const paused = await clock();
    await watched.waitForTimeout(2500);
    expect(await clock()).toBe(paused);
    await panel.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(clock, WAIT).not.toBe(paused);
    await panel.getByRole('button', { name: 'Stop…' }).click();
    await panel.getByRole('button', { name: 'End it now' }).click();
    await result;
    await watched.close();
  });

  it('starts another run from a page, on a feeder of the dashboard, and stops it', async () => {
    const server = program([
      ...['web', '--runs', runs, '--port', '0', '--json', '--feeder', feeder, '--store', join(folder, 'store')],
    ]);
    const { url: address } = JSON.parse(await lineOf(server, 'stdout', /^\{/));
    const starter = await open(`${address}#/start`);
    await starter.getByLabel('Feeder').selectOption({ label: 'small_secondaries' });
    await starter.getByLabel('wait before the first interval').check();
    await starter.screenshot({ path: `${PICTURES}/start.png` });
    await starter.getByRole('button', { name: 'Start', exact: true }).click();
    await starter.getByRole('button', { name: 'One interval' }).waitFor(WAIT);
    expect(await starter.locator('h1').innerText()).toContain('small_secondaries');
    await starter.getByRole('button', { name: 'Stop…' }).click();
    await starter.getByRole('button', { name: 'End it now' }).click();
    await starter.getByText('The run has ended; what is shown now are its results.').waitFor(WAIT);
    await starter.close();
  });

  it('ends, says so, and its results take its place', async () => {
    await controls().getByRole('button', { name: 'Stop…' }).click();
    await controls().getByRole('button', { name: 'End it now' }).click();
    await page.getByText('The run has ended; what is shown now are its results.').waitFor(WAIT);
    expect(await page.locator('h1').innerText()).toContain('cancelled');
    expect(await page.getByText('The run was stopped by dashboard.').first().innerText()).toBeTruthy();
    const { controls: asked = [] } = manifestSchema.parse(JSON.parse(await manifest));
    expect(asked.map(({ control }) => control['kind'])).toEqual(
      expect.arrayContaining(['step', 'limits', 'fairness', 'agent', 'multipliers', 'switch', 'stop']),
    );
    expect(faults).toEqual([]);
  });
});
