import { type FairnessRule, type FairnessRuleMode, fairnessRule } from './fairness-rule.js';
import { type ReactiveRule, reactiveRule } from './reactive.js';

/*
 * Rules by whose dispatch limits are kept where that of another cannot: first others with the same reactive power, then
 * without any. Regulators and capacitor banks answer reactive power as they do active power, and a dispatch with it may
 * come to no state that holds before and after they act, where one without does.
 */

/** A rule to give way to. */
export interface RefugeRule {
  readonly rule: FairnessRule;
  readonly reactive: ReactiveRule;
  /** Reactive power is given up, which the rule in force decides. */
  readonly isUnreactive: boolean;
}

/** The least curtailment, then the default. */
const MODES: readonly FairnessRuleMode[] = ['total', 'proportional'];

/**
 * Rules to give way to, the first that holds being taken.
 *
 * @param rule - in force
 * @param reactive - in force; inverters that follow a curve do so under every rule, and there is nowhere to go
 */
export function refugeRules(rule: FairnessRule, reactive: ReactiveRule): readonly RefugeRule[] {
  if (reactive.mode === 'volt-var') return [];
  const others = MODES.filter((mode) => mode !== rule.mode).map((mode) => fairnessRule({ mode }));
  const kept = others.map((one) => ({ rule: one, reactive, isUnreactive: false }));
  if (reactive.mode === 'none') return kept;
  const none = reactiveRule();
  return [...kept, ...[rule, ...others].map((one) => ({ rule: one, reactive: none, isUnreactive: true }))];
}
