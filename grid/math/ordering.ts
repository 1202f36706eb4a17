/*
 * Fill-reducing ordering of a sparse symmetric matrix.
 *
 * Solved: a permutation whose symmetric factor has few entries.
 * Steps: quotient-graph minimum degree.
 *  1. The variable p of least (approximate external) degree becomes an element whose members are p's neighbours,
 *     direct or through older elements; those elements are absorbed.
 *  2. Members drop every direct neighbour the new element covers; |e \ p| is counted for all elements seen, and an
 *     element wholly inside the new one is absorbed too.
 *  3. Members left without other neighbours are eliminated with p; members with equal adjacency are merged into one
 *     supervariable (found by hashing).
 * Cost: close to the entries of the factor, in time and memory, without a list of its own for any variable: linear in the
 * nodes of a near-tree.
 * Fails: never; a structurally singular pattern is ordered like any other.
 * Source: George and Liu (1989), "The evolution of the minimum degree ordering algorithm"; degree bound of Amestoy,
 * Davis and Duff (1996), "An approximate minimum degree ordering algorithm", eq. (4).
 */

/** Doubly linked lists of variables by degree. */
class DegreeLists {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new DegreeLists(0);

  private readonly head: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly degree: Int32Array;
  private lowest = 0;

  constructor(n: number) {
    this.head = new Int32Array(n + 1).fill(-1);
    this.next = new Int32Array(n).fill(-1);
    this.previous = new Int32Array(n).fill(-1);
    this.degree = new Int32Array(n).fill(-1);
  }

  insert(i: number, degree: number): void {
    const first = this.head[degree]!;
    this.next[i] = first;
    this.previous[i] = -1;
    if (first >= 0) this.previous[first] = i;
    this.head[degree] = i;
    this.degree[i] = degree;
    if (degree < this.lowest) this.lowest = degree;
  }

  remove(i: number): void {
    const degree = this.degree[i]!;
    if (degree < 0) return;
    const before = this.previous[i]!;
    const after = this.next[i]!;
    if (before >= 0) this.next[before] = after;
    else this.head[degree] = after;
    if (after >= 0) this.previous[after] = before;
    this.degree[i] = -1;
  }

  /** Takes the variable of least degree out. */
  takeLeast(): number {
    while (this.head[this.lowest]! < 0) this.lowest++;
    const i = this.head[this.lowest]!;
    this.remove(i);
    return i;
  }
}

/** Lists of neighbours in one array: those of i are `item[start[i]]` to `item[start[i] + count[i] - 1]`. */
interface NeighbourLists {
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly item: Int32Array;
}

/** Neighbour lists of the symmetrised pattern without the diagonal; lists of repeated entries have room to spare. */
function neighbourLists(n: number, colPtr: ArrayLike<number>, rowIdx: ArrayLike<number>): NeighbourLists {
  const start = new Int32Array(n + 1);
  for (let j = 0; j < n; j++) {
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) {
      const i = rowIdx[k]!;
      if (i === j) continue;
      start[i + 1] = start[i + 1]! + 1;
      start[j + 1] = start[j + 1]! + 1;
    }
  }
  for (let i = 0; i < n; i++) start[i + 1] = start[i + 1]! + start[i]!;
  const item = new Int32Array(start[n]!);
  const count = new Int32Array(n);
  for (let j = 0; j < n; j++) {
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) {
      const i = rowIdx[k]!;
      if (i === j) continue;
      item[start[i]! + count[i]!] = j;
      count[i] = count[i]! + 1;
      item[start[j]! + count[j]!] = i;
      count[j] = count[j]! + 1;
    }
  }
  const seen = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    let kept = start[i]!;
    for (let a = start[i]!, end = a + count[i]!; a < end; a++) {
      const j = item[a]!;
      if (seen[j] === i) continue;
      seen[j] = i;
      item[kept++] = j;
    }
    count[i] = kept - start[i]!;
  }
  return { start, count, item };
}

/**
 * Elimination order of a symmetric sparse matrix by approximate minimum degree.
 * The pattern may be the upper triangle, the lower triangle or both; the diagonal may be present or absent.
 *
 * @param n - order of the matrix
 * @param colPtr - start of each column in `rowIdx`, length n + 1
 * @param rowIdx - row indices, 0 to n - 1
 * @returns `order` of length n: `order[k]` is the index eliminated k-th
 */
export function minimumDegreeOrder(n: number, colPtr: ArrayLike<number>, rowIdx: ArrayLike<number>): Int32Array {
  // A variable gets an element only where it loses a neighbour or an older element, so that both lists keep to the room
  // of its first neighbours.
  const { start, count: variableCount, item: variable } = neighbourLists(n, colPtr, rowIdx);
  const element = new Int32Array(variable.length);
  const elementCount = new Int32Array(n);
  /** Members of all elements, one after the other; those of p have `memberCount[p]` places from `memberStart[p]`. */
  let member = new Int32Array(variable.length + n);
  let memberEnd = 0;
  const memberStart = new Int32Array(n);
  const memberCount = new Int32Array(n);
  /** Number of original variables in a supervariable; 0 once merged or eliminated. */
  const weight = new Int32Array(n).fill(1);
  const isLiveElement = new Uint8Array(n);
  /** Variables merged into or eliminated with a principal one, as linked lists. */
  const follower = new Int32Array(n).fill(-1);
  const lastFollower = new Int32Array(n);
  const elementSize = new Int32Array(n);
  const outside = new Int32Array(n);
  const outsideStamp = new Int32Array(n).fill(-1);
  const mark = new Int32Array(n).fill(-1);
  const compare = new Int32Array(n).fill(-1);
  let compareStamp = 0;
  const degree = new Int32Array(n);
  const lists = new DegreeLists(n);
  for (let i = 0; i < n; i++) {
    lastFollower[i] = i;
    degree[i] = variableCount[i]!;
    lists.insert(i, degree[i]!);
  }
  const follow = (head: number, i: number) => {
    follower[lastFollower[head]!] = i;
    lastFollower[head] = lastFollower[i]!;
  };

  const order = new Int32Array(n);
  /** Members of the front by hash, as linked lists; heads are valid for the present step only. */
  const bucketHead = new Int32Array(n);
  const bucketStamp = new Int32Array(n).fill(-1);
  const bucketNext = new Int32Array(n);
  const bucketsUsed = new Int32Array(n);
  const front = new Int32Array(n);
  let done = 0;
  for (let step = 0; done < n; step++) {
    const p = lists.takeLeast();
    const eliminatedWeight = weight[p]!;
    weight[p] = 0;
    mark[p] = step;

    let frontCount = 0;
    let frontWeight = 0;
    for (let k = -1; k < elementCount[p]!; k++) {
      const e = k < 0 ? -1 : element[start[p]! + k]!;
      if (e >= 0 && !isLiveElement[e]) continue;
      const list = e < 0 ? variable : member;
      const first = e < 0 ? start[p]! : memberStart[e]!;
      const end = first + (e < 0 ? variableCount[p]! : memberCount[e]!);
      for (let a = first; a < end; a++) {
        const i = list[a]!;
        if (weight[i] === 0 || mark[i] === step) continue;
        mark[i] = step;
        front[frontCount++] = i;
        frontWeight += weight[i]!;
      }
      if (e >= 0) isLiveElement[e] = 0;
    }

    // |e \ front| for every element that touches the front.
    for (let f = 0; f < frontCount; f++) {
      const i = front[f]!;
      lists.remove(i);
      for (let a = start[i]!, end = a + elementCount[i]!; a < end; a++) {
        const e = element[a]!;
        if (!isLiveElement[e]) continue;
        if (outsideStamp[e] !== step) {
          outsideStamp[e] = step;
          outside[e] = elementSize[e]!;
        }
        outside[e] = outside[e]! - weight[i]!;
      }
    }

    let bucketCount = 0;
    let left = frontWeight;
    for (let f = 0; f < frontCount; f++) {
      const i = front[f]!;
      const own = start[i]!;
      let external = 0;
      let hash = 0;
      let elementEnd = own;
      for (let a = own, end = own + elementCount[i]!; a < end; a++) {
        const e = element[a]!;
        if (!isLiveElement[e]) continue;
        if (outside[e] === 0) {
          isLiveElement[e] = 0;
          continue;
        }
        external += outside[e]!;
        hash += e;
        element[elementEnd++] = e;
      }
      let variableEnd = own;
      for (let a = own, end = own + variableCount[i]!; a < end; a++) {
        const j = variable[a]!;
        if (weight[j] === 0 || mark[j] === step) continue;
        external += weight[j]!;
        hash += j;
        variable[variableEnd++] = j;
      }
      variableCount[i] = variableEnd - own;
      if (external === 0) {
        left -= weight[i]!;
        weight[i] = 0;
        follow(p, i);
        continue;
      }
      element[elementEnd++] = p;
      elementCount[i] = elementEnd - own;
      degree[i] = Math.min(degree[i]! + frontWeight - weight[i]!, external);
      const key = hash % n;
      if (bucketStamp[key] !== step) {
        bucketStamp[key] = step;
        bucketHead[key] = -1;
        bucketsUsed[bucketCount++] = key;
      }
      bucketNext[i] = bucketHead[key]!;
      bucketHead[key] = i;
    }

    for (let used = 0; used < bucketCount; used++) {
      for (let i = bucketHead[bucketsUsed[used]!]!; i >= 0; i = bucketNext[i]!) {
        if (weight[i] === 0) continue;
        let isMarked = false;
        for (let j = bucketNext[i]!; j >= 0; j = bucketNext[j]!) {
          if (weight[j] === 0) continue;
          if (variableCount[i] !== variableCount[j] || elementCount[i] !== elementCount[j]) continue;
          if (!isMarked) {
            compareStamp++;
            for (let a = start[i]!, end = a + variableCount[i]!; a < end; a++) compare[variable[a]!] = compareStamp;
            for (let a = start[i]!, end = a + elementCount[i]!; a < end; a++) compare[element[a]!] = compareStamp;
            isMarked = true;
          }
          let isSame = true;
          for (let a = start[j]!, end = a + variableCount[j]!; isSame && a < end; a++) {
            isSame = compare[variable[a]!] === compareStamp;
          }
          for (let a = start[j]!, end = a + elementCount[j]!; isSame && a < end; a++) {
            isSame = compare[element[a]!] === compareStamp;
          }
          if (!isSame) continue;
          weight[i] = weight[i]! + weight[j]!;
          weight[j] = 0;
          follow(i, j);
        }
      }
    }

    if (memberEnd + frontCount > member.length) {
      const wider = new Int32Array(2 * (memberEnd + frontCount));
      wider.set(member);
      member = wider;
    }
    memberStart[p] = memberEnd;
    const remaining = n - done - eliminatedWeight;
    for (let f = 0; f < frontCount; f++) {
      const i = front[f]!;
      if (weight[i] === 0) continue;
      member[memberEnd++] = i;
      const bound = degree[i]! + left - weight[i]!;
      degree[i] = Math.max(0, Math.min(bound, remaining - weight[i]!));
      lists.insert(i, degree[i]!);
    }
    memberCount[p] = memberEnd - memberStart[p]!;
    if (memberCount[p] !== 0) {
      isLiveElement[p] = 1;
      elementSize[p] = left;
    }
    for (let i = p; i >= 0; i = follower[i]!) order[done++] = i;
  }
  return order;
}
