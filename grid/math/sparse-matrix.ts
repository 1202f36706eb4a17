/** A real sparse matrix by columns. Row indices within a column ascend and do not repeat. */
export interface SparseMatrix {
  readonly rows: number;
  readonly cols: number;
  /** Start of each column in `rowIdx` and `values`, length cols + 1. */
  readonly colPtr: Int32Array;
  readonly rowIdx: Int32Array;
  readonly values: Float64Array;
}

/** Collects entries in any order; entries at one place are added up. */
export class TripletList {
  private readonly row: number[] = [];
  private readonly col: number[] = [];
  private readonly value: number[] = [];

  /** Number of entries so far, repeated ones counted each time. */
  get length(): number {
    return this.value.length;
  }

  /** Adds `value` at (`row`, `col`); an exact zero is left out. */
  add(row: number, col: number, value: number): void {
    if (value === 0) return;
    this.row.push(row);
    this.col.push(col);
    this.value.push(value);
  }

  /** The matrix of these entries. Cost: O(entries + rows + cols). */
  toMatrix(rows: number, cols: number): SparseMatrix {
    const count = this.value.length;
    // Two stable bucket passes, by row and then by column, leave rows ascending inside each column.
    const byRow = new Int32Array(count);
    const rowStart = new Int32Array(rows + 1);
    for (let k = 0; k < count; k++) rowStart[this.row[k]! + 1]!++;
    for (let i = 0; i < rows; i++) rowStart[i + 1]! += rowStart[i]!;
    for (let k = 0; k < count; k++) byRow[rowStart[this.row[k]!]!++] = k;
    const colStart = new Int32Array(cols + 1);
    for (let k = 0; k < count; k++) colStart[this.col[k]! + 1]!++;
    for (let j = 0; j < cols; j++) colStart[j + 1]! += colStart[j]!;
    const next = colStart.slice(0, cols);
    const rowIdx = new Int32Array(count);
    const values = new Float64Array(count);
    for (let t = 0; t < count; t++) {
      const k = byRow[t]!;
      const at = next[this.col[k]!]!++;
      rowIdx[at] = this.row[k]!;
      values[at] = this.value[k]!;
    }
    const colPtr = new Int32Array(cols + 1);
    let kept = 0;
    for (let j = 0; j < cols; j++) {
      const first = kept;
      for (let k = colStart[j]!; k < colStart[j + 1]!; k++) {
        if (kept > first && rowIdx[kept - 1] === rowIdx[k]) values[kept - 1]! += values[k]!;
        else {
          rowIdx[kept] = rowIdx[k]!;
          values[kept++] = values[k]!;
        }
      }
      colPtr[j + 1] = kept;
    }
    return { rows, cols, colPtr, rowIdx: rowIdx.slice(0, kept), values: values.slice(0, kept) };
  }
}

/** y += scale * A x. */
export function addMultiply(y: Float64Array, matrix: SparseMatrix, x: ArrayLike<number>, scale = 1): void {
  const { colPtr, rowIdx, values, cols } = matrix;
  for (let j = 0; j < cols; j++) {
    const xj = scale * x[j]!;
    if (xj === 0) continue;
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) y[rowIdx[k]!]! += values[k]! * xj;
  }
}

/** y += scale * A' x. */
export function addMultiplyTransposed(y: Float64Array, matrix: SparseMatrix, x: ArrayLike<number>, scale = 1): void {
  const { colPtr, rowIdx, values, cols } = matrix;
  for (let j = 0; j < cols; j++) {
    let sum = 0;
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) sum += values[k]! * x[rowIdx[k]!]!;
    y[j]! += scale * sum;
  }
}

/** y += scale * S x where only the upper triangle (diagonal included) of the symmetric S is stored. */
export function addMultiplySymmetric(y: Float64Array, upper: SparseMatrix, x: ArrayLike<number>, scale = 1): void {
  const { colPtr, rowIdx, values, cols } = upper;
  for (let j = 0; j < cols; j++) {
    const xj = x[j]!;
    let sum = 0;
    for (let k = colPtr[j]!; k < colPtr[j + 1]!; k++) {
      const i = rowIdx[k]!;
      const a = values[k]!;
      sum += a * x[i]!;
      if (i !== j) y[i]! += scale * a * xj;
    }
    y[j]! += scale * sum;
  }
}

/** Visits every stored entry, by columns. */
export function forEachEntry(matrix: SparseMatrix, visit: (row: number, col: number, value: number) => void): void {
  for (let j = 0; j < matrix.cols; j++) {
    for (let k = matrix.colPtr[j]!; k < matrix.colPtr[j + 1]!; k++) visit(matrix.rowIdx[k]!, j, matrix.values[k]!);
  }
}

/** Largest absolute value; 0 for an empty vector. */
export function infinityNorm(x: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < x.length; i++) max = Math.max(max, Math.abs(x[i]!));
  return max;
}
