import { z } from 'zod';

/** One thing noteworthy about the input: what, where, and what was done about it. */
export const findingSchema = z.strictObject({
  severity: z.enum(['error', 'warning', 'info']),
  code: z.string(),
  message: z.string(),
  class: z.string().exactOptional(),
  mrid: z.string().exactOptional(),
  name: z.string().exactOptional(),
  attribute: z.string().exactOptional(),
  value: z.string().exactOptional(),
  allowed: z.string().exactOptional(),
  file: z.string().exactOptional(),
  line: z.number().exactOptional(),
  count: z.number().exactOptional(),
});

/** The feeder a result is about. */
export const feederRefSchema = z.strictObject({
  name: z.string(),
  /** As the source spells it; empty when the source has none. */
  mrid: z.string(),
});
