import { Worker } from 'node:worker_threads';
import type { ChunkResult } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import type { ChunkJob, ChunkWorker, SeriesTask } from './chunk-worker.js';

/** The thread's entry; under a test runner that reads the sources, the built one is used, because threads cannot. */
function threadUrl(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? '../../dist/dec/series/series-thread.js' : './series-thread.js', import.meta.url);
}

/** Solves pieces in a thread of its own. */
export class ThreadWorker implements ChunkWorker {
  private readonly worker: Worker;
  private waiting: { resolve(result: ChunkResult): void; reject(error: Error): void } | undefined;
  private failure: Error | undefined;

  constructor(task: SeriesTask, number: number) {
    this.worker = new Worker(threadUrl(), { workerData: task, name: `series ${number}` });
    this.worker.on('message', (result: ChunkResult) => {
      this.waiting?.resolve(result);
      this.waiting = undefined;
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new DecError('INTERNAL', 'A thread of the time series has ended.')));
  }

  run(job: ChunkJob): Promise<ChunkResult> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.worker.postMessage(job);
    });
  }

  async close(): Promise<void> {
    this.failure ??= new DecError('CANCELLED', 'The time series was cancelled.');
    await this.worker.terminate();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.waiting?.reject(this.failure);
    this.waiting = undefined;
  }
}
