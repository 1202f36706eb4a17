import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../../grid/flow/index.js';
import { eliminateByWasm } from '../../../../grid/flow/kernel/row-code.js';
import { ComplexFactor, randomStream } from '../../../../grid/math/index.js';
import { syntheticFeeder } from '../../../../inputs/generator/synthetic-feeder.js';

const bits = (numbers: Float64Array) =>
  Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('hex');

/** A chain of nodes with a few ties: the upper triangle by columns. */
function ladder(n: number) {
  const colPtr = [0];
  const rowIdx: number[] = [];
  for (let j = 0; j < n; j++) {
    rowIdx.push(...[j - 7, j - 2, j - 1, j].filter((i) => i >= 0 && (i !== j - 7 || j % 5 === 0)));
    colPtr.push(rowIdx.length);
  }
  const random = randomStream(7);
  const values = Float64Array.from({ length: 2 * rowIdx.length }, () => random.uniform(-1, 1));
  for (let j = 0; j < n; j++) values[2 * colPtr[j + 1]! - 2] = 6 + random.uniform(0, 1);
  return { n, colPtr: Int32Array.from(colPtr), rowIdx: Int32Array.from(rowIdx), values };
}

describe('new rows of a factor in WebAssembly', () => {
  it('have the bits of the twin, values in any order, and so has what is solved with them', () => {
    for (const isInOrder of [false, true]) {
      const { n, colPtr, rowIdx, values } = ladder(60);
      const [twin, fast] = [new ComplexFactor(n, colPtr, rowIdx), new ComplexFactor(n, colPtr, rowIdx)];
      let slots: Int32Array = Int32Array.from(rowIdx.keys());
      if (isInOrder) {
        slots = twin.takeInOrder();
        fast.takeInOrder();
      }
      const given = Float64Array.from(values, (_, t) => values[2 * slots[t >> 1]! + (t & 1)]!);
      for (const factor of [twin, fast]) expect(factor.refactor(given)).toBe(-1);
      eliminateByWasm(fast);
      expect(fast.Lx.buffer).not.toBe(twin.Lx.buffer);
      for (let round = 0; round < 20; round++) {
        const row = (17 * round) % n;
        const slot = slots.indexOf(colPtr[row + 1]! - 1);
        given[2 * slot] = given[2 * slot]! * 1.1;
        given[2 * slot + 1] = given[2 * slot + 1]! - 0.1;
        for (const factor of [twin, fast]) expect(factor.update(given, Int32Array.of(row, row))).toBe(-1);
        expect(fast.updatedRows).toEqual(twin.updatedRows);
        expect([bits(fast.Lx), bits(fast.inverseD)]).toEqual([bits(twin.Lx), bits(twin.inverseD)]);
        const b = Float64Array.from({ length: 2 * n }, (_, t) => t + 1);
        const [x, y] = [new Float64Array(2 * n), new Float64Array(2 * n)];
        twin.solve(b, x);
        fast.solve(b, y);
        expect(bits(y)).toBe(bits(x));
      }
      expect([fast.refactor(given), bits(fast.Lx)]).toEqual([twin.refactor(given), bits(twin.Lx)]);
    }
  });

  it('end with the row whose pivot is lost, and the factor is good again after all of it was worked out', () => {
    const { n, colPtr, rowIdx, values } = ladder(30);
    const [twin, fast] = [new ComplexFactor(n, colPtr, rowIdx), new ComplexFactor(n, colPtr, rowIdx)];
    for (const factor of [twin, fast]) factor.refactor(values);
    eliminateByWasm(fast);
    const sound = values.slice();
    for (const lost of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const row = 11;
      values[2 * colPtr[row + 1]! - 2] = lost;
      const found = [twin, fast].map((factor) => factor.update(values, Int32Array.of(row)));
      expect(found[0]).toBeGreaterThanOrEqual(0);
      expect(found[1]).toBe(found[0]);
      values.set(sound);
      expect([twin.refactor(values), fast.refactor(values)]).toEqual([-1, -1]);
      expect(bits(fast.Lx)).toBe(bits(twin.Lx));
    }
  });

  it('have the bits of the twin on a feeder whose taps move', () => {
    const feeder = syntheticFeeder({ nodes: 400 });
    const newFlow = () => createPowerFlow(feeder, { controls: false });
    const [first, second] = [newFlow(), newFlow()];
    const [twin, fast] = [first.core().network, second.core().network];
    eliminateByWasm(fast.factor);
    for (const position of [5, -3, 16, 0]) {
      for (const { id } of feeder.regulators.slice(0, 2)) {
        for (const flow of [first, second]) {
          flow.setTap(id, position);
          flow.core();
        }
        expect(bits(fast.factor.Lx)).toBe(bits(twin.factor.Lx));
      }
    }
  });
});
