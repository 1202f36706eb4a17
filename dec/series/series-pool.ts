import { availableParallelism } from 'node:os';
import { SeriesRunner, type SeriesSettings } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { ChunkWorker } from './chunk-worker.js';
import { FigureRooms } from './figure-rooms.js';
import { InlineWorker } from './inline-worker.js';
import { ThreadWorker } from './thread-worker.js';

/** The workers of one series, and the runner of this thread among them. */
export interface LentWorkers {
  readonly runner: SeriesRunner;
  readonly workers: readonly ChunkWorker[];
  readonly rooms: FigureRooms;
}

/**
 * Workers that stay ready from series to series: this thread and others beside it.
 *
 * Each worker keeps the network of the last feeder, so that another series of the same feeder object, with other times, steps,
 * mode or multipliers, starts without making it; the engine has compiled its code by then, too. Results are the same bits with and
 * without a pool. Series that are given to one pool at the same time run one after the other. A series that was cancelled or
 * failed leaves the pool usable: threads put down what they have at hand, and one that has ended is made again. Idle
 * threads do not keep the process alive.
 */
export class SeriesPool {
  private threads: ThreadWorker[] = [];
  private own: SeriesRunner | undefined;
  private rooms = new FigureRooms();
  private inline: InlineWorker | undefined;
  private queue: Promise<void> = Promise.resolve();
  private isClosed = false;

  /** @param workers - threads at most, this one among them */
  constructor(readonly workers: number = availableParallelism()) {}

  /**
   * Lends workers for one series as soon as the series before it are done.
   *
   * @param count - workers wanted, this thread among them
   * @throws DecError CANCELLED when the pool has been closed
   */
  async lend<T>(
    feeder: Feeder,
    settings: SeriesSettings,
    count: number,
    use: (lent: LentWorkers) => Promise<T>,
  ): Promise<T> {
    const before = this.queue;
    let end = (): void => undefined;
    this.queue = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      if (this.isClosed) throw closed();
      return await this.runOne(feeder, settings, Math.min(count, this.workers), use);
    } finally {
      end();
    }
  }

  private async runOne<T>(
    feeder: Feeder,
    settings: SeriesSettings,
    count: number,
    use: (lent: LentWorkers) => Promise<T>,
  ): Promise<T> {
    this.threads = this.threads.filter((thread) => !thread.hasEnded);
    while (this.threads.length < count - 1) this.threads.push(new ThreadWorker(this.threads.length + 1));
    const threads = this.threads.slice(0, count - 1);
    let isDone = false;
    try {
      // The others make their networks while this thread makes its own.
      for (const thread of threads) thread.begin(feeder, settings);
      const runner = this.runnerOf(feeder, settings);
      this.inline = new InlineWorker(runner, () => threads.some((thread) => thread.hasMail));
      const result = await use({ runner, workers: [this.inline, ...threads], rooms: this.rooms });
      isDone = true;
      return result;
    } finally {
      // A runner that was interrupted by an error may stand anywhere.
      if (!isDone) this.own = undefined;
      await this.inline?.close();
      this.inline = undefined;
      for (const thread of threads) thread.finish();
    }
  }

  private runnerOf(feeder: Feeder, settings: SeriesSettings): SeriesRunner {
    const { own } = this;
    if (own?.feeder === feeder && own.takeOn(settings)) return own;
    // The old network need not be there beside the new one.
    this.own = undefined;
    if (own?.feeder !== feeder) this.rooms = new FigureRooms();
    this.own = new SeriesRunner(feeder, settings);
    return this.own;
  }

  /** Ends all threads; a series under way, and those that wait, fail as cancelled. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.own = undefined;
    this.rooms = new FigureRooms();
    await this.inline?.close();
    await Promise.all(this.threads.map((thread) => thread.close()));
    this.threads = [];
  }
}

const closed = () => new DecError('CANCELLED', 'The workers of the time series have been closed.');
