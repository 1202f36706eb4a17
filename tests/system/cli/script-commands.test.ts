import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedersSchema, ingestSchema, powerflowSchema } from '../../../dec/schema/index.js';
import { feedersDir } from '../../feeders.js';
import { dec } from './dec.js';

if (!feedersDir) console.warn('skipped: OpenDSS master files at the command (feeders absent)');

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-dss-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('an OpenDSS master file at the command', () => {
  it.skipIf(!feedersDir)('is taken into the store, listed, and solved from there when its source is gone', async () => {
    const source = join(folder, 'ieee');
    cpSync(join(feedersDir!, 'dss/ieee'), source, { recursive: true });
    const store = ['--store', join(folder, 'models'), '--json'];
    const taken = await dec(['ingest', join(source, '13Bus/IEEE13Nodeckt.dss'), ...store]);
    expect(taken.code).toBe(0);
    expect(ingestSchema.parse(taken.json()).feeders[0]).toMatchObject({
      name: 'IEEE13Nodeckt',
      status: 'added',
      // feeders/README.md: 16 buses, 15 loads, 5 transformers, 3 regulators, 2 capacitors
      counts: { buses: 16, loads: 15, transformers: 5, regulators: 3, capacitors: 2 },
    });
    const direct = await dec(['powerflow', join(source, '13Bus/IEEE13Nodeckt.dss'), '--json']);
    rmSync(source, { recursive: true });
    const listed = feedersSchema.parse((await dec(['feeders', ...store])).json());
    expect(listed.feeders.map(({ name }) => name)).toContain('IEEE13Nodeckt');
    const solved = await dec(['powerflow', 'ieee13nodeckt', ...store]);
    expect(solved.code).toBe(0);
    const report = powerflowSchema.parse(solved.json());
    expect(report.converged).toBe(true);
    expect(existsSync(source)).toBe(false);
    // Straight from the folder, before it was removed, the voltages were the same.
    expect(direct.code).toBe(0);
    expect(powerflowSchema.parse(direct.json()).nodes).toEqual(report.nodes);
  });

  it('with a missing part is refused with the name of the part and its place', async () => {
    mkdirSync(join(folder, 'holed'));
    const master = join(folder, 'holed/master.dss');
    writeFileSync(master, 'clear\nnew circuit.holed\nredirect parts/gone.dss\nfrobnicate\n');
    const { code, stdout, stderr } = await dec(['powerflow', master, '--json']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('parts/gone.dss');
    expect(stderr).toContain('master.dss:3');
    const store = ['--store', join(folder, 'holed-store'), '--json'];
    const taken = ingestSchema.parse((await dec(['ingest', master, ...store])).json());
    expect(taken.feeders[0]!.findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'MISSING_FILE', line: 3 }),
        expect.objectContaining({ code: 'UNKNOWN_COMMAND', line: 4 }),
      ]),
    );
    expect(readFileSync(join(taken.feeders[0]!.folder, 'script/master.dss'), 'utf8')).toContain('frobnicate');
  });

  it('with dead wires, a negative resistance and a copy without bus is solved, with a warning for each', async () => {
    const master = join(folder, 'odd.dss');
    const lines = [
      ...['clear', 'new circuit.odd basekv=12.47'],
      'new transformer.t phases=3 buses=[sourcebus e] conns=[delta wye] kvs=[12.47 .4] kvas=[300 300] xhl=5',
      'new load.base bus1=e kv=.4 kw=30 pf=.95',
      'new line.nn bus1=e bus2=f length=1 r1=-.01 x1=.1 r0=-.01 x0=.3 c1=0 c0=0',
      'new line.lp e.1 w.1 phases=1 r1=.1 x1=.1',
      'new load.lw bus1=w kv=.4 kw=4',
      'new load.copy like=base',
      ...['set voltagebases=[12.47 .4]', 'calcvoltagebases', 'solve'],
    ];
    writeFileSync(master, lines.join('\n'));
    const { code, json } = await dec(['powerflow', master, '--json']);
    expect(code).toBe(0);
    const { findings, nodes, converged } = powerflowSchema.parse(json());
    expect(converged).toBe(true);
    const warnings = findings.filter(({ severity }) => severity === 'warning');
    expect(warnings.map(({ code, name }) => `${code} ${name}`)).toEqual(
      expect.arrayContaining(['MISSING_BUS copy', 'BAD_IMPEDANCE nn', 'PHASE_MISMATCH lw']),
    );
    // dss-python 0.15.7 on the same lines: 229.4702935 V at w.1, 0 V at w.2 and w.3
    const voltageOf = (node: number) => nodes.find((one) => one.bus === 'W' && one.node === node)?.voltageV;
    expect(voltageOf(1)).toBeCloseTo(229.4702935, 4);
    expect(voltageOf(2)).toBe(0);
  });

  it('that is empty or makes no circuit is refused in a sentence', async () => {
    for (const [name, text] of [
      ['empty.dss', ''],
      ['part.dss', 'new linecode.x r1=1'],
    ] as const) {
      writeFileSync(join(folder, name), text);
      const { code, stdout, stderr } = await dec(['powerflow', join(folder, name)]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('makes no circuit');
    }
  });
});
