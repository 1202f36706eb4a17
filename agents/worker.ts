/** Entry of a worker thread that carries one agent host. */
import { parentPort, workerData } from 'node:worker_threads';
import { runWorker } from './worker-host.js';

if (parentPort !== null) runWorker(parentPort, workerData);
