import type { PowerFlowFallback } from './power-flow.js';

/** What a solution tells of the method that had to take over: finite numbers and names, whatever the failed one left. */
export function fallbackOf(
  method: PowerFlowFallback['method'],
  noted: { reason: PowerFlowFallback['reason']; mismatchPu: number; bus?: string; node?: number },
): PowerFlowFallback {
  const { reason, mismatchPu, bus, node } = noted;
  return {
    method,
    reason,
    mismatchPu: Number.isFinite(mismatchPu) ? mismatchPu : Number.MAX_VALUE,
    bus: bus ?? '',
    node: node ?? 0,
  };
}
