import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { feeder, type Rows } from '../../builders/feeder.js';

const R: Rows = [[0.3465], [0.156, 0.3375], [0.158, 0.1535, 0.3414]];
const X: Rows = [[1.0179], [0.5017, 1.0478], [0.4236, 0.3849, 1.0348]];
const B: Rows = [[6.2998], [-1.9958, 5.9597], [-1.2595, -0.7417, 5.6386]];
const TIGHT = { tolerancePu: 1e-13, controls: false } as const;

interface Device {
  readonly bus: number;
  readonly phases: string;
  readonly model: 'pq' | 'i' | 'z';
  readonly connection: 'wye' | 'delta';
  readonly kw: number;
  readonly kvar: number;
}

interface Network {
  /** For each bus after the first: the bus it hangs on and the length of the line, miles. */
  readonly branches: readonly (readonly [number, number])[];
  readonly devices: readonly Device[];
  readonly pvKw: number;
}

const device = (buses: number): fc.Arbitrary<Device> =>
  fc.record({
    bus: fc.integer({ min: 1, max: buses - 1 }),
    phases: fc.constantFrom('A', 'B', 'C', 'ABC'),
    model: fc.constantFrom('pq', 'i', 'z'),
    connection: fc.constantFrom('wye', 'delta'),
    kw: fc.integer({ min: 0, max: 150 }),
    kvar: fc.integer({ min: -40, max: 80 }),
  });

const network: fc.Arbitrary<Network> = fc.integer({ min: 3, max: 9 }).chain((buses) =>
  fc.record({
    branches: fc.tuple(
      ...Array.from({ length: buses - 1 }, (_, i) =>
        fc.tuple(
          fc.integer({ min: 0, max: i }),
          fc.integer({ min: 1, max: 40 }).map((n) => n / 40),
        ),
      ),
    ),
    devices: fc.array(device(buses), { minLength: 1, maxLength: 8 }),
    pvKw: fc.integer({ min: 0, max: 300 }),
  }),
);

/** A radial 12.47 kV feeder ending in a delta-wye transformer with a PV system behind it. */
function build({ branches, devices, pvKw }: Network, splitLines = false): Feeder {
  const builder = feeder('random').source('S', 'b0', { kv: 12.47, z1: [0.05, 0.4], z0: [0.1, 0.6] });
  branches.forEach(([parent, miles], i) => {
    const line = { r: R, x: X, bMicroSiemens: B };
    if (!splitLines) {
      builder.line(`l${i + 1}`, `b${parent}`, `b${i + 1}`, { ...line, length: miles });
    } else {
      builder
        .line(`l${i + 1}a`, `b${parent}`, `m${i + 1}`, { ...line, bMicroSiemens: B, length: 0.3 * miles })
        .line(`l${i + 1}b`, `m${i + 1}`, `b${i + 1}`, { ...line, bMicroSiemens: B, length: 0.7 * miles });
    }
  });
  const last = `b${branches.length}`;
  builder.transformer('t', {
    windings: [
      { bus: last, connection: 'delta', kv: 12.47, kva: 500, resistancePct: 0.5 },
      { bus: 'lv', connection: 'wye', kv: 0.48, kva: 500, resistancePct: 0.5 },
    ],
    reactancesPct: [4],
    noLoadLossPct: 0.2,
    magnetisingPct: 0.5,
  });
  builder.pv('pv', 'lv', { kw: pvKw, kvar: 0 });
  devices.forEach(({ bus, phases, model, connection, kw, kvar }, k) => {
    const isDelta = connection === 'delta' && phases === 'ABC';
    builder.load(`d${k}`, `b${bus}`, {
      phases,
      model,
      connection: isDelta ? 'delta' : 'wye',
      kw,
      kvar,
      minPu: 0.8,
      maxPu: 1.2,
    });
  });
  return builder.build();
}

/** Sum of the power into everything at each node, and the sum of its magnitudes. */
function balance(grid: Feeder, solution: ReturnType<ReturnType<typeof createPowerFlow>['solve']>) {
  const sums = new Map<string, { re: number; im: number; size: number }>();
  for (const id of grid.elements.keys()) {
    for (const { bus, node, currentRe, currentIm } of solution.flows(id)) {
      if (node === 0) continue;
      const sum = sums.get(`${bus}.${node}`) ?? { re: 0, im: 0, size: 0 };
      sum.re += currentRe;
      sum.im += currentIm;
      sum.size += Math.hypot(currentRe, currentIm);
      sums.set(`${bus}.${node}`, sum);
    }
  }
  return sums;
}

describe('power flow properties', () => {
  it('balances currents at every node and power over the feeder to 1e-9', () => {
    fc.assert(
      fc.property(network, (description) => {
        const grid = build(description);
        const solution = createPowerFlow(grid, TIGHT).solve();
        expect(solution.status).toBe('converged');
        const sums = balance(grid, solution);
        expect(sums.size).toBe(3 * (description.branches.length + 2));
        const largest = Math.max(...[...sums.values()].map(({ size }) => size));
        for (const [place, { re, im }] of sums) {
          expect(Math.hypot(re, im) / largest, place).toBeLessThan(1e-9);
        }
        let shunt = 0;
        for (const { id } of [...grid.loads, ...grid.pvSystems]) {
          for (const { powerW } of solution.flows(id)) shunt += powerW;
        }
        const scale = Math.abs(solution.sourceW) + Math.abs(shunt) + solution.lossW;
        expect(Math.abs(solution.sourceW - shunt - solution.lossW) / scale).toBeLessThan(1e-9);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('does not change when a line is split in two, but for the shunt that moves to the middle', () => {
    fc.assert(
      fc.property(network, (description) => {
        const whole = createPowerFlow(build(description), TIGHT).solve();
        const parts = createPowerFlow(build(description, true), TIGHT).solve();
        for (let b = 0; b <= description.branches.length; b++) {
          for (const node of [1, 2, 3]) {
            const v = whole.voltageAt(`B${b}`, node)!;
            const w = parts.voltageAt(`B${b}`, node)!;
            // A nominal pi of a mile has |Z Y| = 1e-5: lumping its shunt elsewhere moves voltages by less than that.
            expect(Math.hypot(v.re - w.re, v.im - w.im) / 7200).toBeLessThan(1e-5);
          }
        }
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  it('turns with the phases: renaming A, B, C cyclically turns the voltages with them', () => {
    const turn = (rows: Rows): Rows => {
      const at = (i: number, j: number) => rows[Math.max(i, j)]![Math.min(i, j)]!;
      const from = [2, 0, 1];
      return [0, 1, 2].map((i) => Array.from({ length: i + 1 }, (_, j) => at(from[i]!, from[j]!)));
    };
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 900 })),
        (kw) => {
          const make = (isTurned: boolean) => {
            const builder = feeder('turn')
              .source('S', 'a', { kv: 12.47, angleDeg: isTurned ? 120 : 0 })
              .line('l', 'a', 'b', {
                r: isTurned ? turn(R) : R,
                x: isTurned ? turn(X) : X,
                bMicroSiemens: isTurned ? turn(B) : B,
                length: 3,
              });
            kw.forEach((value, i) => {
              builder.load(`d${i}`, 'b', {
                phases: 'ABC'[isTurned ? (i + 1) % 3 : i]!,
                kw: value,
                kvar: value / 3,
                minPu: 0.5,
              });
            });
            return createPowerFlow(builder.build(), TIGHT).solve();
          };
          const plain = make(false);
          const turned = make(true);
          for (const node of [1, 2, 3]) {
            const v = plain.voltageAt('B', node)!;
            const w = turned.voltageAt('B', (node % 3) + 1)!;
            expect(Math.hypot(v.re - w.re, v.im - w.im) / 7200).toBeLessThan(1e-9);
          }
        },
      ),
      { numRuns: 30, seed: 3 },
    );
  });

  it('scales: a network of constant impedances is linear in the source voltage', () => {
    fc.assert(
      fc.property(network, fc.integer({ min: 50, max: 150 }), (description, percent) => {
        const linear = {
          ...description,
          pvKw: 0,
          devices: description.devices.map((d) => ({ ...d, model: 'z' as const })),
        };
        const flow = createPowerFlow(build(linear), TIGHT);
        flow.setSourceVoltagePu(1);
        const one = flow.solve();
        flow.setSourceVoltagePu(percent / 100);
        const scaled = flow.solve();
        for (let i = 0; i < one.voltage.length; i++) {
          expect(Math.abs(scaled.voltage[i]! - (percent / 100) * one.voltage[i]!)).toBeLessThan(1e-8 * 7200);
        }
        expect(Math.abs(scaled.sourceW - (percent / 100) ** 2 * one.sourceW)).toBeLessThan(
          1e-8 * (1e4 + Math.abs(one.sourceW)),
        );
      }),
      { numRuns: 30, seed: 4 },
    );
  });

  it('without load or shunt has the source voltage everywhere and no losses', () => {
    fc.assert(
      fc.property(network, ({ branches }) => {
        const builder = feeder('idle').source('S', 'b0', { kv: 12.47 });
        branches.forEach(([parent, miles], i) => {
          builder.line(`l${i}`, `b${parent}`, `b${i + 1}`, { r: R, x: X, length: miles });
        });
        const solution = createPowerFlow(builder.build()).solve();
        for (let b = 0; b <= branches.length; b++) {
          for (const node of [1, 2, 3]) expect(solution.voltagePuAt(`B${b}`, node)).toBeCloseTo(1, 10);
        }
        expect(Math.abs(solution.lossW)).toBeLessThan(1e-3);
      }),
      { numRuns: 30, seed: 5 },
    );
  });

  it('reaches the same state from a warm start as from a flat one', () => {
    fc.assert(
      fc.property(network, fc.integer({ min: 0, max: 200 }), (description, kw) => {
        const warm = createPowerFlow(build(description), TIGHT);
        warm.solve();
        warm.setLoadPower('load.d0', kw * 1000, kw * 300);
        const flat = createPowerFlow(build(description), TIGHT);
        flat.setLoadPower('load.d0', kw * 1000, kw * 300);
        const a = warm.solve();
        const b = flat.solve();
        for (let i = 0; i < a.voltage.length; i++)
          expect(Math.abs(a.voltage[i]! - b.voltage[i]!)).toBeLessThan(1e-8 * 7200);
      }),
      { numRuns: 30, seed: 6 },
    );
  });
});
