/*
 * The quick check: format and lint, types, and the tests of the project `check`, side by side, since the compiler alone fills
 * one core only. The tests report as they go; what the others say stands after them. Ends with 1 when one of them failed.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The program of a package, as its package.json names it. */
function bin(name, file) {
  return join(dirname(require.resolve(`${name}/package.json`)), file);
}

/** Runs a Node program to its end. */
function run(title, args, stdio) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', stdio, stdio] });
    let said = '';
    child.stdout?.on('data', (part) => (said += part));
    child.stderr?.on('data', (part) => (said += part));
    child.on('error', (error) => resolve({ title, said: error.message, code: 1 }));
    child.on('close', (code) => resolve({ title, said, code: code ?? 1 }));
  });
}

const results = await Promise.all([
  run('format and lint', [bin('@biomejs/biome', 'bin/biome'), 'check', '.'], 'pipe'),
  run('types', [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.json'], 'pipe'),
  run('tests', [bin('vitest', 'vitest.mjs'), 'run', '--project', 'check'], 'inherit'),
]);
for (const { title, said, code } of results) {
  console.log(`== ${title}: ${code === 0 ? 'sound' : `failed (${code})`}`);
  if (said.trim() !== '') console.log(said.trimEnd());
}
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
