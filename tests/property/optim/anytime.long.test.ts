import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coordinateInProcess, FAIRNESS_MODES } from '../../../grid/optim/index.js';
import { MODEL_INPUTS, MODEL_STATE, street } from '../../unit/optim/street.js';

const limits = { minPu: 0.9, maxPu: 1.05 };

describe('a coordination that is interrupted', () => {
  it('at any round leaves a dispatch that keeps the limits in the AC power flow and curtails something less than all', () => {
    const net = street({ transformers: 4, customers: 3, pvKw: 25, loadKw: 2, sourcePu: 1.035 });
    const question = {
      ...{ feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE, method: 'admm' as const, leastCurtailedW: 0 },
      settings: { limits },
    };
    const whole = coordinateInProcess(question);
    expect(whole.before.vMaxPu).toBeGreaterThan(1.055);
    const rounds = whole.history.length;
    expect(rounds).toBeGreaterThan(5);
    let kept = 0;
    for (let last = 1; last < rounds; last++) {
      let seen = 0;
      const result = coordinateInProcess({ ...question, isInterrupted: () => ++seen === last });
      expect(seen).toBeLessThanOrEqual(last);
      if (seen === last) kept++;
      expect(['roundLimit', 'converged']).toContain(result.status);
      expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
      expect(result.curtailedShare).toBeLessThan(1);
      expect(result.curtailedShare).toBeGreaterThanOrEqual(whole.curtailedShare - 1e-3);
    }
    expect(kept).toBeGreaterThan(5);
  });

  it('at any round under equalAlpha leaves the least fraction for all that keeps the limits, not everything curtailed', () => {
    const net = street({ transformers: 4, customers: 3, pvKw: 25, loadKw: 2, sourcePu: 1.035 });
    const question = {
      ...{ feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE, method: 'admm' as const, leastCurtailedW: 0 },
      ...{ settings: { limits }, rule: { mode: 'equalAlpha' as const } },
    };
    const whole = coordinateInProcess(question);
    expect(whole.status).toBe('converged');
    expect(whole.history.length).toBeGreaterThan(2);
    for (let last = 1; last < whole.history.length; last++) {
      let seen = 0;
      const { ac, ders, curtailedShare } = coordinateInProcess({ ...question, isInterrupted: () => ++seen === last });
      expect(ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
      expect(Math.abs(curtailedShare - whole.curtailedShare)).toBeLessThan(2e-3);
      const alphas = ders.map(({ alpha }) => alpha);
      expect(Math.max(...alphas) - Math.min(...alphas)).toBeLessThan(1e-9);
    }
  });

  it('keeps the limits under every rule, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAIRNESS_MODES),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 15, max: 40 }),
        (mode, last, pvKw) => {
          const result = coordinateInProcess({
            feeder: street({ transformers: 3, customers: 2, pvKw, loadKw: 1, sourcePu: 1.04 }),
            ...{ inputs: MODEL_INPUTS, state: MODEL_STATE, method: 'admm', leastCurtailedW: 0 },
            settings: { limits, maxRounds: last },
            rule: { mode },
          });
          expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
        },
      ),
      { numRuns: 25 },
    );
  });
});
