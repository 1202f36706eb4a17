import { describe, expect, it } from 'vitest';
import { fairnessReport, giniCoefficient, jainIndex, priceOfFairness, worstDecile } from '../../../grid/optim/index.js';

describe('fairness metrics', () => {
  it("Jain's index is 1 for equal shares and 1/n when one has all (Jain, Chiu and Hawe 1984)", () => {
    expect(jainIndex([0.3, 0.3, 0.3])).toBeCloseTo(1, 14);
    expect(jainIndex([1, 0, 0, 0])).toBe(0.25);
    // (1 + 2 + 3)^2 / (3 * 14)
    expect(jainIndex([1, 2, 3])).toBeCloseTo(36 / 42, 14);
  });

  it('Gini is 0 for equal shares, (n-1)/n when one has all, 2/9 for 1, 2, 3', () => {
    expect(giniCoefficient([5, 5])).toBe(0);
    expect(giniCoefficient([0, 0, 0, 7])).toBe(0.75);
    // Sum of |xi - xj| over all pairs is 8; 8 / (2 * 9 * 2) = 2/9.
    expect(giniCoefficient([3, 1, 2])).toBeCloseTo(2 / 9, 14);
  });

  it('takes nothing curtailed for perfectly even', () => {
    const report = fairnessReport([0, 0, 0]);
    expect(report.jain).toEqual({ alpha: 1, served: 1 });
    expect(report.gini).toEqual({ alpha: 0, served: 0 });
  });

  it('takes everything curtailed for perfectly even, whatever a solver leaves of it', () => {
    const report = fairnessReport([1 - 1e-13, 1, 1 - 3e-13]);
    expect([report.jain, report.gini]).toEqual([
      { alpha: 1, served: 1 },
      { alpha: 0, served: 0 },
    ]);
  });

  it('the worst decile is the mean of the most curtailed tenth', () => {
    expect(worstDecile(Array.from({ length: 20 }, (_, i) => i))).toBe(18.5);
    expect(worstDecile([0.4])).toBe(0.4);
  });

  it('the price of fairness is the extra curtailment over what is available', () => {
    expect(priceOfFairness(300, 250, 1000)).toBeCloseTo(0.05, 14);
    expect(priceOfFairness(0, 0, 0)).toBe(0);
  });
});
