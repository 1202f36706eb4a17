/* Takes up what is measured on lanes, step after step: several lanes at once, single lanes when some steps of them are kept. */
import type { BranchRecorder } from './branch-recorder.js';
import type { LaneGauge } from './lane-gauge.js';
import type { NodeRecorder } from './node-recorder.js';

/** Hands steps from the gauges to the recorders, in the order of time. */
export class StepUptake {
  /** @param narrow - gauge of the single lane */
  constructor(
    private readonly nodes: NodeRecorder,
    private readonly branches: BranchRecorder,
    private readonly narrow: LaneGauge,
  ) {}

  /** Begins a piece. */
  begin(firstStep: number, steps: number): void {
    this.nodes.begin(firstStep, steps);
    this.branches.begin();
    this.narrow.forget();
  }

  /** Measures solved lanes: steps that follow one another. */
  measure(gauge: LaneGauge, firstLane: number, count: number, step: number): void {
    const { narrow, nodes } = this;
    if (!gauge.isKeeping) {
      this.finish();
      gauge.measure();
      this.take(gauge, firstLane, count, step);
    } else {
      if (step !== narrow.firstKept + narrow.kept) this.finish();
      gauge.keep(step);
      if (gauge.isFull) this.finish();
    }
    nodes.keep(gauge.solver, firstLane, count, step);
  }

  /** Takes up the steps that are kept. */
  finish(): void {
    const { narrow } = this;
    if (narrow.kept > 0) this.take(narrow, 0, narrow.kept, narrow.firstKept);
    narrow.forget();
  }

  private take(gauge: LaneGauge, firstLane: number, count: number, step: number): void {
    this.nodes.take(gauge, firstLane, count, step);
    this.branches.take(gauge, firstLane, count, step);
  }
}
