import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestSchema } from '../../../dec/schema/index.js';
import { feedersDir } from '../../feeders.js';
import { dec } from './dec.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-run-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dec run', () => {
  it.each([
    [['--kappa', '0.2'], /--kappa would have no effect without --reactive/],
    [['--gamma', '2'], /--gamma belongs to alphaFair, and proportional has none/],
    [['--prices', 'x.csv'], /--prices would have no effect without --horizon:/],
    [['--plot', 'x.svg'], /--plot would have no effect without --compare:/],
    [['--fairness', 'feedback'], /needs --feedback FILE/],
    [['--reactive', 'capability', '--kappa', '2'], /from 0 to 1, not 2/],
    [['--horizon', '4h'], /--horizon needs --prices FILE/],
    [['--horizon', '4h', '--fairness', 'maxMin'], /leave out --fairness maxMin, or --horizon/],
    [['--horizon', '4h', '--reactive', 'capability'], /leave out --reactive capability/],
    [['--horizon', '4h', '--interval', '30m'], /an interval is a step/],
    [['--horizon', '50m', '--step', '20m'], /no whole number of steps/],
    [['--broker', 'stomp://127.0.0.1:1', '--port', '61613'], /--port would have no effect with --broker/],
    [['--no-takeover', '--allow-control'], /--no-takeover, --allow-control would have no effect without --broker/],
    [
      ['--horizon', '4h', '--lost-after', '3', '--level', 'feeder'],
      /--lost-after, --level would have no effect with --h/,
    ],
    [['--horizon', '4h', '--external-hosts', '1'], /--external-hosts would have no effect with --horizon/],
    [
      ['--hosts', '0', '--external-hosts', '1', '--agent-module', 'x.mjs'],
      /--agent-module would have no effect with --/,
    ],
    [['--feedback', 'x.json'], /--feedback would have no effect without --fairness feedback/],
    [['--compare', '--json'], /leave out --json/],
    [['--compare', '--horizon', '4h'], /leave out --horizon, or --compare/],
  ])('with %j is refused with 2 before anything is started', async (options, message) => {
    const { code, stderr, stdout } = await dec(['run', ...options, '--out', join(folder, 'refused')]);
    expect(stderr).toMatch(message);
    expect(stdout).not.toMatch(/Wrote|Set-points/);
    expect(code).toBe(2);
  });

  it('compares all rules for its interval, takes settings from a file, and keeps what was served', async () => {
    const config = join(folder, 'run.yaml');
    const kept = join(folder, 'kept', 'feedback.json');
    writeFileSync(
      config,
      `fairness: feedback\nrun:\n  feedback: ${kept}\n  intervals: 1\n  interval: 5m\n  start: '12:00'\n`,
    );
    const out = join(folder, 'out');
    const { code, stdout } = await dec(['run', '--config', config, '--compare', '--out', out, '--strict']);
    expect(code).toBe(0);
    const { intervals, settings } = manifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect([intervals[0]!.fairness, settings['fairness']]).toEqual(['feedback', 'feedback']);
    const rows = stdout.slice(stdout.indexOf('All rules at 12:00')).split('\n');
    const kilowatts = (rule: string) => Number(rows.find((row) => row.startsWith(rule))!.split(/\s+/)[2]);
    // Nothing was served before, so that feedback is proportional, and the comparison has weights of what it did itself.
    expect(Math.abs(intervals[0]!.curtailedW! / 1000 / kilowatts('proportional') - 1)).toBeLessThan(1e-3);
    expect(kilowatts('total')).toBeLessThan(kilowatts('proportional'));
    expect(kilowatts('maxMin')).toBeGreaterThan(kilowatts('proportional'));
    const state: { intervals: unknown[]; factors: Record<string, number> } = JSON.parse(readFileSync(kept, 'utf8'));
    expect(state.intervals).toHaveLength(1);
    expect(Object.keys(state.factors)).toHaveLength(487);
  });

  it.skipIf(feedersDir === undefined)('plans over a horizon', async () => {
    const prices = join(folder, 'prices.csv');
    writeFileSync(prices, 'time,price\n00:00,0.1\n13:00,0.4\n');
    const out = join(folder, 'planned');
    const { code, json } = await dec([
      ...['run', join(feedersDir!, 'cim', 'IEEE13_meas.xml'), '--store', join(folder, 'store'), '--out', out, '--json'],
      ...['--horizon', '2h', '--prices', prices, '--intervals', '2', '--start', '12:00', '--load-multiplier', '0'],
      ...['--source-voltage', '1', '--v-min', '0.9', '--v-max', '1.0405', '--strict'],
    ]);
    expect(code).toBe(0);
    const { intervals, settings } = manifestSchema.parse(json());
    expect(settings['intervalS']).toBe(900);
    expect(intervals.map(({ method, plan }) => [method, plan!.steps])).toEqual([
      ['central', 8],
      ['central', 8],
    ]);
    // Energy is cheap for an hour and dear then: batteries charge.
    expect(intervals[0]!.plan!.batteryW).toBeLessThan(-100_000);
  });
});
