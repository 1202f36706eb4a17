/** A year of steps by the batch on several threads: reading, models and threads included, magnitudes of all nodes at every step. */
import { Worker } from 'node:worker_threads';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { BatchYearJob } from '../job.js';
import { feederOf } from './test-feeder.js';
import { inBatch, nodeNames, shapedLoads } from './time-steps.js';

/** The steps of one thread: whole chunks. */
export interface YearPart {
  readonly job: BatchYearJob;
  readonly firstChunk: number;
  readonly chunks: number;
}

/** What a thread hands back. */
export interface YearPartResult {
  readonly unsolved: number;
  readonly iterations: number;
  readonly checksum: number;
  /** Magnitudes of the compared step, V, where it was among the thread's. */
  readonly magnitudes?: readonly number[];
}

/** Does the steps of a part. */
export function yearPart({ job, firstChunk, chunks }: YearPart): YearPartResult {
  const feeder = feederOf(job.feeder);
  const flow = createPowerFlow(feeder, { controls: false, tolerancePu: job.tolerancePu });
  const stepper = inBatch(flow, shapedLoads(feeder, job.shapes), job.chunk, job.tolerancePu);
  let magnitudes: readonly number[] | undefined;
  for (let k = firstChunk; k < firstChunk + chunks; k++) {
    stepper.chunk(k * job.chunk);
    if ((k + 1) * job.chunk === job.comparedSteps) magnitudes = stepper.magnitudes();
  }
  const { unsolved, iterations, checksum } = stepper;
  return { unsolved, iterations, checksum, ...(magnitudes ? { magnitudes } : {}) };
}

function inThread(part: YearPart): Promise<YearPartResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./batch-year-thread.js', import.meta.url), { workerData: part });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Does the job. */
export async function batchYear(job: BatchYearJob): Promise<object> {
  const chunks = Math.ceil(job.steps / job.chunk);
  const steps = chunks * job.chunk;
  const busy = process.cpuUsage();
  const start = process.hrtime.bigint();
  const results = await Promise.all(
    Array.from({ length: job.workers }, (_, w) => {
      const firstChunk = Math.floor((w * chunks) / job.workers);
      return inThread({ job, firstChunk, chunks: Math.floor(((w + 1) * chunks) / job.workers) - firstChunk });
    }),
  );
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(busy);
  const feeder = feederOf(job.feeder);
  const flow = createPowerFlow(feeder, { controls: false });
  const sum = (of: (result: YearPartResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    seconds: [seconds / steps],
    cpu: [(user + system) / 1e6 / steps],
    unsolved: sum(({ unsolved }) => unsolved),
    iterations: sum(({ iterations }) => iterations) / steps,
    checksum: sum(({ checksum }) => checksum),
    nodes: nodeNames(feeder, flow),
    baseV: flow.nodes.map(({ baseV }) => baseV),
    magnitudes: results.find(({ magnitudes }) => magnitudes)?.magnitudes ?? [],
  };
}
