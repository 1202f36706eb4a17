/*
 * What is read off the lanes of one solver: magnitudes of all nodes and loadings of the rated branches, by the kernel.
 *
 * Steps: (1) several lanes are measured as soon as they are solved; (2) of a single lane the magnitudes and the loadings of branches
 * with a tap changer, whose admittances change, are measured at once, and its voltages are kept; the other loadings
 * follow for four steps together, so that their admittances, which no cache of a core holds, are fetched once for all.
 * Results stand in the kernel's buffer until the next measurement.
 */
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { GAUGE_ROWS, GAUGE_STEPS, HEADER, SHAPE_BYTES } from '../kernel/layout.js';
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
  private firstPlace = 0;

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
    this.magnitudePitch = this.isKeeping
      ? (header[HEADER.keptLoadingAt]! - header[HEADER.magnitudeAt]!) / 8 / GAUGE_STEPS
      : 1;
    this.loadingPitch = this.isKeeping ? header[HEADER.keptLoadingBytes]! / 8 : 1;
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
    });
    words.set(node, header[HEADER.entryPlaceAt]! >> 2);
    voltages.set(perAmpere, header[HEADER.branchScaleAt]! >> 3);
    this.used = new Array<object | undefined>(count).fill(undefined);
    for (let b = 0; b < count; b++) this.take(b);
  }

  /** Measures all lanes as they are now, at the present taps. */
  measure(): void {
    for (let b = 0; b < this.rows.tappedCount; b++) this.take(b);
    this.solver.kernel.magnitudes();
    this.solver.kernel.loadings();
  }

  /** Keeps the voltages of the one lane for {@link measureKept}; there must be room. */
  keep(step: number): void {
    const { solver, rows, kept } = this;
    const { kernel, words, header } = solver;
    if (kept === 0) this.firstKept = step;
    words[HEADER.magnitudeAt] = header[HEADER.magnitudeAt]! + 8 * kept * this.magnitudePitch;
    kernel.magnitudes();
    for (let b = 0; b < rows.tappedCount; b++) this.take(b);
    this.choose(true);
    this.loadingsOf(kept);
    this.kept++;
  }

  /** Whether no more steps can be kept. */
  get isFull(): boolean {
    return this.kept === GAUGE_STEPS;
  }

  /** Measures what is left of the kept steps. */
  measureKept(): void {
    const { solver, kept } = this;
    this.choose(false);
    if (kept === GAUGE_STEPS) solver.kernel.keptLoadings();
    else {
      for (let k = 0; k < kept; k++) {
        solver.keepAt(k);
        this.loadingsOf(k);
      }
    }
  }

  /** Keeps none any more. */
  forget(): void {
    this.kept = 0;
    if (this.isKeeping) this.solver.keepAt(0);
  }

  /** Begins with the voltages that stand where the step of this number would have been kept. */
  begin(place: number): void {
    const { words, header, voltages } = this.solver;
    const from = header[HEADER.keptVoltageAt]! + place * header[HEADER.keptVoltageBytes]!;
    voltages.copyWithin(words[HEADER.voltageAt]! >> 3, from >> 3, (from + header[HEADER.keptVoltageBytes]!) >> 3);
  }

  /** Lets the solver go on where the next step can be kept. */
  moveOn(): void {
    this.solver.keepAt(this.kept);
  }

  /** Measures the branches chosen, in the voltages that the solver looks at, as a kept step. */
  private loadingsOf(step: number): void {
    const { words, header, kernel } = this.solver;
    const at = 8 * this.firstPlace;
    words[HEADER.loadingAt] = header[HEADER.keptLoadingAt]! + step * header[HEADER.keptLoadingBytes]! + at;
    kernel.loadings();
  }

  /** Chooses the branches with a tap changer, or all others. */
  private choose(isTapped: boolean): void {
    const { words, header } = this.solver;
    const { tappedCount, tappedShapes, shapes, columnStart, valueStart } = this.rows;
    this.firstPlace = isTapped ? 0 : tappedCount;
    const move = (name: 'shapeAt' | 'entryPlaceAt' | 'entryValueAt' | 'branchScaleAt', bytes: number) => {
      words[HEADER[name]] = header[HEADER[name]]! + (isTapped ? 0 : bytes);
    };
    words[HEADER.gaugeShapes] = isTapped ? tappedShapes : shapes.length - tappedShapes;
    move('shapeAt', SHAPE_BYTES * tappedShapes);
    move('entryPlaceAt', 4 * columnStart[tappedCount]!);
    move('entryValueAt', 16 * valueStart[tappedCount]!);
    move('branchScaleAt', 8 * tappedCount);
    words[HEADER.keptLoadingAt] = header[HEADER.keptLoadingAt]! + 8 * this.firstPlace;
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
