/*
 * The nodal admittance matrix of a feeder and its factor.
 *
 * Steps: the pattern is that of every element in every state (all switches closed, all capacitors in), so that taps,
 * switches and capacitors only change values; values are summed from the primitives; nodes without a path to a source
 * get a shunt too small to matter, so that an opened switch leaves a solvable matrix. A neutral that devices alone tie to
 * the fed network is no such node.
 * Cost: pattern and analysis once; a change costs one summation and one numeric factorisation.
 * Fails: `refresh` answers with the node of a lost pivot.
 */
import { ComplexFactor } from '../math/index.js';
import {
  type CompiledElement,
  type CompiledFeeder,
  capacitorPrimitive,
  type Primitive,
  switchPrimitive,
} from '../model/index.js';
import type { ShareInjection } from './injection.js';

/** Nodes from here up are neutrals and explicit wires. */
const FIRST_NEUTRAL_NODE = 4;
/** Shunt at a node without a path to a source: relative to its own diagonal entry, and at least, S. */
const DEAD_SHUNT_RELATIVE = 1e-13;
const DEAD_SHUNT_LEAST = 1e-12;

/** Admittance matrix, factor and the state of energisation. */
export class AdmittanceNetwork {
  readonly compiled: CompiledFeeder;
  /** Upper triangle by columns. */
  readonly colPtr: Int32Array;
  readonly rowIdx: Int32Array;
  /** Interleaved re/im, S. */
  readonly values: Float64Array;
  readonly factor: ComplexFactor;
  /** Present primitive of each element. Replaced as a whole when one changes: solutions keep the one they saw. */
  primitives: readonly Primitive[];
  /** Whether solutions with the present factor need refinement; undefined until it has been measured. */
  isRefinementNeeded: boolean | undefined;
  /** 1 for nodes without a path to a source. */
  readonly isDead: Uint8Array;
  /** Pairs (position in the primitive, slot in `values`) of each element. */
  private readonly slots: readonly Int32Array[];
  private readonly diagonal: Int32Array;
  private readonly shareSlots: Int32Array;
  private readonly links: Int32Array;

  constructor(
    compiled: CompiledFeeder,
    private readonly injection: ShareInjection,
  ) {
    this.compiled = compiled;
    const n = compiled.nodeCount;
    this.primitives = compiled.elements.map((element) => element.primitive);
    const columns: Map<number, number>[] = Array.from({ length: n }, (_, j) => new Map([[j, 0]]));
    const touch = (i: number, j: number) => {
      if (i >= 0 && j >= 0) columns[Math.max(i, j)]!.set(Math.min(i, j), 0);
    };
    const widest = compiled.elements.map((element) => widestPrimitive(compiled, element));
    compiled.elements.forEach((element, e) => {
      const { y } = widest[e]!;
      for (let i = 0; i < y.n; i++) {
        for (let j = 0; j < y.n; j++) {
          if (y.re[i * y.n + j] !== 0 || y.im[i * y.n + j] !== 0) touch(element.nodes[i]!, element.nodes[j]!);
        }
      }
    });
    const { a, b, count } = compiled.shares;
    for (let k = 0; k < count; k++) touch(a[k]!, b[k]!);

    this.colPtr = new Int32Array(n + 1);
    const rows: number[] = [];
    for (let j = 0; j < n; j++) {
      for (const i of [...columns[j]!.keys()].sort((x, y) => x - y)) {
        columns[j]!.set(i, rows.length);
        rows.push(i);
      }
      this.colPtr[j + 1] = rows.length;
    }
    this.rowIdx = Int32Array.from(rows);
    this.values = new Float64Array(2 * rows.length);
    const slotOf = (i: number, j: number) =>
      i < 0 || j < 0 ? -1 : (columns[Math.max(i, j)]!.get(Math.min(i, j)) ?? -1);
    this.diagonal = Int32Array.from({ length: n }, (_, j) => slotOf(j, j));
    this.slots = compiled.elements.map((element) => {
      const pairs: number[] = [];
      const order = element.nodes.length;
      for (let i = 0; i < order; i++) {
        for (let j = 0; j < order; j++) {
          const row = element.nodes[i]!;
          const column = element.nodes[j]!;
          if (row < 0 || row > column) continue;
          const slot = slotOf(row, column);
          if (slot >= 0) pairs.push(i * order + j, slot);
        }
      }
      return Int32Array.from(pairs);
    });
    this.shareSlots = new Int32Array(3 * count);
    for (let k = 0; k < count; k++) {
      this.shareSlots[3 * k] = slotOf(a[k]!, a[k]!);
      this.shareSlots[3 * k + 1] = slotOf(b[k]!, b[k]!);
      this.shareSlots[3 * k + 2] = slotOf(a[k]!, b[k]!);
    }
    this.factor = new ComplexFactor(n, this.colPtr, this.rowIdx);
    this.isDead = new Uint8Array(n);
    this.links = new Int32Array(n);
    this.energise();
  }

  /** Replaces the primitive of one element; `refresh` makes it count. */
  setPrimitive(element: number, primitive: Primitive): void {
    this.primitives = this.primitives.with(element, primitive);
  }

  /** Finds the nodes without a path to a source; call after a switch has moved. */
  energise(): void {
    const { links, compiled } = this;
    for (let i = 0; i < links.length; i++) links[i] = i;
    const root = (start: number): number => {
      let i = start;
      while (links[i] !== i) {
        links[i] = links[links[i]!]!;
        i = links[i]!;
      }
      return i;
    };
    const earthed: number[] = [];
    const join = (i: number, j: number) => {
      if (i >= 0 && j >= 0) links[root(i)] = root(j);
      else if (i >= 0 || j >= 0) earthed.push(Math.max(i, j));
    };
    compiled.elements.forEach((element, e) => {
      const { nodes } = element;
      const n = nodes.length;
      if (element.kind === 'line' || element.kind === 'switch' || element.kind === 'reactor') {
        const { y } = this.primitives[e]!;
        const half = n / 2;
        const isClosed = (k: number) => y.re[k * n + k] !== 0 || y.im[k * n + k] !== 0;
        for (let i = 0; i < half; i++) if (isClosed(i) && isClosed(half + i)) join(nodes[i]!, nodes[half + i]!);
        return;
      }
      const { y } = this.primitives[e]!;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) {
          if (element.kind !== 'capacitor' || y.im[i * n + j] !== 0) join(nodes[i]!, nodes[j]!);
        }
      }
    });
    const isFed = new Uint8Array(links.length);
    for (const element of compiled.elements) {
      if (element.kind !== 'source') continue;
      for (const node of element.nodes) if (node >= 0) isFed[root(node)] = 1;
    }
    const { a, b, count } = compiled.shares;
    // A neutral that only devices tie to the fed network lives by their currents.
    const hasPhase = new Uint8Array(links.length);
    const isEarthed = new Uint8Array(links.length);
    const isCarried = new Uint8Array(links.length);
    for (let i = 0; i < links.length; i++) if (compiled.nodeNumber[i]! < FIRST_NEUTRAL_NODE) hasPhase[root(i)] = 1;
    for (const node of earthed) isEarthed[root(node)] = 1;
    for (let k = 0; k < count; k++) {
      const first = a[k]! >= 0 ? root(a[k]!) : -1;
      const second = b[k]! >= 0 ? root(b[k]!) : -1;
      if (first < 0 || second < 0) continue;
      if (isFed[first] && !isFed[second] && !hasPhase[second]) isCarried[second] = 1;
      if (isFed[second] && !isFed[first] && !hasPhase[first]) isCarried[first] = 1;
    }
    for (let i = 0; i < links.length; i++) this.isDead[i] = isFed[root(i)] || isCarried[root(i)] ? 0 : 1;
    for (let k = 0; k < count; k++) {
      // Without a tie to ground only the devices' own admittances keep such a neutral in the matrix.
      const isFloating = (node: number) =>
        node >= 0 && isCarried[root(node)] === 1 && isEarthed[root(node)] === 0 && !isFed[root(node)];
      this.injection.setNominalOf(k, isFloating(a[k]!) || isFloating(b[k]!));
      const isLiveA = a[k]! >= 0 && !this.isDead[a[k]!];
      const isLiveB = b[k]! >= 0 && !this.isDead[b[k]!];
      const isDeadA = a[k]! >= 0 && !isLiveA;
      const isDeadB = b[k]! >= 0 && !isLiveB;
      this.injection.setPart(k, !isLiveA && !isLiveB ? 0 : isDeadA || isDeadB ? 2 : 1);
    }
  }

  /**
   * Sums the matrix from the present primitives and factorises it.
   *
   * @returns -1, or the node whose pivot was lost
   */
  refresh(): number {
    const { values, slots, primitives, shareSlots, injection, isDead, diagonal } = this;
    values.fill(0);
    for (let e = 0; e < slots.length; e++) {
      const pairs = slots[e]!;
      const { re, im } = primitives[e]!.y;
      for (let t = 0; t < pairs.length; t += 2) {
        const k = pairs[t]!;
        const s = 2 * pairs[t + 1]!;
        values[s] = values[s]! + re[k]!;
        values[s + 1] = values[s + 1]! + im[k]!;
      }
    }
    const { linearRe, linearIm } = injection;
    for (let k = 0; k < linearRe.length; k++) {
      const gr = linearRe[k]!;
      const gi = linearIm[k]!;
      if (gr === 0 && gi === 0) continue;
      for (let t = 0; t < 3; t++) {
        const slot = shareSlots[3 * k + t]!;
        if (slot < 0) continue;
        const sign = t === 2 ? -1 : 1;
        values[2 * slot] = values[2 * slot]! + sign * gr;
        values[2 * slot + 1] = values[2 * slot + 1]! + sign * gi;
      }
    }
    for (let i = 0; i < isDead.length; i++) {
      if (!isDead[i]) continue;
      const s = 2 * diagonal[i]!;
      const size = Math.abs(values[s]!) + Math.abs(values[s + 1]!);
      values[s] = values[s]! + Math.max(DEAD_SHUNT_LEAST, DEAD_SHUNT_RELATIVE * size);
    }
    this.isRefinementNeeded = undefined;
    return this.factor.refactor(values);
  }
}

/** The primitive of an element in the state with most entries: every switch closed, every capacitor in. */
function widestPrimitive(compiled: CompiledFeeder, element: CompiledElement): Primitive {
  const model = compiled.feeder.elements.get(element.id);
  if (element.kind === 'switch') {
    const device = compiled.feeder.switches.find((s) => s === model);
    if (device)
      return switchPrimitive(
        device,
        device.from.nodes.map(() => false),
      );
  }
  if (element.kind === 'capacitor') {
    const bank = compiled.feeder.capacitors.find((c) => c === model);
    if (bank)
      return capacitorPrimitive(
        bank,
        bank.shares.map(() => 1),
      );
  }
  return element.primitive;
}
