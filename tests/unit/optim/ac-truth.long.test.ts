import { describe, expect, it } from 'vitest';
import { coordinateInProcess, FAIRNESS_MODES, linearFeeder } from '../../../grid/optim/index.js';
import { dispatchTruth } from '../../builders/ac-truth.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const limits = { minPu: 0.9, maxPu: 1.05 };
/** Voltages may exceed a limit by this in the AC power flow, pu (a requirement). */
const TOLERANCE_PU = 1e-5;
/** Service transformers with triplex secondaries behind a regulator bank: 75 nodes, 1.065 pu without curtailment. */
const USUAL = { name: 'a usual street', ...{ transformers: 6, pvKw: 18, sourcePu: 1.03 }, nodes: 75 };
/** So much PV at the end of so thin a line that the linear model is off by 6e-3 pu: 141 nodes, 1.146 pu. */
const EXTREME = { name: 'a street full of PV', ...{ transformers: 12, pvKw: 60, sourcePu: 1 }, nodes: 141 };

describe.each([USUAL, EXTREME])('the AC power flow of the committed dispatch on $name', ({ nodes, ...shape }) => {
  const feeder = street({ ...shape, customers: 3, loadKw: 0.8 });
  const linear = linearFeeder(feeder, MODEL_STATE);
  /** Weights of rule feedback that differ from customer to customer. */
  const factors = Object.fromEntries(feeder.pvSystems.map(({ id }, k) => [id, [0.5, 1, 1.5, 2][k % 4]!]));

  it.each(FAIRNESS_MODES.flatMap((mode) => (['admm', 'central'] as const).map((method) => [mode, method] as const)))(
    'is inside the limits on every node after at most three corrections: %s by %s',
    (mode, method) => {
      const question = { feeder, inputs: MODEL_INPUTS, state: MODEL_STATE, settings: { limits } };
      const result = coordinateInProcess({ ...question, rule: { mode, factors }, method });
      expect(result.status).toBe(method === 'admm' ? 'converged' : 'optimal');
      expect(result.before.vMaxPu).toBeGreaterThan(limits.maxPu + 0.01);
      expect(result.ac.corrections).toBeLessThanOrEqual(3);
      const truth = dispatchTruth(feeder, linear, result, limits);
      expect(truth.nodes).toBe(nodes);
      expect(truth.excessPu).toBeLessThanOrEqual(TOLERANCE_PU);
      // Nothing is given away either: some node stands at its limit.
      expect(truth.excessPu).toBeGreaterThan(-2 * TOLERANCE_PU);
      expect(result.ac.violations).toBe(0);
      expect(Math.abs(result.linearErrorPu - truth.linearErrorPu)).toBeLessThan(1e-7);
      expect(result.linearErrorPu).toBeGreaterThan(1e-4);
    },
  );
});
