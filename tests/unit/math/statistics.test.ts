import { describe, expect, it } from 'vitest';
import { mean, quantile, RunningStatistics, standardDeviation, wilsonInterval } from '../../../grid/math/index.js';

describe('statistics', () => {
  it('gives mean, deviation and type-7 quantiles', () => {
    const values = [4, 1, 3, 2];
    expect(mean(values)).toBe(2.5);
    // By hand: squares about 2.5 sum to 5, over 3.
    expect(standardDeviation(values)).toBeCloseTo(Math.sqrt(5 / 3), 12);
    // R: quantile(c(4,1,3,2), c(.25,.5,.9)) = 1.75, 2.5, 3.7.
    expect(quantile(values, 0.25)).toBeCloseTo(1.75, 12);
    expect(quantile(values, 0.5)).toBe(2.5);
    expect(quantile(values, 0.9)).toBeCloseTo(3.7, 12);
    expect(() => quantile([], 0.5)).toThrow(/values/);
  });

  it('bounds a probability as Wilson does', () => {
    // Worked example of Agresti and Coull (1998) kind: 0 of 10 at 95 % gives 0 to 0.2775.
    const [low, high] = wilsonInterval(0, 10);
    expect(low).toBe(0);
    expect(high).toBeCloseTo(0.2775, 4);
    expect(() => wilsonInterval(3, 2)).toThrow(/trials/);
  });

  it('merges streams as if they had been one', () => {
    const values = [2, 7, 1, 8, 2, 8, 1, 8];
    const whole = new RunningStatistics();
    const left = new RunningStatistics();
    const right = new RunningStatistics();
    values.forEach((v, i) => {
      whole.add(v);
      (i < 3 ? left : right).add(v);
    });
    left.merge(right);
    expect([left.count, left.min, left.max]).toEqual([8, 1, 8]);
    expect(left.mean).toBeCloseTo(whole.mean, 12);
    expect(left.standardDeviation).toBeCloseTo(whole.standardDeviation, 12);
  });
});
