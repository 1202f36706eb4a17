import type { RunResult } from './coordinator/index.js';

/**
 * Whether a run did not hold the limits: a measured node stood outside them in any output of an interval's window, or the
 * AC power flow of an interval's own dispatch did.
 */
export function isViolated({ intervals }: Pick<RunResult, 'intervals'>): boolean {
  return intervals.some(({ status, during }) => status === 'violated' || (during?.violations ?? 0) > 0);
}
