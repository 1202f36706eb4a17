/*
 * Elimination order of a network for solves whose right-hand side is zero at most nodes.
 *
 * Solved: an order of all nodes, first those without injection whose elimination does not make the rest denser, then the
 * others. The factor of the second part alone is that of the network seen from the injections; every iteration of a power
 * flow needs no more, and the voltages of the first part follow once at the end.
 * Steps: (1) the silent nodes of a bus are one group; the group whose elimination saves most entries goes first, as long
 * as any saves some: a group with neighbours U costs the pairs of U not yet joined and saves its own edges; (2) minimum
 * degree on what is left; (3) elimination tree and column counts, both parts put into postorder: the same fill, but every
 * subtree lies together; columns with the same rows below form blocks of at most three; (4) for the kernels the blocks are
 * sorted by their height in the tree and then by shape: again a topological order of the tree, in which blocks of one height
 * are independent of one another and equal shapes follow one another.
 * Cost: linear in the nodes for trees; typed arrays alone, so that the collector has nothing to do with it.
 * Fails: never.
 * Source: Kron (1939) for the reduction; Liu (1990), "The role of elimination trees in sparse factorization".
 */
import { minimumDegreeOrder } from '../../math/index.js';

/** Neighbours beyond which a silent group is left where it is. */
const WIDEST_FRONT = 18;
/** Columns of a block. */
export const WIDEST_BLOCK = 3;

/** An order in blocks. */
export interface Elimination {
  /** The node eliminated k-th: a postorder, so that the factor's passes stay where they are in memory, at any size. */
  readonly order: Int32Array;
  /** Nodes of the first part: `order[0 .. silentCount)`. */
  readonly silentCount: number;
  /** First column of each block in the order, and the end; no block spans both parts. */
  readonly blockStart: Int32Array;
  /** The blocks as the kernels go through them, by part, height and shape. */
  readonly blockOrder: Int32Array;
  /** Blocks at the end of the silent part whose nodes are watched, see watched-blocks.ts; absent for none. */
  readonly watchedCount?: number;
}

/** Undirected graph whose lists of neighbours lie in one array; a list that outgrows its room moves to the end. */
class Adjacency {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new Adjacency(1, new Int32Array(2), new Int32Array(0));

  /** Neighbours of i: `item[start[i]]` to `item[start[i] + count[i] - 1]`. */
  readonly start: Int32Array;
  readonly count: Int32Array;
  item: Int32Array;
  private readonly room: Int32Array;
  private end: number;

  /** Neighbours of each node, without itself, from the upper triangle of a pattern by columns. */
  constructor(n: number, colPtr: Int32Array, rowIdx: Int32Array) {
    const room = new Int32Array(n);
    for (let j = 0; j < n; j++) {
      for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
        const i = rowIdx[p]!;
        if (i === j) continue;
        room[i] = room[i]! + 1;
        room[j] = room[j]! + 1;
      }
    }
    this.start = new Int32Array(n);
    for (let i = 1; i < n; i++) this.start[i] = this.start[i - 1]! + room[i - 1]!;
    this.room = room;
    this.end = this.start[n - 1]! + room[n - 1]!;
    this.item = new Int32Array(2 * this.end);
    this.count = new Int32Array(n);
    for (let j = 0; j < n; j++) {
      for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
        const i = rowIdx[p]!;
        if (i === j) continue;
        this.push(i, j);
        this.push(j, i);
      }
    }
  }

  push(i: number, neighbour: number): void {
    const count = this.count[i]!;
    if (count === this.room[i]) this.move(i);
    this.item[this.start[i]! + count] = neighbour;
    this.count[i] = count + 1;
  }

  /** Gives a list twice the room. */
  private move(i: number): void {
    const room = 2 * this.room[i]! + 2;
    if (this.end + room > this.item.length) {
      const wider = new Int32Array(2 * (this.end + room));
      wider.set(this.item);
      this.item = wider;
    }
    const from = this.start[i]!;
    this.item.copyWithin(this.end, from, from + this.count[i]!);
    this.start[i] = this.end;
    this.room[i] = room;
    this.end += room;
  }
}

/** Nodes by group: those of g are `node[start[g]]` to `node[start[g + 1] - 1]`. */
interface SilentGroups {
  readonly count: number;
  readonly start: Int32Array;
  readonly node: Int32Array;
  /** Group of each node, -1 for nodes with an injection. */
  readonly groupOf: Int32Array;
}

/** Groups in the order of their first silent nodes. */
function silentGroups(n: number, isActive: Uint8Array, label: ArrayLike<number>): SilentGroups {
  const groupOf = new Int32Array(n).fill(-1);
  const known = new Int32Array(n).fill(-1);
  const start = new Int32Array(n + 1);
  let count = 0;
  let silent = 0;
  for (let i = 0; i < n; i++) {
    if (isActive[i]) continue;
    let g = known[label[i]!]!;
    if (g < 0) {
      g = count++;
      known[label[i]!] = g;
    }
    groupOf[i] = g;
    start[g + 1] = start[g + 1]! + 1;
    silent++;
  }
  for (let g = 0; g < count; g++) start[g + 1] = start[g + 1]! + start[g]!;
  const node = new Int32Array(silent);
  const next = start.slice(0, count);
  for (let i = 0; i < n; i++) {
    const g = groupOf[i]!;
    if (g < 0) continue;
    node[next[g]!] = i;
    next[g] = next[g]! + 1;
  }
  return { count, start, node, groupOf };
}

/** Takes silent groups out of the graph; `adjacent` is left with the reduced graph of the other nodes. */
class SilentReduction {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new SilentReduction(Adjacency.kept, silentGroups(1, Uint8Array.of(1), [0]));

  /** The nodes taken out, in order, and their number. */
  readonly order: Int32Array;
  orderCount = 0;
  private readonly mark: Int32Array;
  private stamp = 0;
  /** Nodes around the group that was looked at last. */
  private readonly front: Int32Array;
  private frontCount = 0;

  constructor(
    private readonly adjacent: Adjacency,
    private readonly groups: SilentGroups,
  ) {
    const n = adjacent.count.length;
    this.mark = new Int32Array(n);
    this.front = new Int32Array(n);
    this.order = new Int32Array(groups.node.length);
  }

  /** Marks the nodes of a group. */
  private markGroup(g: number): number {
    const { groups, mark } = this;
    const own = ++this.stamp;
    for (let t = groups.start[g]!; t < groups.start[g + 1]!; t++) mark[groups.node[t]!] = own;
    return own;
  }

  /** Entries that the elimination of a group adds (positive) or saves (negative); sets the front. */
  private growth(g: number): number {
    const { groups, mark, front } = this;
    const { start, count, item } = this.adjacent;
    const own = this.markGroup(g);
    const seen = ++this.stamp;
    let width = 0;
    let edges = 0;
    for (let t = groups.start[g]!; t < groups.start[g + 1]!; t++) {
      const i = groups.node[t]!;
      for (let a = start[i]!, end = a + count[i]!; a < end; a++) {
        const j = item[a]!;
        if (mark[j] === own) {
          if (j < i) edges++;
          continue;
        }
        edges++;
        if (mark[j] === seen) continue;
        mark[j] = seen;
        front[width++] = j;
      }
    }
    this.frontCount = width;
    if (width > WIDEST_FRONT) return Number.POSITIVE_INFINITY;
    let joined = 0;
    for (let f = 0; f < width; f++) {
      const i = front[f]!;
      for (let a = start[i]!, end = a + count[i]!; a < end; a++) if (mark[item[a]!] === seen) joined++;
    }
    return (width * (width - 1)) / 2 - joined / 2 - edges;
  }

  private eliminate(g: number): void {
    const { adjacent, groups, mark, front, frontCount } = this;
    const { start, count } = adjacent;
    const own = this.markGroup(g);
    for (let f = 0; f < frontCount; f++) {
      const i = front[f]!;
      const { item } = adjacent;
      const seen = ++this.stamp;
      let kept = start[i]!;
      for (let a = kept, end = a + count[i]!; a < end; a++) {
        const j = item[a]!;
        if (mark[j] === own) continue;
        item[kept++] = j;
        mark[j] = seen;
      }
      count[i] = kept - start[i]!;
      for (let h = 0; h < frontCount; h++) {
        const j = front[h]!;
        if (j !== i && mark[j] !== seen) adjacent.push(i, j);
      }
    }
    for (let t = groups.start[g]!; t < groups.start[g + 1]!; t++) {
      const i = groups.node[t]!;
      count[i] = 0;
      this.order[this.orderCount++] = i;
    }
  }

  run(): void {
    const { groups, front } = this;
    // Buckets by entries saved, most first; a group may stand in several, the lowest true one counts.
    const deepest = 128;
    const buckets: number[][] = Array.from({ length: deepest + 1 }, () => []);
    const isDone = new Uint8Array(groups.count);
    const touched = new Int32Array(groups.count);
    const touchedBy = new Int32Array(groups.count).fill(-1);
    let at = 0;
    const bucketOf = (growth: number) => Math.max(0, Math.ceil(growth) + deepest);
    const place = (g: number) => {
      const growth = this.growth(g);
      if (growth > 0) return;
      const bucket = bucketOf(growth);
      buckets[bucket]!.push(g);
      at = Math.min(at, bucket);
    };
    for (let g = 0; g < groups.count; g++) place(g);
    for (; at <= deepest; at++) {
      for (let g = buckets[at]!.pop(); g !== undefined; g = buckets[at]!.pop()) {
        if (isDone[g]) continue;
        const growth = this.growth(g);
        if (growth > 0) continue;
        if (bucketOf(growth) > at) {
          buckets[bucketOf(growth)]!.push(g);
          continue;
        }
        this.eliminate(g);
        isDone[g] = 1;
        let touchedCount = 0;
        for (let f = 0; f < this.frontCount; f++) {
          const other = groups.groupOf[front[f]!]!;
          if (other < 0 || touchedBy[other] === g) continue;
          touchedBy[other] = g;
          touched[touchedCount++] = other;
        }
        for (let t = 0; t < touchedCount; t++) if (!isDone[touched[t]!]) place(touched[t]!);
      }
    }
  }
}

/** Minimum degree order of the nodes that are left. */
function orderRest({ start, count, item }: Adjacency, rest: Int32Array): Int32Array {
  const place = new Int32Array(count.length).fill(-1);
  for (let k = 0; k < rest.length; k++) place[rest[k]!] = k;
  const colPtr = new Int32Array(rest.length + 1);
  const rows: number[] = [];
  for (let k = 0; k < rest.length; k++) {
    const i = rest[k]!;
    for (let a = start[i]!, end = a + count[i]!; a < end; a++) {
      const j = place[item[a]!]!;
      if (j < k) rows.push(j);
    }
    colPtr[k + 1] = rows.length;
  }
  const order = minimumDegreeOrder(rest.length, colPtr, rows);
  for (let k = 0; k < order.length; k++) order[k] = rest[order[k]!]!;
  return order;
}

/** Parents in the elimination tree and entries of each column of the factor, in the order given. */
function columnCounts(
  n: number,
  colPtr: Int32Array,
  rowIdx: Int32Array,
  order: Int32Array,
): { readonly parent: Int32Array; readonly count: Int32Array } {
  const place = new Int32Array(n);
  for (let k = 0; k < n; k++) place[order[k]!] = k;
  const start = new Int32Array(n + 1);
  for (let j = 0; j < n; j++) {
    for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
      const column = Math.max(place[j]!, place[rowIdx[p]!]!);
      start[column + 1] = start[column + 1]! + 1;
    }
  }
  for (let j = 0; j < n; j++) start[j + 1] = start[j + 1]! + start[j]!;
  const rows = new Int32Array(start[n]!);
  const next = start.slice(0, n);
  for (let j = 0; j < n; j++) {
    for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
      const a = place[j]!;
      const b = place[rowIdx[p]!]!;
      const column = Math.max(a, b);
      rows[next[column]!] = Math.min(a, b);
      next[column] = next[column]! + 1;
    }
  }
  const parent = new Int32Array(n).fill(-1);
  const count = new Int32Array(n);
  const seen = new Int32Array(n).fill(-1);
  for (let k = 0; k < n; k++) {
    seen[k] = k;
    for (let p = start[k]!; p < start[k + 1]!; p++) {
      for (let i = rows[p]!; seen[i] !== k; i = parent[i]!) {
        if (parent[i] === -1) parent[i] = k;
        count[i] = count[i]! + 1;
        seen[i] = k;
      }
    }
  }
  return { parent, count };
}

/**
 * Orders a network.
 *
 * @param colPtr - upper triangle of the pattern by columns, length n + 1
 * @param rowIdx - its rows
 * @param isActive - 1 for nodes with an injection: loads, generation, sources
 * @param group - a number from 0 to n - 1 for each node; silent nodes of the same number are eliminated together
 */
export function orderElimination(
  n: number,
  colPtr: Int32Array,
  rowIdx: Int32Array,
  isActive: Uint8Array,
  group: ArrayLike<number>,
): Elimination {
  if (n === 0) {
    const none = new Int32Array(0);
    return { order: none, silentCount: 0, blockStart: new Int32Array(1), blockOrder: none };
  }
  const adjacent = new Adjacency(n, colPtr, rowIdx);
  const reduction = new SilentReduction(adjacent, silentGroups(n, isActive, group));
  reduction.run();
  const silent = reduction.order.subarray(0, reduction.orderCount);
  const isSilent = new Uint8Array(n);
  for (let k = 0; k < silent.length; k++) isSilent[silent[k]!] = 1;
  const rest = new Int32Array(n - silent.length);
  for (let i = 0, k = 0; i < n; i++) if (!isSilent[i]) rest[k++] = i;
  const first = new Int32Array(n);
  first.set(silent);
  first.set(orderRest(adjacent, rest), silent.length);
  return arrange(inPostorder(first, silent.length, columnCounts(n, colPtr, rowIdx, first)), silent.length);
}

/** An order with its elimination tree and the entries of each column of the factor. */
interface Tree {
  readonly first: Int32Array;
  readonly parent: Int32Array;
  readonly count: Int32Array;
}

/**
 * The same elimination in postorder, silent nodes before the others. The child with most entries stands last, next to its
 * parent: where the two have the same rows below they form a block.
 */
function inPostorder(
  first: Int32Array,
  silentCount: number,
  { parent, count }: { readonly parent: Int32Array; readonly count: Int32Array },
): Tree {
  const n = first.length;
  // Children of each column as a list from its last to its first, roots under n.
  const child = new Int32Array(n + 1).fill(-1);
  const brother = new Int32Array(n).fill(-1);
  const fullest = new Int32Array(n + 1).fill(-1);
  for (let k = 0; k < n; k++) {
    const above = parent[k]! < 0 ? n : parent[k]!;
    brother[k] = child[above]!;
    child[above] = k;
    if (fullest[above]! < 0 || count[k]! > count[fullest[above]!]!) fullest[above] = k;
  }
  // From the root down with the fullest child first: backwards, a postorder.
  const position = new Int32Array(n);
  const stack = new Int32Array(n + 1);
  stack[0] = n;
  let silentAt = silentCount;
  let activeAt = n;
  for (let depth = 1; depth > 0; ) {
    const k = stack[--depth]!;
    if (k < n) position[k] = k < silentCount ? --silentAt : --activeAt;
    for (let c = child[k]!; c >= 0; c = brother[c]!) if (c !== fullest[k]) stack[depth++] = c;
    if (fullest[k]! >= 0) stack[depth++] = fullest[k]!;
  }
  const tree: Tree = { first: new Int32Array(n), parent: new Int32Array(n), count: new Int32Array(n) };
  for (let k = 0; k < n; k++) {
    const at = position[k]!;
    tree.first[at] = first[k]!;
    tree.parent[at] = parent[k]! < 0 ? -1 : position[parent[k]!]!;
    tree.count[at] = count[k]!;
  }
  return tree;
}

/** Sorts numbers by a key from 0 up, equal keys as they stand, in one pass. */
function sortedByKey(list: Int32Array, key: Int32Array): Int32Array {
  let most = 0;
  for (let t = 0; t < list.length; t++) most = Math.max(most, key[list[t]!]!);
  const next = new Int32Array(most + 2);
  for (let t = 0; t < list.length; t++) {
    const k = key[list[t]!]! + 1;
    next[k] = next[k]! + 1;
  }
  for (let k = 0; k < most; k++) next[k + 1] = next[k + 1]! + next[k]!;
  const sorted = new Int32Array(list.length);
  for (let t = 0; t < list.length; t++) {
    const k = key[list[t]!]!;
    sorted[next[k]!] = list[t]!;
    next[k] = next[k]! + 1;
  }
  return sorted;
}

/** Finds the blocks of an order and sorts them by part, height and shape. */
function arrange({ first, parent, count }: Tree, silentCount: number): Elimination {
  const n = first.length;
  const starts = new Int32Array(n + 1);
  let blocks = 0;
  const blockOf = new Int32Array(n);
  for (let k = 0; k < n; k++) {
    const isSame =
      blocks > 0 &&
      k !== silentCount &&
      k - starts[blocks - 1]! < WIDEST_BLOCK &&
      parent[k - 1] === k &&
      count[k - 1] === count[k]! + 1;
    if (!isSame) starts[blocks++] = k;
    blockOf[k] = blocks - 1;
  }
  starts[blocks] = n;
  const height = new Int32Array(blocks);
  const part = new Int32Array(blocks);
  const width = new Int32Array(blocks);
  const rowsBelow = new Int32Array(blocks);
  for (let b = 0; b < blocks; b++) {
    const start = starts[b]!;
    const end = starts[b + 1]!;
    part[b] = start >= silentCount ? 1 : 0;
    width[b] = end - start;
    rowsBelow[b] = count[end - 1]!;
    const above = parent[end - 1]!;
    if (above < 0 || above >= silentCount !== start >= silentCount) continue;
    const p = blockOf[above]!;
    height[p] = Math.max(height[p]!, height[b]! + 1);
  }
  let sorted: Int32Array = new Int32Array(blocks);
  for (let b = 0; b < blocks; b++) sorted[b] = b;
  // The last key counts most.
  for (const key of [rowsBelow, width, height, part]) sorted = sortedByKey(sorted, key);
  return { order: first, silentCount, blockStart: starts.slice(0, blocks + 1), blockOrder: sorted };
}
