import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CimIndex } from '../grid/cim/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid, type Finding, validateFeeder } from '../grid/model/index.js';
import { listingOf } from './listing-file.js';
import {
  atOnce,
  countElements,
  type KeptIndexes,
  type LoadedModel,
  loadIndexes,
  loadModels,
  readModels,
} from './loaded-model.js';
import {
  contentDigest,
  createModelFolder,
  describeFiles,
  describeScript,
  type ManifestFeeder,
  type ModelFolder,
  missingFiles,
  modelFolders,
  removeModelFolder,
  renewModelFolder,
} from './model-folder.js';
import { modelSets } from './model-set.js';
import { flagshipPath } from './package-files.js';

/** A line of the list of known feeders. */
export interface ModelListing {
  readonly name: string;
  readonly mrid: string;
  /** Number of elements by kind. */
  readonly counts: Readonly<Record<string, number>>;
  /** Number of errors that validation finds; a feeder with errors is kept but cannot be computed. */
  readonly errors: number;
  /** `built in`, or the files it was read from. */
  readonly origin: string;
}

/** What became of an ingestion, one entry per feeder in the files. */
export interface IngestResult {
  readonly name: string;
  readonly mrid: string;
  readonly status: 'added' | 'updated' | 'unchanged';
  readonly counts: Readonly<Record<string, number>>;
  /** Folder the files lie in; feeders of the same files share it. */
  readonly folder: string;
  /** Everything validation says of the feeder, after the reader's own findings. */
  readonly findings: readonly Finding[];
}

/** A folder of feeder models. Models are read when they are first asked for and stay in memory. */
export interface ModelStore {
  /** Folder of the store; undefined when only built-in and given files are known. */
  readonly dir: string | undefined;
  /**
   * Takes CIM XML files (several profiles of one model together), or an OpenDSS master file with all it names, into the
   * store; the same content again changes nothing, but repairs stored files that went missing or were changed. Models of
   * their own are stored each by itself.
   * Feeders that validation finds errors in are taken in too, but not in the place of a stored one without errors.
   * @param ingestedAt - time for the manifest, ISO 8601
   * @param mayReplace - takes a feeder with errors even in the place of a usable one
   * @param originOf - what lists tell as the origin of a file, by its path; the path itself when absent
   * @throws DecError `XML_MALFORMED`, `FEEDER_UNKNOWN`, `FEEDER_DATA`, `BAD_ARGUMENT`; nothing was stored then
   */
  ingest(
    files: readonly string[],
    ingestedAt: string,
    mayReplace?: boolean,
    originOf?: (path: string) => string,
  ): readonly IngestResult[];
  /** Known feeders, by name. Stored ones are told from their manifests, without reading the models. */
  list(): readonly ModelListing[];
  /**
   * A model by mRID in any spelling, name, or path of a CIM XML file or an OpenDSS master file; what is stored comes before what is built in.
   * @throws DecError `FEEDER_UNKNOWN` with the known feeders; `BAD_ARGUMENT` when several feeders have the name
   */
  find(nameOrMridOrPath: string): LoadedModel;
  /** All known models, read. A stored model that cannot be read is left out and named in {@link problems}. */
  all(): readonly LoadedModel[];
  /** The CIM objects of all known models, without their feeders where those have not been asked for; problems as {@link all}. */
  indexes(): ReadonlySet<CimIndex>;
  /** {@link indexes} in steps of a piece of a file, for who must not be held up by large ones. */
  readAhead(): Generator<void, ReadonlySet<CimIndex>>;
  /** Why models of the store could not be listed or read. */
  readonly problems: readonly string[];
}

/** What a store is opened with. */
export interface ModelStoreOptions {
  /** CIM XML files that are always known; the package's own feeder when absent. */
  readonly builtIn?: readonly string[];
  /** Further CIM XML files known to this store without being stored. */
  readonly files?: readonly string[];
}

/** A stored feeder: its line in a manifest and the folder that counts for it. */
interface StoredFeeder extends ManifestFeeder {
  readonly folder: ModelFolder;
}

interface Named {
  readonly name: string;
  readonly mrid: string;
}

/** Opens a store; the folder need not exist before the first ingestion. */
export function openModelStore(dir: string | undefined, options: ModelStoreOptions = {}): ModelStore {
  const loaded = new Map<string, readonly LoadedModel[]>();
  const kept: KeptIndexes = new Map();
  const problems: string[] = [];
  const fixed = [
    ...(options.builtIn ?? [flagshipPath()]).map((path) => ({ path, origin: 'built in' })),
    ...(options.files ?? []).map((path) => ({ path, origin: path })),
  ];

  const load = (key: string, paths: readonly string[]): readonly LoadedModel[] => {
    const known = loaded.get(key);
    if (known) return known;
    const models = loadModels(paths, kept);
    loaded.set(key, models);
    return models;
  };

  const listings = new Map<string, readonly ManifestFeeder[]>();
  /** What a file holds, from its listing where it has one. */
  const entriesOf = (path: string): readonly ManifestFeeder[] => {
    const known = listings.get(path);
    if (known) return known;
    const entries = listingOf(path) ?? load(path, [path]).map((model) => describe(model).entry);
    listings.set(path, entries);
    return entries;
  };

  const folders = (): readonly ModelFolder[] => {
    if (dir === undefined) return [];
    const found = modelFolders(dir);
    for (const problem of found.problems) note(problems, problem);
    return found.folders;
  };

  /** The files to read of a stored model. @throws DecError `FEEDER_DATA` where they are not what was taken in */
  const pathsOf = ({ folder, mrid }: StoredFeeder): readonly string[] => {
    const { files, master } = folder.manifest;
    if (!loaded.has(folder.path)) {
      const damaged = missingFiles(folder);
      if (damaged.length > 0) throw new DecError('FEEDER_DATA', damage(folder, damaged), { folder: folder.path, mrid });
    }
    return (master === undefined ? files.map(({ name }) => name) : [master]).map((n) => join(folder.path, n));
  };

  const loadStored = (stored: StoredFeeder): LoadedModel => {
    const { folder, mrid } = stored;
    const model = load(folder.path, pathsOf(stored)).find((one) => canonicalMrid(one.mrid) === canonicalMrid(mrid));
    if (model) return model;
    const message = `The files of ${folder.path} hold no feeder ${mrid}; ingest the model again.`;
    throw new DecError('FEEDER_DATA', message, { folder: folder.path, mrid });
  };

  const list = (): readonly ModelListing[] => {
    const listed = new Map<string, ModelListing>();
    for (const { path, origin } of fixed) {
      for (const entry of entriesOf(path)) listed.set(canonicalMrid(entry.mrid), { ...entry, origin });
    }
    const stored = folders();
    for (const folder of stored) {
      const damaged = missingFiles(folder);
      if (damaged.length > 0) note(problems, damage(folder, damaged));
    }
    for (const [id, { folder, name, mrid, counts, errors }] of storedFeeders(stored)) {
      const { files, master } = folder.manifest;
      const given = master === undefined ? files : files.filter((file) => file.name === master);
      const origin = given.map(({ source }) => source).join(', ');
      listed.set(id, { name, mrid, counts, errors, origin });
    }
    return [...listed.values()].sort((a, b) => a.name.localeCompare(b.name));
  };

  /** Objects of all models, read where they have not been. */
  function* readIndexes(): Generator<void, ReadonlySet<CimIndex>> {
    const stored = storedFeeders(folders());
    const indexes = new Set<CimIndex>();
    function* take(key: string, paths: readonly string[]): Generator<void, void> {
      const known = loaded.get(key)?.map(({ index }) => index);
      for (const index of known ?? (yield* loadIndexes(paths, kept))) if (index.objects.size > 0) indexes.add(index);
    }
    for (const { path } of fixed) {
      if (entriesOf(path).some(({ mrid }) => !stored.has(canonicalMrid(mrid)))) yield* take(path, [path]);
    }
    for (const entry of stored.values()) {
      try {
        yield* take(entry.folder.path, pathsOf(entry));
      } catch (error) {
        note(problems, `The model in ${entry.folder.path} cannot be read: ${textOf(error)}`);
      }
    }
    return indexes;
  }

  return {
    dir,
    problems,
    list,
    ingest(files, ingestedAt, mayReplace = false, originOf = (path) => path) {
      if (dir === undefined) throw new DecError('BAD_ARGUMENT', 'This model store has no folder to store models in.');
      if (files.length === 0) throw new DecError('BAD_ARGUMENT', 'No files to ingest were given.');
      // Everything is read before anything is stored.
      const sets = modelSets(files).map((paths) => {
        const { models, sources, digests, master } = readModels(paths);
        const described =
          master === undefined ? { files: describeFiles(sources, digests) } : describeScript(sources, digests, master);
        return { described, feeders: models.map(describe) };
      });
      if (!mayReplace) {
        refuseWorse(
          storedFeeders(folders()),
          sets.flatMap(({ feeders }) => feeders),
        );
      }
      return sets.flatMap(({ described, feeders }) => {
        const { path, before, isRepaired } = keep(dir, folders(), {
          ingestedAt,
          feeders: feeders.map(({ entry }) => entry),
          ...described,
          files: described.files.map((file) => ({ ...file, copyFrom: file.source, source: originOf(file.source) })),
        });
        loaded.delete(path);
        for (const key of kept.keys()) if (key.startsWith(path)) kept.delete(key);
        return feeders.map(({ entry: { name, mrid, counts }, findings }) => {
          const owner = before.get(canonicalMrid(mrid))?.folder.path;
          const status = owner === undefined ? 'added' : owner === path && !isRepaired ? 'unchanged' : 'updated';
          return { name, mrid, status, counts, folder: path, findings };
        });
      });
    },
    find(wanted) {
      const stored = [...storedFeeders(folders()).values()];
      const kept = theOne(stored, wanted);
      // Stored models come first: a user may have replaced the built-in one.
      if (kept) return loadStored(kept);
      const named = theOne(
        fixed.flatMap(({ path }) => entriesOf(path).map(({ name, mrid }) => ({ name, mrid, path }))),
        wanted,
      );
      const model = named && load(named.path, [named.path]).find(({ mrid }) => mrid === named.mrid);
      if (model) return model;
      if (/\.(xml|rdf|dss|txt)$/i.test(wanted) || wanted.includes('/')) {
        if (!existsSync(wanted)) {
          throw new DecError('FEEDER_UNKNOWN', `There is no file ${wanted}.`, { file: wanted });
        }
        return load(wanted, [wanted])[0]!;
      }
      const known = list().map(described);
      throw new DecError(
        'FEEDER_UNKNOWN',
        `The feeder "${wanted}" is unknown. Known feeders:\n${lines(known) || '  none'}\nTake another in with "dec ingest FILE".`,
        { feeder: wanted, known },
      );
    },
    all() {
      const models = new Map<string, LoadedModel>();
      for (const { path } of fixed)
        for (const model of load(path, [path])) models.set(canonicalMrid(model.mrid), model);
      for (const [id, entry] of storedFeeders(folders())) {
        try {
          models.set(id, loadStored(entry));
        } catch (error) {
          note(problems, `The model in ${entry.folder.path} cannot be read: ${textOf(error)}`);
        }
      }
      return [...models.values()];
    },
    indexes: () => atOnce(readIndexes()),
    readAhead: readIndexes,
  };
}

/** Stored feeders by canonical mRID, each from the folder that counts. */
function storedFeeders(folders: readonly ModelFolder[]): ReadonlyMap<string, StoredFeeder> {
  const feeders = new Map<string, StoredFeeder>();
  for (const folder of folders) {
    for (const feeder of folder.manifest.feeders) feeders.set(canonicalMrid(feeder.mrid), { ...feeder, folder });
  }
  return feeders;
}

/** Stores what was read, or finds it stored; then folders that count for no feeder any more are removed. */
function keep(
  dir: string,
  folders: readonly ModelFolder[],
  content: Omit<ModelFolder['manifest'], 'sequence'>,
): { readonly path: string; readonly before: ReadonlyMap<string, StoredFeeder>; readonly isRepaired: boolean } {
  const before = storedFeeders(folders);
  const digest = contentDigest(content);
  const sequence = 1 + Math.max(0, ...folders.map(({ manifest }) => manifest.sequence));
  const same = folders.find(({ manifest }) => contentDigest(manifest) === digest);
  if (!same) {
    const { path } = createModelFolder(dir, { sequence, ...content });
    removeSuperseded(folders, content.feeders);
    return { path, before, isRepaired: false };
  }
  const { path, manifest } = same;
  const isRepaired = missingFiles(same).length > 0;
  const isCurrent = content.feeders.every(({ mrid }) => before.get(canonicalMrid(mrid))?.folder === same);
  const isTold = JSON.stringify(manifest.feeders) === JSON.stringify(content.feeders);
  if (!isCurrent || !isTold || isRepaired) {
    const renewed = { ...manifest, ingestedAt: content.ingestedAt, feeders: content.feeders };
    renewModelFolder(same, { ...renewed, sequence: isCurrent ? manifest.sequence : sequence }, content.files);
    const others = folders.filter((folder) => folder !== same);
    removeSuperseded(others, content.feeders);
  }
  return { path, before, isRepaired };
}

/** Says which files of a folder are not what was taken in. */
function damage({ path, manifest }: ModelFolder, files: readonly { readonly name: string }[]): string {
  const names = files.map(({ name }) => join(path, name)).join(', ');
  const feeders = manifest.feeders.map(described).join(', ');
  return `${names} (of ${feeders}) is missing or was changed since it was taken in; ingest the model again.`;
}

/** Removes folders of which every feeder has a newer one. */
function removeSuperseded(folders: readonly ModelFolder[], newer: readonly ManifestFeeder[]): void {
  const renewed = new Set(newer.map(({ mrid }) => canonicalMrid(mrid)));
  const current = new Set<ModelFolder>();
  for (const [id, { folder }] of storedFeeders(folders)) if (!renewed.has(id)) current.add(folder);
  for (const folder of folders) if (!current.has(folder)) removeModelFolder(folder);
}

/** The entries of a listing, as reading the file gives them. */
export function listingEntries(path: string): readonly ManifestFeeder[] {
  return loadModels([path]).map((model) => describe(model).entry);
}

/** A model as lists show it, and all that validation says of it. */
function describe({ name, mrid, feeder }: LoadedModel): { readonly entry: ManifestFeeder; findings: Finding[] } {
  const findings = validateFeeder(feeder);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return { entry: { name, mrid, counts: { ...countElements(feeder) }, errors }, findings };
}

/** Findings named in the refusal of a worse model. */
const NAMED_ERRORS = 5;

/** @throws DecError `FEEDER_DATA` when a feeder with errors would take the place of a stored one without */
function refuseWorse(
  stored: ReadonlyMap<string, StoredFeeder>,
  feeders: readonly { readonly entry: ManifestFeeder; readonly findings: readonly Finding[] }[],
): void {
  const worse = feeders.filter(
    ({ entry: { errors, mrid } }) => errors > 0 && stored.get(canonicalMrid(mrid))?.errors === 0,
  );
  if (worse.length === 0) return;
  const texts = worse.map(({ entry, findings }) => {
    const errors = findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
    const more = errors.length > NAMED_ERRORS ? ` (and ${errors.length - NAMED_ERRORS} more)` : '';
    return `${described(entry)}: ${errors.slice(0, NAMED_ERRORS).join(' ')}${more}`;
  });
  throw new DecError(
    'FEEDER_DATA',
    `The store holds a model without errors, and these files make it one that cannot be computed; nothing was stored. Profiles of one model are given together; --replace takes it in all the same.\n${lines(texts)}`,
    { mrids: worse.map(({ entry }) => entry.mrid) },
  );
}

/** The feeder of an mRID, else of a name. @throws DecError `BAD_ARGUMENT` when several have the name */
function theOne<T extends Named>(feeders: readonly T[], wanted: string): T | undefined {
  const id = canonicalMrid(wanted).toUpperCase();
  const byId = feeders.find(({ mrid }) => canonicalMrid(mrid).toUpperCase() === id);
  if (byId) return byId;
  const upper = wanted.trim().toUpperCase();
  const named = feeders.filter(({ name }) => name.toUpperCase() === upper);
  if (named.length > 1) {
    const known = named.map(described);
    throw new DecError(
      'BAD_ARGUMENT',
      `${named.length} feeders are called ${wanted.trim()}; give the mRID of one:\n${lines(known)}`,
      { feeder: wanted, known },
    );
  }
  return named[0];
}

const described = ({ name, mrid }: Named): string => `${name}  ${mrid}`;
const lines = (texts: readonly string[]): string => texts.map((text) => `  ${text}`).join('\n');

function note(problems: string[], problem: string): void {
  if (!problems.includes(problem)) problems.push(problem);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
