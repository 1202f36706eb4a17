import { type Complex, complex, lusolve, matrix } from 'mathjs';
import { describe, expect, it } from 'vitest';
import { addSymmetricProduct, ComplexDense, ComplexFactor } from '../../../grid/math/index.js';

/** A repeatable sequence in (-1, 1), enough for test matrices. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 1073741824 - 1;
  };
}

/** A connected complex symmetric matrix like a nodal admittance: tree, some loops, weak shunts. */
function network(n: number, loops: number, seed: number) {
  const next = sequence(seed);
  const dense = new ComplexDense(n);
  const pick = (below: number) => Math.min(below - 1, Math.floor((0.5 + next() / 2) * below));
  for (let i = 0; i < n; i++) dense.add(i, i, 1e-3 * (1 + next() ** 2), 1e-3 * next());
  for (let i = 1; i < n; i++) dense.addBetween(i, pick(i), 1 + next() ** 2, -2 + next());
  for (let k = 0; k < loops; k++) dense.addBetween(pick(n), pick(n), 1 + next() ** 2, -2 + next());
  const colPtr = [0];
  const rowIdx: number[] = [];
  const values: number[] = [];
  for (let j = 0; j < n; j++) {
    for (let i = 0; i <= j; i++) {
      const re = dense.re[i * n + j]!;
      const im = dense.im[i * n + j]!;
      if (re === 0 && im === 0) continue;
      rowIdx.push(i);
      values.push(re, im);
    }
    colPtr.push(rowIdx.length);
  }
  return {
    dense,
    colPtr: Int32Array.from(colPtr),
    rowIdx: Int32Array.from(rowIdx),
    values: Float64Array.from(values),
    next,
  };
}

describe('ComplexFactor', () => {
  it('solves as the dense LU of mathjs does (oracle: mathjs lusolve)', () => {
    for (const [n, loops, seed] of [
      [12, 4, 1],
      [40, 15, 7],
    ] as const) {
      const { dense, colPtr, rowIdx, values, next } = network(n, loops, seed);
      const b = Float64Array.from({ length: 2 * n }, next);
      const factor = new ComplexFactor(n, colPtr, rowIdx);
      expect(factor.refactor(values)).toBe(-1);
      const x = new Float64Array(2 * n);
      factor.solve(b, x);
      const rows = Array.from({ length: n }, (_, i) =>
        Array.from({ length: n }, (_, j) => complex(dense.re[i * n + j]!, dense.im[i * n + j]!)),
      );
      const right = Array.from({ length: n }, (_, i) => [complex(b[2 * i]!, b[2 * i + 1]!)]);
      const twin = lusolve(matrix(rows), matrix(right))
        .toArray()
        .flat()
        .map((z) => complex(z as unknown as Complex));
      for (let i = 0; i < n; i++) {
        expect(x[2 * i]!).toBeCloseTo(twin[i]!.re, 8);
        expect(x[2 * i + 1]!).toBeCloseTo(twin[i]!.im, 8);
      }
    }
  });

  it('takes new values on the kept analysis and leaves a small residual on 600 nodes', () => {
    const n = 600;
    const { colPtr, rowIdx, values, next } = network(n, 30, 3);
    const factor = new ComplexFactor(n, colPtr, rowIdx);
    for (const scale of [1, 37]) {
      const scaled = values.map((v) => v * scale);
      expect(factor.refactor(scaled)).toBe(-1);
      const b = Float64Array.from({ length: 2 * n }, next);
      const x = new Float64Array(2 * n);
      factor.solve(b, x);
      const residual = b.slice();
      addSymmetricProduct(colPtr, rowIdx, scaled, x, residual, -1);
      expect(Math.max(...residual.map(Math.abs))).toBeLessThan(1e-9);
    }
  });

  it('names the row of a lost pivot instead of dividing by it', () => {
    // Two nodes tied to one another and to nothing else: the second pivot is 1 - 1 = 0.
    const factor = new ComplexFactor(2, Int32Array.of(0, 1, 3), Int32Array.of(0, 0, 1));
    const row = factor.refactor(Float64Array.of(1, 0, -1, 0, 1, 0));
    expect([0, 1]).toContain(row);
    expect(factor.refactor(Float64Array.of(1, 0, -1, 0, 1.5, 0))).toBe(-1);
  });
});

describe('ComplexDense', () => {
  it('inverts a matrix that needs pivoting', () => {
    const a = new ComplexDense(2);
    a.add(0, 1, 0, 2);
    a.add(1, 0, 4, 0);
    const inverse = a.inverse();
    // By hand: [[0, 2i], [4, 0]]^-1 = [[0, 1/4], [-i/2, 0]].
    expect([...inverse.re]).toEqual([0, 0.25, 0, 0]);
    expect([...inverse.im].map((v) => v + 0)).toEqual([0, 0, -0.5, 0]);
  });

  it('refuses a singular matrix with the column named', () => {
    const a = new ComplexDense(2);
    a.addBetween(0, 1, 1, 1);
    expect(() => a.inverse()).toThrow(/column 2/);
  });

  it('takes up changed values by the paths to the root alone, to the same bits as a whole factorisation', () => {
    const { colPtr, rowIdx, values, next } = network(120, 6, 11);
    const kept = new ComplexFactor(120, colPtr, rowIdx);
    expect(kept.refactor(values)).toBe(-1);
    for (const column of [3, 57, 119]) {
      const rows = [column];
      for (let p = colPtr[column]!; p < colPtr[column + 1]!; p++) {
        values[2 * p] = values[2 * p]! * (1 + 0.1 * next());
        rows.push(rowIdx[p]!);
      }
      kept.solve(new Float64Array(240).fill(1), new Float64Array(240));
      expect(kept.update(values, Int32Array.from(rows))).toBe(-1);
      const fresh = new ComplexFactor(120, colPtr, rowIdx);
      fresh.refactor(values);
      expect([...kept.Lx]).toEqual([...fresh.Lx]);
      expect([...kept.inverseD]).toEqual([...fresh.inverseD]);
    }
  });

  it('solves alike in an order that the caller gives', () => {
    const { colPtr, rowIdx, values, next } = network(40, 3, 5);
    const given = new ComplexFactor(
      40,
      colPtr,
      rowIdx,
      Int32Array.from({ length: 40 }, (_, k) => 39 - k),
    );
    const own = new ComplexFactor(40, colPtr, rowIdx);
    given.refactor(values);
    own.refactor(values);
    const b = Float64Array.from({ length: 80 }, next);
    const x = new Float64Array(80);
    const y = new Float64Array(80);
    given.solve(b, x);
    own.solve(b, y);
    for (let i = 0; i < 80; i++) expect(x[i]).toBeCloseTo(y[i]!, 10);
  });
});
