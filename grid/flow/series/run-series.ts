import type { Feeder } from '../../model/index.js';
import { type SeriesReport, seriesReport } from './series-report.js';
import { SeriesRunner } from './series-runner.js';
import { chunkCount, SERIES_DEFAULTS, type SeriesSettings } from './series-settings.js';
import { SeriesTotals } from './series-totals.js';

/** What a time series must be told. */
export type SeriesRequest = Pick<SeriesSettings, 'mode' | 'stepS' | 'steps'> & Partial<SeriesSettings>;

/**
 * Solves a whole time series in this thread and reports it.
 *
 * @throws DecError NO_SOURCE or FEEDER_DATA when the feeder cannot be compiled
 * @example
 * const day = runSeries(feeder, { mode: 'daily', stepS: 900, steps: 96 });
 * day.nodes[0]?.maxPu;
 */
export function runSeries(feeder: Feeder, request: SeriesRequest): SeriesReport {
  const settings: SeriesSettings = { ...SERIES_DEFAULTS, ...request };
  const runner = new SeriesRunner(feeder, settings);
  const totals = new SeriesTotals(settings, runner.nodes.length, runner.branches.length);
  let state = runner.initialState();
  for (let chunk = 0; chunk < chunkCount(settings); chunk++) {
    const result = runner.runChunk(chunk, state);
    totals.add(result);
    state = result.endState;
  }
  totals.finish();
  const findings = [...feeder.findings, ...runner.findings];
  return seriesReport(feeder, runner.nodes, runner.branches, settings, totals, findings);
}
