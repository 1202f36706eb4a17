import { DecError } from '../../math/index.js';
import { DAY_S, type ForecastTable } from './forecast-table.js';

/*
 * Forecasts on the steps of a horizon, energy kept exactly.
 *
 * Solved: the mean of a forecast over each step, that is the integral over the step divided by its length. `held` takes a
 *         row's value as constant until the next row; `linear` takes it as a sample on straight lines between rows.
 *         Whatever the steps, the sum of mean times length is the integral of the forecast over the horizon.
 * Steps: 1. running integral at the rows' edges; 2. its difference between a step's ends, found by bisection; a daily
 *        forecast repeats.
 * Cost: O(rows + steps log rows).
 * Fails: when the horizon leaves the forecast, with the time it ends.
 */

/** Steps of equal length. */
export interface HorizonSteps {
  /** Begin of the first step: seconds after midnight, or epoch seconds for calendars, s. */
  readonly startS: number;
  readonly stepS: number;
  readonly steps: number;
}

/** What a forecast holds between its rows. */
export type ForecastShape = 'held' | 'linear';

/**
 * Means of one column over the steps of a horizon.
 *
 * @param values - a column of the table, one value per row
 * @throws DecError `BAD_ARGUMENT` when the horizon is not inside the forecast
 */
export function resample(
  table: ForecastTable,
  values: Float64Array,
  { startS, stepS, steps }: HorizonSteps,
  shape: ForecastShape = 'held',
): Float64Array {
  const { edgesS, clock } = table;
  const n = values.length;
  const running = new Float64Array(n + 1);
  const next = (r: number) => (r + 1 < n ? values[r + 1]! : clock === 'day' ? values[0]! : values[r]!);
  for (let r = 0; r < n; r++) {
    const mean = shape === 'held' ? values[r]! : (values[r]! + next(r)) / 2;
    running[r + 1] = running[r]! + mean * (edgesS[r + 1]! - edgesS[r]!);
  }
  const begin = edgesS[0]!;
  const end = edgesS[n]!;
  // Elapsed time begins with the horizon, whatever the hour.
  const originS = clock === 'elapsed' ? 0 : startS;
  const lastS = originS + steps * stepS;
  if (clock !== 'day' && (originS < begin - 1e-6 || lastS > end + 1e-6)) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The forecast ${table.file} goes from ${begin} s to ${end} s; the horizon needs ${originS} s to ${lastS} s. Give a longer forecast or a shorter horizon.`,
      { file: table.file, fromS: begin, toS: end, neededFromS: originS, neededToS: lastS },
    );
  }
  const integral = (timeS: number): number => {
    let t = timeS;
    let whole = 0;
    if (clock === 'day') {
      const days = Math.floor((t - begin) / DAY_S);
      whole = days * running[n]!;
      t -= days * DAY_S;
    }
    t = Math.min(Math.max(t, begin), end);
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (edgesS[middle]! <= t) low = middle;
      else high = middle - 1;
    }
    const into = t - edgesS[low]!;
    const slope = shape === 'held' ? 0 : (next(low) - values[low]!) / (edgesS[low + 1]! - edgesS[low]!);
    return whole + running[low]! + values[low]! * into + (slope * into * into) / 2;
  };
  const means = new Float64Array(steps);
  let before = integral(originS);
  for (let t = 0; t < steps; t++) {
    const after = integral(originS + (t + 1) * stepS);
    means[t] = (after - before) / stepS;
    before = after;
  }
  return means;
}
