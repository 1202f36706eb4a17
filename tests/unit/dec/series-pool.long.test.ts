import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SeriesPool, solveSeries } from '../../../dec/series/index.js';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { runSeries, SERIES_DEFAULTS, type SeriesSettings } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { busyFeeder } from '../../property/flow/busy-feeder.js';

const settingsOf = (change: Partial<SeriesSettings> = {}): SeriesSettings => ({
  ...SERIES_DEFAULTS,
  mode: 'daily',
  stepS: 300,
  steps: 300,
  keptNodes: [0, 4],
  ...change,
});

/** A feeder that no source feeds, which cannot be compiled. */
function sourceless(): Feeder {
  const { feeder } = readDss(
    'f.dss',
    new DssFileSet([['f.dss', 'new circuit.c basekv=12.47\nnew load.l bus1=sourcebus kv=12.47 kw=100']]),
  );
  return { ...feeder, sources: [] };
}

/** All that a series says, as text: numbers to the last bit, the open violations among them. */
async function told(feeder: Feeder, settings: SeriesSettings, workers: number, pool?: SeriesPool): Promise<string> {
  const chunks: unknown[] = [];
  const { report, open } = await solveSeries(feeder, settings, {
    workers,
    ...(pool ? { pool } : {}),
    onChunk: ({ powers, nodes }) => chunks.push([...powers.lossW], [...nodes.kept]),
  });
  return JSON.stringify({ report, open, chunks });
}

describe('workers that stay ready between series', () => {
  const pool = new SeriesPool(2);
  const folder = mkdtempSync(join(tmpdir(), 'dec-pool-'));
  afterAll(async () => {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const feeder = busyFeeder();
  const other = busyFeeder('new load.more bus1=c kv=12.47 kw=300 kvar=100 daily=two');

  it('give the figures of a series without workers, whose pieces have memory of their own', async () => {
    const settings = settingsOf({ steps: 1200 });
    const expected = JSON.stringify(runSeries(feeder, settings));
    for (const workers of [1, 2]) {
      const { report } = await solveSeries(feeder, settings, { workers, pool });
      expect(JSON.stringify(report) === expected, `${workers} workers`).toBe(true);
    }
  });

  it('give the same bits as workers of each series alone, whatever they did before', async () => {
    const series: readonly (readonly [string, Feeder, SeriesSettings])[] = [
      ['first', feeder, settingsOf()],
      ['prefix', feeder, settingsOf({ steps: 120 })],
      ['other times', feeder, settingsOf({ stepS: 900, steps: 150, startS: 7200, mode: 'yearly' })],
      ['other multipliers', feeder, settingsOf({ steps: 120, loadMultiplier: 0.8, pvMultiplier: 1.3 })],
      ['delays on the clock', feeder, settingsOf({ controlMode: 'time' })],
      ['other tolerance', feeder, settingsOf({ tolerancePu: 1e-6, controlMode: 'time' })],
      ['other feeder', other, settingsOf({ steps: 150 })],
      ['first again', feeder, settingsOf()],
    ];
    for (const [name, on, settings] of series) {
      const expected = await told(on, settings, 1);
      for (const workers of [2, 1]) {
        expect((await told(on, settings, workers, pool)) === expected, `${name}, ${workers} workers`).toBe(true);
      }
    }
  });

  it('serve again after a series was cancelled in the middle', async () => {
    const settings = settingsOf();
    const expected = await told(feeder, settings, 1);
    for (const chunk of [1, 3]) {
      const cancel = new AbortController();
      const { report } = await solveSeries(feeder, settings, {
        workers: 2,
        pool,
        signal: cancel.signal,
        onChunk: (result) => {
          if (result.chunk === chunk) cancel.abort();
        },
      });
      expect(report.status).toBe('cancelled');
      expect(report.steps).toBeLessThan(settings.steps);
      expect((await told(feeder, settings, 2, pool)) === expected).toBe(true);
    }
  });

  it('serve again after a series has failed', async () => {
    const settings = settingsOf();
    const expected = await told(feeder, settings, 1);
    await expect(told(sourceless(), settings, 2, pool)).rejects.toMatchObject({ name: 'DecError', code: 'NO_SOURCE' });
    expect((await told(feeder, settings, 2, pool)) === expected).toBe(true);
    const full = solveSeries(feeder, settings, {
      workers: 2,
      pool,
      onChunk: () => {
        throw new Error('no space left');
      },
    });
    await expect(full).rejects.toThrow('no space left');
    expect((await told(feeder, settings, 2, pool)) === expected).toBe(true);
  });

  it('do series that are asked for at once one after the other', async () => {
    const settings = settingsOf({ steps: 150 });
    const expected = [await told(feeder, settings, 1), await told(other, settings, 1)];
    const found = await Promise.all([told(feeder, settings, 2, pool), told(other, settings, 2, pool)]);
    expect(found.map((text, k) => text === expected[k])).toEqual([true, true]);
  });

  it('end a series under way, and refuse further ones, when they are closed', async () => {
    const closing = new SeriesPool(2);
    const underWay = solveSeries(feeder, settingsOf(), {
      workers: 2,
      pool: closing,
      onChunk: () => {
        void closing.close();
      },
    });
    const waiting = told(feeder, settingsOf(), 2, closing);
    const cancelled = { name: 'DecError', code: 'CANCELLED' };
    await Promise.all([
      expect(underWay).rejects.toMatchObject(cancelled),
      expect(waiting).rejects.toMatchObject(cancelled),
    ]);
    await closing.close();
    await expect(told(feeder, settingsOf(), 1, closing)).rejects.toMatchObject(cancelled);
  });

  it.each([
    ['is closed', 'await pool.close();'],
    ['is idle', ''],
  ])('let the process end when the pool %s', (_, last) => {
    const at = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href);
    const program = `
      import { SeriesPool, solveSeries } from ${at('dec/series/index.js')};
      import { SERIES_DEFAULTS } from ${at('grid/flow/index.js')};
      import { DssFileSet, readDss } from ${at('grid/dss/index.js')};
      const text = 'new circuit.c basekv=12.47\\nnew load.l bus1=sourcebus kv=12.47 kw=100';
      const { feeder } = readDss('f.dss', new DssFileSet([['f.dss', text]]));
      const pool = new SeriesPool(2);
      const settings = { ...SERIES_DEFAULTS, mode: 'daily', stepS: 300, steps: 300 };
      const { workers } = await solveSeries(feeder, settings, { workers: 2, pool });
      ${last}
      console.log(workers);
    `;
    const file = join(folder, 'program.mjs');
    writeFileSync(file, program);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 });
    expect([status, stdout.trim(), stderr]).toEqual([0, '2', '']);
  });
});
