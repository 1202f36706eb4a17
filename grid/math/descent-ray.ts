import type { ProgrammeSolution, QuadraticProgramme } from './interior-point.js';
import { addMultiply, addMultiplySymmetric, forEachEntry, infinityNorm, TripletList } from './sparse-matrix.js';

/*
 * Whether a convex quadratic programme has no least value, once its solver has come to no end.
 *
 * Solved: min q'd  subject to  Ad = 0,  Pd = 0,  |d| <= 1, d >= 0 where there is a lower bound, d <= 0 where there is an upper
 *         one. A direction with q'd < 0 keeps every constraint however far one goes and lowers the objective all the way, so
 *         that with one point inside the constraints the programme is unbounded; without such a direction it is not.
 * Steps: 1. no direction where no variable with a cost is open on the side that its cost falls to; 2. the linear programme,
 *        which has a solution always (d = 0 is one point, and the box is finite); 3. the direction held against A, P and q by
 *        itself; 4. a point inside the constraints, by the same programme without cost.
 * Cost: two linear programmes, only where the solver has ended without an answer.
 * Fails: with undefined where there is no direction, or none that is exact enough.
 * Source: Rockafellar (1970), Convex Analysis, section 8 (recession cones) and theorem 27.3.
 */

/** How exactly a direction keeps rows and curvature, and how much it must lower the objective, over the largest of q. */
const RAY_TOLERANCE = 1e-8;
const LEAST_DESCENT = 1e-6;

/** Solves a programme. */
type Solve = (programme: QuadraticProgramme) => ProgrammeSolution;

/**
 * The answer of a solver that came to no end, with the proof that the programme is unbounded or infeasible where there is one.
 *
 * @param even - the equilibrated programme, without fixed variables
 * @param factors - its variables are those of the answer over `col`, its rows those of the programme times `row`
 */
export function withProof(
  answer: ProgrammeSolution,
  even: QuadraticProgramme,
  { col, row }: { readonly col: Float64Array; readonly row: Float64Array },
  solve: Solve,
): ProgrammeSolution {
  const found = descentRay(even, solve);
  // Far out and falling, but no direction that is exact enough: nothing is proved.
  const unproven = answer.status === 'unbounded' ? { ...answer, status: 'stalled' as const } : answer;
  if (found === undefined) return unproven;
  const n = even.linear.length;
  const point = solve({ ...even, hessian: new TripletList().toMatrix(n, n), linear: new Float64Array(n) });
  const x = point.x.map((v, j) => v * col[j]!);
  if (point.status === 'infeasible') {
    return {
      ...answer,
      ...{ status: 'infeasible', x, y: point.y.map((v, i) => v * row[i]!) },
      lowerMultiplier: point.lowerMultiplier.map((v, j) => v / col[j]!),
      upperMultiplier: point.upperMultiplier.map((v, j) => v / col[j]!),
    };
  }
  if (point.status !== 'optimal' && point.status !== 'nearOptimal') return unproven;
  const ray = found.map((d, j) => d * col[j]!);
  const size = infinityNorm(ray);
  return { ...answer, status: 'unbounded', x, ray: ray.map((d) => d / size) };
}

function descentRay(programme: QuadraticProgramme, solve: Solve): Float64Array | undefined {
  const { hessian, linear, equality, equalityValue, lower, upper } = programme;
  const n = linear.length;
  // What moves for ever is open on the side that it moves to: some variable that costs less and less is.
  if (!linear.some((q, j) => (q > 0 && lower[j] === -Infinity) || (q < 0 && upper[j] === Infinity))) return undefined;
  const m = equalityValue.length;
  const rows = new TripletList();
  forEachEntry(equality, (i, j, a) => rows.add(i, j, a));
  forEachEntry(hessian, (i, j, a) => {
    rows.add(m + i, j, a);
    if (i !== j) rows.add(m + j, i, a);
  });
  const count = hessian.values.length > 0 ? m + n : m;
  const { x: ray } = solve({
    hessian: new TripletList().toMatrix(n, n),
    linear,
    equality: rows.toMatrix(count, n),
    equalityValue: new Float64Array(count),
    lower: lower.map((one) => (one === -Infinity ? -1 : 0)),
    upper: upper.map((one) => (one === Infinity ? 1 : 0)),
  });
  const size = infinityNorm(ray);
  // A direction that falls does so all the way to the box: what ends before it is none.
  if (!(size > 0.5)) return undefined;
  for (let j = 0; j < n; j++) ray[j]! /= size;
  const image = new Float64Array(m);
  const bend = new Float64Array(n);
  addMultiply(image, equality, ray);
  addMultiplySymmetric(bend, hessian, ray);
  const fall = -linear.reduce((sum, q, j) => sum + q * ray[j]!, 0);
  const isStraight = Math.max(infinityNorm(image), infinityNorm(bend)) <= RAY_TOLERANCE;
  return isStraight && fall > LEAST_DESCENT * infinityNorm(linear) ? ray : undefined;
}
