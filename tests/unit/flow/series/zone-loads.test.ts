import { describe, expect, it } from 'vitest';
import { START_ZONES } from '../../../../grid/flow/kernel/layout.js';
import { zoneShares } from '../../../../grid/flow/series/zone-loads.js';

/** Two zones of two nodes each, whole drops by node, and what more load in each zone adds to them. */
const direction = Float64Array.of(-4, 1, -2, 0.5, -3, -3, -1, -1);
const zone = Int32Array.of(0, 0, 1, 1);
const referenceW = new Float64Array(START_ZONES);
referenceW.set([30e3, 10e3]);

/** A multiple of the whole drops of each zone. */
const times = (factors: readonly (readonly [number, number])[]) =>
  Float64Array.from(direction, (value, t) => {
    const [re, im] = factors[zone[t >> 1]!]!;
    return t % 2 === 0 ? re * value - im * direction[t + 1]! : re * value + im * direction[t - 1]!;
  });

function sharesOf(added: (zone: number) => Float64Array | undefined) {
  const shares = zoneShares({ count: 2, zone, direction, referenceW, added });
  return [0, 1].map((drop) =>
    [0, 1].map((load) => {
      const at = 2 * (drop * START_ZONES + load);
      return [shares[at]!, shares[at + 1]!];
    }),
  );
}

const near = (found: readonly (readonly number[])[], expected: readonly (readonly number[])[]) => {
  expect(found.flat()).toHaveLength(4);
  found.flat().forEach((value, t) => {
    expect(Math.abs(value - expected.flat()[t]!)).toBeLessThan(1e-12);
  });
};

describe('what the loads of zones have in the drops of zones', () => {
  it('is their part of the drop and how they turn it, whatever the size of what was added', () => {
    const [first, second] = sharesOf((of) =>
      of === 0
        ? times([
            [0.06, 0.01],
            [0.02, 0],
          ])
        : times([
            [0.02, -0.01],
            [0.06, 0],
          ]),
    );
    near(first!, [
      [0.75, 0.125],
      [0.25, -0.125],
    ]);
    near(second!, [
      [0.25, 0],
      [0.75, 0],
    ]);
  });

  it('is 1 together, also where what was added does not lie along the whole drop', () => {
    const rows = sharesOf((of) => Float64Array.from(direction, (value, t) => 0.1 * value + 0.03 * (of + 1) * (t - 3)));
    for (const row of rows) {
      expect(Math.abs(row[0]![0]! + row[1]![0]! - 1)).toBeLessThan(1e-12);
      expect(Math.abs(row[0]![1]! + row[1]![1]!)).toBeLessThan(1e-12);
    }
  });

  it('follows the size of the loads in a zone that none of them moves, or where nothing could be solved', () => {
    const rows = sharesOf(() => undefined);
    for (const row of rows) {
      near(row, [
        [0.75, 0],
        [0.25, 0],
      ]);
    }
  });
});
