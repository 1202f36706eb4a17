import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** What a finished command left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON; throws when there is anything else on it. */
  json(): unknown;
}

/** mRID of the built-in feeder, as its file spells it, is read once from `dec feeders`. */
export const FLAGSHIP = 'ieee123sec_dec';

/** Starts a program of the package as a user would, from its build; in the folder of the project, or in another one. */
export function start(
  args: readonly string[],
  program = 'cli',
  cwd = '.',
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const path = resolve(`dist/dec/${program}.js`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run build" first (npm test does).`);
  return spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { ...process.env, ...environment },
  });
}

/** Runs a command to its end. */
export function dec(args: readonly string[], program = 'cli', cwd = '.'): Promise<Finished> {
  return finish(start(args, program, cwd));
}

/** Waits for the end of a command. */
export function finish(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) }));
  });
}

/** Waits until the output on a stream matches. */
export function until(child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child[stream]?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (pattern.test(text)) resolve(text);
    });
    child.on('close', (code) => reject(new Error(`ended with ${code} before ${pattern}; it wrote: ${text}`)));
  });
}
