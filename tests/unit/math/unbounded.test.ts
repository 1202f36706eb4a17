import type { Highs } from 'highs';
import { describe, expect, it } from 'vitest';
import {
  addMultiply,
  addMultiplySymmetric,
  infinityNorm,
  type ProgrammeSolution,
  type QuadraticProgramme,
  solveQuadraticProgramme,
  TripletList,
} from '../../../grid/math/index.js';
import { seeded } from './radial.js';

/** The package's types describe its CommonJS build; the default export of the ES module is the loader itself. */
async function loadHighs(): Promise<Highs> {
  const { default: loader }: { readonly default: unknown } = await import('highs');
  if (typeof loader !== 'function') throw new Error('highs has no loader');
  return loader();
}

/** A linear programme of coefficients over four decades, with one-sided, two-sided and open variables; some have no point. */
function randomProgramme(seed: number): QuadraticProgramme {
  const random = seeded(seed);
  const m = 3 + Math.floor(random() * 15);
  const n = m + Math.floor(random() * 15);
  const rows = new TripletList();
  const lower = Float64Array.from({ length: n }, () => (random() < 0.85 ? -5 * random() : -Infinity));
  const upper = lower.map((one) => (random() < 0.8 ? Math.max(one, -10) + 6 * random() : Infinity));
  const inside = lower.map((one, j) => Math.max(one, -10) + (Math.min(upper[j]!, 10) - Math.max(one, -10)) * random());
  const equalityValue = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      if (random() >= 0.35) continue;
      const value = (random() - 0.5) * 10 ** (random() * 4 - 1);
      rows.add(i, j, value);
      equalityValue[i]! += value * inside[j]!;
    }
  }
  if (seed % 4 === 1) equalityValue[Math.floor(random() * m)]! += 1e4 * (random() - 0.5);
  return {
    hessian: new TripletList().toMatrix(n, n),
    linear: Float64Array.from({ length: n }, () => 4 * (random() - 0.5)),
    equality: rows.toMatrix(m, n),
    equalityValue,
    lower,
    upper,
  };
}

/** The programme in CPLEX's LP format. */
function inWords({ linear, equality, equalityValue, lower, upper }: QuadraticProgramme): string {
  const sum = (values: ArrayLike<number>) =>
    Array.from(values, (v, j) => (v === 0 ? '' : `${v < 0 ? '-' : '+'} ${Math.abs(v)} x${j}`)).join(' ');
  const rows = Array.from(equalityValue, (value, i) => {
    const row = new Float64Array(linear.length);
    for (let j = 0; j < linear.length; j++) {
      for (let k = equality.colPtr[j]!; k < equality.colPtr[j + 1]!; k++) {
        if (equality.rowIdx[k] === i) row[j] = equality.values[k]!;
      }
    }
    return ` r${i}: ${row.some((v) => v !== 0) ? sum(row) : '0 x0'} = ${value}`;
  });
  const side = (v: number) => (v === -Infinity ? '-inf' : v === Infinity ? '+inf' : `${v}`);
  const bounds = Array.from(lower, (v, j) => ` ${side(v)} <= x${j} <= ${side(upper[j]!)}`);
  return ['Minimize', ` cost: ${sum(linear)}`, 'Subject To', ...rows, 'Bounds', ...bounds, 'End', ''].join('\n');
}

/** The definition: a point inside the constraints, and a direction that keeps them for ever and falls. */
function expectProof(programme: QuadraticProgramme, { x, ray }: ProgrammeSolution): void {
  const { hessian, linear, equality, equalityValue, lower, upper } = programme;
  const direction = ray ?? new Float64Array(x.length);
  expect(infinityNorm(direction)).toBeCloseTo(1, 12);
  const image = (of: Float64Array) => {
    const sum = new Float64Array(equalityValue.length);
    addMultiply(sum, equality, of);
    return sum;
  };
  const bend = new Float64Array(x.length);
  addMultiplySymmetric(bend, hessian, direction);
  const largest = Math.max(1, infinityNorm(equality.values));
  expect(infinityNorm(image(direction))).toBeLessThan(1e-7 * largest);
  expect(infinityNorm(bend)).toBeLessThan(1e-7);
  direction.forEach((d, j) => {
    if (Number.isFinite(lower[j]!)) expect(d).toBeGreaterThanOrEqual(0);
    if (Number.isFinite(upper[j]!)) expect(d).toBeLessThanOrEqual(0);
    expect(x[j]).toBeGreaterThanOrEqual(lower[j]! - 1e-9);
    expect(x[j]).toBeLessThanOrEqual(upper[j]! + 1e-9);
  });
  const off = image(x).map((v, i) => v - equalityValue[i]!);
  expect(infinityNorm(off)).toBeLessThan(1e-6 * (1 + infinityNorm(equalityValue)));
  expect(linear.reduce((sum, q, j) => sum + q * direction[j]!, 0)).toBeLessThan(-1e-6);
}

describe('programmes without a least value', () => {
  it('are told with a direction wherever HiGHS says so, and nowhere else', async () => {
    const highs = await loadHighs();
    const names = { optimal: 'Optimal', infeasible: 'Infeasible', unbounded: 'Unbounded' } as const;
    const count = { optimal: 0, infeasible: 0, unbounded: 0 };
    for (let seed = 1; seed <= 80; seed++) {
      const programme = randomProgramme(seed);
      const solution = solveQuadraticProgramme(programme);
      const truth = highs.solve(inWords(programme)).Status;
      const { status } = solution;
      expect(status === 'optimal' || status === 'infeasible' || status === 'unbounded', `seed ${seed}: ${status}`).toBe(
        true,
      );
      if (status !== 'optimal' && status !== 'infeasible' && status !== 'unbounded') continue;
      expect(names[status], `seed ${seed}`).toBe(truth);
      count[status]++;
      if (status === 'unbounded') expectProof(programme, solution);
      else expect(solution.ray).toBeUndefined();
    }
    expect(Math.min(...Object.values(count))).toBeGreaterThan(4);
  });

  it('have one where curvature leaves a direction free', () => {
    // (x - y)^2 - x - y along x = y, with a third variable that is fixed and a fourth between bounds.
    const hessian = new TripletList();
    for (const [i, j, a] of [
      [0, 0, 2],
      [0, 1, -2],
      [1, 1, 2],
      [3, 3, 1],
    ] as const) {
      hessian.add(i, j, a);
    }
    const programme = (upper: number): QuadraticProgramme => ({
      hessian: hessian.toMatrix(4, 4),
      linear: Float64Array.of(-1, -1, 3, 1),
      equality: new TripletList().toMatrix(0, 4),
      equalityValue: new Float64Array(0),
      lower: Float64Array.of(0, 0, 2, -1),
      upper: Float64Array.of(Infinity, upper, 2, 1),
    });
    const solution = solveQuadraticProgramme(programme(Infinity));
    expect(solution.status).toBe('unbounded');
    expectProof(programme(Infinity), solution);
    expect(Array.from(solution.ray!)).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6), 0, 0]);
    // With one of both bounded curvature ends it: x = y + 1/2.
    const bounded = solveQuadraticProgramme(programme(7));
    expect(bounded.status).toBe('optimal');
    expect(bounded.x[0]).toBeCloseTo(7.5, 6);
  });
});
