/*
 * How far the loads of a step stretch those of a reference case: by zone, and by wire behind a service transformer.
 *
 * Steps: (1) once zones are known, every load belongs to a leaf, or to its zone where it hangs on none; every leaf to the zone of its
 * loads; (2) the sums of a step are made by the kernel (scalar-start.ts).
 * Cost: one addition for each share and step.
 */
import type { CompiledFeeder } from '../../model/index.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { DRAW_BYTES, HEADER, LARGEST_STRETCH, START_ZONES } from '../kernel/layout.js';
import { type LeafWires, leafWires } from './leaf-wires.js';

/** Phases 1 to 3; 0 stands for what belongs to none of them alone. */
const PHASES = 4;

/** Stretches of the loads of a feeder. Leaves and zones are numbered from 0. */
export class LoadStretch {
  readonly wires: LeafWires;
  /** Leaves, and one number more for each zone of what hangs on no leaf. */
  readonly leaves: number;
  /** Power of all loads in the reference case, W, and of those of each zone. */
  readonly referenceW: number;
  readonly zoneReferenceW = new Float64Array(START_ZONES);
  private readonly nodeNumber: Int32Array;
  /** Node at which each load's share stands, -1 at ground alone. */
  private readonly nodeOfShare: Int32Array;
  private readonly leafReferenceW: Float64Array;
  private readonly leafOfShare: Int32Array;
  private readonly zoneOfLeaf: Uint8Array;

  /**
   * @param loadEnd - shares of loads come first, up to here
   * @param powerW - of the reference case, by share
   */
  constructor(
    compiled: CompiledFeeder,
    loadEnd: number,
    private readonly powerW: Float64Array,
  ) {
    const { nodeNumber, shares } = compiled;
    this.nodeNumber = nodeNumber;
    this.wires = leafWires(compiled);
    const { count, leafOf } = this.wires;
    this.leaves = count + START_ZONES;
    const { a, b } = shares;
    this.nodeOfShare = Int32Array.from({ length: loadEnd }, (_, k) => (a[k]! >= 0 ? a[k]! : b[k]!));
    this.leafOfShare = this.nodeOfShare.map((node) => (node < 0 ? count : leafOf[node]!));
    this.leafReferenceW = new Float64Array(this.leaves);
    this.leafOfShare.forEach((leaf, k) => {
      if (leaf >= 0) this.leafReferenceW[leaf] = this.leafReferenceW[leaf]! + powerW[k]!;
    });
    this.zoneOfLeaf = Uint8Array.from({ length: this.leaves }, (_, leaf) => Math.max(0, leaf - count));
    this.referenceW = powerW.subarray(0, loadEnd).reduce((all, w) => all + w, 0);
  }

  /** Leaf of a node that has load in the reference case, -1 for others. */
  leafOf(node: number): number {
    const leaf = this.wires.leafOf[node]!;
    return leaf >= 0 && this.leafReferenceW[leaf]! > 0 ? leaf : -1;
  }

  /** Phase of a node: 1 to 3, 0 for none of them alone; behind a service transformer that of the wire that feeds it. */
  phaseOf(node: number): number {
    const leaf = this.wires.leafOf[node]!;
    const numberOf = (other: number) => (this.nodeNumber[other]! < PHASES ? this.nodeNumber[other]! : 0);
    if (leaf < 0) return numberOf(node);
    const [first = 0, ...others] = new Set([...this.wires.feeding[leaf]!].map(numberOf));
    return others.length > 0 ? 0 : first;
  }

  /**
   * Puts loads and leaves into zones.
   *
   * @param zoneOf - zone of a network node with injections
   */
  placeInZones(zoneOf: (node: number) => number): void {
    const { wires, nodeOfShare, leafOfShare, zoneOfLeaf, leafReferenceW, zoneReferenceW, powerW } = this;
    nodeOfShare.forEach((node, k) => {
      if (node < 0) return;
      const zone = zoneOf(node);
      if (leafOfShare[k]! >= 0 && leafOfShare[k]! < wires.count) {
        zoneOfLeaf[leafOfShare[k]!] = zone;
        return;
      }
      const own = wires.count + zone;
      leafOfShare[k] = own;
      leafReferenceW[own] = leafReferenceW[own]! + powerW[k]!;
    });
    leafReferenceW.forEach((reference, leaf) => {
      const zone = zoneOfLeaf[leaf]!;
      zoneReferenceW[zone] = zoneReferenceW[zone]! + reference;
    });
  }

  /** Zone of a load's share. */
  zoneOfShare(k: number): number {
    return this.zoneOfLeaf[this.leafOfShare[k]!]!;
  }

  /** Puts leaves, zones and references into the memory of a solver, whose `spread` then works out the stretches. */
  prepare({ header, words, voltages, shareOrder }: LaneSolver): void {
    shareOrder.forEach((k, t) => {
      const leaf = this.leafOfShare[k] ?? header[HEADER.startLeaves]!;
      words[((header[HEADER.drawAt]! + DRAW_BYTES * t) >> 2) + 6] = 8 * leaf;
    });
    this.zoneOfLeaf.forEach((zone, leaf) => {
      words[(header[HEADER.leafZoneAt]! >> 2) + leaf] = 8 * zone;
    });
    voltages.set(this.leafReferenceW.map(inverse), header[HEADER.leafReferenceAt]! >> 3);
    voltages.set(this.zoneReferenceW.map(inverse), header[HEADER.zoneReferenceAt]! >> 3);
  }
}

/** 0 where there is none. */
const inverse = (reference: number): number => (reference === 0 ? 0 : 1 / reference);

/** How far a power stretches a reference case, within bounds. */
export function stretchOf(powerW: number, referenceW: number): number {
  if (referenceW === 0) return 0;
  return Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, powerW / referenceW));
}
