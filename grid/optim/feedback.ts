/*
 * Fairness over time: who was served less than others so far counts for more in the next interval.
 *
 * Solved: factors w_i of mode `feedback`, w_i = exp(gain (E - E_i)), E_i the served share of unit i's available energy over a
 *         window of past intervals and E that of all units together. The shares are the integral of what was served, so the
 *         law is proportional to them: one that multiplies up its own last factors integrates twice and swings ever wider.
 * Steps: 1. the interval joins the window, the oldest leaves it; 2. served shares over the window; 3. factors due, kept inside
 *        their bounds and scaled to mean one; 4. each moves towards its own by the slew at most, and all are scaled again.
 *        Scaled before the slew: what all have in common is no change, and would use it up and freeze what differs.
 * Cost: O(units) per interval of the window. Fails: never; units without available energy keep their factor.
 * Source: Gupta and Molzahn, arXiv 2404.00394 (feedback weights); exponential weights, Arora, Hazan and Kale (2012),
 *         Theory of Computing 8.
 */

/** Energies of one interval by PV id, Wh. */
export interface FeedbackInterval {
  readonly availableWh: Readonly<Record<string, number>>;
  readonly servedWh: Readonly<Record<string, number>>;
}

/** What is kept between intervals; plain JSON. */
export interface FeedbackState {
  /** Newest last. */
  readonly intervals: readonly FeedbackInterval[];
  /** By PV id, mean 1. */
  readonly factors: Readonly<Record<string, number>>;
}

/** Settings of the window. */
export interface FeedbackSettings {
  /** Intervals that count; 96 quarter-hours are a day. */
  readonly window: number;
  /** Natural logarithm of the factor for each unit of difference between served shares. */
  readonly gain: number;
  /** Most that the natural logarithm of a factor changes in one interval, before the last scaling. */
  readonly slew: number;
  /** Bounds of factors before they are scaled to mean one. */
  readonly least: number;
  readonly most: number;
}

/** Defaults: a day of quarter-hours; a unit served 10 % less than all comes to 7.4 times the weight, by a fifth per interval. */
export const FEEDBACK_DEFAULTS: FeedbackSettings = { window: 96, gain: 20, slew: 0.2, least: 0.05, most: 20 };

/** Nothing has happened yet. */
export const FEEDBACK_START: FeedbackState = { intervals: [], factors: {} };

/** Served share of each unit's available energy over the window; units without available energy are left out. */
export function servedShares({ intervals }: Pick<FeedbackState, 'intervals'>): Map<string, number> {
  const available = new Map<string, number>();
  const served = new Map<string, number>();
  for (const interval of intervals) {
    for (const [id, energyWh] of Object.entries(interval.availableWh)) {
      available.set(id, (available.get(id) ?? 0) + energyWh);
      served.set(id, (served.get(id) ?? 0) + (interval.servedWh[id] ?? 0));
    }
  }
  const shares = new Map<string, number>();
  for (const [id, energyWh] of available) if (energyWh > 0) shares.set(id, served.get(id)! / energyWh);
  return shares;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Factors with mean one. */
function scaled(factors: ReadonlyMap<string, number>): Map<string, number> {
  const scale = factors.size / [...factors.values()].reduce((a, b) => a + b, 0);
  return new Map([...factors].map(([id, factor]) => [id, factor * scale]));
}

/** The state after an interval. */
export function advanceFeedback(
  state: FeedbackState,
  interval: FeedbackInterval,
  settings: Partial<FeedbackSettings> = {},
): FeedbackState {
  const { window, gain, slew, least, most } = { ...FEEDBACK_DEFAULTS, ...settings };
  const intervals = [...state.intervals, interval].slice(-window);
  const sum = (of: 'availableWh' | 'servedWh') =>
    intervals.reduce((all, one) => all + Object.values(one[of]).reduce((a, b) => a + b, 0), 0);
  const availableWh = sum('availableWh');
  const mean = availableWh > 0 ? sum('servedWh') / availableWh : 1;
  const factors = new Map(Object.entries(state.factors));
  const shares = [...servedShares({ intervals })];
  const due = scaled(new Map(shares.map(([id, share]) => [id, clamp(Math.exp(gain * (mean - share)), least, most)])));
  for (const [id, factor] of due) {
    const last = Math.log(factors.get(id) ?? 1);
    factors.set(id, Math.exp(clamp(Math.log(factor), last - slew, last + slew)));
  }
  return { intervals, factors: Object.fromEntries(scaled(factors)) };
}
