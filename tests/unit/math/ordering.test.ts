import { describe, expect, it } from 'vitest';
import { minimumDegreeOrder } from '../../../grid/math/index.js';

/** Entries of the strict lower factor for an elimination order, by explicit graph elimination. */
function fillOf(n: number, edges: readonly (readonly [number, number])[], order: ArrayLike<number>): number {
  const neighbours = Array.from({ length: n }, () => new Set<number>());
  for (const [a, b] of edges) {
    neighbours[a]!.add(b);
    neighbours[b]!.add(a);
  }
  let entries = 0;
  for (let k = 0; k < n; k++) {
    const p = order[k]!;
    const around = [...neighbours[p]!];
    entries += around.length;
    for (const a of around) {
      neighbours[a]!.delete(p);
      for (const b of around) if (a !== b) neighbours[a]!.add(b);
    }
  }
  return entries;
}

function columns(n: number, edges: readonly (readonly [number, number])[]) {
  const lists: number[][] = Array.from({ length: n }, () => []);
  for (const [a, b] of edges) lists[Math.max(a, b)]!.push(Math.min(a, b));
  const colPtr = [0];
  for (const list of lists) colPtr.push(colPtr[colPtr.length - 1]! + list.length);
  return { colPtr, rowIdx: lists.flat() };
}

describe('minimumDegreeOrder', () => {
  it('gives a permutation without fill on a tree', () => {
    const n = 400;
    const edges = Array.from({ length: n - 1 }, (_, i) => [i + 1, (i * 7919) % (i + 1)] as const);
    const { colPtr, rowIdx } = columns(n, edges);
    const order = minimumDegreeOrder(n, colPtr, rowIdx);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(fillOf(n, edges, order)).toBe(n - 1);
  });

  it('keeps the fill of a 20 by 20 grid well under the natural order', () => {
    const side = 20;
    const n = side * side;
    const edges: [number, number][] = [];
    for (let r = 0; r < side; r++) {
      for (let c = 0; c < side; c++) {
        if (c + 1 < side) edges.push([r * side + c, r * side + c + 1]);
        if (r + 1 < side) edges.push([r * side + c, (r + 1) * side + c]);
      }
    }
    const { colPtr, rowIdx } = columns(n, edges);
    const natural = fillOf(
      n,
      edges,
      Array.from({ length: n }, (_, i) => i),
    );
    const order = minimumDegreeOrder(n, colPtr, rowIdx);
    expect(new Set(order).size).toBe(n);
    expect(fillOf(n, edges, order)).toBeLessThan(0.55 * natural);
  });

  it('orders empty and fully dense patterns', () => {
    expect([...minimumDegreeOrder(3, [0, 0, 0, 0], [])].sort()).toEqual([0, 1, 2]);
    const dense = columns(
      6,
      Array.from({ length: 36 }, (_, k) => [Math.floor(k / 6), k % 6] as const).filter(([a, b]) => a < b),
    );
    expect(new Set(minimumDegreeOrder(6, dense.colPtr, dense.rowIdx)).size).toBe(6);
    expect(minimumDegreeOrder(0, [0], [])).toHaveLength(0);
  });
});
