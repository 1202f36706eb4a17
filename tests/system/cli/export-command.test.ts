import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportSchema, powerflowSchema } from '../../../dec/schema/index.js';
import { parseDifference, readDifferenceModel } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { createScenario, createSimulation, loadModels } from '../../../platform/index.js';
import { dec, FLAGSHIP } from './dec.js';

/** The run whose results the repository holds. */
const SAMPLE = 'outputs/sample';
const FLAGSHIP_FILE = 'inputs/feeder/IEEE123Sec.xml';

const messageCount = () => readFileSync(join(SAMPLE, 'difference_messages.jsonl'), 'utf8').trim().split('\n').length;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dec export', () => {
  it('writes an OpenDSS script to a file and says so', async () => {
    const out = join(folder, 'new', 'feeder.dss');
    const { code, stdout } = await dec(['export', FLAGSHIP, 'dss', '--out', out]);
    expect([code, stdout]).toEqual([0, `Wrote ${out}.\n`]);
    const text = readFileSync(out, 'utf8');
    expect(text).toMatch(/^! ieee123sec_dec/);
    expect(text).toMatch(/\nSolve\n$/);
  });

  it('writes CIM that gives the same power flow', async () => {
    const out = join(folder, 'copy.xml');
    expect((await dec(['export', FLAGSHIP, 'cim', '--out', out])).code).toBe(0);
    const store = ['--store', join(folder, 'store')];
    const [first, second] = await Promise.all(
      [FLAGSHIP, out].map(async (name) =>
        powerflowSchema.parse((await dec(['powerflow', name, '--json', ...store])).json()),
      ),
    );
    expect(second!.feeder).toEqual(first!.feeder);
    // A boolean, so that a difference does not print two whole feeders.
    expect(JSON.stringify(second!.nodes) === JSON.stringify(first!.nodes)).toBe(true);
  });

  it('prints the script on standard output, and with --json one object', async () => {
    const { stdout } = await dec(['export', FLAGSHIP, 'dss']);
    const { json } = await dec(['export', FLAGSHIP, 'dss', '--json']);
    expect(exportSchema.parse(json())).toMatchObject({ form: 'dss', text: stdout, bytes: Buffer.byteLength(stdout) });
  });

  it('refuses what it does not know and names what it does', async () => {
    const { code, stdout, stderr } = await dec(['export', FLAGSHIP, 'matpower']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('dss, glm, cim');
  });

  it('writes what a run has committed as a difference model, which takes effect as the messages of the run did', async () => {
    // The day until noon: in the evening no limit is in force any more.
    const run = join(folder, 'run');
    mkdirSync(run);
    const messages = readFileSync(join(SAMPLE, 'difference_messages.jsonl'), 'utf8').split('\n').slice(0, 7);
    copyFileSync(join(SAMPLE, 'manifest.json'), join(run, 'manifest.json'));
    writeFileSync(join(run, 'difference_messages.jsonl'), messages.join('\n'));
    const unread = await dec(['export', run, 'difference-model']);
    expect([unread.code, unread.stderr]).toEqual([
      2,
      expect.stringMatching(/positions\.csv cannot be read.*--set-points-only/),
    ]);
    copyFileSync(join(SAMPLE, 'positions.csv'), join(run, 'positions.csv'));
    const out = join(folder, 'setpoints.xml');
    const { code, json } = await dec(['export', run, 'difference-model', '--out', out, '--json']);
    expect(code).toBe(0);
    expect(exportSchema.parse(json())).toMatchObject({
      ...{ form: 'difference-model', file: out, feeder: { name: 'ieee123sec_dec' } },
    });
    const difference = readDifferenceModel(readFileSync(out, 'utf8'), out);
    const { feeder } = loadModels([FLAGSHIP_FILE])[0]!;
    const scenario = createScenario(
      { loadScalingFactor: 0.25, pvScalingFactor: 1, sourceVoltagePu: 1.04, switches: [], machines: [] },
      0,
    );
    let flow: ReturnType<typeof createPowerFlow> | undefined;
    const createFlow = (changed: typeof feeder) => {
      flow = createPowerFlow(changed, { tolerancePu: 1e-8 });
      return flow;
    };
    const simulation = createSimulation({ feeder, scenario, startS: 0, intervalS: 900, createFlow });
    for (const message of messages) simulation.enqueue(parseDifference(message).forward);
    expect(simulation.advance().differences.ignored).toEqual([]);
    const live = flow!.solve();

    const args = ['--load-multiplier', '0.25', '--source-voltage', '1.04', '--json'];
    const changed = powerflowSchema.parse((await dec(['powerflow', FLAGSHIP, '--difference', out, ...args])).json());
    const plain = powerflowSchema.parse((await dec(['powerflow', FLAGSHIP, ...args])).json());
    const apart = (report: typeof plain) =>
      report.nodes.map(({ bus, node, voltagePu }) =>
        Math.abs(voltagePu - (live.voltagePuAt(busIds.get(bus)!, node) ?? 0)),
      );
    const busIds = new Map(feeder.buses.map(({ id, name }) => [name, id]));
    expect(changed.settings).toEqual(plain.settings);
    expect(changed.findings.map(({ code }) => code)).not.toContain('DIFFERENCE_OF_OTHER');
    expect(Math.max(...apart(changed))).toBeLessThan(1e-7);
    expect(Math.max(...apart(plain))).toBeGreaterThan(1e-3);
    // The net of all messages, once each.
    const keys = difference.forward.map(({ object, attribute }) => `${object} ${attribute}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('refuses a folder without a run, a message that is not there, and a file that is no difference model', async () => {
    for (const [args, told] of [
      [['export', folder, 'difference-model'], 'holds no run'],
      [['export', SAMPLE, 'difference-model', '--message', '99'], `it has 0 to ${messageCount() - 1}.`],
      [['export', FLAGSHIP, 'dss', '--message', '1'], '--message goes with difference-model'],
      [['powerflow', FLAGSHIP, '--difference', FLAGSHIP_FILE], 'no dm:DifferenceModel'],
    ] as const) {
      const { code, stderr } = await dec([...args]);
      expect([args, code]).toEqual([args, 2]);
      expect(stderr).toContain(told);
    }
  });
});
