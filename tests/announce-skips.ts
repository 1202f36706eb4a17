import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { feedersDir } from './feeders.js';

const here = dirname(fileURLToPath(import.meta.url));

/** Before the first test: says which files skip tests because the public feeders are not at hand. */
export default function announceSkips(): void {
  if (feedersDir !== undefined) return;
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && /\bskipIf\(/.test(readFileSync(join(here, name), 'utf8')))
    .map((name) => relative('.', join(here, name)))
    .sort();
  process.stderr.write(
    `The public feeders are not at hand (DEC_FEEDERS is not set, ../shared/feeders does not exist). Skipped are the tests that need them in:\n${files.map((name) => `  ${name}\n`).join('')}`,
  );
}
