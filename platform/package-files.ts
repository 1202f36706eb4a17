import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DecError } from '../grid/math/index.js';
import type { ProfileLibrary } from './simulation/scenario.js';

/** The feeder that comes with the package. */
const FLAGSHIP = join('inputs', 'feeder', 'IEEE123Sec.xml');
/** Folder of the profiles that come with the package. */
const PROFILES = join('inputs', 'profiles');
/** Folders between a module and the package's root, at most (`dist/platform`). */
const DEPTH_MAX = 4;

/** Path of the built-in feeder. @throws DecError `FEEDER_DATA` when the package is incomplete */
export function flagshipPath(): string {
  return join(packageRoot(), FLAGSHIP);
}

/** Folder where models are stored unless another is named: the user's data directory. */
export function defaultStoreDir(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const home = homedir();
  if (environment['XDG_DATA_HOME']) return join(environment['XDG_DATA_HOME'], 'dec', 'models');
  if (process.platform === 'win32') {
    return join(environment['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'dec', 'models');
  }
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'dec', 'models');
  return join(home, '.local', 'share', 'dec', 'models');
}

/** The profiles that come with the package by file name without ending: factors over one day. */
export function packageProfiles(): ProfileLibrary {
  const folder = join(packageRoot(), PROFILES);
  const library = new Map<string, readonly number[]>();
  if (!existsSync(folder)) return library;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.csv'))) {
    library.set(basename(file, '.csv'), readProfile(join(folder, file)));
  }
  return library;
}

/** Reads a profile: a header line, then `time,factor` by line. @throws DecError `BAD_ARGUMENT` with file and line */
export function readProfile(path: string): readonly number[] {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/).slice(1);
  return lines.map((line, i) => {
    const factor = Number(line.slice(line.lastIndexOf(',') + 1).trim() || Number.NaN);
    if (Number.isFinite(factor)) return factor;
    throw new DecError('BAD_ARGUMENT', `${path}, line ${i + 2}: "${line}" has no number in its last column.`, {
      file: path,
      line: i + 2,
    });
  });
}

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    if (existsSync(join(folder, FLAGSHIP))) return folder;
    folder = dirname(folder);
  }
  throw new DecError('FEEDER_DATA', `The built-in feeder ${FLAGSHIP} is missing; install the package again.`, {
    file: FLAGSHIP,
  });
}
