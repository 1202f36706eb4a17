import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const HEADING = '## Protocol section 7, row by row';
/** Rows of the protocol's table that are must and should; its row of exports is two here. */
const ROWS = { must: 14, should: 14 };

/** Cells of the table under the heading, without its head. */
function rows(): string[][] {
  const page = readFileSync('docs/platform.md', 'utf8');
  const section = page.slice(page.indexOf(HEADING)).split(/\n## /)[0]!;
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| row |'))
    .map((line) => line.split('|').slice(1, -1));
}

/** Titles of tests in a file, as its source has them. */
function titles(test: string): string[] {
  const source = readFileSync(`tests/${test}.test.ts`, 'utf8');
  return [
    ...source.matchAll(/^\s+(?:it|test)\S*\(\s*(['"`])(.*)\1,|^\s+\]\)\((['"`])(.*)\3,|^\s+(['"`])(.*)\5,$/gm),
  ].map((match) => match[2] ?? match[4] ?? match[6]!);
}

describe('the table of the protocol in docs/platform.md', () => {
  it('has every must and every should row', () => {
    const count = (level: string) => rows().filter((cells) => cells[1]!.trim() === level).length;
    expect({ must: count('must'), should: count('should') }).toEqual(ROWS);
  });

  it.each(rows())('names files and tests that are there: %s', (_row, _level, answered, proved) => {
    for (const [, path] of answered!.matchAll(/`([\w-]+(?:\/[\w./-]+)?)`/g))
      expect([path, existsSync(path!)]).toEqual([path, true]);
    const named = [...proved!.matchAll(/`((?:unit|golden|conformance|system)\/[\w./-]+)`|(?<!\*)\*([^*]+)\*(?!\*)/g)];
    expect(named.length).toBeGreaterThan(0);
    let known: readonly string[] = [];
    for (const [, file, title] of named) {
      if (file !== undefined) known = titles(file);
      else expect([title, known.some((one) => one.startsWith(title!))]).toEqual([title, true]);
    }
  });
});
