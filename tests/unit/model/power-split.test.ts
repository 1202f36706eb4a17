import { describe, expect, it } from 'vitest';
import { splitPower } from '../../../grid/model/index.js';

function split(power: number, own: readonly number[], other: readonly number[]): number[] {
  const into = own.map(() => 0);
  splitPower(power, own, other, 0, own.length, into);
  return into;
}

describe('splitPower', () => {
  it('splits in the proportion of the powers of the same kind, whatever the other kind is', () => {
    expect(split(300, [20, 40, 0], [90, 5, 5])).toEqual([100, 200, 0]);
  });

  it('splits as the other kind where the model has none of its own', () => {
    expect(split(60, [0, 0], [1, 2])).toEqual([20, 40]);
  });

  it('splits evenly where neither tells', () => {
    expect(split(60, [0, 0, 0], [0, 0, 0])).toEqual([20, 20, 20]);
  });

  it('takes the other kind where powers of both signs would make parts larger than the whole', () => {
    expect(split(30, [10, -9.9], [1, 2])).toEqual([10, 20]);
    expect(split(30, [-10, -20], [1, 2])).toEqual([10, 20]);
  });

  it('writes the range of one device and nothing else', () => {
    const into = [7, 7, 7, 7];
    splitPower(10, [1, 1, 3, 1], [0, 0, 0, 0], 1, 3, into);
    expect(into).toEqual([7, 2.5, 7.5, 7]);
  });
});
