import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { compile, transformerPrimitive } from '../../../grid/model/index.js';
import { feeder, type WindingOptions } from '../../builders/feeder.js';

const unit = (
  windings: readonly WindingOptions[],
  options: Partial<Parameters<ReturnType<typeof feeder>['transformer']>[1]> = {},
) =>
  feeder('unit')
    .source('S', windings[0]!.bus, { kv: 1 })
    .transformer('T', { windings, reactancesPct: [5], ...options })
    .build().transformers[0]!;

describe('transformerPrimitive', () => {
  it('of one phase is the short-circuit admittance between the windings, ratio squared', () => {
    const t = unit(
      [
        { bus: 'a', kv: 2, kva: 100, resistancePct: 1 },
        { bus: 'b', kv: 1, kva: 100, resistancePct: 1 },
      ],
      { phases: 1 },
    );
    const { y, conductors } = transformerPrimitive({ ...t, antifloat: 0 }, [1, 1.1]);
    expect(conductors.map(({ terminal, node }) => [terminal, node])).toEqual([
      [1, 1],
      [1, 0],
      [2, 1],
      [2, 0],
    ]);
    // By hand: base 40 ohm, z = 40 (0.02 + j0.05), y = 1/z; secondary 2 / (1 * 1.1) turns.
    const z = { re: 0.8, im: 2 };
    const size = z.re ** 2 + z.im ** 2;
    const turns = 2 / 1.1;
    expect(y.re[0]).toBeCloseTo(z.re / size, 12);
    expect(y.im[0]).toBeCloseTo(-z.im / size, 12);
    expect(y.re[2]).toBeCloseTo((-turns * z.re) / size, 12);
    expect(y.im[2 * 4 + 2]).toBeCloseTo((-(turns ** 2) * z.im) / size, 12);
    expect(y.re[1]).toBe(-y.re[0]!);
  });

  it('puts the no-load branch on the second winding and the antifloat shunt on every end, as OpenDSS does', () => {
    const t = unit(
      [
        { bus: 'a', kv: 2, kva: 100, resistancePct: 1 },
        { bus: 'b', kv: 1, kva: 100, resistancePct: 1 },
      ],
      { phases: 1, noLoadLossPct: 0.5, magnetisingPct: 2 },
    );
    const without = transformerPrimitive({ ...t, noLoadLossPu: 0, magnetisingPu: 0 }, [1, 1]).y;
    const { y } = transformerPrimitive(t, [1, 1]);
    // By hand: 100 kVA at 1 kV is 0.1 S; 0.5 % of it in conductance, 2 % in susceptance.
    expect(y.re[10]! - without.re[10]!).toBeCloseTo(0.0005, 10);
    expect(y.im[10]! - without.im[10]!).toBeCloseTo(-0.002, 10);
    expect(y.re[0]).toBe(without.re[0]);
    // Half of a millionth of 0.025 S on each end of the first winding.
    const bare = transformerPrimitive({ ...t, antifloat: 0 }, [1, 1]).y;
    expect(y.im[5]! - bare.im[5]!).toBeCloseTo(-1.25e-8, 14);
  });

  it('shifts a delta-wye pair by 30 degrees, lagging by default and leading when told', () => {
    const angle = (isDeltaLeading: boolean) => {
      const grid = feeder('shift')
        .source('S', 'a', { kv: 12.47 })
        .transformer('T', {
          windings: [
            { bus: 'a', connection: 'delta', kv: 12.47, kva: 500, resistancePct: 0.5 },
            { bus: 'b', kv: 0.48, kva: 500, resistancePct: 0.5 },
          ],
          reactancesPct: [5],
          isDeltaLeading,
        })
        .build();
      const v = createPowerFlow(grid).solve().voltageAt('B', 1)!;
      return [Math.hypot(v.re, v.im) / (480 / Math.sqrt(3)), (Math.atan2(v.im, v.re) * 180) / Math.PI];
    };
    expect(angle(false)[0]).toBeCloseTo(1, 5);
    expect(angle(false)[1]).toBeCloseTo(-30, 3);
    expect(angle(true)[1]).toBeCloseTo(30, 3);
  });

  it('an autotransformer at no load gives its rated ratio', () => {
    const grid = feeder('auto')
      .source('S', 'a', { kv: 345 })
      .transformer('T', {
        construction: 'auto',
        windings: [
          { bus: 'a', nodes: [1, 2, 3], kv: 345, kva: 330000, resistancePct: 0.05 },
          { bus: 'b', kv: 161, kva: 330000, resistancePct: 0.05 },
        ],
        reactancesPct: [7.23],
      })
      .build();
    const solution = createPowerFlow(grid).solve();
    expect(solution.voltagePuAt('B', 2)).toBeCloseTo(1, 4);
    expect(Math.abs(solution.sourceW)).toBeLessThan(1);
  });

  it('names the winding that lacks nodes', () => {
    const t = unit([
      { bus: 'a', kv: 2, kva: 100, nodes: [1, 2] },
      { bus: 'b', kv: 1, kva: 100 },
    ]);
    expect(() => transformerPrimitive(t, [1, 1])).toThrow(/winding 1 has 2 nodes where 4/);
  });
});

describe('neutrals and ungrounded islands', () => {
  const bank = (groundOhm?: { r: number; x: number }) =>
    feeder('neutral')
      .source('S', 'a', { kv: 12.47 })
      .transformer('T', {
        windings: [
          { bus: 'a', connection: 'delta', kv: 12.47, kva: 500, resistancePct: 0.5 },
          { bus: 'b', kv: 0.48, kva: 500, resistancePct: 0.5, ...(groundOhm ? { groundOhm } : {}) },
        ],
        reactancesPct: [5],
      })
      .load('D', 'b', { phases: 'A', kw: 6, minPu: 0.5 })
      .build();

  it('a neutral behind an impedance gets a node of its own and carries the unbalance', () => {
    const compiled = compile(bank({ r: 0.5, x: 0 }));
    expect(compiled.nodeIndex('B', 4)).toBeGreaterThanOrEqual(0);
    const solution = createPowerFlow(bank({ r: 0.5, x: 0 })).solve();
    expect(solution.status).toBe('converged');
    const neutral = solution.voltageAt('B', 4)!;
    const [load] = solution.flows('load.D');
    const current = Math.hypot(load!.currentRe, load!.currentIm);
    // By hand: the load's return current comes up through half an ohm.
    expect(Math.hypot(neutral.re, neutral.im)).toBeCloseTo(0.5 * current, 4);
    expect(compile(bank()).nodeIndex('B', 4)).toBe(-1);
    expect(compile(bank({ r: 0, x: 0 })).nodeIndex('B', 4)).toBe(-1);
  });

  it('leaves the antifloat shunt out where the charging of the island is smaller', () => {
    const island = (microSiemens: number) => {
      const grid = feeder('island')
        .source('S', 'a', { kv: 12.47 })
        .transformer('T', {
          windings: [
            { bus: 'a', connection: 'wye', kv: 12.47, kva: 500, resistancePct: 0.5 },
            { bus: 'b', connection: 'delta', kv: 0.48, kva: 500, resistancePct: 0.5 },
          ],
          reactancesPct: [5],
        })
        .line('L', 'b', 'c', {
          r: [[0.1], [0, 0.1], [0, 0, 0.1]],
          x: [[0.1], [0, 0.1], [0, 0, 0.1]],
          bMicroSiemens: [[microSiemens], [0, microSiemens], [0, 0, microSiemens]],
        })
        .build();
      return compile(grid).transformers.get('transformer.T')!.antifloat;
    };
    // By hand: six ends of 1e-6 * 166.7 kVA / (480 V)^2 / 2 are 2.17 microsiemens.
    expect(island(0)).toBeUndefined();
    expect(island(0.5)).toBe(0);
    expect(island(1)).toBeUndefined();
  });
});
