import { describe, expect, it } from 'vitest';
import {
  type QuadraticProgramme,
  solveQuadraticProgramme,
  TripletList,
  withRangeRows,
} from '../../../grid/math/index.js';
import { radial } from './radial.js';

function programme(
  hessian: readonly (readonly number[])[],
  linear: readonly number[],
  equality: readonly (readonly number[])[],
  value: readonly number[],
  lower: readonly number[],
  upper: readonly number[],
): QuadraticProgramme {
  const n = linear.length;
  const p = new TripletList();
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) p.add(i, j, hessian[i]![j]!);
  const a = new TripletList();
  equality.forEach((row, i) => {
    row.forEach((v, j) => {
      a.add(i, j, v);
    });
  });
  return {
    hessian: p.toMatrix(n, n),
    linear: Float64Array.from(linear),
    equality: a.toMatrix(equality.length, n),
    equalityValue: Float64Array.from(value),
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
  };
}

describe('the interior-point method', () => {
  it('solves the two-variable example whose optimum is (1.4, 1.7)', () => {
    // Nocedal and Wright (2006), Numerical Optimization, example 16.4: min (x1-1)^2 + (x2-2.5)^2.
    const qp = programme(
      [
        [2, 0],
        [0, 2],
      ],
      [-2, -5],
      [],
      [],
      [0, 0],
      [Infinity, Infinity],
    );
    const rows = new TripletList();
    [
      [1, -2],
      [-1, -2],
      [-1, 2],
    ].forEach((row, i) => {
      row.forEach((v, j) => {
        rows.add(i, j, v);
      });
    });
    const solution = solveQuadraticProgramme(
      withRangeRows(qp, rows.toMatrix(3, 2), [-2, -6, -2], [Infinity, Infinity, Infinity]),
    );
    expect(solution.status).toBe('optimal');
    expect(solution.x[0]).toBeCloseTo(1.4, 7);
    expect(solution.x[1]).toBeCloseTo(1.7, 7);
  });

  it('says infeasible for x + y = 3 with both at most 1', () => {
    const solution = solveQuadraticProgramme(
      programme(
        [
          [1, 0],
          [0, 1],
        ],
        [0, 0],
        [[1, 1]],
        [3],
        [0, 0],
        [1, 1],
      ),
    );
    expect(solution.status).toBe('infeasible');
  });

  it('says unbounded for a falling line', () => {
    const solution = solveQuadraticProgramme(programme([[0]], [-1], [], [], [0], [Infinity]));
    expect(solution.status).toBe('unbounded');
  });

  it('keeps fixed variables at their value', () => {
    const solution = solveQuadraticProgramme(
      programme(
        [
          [2, 0],
          [0, 2],
        ],
        [0, 0],
        [[1, 1]],
        [3],
        [2, -Infinity],
        [2, Infinity],
      ),
    );
    expect(solution.status).toBe('optimal');
    expect(Array.from(solution.x)).toEqual([2, expect.closeTo(1, 8)]);
  });

  // Issue: 9,000 nodes in a second, the tree of 4,876 nodes in 300 ms, on a machine without other work.
  it.each([9000, 4876])(
    'satisfies the optimality conditions of a radial problem of %i nodes, three unknowns each',
    (nodes) => {
      const qp = radial(nodes);
      solveQuadraticProgramme(qp);
      const clock = performance.now();
      const before = process.cpuUsage();
      const solution = solveQuadraticProgramme(qp);
      const { user, system } = process.cpuUsage(before);
      console.log(
        `radial, ${3 * nodes} unknowns: ${solution.iterations} iterations, ${(performance.now() - clock).toFixed(0)} ms by the clock, ${((user + system) / 1000).toFixed(0)} ms of processor`,
      );
      expect(solution.status).toBe('optimal');
      expect(solution.kktResidual).toBeLessThan(1e-8);
      expect(solution.iterations).toBeLessThanOrEqual(25);
      // Independent of the solver's own residual: some voltage limit binds and none is crossed.
      let binding = 0;
      for (let i = 2 * nodes; i < 3 * nodes; i++) {
        expect(solution.x[i]!).toBeLessThanOrEqual(qp.upper[i]! * (1 + 1e-8));
        if (solution.x[i]! > qp.upper[i]! * (1 - 1e-6)) binding++;
      }
      expect(binding).toBeGreaterThan(0);
    },
  );
});
