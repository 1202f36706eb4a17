import {
  type CutDispatch,
  type CutStar,
  type HeldRefuge,
  isRefugeWanted,
  MIXED_KIND,
  mixedDispatch,
  type RefugeReactive,
  SAFE_TEXT,
  SPENT_TEXT,
} from '../../grid/optim/index.js';
import type { CutRounds } from './cut-rounds.js';
import { violationPu } from './guard.js';
import type { CutRefuge } from './interval.js';
import type { IntervalScene } from './participants.js';
import type { AcCheck } from './run-result.js';
import type { Verified } from './verification.js';

/*
 * Where no dispatch under a rule keeps the limits and one under another does, the rule gives way as far as it must: what
 * `safeDispatch` of grid/optim does in one process, with agents that are asked.
 *
 * Steps: 1. the least curtailment, else the default rule, by cuts, corrected as any other, until its AC power flow holds before
 *        and after controls answer; where neither does and reactive power is decided, the rule itself with less of it, and it or
 *        these two without any: of those that hold, that which curtails least;
 *        2. shares of the way to it from the rule's own dispatch, from small to whole; 3. between the first that holds and the
 *        one before, the least by bisection; 4. the whole way to one with less or no reactive power where less is curtailed there.
 * Cost: passes of each rule that is tried, one more with less or no reactive power, and at most SHARES + BISECTIONS verifications.
 * Fails: with undefined where no such dispatch was found or time is over; agents stand anywhere then.
 */

/** Shares of the way, ascending. */
const SHARES = [2 ** -6, 2 ** -5, 2 ** -4, 2 ** -3, 2 ** -2, 2 ** -1, 1];
const BISECTIONS = 6;

/** What the rounds lend. */
export interface GivingWay {
  readonly scene: IntervalScene;
  /** Rounds over another star. */
  readonly roundsOf: (cuts: CutStar) => Pick<CutRounds, 'run' | 'tell'>;
  readonly verify: () => Promise<Verified>;
  /** @param isKnownOnly - moves models onto the known positions, whatever controls answer */
  readonly correct: (isKnownOnly?: boolean) => void;
  readonly isOver: () => boolean;
}

/** The dispatch that was come to. */
export interface GivenWay extends CutRefuge {
  readonly ac: AcCheck;
  readonly corrections: number;
}

/** A rule to give way to, and its dispatch that holds. */
interface Reached extends CutRefuge, HeldRefuge {
  readonly dispatch: CutDispatch;
  readonly corrections: number;
}

/**
 * Finds the dispatch between the rule's and one that holds, and has everybody stand on it.
 *
 * @param own - the rule's last dispatch
 * @param aimPu - a violation up to this is none
 */
export async function giveWay(own: CutDispatch, aimPu: number, giving: GivingWay): Promise<GivenWay | undefined> {
  const reached: Reached[] = [];
  for (const to of giving.scene.star.refuges ?? []) {
    if (!isRefugeWanted(to, reached)) continue;
    const found = await refuge(to, aimPu, giving);
    if (found !== undefined) reached.push({ ...to, ...found, isOptimum: true });
  }
  const curtailedW = ({ cuts, dispatch }: Reached) => cuts.curtailedW(dispatch);
  for (const to of reached.sort((a, b) => curtailedW(a) - curtailedW(b))) {
    const given = await between(own, to, aimPu, giving);
    if (given !== undefined) return given;
  }
  return undefined;
}

/** Has everybody stand on the least share of the way that holds, or on the whole where that is cheaper. */
async function between(
  own: CutDispatch,
  { cuts, has, dispatch, corrections }: Reached,
  aimPu: number,
  { scene, roundsOf, verify, isOver }: GivingWay,
): Promise<GivenWay | undefined> {
  const rounds = roundsOf(cuts);
  const stand = async (share: number): Promise<AcCheck | undefined> => {
    if (isOver()) return undefined;
    cuts.stand(mixedDispatch(own, dispatch, share));
    // Limits that an agent says are broken in the linear model do not count: the AC power flow decides.
    await rounds.tell();
    return (await verify()).ac;
  };
  const holds = (ac: AcCheck | undefined): ac is AcCheck =>
    ac !== undefined && violationPu(ac, scene.settings.limits) <= aimPu;
  let low = 0;
  for (const share of SHARES) {
    let ac = await stand(share);
    if (!holds(ac)) {
      low = share;
      continue;
    }
    let best = share;
    let at = share;
    for (let k = 0; k < BISECTIONS; k++) {
      at = (low + best) / 2;
      const next = await stand(at);
      if (holds(next)) [best, ac] = [at, next];
      else low = at;
    }
    // The least share keeps most of the rule. What gives up reactive power anyway is not to cost further curtailment.
    const isDear = has !== 'kept' && cuts.curtailedW(dispatch) < cuts.curtailedW(mixedDispatch(own, dispatch, best));
    if (isDear && at !== 1) {
      const whole = await stand(1);
      if (holds(whole)) return { ac: whole, cuts, has, corrections };
      at = 1;
    }
    if (at !== best) ac = await stand(best);
    return holds(ac) ? { ac, cuts, has, corrections } : undefined;
  }
  return undefined;
}

/** The sentence for people. */
export function gaveWayText(mode: string, has: RefugeReactive): string {
  const to = SAFE_TEXT[MIXED_KIND[has]];
  return `${SPENT_TEXT} no dispatch under rule ${mode} that keeps them was found; ${to}`;
}

/**
 * The other rule's dispatch, where it holds in the AC power flow.
 *
 * Models stand on dispatches under the rule in force. With less of its reactive power regulators stand elsewhere, and corrections from
 * there curtail several times too much or find nothing: those models begin anew, on the AC power flow of nobody curtailed.
 */
async function refuge(
  { cuts, has }: CutRefuge,
  aimPu: number,
  { scene, roundsOf, verify, correct, isOver }: GivingWay,
) {
  const { limits, maxCorrections } = scene.settings;
  const rounds = roundsOf(cuts);
  if (has !== 'kept') {
    if (isOver() || (await rounds.run()) !== 'agreed') return undefined;
    cuts.stand(nothing(cuts.dispatch()));
    await rounds.tell();
    const { ac, isConverged, hasHeld } = await verify();
    if (ac === undefined || !isConverged || hasHeld) return undefined;
    correct(true);
  }
  for (let corrections = 0; ; corrections++) {
    if (isOver() || (await rounds.run()) !== 'agreed') return undefined;
    const { ac, isConverged, hasHeld } = await verify();
    // Who let a question pass is no longer where the rule's own dispatch has them.
    if (ac === undefined || !isConverged || hasHeld) return undefined;
    if (violationPu(ac, limits) <= aimPu) return { dispatch: cuts.dispatch(), corrections };
    if (corrections >= maxCorrections) return undefined;
    correct();
  }
}

/** Nobody curtailed, and no reactive power. */
function nothing({ alpha, reactiveVar }: CutDispatch): CutDispatch {
  const none = (of: ReadonlyMap<string, number>) => new Map([...of.keys()].map((id) => [id, 0]));
  return { alpha: none(alpha), reactiveVar: none(reactiveVar) };
}
