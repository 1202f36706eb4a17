import { describe, expect, it } from 'vitest';
import { FigureRoom } from '../../../../grid/flow/kernel/figure-room.js';

describe('the memory of figures', () => {
  it('gives arrays that do not overlap, and memory of their own to those that find no room', () => {
    const memory = new SharedArrayBuffer(64);
    const room = new FigureRoom(memory);
    const [shorts, doubles, wholes] = [room.shorts(3), room.doubles(4), room.wholes(2)];
    shorts.fill(1);
    doubles.fill(2);
    wholes.fill(3);
    expect([[...shorts], [...doubles], [...wholes]]).toEqual([
      [1, 1, 1],
      [2, 2, 2, 2],
      [3, 3],
    ]);
    const late = room.doubles(4);
    expect([shorts, doubles, wholes, late].map(({ buffer }) => buffer === memory)).toEqual([true, true, true, false]);
    expect(room.bytes).toBe(8 + 32 + 8 + 32);
    expect(new FigureRoom().wholes(2).buffer).not.toBe(memory);
  });
});
