import { describe, expect, it } from 'vitest';
import { profileValue, reactiveValue } from '../../../../grid/flow/index.js';
import { valueAt } from '../../../../grid/flow/series/profile-value.js';
import { StepClock } from '../../../../grid/flow/series/step-clock.js';
import type { Profile } from '../../../../grid/model/index.js';

/*
 * Source of all numbers: dss-python 0.15.7 (DSS C-API 0.14.5), a load of 100 kW at the source with `daily=s`, `solve` in
 * mode daily one step after the other, kW / 100 read from the load's terminal.
 */
const HOUR = 3600;
const profile = (change: Partial<Profile>): Profile => ({
  name: 's',
  intervalS: HOUR,
  values: [1, 2, 3, 4],
  isActual: false,
  ...change,
});

describe('the value of a profile', () => {
  it('with a fixed interval is that of the nearest point, halves to the even one, from the start again', () => {
    // new loadshape.s npts=4 interval=1 mult=[1 2 3 4]; set mode=daily stepsize=15m
    const expected = [4, 4, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4];
    const found = expected.map((_, k) => profileValue(profile({}), (k + 1) * 900));
    expect(found).toEqual(expected);
  });

  it('counts in whole seconds: halves of an interval of ten seconds', () => {
    // new loadshape.s npts=4 sinterval=10 mult=[1 2 3 4]; set mode=duty stepsize=5s
    const expected = [4, 1, 2, 2, 2, 3, 4, 4, 4, 1];
    expect(expected.map((_, k) => profileValue(profile({ intervalS: 10 }), (k + 1) * 5))).toEqual(expected);
  });

  it('halfway between two points goes where the sum of hours and seconds falls, as in OpenDSS', () => {
    // new loadshape.s npts=997 sinterval=... mult=[0 1 2 ...]; set mode=duty stepsize=...; points of steps 51 to 66.
    const of = (intervalS: number, stepS: number) => {
      const clock = new StepClock({ startS: 0, stepS });
      const points = profile({ intervalS, values: Array.from({ length: 997 }, (_, k) => k) });
      return Array.from({ length: 16 }, (_, k) => valueAt(points, clock.hourAt(50 + k)));
    };
    expect(of(1, 0.5)).toEqual([25, 25, 25, 26, 27, 27, 28, 28, 29, 29, 30, 30, 31, 31, 31, 32]);
    expect(of(0.2, 0.1)).toEqual([24, 25, 25, 26, 26, 27, 27, 28, 28, 29, 29, 30, 30, 31, 31, 32]);
    expect(of(60, 30)).toEqual([25, 25, 25, 26, 27, 27, 27, 28, 29, 29, 29, 30, 31, 31, 31, 32]);
    expect(of(7, 0.7)).toEqual([4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6]);
  });

  it('the clock gives the same hour in any order of asking', () => {
    const settings = { startS: 0.25, stepS: 0.7 };
    const forth = new StepClock(settings);
    const hours = Array.from({ length: 9000 }, (_, k) => forth.hourAt(k));
    const back = new StepClock(settings);
    for (let k = 8999; k >= 0; k -= 37) expect(back.hourAt(k)).toBe(hours[k]);
    expect(Math.abs(hours[8999]! * HOUR - (0.25 + 9000 * 0.7))).toBeLessThan(1e-6);
  });

  it('with hours of its own lies on the line between two points, along the first two before the first', () => {
    // new loadshape.s npts=4 interval=0 hour=[1 2 4 6] mult=[1 2 3 4]; set mode=daily stepsize=30m
    const hours = profile({ intervalS: 0, hours: [1, 2, 4, 6] });
    const expected = [0.5, 1, 1.5, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4];
    // past the end from the start again; at a whole multiple of it 0 hours are left
    const again = [0.5, 1, 1.5, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 0, 0.5, 1, 1.5, 2];
    const found = [...expected, ...again].map((_, k) => profileValue(hours, (k + 1) * 1800)!);
    [...expected, ...again].forEach((value, k) => {
      expect(found[k], `step ${k}`).toBeCloseTo(value, 12);
    });
  });

  it('is the only one of a single point and none of an empty profile', () => {
    expect(profileValue(profile({ values: [0.7] }), 12345)).toBe(0.7);
    expect(profileValue(profile({ values: [] }), 0)).toBeUndefined();
  });

  it('of reactive power is its own, else that of the active power, else nothing for actual powers', () => {
    expect(reactiveValue(profile({ reactiveValues: [0.1, 0.2, 0.3, 0.4] }), 2 * HOUR)).toBe(0.2);
    expect(reactiveValue(profile({}), 2 * HOUR)).toBe(2);
    expect(reactiveValue(profile({ isActual: true }), 2 * HOUR)).toBe(0);
  });
});
