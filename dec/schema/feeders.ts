import { z } from 'zod';
import { findingSchema } from './finding.js';

/** Number of elements by kind. */
const counts = z.record(z.string(), z.int().nonnegative());

/** What `dec feeders --json` prints. */
export const feedersSchema = z.strictObject({
  /** Folder of the model store. */
  store: z.string(),
  feeders: z.array(
    z.strictObject({
      name: z.string(),
      mrid: z.string(),
      counts,
      /** Number of errors that validation finds; a feeder with errors is kept but cannot be computed. */
      errors: z.int().nonnegative(),
      /** `built in`, or the files it was read from. */
      origin: z.string(),
    }),
  ),
  /** Why models of the store could not be listed. */
  problems: z.array(z.string()),
});

/** What `dec ingest --json` prints. */
export const ingestSchema = z.strictObject({
  store: z.string(),
  feeders: z.array(
    z.strictObject({
      name: z.string(),
      mrid: z.string(),
      status: z.enum(['added', 'updated', 'unchanged']),
      counts,
      /** Folder the files lie in; feeders of the same files share it. */
      folder: z.string(),
      findings: z.array(findingSchema),
    }),
  ),
});

/** The list of feeders as it is printed. */
export type FeedersOutput = z.infer<typeof feedersSchema>;
/** The outcome of an ingestion as it is printed. */
export type IngestOutput = z.infer<typeof ingestSchema>;
