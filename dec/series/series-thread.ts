/** Entry of a worker thread that solves pieces of a time series. */
import { parentPort, workerData } from 'node:worker_threads';
import { chunkRange } from '../../grid/flow/index.js';
import { type ChunkJob, runJob, runnerOf, type SeriesTask, transferables } from './chunk-worker.js';

const task: SeriesTask = workerData;
const runner = runnerOf(task);

parentPort?.on('message', (job: ChunkJob) => {
  const result = runJob(runner, job, chunkRange(task.settings, job.chunk)[0]);
  parentPort?.postMessage(result, transferables(result));
});
