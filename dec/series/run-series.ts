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

/** Steps times nodes below which threads cost more than they bring. */
const THREADS_FROM = 3_000_000;

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
  const runner = new SeriesRunner(feeder, settings);
  const { nodes } = runner;
  const chunks = chunkCount(settings);
  const isWorthIt = settings.steps * nodes.length >= THREADS_FROM;
  const count = Math.min(chunks, run.workers ?? (isWorthIt ? availableParallelism() : 1));
  const task = taskOf(feeder, settings);
  const workers: ChunkWorker[] =
    count <= 1
      ? [new InlineWorker(runner)]
      : Array.from({ length: count }, (_, number) => new ThreadWorker(task, number));
  const totals = new SeriesTotals(settings, nodes.length, runner.branches.length);
  try {
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
  const open = totals.finish();
  const told = [...feeder.findings, ...(run.findings ?? []), ...runner.findings];
  const report = seriesReport(feeder, nodes, runner.branches, settings, totals, told);
  return { report, open, workers: count };
}
