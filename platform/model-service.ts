import { MODEL_QUERY_TYPES, type ModelQuery, replyAround } from '../bus/index.js';
import type { CimObject } from '../grid/cim/index.js';
import { DecError } from '../grid/math/index.js';
import { listText, literalTable, modelInfoText, objectsText, type TextForm, tableText } from './answer-form.js';
import type { LoadedModel } from './loaded-model.js';
import type { ModelStore } from './model-store.js';
import {
  classesOf,
  describeObject,
  findObject,
  measurementPoints,
  objectsOf,
  objectTable,
} from './object-dictionary.js';
import type { SparqlFormat } from './sparql/engine.js';
import type { SparqlService } from './sparql/sparql-service.js';
import { namespaceOf } from './sparql/triples.js';

/** An answer: `data` of the envelope, or (SPARQL, XML and CSV) the whole body. */
export type ModelAnswer = { readonly data: unknown } | { readonly body: string | Uint8Array };

/** Answers questions about the models of a store, from their object index; SPARQL from a store of statements. */
export interface ModelService {
  /**
   * The answer; of SPARQL a promise.
   * @param id - process id for the envelope of an answer that comes as a body
   * @throws DecError when the question is incomplete or cannot be answered
   */
  answer(query: ModelQuery, id: string): ModelAnswer | Promise<ModelAnswer>;
}

const FORMATS: readonly SparqlFormat[] = ['json', 'xml', 'csv'];

/** One condition of a filter: an attribute has a value. */
interface Condition {
  readonly attribute: string;
  readonly value: string;
}

/** Makes the service. */
export function createModelService(store: ModelStore, sparql: SparqlService): ModelService {
  const required = (query: ModelQuery, key: 'modelId' | 'objectType' | 'objectId'): string => {
    const value = query[key];
    if (value) return value;
    throw new DecError('BAD_ARGUMENT', `${query.requestType}: ${key} is missing.`, {
      requestType: query.requestType,
      key,
    });
  };
  const models = (query: ModelQuery): readonly LoadedModel[] =>
    query.modelId ? [store.find(query.modelId)] : store.all();
  const byName = (all: readonly LoadedModel[]) => [...all].sort((a, b) => a.name.localeCompare(b.name));

  const tabulate = async (query: ModelQuery, id: string): Promise<ModelAnswer> => {
    if (!query.queryString) {
      throw new DecError('BAD_ARGUMENT', 'QUERY: queryString is missing.', { key: 'queryString' });
    }
    const format = formatOf(query);
    // A table of megabytes is not read and written again for its envelope.
    const around = format === 'json' ? replyAround(id) : undefined;
    return { body: await sparql.query(query.queryString, format, around) };
  };

  /** What a question is answered with, in any of its forms. */
  const answerOf = (query: ModelQuery): Answer => {
    switch (query.requestType) {
      case 'QUERY_MODEL_NAMES':
        return named(
          'modelNames',
          byName(store.all()).map(({ mrid }) => mrid),
        );
      case 'QUERY_MODEL_INFO': {
        const data = { models: byName(store.all()).map(modelInfo) };
        return { data, text: (form) => modelInfoText(data, form) };
      }
      case 'QUERY_OBJECT_TYPES': {
        const types = models(query).flatMap((model) => classesOf(model).map((name) => namespaceOf(model.index) + name));
        return named('objectTypes', [...new Set(types)].sort());
      }
      case 'QUERY_OBJECT_IDS': {
        const model = store.find(required(query, 'modelId'));
        return named(
          'objectIds',
          objectsOf(model, shortName(required(query, 'objectType'))).map(({ mrid }) => mrid),
        );
      }
      case 'QUERY_OBJECT': {
        const id = required(query, 'objectId');
        const data = models(query).flatMap((model) => {
          const object = findObject(model, id);
          return object ? [objectTable(model, object)] : [];
        })[0] ?? { head: { vars: ['property', 'value'] }, results: { bindings: [] } };
        return { data, text: (form) => tableText(data, form) };
      }
      case 'QUERY_OBJECT_DICT': {
        const model = store.find(required(query, 'modelId'));
        if (!query.objectId && !query.objectType) {
          throw new DecError('BAD_ARGUMENT', 'queryObjectDict: both object id and object type missing.', {
            requestType: query.requestType,
          });
        }
        const object = query.objectId ? findObject(model, query.objectId) : undefined;
        const objects = query.objectId ? (object ? [object] : []) : objectsOf(model, shortName(query.objectType ?? ''));
        return {
          data: objects.map((one) => describeObject(model, one)),
          text: (form) => (form === 'xml' ? objectsText(model, objects) : undefined),
        };
      }
      case 'QUERY_OBJECT_MEASUREMENTS': {
        const model = store.find(required(query, 'modelId'));
        const data = measurementPoints(model, {
          ...(query.objectType ? { objectType: shortName(query.objectType) } : {}),
          ...(query.objectId ? { objectId: query.objectId } : {}),
        });
        return { data, text: (form) => tableText(literalTable(MEASUREMENT_COLUMNS, data), form) };
      }
      case 'QUERY_MODEL': {
        const model = store.find(required(query, 'modelId'));
        const objects = modelObjects(model, query);
        const data = objects.map((object) => describeObject(model, object));
        // The real platform knows no CSV of objects, and answers with its JSON.
        return { data, text: (form) => (form === 'xml' ? objectsText(model, objects) : JSON.stringify(data)) };
      }
      default:
        throw new DecError(
          'BAD_ARGUMENT',
          `The request type "${query.requestType}" is unknown; known are ${MODEL_QUERY_TYPES.join(', ')}.`,
          { requestType: query.requestType },
        );
    }
  };

  return {
    answer(query, id) {
      if (query.requestType === 'QUERY') return tabulate(query, id);
      const format = formatOf(query);
      const { data, text } = answerOf(query);
      if (format === 'json') return { data };
      const body = text(format);
      if (body !== undefined) return { body };
      const message = `${query.requestType} is not answered as ${format.toUpperCase()}; JSON and XML are its forms.`;
      throw new DecError('UNSUPPORTED', message, { requestType: query.requestType, resultFormat: format });
    },
  };
}

/** An answer as `data` of the envelope, and as the whole body in another form; undefined where it has no such form. */
interface Answer {
  readonly data: unknown;
  readonly text: (form: TextForm) => string | undefined;
}

function named(name: string, values: readonly string[]): Answer {
  return { data: { [name]: values }, text: (form) => listText(name, values, form) };
}

/** Columns of the real platform's own query for measurements. */
const MEASUREMENT_COLUMNS = [
  ...['class', 'type', 'name', 'bus', 'phases', 'eqtype', 'eqname', 'eqid', 'trmid', 'measid'],
] as const;

/** The objects that QUERY_MODEL asks for: of a class, of an id, with the values of its filter; all where it names nothing. */
function modelObjects(model: LoadedModel, { objectType, objectId, filter }: ModelQuery): readonly CimObject[] {
  const conditions = parseFilter(filter ?? '');
  const className = objectType ? shortName(objectType) : undefined;
  const object = objectId ? findObject(model, objectId) : undefined;
  const objects = objectId
    ? object && (className ?? object.className) === object.className
      ? [object]
      : []
    : (className === undefined ? classesOf(model) : [className]).flatMap((name) => objectsOf(model, name));
  return objects.filter((one) => conditions.every(({ attribute, value }) => one.get(attribute) === value));
}

function formatOf({ resultFormat }: ModelQuery): SparqlFormat {
  const format = FORMATS.find((known) => known === resultFormat.toLowerCase());
  if (format) return format;
  throw new DecError('UNSUPPORTED', `The result format ${resultFormat} is unknown; known are JSON, XML and CSV.`, {
    resultFormat,
  });
}

function modelInfo({ name, mrid, feeder: { container } }: LoadedModel) {
  return {
    modelName: name,
    modelId: mrid,
    stationName: container.substationName,
    stationId: container.substationMrid,
    subRegionName: container.subRegionName,
    subRegionId: container.subRegionMrid,
    regionName: container.regionName,
    regionId: container.regionMrid,
  };
}

/** `ACLineSegment` of `http://iec.ch/TC57/CIM100#ACLineSegment`, `cim:ACLineSegment` or itself. */
function shortName(type: string): string {
  return type.replace(/^.*[#/:]/, '');
}

/**
 * Reads the triples a filter of QUERY_MODEL is made of: `?s cim:IdentifiedObject.name 'q14733'`, several ended by dots.
 * @throws DecError `UNSUPPORTED` for any other SPARQL
 */
function parseFilter(filter: string): readonly Condition[] {
  const text = filter.trim();
  if (text === '') return [];
  const conditions: Condition[] = [];
  const triple = /\s*\?s\s+(?:\w*:([\w.]+)|<[^>]*[#/]([\w.]+)>)\s+(?:"([^"]*)"|'([^']*)')\s*(?:\.|$)/y;
  while (triple.lastIndex < text.length) {
    const from = triple.lastIndex;
    const match = triple.exec(text);
    if (!match) {
      throw new DecError(
        'UNSUPPORTED',
        `The filter cannot be read at "${text.slice(from, from + 40)}"; triples like ?s cim:IdentifiedObject.name 'x' are supported.`,
        { filter },
      );
    }
    conditions.push({ attribute: match[1] ?? match[2] ?? '', value: match[3] ?? match[4] ?? '' });
  }
  return conditions;
}
