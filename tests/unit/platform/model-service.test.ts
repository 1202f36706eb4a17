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
import { readCimText } from '../../../grid/cim/index.js';
import { DecError } from '../../../grid/math/index.js';
import { listText, literalTable, tableText } from '../../../platform/answer-form.js';
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
  const answer = createModelService(store, noSparql).answer(modelQuery.read(request), '1');
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
    expect(() =>
      ask({ requestType: 'QUERY_OBJECT_DICT', modelId: MRID, objectType: 'Feeder', resultFormat: 'CSV' }),
    ).toThrow(/QUERY_OBJECT_DICT is not answered as CSV; JSON and XML/);
    expect(() => ask({ requestType: 'QUERY_MODEL_NAMES', resultFormat: 'PDF' })).toThrow(/PDF.*JSON, XML and CSV/);
    expect(() => ask({ requestType: 'QUERY_WEATHER' })).toThrow(/QUERY_WEATHER/);
    expect(() => ask({ requestType: 'QUERY_MODEL', modelId: '_FFFF' })).toThrow(/_FFFF.*\n.*tiny/);
  });
});

describe('the forms of answers', () => {
  const text = (request: Record<string, unknown>): string => {
    const answer = createModelService(store, noSparql).answer(modelQuery.read({ modelId: MRID, ...request }), '1');
    if (answer instanceof Promise || !('body' in answer)) throw new Error('A whole body was expected.');
    return String(answer.body);
  };

  it('are lists in one element, or with commas between them', () => {
    expect(text({ requestType: 'QUERY_OBJECT_TYPES', resultFormat: 'CSV' }).split(',')).toContain(
      'http://iec.ch/TC57/CIM100#PhotovoltaicUnit',
    );
    const types = text({ requestType: 'QUERY_OBJECT_TYPES', resultFormat: 'XML' });
    expect(types).toMatch(/^<\?xml [^>]*\?>\n<objectTypes>\n/);
    expect(types).toContain('<value>http://iec.ch/TC57/CIM100#PhotovoltaicUnit</value>');
    expect(text({ requestType: 'QUERY_MODEL_NAMES', resultFormat: 'csv' })).toBe(MRID);
    expect(listText('modelNames', [`_${MRID}`], 'xml')).toContain(`<modelNames>\n  <_${MRID}/>\n`);
    // One kind of element in a list, whatever its values begin with.
    expect(listText('modelNames', ['A1', '49AD'], 'xml')).toContain(
      '<modelNames>\n  <value>A1</value>\n  <value>49AD</value>\n',
    );
  });

  it('are models with bars between their fields, or as attributes', () => {
    const fields = 'tiny|49AD8E07-3BF9-A4E2-CB8F-C3722F837B62|station|00000000-0000-4000-8000-000000000003|subregion|';
    expect(text({ requestType: 'QUERY_MODEL_INFO', resultFormat: 'CSV' }).startsWith(fields)).toBe(true);
    expect(text({ requestType: 'QUERY_MODEL_INFO', resultFormat: 'XML' })).toContain(
      `<model modelName="tiny" modelId="${MRID}" stationName="station"`,
    );
  });

  it('are objects as a CIM file has them, whose reader finds the same again', () => {
    const whole = readCimText([{ name: 'whole.xml', text: text({ requestType: 'QUERY_MODEL', resultFormat: 'XML' }) }]);
    const { index } = store.find(MRID);
    expect(Object.fromEntries(whole.classCounts())).toEqual(Object.fromEntries(index.classCounts()));
    for (const object of index.objects.values()) {
      expect([...(whole.get(object.id)?.properties() ?? [])]).toEqual([...object.properties()]);
    }
    const one = text({ requestType: 'QUERY_OBJECT_DICT', objectType: 'EnergyConsumer', resultFormat: 'XML' });
    expect([...readCimText([{ name: 'one.xml', text: one }]).classCounts()]).toEqual([['EnergyConsumer', 1]]);
    // As the real platform, which has no such form of objects.
    const json = text({ requestType: 'QUERY_MODEL', objectType: 'cim:EnergyConsumer', resultFormat: 'CSV' });
    expect(JSON.parse(json)).toMatchObject([{ id: LOAD, type: 'EnergyConsumer' }]);
  });

  it('are tables of SPARQL, in which signs of XML and CSV are escaped', () => {
    const csv = text({ requestType: 'QUERY_OBJECT', objectId: LOAD, resultFormat: 'CSV' });
    expect(csv.split('\r\n').slice(0, 2)).toEqual([
      'property,value',
      'http://www.w3.org/1999/02/22-rdf-syntax-ns#type,http://iec.ch/TC57/CIM100#EnergyConsumer',
    ]);
    const points = text({
      requestType: 'QUERY_OBJECT_MEASUREMENTS',
      objectType: 'LoadBreakSwitch',
      resultFormat: 'CSV',
    });
    expect(points.split('\r\n')[0]).toBe('class,type,name,bus,phases,eqtype,eqname,eqid,trmid,measid');
    expect(points.split('\r\n')[1]).toMatch(/^Discrete,Pos,[^,]*,middle,A,LoadBreakSwitch,switch,/);
    const table = literalTable(['a', 'b'], [{ a: 'x, "y"', b: '<&>' }]);
    expect(tableText(table, 'csv')).toBe('a,b\r\n"x, ""y""",<&>\r\n');
    expect(tableText(table, 'xml')).toContain('<binding name="b"><literal>&lt;&amp;&gt;</literal></binding></result>');
  });

  it('of one object of a model, by any spelling of its id, take null for what is left out', () => {
    const of = (objectId: string, more = {}) => ask({ requestType: 'QUERY_MODEL', modelId: MRID, objectId, ...more });
    expect(of(`_${LOAD.toLowerCase()}`, { objectType: null, filter: null })).toMatchObject([{ id: LOAD }]);
    expect(of(LOAD, { objectType: 'http://iec.ch/TC57/CIM100#EnergyConsumer' })).toHaveLength(1);
    expect(of(LOAD, { objectType: 'http://iec.ch/TC57/CIM100#ACLineSegment' })).toEqual([]);
    expect(of('00000000-0000-4000-8000-00000000FFFF')).toEqual([]);
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

  it('writes "DSS Base" in the state that is asked for, and names in it what has no effect', () => {
    const told: string[] = [];
    const service = createConfigurationService(
      store,
      () => undefined,
      (message) => told.push(message),
    );
    const script = (parameters: Record<string, unknown>) =>
      String(
        service.answer(
          configurationRequest.read({ configurationType: 'DSS Base', parameters: { model_id: MRID, ...parameters } }),
        ),
      );
    const own = script({});
    const neutral = { use_houses: false, schedule_name: '', randomize_zipload_fractions: 'false', simulation_id: null };
    expect(script({ ...neutral, model_state: { switches: [], synchronousmachines: [] } })).toBe(own);
    expect(told).toEqual([]);
    // An open switch is a disabled element or an opened terminal.
    const opened = script({ model_state: { switches: [{ name: 'SWITCH', open: true }] } });
    const before = new Set(own.split('\n'));
    const changes = opened.split('\n').filter((line) => !before.has(line));
    expect(changes).toEqual(['! open terminals', 'Open Line.switch term=1', 'Open Line.switch term=2']);
    expect(script({ model_state: '{"switches":[{"name":"switch","open":"false"}]}' })).toBe(own);
    const named = script({
      schedule_name: 'ieeezipload',
      use_houses: 'true',
      buscoords: 'model_busxy.dss',
      guids: 'model_guid.dss',
      colour: 7,
      model_state: { switches: [{ name: 'none', open: true }] },
    });
    const heads = named.slice(0, named.length - own.length).split('\n');
    expect(heads).toEqual([
      '! model_state names the switch "none", which the feeder does not have; it is ignored.',
      expect.stringMatching(/^! schedule_name "ieeezipload" has no effect: /),
      expect.stringMatching(/^! use_houses "true" has no effect: houses/),
      expect.stringMatching(/^! buscoords "model_busxy.dss" has no effect: .*DSS Coordinate/),
      expect.stringMatching(/^! guids "model_guid.dss" has no effect: /),
      expect.stringMatching(/^! colour "7" has no effect: /),
      '',
    ]);
    expect(named.endsWith(own)).toBe(true);
    expect(told.map((text) => text.replace(/^"DSS Base": /, '! ')).sort()).toEqual(heads.slice(0, -1).sort());
    expect(() => script({ model_state: { switches: [{ open: true }] } })).toThrow(/switches\[0\].name is missing/);
    expect(() => script({ model_state: 'open' })).toThrow(/not JSON/);
  });

  it('tells parameters that an export does not know, and none that loads alone would change', () => {
    const told: string[] = [];
    const service = createConfigurationService(
      store,
      () => undefined,
      (message) => told.push(message),
    );
    const ask = (configurationType: string, parameters: object) =>
      service.answer(configurationRequest.read({ configurationType, parameters: { model_id: MRID, ...parameters } }));
    ask('YBus Export', { z_fraction: '0', i_fraction: '1', load_scaling_factor: 0.5, schedule_name: 'ieeezipload' });
    expect(told).toEqual([]);
    ask('CIM Dictionary', { use_houses: true });
    expect(told).toEqual(['"CIM Dictionary": use_houses "true" has no effect: houses are not simulated.']);
  });

  it('writes "GridLAB-D Base GLM" with the loads that are asked for, and names in it what has no effect', () => {
    const text = (parameters: object) =>
      String(answer({ configurationType: 'GridLAB-D Base GLM', parameters: { model_id: MRID, ...parameters } }));
    expect(text({}).match(/bustype SWING/g)).toHaveLength(1);
    const powers = (parameters: object) =>
      [...text(parameters).matchAll(/constant_power_\w+ ([-\d.e]+)[+-]/g)].map(([, power]) => Number(power));
    const loads = (parameters: object) => powers(parameters).reduce((sum, power) => sum + Math.max(power, 0), 0);
    expect(loads({ p_fraction: 1 })).toBeGreaterThan(0);
    expect(loads({ p_fraction: 1, load_scaling_factor: 2 })).toBeCloseTo(2 * loads({ p_fraction: 1 }), 6);
    expect(loads({ z_fraction: '1' })).toBe(0);
    expect(text({ z_fraction: '1' })).toMatch(/constant_impedance_/);
    expect(text({ i_fraction: '1' })).toMatch(/current_fraction_\w+ 1;/);
    expect(text({ schedule_name: 'ieeezipload' })).toMatch(/^\/\/ schedule_name "ieeezipload" has no effect/);
  });

  it('names unknown exports and missing parameters', () => {
    expect(() => answer({ configurationType: 'Weather' })).toThrow("No configuration handler registered for 'Weather'");
    expect(() => answer({ configurationType: 'GridLAB-D All', parameters: { model_id: MRID } })).toThrow(
      /GridLAB-D Base GLM/,
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
      () => false,
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
      (id) => id === '7',
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
    const to = (input: { simulation_id?: string }) => () =>
      field.answerPlatform({ request_type: 'control_command', difference_builder: { command: 'update', input } });
    expect(to({ simulation_id: '8' })).toThrow(/no simulation 8/);
    expect(to({})).toThrow(/without simulation_id/);
    expect(sent).toHaveLength(1);
    expect(contextManagerBus('/queue/goss.gridappsd.field.request.A1.A1.context_manager')).toBe('A1');
    expect(contextManagerBus('/queue/goss.gridappsd.field.request.A1.agent_1')).toBeUndefined();
  });
});
