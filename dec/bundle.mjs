/*
 * Joins the compiled modules of the command line and of its threads into few files in dist/bin: a thousand small modules take
 * Node half a second of processor time to find and read, in every process and thread anew. Nothing is rewritten or shortened,
 * so that a stack trace names the functions of the sources. Done when a module or a package has changed since.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'dist/bin');
const mark = join(root, 'dist/bin.sha256');

/** What a process or a thread begins with, by the name of its file in dist/bin. */
const ENTRIES = {
  dec: 'dec/cli.js',
  run_dec_both: 'dec/run-dec-both.js',
  'agents-worker': 'agents/worker.js',
  'audit-worker': 'dec/coordinator/audit-worker.js',
  'model-worker': 'dec/web/model-worker.js',
  'plan-worker': 'dec/coordinator/plan-worker.js',
  'series-thread': 'dec/series/series-thread.js',
  'sparql-worker': 'platform/sparql/sparql-worker.js',
};
/** Packages that stay where they are: one reads its WebAssembly beside itself, the others are large and seldom needed. */
const APART = /^(oxigraph|vega|vega-lite)(\/|$)/;
/** Compiled rooms that the entries are made of. */
const ROOMS = ['agents', 'bus', 'dec', 'grid', 'platform', 'web'];

const digest = createHash('sha256');
for (const room of ROOMS) {
  for (const name of readdirSync(join(root, 'dist', room), { recursive: true, encoding: 'utf8' }).sort()) {
    if (name.endsWith('.js')) digest.update(`${room}/${name}\n`).update(readFileSync(join(root, 'dist', room, name)));
  }
}
digest.update(readFileSync(join(root, 'package-lock.json'))).update(readFileSync(fileURLToPath(import.meta.url)));
const now = digest.digest('hex');

if (!existsSync(bin) || !existsSync(mark) || readFileSync(mark, 'utf8') !== now) {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(root, 'dist', path)])),
    platform: 'node',
    external: APART,
  });
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    // Another build's files may still be read by a program that runs: names go with the content.
    chunkFileNames: 'part-[name]-[hash].js',
  });
  await build.close();
  mkdirSync(bin, { recursive: true });
  const files = new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]));
  files.set('LICENCES.txt', licences(output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))));
  for (const [name, content] of files) writeFileSync(join(bin, name), content);
  for (const name of readdirSync(bin)) if (!files.has(name)) rmSync(join(bin, name));
  writeFileSync(mark, now);
}

/** The licences of the packages whose modules have gone into the files. */
function licences(moduleIds) {
  const folders = new Set(
    moduleIds.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replaceAll('\\', '/'))?.[0] ?? []),
  );
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}`;
  });
  return `Packages that are part of the files beside this one.\n\n${texts.join('\n\n---\n\n')}\n`;
}
