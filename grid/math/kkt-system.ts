import { LdlFactor } from './ldl.js';
import { addMultiplySymmetric, forEachEntry, infinityNorm, type SparseMatrix, TripletList } from './sparse-matrix.js';

/*
 * Saddle-point systems with a kept ordering.
 *
 * Solved: [P + Theta, A'; A, 0] [x; y] = [f; g] for changing diagonals Theta >= 0, P positive semidefinite.
 * Steps: LDL' of the matrix with +delta and -delta on its diagonal, then refinement against the matrix without them.
 * Cost: one factorisation per Theta, two to four substitutions per right-hand side, more where many bounds are active.
 * Fails: a rank-deficient A leaves a residual that refinement cannot remove; callers look at their own residuals.
 * Source: Vanderbei (1995), "Symmetric quasidefinite matrices", SIAM J. Optim. 5(1).
 */

/**
 * Static regularisation of the scaled matrix, least and most; refinement removes its effect. Large Theta leave rounding on
 * the pivots of the free variables; where that turns a pivot's sign, more is added, since a replaced pivot is another matrix.
 */
const REGULARISATION = 1e-9;
const MOST_REGULARISATION = 1e-8;
const REGULARISATION_GROWTH = 10;
/** Refinements at most, and the factor by which each must reduce the residual: rows whose variables all stand at bounds refine slowly. */
const REFINEMENTS = 12;
const REFINEMENT_GAIN = 0.9;

/** The matrix [P + Theta, A'; A, 0], ordered once, factorised for each Theta. */
export class KktSystem {
  private readonly factor: LdlFactor;
  private readonly values: Float64Array;
  private readonly diagonalAt: Int32Array;
  private readonly diagonal: Float64Array;
  private readonly residual: Float64Array;
  private readonly rhs: Float64Array;
  /** The factorised matrix, regularisation included. */
  private readonly upper: SparseMatrix;
  private readonly kept: Float64Array;
  private regularisation = REGULARISATION;

  constructor(
    private readonly hessian: SparseMatrix,
    equality: SparseMatrix,
  ) {
    const n = hessian.cols;
    const m = equality.rows;
    const entries = new TripletList();
    forEachEntry(hessian, (i, j, a) => entries.add(i, j, a));
    forEachEntry(equality, (i, j, a) => entries.add(j, n + i, a));
    // A tiny diagonal keeps every diagonal place in the pattern; it is overwritten before each factorisation.
    const TINY = Number.MIN_VALUE;
    for (let i = 0; i < n + m; i++) entries.add(i, i, TINY);
    const upper = entries.toMatrix(n + m, n + m);
    this.upper = upper;
    this.values = upper.values;
    this.diagonalAt = new Int32Array(n + m);
    this.diagonal = new Float64Array(n + m);
    for (let j = 0; j < n + m; j++) {
      const at = upper.colPtr[j + 1]! - 1;
      this.diagonalAt[j] = at;
      this.diagonal[j] = upper.values[at]!;
    }
    const signs = new Int8Array(n + m).fill(1);
    signs.fill(-1, n);
    this.factor = new LdlFactor(upper, signs);
    this.residual = new Float64Array(n + m);
    this.rhs = new Float64Array(n + m);
    this.kept = new Float64Array(n + m);
  }

  /** Factorises for a diagonal Theta, length n. */
  factorise(theta: Float64Array): void {
    const n = this.hessian.cols;
    for (let delta = REGULARISATION; ; delta *= REGULARISATION_GROWTH) {
      this.regularisation = delta;
      for (let j = 0; j < n; j++) this.values[this.diagonalAt[j]!] = this.diagonal[j]! + theta[j]! + delta;
      for (let j = n; j < this.diagonalAt.length; j++) this.values[this.diagonalAt[j]!] = -delta;
      this.factor.factorise(this.values, 1e-14, 1e-7);
      if (this.factor.replacedPivots === 0 || delta >= MOST_REGULARISATION) return;
    }
  }

  /**
   * Solves in place: the right-hand side [f; g] in `solution` becomes [x; y].
   *
   * @param accuracy - residual at which refinement ends, relative to one and the right-hand side
   */
  solve(solution: Float64Array, accuracy = 1e-12): void {
    const { residual, rhs, upper, kept, regularisation } = this;
    const n = this.hessian.cols;
    rhs.set(solution);
    const enough = accuracy * (1 + infinityNorm(rhs));
    this.factor.solve(solution);
    let last = Infinity;
    for (let pass = 0; pass < REFINEMENTS; pass++) {
      for (let i = 0; i < residual.length; i++) {
        residual[i] = rhs[i]! + (i < n ? regularisation : -regularisation) * solution[i]!;
      }
      addMultiplySymmetric(residual, upper, solution, -1);
      const norm = infinityNorm(residual);
      if (!(norm <= last)) {
        // The last refinement made it worse.
        solution.set(kept);
        break;
      }
      if (norm <= enough || norm > REFINEMENT_GAIN * last) break;
      last = norm;
      kept.set(solution);
      this.factor.solve(residual);
      for (let i = 0; i < solution.length; i++) solution[i]! += residual[i]!;
    }
  }
}
