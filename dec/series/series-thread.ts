/** Entry of a worker thread that solves pieces of one time series after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ChunkResult, SeriesRunner } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import type { FeederData } from '../../grid/model/index.js';
import { jobInParts, runnerOf, transferables } from './chunk-worker.js';
import type { BeginSeries, SolvePiece, ThreadAnswer, ThreadMessage, ThreadStart } from './thread-message.js';

const { over, sent }: ThreadStart = workerData;
let feeder: FeederData | undefined;
let runner: SeriesRunner | undefined;
/** Why the series under way has no runner. */
let failure: unknown;

function begin(message: BeginSeries): void {
  failure = undefined;
  const { settings } = message;
  if (!message.feeder && runner?.takeOn(settings)) return;
  feeder = message.feeder ?? feeder;
  runner = undefined;
  try {
    if (feeder) runner = runnerOf({ feeder, settings });
  } catch (error) {
    failure = error;
  }
}

/** Solves a piece; undefined when the series is over before it is done. */
function solve({ series, job }: SolvePiece): ChunkResult | undefined {
  if (!runner) throw failure;
  const parts = jobInParts(runner, job);
  while (Atomics.load(over, 0) < series) {
    const part = parts.next();
    if (part.done) return part.value;
  }
  return undefined;
}

function answer(message: ThreadAnswer, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
  Atomics.add(sent, 0, 1);
}

parentPort?.on('message', (message: ThreadMessage) => {
  if (message.kind === 'begin') {
    begin(message);
    return;
  }
  const { series } = message;
  try {
    const result = solve(message);
    if (result) answer({ kind: 'result', series, result }, transferables(result));
  } catch (error) {
    // It may stand anywhere in a step.
    runner = undefined;
    failure = error;
    if (!(error instanceof DecError)) throw error;
    answer({ kind: 'failure', series, code: error.code, message: error.message, details: error.details });
  }
});
