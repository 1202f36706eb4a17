import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import { makeFolder } from '../../platform/index.js';

/** What tells the manifest of a series, of any version, from other files of that name. */
const ownManifest = z.object({ kind: z.literal('series'), files: z.array(z.string()) });

/** Name of the file that says what is in the folder. */
export const MANIFEST = 'manifest.json';

/**
 * Makes a folder ready for a series: made where it is not there, emptied of an earlier series. What else is in it stays
 * untouched and is refused. A manifest that says that the series is at work is left in it.
 *
 * @param files - names that the series will write
 * @throws DecError `BAD_ARGUMENT` when it is a file or holds something else
 */
export function claimFolder(path: string, files: readonly string[]): void {
  if (existsSync(path) && !statSync(path).isDirectory()) {
    throw new DecError('BAD_ARGUMENT', `${path} is a file; name a folder with --out.`, { folder: path });
  }
  makeFolder(path, 'folder of the results');
  const present = readdirSync(path);
  if (present.length > 0) {
    const earlier = present.includes(MANIFEST) ? ownManifest.safeParse(jsonOf(join(path, MANIFEST))) : undefined;
    if (!earlier?.success) {
      throw new DecError(
        'BAD_ARGUMENT',
        `The folder ${path} holds files that are no time series of dec; name another with --out.`,
        { folder: path },
      );
    }
    for (const name of earlier.data.files) {
      if (name === basename(name) && present.includes(name)) rmSync(join(path, name));
    }
  }
  const manifest = { kind: 'series', status: 'running', files };
  writeFileSync(join(path, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The parsed file; undefined when it is no JSON, which is then no manifest of ours either. */
function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
