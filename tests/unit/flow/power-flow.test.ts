import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { DecError } from '../../../grid/math/index.js';
import { buildFeeder } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

const Z1 = { r: [[0.3]], x: [[0.6]], phases: 'A' } as const;
const Z3 = {
  r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]],
  x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]],
} as const;

/** One phase at 1 000 V behind an almost ideal source, with one load. */
function oneLoad(pu: number, model: 'pq' | 'i' | 'z', window: { minPu?: number; maxPu?: number } = {}) {
  return feeder('one load')
    .source('S', 'a', { kv: 1, phases: 'A', pu, z1: [1e-6, 1e-6] })
    .load('D', 'a', { phases: 'A', model, kw: 100, kvar: 50, ...window })
    .build();
}

const loadPower = (pu: number, model: 'pq' | 'i' | 'z') => {
  const solution = createPowerFlow(oneLoad(pu, model)).solve();
  const [flow] = solution.flows('load.D');
  return [flow!.powerW / 100_000, flow!.powerVar / 50_000];
};

describe('load laws against OpenDSS (Load.pas: Yeq95, InterpolateY95_YLow, Yeq105)', () => {
  // Shares of nominal power by hand from the law: constant power inside 0.95 to 1.05; above, (V / 1.05)^2; between 0.5
  // and 0.95 the current runs straight from 0.5 to 1 / 0.95 of nominal; below 0.5, V^2.
  const straight = (pu: number, top: number) => pu * (0.5 + ((top - 0.5) / 0.45) * (pu - 0.5));
  const cases: readonly (readonly ['pq' | 'i' | 'z', number, number])[] = [
    ['pq', 1, 1],
    ['pq', 0.96, 1],
    ['pq', 1.1, (1.1 / 1.05) ** 2],
    ['pq', 0.8, straight(0.8, 1 / 0.95)],
    ['pq', 0.4, 0.16],
    ['i', 1, 1],
    ['i', 0.97, 0.97],
    ['i', 1.1, 1.1 ** 2 / 1.05],
    ['i', 0.8, straight(0.8, 1)],
    ['z', 0.7, 0.49],
    ['z', 1.2, 1.44],
  ];
  for (const [model, pu, share] of cases) {
    it(`${model} at ${pu} pu draws ${share.toFixed(4)} of nominal`, () => {
      const [p, q] = loadPower(pu, model);
      expect(p).toBeCloseTo(share, 5);
      expect(q).toBeCloseTo(share, 5);
    });
  }

  it('takes constant power with quadratic vars (model 3) out of the window as a whole', () => {
    const data = oneLoad(1.1, 'pq');
    const [load] = data.loads;
    const at = (pu: number) => {
      const grid = buildFeeder({ ...data, loads: [{ ...load!, zipQ: { z: 1, i: 0, p: 0 } }] });
      const flow = createPowerFlow(grid);
      flow.setSourceVoltagePu(pu);
      const [f] = flow.solve().flows('load.D');
      return [f!.powerW / 100_000, f!.powerVar / 50_000];
    };
    expect(at(1.02)[0]).toBeCloseTo(1, 5);
    expect(at(1.02)[1]).toBeCloseTo(1.02 ** 2, 5);
    expect(at(1.1)[1]).toBeCloseTo((1.1 / 1.05) ** 2, 5);
  });

  it('follows voltage exponents (model 4) inside the window', () => {
    const data = oneLoad(0.97, 'pq');
    const [load] = data.loads;
    const grid = buildFeeder({ ...data, loads: [{ ...load!, voltageExponents: { p: 0.8, q: 3 } }] });
    const [f] = createPowerFlow(grid).solve().flows('load.D');
    expect(f!.powerW / 100_000).toBeCloseTo(0.97 ** 0.8, 5);
    expect(f!.powerVar / 50_000).toBeCloseTo(0.97 ** 3, 5);
  });

  it('generation keeps its power in 0.9 to 1.1 pu and is an admittance outside (Generator.pas)', () => {
    const at = (pu: number) => {
      const grid = feeder('pv')
        .source('S', 'a', { kv: 1, phases: 'A', pu })
        .pv('G', 'a', { phases: 'A', kw: 100 })
        .build();
      return -createPowerFlow(grid).solve().flows('pv.G')[0]!.powerW / 100_000;
    };
    expect(at(0.92)).toBeCloseTo(1, 5);
    expect(at(1.2)).toBeCloseTo((1.2 / 1.1) ** 2, 5);
    expect(at(0.6)).toBeCloseTo((0.6 / 0.9) ** 2, 5);
  });
});

describe('one load behind one impedance', () => {
  it('solves the two-bus quadratic', () => {
    const grid = feeder('two bus')
      .source('S', 'a', { kv: 2.4, phases: 'A', z1: [1e-9, 1e-9] })
      .line('L', 'a', 'b', Z1)
      .load('D', 'b', { phases: 'A', kw: 300, kvar: 100 })
      .build();
    const solution = createPowerFlow(grid, { tolerancePu: 1e-12 }).solve();
    // |V|^4 + (2(RP + XQ) - E^2)|V|^2 + (R^2 + X^2)(P^2 + Q^2) = 0, larger root.
    const half = (2400 ** 2 - 2 * (0.3 * 300e3 + 0.6 * 100e3)) / 2;
    const square = half + Math.sqrt(half ** 2 - (0.3 ** 2 + 0.6 ** 2) * (300e3 ** 2 + 100e3 ** 2));
    expect(solution.voltagePuAt('B', 1)! * 2400).toBeCloseTo(Math.sqrt(square), 6);
    const current2 = (300e3 ** 2 + 100e3 ** 2) / square;
    expect(solution.lossW).toBeCloseTo(0.3 * current2, 2);
    expect(solution.sourceW).toBeCloseTo(300e3 + 0.3 * current2, 1);
    expect(solution.flows('nothing')).toEqual([]);
  });

  it('falls back to Newton where the fixed point does not settle, and says so where nothing exists', () => {
    // By hand: the largest power over 0.3 + j0.6 ohm at unity power factor is E^2 / (2 (|Z| + R)) = 2.965 MW.
    const limit = 2400 ** 2 / (2 * (Math.hypot(0.3, 0.6) + 0.3));
    const at = (share: number, maxIterations: number) => {
      const grid = feeder('limit')
        .source('S', 'a', { kv: 2.4, phases: 'A', z1: [1e-9, 1e-9] })
        .line('L', 'a', 'b', Z1)
        .load('D', 'b', { phases: 'A', kw: (share * limit) / 1000, minPu: 0.01, maxPu: 2 })
        .build();
      return createPowerFlow(grid, { maxIterations }).solve();
    };
    const near = at(0.995, 40);
    expect(near.status).toBe('converged');
    expect(near.flows('load.D')[0]!.powerW).toBeCloseTo(0.995 * limit, -1);
    for (const solution of [at(1.05, 40), at(1.5, 100)]) {
      expect(['diverged', 'iterationLimit']).toContain(solution.status);
      expect(solution.voltage.every(Number.isFinite)).toBe(true);
      expect(Number.isFinite(solution.mismatchPu)).toBe(true);
      expect(solution.worstBus).toBe('B');
    }
    // Far beyond, the load falls below 0.5 pu, where it is its nominal admittance: a collapsed state, but a state.
    expect(at(8, 100).status).toBe('converged');
    expect(at(8, 100).voltagePuAt('B', 1)).toBeLessThan(0.5);
    expect(at(0.5, 1).status).toBe('iterationLimit');
  });
});

describe('states', () => {
  const switched = () =>
    feeder('switched')
      .source('S', 'a', { kv: 12.47, z1: [0.01, 0.1] })
      .line('L1', 'a', 'b', Z3)
      .switch('SW', 'b', 'c')
      .line('L2', 'c', 'd', Z3)
      .load('D', 'd', { kw: 900, kvar: 300 })
      .load('E', 'b', { kw: 300 })
      .build();

  it('an opened switch leaves the rest solved, the island without voltage and a finding that names it', () => {
    const flow = createPowerFlow(switched());
    const before = flow.solve();
    flow.setSwitch('switch.SW', true);
    expect(flow.isSwitchOpen('switch.SW')).toBe(true);
    const open = flow.solve();
    expect(open.status).toBe('converged');
    expect(open.voltagePuAt('D', 1)).toBeLessThan(1e-9);
    expect(open.flows('load.E').reduce((sum, f) => sum + f.powerW, 0)).toBeCloseTo(300e3, 1);
    expect(open.sourceW).toBeLessThan(301e3);
    expect(flow.findings.map(({ code }) => code)).toEqual(['ISOLATED_BUS']);
    expect(flow.findings[0]!.message).toContain('C, D');
    flow.setSwitch('switch.SW', false);
    const again = flow.solve();
    expect(again.voltagePuAt('D', 1)).toBeCloseTo(before.voltagePuAt('D', 1)!, 7);
    expect(flow.findings).toEqual([]);
  });

  it('opens one conductor alone when the model says so', () => {
    const grid = switched();
    const partly = buildFeeder({ ...grid, switches: [{ ...grid.switches[0]!, isOpen: [false, true, false] }] });
    const solution = createPowerFlow(partly).solve();
    expect(solution.status).toBe('converged');
    expect(solution.voltagePuAt('D', 1)).toBeGreaterThan(0.9);
    const [, middle] = solution.flows('switch.SW');
    expect(Math.hypot(middle!.currentRe, middle!.currentIm)).toBeLessThan(1e-9);
  });

  it('a solution keeps its flows when the states change afterwards', () => {
    const flow = createPowerFlow(switched());
    const solution = flow.solve();
    const first = solution.flows('load.D')[0]!.powerW;
    flow.setLoadPower('load.D', 1, 1);
    flow.setSwitch('switch.SW', true);
    flow.solve();
    expect(solution.flows('load.D')[0]!.powerW).toBe(first);
    expect(solution.sourceW).toBeGreaterThan(1.2e6);
  });

  it('multiplies loads and PV apart', () => {
    const grid = feeder('multipliers')
      .source('S', 'a', { kv: 12.47, z1: [1e-3, 1e-3] })
      .load('D', 'a', { kw: 100 })
      .pv('G', 'a', { kw: 60 })
      .battery('B', 'a', { kw: 10 })
      .build();
    const flow = createPowerFlow(grid);
    expect(flow.solve().sourceW).toBeCloseTo(30e3, 0);
    expect(flow.solve({ loadMultiplier: 0.25, pvMultiplier: 2 }).sourceW).toBeCloseTo(25e3 - 120e3 - 10e3, 0);
    flow.setGeneration('pv.G', 10e3, 0);
    // Settings given to a solve hold for that solve alone.
    expect(flow.solve().sourceW).toBeCloseTo(100e3 - 10e3 - 10e3, 0);
  });

  it('refuses what the feeder does not have', () => {
    const flow = createPowerFlow(switched());
    for (const wrong of [
      () => flow.setLoadPower('load.X', 1, 1),
      () => flow.setGeneration('load.D', 1, 1),
      () => flow.setSwitch('line.L1', true),
      () => flow.setTap('R', 1),
      () => flow.setCapacitorSections('C', 1),
      () => flow.setLoadPower('load.D', Number.NaN, 0),
      () => flow.setSourceVoltagePu(Number.NaN),
      () => flow.isSwitchOpen('line.L1'),
    ]) {
      expect(wrong).toThrow(DecError);
      expect(wrong).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
    }
  });

  it('allocates nothing that grows in repeated warm solves of an unchanged state', () => {
    const flow = createPowerFlow(switched());
    flow.solve();
    const again = flow.solve();
    expect(again.iterations).toBe(1);
    expect(again.mismatchPu).toBeLessThan(1e-8);
  });
});

describe('a network that hangs on nothing', () => {
  it('has the status singular, finite numbers and a finding that names the node', () => {
    const grid = feeder('floating')
      .source('S', 'a', { kv: 12.47 })
      .transformer('T', {
        windings: [
          { bus: 'a', connection: 'delta', kv: 12.47, kva: 500, resistancePct: 0.5 },
          { bus: 'b', connection: 'delta', kv: 0.48, kva: 500, resistancePct: 0.5 },
        ],
        reactancesPct: [5],
      })
      .load('D', 'b', { kw: 30, connection: 'delta' })
      .build();
    expect(createPowerFlow(grid).solve().status).toBe('converged');
    const bare = buildFeeder({ ...grid, transformers: grid.transformers.map((t) => ({ ...t, antifloat: 0 })) });
    const flow = createPowerFlow(bare);
    const solution = flow.solve();
    expect(solution.status).toBe('singular');
    expect(solution.worstBus).toBe('B');
    expect(solution.voltage.every(Number.isFinite)).toBe(true);
    expect(Number.isFinite(solution.sourceW)).toBe(true);
    expect(flow.findings.map(({ code, name }) => [code, name])).toEqual([['SINGULAR_NETWORK', 'B']]);
  });
});

describe('compile', () => {
  it('names a feeder without source', () => {
    const data = { ...feeder('dead').bus('a', { baseV: 240 }).load('D', 'a', { phases: 'A', kw: 1 }).data() };
    expect(() => createPowerFlow(buildFeeder(data))).toThrow(expect.objectContaining({ code: 'NO_SOURCE' }));
  });

  it('names every element that cannot be placed', () => {
    const grid = feeder('wrong').source('S', 'a', { kv: 1 }).line('L', 'a', 'b', Z3).build();
    const broken = buildFeeder({
      ...grid,
      lines: [
        { ...grid.lines[0]!, to: { bus: 'NOWHERE', nodes: [1, 2, 3] } },
        { ...grid.lines[0]!, id: 'line.M', name: 'M', to: { bus: 'B', nodes: [1] } },
      ],
    });
    expect(() => createPowerFlow(broken)).toThrow(
      /line L ends at an unknown bus NOWHERE.*line M has 3 and 1 conductors/,
    );
    expect(() => createPowerFlow(broken)).toThrow(expect.objectContaining({ code: 'FEEDER_DATA' }));
  });

  it('gives a line without impedance the least one and joins its buses by it', () => {
    const grid = feeder('short')
      .source('S', 'a', { kv: 1 })
      .line('L0', 'a', 'b', { r: [[0]], x: [[0]], phases: 'A' })
      .load('D', 'b', { phases: 'A', kw: 10 })
      .build();
    const solution = createPowerFlow(grid).solve();
    const a = solution.voltageAt('A', 1)!;
    const b = solution.voltageAt('B', 1)!;
    // By hand: 10 kW at 577 V are 17.3 A, which drop 17.3 * |1e-5 + j1e-5| = 0.245 mV.
    expect(Math.hypot(a.re - b.re, a.im - b.im)).toBeCloseTo(17.32 * Math.SQRT2 * 1e-5, 6);
  });

  it('names a line whose impedance matrix has no inverse', () => {
    const grid = feeder('short')
      .source('S', 'a', { kv: 1 })
      .line('L0', 'a', 'b', { r: [[1], [1, 1]], x: [[1], [1, 1]], phases: 'AB' })
      .build();
    expect(() => createPowerFlow(grid)).toThrow(/line L0/);
  });
});
