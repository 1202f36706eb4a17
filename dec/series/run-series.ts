import { availableParallelism } from 'node:os';
import {
  type ChunkResult,
  chunkCount,
  type SeriesReport,
  type SeriesSettings,
  SeriesTotals,
  seriesReport,
  type ViolationEntry,
} from '../../grid/flow/index.js';
import type { Feeder, Finding } from '../../grid/model/index.js';
import { runChunks } from './chunk-order.js';
import { SeriesPool } from './series-pool.js';

/** Steps times buses below which threads cost more than they bring. */
const THREADS_FROM = 1_500_000;

/** How a series runs. */
export interface SeriesRun {
  /** Threads; undefined: as many as the machine has, for work that is worth it. */
  readonly workers?: number;
  /** Workers that stay ready for further series; undefined: some that end with this one. */
  readonly pool?: SeriesPool;
  readonly signal?: AbortSignal;
  /** Findings beyond the feeder's own. */
  readonly findings?: readonly Finding[];
  /**
   * Called for each piece in the order of time, with the violations that ended in it. The piece's figures by node and branch
   * (not its steps) stand in memory that is used again afterwards.
   */
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
 * @throws DecError NO_SOURCE or FEEDER_DATA when the feeder cannot be compiled, CANCELLED when its pool was closed
 */
export async function solveSeries(feeder: Feeder, settings: SeriesSettings, run: SeriesRun): Promise<SeriesOutcome> {
  const chunks = chunkCount(settings);
  const isWorthIt = settings.steps * feeder.buses.length >= THREADS_FROM;
  const most = run.pool?.workers ?? Number.POSITIVE_INFINITY;
  const count = Math.max(1, Math.min(chunks, most, run.workers ?? (isWorthIt ? availableParallelism() : 1)));
  const pool = run.pool ?? new SeriesPool(count);
  try {
    return await pool.lend(feeder, settings, count, async ({ runner, workers, rooms }) => {
      const totals = new SeriesTotals(settings, runner.nodes.length, runner.branches.length);
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
        rooms,
      );
      const open = totals.finish();
      const told = [...feeder.findings, ...(run.findings ?? []), ...runner.findings];
      const report = seriesReport(feeder, runner.nodes, runner.branches, settings, totals, told);
      return { report, open, workers: count };
    });
  } finally {
    if (!run.pool) await pool.close();
  }
}
