import { between } from './cut-exchange.js';
import { AC_TOLERANCE_PU, type FeederTruth, type TruthCheck } from './feeder-truth.js';
import { candidateAlpha } from './limit.js';
import type { RefugeReactive } from './refuge-rules.js';
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
 *        everything is curtailed, alpha + move (1 - alpha), at move -1 nothing is, alpha (1 + move); looked for from small moves
 *        to whole ones, since regulators that answer may undo a large one; 5. where only a large move does, or none, the least
 *        share of the way to a dispatch under another rule that holds; of 4 and 5 that which curtails less; 6. else golden
 *        section of the violation, which is nearly convex along the line.
 * Cost: one AC power flow per step; at most 60 along both lines.
 * Fails: where nothing on the line keeps the limits, what comes nearest to them is taken.
 * Source: golden section, Kiefer (1953), Proc. Amer. Math. Soc. 4(3).
 */

/** How the dispatch was found. */
export type SafeKind =
  | 'last'
  | 'earlier'
  | 'relieved'
  | 'onwards'
  | 'cut'
  | 'returned'
  | 'mixed'
  | 'lessReactive'
  | 'unreactive'
  | 'least';

/** One sentence for each. */
export const SAFE_TEXT: Readonly<Record<SafeKind, string>> = {
  last: 'the dispatch of the last round keeps the limits and is taken.',
  earlier: 'the last dispatch that keeps the limits is taken.',
  relieved:
    'a dispatch that keeps the limits is taken, of which everybody got back the same share of what was curtailed, as much as the limits bear.',
  onwards: 'the step of the last correction was taken further until all nodes hold.',
  cut: 'everybody was curtailed by the same share of what is served until all nodes hold.',
  returned: 'everybody got the same share of what was curtailed back until all nodes hold.',
  mixed: 'it gives way to the least curtailment, by the least share at which all nodes hold.',
  lessReactive: 'it gives way to a dispatch with less reactive power, by the least share at which all nodes hold.',
  unreactive: 'it gives way to a dispatch without reactive power, by the least share at which all nodes hold.',
  least: 'no dispatch between everything and nothing curtailed keeps them; what comes nearest is taken.',
};

/** What is told where the last correction did not do; what was done then follows. */
export const SPENT_TEXT = 'After the last correction a node still stood outside its limit in the AC power flow;';

/** A dispatch with its check. */
export interface SafeDispatch {
  readonly how: SafeKind;
  readonly alpha: ReadonlyMap<string, number>;
  /** Where it is another than that of the pass, var by PV id. */
  readonly reactiveVar?: ReadonlyMap<string, number> | undefined;
  readonly check: TruthCheck;
}

/** A dispatch under another rule that keeps the limits in the AC power flow. */
export interface Refuge {
  readonly alpha: ReadonlyMap<string, number>;
  readonly reactiveVar?: ReadonlyMap<string, number> | undefined;
  readonly has: RefugeReactive;
}

/** How a dispatch between the rule's own and a refuge is named. */
export const MIXED_KIND: Readonly<Record<RefugeReactive, SafeKind>> = {
  kept: 'mixed',
  less: 'lessReactive',
  none: 'unreactive',
};

/** How rounds and corrections ended. */
export interface RoundsEnded {
  /** Dispatch before the last correction. */
  readonly before?: ReadonlyMap<string, number> | undefined;
  /** Rounds ended before agents agreed. */
  readonly isInterrupted: boolean;
  /** The rule has one curtailed fraction for all. */
  readonly isCommon: boolean;
  /** The dispatch is one under the rule, which small moves leave as it is. */
  readonly isRuled: boolean;
  /** What to go towards where small moves do not help; asked for only then. */
  readonly refuge?: () => Refuge | undefined;
  readonly curtailedW: (alpha: ReadonlyMap<string, number>) => number;
}

const MAX_STEPS = 18;
/** Shares nearer to one another than this are one. */
const CUT_WIDTH = 1e-4;
/** Steps onwards, in lengths of the last one. */
const FIRST_STEP = 0.125;
const LAST_STEP = 8;
/** Moves along the line: the first, and the last that nothing else is asked for. */
const LEAST_MOVE = 2 ** -12;
const SMALL_MOVE = 2 ** -6;
/** What is searched for is to keep the limits as exactly as this, pu. */
const AIM_PU = 1e-6;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** A point on the line. */
interface Trial {
  readonly move: number;
  readonly alpha: ReadonlyMap<string, number>;
  readonly reactiveVar: ReadonlyMap<string, number> | undefined;
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
  { before, isInterrupted, isCommon, isRuled, refuge, curtailedW }: RoundsEnded,
): SafeDispatch {
  const violation = (seen: TruthCheck): number =>
    seen.isConverged ? Math.max(seen.limitedMaxPu - limits.maxPu, limits.minPu - seen.limitedMinPu) : Infinity;
  const isSafe = (violationPu: number) => violationPu <= AC_TOLERANCE_PU;
  const isExact = (violationPu: number) => violationPu <= AIM_PU;
  const tried = (move: number, alpha: ReadonlyMap<string, number>, reactiveVar = pass.reactiveVar): Trial => {
    const seen = truth.solveAnswered(alpha, reactiveVar);
    return { move, alpha, reactiveVar, check: seen, violationPu: violation(seen) };
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
    const own = { move: 0, alpha, reactiveVar: pass.reactiveVar, check: seen, violationPu: violation(seen) };
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
    let within: Trial | undefined;
    for (let step = FIRST_STEP; step <= LAST_STEP; step *= 2) {
      const trial = onwards(step);
      if (isExact(trial.violationPu)) return { how: 'onwards', ...halved(trial, onwards, isExact) };
      if (isSafe(trial.violationPu)) within ??= trial;
    }
    // Within the tolerance by the rule's own step: a share from everybody would come nearer, and curtail more.
    if (within) return { how: 'onwards', ...halved(within, onwards, isSafe) };
  }
  const found: (SafeDispatch & Trial)[] = [];
  const alone = leastMove(trialAt, isExact, [1, -1], LEAST_MOVE);
  if (alone) found.push({ how: alone.move > 0 ? 'cut' : 'returned', ...halved(alone, trialAt, isExact) });
  if (found[0] && isRuled && Math.abs(alone?.move ?? 1) <= SMALL_MOVE) return found[0];
  const other = isInterrupted ? undefined : refuge?.();
  if (other) {
    const towards = (share: number): Trial =>
      tried(share, between(pass.alpha, other.alpha, share), between(pass.reactiveVar, other.reactiveVar, share));
    const mixed = leastMove(towards, isExact, [1], SMALL_MOVE) ?? towards(1);
    if (isSafe(mixed.violationPu)) {
      const least = halved(mixed, towards, isExact);
      // What gives up reactive power anyway is not to cost further curtailment.
      const isDear = other.has !== 'kept' && curtailedW(other.alpha) < curtailedW(least.alpha);
      const whole = isDear ? towards(1) : least;
      found.push({ how: MIXED_KIND[other.has], ...(isSafe(whole.violationPu) ? whole : least) });
    }
  }
  const [first, second] = found;
  if (first && second) return curtailedW(second.alpha) < curtailedW(first.alpha) ? second : first;
  if (first) return first;
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

/**
 * A move that keeps the limits, found from small ones to whole ones: where regulators answer, more is not always better, and an
 * end may break the limits that a point on the way to it keeps.
 */
function leastMove(
  trialAt: (move: number) => Trial,
  isSafe: (violationPu: number) => boolean,
  ends: readonly number[],
  least: number,
): Trial | undefined {
  for (let size = least; size <= 1; size *= 2) {
    for (const end of ends) {
      const trial = trialAt(end * size);
      if (isSafe(trial.violationPu)) return trial;
    }
  }
  return undefined;
}

/** The least move towards one that keeps the limits. */
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
