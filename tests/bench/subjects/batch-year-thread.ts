/** Entry of a thread that does a part of a year. */
import { parentPort, workerData } from 'node:worker_threads';
import { type YearPart, yearPart } from './batch-year.js';

const part: YearPart = workerData;
parentPort?.postMessage(yearPart(part));
