/*
 * Solved: A x = b for a dense square matrix that is neither definite nor near triangular.
 * Steps: LU with partial pivoting, rows scaled by their largest entry when a pivot is chosen.
 * Cost: n^3 / 3, then n^2 by right-hand side. Fails: a pivot of nothing is replaced by the smallest that divides; the residual
 * of what it is used for tells.
 * Source: Golub and Van Loan (2013), Matrix Computations, algorithm 3.4.1.
 */

const LEAST_PIVOT = 1e-300;

/** A factorised dense matrix. */
export class DenseFactor {
  private readonly lu: Float64Array;
  private readonly order: Int32Array;

  /** @param matrix - row-major; taken over */
  constructor(
    matrix: Float64Array,
    private readonly n: number,
  ) {
    this.lu = matrix;
    this.order = Int32Array.from({ length: n }, (_, i) => i);
    const scale = Float64Array.from({ length: n }, (_, i) =>
      matrix.subarray(i * n, (i + 1) * n).reduce((most, value) => Math.max(most, Math.abs(value)), LEAST_PIVOT),
    );
    for (let j = 0; j < n; j++) {
      let best = j;
      let size = -1;
      for (let i = j; i < n; i++) {
        const own = Math.abs(matrix[i * n + j]!) / scale[i]!;
        if (own > size) {
          size = own;
          best = i;
        }
      }
      if (best !== j) {
        for (let k = 0; k < n; k++) {
          const value = matrix[j * n + k]!;
          matrix[j * n + k] = matrix[best * n + k]!;
          matrix[best * n + k] = value;
        }
        [this.order[j], this.order[best]] = [this.order[best]!, this.order[j]!];
        [scale[j], scale[best]] = [scale[best]!, scale[j]!];
      }
      if (matrix[j * n + j] === 0) matrix[j * n + j] = LEAST_PIVOT;
      const pivot = matrix[j * n + j]!;
      for (let i = j + 1; i < n; i++) {
        if (matrix[i * n + j] === 0) continue;
        const factor = matrix[i * n + j]! / pivot;
        matrix[i * n + j] = factor;
        for (let k = j + 1; k < n; k++) matrix[i * n + k]! -= factor * matrix[j * n + k]!;
      }
    }
  }

  /** Solves in place. */
  solve(b: Float64Array): void {
    const { n, lu } = this;
    const x = Float64Array.from(this.order, (i) => b[i]!);
    for (let i = 0; i < n; i++) for (let k = 0; k < i; k++) x[i]! -= lu[i * n + k]! * x[k]!;
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i]! -= lu[i * n + k]! * x[k]!;
      x[i]! /= lu[i * n + i]!;
    }
    b.set(x);
  }
}
