/** Linear programmes for the naive side: HiGHS where it is installed, else our own interior point. */
import type { Highs } from 'highs';
import { type QuadraticProgramme, solveQuadraticProgramme, TripletList } from '../../../grid/math/index.js';

/** `min linear'x` with `Ax = b` and bounds. */
export type LinearProgramme = Omit<QuadraticProgramme, 'hessian'>;

/** Solves programmes one by one, none knowing of another. */
export interface LinearSolver {
  readonly name: string;
  /** @throws Error when there is no optimum */
  solve(programme: LinearProgramme): Float64Array;
}

/** The package's types describe its CommonJS build; the default export of the ES module is the loader itself. */
async function loadHighs(): Promise<Highs> {
  const { default: loader }: { readonly default: unknown } = await import('highs');
  if (typeof loader !== 'function') throw new Error('highs has no loader');
  return loader();
}

/** The solver at hand. */
export async function linearSolver(): Promise<LinearSolver> {
  try {
    const highs = await loadHighs();
    return {
      name: 'HiGHS',
      solve: ({ linear, equality, equalityValue, lower, upper }) => {
        const bound = (values: Float64Array) =>
          values.map((v) => (v === Infinity ? highs.infinity : v === -Infinity ? -highs.infinity : v));
        const source = {
          ...{ numCols: linear.length, numRows: equality.rows, colCost: linear },
          ...{ colLower: bound(lower), colUpper: bound(upper), rowLower: equalityValue, rowUpper: equalityValue },
          matrix: {
            format: 'csc' as const,
            ...{ numRows: equality.rows, numCols: equality.cols },
            ...{ starts: equality.colPtr, indices: equality.rowIdx, values: equality.values },
          },
        };
        return highs.withModel(source, (model) => {
          model.run();
          const status = model.getModelStatus();
          if (status !== OPTIMAL) throw new Error(`HiGHS ended with status ${status}`);
          return model.getSolution().colValue;
        });
      },
    };
  } catch {
    return {
      name: 'own interior point',
      solve: (programme) => {
        const count = programme.linear.length;
        const { status, x } = solveQuadraticProgramme({
          ...programme,
          hessian: new TripletList().toMatrix(count, count),
        });
        if (status !== 'optimal' && status !== 'nearOptimal') throw new Error(`the solver ended with ${status}`);
        return x;
      },
    };
  }
}

/** Model status of HiGHS for an optimum (kHighsModelStatusOptimal). */
const OPTIMAL = 7;
