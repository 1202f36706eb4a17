import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { DecError } from '../../grid/math/index.js';
import { builtUrl } from '../built.js';
import { count } from '../option.js';
import { EXIT, type OutputOptions } from '../terminal.js';

interface BenchOptions extends OutputOptions {
  readonly only?: string;
  readonly quick?: boolean;
  readonly record?: boolean;
  readonly rounds?: number;
  readonly out?: string;
}

/** The benchmarks are a program of their own beside the tests: each side runs in fresh processes. */
const PROGRAM = fileURLToPath(builtUrl('tests/bench/main.js'));

/** Adds `dec bench`. */
export function addBench(program: Command): void {
  program
    .command('bench')
    .description('measure the power flow beside its peers (those that the Python of DEC_PYTHON has)')
    .option('--only <goals>', 'goals of docs/performance.md, separated by commas, e.g. G1,G5')
    .option('--quick', 'a subset of about a minute; ends with 3 when a ratio is below 0.7 of the recorded one')
    .option('--record', 'make the ratios of this run the recorded ones')
    .option('--rounds <n>', 'alternating rounds of both sides (default 4)', count)
    .option('--out <dir>', 'folder of the report (default: outputs/bench)')
    .option('--json', 'print the report as one JSON object instead of the table')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  DEC_PYTHON=venv/bin/python dec bench --only G1')
    .action(async (options: BenchOptions) => {
      process.exitCode = await runBench(options);
    });
}

async function runBench(options: BenchOptions): Promise<number> {
  if (!existsSync(PROGRAM)) {
    throw new DecError('UNSUPPORTED', 'The benchmarks are not part of this installation; run them in a clone.');
  }
  const args = [
    ...(options.only === undefined ? [] : ['--only', options.only]),
    ...(options.quick ? ['--quick'] : []),
    ...(options.record ? ['--record'] : []),
    ...(options.rounds === undefined ? [] : ['--rounds', String(options.rounds)]),
    ...(options.out === undefined ? [] : ['--out', options.out]),
    ...(options.json ? ['--json'] : []),
  ];
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'inherit', options.quiet ? 'ignore' : 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal === 'SIGINT' ? EXIT.cancelled : (code ?? EXIT.internal)));
  });
}
