import type { VoltageLimits } from './star.js';

/** A node nearer to a limit than this is taken to be at it, pu: agents agree on voltages to about as much. */
const AT_LIMIT_PU = 1e-4;

/**
 * How far the AC power flow is from the linear model at a node that the model has at a limit, pu; 0 elsewhere.
 *
 * A dispatch is the optimum of the AC power flow only where each of these nodes is at its limit in both: one that lies below
 * it there gives power away, whatever the highest voltage is.
 *
 * @param acSquaredPu - of the AC power flow
 * @param modelSquaredPu - of the linear model that the dispatch was found with, its correction included
 */
export function bindingErrorPu(acSquaredPu: number, modelSquaredPu: number, { minPu, maxPu }: VoltageLimits): number {
  const modelPu = Math.sqrt(Math.max(0, modelSquaredPu));
  if (modelPu < maxPu - AT_LIMIT_PU && modelPu > minPu + AT_LIMIT_PU) return 0;
  return Math.abs(Math.sqrt(Math.max(0, acSquaredPu)) - modelPu);
}
