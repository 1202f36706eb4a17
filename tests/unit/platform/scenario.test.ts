import { describe, expect, it } from 'vitest';
import { DecError } from '../../../grid/math/index.js';
import { createProfile } from '../../../platform/simulation/profile.js';
import { createScenario } from '../../../platform/simulation/scenario.js';
import { smallFeeder } from './grid.js';

/** 2022-06-15 00:00:00 UTC. */
const MIDNIGHT_S = 1_655_251_200;

describe('a profile', () => {
  it('spreads its points over a day from midnight UTC and repeats', () => {
    const values = Array.from({ length: 96 }, (_, i) => i);
    const profile = createProfile({ values, startS: 0, name: 'p' });
    expect(profile.factorAt(MIDNIGHT_S)).toBe(0);
    // Quarter-hour 50 is at 12:30; 5 minutes later a third of the way to 51.
    expect(profile.factorAt(MIDNIGHT_S + 50 * 900)).toBe(50);
    expect(profile.factorAt(MIDNIGHT_S + 50 * 900 + 300)).toBeCloseTo(50 + 1 / 3, 9);
    // From the last point the line goes back to the first of the next day.
    expect(profile.factorAt(MIDNIGHT_S + 95.5 * 900)).toBeCloseTo(47.5, 9);
    expect(profile.factorAt(MIDNIGHT_S + 86_400 + 900)).toBe(1);
  });

  it('holds a point until the next one when asked for steps', () => {
    const profile = createProfile({ values: [1, 3], startS: 100, stepS: 10, interpolation: 'step', name: 'p' });
    expect([100, 109.9, 110, 500, 0].map((t) => profile.factorAt(t))).toEqual([1, 1, 3, 3, 1]);
  });

  it('refuses an empty list, a negative or non-finite factor and a step of nothing', () => {
    const make = (values: number[], stepS?: number) => () =>
      createProfile({ values, startS: 0, name: 'sun', ...(stepS === undefined ? {} : { stepS }) });
    expect(make([])).toThrow(DecError);
    expect(make([1, Number.NaN])).toThrow(/Point 1 .*"sun"/);
    expect(make([-1])).toThrow(/not negative/);
    expect(make([1], 0)).toThrow(/step of 0 s/);
  });
});

describe('a scenario', () => {
  const model = { loadScalingFactor: 1, pvScalingFactor: 1, switches: [], machines: [] };

  it('never offers more PV than unit and inverter can give', () => {
    const pv = smallFeeder().pvSystems[0]!;
    const scenario = createScenario({ ...model, pvScalingFactor: 3 }, 0);
    // maxP of the unit is 60 kW, 3 x 60 kW were asked for.
    expect(scenario.availablePv(pv, 0).powerW).toBe(60_000);
    expect(createScenario({ ...model, pvScalingFactor: 0.5 }, 0).availablePv(pv, 0).powerW).toBe(30_000);
  });

  it('takes the rating of a PV system whose model power is 0 when a profile is given', () => {
    const pv = smallFeeder().pvSystems[0]!;
    const idle = { ...pv, shares: pv.shares.map((share) => ({ ...share, powerW: 0 })) };
    expect(createScenario(model, 0).availablePv(idle, 0).powerW).toBe(0);
    expect(createScenario({ ...model, pvProfile: [0.5] }, 0).availablePv(idle, 0).powerW).toBe(30_000);
  });

  it('names the known profiles when an unknown one is asked for, and refuses impossible factors', () => {
    const library = new Map([['sunny-day', [0, 1]]]);
    expect(() => createScenario({ ...model, pvProfile: 'rainy-day' }, 0, library)).toThrow(/rainy-day.*sunny-day/);
    expect(() => createScenario({ ...model, loadScalingFactor: -1 }, 0)).toThrow(/load_scaling_factor is -1/);
    expect(() => createScenario({ ...model, sourceVoltagePu: 0 }, 0)).toThrow(/source_voltage_pu/);
  });
});
