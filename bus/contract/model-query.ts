import { z } from 'zod';
import { MODEL_QUERY_QUEUE } from './destination.js';
import { declareMessage, type Immutable, identifier, withoutNulls } from './message.js';
import { declareReply } from './reply.js';

/** The questions the model service knows. Others are answered with an empty object. */
export const MODEL_QUERY_TYPES = [
  'QUERY',
  'QUERY_OBJECT',
  'QUERY_OBJECT_TYPES',
  'QUERY_MODEL_NAMES',
  'QUERY_MODEL_INFO',
  'QUERY_OBJECT_IDS',
  'QUERY_OBJECT_DICT',
  'QUERY_OBJECT_MEASUREMENTS',
  'QUERY_MODEL',
] as const;

/** One of the questions of the model service. */
export type ModelQueryType = (typeof MODEL_QUERY_TYPES)[number];

const requestSchema = z.preprocess(
  withoutNulls,
  z.object({
    requestType: z.string(),
    resultFormat: z.string().default('JSON'),
    modelId: identifier.exactOptional(),
    queryString: z.string().exactOptional(),
    objectId: identifier.exactOptional(),
    objectType: z.string().exactOptional(),
    filter: z.string().exactOptional(),
  }),
);

/** A question about a power grid model. */
export type ModelQuery = Immutable<z.infer<typeof requestSchema>>;

/** Question to the model service. */
export const modelQuery = declareMessage({
  name: 'model query',
  destination: MODEL_QUERY_QUEUE,
  schema: requestSchema,
  example: {
    requestType: 'QUERY_OBJECT_MEASUREMENTS',
    resultFormat: 'JSON',
    modelId: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    objectType: 'EnergyConsumer',
  },
  moreExamples: {
    'the statements about one object': {
      requestType: 'QUERY_OBJECT',
      resultFormat: 'JSON',
      objectId: '_A9DE8829-58CB-4750-B2A2-672846A89753',
    },
    SPARQL: {
      requestType: 'QUERY',
      resultFormat: 'JSON',
      queryString: 'SELECT ?n WHERE { ?s c:IdentifiedObject.name ?n }',
    },
    'the models, by id': { requestType: 'QUERY_MODEL_NAMES', resultFormat: 'JSON' },
    'the models and where they are': { requestType: 'QUERY_MODEL_INFO', resultFormat: 'JSON' },
    'the classes of a model': {
      requestType: 'QUERY_OBJECT_TYPES',
      resultFormat: 'JSON',
      modelId: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
    },
    'the objects of a class': {
      requestType: 'QUERY_OBJECT_IDS',
      resultFormat: 'JSON',
      modelId: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
      objectType: 'LinearShuntCompensator',
    },
    'objects with their attributes': {
      requestType: 'QUERY_OBJECT_DICT',
      resultFormat: 'JSON',
      modelId: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
      objectType: 'LinearShuntCompensator',
    },
    'a model, or what of it a filter selects': {
      requestType: 'QUERY_MODEL',
      resultFormat: 'JSON',
      modelId: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
      objectType: 'http://iec.ch/TC57/CIM100#LinearShuntCompensator',
      filter: "?s cim:IdentifiedObject.name 'cap1'",
    },
  },
});

const modelInfoSchema = z.object({
  models: z.array(
    z.object({
      modelName: z.string(),
      modelId: z.string(),
      stationName: z.string().default(''),
      stationId: z.string().default(''),
      subRegionName: z.string().default(''),
      subRegionId: z.string().default(''),
      regionName: z.string().default(''),
      regionId: z.string().default(''),
    }),
  ),
});

/** The models of a platform. */
export type ModelInfo = Immutable<z.infer<typeof modelInfoSchema>>;

/** Answer to QUERY_MODEL_INFO. */
export const modelInfoReply = declareReply({
  name: 'model info reply',
  destination: MODEL_QUERY_QUEUE,
  schema: modelInfoSchema,
  example: {
    models: [
      {
        modelName: 'ieee13nodeckt',
        modelId: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
        stationName: 'IEEE13',
        stationId: '_6C62C905-6FC7-653D-9F1E-1340F974A587',
        subRegionName: 'Medium',
        subRegionId: '_ABEB635F-729D-24BF-B8A4-E2EF268D8B9E',
        regionName: 'IEEE',
        regionId: '_24809814-4EC6-29D2-B509-7F8BFB646437',
      },
    ],
  },
});

/** Answer to QUERY_MODEL_NAMES: model ids, in spite of the name. */
export const modelNamesReply = declareReply({
  name: 'model names reply',
  destination: MODEL_QUERY_QUEUE,
  schema: z.object({ modelNames: z.array(z.string()) }),
  example: { modelNames: ['_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62'] },
});

/** Answer to QUERY_OBJECT_TYPES: full class IRIs. */
export const objectTypesReply = declareReply({
  name: 'object types reply',
  destination: MODEL_QUERY_QUEUE,
  schema: z.object({ objectTypes: z.array(z.string()) }),
  example: { objectTypes: ['http://iec.ch/TC57/CIM100#ACLineSegment'] },
});

/** Answer to QUERY_OBJECT_IDS. */
export const objectIdsReply = declareReply({
  name: 'object ids reply',
  destination: MODEL_QUERY_QUEUE,
  schema: z.object({ objectIds: z.array(z.string()) }),
  example: { objectIds: ['_D1D7F64B-ABF0-407F-8CB4-4F85C9B5B6C9'] },
});

const dictionarySchema = z.array(z.record(z.string(), z.string()));

/** Attributes of objects, by qualified attribute name; `id` and `type` beside them. */
export type ObjectDictionary = Immutable<z.infer<typeof dictionarySchema>>;

/** Answer to QUERY_OBJECT_DICT and QUERY_MODEL. */
export const objectDictionaryReply = declareReply({
  name: 'object dictionary reply',
  destination: MODEL_QUERY_QUEUE,
  schema: dictionarySchema,
  example: [
    {
      id: '_A9DE8829-58CB-4750-B2A2-672846A89753',
      type: 'LinearShuntCompensator',
      'IdentifiedObject.mRID': '_A9DE8829-58CB-4750-B2A2-672846A89753',
      'IdentifiedObject.name': 'cap1',
      'ShuntCompensator.nomU': '4160.0',
    },
  ],
});

const measurementSchema = z.object({
  measid: z.string(),
  type: z.string(),
  class: z.string(),
  name: z.string(),
  bus: z.string(),
  phases: z.string().default(''),
  eqtype: z.string(),
  eqname: z.string(),
  eqid: z.string(),
  trmid: z.string(),
});

/** One measurement point of a model: PNV, VA, A, Pos or SoC of one phase at one terminal. */
export type MeasurementPoint = Immutable<z.infer<typeof measurementSchema>>;

/** Answer to QUERY_OBJECT_MEASUREMENTS. */
export const objectMeasurementsReply = declareReply({
  name: 'object measurements reply',
  destination: MODEL_QUERY_QUEUE,
  schema: z.array(measurementSchema),
  example: [
    {
      measid: '_0a2d1460-0def-479a-9f66-a7963a5619de',
      type: 'PNV',
      class: 'Analog',
      name: 'EnergyConsumer_671_Voltage',
      bus: '671',
      phases: 'A',
      eqtype: 'EnergyConsumer',
      eqname: '671',
      eqid: '_0D6D2B43-7F5B-4F0C-A2F8-3FB2D8F1DA4B',
      trmid: '_5B9B2C3B-0F1A-4B8E-8E3B-6E1A2F2A7C11',
    },
  ],
});

const sparqlSchema = z.object({
  head: z.object({ vars: z.array(z.string()) }),
  results: z.object({
    bindings: z.array(z.record(z.string(), z.object({ type: z.string(), value: z.string() }))),
  }),
});

/** A SPARQL 1.1 result table. */
export type SparqlResult = Immutable<z.infer<typeof sparqlSchema>>;

/** Answer to QUERY and QUERY_OBJECT. */
export const sparqlReply = declareReply({
  name: 'SPARQL reply',
  destination: MODEL_QUERY_QUEUE,
  schema: sparqlSchema,
  example: {
    head: { vars: ['n'] },
    results: { bindings: [{ n: { type: 'literal', value: 'ieee13nodeckt' } }] },
  },
  moreExamples: {
    'the answer to QUERY_OBJECT': {
      head: { vars: ['property', 'value'] },
      results: {
        bindings: [
          {
            property: { type: 'uri', value: 'http://iec.ch/TC57/CIM100#IdentifiedObject.name' },
            value: { type: 'literal', value: 'cap1' },
          },
        ],
      },
    },
  },
});
