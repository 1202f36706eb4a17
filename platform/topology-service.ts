/*
 * The topology processor of GridAPPS-D (its service on `...request.data.topology`): areas between switches as lists of mRIDs,
 * and what hangs together, as modelled or as a simulation has it. Forms after topology-processor 0.4.0 and before.
 */
import { type SwitchAreas, type TimeSeriesRow, TOPOLOGY_QUEUE, type Topology, topologyRequest } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid, findAreas, type SwitchArea } from '../grid/model/index.js';
import type { LoadedModel } from './loaded-model.js';
import type { ModelStore } from './model-store.js';
import { measuredFeeder } from './script-telemetry.js';
import { networkOf } from './topology-network.js';

/** Answers the topology processor's questions. */
export interface TopologyService {
  /** @throws BusError, DecError for a request that cannot be read, an unknown model, simulation or question */
  answer(body: string): SwitchAreas | Topology;
}

/** Stored measurements of a simulation in the order of time. */
export type StoredPositions = (
  simulationId: string,
  mrids: readonly string[],
  untilS: number,
) => readonly TimeSeriesRow[];

/** Switches that bound areas here, fuses among them. */
const BOUNDARY_CLASSES: ReadonlySet<string> = new Set(['Breaker', 'Fuse', 'LoadBreakSwitch', 'Recloser']);
/** What may be commanded, as this service has it: loads and houses too, transformers and lines not. */
const ADDRESSABLE_CLASSES: ReadonlySet<string> = new Set([
  ...BOUNDARY_CLASSES,
  ...['SynchronousMachine', 'PowerElectronicsConnection', 'LinearShuntCompensator', 'RatioTapChanger'],
  ...['EnergyConsumer', 'House', 'BatteryUnit', 'PhotovoltaicUnit'],
]);
/** Simulated seconds behind a time in which an output still counts as of it, as there. */
const LATE_S = 3;

/** Makes the service. @param positions - what simulations have measured */
export function createTopologyService(store: ModelStore, positions: StoredPositions): TopologyService {
  const modelOf = (id: string | undefined): LoadedModel => {
    if (id !== undefined && id !== '') return store.find(id);
    throw new DecError('BAD_ARGUMENT', 'modelID is missing: the mRID of a feeder is expected.', { key: 'modelID' });
  };

  /** Closed or open, by canonical id of the switch. */
  const positionsOf = (model: LoadedModel, simulationId: string | undefined, timestamp: number | undefined) => {
    if (simulationId === undefined) {
      throw new DecError('BAD_ARGUMENT', 'simulationID is missing: a snapshot is of a simulation.', {
        key: 'simulationID',
      });
    }
    const { measurements, switches } = measuredFeeder(model);
    const ids = new Set(switches.map(({ id }) => id));
    const measured = new Map(
      measurements
        .filter(({ type, equipmentId }) => type === 'Pos' && ids.has(canonicalMrid(equipmentId)))
        .map(({ mrid, equipmentId }) => [keyOf(mrid), canonicalMrid(equipmentId)]),
    );
    const untilS = timestamp === undefined ? Number.POSITIVE_INFINITY : timestamp + LATE_S;
    const rows = positions(simulationId, [...measured.keys()], untilS);
    const last = rows.at(-1)?.time;
    if (last === undefined && measured.size > 0) {
      throw new DecError(
        'BAD_ARGUMENT',
        `Simulation ${simulationId} has measured no switch${timestamp === undefined ? '' : ` by ${timestamp}`}; ask for GET_BASE_TOPOLOGY, or later.`,
        { simulationId, timestamp },
      );
    }
    const isClosed = new Map<string, boolean>();
    for (const { measurement_mrid, value } of rows) {
      const id = measurement_mrid === undefined ? undefined : measured.get(keyOf(measurement_mrid));
      if (id !== undefined && value !== undefined) isClosed.set(id, value !== 0);
    }
    return { isClosed, timestamp: timestamp ?? last ?? 0 };
  };

  return {
    answer(body) {
      const { requestType, modelId, simulationId, timestamp } = topologyRequest.parse(body, TOPOLOGY_QUEUE);
      switch (requestType) {
        case 'GET_SWITCH_AREAS':
          return switchAreas(modelOf(modelId));
        case 'GET_BASE_TOPOLOGY': {
          const model = modelOf(modelId);
          const { feeders, islands, connectivity, equipment } = networkOf(model, new Map());
          return { modelID: model.mrid, feeders, islands, connectivity, equipment };
        }
        case 'GET_SNAPSHOT_TOPOLOGY': {
          const model = modelOf(modelId);
          const state = positionsOf(model, simulationId, timestamp);
          const { feeders, islands } = networkOf(model, state.isClosed);
          return { modelID: model.mrid, feeders, islands, timestamp: state.timestamp };
        }
        default:
          throw new DecError(
            'UNSUPPORTED',
            `The request type "${requestType}" is unknown; GET_SWITCH_AREAS, GET_BASE_TOPOLOGY and GET_SNAPSHOT_TOPOLOGY are answered.`,
            { requestType },
          );
      }
    },
  };
}

const keyOf = (mrid: string): string => canonicalMrid(mrid).toUpperCase();

/** mRIDs of an area by what they are to it. */
function switchAreas(model: LoadedModel): SwitchAreas {
  const { feeder, index, mrid } = model;
  const tree = findAreas(feeder, { boundaryClasses: BOUNDARY_CLASSES });
  const classes = new Map(feeder.switches.map(({ id, switchClass }) => [id, switchClass]));
  const spelled = (id: string): string => index.get(id)?.mrid ?? id;
  const points = new Map<string, string[]>();
  for (const { equipmentId, mrid: point } of measuredFeeder(model).measurements) {
    const id = canonicalMrid(equipmentId);
    points.set(id, [...(points.get(id) ?? []), point]);
  }
  const parts = (ids: readonly string[], buses: readonly string[]) => {
    const tapChangers = feeder.regulators
      .filter(({ transformerId }) => ids.includes(transformerId))
      .map(({ id }) => id);
    const addressable: string[] = [];
    const unaddressable: string[] = [];
    for (const id of [...ids, ...tapChangers]) {
      const className = index.get(id)?.className ?? classes.get(id) ?? '';
      (ADDRESSABLE_CLASSES.has(className) ? addressable : unaddressable).push(spelled(id));
      unaddressable.push(...(points.get(id) ?? []));
    }
    return {
      addressable_equipment: addressable,
      unaddressable_equipment: unaddressable,
      connectivity_node: buses.map(spelled),
    };
  };
  // What is in no area between switches is the feeder's own, whatever hangs on it.
  const own = (area: SwitchArea) =>
    parts(
      [...area.equipment, ...area.secondaryAreas.flatMap(({ equipment }) => equipment)],
      [...area.buses, ...area.secondaryAreas.flatMap(({ buses }) => buses)],
    );
  return {
    feeders: {
      feeder_id: mrid,
      ...own(tree.feederArea),
      switch_areas: tree.switchAreas.map((area, k) => ({
        message_bus_id: `${mrid}.${k}`,
        boundary_switches: area.boundaryBranches.map(spelled),
        ...parts(area.equipment, area.buses),
        secondary_areas: area.secondaryAreas.map((secondary, j) => ({
          message_bus_id: `${mrid}.${k}.${j}`,
          distribution_transformer: secondary.transformerIds.map(spelled),
          ...parts(secondary.equipment, secondary.buses),
        })),
      })),
    },
  };
}
