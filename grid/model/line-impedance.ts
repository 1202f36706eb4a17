/*
 * Small impedance algebra of lines: symmetrical components to phases, Kron reduction, scaling.
 *
 * Source: Kersting, Distribution System Modeling and Analysis (4th ed. 2017), eq. (4.55) Kron reduction and
 * (4.71)-(4.73) sequence to phase impedances of a transposed line.
 */
import { DecError } from '../math/index.js';
import type { ComplexMatrix } from './element.js';

/** A matrix of zeros. */
export function zeroMatrix(n: number): ComplexMatrix {
  return { n, re: new Array<number>(n * n).fill(0), im: new Array<number>(n * n).fill(0) };
}

/** A matrix with one value on the diagonal and one off it. */
export function balancedMatrix(
  n: number,
  self: { readonly re: number; readonly im: number },
  mutual: { readonly re: number; readonly im: number },
): ComplexMatrix {
  const cells = Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? self : mutual));
  return { n, re: cells.map((cell) => cell.re), im: cells.map((cell) => cell.im) };
}

/**
 * Phase matrix of a transposed line from its sequence values: self (2 Z1 + Z0) / 3, mutual (Z0 - Z1) / 3.
 *
 * @param n - number of phases, 1 to 3
 */
export function sequenceToPhase(
  n: number,
  positive: { readonly re: number; readonly im: number },
  zero: { readonly re: number; readonly im: number },
): ComplexMatrix {
  return balancedMatrix(
    n,
    { re: (2 * positive.re + zero.re) / 3, im: (2 * positive.im + zero.im) / 3 },
    { re: (zero.re - positive.re) / 3, im: (zero.im - positive.im) / 3 },
  );
}

/** The matrix times a real number (ohm per metre to ohm). */
export function scaleMatrix(matrix: ComplexMatrix, factor: number): ComplexMatrix {
  return { n: matrix.n, re: matrix.re.map((v) => v * factor), im: matrix.im.map((v) => v * factor) };
}

/** Rows and columns of a matrix in another order or fewer of them. */
export function submatrix(matrix: ComplexMatrix, rows: readonly number[]): ComplexMatrix {
  const pick = (part: readonly number[]) => rows.flatMap((i) => rows.map((j) => part[i * matrix.n + j]!));
  return { n: rows.length, re: pick(matrix.re), im: pick(matrix.im) };
}

/**
 * Kron reduction of grounded conductors: eliminates the last rows of a series impedance until `keep` are left.
 *
 * @throws DecError SINGULAR when an eliminated conductor has no self impedance
 */
export function kronReduce(matrix: ComplexMatrix, keep: number): ComplexMatrix {
  let { n } = matrix;
  let re = [...matrix.re];
  let im = [...matrix.im];
  while (n > keep) {
    const last = n - 1;
    const pr = re[last * n + last]!;
    const pi = im[last * n + last]!;
    const size2 = pr * pr + pi * pi;
    if (!(size2 > 0)) {
      throw new DecError('SINGULAR', `Conductor ${n} of a line has no self impedance and cannot be eliminated.`, {
        conductor: n,
      });
    }
    const nextRe = new Array<number>(last * last);
    const nextIm = new Array<number>(last * last);
    for (let i = 0; i < last; i++) {
      const ar = re[i * n + last]!;
      const ai = im[i * n + last]!;
      const fr = (ar * pr + ai * pi) / size2;
      const fi = (ai * pr - ar * pi) / size2;
      for (let j = 0; j < last; j++) {
        const br = re[last * n + j]!;
        const bi = im[last * n + j]!;
        nextRe[i * last + j] = re[i * n + j]! - (fr * br - fi * bi);
        nextIm[i * last + j] = im[i * n + j]! - (fr * bi + fi * br);
      }
    }
    re = nextRe;
    im = nextIm;
    n = last;
  }
  return { n, re, im };
}
