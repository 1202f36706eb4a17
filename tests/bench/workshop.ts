import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Root of the project: the folder with package.json above this file, built or not. */
export const root = [join(here, '..', '..'), join(here, '..', '..', '..')].find((dir) =>
  existsSync(join(dir, 'package.json')),
)!;

/** A package of the peers: the program that times it and the module it needs. */
export interface Peer {
  readonly name: string;
  readonly program: string;
  readonly module: string;
}

export const OPENDSS: Peer = { name: 'OpenDSS', program: 'opendss-peer.py', module: 'dss' };
export const POWER_GRID_MODEL: Peer = {
  name: 'power-grid-model',
  program: 'power-grid-model-peer.py',
  module: 'power_grid_model',
};

export const OSQP: Peer = { name: 'OSQP', program: 'osqp-peer.py', module: 'osqp, scipy' };

/** What a child leaves behind: times, version and whatever its kind adds. */
export interface ChildResult {
  readonly version: string;
  readonly seconds: readonly number[];
  /** The same in processor time of all threads: what a loaded machine disturbs less. */
  readonly cpu?: readonly number[];
  readonly [key: string]: unknown;
}

/** A folder for jobs and their results, and the two ways of having one done. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'dec-bench-'));
  /** Interpreter for the peers. */
  readonly python = process.env['DEC_PYTHON'] ?? 'python3';
  private readonly present = new Map<string, boolean>();
  private count = 0;

  /** Writes a file for a job; returns its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  hasPeer(peer: Peer): boolean {
    const known = this.present.get(peer.module);
    if (known !== undefined) return known;
    const program = join(root, 'tests', 'bench', peer.program);
    const found =
      existsSync(program) &&
      spawnSync(this.python, ['-c', `import ${peer.module}`], { stdio: 'ignore', timeout: 60_000 }).status === 0;
    this.present.set(peer.module, found);
    return found;
  }

  /** Runs our side in a process of its own, with the collector at hand. */
  ours(job: object): ChildResult {
    return this.run(process.execPath, ['--expose-gc', join(here, 'subject.js')], job);
  }

  /** Runs a peer in a process of its own. */
  peer(peer: Peer, job: object): ChildResult {
    return this.run(this.python, [join(root, 'tests', 'bench', peer.program)], job);
  }

  private run(program: string, args: readonly string[], job: object): ChildResult {
    const jobFile = this.file(`job${++this.count}.json`, JSON.stringify(job));
    const resultFile = join(this.folder, `result${this.count}.json`);
    const child = spawnSync(program, [...args, jobFile, resultFile], { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (child.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${child.status}: ${child.stderr}`);
    return JSON.parse(readFileSync(resultFile, 'utf8'));
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
