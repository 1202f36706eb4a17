import { z } from 'zod';
import { PLATFORM_LOG_TOPIC } from './destination.js';
import { declareMessage, type Immutable, identifier, numeric } from './message.js';

/** Levels of log lines. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;

/** Level of a log line. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** States of a process, as log lines carry them. */
export const PROCESS_STATUSES = [
  'STARTING',
  'STARTED',
  'RUNNING',
  'ERROR',
  'CLOSED',
  'COMPLETE',
  'STOPPED',
  'PAUSED',
] as const;

/** State of a process. */
export type ProcessStatus = (typeof PROCESS_STATUSES)[number];

const logSchema = z.object({
  source: z.string().default(''),
  processId: identifier,
  /** Epoch milliseconds. */
  timestamp: numeric.exactOptional(),
  logMessage: z.string(),
  /** One of {@link LOG_LEVELS}; other writers' words are kept. */
  logLevel: z.string().default('INFO'),
  /** One of {@link PROCESS_STATUSES}; other writers' words are kept. */
  processStatus: z.string().default('RUNNING'),
  storeToDb: z.boolean().default(true),
  process_type: z.string().exactOptional(),
});

/** A log line of the platform or of a simulation. */
export type LogLine = Immutable<z.infer<typeof logSchema>>;

/** Log lines; clients follow a simulation by their exact texts. */
export const simulationLog = declareMessage({
  name: 'log line',
  destination: '/topic/goss.gridappsd.simulation.log.<simulationId>',
  schema: logSchema,
  example: {
    source: 'simulation',
    processId: '1267312',
    timestamp: 1655321833000,
    logMessage: 'incrementing to 3',
    logLevel: 'INFO',
    processStatus: 'RUNNING',
    storeToDb: true,
    process_type: '/queue/goss.gridappsd.process.request.simulation',
  },
});

/** Log lines of the platform itself, and of applications and services. */
export const platformLog = declareMessage({
  name: 'platform log line',
  destination: PLATFORM_LOG_TOPIC,
  schema: logSchema,
  example: {
    source: 'platform',
    processId: 'platform',
    timestamp: 1655321833000,
    logMessage: 'Simulation 1267312 of ieee13nodeckt was asked for.',
    logLevel: 'INFO',
    processStatus: 'RUNNING',
    storeToDb: true,
    process_type: 'platform',
  },
});

/** The exact texts that clients look for. */
export const simulationLogText = {
  initialized: () => 'Co-Simulation Bridge Initialized',
  started: (simulationId: string) => `Simulation ${simulationId} has started.`,
  incrementing: (step: number) => `incrementing to ${step}`,
  paused: () => 'The simulation has paused.',
  resumed: () => 'The simulation has resumed.',
  alreadyPaused: () => 'Pause command received but the simulation is already paused.',
  stopping: () => 'Stopping the simulation',
  finished: (simulationId: string) => `Simulation ${simulationId} has finished.`,
  complete: (simulationId: string) => `Simulation ${simulationId} complete`,
} as const;

/** Steps done, when a log message is the mark of a step; otherwise undefined. */
export function stepOfLogMessage(logMessage: string): number | undefined {
  const match = /^incrementing to (\d+)$/.exec(logMessage);
  return match === null ? undefined : Number(match[1]);
}
