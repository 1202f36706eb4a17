import { solveCentral } from './central.js';
import { adjoint } from './linear-network.js';
import { type CurtailmentProblem, dispatchState } from './problem.js';

/*
 * How far a dispatch is from the optimum of its linear curtailment problem, whoever found it.
 *
 * Solved: with alpha the dispatch and mu the multipliers of the voltage limits at the optimum of the same problem (they are
 *         unique enough to judge by: any mu gives an upper bound of the residual), the largest of four numbers without unit:
 *         stationarity     |alpha_g - clip(alpha_g - (df/dalpha_g + mu' dv/dalpha_g) / h_g, 0, 1)|, where h_g is the
 *                          curvature of the group's cost (its slope where the cost is linear): by how much the group would
 *                          still move;
 *         feasibility      largest voltage outside a limit, pu squared;
 *         complementarity  sum_i |mu_i * slack_i| over the optimum's cost, at least 1 kW;
 *         ties             largest |alpha_u - alpha_g| of a unit from its group's mean by available power.
 * Steps: central optimum for mu; one evaluation of the linear model; one adjoint.
 * Cost: one central solve.
 * Fails: undefined where the limits cannot hold, since there is no optimum to be near to.
 * Source: Nocedal and Wright (2006), Numerical Optimization, section 12.3; the projected form of bounds, section 16.7.
 */

/** The residual and its parts; all without unit. */
export interface KktResidual {
  /** The largest of the parts. */
  readonly residual: number;
  readonly stationarity: number;
  readonly feasibility: number;
  readonly complementarity: number;
  readonly ties: number;
}

const TOLERANCE = 1e-8;

/**
 * KKT residual of a dispatch.
 *
 * @param problem - with the correction that moves its linear model onto the AC power flow
 * @param alpha - curtailed fraction by unit id; a unit not named is not curtailed
 */
export function kktResidual(problem: CurtailmentProblem, alpha: ReadonlyMap<string, number>): KktResidual | undefined {
  if (problem.units.length === 0) {
    return { residual: 0, stationarity: 0, feasibility: 0, complementarity: 0, ties: 0 };
  }
  const { prices, objective } = solveCentral(problem, TOLERANCE);
  if (prices === undefined) return undefined;
  const { units, groupCount, cost, network } = problem;
  const own = (id: string): number => alpha.get(id) ?? 0;
  const sum = new Float64Array(groupCount);
  const weight = new Float64Array(groupCount);
  for (const { id, group, availableW } of units) {
    sum[group]! += availableW * own(id);
    weight[group]! += availableW;
  }
  const mean = sum.map((value, g) => (weight[g]! > 0 ? value / weight[g]! : 0));
  const ties = units.reduce((most, { id, group }) => Math.max(most, Math.abs(own(id) - mean[group]!)), 0);

  const { perW, perVar } = adjoint(network, prices.price);
  const pull = new Float64Array(groupCount);
  for (const { group, availableW, nodes, shareRe, shareIm } of units) {
    for (let k = 0; k < nodes.length; k++) {
      pull[group]! += availableW * (shareRe[k]! * perW[nodes[k]!]! + shareIm[k]! * perVar[nodes[k]!]!);
    }
  }
  let stationarity = 0;
  for (let g = 0; g < groupCount; g++) {
    const scale = Math.max(cost.quadratic[g]!, cost.linear[g]!);
    if (scale <= 0) continue;
    const gradient = cost.linear[g]! + cost.quadratic[g]! * mean[g]! + pull[g]!;
    const wanted = Math.min(1, Math.max(0, mean[g]! - gradient / scale));
    stationarity = Math.max(stationarity, Math.abs(mean[g]! - wanted));
  }

  const { voltageSquaredPu } = dispatchState(problem, mean);
  let feasibility = 0;
  let product = 0;
  voltageSquaredPu.forEach((v, i) => {
    feasibility = Math.max(feasibility, v - problem.upperSquaredPu[i]!, problem.lowerSquaredPu[i]! - v);
    const price = prices.price[i]!;
    if (price !== 0) product += Math.abs(price * (v - (price > 0 ? prices.upperSquaredPu : prices.lowerSquaredPu)[i]!));
  });
  const complementarity = product / Math.max(1, objective);
  return {
    residual: Math.max(stationarity, feasibility, complementarity, ties),
    stationarity,
    feasibility,
    complementarity,
    ties,
  };
}
