/*
 * The powers of steps that are solved side by side, by lane: where every share draws its base times a multiplier, the kernel works
 * them out, and the arrays are written when somebody looks at them alone; else the schedule writes them.
 */
import type { LaneSolver } from '../kernel/lane-solver.js';
import type { DeviceSchedule } from './device-schedule.js';
import type { StartState } from './start-state.js';

/** What is drawn in a lane. */
export interface DrawnPowers {
  /** Consumption of all loads while they draw their powers, W; undefined where nobody has summed it. */
  readonly loadW: number | undefined;
  /** Consumption of the shares, W and var. */
  readonly powerW: () => Float64Array;
  readonly powerVar: () => Float64Array;
}

/** Powers of the steps in some lanes. */
export class StepPowers {
  private readonly arrayW: readonly Float64Array[];
  private readonly arrayVar: readonly Float64Array[];
  /** Step of each lane, and whether its powers stand in the arrays. */
  private readonly step: Int32Array;
  private readonly isWritten: Uint8Array;

  constructor(
    shares: number,
    readonly width: number,
    private schedule: DeviceSchedule,
  ) {
    const arrays = () => Array.from({ length: width }, () => new Float64Array(shares));
    [this.arrayW, this.arrayVar] = [arrays(), arrays()];
    this.step = new Int32Array(width);
    this.isWritten = new Uint8Array(width);
  }

  /** Follows another schedule from now on. */
  follow(schedule: DeviceSchedule): void {
    this.schedule = schedule;
    this.isWritten.fill(0);
  }

  /** Takes a step into a lane. Units look at what they carry, so steps come in order. */
  take(lane: number, step: number): void {
    this.step[lane] = step;
    this.isWritten[lane] = 0;
    if (!this.schedule.draws) this.write(lane);
  }

  private write(lane: number): void {
    if (this.isWritten[lane] !== 0) return;
    this.schedule.write(this.step[lane]!, this.arrayW[lane]!, this.arrayVar[lane]!);
    this.isWritten[lane] = 1;
  }

  /** Consumption of the shares in a lane, W. */
  powerW(lane: number): Float64Array {
    this.write(lane);
    return this.arrayW[lane]!;
  }

  /** The same, var. */
  powerVar(lane: number): Float64Array {
    this.write(lane);
    return this.arrayVar[lane]!;
  }

  /** Gives a lane of a solver the powers of a lane here. */
  give(start: StartState, solver: LaneSolver, solverLane: number, lane: number): void {
    const { schedule } = this;
    if (schedule.draws && start.takesDraws(solver, schedule.draws)) {
      schedule.prepareDraws(this.step[lane]!);
      start.follow(solver, solverLane, schedule.draws);
    } else {
      start.give(solver, solverLane, this.powerW(lane), this.powerVar(lane));
    }
  }

  /** What is drawn in a lane. */
  drawn(lane: number, loadW: number): DrawnPowers {
    return { loadW, powerW: () => this.powerW(lane), powerVar: () => this.powerVar(lane) };
  }
}
