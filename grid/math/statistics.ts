import { DecError } from './dec-error.js';

/** Arithmetic mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Sample standard deviation (n - 1); 0 of fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  const running = new RunningStatistics();
  for (let i = 0; i < values.length; i++) running.add(values[i]!);
  return running.standardDeviation;
}

/**
 * Quantile by linear interpolation between order statistics (Hyndman and Fan 1996, type 7, as in R and NumPy).
 *
 * @param values - at least one, in any order
 * @param p - 0 to 1
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  if (values.length === 0 || !(p >= 0 && p <= 1)) {
    throw new DecError(
      'BAD_ARGUMENT',
      `quantile() needs values and p from 0 to 1, not ${values.length} values and ${p}.`,
      {
        count: values.length,
        p,
      },
    );
  }
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * p;
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (place - below) * (high - low);
}

/**
 * Confidence interval of a probability from a count of successes (Wilson 1927): sound also for 0 and for all.
 *
 * @param z - standard score; 1.96 for 95 %
 * @returns lower and upper bound
 */
export function wilsonInterval(successes: number, trials: number, z = 1.959963984540054): readonly [number, number] {
  if (!(trials > 0) || successes < 0 || successes > trials) {
    throw new DecError(
      'BAD_ARGUMENT',
      `wilsonInterval() needs 0 <= successes <= trials, not ${successes} of ${trials}.`,
      {
        successes,
        trials,
      },
    );
  }
  const share = successes / trials;
  const zz = (z * z) / trials;
  const centre = (share + zz / 2) / (1 + zz);
  const half = (z * Math.sqrt((share * (1 - share)) / trials + zz / (4 * trials))) / (1 + zz);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Count, mean, deviation and extremes of a stream of values without keeping them (Welford 1962). */
export class RunningStatistics {
  private n = 0;
  private average = 0;
  private squares = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    this.n++;
    const delta = value - this.average;
    this.average += delta / this.n;
    this.squares += delta * (value - this.average);
    if (value < this.least) this.least = value;
    if (value > this.most) this.most = value;
  }

  /** Takes in another stream as if its values had been added here (Chan, Golub and LeVeque 1983). */
  merge(other: RunningStatistics): void {
    if (other.n === 0) return;
    const total = this.n + other.n;
    const delta = other.average - this.average;
    this.squares += other.squares + (delta * delta * this.n * other.n) / total;
    this.average += (delta * other.n) / total;
    this.n = total;
    this.least = Math.min(this.least, other.least);
    this.most = Math.max(this.most, other.most);
  }

  get count(): number {
    return this.n;
  }

  /** NaN of nothing. */
  get mean(): number {
    return this.n > 0 ? this.average : Number.NaN;
  }

  /** Sample standard deviation (n - 1); 0 of fewer than two values. */
  get standardDeviation(): number {
    return this.n > 1 ? Math.sqrt(this.squares / (this.n - 1)) : 0;
  }

  /** Infinity of nothing. */
  get min(): number {
    return this.least;
  }

  /** Minus infinity of nothing. */
  get max(): number {
    return this.most;
  }
}
