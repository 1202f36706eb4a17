import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';

/** The file that says what a run left in a folder. */
export const MANIFEST = 'manifest.json';
/** The file by which a run at work holds its folder. */
export const CLAIM = '.dec-run';
/** The file in which a run at work says what it does, for one that goes on when it is killed. */
export const JOURNAL = '.dec-journal';

/** The file in which a run at work says where it can be watched. */
export const LIVE = '.dec-live';

/** Whether a file is there only while its run is at work, or because that run was killed. */
export function isOfWork(name: string): boolean {
  return name === CLAIM || name.startsWith(LIVE) || name.startsWith(JOURNAL);
}

/** What tells a manifest of ours, of any version, from other files of that name. */
const manifestOfRun = z.object({
  runId: z.string(),
  feeder: z.object({ name: z.string(), mrid: z.string() }),
  intervals: z.array(z.unknown()),
  files: z.array(z.string()),
});

/** What the manifest in a folder says of its run; undefined where there is none of ours. @throws as {@link earlierRun} */
export function manifestOf(folder: string): z.infer<typeof manifestOfRun> | undefined {
  if (!contentOf(folder).includes(MANIFEST)) return undefined;
  return manifestOfRun.safeParse(jsonOf(join(folder, MANIFEST))).data;
}

/**
 * The files of an earlier run in a folder: those its manifest lists, and the manifest. None when the folder is new or
 * empty.
 *
 * @throws DecError `BAD_ARGUMENT` when the path is no folder, or a folder with files that are no run of ours
 */
export function earlierRun(folder: string): readonly string[] {
  const present = contentOf(folder);
  if (present.length === 0) return [];
  const manifest = manifestOf(folder);
  if (!manifest) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The folder ${folder} holds files that are no run of dec; name another with --out.`,
      { folder },
    );
  }
  // A name with a folder in it would reach outside of what the run wrote.
  const own = manifest.files.filter((name) => name === basename(name) && present.includes(name));
  return [...own, MANIFEST];
}

/** Removes the files of an earlier run, and no other. @throws as {@link earlierRun} */
export function removeEarlierRun(folder: string): void {
  for (const name of earlierRun(folder)) rmSync(join(folder, name));
}

function contentOf(folder: string): readonly string[] {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) return [];
  if (found.isDirectory()) return readdirSync(folder).filter((name) => !isOfWork(name));
  throw new DecError('BAD_ARGUMENT', `${folder} is a file; name a folder with --out.`, { folder });
}

/** The parsed file; undefined when it is no JSON, which is then no manifest of ours either. */
function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw new DecError(
      'BAD_ARGUMENT',
      `The file ${path} cannot be read; name another folder with --out.`,
      { path },
      {
        cause: error,
      },
    );
  }
}
