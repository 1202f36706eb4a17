import type { Highs } from 'highs';
import { lusolve } from 'mathjs';
import { describe, expect, it } from 'vitest';
import {
  addMultiplyTransposed,
  PROGRAMME_STATUS_TEXT,
  type QuadraticProgramme,
  solveQuadraticProgramme,
  TripletList,
} from '../../../grid/math/index.js';
import { CENTRAL_STATUS_TEXT, COORDINATION_STATUS_TEXT } from '../../../grid/optim/index.js';
import { radial, seeded } from './radial.js';

/** The package's types describe its CommonJS build; the default export of the ES module is the loader itself. */
async function loadHighs(): Promise<Highs> {
  const { default: loader }: { readonly default: unknown } = await import('highs');
  if (typeof loader !== 'function') throw new Error('highs has no loader');
  return loader();
}

interface Dense {
  readonly hessian: number[][];
  readonly linear: number[];
  readonly rows: number[][];
  readonly value: number[];
  readonly lower: number[];
  readonly upper: number[];
}

function sparse({ hessian, linear, rows, value, lower, upper }: Dense): QuadraticProgramme {
  const n = linear.length;
  const p = new TripletList();
  const a = new TripletList();
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) p.add(i, j, hessian[i]?.[j] ?? 0);
  rows.forEach((row, i) => {
    row.forEach((v, j) => {
      a.add(i, j, v);
    });
  });
  return {
    hessian: p.toMatrix(n, n),
    linear: Float64Array.from(linear),
    equality: a.toMatrix(rows.length, n),
    equalityValue: Float64Array.from(value),
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
  };
}

/** A feasible programme of n unknowns and m rows; every fifth unknown is fixed, every third is unbounded above. */
function randomCase(seed: number, n: number, m: number, isQuadratic: boolean): Dense {
  const random = seeded(seed);
  const inside = Array.from({ length: n }, () => random());
  const rows = Array.from({ length: m }, () =>
    Array.from({ length: n }, () => (random() < 0.6 ? 2 * random() - 1 : 0)),
  );
  const factor = Array.from({ length: n }, () => Array.from({ length: n }, () => random() - 0.5));
  const product = (i: number, j: number) => factor.reduce((sum, row) => sum + row[i]! * row[j]!, i === j ? 0.1 : 0);
  return {
    hessian: isQuadratic ? inside.map((_, i) => inside.map((__, j) => product(i, j))) : [],
    linear: inside.map(() => 2 * random() - (isQuadratic ? 1 : 0.2)),
    rows,
    value: rows.map((row) => row.reduce((sum, a, j) => sum + a * inside[j]!, 0)),
    lower: inside.map((x, j) => (j % 5 === 4 ? x : 0)),
    upper: inside.map((x, j) => (j % 5 === 4 ? x : j % 3 === 2 && !isQuadratic ? 3 : 1)),
  };
}

/** The optimum by trying every set of active bounds; each a dense saddle-point system by LU. */
function byEnumeration({ hessian, linear, rows, value, lower, upper }: Dense): number {
  const n = linear.length;
  let best = Infinity;
  for (let code = 0; code < 3 ** n; code++) {
    const state = Array.from({ length: n }, (_, j) => Math.floor(code / 3 ** j) % 3);
    const free = state.flatMap((s, j) => (s === 0 ? [j] : []));
    if (free.length < rows.length) continue;
    const x = state.map((s, j) => (s === 1 ? lower[j]! : s === 2 ? upper[j]! : 0));
    const size = free.length + rows.length;
    const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    const right = new Array<number>(size).fill(0);
    free.forEach((i, a) => {
      free.forEach((j, b) => {
        matrix[a]![b] = hessian[i]![j]!;
      });
      rows.forEach((row, r) => {
        matrix[a]![free.length + r] = row[i]!;
        matrix[free.length + r]![a] = row[i]!;
      });
      right[a] = -linear[i]! - x.reduce((sum, v, j) => sum + (state[j] === 0 ? 0 : hessian[i]![j]! * v), 0);
    });
    rows.forEach((row, r) => {
      right[free.length + r] = value[r]! - x.reduce((sum, v, j) => sum + (state[j] === 0 ? 0 : row[j]! * v), 0);
    });
    let solved: number[];
    try {
      solved = (size === 0 ? [] : lusolve(matrix, right)).map((entry) =>
        Number(Array.isArray(entry) ? entry[0] : entry),
      );
    } catch {
      // A set of bounds whose rows depend on each other is no vertex of its own.
      continue;
    }
    free.forEach((j, a) => {
      x[j] = solved[a]!;
    });
    if (x.some((v, j) => v < lower[j]! - 1e-9 || v > upper[j]! + 1e-9)) continue;
    const objective = x.reduce(
      (sum, v, i) => sum + linear[i]! * v + (v * x.reduce((s, w, j) => s + hessian[i]![j]! * w, 0)) / 2,
      0,
    );
    best = Math.min(best, objective);
  }
  return best;
}

describe('the interior-point method against independent solvers', () => {
  it.each([1, 2, 3, 4, 5, 6])('dense quadratic programme %i: the best of all active sets', (seed) => {
    const dense = randomCase(seed, 6, 2, true);
    const { status, objective, kktResidual } = solveQuadraticProgramme(sparse(dense), { tolerance: 1e-10 });
    expect(status).toBe('optimal');
    expect(kktResidual).toBeLessThanOrEqual(1e-10);
    expect(objective).toBeCloseTo(byEnumeration(dense), 7);
  });

  it.each([11, 12, 13, 14])('linear programme %i: the objective of HiGHS', async (seed) => {
    const dense = randomCase(seed, 40, 12, false);
    const highs = await loadHighs();
    const { rows, linear, lower, upper, value } = dense;
    const expected = highs.withModel(
      {
        numCols: linear.length,
        numRows: rows.length,
        colCost: linear,
        colLower: lower,
        colUpper: upper,
        rowLower: value,
        rowUpper: value,
        matrix: {
          format: 'csr',
          numRows: rows.length,
          numCols: linear.length,
          starts: rows.map((_, i) => i * linear.length).concat(rows.length * linear.length),
          indices: rows.flatMap(() => linear.map((_, j) => j)),
          values: rows.flat(),
        },
      },
      (model) => {
        model.run();
        return model.getObjectiveValue();
      },
    );
    const { status, objective } = solveQuadraticProgramme(sparse(dense), { tolerance: 1e-10 });
    expect(status).toBe('optimal');
    expect(Math.abs(objective - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
  });

  it('multipliers of fixed variables close the gradient', () => {
    const dense = randomCase(3, 10, 3, true);
    const qp = sparse(dense);
    const { x, y, lowerMultiplier, upperMultiplier } = solveQuadraticProgramme(qp, { tolerance: 1e-10 });
    const pull = new Float64Array(x.length);
    addMultiplyTransposed(pull, qp.equality, y);
    x.forEach((_, i) => {
      const gradient = dense.linear[i]! + x.reduce((sum, v, j) => sum + dense.hessian[i]![j]! * v, 0);
      expect(gradient - pull[i]! - lowerMultiplier[i]! + upperMultiplier[i]!).toBeCloseTo(0, 7);
    });
  });

  it('proves infeasibility of a feeder whose limits cannot hold', () => {
    const qp = radial(60);
    // The rise without any generation is 0, so that a limit of -1 cannot hold.
    const impossible = { ...qp, upper: qp.upper.map((v, j) => (j >= 120 ? -1 : v)) };
    const { status, y, lowerMultiplier, upperMultiplier } = solveQuadraticProgramme(impossible);
    expect(status).toBe('infeasible');
    // Farkas: A'y + zl - zu = 0 while b'y + l'zl - u'zu > 0.
    const ray = lowerMultiplier.map((z, j) => z - upperMultiplier[j]!);
    addMultiplyTransposed(ray, impossible.equality, y);
    let gain = y.reduce((sum, v, i) => sum + v * impossible.equalityValue[i]!, 0);
    lowerMultiplier.forEach((z, j) => {
      if (z > 0) gain += z * impossible.lower[j]!;
      if (upperMultiplier[j]! > 0) gain -= upperMultiplier[j]! * impossible.upper[j]!;
    });
    expect(gain).toBeGreaterThan(0);
    for (const component of ray) expect(Math.abs(component)).toBeLessThan(1e-6 * gain);
  });

  it('has a sentence for every status', () => {
    for (const texts of [PROGRAMME_STATUS_TEXT, CENTRAL_STATUS_TEXT, COORDINATION_STATUS_TEXT]) {
      for (const text of Object.values(texts)) expect(text).toMatch(/^[A-Z].{20,}\.$/);
    }
  });
});
