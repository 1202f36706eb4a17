import type { RunResult } from './coordinator/index.js';
import { EXIT } from './terminal.js';

/**
 * Whether a run did not hold the limits: a measured node stood outside them in any output of an interval's window, or the
 * AC power flow of an interval's own dispatch did, or nobody answered or there was nothing to coordinate, so that nothing
 * held them.
 */
export function isViolated({ status, intervals }: Pick<RunResult, 'status' | 'intervals'>): boolean {
  if (status === 'nothingToCoordinate') return true;
  return intervals.some(
    (interval) =>
      interval.status === 'violated' || interval.status === 'noAgents' || (interval.during?.violations ?? 0) > 0,
  );
}

/** What a computation without a run came to. */
export interface Verdict {
  /** No dispatch, plan or limits were found at all. */
  readonly isFailed: boolean;
  /** What was found does not hold the limits, or there was nothing to find one for. */
  readonly isBad: boolean;
}

/**
 * What `dec coordinate` ends with, in all its forms. A dispatch that misses its limits is an answer, and only --strict makes a
 * failure of it; no answer at all is one always, so that a script that goes on at 0 does not go on with nothing.
 */
export function answerExitCode({ isFailed, isBad }: Verdict, isStrict: boolean | undefined): number {
  return isFailed || (isStrict === true && isBad) ? EXIT.violated : EXIT.done;
}

/** What a run ends with. */
export function runExitCode(result: Pick<RunResult, 'status' | 'intervals'>, isStrict: boolean): number {
  const { status } = result;
  if (status === 'cancelled') return EXIT.cancelled;
  if (status === 'simulationEnded') return EXIT.badInput;
  if (isStrict && isViolated(result)) return EXIT.violated;
  // The work is not done, and not through a defect of ours: agents were lost.
  return status === 'agentsLost' ? EXIT.badInput : EXIT.done;
}
