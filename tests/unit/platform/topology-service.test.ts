import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SwitchAreas, switchAreasReply, type Topology, topologyReply } from '../../../bus/index.js';
import { type ModelStore, openModelStore } from '../../../platform/index.js';
import { createTopologyService, type StoredPositions } from '../../../platform/topology-service.js';
import { tinyCim } from './cim-text.js';

const MRID = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const [HEAD, MIDDLE, TAIL, SOURCE, LINE, SWITCH] = [10, 11, 12, 20, 21, 22].map(id);

let dir: string;
let store: ModelStore;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dec-topology-'));
  const file = join(dir, 'tiny.xml');
  writeFileSync(file, tinyCim());
  store = openModelStore(undefined, { builtIn: [file] });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const nothing: StoredPositions = () => [];
const ask = (request: object, positions = nothing): unknown =>
  JSON.parse(JSON.stringify(createTopologyService(store, positions).answer(JSON.stringify(request))));
const topology = (request: object, positions = nothing): Topology => topologyReply.read(ask(request, positions));

describe('the topology processor', () => {
  it('lists what is between switches by mRID, under every name of the model id', () => {
    const areas = ['modelID', 'model_id', 'mRID'].map((key) =>
      switchAreasReply.read(
        ask({ requestType: 'GET_SWITCH_AREAS', [key]: `_${MRID.toLowerCase()}`, resultFormat: 'JSON' }),
      ),
    );
    expect(areas[1]).toEqual(areas[0]);
    expect(areas[2]).toEqual(areas[0]);
    const { feeders } = areas[0]!;
    expect(feeders).toMatchObject({ feeder_id: MRID, connectivity_node: [HEAD, MIDDLE] });
    expect(feeders.addressable_equipment).toEqual([SWITCH]);
    expect(feeders.unaddressable_equipment).toEqual(expect.arrayContaining([SOURCE, LINE]));
    expect(feeders.switch_areas).toMatchObject([
      { message_bus_id: `${MRID}.0`, boundary_switches: [SWITCH], connectivity_node: [TAIL], secondary_areas: [] },
    ]);
    expect(feeders.switch_areas[0]!.addressable_equipment).toContain(id(23));
  });

  it('has each node and each piece of the built-in feeder in one area', () => {
    const flagship = openModelStore(undefined);
    const { feeder, index } = flagship.find('ieee123sec_dec');
    const answer = createTopologyService(flagship, nothing).answer(
      JSON.stringify({ requestType: 'GET_SWITCH_AREAS', modelID: feeder.mrid }),
    ) as SwitchAreas;
    const all = [
      answer.feeders,
      ...answer.feeders.switch_areas,
      ...answer.feeders.switch_areas.flatMap(({ secondary_areas }) => secondary_areas),
    ];
    const nodes = all.flatMap(({ connectivity_node }) => connectivity_node);
    expect(new Set(nodes).size).toBe(nodes.length);
    expect(nodes.length).toBe(index.byClass('ConnectivityNode').length);
    const known = new Set(all.flatMap(({ addressable_equipment: a, unaddressable_equipment: u }) => [...a, ...u]));
    for (const className of [
      'ACLineSegment',
      'EnergyConsumer',
      'PowerElectronicsConnection',
      'LoadBreakSwitch',
      'Analog',
    ])
      for (const object of index.byClass(className)) expect(known.has(object.mrid), object.name).toBe(true);
    const count = answer.feeders.switch_areas.flatMap(({ secondary_areas }) => secondary_areas).length;
    expect(count).toBeGreaterThan(50);
  });

  it('knows what hangs on the source, and where equipment stands', () => {
    const { feeders, islands, connectivity, equipment } = topology({ requestType: 'GET_BASE_TOPOLOGY', modelID: MRID });
    expect(feeders).toEqual({
      feeder_0: { root_node: HEAD, EnergySource: SOURCE, ConnectivityNode: [HEAD, MIDDLE, TAIL] },
    });
    expect(islands).toEqual({});
    expect(equipment!['LoadBreakSwitch']![SWITCH!]).toEqual({
      name: 'switch',
      ...{ node1: MIDDLE, term1: id(33), node2: TAIL, term2: id(34) },
      open: 1,
    });
    expect(connectivity![TAIL!]).toMatchObject({
      ...{ name: 'tail', nominalVoltage: '4160', Feeder: ['feeder_0'], Island: [] },
      ...{ EnergyConsumer: [id(23)], LoadBreakSwitch: [SWITCH], ACLineSegment: [] },
    });
  });

  it('makes an island of what a simulation has cut off, by the last positions until a time', () => {
    const point = store.find(MRID).feeder.measurements.find(({ type }) => type === 'Pos')!.mrid;
    const asked: unknown[] = [];
    const measured: StoredPositions = (simulationId, mrids, untilS) => {
      asked.push([simulationId, mrids.length, untilS]);
      return [
        { measurement_mrid: point, value: 1, time: 100 },
        { measurement_mrid: `_${point.toLowerCase()}`, value: 0, time: 103 },
      ];
    };
    const request = { requestType: 'GET_SNAPSHOT_TOPOLOGY', modelID: MRID };
    const cut = topology({ ...request, simulationID: 7, timestamp: '103' }, measured);
    expect(asked).toEqual([['7', 1, 106]]);
    expect(cut.feeders['feeder_0']!.ConnectivityNode).toEqual([HEAD, MIDDLE]);
    const roof = store.find(MRID).feeder.pvSystems[0]!.mrid;
    expect(cut.islands).toEqual({ island_0: { PowerElectronicsConnection: [roof], ConnectivityNode: [TAIL] } });
    expect([cut.timestamp, cut.equipment]).toEqual([103, undefined]);
    expect(topology({ ...request, simulation_id: '7' }, measured).timestamp).toBe(103);
    expect(() => ask({ ...request, simulation_id: '8' })).toThrow(
      /Simulation 8 has measured no switch; ask for GET_BASE/,
    );
    expect(() => ask(request)).toThrow(/simulationID is missing/);
    expect(() => ask({ ...request, simulationID: 7, timestamp: 'noon' })).toThrow(/timestamp/);
  });

  it('names questions, models and ids that it does not know', () => {
    expect(() => ask({ requestType: 'GET_WEATHER', modelID: MRID })).toThrow(/GET_WEATHER.*GET_SWITCH_AREAS/);
    expect(() => ask({ requestType: 'GET_SWITCH_AREAS' })).toThrow(/modelID is missing/);
    expect(() => ask({ requestType: 'GET_SWITCH_AREAS', modelID: '_FFFF' })).toThrow(/_FFFF.*\n.*tiny/);
  });
});
