/*
 * Fairness over time: who was served less than others so far counts for more in the next interval.
 *
 * Solved: factors w_i of mode `feedback`, w_i <- w_i exp(gain (E - E_i)), E_i the served share of unit i's available energy
 *         over a window of past intervals and E that of all units together.
 * Steps: 1. the interval joins the window, the oldest leaves it; 2. served shares over the window; 3. factors, kept inside
 *        their bounds and scaled so that their mean is one.
 * Cost: O(units) per interval of the window. Fails: never; units without available energy keep their factor.
 * Source: Gupta and Molzahn, arXiv 2404.00394 (feedback weights); multiplicative weights, Arora, Hazan and Kale (2012),
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
  /** How strongly a difference of served shares acts in one interval. */
  readonly gain: number;
  /** Bounds of factors. */
  readonly least: number;
  readonly most: number;
}

/** Defaults: a day of quarter-hours; a unit served 10 % less than all gains a fifth of weight per interval, up to twentyfold. */
export const FEEDBACK_DEFAULTS: FeedbackSettings = { window: 96, gain: 2, least: 0.05, most: 20 };

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

/** The state after an interval. */
export function advanceFeedback(
  state: FeedbackState,
  interval: FeedbackInterval,
  settings: Partial<FeedbackSettings> = {},
): FeedbackState {
  const { window, gain, least, most } = { ...FEEDBACK_DEFAULTS, ...settings };
  const intervals = [...state.intervals, interval].slice(-window);
  const sum = (of: 'availableWh' | 'servedWh') =>
    intervals.reduce((all, one) => all + Object.values(one[of]).reduce((a, b) => a + b, 0), 0);
  const availableWh = sum('availableWh');
  const mean = availableWh > 0 ? sum('servedWh') / availableWh : 1;
  const factors = new Map(Object.entries(state.factors));
  for (const [id, share] of servedShares({ intervals })) {
    const factor = (factors.get(id) ?? 1) * Math.exp(gain * (mean - share));
    factors.set(id, Math.min(most, Math.max(least, factor)));
  }
  const scale = factors.size / [...factors.values()].reduce((a, b) => a + b, 0);
  return { intervals, factors: Object.fromEntries([...factors].map(([id, factor]) => [id, factor * scale])) };
}
