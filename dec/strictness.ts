import type { RunResult } from './coordinator/index.js';

/**
 * Whether a run did not hold the limits: a measured node stood outside them in any output of an interval's window, or the
 * AC power flow of an interval's own dispatch did, or nobody answered, so that nothing held them.
 */
export function isViolated({ intervals }: Pick<RunResult, 'intervals'>): boolean {
  return intervals.some(
    ({ status, during }) => status === 'violated' || status === 'noAgents' || (during?.violations ?? 0) > 0,
  );
}
