import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { namedResultsFolder, newResultsFolder, writeRun } from '../../../../dec/output/index.js';
import { runResult } from '../../../builders/run-result.js';

const EXTRAS = { name: 'built', inputs: [], versions: { dec: '0.1.0' }, seed: 1 };

describe('the folder that a run gets', () => {
  let parent = '';
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'dec-results-'));
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  it('is a new one each time: the name, then the name with a number', () => {
    const folders = [1, 2, 3].map(() => newResultsFolder(join(parent, 'outputs'), 'ours_2026-04-21T1000_ab12cd'));
    expect(folders.map(({ path }) => path)).toEqual(
      ['', '-2', '-3'].map((end) => join(parent, 'outputs', `ours_2026-04-21T1000_ab12cd${end}`)),
    );
    for (const folder of folders) folder.release();
  });

  it('is not the one that something else has already, which stays as it is', () => {
    mkdirSync(join(parent, 'run'));
    writeFileSync(join(parent, 'run', 'thesis.txt'), 'mine');
    writeFileSync(join(parent, 'run-2'), 'a file');
    expect(newResultsFolder(parent, 'run').path).toBe(join(parent, 'run-3'));
    expect(readdirSync(join(parent, 'run'))).toEqual(['thesis.txt']);
  });

  it('goes again when the run wrote nothing, and stays with what it wrote', async () => {
    const empty = newResultsFolder(parent, 'run');
    empty.release();
    expect(existsSync(empty.path)).toBe(false);
    const used = newResultsFolder(parent, 'run');
    await writeRun(runResult(), used.path, EXTRAS);
    used.release();
    expect(readdirSync(used.path)).toContain('manifest.json');
    expect(readdirSync(used.path).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is held against a second run that names the same one, until the first is done', async () => {
    const path = join(parent, 'a', 'mine');
    const first = namedResultsFolder(path);
    expect(() => namedResultsFolder(path)).toThrow(new RegExp(`process ${process.pid} on .* is at work in`));
    await writeRun(runResult(), path, EXTRAS);
    first.release();
    const second = namedResultsFolder(path);
    expect(readdirSync(path)).toContain('manifest.json');
    second.release();
    // What the first run left stays until the second one has its own results.
    expect(readdirSync(path)).toContain('manifest.json');
  });

  it('is free again when the run that held it was killed', () => {
    const path = join(parent, 'mine');
    mkdirSync(path);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(path, '.dec-run'), JSON.stringify({ pid, host: hostname() }));
    namedResultsFolder(path).release();
    expect(readdirSync(path)).toEqual([]);
  });

  it('is free again when a container of another name, or of this process number, is gone without a word', () => {
    const path = join(parent, 'mine');
    mkdirSync(path);
    const file = join(path, '.dec-run');
    writeFileSync(file, JSON.stringify({ pid: 1, host: 'another' }));
    expect(() => namedResultsFolder(path)).toThrow(/process 1 on another.*try again in 15 s/);
    const longAgo = new Date(Date.now() - 16_000);
    utimesSync(file, longAgo, longAgo);
    namedResultsFolder(path).release();
    mkdirSync(path, { recursive: true });
    writeFileSync(file, JSON.stringify({ pid: process.pid, host: hostname() }));
    namedResultsFolder(path).release();
    expect(existsSync(file)).toBe(false);
  });

  it('shows every two seconds that its run lives', () => {
    vi.useFakeTimers();
    try {
      const folder = namedResultsFolder(join(parent, 'mine'));
      const file = join(folder.path, '.dec-run');
      const longAgo = new Date(Date.now() - 16_000);
      utimesSync(file, longAgo, longAgo);
      vi.advanceTimersByTime(2_000);
      expect(statSync(file).mtimeMs).toBeGreaterThan(longAgo.getTime() + 10_000);
      // A claim that somebody removed is not made again.
      rmSync(file);
      vi.advanceTimersByTime(2_000);
      expect(existsSync(file)).toBe(false);
      folder.release();
    } finally {
      vi.useRealTimers();
    }
  });

  it('is refused when it holds something else or cannot be made', () => {
    writeFileSync(join(parent, 'thesis.txt'), 'mine');
    expect(() => namedResultsFolder(parent)).toThrow(/no run of dec/);
    expect(() => namedResultsFolder(join(parent, 'thesis.txt'))).toThrow(/is a file/);
    expect(() => newResultsFolder(join(parent, 'thesis.txt'), 'run')).toThrow(/it is no folder/);
    expect(readdirSync(parent)).toEqual(['thesis.txt']);
  });
});
