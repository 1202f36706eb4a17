import {
  type AreaTopology,
  areaTopologyRequest,
  type FieldAgent,
  type FieldRequest,
  simulationInputTopic,
} from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid } from '../grid/model/index.js';
import { type ModelAreas, modelAreas } from './area-topology.js';
import type { LoadedModel } from './loaded-model.js';
import type { ModelStore } from './model-store.js';

/** The context managers of all areas and the field manager of the platform. */
export interface FieldService {
  /** Answer of a context manager, undefined when the request wants none. @throws DecError for an unknown area */
  answerManager(busId: string, request: FieldRequest): unknown;
  /** Answer of the platform's field manager. @throws DecError for an unknown area */
  answerPlatform(request: FieldRequest): unknown;
  /** Answer of the topology service. @throws DecError for an unknown area or request */
  answerTopology(body: string, destination: string): AreaTopology;
  /** Measurement mRIDs of a model by message bus. */
  measurementsOf(model: LoadedModel): ReadonlyMap<string, readonly string[]>;
}

/**
 * Makes the service.
 * @param hasSimulation - whether a simulation is there that commands can go to
 */
export function createFieldService(
  store: ModelStore,
  send: (destination: string, body: string) => void,
  hasSimulation: (simulationId: string) => boolean,
): FieldService {
  const areas = new WeakMap<LoadedModel, ModelAreas>();
  const agents = new Map<string, Map<string, FieldAgent>>();
  const areasOf = (model: LoadedModel): ModelAreas => {
    const known = areas.get(model);
    if (known) return known;
    const found = modelAreas(model);
    areas.set(model, found);
    return found;
  };

  /** An area by id among all models; without an id the areas of the first model as a whole. */
  const findArea = (areaId: string | undefined): object => {
    const models = store.all();
    if (areaId === undefined || areaId === '') {
      const [first] = models;
      if (first) return areasOf(first).topology;
    } else {
      const id = canonicalMrid(areaId).toUpperCase();
      for (const model of models) {
        for (const [key, area] of areasOf(model).byId) if (key.toUpperCase() === id) return area;
      }
    }
    throw new DecError('FEEDER_UNKNOWN', `No area, feeder or substation has the id ${areaId ?? ''}.`, { areaId });
  };

  const register = (agent: FieldAgent): void => {
    for (const busId of [agent.upstream_message_bus_id, agent.downstream_message_bus_id]) {
      if (!busId) continue;
      const members = agents.get(canonicalMrid(busId)) ?? new Map<string, FieldAgent>();
      members.set(agent.agent_id, agent);
      agents.set(canonicalMrid(busId), members);
    }
  };

  const forward = (request: Extract<FieldRequest, { readonly request_type: 'control_command' }>): undefined => {
    const { difference_builder } = request;
    const simulationId = difference_builder.input.simulation_id;
    if (simulationId === undefined) {
      throw new DecError('BAD_ARGUMENT', 'A control_command without simulation_id cannot be forwarded.');
    }
    if (!hasSimulation(simulationId)) {
      throw new DecError(
        'BAD_ARGUMENT',
        `There is no simulation ${simulationId} that the control_command could go to.`,
        {
          simulationId,
        },
      );
    }
    send(simulationInputTopic(simulationId), JSON.stringify(difference_builder));
    return undefined;
  };

  return {
    answerManager(busId, request) {
      switch (request.request_type) {
        case 'get_context':
          return { data: findArea(request.areaId ?? busId) };
        case 'register_agent': {
          const members = agents.get(canonicalMrid(busId)) ?? new Map<string, FieldAgent>();
          agents.set(canonicalMrid(busId), members.set(request.agent.agent_id, request.agent));
          return undefined;
        }
        case 'get_agents':
          return Object.fromEntries(agents.get(canonicalMrid(busId)) ?? []);
        case 'is_initialized':
        case 'is_initilized':
          return { initialized: true };
        case 'start_publishing':
          return { initialized: true };
        case 'control_command':
          return forward(request);
      }
    },
    answerPlatform(request) {
      switch (request.request_type) {
        case 'get_context':
          return { data: findArea(request.areaId ?? request.modelId) };
        case 'is_initialized':
        case 'is_initilized':
        case 'start_publishing':
          return { data: { initialized: true } };
        case 'get_agents':
          return Object.fromEntries([...agents.values()].flatMap((members) => [...members]));
        case 'register_agent':
          register(request.agent);
          return undefined;
        case 'control_command':
          return forward(request);
      }
    },
    answerTopology(body, destination) {
      const { requestType, mRID, modelID } = areaTopologyRequest.parse(body, destination);
      if (requestType !== 'GET_DISTRIBUTED_AREAS') {
        throw new DecError(
          'UNSUPPORTED',
          `The request type "${requestType}" is not supported; ask for GET_DISTRIBUTED_AREAS.`,
          {
            requestType,
          },
        );
      }
      const wanted = mRID ?? modelID;
      const models = store.all();
      if (wanted === undefined && models[0]) return areasOf(models[0]).topology;
      const id = canonicalMrid(wanted ?? '').toUpperCase();
      for (const model of models) {
        const { byId, topology } = areasOf(model);
        if ([...byId.keys()].some((key) => key.toUpperCase() === id)) return topology;
      }
      throw new DecError('FEEDER_UNKNOWN', `No feeder or area has the id ${wanted ?? ''}.`, { mRID: wanted });
    },
    measurementsOf: (model) => areasOf(model).measurements,
  };
}
