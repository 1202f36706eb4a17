import { z } from 'zod';

/** One thing noteworthy about the input: what, where, and what was done about it. */
export const findingSchema = z.strictObject({
  severity: z.enum(['error', 'warning', 'info']),
  code: z.string(),
  message: z.string(),
  class: z.string().optional(),
  mrid: z.string().optional(),
  name: z.string().optional(),
  attribute: z.string().optional(),
  value: z.string().optional(),
  allowed: z.string().optional(),
  file: z.string().optional(),
  line: z.number().optional(),
  count: z.number().optional(),
});

/** The feeder a result is about. */
export const feederRefSchema = z.strictObject({
  name: z.string(),
  /** As the source spells it; empty when the source has none. */
  mrid: z.string(),
});
