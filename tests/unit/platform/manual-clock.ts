import type { Clock } from '../../../platform/index.js';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves time and makes the calls that are due, in order; between two calls everything sent is delivered. */
  advance(ms: number): Promise<void>;
  /** Calls that wait. */
  readonly planned: number;
}

/** Lets everything on an in-memory bus arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Makes a clock that starts at `startMs`. */
export function createManualClock(startMs = 1_000_000): ManualClock {
  let nowMs = startMs;
  let count = 0;
  const calls = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  return {
    nowMs: () => nowMs,
    after(delayMs, run) {
      const key = ++count;
      calls.set(key, { atMs: nowMs + delayMs, run });
      return () => calls.delete(key);
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (;;) {
        const [next] = [...calls]
          .filter(([, call]) => call.atMs <= endMs)
          .sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0]);
        if (!next) break;
        const [key, call] = next;
        calls.delete(key);
        nowMs = Math.max(nowMs, call.atMs);
        call.run();
        await settle();
      }
      nowMs = endMs;
    },
    get planned() {
      return calls.size;
    },
  };
}
