import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonWithOpenDss } from './opendss.js';

const script = join(dirname(fileURLToPath(import.meta.url)), 'answers.py');
const python = pythonWithOpenDss();

/** True where OpenDSS answers. */
export const hasPeer: boolean = python !== undefined;

/** Answers of OpenDSS to a list of tasks (see answers.py). */
export function askPeer(task: 'scripts' | 'apart' | 'currents', items: readonly unknown[]): unknown[] {
  const { status, stdout, stderr } = spawnSync(python ?? '', [script, task], {
    input: JSON.stringify(items),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    timeout: 600_000,
  });
  if (status !== 0) throw new Error(`OpenDSS did not answer: ${stderr}`);
  return JSON.parse(stdout);
}
