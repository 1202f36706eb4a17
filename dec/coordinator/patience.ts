import { BusError } from '../../bus/index.js';
import type { RunOptions } from './run-options.js';

/** Milliseconds in which a lost connection must be taken up again, or the run ends: a killed RabbitMQ may need 20 s to come back. */
const RECONNECT_MS = 60_000;
/** Milliseconds that a platform of ours has for its first answer: it may be starting still. */
const FIRST_ANSWER_MS = 60_000;
/** Milliseconds for an answer of a real platform, where a service that is not there says nothing and is gone without. */
const REAL_ANSWER_MS = 30_000;
/** Milliseconds that a real platform may take to make its model and its first output. */
const REAL_SILENCE_MS = 300_000;
/** Milliseconds for the platform to say what it is running. */
const STATUS_MS = 2000;

/** How long a run waits for what does not answer, ms. */
export interface Patience {
  readonly reconnectMs: number;
  /** For an answer while it starts. */
  readonly answerMs: number;
  readonly statusMs: number;
  /** For the next output of a simulation; that of the outputs themselves when absent. */
  readonly silenceMs?: number;
}

/** What a user's patience means for each wait; of a real platform it is shared by the two questions that may stay without answer. */
export function patienceOf({ patienceMs, platform = 'own' }: Pick<RunOptions, 'patienceMs' | 'platform'>): Patience {
  const isReal = platform === 'real';
  const silenceMs = patienceMs ?? (isReal ? REAL_SILENCE_MS : undefined);
  const allMs = patienceMs ?? Number.POSITIVE_INFINITY;
  return {
    reconnectMs: patienceMs ?? RECONNECT_MS,
    answerMs: isReal ? Math.min(REAL_ANSWER_MS, allMs / 2) : (patienceMs ?? FIRST_ANSWER_MS),
    statusMs: Math.min(STATUS_MS, allMs),
    ...(silenceMs === undefined ? {} : { silenceMs }),
  };
}

/** The error of a run that finds no platform behind its broker. */
export function noPlatform(cause: BusError): BusError {
  const { timeoutMs } = cause.details;
  return new BusError(
    'TIMEOUT',
    `No platform answered on this broker within ${Number(timeoutMs) / 1000} s. Start one there ("dec platform --broker URL"), or give it more time with --patience. ${cause.message}`,
    cause.details,
    { retriable: true, cause },
  );
}
