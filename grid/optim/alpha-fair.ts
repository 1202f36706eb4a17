import type { FairAnswer, FairProgramme } from './fair-programme.js';
import { maxMinLevels } from './max-min.js';

/*
 * Alpha-fair curtailment: a convex cost that is not quadratic.
 *
 * Solved: max sum_g w_g U(1 - alpha_g), U(u) = (u^(1 - gamma) - 1) / (1 - gamma), log u for gamma = 1, over the same
 *         constraints as every rule.
 * Steps: 1. a start from which no utility is infinite: the least possible largest alpha; groups that must lose all in every
 *        dispatch are set aside; 2. Newton: the quadratic model of the cost at the present dispatch, with its exact
 *        gradient and curvature, as one programme; 3. a step towards its solution, all the way unless the true cost does
 *        not fall enough (Armijo) or a utility would become infinite; 4. until the gradient of the model at its solution
 *        is the true one within 1e-10.
 * Cost: 6 to 15 programmes; about gamma more for large gamma.
 * Fails: undefined when the limits cannot hold; the residual reached is reported where Newton ends early.
 * Sources: Mo and Walrand (2000), IEEE/ACM Trans. Networking 8(5), for the family; Nocedal and Wright (2006), chapter 18.
 */

/** An answer with how far the true conditions are from holding. */
export interface ConvexAnswer {
  readonly answer: FairAnswer;
  /** Relative residual of stationarity beyond that of the last programme. */
  readonly residual: number;
  /** Groups that must lose everything in every dispatch. */
  readonly lost: readonly number[];
}

const MAX_STEPS = 100;
const RESIDUAL = 1e-10;
/** A served share below this counts as none. */
const LEAST_SERVED = 1e-7;
/** Share of the way to an infinite utility that a step may go. */
const STEP_FRACTION = 0.95;
const ARMIJO = 1e-4;

/** Utility of a served share with sign turned: the cost, its slope and curvature in alpha. */
export function alphaFairCost(
  served: number,
  gamma: number,
): { readonly cost: number; readonly slope: number; readonly curvature: number } {
  const cost = gamma === 1 ? -Math.log(served) : (1 - served ** (1 - gamma)) / (1 - gamma);
  const slope = served ** -gamma;
  return { cost, slope, curvature: (gamma * slope) / served };
}

/** Finds the alpha-fair dispatch. */
export function solveAlphaFair(programme: FairProgramme): ConvexAnswer | undefined {
  const { problem } = programme;
  const { weightKw, groupCount, rule } = problem;
  const { gamma } = rule;
  if (gamma === 0) {
    const answer = programme.solve({ linear: weightKw, quadratic: new Float64Array(groupCount) });
    return answer.isSolved ? { answer, residual: 0, lost: [] } : undefined;
  }
  let start = maxMinLevels(programme, 1);
  if (!start) return undefined;
  const lost: number[] = [];
  if (start.answer.alpha.some((alpha) => alpha > 1 - LEAST_SERVED)) {
    start = maxMinLevels(programme, Infinity);
    if (!start) return undefined;
    start.answer.alpha.forEach((alpha, g) => {
      if (alpha > 1 - LEAST_SERVED) lost.push(g);
    });
  }
  const isLost = new Uint8Array(groupCount);
  for (const g of lost) isLost[g] = 1;
  const lower = Float64Array.from(isLost, (yes) => (yes ? 1 : 0));
  const reactiveCost = (answer: FairAnswer) => programme.reactiveCost(answer);

  let alpha = start.answer.alpha.map((value, g) => (isLost[g] ? 1 : Math.min(value, 1 - LEAST_SERVED)));
  let otherCost = reactiveCost(start.answer);
  let best: ConvexAnswer | undefined;
  const cost = (at: Float64Array) =>
    at.reduce((sum, value, g) => (isLost[g] ? sum : sum + weightKw[g]! * alphaFairCost(1 - value, gamma).cost), 0);
  for (let k = 0; k < MAX_STEPS; k++) {
    const linear = new Float64Array(groupCount);
    const quadratic = new Float64Array(groupCount);
    for (let g = 0; g < groupCount; g++) {
      if (isLost[g]) continue;
      const { slope, curvature } = alphaFairCost(1 - alpha[g]!, gamma);
      quadratic[g] = weightKw[g]! * curvature;
      linear[g] = weightKw[g]! * slope - quadratic[g]! * alpha[g]!;
    }
    const answer = programme.solve({ linear, quadratic, lower, reliefSquaredPu: lost.length > 0 ? RELIEF : 0 });
    if (!answer.isSolved) return best;
    let error = 0;
    let size = programme.costUnitKw;
    let slope = 0;
    let length = 1;
    for (let g = 0; g < groupCount; g++) {
      if (isLost[g]) continue;
      const step = answer.alpha[g]! - alpha[g]!;
      const here = weightKw[g]! * alphaFairCost(1 - alpha[g]!, gamma).slope;
      slope += here * step;
      const served = 1 - answer.alpha[g]!;
      const there = served > 0 ? weightKw[g]! * alphaFairCost(served, gamma).slope : Infinity;
      error = Math.max(error, Math.abs(there - (linear[g]! + quadratic[g]! * answer.alpha[g]!)));
      size = Math.max(size, Math.abs(here));
      if (step > 0) length = Math.min(length, (STEP_FRACTION * (1 - alpha[g]!)) / step);
    }
    const residual = error / size;
    if (!best || residual < best.residual) best = { answer, residual, lost };
    if (residual <= RESIDUAL) return best;
    const otherStep = reactiveCost(answer) - otherCost;
    const before = cost(alpha) + otherCost;
    const gain = slope + otherStep;
    for (let trial = 0; trial < 40; trial++, length /= 2) {
      const moved = alpha.map((value, g) => (isLost[g] ? 1 : value + length * (answer.alpha[g]! - value)));
      const after = cost(moved) + otherCost + length * otherStep;
      // Below the rounding of the cost itself a full step is right: Newton has converged.
      if (after <= before + ARMIJO * length * gain || length * Math.abs(gain) <= 1e-12 * Math.abs(before)) {
        alpha = moved;
        otherCost += length * otherStep;
        break;
      }
    }
  }
  return best;
}

/** Room that the limits get where some groups are fixed at a level reached by another programme, pu squared. */
const RELIEF = 2e-9;
