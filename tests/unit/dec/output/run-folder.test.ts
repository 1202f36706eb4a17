import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeRun } from '../../../../dec/output/index.js';
import { manifestSchema } from '../../../../dec/schema/index.js';
import { sampleResult } from './sample-result.js';

const EXTRAS = { inputs: [{ name: 'small.xml', sha256: 'ab' }], versions: { dec: '0.1.0', node: '20' }, seed: 7 };

async function rows(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return parquetReadObjects({ file });
}

describe('the folder of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'dec-run-')), 'out');
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

  it('holds a manifest of the declared shape that lists every file beside it', async () => {
    const returned = await writeRun(sampleResult(), folder, EXTRAS);
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
    expect(manifest).toEqual(returned);
    expect(readdirSync(folder).sort()).toEqual([...manifest.files, 'manifest.json'].sort());
    expect(manifest.inputs).toEqual(EXTRAS.inputs);
    // 4 kW available, half of it curtailed: 4 * 0.5^2 (hand calculation).
    expect(manifest.intervals[0]!.objective).toBeCloseTo(1, 12);
    expect(manifest.ders).toBe(6);
  });

  it('holds one file per agent, one line per difference message and one row per set-point', async () => {
    await writeRun(sampleResult(), folder, EXTRAS);
    expect(JSON.parse(readFileSync(join(folder, 'agent_9A.json'), 'utf8'))).toEqual({
      '9A': { pv_s9a_1: { command: 'update' } },
    });
    const messages = readFileSync(join(folder, 'difference_messages.jsonl'), 'utf8').trim().split('\n');
    expect(messages.map((line) => JSON.parse(line).input.simulation_id)).toEqual(['42', '42']);
    expect(readFileSync(join(folder, 'setpoints.csv'), 'utf8').trim().split('\n')[1]).toMatch(
      /^0,\d+,9A,D1,2500\.500,0\.000$/,
    );
  });

  it('holds voltages and alphas as Parquet that reads back as written', async () => {
    await writeRun(sampleResult(), folder, EXTRAS);
    const voltages = await rows(join(folder, 'voltages.parquet'));
    expect(voltages).toHaveLength(10);
    expect(voltages[1]).toMatchObject({ interval: 0, bus: 'N1', phase: 'B', before_pu: 1.04, after_pu: 1.025 });
    expect(voltages[4]!['after_pu']).toBeNaN();
    const alphas = await rows(join(folder, 'alphas.parquet'));
    expect(alphas).toHaveLength(2 * 5 * 3);
    expect(alphas[4]).toMatchObject({ interval: 0, round: 2, agent: '12B', alpha: 0.1 + 2 / 100 });
  });

  it('holds pictures that name their quantities with units', async () => {
    await writeRun(sampleResult(), folder, EXTRAS);
    const svg = (name: string) => readFileSync(join(folder, `${name}.svg`), 'utf8');
    expect(svg('voltages')).toContain('voltage (pu)');
    expect(svg('voltages')).toContain('before');
    expect(svg('alpha_over_rounds')).toContain('curtailed fraction alpha (-)');
    expect(svg('transformer_voltages')).toContain('phase of the transformer');
    expect(svg('total_injection')).toContain('injection (kW)');
    expect(svg('overview')).toContain('PV power (kW)');
    expect(svg('voltages')).not.toContain('NaN');
  });

  it('is the same for the same result, and replaces an earlier run', async () => {
    const first = await writeRun(sampleResult(), folder, EXTRAS);
    const bytes = new Map(first.files.map((name) => [name, readFileSync(join(folder, name))]));
    await writeRun(sampleResult(), folder, EXTRAS);
    for (const [name, before] of bytes) expect(readFileSync(join(folder, name)).equals(before), name).toBe(true);
  });

  it('is not written over files of somebody else', async () => {
    await writeRun(sampleResult(), folder, EXTRAS);
    rmSync(join(folder, 'manifest.json'));
    writeFileSync(join(folder, 'diary.txt'), 'mine');
    await expect(writeRun(sampleResult(), folder, EXTRAS)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(readFileSync(join(folder, 'diary.txt'), 'utf8')).toBe('mine');
  });
});
