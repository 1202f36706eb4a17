import {
  type Bus,
  type LogLevel,
  type LogLine,
  PLATFORM_LOG_TOPIC,
  type ProcessStatus,
  SIMULATION_REQUEST_QUEUE,
  simulationLog,
  simulationLogTopic,
} from '../bus/index.js';
import type { Clock } from './clock.js';

/** Lines kept for questions; the oldest go first. */
const KEPT_LINES = 20_000;

/** A line as a part of the platform writes it. */
export interface LogEntry {
  readonly message: string;
  readonly level?: LogLevel;
  readonly status?: ProcessStatus;
  /** Part of the platform that speaks. */
  readonly source: string;
}

/** Writes log lines to the bus, to the caller and to memory. */
export interface LogService {
  /** A line about the platform itself, on the platform's log topic. */
  platform(entry: LogEntry): void;
  /** A line about one simulation, on its own log topic only: nobody who listens to both hears it twice. */
  simulation(simulationId: string, entry: LogEntry): void;
  /**
   * Keeps a line that somebody else wrote; it is on its topic already.
   * @param username - who sent it
   */
  keep(line: LogLine, username: string): void;
  /** Lines in the order they were written, newest last. */
  lines(filter?: LogFilter): readonly KeptLine[];
}

/** A line with the user who wrote it. */
export interface KeptLine extends LogLine {
  readonly username: string;
}

/** User of the platform's own lines. */
export const PLATFORM_USER = 'system';

/** Which lines are wanted; what is absent does not matter. */
export interface LogFilter {
  readonly processId?: string;
  readonly logLevel?: string;
  readonly processStatus?: string;
  readonly source?: string;
  readonly username?: string;
  /** Epoch milliseconds; only lines at or after it. */
  readonly startTime?: number;
}

/** Process id of lines that belong to no simulation. */
export const PLATFORM_PROCESS_ID = 'platform';

/** Makes the log of a platform. */
export function createLogService(options: {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly onLog?: (line: LogLine) => void;
}): LogService {
  const { bus, clock, onLog } = options;
  const kept: KeptLine[] = [];
  const keep = (line: LogLine, username: string): void => {
    kept.push({ ...line, username });
    if (kept.length > KEPT_LINES + KEPT_LINES / 10) kept.splice(0, kept.length - KEPT_LINES);
  };
  const write = (processId: string, processType: string, topic: string, entry: LogEntry): void => {
    const line: LogLine = {
      source: entry.source,
      processId,
      timestamp: clock.nowMs(),
      logMessage: entry.message,
      logLevel: entry.level ?? 'INFO',
      processStatus: entry.status ?? 'RUNNING',
      storeToDb: true,
      process_type: processType,
    };
    keep(line, PLATFORM_USER);
    bus.send(topic, simulationLog.format(line));
    onLog?.(line);
  };
  return {
    keep: (line, username) => keep({ ...line, timestamp: line.timestamp ?? clock.nowMs() }, username),
    platform: (entry) => write(PLATFORM_PROCESS_ID, 'platform', PLATFORM_LOG_TOPIC, entry),
    simulation: (simulationId, entry) =>
      write(simulationId, SIMULATION_REQUEST_QUEUE, simulationLogTopic(simulationId), entry),
    lines(filter = {}) {
      const { processId, logLevel, processStatus, source, username, startTime } = filter;
      return kept.filter(
        (line) =>
          (processId === undefined || line.processId === processId) &&
          (logLevel === undefined || line.logLevel === logLevel) &&
          (processStatus === undefined || line.processStatus === processStatus) &&
          (source === undefined || line.source === source) &&
          (username === undefined || line.username === username) &&
          (startTime === undefined || (line.timestamp ?? 0) >= startTime),
      );
    },
  };
}
