import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DecError } from '../../grid/math/index.js';
import { builtUrl } from '../built.js';

/** A file of the built pages. */
export interface SiteFile {
  readonly type: string;
  readonly body: Uint8Array;
  /** Its name changes with its content: it may be kept for ever. */
  readonly isNamedByContent: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Pages by path, all in memory: what is asked for is looked up among them and never on the disk. */
export function siteFiles(folder = fileURLToPath(builtUrl('web/site'))): ReadonlyMap<string, SiteFile> {
  if (!statSync(join(folder, 'index.html'), { throwIfNoEntry: false })) {
    throw new DecError('BAD_ARGUMENT', `The pages of the dashboard have not been built (${folder}): npm run build.`, {
      folder,
    });
  }
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name) => {
      const path = join(folder, name);
      const type = TYPES[name.split('.').at(-1) ?? ''];
      if (type === undefined || !statSync(path).isFile()) return [];
      const key = name.replaceAll('\\', '/');
      return [[key, { type, body: readFileSync(path), isNamedByContent: key.startsWith('assets/') }] as const];
    }),
  );
}
