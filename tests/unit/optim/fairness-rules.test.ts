import { describe, expect, it } from 'vitest';
import type { Feeder } from '../../../grid/model/index.js';
import {
  advanceFeedback,
  alphaFairCost,
  curvePiece,
  FAIRNESS_LEVELS,
  FAIRNESS_MODES,
  type FairnessRule,
  type FairSolution,
  FEEDBACK_START,
  type FeedbackState,
  fairnessReport,
  fairnessRule,
  fairProblem,
  IEEE_1547_CATEGORY_B,
  linearFeeder,
  objectiveOf,
  type ReactiveRule,
  reactiveRule,
  servedShares,
  solveFair,
  starMode,
} from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { MODEL_INPUTS, street } from './street.js';

/*
 * The worked example of docs/algorithms/fairness.md: source 1.02 pu at 2400 V, two segments of 0.4 ohm, 300 kW of PV at the
 * first bus and 200 kW at the second, no load. The limit binds at bus 2 as c1 + 2 c2 = N with N = 700 - M kW (two-bus.test.ts).
 */
const V = 2400;
const R_OHM = 0.4;
const N_KW = 700 - ((1.05 ** 2 - 1.02 ** 2) * V ** 2) / (2 * R_OHM) / 1000;
const limits = { minPu: 0.95, maxPu: 1.05 };

interface TwoBus {
  readonly loadKw?: readonly [number, number];
  readonly pv?: readonly (readonly [bus: 'B1' | 'B2', kw: number])[];
  readonly pu?: number;
}

function twoBus({
  loadKw = [0, 0],
  pv = [
    ['B1', 300],
    ['B2', 200],
  ],
  pu = 1.02,
}: TwoBus = {}): Feeder {
  let net = feeder('two segments')
    .source('S', 'B0', { kv: 2.4, pu, phases: 'A', z1: [1e-9, 1e-9] })
    .line('L1', 'B0', 'B1', { r: [[R_OHM]], x: [[0.8]], phases: 'A' })
    .line('L2', 'B1', 'B2', { r: [[R_OHM]], x: [[0.8]], phases: 'A' });
  loadKw.forEach((kw, k) => {
    if (kw > 0) net = net.load(`D${k + 1}`, `B${k + 1}`, { phases: 'A', kw, kvar: 0 });
  });
  pv.forEach(([bus, kw], k) => {
    net = net.pv(`PV${k + 1}`, bus, { phases: 'A', kw });
  });
  return net.build();
}

function solve(net: Feeder, rule: Partial<FairnessRule>, reactive?: Partial<ReactiveRule>): FairSolution {
  return solveFair(
    fairProblem(net, linearFeeder(net), MODEL_INPUTS, limits, fairnessRule(rule), reactive && reactiveRule(reactive)),
  );
}

/** Curtailed kW of the two units. */
function curtailed(solution: FairSolution): [number, number] {
  return [300 * solution.unitAlpha[0]!, 200 * solution.unitAlpha[1]!];
}

describe('rules of fairness on the worked example', () => {
  it('proportional: c = (300, 400) N / 1100', () => {
    const [c1, c2] = curtailed(solve(twoBus(), { mode: 'proportional' }));
    expect(c1).toBeCloseTo((300 * N_KW) / 1100, 6);
    expect(c2).toBeCloseTo((400 * N_KW) / 1100, 6);
  });

  it('proportional with equal weights: alpha2 p1 = 2 alpha1 p2', () => {
    // min a1^2 + a2^2 with 300 a1 + 400 a2 = N: a = N (300, 400) / 250000.
    const { unitAlpha } = solve(twoBus(), { mode: 'proportional', weights: 'equal' });
    expect(unitAlpha[0]).toBeCloseTo((300 * N_KW) / 250_000, 8);
    expect(unitAlpha[1]).toBeCloseTo((400 * N_KW) / 250_000, 8);
  });

  it('the logarithm: served shares stand as 2 to 1 where nothing is at a bound', () => {
    // 300 / u1 = 300 lambda, 200 / u2 = 400 lambda: u1 = 2 u2, and 300 (1 - u1) + 400 (1 - u2) = N.
    const u2 = (700 - N_KW) / 1000;
    const { unitAlpha, kktResidual, lost } = solve(twoBus(), { mode: 'alphaFair', gamma: 1 });
    if (2 * u2 <= 1) {
      expect(unitAlpha[0]).toBeCloseTo(1 - 2 * u2, 8);
      expect(unitAlpha[1]).toBeCloseTo(1 - u2, 8);
    } else {
      expect(unitAlpha[0]).toBeCloseTo(0, 8);
      expect(unitAlpha[1]).toBeCloseTo(N_KW / 400, 8);
    }
    expect(kktResidual).toBeLessThan(1e-8);
    expect(lost).toEqual([]);
  });

  it('alpha-fair goes from total to maxMin as gamma grows', () => {
    // Inner optimum: u1 / u2 = 2^(1 / gamma).
    for (const gamma of [2, 5, 20]) {
      const ratio = 2 ** (1 / gamma);
      const u2 = (700 - N_KW) / (300 * ratio + 400);
      const { unitAlpha, status } = solve(twoBus(), { mode: 'alphaFair', gamma });
      expect(status).toBe('optimal');
      const [a1, a2] = ratio * u2 <= 1 ? [1 - ratio * u2, 1 - u2] : [0, N_KW / 400];
      expect(unitAlpha[0]).toBeCloseTo(a1, 7);
      expect(unitAlpha[1]).toBeCloseTo(a2, 7);
    }
    const none = solve(twoBus(), { mode: 'alphaFair', gamma: 0 });
    expect(none.curtailedW / 1000).toBeCloseTo(N_KW / 2, 4);
  });

  it('maxMin and equalAlpha: one fraction N / 700; equalKw: N / 3 each', () => {
    for (const mode of ['maxMin', 'equalAlpha'] as const) {
      for (const alpha of solve(twoBus(), { mode }).unitAlpha) expect(alpha).toBeCloseTo(N_KW / 700, 7);
    }
    const equal = solve(twoBus(), { mode: 'equalKw' });
    for (const kw of curtailed(equal)) expect(kw).toBeCloseTo(N_KW / 3, 6);
    expect(equal.levels[0]).toBeCloseTo(N_KW / 3, 6);
  });

  it.each([
    // A fraction of what each has, and kW of each.
    ['maxMin', N_KW / 700],
    ['equalKw', N_KW / 3],
  ] as const)('%s has one objective, whether it is solved for or judged at a dispatch', (mode, expected) => {
    const net = twoBus();
    const solution = solve(net, { mode });
    const problem = fairProblem(net, linearFeeder(net), MODEL_INPUTS, limits, fairnessRule({ mode }));
    expect(solution.objective).toBeCloseTo(expected, 6);
    expect(objectiveOf(problem, Float64Array.from(solution.unitAlpha))).toBeCloseTo(expected, 6);
  });

  it('equalKw takes the small whole and the rest from the large', () => {
    // 30 kW at the end: t above 30 kW, so that c2 = 30 and c1 = N' - 60 with N' = 360 - M.
    const net = twoBus({
      pv: [
        ['B1', 500],
        ['B2', 30],
      ],
    });
    const need = 560 - (700 - N_KW);
    const { unitAlpha } = solve(net, { mode: 'equalKw' });
    expect(need).toBeGreaterThan(90);
    expect(unitAlpha[1]).toBeCloseTo(1, 9);
    expect(500 * unitAlpha[0]!).toBeCloseTo(need - 60, 5);
  });

  it('exportBased: weights by what could be exported, never below the load', () => {
    // Loads of 60 and 180 kW: need N' = N - 60 - 360, ceilings 240 and 20 kW; min c1^2/240 + c2^2/20.
    const net = twoBus({ loadKw: [60, 60], pu: 1.02 });
    const need = N_KW - 180;
    const [c1, c2] = curtailed(solve(net, { mode: 'exportBased' }));
    // c1 = 240 k, c2 = 2 * 140 k, c1 + 2 c2 = need.
    const k = need / (240 + 4 * 140);
    expect(need).toBeGreaterThan(0);
    expect(c1).toBeCloseTo(240 * k, 5);
    expect(c2).toBeCloseTo(280 * k, 5);
    const tight = solve(twoBus({ loadKw: [0, 180] }), { mode: 'exportBased' });
    expect(curtailed(tight)[1]).toBeLessThanOrEqual(20 + 1e-6);
  });

  it('feedback: a factor of 4 on the far unit balances its double effect', () => {
    // Units: 2 w p alpha = lambda s p with s = (1, 2): alpha2 / alpha1 = 2 w1 / w2.
    const net = twoBus();
    const ids = net.pvSystems.map(({ id }) => id);
    const { unitAlpha } = solve(net, { mode: 'feedback', factors: { [ids[1]!]: 4 } });
    expect(unitAlpha[1]! / unitAlpha[0]!).toBeCloseTo(0.5, 7);
  });

  it('names what cannot hold in every rule, with the least violation', () => {
    for (const mode of FAIRNESS_MODES) {
      const { status, unitAlpha } = solve(twoBus({ pu: 1.06 }), { mode });
      expect(status).toBe('limitsViolated');
      for (const alpha of unitAlpha) expect(alpha).toBeGreaterThan(1 - 1e-6);
    }
  });

  it('curtails nothing where nothing needs to be, in every rule', () => {
    for (const mode of FAIRNESS_MODES) expect(solve(twoBus({ pu: 0.97 }), { mode }).curtailedW).toBe(0);
  });
});

describe('reactive power on the worked example', () => {
  it('absorbs at the far end first, up to the kVA circle, as little as holds the limit', () => {
    // x = 2 r: a kvar absorbed counts as two kW curtailed. The far inverter of 220 kVA has sqrt(220^2 - 200^2) kvar left
    // beside its 200 kW, each worth 4 at bus 2; the near one does the rest, worth 2.
    const net = twoBus({ pu: 1.03 });
    const need = 700 - ((1.05 ** 2 - 1.03 ** 2) * V ** 2) / (2 * R_OHM) / 1000;
    const far = Math.sqrt(220 ** 2 - 200 ** 2);
    const { status, reactiveVar, curtailedW, kktResidual } = solve(
      net,
      { mode: 'total' },
      { mode: 'capability', kappa: 1 },
    );
    expect(status).toBe('optimal');
    expect(net.pvSystems[1]!.ratedPowerVA).toBeCloseTo(220_000, 6);
    expect(curtailedW).toBe(0);
    expect(kktResidual).toBeLessThanOrEqual(1e-8);
    expect(reactiveVar[1]! / 1000).toBeCloseTo(-far, 3);
    expect(reactiveVar[0]! / 1000).toBeCloseTo(-(need - 4 * far) / 2, 3);
  });

  it('watt priority leaves active power alone, a power-factor floor bounds reactive power by it', () => {
    const net = twoBus({ pu: 1.03 });
    const tight = { mode: 'capability', kappa: 1, priority: 'watt' } as const;
    const { reactiveVar } = solve(net, { mode: 'total' }, tight);
    expect(-reactiveVar[1]! / 1000).toBeLessThanOrEqual(Math.sqrt(220 ** 2 - 200 ** 2) + 1e-6);
    const floor = solve(net, { mode: 'total' }, { mode: 'capability', kappa: 1, minPowerFactor: 0.98 });
    floor.reactiveVar.forEach((q, u) => {
      const p = (u === 0 ? 300 : 200) * (1 - floor.unitAlpha[u]!);
      expect(Math.abs(q) / 1000).toBeLessThanOrEqual(p * Math.tan(Math.acos(0.98)) + 1e-5);
    });
    expect(floor.curtailedW).toBeGreaterThan(1000);
  });

  it('Volt-VAr: the state lies on the curve', () => {
    const net = twoBus({ pu: 1.03 });
    const { status, reactiveVar, voltageSquaredPu, reactiveError } = solve(
      net,
      { mode: 'proportional' },
      { mode: 'volt-var' },
    );
    const model = linearFeeder(net);
    expect(status).toBe('optimal');
    expect(reactiveError).toBeLessThan(1e-6);
    ['B1 1', 'B2 1'].forEach((key, u) => {
      const voltagePu = Math.sqrt(voltageSquaredPu[model.index.get(key)!]!);
      const share = (-0.44 * (voltagePu - 1.02)) / 0.06;
      expect(reactiveVar[u]! / net.pvSystems[u]!.ratedPowerVA).toBeCloseTo(share, 5);
    });
  });

  it('IEEE 1547 category B at 1.05 pu: half of 0.44 absorbed; flat in the dead band and beyond the ends', () => {
    expect(curvePiece(IEEE_1547_CATEGORY_B, 1.05, 0.44)).toMatchObject({
      offset: expect.closeTo(-0.22, 12),
      slope: expect.closeTo(-0.44 / 0.06, 12),
    });
    expect(curvePiece(IEEE_1547_CATEGORY_B, 1, 0.44)).toMatchObject({ offset: 0, slope: expect.closeTo(0, 12) });
    expect(curvePiece(IEEE_1547_CATEGORY_B, 1.2, 0.44)).toMatchObject({ offset: -0.44, slope: 0 });
    expect(curvePiece(IEEE_1547_CATEGORY_B, 0.8, 0.3)).toMatchObject({ offset: 0.3, slope: 0 });
  });
});

describe('rules as data', () => {
  it('refuses a gamma, a kappa and a curve that make no sense', () => {
    expect(() => fairnessRule({ gamma: -1 })).toThrow(/Gamma/);
    expect(() => fairnessRule({ gamma: 1000 })).toThrow(/maxMin/);
    expect(() => reactiveRule({ kappa: 1.2 })).toThrow(/kappa/);
    expect(() => reactiveRule({ curve: [...IEEE_1547_CATEGORY_B].reverse() })).toThrow(/curve/);
  });

  it('knows what agents can agree on', () => {
    expect(starMode(fairnessRule({ mode: 'proportional' }))).toBe('proportional');
    expect(starMode(fairnessRule({ mode: 'equalAlpha' }))).toBe('equalAlpha');
    expect(starMode(fairnessRule({ mode: 'equalAlpha', level: 'area' }))).toBeUndefined();
    expect(starMode(fairnessRule({ mode: 'total', weights: 'equal' }))).toBeUndefined();
    expect(starMode(fairnessRule({ mode: 'maxMin' }))).toBeUndefined();
  });

  it('the alpha-fair cost has the slope and curvature of its formula', () => {
    for (const gamma of [0.5, 1, 3]) {
      const h = 1e-5;
      const at = (alpha: number) => alphaFairCost(1 - alpha, gamma).cost;
      const { slope, curvature } = alphaFairCost(0.6, gamma);
      expect((at(0.4 + h) - at(0.4 - h)) / (2 * h)).toBeCloseTo(slope, 6);
      expect((at(0.4 + h) - 2 * at(0.4) + at(0.4 - h)) / h ** 2).toBeCloseTo(curvature, 3);
    }
  });
});

describe('rules on a street with secondaries', () => {
  const net = street({ transformers: 3, customers: 4, pvKw: 14, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
  const problemOf = (rule: Partial<FairnessRule>) =>
    fairProblem(net, linearFeeder(net), MODEL_INPUTS, limits, fairnessRule(rule));

  it.each(FAIRNESS_LEVELS)('every rule at level %s holds the limits, with one alpha in a group', (level) => {
    for (const mode of FAIRNESS_MODES) {
      const problem = problemOf({ mode, level });
      const solution = solveFair(problem);
      expect([mode, solution.status]).toEqual([mode, 'optimal']);
      expect(solution.kktResidual).toBeLessThanOrEqual(1e-8);
      expect(solution.maxVoltagePu).toBeLessThanOrEqual(1.05 + 1e-7);
      const groups = { customer: problem.units.length, transformer: 3, area: 1, feeder: 1 }[level];
      expect(problem.groupCount).toBe(groups);
    }
  });

  it('maxMin is never worse than equalAlpha for any unit, and the largest fraction is the least possible', () => {
    const equal = solveFair(problemOf({ mode: 'equalAlpha' }));
    const least = solveFair(problemOf({ mode: 'maxMin' }));
    least.unitAlpha.forEach((alpha, u) => {
      expect(alpha).toBeLessThanOrEqual(equal.unitAlpha[u]! + 1e-6);
    });
    for (const mode of FAIRNESS_MODES) {
      const { alpha } = fairnessReport(solveFair(problemOf({ mode })).unitAlpha);
      expect(least.levels[0]!).toBeLessThanOrEqual(alpha.max + 1e-6);
    }
  });

  it('total is the least of all rules, and equalAlpha has Jain index 1', () => {
    const least = solveFair(problemOf({ mode: 'total' })).curtailedW;
    for (const mode of FAIRNESS_MODES) {
      expect(solveFair(problemOf({ mode })).curtailedW).toBeGreaterThanOrEqual(least - 1);
    }
    expect(fairnessReport(solveFair(problemOf({ mode: 'equalAlpha' })).unitAlpha).jain.alpha).toBeCloseTo(1, 9);
  });

  it.each(['total', 'proportional', 'maxMin'] as const)('%s: reactive power never costs curtailment', (mode) => {
    const linear = linearFeeder(net);
    const rule = fairnessRule({ mode });
    const without = solveFair(fairProblem(net, linear, MODEL_INPUTS, limits, rule));
    const solution = solveFair(
      fairProblem(net, linear, MODEL_INPUTS, limits, rule, reactiveRule({ mode: 'capability', minPowerFactor: 0.95 })),
    );
    expect(solution.status).toBe('optimal');
    expect(solution.curtailedW).toBeLessThanOrEqual(without.curtailedW + 1);
    expect(solution.maxVoltagePu).toBeLessThanOrEqual(1.05 + 1e-7);
  });
});

describe('invariance', () => {
  it('proportional does not care whether a PV system is one or two halves, nor in which order', () => {
    const whole = solve(twoBus(), { mode: 'proportional' });
    const halves = solve(
      twoBus({
        pv: [
          ['B2', 100],
          ['B1', 300],
          ['B2', 100],
        ],
      }),
      { mode: 'proportional' },
    );
    expect(halves.unitAlpha[0]).toBeCloseTo(whole.unitAlpha[1]!, 8);
    expect(halves.unitAlpha[2]).toBeCloseTo(whole.unitAlpha[1]!, 8);
    expect(halves.unitAlpha[1]).toBeCloseTo(whole.unitAlpha[0]!, 8);
  });
});

describe('feedback over intervals', () => {
  it('brings served energies together that the same rule without memory leaves apart', () => {
    const net = twoBus();
    const ids = net.pvSystems.map(({ id }) => id);
    const run = (gain: number) => {
      let state: FeedbackState = FEEDBACK_START;
      for (let k = 0; k < 24; k++) {
        const { unitAlpha } = solve(net, { mode: 'feedback', factors: state.factors });
        const availableWh = Object.fromEntries(ids.map((id, u) => [id, u === 0 ? 75_000 : 50_000]));
        const servedWh = Object.fromEntries(ids.map((id, u) => [id, availableWh[id]! * (1 - unitAlpha[u]!)]));
        state = advanceFeedback(state, { availableWh, servedWh }, { gain });
      }
      const [one, other] = ids.map((id) => servedShares(state).get(id)!);
      return Math.abs(one! - other!);
    };
    const apart = run(0);
    expect(apart).toBeGreaterThan(0.1);
    expect(run(20)).toBeLessThan(0.25 * apart);
  });

  it('keeps no more than its window, and factors in their bounds with mean one', () => {
    let state: FeedbackState = FEEDBACK_START;
    for (let k = 0; k < 10; k++) {
      state = advanceFeedback(state, { availableWh: { a: 1, b: 1 }, servedWh: { a: 1, b: 0 } }, { window: 4, gain: 5 });
    }
    expect(state.intervals).toHaveLength(4);
    const { a, b } = state.factors as { a: number; b: number };
    expect(a + b).toBeCloseTo(2, 12);
    expect(b / a).toBeLessThanOrEqual(400 * (1 + 1e-9));
    expect(b).toBeGreaterThan(a);
  });
});
