import { z } from 'zod';
import { LOG_QUERY_QUEUE } from './destination.js';
import { declareMessage, type Immutable } from './message.js';
import { declareReply } from './reply.js';

const text = z.union([z.string(), z.number()]).transform(String).nullish();

const querySchema = z.object({
  /** SQL; of it only the question for recent simulations is understood. */
  query: z.string().nullish(),
  source: text,
  processId: text,
  processStatus: text,
  logLevel: text,
  username: text,
  /** Epoch milliseconds or an ISO date. */
  startTime: z.union([z.string(), z.number()]).nullish(),
});

/** Which log lines are wanted; what is absent, empty or `ALL` does not matter. */
export type LogQuery = Immutable<z.infer<typeof querySchema>>;

/** Question for stored log lines. */
export const logQuery = declareMessage({
  name: 'log query',
  destination: LOG_QUERY_QUEUE,
  schema: querySchema,
  example: { source: 'simulation', processId: '1267312', logLevel: 'INFO', startTime: 1655321830000 },
  moreExamples: {
    'the recent simulations': {
      query: 'SELECT DISTINCT(process_id), timestamp FROM gridappsd.log ORDER BY timestamp DESC LIMIT 10',
    },
  },
});

const recordSchema = z.object({
  id: z.number(),
  source: z.string(),
  process_id: z.string(),
  process_status: z.string(),
  log_level: z.string(),
  log_message: z.string(),
  /** Epoch milliseconds. */
  timestamp: z.number(),
  username: z.string(),
});

/** A stored log line. */
export type LogRecord = Immutable<z.infer<typeof recordSchema>>;

const recentSchema = z.object({ process_id: z.string(), timestamp: z.number() });

/** A simulation with the time of its last line, epoch milliseconds. */
export type RecentProcess = Immutable<z.infer<typeof recentSchema>>;

/** Answer to a question for log lines, oldest first; for the recent simulations, newest first. */
export const logQueryReply = declareReply({
  name: 'log query reply',
  destination: LOG_QUERY_QUEUE,
  schema: z.union([z.array(recordSchema), z.array(recentSchema)]),
  example: [
    {
      id: 1,
      source: 'simulation',
      process_id: '1267312',
      process_status: 'RUNNING',
      log_level: 'INFO',
      log_message: 'incrementing to 3',
      timestamp: 1655321833000,
      username: 'system',
    },
  ],
  moreExamples: { 'the recent simulations': [{ process_id: '1267312', timestamp: 1655321833000 }] },
});
