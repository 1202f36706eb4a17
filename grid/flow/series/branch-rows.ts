/** The branches whose loading is recorded, and the rows of their admittance matrices that give it. */
import type { BranchElement, Feeder } from '../../model/index.js';
import type { FlowCore } from '../flow-core.js';
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

/** The rows of the admittance matrices at the first terminals of all rated branches, flat. */
export class BranchRows {
  readonly count: number;
  /** First row of each branch, and first entry of each row. */
  readonly rowStart: Int32Array;
  readonly entryStart: Int32Array;
  /** Kernel node of each entry. */
  readonly place: Int32Array;
  /** Conductor of each row, and column of each entry, in the matrix of its element. */
  readonly conductor: Int32Array;
  readonly column: Int32Array;
  /** 100 % over the rating, 1/A. */
  readonly perAmpere: Float64Array;
  /** Number of each branch among the elements. */
  readonly elements: Int32Array;
  /** Branches with a tap changer. */
  readonly tapped: readonly number[];

  /** @param placeOf - number of a network node in the kernel */
  constructor({ compiled }: FlowCore, branches: readonly RatedBranch[], placeOf: (node: number) => number) {
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
          place.push(placeOf(node));
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
    this.tapped = branches.flatMap(({ element }, b) => (compiled.regulatorsOf.has(element.id) ? [b] : []));
  }
}
