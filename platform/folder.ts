import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DecError } from '../grid/math/index.js';

/**
 * Makes a folder with those above it; nothing happens when it is there. Level by level, because the recursive form of the
 * run-time does not end where a file system refuses new folders (`/proc`).
 *
 * @param purpose - what the folder is for, as the error names it, e.g. `model store`
 * @throws DecError `BAD_ARGUMENT` when it cannot be made, or something else stands in its place
 */
export function makeFolder(path: string, purpose: string): void {
  usingFolder(path, purpose, () => {
    const missing: string[] = [];
    let at = resolve(path);
    while (statSync(at, { throwIfNoEntry: false }) === undefined && dirname(at) !== at) {
      missing.push(at);
      at = dirname(at);
    }
    if (missing.length === 0 && !statSync(at).isDirectory()) throw notAFolder(path, purpose);
    for (const folder of missing.reverse()) {
      // Another process may have made it meanwhile.
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) mkdirSync(folder);
    }
  });
}

/**
 * Whether a folder is there.
 *
 * @throws DecError `BAD_ARGUMENT` when something else stands in its place, or nobody may look
 */
export function isFolder(path: string, purpose: string): boolean {
  return usingFolder(path, purpose, () => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found && !found.isDirectory()) throw notAFolder(path, purpose);
    return found !== undefined;
  });
}

/**
 * Does something in a folder; what the file system refuses becomes the user's error instead of an internal one.
 *
 * @throws DecError `BAD_ARGUMENT` with the system's reason
 */
export function usingFolder<T>(path: string, purpose: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new DecError(
      'BAD_ARGUMENT',
      `The ${purpose} ${path} cannot be used: ${cause.message}. Name another, or see to its permissions.`,
      { path },
      { cause },
    );
  }
}

function notAFolder(path: string, purpose: string): DecError {
  return new DecError('BAD_ARGUMENT', `The ${purpose} ${path} cannot be used: it is no folder. Name another.`, {
    path,
  });
}
