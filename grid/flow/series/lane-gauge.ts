/*
 * What is read off the lanes of one solver: magnitudes of all nodes and loadings of the rated branches, by the kernel.
 *
 * Results stay in slots of the kernel's buffer until they are taken up, so that what is known of a node or branch is fetched
 * once for many steps.
 */
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { HEADER, slotBytes } from '../kernel/layout.js';
import type { BranchRows } from './branch-rows.js';

/** Steps that wait at most. */
export const MOST_STEPS = 32;

/** Nodes or branches that are taken up together, so that their values stay in the nearest cache. */
export const BLOCK = 32;

/** Steps that were measured and where their results stand, in the order of time. */
export class MeasuredSteps {
  count = 0;
  /** By place in the order of time: the step; the buffer, positions of the first node and branch in it, distance to the next. */
  readonly step = new Int32Array(MOST_STEPS);
  readonly buffer: Float64Array[] = [];
  readonly magnitudeAt = new Int32Array(MOST_STEPS);
  readonly loadingAt = new Int32Array(MOST_STEPS);
  readonly width = new Int32Array(MOST_STEPS);

  add(step: number, buffer: Float64Array, magnitudeAt: number, loadingAt: number, width: number): void {
    const k = this.count++;
    this.step[k] = step;
    this.buffer[k] = buffer;
    this.magnitudeAt[k] = magnitudeAt;
    this.loadingAt[k] = loadingAt;
    this.width[k] = width;
  }

  /**
   * Gathers the magnitudes of `count` nodes of the kernel, at most {@link BLOCK}, at all steps, pu.
   *
   * @param into - `[node * MOST_STEPS + step]`
   */
  magnitudes(firstPlace: number, count: number, into: Float64Array): void {
    this.gather(this.magnitudeAt, firstPlace, count, into);
  }

  /** The same for loadings of branches, %. */
  loadings(firstBranch: number, count: number, into: Float64Array): void {
    this.gather(this.loadingAt, firstBranch, count, into);
  }

  private gather(at: Int32Array, first: number, count: number, into: Float64Array): void {
    for (let k = 0; k < this.count; k++) {
      const from = this.buffer[k]!;
      const width = this.width[k]!;
      let t = at[k]! + first * width;
      for (let to = k, end = k + count * MOST_STEPS; to < end; to += MOST_STEPS, t += width) into[to] = from[t]!;
    }
  }
}

/** Measures the lanes of a solver. */
export class LaneGauge {
  private slot = -1;
  private readonly slots: number;
  private readonly magnitudeBytes: number;
  private readonly loadingBytes: number;
  private readonly used: (object | undefined)[];

  /** @param solver - one with a gauge in its buffer, for these rows */
  constructor(
    private readonly core: FlowCore,
    private readonly solver: LaneSolver,
    private readonly rows: BranchRows,
  ) {
    const { header, words, voltages, structure, gauge, width } = solver;
    this.slots = gauge?.slots ?? 0;
    [this.magnitudeBytes, this.loadingBytes] = gauge ? slotBytes(structure, gauge, width) : [0, 0];
    const weight = header[HEADER.gaugeWeightAt]! >> 3;
    core.inverseBase.forEach((perVolt, node) => {
      voltages[weight + solver.placeOf(node)] = perVolt;
    });
    const { count, rowStart, entryStart, place, perAmpere } = rows;
    const differences = (starts: Int32Array, at: number) => {
      for (let t = 0; t + 1 < starts.length; t++) words[at + t] = starts[t + 1]! - starts[t]!;
    };
    differences(rowStart, header[HEADER.branchRowsAt]! >> 2);
    differences(entryStart, header[HEADER.rowEntriesAt]! >> 2);
    words.set(place, header[HEADER.entryPlaceAt]! >> 2);
    voltages.set(perAmpere, header[HEADER.branchScaleAt]! >> 3);
    this.used = new Array<object | undefined>(count).fill(undefined);
    for (let b = 0; b < count; b++) this.take(b);
  }

  /** True when the next measurement would write over the first that was not taken up. */
  get isFull(): boolean {
    return this.slot + 1 >= this.slots;
  }

  /** Frees all slots. */
  clear(): void {
    this.slot = -1;
  }

  /**
   * Measures all lanes as they are now, at the present taps.
   *
   * @param firstLane - the first lane that counts
   * @param lanes - how many count
   * @param step - step of the first
   * @param to - where they are noted
   */
  measure(firstLane: number, lanes: number, step: number, to: MeasuredSteps): void {
    const { solver, rows, magnitudeBytes, loadingBytes } = this;
    for (const b of rows.tapped) this.take(b);
    this.slot++;
    const magnitudeAt = solver.header[HEADER.magnitudeAt]! + this.slot * magnitudeBytes;
    const loadingAt = solver.header[HEADER.loadingAt]! + this.slot * loadingBytes;
    solver.words[HEADER.magnitudeAt] = magnitudeAt;
    solver.words[HEADER.loadingAt] = loadingAt;
    solver.kernel.magnitudes();
    solver.kernel.loadings();
    for (let lane = 0; lane < lanes; lane++) {
      const at = firstLane + lane;
      to.add(step + lane, solver.voltages, (magnitudeAt >> 3) + at, (loadingAt >> 3) + at, solver.width);
    }
  }

  /** Takes over the admittances of a branch where they are new. */
  private take(b: number): void {
    const { rows, used, solver, core } = this;
    const { elements, rowStart, entryStart, conductor, column } = rows;
    const primitive = core.network.primitives[elements[b]!]!;
    if (used[b] === primitive) return;
    used[b] = primitive;
    const { n, re, im } = primitive.y;
    const F = solver.voltages;
    const at = solver.header[HEADER.entryValueAt]! >> 3;
    for (let row = rowStart[b]!; row < rowStart[b + 1]!; row++) {
      for (let t = entryStart[row]!; t < entryStart[row + 1]!; t++) {
        const k = conductor[row]! * n + column[t]!;
        F[at + 2 * t] = re[k]!;
        F[at + 2 * t + 1] = im[k]!;
      }
    }
  }
}
