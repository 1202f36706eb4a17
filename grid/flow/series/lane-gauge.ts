/*
 * What is read off the lanes of one solver: magnitudes of all nodes and loadings of the rated branches, by the kernel.
 * Results stand in the kernel's buffer until the next measurement.
 */
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { HEADER } from '../kernel/layout.js';
import type { BranchRows } from './branch-rows.js';

/** Measures the lanes of a solver. */
export class LaneGauge {
  /** The buffer in which results stand, with as many lanes side by side as `width`. */
  readonly values: Float64Array;
  readonly width: number;
  /** Position in it of the magnitude (pu) of the first node of the kernel, and of the loading (%) of the first branch, in the first lane. */
  readonly magnitudeAt: number;
  readonly loadingAt: number;
  private readonly used: (object | undefined)[];

  /** @param solver - one with a gauge in its buffer, for these rows */
  constructor(
    private readonly core: FlowCore,
    private readonly solver: LaneSolver,
    private readonly rows: BranchRows,
  ) {
    const { header, words, voltages, width } = solver;
    this.values = voltages;
    this.width = width;
    this.magnitudeAt = header[HEADER.magnitudeAt]! >> 3;
    this.loadingAt = header[HEADER.loadingAt]! >> 3;
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

  /** Measures all lanes as they are now, at the present taps. */
  measure(): void {
    for (const b of this.rows.tapped) this.take(b);
    this.solver.kernel.magnitudes();
    this.solver.kernel.loadings();
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
