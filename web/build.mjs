/*
 * Builds the pages of the dashboard into dist/web/site, when something they are made of has changed since: the digest of their
 * sources and of the tools' versions stands beside them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = join(root, 'dist/web/site');
const mark = join(root, 'dist/web/site.sha256');

const digest = createHash('sha256');
const sources = readdirSync(join(root, 'web'), { recursive: true, encoding: 'utf8' }).sort();
for (const name of sources) {
  const path = join(root, 'web', name);
  if (statSync(path).isFile()) digest.update(`${name}\n`).update(readFileSync(path));
}
digest.update(readFileSync(join(root, 'package-lock.json')));
const now = digest.digest('hex');

if (!existsSync(join(site, 'index.html')) || !existsSync(mark) || readFileSync(mark, 'utf8') !== now) {
  const { build } = await import('vite');
  const { svelte, vitePreprocess } = await import('@sveltejs/vite-plugin-svelte');
  await build({
    configFile: false,
    root: join(root, 'web/page'),
    base: './',
    logLevel: 'warn',
    plugins: [svelte({ configFile: false, preprocess: vitePreprocess() })],
    build: {
      outDir: site,
      // A busy machine is no fault of the pages.
      rolldownOptions: { checks: { pluginTimings: false } },
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
  writeFileSync(mark, now);
}
