/** Tells how far a series has come and how long it will still take, not more often than a person can read. */
export class Pace {
  private readonly startedMs = performance.now();
  private shownMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly steps: number,
    private readonly write: (text: string) => void,
  ) {}

  /** Seconds since the beginning. */
  get seconds(): number {
    return (performance.now() - this.startedMs) / 1000;
  }

  /** Shows the progress after so many steps. */
  show(done: number): void {
    const nowMs = performance.now();
    if (nowMs - this.shownMs < LEAST_PAUSE_MS) return;
    this.shownMs = nowMs;
    const left = done > 0 ? (this.seconds * (this.steps - done)) / done : Number.NaN;
    this.write(`${done} of ${this.steps} steps, ${Math.floor((100 * done) / this.steps)} %, ${timeLeft(left)} left`);
  }
}

const LEAST_PAUSE_MS = 200;

function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'some time';
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
