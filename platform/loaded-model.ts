import { existsSync } from 'node:fs';
import { CimIndex, CimIndexReader, readFeeders } from '../grid/cim/index.js';
import { type DssPlace, type DssStudy, elementPlaces, readDss } from '../grid/dss/index.js';
import { DecError } from '../grid/math/index.js';
import { buildFeeder, canonicalMrid, type Feeder, type FeederData, nameUuid } from '../grid/model/index.js';
import { cimPieces, type FileDigest } from './cim-file.js';
import { DssFolder, isDssFile } from './dss-files.js';
import { modelSets } from './model-set.js';
import { withUnitIds } from './script-telemetry.js';

/** Name space of the ids of networks whose file has no Feeder or Line. */
const NETWORK_NAMESPACE = '0c4b7b52-6a2e-4f0e-9c1d-3b8e52f7a9d1';

/** A model in memory: the objects of its files and one feeder of them. */
export interface LoadedModel {
  readonly name: string;
  /** mRID as the source spells it; never empty. */
  readonly mrid: string;
  /** The objects of the CIM files; empty for an OpenDSS script. */
  readonly index: CimIndex;
  readonly feeder: Feeder;
  /** Files it was read from; of an OpenDSS script the master. */
  readonly files: readonly string[];
  /** Canonical ids of all feeders in the same files. */
  readonly siblings: readonly string[];
  /** What an OpenDSS script asks to be solved. */
  readonly study?: DssStudy;
  /** Where an OpenDSS script makes its elements, see {@link elementPlaces}. */
  readonly places?: ReadonlyMap<string, DssPlace>;
}

/** The feeders of some files, with every file that was read. */
export interface ReadModels {
  readonly models: readonly LoadedModel[];
  /** The files given and, for an OpenDSS script, those it names, in the order of reading. */
  readonly sources: readonly string[];
  /** Digests of the sources, in their order. */
  readonly digests: readonly FileDigest[];
  /** The master file, where the model is an OpenDSS script: the other sources belong where it names them. */
  readonly master?: string;
}

/**
 * Reads CIM XML files, profiles of a model together and models of their own each by itself, or one OpenDSS master file.
 *
 * @throws DecError `XML_MALFORMED`, `FEEDER_DATA`, `FEEDER_UNKNOWN`; `BAD_ARGUMENT` as {@link modelSets}
 */
export function loadModels(paths: readonly string[], kept?: KeptIndexes): readonly LoadedModel[] {
  return modelSets(paths).flatMap((set) => readModels(set, kept).models);
}

/** Objects of files that have been read without their feeders, by the files' names. */
export type KeptIndexes = Map<string, ReadIndex>;

/** The objects of some files. */
interface ReadIndex {
  readonly index: CimIndex;
  readonly digests: readonly FileDigest[];
}

/**
 * The objects of CIM XML files, without the feeders that they make, which take three times as long; none of OpenDSS scripts.
 * Each step is a piece of a file.
 *
 * @param kept - what has been read; {@link loadModels} with the same takes it from there
 * @throws DecError as {@link loadModels}, but for faults of feeders
 */
export function* loadIndexes(paths: readonly string[], kept: KeptIndexes): Generator<void, readonly CimIndex[]> {
  const indexes: CimIndex[] = [];
  for (const set of modelSets(paths)) {
    if (set.some(isDssFile)) continue;
    const key = set.join('\n');
    const read = kept.get(key) ?? (yield* indexSteps(set));
    if (read === undefined) continue;
    kept.set(key, read);
    indexes.push(read.index);
  }
  return indexes;
}

/** What comes of steps that are done at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
  }
}

/**
 * Reads CIM XML files as one model, each once, or one OpenDSS master file with all it redirects to.
 *
 * @throws DecError `XML_MALFORMED`, `FEEDER_DATA`, `FEEDER_UNKNOWN`; `BAD_ARGUMENT` for a script beside other files
 */
export function readModels(paths: readonly string[], kept?: KeptIndexes): ReadModels {
  const master = paths.find(isDssFile);
  if (master === undefined) return readCimModels(paths, kept);
  if (paths.length > 1) {
    const message = `${master} is an OpenDSS script: give its master file alone, the files it names are found from there.`;
    throw new DecError('BAD_ARGUMENT', message, { files: [...paths] });
  }
  return readDssModel(master);
}

function readDssModel(master: string): ReadModels {
  if (!existsSync(master)) throw new DecError('FEEDER_UNKNOWN', `There is no file ${master}.`, { file: master });
  const files = new DssFolder();
  const { feeder: read, script, study } = readDss(master, files);
  if (!script.circuit) {
    const errors = script.findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
    throw new DecError('FEEDER_DATA', `${master}: ${errors.join(' ')}`, { file: master });
  }
  const feeder = identified(read, withUnitIds);
  const { name, mrid } = feeder;
  const siblings = [canonicalMrid(mrid)];
  const places = elementPlaces(script, feeder);
  const model = { name, mrid, index: new CimIndex(), feeder, files: [master], siblings, study, places };
  return { models: [model], sources: [...files.filesRead.keys()], digests: [...files.filesRead.values()], master };
}

function* indexSteps(paths: readonly string[]): Generator<void, ReadIndex | undefined> {
  let index: CimIndex | undefined;
  const digests: FileDigest[] = [];
  for (const path of paths) {
    const reader: CimIndexReader = index ? new CimIndexReader(path, index) : new CimIndexReader(path);
    for (const piece of cimPieces(path, (digest) => digests.push(digest))) {
      reader.push(piece);
      yield;
    }
    reader.end();
    index = reader.index;
  }
  return index && { index, digests };
}

function readCimModels(paths: readonly string[], kept?: KeptIndexes): ReadModels {
  const key = paths.join('\n');
  const { index, digests = [] } = kept?.get(key) ?? atOnce(indexSteps(paths)) ?? {};
  kept?.delete(key);
  const feeders = index ? readFeeders(index).feeders.map((feeder) => identified(feeder)) : [];
  if (!index || feeders.length === 0) {
    throw new DecError('FEEDER_DATA', `${paths.join(', ')}: there is no feeder in it.`, { files: [...paths] });
  }
  const siblings = feeders.map(({ mrid }) => canonicalMrid(mrid));
  const whole = index;
  const models = feeders.map((feeder) => ({
    name: feeder.name,
    mrid: feeder.mrid,
    index: whole,
    feeder,
    files: paths,
    siblings,
  }));
  return { models, sources: paths, digests };
}

/**
 * A feeder with an id: without one of its own, an id from its name and its sources, which outlives a change of values.
 * @param alsoOf - what else follows from the id that it was given
 */
function identified(feeder: Feeder, alsoOf?: (feeder: FeederData) => Partial<FeederData>): Feeder {
  if (canonicalMrid(feeder.mrid) !== '') return feeder;
  const anchors = (feeder.sources.length > 0 ? feeder.sources : feeder.buses).map(({ id }) => id).sort();
  const mrid = nameUuid(NETWORK_NAMESPACE, [feeder.name, ...anchors].join('\n')).toUpperCase();
  return buildFeeder({ ...feeder, mrid, ...alsoOf?.({ ...feeder, mrid }) }, [
    ...feeder.findings,
    {
      severity: 'info',
      code: 'DEFAULTED_ATTRIBUTE',
      message: `The feeder ${feeder.name} has no mRID; ${mrid}, made from its name and its sources, stands for it.`,
      name: feeder.name,
      attribute: 'IdentifiedObject.mRID',
      value: mrid,
    },
  ]);
}

/** Number of elements by kind, for lists and manifests. */
export function countElements(feeder: Feeder): Readonly<Record<string, number>> {
  const { buses, lines, switches, transformers, regulators, capacitors, loads, pvSystems, batteries, machines } =
    feeder;
  return {
    buses: buses.length,
    lines: lines.length,
    switches: switches.length,
    transformers: transformers.length,
    regulators: regulators.length,
    capacitors: capacitors.length,
    loads: loads.length,
    pvSystems: pvSystems.length,
    batteries: batteries.length,
    machines: machines.length,
    measurements: feeder.measurements.length,
  };
}
