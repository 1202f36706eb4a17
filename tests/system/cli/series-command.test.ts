import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriesManifestSchema, seriesSchema } from '../../../dec/schema/index.js';
import { dec, FLAGSHIP, finish, start } from './dec.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-series-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A line with a load on a profile of four hours, as a script. */
function script(): string {
  const path = join(folder, 'small.dss');
  const lines = [
    'new circuit.small basekv=12.47 mvasc3=2000 mvasc1=2000',
    'new loadshape.s npts=4 interval=1 mult=[1 2 3 4]',
    'new linecode.o r1=2 x1=2 r0=2 x0=2',
    'new line.l bus1=sourcebus bus2=b linecode=o length=1',
    'new load.l bus1=b kv=12.47 kw=1000 kvar=500 daily=s yearly=s vminpu=0.5',
    'set voltagebases=[12.47]',
    'calcv',
    'solve mode=daily number=8 stepsize=1h',
  ];
  writeFileSync(path, lines.join('\n'));
  return path;
}

async function rows(dir: string, name: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(join(dir, name));
  return parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
}

describe('dec series', () => {
  it('solves a day of a CIM feeder with the profiles of the project and says so', async () => {
    const { code, stderr, json } = await dec(['series', FLAGSHIP, '--json']);
    const report = seriesSchema.parse(json());
    expect([code, stderr]).toEqual([0, '']);
    expect([report.mode, report.steps, report.stepSeconds]).toEqual(['daily', 96, 900]);
    expect(report.findings.filter(({ code: kind }) => kind === 'PROFILE_ASSIGNED')).toHaveLength(2);
    const { source, loadWh, generationWh, lossesWh } = report;
    expect(Math.abs(source.energyWh - loadWh - lossesWh + generationWh)).toBeLessThan(1e-6 * loadWh);
  });

  it('solves what an OpenDSS script asks for and writes it as Parquet', async () => {
    const out = join(folder, 'out');
    const first = await dec(['series', script(), '--out', out, '--nodes', 'b,sourcebus.1', '--json']);
    const report = seriesSchema.parse(first.json());
    expect([first.code, report.steps, report.stepSeconds]).toEqual([0, 8, 3600]);
    const manifest = seriesManifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect([manifest.status, manifest.steps]).toEqual(['completed', 8]);
    for (const file of manifest.files) expect(existsSync(join(out, file)), file).toBe(true);
    const steps = await rows(out, 'steps.parquet');
    expect(steps.map((row) => Math.round(Number(row['load_w']) / 1000))).toEqual([
      1000, 2000, 3000, 4000, 1000, 2000, 3000, 4000,
    ]);
    const voltages = await rows(out, 'voltages.parquet');
    expect(Object.keys(voltages[0]!)).toEqual(['step', 'time_h', 'SOURCEBUS.1', 'B.1', 'B.2', 'B.3']);
    const lowest = Math.min(...voltages.map((row) => Number(row['B.1'])));
    expect(report.nodes.find(({ bus, node }) => bus === 'B' && node === 1)!.minPu).toBe(lowest);
    const violations = await rows(out, 'violations.parquet');
    expect(violations.map((row) => [row['bus'], row['node'], row['kind'], row['start_h'], row['duration_h']])).toEqual(
      [2, 6].flatMap((hour) => [1, 2, 3].map((node) => ['B', node, 'under', hour, 2])),
    );
    // The same folder again: the earlier series is replaced.
    expect((await dec(['series', script(), '--out', out, '--quiet'])).code).toBe(0);
    expect(existsSync(join(out, 'voltages.parquet'))).toBe(false);
  });

  it('gives the same result with one and with two workers, in any thread', async () => {
    const args = ['series', FLAGSHIP, '--step', '5m', '--steps', '200', '--json', '--workers'];
    const [one, two] = await Promise.all([dec([...args, '1']), dec([...args, '2'])]);
    expect(one.code).toBe(0);
    expect(one.stdout === two.stdout).toBe(true);
  });

  it('follows the profiles of a file and refuses one that it cannot read, with file and line', async () => {
    const path = join(folder, 'half.csv');
    const hours = Array.from({ length: 24 }, (_, h) => `${String(h).padStart(2, '0')}:00,0.5`);
    writeFileSync(path, ['time,load_pu', ...hours].join('\n'));
    const { json } = await dec([
      'series',
      FLAGSHIP,
      '--profiles',
      path,
      '--step',
      '1h',
      '--pv-multiplier',
      '0',
      '--json',
    ]);
    const { loadWh } = seriesSchema.parse(json());
    // inputs/README.md: 3490 kW of constant power.
    expect(loadWh / (3_490_000 * 0.5 * 24)).toBeCloseTo(1, 3);
    writeFileSync(path, 'time,load_pu\n00:00,0.5\n01:00,much\n');
    const { code, stderr } = await dec(['series', FLAGSHIP, '--profiles', path]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${path}:`);
  });

  it('leaves a valid part when it is interrupted', async () => {
    const out = join(folder, 'part');
    const child = start([
      'series',
      FLAGSHIP,
      '--mode',
      'yearly',
      '--step',
      '1m',
      '--out',
      out,
      '--json',
      '--workers',
      '1',
    ]);
    const ended = finish(child);
    const path = join(out, 'steps.parquet');
    const waitedUntil = Date.now() + 60_000;
    while (!existsSync(path) && Date.now() < waitedUntil) await new Promise((resolve) => setTimeout(resolve, 100));
    // Rows are written by the ten thousand; thousands of steps are done in this time, and of half a million no more than a part.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    child.kill('SIGINT');
    const { code, json } = await ended;
    const report = seriesSchema.parse(json());
    expect([code, report.status]).toEqual([4, 'cancelled']);
    expect(report.steps).toBeGreaterThan(0);
    expect(report.steps).toBeLessThan(report.stepsWanted);
    const manifest = seriesManifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect([manifest.status, manifest.steps]).toEqual(['cancelled', report.steps]);
    expect(await rows(out, 'steps.parquet')).toHaveLength(report.steps);
  }, 120_000);

  it('refuses a folder with other files, nodes that are not there, and nodes without a folder', async () => {
    writeFileSync(join(folder, 'note.txt'), 'mine');
    expect((await dec(['series', FLAGSHIP, '--out', folder])).code).toBe(2);
    expect((await dec(['series', FLAGSHIP, '--out', join(folder, 'x'), '--nodes', 'nowhere'])).code).toBe(2);
    expect((await dec(['series', FLAGSHIP, '--nodes', 'all'])).code).toBe(2);
  });
});
