/** Where a service-transformer agent stands. */
export type ServiceAgentState =
  | { readonly name: 'idle' }
  /** Has its inputs for the interval. */
  | { readonly name: 'prepared'; readonly interval: number }
  /** Has answered up to `round`. */
  | { readonly name: 'solving'; readonly interval: number; readonly round: number }
  /** Its set-points are given. */
  | { readonly name: 'committed'; readonly interval: number }
  /**
   * It threw or returned nonsense in question `round`, and is held at the last feasible set-points until a later round
   * succeeds or the next interval begins; without `round` its preparation failed, and only the next interval helps.
   */
  | { readonly name: 'failed'; readonly interval: number; readonly round?: number; readonly message: string };

/** What may happen to it. */
export type ServiceAgentEvent =
  | { readonly name: 'prepare'; readonly interval: number }
  /**
   * A question of the interval: a round, a verification or a correction. A round (an opening, a dispatch) stands by itself,
   * the others build on the last one.
   */
  | { readonly name: 'ask'; readonly interval: number; readonly round: number; readonly isRound?: boolean }
  | { readonly name: 'commit'; readonly interval: number }
  | { readonly name: 'fail'; readonly interval: number; readonly round?: number; readonly message: string };

/** The next state, and what the agent is to do about the event. */
export interface Transition {
  readonly state: ServiceAgentState;
  /** `act`: do it; `repeat`: give the same answer again; `ignore`: it does not fit. */
  readonly way: 'act' | 'repeat' | 'ignore';
  /** Why it is ignored. */
  readonly reason?: string;
}

/** The interval a state belongs to; -1 before the first. */
export function intervalOf(state: ServiceAgentState): number {
  return state.name === 'idle' ? -1 : state.interval;
}

/**
 * The state machine of a service-transformer agent, without time and without effect: intervals only go forward, rounds
 * only go forward within one, a doubled message is answered alike, a failed agent tries again in the next round.
 */
export function transition(state: ServiceAgentState, event: ServiceAgentEvent): Transition {
  const present = intervalOf(state);
  const ignore = (reason: string): Transition => ({ state, way: 'ignore', reason });
  if (event.name === 'fail') {
    if (event.interval < present) return ignore(`failure of interval ${event.interval}, now ${present}`);
    const { interval, round, message } = event;
    const failed = { name: 'failed', interval, message } as const;
    return { state: round === undefined ? failed : { ...failed, round }, way: 'act' };
  }
  if (event.name === 'prepare') {
    if (event.interval > present) return { state: { name: 'prepared', interval: event.interval }, way: 'act' };
    if (event.interval === present && state.name === 'prepared') return { state, way: 'repeat' };
    return ignore(`interval ${event.interval} cannot be prepared in state ${describe(state)}`);
  }
  if (event.interval !== present) return ignore(`interval ${event.interval} is not the present one, ${present}`);
  if (event.name === 'commit') {
    if (state.name === 'committed') return { state, way: 'repeat' };
    if (state.name === 'solving') return { state: { name: 'committed', interval: present }, way: 'act' };
    return ignore(`nothing to commit in state ${describe(state)}`);
  }
  const isRetry =
    event.isRound === true &&
    // A commitment is taken back when that of another agent failed: the coordinator asks again before it sends anything.
    (state.name === 'committed' || (state.name === 'failed' && event.round > (state.round ?? event.round)));
  if (state.name !== 'prepared' && state.name !== 'solving' && !isRetry) {
    return ignore(`round ${event.round} does not fit state ${describe(state)}`);
  }
  if (state.name === 'solving' && event.round === state.round) return { state, way: 'repeat' };
  if (state.name === 'solving' && event.round < state.round) {
    return ignore(`round ${event.round} is over, now ${state.round}`);
  }
  return { state: { name: 'solving', interval: present, round: event.round }, way: 'act' };
}

/** A state in words. */
export function describe(state: ServiceAgentState): string {
  if (state.name === 'idle') return 'idle';
  if (state.name === 'solving') return `solving (interval ${state.interval}, round ${state.round})`;
  if (state.name === 'failed') return `failed (interval ${state.interval}: ${state.message})`;
  return `${state.name} (interval ${state.interval})`;
}
