/* Takes up what is measured on lanes, step after step: those of several lanes at once, those of a single lane when some are kept. */
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

  /** Measures solved lanes: steps that follow one another. After it {@link moveOn}, once all has been read off them. */
  measure(gauge: LaneGauge, firstLane: number, count: number, step: number): void {
    const { narrow, nodes, branches } = this;
    const { kept, firstKept } = narrow;
    if (gauge.isKeeping) {
      if (kept > 0 && step !== firstKept + kept) {
        this.finish();
        narrow.begin(kept);
      }
      gauge.keep(step);
    } else {
      this.finish();
      gauge.measure();
      nodes.take(gauge, firstLane, count, step);
      branches.take(gauge, firstLane, count, step);
    }
    nodes.keep(gauge.solver, firstLane, count, step);
  }

  /** Makes room for the next step in the single lane. */
  moveOn(gauge: LaneGauge): void {
    if (!gauge.isKeeping) return;
    if (gauge.isFull) this.finish();
    gauge.moveOn();
  }

  /** Takes up the steps that are kept. */
  finish(): void {
    const { narrow, nodes, branches } = this;
    const { kept, firstKept } = narrow;
    if (kept === 0) return;
    narrow.measureKept();
    nodes.take(narrow, 0, kept, firstKept);
    branches.take(narrow, 0, kept, firstKept);
    narrow.forget();
  }
}
