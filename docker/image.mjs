/*
 * Builds the image from this clone as it stands, installed and built, without any registry:
 *   node docker/image.mjs --tag dec --base node:20-bookworm-slim
 * The base needs Node 20 and nothing else. Packages that only development needs stay outside.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: { tag: { type: 'string', default: 'dec' }, base: { type: 'string', default: 'node:20-bookworm-slim' } },
});

if (!existsSync(join(root, 'dist', 'bin', 'dec.js'))) {
  console.error('dist/bin/dec.js is missing: run "npm ci && npm run build" first.');
  process.exit(2);
}

/** Folders of the packages that the product needs when it runs. */
function packages() {
  const listed = spawnSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, encoding: 'utf8' });
  if (listed.error) throw listed.error;
  const folders = listed.stdout.split('\n').filter((path) => path.includes('node_modules'));
  if (listed.status !== 0 || folders.length === 0) {
    console.error(`npm ls does not name the packages (code ${listed.status}): run "npm ci" first.\n${listed.stderr}`);
    process.exit(2);
  }
  return folders;
}

const context = mkdtempSync(join(tmpdir(), 'dec-image-'));
try {
  const app = join(context, 'opt', 'dec');
  mkdirSync(app, { recursive: true });
  for (const name of ['package.json', 'LICENSE', 'dist', 'inputs'])
    cpSync(join(root, name), join(app, name), { recursive: true });
  for (const folder of packages()) {
    cpSync(folder, join(app, relative(root, folder)), {
      recursive: true,
      // A package's own packages are listed by themselves.
      filter: (path) => !relative(folder, path).startsWith('node_modules'),
    });
  }
  for (const name of ['users', 'outputs']) mkdirSync(join(context, 'var', 'lib', 'dec', name), { recursive: true });
  execFileSync(
    'docker',
    [
      'build',
      '-f',
      join(root, 'docker', 'Dockerfile.built'),
      '-t',
      values.tag,
      '--build-arg',
      `BASE=${values.base}`,
      context,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
} finally {
  rmSync(context, { recursive: true, force: true });
}
