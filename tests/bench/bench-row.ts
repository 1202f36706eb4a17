/** What a benchmark reports. */

/** Samples of one side in one round, seconds a unit of work. */
export interface SideRun {
  /** Name and version. */
  readonly version: string;
  readonly seconds: readonly number[];
}

/** Five numbers of many samples, seconds. */
export interface Spread {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** Whether the peer stood beside us, was not there, or the row has none. */
export type PeerState = 'measured' | 'absent' | 'none';

/** One row of the report. */
export interface BenchRow {
  /** Goal, e.g. `G1`, and what exactly was measured. */
  readonly id: string;
  readonly subject: string;
  /** What one unit of work is. */
  readonly unit: string;
  readonly ours: Spread;
  readonly peer?: { readonly version: string } & Spread;
  readonly peerState: PeerState;
  /** Peer's time over ours: median of the rounds' ratios, and the worst round. Above 1 we are faster. */
  readonly ratio?: { readonly median: number; readonly worst: number };
  /** The lesser of that median and of the ratio of processor time: what levels and thresholds go by. */
  readonly fairRatio?: number;
  /** What the timing rests on: largest difference and its limit; a row beyond the limit has no ratio. */
  readonly deviation?: { readonly value: number; readonly limit: number; readonly what: string };
  /** Goals of performance.md, section 8, as a ratio or as seconds, and the best that was reached. */
  readonly goal?: Goal;
  readonly level?: Level;
  /** Spread of our own rounds' medians: what two runs of the same thing differ by. */
  readonly ownSpreadPct: number;
  /** Further figures: bytes, exponents, projected times. */
  readonly figures: Readonly<Record<string, number | string>>;
  readonly note?: string;
}

/** A level reached of a goal. */
export type Level = 'peak' | 'lead' | 'must' | 'below';

/** Thresholds of a goal: `ratio` at least, or `seconds` at most for the whole. */
export interface Goal {
  readonly by: 'ratio' | 'seconds' | 'deviation' | 'exponent' | 'bytes' | 'rounds';
  readonly must: number;
  /** Absent where only one threshold was set. */
  readonly lead?: number;
  readonly peak?: number;
}

/** Level a value reaches. */
export function levelOf(goal: Goal, value: number): Level {
  const isReached = (threshold = Number.NaN) => (goal.by === 'ratio' ? value >= threshold : value <= threshold);
  if (isReached(goal.peak)) return 'peak';
  if (isReached(goal.lead)) return 'lead';
  return isReached(goal.must) ? 'must' : 'below';
}

/** Five numbers of samples. */
export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
  return { n: sorted.length, min: at(0), median: median(sorted), p95: at(0.95), max: at(1) };
}

/** Middle value of samples. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Slope of log(y) over log(x) by least squares: the exponent of a power law. */
export function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (k: 0 | 1) => logs.reduce((sum, point) => sum + point[k], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const up = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const down = logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return up / down;
}
