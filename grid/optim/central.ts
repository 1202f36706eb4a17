import {
  type ProgrammeSolution,
  type ProgrammeStatus,
  type QuadraticProgramme,
  solveQuadraticProgramme,
  TripletList,
} from '../math/index.js';
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
  limitsViolated: 'The limits cannot hold even with full curtailment; this is the dispatch of least violation.',
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

/** Multipliers of the voltage limits, each at the node whose limit stands for those that move with it. */
export interface LimitPrices {
  /** kW per pu squared by node; positive for the upper limit, negative for the lower. */
  readonly price: Float64Array;
  /** The limits as they bind at that node, pu squared. */
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
}

/** Penalty of a violated limit: cost in kW per pu squared. Far above any multiplier, so that feasible limits hold. */
const VIOLATION_COST_KW = 1e7;
/** A limit missed by less is rounding, pu squared. */
const VIOLATION_SQUARED_PU = 1e-7;

/** Solves the problem centrally. */
export function solveCentral(problem: CurtailmentProblem, tolerance = 1e-10): CentralSolution {
  const untouched = dispatchState(problem, new Float64Array(problem.groupCount)).voltageSquaredPu;
  if (untouched.every((v, i) => v <= problem.upperSquaredPu[i]! && v >= problem.lowerSquaredPu[i]!)) {
    // Every cost grows with alpha: without a violated limit nothing is curtailed, exactly.
    return report(problem, new Float64Array(problem.groupCount), {
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
  return report(problem, groupAlpha, {
    status,
    programmeStatus: solution!.status,
    kktResidual: solution!.kktResidual,
    iterations: solution!.iterations,
    variables: attempt.programme.linear.length,
    ...(prices === undefined ? {} : { prices }),
  });
}

function report(
  problem: CurtailmentProblem,
  groupAlpha: Float64Array,
  outcome: Pick<CentralSolution, 'status' | 'programmeStatus' | 'kktResidual' | 'iterations' | 'variables' | 'prices'>,
): CentralSolution {
  const { voltageSquaredPu } = dispatchState(problem, groupAlpha);
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

/** The programme after presolve. */
interface Reduced {
  readonly programme: QuadraticProgramme;
  /** A node that nothing can move stands outside its limits. */
  readonly isInfeasible: boolean;
  /** Reads the limits' multipliers from a solution with hard limits. */
  prices(solution: ProgrammeSolution): LimitPrices;
}

/** The programme in deviations; variables: alpha by group, then dP, dQ and dv of the nodes that can move. */
function buildProgramme(problem: CurtailmentProblem, isElastic: boolean): Reduced {
  const { network, units, groupCount, cost } = problem;
  const n = network.nodes.length;
  const base = dispatchState(problem, new Float64Array(groupCount)).voltageSquaredPu;
  const lower = Float64Array.from(base, (v, i) => problem.lowerSquaredPu[i]! - v);
  const upper = Float64Array.from(base, (v, i) => problem.upperSquaredPu[i]! - v);

  const hasP = new Uint8Array(n);
  const hasQ = new Uint8Array(n);
  for (const unit of units) {
    unit.nodes.forEach((node, k) => {
      if (unit.shareRe[k] !== 0) hasP[node] = 1;
      if (unit.shareIm[k] !== 0) hasQ[node] = 1;
    });
  }
  const isMoved = new Uint8Array(network.branches.length);
  for (let b = network.branches.length - 1; b >= 0; b--) {
    const { parents, children, shareRe, shareIm } = network.branches[b]!;
    const k = children.length;
    children.forEach((child, j) => {
      if (!hasP[child] && !hasQ[child]) return;
      isMoved[b] = 1;
      parents.forEach((parent, i) => {
        if (shareRe[i * k + j] !== 0) {
          if (hasP[child]) hasP[parent] = 1;
          if (hasQ[child]) hasQ[parent] = 1;
        }
        if (Math.abs(shareIm[i * k + j]!) > 1e-12) {
          if (hasP[child]) hasQ[parent] = 1;
          if (hasQ[child]) hasP[parent] = 1;
        }
      });
    });
  }
  // A branch whose flows cannot change moves its nodes with its parents: their limits belong to the parent.
  const hasV = new Uint8Array(n);
  let isInfeasible = false;
  for (let b = network.branches.length - 1; b >= 0; b--) {
    const { parents, children, gain } = network.branches[b]!;
    const m = parents.length;
    children.forEach((child, i) => {
      const row = Array.from(gain.subarray(i * m, (i + 1) * m));
      const single = row.filter((g) => g !== 0).length === 1 ? row.findIndex((g) => g !== 0) : -1;
      if (!isMoved[b] && !hasV[child] && single >= 0 && row[single]! > 0) {
        const parent = parents[single]!;
        lower[parent] = Math.max(lower[parent]!, lower[child]! / row[single]!);
        upper[parent] = Math.min(upper[parent]!, upper[child]! / row[single]!);
        return;
      }
      hasV[child] = 1;
      parents.forEach((parent, j) => {
        if (row[j] !== 0 && parent >= network.rootCount) hasV[parent] = 1;
      });
    });
  }
  for (let i = 0; i < n; i++) {
    if (hasV[i]) continue;
    // Limits left at a root: nothing moves it.
    if (i < network.rootCount && (lower[i]! > VIOLATION_SQUARED_PU || upper[i]! < -VIOLATION_SQUARED_PU))
      isInfeasible = true;
  }

  // Units of the programme: kW for flows; voltages in pu squared times a factor that makes a kW count about one.
  const unitKw = Math.max(1, units.reduce((sum, unit) => sum + unit.availableW / 1000, 0) / Math.max(1, units.length));
  const unitW = unitKw * 1000;
  let count = groupCount;
  const place = (has: Uint8Array) => Int32Array.from(has, (yes) => (yes ? count++ : -1));
  for (let i = 0; i < network.rootCount; i++) {
    hasP[i] = 0;
    hasQ[i] = 0;
    hasV[i] = 0;
  }
  const atP = place(hasP);
  const atQ = place(hasQ);
  const atV = place(hasV);
  const hessian = new TripletList();
  const equality = new TripletList();
  const linear: number[] = [];
  for (let g = 0; g < groupCount; g++) {
    hessian.add(g, g, cost.quadratic[g]! / unitKw);
    linear[g] = cost.linear[g]! / unitKw;
  }
  let rows = 0;
  const rowOfP = new Int32Array(n).fill(-1);
  const rowOfQ = new Int32Array(n).fill(-1);
  for (let i = network.rootCount; i < n; i++) {
    if (atP[i]! >= 0) {
      rowOfP[i] = rows++;
      equality.add(rowOfP[i]!, atP[i]!, 1);
    }
    if (atQ[i]! >= 0) {
      rowOfQ[i] = rows++;
      equality.add(rowOfQ[i]!, atQ[i]!, 1);
    }
  }
  for (const unit of units) {
    unit.nodes.forEach((node, k) => {
      if (rowOfP[node]! >= 0) equality.add(rowOfP[node]!, unit.group, (-unit.availableW * unit.shareRe[k]!) / unitW);
      if (rowOfQ[node]! >= 0) equality.add(rowOfQ[node]!, unit.group, (-unit.availableW * unit.shareIm[k]!) / unitW);
    });
  }
  // Sensitivity scale: typical voltage change of one unit of power over the longest paths is far below one.
  const unitV = 1e-3;
  const couple = (row: number, col: number, value: number) => {
    if (row >= 0 && col >= 0) equality.add(row, col, value);
  };
  for (const branch of network.branches) {
    const { parents, children, gain, dropP, dropQ, shareRe, shareIm } = branch;
    const k = children.length;
    const m = parents.length;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < k; j++) {
        const re = shareRe[i * k + j]!;
        const im = Math.abs(shareIm[i * k + j]!) > 1e-12 ? shareIm[i * k + j]! : 0;
        const [parent, child] = [parents[i]!, children[j]!];
        if (parent < network.rootCount) continue;
        couple(rowOfP[parent]!, atP[child]!, -re);
        couple(rowOfP[parent]!, atQ[child]!, im);
        couple(rowOfQ[parent]!, atQ[child]!, -re);
        couple(rowOfQ[parent]!, atP[child]!, -im);
      }
    }
    for (let i = 0; i < k; i++) {
      const v = atV[children[i]!]!;
      if (v < 0) continue;
      const row = rows++;
      equality.add(row, v, 1);
      for (let j = 0; j < m; j++) couple(row, atV[parents[j]!]!, -gain[i * m + j]!);
      for (let j = 0; j < k; j++) {
        // dP and dQ are reductions of generation, that is more power drawn.
        couple(row, atP[children[j]!]!, (dropP[i * k + j]! * unitW) / unitV);
        couple(row, atQ[children[j]!]!, (dropQ[i * k + j]! * unitW) / unitV);
      }
    }
  }
  const low: number[] = [];
  const high: number[] = [];
  for (let j = 0; j < count; j++) {
    linear[j] ??= 0;
    low[j] = j < groupCount ? 0 : -Infinity;
    high[j] = j < groupCount ? 1 : Infinity;
  }
  let total = count;
  for (let i = 0; i < n; i++) {
    const v = atV[i]!;
    if (v < 0) continue;
    const bounds = [lower[i]! / unitV, upper[i]! / unitV] as const;
    if (bounds[0] > bounds[1]) isInfeasible = true;
    if (!isElastic) {
      low[v] = bounds[0];
      high[v] = bounds[1];
      continue;
    }
    if (!Number.isFinite(bounds[0]) && !Number.isFinite(bounds[1])) continue;
    // v - over + under = inside, inside within the limits, over and under >= 0 at a price.
    const [inside, over, under] = [total++, total++, total++];
    const row = rows++;
    equality.add(row, v, 1);
    equality.add(row, over, -1);
    equality.add(row, under, 1);
    equality.add(row, inside, -1);
    linear[inside] = 0;
    low[inside] = Math.min(bounds[0], bounds[1]);
    high[inside] = bounds[1];
    for (const slack of [over, under]) {
      linear[slack] = (VIOLATION_COST_KW * unitV) / unitKw;
      low[slack] = 0;
      high[slack] = Infinity;
    }
  }
  return {
    isInfeasible,
    prices({ lowerMultiplier, upperMultiplier }) {
      const price = Float64Array.from(atV, (v) =>
        v < 0 ? 0 : ((upperMultiplier[v]! - lowerMultiplier[v]!) * unitKw) / unitV,
      );
      return {
        price,
        lowerSquaredPu: base.map((v, i) => v + lower[i]!),
        upperSquaredPu: base.map((v, i) => v + upper[i]!),
      };
    },
    programme: {
      hessian: hessian.toMatrix(total, total),
      linear: Float64Array.from(linear),
      equality: equality.toMatrix(rows, total),
      equalityValue: new Float64Array(rows),
      lower: Float64Array.from(low),
      upper: Float64Array.from(high),
    },
  };
}
