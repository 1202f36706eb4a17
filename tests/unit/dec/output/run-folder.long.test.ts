import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { summarize } from '../../../../dec/coordinator/measurements.js';
import { summarizeRun } from '../../../../dec/coordinator/recorder.js';
import { writeRun } from '../../../../dec/output/index.js';
import { packageVersion } from '../../../../dec/package-version.js';
import { manifestSchema } from '../../../../dec/schema/index.js';
import { RunLibrary } from '../../../../dec/web/run-library.js';
import { runResult } from '../../../builders/run-result.js';

const EXTRAS = {
  name: 'built',
  inputs: [{ name: 'feeder.xml', sha256: 'ab'.repeat(32) }],
  versions: { dec: '0.1.0' },
  seed: 1,
};

describe('the folder of a run', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dec-run-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const rows = (name: string) => {
    const bytes = readFileSync(join(folder, name));
    return parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  };

  it('has a manifest that keeps the contract and names every file beside it', async () => {
    const manifest = await writeRun(runResult(), folder, EXTRAS);
    const written = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
    expect(written).toEqual(manifest);
    expect([...written.files, 'manifest.json'].sort()).toEqual(readdirSync(folder).sort());
    expect(written.intervals).toHaveLength(2);
    expect(written.inputs).toEqual(EXTRAS.inputs);
    const figures = { curtailedWh: 1500, jain: { alpha: 0.9, served: 0.98 }, gini: { alpha: 0.15, served: 0.05 } };
    expect(written.intervals[0]).toMatchObject({ ...figures, curtailedPct: 20, worstDecileAlpha: 0.3 });
    expect(written.summary).toMatchObject({
      curtailedWh: 3000,
      curtailedEnergyPct: 20,
      jainServed: 0.98,
      giniAlpha: 0.15,
      giniServed: 0.05,
      worstDecileAlpha: 0.3,
    });
  });

  it('has one file for each agent in the shape of the ancestor: agent, PV, difference message', async () => {
    await writeRun(runResult({ agents: 3 }), folder, EXTRAS);
    const names = readdirSync(folder).filter((name) => name.startsWith('agent_'));
    expect(names.sort()).toEqual(['agent_1A.json', 'agent_2B.json', 'agent_3C.json']);
    const file = JSON.parse(readFileSync(join(folder, 'agent_1A.json'), 'utf8'));
    expect(Object.keys(file)).toEqual(['1A']);
    expect(file['1A']['pv_1A']).toMatchObject({ command: 'update', input: { simulation_id: '123' } });
  });

  it('has one difference message a line, one line an interval that changed anything', async () => {
    await writeRun(runResult({ intervals: 3 }), folder, EXTRAS);
    const lines = readFileSync(join(folder, 'difference_messages.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).input.message.difference_mrid)).toEqual([
      'difference-0',
      'difference-1',
      'difference-2',
    ]);
  });

  it('has Parquet tables that read back to the voltages and alphas that went in', async () => {
    const result = runResult({ agents: 6, intervals: 2, rounds: 5 });
    await writeRun(result, folder, EXTRAS);
    const voltages = await rows('voltages.parquet');
    const nodes = result.intervals[0]!.nodeVoltages;
    expect(voltages).toHaveLength(2 * nodes.length);
    expect(voltages[1]).toMatchObject({ interval: 0, bus: 'S1', phase: 's1', before_pu: nodes[1]!.beforePu });
    const alphas = await rows('alphas.parquet');
    expect(alphas).toHaveLength(2 * 5 * 6);
    // The last agent has not answered in the first round.
    expect(alphas[5]!['alpha']).toBeNull();
    expect(alphas.at(-1)).toMatchObject({ interval: 1, round: 5, agent: '6C' });
  });

  it('has a table of set-points with one line for each DER and interval', async () => {
    await writeRun(runResult({ agents: 4, intervals: 2 }), folder, EXTRAS);
    const lines = readFileSync(join(folder, 'setpoints.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1 + 2 * 4 * 2);
    expect(lines[0]).toContain('setpoint_w');
    expect(lines[1]).toContain('2500.000');
  });

  it('is written anew by a second run, without files of the first', async () => {
    await writeRun(runResult({ agents: 6 }), folder, EXTRAS);
    await writeRun(runResult({ agents: 2 }), folder, EXTRAS);
    expect(readdirSync(folder).filter((name) => name.startsWith('agent_'))).toHaveLength(2);
  });

  it('is refused when it holds something else, which stays', async () => {
    writeFileSync(join(folder, 'thesis.txt'), 'mine');
    await expect(writeRun(runResult(), folder, EXTRAS)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
  });

  it('is refused when its manifest is that of another program, which stays', async () => {
    writeFileSync(join(folder, 'manifest.json'), '{"name":"a web page","files":["x"]}');
    writeFileSync(join(folder, 'x'), 'mine');
    await expect(writeRun(runResult(), folder, EXTRAS)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(readdirSync(folder).sort()).toEqual(['manifest.json', 'x']);
  });

  it('keeps what others put beside an earlier run, and files that a manifest names outside', async () => {
    const manifest = await writeRun(runResult(), folder, EXTRAS);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const outside = join(folder, '..', 'outside.txt');
    writeFileSync(outside, 'mine');
    const reaching = { ...manifest, files: [...manifest.files, '../outside.txt'] };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(reaching));
    await writeRun(runResult(), folder, EXTRAS);
    expect(readdirSync(folder)).toContain('notes.txt');
    expect(existsSync(outside)).toBe(true);
    rmSync(outside);
  });

  it('has null, no number and no node, where the feeder is not measured, and the manifest is read again', async () => {
    const result = runResult({ intervals: 1 });
    const blind = summarize(0, [], { minPu: 0.95, maxPu: 1.05 });
    const { vMaxPu, vMinPu } = blind;
    const during = { vMaxPu, vMinPu, violations: 0, outputs: 2 };
    const intervals = result.intervals.map((one) => ({
      ...one,
      before: blind,
      after: blind,
      during,
      nodeVoltages: [],
    }));
    await writeRun({ ...result, intervals, summary: summarizeRun(intervals) }, folder, EXTRAS);
    const written = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
    expect(written.intervals[0]?.before).toMatchObject({ vMaxPu: null, vMinPu: null, vMaxNode: null, vMinNode: null });
    expect(written.intervals[0]?.during).toMatchObject({ vMaxPu: null, vMinPu: null });
    expect(written.summary).toMatchObject({ vMaxBeforePu: null, vMaxAfterPu: null, violationsBefore: null });
    const run = await new RunLibrary(join(folder, '..')).document(basename(folder));
    expect(run.intervals[0]?.before).toMatchObject({ vMaxPu: null, vMaxNode: null });
    expect(run.summary).toMatchObject({ vMinBeforePu: null, vMinAfterPu: null });
  });

  it('can be deleted though its manifest cannot be shown, which says what is wrong with it', async () => {
    const manifest = await writeRun(runResult(), folder, EXTRAS);
    const library = new RunLibrary(join(folder, '..'));
    const id = basename(folder);
    const put = (value: string) => writeFileSync(join(folder, 'manifest.json'), value);
    const reason = () => library.list().unreadable.find((one) => one.id === id)?.reason;
    put('{ "runId": ');
    expect(reason()).toContain('its manifest is no JSON');
    expect(() => library.remove(id)).toThrow(/by hand/);
    put(JSON.stringify({ ...manifest, versions: { dec: '0.0.1' }, agents: 'many' }));
    expect(reason()).toContain('was written by dec 0.0.1');
    put(JSON.stringify({ ...manifest, versions: { dec: packageVersion() }, agents: 'many' }));
    expect(reason()).toMatch(/not one that dec writes \(agents: /);
    library.remove(id);
    expect(existsSync(folder)).toBe(false);
  });

  it('has a manifest also for a run that was cancelled before its first interval', async () => {
    const manifest = await writeRun(runResult({ intervals: 0, status: 'cancelled' }), folder, EXTRAS);
    expect(manifestSchema.parse(manifest).status).toBe('cancelled');
    expect(manifest.files).toEqual(['difference_messages.jsonl']);
  });
});
