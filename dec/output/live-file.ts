import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LIVE } from './earlier-run.js';
import { runAtWork } from './results-folder.js';

const schema = z.object({
  /** Name of the run on its bus. */
  runId: z.string().min(1),
  broker: z.object({ host: z.string(), port: z.int(), isSecure: z.boolean() }),
  feeder: z.object({ name: z.string(), mrid: z.string() }),
  fairness: z.string(),
  intervals: z.int().nonnegative(),
  /** Simulated start, epoch seconds. */
  startTime: z.number(),
});

/** Where a run at work can be watched, and what it is. It holds no password. */
export type LiveFile = z.infer<typeof schema>;

/** Says in a run's folder where it can be watched. The folder's claim takes it away. */
export function writeLiveFile(folder: string, content: LiveFile): void {
  const path = join(folder, LIVE);
  // Whole or not at all, for whoever looks meanwhile.
  writeFileSync(`${path}.new`, JSON.stringify(content));
  renameSync(`${path}.new`, path);
}

/** The run at work in a folder; undefined when there is none, or it cannot be watched. */
export function liveFile(folder: string): (LiveFile & { readonly writtenMs: number }) | undefined {
  const path = join(folder, LIVE);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || runAtWork(folder) === undefined) return undefined;
  try {
    const { data } = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return data && { ...data, writtenMs: found.mtimeMs };
  } catch {
    // Its run has just ended.
    return undefined;
  }
}
