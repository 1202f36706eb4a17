/*
 * Silent nodes whose voltages are wanted before those of the others: the ones that controls look at.
 *
 * Steps: the blocks of these nodes, and of all above them in the elimination tree, which their voltages follow from, are moved to the
 * end of the silent part; within both parts the order stays. It is the same factor, gone through in another topological order, so that
 * voltages keep their bits.
 * Cost: linear in the blocks, once.
 */
import type { ComplexFactor } from '../../math/index.js';
import type { Elimination } from './elimination.js';

/**
 * Moves what some nodes follow from to the end of the silent part.
 *
 * @param nodes - network nodes; active ones and ground (-1) do not matter
 */
export function watchedLast(
  { n, Lp, Li }: ComplexFactor,
  elimination: Elimination,
  nodes: Iterable<number>,
): Elimination {
  const { order, silentCount, blockStart, blockOrder } = elimination;
  const position = new Int32Array(n);
  for (let k = 0; k < n; k++) position[order[k]!] = k;
  const blockOf = new Int32Array(n);
  for (let b = 0; b + 1 < blockStart.length; b++) blockOf.fill(b, blockStart[b]!, blockStart[b + 1]!);
  const isWatched = new Uint8Array(blockOrder.length);
  for (const node of nodes) {
    let k = node < 0 ? n : position[node]!;
    while (k < silentCount && isWatched[blockOf[k]!] === 0) {
      const b = blockOf[k]!;
      isWatched[b] = 1;
      const last = blockStart[b + 1]! - 1;
      // The first row below is the parent.
      k = Lp[last]! < Lp[last + 1]! ? Li[Lp[last]!]! : n;
    }
  }
  const silent = blockOrder.filter((b) => blockStart[b]! < silentCount);
  const watched = silent.filter((b) => isWatched[b] === 1);
  const others = silent.filter((b) => isWatched[b] === 0);
  const active = blockOrder.filter((b) => blockStart[b]! >= silentCount);
  const moved = new Int32Array(blockOrder.length);
  moved.set(others);
  moved.set(watched, others.length);
  moved.set(active, silent.length);
  return { ...elimination, blockOrder: moved, watchedCount: watched.length };
}
