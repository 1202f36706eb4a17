import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const candidate =
  process.env['DEC_FEEDERS'] ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'shared', 'feeders');

/** Folder of the public feeders, or undefined where it is not at hand; suites that need it are then skipped. */
export const feedersDir: string | undefined = existsSync(candidate) ? candidate : undefined;
