import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import { makeFolder, usingFolder } from '../../platform/index.js';
import { CLAIM, earlierRun } from './earlier-run.js';

/** A folder that belongs to one run as long as it lasts. */
export interface ResultsFolder {
  readonly path: string;
  /** Gives the claim back; a folder that nothing was written to goes with it, when this run made it. */
  release(): void;
}

const PURPOSE = 'folder of the results';
/** Runs with the same settings that find a folder of their own name. */
const MOST_OF_A_NAME = 10_000;

const claimSchema = z.object({ pid: z.int(), host: z.string() });

/**
 * Makes a folder of its own for one run: `name`, and with a number behind it when that is there already. Runs that start
 * at the same moment get different ones.
 *
 * @throws DecError `BAD_ARGUMENT` when folders cannot be made there
 */
export function newResultsFolder(parent: string, name: string): ResultsFolder {
  makeFolder(parent, PURPOSE);
  for (let number = 1; number <= MOST_OF_A_NAME; number++) {
    const path = join(parent, number === 1 ? name : `${name}-${number}`);
    if (!usingFolder(path, PURPOSE, () => madeAnew(path))) continue;
    claim(path);
    return held(path, true);
  }
  throw new DecError(
    'BAD_ARGUMENT',
    `There are ${MOST_OF_A_NAME} runs named ${name} in ${parent}; name one with --out.`,
  );
}

/**
 * Takes the folder that the user named. An earlier run in it is replaced when the new one has its results.
 *
 * @throws DecError `BAD_ARGUMENT` when it holds something else than a run, or another run is at work in it
 */
export function namedResultsFolder(path: string): ResultsFolder {
  // Told before the run, not after it.
  earlierRun(path);
  const isNew = usingFolder(path, PURPOSE, () => {
    makeFolder(dirname(path), PURPOSE);
    return madeAnew(path);
  });
  claim(path);
  return held(path, isNew);
}

/** Whether the folder was not there and is now. */
function madeAnew(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function claim(path: string): void {
  const file = join(path, CLAIM);
  const content = JSON.stringify({ pid: process.pid, host: hostname() });
  usingFolder(path, PURPOSE, () => {
    try {
      writeFileSync(file, content, { flag: 'wx' });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const holder = holderOf(file);
      if (holder !== undefined) {
        throw new DecError(
          'BAD_ARGUMENT',
          `Another run (${holder}) is at work in ${path}; name another folder with --out. If that run is gone, remove ${file}.`,
          { path, holder },
        );
      }
      // Its run was killed.
      writeFileSync(file, content);
    }
  });
}

/** Who holds a claim; undefined when that process of this machine is gone. */
function holderOf(file: string): string | undefined {
  const { data } = claimSchema.safeParse(jsonOf(file));
  // Written halfway: that run has just begun.
  if (data === undefined) return 'which one is not known yet';
  const name = `process ${data.pid} on ${data.host}`;
  if (data.host !== hostname()) return name;
  try {
    process.kill(data.pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if (codeOf(error) !== 'EPERM') return undefined;
  }
  return name;
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function held(path: string, isOwn: boolean): ResultsFolder {
  return {
    path,
    release() {
      rmSync(join(path, CLAIM), { force: true });
      if (!isOwn) return;
      try {
        rmdirSync(path);
      } catch (error) {
        // Results are in it.
        if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'ENOENT') throw error;
      }
    },
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
