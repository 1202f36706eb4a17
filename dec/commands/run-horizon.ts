import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { RunHorizon, RunOutlook, RunSettings } from '../coordinator/index.js';
import { outlookOf, type PlanOptions, windowOf } from './coordinate-horizon.js';
import type { RuleOptions } from './rule-options.js';

/** Options of a live run that plans look at. */
type LivePlanOptions = PlanOptions &
  RuleOptions & { readonly interval: number; readonly loadMultiplier: number; readonly pvMultiplier: number };

/**
 * How a run plans ahead; undefined when it does not.
 *
 * @param isOnLine - whether an option stands on the command line itself, by its name in code
 * @throws DecError `BAD_ARGUMENT` where options contradict one another
 */
export function liveHorizon(options: LivePlanOptions, isOnLine: (option: string) => boolean): RunHorizon | undefined {
  const { horizon, step, end, endValue, efficiency, reserve, curtailmentWeight, fairness, reactive } = options;
  if (horizon === undefined) return undefined;
  const refuse = (message: string): never => {
    throw new DecError('BAD_ARGUMENT', message);
  };
  if (fairness !== 'proportional') {
    refuse(`Plans over a horizon share the sun in proportion; leave out --fairness ${fairness}, or --horizon.`);
  }
  if (reactive !== 'none') refuse(`Plans over a horizon have no reactive power; leave out --reactive ${reactive}.`);
  if (isOnLine('interval') && options.interval !== step) {
    refuse(`With --horizon an interval is a step: --interval ${options.interval} s is not --step ${step} s.`);
  }
  const { steps } = windowOf({ step, start: 0 }, horizon);
  return {
    stepS: step,
    steps,
    end,
    ...(endValue === undefined ? {} : { endValuePerKwh: endValue }),
    efficiency,
    reserve,
    fairnessPerKwh: curtailmentWeight,
  };
}

/** Prices and forecasts of a run that plans ahead, from its start to the end of the last plan. */
export function liveOutlook(
  feeder: Feeder,
  options: LivePlanOptions,
  { stepS, steps }: RunHorizon,
  { intervals, startTime }: Pick<RunSettings, 'intervals' | 'startTime'>,
): RunOutlook {
  // One more than there are intervals: the first output may come a step after the start.
  const window = { startS: startTime, stepS, steps: intervals + steps + 1 };
  const { loadForecast: load, pvForecast: pv } = options;
  const { importPrice, exportPrice, loads, availableW } = outlookOf(feeder, options, window, { load, pv });
  return {
    importPrice,
    exportPrice,
    ...(load === undefined ? {} : { loads }),
    ...(pv === undefined ? {} : { availableW }),
  };
}
