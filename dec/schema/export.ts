import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

/** What `dec export FEEDER WHAT --json` prints: the text itself, or with `--out` the file it went to. */
export const exportSchema = z.strictObject({
  /** Of a run: the feeder that it ran on. */
  feeder: feederRefSchema,
  form: z.enum(['dss', 'cim', 'difference-model']),
  bytes: z.int().nonnegative(),
  text: z.string().exactOptional(),
  file: z.string().exactOptional(),
  findings: z.array(findingSchema),
});
