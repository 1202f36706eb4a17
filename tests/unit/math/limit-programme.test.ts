import { describe, expect, it } from 'vitest';
import {
  FreeRows,
  solveDense,
  solveLimits,
  solveQuadraticProgramme,
  TripletList,
  withRangeRows,
} from '../../../grid/math/index.js';

/** Seeded numbers in [0, 1): mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function example(seed: number, n: number, rows: number) {
  const random = seeded(seed);
  const signed = () => 2 * random() - 1;
  const root = Array.from({ length: n * n }, signed);
  const H = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) H[i * n + j]! += root[i * n + k]! * root[j * n + k]!;
      if (i === j) H[i * n + j]! += 0.1;
    }
  }
  const q = Float64Array.from({ length: n }, () => 3 * signed());
  const C = Array.from({ length: rows }, () => Float64Array.from({ length: n }, signed));
  const upper = Float64Array.from({ length: rows }, () => 0.2 + random());
  const lower = upper.map((u) => u - 0.5 - random());
  return { H, q, C, lower, upper };
}

/** The same problem by {@link solveLimits}. */
function byMultipliers(problem: ReturnType<typeof example>, n: number, cap: number) {
  const { H, q, C, lower, upper } = problem;
  const solve = (b: ArrayLike<number>) => {
    const x = Float64Array.from(b);
    solveDense(H.slice(), n, x);
    return x;
  };
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const x0 = solve(q.map((v) => -v));
  const responses = C.map((row) => solve(row));
  const columns = responses.map((response) => Float64Array.from(C, (row) => dot(row, response)));
  const multipliers = new Float64Array(C.length);
  const values = new Float64Array(C.length);
  const rows = {
    count: C.length,
    lower,
    upper,
    cap: new Float64Array(C.length).fill(cap),
    column: (i: number) => columns[i]!,
  };
  const unlimited = Float64Array.from(C, (row) => dot(row, x0));
  const isSolved = solveLimits(rows, unlimited, multipliers, values, 1e-10);
  const x = x0.map((v, j) => v - responses.reduce((sum, response, i) => sum + response[j]! * multipliers[i]!, 0));
  return { isSolved, x, multipliers, values, rows, unlimited };
}

describe('the programme of few limits', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('agrees with the interior-point method on random problem %i', (seed) => {
    const n = 6;
    const problem = example(seed, n, 8);
    const { isSolved, x } = byMultipliers(problem, n, Infinity);
    const hessian = new TripletList();
    for (let i = 0; i < n; i++) for (let j = i; j < n; j++) hessian.add(i, j, problem.H[i * n + j]!);
    const rows = new TripletList();
    problem.C.forEach((row, i) => {
      row.forEach((v, j) => {
        rows.add(i, j, v);
      });
    });
    const reference = solveQuadraticProgramme(
      withRangeRows(
        {
          hessian: hessian.toMatrix(n, n),
          linear: problem.q,
          equality: new TripletList().toMatrix(0, n),
          equalityValue: new Float64Array(0),
          lower: new Float64Array(n).fill(-Infinity),
          upper: new Float64Array(n).fill(Infinity),
        },
        rows.toMatrix(8, n),
        problem.lower,
        problem.upper,
      ),
    );
    // A random band may leave no point; the interior-point method then has the proof.
    if (reference.status === 'infeasible') return;
    expect(reference.status).toBe('optimal');
    expect(isSolved).toBe(true);
    for (let j = 0; j < n; j++) expect(Math.abs(x[j]! - reference.x[j]!)).toBeLessThan(1e-6);
  });

  it('violates softened limits only at the full price', () => {
    const problem = example(11, 4, 6);
    const { isSolved, multipliers, values } = byMultipliers(problem, 4, 0.05);
    expect(isSolved).toBe(true);
    let capped = 0;
    for (let i = 0; i < 6; i++) {
      expect(Math.abs(multipliers[i]!)).toBeLessThanOrEqual(0.05);
      const over = Math.max(values[i]! - problem.upper[i]!, problem.lower[i]! - values[i]!);
      if (over > 1e-9) expect(Math.abs(multipliers[i]!)).toBe(0.05);
      if (Math.abs(multipliers[i]!) === 0.05) capped++;
    }
    expect(capped).toBeGreaterThan(0);
  });

  it('has the same answer from any start', () => {
    const problem = example(5, 6, 8);
    const { multipliers, values, rows, unlimited } = byMultipliers(problem, 6, Infinity);
    const other = Float64Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 0.7 : -0.4));
    const otherValues = new Float64Array(8);
    expect(solveLimits(rows, unlimited, other, otherValues, 1e-10)).toBe(true);
    for (let i = 0; i < 8; i++) {
      expect(other[i]!).toBeCloseTo(multipliers[i]!, 7);
      expect(otherValues[i]!).toBeCloseTo(values[i]!, 7);
    }
  });

  it('has the same answer with the rows kept from another solve', () => {
    const problem = example(7, 30, 40);
    const { rows, unlimited } = byMultipliers(problem, 30, Infinity);
    const kept = new FreeRows(rows);
    const warm = new Float64Array(40);
    const random = seeded(11);
    let bound = 0;
    for (let k = 0; k < 12; k++) {
      const moved = unlimited.map((v) => v + 0.6 * (random() - 0.5));
      const [values, freshValues, fresh] = [new Float64Array(40), new Float64Array(40), new Float64Array(40)];
      expect(solveLimits(rows, moved, warm, values, 1e-10, kept)).toBe(true);
      expect(solveLimits(rows, moved, fresh, freshValues, 1e-10)).toBe(true);
      for (let i = 0; i < 40; i++) expect(values[i]!).toBeCloseTo(freshValues[i]!, 7);
      for (let i = 0; i < 40; i++) expect(warm[i]!).toBeCloseTo(fresh[i]!, 6);
      bound = Math.max(bound, kept.rows.length);
    }
    expect(bound).toBeGreaterThan(5);
  });

  it('keeps the factor of its rows while they come and go', () => {
    const { rows } = byMultipliers(example(9, 30, 40), 30, Infinity);
    const kept = new FreeRows(rows);
    const random = seeded(13);
    const left = Array.from({ length: 40 }, (_, i) => i);
    for (let k = 0; k < 60; k++) {
      const isTaken = kept.rows.length > 3 && (left.length === 0 || random() < 0.4);
      if (isTaken) {
        const place = Math.floor(random() * kept.rows.length);
        left.push(kept.rows[place]!);
        kept.removeAt(place);
      } else if (kept.rows.length < 24) kept.add(left.splice(Math.floor(random() * left.length), 1)[0]!);
      const shift = Float64Array.from(kept.rows, () => random() - 0.5);
      const multipliers = shift.slice();
      kept.solve(multipliers);
      kept.rows.forEach((row, a) => {
        const moved = kept.rows.reduce((sum, other, b) => sum + rows.column(other)[row]! * multipliers[b]!, 0);
        expect(moved).toBeCloseTo(shift[a]!, 7);
      });
    }
  });

  it('copes with a limit that is stated twice', () => {
    const problem = example(3, 4, 5);
    const twice = {
      ...problem,
      C: [...problem.C, problem.C[0]!.slice()],
      lower: Float64Array.from([...problem.lower, problem.lower[0]!]),
      upper: Float64Array.from([...problem.upper, problem.upper[0]!]),
    };
    const one = byMultipliers(problem, 4, Infinity);
    const other = byMultipliers(twice, 4, Infinity);
    expect(other.isSolved).toBe(one.isSolved);
    for (let j = 0; j < 4; j++) expect(other.x[j]!).toBeCloseTo(one.x[j]!, 6);
  });
});
