/*
 * How far the loads of a step stretch those of a reference case: by phase, and by wire behind a service transformer.
 *
 * Steps: the sums of a step are made by the kernel (scalar-start.ts), the stretches of the phases here.
 * Cost: one addition for each share and step.
 */
import type { CompiledFeeder } from '../../model/index.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { HEADER, LARGEST_STRETCH, START_PHASES } from '../kernel/layout.js';
import { type LeafWires, leafWires } from './leaf-wires.js';

/** A phase with less of all load than this follows all load. */
const LEAST_PHASE = 0.05;

/** Stretches of the loads of a feeder. Leaves and phases are numbered from 0; phase 0 is all of them. */
export class LoadStretch {
  readonly wires: LeafWires;
  /** Leaves, and one number more for each phase of what hangs on no leaf. */
  readonly leaves: number;
  private readonly nodeNumber: Int32Array;
  private readonly phaseOfLeaf: Uint8Array;
  private readonly leafOfShare: Int32Array;
  private readonly leafReferenceW: Float64Array;
  /** Inverse of the reference, 0 where there is none. */
  private readonly perReference: Float64Array;
  private readonly phaseReferenceW = new Float64Array(START_PHASES);

  /**
   * @param loadEnd - shares of loads come first, up to here
   * @param powerW - of the reference case, by share
   */
  constructor(compiled: CompiledFeeder, loadEnd: number, powerW: Float64Array) {
    const { nodeNumber, shares } = compiled;
    this.nodeNumber = nodeNumber;
    this.wires = leafWires(compiled);
    const { count, leafOf, feeding } = this.wires;
    this.leaves = count + START_PHASES;
    this.phaseOfLeaf = Uint8Array.from({ length: this.leaves }, (_, c) => {
      if (c >= count) return c - count;
      const [first = 0, ...others] = new Set([...feeding[c]!].map((node) => this.phaseOfNumber(node)));
      return others.length > 0 ? 0 : first;
    });
    const { a, b } = shares;
    this.leafOfShare = Int32Array.from({ length: loadEnd }, (_, k) => {
      const node = a[k]! >= 0 ? a[k]! : b[k]!;
      if (node < 0) return count;
      if (leafOf[node]! >= 0) return leafOf[node]!;
      const isSingle = a[k]! < 0 || b[k]! < 0 || this.phaseOfNumber(b[k]!) === 0;
      return count + (isSingle ? this.phaseOfNumber(node) : 0);
    });
    this.leafReferenceW = new Float64Array(this.leaves);
    this.leafOfShare.forEach((leaf, k) => {
      this.leafReferenceW[leaf] = this.leafReferenceW[leaf]! + powerW[k]!;
    });
    this.leafReferenceW.forEach((referenceW, c) => {
      const phase = this.phaseOfLeaf[c]!;
      this.phaseReferenceW[0] = this.phaseReferenceW[0]! + referenceW;
      if (phase > 0) this.phaseReferenceW[phase] = this.phaseReferenceW[phase]! + referenceW;
    });
    this.perReference = this.leafReferenceW.map((reference) => (reference === 0 ? 0 : 1 / reference));
  }

  private phaseOfNumber(node: number): number {
    return this.nodeNumber[node]! < START_PHASES ? this.nodeNumber[node]! : 0;
  }

  /** Leaf of a node that has load in the reference case, -1 for others. */
  leafOf(node: number): number {
    const leaf = this.wires.leafOf[node]!;
    return leaf >= 0 && this.leafReferenceW[leaf]! > 0 ? leaf : -1;
  }

  /** Phase whose loads a node follows: 1 to 3, 0 for all. */
  phaseOf(node: number): number {
    const leaf = this.wires.leafOf[node]!;
    return leaf < 0 ? this.phaseOfNumber(node) : this.phaseOfLeaf[leaf]!;
  }

  /** Puts leaves, phases and references into the memory of a solver, whose `spread` then works out what {@link finish} needs. */
  prepare({ header, words, voltages }: LaneSolver): void {
    this.leafOfShare.forEach((leaf, k) => {
      words[(header[HEADER.leafOfAt]! >> 2) + k] = 8 * leaf;
    });
    words.set(this.phaseOfLeaf, header[HEADER.leafPhaseAt]! >> 2);
    voltages.set(this.perReference, header[HEADER.leafReferenceAt]! >> 3);
  }

  /** Turns the sums of the phases in the memory of a solver into their stretches. */
  finish({ header, voltages }: LaneSolver): void {
    const { phaseReferenceW } = this;
    const at = header[HEADER.phaseStretchAt]! >> 3;
    for (let p = 0; p < START_PHASES; p++) {
      const isFew = phaseReferenceW[p]! < LEAST_PHASE * phaseReferenceW[0]!;
      if (!isFew) voltages[at + p] = stretchOf(voltages[at + p]!, phaseReferenceW[p]!);
      else voltages[at + p] = p === 0 ? 0 : voltages[at]!;
    }
  }
}

/** How far a power stretches a reference case, within bounds. */
export function stretchOf(powerW: number, referenceW: number): number {
  if (referenceW === 0) return 0;
  return Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, powerW / referenceW));
}
