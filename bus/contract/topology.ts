import { z } from 'zod';
import { TOPOLOGY_QUEUE } from './destination.js';
import { declareMessage, type Immutable, identifier, withoutNulls } from './message.js';

/** Under all the names that releases of the topology processor have had. */
const requestSchema = z
  .preprocess(
    withoutNulls,
    z.object({
      requestType: z.string(),
      modelID: identifier.exactOptional(),
      model_id: identifier.exactOptional(),
      mRID: identifier.exactOptional(),
      simulationID: identifier.exactOptional(),
      simulation_id: identifier.exactOptional(),
      timestamp: z.coerce.number({ error: 'epoch seconds expected' }).exactOptional(),
    }),
  )
  .transform(({ requestType, timestamp, ...ids }) => ({
    requestType,
    modelId: ids.modelID ?? ids.model_id ?? ids.mRID,
    simulationId: ids.simulationID ?? ids.simulation_id,
    timestamp,
  }));

/** A question to the topology processor. */
export type TopologyRequest = Immutable<z.infer<typeof requestSchema>>;

/** Request to the topology processor: GET_SWITCH_AREAS, GET_BASE_TOPOLOGY, GET_SNAPSHOT_TOPOLOGY. */
export const topologyRequest = declareMessage<TopologyRequest>({
  name: 'topology request',
  destination: TOPOLOGY_QUEUE,
  schema: requestSchema,
  example: {
    requestType: 'GET_SNAPSHOT_TOPOLOGY',
    modelID: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    simulationID: '1267312',
    timestamp: 1655321833,
  },
});

const ids = z.array(z.string());
const equipment = { addressable_equipment: ids, unaddressable_equipment: ids, connectivity_node: ids };

const switchAreasSchema = z.object({
  feeders: z.object({
    feeder_id: z.string(),
    ...equipment,
    switch_areas: z.array(
      z.object({
        /** `<feeder>.<place in the list>`. */
        message_bus_id: z.string(),
        boundary_switches: ids,
        ...equipment,
        secondary_areas: z.array(z.object({ message_bus_id: z.string(), distribution_transformer: ids, ...equipment })),
      }),
    ),
  }),
});

/** Areas in the form of the topology processor. */
export type SwitchAreas = Immutable<z.infer<typeof switchAreasSchema>>;

const example = {
  addressable_equipment: ['_0D6D2B43-7F5B-4F0C-A2F8-3FB2D8F1DA4B'],
  unaddressable_equipment: ['_6D6D2B43-7F5B-4F0C-A2F8-3FB2D8F1DA4B'],
  connectivity_node: ['_9B9B2C3B-0F1A-4B8E-8E3B-6E1A2F2A7C11'],
};

/** Answer to GET_SWITCH_AREAS, without envelope: mRIDs by area. */
export const switchAreasReply = declareMessage({
  name: 'switch areas reply',
  destination: TOPOLOGY_QUEUE,
  schema: switchAreasSchema,
  example: {
    feeders: {
      feeder_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
      ...example,
      switch_areas: [
        {
          message_bus_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62.0',
          boundary_switches: ['_517413CB-6977-46FA-8911-C82332E42884'],
          ...example,
          secondary_areas: [
            {
              message_bus_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62.0.0',
              distribution_transformer: ['_8D6D2B43-7F5B-4F0C-A2F8-3FB2D8F1DA4B'],
              ...example,
            },
          ],
        },
      ],
    },
  },
});

const tree = z.looseObject({ ConnectivityNode: ids });

const topologySchema = z.object({
  modelID: z.string(),
  /** Trees from a substation transformer or a source on. */
  feeders: z.record(z.string(), tree.extend({ root_node: z.string() })),
  /** What machines and inverters stand in without a source. */
  islands: z.record(z.string(), tree),
  connectivity: z.record(z.string(), z.looseObject({ name: z.string() })).exactOptional(),
  equipment: z.record(z.string(), z.record(z.string(), z.looseObject({ name: z.string() }))).exactOptional(),
  timestamp: z.number().exactOptional(),
});

/** What hangs together. */
export type Topology = Immutable<z.infer<typeof topologySchema>>;

/** Answer to GET_BASE_TOPOLOGY, and to GET_SNAPSHOT_TOPOLOGY with `timestamp` for the last two parts; without envelope. */
export const topologyReply = declareMessage({
  name: 'topology reply',
  destination: TOPOLOGY_QUEUE,
  schema: topologySchema,
  example: {
    modelID: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    feeders: {
      feeder_0: {
        root_node: '_9B9B2C3B-0F1A-4B8E-8E3B-6E1A2F2A7C11',
        EnergySource: '_3B9B2C3B-0F1A-4B8E-8E3B-6E1A2F2A7C11',
        ConnectivityNode: ['_9B9B2C3B-0F1A-4B8E-8E3B-6E1A2F2A7C11'],
      },
    },
    islands: {},
    connectivity: {
      '_9B9B2C3B-0F1A-4B8E-8E3B-6E1A2F2A7C11': { name: '671', Feeder: ['feeder_0'], ACLineSegment: [] },
    },
    equipment: {
      LoadBreakSwitch: { '_517413CB-6977-46FA-8911-C82332E42884': { name: '671692', open: 1 } },
    },
  },
});
