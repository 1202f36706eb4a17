import { AC_TOLERANCE_PU, type FeederTruth, type TruthCheck } from './feeder-truth.js';
import { candidateAlpha } from './limit.js';
import type { VoltageLimits } from './star.js';
import type { Pass } from './star-actors.js';

/*
 * What is committed when rounds end before agents agree, or corrections before the AC power flow does: a dispatch that keeps
 * the limits in the AC power flow.
 *
 * Steps: 1. the dispatch of the last round, where it keeps them; 2. the last dispatch of a round that kept them in the linear
 *        model, where it does in the AC power flow too; 3. of 2 (or 1), the least share curtailed on top, found by halving:
 *        alpha + cut (1 - alpha), which at cut 1 is everything.
 * Cost: one AC power flow per step; at most 20 when halving.
 * Fails: where limits do not hold even with everything curtailed, what comes nearest to them is taken.
 */

/** How the dispatch was found. */
export type SafeKind = 'last' | 'earlier' | 'cut';

/** One sentence for each. */
export const SAFE_TEXT: Readonly<Record<SafeKind, string>> = {
  last: 'Rounds were interrupted; the dispatch of the last round keeps the limits and is taken.',
  earlier: 'Rounds were interrupted; the last dispatch that keeps the limits is taken.',
  cut: 'Rounds were interrupted; a dispatch was curtailed further until it keeps the limits.',
};

/** A dispatch with its check. */
export interface SafeDispatch {
  readonly how: SafeKind;
  readonly alpha: ReadonlyMap<string, number>;
  readonly check: TruthCheck;
}

const MAX_HALVINGS = 18;
/** Shares nearer to one another than this are one. */
const CUT_WIDTH = 1e-4;

/** Finds the dispatch to commit after an interruption, or after the last correction. */
export function safeDispatch(pass: Pass, truth: FeederTruth, check: TruthCheck, limits: VoltageLimits): SafeDispatch {
  const isSafe = (seen: TruthCheck) =>
    seen.isConverged &&
    seen.limitedMaxPu <= limits.maxPu + AC_TOLERANCE_PU &&
    seen.limitedMinPu >= limits.minPu - AC_TOLERANCE_PU;
  if (isSafe(check)) return { how: 'last', alpha: pass.alpha, check };
  const basis = pass.lastFeasible ?? pass.alpha;
  const at = (cut: number): SafeDispatch => {
    const alpha = new Map([...basis].map(([id, own]) => [id, candidateAlpha(own, cut)]));
    return { how: 'cut', alpha, check: truth.solve(alpha, pass.reactiveVar) };
  };
  if (pass.lastFeasible) {
    const kept = truth.solve(pass.lastFeasible, pass.reactiveVar);
    if (isSafe(kept)) return { how: 'earlier', alpha: pass.lastFeasible, check: kept };
  }
  let best = at(1);
  if (!isSafe(best.check)) return best;
  let low = 0;
  let high = 1;
  for (let k = 0; k < MAX_HALVINGS && high - low > CUT_WIDTH; k++) {
    const middle = (low + high) / 2;
    const trial = at(middle);
    if (isSafe(trial.check)) {
      best = trial;
      high = middle;
    } else low = middle;
  }
  return best;
}
