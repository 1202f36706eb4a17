import type { RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * Rounds that have come to a standstill: prices rise, but nobody has anything left to give.
 *
 * Where the limits cannot hold, agents stand at the ends of what they can do while the coordinator's copies stand inside the
 * limits: the distance between the two stays, and prices grow without end. Two blocks without a common point do that always
 * (answers come to rest, prices grow by the same step in every round), so that rest far from agreement tells it.
 * Fails: rounds that begin with far too small a penalty may rest for a while as well; whoever acts on it must be right in
 *        either case.
 * Source: Banjac, Goulart, Stellato and Boyd (2019), J. Optim. Theory Appl. 183, theorem 5.1.
 */

/** Rounds of rest that are a standstill; the penalty changes three times in them. */
const REST_ROUNDS = 15;
/** A primal residual this many times its tolerance is far from agreement. */
const FAR = 100;

/** Watches rounds for a standstill. */
export class Standstill {
  private rest = 0;

  constructor(private readonly settings: Pick<StarSettings, 'powerToleranceW'>) {}

  /** Takes a round; whether the rounds stand still. */
  see({ powerChangeW = Infinity, primalResidual, primalTolerance, missing = [] }: RoundProgress): boolean {
    const isAtRest = powerChangeW <= this.settings.powerToleranceW && primalResidual > FAR * primalTolerance;
    this.rest = isAtRest && missing.length === 0 && primalTolerance > 0 ? this.rest + 1 : 0;
    return this.rest >= REST_ROUNDS;
  }
}

/**
 * Rounds of a pass after which prices count as crawling: of a first pass, which ends roughly, of one that must be exact at once,
 * and of a later one. Passes of single-phase agents take 10, 20 to 40, and less than 10. Units that share one fraction over
 * three phases have limits that bind in two or three of them at once: their dispatch is found in as many rounds, but prices
 * go on moving from one phase to another for a hundred more.
 */
const CRAWL_ROUNDS = { rough: 20, exact: 60, warm: 12 };

/**
 * Whether prices crawl after so many rounds of a pass.
 *
 * @param hasAreas - areas hand on less by prices than by cuts: they go on as long as a pass that must be exact at once
 */
export function isCrawl(rounds: number, corrections: number, maxCorrections: number, hasAreas = false): boolean {
  if (hasAreas) return rounds >= CRAWL_ROUNDS.exact;
  if (corrections > 0) return rounds >= CRAWL_ROUNDS.warm;
  return rounds >= (maxCorrections > 0 ? CRAWL_ROUNDS.rough : CRAWL_ROUNDS.exact);
}
