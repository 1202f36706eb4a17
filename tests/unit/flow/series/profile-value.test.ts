import { describe, expect, it } from 'vitest';
import { profileValue, reactiveValue } from '../../../../grid/flow/index.js';
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
