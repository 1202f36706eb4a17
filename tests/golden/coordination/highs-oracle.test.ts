import { describe, expect, it } from 'vitest';
import type { FeederData } from '../../../grid/model/index.js';
import {
  adjoint,
  type CurtailmentProblem,
  curtailmentProblem,
  dispatchState,
  linearFeeder,
  solveCentral,
} from '../../../grid/optim/index.js';
import { loadHighs } from '../../builders/lexicographic.js';
import { MODEL_INPUTS, street } from '../../unit/optim/street.js';
import { ancestorCase, ancestorProblem, hasAncestorCases } from './ancestor.js';

/**
 * Least curtailment by HiGHS on an independent formulation: one row per limited node over the units' fractions, with
 * sensitivities from the adjoint of the network instead of flow and voltage unknowns. kW.
 */
async function leastCurtailmentKw(problem: CurtailmentProblem): Promise<number> {
  const highs = await loadHighs();
  const { units, network } = problem;
  const base = dispatchState(problem, new Float64Array(units.length)).voltageSquaredPu;
  const rows: number[][] = [];
  const upper: number[] = [];
  for (let i = 0; i < network.nodes.length; i++) {
    if (!Number.isFinite(problem.upperSquaredPu[i]!)) continue;
    const weight = new Float64Array(network.nodes.length);
    weight[i] = 1;
    const { perW, perVar } = adjoint(network, weight);
    // Rows in units of 1e-3 pu squared, so that HiGHS' absolute tolerance of 1e-7 is far below what is compared.
    rows.push(
      units.map((unit) => {
        let sum = 0;
        unit.nodes.forEach((node, k) => {
          sum += perW[node]! * unit.shareRe[k]! + perVar[node]! * unit.shareIm[k]!;
        });
        return sum * unit.availableW * 1e3;
      }),
    );
    upper.push((problem.upperSquaredPu[i]! - base[i]!) * 1e3);
  }
  return highs.withModel(
    {
      numCols: units.length,
      numRows: rows.length,
      colCost: units.map((unit) => unit.availableW / 1000),
      colLower: units.map(() => 0),
      colUpper: units.map(() => 1),
      rowLower: rows.map(() => -highs.infinity),
      rowUpper: upper,
      matrix: {
        format: 'csr',
        numRows: rows.length,
        numCols: units.length,
        starts: Array.from({ length: rows.length + 1 }, (_, i) => i * units.length),
        indices: rows.flatMap(() => units.map((_, j) => j)),
        values: rows.flat(),
      },
    },
    (model) => {
      model.run();
      return model.getObjectiveValue();
    },
  );
}

describe('least curtailment against HiGHS', () => {
  it('agrees on a street with split-phase secondaries', async () => {
    const net: FeederData = street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
    const limits = { minPu: 0, maxPu: 1.05 };
    const problem = curtailmentProblem(net, linearFeeder(net), MODEL_INPUTS, limits, 'total');
    const expected = await leastCurtailmentKw(problem);
    expect(expected).toBeGreaterThan(50);
    expect(Math.abs(solveCentral(problem).curtailedW / 1000 - expected)).toBeLessThan(1e-4 * expected);
  });

  it.skipIf(!hasAncestorCases).each(['T48', 'B'] as const)('agrees on %s', async (name) => {
    const problem = ancestorProblem(ancestorCase(name), 'total');
    const expected = await leastCurtailmentKw(problem);
    expect(Math.abs(solveCentral(problem).curtailedW / 1000 - expected)).toBeLessThan(1e-5 * expected);
  });
});
