import type { RunResult } from './coordinator/index.js';

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
