/**
 * Address of a file below `dist`: the same from the joined program in `dist/bin`, from the compiled modules, and under a test
 * runner that reads the sources, where threads and other processes are the built ones because they cannot be sources.
 *
 * @param path - below `dist`, e.g. `bin/dec.js`
 */
export function builtUrl(path: string): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? `../dist/${path}` : `../${path}`, import.meta.url);
}
