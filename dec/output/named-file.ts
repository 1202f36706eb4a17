import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, usingFolder } from '../../platform/index.js';

/**
 * Makes the folder of a file that the user named, before the work, so that nobody waits for a result that cannot be written.
 *
 * @param kind - what the file is, for people: `picture`
 * @throws DecError `BAD_ARGUMENT` when the folder is not there and cannot be made
 */
export function prepareFile(path: string, kind: string): void {
  makeFolder(dirname(path), `folder of the ${kind}`);
}

/**
 * Writes a file that the user named.
 *
 * @throws DecError `BAD_ARGUMENT` when something else stands in its place, or nobody may write there
 */
export function writeNamed(path: string, kind: string, content: string): void {
  usingFolder(path, kind, () => writeFileSync(path, content));
}
