import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Bus,
  connectStomp,
  MODEL_QUERY_QUEUE,
  modelInfoReply,
  modelQuery,
  objectTypesReply,
  type RequestOptions,
  type SparqlResult,
  type StompAddress,
  sparqlReply,
} from '../bus/index.js';
import { type CimProperty, type CimRecord, cimDocument } from '../grid/cim/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid } from '../grid/model/index.js';
import type { ModelStore } from '../platform/index.js';
import { storeAt } from './model-source.js';

/*
 * A feeder's model from a platform instead of a file: its objects come by SPARQL, class by class, which every GridAPPS-D answers,
 * and are written as the CIM XML that they were loaded from.
 */

/** The users' password of a platform as it is delivered. */
const DEFAULT_LOGIN = { login: 'system', passcode: 'manager' };
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
/** Milliseconds for one class of objects: a large feeder has a hundred thousand statements of one. */
const QUERY_MS = 60_000;
/** Most of a query is the way to the store and back. */
const QUERIES_AT_ONCE = 6;
/** How an object is tied to a feeder, where it is not by its own container. */
const TIES: Readonly<Record<string, string>> = {
  ConnectivityNode: 'ConnectivityNode.ConnectivityNodeContainer',
  Terminal: 'Terminal.ConductingEquipment/Equipment.EquipmentContainer',
  Analog: 'Measurement.PowerSystemResource/Equipment.EquipmentContainer',
  Discrete: 'Measurement.PowerSystemResource/Equipment.EquipmentContainer',
  ACLineSegmentPhase: 'ACLineSegmentPhase.ACLineSegment/Equipment.EquipmentContainer',
  EnergyConsumerPhase: 'EnergyConsumerPhase.EnergyConsumer/Equipment.EquipmentContainer',
  SwitchPhase: 'SwitchPhase.Switch/Equipment.EquipmentContainer',
};
const OWN_TIE = 'Equipment.EquipmentContainer';
/** Links of a part to its whole: a part whose whole is of another feeder goes with it. */
const WHOLES: ReadonlySet<string> = new Set([
  'ACLineSegmentPhase.ACLineSegment',
  'Asset.PowerSystemResources',
  'EnergyConsumerPhase.EnergyConsumer',
  'FeederArea.Feeder',
  'LinearShuntCompensatorPhase.ShuntCompensator',
  'ShuntCompensatorPhase.ShuntCompensator',
  'Measurement.PowerSystemResource',
  'PowerElectronicsConnectionPhase.PowerElectronicsConnection',
  'PowerElectronicsUnit.PowerElectronicsConnection',
  'PowerTransformerEnd.PowerTransformer',
  'RatioTapChanger.TransformerEnd',
  'RegulatingControl.Terminal',
  'SecondaryArea.SwitchArea',
  'SwitchArea.FeederArea',
  'SwitchPhase.Switch',
  'Terminal.ConductingEquipment',
  'TransformerEnd.Terminal',
  'TransformerTankEnd.TransformerTank',
]);

/** A model as a file of its own. */
export interface FetchedModel {
  readonly path: string;
  readonly name: string;
  readonly mrid: string;
  /** Removes the file. */
  remove(): void;
}

/**
 * Reads the model of a feeder from the platform behind a broker.
 *
 * @param wanted - name or mRID in any spelling
 * @param patienceMs - how long its first answer is waited for
 * @throws DecError `FEEDER_UNKNOWN` with the platform's feeders, `FEEDER_DATA` when it has no objects of it; BusError as `connectStomp`
 *   and of the requests
 */
export async function fetchModel(
  address: StompAddress,
  wanted: string,
  signal?: AbortSignal,
  patienceMs = QUERY_MS,
): Promise<FetchedModel> {
  const bus = await connectStomp(signal === undefined ? address : { ...address, signal });
  try {
    const options = { timeoutMs: QUERY_MS, ...(signal === undefined ? {} : { signal }) };
    const { name, mrid, records } = await readModel(bus, wanted, options, patienceMs);
    const folder = mkdtempSync(join(tmpdir(), 'dec-model-'));
    const path = join(folder, `${name.replace(/[^\w.-]/g, '_')}.xml`);
    writeFileSync(path, [...cimDocument(records, { comment: [`${name} ${mrid}, read from a platform`] })].join(''));
    return { path, name, mrid, remove: () => rmSync(folder, { recursive: true, force: true }) };
  } finally {
    await bus.close();
  }
}

/** Where a feeder may come from. */
export interface ModelPlace {
  /** `store` asks the platform only for what the store does not know. */
  readonly from: 'store' | 'platform';
  readonly broker: StompAddress | undefined;
  /** Folder of the store; the user's own when absent. */
  readonly store: string | undefined;
  /** How long the first answer of a platform is waited for; as long as any other when absent. */
  readonly patienceMs?: number;
}

/**
 * Fetches a feeder from the platform where it is to come from there; undefined where it is a file, or known.
 * @throws DecError `BAD_ARGUMENT`, `FEEDER_UNKNOWN`, and as {@link fetchModel}
 */
export async function fetchUnknown(
  wanted: string | undefined,
  { from, broker, store, patienceMs }: ModelPlace,
  signal: AbortSignal,
): Promise<FetchedModel | undefined> {
  if (from === 'platform' && (broker === undefined || wanted === undefined)) {
    throw new DecError('BAD_ARGUMENT', '--model platform needs --broker, and the name or mRID of one of its feeders.');
  }
  if (broker === undefined || wanted === undefined || existsSync(wanted)) return undefined;
  if (from === 'store' && isKnown(wanted, storeAt(store))) return undefined;
  return fetchModel({ ...DEFAULT_LOGIN, ...broker }, wanted, signal, patienceMs);
}

function isKnown(wanted: string, store: ModelStore): boolean {
  try {
    store.find(wanted);
    return true;
  } catch (error) {
    if (error instanceof DecError && error.code === 'FEEDER_UNKNOWN') return false;
    throw error;
  }
}

interface ReadModel {
  readonly name: string;
  readonly mrid: string;
  readonly records: readonly CimRecord[];
}

async function readModel(bus: Bus, wanted: string, usual: RequestOptions, patienceMs: number): Promise<ReadModel> {
  const ask = async (
    query: { readonly requestType: string; readonly modelId?: string; readonly queryString?: string },
    options: RequestOptions = usual,
  ) => {
    const { body } = await bus.request(
      MODEL_QUERY_QUEUE,
      modelQuery.format({ resultFormat: 'JSON', ...query }),
      options,
    );
    return body;
  };
  const { models } = modelInfoReply.parse(
    await ask({ requestType: 'QUERY_MODEL_INFO' }, { ...usual, timeoutMs: patienceMs }),
  ).data;
  const key = canonicalMrid(wanted).toUpperCase();
  const found =
    models.find(({ modelId }) => canonicalMrid(modelId).toUpperCase() === key) ??
    models.find(({ modelName }) => modelName.toUpperCase() === wanted.toUpperCase());
  if (found === undefined) {
    const known = models.map(({ modelName, modelId }) => `${modelName}  ${modelId}`);
    throw new DecError(
      'FEEDER_UNKNOWN',
      `The platform has no feeder "${wanted}". It has:\n${known.map((line) => `  ${line}`).join('\n')}`,
      { feeder: wanted, known },
    );
  }
  const { modelId, modelName } = found;
  const { objectTypes } = objectTypesReply.parse(await ask({ requestType: 'QUERY_OBJECT_TYPES', modelId })).data;
  const feeders = objectTypes.filter((type) => type.endsWith('#Feeder'));
  const otherIris: string[] = [];
  for (const type of models.length > 1 ? feeders : []) {
    const queryString = `PREFIX rdf: <${RDF}> SELECT ?s WHERE { ?s rdf:type <${type}> . }`;
    const { data } = sparqlReply.parse(await ask({ requestType: 'QUERY', modelId, queryString }));
    const iris = data.results.bindings.flatMap(({ s }) => (s === undefined ? [] : [s.value]));
    otherIris.push(...iris.filter((iri) => idOf(iri).toUpperCase() !== canonicalMrid(modelId).toUpperCase()));
  }
  const readClass = async (type: string): Promise<readonly CimRecord[]> => {
    const at = Math.max(type.lastIndexOf('#'), type.lastIndexOf('/')) + 1;
    const [namespace, className] = [type.slice(0, at), type.slice(at)];
    const queryString = statementsQuery(namespace, className, otherIris);
    const { data } = sparqlReply.parse(await ask({ requestType: 'QUERY', modelId, queryString }));
    return recordsOf(className, namespace, data);
  };
  const records: CimRecord[] = [];
  for (let k = 0; k < objectTypes.length; k += QUERIES_AT_ONCE) {
    const some = await Promise.all(objectTypes.slice(k, k + QUERIES_AT_ONCE).map(readClass));
    records.push(...some.flat());
  }
  if (records.length === 0) {
    throw new DecError('FEEDER_DATA', `The platform has no objects of feeder ${modelName} ${modelId}.`, {
      mrid: modelId,
    });
  }
  return { name: modelName, mrid: modelId, records: whole(records) };
}

/**
 * All statements about the objects of a class, without those that are tied to another feeder.
 * @param others - IRIs of the other feeders
 */
function statementsQuery(namespace: string, className: string, others: readonly string[]): string {
  const path = (TIES[className] ?? OWN_TIE)
    .split('/')
    .map((step) => `cim:${step}`)
    .join('/');
  const list = others.map((iri) => `<${iri}>`).join(', ');
  const only =
    others.length === 0
      ? ''
      : ` OPTIONAL { ?s ${path} ?f . } FILTER(?s NOT IN (${list}) && (!BOUND(?f) || ?f NOT IN (${list})))`;
  return (
    `PREFIX rdf: <${RDF}> PREFIX cim: <${namespace}> ` +
    `SELECT ?s ?p ?o WHERE { ?s rdf:type cim:${className} .${only} ?s ?p ?o . }`
  );
}

/** Records without parts of what is not among them. A part of several wholes loses those that are not. */
function whole(records: readonly CimRecord[]): readonly CimRecord[] {
  const ids = new Set(records.map(({ id }) => id.toUpperCase()));
  const isMissing = ({ name, kind, value }: CimProperty): boolean =>
    kind === 'reference' && WHOLES.has(name) && !ids.has(value.toUpperCase());
  const kept = records.flatMap((record) => {
    const properties = record.properties.filter((property) => !isMissing(property));
    if (properties.length === record.properties.length) return [record];
    return properties.some(({ name }) => WHOLES.has(name)) ? [{ ...record, properties }] : [];
  });
  // Parts of parts: an end of a tank has a tap changer.
  return kept.length === records.length ? kept : whole(kept);
}

function recordsOf(className: string, namespace: string, { results }: SparqlResult): readonly CimRecord[] {
  const bySubject = new Map<string, { className: string; id: string; properties: CimProperty[] }>();
  for (const { s, p, o } of results.bindings) {
    if (s === undefined || p === undefined || o === undefined) continue;
    const record = bySubject.get(s.value) ?? { className, id: idOf(s.value), properties: [] };
    bySubject.set(s.value, record);
    if (!p.value.startsWith(namespace)) continue;
    const name = p.value.slice(namespace.length);
    if (o.type !== 'uri') record.properties.push({ name, kind: 'literal', value: o.value });
    else if (o.value.startsWith(namespace)) {
      record.properties.push({ name, kind: 'enumeration', value: o.value.slice(namespace.length) });
    } else record.properties.push({ name, kind: 'reference', value: idOf(o.value) });
  }
  return [...bySubject.values()];
}

/** `X` of `urn:uuid:X`, or of what the store has made of `rdf:ID="_X"`. */
function idOf(iri: string): string {
  return iri
    .replace(/^urn:uuid:/i, '')
    .replace(/^.*#_?/, '')
    .replace(/^_/, '');
}
