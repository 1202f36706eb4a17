/*
 * Loading of rated branches over a piece of a series: the largest conductor current at the first terminal over the rating, as
 * a snapshot reports it; measured by lane-gauge.ts.
 */
import { BLOCK, type MeasuredSteps, MOST_STEPS } from './lane-gauge.js';
import { type PackedHistogram, ValueHistogram } from './value-histogram.js';

/** Width of a bin of the distribution of loadings, %: percentiles are off by half of it at most. */
export const LOADING_BIN_PCT = 1;

/** What is known of the rated branches over some steps. */
export interface BranchFigures {
  readonly maxPct: Float64Array;
  readonly maxStep: Int32Array;
  readonly sumPct: Float64Array;
  /** Steps above the rating. */
  readonly overSteps: Int32Array;
  readonly histogram: PackedHistogram;
}

/** Records the loadings of the steps of one piece after the other. */
export class BranchRecorder {
  private readonly maxPct: Float64Array;
  private readonly maxStep: Int32Array;
  private readonly sumPct: Float64Array;
  private readonly overSteps: Int32Array;
  private readonly histogram: ValueHistogram;
  constructor(count: number) {
    this.maxPct = new Float64Array(count);
    this.maxStep = new Int32Array(count);
    this.sumPct = new Float64Array(count);
    this.overSteps = new Int32Array(count);
    this.histogram = new ValueHistogram(count, LOADING_BIN_PCT);
  }

  /** Begins a piece. */
  begin(): void {
    this.maxPct.fill(Number.NEGATIVE_INFINITY);
    this.maxStep.fill(0);
    this.sumPct.fill(0);
    this.overSteps.fill(0);
    this.histogram.clear();
  }

  /** Takes up measured steps in the order of time. */
  takeUp(measured: MeasuredSteps): void {
    const { maxPct, maxStep, sumPct, overSteps, histogram } = this;
    const { count, step } = measured;
    const pcts = new Float64Array(BLOCK * MOST_STEPS);
    for (let b = 0; b < maxPct.length; b++) {
      const inBlock = b % BLOCK;
      if (inBlock === 0) measured.loadings(b, Math.min(BLOCK, maxPct.length - b), pcts);
      const first = inBlock * MOST_STEPS;
      let sum = sumPct[b]!;
      let most = maxPct[b]!;
      let over = overSteps[b]!;
      for (let k = 0; k < count; k++) {
        const pct = pcts[first + k]!;
        sum += pct;
        if (pct > 100) over++;
        if (pct > most) {
          most = pct;
          maxStep[b] = step[k]!;
        }
      }
      sumPct[b] = sum;
      maxPct[b] = most;
      overSteps[b] = over;
      histogram.addAll(b, pcts, first, first + count);
    }
  }

  /** What was found in the piece. */
  figures(): BranchFigures {
    const { maxPct, maxStep, sumPct, overSteps, histogram } = this;
    return {
      maxPct: maxPct.slice(),
      maxStep: maxStep.slice(),
      sumPct: sumPct.slice(),
      overSteps: overSteps.slice(),
      histogram: histogram.pack(),
    };
  }
}
