import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** What the numbers were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Mean load of the last minute, before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly governor: string;
  readonly node: string;
  readonly platform: string;
}

const GOVERNOR = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor';

/** Load of the last minute. */
export function load(): number {
  return Math.round(loadavg()[0]! * 100) / 100;
}

/** The fingerprint. @param loadBefore - as {@link load} gave it at the start */
export function machine(loadBefore: number): Machine {
  const list = cpus();
  return {
    cpu: list[0]?.model ?? 'unknown',
    cores: list.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadBefore,
    loadAfter: load(),
    governor: existsSync(GOVERNOR) ? readFileSync(GOVERNOR, 'utf8').trim() : 'not readable',
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Short commit of the working tree, with a mark when files differ from it; `unknown` outside a repository. */
export function commit(root: string): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '-uno') === '' ? '' : '-changed'}`;
  } catch {
    // A package that was installed has no repository about it.
    return 'unknown';
  }
}
