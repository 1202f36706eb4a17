/*
 * The pieces of a series among several workers, with the result of one.
 *
 * Time is cut into as many slices as there are workers. The first starts from the true state, each other from a guess: the
 * state that a day of steps before it leaves. A worker goes on from piece to piece with the state it has reached. A piece
 * holds when it started from the state in which the piece before it, that holds, has ended; where a slice meets the next
 * one in another state, its worker goes on into that slice until the states meet, and what is behind that point holds. A
 * worker without work takes the middle of the longest stretch that nobody has done.
 * Since a piece is a function of its number and its starting state, what holds is what one worker would have found, bit by bit.
 * Cost: guesses that never meet the truth (stored energy that never reaches a limit) are lost work, no more.
 */
import { type CarriedState, type ChunkResult, stateKey } from '../../grid/flow/index.js';
import type { ChunkJob, ChunkWorker } from './chunk-worker.js';
import type { FigureRooms } from './figure-rooms.js';

/** A worker with what it does now. */
interface Hand {
  readonly worker: ChunkWorker;
  /** Piece at work and the state it started from, as text; undefined for a guess that the worker makes itself. */
  at: number | undefined;
  key: string | undefined;
}

/**
 * Solves all pieces and hands them on in order.
 *
 * @param count - number of pieces
 * @param take - called for each piece that holds, in order; waited for
 * @param signal - ends the work after the pieces that hold
 * @param rooms - memory for the figures by node and branch, used again when a piece has been taken up
 * @returns number of pieces that were handed on
 */
export async function runChunks(
  workers: readonly ChunkWorker[],
  count: number,
  initial: CarriedState,
  take: (result: ChunkResult) => void | Promise<void>,
  signal?: AbortSignal,
  rooms?: FigureRooms,
): Promise<number> {
  const hands: Hand[] = workers.map((worker) => ({ worker, at: undefined, key: undefined }));
  const done = new Map<number, ChunkResult>();
  /** Pieces that were begun from a guess or from what followed it. */
  const begun = new Set<number>();
  let frontier = 0;
  let state = initial;
  let key = stateKey(initial);
  const running = new Map<Hand, Promise<readonly [Hand, ChunkResult]>>();

  const start = (hand: Hand, job: ChunkJob, from: string | undefined) => {
    hand.at = job.chunk;
    hand.key = from;
    begun.add(job.chunk);
    const answer = hand.worker.run({ ...job, room: rooms?.lend() }).then((result) => [hand, result] as const);
    // Threads that are ended in the middle of a piece let their promises fail when nobody waits for them any more.
    answer.catch(() => undefined);
    running.set(hand, answer);
  };
  const isUnderWay = (chunk: number, from: string) => hands.some(({ at, key: own }) => at === chunk && own === from);
  /** First piece of the second half of the longest stretch that nobody has begun. */
  const middleOfGap = (): number | undefined => {
    let best: readonly [number, number] | undefined;
    for (let first = frontier; first < count; first++) {
      if (begun.has(first)) continue;
      let end = first;
      while (end < count && !begun.has(end)) end++;
      if (!best || end - first > best[1] - best[0]) best = [first, end];
      first = end;
    }
    if (!best || best[1] - best[0] < 2) return undefined;
    return Math.floor((best[0] + best[1]) / 2);
  };
  const assign = (hand: Hand, last: ChunkResult | undefined) => {
    if (frontier < count && !isUnderWay(frontier, key) && done.get(frontier)?.startKey !== key) {
      // Its own chain goes on, when it is the true one; else the truth comes first.
      start(hand, { chunk: frontier, state }, key);
      return;
    }
    if (last) {
      const next = last.chunk + 1;
      const isMet = done.get(next)?.startKey === last.endKey || isUnderWay(next, last.endKey);
      if (next > frontier && next < count && !isMet && (!begun.has(next) || isChainOf(next, last))) {
        start(hand, { chunk: next, state: last.endState }, last.endKey);
        return;
      }
    }
    const middle = middleOfGap();
    if (middle !== undefined) start(hand, { chunk: middle, state: undefined }, undefined);
  };
  /** Whether a guessed chain that goes on into pieces already begun is better founded than what is there. */
  const isChainOf = (next: number, last: ChunkResult) => last.chunk === frontier - 1 && next === frontier;

  hands.forEach((hand, w) => {
    const first = Math.floor((w * count) / hands.length);
    if (begun.has(first) || first >= count) return;
    if (first === 0) start(hand, { chunk: 0, state }, key);
    else start(hand, { chunk: first, state: undefined }, undefined);
  });
  const stopped = new Promise<undefined>((resolve) => {
    if (signal?.aborted) resolve(undefined);
    else signal?.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  while (frontier < count && running.size > 0) {
    const finished = await Promise.race([...running.values(), stopped]);
    if (finished === undefined || signal?.aborted) break;
    const [hand, result] = finished;
    running.delete(hand);
    hand.at = undefined;
    rooms?.learn(result);
    const other = done.get(result.chunk);
    if (other) rooms?.takeBack(other);
    done.set(result.chunk, result);
    const taken: ChunkResult[] = [];
    for (let held = done.get(frontier); held && held.startKey === key; held = done.get(frontier)) {
      taken.push(held);
      done.delete(frontier);
      state = held.endState;
      key = held.endKey;
      frontier++;
    }
    // Work first: a thread does its next piece while this one is taken up.
    for (const idle of hands) if (idle.at === undefined) assign(idle, idle === hand ? result : undefined);
    for (const held of taken) {
      await take(held);
      rooms?.takeBack(held);
    }
  }
  return frontier;
}
