/*
 * The pattern of a nodal matrix and where each element's entries stand in it.
 *
 * Steps: all pairs of nodes that an element or a share joins are counted by columns, laid out and sorted; repeated pairs
 * fall together; each element keeps the slots of its entries, each node the shares at it.
 * Cost: linear in the entries of all elements.
 * Fails: never.
 */

/** Where the nodes of an element lie: that of conductor i is `nodeRoom[nodeStart + i]`, -1 for ground. */
export interface PatternElement {
  readonly nodeRoom: Int32Array;
  readonly nodeStart: number;
}

/** An admittance of order n: n*n real parts of `data` from `offset` on, then as many imaginary ones. */
export interface PatternAdmittance {
  readonly n: number;
  readonly data: Float64Array;
  readonly offset: number;
}

/** Two-terminal shares: the node of each end, -1 for ground. */
export interface PatternShares {
  readonly count: number;
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** Pattern of the upper triangle by columns, with the places of elements and shares. */
export class MatrixPattern {
  readonly colPtr: Int32Array;
  readonly rowIdx: Int32Array;
  /** Slot of each diagonal entry. */
  readonly diagonal: Int32Array;
  /** Entries of elements that count: those of element e are `[elementStart[e], elementStart[e + 1])`. */
  readonly elementStart: Int32Array;
  /** Position of each in the element's matrix. */
  readonly elementEntry: Int32Array;
  /** Slot of each. */
  readonly elementSlot: Int32Array;
  /** Three slots a share: first end, second end, between; -1 for none. */
  readonly shareSlots: Int32Array;
  private readonly sharesAt: Incidence;

  constructor(
    readonly n: number,
    private readonly elements: readonly PatternElement[],
    /** Of each element the state with most entries. */
    private readonly widest: readonly PatternAdmittance[],
    shares: PatternShares,
  ) {
    const rows = collect(n, elements, widest, shares);
    this.colPtr = rows.colPtr;
    this.rowIdx = rows.rowIdx;
    this.diagonal = new Int32Array(n);
    for (let j = 0; j < n; j++) this.diagonal[j] = this.colPtr[j + 1]! - 1;
    this.elementStart = new Int32Array(elements.length + 1);
    const entry = new Int32Array(rows.entries);
    const slots = new Int32Array(rows.entries);
    let taken = 0;
    for (let e = 0; e < elements.length; e++) {
      const { nodeRoom, nodeStart } = elements[e]!;
      const order = widest[e]!.n;
      for (let i = 0; i < order; i++) {
        const row = nodeRoom[nodeStart + i]!;
        if (row < 0) continue;
        for (let j = 0; j < order; j++) {
          const column = nodeRoom[nodeStart + j]!;
          if (row > column) continue;
          const slot = this.slotOf(row, column);
          if (slot < 0) continue;
          entry[taken] = i * order + j;
          slots[taken++] = slot;
        }
      }
      this.elementStart[e + 1] = taken;
    }
    this.elementEntry = entry.subarray(0, taken);
    this.elementSlot = slots.subarray(0, taken);
    const { a, b, count } = shares;
    this.shareSlots = new Int32Array(3 * count);
    for (let k = 0; k < count; k++) {
      this.shareSlots[3 * k] = this.slotOf(a[k]!, a[k]!);
      this.shareSlots[3 * k + 1] = this.slotOf(b[k]!, b[k]!);
      this.shareSlots[3 * k + 2] = this.slotOf(a[k]!, b[k]!);
    }
    this.sharesAt = incidence(n, a, b);
  }

  /** Slot of the entry between two nodes, -1 where there is none. */
  slotOf(i: number, j: number): number {
    if (i < 0 || j < 0) return -1;
    const row = Math.min(i, j);
    const column = Math.max(i, j);
    for (let p = this.colPtr[column]!; p < this.colPtr[column + 1]!; p++) if (this.rowIdx[p] === row) return p;
    return -1;
  }

  /** Nodes of the given elements and the shares at them, ascending. */
  around(changed: Iterable<number>): { readonly nodes: Int32Array; readonly shares: Int32Array } {
    const nodes = new Set<number>();
    for (const e of changed) {
      const { nodeRoom, nodeStart } = this.elements[e]!;
      for (let i = 0; i < this.widest[e]!.n; i++) {
        const node = nodeRoom[nodeStart + i]!;
        if (node >= 0) nodes.add(node);
      }
    }
    const shares = new Set<number>();
    for (const node of nodes) {
      for (let p = this.sharesAt.start[node]!; p < this.sharesAt.start[node + 1]!; p++)
        shares.add(this.sharesAt.member[p]!);
    }
    return { nodes: Int32Array.from(nodes), shares: Int32Array.from(shares).sort() };
  }

  /** Shares with an end at a node. */
  sharesOf(node: number): Int32Array {
    const { start, member } = this.sharesAt;
    return member.subarray(start[node]!, start[node + 1]!);
  }
}

interface Incidence {
  readonly start: Int32Array;
  readonly member: Int32Array;
}

/** Members by node of either end; a member whose ends are the same node stands there twice. */
function incidence(n: number, a: Int32Array, b: Int32Array): Incidence {
  const start = new Int32Array(n + 1);
  for (let m = 0; m < a.length; m++) {
    if (a[m]! >= 0) start[a[m]! + 1] = start[a[m]! + 1]! + 1;
    if (b[m]! >= 0) start[b[m]! + 1] = start[b[m]! + 1]! + 1;
  }
  for (let i = 0; i < n; i++) start[i + 1] = start[i + 1]! + start[i]!;
  const member = new Int32Array(start[n]!);
  const next = start.slice(0, n);
  for (let m = 0; m < a.length; m++) {
    for (let end = 0; end < 2; end++) {
      const node = end === 0 ? a[m]! : b[m]!;
      if (node < 0) continue;
      member[next[node]!] = m;
      next[node] = next[node]! + 1;
    }
  }
  return { start, member };
}

/** Longest column that is sorted by insertion. */
const SHORT = 32;

/** Sorts a piece of an array: by insertion where it is short, as the columns of nearly all networks are. */
function sortShort(list: Int32Array, start: number, end: number): void {
  if (end - start > SHORT) {
    list.subarray(start, end).sort();
    return;
  }
  for (let p = start + 1; p < end; p++) {
    const row = list[p]!;
    let q = p;
    for (; q > start && list[q - 1]! > row; q--) list[q] = list[q - 1]!;
    list[q] = row;
  }
}

/** Columns and sorted rows of all pairs, each once, with the whole diagonal; and how many entries elements have in that triangle. */
function collect(
  n: number,
  elements: readonly PatternElement[],
  widest: readonly PatternAdmittance[],
  shares: PatternShares,
): { readonly colPtr: Int32Array; readonly rowIdx: Int32Array; readonly entries: number } {
  let most = shares.count;
  for (let e = 0; e < elements.length; e++) {
    const order = widest[e]!.n;
    most += (order * (order - 1)) / 2;
  }
  // Elements are looked at once; what they join stands in two columns of numbers from then on.
  const pairRow = new Int32Array(most);
  const pairColumn = new Int32Array(most);
  let pairs = 0;
  let entries = 0;
  for (let e = 0; e < elements.length; e++) {
    const { nodeRoom, nodeStart } = elements[e]!;
    const { n: order, data, offset } = widest[e]!;
    for (let i = 0; i < order; i++) {
      const row = nodeRoom[nodeStart + i]!;
      if (row < 0) continue;
      for (let j = 0; j < order; j++) {
        const column = nodeRoom[nodeStart + j]!;
        if (row > column) continue;
        entries++;
        if (row === column) continue;
        const k = offset + i * order + j;
        if (data[k] === 0 && data[k + order * order] === 0) continue;
        pairRow[pairs] = row;
        pairColumn[pairs++] = column;
      }
    }
  }
  for (let k = 0; k < shares.count; k++) {
    const a = shares.a[k]!;
    const b = shares.b[k]!;
    if (a < 0 || b < 0 || a === b) continue;
    pairRow[pairs] = Math.min(a, b);
    pairColumn[pairs++] = Math.max(a, b);
  }
  const start = new Int32Array(n + 1).fill(1);
  start[0] = 0;
  for (let p = 0; p < pairs; p++) start[pairColumn[p]! + 1] = start[pairColumn[p]! + 1]! + 1;
  for (let j = 0; j < n; j++) start[j + 1] = start[j + 1]! + start[j]!;
  const rows = new Int32Array(start[n]!);
  const next = start.slice(0, n);
  for (let j = 0; j < n; j++) {
    rows[next[j]!] = j;
    next[j] = next[j]! + 1;
  }
  for (let p = 0; p < pairs; p++) {
    const column = pairColumn[p]!;
    rows[next[column]!] = pairRow[p]!;
    next[column] = next[column]! + 1;
  }
  const colPtr = new Int32Array(n + 1);
  let kept = 0;
  for (let j = 0; j < n; j++) {
    sortShort(rows, start[j]!, start[j + 1]!);
    let last = -1;
    for (let p = start[j]!; p < start[j + 1]!; p++) {
      const row = rows[p]!;
      if (row === last) continue;
      last = row;
      rows[kept++] = row;
    }
    colPtr[j + 1] = kept;
  }
  return { colPtr, rowIdx: rows.slice(0, kept), entries };
}
