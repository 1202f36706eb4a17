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
export const LOADING_BIN_PCT = 0.5;

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
    this.refresh();
  }

  /** Takes over the admittances as they are in the network now. */
  refresh(): void {
    const { elements, rowStart, entryStart, conductor, column, admittance, used } = this;
    const { primitives } = this.core.network;
    for (let b = 0; b < elements.length; b++) {
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

/** Records the loadings of the steps of one piece. */
export class BranchRecorder {
  private readonly maxPct: Float64Array;
  private readonly maxStep: Int32Array;
  private readonly sumPct: Float64Array;
  private readonly overSteps: Int32Array;
  private readonly histogram: ValueHistogram;
  private readonly squares: Float64Array;
  private readonly re: Float64Array;
  private readonly im: Float64Array;

  constructor(
    private readonly rows: BranchRows,
    width: number,
  ) {
    this.maxPct = new Float64Array(rows.count).fill(Number.NEGATIVE_INFINITY);
    this.maxStep = new Int32Array(rows.count);
    this.sumPct = new Float64Array(rows.count);
    this.overSteps = new Int32Array(rows.count);
    this.histogram = new ValueHistogram(rows.count, LOADING_BIN_PCT);
    this.squares = new Float64Array(width);
    this.re = new Float64Array(width);
    this.im = new Float64Array(width);
  }

  /** Takes up lanes that are solved, see {@link NodeRecorder.record}. */
  record(solver: LaneSolver, firstLane: number, lanes: number, step: number): void {
    const { squares, re, im, maxPct, maxStep, sumPct, overSteps, histogram } = this;
    const { count, rowStart, entryStart, place, admittance, perAmpere } = this.rows;
    const V = solver.voltages;
    const { width } = solver;
    const base = solver.voltageAt(0, firstLane);
    for (let b = 0; b < count; b++) {
      squares.fill(0);
      for (let row = rowStart[b]!, lastRow = rowStart[b + 1]!; row < lastRow; row++) {
        re.fill(0);
        im.fill(0);
        for (let t = entryStart[row]!, last = entryStart[row + 1]!; t < last; t++) {
          const at = base + 2 * width * place[t]!;
          const yr = admittance[2 * t]!;
          const yi = admittance[2 * t + 1]!;
          for (let lane = 0; lane < lanes; lane++) {
            const vr = V[at + lane]!;
            const vi = V[at + lane + width]!;
            re[lane] = re[lane]! + (yr * vr - yi * vi);
            im[lane] = im[lane]! + (yr * vi + yi * vr);
          }
        }
        for (let lane = 0; lane < lanes; lane++) {
          const square = re[lane]! * re[lane]! + im[lane]! * im[lane]!;
          if (square > squares[lane]!) squares[lane] = square;
        }
      }
      for (let lane = 0; lane < lanes; lane++) {
        const pct = Math.sqrt(squares[lane]!) * perAmpere[b]!;
        sumPct[b] = sumPct[b]! + pct;
        if (pct > maxPct[b]!) {
          maxPct[b] = pct;
          maxStep[b] = step + lane;
        }
        if (pct > 100) overSteps[b] = overSteps[b]! + 1;
        histogram.add(b, pct);
      }
    }
  }

  /** What was found. */
  figures(): BranchFigures {
    const { maxPct, maxStep, sumPct, overSteps, histogram } = this;
    return { maxPct, maxStep, sumPct, overSteps, histogram: histogram.pack() };
  }
}
