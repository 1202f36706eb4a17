import { describe, expect, it } from 'vitest';
import { ValueHistogram } from '../../../../grid/flow/series/value-histogram.js';
import { randomStream } from '../../../../grid/math/index.js';

const BIN = 2e-4;

/** The least value that a share of all do not exceed. */
function exact(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1]!;
}

describe('the distribution of voltages', () => {
  it('gives percentiles within half a bin, over windows that move and grow', () => {
    const random = randomStream(7);
    const histogram = new ValueHistogram(2, BIN);
    const values = Array.from({ length: 5000 }, (_, k) =>
      k < 2500 ? random.uniform(0.99, 1.0) : random.uniform(0.2, 1.6),
    );
    for (const value of values) histogram.add(1, value);
    for (const fraction of [0, 0.01, 0.05, 0.5, 0.95, 1]) {
      expect(Math.abs(histogram.percentile(1, fraction) - exact(values, fraction))).toBeLessThanOrEqual(
        BIN / 2 + 1e-12,
      );
    }
    expect(histogram.percentile(0, 0.5)).toBeNaN();
  });

  it('is the same from parts in any order as from the whole', () => {
    const random = randomStream(8);
    const whole = new ValueHistogram(1, BIN);
    const parts = [0, 1, 2].map((part) => {
      const histogram = new ValueHistogram(1, BIN);
      for (let k = 0; k < 300; k++) {
        const value = random.uniform(0.9, 0.9 + 0.1 * (part + 1));
        histogram.add(0, value);
        whole.add(0, value);
      }
      return histogram.pack();
    });
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ]) {
      const merged = new ValueHistogram(1, BIN);
      for (const part of order) merged.merge(parts[part]!);
      expect(merged.pack()).toEqual(whole.pack());
    }
  });
});
