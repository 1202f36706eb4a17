import type { GivenFile } from '../index.js';

/** Files that the reader gave to look at; they live as long as the page. */
export const given = $state<{ files: readonly GivenFile[]; problem: string | undefined }>({
  files: [],
  problem: undefined,
});

/** What the server takes at once. */
const LARGEST_BYTES = 60e6;

/** Reads files that were chosen or dropped, and goes to the page that shows them. */
export async function give(list: Iterable<File>): Promise<void> {
  const files = [...list];
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  given.files = [];
  given.problem = undefined;
  if (files.length === 0) return;
  if (bytes > LARGEST_BYTES) given.problem = 'These files are larger than 60 MB: read them with “dec powerflow FILE”.';
  else given.files = await Promise.all(files.map(async (file) => ({ name: file.name, text: await file.text() })));
  location.hash = '#/file';
}
