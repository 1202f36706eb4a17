import { setImmediate as afterEvents } from 'node:timers/promises';
import { type ChunkResult, chunkRange, type SeriesRunner } from '../../grid/flow/index.js';
import { type ChunkJob, type ChunkWorker, runJob } from './chunk-worker.js';

/** Solves pieces in this thread; signals and messages are heard between them. */
export class InlineWorker implements ChunkWorker {
  constructor(private readonly runner: SeriesRunner) {}

  async run(job: ChunkJob): Promise<ChunkResult> {
    await afterEvents();
    return runJob(this.runner, job, chunkRange(this.runner.settings, job.chunk)[0]);
  }

  async close(): Promise<void> {}
}
