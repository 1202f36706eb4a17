import type { Command } from 'commander';
import { DecError } from '../../grid/math/index.js';
import {
  FAIRNESS_LEVELS,
  FAIRNESS_MODES,
  type FairnessLevel,
  type FairnessMode,
  type FairnessRule,
  type FairnessRuleMode,
  type FairnessWeights,
  fairnessRule,
  nearestMode,
  REACTIVE_MODES,
  type ReactiveMode,
  type ReactiveRule,
  reactiveRule,
  starMode,
} from '../../grid/optim/index.js';
import { list, nonNegative, oneOf, perUnit } from '../option.js';

/** What says who is curtailed and what inverters do, for every command that coordinates. */
export interface RuleOptions {
  readonly vMin: number;
  readonly vMax: number;
  readonly fairness: FairnessRuleMode;
  readonly level?: FairnessLevel;
  readonly weights: FairnessWeights;
  readonly gamma: number;
  readonly reactive: ReactiveMode;
  readonly kappa: number;
  readonly minPowerFactor: number;
  readonly priority: 'watt' | 'var';
  readonly open: readonly string[];
}

/** Adds the options of a coordination: limits, fairness, reactive power, open switches. */
export function withRuleOptions(command: Command): Command {
  return command
    .option('--v-min <pu>', 'lower voltage limit of every node', perUnit, 0.95)
    .option('--v-max <pu>', 'upper voltage limit of every node', perUnit, 1.05)
    .option(
      '--fairness <mode>',
      `who is curtailed: ${FAIRNESS_MODES.join(', ')}`,
      oneOf(...FAIRNESS_MODES),
      'proportional',
    )
    .option(
      '--level <level>',
      `what shares one curtailed fraction: ${FAIRNESS_LEVELS.join(', ')} (default: customer, feeder for equalAlpha)`,
      oneOf(...FAIRNESS_LEVELS),
    )
    .option('--weights <how>', 'how participants count: capacity or equal', oneOf('capacity', 'equal'), 'capacity')
    .option('--gamma <g>', 'inequality aversion of alphaFair: 0 the sum, 1 the logarithm', nonNegative, 1)
    .option(
      '--reactive <mode>',
      `what inverters do with reactive power: ${REACTIVE_MODES.join(', ')}`,
      oneOf(...REACTIVE_MODES),
      'none',
    )
    .option('--kappa <share>', 'largest reactive power, share of the rating', nonNegative, 0.44)
    .option('--min-power-factor <pf>', 'smallest power factor while reactive power is decided', nonNegative, 0)
    .option(
      '--priority <which>',
      'what yields where both do not fit the rating: with var power, with watt reactive power',
      oneOf('watt', 'var'),
      'var',
    )
    .option(
      '--open <names>',
      'switches to open, separated by commas: coordination needs a network without loops',
      list,
      [],
    );
}

/** @throws DecError `BAD_ARGUMENT` for a lower limit that is not below the upper one */
export function checkLimits({ vMin, vMax }: Pick<RuleOptions, 'vMin' | 'vMax'>): void {
  if (vMin < vMax) return;
  throw new DecError('BAD_ARGUMENT', `--v-min ${vMin} is not below --v-max ${vMax}.`, { vMin, vMax });
}

/** The rule that the options ask for. */
export function ruleOf(options: RuleOptions, factors: FairnessRule['factors']): Partial<FairnessRule> {
  const { fairness, level, weights, gamma } = options;
  return { mode: fairness, weights, gamma, factors, ...(level === undefined ? {} : { level }) };
}

/** The reactive power that the options ask for. */
export function reactiveOf({ reactive, kappa, minPowerFactor, priority }: RuleOptions): Partial<ReactiveRule> {
  return { mode: reactive, kappa, minPowerFactor, priority };
}

/** A rule of live agents: complete where it is more than its mode. */
export interface LiveRule {
  readonly fairness: FairnessMode;
  readonly rule?: FairnessRule;
  readonly reactive?: ReactiveRule;
}

/**
 * The rule as agents agree on it by rounds while a simulation runs.
 *
 * @param factors - weights of rule feedback as its file has them
 * @throws DecError `BAD_ARGUMENT` for values outside their range
 */
export function liveRule(options: RuleOptions, factors: FairnessRule['factors'] = {}): LiveRule {
  const rule = fairnessRule(ruleOf(options, factors));
  const reactive = reactiveRule(reactiveOf(options));
  if (reactive.mode !== 'none') return { fairness: nearestMode(rule), rule, reactive };
  const mode = starMode(rule);
  return mode === undefined ? { fairness: nearestMode(rule), rule } : { fairness: mode };
}
