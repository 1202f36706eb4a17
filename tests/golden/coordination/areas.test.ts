import { describe, expect, it } from 'vitest';
import { buildFeeder } from '../../../grid/model/index.js';
import { type AreaPlan, type CoordinationQuestion, coordinateInProcess } from '../../../grid/optim/index.js';
import { ancestorCase, hasAncestorCases } from './ancestor.js';

const plans: readonly (readonly [string, AreaPlan, number])[] = [
  // The ancestor's five switch areas (dec-ancestor study, section 7).
  ['its switch areas', { kind: 'switches' }, 5],
  ['one area', { kind: 'count', count: 1 }, 1],
  ['four areas', { kind: 'count', count: 4 }, 4],
  ['twelve areas', { kind: 'count', count: 12 }, 12],
];

function question(name: 'T48' | 'B'): CoordinationQuestion {
  return {
    feeder: buildFeeder(ancestorCase(name)),
    inputs: { loads: {}, availableW: {}, held: {} },
    state: { taps: {}, capacitorSections: {}, openSwitches: [] },
    settings: { limits: { minPu: 0, maxPu: 1.05 } },
    maxCorrections: 0,
    leastCurtailedW: 0,
  };
}

describe.skipIf(!hasAncestorCases)("areas on the ancestor's cases", () => {
  it.each((['T48', 'B'] as const).flatMap((name) => plans.map((plan) => [name, ...plan] as const)))(
    '%s in %s comes to the central optimum within the rounds of the star',
    (name, _, plan, count) => {
      const central = coordinateInProcess({ ...question(name), method: 'central' });
      const areas = coordinateInProcess({ ...question(name), areas: plan });
      expect(central.kktResidual).toBeLessThan(1e-8);
      expect(areas.status).toBe('converged');
      // Issue 5, lines 7 and 8: the same optimum to 0.1 % and 1e-3; T48 <= 25 rounds.
      expect(areas.rounds).toBeLessThanOrEqual(25);
      expect(Math.abs(areas.curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
      for (const [i, { alpha }] of areas.ders.entries()) {
        expect(Math.abs(alpha - central.ders[i]!.alpha)).toBeLessThan(1e-3);
      }
      const own = areas.areas.filter(({ agents }) => agents > 0);
      expect(own).toHaveLength(count);
      // One message for each area in each round, where the star has one for each of its 84 or 81 agents.
      expect(areas.messages).toBe(count * areas.rounds);
      expect(areas.agents).toBe(name === 'T48' ? 84 : 81);
    },
  );

  it('T48 proportional reaches 1441.705 kW in the five areas', () => {
    // dec-ancestor study 7.2, row min sum PV alpha^2.
    const areas = coordinateInProcess({ ...question('T48'), areas: { kind: 'switches' } });
    expect(Math.abs(areas.curtailedW / 1_441_705 - 1)).toBeLessThan(1e-3);
  });
});
