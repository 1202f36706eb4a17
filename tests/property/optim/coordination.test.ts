import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Feeder } from '../../../grid/model/index.js';
import {
  adjoint,
  curtailmentProblem,
  evaluate,
  type FairnessRule,
  fairnessRule,
  fairProblem,
  linearFeeder,
  localStar,
  runStar,
  solveCentral,
  solveFair,
  splitAtBuses,
  starSettings,
} from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { lexicographicAlphas, loadHighs } from '../../builders/lexicographic.js';

interface Tree {
  /** For each bus after the first: the bus it hangs on, and the length of its line. */
  readonly branches: readonly (readonly [number, number])[];
  /** kW of PV by bus. */
  readonly pvKw: readonly number[];
}

const SIZE = 8;
const tree: fc.Arbitrary<Tree> = fc.record({
  branches: fc.tuple(
    ...Array.from({ length: SIZE - 1 }, (_, i) =>
      fc.tuple(
        fc.integer({ min: 0, max: i }),
        fc.integer({ min: 1, max: 20 }).map((v) => v / 10),
      ),
    ),
  ),
  pvKw: fc.array(fc.integer({ min: 5, max: 150 }), { minLength: SIZE, maxLength: SIZE }),
});

const MATRIX = {
  r: [[0.28], [0.1, 0.29], [0.09, 0.1, 0.28]],
  x: [[0.67], [0.31, 0.65], [0.24, 0.26, 0.66]],
};

/*
 * Trees at which units that need no curtailment have no price either: an interior point leaves there a share of the root of
 * its tolerance, 5 W or 1e-4 at 1e-10.
 */
const UNPRICED: Tree = {
  branches: [
    [0, 0.4],
    [1, 0.8],
    [2, 0.3],
    [3, 0.1],
    [0, 0.2],
    [3, 0.9],
    [6, 1.2],
  ],
  pvKw: [5, 30, 19, 98, 107, 66, 11, 47],
};
const UNPRICED_LEAVES: Tree = {
  branches: [
    [0, 1.1],
    [0, 0.1],
    [0, 0.1],
    [1, 0.9],
    [1, 0.4],
    [0, 0.3],
    [4, 0.2],
  ],
  pvKw: [5, 67, 5, 12, 142, 20, 5, 139],
};

/** `order` permutes the PV systems; `parts` splits each into equal units. */
function build(
  { branches, pvKw }: Tree,
  order: readonly number[] = pvKw.map((_, i) => i),
  parts = 1,
  source: { readonly z1?: readonly [number, number] } = {},
): Feeder {
  let net = feeder('tree').source('S', 'B0', { kv: 4.16, pu: 1.035, ...source });
  branches.forEach(([parent, length], i) => {
    net = net.line(`L${i}`, `B${parent}`, `B${i + 1}`, { ...MATRIX, length });
  });
  for (const bus of order) {
    for (let part = 0; part < parts; part++) {
      const phases = 'ABC'[bus % 3]!;
      if (bus > 0) net = net.pv(`V${bus}_${part}`, `B${bus}`, { phases, kw: pvKw[bus]! / parts });
    }
  }
  return net.build();
}

const INPUTS = { loads: {}, availableW: {}, held: {} };
const limits = { minPu: 0.5, maxPu: 1.05 };
const problemOf = (net: Feeder) => curtailmentProblem(net, linearFeeder(net), INPUTS, limits, 'proportional');

/** Rules whose optimum is unique, and is at each unit the price of its power over the curvature of its cost. */
const QUADRATIC_RULES: readonly Pick<FairnessRule, 'mode'>[] = [
  { mode: 'proportional' },
  { mode: 'equalAlpha' },
  { mode: 'exportBased' },
  { mode: 'feedback' },
];

/** Curtailed W by bus name. */
function byBus(net: Feeder, alpha: (unit: number) => number): Map<string, number> {
  const problem = problemOf(net);
  const sum = new Map<string, number>();
  problem.units.forEach((unit, i) => {
    const { bus } = problem.network.nodes[unit.nodes[0]!]!;
    sum.set(bus, (sum.get(bus) ?? 0) + alpha(i) * unit.availableW);
  });
  return sum;
}

describe('properties of the linear model and of coordination', () => {
  it('the adjoint gives the differences of the evaluation', () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (shape, watched, moved) => {
        const { network, drawnW, drawnVar } = problemOf(build(shape));
        const n = network.nodes.length;
        const weight = new Float64Array(n);
        weight[watched % n] = 1;
        const gradient = adjoint(network, weight);
        const at = (p: number, q: number) => {
          const w = drawnW.slice();
          const v = drawnVar.slice();
          w[moved % n]! += p;
          v[moved % n]! += q;
          return evaluate(network, w, v).voltageSquaredPu[watched % n]!;
        };
        // The model is affine, so that a difference of any size is its gradient.
        expect((at(1e6, 0) - at(0, 0)) / 1e6).toBeCloseTo(gradient.perW[moved % n]!, 14);
        expect((at(0, 1e6) - at(0, 0)) / 1e6).toBeCloseTo(gradient.perVar[moved % n]!, 14);
      }),
      { numRuns: 40 },
    );
  });

  it('the optimum holds every limit and does not depend on the order or the splitting of units', () => {
    fc.assert(
      fc.property(tree, (shape) => {
        const plain = build(shape);
        const solution = solveCentral(problemOf(plain));
        expect(solution.status).toBe('optimal');
        expect(solution.maxVoltagePu).toBeLessThanOrEqual(1.05 + 1e-7);
        const expected = byBus(plain, (i) => solution.unitAlpha[i]!);
        for (const other of [build(shape, [...shape.pvKw.keys()].reverse()), build(shape, undefined, 2)]) {
          const again = solveCentral(problemOf(other));
          for (const [bus, watts] of byBus(other, (i) => again.unitAlpha[i]!)) {
            expect(Math.abs(watts - expected.get(bus)!)).toBeLessThan(2);
          }
        }
      }),
      { numRuns: 25, examples: [[UNPRICED]] },
    );
  });

  it.each(QUADRATIC_RULES)('the central $mode leaves no curtailment where none has a price', (rule) => {
    fc.assert(
      fc.property(tree, (shape) => {
        const net = build(shape);
        const factors = Object.fromEntries(net.pvSystems.map(({ id }, k) => [id, 0.5 + (k % 4) / 2]));
        const problem = fairProblem(net, linearFeeder(net), INPUTS, limits, fairnessRule({ ...rule, factors }));
        const solution = solveFair(problem);
        expect(solution.status).toBe('optimal');
        expect(solution.kktResidual).toBeLessThanOrEqual(1e-8);
        // One programme at most: none was given up and softened.
        expect(solution.programmes).toBeLessThanOrEqual(1);
        const { perW, perVar } = adjoint(problem.network, solution.prices!.price);
        const pull = new Float64Array(problem.groupCount);
        for (const { group, availableW, nodes, shareRe, shareIm } of problem.units) {
          nodes.forEach((node, k) => {
            pull[group]! += availableW * (shareRe[k]! * perW[node]! + shareIm[k]! * perVar[node]!);
          });
        }
        solution.groupAlpha.forEach((alpha, g) => {
          const wanted = -pull[g]! / problem.cost.quadratic[g]!;
          expect(Math.abs(alpha - Math.min(problem.ceiling[g]!, Math.max(0, wanted)))).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 25, examples: [[UNPRICED], [UNPRICED_LEAVES]] },
    );
  });

  it('the star ends at the optimum, whatever the order of agents, to 1e-6 of one another', () => {
    fc.assert(
      fc.property(tree, (shape) => {
        const run = (net: Feeder) => {
          const problem = problemOf(net);
          const settings = starSettings({
            limits,
            powerUnitW: 60_000,
            rho: 2,
            maxRounds: 1000,
            absoluteTolerance: 1e-9,
            relativeTolerance: 0,
            powerToleranceW: 1e-3,
          });
          const split = splitAtBuses(problem, net, 'proportional');
          const star = localStar(split.coordinator, split.agents, settings);
          const history = runStar(star, settings);
          expect(history.at(-1)!.hasConverged).toBe(true);
          return new Map([...star.agents].map(([id, agent]) => [id, agent.memory.alpha[0]!]));
        };
        const net = build(shape);
        const forwards = run(net);
        const backwards = run(build(shape, [...shape.pvKw.keys()].reverse()));
        const central = solveCentral(problemOf(net));
        const problem = problemOf(net);
        problem.units.forEach((unit, i) => {
          const { bus } = problem.network.nodes[unit.nodes[0]!]!;
          expect(Math.abs(forwards.get(bus)! - backwards.get(bus)!)).toBeLessThan(1e-6);
          expect(Math.abs(forwards.get(bus)! - central.unitAlpha[i]!)).toBeLessThan(1e-4);
        });
      }),
      { numRuns: 15, examples: [[UNPRICED_LEAVES]] },
    );
  });

  it('maxMin is the lexicographic minimum that HiGHS finds with one programme per unit', async () => {
    const highs = await loadHighs();
    const descending = (alphas: Iterable<number>) => [...alphas].sort((a, b) => b - a);
    fc.assert(
      fc.property(tree, (shape) => {
        // Behind a source without impedance whole branches move the rest by 1e-9 pu squared: rounding decides there.
        const net = build(shape, undefined, 1, { z1: [0.1, 0.4] });
        const problem = fairProblem(net, linearFeeder(net), INPUTS, limits, fairnessRule({ mode: 'maxMin' }));
        const ours = solveFair(problem);
        fc.pre(ours.status === 'optimal');
        const theirs = descending(lexicographicAlphas(highs, problem));
        descending(ours.unitAlpha).forEach((alpha, k) => {
          expect(Math.abs(alpha - theirs[k]!)).toBeLessThan(2e-5);
        });
      }),
      { seed: 5, numRuns: 40 },
    );
  });
});
