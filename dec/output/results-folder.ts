import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import { makeFolder, usingFolder } from '../../platform/index.js';
import { CLAIM, earlierRun, JOURNAL, LIVE } from './earlier-run.js';

/** A folder that belongs to one run as long as it lasts. */
export interface ResultsFolder {
  readonly path: string;
  /** Gives the claim back; a folder that nothing was written to goes with it, when this run made it. */
  release(): void;
}

const PURPOSE = 'folder of the results';
/** Runs with the same settings that find a folder of their own name. */
const MOST_OF_A_NAME = 10_000;

/** A run shows that it lives by the time of its claim; on another machine, or in another container, nothing else is seen of it. */
const SIGN_MS = 2_000;
/** Without a sign for so long, a run elsewhere is taken as gone. */
const GONE_AFTER_MS = 15_000;
/** Claims of this process. */
const claims = new Set<string>();

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
 * Takes the folder of a run of this name that was killed and has left its journal; undefined when there is none.
 *
 * @throws DecError `BAD_ARGUMENT` when folders cannot be read there
 */
export function abandonedFolder(parent: string, name: string): ResultsFolder | undefined {
  for (let number = 1; number <= MOST_OF_A_NAME; number++) {
    const path = join(parent, number === 1 ? name : `${name}-${number}`);
    if (!existsSync(path)) return undefined;
    if (!existsSync(join(path, JOURNAL)) || holderOf(join(path, CLAIM)) !== undefined) continue;
    claim(path);
    return held(path, true);
  }
  return undefined;
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

/** Who is at work in a folder of results; undefined when nobody is. */
export function runAtWork(path: string): string | undefined {
  const file = join(path, CLAIM);
  return existsSync(file) ? holderOf(file) : undefined;
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
  usingFolder(path, PURPOSE, () => {
    try {
      writeFileSync(file, content(), { flag: 'wx' });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const holder = holderOf(file);
      if (holder !== undefined) {
        throw new DecError(
          'BAD_ARGUMENT',
          `Another run (${holder}) is at work in ${path}; name another folder with --out. If that run is gone, try again in ${GONE_AFTER_MS / 1000} s.`,
          { path, holder },
        );
      }
      // Its run was killed.
      writeFileSync(file, content());
    }
  });
}

function content(): string {
  return JSON.stringify({ pid: process.pid, host: hostname() });
}

/** Who holds a claim; undefined when that process is gone. */
function holderOf(file: string): string | undefined {
  const { data } = claimSchema.safeParse(jsonOf(file));
  // Written halfway: that run has just begun.
  if (data === undefined) return 'which one is not known yet';
  const name = `process ${data.pid} on ${data.host}`;
  if (data.host !== hostname()) return silenceOf(file) < GONE_AFTER_MS ? name : undefined;
  // In a container that was started again this process has the number of the one that was killed.
  if (data.pid === process.pid) return claims.has(file) ? name : undefined;
  try {
    process.kill(data.pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if (codeOf(error) !== 'EPERM') return undefined;
  }
  return name;
}

/** Time since the last sign of a claim's holder, by the clock of the file system, which both see. */
function silenceOf(file: string): number {
  const probe = `${file}.${process.pid}`;
  writeFileSync(probe, '');
  try {
    return statSync(probe).mtimeMs - statSync(file).mtimeMs;
  } finally {
    rmSync(probe, { force: true });
  }
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
  const file = join(path, CLAIM);
  claims.add(file);
  const signs = setInterval(() => {
    try {
      writeFileSync(file, content(), { flag: 'r+' });
    } catch {
      // Somebody removed the claim, or the folder: the results say what is wrong when they are written.
    }
  }, SIGN_MS).unref();
  return {
    path,
    release() {
      clearInterval(signs);
      claims.delete(file);
      rmSync(file, { force: true });
      rmSync(join(path, LIVE), { force: true });
      const left = existsSync(path) ? readdirSync(path).filter((name) => name.startsWith(JOURNAL)) : [];
      for (const name of left) rmSync(join(path, name), { force: true });
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
