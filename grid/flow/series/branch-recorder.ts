/*
 * Loading of rated branches over a piece of a series: the largest conductor current at the first terminal over the rating, as
 * a snapshot reports it.
 * Cost: one complex product for each entry of the rated branches' first rows and step.
 */
import type { BranchElement, Feeder } from '../../model/index.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { ratedCurrent } from '../result.js';
import { type PackedHistogram, ValueHistogram } from './value-histogram.js';

/** Width of a bin of the distribution of loadings, %: percentiles are off by half of it at most. */
export const LOADING_BIN_PCT = 1;

/** A branch with a rating. */
export interface RatedBranch {
  readonly element: BranchElement;
  readonly ratingA: number;
}

/** All branches of a feeder that have a rating. */
export function ratedBranches(feeder: Feeder): readonly RatedBranch[] {
  const rated = (element: BranchElement, ratingA: number | undefined): RatedBranch[] =>
    ratingA !== undefined && ratingA > 0 ? [{ element, ratingA }] : [];
  return [
    ...feeder.lines.flatMap((line) => rated(line, line.ratingA)),
    ...feeder.switches.flatMap((device) => rated(device, device.ratingA)),
    ...feeder.reactors.flatMap((reactor) => rated(reactor, reactor.ratingA)),
    ...feeder.transformers.flatMap((transformer) => rated(transformer, ratedCurrent(transformer))),
  ];
}

/** What is known of the rated branches over some steps. */
export interface BranchFigures {
  readonly maxPct: Float64Array;
  readonly maxStep: Int32Array;
  readonly sumPct: Float64Array;
  /** Steps above the rating. */
  readonly overSteps: Int32Array;
  readonly histogram: PackedHistogram;
}

/** The rows of the admittance matrices at the first terminals of all rated branches, flat. */
export class BranchRows {
  readonly count: number;
  /** First row of each branch, and first entry of each row. */
  readonly rowStart: Int32Array;
  readonly entryStart: Int32Array;
  /** Kernel node of each entry and its admittance, interleaved re/im. */
  readonly place: Int32Array;
  readonly admittance: Float64Array;
  /** 100 % over the rating, 1/A. */
  readonly perAmpere: Float64Array;
  private readonly elements: Int32Array;
  /** Conductor of each row. */
  private readonly conductor: Int32Array;
  /** Column of each entry. */
  private readonly column: Int32Array;
  private readonly used: (object | undefined)[];
  /** Branches with a tap changer. */
  private readonly tapped: readonly number[];

  constructor(
    private readonly core: FlowCore,
    branches: readonly RatedBranch[],
    solver: LaneSolver,
  ) {
    const { compiled } = core;
    this.count = branches.length;
    this.elements = Int32Array.from(branches, ({ element }) => compiled.elementIndex.get(element.id)!);
    this.perAmpere = Float64Array.from(branches, ({ ratingA }) => 100 / ratingA);
    const rowStart = [0];
    const entryStart = [0];
    const place: number[] = [];
    const conductor: number[] = [];
    const column: number[] = [];
    for (const e of this.elements) {
      const { conductors, nodes } = compiled.elements[e]!;
      conductors.forEach((one, i) => {
        if (one.terminal !== 1 || one.node === 0) return;
        conductor.push(i);
        nodes.forEach((node, j) => {
          if (node < 0) return;
          place.push(solver.placeOf(node));
          column.push(j);
        });
        entryStart.push(place.length);
      });
      rowStart.push(conductor.length);
    }
    this.rowStart = Int32Array.from(rowStart);
    this.entryStart = Int32Array.from(entryStart);
    this.place = Int32Array.from(place);
    this.conductor = Int32Array.from(conductor);
    this.column = Int32Array.from(column);
    this.admittance = new Float64Array(2 * place.length);
    this.used = new Array<object | undefined>(this.count).fill(undefined);
    this.take(Array.from(this.elements, (_, b) => b));
    this.tapped = branches.flatMap(({ element }, b) => (compiled.regulatorsOf.has(element.id) ? [b] : []));
  }

  /** Takes over the admittances that taps have changed. */
  refresh(): void {
    this.take(this.tapped);
  }

  private take(branches: readonly number[]): void {
    const { elements, rowStart, entryStart, conductor, column, admittance, used } = this;
    const { primitives } = this.core.network;
    for (const b of branches) {
      const primitive = primitives[elements[b]!]!;
      if (used[b] === primitive) continue;
      used[b] = primitive;
      const { n, re, im } = primitive.y;
      for (let row = rowStart[b]!; row < rowStart[b + 1]!; row++) {
        for (let t = entryStart[row]!; t < entryStart[row + 1]!; t++) {
          const k = conductor[row]! * n + column[t]!;
          admittance[2 * t] = re[k]!;
          admittance[2 * t + 1] = im[k]!;
        }
      }
    }
  }
}

/** Records the loadings of the steps of one piece after the other. */
export class BranchRecorder {
  private readonly maxPct: Float64Array;
  private readonly maxStep: Int32Array;
  private readonly sumPct: Float64Array;
  private readonly overSteps: Int32Array;
  private readonly histogram: ValueHistogram;

  constructor(private readonly rows: BranchRows) {
    this.maxPct = new Float64Array(rows.count);
    this.maxStep = new Int32Array(rows.count);
    this.sumPct = new Float64Array(rows.count);
    this.overSteps = new Int32Array(rows.count);
    this.histogram = new ValueHistogram(rows.count, LOADING_BIN_PCT);
  }

  /** Begins a piece. */
  begin(): void {
    this.maxPct.fill(Number.NEGATIVE_INFINITY);
    this.maxStep.fill(0);
    this.sumPct.fill(0);
    this.overSteps.fill(0);
    this.histogram.clear();
  }

  /** Takes up lanes that are solved, see {@link NodeRecorder.record}. */
  record(solver: LaneSolver, firstLane: number, lanes: number, step: number): void {
    const { maxPct, maxStep, sumPct, overSteps, histogram } = this;
    const { count, rowStart, entryStart, place, admittance, perAmpere } = this.rows;
    const V = solver.voltages;
    const { width } = solver;
    const base = solver.voltageAt(0, firstLane);
    histogram.open(lanes);
    for (let b = 0; b < count; b++) {
      const firstRow = rowStart[b]!;
      const lastRow = rowStart[b + 1]!;
      for (let lane = 0; lane < lanes; lane++) {
        let largest = 0;
        for (let row = firstRow; row < lastRow; row++) {
          let re = 0;
          let im = 0;
          for (let t = entryStart[row]!, last = entryStart[row + 1]!; t < last; t++) {
            const at = base + lane + 2 * width * place[t]!;
            const yr = admittance[2 * t]!;
            const yi = admittance[2 * t + 1]!;
            const vr = V[at]!;
            const vi = V[at + width]!;
            re += yr * vr - yi * vi;
            im += yr * vi + yi * vr;
          }
          const square = re * re + im * im;
          if (square > largest) largest = square;
        }
        const pct = Math.sqrt(largest) * perAmpere[b]!;
        sumPct[b] = sumPct[b]! + pct;
        if (pct > maxPct[b]!) {
          maxPct[b] = pct;
          maxStep[b] = step + lane;
        }
        if (pct > 100) overSteps[b] = overSteps[b]! + 1;
        histogram.put(b, lane, pct);
      }
    }
    histogram.close(lanes);
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
