/*
 * What is read off the lanes of one solver: magnitudes of all nodes and loadings of the rated branches, by the kernel.
 * Of a single lane the results of some steps are kept, so that they can be taken up at once: what a recorder knows of a node is
 * fetched once for all of them. Results stand in the kernel's buffer until the next measurement, or until the kept steps are forgotten.
 */
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { GAUGE_ROWS, GAUGE_STEPS, gaugeLine, HEADER, SHAPE_BYTES } from '../kernel/layout.js';
import type { BranchRows } from './branch-rows.js';

/** Measures the lanes of a solver. */
export class LaneGauge {
  /** The buffer in which results stand, with as many lanes side by side as `width`. */
  readonly values: Float64Array;
  readonly width: number;
  /** Position in it of the magnitude (pu) of the first node of the kernel, and of the loading (%) at the first place of the rows, in the first lane. */
  readonly magnitudeAt: number;
  readonly loadingAt: number;
  /** From one lane, or one kept step, to the next. */
  readonly magnitudePitch: number;
  readonly loadingPitch: number;
  /** Whether steps are kept. */
  readonly isKeeping: boolean;
  /** Steps that are kept, and the number of the first. */
  kept = 0;
  firstKept = 0;
  private readonly used: (object | undefined)[];

  /** @param solver - one with a gauge in its buffer, for these rows */
  constructor(
    private readonly core: FlowCore,
    readonly solver: LaneSolver,
    private readonly rows: BranchRows,
  ) {
    const { header, words, voltages, width } = solver;
    this.values = voltages;
    this.width = width;
    this.magnitudeAt = header[HEADER.magnitudeAt]! >> 3;
    this.loadingAt = header[HEADER.loadingAt]! >> 3;
    this.isKeeping = solver.gauge?.steps === GAUGE_STEPS;
    this.magnitudePitch = this.isKeeping ? gaugeLine(8 * header[HEADER.gaugeNodes]!) / 8 : 1;
    this.loadingPitch = this.isKeeping ? gaugeLine(8 * header[HEADER.gaugeBranches]!) / 8 : 1;
    const weight = header[HEADER.gaugeWeightAt]! >> 3;
    core.inverseBase.forEach((perVolt, node) => {
      voltages[weight + solver.placeOf(node)] = perVolt;
    });
    const { count, shapes, node, perAmpere } = rows;
    shapes.forEach((shape, t) => {
      const at = (header[HEADER.shapeAt]! + SHAPE_BYTES * t) >> 2;
      words[at] = Math.floor(shape.rows / GAUGE_ROWS);
      words[at + 1] = shape.rows % GAUGE_ROWS;
      words[at + 2] = shape.entries;
      words[at + 3] = shape.count;
      words[at + 4] = shape.isDifference ? 1 : 0;
    });
    words.set(node, header[HEADER.entryPlaceAt]! >> 2);
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

  /** Measures the single lane and keeps the results; there must be room. */
  keep(step: number): void {
    const { kept, solver } = this;
    const { words, header } = solver;
    if (kept === 0) this.firstKept = step;
    words[HEADER.magnitudeAt] = header[HEADER.magnitudeAt]! + 8 * kept * this.magnitudePitch;
    words[HEADER.loadingAt] = header[HEADER.loadingAt]! + 8 * kept * this.loadingPitch;
    this.measure();
    this.kept++;
  }

  /** Whether no more steps can be kept. */
  get isFull(): boolean {
    return this.kept === GAUGE_STEPS;
  }

  /** Keeps none any more. */
  forget(): void {
    this.kept = 0;
  }

  /** Takes over the admittances of the branch at a place where they are new: groups of rows, each column by column. */
  private take(b: number): void {
    const { rows, used, solver, core } = this;
    const { elements, rowStart, columnStart, valueStart, conductor, column } = rows;
    const primitive = core.network.primitives[elements[b]!]!;
    if (used[b] === primitive) return;
    used[b] = primitive;
    const { n, re, im } = primitive.y;
    const F = solver.voltages;
    let at = (solver.header[HEADER.entryValueAt]! >> 3) + 2 * valueStart[b]!;
    const end = rowStart[b + 1]!;
    for (let first = rowStart[b]!; first < end; first += GAUGE_ROWS) {
      const last = Math.min(end, first + GAUGE_ROWS);
      for (let t = columnStart[b]!; t < columnStart[b + 1]!; t++) {
        for (let row = first; row < last; row++, at += 2) {
          const k = conductor[row]! * n + column[t]!;
          F[at] = re[k]!;
          F[at + 1] = im[k]!;
        }
      }
    }
  }
}
