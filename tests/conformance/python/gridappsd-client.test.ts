import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Feeder } from '../../../grid/model/index.js';
import { modelAreas } from '../../../platform/area-topology.js';
import { type LoadedModel, type Platform, startPlatform } from '../../../platform/index.js';
import { type Found, pythonWith, runScript } from '../../peers/python-client.js';

/*
 * The unmodified Python packages gridappsd-python, gridappsd-field-bus and cim-graph against the stand-in platform, over
 * TCP: the conformance script of the protocol (section 10.4, items 1 to 13). Every section is a process of its own.
 */

// Sections take up to 40 s at rest, all beside one another.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const SECTIONS = [
  'login',
  'queries',
  'config',
  'simulation',
  'control',
  'logs',
  'applications',
  'field',
  'soak',
  'cim-graph',
] as const;
type Section = (typeof SECTIONS)[number];

const python = pythonWith('gridappsd', 'gridappsd_field_bus', 'cimgraph');
if (python === undefined) {
  console.warn(
    'skipped: the Python clients of GridAPPS-D (no interpreter with gridappsd-python, gridappsd-field-bus and cim-graph; set DEC_PYTHON)',
  );
}

let platform: Platform;
let folder: string;
let model: LoadedModel;
const running = new Map<Section, Promise<Found>>();

/** What a section found. */
async function found(section: Section): Promise<Found> {
  const items = await running.get(section)!;
  expect(items.get('exception')).toBeUndefined();
  return items;
}

/** Ids of the flagship that the script works with: a switch, a regulator, a capacitor, units, areas, and where they are measured. */
function facts(): Record<string, unknown> {
  const { feeder } = model;
  const measured = (equipmentId: string, type: string): string =>
    feeder.measurements.find((one) => one.equipmentId === equipmentId && one.type === type)!.mrid;
  const device = feeder.switches.find(({ name }) => name === 'sw2')!;
  const [regulator] = feeder.regulators;
  const [capacitor] = feeder.capacitors;
  const [unit] = feeder.pvSystems;
  const transformer = feeder.transformers.find(({ id }) => id === regulator!.transformerId)!;
  const behind = feeder.lines.find(({ from, to }) => [from.bus, to.bus].includes(device.to.bus))!;
  const [station] = modelAreas(model).topology.DistributionArea.Substations;
  const feederArea = station!.NormalEnergizedFeeder[0]!.FeederArea;
  return {
    port: platform.port,
    sparql: platform.sparqlUrl,
    model: model.mrid,
    folder,
    idle: 20,
    switch: device.mrid,
    switchPosition: measured(device.id, 'Pos'),
    behindSwitch: measured(behind.id, 'PNV'),
    regulator: regulator!.mrid,
    regulatorPosition: measured(transformer.bankId, 'Pos'),
    capacitor: capacitor!.mrid,
    capacitorPosition: measured(capacitor!.id, 'Pos'),
    unit: unit!.mrid,
    unitPower: measured(unit!.id, 'VA'),
    substation: station!['@id'],
    feederArea: feederArea['@id'],
    ...areaFacts(feeder, feederArea.SwitchAreas, measured),
  };
}

/** A secondary area with a PV system that feeds in. */
function areaFacts(
  feeder: Feeder,
  switchAreas: ReturnType<
    typeof modelAreas
  >['topology']['DistributionArea']['Substations'][number]['NormalEnergizedFeeder'][number]['FeederArea']['SwitchAreas'],
  measured: (equipmentId: string, type: string) => string,
): Record<string, string> {
  for (const switchArea of switchAreas) {
    for (const secondaryArea of switchArea.SecondaryAreas) {
      const ids = new Set(secondaryArea.AddressableEquipment.map((member) => member['@id']));
      const unit = feeder.pvSystems.find(
        ({ mrid, shares }) => ids.has(mrid) && shares.some(({ powerW }) => powerW > 10),
      );
      if (!unit) continue;
      return {
        switchArea: switchArea['@id'],
        secondaryArea: secondaryArea['@id'],
        areaUnit: unit.mrid,
        areaPower: measured(unit.id, 'VA'),
      };
    }
  }
  throw new Error('The flagship has no secondary area with a PV system.');
}

describe.skipIf(python === undefined)('the Python clients of GridAPPS-D', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dec-python-client-'));
    platform = await startPlatform({ port: 0, sparqlPort: 0 });
    model = platform.store.all()[0]!;
    const script = join(dirname(fileURLToPath(import.meta.url)), 'gridappsd_client.py');
    const known = JSON.stringify(facts());
    for (const section of SECTIONS) running.set(section, runScript(python ?? '', [script, section, known], 360_000));
  });
  afterAll(async () => {
    await Promise.all(running.values());
    await platform.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('log in with a token and with a password, and are refused with a wrong one (1)', async () => {
    const items = await found('login');
    expect(items.get('connected with a token')).toBe(true);
    expect(items.get('connected with a password')).toBe(true);
    expect(items.get('wrong password')).toMatch(/^refused/);
  });

  it('get every kind of query answered, SPARQL with nested binds among them (2)', async () => {
    const items = await found('queries');
    const { feeder, mrid, name } = model;
    expect(items.get('model names')).toEqual([mrid]);
    expect(items.get('model info')).toMatchObject([{ modelName: name, modelId: mrid }]);
    expect(items.get('object types')).toContain('http://iec.ch/TC57/CIM100#ACLineSegment');
    const table = items.get('object') as { results: { bindings: { property: { value: string } }[] } };
    expect(table.results.bindings.map(({ property }) => property.value)).toContain(
      'http://iec.ch/TC57/CIM100#IdentifiedObject.name',
    );
    const capacitors = items.get('dictionary') as Record<string, string>[];
    expect(capacitors.map((one) => one['IdentifiedObject.mRID']).sort()).toEqual(
      feeder.capacitors.map((one) => one.mrid).sort(),
    );
    expect(items.get('one object')).toMatchObject([{ type: 'LoadBreakSwitch', 'IdentifiedObject.name': 'sw2' }]);
    expect(items.get('consumers')).toBe(feeder.loads.length);
    expect(items.get('SPARQL')).toEqual([{ n: { type: 'literal', value: name } }]);
    expect(items.get('nested bind')).toEqual([{ kind: { type: 'literal', value: 'Y' } }]);
    expect(items.get('houses')).toEqual({});
    expect(items.get('object ids')).toHaveLength(feeder.switches.length);
    expect(items.get('CSV')).toBe(`n\r\n${name}\r\n`);
  });

  it('get measurements by model in every spelling of its id (3)', async () => {
    const spellings = (await found('queries')).get('switch measurements by spelling') as string[][];
    const { feeder } = model;
    const switches = new Set(feeder.switches.map(({ id }) => id));
    const expected = feeder.measurements.filter(({ equipmentId }) => switches.has(equipmentId)).map(({ mrid }) => mrid);
    expect(spellings).toHaveLength(4);
    for (const ids of spellings) expect([...ids].sort()).toEqual([...expected].sort());
  });

  it('read every export with their own splitting and stripping (4)', async () => {
    const items = await found('config');
    const { feeder } = model;
    expect(items.get('dictionary counts')).toMatchObject({
      capacitors: feeder.capacitors.length,
      solarpanels: feeder.pvSystems.length,
      batteries: feeder.batteries.length,
      switches: feeder.switches.length,
      energyconsumers: feeder.loads.length,
      measurements: feeder.measurements.length,
    });
    // The keys of GridAPPS-D: protocol section 4.1.
    expect(items.get('measurement keys')).toEqual(
      [
        'ConductingEquipment_mRID',
        'ConductingEquipment_name',
        'ConductingEquipment_type',
        'ConnectivityNode',
        'MeasurementClass',
        'SimObject',
        'Terminal_mRID',
        'mRID',
        'measurementType',
        'name',
        'phases',
      ].sort(),
    );
    expect(items.get('null SimObjects')).toBe(0);
    const { nodes } = items.get('ybus') as { nodes: number };
    expect(items.get('ybus')).toMatchObject({ lower: true });
    expect(items.get('vnom')).toEqual({ head: 'Bus', rows: feeder.buses.length, columns: [14] });
    expect(items.get('vnom nodes')).toBe(nodes);
    expect(items.get('static ybus')).toEqual([true, nodes]);
    expect(items.get('switch areas')).toEqual([true, true]);
    expect(items.get('limits')).toMatchObject({ voltages: [feeder.buses.length, expect.any(Array)] });
    expect(items.get('symbols')).toEqual(expect.arrayContaining(['swing_nodes', 'overhead_lines', 'solarpanels']));
    expect(items.get('dss base')).toMatch(/^! .*\nClear\n[\s\S]*New Circuit/);
    expect(items.get('dss coordinate')).toBe(2);
    expect(items.get('simulation output')).toEqual(['clock']);
    expect(items.get('status')).toEqual(['appInstances', 'applications', 'serviceInstances', 'services']);
    expect(items.get('field model')).toBe(model.mrid);
  });

  it('get one error of the known shape within 2 s for what cannot be answered (5)', async () => {
    const items = await found('config');
    const message = (text: string) => ({ error: { message: expect.stringContaining(text) }, responseComplete: true });
    expect(items.get('GLM')).toMatchObject(message('GridLAB-D Base GLM'));
    expect(items.get('unknown configuration')).toMatchObject(
      message("No configuration handler registered for 'Weather'"),
    );
    expect(items.get('unknown request')).toMatchObject(message('DANCE'));
    expect(items.get('malformed')).toMatchObject([message('not JSON')]);
    // Two calls of get_response sleep a second each; at rest 2.1 s. What waited for a limit would take 60 s and more.
    expect(items.get('seconds for three errors')).toBeLessThan(45);
  });

  it.each(['legacy', 'new'])(
    'run a simulation asked for in the %s form, from onstart to oncomplete (6)',
    async (form) => {
      const seen = (await found('simulation')).get(`${form} simulation`);
      // 120 s with an output each minute and one at the start.
      expect(seen).toEqual({
        start: 1,
        steps: [120, [1], [120]],
        outputs: [1655321830, 1655321890, 1655321950],
        complete: 1,
        unknown: 0,
        values: model.feeder.measurements.length,
      });
    },
  );

  it('pause, resume, resume until a pause, and stop (7); only the owner stops', async () => {
    const items = await found('control');
    expect(items.get('while paused')).toEqual([0, 0]);
    expect(items.get('after resume')).toBeGreaterThanOrEqual(2);
    expect(items.get('resumePauseAt')).toBe(3);
    expect(items.get('stopped by another user')).toBe(false);
    expect(items.get('stopped by its owner')).toBe(true);
  });

  it('command switch, tap, capacitor and unit; what is unknown is a warning and the rest is carried out (8)', async () => {
    const items = await found('control');
    expect([items.get('closed at first'), items.get('open after')]).toEqual([1, 0]);
    expect(items.get('energised at first')).toBe(true);
    expect(items.get('dead behind the switch')).toBeLessThan(1);
    expect([items.get('tap'), items.get('capacitor')]).toEqual([5, 0]);
    const [before, after] = items.get('unit before and after') as [number, number];
    expect(before).toBeGreaterThan(1000);
    expect(after).toBeLessThan(1);
    const warnings = items.get('warnings') as string[];
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('PowerElectronicsConnection.dance');
    expect(warnings[1]).toContain('_00000000-1111-2222-3333-444444444444');
  });

  it('write log lines that are heard and kept, and subscribe and unsubscribe by id (9)', async () => {
    const items = await found('control');
    expect(items.get('own log line')).toEqual(['conformance']);
    expect(items.get('own log line stored')).toEqual(['a line of the application']);
    const talk = await found('logs');
    // Their router calls every callback of a topic for every copy: two copies first, one after the unsubscribe.
    expect(talk.get('two subscriptions')).toEqual([2, 2]);
    expect(talk.get('after unsubscribe')).toEqual([3, 3]);
    expect(talk.get('platform log')).toEqual(['to the platform']);
  });

  it('register an application, which is listed, started and stopped (10)', async () => {
    const items = await found('applications');
    expect(items.get('registered as')).toBe('conformance-app');
    expect(items.get('heart-beat runs')).toBe(true);
    expect(items.get('status lists it')).toEqual(['conformance-app']);
    expect(items.get('list of applications')).toEqual(['conformance-app']);
    expect(items.get('one application')).toBe('/usr/bin/touch');
    expect(items.get('started')).toEqual([true, true]);
    expect(items.get('instances')).toEqual(['conformance-app']);
    expect(items.get('stop reached it')).toBe(true);
    expect(items.get('after deregistering')).toEqual([]);
  });

  it('run their command line; gridappsd-cli as far as the wheel has its module (10)', async () => {
    const items = await found('applications');
    expect(items.get('python -m gridappsd')).toEqual([0, '']);
    // The wheel of 2026.9.0 names gridappsd.cli as the command's module and does not carry it: it ends before it connects.
    expect([0, 1]).toContain(items.get('gridappsd-cli'));
  });

  it('live on the field bus: context, measurements of their own area only, messages, requests, a command (11)', async () => {
    const items = await found('field');
    for (const [name, kind] of [
      ['feeder', 'FeederArea'],
      ['switch', 'SwitchArea'],
      ['secondary', 'SecondaryArea'],
    ] as const) {
      const [, type, count] = items.get(`${name} context`) as [string, string, number];
      expect(type).toBe(kind);
      expect(count).toBeGreaterThan(0);
      expect(items.get(`${name} measurements`)).toEqual([count, 0]);
    }
    expect(items.get('registered')).toHaveLength(1);
    expect(items.get('registered upstream')).toHaveLength(2);
    expect(items.get('initialized')).toEqual({ initialized: true });
    expect([items.get('upward'), items.get('downward'), items.get('not beyond')]).toEqual([true, true, false]);
    expect(items.get('request between agents')).toEqual({ echo: { question: 1 } });
    const [before, after] = items.get('control') as [number, number];
    expect(before).toBeGreaterThan(10);
    expect(after).toBeLessThan(1);
  });

  it('replay a finished simulation by its id: the same outputs at the same times', async () => {
    expect((await found('simulation')).get('replay')).toEqual([
      120,
      [1655321830, 1655321890, 1655321950].map((time) => [time, true]),
      1,
    ]);
  });

  it('find what a run left behind (12)', async () => {
    const items = await found('simulation');
    const row = (time: number) => ({ hasSimulationMessageType: 'OUTPUT', value: 1, time });
    expect(items.get('time series')).toMatchObject([1655321830, 1655321890, 1655321950].map(row));
    expect(items.get('built time series')).toMatchObject([1655321830, 1655321890].map(row));
    expect((items.get('logs') as string[]).at(-1)).toMatch(/^Simulation \d+ complete$/);
  });

  it('ask a thousand times on one connection, stay connected in twenty, idle, and connect again (13)', async () => {
    const items = await found('soak');
    expect(items.get('answers')).toBe(1000);
    expect(items.get('twenty connections')).toBe(20);
    expect(items.get('idle connection')).toEqual([true, []]);
    expect(items.get('connected again')).toBe(true);
  });

  it('build the graph of CIM-Graph over STOMP and over HTTP, with edges that rest on nested binds', async () => {
    const items = await found('cim-graph');
    const { feeder } = model;
    const counts = {
      ACLineSegment: feeder.lines.length,
      EnergyConsumer: feeder.loads.length,
      LoadBreakSwitch: feeder.switches.length,
      ConnectivityNode: feeder.buses.length,
    };
    const edges = feeder.switches.map(({ id, name }) => [
      name,
      2,
      feeder.measurements.filter(({ equipmentId }) => equipmentId === id).length,
    ]);
    for (const way of ['STOMP', 'HTTP']) {
      expect(items.get(`${way} graph`)).toEqual(counts);
      expect(items.get(`${way} edges`)).toEqual(edges.sort());
    }
  });
});
