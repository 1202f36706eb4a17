import { Worker } from 'node:worker_threads';
import type { ChunkResult, SeriesSettings } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import { builtUrl } from '../built.js';
import { type ChunkJob, type ChunkWorker, plainFeeder } from './chunk-worker.js';
import type { ThreadAnswer, ThreadMessage, ThreadStart } from './thread-message.js';

/** Solves pieces in a thread of its own, of one series after the other. */
export class ThreadWorker implements ChunkWorker {
  private readonly worker: Worker;
  /** Number of the last series that is over, for the thread to read in the middle of a piece. */
  private readonly over = new Int32Array(new SharedArrayBuffer(4));
  private readonly sent = new Int32Array(new SharedArrayBuffer(4));
  private received = 0;
  private series = 0;
  private feeder: Feeder | undefined;
  private waiting: { resolve(result: ChunkResult): void; reject(error: Error): void } | undefined;
  private failure: Error | undefined;

  constructor(number: number) {
    const start: ThreadStart = { over: this.over, sent: this.sent };
    this.worker = new Worker(builtUrl('bin/series-thread.js'), { workerData: start, name: `series ${number}` });
    this.worker.on('message', (answer: ThreadAnswer) => {
      this.received++;
      // What a series has left behind comes after its end.
      if (answer.series !== this.series) return;
      if (answer.kind === 'result') this.waiting?.resolve(answer.result);
      else this.waiting?.reject(new DecError(answer.code, answer.message, answer.details));
      this.waiting = undefined;
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new DecError('INTERNAL', 'A thread of the time series has ended.')));
  }

  /** Whether the thread has sent an answer that was not heard yet. */
  get hasMail(): boolean {
    return this.failure === undefined && Atomics.load(this.sent, 0) !== this.received;
  }

  /** Whether the thread has failed or was closed. */
  get hasEnded(): boolean {
    return this.failure !== undefined;
  }

  /** Begins a series: the thread makes its network, unless it has it from the series before. */
  begin(feeder: Feeder, settings: SeriesSettings): void {
    this.worker.ref();
    this.series++;
    const isKnown = this.feeder === feeder;
    this.post({ kind: 'begin', series: this.series, feeder: isKnown ? undefined : plainFeeder(feeder), settings });
    this.feeder = feeder;
  }

  run(job: ChunkJob): Promise<ChunkResult> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.post({ kind: 'piece', series: this.series, job });
    });
  }

  /** Ends the series; a piece at work is put down and fails as cancelled. The thread stays, and does not keep the process alive. */
  finish(): void {
    Atomics.store(this.over, 0, this.series);
    this.waiting?.reject(cancelled());
    this.waiting = undefined;
    this.worker.unref();
  }

  async close(): Promise<void> {
    this.fail(cancelled());
    await this.worker.terminate();
  }

  private post(message: ThreadMessage): void {
    this.worker.postMessage(message);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.waiting?.reject(this.failure);
    this.waiting = undefined;
  }
}

const cancelled = () => new DecError('CANCELLED', 'The time series was cancelled.');
