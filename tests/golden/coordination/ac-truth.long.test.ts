import { describe, expect, it } from 'vitest';
import { buildFeeder } from '../../../grid/model/index.js';
import {
  coordinateAncestorCase,
  FAIRNESS_MODES,
  type FairnessRuleMode,
  linearFeeder,
} from '../../../grid/optim/index.js';
import { dispatchTruth } from '../../builders/ac-truth.js';
import { ancestorCase, ancestorFiles, ancestorOptions, hasAncestorCases } from './ancestor.js';

const limits = { minPu: 0.9, maxPu: 1.05 };
/** Voltages may exceed a limit by this in the AC power flow, pu (a requirement). */
const TOLERANCE_PU = 1e-5;

describe.skipIf(!hasAncestorCases)("the AC truth of the ancestor's cases", () => {
  // Equal alpha in the AC power flow: dec-ancestor study 7.2 (0.659682) and 7.3 (0.263101).
  it.each([
    ['T48', 'central', 0.659682],
    ['T48', 'admm', 0.659682],
    ['B', 'central', 0.263101],
    ['B', 'admm', 0.263101],
  ] as const)('%s equal alpha by %s with AC correction is %f', (name, method, alpha) => {
    const result = coordinateAncestorCase(...ancestorFiles(name), {
      ...ancestorOptions(name),
      method,
      settings: { limits, fairness: 'equalAlpha' },
    });
    expect(Math.abs(result.fairnessReport.alpha.mean - alpha)).toBeLessThan(1e-5);
    expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    expect(result.ac.corrections).toBeLessThanOrEqual(3);
  });

  it('T48 without correction: the linear model is 1.4e-3 pu off without curtailment and 9e-5 at equal alpha', () => {
    // dec-ancestor study 7.2, last row.
    const result = coordinateAncestorCase(...ancestorFiles('T48'), {
      ...ancestorOptions('T48'),
      method: 'central',
      maxCorrections: 0,
      settings: { limits, fairness: 'equalAlpha' },
    });
    expect(result.before.vMaxPu).toBeGreaterThan(1.0677);
    expect(result.before.vMaxPu).toBeLessThan(1.0705);
    expect(result.linearErrorPu).toBeGreaterThan(8e-5);
    expect(result.linearErrorPu).toBeLessThan(1e-4);
  });

  // Issue: T48 within 25 rounds (proportional) and 35 (logarithm), 0.1 % of the total and 1e-3 of alpha; all passes together.
  it.each([
    ['T48', 'proportional', 25],
    ['T48', 'alphaFair', 35],
    ['B', 'proportional', 35],
    ['B', 'alphaFair', 50],
  ] as const)(
    '%s %s: star and central optimum agree and hold in the AC power flow within %d rounds',
    (name, mode, mostRounds) => {
      const question = { ...ancestorOptions(name), rule: { mode }, settings: { limits } };
      const files = ancestorFiles(name);
      const star = coordinateAncestorCase(...files, { ...question, method: 'admm' });
      const central = coordinateAncestorCase(...files, { ...question, method: 'central' });
      expect(star.status).toBe('converged');
      expect(central.status).toBe('optimal');
      expect(central.kktResidual).toBeLessThan(1e-8);
      expect(star.rounds).toBeLessThanOrEqual(mostRounds);
      expect(Math.abs(star.curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
      expect(Math.abs(star.objective / central.objective - 1)).toBeLessThan(1e-3);
      const alpha = new Map(central.ders.map((der) => [der.derId, der.alpha]));
      for (const der of star.ders) expect(Math.abs(der.alpha - alpha.get(der.derId)!)).toBeLessThan(1e-3);
      for (const result of [star, central]) {
        expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
        expect(result.ac.corrections).toBeLessThanOrEqual(3);
        expect(result.priceOfFairness).toBeGreaterThan(0);
      }
    },
  );

  it.each(
    (['T48', 'B'] as const).flatMap((name) =>
      FAIRNESS_MODES.map((mode): [typeof name, FairnessRuleMode] => [name, mode]),
    ),
  )('%s %s: every node holds in a power flow of its own after at most three corrections', (name, mode) => {
    const feeder = buildFeeder(ancestorCase(name));
    const factors = Object.fromEntries(feeder.pvSystems.map(({ id }, k) => [id, [0.5, 1, 1.5, 2][k % 4]!]));
    const result = coordinateAncestorCase(...ancestorFiles(name), {
      ...ancestorOptions(name),
      rule: { mode, factors },
      settings: { limits },
    });
    expect(result.status).toBe(result.method === 'admm' ? 'converged' : 'optimal');
    expect(result.ac.corrections).toBeLessThanOrEqual(3);
    const truth = dispatchTruth(feeder, linearFeeder(feeder), result, limits);
    expect(truth.nodes).toBe(271);
    expect(truth.excessPu).toBeLessThanOrEqual(TOLERANCE_PU);
    expect(truth.excessPu).toBeGreaterThan(-2 * TOLERANCE_PU);
    expect(result.ac.violations).toBe(0);
    expect(Math.abs(result.linearErrorPu - truth.linearErrorPu)).toBeLessThan(1e-7);
    expect(result.linearErrorPu).toBeGreaterThan(1e-5);
  });
});
