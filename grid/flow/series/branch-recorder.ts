/*
 * Loading of rated branches over a piece of a series: the largest conductor current at the first terminal over the rating, as
 * a snapshot reports it; measured by lane-gauge.ts.
 */
import type { FigureRoom } from '../kernel/figure-room.js';
import { type PackedHistogram, ValueTally } from '../kernel/tally.js';
import type { LaneGauge } from './lane-gauge.js';
import { MOST_LANES } from './start-state.js';

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
  private readonly tally: ValueTally;

  private readonly count: number;

  /** @param branchOf - number of the branch at each place of the gauge */
  constructor(private readonly branchOf: Int32Array) {
    const count = branchOf.length;
    this.count = count;
    const plan = { count, width: MOST_LANES, perBin: 1 / LOADING_BIN_PCT, limit: 100 };
    this.tally = new ValueTally(plan);
  }

  /** Begins a piece. */
  begin(): void {
    this.tally.begin();
  }

  /** Takes up the lanes, or kept steps, that a gauge has just measured: steps that follow one another. */
  take(gauge: LaneGauge, firstLane: number, lanes: number, step: number): void {
    const { values, loadingAt, width, loadingPitch } = gauge;
    this.tally.take(values, loadingAt, width, firstLane, lanes, step, loadingPitch);
  }

  /** What was found in the piece, in a room. */
  figures(room: FigureRoom): BranchFigures {
    const { branchOf, count, tally } = this;
    const doubles = (figure: 'sum' | 'max') => tally.gather(figure, branchOf, room.doubles(count));
    const wholes = (figure: 'maxStep' | 'over') => tally.gather(figure, branchOf, room.wholes(count));
    return {
      maxPct: doubles('max'),
      maxStep: wholes('maxStep'),
      sumPct: doubles('sum'),
      overSteps: wholes('over'),
      histogram: tally.pack(room, branchOf),
    };
  }
}
