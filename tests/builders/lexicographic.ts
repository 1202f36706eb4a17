import type { Highs } from 'highs';
import { adjoint, type CurtailmentProblem, dispatchState } from '../../grid/optim/index.js';

/*
 * The lexicographic minimum of curtailed fractions by HiGHS, the slow way: after each level one linear programme per group
 * asks whether it can go below. One dense row per limited node, with sensitivities from the adjoint of the network.
 */

/** The package's types describe its CommonJS build; the default export of the ES module is the loader itself. */
export async function loadHighs(): Promise<Highs> {
  const { default: loader }: { readonly default: unknown } = await import('highs');
  if (typeof loader !== 'function') throw new Error('highs has no loader');
  return loader();
}

/** Rows in units of 1e-3 pu squared, so that HiGHS' absolute tolerance of 1e-7 is far below what is compared. */
const SCALE = 1e3;
/** Room of caps against rounding; a group that comes this much below a level is free. */
const ROOM = 1e-9;
const BELOW = 1e-6;

/** Fractions by group of the problem, one column of the programmes each. */
export function lexicographicAlphas(highs: Highs, problem: CurtailmentProblem): number[] {
  const { units, network } = problem;
  const n = problem.groupCount;
  const base = dispatchState(problem, new Float64Array(n)).voltageSquaredPu;
  const matrix: number[][] = [];
  const most: number[] = [];
  for (let i = 0; i < network.nodes.length; i++) {
    const limit = problem.upperSquaredPu[i]!;
    if (!Number.isFinite(limit)) continue;
    const weight = new Float64Array(network.nodes.length);
    weight[i] = 1;
    const { perW, perVar } = adjoint(network, weight);
    const row = new Array<number>(n).fill(0);
    for (const { nodes, shareRe, shareIm, availableW, group } of units) {
      nodes.forEach((node, k) => {
        row[group]! += (perW[node]! * shareRe[k]! + perVar[node]! * shareIm[k]!) * availableW * SCALE;
      });
    }
    matrix.push(row);
    most.push((limit - base[i]!) * SCALE);
  }
  const cap = new Array<number>(n).fill(1);
  /** Least `cost` over alpha and t, with alpha <= t for those who follow it. */
  const least = (cost: readonly number[], followers: readonly number[]): number => {
    const rows = [...matrix.map((row) => [...row, 0]), ...followers.map((u) => [...unitRow(n, u), -1])];
    return highs.withModel(
      {
        numCols: n + 1,
        numRows: rows.length,
        colCost: [...cost],
        colLower: new Array<number>(n + 1).fill(0),
        colUpper: [...cap, 1],
        rowLower: rows.map(() => -highs.infinity),
        rowUpper: [...most, ...followers.map(() => 0)],
        matrix: {
          format: 'csr',
          numRows: rows.length,
          numCols: n + 1,
          starts: Array.from({ length: rows.length + 1 }, (_, i) => i * (n + 1)),
          indices: rows.flatMap(() => Array.from({ length: n + 1 }, (_, j) => j)),
          values: rows.flat(),
        },
      },
      (model) => {
        model.run();
        return model.getObjectiveValue();
      },
    );
  };
  let free = Array.from({ length: n }, (_, g) => g);
  while (free.length > 0) {
    const level = least(unitRow(n + 1, n), free);
    for (const u of free) cap[u] = level + ROOM;
    const next = free.filter((u) => level > BELOW && least(unitRow(n + 1, u), []) < level - BELOW);
    // Rounding must not keep all free for ever.
    free = next.length < free.length ? next : [];
  }
  return cap;
}

function unitRow(length: number, at: number): number[] {
  return Array.from({ length }, (_, j) => Number(j === at));
}
