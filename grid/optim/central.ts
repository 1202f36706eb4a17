import { type ProgrammeStatus, solveQuadraticProgramme } from '../math/index.js';
import {
  type Control,
  type LimitPrices,
  type NetworkProgramme,
  networkProgramme,
  VIOLATION_SQUARED_PU,
} from './network-programme.js';
import { type CurtailmentProblem, dispatchState, voltageExtremes } from './problem.js';

/*
 * The central optimum of the curtailment problem: the oracle of the star, and the method for one computer.
 *
 * Solved: the problem of problem.ts in deviations from the state without curtailment. Unknowns: alpha by group, the flow
 *         and voltage changes it causes. A branch without curtailable power below has no flow change, and its nodes' limits
 *         are passed up to its parent, so that only the part of the tree that can move is in the programme.
 * Steps: 1. state at alpha = 0; 2. limits as ranges of voltage change; 3. interior point; 4. when infeasible, once more
 *        with limits softened by an exact penalty, so that the least violation is found and named.
 * Cost: one sparse interior-point solve, O(nodes) per iteration.
 * Fails: with a status.
 */

/** How the central solver ended. */
export type CentralStatus = 'optimal' | 'limitsViolated' | 'failed';

/** One sentence for each status. */
export const CENTRAL_STATUS_TEXT: Readonly<Record<CentralStatus, string>> = {
  optimal: 'Every limit holds in the linear model at the least cost.',
  limitsViolated: 'The limits cannot hold with any curtailment; this is the dispatch of least violation.',
  failed: 'The solver did not reach its tolerance; the dispatch may be far from the optimum.',
};

/** The central answer. */
export interface CentralSolution {
  readonly status: CentralStatus;
  readonly programmeStatus: ProgrammeStatus;
  /** By group and by unit. */
  readonly groupAlpha: Float64Array;
  readonly unitAlpha: Float64Array;
  /** kW (see problem.ts). */
  readonly objective: number;
  readonly curtailedW: number;
  readonly kktResidual: number;
  readonly iterations: number;
  readonly variables: number;
  /** Corrected voltages of the linear model, pu squared. */
  readonly voltageSquaredPu: Float64Array;
  readonly maxVoltagePu: number;
  readonly minVoltagePu: number;
  /** Node index of the extreme voltages. */
  readonly maxNode: number;
  readonly minNode: number;
  /** What the limits cost; undefined where they cannot hold. */
  readonly prices?: LimitPrices;
}

/**
 * Solves the problem centrally.
 *
 * @param tolerance - of the optimality conditions, relative. A unit that needs no curtailment and has no price keeps a share
 *   of its root: 1e-6 at the default.
 */
export function solveCentral(problem: CurtailmentProblem, tolerance = 1e-12): CentralSolution {
  const untouched = dispatchState(problem, new Float64Array(problem.groupCount)).voltageSquaredPu;
  if (untouched.every((v, i) => v <= problem.upperSquaredPu[i]! && v >= problem.lowerSquaredPu[i]!)) {
    // Every cost grows with alpha: without a violated limit nothing is curtailed, exactly.
    return centralReport(problem, new Float64Array(problem.groupCount), {
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
  }
  const hard = buildProgramme(problem, false);
  let attempt = hard;
  let solution = hard.isInfeasible ? undefined : solveQuadraticProgramme(hard.programme, { tolerance });
  const isSolved = () => solution && (solution.status === 'optimal' || solution.status === 'nearOptimal');
  let status: CentralStatus = 'optimal';
  if (!isSolved()) {
    attempt = buildProgramme(problem, true);
    solution = solveQuadraticProgramme(attempt.programme, { tolerance });
    status = isSolved() ? 'limitsViolated' : 'failed';
  }
  const prices = status === 'optimal' ? hard.prices(solution!) : undefined;
  const groupAlpha = new Float64Array(problem.groupCount);
  for (let g = 0; g < problem.groupCount; g++) groupAlpha[g] = Math.min(1, Math.max(0, solution!.x[g]!));
  if (status === 'limitsViolated') {
    const isInside = dispatchState(problem, groupAlpha).voltageSquaredPu.every(
      (value, i) =>
        value <= problem.upperSquaredPu[i]! + VIOLATION_SQUARED_PU &&
        value >= problem.lowerSquaredPu[i]! - VIOLATION_SQUARED_PU,
    );
    if (isInside) status = 'optimal';
  }
  return centralReport(problem, groupAlpha, {
    status,
    programmeStatus: solution!.status,
    kktResidual: solution!.kktResidual,
    iterations: solution!.iterations,
    variables: attempt.programme.linear.length,
    ...(prices === undefined ? {} : { prices }),
  });
}

/** The alphas of a problem's groups as controls: a unit of alpha draws the power of the group's units. */
export function alphaControls({ units, groupCount, cost }: CurtailmentProblem): Control[] {
  const nodes: number[][] = Array.from({ length: groupCount }, () => []);
  const drawnW: number[][] = Array.from({ length: groupCount }, () => []);
  const drawnVar: number[][] = Array.from({ length: groupCount }, () => []);
  for (const { group, availableW, nodes: places, shareRe, shareIm } of units) {
    for (let k = 0; k < places.length; k++) {
      nodes[group]!.push(places[k]!);
      drawnW[group]!.push(availableW * shareRe[k]!);
      drawnVar[group]!.push(availableW * shareIm[k]!);
    }
  }
  return nodes.map((places, g) => ({
    nodes: places,
    drawnW: drawnW[g]!,
    drawnVar: drawnVar[g]!,
    lower: 0,
    upper: 1,
    linear: cost.linear[g]!,
    quadratic: cost.quadratic[g]!,
  }));
}

/** Unit of power and cost of a problem's programmes: the mean unit, kW. */
export function programmeUnitKw({ units }: CurtailmentProblem): number {
  return Math.max(1, units.reduce((sum, unit) => sum + unit.availableW / 1000, 0) / Math.max(1, units.length));
}

function buildProgramme(problem: CurtailmentProblem, isElastic: boolean): NetworkProgramme {
  return networkProgramme({
    network: problem.network,
    base: dispatchState(problem, new Float64Array(problem.groupCount)).voltageSquaredPu,
    lowerSquaredPu: problem.lowerSquaredPu,
    upperSquaredPu: problem.upperSquaredPu,
    controls: alphaControls(problem),
    unitKw: programmeUnitKw(problem),
    isElastic,
  });
}

/** Completes the answer of any solver of a problem. */
export function centralReport(
  problem: CurtailmentProblem,
  groupAlpha: Float64Array,
  outcome: Pick<CentralSolution, 'status' | 'programmeStatus' | 'kktResidual' | 'iterations' | 'variables' | 'prices'>,
  reactiveVar?: Float64Array,
): CentralSolution {
  const { voltageSquaredPu } = dispatchState(problem, groupAlpha, reactiveVar);
  let objective = 0;
  for (let g = 0; g < problem.groupCount; g++) {
    objective += (problem.cost.linear[g]! + (problem.cost.quadratic[g]! / 2) * groupAlpha[g]!) * groupAlpha[g]!;
  }
  const unitAlpha = Float64Array.from(problem.units, (unit) => groupAlpha[unit.group]!);
  const extremes = voltageExtremes(problem.network, voltageSquaredPu);
  return {
    ...outcome,
    groupAlpha,
    unitAlpha,
    objective,
    curtailedW: problem.units.reduce((sum, unit, i) => sum + unit.availableW * unitAlpha[i]!, 0),
    voltageSquaredPu,
    maxVoltagePu: extremes.maxPu,
    minVoltagePu: extremes.minPu,
    maxNode: extremes.maxNode,
    minNode: extremes.minNode,
  };
}
