import { z } from 'zod';
import { TIME_SERIES_QUEUE } from './destination.js';
import { declareMessage, type Immutable, identifier, numeric } from './message.js';
import { declareReply } from './reply.js';

const value = z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))]);
const condition = z.object({
  key: z.string(),
  eq: value.exactOptional(),
  ge: z.union([z.string(), z.number()]).exactOptional(),
  le: z.union([z.string(), z.number()]).exactOptional(),
});

/** One condition on a column; times in epoch seconds. */
export type TimeSeriesCondition = Immutable<z.infer<typeof condition>>;

/** The newer form is a list of conditions; the older one an object, whose startTime and endTime bound `time`. */
const filterSchema = z.union([
  z.array(condition),
  z.record(z.string(), value.nullish()).transform((filter): z.infer<typeof condition>[] =>
    Object.entries(filter).flatMap(([key, wanted]): z.infer<typeof condition>[] => {
      if (wanted === null || wanted === undefined || wanted === '') return [];
      if (Array.isArray(wanted)) return [{ key, eq: wanted }];
      if (key === 'startTime') return [{ key: 'time', ge: wanted }];
      return key === 'endTime' ? [{ key: 'time', le: wanted }] : [{ key, eq: wanted }];
    }),
  ),
]);

/** How many rows: a whole number from 1 on, or its text; nothing and an empty text ask for all. */
const count = z
  .union([z.number(), z.string()], { error: 'a whole number of rows expected' })
  .nullish()
  .transform((written, context) => {
    if (written === null || written === undefined || written === '') return undefined;
    const value = typeof written === 'string' && written.trim() === '' ? Number.NaN : Number(written);
    if (Number.isInteger(value) && value >= 1) return value;
    context.addIssue({ code: 'custom', message: `a whole number of rows from 1 on expected, "${written}" received` });
    return z.NEVER;
  });

const requestSchema = z.object({
  queryMeasurement: z.string(),
  queryFilter: filterSchema.nullish().transform((filter) => filter ?? []),
  selectCriteria: z
    .array(z.string())
    .nullish()
    .transform((list) => list ?? []),
  /** Only so many rows, the oldest or the latest. */
  first: count,
  last: count,
  responseFormat: z.string().nullish(),
});

/** A question for stored measurements. */
export type TimeSeriesQuery = Immutable<z.infer<typeof requestSchema>>;

/** Question to the time-series service. */
export const timeSeriesQuery = declareMessage({
  name: 'time series query',
  destination: TIME_SERIES_QUEUE,
  schema: requestSchema,
  example: {
    queryMeasurement: 'simulation',
    queryFilter: {
      simulation_id: '1267312',
      startTime: '1655321830',
      endTime: '1655321860',
      measurement_mrid: ['_0a2d1460-0def-479a-9f66-a7963a5619de'],
    },
    responseFormat: 'JSON',
  },
});

const rowSchema = z.looseObject({
  hasSimulationMessageType: z.string().exactOptional(),
  measurement_mrid: identifier.exactOptional(),
  magnitude: numeric.exactOptional(),
  angle: numeric.exactOptional(),
  value: numeric.exactOptional(),
  simulation_id: identifier.exactOptional(),
  time: numeric.exactOptional(),
});

/** One stored measurement or one difference that was sent. */
export type TimeSeriesRow = Immutable<z.infer<typeof rowSchema>>;

/** Answer of the time-series service. */
export const timeSeriesReply = declareReply({
  name: 'time series reply',
  destination: TIME_SERIES_QUEUE,
  schema: z.array(rowSchema),
  example: [
    {
      hasSimulationMessageType: 'OUTPUT',
      measurement_mrid: '_0a2d1460-0def-479a-9f66-a7963a5619de',
      magnitude: 2435.15,
      angle: -151.32,
      simulation_id: '1267312',
      time: 1655321833,
    },
  ],
});
