import { describe, expect, it } from 'vitest';
import {
  coordinateInProcess,
  createDispatchAudit,
  curtailmentProblem,
  type FairnessMode,
  fairnessRule,
  kktResidual,
  linearFeeder,
  reactiveRule,
} from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

/*
 * The two segments of two-bus.test.ts: proportional, alpha1 = (700 - M) / 1100 kW, alpha2 = 2 alpha1, cost 1100 alpha1^2 kW.
 * A voltage limit in kW: PV2 moves the node at the limit twice as much as PV1. The multiplier times the voltage of one kW
 * at PV1 is 2 alpha1, from 2 p1 alpha1 = mu (dv/dp) p1.
 */
const M_KW = ((1.05 ** 2 - 1.02 ** 2) * 2400 ** 2) / (2 * 0.4) / 1000;
const ALPHA1 = (700 - M_KW) / 1100;
const twoBus = feeder('two segments')
  .source('S', 'B0', { kv: 2.4, pu: 1.02, phases: 'A', z1: [1e-9, 1e-9] })
  .line('L1', 'B0', 'B1', { r: [[0.4]], x: [[0.8]], phases: 'A' })
  .line('L2', 'B1', 'B2', { r: [[0.4]], x: [[0.8]], phases: 'A' })
  .pv('PV1', 'B1', { phases: 'A', kw: 300 })
  .pv('PV2', 'B2', { phases: 'A', kw: 200 })
  .build();
const limits = { minPu: 0.95, maxPu: 1.05 };

function residualAt(alpha1: number, alpha2: number, fairness: FairnessMode = 'proportional', maxPu = limits.maxPu) {
  const problem = curtailmentProblem(twoBus, linearFeeder(twoBus), MODEL_INPUTS, { ...limits, maxPu }, fairness);
  const [first, second] = twoBus.pvSystems;
  return kktResidual(
    problem,
    new Map([
      [first!.id, alpha1],
      [second!.id, alpha2],
    ]),
  );
}

describe('the KKT residual of a dispatch', () => {
  it('is nothing at the optimum found by hand', () => {
    expect(residualAt(ALPHA1, 2 * ALPHA1)!.residual).toBeLessThan(1e-6);
  });

  it('says by how much an alpha is off, and what the slack costs', () => {
    const off = residualAt(ALPHA1 + 0.03, 2 * ALPHA1)!;
    expect(off.stationarity).toBeCloseTo(0.03, 6);
    // 9 kW too much at PV1, at 2 alpha1 a kW, over a cost of 1100 alpha1^2.
    expect(off.complementarity).toBeCloseTo((9 * 2 * ALPHA1) / (1100 * ALPHA1 ** 2), 6);
    expect(off.feasibility).toBe(0);
    expect(off.residual).toBe(off.complementarity);
  });

  it('says by how much a limit is passed', () => {
    const nothing = residualAt(0, 0)!;
    const passedKw = 700 - M_KW;
    expect(nothing.feasibility).toBeCloseTo((passedKw * 2 * 0.4 * 1000) / 2400 ** 2, 8);
    expect(nothing.stationarity).toBeCloseTo(2 * ALPHA1, 6);
  });

  it('says how far units stand from the one alpha that a rule ties them to', () => {
    const alpha = (700 - M_KW) / 700;
    expect(residualAt(alpha, alpha, 'equalAlpha')!.residual).toBeLessThan(1e-6);
    // Mean by available power of alpha + 0.01 and alpha - 0.015 is alpha.
    const spread = residualAt(alpha + 0.01, alpha - 0.015, 'equalAlpha')!;
    expect(spread.ties).toBeCloseTo(0.015, 9);
    expect(spread.stationarity).toBeLessThan(1e-6);
  });

  it('is unknown where the limits cannot hold', () => {
    expect(residualAt(1, 1, 'proportional', 1.01)).toBeUndefined();
  });

  it('is small for what the agents of a street agree on, and grows when one of them does not keep to it', () => {
    const net = street({ transformers: 6, customers: 5, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
    const question = { feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE, settings: { limits } };
    const star = coordinateInProcess(question);
    expect(star.status).toBe('converged');
    expect(star.curtailedW).toBeGreaterThan(100);
    expect(star.kktResidual).toBeLessThan(1e-2);
    expect(star.kktResidual).toBeGreaterThan(0);
    const judge = createDispatchAudit(net, { limits, fairness: 'proportional' });
    const alpha = Object.fromEntries(star.ders.map((der) => [der.derId, der.alpha]));
    const figures = judge({ inputs: MODEL_INPUTS, state: MODEL_STATE, alpha });
    expect(figures.kktResidual).toBeCloseTo(star.kktResidual, 6);
    expect(figures.linear).toEqual(star.linear);
    const most = [...star.ders].sort((a, b) => b.alpha - a.alpha)[0]!;
    const unkept = judge({ inputs: MODEL_INPUTS, state: MODEL_STATE, alpha: { ...alpha, [most.derId]: 0 } });
    expect(unkept.kktResidual).toBeGreaterThan(0.5 * most.alpha);
  });
});

describe('the audit of a dispatch', () => {
  it('finds the least curtailment of the central optimum, whatever dispatch is judged and in whatever order', () => {
    const net = street({ transformers: 6, customers: 5, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 });
    const central = coordinateInProcess({
      feeder: net,
      inputs: MODEL_INPUTS,
      state: MODEL_STATE,
      settings: { limits, fairness: 'total' },
      method: 'central',
    });
    const judge = createDispatchAudit(net, { limits, fairness: 'proportional' });
    const all = Object.fromEntries(net.pvSystems.map(({ id }) => [id, 1]));
    for (const alpha of [{}, all, {}]) {
      const { leastCurtailedW, reason } = judge({ inputs: MODEL_INPUTS, state: MODEL_STATE, alpha });
      expect(reason).toBeUndefined();
      // Power flows that start from the last one agree within their own tolerance.
      expect(leastCurtailedW! / central.curtailedW).toBeCloseTo(1, 6);
    }
  });

  it('says why there is no least curtailment where the limits cannot hold', () => {
    const judge = createDispatchAudit(twoBus, { limits: { minPu: 0.95, maxPu: 1.01 }, fairness: 'proportional' });
    const figures = judge({ inputs: MODEL_INPUTS, state: MODEL_STATE, alpha: {} });
    expect([figures.leastCurtailedW, figures.kktResidual]).toEqual([undefined, undefined]);
    expect(figures.reason).toContain('cannot hold');
  });
});

describe('the audit of a dispatch with reactive power', () => {
  const reactive = reactiveRule({ mode: 'capability' });
  const judge = createDispatchAudit(twoBus, { limits, fairness: 'proportional', rule: fairnessRule(), reactive });
  const [first, second] = twoBus.pvSystems;

  it('takes the least curtailment with reactive power too, and leaves out what it has no measure for', () => {
    const optimum = coordinateInProcess({
      feeder: twoBus,
      inputs: MODEL_INPUTS,
      state: MODEL_STATE,
      settings: { limits },
      rule: { mode: 'total' },
      reactive,
      method: 'central',
    });
    const { leastCurtailedW, kktResidual: residual } = judge({
      inputs: MODEL_INPUTS,
      state: MODEL_STATE,
      alpha: { [first!.id]: 1, [second!.id]: 1 },
    });
    expect(Math.abs(leastCurtailedW! - optimum.curtailedW)).toBeLessThan(50);
    expect(residual).toBeUndefined();
  });

  it('needs no optimum where nothing is curtailed and the limits hold', () => {
    const { leastCurtailedW } = judge({
      inputs: { ...MODEL_INPUTS, availableW: { [first!.id]: 1000, [second!.id]: 1000 } },
      state: MODEL_STATE,
      alpha: {},
      reactiveVar: { [second!.id]: -100 },
    });
    expect(leastCurtailedW).toBe(0);
  });
});
