/**
 * A whole time series by the public interface, recording and report included: cold, the first call of a process, networks and
 * threads included; or warm, on workers that have done shorter series of the same feeder before.
 */
import { SeriesPool, type SeriesRun, solveSeries } from '../../../dec/series/index.js';
import { SERIES_DEFAULTS, type SeriesReport, type SeriesSettings } from '../../../grid/flow/index.js';
import type { SeriesJob } from '../job.js';
import { STEP_S } from '../shapes.js';
import { collect } from './collector.js';
import { feederOf, withShapes } from './test-feeder.js';

/** Warm-up ends when so many rounds in a row differ by no more than this share, or after the most rounds. */
const ALIKE_ROUNDS = 3;
const ALIKE = 0.03;
const MOST_ROUNDS = 12;

interface Timed {
  readonly report: SeriesReport;
  readonly seconds: number;
  readonly cpu: number;
}

/** Does the job. Warm: the steps that the peer does, again and again, the last of which is compared; then the whole series. */
export async function seriesYear(job: SeriesJob): Promise<object> {
  const feeder = withShapes(feederOf(job.feeder), job.shapes);
  const run = async (steps: number, how: SeriesRun): Promise<Timed> => {
    const settings: SeriesSettings = {
      ...SERIES_DEFAULTS,
      mode: 'yearly',
      stepS: STEP_S,
      steps,
      tolerancePu: job.tolerancePu,
      controlMode: job.controls ? 'static' : 'off',
    };
    collect();
    const busy = process.cpuUsage();
    const start = process.hrtime.bigint();
    const { report } = await solveSeries(feeder, settings, how);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const { user, system } = process.cpuUsage(busy);
    return { report, seconds, cpu: (user + system) / 1e6 };
  };
  if (job.isCold) {
    const { seconds, cpu, report } = await run(job.steps, { workers: job.workers });
    return { seconds: [seconds / job.steps], cpu: [cpu / job.steps], checksum: checksum(report) };
  }
  const pool = new SeriesPool(job.workers);
  try {
    const how: SeriesRun = { workers: job.workers, pool };
    const rounds: Timed[] = [];
    const isWarm = () => {
      const last = rounds.slice(-ALIKE_ROUNDS).map(({ seconds }) => seconds);
      return last.length === ALIKE_ROUNDS && Math.max(...last) <= (1 + ALIKE) * Math.min(...last);
    };
    while (rounds.length < MOST_ROUNDS && !isWarm()) rounds.push(await run(job.comparedSteps, how));
    const compared = rounds.at(-1)!.report;
    const { report, seconds, cpu } = await run(job.steps, how);
    return {
      seconds: [seconds / job.steps],
      cpu: [cpu / job.steps],
      warmUpRounds: rounds.length,
      isWarm: isWarm() ? 1 : 0,
      unsolved: report.unsolvedSteps,
      iterations: report.iterations / job.steps,
      tapChanges: report.controls.tapChanges,
      switchings: report.controls.capacitorSwitchings,
      checksum: checksum(report),
      nodes: compared.nodes.map(({ bus, node }) => `${bus.toLowerCase()}.${node}`),
      magnitudes: compared.nodes.map(({ lastPu, kvBase }) => lastPu * kvBase * 1000),
      baseV: compared.nodes.map(({ kvBase }) => kvBase * 1000),
    };
  } finally {
    await pool.close();
  }
}

const checksum = ({ nodes }: SeriesReport) =>
  nodes.reduce((sum, { minPu, maxPu, p50Pu }) => sum + minPu + maxPu + p50Pu, 0);
