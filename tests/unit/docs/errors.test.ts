import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Members of a string union as its source file declares it. */
function union(file: string, name: string): string[] {
  const declaration = new RegExp(`export type ${name} =([^;]*);`).exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  return [...declaration.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]!).sort();
}

/** Codes in the first column of the table under a heading. */
function documented(heading: string): string[] {
  const page = readFileSync('docs/errors.md', 'utf8');
  const section = page.slice(page.indexOf(heading)).split(/\n## /)[0]!;
  return [...section.matchAll(/^\| `([A-Z_]+)` +\| \S.* \| \S.* \|$/gm)].map((match) => match[1]!).sort();
}

describe('docs/errors.md', () => {
  it.each([
    ['DecErrorCode', 'grid/math/dec-error.ts', 'Of the product'],
    ['BusErrorCode', 'bus/bus-error.ts', 'Of the bus'],
  ])('has one line with meaning and remedy for every %s and for nothing else', (name, file, heading) => {
    const codes = union(file, name);
    expect(codes.length).toBeGreaterThan(10);
    expect(documented(heading)).toEqual(codes);
  });
});
