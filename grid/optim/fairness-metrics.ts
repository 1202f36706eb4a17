/*
 * How evenly a burden (or a benefit) is shared, and what the evenness costs.
 *
 * Jain: (sum x)^2 / (n sum x^2), 1 when all are equal, 1/n when one has all. Gini: mean absolute difference over twice the
 * mean, 0 when all are equal. The two may rank dispatches differently, and the index of what is curtailed (alpha) differs
 * from that of what is served (1 - alpha): all four are reported.
 * Sources: Jain, Chiu and Hawe (1984), DEC-TR-301; Gini (1912) in the sorted form of Sen (1973).
 */

/** Jain's index of non-negative values; 1 for no values or all zero. */
export function jainIndex(values: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i]!;
    squares += values[i]! ** 2;
  }
  return squares > 0 ? sum ** 2 / (values.length * squares) : 1;
}

/** Gini coefficient of non-negative values; 0 for no values or all zero. */
export function giniCoefficient(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < n; i++) {
    sum += sorted[i]!;
    weighted += (2 * (i + 1) - n - 1) * sorted[i]!;
  }
  // Equal values leave rounding of either sign.
  return sum > 0 ? Math.max(0, weighted / (n * sum)) : 0;
}

/** Mean of the largest tenth of the values (at least one). */
export function worstDecile(values: ArrayLike<number>): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort().reverse();
  const count = Math.max(1, Math.ceil(sorted.length / 10));
  return sorted.subarray(0, count).reduce((sum, v) => sum + v, 0) / count;
}

/** Fairness of one dispatch. */
export interface FairnessReport {
  readonly alpha: { readonly min: number; readonly max: number; readonly mean: number };
  readonly jain: { readonly alpha: number; readonly served: number };
  readonly gini: { readonly alpha: number; readonly served: number };
  /** Mean alpha of the tenth of the units that are curtailed most. */
  readonly worstDecileAlpha: number;
}

/** Fractions nearer than this to nothing or everything are what solvers leave of those: shares of nothing are no unevenness. */
const LEAST_ALPHA = 1e-6;

/** Report over the units' curtailed fractions. */
export function fairnessReport(alpha: ArrayLike<number>): FairnessReport {
  const values = Float64Array.from(alpha, (a) =>
    Math.abs(a) < LEAST_ALPHA ? 0 : Math.abs(1 - a) < LEAST_ALPHA ? 1 : a,
  );
  const served = values.map((a) => 1 - a);
  const n = values.length;
  return {
    alpha: {
      min: n > 0 ? values.reduce((a, b) => Math.min(a, b)) : 0,
      max: n > 0 ? values.reduce((a, b) => Math.max(a, b)) : 0,
      mean: n > 0 ? values.reduce((a, b) => a + b) / n : 0,
    },
    jain: { alpha: jainIndex(values), served: jainIndex(served) },
    gini: { alpha: giniCoefficient(values), served: giniCoefficient(served) },
    worstDecileAlpha: worstDecile(values),
  };
}

/**
 * What fairness costs: curtailment above the least possible, as a share of what is available. Less than a watt is the tolerance
 * of both and counts as none.
 *
 * @param curtailedW - of the dispatch
 * @param leastCurtailedW - of the `total` optimum
 */
export function priceOfFairness(curtailedW: number, leastCurtailedW: number, availableW: number): number {
  const aboveW = curtailedW - leastCurtailedW;
  return availableW > 0 && Math.abs(aboveW) >= 1 ? aboveW / availableW : 0;
}
