import type { Feeder } from '../../grid/model/index.js';
import { coordinateInProcess, type LocalInputs, type PrimaryState } from '../../grid/optim/index.js';
import type { RunSettings } from './run-result.js';

/** Curtailment of the least-curtailment optimum, W; undefined when no dispatch holds the limits. */
export type LeastCurtailment = (inputs: LocalInputs, state: PrimaryState) => number | undefined;

/**
 * The yardstick of fairness: the least curtailment that keeps the limits, by the central optimum in one hand, moved onto
 * the AC power flow. It needs the whole feeder and all inputs, which is why it stands in the audit and not in the
 * coordinator.
 */
export function leastCurtailment(
  feeder: Feeder,
  { limits }: RunSettings,
  warn: (text: string) => void,
): LeastCurtailment {
  return (inputs, state) => {
    const { status, statusText, curtailedW } = coordinateInProcess({
      feeder,
      inputs,
      state,
      settings: { limits, fairness: 'total' },
      method: 'central',
    });
    if (status === 'nothingToDo') return 0;
    if (status === 'optimal') return curtailedW;
    warn(`The price of fairness is not known: ${statusText}`);
    return undefined;
  };
}
