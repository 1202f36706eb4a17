import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

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
  program = 'dec',
  cwd = '.',
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const path = resolve(`dist/bin/${program}.js`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run build" first (npm test does).`);
  return spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { ...process.env, ...environment },
  });
}

/** Runs a command to its end: one after the other in a process that has read the program, or in one of its own. */
export function dec(args: readonly string[], program = 'dec', cwd = '.'): Promise<Finished> {
  if (program !== 'dec' || cwd !== '.') return finish(start(args, program, cwd));
  const turn = last.then(() => resident(args));
  last = turn.catch(() => undefined);
  return turn;
}

let last: Promise<unknown> = Promise.resolve();
let child: ChildProcess | undefined;
const answerSchema = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

/** Asks the process that stays for the commands of this suite; one that ended is replaced for the next command. */
function resident(args: readonly string[]): Promise<Finished> {
  if (!existsSync(resolve('dist/dec/program.js'))) throw new Error('dist is missing: run "npm run build" first.');
  child ??= fork(resolve('tests/system/cli/resident.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const asked = child;
  return new Promise((done, reject) => {
    const ended = (code: number | null): void => {
      child = undefined;
      reject(new Error(`dec ${args.join(' ')} ended its process with ${code}`));
    };
    asked.once('exit', ended);
    asked.once('message', (message) => {
      asked.off('exit', ended);
      const answer = answerSchema.parse(message);
      done({ ...answer, json: () => JSON.parse(answer.stdout) });
    });
    asked.send({ args });
  });
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
