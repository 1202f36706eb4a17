import { minimumDegreeOrder } from './ordering.js';
import type { SparseMatrix } from './sparse-matrix.js';

/*
 * LDL' of a sparse real symmetric quasi-definite matrix.
 *
 * Solved: K x = b with K = P' L D L' P, L unit lower triangular, D diagonal of known signs.
 * Steps: 1. permutation by minimum degree, put into postorder; 2. elimination tree and column counts of the permuted upper triangle;
 *        3. up-looking numeric factorisation, one row of L at a time, along the reach in the tree;
 *        4. forward, diagonal and backward substitution.
 * Steps 1 and 2 are done once for a pattern, 3 for each set of values, 4 for each right-hand side.
 * Cost: 3. sum over columns of (entries of L)^2, O(n) on trees; 4. 4 flops per entry of L.
 * Fails: never for quasi-definite matrices with the pivot floor; a pivot of the wrong sign or below the floor is replaced
 *        by +-floor and counted, and the caller repairs the solution by refinement.
 * Sources: Davis (2005), "Algorithm 849: a concise sparse Cholesky factorization package", ACM TOMS 31(4);
 *          Vanderbei (1995), "Symmetric quasidefinite matrices", SIAM J. Optim. 5(1).
 */

/** Upper triangle of a permuted matrix by columns: rows, and where each entry comes from. */
interface PermutedPattern {
  readonly ptr: Int32Array;
  readonly idx: Int32Array;
  readonly origin: Int32Array;
}

function permuted(upper: SparseMatrix, order: Int32Array): PermutedPattern {
  const { cols: n, colPtr, rowIdx } = upper;
  const position = new Int32Array(n);
  for (let k = 0; k < n; k++) position[order[k]!] = k;
  const ptr = new Int32Array(n + 1);
  for (let j = 0; j < n; j++) {
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) ptr[Math.max(position[j]!, position[rowIdx[k]!]!) + 1]!++;
  }
  for (let j = 0; j < n; j++) ptr[j + 1]! += ptr[j]!;
  const fill = ptr.slice(0, n);
  const idx = new Int32Array(colPtr[n]!);
  const origin = new Int32Array(colPtr[n]!);
  for (let j = 0; j < n; j++) {
    const pj = position[j]!;
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) {
      const pi = position[rowIdx[k]!]!;
      const at = fill[Math.max(pi, pj)]!++;
      idx[at] = Math.min(pi, pj);
      origin[at] = k;
    }
  }
  return { ptr, idx, origin };
}

/**
 * The same elimination with each subtree of the elimination tree in one piece: no entry of L changes, and what a
 * substitution touches lies close together.
 */
function postorder(order: Int32Array, { ptr, idx }: PermutedPattern): Int32Array {
  const n = order.length;
  const parent = new Int32Array(n).fill(-1);
  const ancestor = new Int32Array(n).fill(-1);
  for (let k = 0; k < n; k++) {
    for (let p = ptr[k]!; p < ptr[k + 1]!; p++) {
      for (let i = idx[p]!; i !== -1 && i < k; ) {
        const up = ancestor[i]!;
        ancestor[i] = k;
        if (up === -1) parent[i] = k;
        i = up;
      }
    }
  }
  const firstChild = new Int32Array(n).fill(-1);
  const sibling = new Int32Array(n).fill(-1);
  for (let k = n - 1; k >= 0; k--) {
    if (parent[k]! < 0) continue;
    sibling[k] = firstChild[parent[k]!]!;
    firstChild[parent[k]!] = k;
  }
  const result = new Int32Array(n);
  const stack = new Int32Array(n);
  let done = 0;
  for (let root = 0; root < n; root++) {
    if (parent[root]! >= 0) continue;
    let top = 0;
    stack[top++] = root;
    while (top > 0) {
      const at = stack[top - 1]!;
      const child = firstChild[at]!;
      if (child >= 0) {
        firstChild[at] = sibling[child]!;
        stack[top++] = child;
        continue;
      }
      top--;
      result[done++] = order[at]!;
    }
  }
  return result;
}

/** Symbolic part of a factorisation: valid for every matrix of the same pattern. */
export class LdlFactor {
  readonly n: number;
  /** Pivots replaced in the last {@link factorise}. */
  replacedPivots = 0;
  private readonly order: Int32Array;
  /** Permuted upper triangle: pattern, and where each entry comes from in the caller's values. */
  private readonly ptr: Int32Array;
  private readonly idx: Int32Array;
  private readonly origin: Int32Array;
  private readonly parent: Int32Array;
  private readonly lPtr: Int32Array;
  private readonly lIdx: Int32Array;
  private readonly lValues: Float64Array;
  private readonly d: Float64Array;
  private readonly dInverse: Float64Array;
  private readonly work: Float64Array;
  private readonly next: Int32Array;
  private readonly flag: Int32Array;
  private readonly stack: Int32Array;
  private readonly path: Int32Array;

  /**
   * @param upper - pattern of the upper triangle, diagonal entries present; its values are not read
   * @param signs - expected sign of each pivot (+1 or -1), length n
   */
  constructor(
    upper: SparseMatrix,
    private readonly signs: Int8Array,
  ) {
    const n = upper.cols;
    this.n = n;
    const fewest = minimumDegreeOrder(n, upper.colPtr, upper.rowIdx);
    this.order = postorder(fewest, permuted(upper, fewest));
    const pattern = permuted(upper, this.order);
    this.ptr = pattern.ptr;
    this.idx = pattern.idx;
    this.origin = pattern.origin;

    this.parent = new Int32Array(n).fill(-1);
    this.flag = new Int32Array(n);
    const columnCount = new Int32Array(n);
    for (let k = 0; k < n; k++) {
      this.flag[k] = k;
      for (let p = this.ptr[k]!; p < this.ptr[k + 1]!; p++) {
        for (let i = this.idx[p]!; this.flag[i] !== k; i = this.parent[i]!) {
          if (this.parent[i] === -1) this.parent[i] = k;
          columnCount[i]!++;
          this.flag[i] = k;
        }
      }
    }
    this.lPtr = new Int32Array(n + 1);
    for (let k = 0; k < n; k++) this.lPtr[k + 1] = this.lPtr[k]! + columnCount[k]!;
    this.lIdx = new Int32Array(this.lPtr[n]!);
    this.lValues = new Float64Array(this.lPtr[n]!);
    this.d = new Float64Array(n);
    this.dInverse = new Float64Array(n);
    this.work = new Float64Array(n);
    this.next = new Int32Array(n);
    this.stack = new Int32Array(n);
    this.path = new Int32Array(n);
  }

  /** Entries of L below the diagonal. */
  get entryCount(): number {
    return this.lIdx.length;
  }

  /**
   * Numeric factorisation.
   *
   * @param values - values of the upper triangle in the order of the pattern given to the constructor
   * @param pivotFloor - smallest size of a pivot; a smaller one, or one of the wrong sign, is replaced by sign * replacement
   * @param replacement - size of a replaced pivot
   */
  factorise(values: ArrayLike<number>, pivotFloor = 1e-13, replacement = 1e-7): void {
    const { n, ptr, idx, origin, parent, lPtr, lIdx, lValues, d, dInverse, work: y, next, flag, stack, path } = this;
    this.replacedPivots = 0;
    for (let k = 0; k < n; k++) next[k] = lPtr[k]!;
    flag.fill(-1);
    y.fill(0);
    for (let k = 0; k < n; k++) {
      let top = n;
      flag[k] = k;
      for (let p = ptr[k]!; p < ptr[k + 1]!; p++) {
        let i = idx[p]!;
        y[i]! += values[origin[p]!]!;
        let length = 0;
        for (; flag[i] !== k; i = parent[i]!) {
          path[length++] = i;
          flag[i] = k;
        }
        while (length > 0) stack[--top] = path[--length]!;
      }
      let pivot = y[k]!;
      y[k] = 0;
      for (; top < n; top++) {
        const i = stack[top]!;
        const yi = y[i]!;
        y[i] = 0;
        const end = next[i]!;
        for (let p = lPtr[i]!; p < end; p++) y[lIdx[p]!]! -= lValues[p]! * yi;
        const l = yi * dInverse[i]!;
        pivot -= l * yi;
        lIdx[end] = k;
        lValues[end] = l;
        next[i] = end + 1;
      }
      const sign = this.signs[this.order[k]!]!;
      if (!(pivot * sign > pivotFloor)) {
        pivot = sign * replacement;
        this.replacedPivots++;
      }
      d[k] = pivot;
      dInverse[k] = 1 / pivot;
    }
  }

  /** Solves K x = b in place. */
  solve(b: Float64Array): void {
    const { n, order, lPtr, lIdx, lValues, dInverse, work: x } = this;
    for (let k = 0; k < n; k++) x[k] = b[order[k]!]!;
    for (let j = 0; j < n; j++) {
      const xj = x[j]!;
      if (xj === 0) continue;
      for (let p = lPtr[j]!; p < lPtr[j + 1]!; p++) x[lIdx[p]!]! -= lValues[p]! * xj;
    }
    for (let j = n - 1; j >= 0; j--) {
      let xj = x[j]! * dInverse[j]!;
      for (let p = lPtr[j]!; p < lPtr[j + 1]!; p++) xj -= lValues[p]! * x[lIdx[p]!]!;
      x[j] = xj;
    }
    for (let k = 0; k < n; k++) b[order[k]!] = x[k]!;
  }
}
