import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/*
 * Images without a registry. What runs this test can run in a container too: Node and its libraries are copied into an empty
 * image, and for ActiveMQ, which is some hundred files of Java, the programs of this machine are bound read-only into another.
 */

/** An image with Node and the libraries it is linked with, nothing else. */
export function importNodeImage(tag: string): void {
  withRoot((root) => {
    const node = realpathSync(process.execPath);
    copyInto(root, node, '/usr/bin/node');
    const linked = execFileSync('ldd', [node], { encoding: 'utf8' });
    for (const [, path] of linked.matchAll(/(\/\S+) \(0x/g)) copyInto(root, realpathSync(path!), path!);
    importImage(root, tag, ['ENV PATH=/usr/bin']);
  });
}

/** An image whose programs are those of this machine: containers of it bind {@link HOST_PROGRAMS}. */
export function importHostImage(tag: string): void {
  withRoot((root) => {
    mkdirSync(join(root, 'usr'));
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
    for (const name of ['passwd', 'group', 'nsswitch.conf']) copyInto(root, `/etc/${name}`, `/etc/${name}`);
    importImage(root, tag, []);
  });
}

/** What a container of {@link importHostImage} needs of the machine, read-only. */
export const HOST_PROGRAMS = ['/usr', '/etc/alternatives', '/etc/java-17-openjdk'] as const;

function copyInto(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  copyFileSync(from, join(root, to));
}

function importImage(root: string, tag: string, changes: readonly string[]): void {
  const archive = `${root}.tar`;
  try {
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    execFileSync('docker', ['import', ...changes.flatMap((change) => ['--change', change]), archive, tag]);
  } finally {
    rmSync(archive, { force: true });
  }
}

function withRoot(fill: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'dec-root-'));
  try {
    for (const name of ['etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'var']) mkdirSync(join(root, name));
    execFileSync('chmod', ['1777', join(root, 'tmp')]);
    writeFileSync(join(root, 'etc', 'hosts'), '');
    fill(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
