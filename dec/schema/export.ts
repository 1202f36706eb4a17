import { z } from 'zod';
import { feederRefSchema, findingSchema } from './finding.js';

/** What `dec export FEEDER WHAT --json` prints: the text itself, or with `--out` the file it went to. */
export const exportSchema = z.strictObject({
  feeder: feederRefSchema,
  form: z.enum(['dss', 'cim']),
  bytes: z.int().nonnegative(),
  text: z.string().exactOptional(),
  file: z.string().exactOptional(),
  findings: z.array(findingSchema),
});
