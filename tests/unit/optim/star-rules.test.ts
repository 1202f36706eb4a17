import { describe, expect, it } from 'vitest';
import {
  type CoordinationQuestion,
  coordinateInProcess,
  FAIRNESS_MODES,
  type FairnessRule,
} from '../../../grid/optim/index.js';
import { feeder } from '../../builders/feeder.js';
import { MODEL_INPUTS, MODEL_STATE, street } from './street.js';

const limits = { minPu: 0.9, maxPu: 1.05 };
const net = street({ transformers: 4, customers: 3, pvKw: 25, loadKw: 2, sourcePu: 1.035 });

/** Both methods on the linear model of a street with split-phase secondaries. */
function both(rule: Partial<FairnessRule>, changes: Partial<CoordinationQuestion> = {}) {
  const question: CoordinationQuestion = {
    ...{ feeder: net, inputs: MODEL_INPUTS, state: MODEL_STATE, settings: { limits }, rule },
    ...{ maxCorrections: 0, leastCurtailedW: 0, ...changes },
  };
  const { areas: _, ...inOneHand } = question;
  const central = coordinateInProcess({ ...inOneHand, method: 'central' });
  const star = coordinateInProcess({ ...question, method: 'admm' });
  const worst = Math.max(...star.ders.map(({ alpha }, i) => Math.abs(alpha - central.ders[i]!.alpha)));
  return { central, star, worst, gap: Math.abs(star.curtailedW - central.curtailedW) / central.availableW };
}

describe('agents below service transformers under every rule', () => {
  it.each(FAIRNESS_MODES)('%s: end at the central optimum, secondaries and all', (mode) => {
    const { central, star, worst, gap } = both({ mode });
    expect(central.status).toBe('optimal');
    expect(central.curtailedW).toBeGreaterThan(1000);
    expect(star.status).toBe('converged');
    expect(star.agents).toBe(4);
    expect(gap).toBeLessThan(1e-3);
    // Least total power has many optima among customers; every other rule has one.
    if (mode !== 'total') expect(worst).toBeLessThan(2e-3);
  });

  it.each(['transformer', 'area'] as const)('equalAlpha by %s gives each group one fraction', (level) => {
    const { worst, star } = both({ mode: 'equalAlpha', level });
    expect(star.status).toBe('converged');
    expect(worst).toBeLessThan(2e-3);
  });

  it('decide reactive power together: less is curtailed, and what is decided is the central decision', () => {
    const without = both({ mode: 'proportional' });
    const { star, central, gap } = both({ mode: 'proportional' }, { reactive: { mode: 'capability', kappa: 0.44 } });
    expect(star.curtailedW).toBeLessThan(without.star.curtailedW);
    expect(gap).toBeLessThan(1e-3);
    const kvar = (of: typeof star) => of.ders.reduce((sum, { setpointVar }) => sum + Math.abs(setpointVar), 0) / 1000;
    expect(kvar(star)).toBeGreaterThan(1);
    expect(Math.abs(kvar(star) / kvar(central) - 1)).toBeLessThan(0.01);
  });

  it('hold in the AC power flow after corrections, by cuts as by prices', () => {
    for (const mode of ['alphaFair', 'maxMin'] as const) {
      const { star } = both({ mode }, { maxCorrections: 3 });
      expect(star.status).toBe('converged');
      expect(star.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    }
  });

  it.each(['proportional', 'maxMin'] as const)(
    '%s with Volt-VAr: every inverter stands where it does in the central optimum, on the curve of its own terminals',
    (mode) => {
      const without = both({ mode });
      const { star, central, gap, worst } = both({ mode }, { reactive: { mode: 'volt-var' }, maxCorrections: 3 });
      expect(star.status).toBe('converged');
      expect(star.kktResidual).toBeLessThan(1e-8);
      expect(star.curtailedW).toBeGreaterThan(1000);
      expect(star.curtailedW).toBeLessThan(0.9 * without.star.curtailedW);
      expect(gap).toBeLessThan(1e-3);
      expect(worst).toBeLessThan(2e-3);
      star.ders.forEach(({ setpointVar }, k) => {
        const same = central.ders[k]!.setpointVar;
        expect(same).toBeLessThan(-10);
        expect(Math.abs(setpointVar - same)).toBeLessThan(0.005 * Math.abs(same));
      });
    },
  );
});

describe('agents where the limits cannot hold', () => {
  // The source alone stands above the limit: nobody's curtailment is enough.
  const high = street({ transformers: 4, customers: 3, pvKw: 25, loadKw: 2, sourcePu: 1.06 });

  it.each([
    ['proportional', undefined],
    ['proportional', { kind: 'count', count: 2 }],
    ['alphaFair', undefined],
  ] as const)('%s: see that prices lead nowhere and end with the least violation', (mode, areas) => {
    const { star, central } = both({ mode }, { feeder: high, maxCorrections: 3, ...(areas ? { areas } : {}) });
    expect(central.status).toBe('limitsViolated');
    expect(star.status).toBe('limitsViolated');
    expect(star.statusText).toBe('Limits are violated in the AC power flow; no dispatch that keeps them was found.');
    // Four passes of 200 rounds were spent before.
    expect(star.rounds).toBeLessThanOrEqual(60);
    expect(star.ac.vMaxPu).toBeLessThan(central.ac.vMaxPu + 1e-5);
  });
});

/*
 * The worked example of docs/algorithms/admm.md: one segment of 0.4 ohm from 1.02 pu at 2400 V, 600 kW at its end, limit 1.05.
 * v = 1.02^2 + 2 r p / V^2 <= 1.05^2 bears p = (1.05^2 - 1.02^2) V^2 / (2 r) = 447.12 kW.
 */
describe('the two-bus example of the ADMM page', () => {
  const r = 0.4;
  const availableKw = 600;
  const bornKw = ((1.05 ** 2 - 1.02 ** 2) * 2400 ** 2) / (2 * r) / 1000;
  const two = feeder('two buses')
    .source('S', 'B0', { kv: 2.4, pu: 1.02, phases: 'A', z1: [1e-9, 1e-9] })
    .line('L', 'B0', 'B1', { r: [[r]], x: [[1e-4]], phases: 'A' })
    .pv('PV', 'B1', { phases: 'A', kw: availableKw })
    .build();
  it('curtails what the segment does not bear, under every rule', () => {
    // By hand: (1.1025 - 1.0404) * 5.76e6 / 0.8 = 447.12 kW are borne, so that alpha = 1 - 447.12 / 600 = 0.2548.
    expect(bornKw).toBeCloseTo(447.12, 6);
    for (const mode of FAIRNESS_MODES) {
      const result = both({ mode, ...(mode === 'equalAlpha' ? { level: 'feeder' } : {}) }, { feeder: two }).star;
      expect(result.status).toBe('converged');
      expect(result.ders[0]!.alpha).toBeCloseTo(0.2548, 4);
    }
  });

  it('moves its first rounds as calculated by hand', () => {
    // In units of 600 kW, import positive, the cost is alpha^2 and rho is 2. Round 1 opens uncurtailed: y = -1; the
    // projection onto the limit is z = -447.12 / 600 = -0.7452, so that |y - z| = 0.2548 and u = y - z = -0.2548.
    // Round 2: the target is z - u = -0.4904; alpha^2 + (alpha - 1 + 0.4904)^2 is least at alpha = 0.2548, the optimum.
    const alphas: number[] = [];
    const result = coordinateInProcess({
      ...{ feeder: two, inputs: MODEL_INPUTS, state: MODEL_STATE, settings: { limits, rho: 2 }, method: 'admm' },
      ...{ maxCorrections: 0, leastCurtailedW: 0 },
      onRound: ({ primalResidual }) => alphas.push(primalResidual),
    });
    expect(alphas[0]).toBeCloseTo(0.2548, 6);
    expect(result.ders[0]!.alpha).toBeCloseTo(0.2548, 6);
  });
});
