import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cimDictionaryReply,
  configurationRequest,
  contextManagerBus,
  limitsReply,
  modelInfoReply,
  modelQuery,
  objectDictionaryReply,
  objectMeasurementsReply,
  vnomReply,
  ybusReply,
} from '../../../bus/index.js';
import { DecError } from '../../../grid/math/index.js';
import { createConfigurationService } from '../../../platform/configuration-service.js';
import { createFieldService } from '../../../platform/field-service.js';
import { type ModelStore, openModelStore } from '../../../platform/index.js';
import { createModelService } from '../../../platform/model-service.js';
import type { SparqlService } from '../../../platform/sparql/sparql-service.js';
import { tinyCim } from './cim-text.js';

const MRID = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const LOAD = '00000000-0000-4000-8000-000000000023';

/** SPARQL is asked in tests of its own. */
const noSparql: SparqlService = {
  query: () => Promise.reject(new Error('nothing here asks SPARQL')),
  prepare: () => Promise.resolve(),
  close: () => undefined,
};

let dir: string;
let file: string;
let store: ModelStore;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dec-store-'));
  file = join(dir, 'tiny.xml');
  writeFileSync(file, tinyCim());
  store = openModelStore(undefined, { builtIn: [], files: [file] });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function ask(request: Record<string, unknown>): unknown {
  const answer = createModelService(store, noSparql).answer(modelQuery.read(request));
  if (answer instanceof Promise || !('data' in answer)) throw new Error('An answer with data was expected.');
  return answer.data;
}

/** The answer as a client reads it, which checks its shape. */
function reread<T>(
  contract: { parse(body: string): { data: T }; format(data: never, id: string): string },
  data: unknown,
): T {
  return contract.parse(JSON.stringify({ data, responseComplete: true, id: '1' })).data;
}

describe('the model service', () => {
  it('lists models by id, and by name with their place in the utility', () => {
    expect(ask({ requestType: 'QUERY_MODEL_NAMES' })).toEqual({ modelNames: [MRID] });
    expect(reread(modelInfoReply, ask({ requestType: 'QUERY_MODEL_INFO' })).models).toEqual([
      {
        modelName: 'tiny',
        modelId: MRID,
        stationName: 'station',
        stationId: '00000000-0000-4000-8000-000000000003',
        subRegionName: 'subregion',
        subRegionId: '00000000-0000-4000-8000-000000000002',
        regionName: 'region',
        regionId: '00000000-0000-4000-8000-000000000001',
      },
    ]);
  });

  it('takes the model id in every spelling', () => {
    for (const modelId of [MRID, `_${MRID}`, `urn:uuid:${MRID}`, MRID.toLowerCase(), `_${MRID.toLowerCase()}`]) {
      expect(ask({ requestType: 'QUERY_OBJECT_IDS', modelId, objectType: 'EnergyConsumer' })).toEqual({
        objectIds: [LOAD],
      });
    }
  });

  it('describes objects by type and by id, with links as ids and enumerations without name space', () => {
    const byType = reread(
      objectDictionaryReply,
      ask({ requestType: 'QUERY_OBJECT_DICT', modelId: MRID, objectType: 'EnergyConsumer' }),
    );
    expect(byType).toHaveLength(1);
    expect(byType[0]).toMatchObject({
      id: LOAD,
      type: 'EnergyConsumer',
      'IdentifiedObject.name': 'load',
      'EnergyConsumer.p': '30000',
      'Equipment.EquipmentContainer': MRID,
      'EnergyConsumer.phaseConnection': 'PhaseShuntConnectionKind.Y',
    });
    expect(
      ask({ requestType: 'QUERY_OBJECT_DICT', modelId: MRID, objectId: `_${LOAD}`, objectType: 'Feeder' }),
    ).toEqual(byType);
    expect(() => ask({ requestType: 'QUERY_OBJECT_DICT', modelId: MRID })).toThrow(
      'queryObjectDict: both object id and object type missing.',
    );
  });

  it('lists the properties of an object as a table of property and value', () => {
    const table = ask({ requestType: 'QUERY_OBJECT', objectId: LOAD });
    expect(table).toMatchObject({ head: { vars: ['property', 'value'] } });
    expect(JSON.stringify(table)).toContain('http://iec.ch/TC57/CIM100#PhaseShuntConnectionKind.Y');
  });

  it('lists types with their name space', () => {
    const { objectTypes } = ask({ requestType: 'QUERY_OBJECT_TYPES', modelId: MRID }) as { objectTypes: string[] };
    expect(objectTypes).toContain('http://iec.ch/TC57/CIM100#PhotovoltaicUnit');
    expect(objectTypes).toEqual([...objectTypes].sort());
  });

  it('lists measurements of all equipment, of a class, and of one piece', () => {
    const all = reread(objectMeasurementsReply, ask({ requestType: 'QUERY_OBJECT_MEASUREMENTS', modelId: MRID }));
    expect(all.map(({ type, class: kind, phases, eqtype, bus }) => [type, kind, phases, eqtype, bus])).toEqual([
      ['PNV', 'Analog', 'A', 'EnergyConsumer', 'tail'],
      ['VA', 'Analog', 'B', 'PowerElectronicsConnection', 'tail'],
      ['Pos', 'Discrete', 'A', 'LoadBreakSwitch', 'middle'],
    ]);
    const count = (only: object) =>
      (ask({ requestType: 'QUERY_OBJECT_MEASUREMENTS', modelId: MRID, ...only }) as unknown[]).length;
    expect(count({ objectType: 'LoadBreakSwitch' })).toBe(1);
    expect(count({ objectId: LOAD.toLowerCase() })).toBe(1);
  });

  it('finds objects of a full type by a filter', () => {
    const query = { requestType: 'QUERY_MODEL', modelId: MRID, objectType: 'http://iec.ch/TC57/CIM100#EnergyConsumer' };
    expect(ask({ ...query, filter: "?s cim:IdentifiedObject.name 'load' ." })).toHaveLength(1);
    expect(ask({ ...query, filter: "?s cim:IdentifiedObject.name 'other'" })).toEqual([]);
    expect(() => ask({ ...query, filter: 'FILTER regex(?n, "x")' })).toThrow(DecError);
  });

  it('says what unknown requests and forms get, and which feeders are known', () => {
    expect(() => ask({ requestType: 'QUERY_MODEL_NAMES', resultFormat: 'XML' })).toThrow(/as JSON only/);
    expect(() => ask({ requestType: 'QUERY_MODEL_NAMES', resultFormat: 'PDF' })).toThrow(/PDF.*JSON, XML and CSV/);
    expect(() => ask({ requestType: 'QUERY_WEATHER' })).toThrow(/QUERY_WEATHER/);
    expect(() => ask({ requestType: 'QUERY_MODEL', modelId: '_FFFF' })).toThrow(/_FFFF.*\n.*tiny/);
  });
});

describe('the configuration service', () => {
  const answer = (request: object) =>
    createConfigurationService(store, (id) => (id === '7' ? MRID : undefined)).answer(
      configurationRequest.read(request),
    );

  it('writes the CIM dictionary of a model, also by simulation', () => {
    const data = answer({ configurationType: 'CIM Dictionary', parameters: { model_id: MRID } });
    const feeder = reread(cimDictionaryReply, data).feeders[0]!;
    expect(feeder).toMatchObject({ name: 'tiny', mRID: MRID });
    expect(feeder.solarpanels[0]).toMatchObject({ name: 'roof', phases: 'ABC', ratedS: 20_000, p: 15_000 });
    expect(feeder.switches[0]).toMatchObject({ name: 'switch', CN1: 'middle', CN2: 'tail', normalOpen: false });
    expect(feeder.measurements).toHaveLength(3);
    // A null SimObject broke applications of the real platform (GOSS-GridAPPS-D issue 1345).
    expect(feeder.measurements.every(({ SimObject }) => typeof SimObject === 'string' && SimObject !== '')).toBe(true);
    expect(answer({ configurationType: 'CIM Dictionary', parameters: { simulation_id: 7 } })).toEqual(data);
  });

  it('writes "DSS Base" with the loads that are asked for, and refuses what is no number', () => {
    const loads = (parameters: Record<string, unknown>) => {
      const text = String(answer({ configurationType: 'DSS Base', parameters: { model_id: MRID, ...parameters } }));
      const found = /^New Load\..*?model=(\d).*?kW=([\d.]+).*$/im.exec(text.replace(/\n~/g, ' '));
      return { kw: Number(/kw=([\d.]+)/i.exec(found?.[0] ?? text)?.[1]), text };
    };
    const own = loads({});
    expect(own.kw).toBeGreaterThan(0);
    expect(loads({ load_scaling_factor: '0.5' }).kw).toBeCloseTo(own.kw / 2, 6);
    // Constant impedance is model 2 of OpenDSS, or a ZIP load of nothing else.
    expect(loads({ z_fraction: '1.0', i_fraction: 0, p_fraction: '0' }).text).not.toBe(own.text);
    expect(() => loads({ load_scaling_factor: 'much' })).toThrow(/load_scaling_factor is "much"; a number from 0 on/);
    expect(() => loads({ i_fraction: '0.5' })).toThrow(/sum to 0.5; they must sum to 1/);
  });

  it('names unknown exports and missing parameters', () => {
    expect(() => answer({ configurationType: 'Weather' })).toThrow("No configuration handler registered for 'Weather'");
    expect(() => answer({ configurationType: 'GridLAB-D Base GLM', parameters: { model_id: MRID } })).toThrow(
      /DSS Base/,
    );
    expect(() => answer({ configurationType: 'CIM Dictionary' })).toThrow(/Model Id or simulation Id/);
  });
});

describe('the exports', () => {
  const answer = (configurationType: string) =>
    createConfigurationService(store, () => undefined).answer(
      configurationRequest.read({ configurationType, parameters: { model_id: `_${MRID.toLowerCase()}` } }),
    );

  it('of admittances name their rows and carry a matrix without sources, whose open line rows sum to charging alone', () => {
    const { yParse, nodeList, summary } = reread(ybusReply, answer('YBus Export'));
    const nodes = nodeList.map((node) => node.replaceAll('"', ''));
    expect(nodes).toEqual(['HEAD', 'MIDDLE', 'TAIL'].flatMap((bus) => [1, 2, 3].map((node) => `${bus}.${node}`)));
    expect(summary).toHaveLength(2);
    const sums = new Map<number, number>();
    let largest = 0;
    for (const [row, column, g] of yParse
      .slice(1)
      .map((line) => line.split(',').map(Number) as [number, number, number])) {
      expect(row).toBeGreaterThanOrEqual(column);
      largest = Math.max(largest, Math.abs(g));
      sums.set(row, (sums.get(row) ?? 0) + g);
      if (row !== column) sums.set(column, (sums.get(column) ?? 0) + g);
    }
    // Nothing but lines and a switch: what flows in flows out, as no source, load or unit is left in.
    for (const sum of sums.values()) expect(Math.abs(sum)).toBeLessThan(1e-9 * largest);
  });

  it('of nominal voltages have one line per bus at 1 pu, in the columns of OpenDSS', () => {
    const { vnom } = reread(vnomReply, answer('Vnom Export'));
    expect(vnom).toHaveLength(4);
    for (const line of vnom.slice(1)) {
      const cells = line.split(',');
      expect(cells).toHaveLength(14);
      expect(cells[1]!.trim()).toBe('4.16');
      // 4160 V / sqrt 3
      for (const at of [3, 7, 11]) expect(Number(cells[at])).toBeCloseTo(2401.78, 0);
      for (const at of [5, 9, 13]) expect(Number(cells[at])).toBeCloseTo(1, 4);
    }
  });

  it('of limits fall back on ANSI C84.1, line to line', () => {
    const { limits } = reread(limitsReply, answer('GridLAB-D Limits'));
    expect(limits.voltages).toHaveLength(3);
    // 0.95 and 1.05 of 4160 V
    expect(limits.voltages[0]).toMatchObject({ Alo: 3952, Ahi: 4368 });
  });

  it('of symbols draw every element between its buses', () => {
    const [feeder] = (answer('GridLAB-D Symbols') as { feeders: Record<string, { from?: string; to?: string }[]>[] })
      .feeders;
    expect(feeder!['switches']).toMatchObject([{ from: 'middle', to: 'tail', open: 'false', phases: 'ABC' }]);
    expect(feeder!['overhead_lines']).toMatchObject([{ from: 'head', to: 'middle' }]);
    expect(feeder!['solarpanels']).toMatchObject([{ name: 'roof', kva: 20 }]);
  });
});

describe('the field bus', () => {
  it('answers a context manager with the area, its members and its measurements', () => {
    const field = createFieldService(
      store,
      () => {},
      () => {},
    );
    const context = field.answerManager(MRID, { request_type: 'get_context', areaId: MRID }) as {
      data: {
        '@type': string;
        AddressableEquipment: { '@type': string }[];
        SwitchAreas: { '@id': string; Measurements: unknown[] }[];
      };
    };
    expect(context.data['@type']).toBe('FeederArea');
    expect(context.data.AddressableEquipment.map((member) => member['@type'])).toContain('LoadBreakSwitch');
    // Behind the load break switch: the load's voltage and the PV's power.
    expect(context.data.SwitchAreas.map(({ Measurements }) => Measurements.length)).toEqual([2]);
    const area = context.data.SwitchAreas[0]!['@id'];
    expect(field.answerManager(area, { request_type: 'get_context' })).toMatchObject({
      data: { '@type': 'SwitchArea' },
    });
    expect(() => field.answerManager('x', { request_type: 'get_context', areaId: 'nowhere' })).toThrow(/nowhere/);
  });

  it('keeps agents by message bus and forwards control commands to the simulation', () => {
    const sent: string[][] = [];
    const field = createFieldService(
      store,
      (...message) => sent.push(message),
      () => {},
    );
    const agent = { agent_id: 'da_dec_1', app_id: 'dec', description: '' };
    field.answerManager('A1', { request_type: 'register_agent', agent });
    expect(field.answerManager('A1', { request_type: 'get_agents' })).toEqual({ da_dec_1: agent });
    expect(field.answerManager('A2', { request_type: 'get_agents' })).toEqual({});
    field.answerManager('A1', {
      request_type: 'control_command',
      difference_builder: { command: 'update', input: { simulation_id: '7' } },
    });
    expect(sent).toEqual([
      ['/topic/goss.gridappsd.simulation.input.7', '{"command":"update","input":{"simulation_id":"7"}}'],
    ]);
    expect(contextManagerBus('/queue/goss.gridappsd.field.request.A1.A1.context_manager')).toBe('A1');
    expect(contextManagerBus('/queue/goss.gridappsd.field.request.A1.agent_1')).toBeUndefined();
  });
});
