import { buildFeeder, type Feeder, type FeederData } from '../model/index.js';
import { alphaFairCost } from './alpha-fair.js';
import { type FairProblem, fairProblem } from './fair-problem.js';
import type { FairnessRule } from './fairness-rule.js';
import type { LinearFeeder } from './lindistflow.js';
import { type GroupCost, groupCost, type LocalPower, localPower } from './problem.js';
import type { LocalInputs } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * What curtailment costs on one side of the star: groups of units with one curtailed fraction each, and their costs.
 *
 * Solved: nothing; the rule of fairness becomes a convex cost per group, so that the sum over all sides is the rule's own
 *         objective. Rules whose groups reach over several agents, or that compare agents with one another (maxMin, equalKw),
 *         have no such sum and are agreed on by cuts (cut-exchange.ts).
 * Weights: `equal` counts every group as one power unit; the mean that the central problem uses is a common factor.
 */

/** A cost that is not quadratic: -w U(1 - alpha), with the alpha-fair utility. */
export interface CurvedCost {
  /** By group, kW. */
  readonly weightKw: Float64Array;
  /** Above 0. */
  readonly gamma: number;
}

/** Groups and costs of one side. */
export interface SidePower {
  readonly power: LocalPower;
  readonly groupCount: number;
  readonly cost: GroupCost;
  /** By group: largest curtailed fraction that the rule allows. */
  readonly ceiling: Float64Array;
  /** Replaces the cost where the rule's is not quadratic. */
  readonly curve?: CurvedCost;
}

/** A share served below this is none: its utility would be infinite. */
export const LEAST_SERVED = 1e-6;

/**
 * Groups and costs of a side under the settings' rule.
 *
 * @param isService - all units below one port: at level `transformer` they are one group
 */
export function sidePower(
  feeder: FeederData | Feeder,
  linear: LinearFeeder,
  inputs: LocalInputs,
  settings: StarSettings,
  isService: boolean,
): SidePower {
  const { rule } = settings;
  if (settings.fairness === 'equalAlpha' || settings.exchange === 'cuts' || rule === undefined) {
    const isShared = settings.fairness === 'equalAlpha';
    const power = localPower(feeder, linear, inputs, isShared ? () => 0 : undefined);
    const groupCount = isShared ? Math.min(1, power.units.length) : power.units.length;
    const cost = groupCost(power.units, groupCount, settings.fairness);
    return { power, groupCount, cost, ceiling: new Float64Array(groupCount).fill(1) };
  }
  const own: FairnessRule = isService && rule.level === 'transformer' ? { ...rule, level: 'feeder' } : rule;
  const built = 'busById' in feeder ? feeder : buildFeeder(feeder);
  return sideOf(fairProblem(built, linear, inputs, settings.limits, own), settings);
}

/** Settings whose rule has other factors of `feedback`. */
export function withFactors(settings: StarSettings, factors: FairnessRule['factors']): StarSettings {
  const { rule } = settings;
  return rule === undefined || rule.factors === factors ? settings : { ...settings, rule: { ...rule, factors } };
}

/** Groups and costs of a side from its problem. */
export function sideOf(problem: FairProblem, settings: StarSettings): SidePower {
  const { rule, groupCount, availableKw, weightKw } = problem;
  const meanKw = availableKw.reduce((sum, kw) => sum + kw, 0) / Math.max(1, groupCount);
  const scale = rule.weights === 'equal' && meanKw > 0 ? settings.powerUnitW / 1000 / meanKw : 1;
  const scaled = (values: Float64Array) => values.map((value) => value * scale);
  const isCurved = rule.mode === 'alphaFair' && rule.gamma > 0;
  const ceiling = isCurved ? problem.ceiling.map((most) => Math.min(most, 1 - LEAST_SERVED)) : problem.ceiling;
  const linear = rule.mode === 'alphaFair' ? scaled(weightKw) : scaled(problem.cost.linear);
  return {
    power: { drawnW: problem.drawnW, drawnVar: problem.drawnVar, units: problem.units },
    groupCount,
    cost: { linear, quadratic: scaled(problem.cost.quadratic) },
    ceiling,
    ...(isCurved ? { curve: { weightKw: scaled(weightKw), gamma: rule.gamma } } : {}),
  };
}

/** The quadratic model of a curved cost at given fractions, with its exact slope and curvature there. */
export function modelOfCurve({ weightKw, gamma }: CurvedCost, alpha: ArrayLike<number>): GroupCost {
  const linear = new Float64Array(weightKw.length);
  const quadratic = new Float64Array(weightKw.length);
  for (let g = 0; g < weightKw.length; g++) {
    const { slope, curvature } = alphaFairCost(Math.max(LEAST_SERVED, 1 - alpha[g]!), gamma);
    quadratic[g] = weightKw[g]! * curvature;
    linear[g] = weightKw[g]! * slope - quadratic[g]! * alpha[g]!;
  }
  return { linear, quadratic };
}
