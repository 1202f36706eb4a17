/*
 * The nodal admittance matrix of a feeder and its factor.
 *
 * Steps: the pattern is that of every element in every state (all switches closed, all capacitors in), so that taps,
 * switches and capacitors only change values; values are summed from the primitives; nodes without a path to a source
 * get a shunt too small to matter, so that an opened switch leaves a solvable matrix; the least where the charging of
 * their lines holds them by itself. A neutral that devices alone tie to the fed network is no such node. Where the
 * branches leave no factor, the nominal admittances of the devices come in.
 * Cost: pattern and analysis once; a change of a few elements costs the sum of their entries and the rows of the factor
 * on the way from there to the root; a switch costs a whole summation and factorisation.
 * Fails: `refresh` answers with the node of a lost pivot.
 */
import { type ComplexDense, ComplexFactor } from '../math/index.js';
import {
  type CompiledElement,
  type CompiledFeeder,
  capacitorPrimitive,
  type Primitive,
  switchAdmittance,
} from '../model/index.js';
import type { ShareInjection } from './injection.js';
import { type Elimination, orderElimination } from './kernel/elimination.js';
import { MatrixPattern } from './kernel/matrix-pattern.js';

/** Nodes from here up are neutrals and explicit wires. */
const FIRST_NEUTRAL_NODE = 4;
/** Partial factorisations that are remembered row by row. */
const REMEMBERED = 16;
/** Shunt at a node without a path to a source: relative to its own diagonal entry, above its rounding, and at least, S. */
const DEAD_SHUNT_RELATIVE = 2e-12;
const DEAD_SHUNT_LEAST = 1e-12;
/** Charging of a line, relative to its own admittance, that ties a node without a path to a source to ground by itself. */
const CHARGING_RELATIVE = 1e-11;

/** Admittance matrix, factor and the state of energisation. */
export class AdmittanceNetwork {
  readonly compiled: CompiledFeeder;
  /** Upper triangle by columns. */
  readonly colPtr: Int32Array;
  readonly rowIdx: Int32Array;
  /** Values in the order of elimination, interleaved re/im, S: the factor reads them as they lie. */
  private readonly entries: Float64Array;
  /** What elements add to them, in the same order: that of entry q is `[sumStart[q], sumStart[q + 1])`, by element. */
  private readonly terms: Float64Array;
  private readonly sumStart: Int32Array;
  /** Place in `terms` of each entry of an element, see {@link MatrixPattern.elementEntry}. */
  private readonly termAt: Int32Array;
  /** Entry of each slot of the pattern. */
  private readonly entryOf: Int32Array;
  private inPattern: Float64Array | undefined;
  private inPatternAge = -1;
  readonly factor: ComplexFactor;
  /** Present primitive of each element. Replaced as a whole when one changes: solutions keep the one they saw. */
  primitives: readonly Primitive[];
  /** The same list as long as it may be changed in place: until a solution holds it. */
  private ownPrimitives: Primitive[] | undefined;
  /**
   * Whether solutions need refinement; undefined until it has been measured. Taps and sections do not change it, switches may.
   */
  isRefinementNeeded: boolean | undefined;
  /** Whether they need one by the currents of the branches; likewise. */
  isBranchRefinementNeeded: boolean | undefined;
  /** 1 for nodes without a path to a source. */
  readonly isDead: Uint8Array;
  /** What stands in the matrix at each of them so that it has a factor, S; 0 at others. */
  readonly deadShunt: Float64Array;
  /** 1 for those of them that the charging of lines ties to ground. */
  private readonly isCharged: Uint8Array;
  readonly pattern: MatrixPattern;
  /** The order of the factor: silent nodes first, see kernel/elimination.ts. */
  readonly elimination: Elimination;
  /** Counts the factorisations, so that copies of the factor know their age. */
  factorAge = 0;
  /** Rows that each of the last factorisations has worked out, by age modulo the number remembered; undefined: all. */
  private readonly renewed: (Int32Array | undefined)[] = [];
  private readonly isTouched: Uint8Array;
  /** Elements with a new primitive since the last factorisation. */
  private readonly changed = new Set<number>();
  private isWholeChanged = true;
  /** Every device's nominal admittance stands in the matrix, because without them it had no factor. */
  private isHeldByShares = false;
  /** Admittances of the shares that stand in `values`. */
  private readonly usedRe: Float64Array;
  private readonly usedIm: Float64Array;
  private linearAge = -1;
  private readonly links: Int32Array;

  constructor(
    compiled: CompiledFeeder,
    private readonly injection: ShareInjection,
  ) {
    this.compiled = compiled;
    const n = compiled.nodeCount;
    this.primitives = compiled.elements.map((element) => element.primitive);
    const { elements, shares } = compiled;
    const pattern = new MatrixPattern(n, elements, widestAdmittances(compiled), shares);
    this.pattern = pattern;
    this.colPtr = pattern.colPtr;
    this.rowIdx = pattern.rowIdx;
    this.isTouched = new Uint8Array(pattern.rowIdx.length);
    const isActive = new Uint8Array(n);
    for (const element of elements) {
      if (element.kind !== 'source' && element.kind !== 'inductionMachine') continue;
      eachNode(element, (node) => {
        isActive[node] = 1;
      });
    }
    for (let k = 0; k < shares.count; k++) {
      if (shares.a[k]! >= 0) isActive[shares.a[k]!] = 1;
      if (shares.b[k]! >= 0) isActive[shares.b[k]!] = 1;
    }
    const group = new Int32Array(n);
    const { nodeBusPosition } = compiled;
    for (let i = 1; i < n; i++) group[i] = group[i - 1]! + (nodeBusPosition[i] === nodeBusPosition[i - 1] ? 0 : 1);
    this.elimination = orderElimination(n, pattern.colPtr, pattern.rowIdx, isActive, group);
    this.factor = new ComplexFactor(n, this.colPtr, this.rowIdx, this.elimination.order);
    const slots = this.factor.takeInOrder();
    this.entries = new Float64Array(2 * slots.length);
    this.entryOf = new Int32Array(slots.length);
    for (let q = 0; q < slots.length; q++) this.entryOf[slots[q]!] = q;
    const { elementSlot } = pattern;
    this.sumStart = new Int32Array(slots.length + 1);
    for (let t = 0; t < elementSlot.length; t++) {
      const q = this.entryOf[elementSlot[t]!]! + 1;
      this.sumStart[q] = this.sumStart[q]! + 1;
    }
    for (let q = 0; q < slots.length; q++) this.sumStart[q + 1] = this.sumStart[q + 1]! + this.sumStart[q]!;
    this.termAt = new Int32Array(elementSlot.length);
    const next = this.sumStart.slice(0, slots.length);
    for (let t = 0; t < elementSlot.length; t++) {
      const q = this.entryOf[elementSlot[t]!]!;
      this.termAt[t] = next[q]!;
      next[q] = next[q]! + 1;
    }
    this.terms = new Float64Array(2 * elementSlot.length);
    for (let e = 0; e < elements.length; e++) this.setTerms(e, elements[e]!.primitive);
    this.usedRe = new Float64Array(shares.count);
    this.usedIm = new Float64Array(shares.count);
    this.isDead = new Uint8Array(n);
    this.deadShunt = new Float64Array(n);
    this.isCharged = new Uint8Array(n);
    this.links = new Int32Array(n);
    this.energise();
  }

  /** Replaces the primitive of one element; `refresh` makes it count. */
  setPrimitive(element: number, primitive: Primitive): void {
    if (!this.ownPrimitives) {
      this.ownPrimitives = [...this.primitives];
      this.primitives = this.ownPrimitives;
    }
    this.ownPrimitives[element] = primitive;
    this.setTerms(element, primitive);
    this.changed.add(element);
  }

  /** The present primitives for good: the next change works on a copy. */
  holdPrimitives(): readonly Primitive[] {
    this.ownPrimitives = undefined;
    return this.primitives;
  }

  /** Values of the matrix in the order of the pattern, interleaved re/im, S, as of the last {@link refresh}; made when asked for. */
  get values(): Float64Array {
    const { entries, entryOf } = this;
    this.inPattern ??= new Float64Array(entries.length);
    if (this.inPatternAge === this.factorAge) return this.inPattern;
    this.inPatternAge = this.factorAge;
    for (let p = 0; p < entryOf.length; p++) {
      this.inPattern[2 * p] = entries[2 * entryOf[p]!]!;
      this.inPattern[2 * p + 1] = entries[2 * entryOf[p]! + 1]!;
    }
    return this.inPattern;
  }

  private setTerms(e: number, { y: { n, data, offset } }: Primitive): void {
    const { terms, termAt } = this;
    const { elementStart, elementEntry } = this.pattern;
    for (let t = elementStart[e]!, end = elementStart[e + 1]!; t < end; t++) {
      const at = 2 * termAt[t]!;
      const k = offset + elementEntry[t]!;
      terms[at] = data[k]!;
      terms[at + 1] = data[k + n * n]!;
    }
  }

  /** Finds the nodes without a path to a source; call after a switch has moved. */
  energise(): void {
    const { links, compiled } = this;
    this.isWholeChanged = true;
    this.isHeldByShares = false;
    this.isRefinementNeeded = undefined;
    this.isBranchRefinementNeeded = undefined;
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
    for (let e = 0; e < compiled.elements.length; e++) {
      const { kind, nodeRoom, nodeStart } = compiled.elements[e]!;
      const { n, data, offset } = this.primitives[e]!.y;
      if (kind === 'line' || kind === 'switch' || kind === 'reactor') {
        const half = n / 2;
        for (let i = 0; i < half; i++) {
          const near = offset + i * (n + 1);
          const far = near + half * (n + 1);
          if (data[near] === 0 && data[near + n * n] === 0) continue;
          if (data[far] === 0 && data[far + n * n] === 0) continue;
          join(nodeRoom[nodeStart + i]!, nodeRoom[nodeStart + half + i]!);
        }
        continue;
      }
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) {
          if (kind === 'capacitor' && data[offset + n * n + i * n + j] === 0) continue;
          join(nodeRoom[nodeStart + i]!, nodeRoom[nodeStart + j]!);
        }
      }
    }
    const isFed = new Uint8Array(links.length);
    for (const element of compiled.elements) {
      if (element.kind !== 'source') continue;
      eachNode(element, (node) => {
        isFed[root(node)] = 1;
      });
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
    let isAnyDead = false;
    for (let i = 0; i < links.length; i++) {
      const top = root(i);
      this.isDead[i] = isFed[top] || isCarried[top] ? 0 : 1;
      if (this.isDead[i] === 1) isAnyDead = true;
    }
    // What stands beside live wires of the same line has a voltage by their fields; its devices hold that down.
    const isCoupled = new Uint8Array(links.length);
    const isCharged = new Uint8Array(links.length);
    for (let e = 0; e < compiled.elements.length && isAnyDead; e++) {
      const { kind, nodeRoom, nodeStart } = compiled.elements[e]!;
      if (kind !== 'line' && kind !== 'reactor') continue;
      const { n, data, offset } = this.primitives[e]!.y;
      const imOffset = offset + n * n;
      for (let i = 0; i < n; i++) {
        const own = nodeRoom[nodeStart + i]!;
        if (own < 0 || !this.isDead[own]) continue;
        let sum = 0;
        for (let j = 0; j < n; j++) {
          const other = nodeRoom[nodeStart + j]!;
          const isBeside = other >= 0 && !this.isDead[other];
          const k = i * n + j;
          if (isBeside && (data[offset + k] !== 0 || data[imOffset + k] !== 0)) isCoupled[root(own)] = 1;
          sum += data[imOffset + k]!;
        }
        if (sum > CHARGING_RELATIVE * Math.abs(data[imOffset + i * (n + 1)]!)) isCharged[root(own)] = 1;
      }
    }
    for (let i = 0; i < links.length; i++) this.isCharged[i] = isCharged[root(i)]!;
    for (let k = 0; k < count; k++) {
      // Without a tie to ground only the devices' own admittances keep such a neutral in the matrix.
      const isFloating = (node: number) =>
        node >= 0 && isCarried[root(node)] === 1 && isEarthed[root(node)] === 0 && !isFed[root(node)];
      const isLiveA = a[k]! >= 0 && !this.isDead[a[k]!];
      const isLiveB = b[k]! >= 0 && !this.isDead[b[k]!];
      const isDeadA = a[k]! >= 0 && !isLiveA;
      const isDeadB = b[k]! >= 0 && !isLiveB;
      const isBeside = (isDeadA && isCoupled[root(a[k]!)] === 1) || (isDeadB && isCoupled[root(b[k]!)] === 1);
      const isHanging = isDeadA || isDeadB || isFloating(a[k]!) || isFloating(b[k]!);
      this.injection.setNominalOf(k, isHanging);
      this.injection.setPart(k, !isLiveA && !isLiveB && !isBeside ? 0 : 1);
    }
  }

  /**
   * Sums the matrix from the present primitives and factorises it; where only a few elements have changed since the last
   * time, their part of both alone, to the same bits.
   *
   * @returns -1, or the node whose pivot was lost
   */
  refresh(): number {
    const { pattern, changed, injection, usedRe, usedIm } = this;
    let isWhole = this.isWholeChanged || changed.size > pattern.elementStart.length / 20;
    for (let k = 0; k < usedRe.length && this.linearAge !== injection.linearAge; k++) {
      if (usedRe[k] === injection.linearRe[k] && usedIm[k] === injection.linearIm[k]) continue;
      isWhole = true;
      usedRe.set(injection.linearRe);
      usedIm.set(injection.linearIm);
      break;
    }
    this.linearAge = injection.linearAge;
    let lost: number;
    if (isWhole) {
      this.isTouched.fill(1);
      for (let q = 0; q < this.isTouched.length; q++) this.sumTerms(q);
      for (let k = 0; k < usedRe.length; k++) this.addShare(k);
      for (let i = 0; i < pattern.n; i++) this.addDeadShunt(i);
      this.isTouched.fill(0);
      lost = this.factor.refactor(this.entries);
    } else {
      const { nodes, shares } = pattern.around(changed);
      for (const e of changed) this.mark(e, 1);
      for (const k of shares) this.addShare(k);
      for (const i of nodes) this.addDeadShunt(i);
      for (const e of changed) this.mark(e, 0);
      lost = this.factor.update(this.entries, nodes);
    }
    changed.clear();
    this.isWholeChanged = lost >= 0;
    this.factorAge++;
    this.renewed[this.factorAge % REMEMBERED] = isWhole || lost >= 0 ? undefined : this.factor.updatedRows.slice();
    if (lost < 0 || this.isHeldByShares) return lost;
    // What branches alone leave without a tie to ground may have one by its devices, as in OpenDSS.
    this.isHeldByShares = true;
    for (let k = 0; k < usedRe.length; k++) injection.setNominalOf(k, true);
    return this.refresh();
  }

  /**
   * What is new in the factor since an age.
   *
   * @returns lists of rows in the permuted order; undefined when everything may be new, the admittances of the shares too
   */
  rowsSince(age: number): readonly Int32Array[] | undefined {
    if (age < 0 || this.factorAge - age > REMEMBERED) return undefined;
    const lists: Int32Array[] = [];
    for (let at = age + 1; at <= this.factorAge; at++) {
      const rows = this.renewed[at % REMEMBERED];
      if (!rows) return undefined;
      lists.push(rows);
    }
    return lists;
  }

  /** Sums the entries of an element anew and opens (1) them for shares, or closes (0) them. */
  private mark(e: number, isOpen: 0 | 1): void {
    const { elementStart, elementSlot } = this.pattern;
    for (let t = elementStart[e]!; t < elementStart[e + 1]!; t++) {
      const q = this.entryOf[elementSlot[t]!]!;
      this.isTouched[q] = isOpen;
      if (isOpen) this.sumTerms(q);
    }
  }

  private sumTerms(q: number): void {
    const { entries, terms, sumStart } = this;
    let re = 0;
    let im = 0;
    for (let t = sumStart[q]!, end = sumStart[q + 1]!; t < end; t++) {
      re += terms[2 * t]!;
      im += terms[2 * t + 1]!;
    }
    entries[2 * q] = re;
    entries[2 * q + 1] = im;
  }

  private addShare(k: number): void {
    const { entries, entryOf, isTouched } = this;
    const { shareSlots } = this.pattern;
    const gr = this.usedRe[k]!;
    const gi = this.usedIm[k]!;
    if (gr === 0 && gi === 0) return;
    for (let t = 0; t < 3; t++) {
      const slot = shareSlots[3 * k + t]!;
      if (slot < 0) continue;
      const q = entryOf[slot]!;
      if (isTouched[q] === 0) continue;
      const sign = t === 2 ? -1 : 1;
      entries[2 * q] = entries[2 * q]! + sign * gr;
      entries[2 * q + 1] = entries[2 * q + 1]! + sign * gi;
    }
  }

  private addDeadShunt(i: number): void {
    if (this.isDead[i] === 0) {
      this.deadShunt[i] = 0;
      return;
    }
    const { entries } = this;
    const q = this.entryOf[this.pattern.diagonal[i]!]!;
    if (this.isTouched[q] === 0) return;
    const size = Math.abs(entries[2 * q]!) + Math.abs(entries[2 * q + 1]!);
    const relative = this.isCharged[i] === 1 ? 0 : DEAD_SHUNT_RELATIVE * size;
    this.deadShunt[i] = Math.max(DEAD_SHUNT_LEAST, relative);
    entries[2 * q] = entries[2 * q]! + this.deadShunt[i]!;
  }
}

/** Goes through the nodes of an element, without ground. */
function eachNode({ nodeRoom, nodeStart, primitive }: CompiledElement, take: (node: number) => void): void {
  for (let k = nodeStart, end = nodeStart + primitive.y.n; k < end; k++) if (nodeRoom[k]! >= 0) take(nodeRoom[k]!);
}

/** The admittance of each element in the state with most entries: every switch closed, every capacitor in. */
function widestAdmittances({ feeder, elements }: CompiledFeeder): ComplexDense[] {
  const widest = new Map<string, ComplexDense>();
  for (const device of feeder.switches) {
    const closed = device.from.nodes.map(() => false);
    widest.set(device.id, switchAdmittance(device, closed));
  }
  for (const bank of feeder.capacitors) {
    const all = bank.shares.map(() => 1);
    widest.set(bank.id, capacitorPrimitive(bank, all).y);
  }
  return elements.map((element) => {
    const isChanging = element.kind === 'switch' || element.kind === 'capacitor';
    return (isChanging ? widest.get(element.id) : undefined) ?? element.primitive.y;
  });
}
