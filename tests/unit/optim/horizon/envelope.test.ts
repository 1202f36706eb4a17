import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../grid/math/index.js';
import {
  type EnvelopeQuestion,
  envelopeCsv,
  fillRoom,
  findEnvelopes,
  limitInputs,
  proportionalRoom,
  type RoomRow,
  readMeterLimits,
} from '../../../../grid/optim/index.js';
import { EnvelopeAdversary } from '../../../builders/envelope-truth.js';
import { feeder } from '../../../builders/feeder.js';
import { ABC, MODEL_INPUTS, MODEL_STATE, street } from '../street.js';

const LIMITS = { minPu: 0.95, maxPu: 1.05 };
const STREET = street({ transformers: 3, customers: 4, pvKw: 9, loadKw: 1, sourcePu: 1.03 });
/** Three customers without DER, two of them between phases: what they export goes through their loads. */
const DELTAS = feeder('deltas')
  .source('S', 'SRC', { kv: 4.16, pu: 1, z1: [0.02, 0.08], z0: [0.03, 0.2] })
  .line('L0', 'SRC', 'D1', { ...ABC, length: 0.6 })
  .line('L1', 'D1', 'D2', { ...ABC, length: 0.6 })
  .line('L2', 'D2', 'D3', { ...ABC, length: 0.6 })
  .load('A', 'D1', { phases: 'A', kw: 60, kvar: 20 })
  .load('B', 'D2', { phases: 'BC', connection: 'delta', shareKv: 4.16, kw: 230, kvar: 132 })
  .load('C', 'D3', { phases: 'CA', connection: 'delta', shareKv: 4.16, kw: 170, kvar: 151 })
  .build();

function question(more: Partial<EnvelopeQuestion> = {}): EnvelopeQuestion {
  return { feeder: STREET, state: MODEL_STATE, voltageLimits: LIMITS, inputs: MODEL_INPUTS, ...more };
}

/** Seeded rows with coefficients of at least zero. */
function rowsOf(count: number, n: number, seed: number): RoomRow[] {
  const stream = randomStream(seed);
  return Array.from({ length: count }, () => ({
    coefficients: Float64Array.from({ length: n }, () => (stream.chance(0.5) ? stream.uniform(0.1, 1) : 0)),
    room: stream.uniform(0.5, 2),
  }));
}
const full = ({ coefficients, room }: RoomRow, x: Float64Array) =>
  coefficients.reduce((sum, a, d) => sum + a * x[d]!, 0) / room;

describe('sharing room', () => {
  it('fills in steps by hand: two share a row, the third takes the rest of its own', () => {
    const rows = [
      { coefficients: Float64Array.of(1, 1, 0), room: 2 },
      { coefficients: Float64Array.of(0, 1, 1), room: 4 },
    ];
    // All grow to 1, where row 1 is full; the third goes on to 3.
    expect([...fillRoom(rows, new Float64Array(3).fill(10), new Float64Array(3).fill(1))]).toEqual([1, 1, 3]);
    // The cap of the first is met before; the second has what is left of the row, the third of its own.
    expect([...fillRoom(rows, Float64Array.of(0.5, 10, 10), new Float64Array(3).fill(1))]).toEqual([0.5, 1.5, 2.5]);
  });

  it('maximises logarithms by hand: one row x + 2 y <= 4 gives 2 and 1', () => {
    const rows = [{ coefficients: Float64Array.of(1, 2), room: 4 }];
    const x = proportionalRoom(rows, Float64Array.of(100, 100), Float64Array.of(1, 1));
    // Kelly (1998): each spends the same part of the room.
    expect(x[0]).toBeCloseTo(2, 6);
    expect(x[1]).toBeCloseTo(1, 6);
  });

  it.each([1, 2, 3, 4])('keeps rows and caps, and the proportional one has the defining property, seed %i', (seed) => {
    const n = 9;
    const rows = rowsOf(6, n, seed);
    const cap = Float64Array.from({ length: n }, (_, d) => 0.2 + 0.1 * d);
    const weight = new Float64Array(n).fill(1);
    const fair = proportionalRoom(rows, cap, weight);
    const least = fillRoom(rows, cap, weight);
    for (const x of [fair, least]) {
      for (const row of rows) expect(full(row, x)).toBeLessThanOrEqual(1 + 1e-9);
      x.forEach((value, d) => {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThanOrEqual(cap[d]! + 1e-12);
      });
    }
    // No other point of the set has a positive sum of relative changes (Kelly 1998, eq. 2); max-min is one such point.
    const change = least.reduce((sum, value, d) => sum + (value - fair[d]!) / fair[d]!, 0);
    expect(change).toBeLessThanOrEqual(1e-6);
    expect(Math.min(...least)).toBeGreaterThanOrEqual(Math.min(...fair) - 1e-9);
  });

  it('leaves nothing for those in a row without room', () => {
    const rows = [{ coefficients: Float64Array.of(1, 0), room: -1 }];
    const weight = Float64Array.of(1, 1);
    expect([...proportionalRoom(rows, Float64Array.of(5, 5), weight)]).toEqual([0, 5]);
    expect([...fillRoom(rows, Float64Array.of(5, 5), weight)]).toEqual([0, 5]);
  });
});

describe('operating envelopes', () => {
  it.each(['proportional', 'maxMin'] as const)(
    '%s limits hold in the AC power flow at every verified point',
    (rule) => {
      const result = findEnvelopes(question({ rule, mixtures: 40, exportCapW: 15_000 }));
      expect(result.status).toBe('optimal');
      expect(result.customers).toHaveLength(12);
      expect(result.checks.length).toBeGreaterThan(42);
      for (const check of result.checks) {
        expect(check.violations).toBe(0);
        expect(check.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
        expect(check.vMinPu).toBeGreaterThanOrEqual(0.95 - 1e-5);
        expect(check.maxLoading).toBeLessThanOrEqual(1 + 1e-6);
      }
      // The limits are worth something: something binds, and no customer is left out.
      for (const { exportW, importW } of result.customers) expect(Math.min(exportW, importW)).toBeGreaterThan(100);
      expect(result.totalExportW).toBeLessThan(12 * 15_000);
    },
  );

  it('gives the poorest customer more under maxMin and all together more under proportional', () => {
    const [fair, least] = (['proportional', 'maxMin'] as const).map((rule) =>
      findEnvelopes(question({ rule, exportCapW: 15_000, loading: Infinity })),
    );
    const poorest = (result: typeof fair) => Math.min(...result!.customers.map(({ exportW }) => exportW));
    expect(poorest(least)).toBeGreaterThanOrEqual(poorest(fair) - 1);
    expect(fair!.totalExportW + fair!.totalImportW).toBeGreaterThan(least!.totalExportW + least!.totalImportW);
  });

  it('keeps to the rating of a transformer', () => {
    const result = findEnvelopes(question({ loading: 0.5, importCapW: 40_000 }));
    expect(result.status).toBe('optimal');
    // 50 kVA each, half of it.
    const ofFirst = result.customers.filter(({ name }) => name.startsWith('H0_'));
    expect(ofFirst.reduce((sum, { importW }) => sum + importW, 0)).toBeLessThanOrEqual(25_000);
    expect(Math.max(...result.checks.map(({ maxLoading }) => maxLoading))).toBeLessThanOrEqual(0.5 + 1e-6);
  });

  it.each([
    ['street', STREET, 1.03, LIMITS],
    ['delta loads that export', DELTAS, 1.0, { minPu: 0.97, maxPu: 1.03 }],
  ] as const)('by default hold for any mixture, which power flows of their own show: %s', (_, net, source, limits) => {
    const state = { ...MODEL_STATE, sourceVoltagePu: source };
    const { status, guarantee, customers, checks, findings } = findEnvelopes(
      question({ feeder: net, state, voltageLimits: limits, exportCapW: 60_000, loading: Infinity }),
    );
    expect([status, guarantee]).toEqual(['optimal', 'everyMixture']);
    expect(findings.filter(({ code }) => code.startsWith('ENVELOPE'))).toEqual([]);
    expect([...new Set(checks.map(({ kind }) => kind))]).toEqual(['together', 'phase', 'worst', 'random']);
    const adversary = new EnvelopeAdversary(net, source, limits, customers);
    // Buses of a street are named after the transformer, H2_1; transformers go round the phases.
    expect(adversary.groupsPu(({ name }) => name.split('_')[0]!)).toBeLessThanOrEqual(1e-5);
    expect(adversary.groupsPu(({ name }) => name)).toBeLessThanOrEqual(1e-5);
    expect(adversary.randomPu(100, 3)).toBeLessThanOrEqual(1e-5);
    const { excessPu } = adversary.worstPu(400);
    expect(excessPu).toBeLessThanOrEqual(1e-5);
    // And none is needlessly small: somewhere the worst mixture comes near.
    expect(excessPu).toBeGreaterThan(-1e-3);
  });

  it('says that there is no room where limits are broken at rest', () => {
    const result = findEnvelopes(question({ voltageLimits: { minPu: 0.9, maxPu: 1.02 } }));
    expect(result.status).toBe('baseViolated');
  });

  it('has the same limits for the same question, and other mixtures for another seed', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => findEnvelopes(question({ seed })));
    expect(a).toEqual(b);
    expect(a!.checks.at(-1)).not.toEqual(c!.checks.at(-1));
  });
});

describe('limits of customers', () => {
  it('are read back as they were written, rounded down to a watt', () => {
    const { customers } = findEnvelopes(question());
    const limits = readMeterLimits(envelopeCsv(customers), 'limits.csv', STREET);
    for (const { bus, exportW, importW } of customers) {
      expect(limits.get(bus)).toEqual({ exportW: Math.floor(exportW), importW: Math.floor(importW) });
    }
  });

  it.each([
    ['bus,kw\nH0_0,1\n', 1],
    ['bus,export_limit_kw,import_limit_kw\nNOWHERE,1,1\n', 2],
    ['bus,export_limit_kw,import_limit_kw\nH0_0,1,1\nh0_0,1,1\n', 3],
    ['bus,export_limit_kw,import_limit_kw\nH0_0,-1,1\n', 2],
    ['bus,export_limit_kw,import_limit_kw\nH0_0,1\n', 2],
  ])('refuse %j at line %i', (text, line) => {
    expect(() => readMeterLimits(text, 'l.csv', STREET)).toThrow(new RegExp(`l\\.csv:${line} `));
  });

  it('hold the sun of an interval to export limit plus load', () => {
    const limits = readMeterLimits('bus,export_limit_kw,import_limit_kw\nH0_0,2,0.5\nH0_1,,\n', 'l.csv', STREET);
    const { inputs, withheldW, findings } = limitInputs(STREET, MODEL_INPUTS, limits);
    // H0_0: load 1 kW, sun 9 kW, export limit 2 kW: 3 kW may be used. H0_1 has no limit.
    const pv = STREET.pvSystems.find(({ name }) => name === 'V0_0')!;
    expect(inputs.availableW).toEqual({ [pv.id]: 3000 });
    expect(withheldW).toBeCloseTo(6000, 6);
    expect(findings.map(({ code }) => code)).toEqual(['IMPORT_LIMIT_EXCEEDED']);
  });
});
