import { type LogLine, type LogRecord, logQuery, type RecentProcess, SIMULATION_REQUEST_QUEUE } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import type { LogService } from './log-service.js';

/** The question of the platform's viewer for recent simulations; the only SQL that is understood. */
const RECENT_PROCESSES = /^\s*select\s+distinct\s*\(?\s*process_id/i;
const RECENT_COUNT = 10;

/** Answers a question for log lines: by their fields, or the recent simulations. @throws DecError for other SQL */
export function answerLogQuery(
  log: LogService,
  body: string,
  destination: string,
): readonly LogRecord[] | readonly RecentProcess[] {
  const query = logQuery.parse(body, destination);
  if (query.query) {
    if (RECENT_PROCESSES.test(query.query)) return recentSimulations(log.lines());
    throw new DecError(
      'UNSUPPORTED',
      'SQL over the log is not supported; ask by source, processId, processStatus, logLevel, username or startTime.',
      { query: query.query },
    );
  }
  const startMs = timeOf(query.startTime);
  const lines = log.lines({
    ...(query.processId ? { processId: query.processId } : {}),
    ...(query.logLevel && query.logLevel !== 'ALL' ? { logLevel: query.logLevel } : {}),
    ...(query.processStatus && query.processStatus !== 'ALL' ? { processStatus: query.processStatus } : {}),
    ...(query.source ? { source: query.source } : {}),
    ...(query.username ? { username: query.username } : {}),
    ...(startMs === undefined ? {} : { startTime: startMs }),
  });
  return lines.map((line, i) => ({
    id: i + 1,
    source: line.source,
    process_id: line.processId,
    process_status: line.processStatus,
    log_level: line.logLevel,
    log_message: line.logMessage,
    timestamp: line.timestamp ?? 0,
    username: line.username,
  }));
}

function recentSimulations(lines: readonly LogLine[]): readonly RecentProcess[] {
  const last = new Map<string, number>();
  for (const { processId, timestamp, process_type } of lines) {
    if (process_type === SIMULATION_REQUEST_QUEUE) last.set(processId, timestamp ?? 0);
  }
  return [...last]
    .sort((a, b) => b[1] - a[1])
    .slice(0, RECENT_COUNT)
    .map(([process_id, timestamp]) => ({ process_id, timestamp }));
}

function timeOf(written: string | number | null | undefined): number | undefined {
  if (written == null || written === '') return undefined;
  const number = Number(written);
  const ms = Number.isFinite(number) ? number : Date.parse(String(written));
  return Number.isFinite(ms) ? ms : undefined;
}
