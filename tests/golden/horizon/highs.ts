import type { Highs } from 'highs';
import type { QuadraticProgramme } from '../../../grid/math/index.js';

/** The package's types describe its CommonJS build; the default export of the ES module is the loader itself. */
async function loadHighs(): Promise<Highs> {
  const { default: loader }: { readonly default: unknown } = await import('highs');
  if (typeof loader !== 'function') throw new Error('highs has no loader');
  return loader();
}

/**
 * Least value of a programme's linear cost by HiGHS, an outside solver. The programme must have no quadratic cost.
 * @param whole - variables that are whole numbers; none when absent
 */
export async function highsObjective(
  { linear, equality, equalityValue, lower, upper, hessian }: QuadraticProgramme,
  whole: ReadonlySet<number> = new Set(),
) {
  if (hessian.values.length > 0) throw new Error('this oracle is for linear costs');
  const highs = await loadHighs();
  const bound = (values: Float64Array) =>
    Array.from(values, (v) => (v === Infinity ? highs.infinity : v === -Infinity ? -highs.infinity : v));
  return highs.withModel(
    {
      numCols: linear.length,
      numRows: equality.rows,
      colCost: Array.from(linear),
      colLower: bound(lower),
      colUpper: bound(upper),
      ...(whole.size === 0 ? {} : { integrality: Int32Array.from(linear, (_, j) => (whole.has(j) ? 1 : 0)) }),
      rowLower: Array.from(equalityValue),
      rowUpper: Array.from(equalityValue),
      matrix: {
        format: 'csc',
        numRows: equality.rows,
        numCols: equality.cols,
        starts: Array.from(equality.colPtr),
        indices: Array.from(equality.rowIdx),
        values: Array.from(equality.values),
      },
    },
    (model) => {
      model.run();
      return model.getObjectiveValue();
    },
  );
}
