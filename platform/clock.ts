/** Takes back a planned call; harmless after the call. */
export type Cancel = () => void;

/** Time as the platform sees it. Tests give one that they move by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls `run` once after `delayMs` milliseconds; 0 lets other work go first. */
  after(delayMs: number, run: () => void): Cancel;
}

/** The clock on the wall. A zero delay yields to sockets, so that a fast simulation still hears its commands. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    if (delayMs <= 0) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
