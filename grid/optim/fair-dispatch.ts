import { solveAlphaFair } from './alpha-fair.js';
import { type CentralSolution, type CentralStatus, centralReport } from './central.js';
import { solveEqualPower } from './equal-power.js';
import { type FairProblem, holdsLimits } from './fair-problem.js';
import { type FairAnswer, FairProgramme, reactiveVar } from './fair-programme.js';
import type { FairnessRuleMode } from './fairness-rule.js';
import { maxMinLevels } from './max-min.js';
import { VIOLATION_SQUARED_PU } from './network-programme.js';

/*
 * The central optimum under any rule of fairness, with or without reactive power.
 *
 * Steps: 1. nothing to curtail where no limit is violated; 2. where reactive power alone holds the limits, its least sum;
 *        3. the rule: one programme (total, equalAlpha, proportional, exportBased, feedback), Newton (alphaFair), a sequence
 *        of levels (maxMin), a search and one programme (equalKw); 4. 2 and 3 again with new Volt-VAr pieces or kVA tangents
 *        until reactive power is where it should be; 5. limits that cannot hold are violated as little as possible.
 * Cost: see the rules' own files. Fails: with a status.
 */

/** The answer, with the reactive power of units and the work done. */
export interface FairSolution extends CentralSolution {
  /** By unit, var, injection positive. */
  readonly reactiveVar: Float64Array;
  /** Interior-point solves. */
  readonly programmes: number;
  /** Level reached by equalKw, kW, and by maxMin (largest first). */
  readonly levels: readonly number[];
  /** Groups that lose everything in every dispatch (alphaFair). */
  readonly lost: readonly number[];
  /** Largest distance of reactive power from the Volt-VAr curve or outside the kVA circle, share of the rating. */
  readonly reactiveError: number;
}

/** What a rule found. */
interface Found {
  readonly answer: FairAnswer;
  readonly kktResidual: number;
  readonly levels: readonly number[];
  readonly lost: readonly number[];
  readonly objective?: number;
}

/** Price of reactive power under rule total, kW per kvar: linear costs do not trade one for the other. */
const TOTAL_REACTIVE_PRICE = 1e-3;
/** Reactive power this near to where it should be is there, share of the rating. */
const REACTIVE_TOLERANCE = 1e-7;
const MAX_SETTLINGS = 40;
/** Rules that are more than one programme of the problem's cost. */
const HAS_OWN_STEPS: Readonly<Partial<Record<FairnessRuleMode, true>>> = {
  alphaFair: true,
  maxMin: true,
  equalKw: true,
};

/** Solves the problem centrally. */
export function solveFair(problem: FairProblem, tolerance = 1e-12): FairSolution {
  const { groupCount, units, reactive } = problem;
  const nothing = new Float64Array(groupCount);
  const noReactive = new Float64Array(units.length);
  const fitsCircle = !reactive || units.every(({ availableW }, u) => availableW <= reactive.ratingVA[u]!);
  if (reactive?.rule.mode !== 'volt-var' && fitsCircle && holdsLimits(problem, nothing)) {
    // Every cost grows with alpha: without a violated limit nothing is curtailed, exactly.
    const report = centralReport(problem, nothing, {
      status: 'optimal',
      programmeStatus: 'optimal',
      kktResidual: 0,
      iterations: 0,
      variables: 0,
      prices: {
        price: new Float64Array(problem.network.nodes.length),
        lowerSquaredPu: problem.lowerSquaredPu,
        upperSquaredPu: problem.upperSquaredPu,
      },
    });
    return { ...report, reactiveVar: noReactive, programmes: 0, levels: [], lost: [], reactiveError: 0 };
  }

  const programme = new FairProgramme(problem, tolerance);
  let found: Found | undefined;
  let isElastic = false;
  let reactiveError = 0;
  let passes = 0;
  for (; ; passes++) {
    // Its bounds are exact, so that it is settled once; where it has no solution it has none later.
    const free = passes === 0 ? withoutCurtailment(programme) : undefined;
    const next = isElastic ? undefined : (free ?? applyRule(programme));
    if (next) found = next;
    else {
      isElastic = true;
      const answer = programme.solve({ isElastic: true });
      found = { answer, kktResidual: answer.solution.kktResidual, levels: [], lost: [] };
    }
    reactiveError = programme.settle(found.answer.alpha, found.answer.reactive);
    if (reactiveError <= REACTIVE_TOLERANCE || passes >= MAX_SETTLINGS) break;
  }
  const { answer } = found;
  const alpha = Float64Array.from(answer.alpha, (value, g) => Math.min(problem.ceiling[g]!, Math.max(0, value)));
  const own = reactive ? reactiveVar(reactive, answer.reactive) : noReactive;
  let status: CentralStatus = answer.isSolved ? (isElastic ? 'limitsViolated' : 'optimal') : 'failed';
  if (status === 'limitsViolated' && holdsLimits(problem, alpha, own, VIOLATION_SQUARED_PU)) {
    // The limits can hold, so that the dispatch is the optimum of its cost; rules with steps of their own have another one.
    status = HAS_OWN_STEPS[problem.rule.mode] ? 'failed' : 'optimal';
  }
  const report = centralReport(
    problem,
    alpha,
    {
      status,
      programmeStatus: answer.solution.status,
      kktResidual: found.kktResidual,
      iterations: programme.iterations,
      variables: programme.variables,
      ...(isElastic ? {} : { prices: answer.built.prices(answer.solution) }),
    },
    own,
  );
  return {
    ...report,
    objective: found.objective ?? objectiveOf(problem, alpha),
    reactiveVar: own,
    programmes: programme.programmes,
    levels: found.levels,
    lost: found.lost,
    reactiveError,
  };
}

/** The least reactive power that holds the limits alone, where inverters decide theirs and it can. */
function withoutCurtailment(programme: FairProgramme): Found | undefined {
  const { reactive, groupCount } = programme.problem;
  if (reactive?.rule.mode !== 'capability') return undefined;
  const nothing = new Float64Array(groupCount);
  const answer = programme.solve({
    linear: nothing,
    quadratic: nothing,
    upper: nothing,
    reactivePrice: TOTAL_REACTIVE_PRICE,
    isFullPower: true,
  });
  return answer.isSolved ? one(answer) : undefined;
}

function one(answer: FairAnswer): Found {
  return { answer, kktResidual: answer.solution.kktResidual, levels: [], lost: [] };
}

function applyRule(programme: FairProgramme): Found | undefined {
  const { rule } = programme.problem;
  switch (rule.mode) {
    case 'alphaFair': {
      const found = solveAlphaFair(programme);
      if (!found) return undefined;
      const { answer, residual, lost } = found;
      return { answer, kktResidual: Math.max(answer.solution.kktResidual, residual), levels: [], lost };
    }
    case 'maxMin': {
      const found = maxMinLevels(programme, rule.maxMinLevels);
      return found && { ...found, lost: [], objective: found.levels[0] ?? 0 };
    }
    case 'equalKw': {
      const answer = solveEqualPower(programme);
      return answer && { ...one(answer), levels: [answer.auxiliary[0]!], objective: answer.auxiliary[0]! };
    }
    default: {
      const answer = programme.solve(rule.mode === 'total' ? { reactivePrice: TOTAL_REACTIVE_PRICE } : {});
      return answer.isSolved ? one(answer) : undefined;
    }
  }
}

/**
 * Value of the rule's objective: kW, utility lost in kW for alphaFair, the largest curtailed fraction for maxMin, the largest
 * curtailed power in kW for equalKw.
 */
export function objectiveOf(problem: FairProblem, alpha: Float64Array): number {
  const { rule, weightKw, cost, availableKw } = problem;
  if (rule.mode === 'maxMin') return alpha.reduce((most, a) => Math.max(most, a), 0);
  if (rule.mode === 'equalKw') return alpha.reduce((most, a, g) => Math.max(most, a * availableKw[g]!), 0);
  if (rule.mode === 'alphaFair') {
    const lost = (served: number) =>
      rule.gamma === 1 ? -Math.log(served) : (1 - served ** (1 - rule.gamma)) / (1 - rule.gamma);
    return alpha.reduce((sum, a, g) => (a < 1 || rule.gamma < 1 ? sum + weightKw[g]! * lost(1 - a) : sum), 0);
  }
  return alpha.reduce((sum, a, g) => sum + (cost.linear[g]! + (cost.quadratic[g]! / 2) * a) * a, 0);
}
