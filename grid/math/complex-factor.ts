/*
 * Factorisation of a sparse complex symmetric matrix (A = A', not Hermitian): nodal admittances.
 *
 * Solved: A x = b for many b and for many A of one pattern.
 * Steps: order by minimum degree; elimination tree and row patterns of L once; for each A an up-looking L D L'
 * without pivoting over the stored row patterns; for each b a forward, a diagonal and a backward pass in the
 * permuted order.
 * Values that change in a few rows only touch the rows of L on the paths from there to the root of the elimination
 * tree: `update` works out those alone, to the same bits.
 * Cost: analysis once (about 10 ms for 3 000 nodes); refactor 8 flops for each multiply of L; solve 16 flops for each
 * entry of L. None of `refactor`, `update` and `solve` allocates.
 * Fails: when a pivot is lost against its own diagonal entry: `refactor` answers with the row, nothing is thrown.
 * Source: Davis (2005), "Algorithm 849: a concise sparse Cholesky factorization package"; Liu (1990), "The role of
 * elimination trees in sparse factorization".
 *
 * Nomenclature: L unit lower triangular by columns (Lp, Li, Lx), D diagonal kept as its inverse, P the order.
 */
import { minimumDegreeOrder } from './ordering.js';

/** A pivot this small against its own diagonal entry is rounding noise: the matrix counts as singular. */
export const LOST_PIVOT = 1e-15;

/** The pattern of a factor: rows and columns in the order of elimination. */
export interface FactorPattern {
  readonly n: number;
  /** For each entry of the matrix its row, by columns of the upper triangle. */
  readonly columnStart: Int32Array;
  readonly columnRow: Int32Array;
  /** Rows of L below the diagonal, by columns. */
  readonly Lp: Int32Array;
  readonly Li: Int32Array;
  /** Columns of each row of L in the order in which they are worked out, and where its entries stand among those by columns. */
  readonly rowStart: Int32Array;
  readonly rowPattern: Int32Array;
  readonly rowSlot: Int32Array;
}

/** A place where the numbers of a factor may stand, and what works out rows there, to the bits of {@link ComplexFactor.update}. */
export interface FactorRows {
  /** Entries of L, inverse of D, space of n numbers that is zero between two calls: interleaved re/im. */
  readonly Lx: Float64Array;
  readonly inverseD: Float64Array;
  readonly work: Float64Array;
  /** Entries of the matrix by columns, of the rows that are worked out alone. */
  readonly values: Float64Array;
  /** The rows to be worked out, ascending. */
  readonly rows: Int32Array;
  /**
   * Works out the first rows of the list. A pivot is lost when it is not finite or not larger than {@link LOST_PIVOT} of its own
   * diagonal entry.
   *
   * @returns -1, or the place in the list of the first row whose pivot is lost, with which the work ends
   */
  eliminate(count: number): number;
}

/** The factor of a complex symmetric matrix whose pattern is fixed and whose values change. */
export class ComplexFactor {
  readonly n: number;
  /** Entries of L below the diagonal. */
  readonly factorEntries: number;
  /** `order[k]` is the row eliminated k-th. */
  readonly order: Int32Array;
  /** For each entry of the input pattern: row and column in the permuted order, upper triangle. */
  private readonly columnStart: Int32Array;
  private readonly columnRow: Int32Array;
  /** The caller's slot of each entry; undefined where values come in this order. */
  private columnSlot: Int32Array | undefined;
  /** Column starts and rows of L below the diagonal, in the permuted order; rows ascend in each column. */
  readonly Lp: Int32Array;
  readonly Li: Int32Array;
  /** Entries of L, interleaved re/im. */
  Lx: Float64Array;
  /** Inverse of D, interleaved re/im. */
  inverseD: Float64Array;
  /** Parent of each column in the elimination tree, -1 for a root; permuted order. */
  readonly parent: Int32Array;
  private readonly place: Int32Array;
  /** Row k of L has its entries in the slots `rowSlot[rowStart[k]]` to `rowSlot[rowStart[k + 1] - 1]` of `Lx`. */
  readonly rowStart: Int32Array;
  readonly rowSlot: Int32Array;
  private readonly rowPattern: Int32Array;
  /** Rows that the last {@link update} has worked out, and their number. */
  private readonly updated: Int32Array;
  private updatedCount = 0;
  private readonly marked: Uint8Array;
  private work: Float64Array;
  private elsewhere: FactorRows | undefined;
  /** Whether `work` is zero all over, as an elimination that succeeds leaves it. */
  private isWorkClear = true;

  /**
   * Analyses a pattern.
   *
   * @param n - order
   * @param colPtr - column starts of the upper triangle with diagonal (row <= column), length n + 1
   * @param rowIdx - row indices; an entry may occur once only
   * @param order - the row eliminated k-th, where the caller knows a good order; else by minimum degree
   */
  constructor(n: number, colPtr: Int32Array, rowIdx: Int32Array, order?: Int32Array) {
    this.n = n;
    this.order = order ?? minimumDegreeOrder(n, colPtr, rowIdx);
    const place = new Int32Array(n);
    this.place = place;
    for (let k = 0; k < n; k++) place[this.order[k]!] = k;

    // The upper triangle of P A P', by columns, with the slot of each value in the caller's array.
    const entries = colPtr[n]!;
    this.columnStart = new Int32Array(n + 1);
    for (let j = 0; j < n; j++) {
      for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
        const column = Math.max(place[j]!, place[rowIdx[p]!]!);
        this.columnStart[column + 1] = this.columnStart[column + 1]! + 1;
      }
    }
    for (let j = 0; j < n; j++) this.columnStart[j + 1] = this.columnStart[j + 1]! + this.columnStart[j]!;
    this.columnRow = new Int32Array(entries);
    const columnSlot = new Int32Array(entries);
    this.columnSlot = columnSlot;
    const next = this.columnStart.slice(0, n);
    for (let j = 0; j < n; j++) {
      for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
        const a = place[j]!;
        const b = place[rowIdx[p]!]!;
        const column = Math.max(a, b);
        const q = next[column]!;
        next[column] = q + 1;
        this.columnRow[q] = Math.min(a, b);
        columnSlot[q] = p;
      }
    }

    const parent = new Int32Array(n).fill(-1);
    const seen = new Int32Array(n);
    const count = new Int32Array(n);
    let total = 0;
    for (let k = 0; k < n; k++) {
      seen[k] = k;
      for (let p = this.columnStart[k]!; p < this.columnStart[k + 1]!; p++) {
        for (let i = this.columnRow[p]!; seen[i] !== k; i = parent[i]!) {
          if (parent[i] === -1) parent[i] = k;
          count[i] = count[i]! + 1;
          total++;
          seen[i] = k;
        }
      }
    }
    this.factorEntries = total;
    this.parent = parent;
    this.Lp = new Int32Array(n + 1);
    for (let k = 0; k < n; k++) this.Lp[k + 1] = this.Lp[k]! + count[k]!;
    this.Li = new Int32Array(total);
    this.Lx = new Float64Array(2 * total);
    this.inverseD = new Float64Array(2 * n);
    this.marked = new Uint8Array(n);
    this.updated = new Int32Array(n);
    this.work = new Float64Array(2 * n);

    // Row patterns of L in topological order, so that the numeric phase walks no tree.
    this.rowStart = new Int32Array(n + 1);
    this.rowPattern = new Int32Array(total);
    this.rowSlot = new Int32Array(total);
    const filled = count.fill(0);
    const stack = new Int32Array(n);
    const path = new Int32Array(n);
    const flag = new Int32Array(n).fill(-1);
    let out = 0;
    for (let k = 0; k < n; k++) {
      let top = n;
      flag[k] = k;
      for (let p = this.columnStart[k]!; p < this.columnStart[k + 1]!; p++) {
        let length = 0;
        for (let i = this.columnRow[p]!; flag[i] !== k; i = parent[i]!) {
          path[length++] = i;
          flag[i] = k;
        }
        while (length > 0) stack[--top] = path[--length]!;
      }
      for (; top < n; top++) {
        const i = stack[top]!;
        const q = this.Lp[i]! + filled[i]!;
        this.rowPattern[out] = i;
        this.rowSlot[out++] = q;
        this.Li[q] = k;
        filled[i] = filled[i]! + 1;
      }
      this.rowStart[k + 1] = out;
    }
  }

  /**
   * From now on {@link refactor} and {@link update} take the values in the order of elimination, which they read without
   * a jump at any size.
   *
   * @returns the slot, in the pattern given to the constructor, of each entry in that order
   */
  takeInOrder(): Int32Array {
    const slots = this.columnSlot ?? Int32Array.from({ length: this.columnRow.length }, (_, q) => q);
    this.columnSlot = undefined;
    return slots;
  }

  /**
   * Factorises the matrix of these values.
   *
   * @param values - interleaved re/im in the order of the pattern given to the constructor, or see {@link takeInOrder}
   * @returns -1, or the row whose pivot was lost (the factor is then not usable)
   */
  refactor(values: Float64Array): number {
    this.clearWork();
    for (let k = 0; k < this.n; k++) if (!this.eliminate(values, k)) return this.order[k]!;
    return -1;
  }

  private clearWork(): void {
    if (!this.isWorkClear) this.work.fill(0);
    this.isWorkClear = true;
  }

  /**
   * Factorises again after some values have changed. The last factorisation must have succeeded.
   *
   * @param values - as for {@link refactor}
   * @param rows - every row (of the input, either triangle) with a changed value; repetitions do no harm
   * @returns -1, or the row whose pivot was lost (the factor is then not usable)
   */
  update(values: Float64Array, rows: Int32Array): number {
    const { place, parent, marked, updated } = this;
    this.clearWork();
    this.updatedCount = 0;
    for (const row of rows) {
      for (let k = place[row]!; k >= 0 && !marked[k]; k = parent[k]!) {
        marked[k] = 1;
        updated[this.updatedCount++] = k;
      }
    }
    const found = updated.subarray(0, this.updatedCount).sort();
    for (let t = 0; t < found.length; t++) marked[found[t]!] = 0;
    const lost = this.elsewhere
      ? this.eliminateElsewhere(values, found, this.elsewhere)
      : this.eliminateAll(values, found);
    return lost < 0 ? -1 : this.order[found[lost]!]!;
  }

  private eliminateAll(values: Float64Array, rows: Int32Array): number {
    for (let t = 0; t < rows.length; t++) if (!this.eliminate(values, rows[t]!)) return t;
    return -1;
  }

  private eliminateElsewhere(values: Float64Array, rows: Int32Array, elsewhere: FactorRows): number {
    const { columnStart, columnSlot } = this;
    elsewhere.rows.set(rows);
    for (let t = 0; t < rows.length; t++) {
      const k = rows[t]!;
      for (let p = columnStart[k]!, end = columnStart[k + 1]!; p < end; p++) {
        const from = 2 * (columnSlot === undefined ? p : columnSlot[p]!);
        elsewhere.values[2 * p] = values[from]!;
        elsewhere.values[2 * p + 1] = values[from + 1]!;
      }
    }
    const lost = elsewhere.eliminate(rows.length);
    if (lost >= 0) this.isWorkClear = false;
    return lost;
  }

  /** The pattern, for {@link moveTo}. */
  get pattern(): FactorPattern {
    const { n, columnStart, columnRow, Lp, Li, rowStart, rowPattern, rowSlot } = this;
    return { n, columnStart, columnRow, Lp, Li, rowStart, rowPattern, rowSlot };
  }

  /** Moves the numbers to another place, which works out the rows of every further {@link update}. */
  moveTo(place: FactorRows): void {
    place.Lx.set(this.Lx);
    place.inverseD.set(this.inverseD);
    [this.Lx, this.inverseD, this.work] = [place.Lx, place.inverseD, place.work];
    this.isWorkClear = false;
    this.elsewhere = place;
  }

  /** The rows of L, in the permuted order, that the last {@link update} has worked out; valid until the next one. */
  get updatedRows(): Int32Array {
    return this.updated.subarray(0, this.updatedCount);
  }

  /** Works out row k of L and its pivot; `work` must be zero. */
  private eliminate(values: Float64Array, k: number): boolean {
    const { columnStart, columnRow, columnSlot, Lp, Li, Lx, inverseD, rowStart, rowPattern, rowSlot, work } = this;
    for (let p = columnStart[k]!, end = columnStart[k + 1]!; p < end; p++) {
      const i = 2 * columnRow[p]!;
      const s = 2 * (columnSlot === undefined ? p : columnSlot[p]!);
      work[i] = work[i]! + values[s]!;
      work[i + 1] = work[i + 1]! + values[s + 1]!;
    }
    let dr = work[2 * k]!;
    let di = work[2 * k + 1]!;
    const diagonal = Math.abs(dr) + Math.abs(di);
    work[2 * k] = 0;
    work[2 * k + 1] = 0;
    for (let t = rowStart[k]!, end = rowStart[k + 1]!; t < end; t++) {
      const i = rowPattern[t]!;
      const yr = work[2 * i]!;
      const yi = work[2 * i + 1]!;
      work[2 * i] = 0;
      work[2 * i + 1] = 0;
      const stop = rowSlot[t]!;
      for (let p = Lp[i]!; p < stop; p++) {
        const j = 2 * Li[p]!;
        const lr = Lx[2 * p]!;
        const li = Lx[2 * p + 1]!;
        work[j] = work[j]! - (lr * yr - li * yi);
        work[j + 1] = work[j + 1]! - (lr * yi + li * yr);
      }
      const ir = inverseD[2 * i]!;
      const ii = inverseD[2 * i + 1]!;
      const lr = yr * ir - yi * ii;
      const li = yr * ii + yi * ir;
      dr -= lr * yr - li * yi;
      di -= lr * yi + li * yr;
      Lx[2 * stop] = lr;
      Lx[2 * stop + 1] = li;
    }
    const size = Math.abs(dr) + Math.abs(di);
    if (!(size > LOST_PIVOT * diagonal) || !Number.isFinite(size)) {
      this.isWorkClear = false;
      return false;
    }
    const size2 = dr * dr + di * di;
    inverseD[2 * k] = dr / size2;
    inverseD[2 * k + 1] = -di / size2;
    return true;
  }

  /**
   * Solves A x = b with the last factor.
   *
   * @param b - right-hand side, interleaved re/im, length 2n; not changed unless it is also `x`
   * @param x - solution, interleaved re/im, length 2n
   */
  solve(b: Float64Array, x: Float64Array): void {
    const { n, order, Lp, Li, Lx, inverseD, work } = this;
    this.isWorkClear = false;
    for (let k = 0; k < n; k++) {
      const i = 2 * order[k]!;
      work[2 * k] = b[i]!;
      work[2 * k + 1] = b[i + 1]!;
    }
    let p = 0;
    for (let k = 0; k < n; k++) {
      const xr = work[2 * k]!;
      const xi = work[2 * k + 1]!;
      const end = Lp[k + 1]!;
      if (xr === 0 && xi === 0) {
        p = end;
        continue;
      }
      for (; p < end; p++) {
        const j = 2 * Li[p]!;
        const lr = Lx[2 * p]!;
        const li = Lx[2 * p + 1]!;
        work[j] = work[j]! - (lr * xr - li * xi);
        work[j + 1] = work[j + 1]! - (lr * xi + li * xr);
      }
    }
    for (let k = n - 1; k >= 0; k--) {
      const br = work[2 * k]!;
      const bi = work[2 * k + 1]!;
      const dr = inverseD[2 * k]!;
      const di = inverseD[2 * k + 1]!;
      let xr = br * dr - bi * di;
      let xi = br * di + bi * dr;
      const end = Lp[k + 1]!;
      for (let q = Lp[k]!; q < end; q++) {
        const j = 2 * Li[q]!;
        const lr = Lx[2 * q]!;
        const li = Lx[2 * q + 1]!;
        const wr = work[j]!;
        const wi = work[j + 1]!;
        xr -= lr * wr - li * wi;
        xi -= lr * wi + li * wr;
      }
      work[2 * k] = xr;
      work[2 * k + 1] = xi;
      const i = 2 * order[k]!;
      x[i] = xr;
      x[i + 1] = xi;
    }
  }
}

/**
 * Adds `A x` to `y` (or takes it away) for a complex symmetric matrix stored as its upper triangle by columns.
 *
 * @param colPtr - column starts, length n + 1
 * @param rowIdx - rows, row <= column
 * @param values - interleaved re/im
 * @param x - interleaved re/im, length 2n
 * @param y - interleaved re/im, length 2n; changed
 * @param sign - 1 to add, -1 to subtract
 */
export function addSymmetricProduct(
  colPtr: Int32Array,
  rowIdx: Int32Array,
  values: Float64Array,
  x: Float64Array,
  y: Float64Array,
  sign: 1 | -1,
): void {
  const n = colPtr.length - 1;
  let p = 0;
  for (let j = 0; j < n; j++) {
    const xr = sign * x[2 * j]!;
    const xi = sign * x[2 * j + 1]!;
    let sumRe = 0;
    let sumIm = 0;
    for (const end = colPtr[j + 1]!; p < end; p++) {
      const i = rowIdx[p]!;
      const ar = values[2 * p]!;
      const ai = values[2 * p + 1]!;
      sumRe += ar * (sign * x[2 * i]!) - ai * (sign * x[2 * i + 1]!);
      sumIm += ar * (sign * x[2 * i + 1]!) + ai * (sign * x[2 * i]!);
      if (i === j) continue;
      y[2 * i] = y[2 * i]! + ar * xr - ai * xi;
      y[2 * i + 1] = y[2 * i + 1]! + ar * xi + ai * xr;
    }
    y[2 * j] = y[2 * j]! + sumRe;
    y[2 * j + 1] = y[2 * j + 1]! + sumIm;
  }
}

/**
 * Componentwise backward error of a solution: the largest |b - A x| / (|A| |x| + |b|) over the rows. A value near
 * rounding (1e-16) says that `x` solves a system that differs from the given one by rounding alone.
 *
 * @returns the error; 0 for rows that are empty
 * @see Arioli, Demmel and Duff (1989), "Solving sparse linear systems with sparse backward error"
 */
export function backwardError(
  colPtr: Int32Array,
  rowIdx: Int32Array,
  values: Float64Array,
  x: Float64Array,
  b: Float64Array,
): number {
  const n = colPtr.length - 1;
  const residual = b.slice();
  addSymmetricProduct(colPtr, rowIdx, values, x, residual, -1);
  const scale = new Float64Array(n);
  for (let i = 0; i < n; i++) scale[i] = Math.hypot(b[2 * i]!, b[2 * i + 1]!);
  for (let j = 0; j < n; j++) {
    for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
      const i = rowIdx[p]!;
      const a = Math.hypot(values[2 * p]!, values[2 * p + 1]!);
      scale[i] = scale[i]! + a * Math.hypot(x[2 * j]!, x[2 * j + 1]!);
      if (i !== j) scale[j] = scale[j]! + a * Math.hypot(x[2 * i]!, x[2 * i + 1]!);
    }
  }
  let worst = 0;
  for (let i = 0; i < n; i++) {
    if (scale[i]! > 0) worst = Math.max(worst, Math.hypot(residual[2 * i]!, residual[2 * i + 1]!) / scale[i]!);
  }
  return worst;
}
