/** Entry of a worker thread that solves pieces of a time series. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ChunkJob, runJob, runnerOf, type SeriesTask, transferables } from './chunk-worker.js';

const task: SeriesTask = workerData;
const runner = runnerOf(task);

parentPort?.on('message', (job: ChunkJob) => {
  const result = runJob(runner, job);
  parentPort?.postMessage(result, transferables(result));
});
