import { describe, expect, it } from 'vitest';
import {
  coordinateInProcess,
  curtailmentProblem,
  dispatchState,
  type FairnessMode,
  linearFeeder,
  priceOfFairness,
  solveCentral,
} from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { MODEL_INPUTS, MODEL_STATE } from './street.js';

/*
 * The worked example of docs/algorithms: source 1.02 pu at 2400 V, two segments of 0.4 + j0.8 ohm, 300 kW of PV at the
 * first bus and 200 kW at the second, no load. With R = 2 r / V^2 per segment, in pu squared per W:
 *   v1 = v0 + R (p1 + p2), v2 = v1 + R p2, and the limit binds at bus 2: 2 p2 + p1 = (1.05^2 - 1.02^2) / R =: M.
 * Proportional: 2 p_i alpha_i = lambda s_i p_i with s = (1, 2), so alpha2 = 2 alpha1 and
 *   alpha1 = (300 + 400 - M) / (300 + 4 * 200). Equal: alpha = (700 - M) / 700. Total: bus 2 alone, c2 = (700 - M) / 2.
 */
const V = 2400;
const R_OHM = 0.4;
const M_KW = ((1.05 ** 2 - 1.02 ** 2) * V ** 2) / (2 * R_OHM) / 1000;

const twoBus = feeder('two segments')
  .source('S', 'B0', { kv: 2.4, pu: 1.02, phases: 'A', z1: [1e-9, 1e-9] })
  .line('L1', 'B0', 'B1', { r: [[R_OHM]], x: [[0.8]], phases: 'A' })
  .line('L2', 'B1', 'B2', { r: [[R_OHM]], x: [[0.8]], phases: 'A' })
  .pv('PV1', 'B1', { phases: 'A', kw: 300 })
  .pv('PV2', 'B2', { phases: 'A', kw: 200 })
  .build();

const limits = { minPu: 0.95, maxPu: 1.05 };

function central(fairness: FairnessMode) {
  return solveCentral(curtailmentProblem(twoBus, linearFeeder(twoBus), MODEL_INPUTS, limits, fairness));
}

describe('the two-segment example', () => {
  it('has voltages as calculated by hand', () => {
    const model = linearFeeder(twoBus);
    const problem = curtailmentProblem(twoBus, model, MODEL_INPUTS, limits, 'proportional');
    const { voltageSquaredPu } = dispatchState(problem, [0, 0]);
    const perKw = (2 * R_OHM * 1000) / V ** 2;
    expect(voltageSquaredPu[model.index.get('B1 1')!]).toBeCloseTo(1.02 ** 2 + perKw * 500, 8);
    expect(voltageSquaredPu[model.index.get('B2 1')!]).toBeCloseTo(1.02 ** 2 + perKw * 700, 8);
  });

  it('proportional: the unit that moves the voltage twice as much is curtailed by twice the fraction', () => {
    const { status, unitAlpha, objective, kktResidual } = central('proportional');
    const alpha1 = (700 - M_KW) / 1100;
    expect(status).toBe('optimal');
    expect(kktResidual).toBeLessThan(1e-8);
    expect(unitAlpha[0]).toBeCloseTo(alpha1, 8);
    expect(unitAlpha[1]).toBeCloseTo(2 * alpha1, 8);
    expect(objective).toBeCloseTo(300 * alpha1 ** 2 + 200 * (2 * alpha1) ** 2, 5);
  });

  it('equal alpha: both give the same fraction', () => {
    const { unitAlpha } = central('equalAlpha');
    for (const alpha of unitAlpha) expect(alpha).toBeCloseTo((700 - M_KW) / 700, 8);
  });

  it('total: only the far unit is curtailed', () => {
    const { unitAlpha, curtailedW } = central('total');
    expect(unitAlpha[0]).toBeLessThan(1e-6);
    expect(curtailedW / 1000).toBeCloseTo((700 - M_KW) / 2, 4);
  });

  it('fairness costs what the closed forms say', () => {
    const least = central('total').curtailedW;
    const fair = central('proportional').curtailedW;
    const expected = ((700 * (700 - M_KW)) / 1100 - (700 - M_KW) / 2) / 500;
    expect(priceOfFairness(fair, least, 500_000)).toBeCloseTo(expected, 7);
  });

  it.each(['proportional', 'equalAlpha'] as const)('%s: agents at the buses find the same dispatch', (fairness) => {
    const result = coordinateInProcess({
      feeder: twoBus,
      inputs: MODEL_INPUTS,
      state: MODEL_STATE,
      settings: { limits, fairness },
      maxCorrections: 0,
    });
    expect(result.agents).toBe(2);
    const { unitAlpha } = central(fairness);
    result.ders.forEach((der, i) => {
      expect(Math.abs(der.alpha - unitAlpha[i]!)).toBeLessThan(1e-3);
    });
  });

  it('says that limits are violated when even full curtailment does not help, and curtails all', () => {
    const high = solveCentral(
      curtailmentProblem(
        twoBus,
        linearFeeder(twoBus, { ...MODEL_STATE, sourceVoltagePu: 1.06 }),
        MODEL_INPUTS,
        limits,
        'proportional',
      ),
    );
    expect(high.status).toBe('limitsViolated');
    for (const alpha of high.unitAlpha) expect(alpha).toBeGreaterThan(1 - 1e-6);
  });

  it('curtails nothing where nothing needs to be', () => {
    const low = linearFeeder(twoBus, { ...MODEL_STATE, sourceVoltagePu: 0.97 });
    const { status, curtailedW } = solveCentral(curtailmentProblem(twoBus, low, MODEL_INPUTS, limits, 'proportional'));
    expect(status).toBe('optimal');
    expect(curtailedW).toBeLessThan(1);
  });
});
