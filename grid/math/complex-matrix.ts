import { DecError } from './dec-error.js';

/**
 * A small dense complex matrix for element admittances: row-major, real and imaginary parts apart.
 * Meant for orders up to about 20; large systems belong in {@link ComplexFactor}.
 */
export class ComplexDense {
  readonly n: number;
  /** Real parts, row-major, length n*n. */
  readonly re: Float64Array;
  /** Imaginary parts, row-major, length n*n. */
  readonly im: Float64Array;

  /**
   * A matrix of zeros.
   *
   * @param n - order, 1 or more
   * @param re - room for the real parts, zeros; its own where absent
   * @param im - the same for the imaginary parts
   */
  constructor(n: number, re = new Float64Array(n * n), im = new Float64Array(n * n)) {
    this.n = n;
    this.re = re;
    this.im = im;
  }

  /** Copies a matrix given as parts. */
  static from(matrix: {
    readonly n: number;
    readonly re: ArrayLike<number>;
    readonly im: ArrayLike<number>;
  }): ComplexDense {
    const copy = new ComplexDense(matrix.n);
    copy.re.set(matrix.re);
    copy.im.set(matrix.im);
    return copy;
  }

  /** Adds a complex number to one entry. */
  add(row: number, column: number, re: number, im: number): void {
    const k = row * this.n + column;
    this.re[k] = this.re[k]! + re;
    this.im[k] = this.im[k]! + im;
  }

  /** Adds a two-terminal admittance between two rows; an index of -1 is ground. */
  addBetween(a: number, b: number, re: number, im: number): void {
    if (a === b) return;
    if (a >= 0) this.add(a, a, re, im);
    if (b >= 0) this.add(b, b, re, im);
    if (a >= 0 && b >= 0) {
      this.add(a, b, -re, -im);
      this.add(b, a, -re, -im);
    }
  }

  /**
   * The inverse, by Gauss-Jordan elimination with complete row pivoting.
   *
   * @returns a new matrix
   * @throws DecError SINGULAR when no usable pivot is left
   */
  inverse(): ComplexDense {
    return ComplexDense.from(this).invert();
  }

  /**
   * Becomes its own inverse, in the same steps as {@link inverse}, and allocates nothing.
   *
   * @returns itself
   * @throws DecError SINGULAR when no usable pivot is left; the matrix is not to be used then
   */
  invert(): this {
    const n = this.n;
    const a = borrowed(n);
    a.re.set(this.re);
    a.im.set(this.im);
    this.re.fill(0);
    this.im.fill(0);
    for (let i = 0; i < n; i++) this.re[i * n + i] = 1;
    for (let k = 0; k < n; k++) {
      let pivotRow = k;
      let best = 0;
      // The last pivot has no rival: any size will do.
      if (k === n - 1) best = Math.abs(a.re[k * n + k]!) + Math.abs(a.im[k * n + k]!);
      for (let i = k; i < n && k < n - 1; i++) {
        const size = Math.hypot(a.re[i * n + k]!, a.im[i * n + k]!);
        if (size > best) {
          best = size;
          pivotRow = i;
        }
      }
      if (!(best > 0) || !Number.isFinite(best)) {
        throw new DecError('SINGULAR', `The ${n} by ${n} impedance matrix has no inverse (column ${k + 1}).`, {
          order: n,
          column: k + 1,
        });
      }
      if (pivotRow !== k) {
        swapRows(a, k, pivotRow);
        swapRows(this, k, pivotRow);
      }
      const pr = a.re[k * n + k]!;
      const pi = a.im[k * n + k]!;
      const size2 = pr * pr + pi * pi;
      scaleRow(a, k, pr / size2, -pi / size2);
      scaleRow(this, k, pr / size2, -pi / size2);
      for (let i = 0; i < n; i++) {
        if (i === k) continue;
        const fr = a.re[i * n + k]!;
        const fi = a.im[i * n + k]!;
        if (fr === 0 && fi === 0) continue;
        subtractRow(a, i, k, fr, fi);
        subtractRow(this, i, k, fr, fi);
      }
    }
    return this;
  }

  /**
   * Takes one row out by Kron's reduction, as when the current there is zero: the others keep what they see through
   * it, and its row and column become zero. A row without admittance of its own is only cleared.
   */
  eliminate(row: number): void {
    const { n, re, im } = this;
    const pr = re[row * n + row]!;
    const pi = im[row * n + row]!;
    const square = pr * pr + pi * pi;
    for (let i = 0; i < n && square > 0; i++) {
      if (i === row) continue;
      const ar = re[i * n + row]!;
      const ai = im[i * n + row]!;
      if (ar === 0 && ai === 0) continue;
      const fr = (ar * pr + ai * pi) / square;
      const fi = (ai * pr - ar * pi) / square;
      for (let j = 0; j < n; j++) {
        if (j === row) continue;
        const br = re[row * n + j]!;
        const bi = im[row * n + j]!;
        this.add(i, j, -(fr * br - fi * bi), -(fr * bi + fi * br));
      }
    }
    for (let i = 0; i < n; i++) {
      re[i * n + row] = 0;
      im[i * n + row] = 0;
      re[row * n + i] = 0;
      im[row * n + i] = 0;
    }
  }

  /** Sets all entries to zero. */
  clear(): this {
    this.re.fill(0);
    this.im.fill(0);
    return this;
  }

  /**
   * `t' * this * t` for a real matrix `t` of this.n rows, given row-major: the congruence of an admittance.
   *
   * @param result - where it is put; a new matrix where absent
   */
  congruence(t: Float64Array, columns: number, result = new ComplexDense(columns)): ComplexDense {
    const n = this.n;
    result.clear();
    if (halfRe.length < n * columns) {
      halfRe = new Float64Array(2 * n * columns);
      halfIm = new Float64Array(2 * n * columns);
    }
    halfRe.fill(0, 0, n * columns);
    halfIm.fill(0, 0, n * columns);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < n; k++) {
        const re = this.re[i * n + k]!;
        const im = this.im[i * n + k]!;
        for (let j = 0; j < columns; j++) {
          const f = t[k * columns + j]!;
          halfRe[i * columns + j] = halfRe[i * columns + j]! + re * f;
          halfIm[i * columns + j] = halfIm[i * columns + j]! + im * f;
        }
      }
    }
    for (let i = 0; i < columns; i++) {
      for (let k = 0; k < n; k++) {
        const f = t[k * columns + i]!;
        if (f === 0) continue;
        for (let j = 0; j < columns; j++) result.add(i, j, f * halfRe[k * columns + j]!, f * halfIm[k * columns + j]!);
      }
    }
    return result;
  }
}

/** Room for {@link ComplexDense.congruence} to work in. */
let halfRe = new Float64Array(64);
let halfIm = new Float64Array(64);

/** Doubles of a piece of {@link DenseStore}. */
const STORE_PIECE = 4096;

/** Room for many small matrices that live as long as one another: a few large arrays instead of two for each matrix. */
export class DenseStore {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new DenseStore();

  private piece = new ArrayBuffer(0);
  private used = 0;

  /** A matrix of zeros. */
  matrix(n: number): ComplexDense {
    return new ComplexDense(n, this.room(n * n), this.room(n * n));
  }

  private room(count: number): Float64Array<ArrayBuffer> {
    if (this.used + 8 * count > this.piece.byteLength) {
      this.piece = new ArrayBuffer(8 * Math.max(STORE_PIECE, count));
      this.used = 0;
    }
    const part = new Float64Array(this.piece, this.used, count);
    this.used += 8 * count;
    return part;
  }
}

/** Matrices for {@link ComplexDense.invert} to work in, by order. */
const workshop: ComplexDense[] = [];

function borrowed(n: number): ComplexDense {
  let matrix = workshop[n];
  if (!matrix) {
    matrix = new ComplexDense(n);
    workshop[n] = matrix;
  }
  return matrix;
}

function swapRows(m: ComplexDense, a: number, b: number): void {
  const n = m.n;
  for (let j = 0; j < n; j++) {
    const re = m.re[a * n + j]!;
    const im = m.im[a * n + j]!;
    m.re[a * n + j] = m.re[b * n + j]!;
    m.im[a * n + j] = m.im[b * n + j]!;
    m.re[b * n + j] = re;
    m.im[b * n + j] = im;
  }
}

function scaleRow(m: ComplexDense, row: number, fr: number, fi: number): void {
  const n = m.n;
  for (let j = 0; j < n; j++) {
    const re = m.re[row * n + j]!;
    const im = m.im[row * n + j]!;
    m.re[row * n + j] = re * fr - im * fi;
    m.im[row * n + j] = re * fi + im * fr;
  }
}

function subtractRow(m: ComplexDense, row: number, pivot: number, fr: number, fi: number): void {
  const n = m.n;
  for (let j = 0; j < n; j++) {
    const re = m.re[pivot * n + j]!;
    const im = m.im[pivot * n + j]!;
    m.re[row * n + j] = m.re[row * n + j]! - (re * fr - im * fi);
    m.im[row * n + j] = m.im[row * n + j]! - (re * fi + im * fr);
  }
}
