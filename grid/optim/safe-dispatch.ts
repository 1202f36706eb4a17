import { AC_TOLERANCE_PU, type FeederTruth, type TruthCheck } from './feeder-truth.js';
import { candidateAlpha } from './limit.js';
import type { VoltageLimits } from './star.js';
import type { Pass } from './star-actors.js';

/*
 * What is committed when rounds end before agents agree, or corrections before the AC power flow does: a dispatch that keeps
 * the limits in the AC power flow.
 *
 * Steps: 1. the dispatch of the last round, where it keeps them; 2. the last dispatch of a round that kept them in the linear
 *        model, where it does in the AC power flow too; after an interruption these may curtail far more than is needed (a
 *        search for one fraction opens with nothing and everything curtailed), and everybody gets back the same share of
 *        what was curtailed, as much as the limits bear; 3. the least step further in the direction of the last correction that
 *        does, eight times its length at most; 4. of 2 (or 1), the least change along one line that does: at move 1
 *        everything is curtailed, alpha + move (1 - alpha), at move -1 nothing is, alpha (1 + move); found by halving where
 *        an end keeps the limits, else by golden section of the violation, which is nearly convex along the line.
 * Cost: one AC power flow per step; at most 20 along the line.
 * Fails: where nothing on the line keeps the limits, what comes nearest to them is taken.
 * Source: golden section, Kiefer (1953), Proc. Amer. Math. Soc. 4(3).
 */

/** How the dispatch was found. */
export type SafeKind = 'last' | 'earlier' | 'relieved' | 'onwards' | 'cut' | 'returned' | 'least';

/** One sentence for each. */
export const SAFE_TEXT: Readonly<Record<SafeKind, string>> = {
  last: 'the dispatch of the last round keeps the limits and is taken.',
  earlier: 'the last dispatch that keeps the limits is taken.',
  relieved:
    'a dispatch that keeps the limits is taken, of which everybody got back the same share of what was curtailed, as much as the limits bear.',
  onwards: 'the step of the last correction was taken further until all nodes hold.',
  cut: 'everybody was curtailed by the same share of what is served until all nodes hold.',
  returned: 'everybody got the same share of what was curtailed back until all nodes hold.',
  least: 'no dispatch between everything and nothing curtailed keeps them; what comes nearest is taken.',
};

/** A dispatch with its check. */
export interface SafeDispatch {
  readonly how: SafeKind;
  readonly alpha: ReadonlyMap<string, number>;
  readonly check: TruthCheck;
}

/** How rounds and corrections ended. */
export interface RoundsEnded {
  /** Dispatch before the last correction. */
  readonly before?: ReadonlyMap<string, number> | undefined;
  /** Rounds ended before agents agreed. */
  readonly isInterrupted: boolean;
  /** The rule has one curtailed fraction for all. */
  readonly isCommon: boolean;
}

const MAX_STEPS = 18;
/** Shares nearer to one another than this are one. */
const CUT_WIDTH = 1e-4;
/** Steps onwards, in lengths of the last one. */
const FIRST_STEP = 0.125;
const LAST_STEP = 8;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** A point on the line. */
interface Trial {
  readonly move: number;
  readonly alpha: ReadonlyMap<string, number>;
  readonly check: TruthCheck;
  /** By how much limits are exceeded, pu; infinite without a solution. */
  readonly violationPu: number;
}

/**
 * Finds the dispatch to commit after an interruption, or after the last correction.
 *
 * @param ended - how the rounds and corrections ended
 */
export function safeDispatch(
  pass: Pass,
  truth: FeederTruth,
  check: TruthCheck,
  limits: VoltageLimits,
  { before, isInterrupted, isCommon }: RoundsEnded,
): SafeDispatch {
  const violation = (seen: TruthCheck): number =>
    seen.isConverged ? Math.max(seen.limitedMaxPu - limits.maxPu, limits.minPu - seen.limitedMinPu) : Infinity;
  const isSafe = (violationPu: number) => violationPu <= AC_TOLERANCE_PU;
  const tried = (move: number, alpha: ReadonlyMap<string, number>): Trial => {
    const seen = truth.solveAnswered(alpha, pass.reactiveVar);
    return { move, alpha, check: seen, violationPu: violation(seen) };
  };
  const alongFrom =
    (basis: ReadonlyMap<string, number>) =>
    (move: number): Trial =>
      tried(
        move,
        mapped(basis, (_, own) => candidateAlpha(own, move)),
      );
  const kept = (how: 'last' | 'earlier', alpha: ReadonlyMap<string, number>, seen: TruthCheck): SafeDispatch => {
    if (!isInterrupted) return { how, alpha, check: seen };
    // What agents had agreed on so far is more than the limits need.
    const own = { move: 0, alpha, check: seen, violationPu: violation(seen) };
    const best = furthestBack(own, alongFrom(alpha), isSafe);
    return best.move === 0 ? { how, alpha, check: seen } : { how: 'relieved', ...best };
  };
  if (isInterrupted && isCommon) {
    // Agents stand apart until they agree; the least fraction for all is found from everything curtailed.
    const all = tried(
      1,
      mapped(pass.alpha, () => 1),
    );
    if (isSafe(all.violationPu)) return kept('last', all.alpha, all.check);
    const best = nearest(alongFrom(mapped(pass.alpha, () => 0)), isSafe);
    return { how: isSafe(best.violationPu) ? 'cut' : 'least', alpha: best.alpha, check: best.check };
  }
  if (isSafe(violation(check))) return kept('last', pass.alpha, check);
  const trialAt = alongFrom(pass.lastFeasible ?? pass.alpha);
  if (pass.lastFeasible) {
    const earlier = truth.solveAnswered(pass.lastFeasible, pass.reactiveVar);
    if (isSafe(violation(earlier))) return kept('earlier', pass.lastFeasible, earlier);
  }
  if (before) {
    const onwards = (step: number): Trial =>
      tried(
        step,
        mapped(pass.alpha, (id, own) => Math.min(1, Math.max(0, own + step * (own - (before.get(id) ?? own))))),
      );
    for (let step = FIRST_STEP; step <= LAST_STEP; step *= 2) {
      const trial = onwards(step);
      if (isSafe(trial.violationPu)) return { how: 'onwards', ...halved(trial, onwards, isSafe) };
    }
  }
  for (const end of [1, -1]) {
    const last = trialAt(end);
    if (!isSafe(last.violationPu)) continue;
    return { how: end > 0 ? 'cut' : 'returned', ...halved(last, trialAt, isSafe) };
  }
  const best = nearest(trialAt, isSafe);
  const how = !isSafe(best.violationPu) ? 'least' : best.move < 0 ? 'returned' : 'cut';
  return { how, alpha: best.alpha, check: best.check };
}

function mapped(
  alpha: ReadonlyMap<string, number>,
  to: (id: string, own: number) => number,
): ReadonlyMap<string, number> {
  return new Map([...alpha].map(([id, own]) => [id, to(id, own)]));
}

/** The furthest move back towards nothing curtailed that keeps the limits, from a dispatch that does. */
function furthestBack(own: Trial, trialAt: (move: number) => Trial, isSafe: (violationPu: number) => boolean): Trial {
  if (![...own.alpha.values()].some((alpha) => alpha > 0)) return own;
  const end = trialAt(-1);
  if (isSafe(end.violationPu)) return end;
  let best = own;
  let unsafe = end.move;
  for (let k = 0; k < MAX_STEPS && best.move - unsafe > CUT_WIDTH; k++) {
    const trial = trialAt((best.move + unsafe) / 2);
    if (isSafe(trial.violationPu)) best = trial;
    else unsafe = trial.move;
  }
  return best;
}

/** The least move towards an end that keeps the limits. */
function halved(end: Trial, trialAt: (move: number) => Trial, isSafe: (violationPu: number) => boolean): Trial {
  let best = end;
  let unsafe = 0;
  for (let k = 0; k < MAX_STEPS && Math.abs(best.move - unsafe) > CUT_WIDTH; k++) {
    const trial = trialAt((unsafe + best.move) / 2);
    if (isSafe(trial.violationPu)) best = trial;
    else unsafe = trial.move;
  }
  return best;
}

/** The move that keeps the limits, or exceeds them least. */
function nearest(trialAt: (move: number) => Trial, isSafe: (violationPu: number) => boolean): Trial {
  let [from, to] = [-1, 1];
  let left = trialAt(to - GOLDEN * (to - from));
  let right = trialAt(from + GOLDEN * (to - from));
  const better = () => (left.violationPu <= right.violationPu ? left : right);
  let best = better();
  for (let k = 0; k < MAX_STEPS && to - from > CUT_WIDTH && !isSafe(best.violationPu); k++) {
    if (left.violationPu <= right.violationPu) {
      to = right.move;
      right = left;
      left = trialAt(to - GOLDEN * (to - from));
    } else {
      from = left.move;
      left = right;
      right = trialAt(from + GOLDEN * (to - from));
    }
    if (better().violationPu < best.violationPu) best = better();
  }
  // Where no move helps, none is made.
  const basis = trialAt(0);
  return basis.violationPu <= best.violationPu ? basis : best;
}
