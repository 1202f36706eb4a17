import { describe, expect, it } from 'vitest';
import { readLegacy, writeLegacy } from '../../../../dec/coordinator/index.js';
import type { StarMemory } from '../../../../grid/optim/index.js';

/*
 * What a coordinator leaves to its successor is read as it was written, bit for bit, or not at all: a half-read memory would
 * be a wrong start, none is a cold one.
 */

const list = (from: number, length = 6): Float64Array =>
  Float64Array.from({ length }, (_, k) => Math.sin(from + k) * 10 ** (k - 3));
const exchange = (from: number) => ({ power: list(from), reactive: list(from + 1), voltage: list(from + 2) });
const star: StarMemory = {
  rho: 0.1 + 0.2,
  answer: exchange(1),
  z: exchange(2),
  price: exchange(3),
  uncurtailed: list(4),
  hasVoltage: Uint8Array.from([1, 0, 1, 1, 0, 0]),
  ownAlpha: list(5, 2),
  multipliers: list(6, 9),
  correctionSquaredPu: list(7, 7),
};
const feedback = { intervals: [{ availableWh: { a: 10.1 }, servedWh: { a: 9.3 } }], factors: { a: 1.0000001 } };
const plan = { begin: { b: 1e4 / 3 }, expected: { b: 9000.25 } };

describe('what a coordinator leaves', () => {
  it('is read as it was written', () => {
    const legacy = { interval: 3, star, feedback, plan };
    expect(readLegacy(writeLegacy(legacy, 'mark'), 'mark')).toEqual(legacy);
    const first = { interval: 0, star: { ...star, uncurtailed: undefined } };
    expect(readLegacy(writeLegacy(first, 'mark'), 'mark')).toEqual(first);
  });

  it.each([
    ['of another run', (text: string) => text.replace('"mark"', '"other"')],
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    [
      'with a number that is none',
      () => writeLegacy({ interval: 3, star: { ...star, ownAlpha: Float64Array.of(Number.NaN) } }, 'mark'),
    ],
    ['with a penalty of nought', () => writeLegacy({ interval: 3, star: { ...star, rho: 0 } }, 'mark')],
    [
      'with ports in one list that another does not have',
      () => writeLegacy({ interval: 3, star: { ...star, uncurtailed: list(4, 5) } }, 'mark'),
    ],
    [
      'with bytes that are no numbers of eight',
      (text: string) => text.replace(/"ownAlpha":"[^"]*"/, '"ownAlpha":"AAAA"'),
    ],
  ])('is not used when it is %s', (_, damage) => {
    expect(readLegacy(damage(writeLegacy({ interval: 3, star }, 'mark')), 'mark')).toBeUndefined();
  });

  it('takes about 120 characters for each port node and 22 for each node of the primary', () => {
    const sized = (ports: number, nodes: number): number => {
      const some = { power: list(1, ports), reactive: list(1, ports), voltage: list(1, ports) };
      const memory: StarMemory = {
        ...{ rho: 1, answer: some, z: some, price: some, uncurtailed: list(1, ports) },
        ...{ hasVoltage: new Uint8Array(ports), ownAlpha: list(1, 0) },
        ...{ multipliers: list(1, nodes), correctionSquaredPu: list(1, nodes) },
      };
      return writeLegacy({ interval: 0, star: memory }, '').length;
    };
    const none = sized(0, 0);
    // 8 bytes in base64 are 10.7 characters; the lists are those above.
    expect((sized(3000, 0) - none) / 3000).toBeLessThan(120);
    expect((sized(0, 3000) - none) / 3000).toBeLessThan(22);
  });
});
