import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The interpreter that has the modules: `DEC_PYTHON`, else `python3`; undefined where neither has them. */
export function pythonWith(...modules: readonly string[]): string | undefined {
  const candidate = process.env['DEC_PYTHON'] ?? 'python3';
  // The field-bus package writes a log file into the current folder when it is imported.
  const cwd = mkdtempSync(join(tmpdir(), 'dec-python-'));
  const found = spawnSync(candidate, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore', timeout: 60_000, cwd });
  rmSync(cwd, { recursive: true, force: true });
  return found.status === 0 ? candidate : undefined;
}

/** What a script of lines `{"item": …, "value": …}` found, by item. */
export type Found = ReadonlyMap<string, unknown>;

/** Runs such a script without blocking; its lines by item, what is no such line left out. */
export function runScript(python: string, args: readonly string[], timeoutMs: number): Promise<Found> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, { timeout: timeoutMs });
    let [out, err] = ['', ''];
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString('utf8');
    });
    child.stderr.on('data', (piece: Buffer) => {
      err += piece.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const found = new Map<string, unknown>();
      for (const line of out.split('\n')) {
        if (!line.startsWith('{"item"')) continue;
        const { item, value }: { item: string; value: unknown } = JSON.parse(line);
        found.set(item, value);
      }
      if (code !== 0) found.set('exception', `exit ${code}: ${err.slice(-500)}`);
      resolve(found);
    });
  });
}
