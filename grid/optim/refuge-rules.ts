import { type FairnessRule, type FairnessRuleMode, fairnessRule } from './fairness-rule.js';
import { type ReactiveRule, reactiveRule } from './reactive.js';

/*
 * Rules by whose dispatch limits are kept where that of another cannot: first others with the same reactive power, then
 * with less and without any. Regulators and capacitor banks answer reactive power as they do active power, and a dispatch with
 * much of it may come to no state that holds before and after they act, where one with less does: voltages that it lowers make
 * regulators step up, to taps at which more of it is asked for. How much less is right is not known beforehand, so the least
 * curtailment of those that hold is taken.
 */

/** What a rule to give way to does with reactive power, which the rule in force decides: as much of it, less, or none. */
export type RefugeReactive = 'kept' | 'less' | 'none';

/** A rule to give way to. */
export interface RefugeRule {
  readonly rule: FairnessRule;
  readonly reactive: ReactiveRule;
  readonly has: RefugeReactive;
}

/** The least curtailment, then the default. */
const MODES: readonly FairnessRuleMode[] = ['total', 'proportional'];

/** Shares of kappa that are less. */
const LESS = [1 / 2, 1 / 3, 1 / 4, 1 / 8];

/**
 * Rules to give way to, in the order in which they are tried; of those that hold, that which curtails least is taken.
 *
 * @param rule - in force
 * @param reactive - in force; inverters that follow a curve do so under every rule, and there is nowhere to go
 */
export function refugeRules(rule: FairnessRule, reactive: ReactiveRule): readonly RefugeRule[] {
  if (reactive.mode === 'volt-var') return [];
  const others = MODES.filter((mode) => mode !== rule.mode).map((mode) => fairnessRule({ mode }));
  const kept = others.map((one): RefugeRule => ({ rule: one, reactive, has: 'kept' }));
  if (reactive.mode === 'none') return kept;
  const less = LESS.map(
    (share): RefugeRule => ({ rule, reactive: { ...reactive, kappa: share * reactive.kappa }, has: 'less' }),
  );
  const none = reactiveRule();
  return [
    ...kept,
    ...less,
    ...[rule, ...others].map((one): RefugeRule => ({ rule: one, reactive: none, has: 'none' })),
  ];
}

/** A rule whose dispatch holds. */
export interface HeldRefuge {
  readonly has: RefugeReactive;
  /** It holds by the rule alone; else as one that curtails more than its rule asks for, perhaps far more. */
  readonly isOptimum: boolean;
}

/**
 * Whether a rule is still to be tried after those that were found to hold: of those with as much reactive power, and of those
 * without any, the first that holds will do; less of it is compared with none, and with all of it where that is no optimum.
 */
export function isRefugeWanted({ has }: Pick<RefugeRule, 'has'>, held: readonly HeldRefuge[]): boolean {
  return !held.some((one) => (one.has === 'kept' && one.isOptimum) || (one.has === has && has !== 'less'));
}
