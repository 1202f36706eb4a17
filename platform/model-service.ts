import { MODEL_QUERY_TYPES, type ModelQuery } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
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

/** An answer: `data` of the envelope, or (XML and CSV) the whole body. */
export type ModelAnswer = { readonly data: unknown } | { readonly body: string };

/** Answers questions about the models of a store, from their object index; SPARQL from a store of statements. */
export interface ModelService {
  /** The answer; of SPARQL a promise. @throws DecError when the question is incomplete or cannot be answered */
  answer(query: ModelQuery): ModelAnswer | Promise<ModelAnswer>;
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

  const tabulate = async (query: ModelQuery): Promise<ModelAnswer> => {
    if (!query.queryString) {
      throw new DecError('BAD_ARGUMENT', 'QUERY: queryString is missing.', { key: 'queryString' });
    }
    const format = formatOf(query);
    const text = await sparql.query(query.queryString, format);
    return format === 'json' ? { data: JSON.parse(text) } : { body: text };
  };

  const dataOf = (query: ModelQuery): unknown => {
    switch (query.requestType) {
      case 'QUERY_MODEL_NAMES':
        return { modelNames: byName(store.all()).map(({ mrid }) => mrid) };
      case 'QUERY_MODEL_INFO':
        return { models: byName(store.all()).map(modelInfo) };
      case 'QUERY_OBJECT_TYPES': {
        const types = models(query).flatMap((model) => classesOf(model).map((name) => namespaceOf(model.index) + name));
        return { objectTypes: [...new Set(types)].sort() };
      }
      case 'QUERY_OBJECT_IDS': {
        const model = store.find(required(query, 'modelId'));
        return { objectIds: objectsOf(model, shortName(required(query, 'objectType'))).map(({ mrid }) => mrid) };
      }
      case 'QUERY_OBJECT': {
        const id = required(query, 'objectId');
        for (const model of models(query)) {
          const object = findObject(model, id);
          if (object) return objectTable(model, object);
        }
        return { head: { vars: ['property', 'value'] }, results: { bindings: [] } };
      }
      case 'QUERY_OBJECT_DICT': {
        const model = store.find(required(query, 'modelId'));
        if (query.objectId) {
          const object = findObject(model, query.objectId);
          return object ? [describeObject(model, object)] : [];
        }
        if (!query.objectType) {
          throw new DecError('BAD_ARGUMENT', 'queryObjectDict: both object id and object type missing.', {
            requestType: query.requestType,
          });
        }
        return objectsOf(model, shortName(query.objectType)).map((object) => describeObject(model, object));
      }
      case 'QUERY_OBJECT_MEASUREMENTS': {
        const model = store.find(required(query, 'modelId'));
        return measurementPoints(model, {
          ...(query.objectType ? { objectType: shortName(query.objectType) } : {}),
          ...(query.objectId ? { objectId: query.objectId } : {}),
        });
      }
      case 'QUERY_MODEL': {
        const model = store.find(required(query, 'modelId'));
        const conditions = parseFilter(query.filter ?? '');
        const classes = query.objectType ? [shortName(query.objectType)] : classesOf(model);
        return classes
          .flatMap((name) => objectsOf(model, name))
          .filter((object) => conditions.every(({ attribute, value }) => object.get(attribute) === value))
          .map((object) => describeObject(model, object));
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
    answer(query) {
      if (query.requestType === 'QUERY') return tabulate(query);
      const format = formatOf(query);
      if (format === 'json') return { data: dataOf(query) };
      const message = `${query.requestType} is answered as JSON only; XML and CSV are forms of QUERY.`;
      throw new DecError('UNSUPPORTED', message, { requestType: query.requestType, resultFormat: format });
    },
  };
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
