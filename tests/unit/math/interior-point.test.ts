import { describe, expect, it } from 'vitest';
import {
  type QuadraticProgramme,
  solveQuadraticProgramme,
  TripletList,
  withRangeRows,
} from '../../../grid/math/index.js';

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

/**
 * A radial curtailment problem of `nodes` nodes, three unknowns each: curtailment, flow, rise of squared voltage. The rise
 * without curtailment is 60 units at the worst node, the limit 40.
 */
function radial(nodes: number): QuadraticProgramme {
  const random = seeded(7);
  const n = 3 * nodes;
  const parents = Array.from({ length: nodes }, (_, i) =>
    i === 0 ? -1 : Math.max(0, i - 1 - Math.floor(random() * 40)),
  );
  const available = parents.map(() => 0.2 + random());
  const resistance = parents.map(() => 1 + random());
  const flow = Float64Array.from(available);
  for (let i = nodes - 1; i > 0; i--) flow[parents[i]!]! += flow[i]!;
  const rise = new Float64Array(nodes);
  for (let i = 0; i < nodes; i++) rise[i] = (rise[parents[i]!] ?? 0) + resistance[i]! * flow[i]!;
  const scale = 60 / rise.reduce((a, b) => Math.max(a, b));
  const p = new TripletList();
  const a = new TripletList();
  const lower = new Float64Array(n).fill(-Infinity);
  const upper = new Float64Array(n).fill(Infinity).fill(40, 2 * nodes);
  const value = new Float64Array(2 * nodes);
  parents.forEach((parent, i) => {
    p.add(i, i, 2 / available[i]!);
    lower[i] = 0;
    upper[i] = available[i]!;
    // flow_i - sum of the children's flows + c_i = available_i
    a.add(i, nodes + i, 1);
    a.add(i, i, 1);
    value[i] = available[i]!;
    if (parent >= 0) a.add(parent, nodes + i, -1);
    // rise_i = rise_parent + r_i flow_i
    a.add(nodes + i, 2 * nodes + i, 1);
    if (parent >= 0) a.add(nodes + i, 2 * nodes + parent, -1);
    a.add(nodes + i, nodes + i, -resistance[i]! * scale);
  });
  return {
    hessian: p.toMatrix(n, n),
    linear: new Float64Array(n),
    equality: a.toMatrix(2 * nodes, n),
    equalityValue: value,
    lower,
    upper,
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

  it('satisfies the optimality conditions of a radial problem of 27,000 unknowns', () => {
    const qp = radial(9000);
    const start = performance.now();
    const solution = solveQuadraticProgramme(qp);
    console.log(
      `radial 27,000 unknowns: ${solution.iterations} iterations, ${(performance.now() - start).toFixed(0)} ms`,
    );
    expect(solution.status).toBe('optimal');
    expect(solution.kktResidual).toBeLessThan(1e-8);
    expect(solution.iterations).toBeLessThanOrEqual(25);
    // Independent of the solver's own residual: some voltage limit binds and none is crossed.
    let binding = 0;
    for (let i = 18000; i < 27000; i++) {
      expect(solution.x[i]!).toBeLessThanOrEqual(qp.upper[i]! * (1 + 1e-8));
      if (solution.x[i]! > qp.upper[i]! * (1 - 1e-6)) binding++;
    }
    expect(binding).toBeGreaterThan(0);
  });
});
