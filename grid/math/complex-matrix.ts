import { DecError } from './dec-error.js';

/**
 * A small dense complex matrix for element admittances: row-major, real and imaginary parts apart.
 * Meant for orders up to about 20; large systems belong in {@link ComplexFactor}.
 */
export class ComplexDense {
  readonly n: number;
  /** Where its numbers lie, often beside those of others: n*n real parts from {@link offset} on, then n*n imaginary parts. */
  readonly data: Float64Array;
  readonly offset: number;
  private reView: Float64Array | undefined;
  private imView: Float64Array | undefined;

  /**
   * A matrix of zeros.
   *
   * @param n - order, 1 or more
   * @param data - room for its numbers, zeros from `offset` on; its own where absent
   * @param offset - first place in that room
   */
  constructor(n: number, data = new Float64Array(2 * n * n), offset = 0) {
    this.n = n;
    this.data = data;
    this.offset = offset;
    this.reView = undefined;
    this.imView = undefined;
  }

  /** Real parts, row-major, length n*n: a view, made when first asked for. */
  get re(): Float64Array {
    const { n, data, offset } = this;
    this.reView ??= new Float64Array(data.buffer, data.byteOffset + 8 * offset, n * n);
    return this.reView;
  }

  /** Imaginary parts, row-major, length n*n: a view, made when first asked for. */
  get im(): Float64Array {
    const { n, data, offset } = this;
    this.imView ??= new Float64Array(data.buffer, data.byteOffset + 8 * (offset + n * n), n * n);
    return this.imView;
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
    const { n, data } = this;
    const k = this.offset + row * n + column;
    data[k] = data[k]! + re;
    data[k + n * n] = data[k + n * n]! + im;
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
    const { n, data, offset } = this;
    const square = n * n;
    const a = borrowed(n);
    const rest = a.data;
    for (let k = 0; k < 2 * square; k++) {
      rest[k] = data[offset + k]!;
      data[offset + k] = 0;
    }
    for (let i = 0; i < n; i++) data[offset + i * n + i] = 1;
    for (let k = 0; k < n; k++) {
      let pivotRow = k;
      let best = 0;
      // The last pivot has no rival: any size will do.
      if (k === n - 1) best = Math.abs(rest[k * n + k]!) + Math.abs(rest[square + k * n + k]!);
      for (let i = k; i < n && k < n - 1; i++) {
        const size = Math.hypot(rest[i * n + k]!, rest[square + i * n + k]!);
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
      const pr = rest[k * n + k]!;
      const pi = rest[square + k * n + k]!;
      const size2 = pr * pr + pi * pi;
      scaleRow(a, k, pr / size2, -pi / size2);
      scaleRow(this, k, pr / size2, -pi / size2);
      for (let i = 0; i < n; i++) {
        if (i === k) continue;
        const fr = rest[i * n + k]!;
        const fi = rest[square + i * n + k]!;
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
    const { n, data, offset } = this;
    data.fill(0, offset, offset + 2 * n * n);
    return this;
  }

  /**
   * `t' * this * t` for a real matrix `t` of this.n rows, given row-major: the congruence of an admittance.
   *
   * @param result - where it is put; a new matrix where absent
   */
  congruence(t: Float64Array, columns: number, result = new ComplexDense(columns)): ComplexDense {
    const { n, data, offset } = this;
    result.clear();
    if (halfRe.length < n * columns) {
      halfRe = new Float64Array(2 * n * columns);
      halfIm = new Float64Array(2 * n * columns);
    }
    halfRe.fill(0, 0, n * columns);
    halfIm.fill(0, 0, n * columns);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < n; k++) {
        const re = data[offset + i * n + k]!;
        const im = data[offset + n * n + i * n + k]!;
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

/** Room for many small matrices that live as long as one another: a few large arrays instead of one for each matrix. */
export class DenseStore {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new DenseStore();

  private piece = new Float64Array(0);
  private used = 0;

  /** A matrix of zeros. */
  matrix(n: number): ComplexDense {
    const count = 2 * n * n;
    if (this.used + count > this.piece.length) {
      this.piece = new Float64Array(Math.max(STORE_PIECE, count));
      this.used = 0;
    }
    const matrix = new ComplexDense(n, this.piece, this.used);
    this.used += count;
    return matrix;
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

function swapRows({ n, data, offset }: ComplexDense, a: number, b: number): void {
  for (let part = offset; part <= offset + n * n; part += n * n) {
    for (let j = 0; j < n; j++) {
      const value = data[part + a * n + j]!;
      data[part + a * n + j] = data[part + b * n + j]!;
      data[part + b * n + j] = value;
    }
  }
}

function scaleRow({ n, data, offset }: ComplexDense, row: number, fr: number, fi: number): void {
  for (let j = 0; j < n; j++) {
    const at = offset + row * n + j;
    const re = data[at]!;
    const im = data[at + n * n]!;
    data[at] = re * fr - im * fi;
    data[at + n * n] = re * fi + im * fr;
  }
}

function subtractRow({ n, data, offset }: ComplexDense, row: number, pivot: number, fr: number, fi: number): void {
  for (let j = 0; j < n; j++) {
    const from = offset + pivot * n + j;
    const at = offset + row * n + j;
    const re = data[from]!;
    const im = data[from + n * n]!;
    data[at] = data[at]! - (re * fr - im * fi);
    data[at + n * n] = data[at + n * n]! - (re * fi + im * fr);
  }
}
