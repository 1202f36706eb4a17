import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The interpreter that has the package `dss-python`: `DEC_PYTHON`, else `python3`; undefined where neither has it. */
export function pythonWithOpenDss(): string | undefined {
  const candidate = process.env['DEC_PYTHON'] ?? 'python3';
  const found = spawnSync(candidate, ['-c', 'import dss'], { stdio: 'ignore', timeout: 30_000 });
  return found.status === 0 ? candidate : undefined;
}

/** What OpenDSS found. */
export interface OpenDssSolution {
  readonly converged: boolean;
  readonly iterations: number;
  /** Names as `bus.node`, lower case. */
  readonly nodes: readonly string[];
  /** Node voltages, V, interleaved re/im. */
  readonly volts: readonly number[];
  /** Line-to-neutral base by bus, kV. */
  readonly kvBase: Readonly<Record<string, number>>;
  /** Tap positions by control, counted from the middle of the range. */
  readonly taps: Readonly<Record<string, number>>;
  readonly sections: Readonly<Record<string, readonly number[]>>;
  /** W and var. */
  readonly losses: readonly number[];
}

/** Solves a script with OpenDSS; the commands run after it. */
export function solveWithOpenDss(python: string, script: string, commands: readonly string[]): OpenDssSolution {
  return solveEachWithOpenDss(python, script, [commands])[0]!;
}

/** Solves a script with OpenDSS anew for each list of commands, which run after it. */
export function solveEachWithOpenDss(
  python: string,
  script: string,
  lists: readonly (readonly string[])[],
): readonly OpenDssSolution[] {
  const folder = mkdtempSync(join(tmpdir(), 'dec-opendss-'));
  try {
    const path = join(folder, 'master.dss');
    writeFileSync(path, script);
    const tasks = lists.flatMap((commands) => ['--', path, ...commands]).slice(1);
    const { stdout, stderr } = spawnSync(python, [join(here, 'solve.py'), ...tasks], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout: 120_000,
    });
    const answers: (OpenDssSolution | null)[] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return answers.map((answer) => {
      if (answer === null) throw new Error(`OpenDSS has no answer: ${stderr}`);
      return answer;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
