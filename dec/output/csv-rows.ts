import { readFileSync } from 'node:fs';

/** Lines of a table of ours as records: no field of it holds a comma, but perhaps a name at the end, of which the first part is told. */
export function csvRows(path: string): Readonly<Record<string, string>>[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = (head ?? '').split(',');
  return lines.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
  });
}
