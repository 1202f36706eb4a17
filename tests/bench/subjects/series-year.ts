/** A whole time series by the public interface, threads, recording and report included. */
import { solveSeries } from '../../../dec/series/index.js';
import { SERIES_DEFAULTS, type SeriesReport, type SeriesSettings } from '../../../grid/flow/index.js';
import type { SeriesJob } from '../job.js';
import { STEP_S } from '../shapes.js';
import { collect } from './collector.js';
import { feederOf, withShapes } from './test-feeder.js';

/** Does the job: the steps that the peer does, for the comparison, then the whole series, which is timed. */
export async function seriesYear(job: SeriesJob): Promise<object> {
  const feeder = withShapes(feederOf(job.feeder), job.shapes);
  const run = async (steps: number): Promise<SeriesReport> => {
    const settings: SeriesSettings = {
      ...SERIES_DEFAULTS,
      mode: 'yearly',
      stepS: STEP_S,
      steps,
      tolerancePu: job.tolerancePu,
      controlMode: job.controls ? 'static' : 'off',
    };
    return (await solveSeries(feeder, settings, { workers: job.workers })).report;
  };
  const compared = await run(job.comparedSteps);
  collect();
  const busy = process.cpuUsage();
  const start = process.hrtime.bigint();
  const report = await run(job.steps);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(busy);
  return {
    seconds: [seconds / job.steps],
    cpu: [(user + system) / 1e6 / job.steps],
    unsolved: report.unsolvedSteps,
    iterations: report.iterations / job.steps,
    tapChanges: report.controls.tapChanges,
    switchings: report.controls.capacitorSwitchings,
    checksum: report.nodes.reduce((sum, { minPu, maxPu, p50Pu }) => sum + minPu + maxPu + p50Pu, 0),
    nodes: compared.nodes.map(({ bus, node }) => `${bus.toLowerCase()}.${node}`),
    magnitudes: compared.nodes.map(({ lastPu, kvBase }) => lastPu * kvBase * 1000),
    baseV: compared.nodes.map(({ kvBase }) => kvBase * 1000),
  };
}
