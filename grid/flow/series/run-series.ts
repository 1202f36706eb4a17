import type { Feeder, Finding } from '../../model/index.js';
import { createPowerFlow } from '../solver.js';
import { type SeriesReport, seriesReport } from './series-report.js';
import { SeriesRunner } from './series-runner.js';
import { chunkCount, SERIES_DEFAULTS, type SeriesSettings } from './series-settings.js';
import { SeriesTotals } from './series-totals.js';

/** What a time series must be told. */
export type SeriesRequest = Pick<SeriesSettings, 'mode' | 'stepS' | 'steps'> & Partial<SeriesSettings>;

/** What a series says about its input. */
export function seriesFindings(runner: SeriesRunner): readonly Finding[] {
  return runner.missingProfiles.map((name) => ({
    severity: 'warning',
    code: 'MISSING_REFERENCE',
    message: `No profile is called ${name}, or it has no values; what follows it keeps its own power.`,
    name,
  }));
}

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
  const flow = createPowerFlow(feeder);
  const totals = new SeriesTotals(settings, flow.nodes.length, runner.branches.length);
  let state = runner.initialState();
  for (let chunk = 0; chunk < chunkCount(settings); chunk++) {
    const result = runner.runChunk(chunk, state);
    totals.add(result);
    state = result.endState;
  }
  totals.finish();
  const findings = [...feeder.findings, ...flow.findings, ...seriesFindings(runner)];
  return seriesReport(feeder, flow.nodes, runner.branches, settings, totals, findings);
}
