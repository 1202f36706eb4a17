import { z } from 'zod';
import { cimDictionaryExample, feederIndexExample } from './cim-dictionary-example.js';
import { CONFIGURATION_QUEUE, DYNAMIC_YBUS_REQUESTS, STATIC_YBUS_QUEUE } from './destination.js';
import { declareMessage, type Immutable, identifier, withoutNulls } from './message.js';
import { declareReply } from './reply.js';

const parameterText = z
  .union([z.string(), z.number(), z.boolean(), z.record(z.string(), z.unknown()), z.array(z.unknown())])
  .transform((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));

const requestSchema = z.preprocess(
  withoutNulls,
  z.object({
    configurationType: z.string(),
    parameters: z.preprocess(withoutNulls, z.record(z.string(), parameterText)).default({}),
  }),
);

/** A request for an export; parameter values are texts whatever the sender wrote, JSON texts of objects. */
export type ConfigurationRequest = Immutable<z.infer<typeof requestSchema>>;

/** Request for an export: "CIM Dictionary", "YBus Export", "Vnom Export", "GridLAB-D Limits", … */
export const configurationRequest = declareMessage({
  name: 'configuration request',
  destination: CONFIGURATION_QUEUE,
  schema: requestSchema,
  example: {
    configurationType: 'CIM Dictionary',
    parameters: { model_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', simulation_id: '1267312' },
  },
});

const named = z.looseObject({ name: z.string(), mRID: z.string() });

const dictionaryMeasurement = z.object({
  name: z.string(),
  mRID: z.string(),
  ConductingEquipment_mRID: z.string(),
  Terminal_mRID: z.string(),
  measurementType: z.string(),
  phases: z.string().default(''),
  MeasurementClass: z.string(),
  ConductingEquipment_type: z.string(),
  ConductingEquipment_name: z.string(),
  ConnectivityNode: z.string(),
  SimObject: z.string().nullish(),
});

const dictionarySchema = z.object({
  feeders: z.array(
    z.object({
      name: z.string(),
      mRID: z.string(),
      capacitors: z.array(named).default([]),
      regulators: z.array(z.looseObject({ bankName: z.string() })).default([]),
      solarpanels: z.array(named).default([]),
      batteries: z.array(named).default([]),
      synchronousmachines: z.array(named).default([]),
      switches: z.array(named).default([]),
      fuses: z.array(named).default([]),
      breakers: z.array(named).default([]),
      reclosers: z.array(named).default([]),
      energyconsumers: z.array(named).default([]),
      measurements: z.array(dictionaryMeasurement).default([]),
    }),
  ),
});

/** The CIM dictionary: names, ids and measurements of a feeder. Applications read `feeders[0]`. */
export type CimDictionary = Immutable<z.infer<typeof dictionarySchema>>;

/** Answer to "CIM Dictionary". */
export const cimDictionaryReply = declareReply({
  name: 'CIM dictionary reply',
  destination: CONFIGURATION_QUEUE,
  schema: dictionarySchema,
  example: cimDictionaryExample,
});

/** Answer to "CIM Feeder Index". */
export const feederIndexReply = declareReply({
  name: 'feeder index reply',
  destination: CONFIGURATION_QUEUE,
  schema: z.object({ feeders: z.array(named) }),
  example: feederIndexExample,
});

/** Answer to "YBus Export": lines of the lower triangle in siemens, node names in quotes, summary. */
export const ybusReply = declareReply({
  name: 'Ybus reply',
  destination: CONFIGURATION_QUEUE,
  schema: z.object({
    yParse: z.array(z.string()),
    nodeList: z.array(z.string()),
    summary: z.array(z.string()).default([]),
  }),
  example: {
    yParse: ['Row,Col,G,B', '1,1,517.6253721,-539.2591296'],
    nodeList: ['"SOURCEBUS.1"'],
    summary: ['DateTime, CaseName, Status', '0, ieee13nodeckt, SOLVED'],
  },
});

/** Answer to "Vnom Export": lines of nominal voltages, V line to neutral and degrees. */
export const vnomReply = declareReply({
  name: 'Vnom reply',
  destination: CONFIGURATION_QUEUE,
  schema: z.object({ vnom: z.array(z.string()) }),
  example: {
    vnom: [
      'Bus, BasekV, Node1, Magnitude1, Angle1, pu1',
      '"650", 4.16, 1,    2401.78,    0.0,       1, 0, 0, 0, 0, 0, 0, 0, 0',
    ],
  },
});

const limitSchema = z.looseObject({ id: z.string() });

/** Answer to "GridLAB-D Limits": voltages by connectivity node, currents by equipment. */
export const limitsReply = declareReply({
  name: 'limits reply',
  destination: CONFIGURATION_QUEUE,
  schema: z.object({ limits: z.object({ voltages: z.array(limitSchema), currents: z.array(limitSchema) }) }),
  example: {
    limits: {
      voltages: [{ id: '_0A2D1460-0000-4000-8000-000000000000', Blo: 2161.6, Alo: 2281.7, Ahi: 2521.9, Bhi: 2542 }],
      currents: [{ id: '_0B2D1460-0000-4000-8000-000000000000', Normal: 400, Emergency: 600 }],
    },
  },
});

/** Request to the toolbox's static-ybus service. */
export const staticYbusRequest = declareMessage({
  name: 'static Ybus request',
  destination: STATIC_YBUS_QUEUE,
  schema: z.object({ requestType: z.string(), feeder_id: identifier }),
  example: { requestType: 'GET_SNAPSHOT_YBUS', feeder_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62' },
});

const ybusRows = z.record(z.string(), z.record(z.string(), z.tuple([z.number(), z.number()])));

/** Lower triangle of a node admittance matrix by node names, S. */
export type YbusRows = Immutable<z.infer<typeof ybusRows>>;

/** Question to the dynamic-ybus service of a simulation, whose id ends the destination. */
export const dynamicYbusRequest = declareMessage({
  name: 'dynamic Ybus request',
  destination: DYNAMIC_YBUS_REQUESTS.replace('>', '<simulationId>'),
  schema: z.object({ requestType: z.string() }),
  example: { requestType: 'GET_SNAPSHOT_YBUS' },
});

const dynamicReplySchema = z.object({
  feeder_id: z.string(),
  simulation_id: z.string(),
  timestamp: z.number(),
  ybus: ybusRows,
});

/** Admittances of a simulation as they stand. */
export type DynamicYbusReply = Immutable<z.infer<typeof dynamicReplySchema>>;

/** Answer of the dynamic-ybus service, without envelope: switches, taps and capacitor banks as they stand. */
export const dynamicYbusReply = declareMessage({
  name: 'dynamic Ybus reply',
  destination: DYNAMIC_YBUS_REQUESTS.replace('>', '<simulationId>'),
  schema: dynamicReplySchema,
  example: {
    feeder_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    simulation_id: '1267312',
    timestamp: 1655321833,
    ybus: { '646.2': { '645.2': [-1.5, 1.4], '646.2': [1.5, -1.4] } },
  },
});

const dynamicSchema = z.object({
  feeder_id: z.string(),
  simulation_id: z.string(),
  timestamp: z.number(),
  ybus: ybusRows,
  /** Entries that differ from the matrix before; those that are gone are zero. */
  ybusChanges: ybusRows,
});

/** Admittances after a switch, tap or capacitor bank has moved. */
export type DynamicYbus = Immutable<z.infer<typeof dynamicSchema>>;

/** What the dynamic-ybus service publishes. */
export const dynamicYbus = declareMessage({
  name: 'dynamic Ybus',
  destination: '/topic/goss.gridappsd.simulation.gridappsd-dynamic-ybus.<simulationId>.output',
  schema: dynamicSchema,
  example: {
    feeder_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    simulation_id: '1267312',
    timestamp: 1655321833,
    ybus: { '646.2': { '645.2': [-1.5, 1.4], '646.2': [1.5, -1.4] } },
    ybusChanges: { '646.2': { '645.2': [0, 0] } },
  },
});

/** Answer of the static-ybus service, without envelope: lower triangle by node names, S. */
export const staticYbusReply = declareMessage({
  name: 'static Ybus reply',
  destination: STATIC_YBUS_QUEUE,
  schema: z.object({
    feeder_id: z.string(),
    ybus: z.record(z.string(), z.record(z.string(), z.tuple([z.number(), z.number()]))),
  }),
  example: {
    feeder_id: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    ybus: { '646.2': { '645.2': [-1.5, 1.4], '646.2': [1.5, -1.4] } },
  },
});
