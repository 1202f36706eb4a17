import { z } from 'zod';
import { AGENT_REGISTRY_QUEUE, AREA_TOPOLOGY_QUEUE, FIELD_MANAGER_QUEUE } from './destination.js';
import { declareMessage, type Immutable, identifier, withoutNulls } from './message.js';

/** Of the context manager of a message bus. */
const CONTEXT_MANAGER = '/queue/goss.gridappsd.field.request.<busId>.<busId>.context_manager';

const agentSchema = z.object({
  agent_id: z.string(),
  app_id: z.string().default(''),
  description: z.string().default(''),
  upstream_message_bus_id: z.string().nullish(),
  downstream_message_bus_id: z.string().nullish(),
});

const exampleAgent = {
  agent_id: 'da_dec_1',
  app_id: 'dec',
  description: 'service transformer',
  upstream_message_bus_id: 'D4A1C2B3-0000-4000-8000-000000000006',
  downstream_message_bus_id: 'D4A1C2B3-0000-4000-8000-000000000007',
};

/** A field agent as it registers. */
export type FieldAgent = Immutable<z.infer<typeof agentSchema>>;

const requestSchema = z.preprocess(
  withoutNulls,
  z.discriminatedUnion('request_type', [
    z.object({
      request_type: z.literal('get_context'),
      areaId: z.string().exactOptional(),
      modelId: z.string().exactOptional(),
    }),
    z.object({ request_type: z.literal('register_agent'), agent: agentSchema }),
    z.object({ request_type: z.literal('get_agents') }),
    z.object({ request_type: z.literal('is_initialized') }),
    z.object({ request_type: z.literal('is_initilized') }),
    z.object({ request_type: z.literal('start_publishing'), simulation_id: identifier.exactOptional() }),
    z.object({
      request_type: z.literal('control_command'),
      difference_builder: z.looseObject({
        input: z.looseObject({ simulation_id: identifier.exactOptional() }),
      }),
    }),
  ]),
);

/** A request to a context manager or to the platform's field manager. */
export type FieldRequest = Immutable<z.infer<typeof requestSchema>>;

/** Request to a context manager of an area, or to the field manager of the platform. */
export const fieldRequest = declareMessage({
  name: 'field request',
  destination: FIELD_MANAGER_QUEUE,
  schema: requestSchema,
  alsoOn: [CONTEXT_MANAGER],
  example: { request_type: 'get_context', areaId: '4A2E4C2B-0F1A-4B8E-8E3B-6E1A2F2A7C11' },
  moreExamples: {
    'an agent registers; no answer': { request_type: 'register_agent', agent: exampleAgent },
    'the agents of the bus, or of all': { request_type: 'get_agents' },
    'whether it is ready': { request_type: 'is_initialized' },
    'the same, as older clients write it': { request_type: 'is_initilized' },
    'measurements are wanted; they are published anyway': {
      request_type: 'start_publishing',
      simulation_id: '1267312',
    },
    'differences for the simulation; no answer': {
      request_type: 'control_command',
      difference_builder: {
        command: 'update',
        input: {
          simulation_id: '1267312',
          message: {
            timestamp: 1655321900,
            difference_mrid: '9f0ad1de-2bd1-4cb0-a2a2-6d4f1f4b6a55',
            reverse_differences: [
              { object: '_0D2E1F77-0000-4000-8000-000000000001', attribute: 'Switch.open', value: 0 },
            ],
            forward_differences: [
              { object: '_0D2E1F77-0000-4000-8000-000000000001', attribute: 'Switch.open', value: 1 },
            ],
          },
        },
      },
    },
  },
});

/** Registration of an agent as context managers pass it on: the agent alone, or as a request; no answer. */
export const fieldAgentRegistration = declareMessage({
  name: 'field agent registration',
  destination: AGENT_REGISTRY_QUEUE,
  schema: agentSchema,
  example: exampleAgent,
});

const reference = z.object({ '@id': z.string(), '@type': z.string() });

/** An object of a model by id and class. */
export type AreaMember = Immutable<z.infer<typeof reference>>;

const members = {
  '@id': z.string(),
  '@type': z.string(),
  BoundaryTerminals: z.array(reference).default([]),
  AddressableEquipment: z.array(reference).default([]),
  UnaddressableEquipment: z.array(reference).default([]),
  Measurements: z.array(reference).default([]),
};

const secondaryArea = z.object({ ...members, SwitchArea: z.string().exactOptional() });
const switchArea = z.object({
  ...members,
  FeederArea: z.string().exactOptional(),
  SecondaryAreas: z.array(secondaryArea).default([]),
});
const feederArea = z.object({ ...members, SwitchAreas: z.array(switchArea).default([]) });

/** Everything below one service transformer. */
export type SecondaryArea = Immutable<z.infer<typeof secondaryArea>>;
/** A part of the primary between switches, with the secondary areas in it. */
export type SwitchArea = Immutable<z.infer<typeof switchArea>>;
/** The outermost area of a feeder. */
export type FeederArea = Immutable<z.infer<typeof feederArea>>;

const exampleArea = {
  '@id': 'D4A1C2B3-0000-4000-8000-000000000001',
  '@type': 'FeederArea',
  BoundaryTerminals: [{ '@id': 'D4A1C2B3-0000-4000-8000-000000000002', '@type': 'Terminal' }],
  AddressableEquipment: [{ '@id': 'D4A1C2B3-0000-4000-8000-000000000003', '@type': 'Breaker' }],
  UnaddressableEquipment: [{ '@id': 'D4A1C2B3-0000-4000-8000-000000000004', '@type': 'ACLineSegment' }],
  Measurements: [{ '@id': 'D4A1C2B3-0000-4000-8000-000000000005', '@type': 'Analog' }],
  SwitchAreas: [
    {
      '@id': 'D4A1C2B3-0000-4000-8000-000000000006',
      '@type': 'SwitchArea',
      FeederArea: 'D4A1C2B3-0000-4000-8000-000000000001',
      SecondaryAreas: [{ '@id': 'D4A1C2B3-0000-4000-8000-000000000007', '@type': 'SecondaryArea' }],
    },
  ],
};

const contextSchema = z.object({ data: z.looseObject({ '@id': z.string(), '@type': z.string() }) });

/** The area object a context manager answers with. */
export type FieldContext = Immutable<z.infer<typeof contextSchema>>;

/** Answer to `get_context`: the area's object. */
export const fieldContext = declareMessage({
  name: 'field context reply',
  destination: FIELD_MANAGER_QUEUE,
  schema: contextSchema,
  alsoOn: [CONTEXT_MANAGER],
  example: { data: exampleArea },
});

const agentsSchema = z.record(z.string(), agentSchema);

/** Answer to `get_agents`: agents by id, without envelope. */
export const fieldAgents = declareMessage({
  name: 'field agents reply',
  destination: CONTEXT_MANAGER,
  alsoOn: [FIELD_MANAGER_QUEUE],
  schema: agentsSchema,
  example: {
    da_dec_1: exampleAgent,
  },
});

/** Answer to `is_initialized`, without envelope. */
export const fieldInitialized = declareMessage({
  name: 'field initialized reply',
  destination: CONTEXT_MANAGER,
  schema: z.object({ initialized: z.boolean() }),
  example: { initialized: true },
});

/** Answer of the platform's field manager to `is_initialized`. */
export const fieldManagerInitialized = declareMessage({
  name: 'field manager initialized reply',
  destination: FIELD_MANAGER_QUEUE,
  schema: z.object({ data: z.object({ initialized: z.boolean() }) }),
  example: { data: { initialized: true } },
});

const topologyRequestSchema = z.preprocess(
  withoutNulls,
  z.object({
    requestType: z.string(),
    mRID: z.string().exactOptional(),
    modelID: z.string().exactOptional(),
    resultFormat: z.string().default('JSON'),
  }),
);

/** Question for the areas of a feeder. */
export type AreaTopologyRequest = Immutable<z.infer<typeof topologyRequestSchema>>;

/** Request to the topology service. */
export const areaTopologyRequest = declareMessage({
  name: 'area topology request',
  destination: AREA_TOPOLOGY_QUEUE,
  schema: topologyRequestSchema,
  example: { requestType: 'GET_DISTRIBUTED_AREAS', mRID: '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', resultFormat: 'JSON' },
});

const topologySchema = z.object({
  DistributionArea: z.object({
    '@id': z.string().exactOptional(),
    '@type': z.string().exactOptional(),
    Substations: z.array(
      z.object({
        '@id': z.string(),
        '@type': z.string(),
        NormalEnergizedFeeder: z.array(z.object({ '@id': z.string(), '@type': z.string(), FeederArea: feederArea })),
      }),
    ),
  }),
});

/** All areas, from the substations down to the secondary areas. */
export type AreaTopology = Immutable<z.infer<typeof topologySchema>>;

/** Answer of the topology service, without envelope. */
export const areaTopology = declareMessage({
  name: 'area topology reply',
  destination: AREA_TOPOLOGY_QUEUE,
  schema: topologySchema,
  example: {
    DistributionArea: {
      '@id': 'D4A1C2B3-0000-4000-8000-000000000010',
      '@type': 'DistributionArea',
      Substations: [
        {
          '@id': 'D4A1C2B3-0000-4000-8000-000000000011',
          '@type': 'Substation',
          NormalEnergizedFeeder: [
            { '@id': '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', '@type': 'Feeder', FeederArea: exampleArea },
          ],
        },
      ],
    },
  },
});
