import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coordinationSchema, envelopeSchema, horizonSchema, recedingSchema } from '../../../dec/schema/index.js';
import { dec } from './dec.js';

/** A pair in the ancestor's form: two buses on one three-phase line, 10 kW of sun a phase at the end. */
const BUSES = {
  S: {
    idx: 0,
    kv: 0.24,
    phases: ['1', '2', '3'],
    nodes: [0, 1, 2],
    pq: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    pv: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  },
  H: {
    idx: 1,
    kv: 0.24,
    phases: ['1', '2', '3'],
    nodes: [3, 4, 5],
    pq: [
      [4000, 1000],
      [4000, 1000],
      [4000, 1000],
    ],
    pv: [
      [10_000, 0],
      [10_000, 0],
      [10_000, 0],
    ],
  },
};
const DIAGONAL = [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? [0.55, 0.2] : [0, 0])));
const BRANCHES = {
  line: { idx: 0, type: 'LINE', phases: [1, 2, 3], from: 0, to: 1, fr_bus: 'S', to_bus: 'H', zprim: DIAGONAL },
};

let folder = '';
let model: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-horizon-'));
  model = [join(folder, 'buses.json'), join(folder, 'branches.json')];
  writeFileSync(model[0]!, JSON.stringify(BUSES));
  writeFileSync(model[1]!, JSON.stringify(BRANCHES));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE = ['--source-voltage', '1.0'];

describe('dec coordinate --strict on a feeder without PV', () => {
  it('ends with 3, as dec run does: there is nothing that could be coordinated', async () => {
    const bare = join(folder, 'bare.json');
    const H = { ...BUSES.H, pv: BUSES.S.pv };
    writeFileSync(bare, JSON.stringify({ ...BUSES, H }));
    const prices = join(folder, 'flat.csv');
    writeFileSync(prices, 'time,price\n00:00,0.2\n01:00,0.2\n02:00,0.2\n');
    const horizon = ['--horizon', '1h', '--step', '30m', '--prices', prices];
    for (const more of [[], ['--compare'], horizon]) {
      const job = ['coordinate', bare, model[1]!, ...SOURCE, ...more];
      const { code, stderr } = await dec([...job, '--strict']);
      expect(code, `${more.join(' ')} ${stderr}`).toBe(3);
      expect((await dec(job)).code).toBe(0);
    }
  });
});

describe('dec coordinate --envelopes and --limits', () => {
  it('writes limits that a coordination with --limits respects', async () => {
    const csv = join(folder, 'limits.csv');
    const found = await dec(['coordinate', ...model, ...SOURCE, '--envelopes', csv, '--json', '--strict']);
    expect(found.stderr).toBe('');
    expect(found.code).toBe(0);
    const report = envelopeSchema.parse(found.json());
    expect(report.status).toBe('optimal');
    expect(report.checks.every(({ violations }) => violations === 0)).toBe(true);
    const [customer] = report.customers;
    expect(customer!.exportW).toBeLessThan(30_000);
    expect(readFileSync(csv, 'utf8').split('\n')[1]).toMatch(/^H,\d+\.\d{3},\d+\.\d{3}$/);
    const limited = await dec(['coordinate', ...model, ...SOURCE, '--limits', csv, '--json', '--strict']);
    expect(limited.code).toBe(0);
    const { ders } = coordinationSchema.parse(limited.json());
    // 12 kW of load beside the export limit.
    expect(ders[0]!.setpointW).toBeLessThanOrEqual(12_000 + customer!.exportW + 1);
  });

  it('names the line of a limit that is none, with 2', async () => {
    const csv = join(folder, 'wrong.csv');
    writeFileSync(csv, 'bus,export_limit_kw,import_limit_kw\nH,much,1\n');
    const { code, stdout, stderr } = await dec(['coordinate', ...model, ...SOURCE, '--limits', csv]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('wrong.csv:2');
  });
});

describe('dec coordinate --horizon', () => {
  it('schedules the sun step by step and keeps its contract', async () => {
    const prices = join(folder, 'prices.csv');
    const sun = join(folder, 'sun.csv');
    writeFileSync(prices, 'hour,price\n0,0.2\n1,0.3\n2,0.2\n');
    writeFileSync(sun, 'hour,share\n0,0\n1,0.2\n2,1\n');
    const options = [
      '--horizon',
      '3h',
      '--step',
      '30m',
      '--prices',
      prices,
      '--pv-forecast',
      sun,
      '--json',
      '--strict',
    ];
    const { code, json } = await dec(['coordinate', ...model, ...SOURCE, ...options]);
    expect(code).toBe(0);
    const report = horizonSchema.parse(json());
    expect(report.steps).toHaveLength(6);
    expect(report.steps[0]!.availableW).toBe(0);
    // A fifth of 30 kW needs no curtailment. All of it, less 12 kW of load, is 6 kW a phase over 0.55 ohm at 240 V: about
    // 1.05 + 0.002 pu by hand, so that a small part is curtailed.
    expect(report.steps[2]!.curtailedW).toBeLessThan(1);
    expect(report.steps[4]!.curtailedW).toBeGreaterThan(100);
    expect(report.curtailedMaxW).toBe(Math.max(...report.steps.map(({ curtailedW }) => curtailedW)));
    expect(report.curtailedPct).toBeCloseTo((100 * report.curtailedKwh) / report.availableKwh, 12);
    // One PV system: all shares are its own. The yardstick stands at the limit, the plan 8e-5 pu inside it: 29 W at two steps.
    expect(report.worstDecileAlpha).toBeCloseTo(report.curtailedPct / 100, 9);
    expect(report.priceOfFairnessPct!).toBeGreaterThanOrEqual(0);
    expect(report.priceOfFairnessPct!).toBeLessThan(0.1);
    expect(Math.max(...report.steps.map(({ vMaxPu }) => vMaxPu))).toBeLessThanOrEqual(1.05 + 1e-5);
  });

  it('asks for prices, with 2', async () => {
    const { code, stderr } = await dec(['coordinate', ...model, ...SOURCE, '--horizon', '3h']);
    expect(code).toBe(2);
    expect(stderr).toContain('--prices');
  });
});

describe('dec coordinate --recede', () => {
  it('carries out a day step by step with the sun as it turns out, keeps its contract and draws it', async () => {
    const prices = join(folder, 'day-prices.csv');
    const forecast = join(folder, 'forecast.csv');
    const actual = join(folder, 'actual.csv');
    const picture = join(folder, 'day.svg');
    writeFileSync(prices, 'hour,price\n0,0.2\n1,0.3\n2,0.2\n3,0.2\n');
    writeFileSync(forecast, 'hour,share\n0,0\n1,0.2\n2,0.2\n3,0.2\n');
    writeFileSync(actual, 'hour,share\n0,0\n1,0.2\n2,1\n3,0.2\n');
    const options = [
      '--recede',
      '3h',
      '--horizon',
      '1h',
      '--step',
      '30m',
      '--prices',
      prices,
      '--pv-forecast',
      forecast,
    ];
    const more = ['--actual-pv', actual, '--plot', picture, '--json', '--strict'];
    const { code, json, stderr } = await dec(['coordinate', ...model, ...SOURCE, ...options, ...more]);
    expect([code, stderr]).toEqual([0, '']);
    const report = recedingSchema.parse(json());
    expect(report.steps).toHaveLength(6);
    expect(report.horizonSteps).toBe(2);
    // As in the horizon above: a fifth of the sun needs no curtailment, all of it a small part.
    expect(report.steps[2]!.curtailedW).toBeLessThan(1);
    expect(report.steps[4]!.availableW).toBeCloseTo(30_000, 3);
    expect(report.steps[4]!.curtailedW).toBeGreaterThan(100);
    expect(report.curtailedMaxW).toBe(Math.max(...report.steps.map(({ curtailedW }) => curtailedW)));
    expect(report.curtailedPct).toBeCloseTo((100 * report.curtailedKwh) / report.availableKwh, 12);
    // One PV system: all shares are its own.
    expect(report.worstDecileAlpha).toBeCloseTo(report.curtailedPct / 100, 9);
    for (const { vMaxPu, violations } of report.steps) {
      expect(vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
      expect(violations).toBe(0);
    }
    expect(readFileSync(picture, 'utf8')).toContain('price per kWh');
  });

  it('asks how far to look ahead, with 2', async () => {
    const { code, stderr } = await dec(['coordinate', ...model, ...SOURCE, '--recede', '3h']);
    expect(code).toBe(2);
    expect(stderr).toContain('--horizon');
  });
});

describe('--config', () => {
  it('gives settings that the command line goes before', async () => {
    const file = join(folder, 'case.yaml');
    writeFileSync(file, 'feeder: [buses.json, branches.json]\nsource-voltage: 1.0\nfairness: total\nv-max: 1.04\n');
    const { code, json } = await dec(['coordinate', '--config', file, '--v-max', '1.05', '--json']);
    expect(code).toBe(0);
    const report = coordinationSchema.parse(json());
    expect(report.fairness).toBe('total');
    expect(report.settings).toMatchObject({ vMaxPu: 1.05, sourceVoltagePu: 1 });
  });

  it('names what dec run does not do together, with 2', async () => {
    const file = join(folder, 'run.yaml');
    writeFileSync(file, 'fairness: maxMin\nrun:\n  intervals: 1\n  horizon: 4h\n');
    const { code, stdout, stderr } = await dec(['run', '--config', file]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/leave out --fairness maxMin, or --horizon/);
  });
});
