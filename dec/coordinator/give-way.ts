import { type CutDispatch, type CutStar, mixedDispatch, SAFE_TEXT, SPENT_TEXT } from '../../grid/optim/index.js';
import type { CutRounds } from './cut-rounds.js';
import { violationPu } from './guard.js';
import type { IntervalScene } from './participants.js';
import type { AcCheck } from './run-result.js';
import type { Verified } from './verification.js';

/*
 * Where no dispatch under a rule keeps the limits and one under another does, the rule gives way as far as it must: what
 * `safeDispatch` of grid/optim does in one process, with agents that are asked.
 *
 * Steps: 1. the least curtailment, else the default rule, by cuts, corrected as any other, until its AC power flow holds before
 *        and after controls answer; 2. shares of the way to it from the rule's own dispatch, from small to whole; 3. between
 *        the first that holds and the one before, the least by bisection.
 * Cost: passes of one more rule, and at most SHARES + BISECTIONS verifications.
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
  readonly correct: () => void;
  readonly isOver: () => boolean;
}

/** The dispatch that was come to. */
export interface GivenWay {
  readonly ac: AcCheck;
  readonly cuts: CutStar;
  readonly corrections: number;
}

/**
 * Finds the dispatch between the rule's and one that holds, and has everybody stand on it.
 *
 * @param own - the rule's last dispatch
 * @param aimPu - a violation up to this is none
 */
export async function giveWay(own: CutDispatch, aimPu: number, giving: GivingWay): Promise<GivenWay | undefined> {
  const { scene } = giving;
  for (const cuts of scene.star.refuges ?? []) {
    const reached = await refuge(cuts, aimPu, giving);
    if (reached === undefined) continue;
    const rounds = giving.roundsOf(cuts);
    const stand = async (share: number): Promise<AcCheck | undefined> => {
      if (giving.isOver()) return undefined;
      cuts.stand(mixedDispatch(own, reached.dispatch, share));
      // Limits that an agent says are broken in the linear model do not count: the AC power flow decides.
      await rounds.tell();
      return (await giving.verify()).ac;
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
      if (at !== best) ac = await stand(best);
      return holds(ac) ? { ac, cuts, corrections: reached.corrections } : undefined;
    }
  }
  return undefined;
}

/** The sentence for people. */
export function gaveWayText(mode: string): string {
  return `${SPENT_TEXT} no dispatch under rule ${mode} that keeps them was found; ${SAFE_TEXT.mixed}`;
}

/** The other rule's dispatch, where it holds in the AC power flow. */
async function refuge(cuts: CutStar, aimPu: number, { scene, roundsOf, verify, correct, isOver }: GivingWay) {
  const { limits, maxCorrections } = scene.settings;
  const rounds = roundsOf(cuts);
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
