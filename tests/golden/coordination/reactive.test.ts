import { describe, expect, it } from 'vitest';
import { type CoordinationResult, coordinateAncestorCase, type ReactiveRule } from '../../../grid/optim/index.js';
import { ancestorFiles, ancestorOptions, hasAncestorCases } from './ancestor.js';

function coordinate(
  reactive: Partial<ReactiveRule>,
  maxCorrections = 3,
  mode: 'total' | 'proportional' = 'total',
): CoordinationResult {
  return coordinateAncestorCase(...ancestorFiles('T48'), {
    ...ancestorOptions('T48'),
    method: 'central',
    maxCorrections,
    rule: { mode },
    reactive,
    settings: { limits: { minPu: 0.9, maxPu: 1.05 } },
  });
}

const kvar = ({ ders }: CoordinationResult) => ders.reduce((sum, { setpointVar }) => sum - setpointVar / 1000, 0);

describe.skipIf(!hasAncestorCases)('reactive power on T48 in the AC power flow', () => {
  // dec-ancestor study 7.2 (last lines) and 9.5 item 7.
  it('without correction: 0 kW, 773.164 kvar, AC maximum 1.05021', () => {
    const result = coordinate({ mode: 'capability' }, 0);
    expect(result.curtailedW).toBeLessThan(1e-3);
    expect(Math.abs(kvar(result) - 773.164)).toBeLessThan(0.1);
    expect(Math.abs(result.ac.vMaxPu - 1.05021)).toBeLessThan(6e-6);
  });

  it('with correction: 0 kW, 712.154 kvar, AC maximum at the limit', () => {
    const result = coordinate({ mode: 'capability' });
    expect(result.status).toBe('optimal');
    expect(result.curtailedW).toBeLessThan(1e-3);
    expect(Math.abs(kvar(result) - 712.154)).toBeLessThan(0.1);
    expect(result.ac.corrections).toBeLessThanOrEqual(3);
    expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-6);
    for (const { setpointW, setpointVar, availableW } of result.ders) {
      const ratingVA = availableW / 0.786621;
      expect(Math.hypot(setpointW, setpointVar)).toBeLessThanOrEqual(ratingVA * (1 + 1e-6));
      expect(Math.abs(setpointVar)).toBeLessThanOrEqual(0.44 * ratingVA * (1 + 1e-6));
    }
  });

  it.each(['var', 'watt'] as const)('a small share of the rating leaves some curtailment, %s priority', (priority) => {
    const result = coordinate({ mode: 'capability', kappa: 0.1, priority }, 3, 'proportional');
    expect(result.status).toBe('optimal');
    expect(result.kktResidual).toBeLessThanOrEqual(1e-8);
    expect(result.curtailedW).toBeGreaterThan(1e5);
    expect(result.curtailedW).toBeLessThan(1441.7e3);
    expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
  });

  it('Volt-VAr inverters stand on their curve', () => {
    const result = coordinate({ mode: 'volt-var' }, 3, 'proportional');
    expect(result.status).toBe('optimal');
    expect(result.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    // At 1.05 pu the curve gives half of 0.44.
    for (const { setpointVar, availableW } of result.ders) {
      const share = (-setpointVar * 0.786621) / availableW;
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(0.22 + 1e-4);
    }
  });
});
