import {
  addMultiply,
  addMultiplySymmetric,
  addMultiplyTransposed,
  type QuadraticProgramme,
} from '../../grid/math/index.js';

/**
 * How far a point with its row multipliers is from the optimum, from the data alone: the largest relative violation of rows
 * and bounds, and how far the reduced gradient would still move a variable inside its bounds.
 *
 * @param y - multipliers of the rows, with gradient - A'y = 0 at a free optimum
 */
export function optimalityResidual(programme: QuadraticProgramme, x: Float64Array, y: Float64Array): number {
  const { hessian, linear, equality, equalityValue, lower, upper } = programme;
  const gradient = linear.slice();
  addMultiplySymmetric(gradient, hessian, x);
  const pull = new Float64Array(linear.length);
  addMultiplyTransposed(pull, equality, y, 1);
  const row = new Float64Array(equality.rows);
  addMultiply(row, equality, x, 1);
  let primal = 0;
  row.forEach((value, i) => {
    primal = Math.max(primal, Math.abs(value - equalityValue[i]!));
  });
  let dual = 0;
  for (let j = 0; j < x.length; j++) {
    primal = Math.max(primal, lower[j]! - x[j]!, x[j]! - upper[j]!);
    const moved = Math.min(upper[j]!, Math.max(lower[j]!, x[j]! - gradient[j]! + pull[j]!));
    dual = Math.max(dual, Math.abs(moved - x[j]!));
  }
  const residual = Math.max(primal / (1 + largest(x)), dual / (1 + Math.max(largest(gradient), largest(pull))));
  return Number.isNaN(residual) ? Number.POSITIVE_INFINITY : residual;
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
