import { availableParallelism } from 'node:os';
import {
  type ChunkResult,
  chunkCount,
  type SeriesReport,
  SeriesRunner,
  type SeriesSettings,
  SeriesTotals,
  seriesReport,
  type ViolationEntry,
} from '../../grid/flow/index.js';
import type { Feeder, Finding } from '../../grid/model/index.js';
import { runChunks } from './chunk-order.js';
import { type ChunkWorker, taskOf } from './chunk-worker.js';
import { InlineWorker } from './inline-worker.js';
import { ThreadWorker } from './thread-worker.js';

/** Steps times buses below which threads cost more than they bring. */
const THREADS_FROM = 1_500_000;

/** How a series runs. */
export interface SeriesRun {
  /** Threads; undefined: as many as the machine has, for work that is worth it. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  /** Findings beyond the feeder's own. */
  readonly findings?: readonly Finding[];
  /** Called for each piece in the order of time, with the violations that ended in it. */
  readonly onChunk?: (result: ChunkResult, ended: readonly ViolationEntry[]) => void;
  /** Called with the steps done. */
  readonly onProgress?: (steps: number) => void;
}

/** A series with what it left open. */
export interface SeriesOutcome {
  readonly report: SeriesReport;
  /** Violations that last to the last step. */
  readonly open: readonly ViolationEntry[];
  readonly workers: number;
}

/**
 * Solves a time series with some workers; the result is the same, bit by bit, for any number of them.
 *
 * @throws DecError NO_SOURCE or FEEDER_DATA when the feeder cannot be compiled
 */
export async function solveSeries(feeder: Feeder, settings: SeriesSettings, run: SeriesRun): Promise<SeriesOutcome> {
  const chunks = chunkCount(settings);
  const isWorthIt = settings.steps * feeder.buses.length >= THREADS_FROM;
  const count = Math.max(1, Math.min(chunks, run.workers ?? (isWorthIt ? availableParallelism() : 1)));
  const workers: ChunkWorker[] = [];
  let runner: SeriesRunner;
  let totals: SeriesTotals;
  try {
    // This thread is one of the workers; the others are made ready while it makes its own network.
    const task = count > 1 ? taskOf(feeder, settings) : undefined;
    for (let number = 1; task && number < count; number++) workers.push(new ThreadWorker(task, number));
    runner = new SeriesRunner(feeder, settings);
    workers.unshift(new InlineWorker(runner));
    totals = new SeriesTotals(settings, runner.nodes.length, runner.branches.length);
    await runChunks(
      workers,
      chunks,
      runner.initialState(),
      (result) => {
        const ended = totals.add(result);
        run.onChunk?.(result, ended);
        run.onProgress?.(totals.steps);
      },
      run.signal,
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
  const { nodes } = runner;
  const open = totals.finish();
  const told = [...feeder.findings, ...(run.findings ?? []), ...runner.findings];
  const report = seriesReport(feeder, nodes, runner.branches, settings, totals, told);
  return { report, open, workers: count };
}
