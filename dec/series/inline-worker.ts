import { setImmediate as afterEvents } from 'node:timers/promises';
import type { ChunkResult, SeriesRunner } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import { type ChunkJob, type ChunkWorker, jobInParts } from './chunk-worker.js';

/** Longest time without a look at signals and messages, ms. */
const MOST_DEAF_MS = 5;

/** Solves pieces in this thread; signals and messages are heard in between. */
export class InlineWorker implements ChunkWorker {
  private isClosed = false;

  /** @param hasMail - whether another worker has an answer that waits to be heard */
  constructor(
    private readonly runner: SeriesRunner,
    private readonly hasMail: () => boolean = () => false,
  ) {}

  async run(job: ChunkJob): Promise<ChunkResult> {
    const parts = jobInParts(this.runner, job);
    for (;;) {
      await afterEvents();
      if (this.isClosed) throw new DecError('CANCELLED', 'The time series was cancelled.');
      const pauseAt = performance.now() + MOST_DEAF_MS;
      while (!this.hasMail() && performance.now() < pauseAt) {
        const part = parts.next();
        if (part.done) return part.value;
      }
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
