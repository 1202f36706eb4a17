/** The branches whose loading is recorded, and the rows of their admittance matrices that give it. */
import type { ComplexDense } from '../../math/index.js';
import type { BranchElement, Feeder } from '../../model/index.js';
import type { FlowCore } from '../flow-core.js';
import type { GaugePlan } from '../kernel/layout.js';
import { ratedCurrent } from '../result.js';

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

/** Branches of one shape that follow one another. */
export interface BranchShape {
  /** Rows of a branch, and entries of each of them: they have the same columns. */
  readonly rows: number;
  readonly entries: number;
  readonly count: number;
  /** Whether each entry belongs to the difference of two nodes. */
  readonly isDifference: boolean;
}

/**
 * The rows of the admittance matrices at the first terminals of all rated branches, flat, branches of the same shape one after
 * the other.
 */
export class BranchRows {
  readonly count: number;
  /** Number of the branch at each place, as it was given. */
  readonly branchOf: Int32Array;
  readonly shapes: readonly BranchShape[];
  /** By place: where its rows, its columns and its values begin. A branch by differences has the columns of its first terminal. */
  readonly rowStart: Int32Array;
  readonly columnStart: Int32Array;
  readonly valueStart: Int32Array;
  /** Conductor of each row and column of each entry in the matrix of its element; the node of each column, or its two nodes, in the kernel. */
  readonly conductor: Int32Array;
  readonly column: Int32Array;
  readonly node: Int32Array;
  /** 100 % over the rating, 1/A. */
  readonly perAmpere: Float64Array;
  /** Number of each branch among the elements. */
  readonly elements: Int32Array;
  /** Places of branches with a tap changer. */
  readonly tapped: readonly number[];

  /** @param placeOf - number of a network node in the kernel */
  constructor({ compiled, network }: FlowCore, branches: readonly RatedBranch[], placeOf: (node: number) => number) {
    const found = branches.map(({ element, ratingA }, branch) => {
      const e = compiled.elementIndex.get(element.id)!;
      const { conductors, nodes } = compiled.elements[e]!;
      const rows = conductors.flatMap(({ terminal, node }, i) => (terminal === 1 && node !== 0 ? [i] : []));
      const isTapped = compiled.regulatorsOf.has(element.id);
      const { y } = network.primitives[e]!;
      const isDifference = !isTapped && element.kind === 'line' && isWithoutCharging(y, rows);
      const columns = isDifference ? rows : Array.from(nodes.keys()).filter((j) => nodes[j]! >= 0);
      return { branch, e, ratingA, rows, columns, isTapped, isDifference };
    });
    found.sort(
      (a, b) =>
        Number(a.isDifference) - Number(b.isDifference) ||
        a.rows.length - b.rows.length ||
        a.columns.length - b.columns.length ||
        a.branch - b.branch,
    );
    this.count = found.length;
    this.branchOf = Int32Array.from(found, ({ branch }) => branch);
    this.elements = Int32Array.from(found, ({ e }) => e);
    this.perAmpere = Float64Array.from(found, ({ ratingA }) => 100 / ratingA);
    this.tapped = found.flatMap(({ isTapped }, place) => (isTapped ? [place] : []));
    const shapes: { rows: number; entries: number; count: number; isDifference: boolean }[] = [];
    const [rowStart, columnStart, valueStart] = [[0], [0], [0]];
    const [conductor, column, node]: [number[], number[], number[]] = [[], [], []];
    for (const { e, rows, columns, isDifference } of found) {
      const shape = shapes.at(-1);
      const isLike = shape?.rows === rows.length && shape.entries === columns.length;
      if (isLike && shape.isDifference === isDifference) shape.count++;
      else shapes.push({ rows: rows.length, entries: columns.length, count: 1, isDifference });
      conductor.push(...rows);
      column.push(...columns);
      const { nodes } = compiled.elements[e]!;
      for (const j of columns) {
        node.push(placeOf(nodes[j]!));
        if (isDifference) node.push(placeOf(nodes[j + nodes.length / 2]!));
      }
      rowStart.push(conductor.length);
      columnStart.push(column.length);
      valueStart.push(valueStart.at(-1)! + rows.length * columns.length);
    }
    this.shapes = shapes;
    this.rowStart = Int32Array.from(rowStart);
    this.columnStart = Int32Array.from(columnStart);
    this.valueStart = Int32Array.from(valueStart);
    this.conductor = Int32Array.from(conductor);
    this.column = Int32Array.from(column);
    this.node = Int32Array.from(node);
  }

  /**
   * What a kernel must have room for.
   *
   * @param steps - whose measurements are kept, see {@link GaugePlan}
   */
  plan(steps = 1): GaugePlan {
    const { count, shapes, node, valueStart } = this;
    return { steps, branches: count, shapes: shapes.length, nodes: node.length, values: valueStart[count]! };
  }
}

/**
 * Whether the currents at the first terminal of a line follow from the differences of its ends alone: each row has for the second end
 * the opposite of what it has for the first, exactly.
 */
function isWithoutCharging({ n, re, im }: ComplexDense, rows: readonly number[]): boolean {
  const half = n / 2;
  if (rows.length !== half) return false;
  for (let i = 0; i < half; i++) {
    for (let j = 0; j < half; j++) {
      const at = i * n + j;
      if (re[at] !== -re[at + half]! || im[at] !== -im[at + half]!) return false;
    }
  }
  return rows.every((row, i) => row === i);
}
