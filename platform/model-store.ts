import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { type CimIndex, CimIndexReader, readFeeders } from '../grid/cim/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid, type Feeder } from '../grid/model/index.js';
import { flagshipPath } from './package-files.js';

/** Characters of a file handed to the reader at once. */
const CHUNK = 1 << 20;
/** File that describes a stored model, in its folder. */
const MANIFEST = 'model.json';

const manifestSchema = z.object({
  name: z.string(),
  mrid: z.string(),
  counts: z.record(z.string(), z.number()),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), bytes: z.number(), source: z.string() })),
  ingestedAt: z.string(),
});

/** What is known of a stored model without reading it. */
export type ModelManifest = Readonly<z.infer<typeof manifestSchema>>;

/** A model in memory: the objects of its files and one feeder of them. */
export interface LoadedModel {
  readonly name: string;
  /** mRID as the source spells it. */
  readonly mrid: string;
  readonly index: CimIndex;
  readonly feeder: Feeder;
  /** Files it was read from. */
  readonly files: readonly string[];
  /** Canonical ids of all feeders in the same files. */
  readonly siblings: readonly string[];
}

/** A line of the list of known feeders. */
export interface ModelListing {
  readonly name: string;
  readonly mrid: string;
  /** Number of elements by kind. */
  readonly counts: Readonly<Record<string, number>>;
  /** `built in`, or the files it was read from. */
  readonly origin: string;
}

/** What became of an ingestion, one entry per feeder in the files. */
export interface IngestResult {
  readonly name: string;
  readonly mrid: string;
  readonly status: 'added' | 'updated' | 'unchanged';
  readonly counts: Readonly<Record<string, number>>;
  readonly folder: string;
}

/** A folder of feeder models. Models are read when they are first asked for and stay in memory. */
export interface ModelStore {
  /** Folder of the store; undefined when only built-in and given files are known. */
  readonly dir: string | undefined;
  /**
   * Takes CIM XML files (several profiles of one model together) into the store; the same content again changes nothing.
   * @param ingestedAt - time for the manifest, ISO 8601
   * @throws DecError `XML_MALFORMED` or `FEEDER_DATA`; nothing was stored then
   */
  ingest(files: readonly string[], ingestedAt: string): readonly IngestResult[];
  /** Known feeders, by name. Stored ones are told from their manifests, without reading the models. */
  list(): readonly ModelListing[];
  /** A model by name, mRID in any spelling, or path of a CIM XML file. @throws DecError `FEEDER_UNKNOWN` with the known feeders */
  find(nameOrMridOrPath: string): LoadedModel;
  /** All known models, read. A stored model that cannot be read is left out and named in {@link problems}. */
  all(): readonly LoadedModel[];
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

/** Opens a store; the folder need not exist before the first ingestion. */
export function openModelStore(dir: string | undefined, options: ModelStoreOptions = {}): ModelStore {
  const loaded = new Map<string, readonly LoadedModel[]>();
  const problems: string[] = [];
  const fixed = [
    ...(options.builtIn ?? [flagshipPath()]).map((path) => ({ path, origin: 'built in' })),
    ...(options.files ?? []).map((path) => ({ path, origin: path })),
  ];

  const load = (key: string, paths: readonly string[]): readonly LoadedModel[] => {
    const known = loaded.get(key);
    if (known) return known;
    const models = loadModels(paths);
    loaded.set(key, models);
    return models;
  };

  const stored = (): readonly { readonly folder: string; readonly manifest: ModelManifest }[] => {
    if (dir === undefined || !existsSync(dir)) return [];
    const found: { folder: string; manifest: ModelManifest }[] = [];
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const folder = join(dir, entry.name);
      if (!existsSync(join(folder, MANIFEST))) continue;
      try {
        found.push({
          folder,
          manifest: manifestSchema.parse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'))),
        });
      } catch (error) {
        note(problems, `The manifest of ${folder} cannot be read: ${textOf(error)}. Ingest the model again.`);
      }
    }
    return found;
  };

  const loadStored = ({ folder, manifest }: ReturnType<typeof stored>[number]): LoadedModel => {
    const paths = manifest.files.map(({ name }) => join(folder, name));
    const models = load(folder, paths);
    const id = canonicalMrid(manifest.mrid);
    const model = models.find(({ mrid }) => canonicalMrid(mrid) === id);
    if (model) return model;
    throw new DecError(
      'FEEDER_DATA',
      `The files of ${folder} hold no feeder ${manifest.mrid}; ingest the model again.`,
      {
        folder,
        mrid: manifest.mrid,
      },
    );
  };

  const list = (): readonly ModelListing[] => {
    const listings = new Map<string, ModelListing>();
    for (const { path, origin } of fixed) {
      for (const { name, mrid, feeder } of load(path, [path])) {
        listings.set(canonicalMrid(mrid), { name, mrid, counts: countElements(feeder), origin });
      }
    }
    for (const { manifest } of stored()) {
      const { name, mrid, counts } = manifest;
      listings.set(canonicalMrid(mrid), {
        name,
        mrid,
        counts,
        origin: manifest.files.map(({ source }) => source).join(', '),
      });
    }
    return [...listings.values()].sort((a, b) => a.name.localeCompare(b.name));
  };

  return {
    dir,
    problems,
    list,
    ingest(files, ingestedAt) {
      if (dir === undefined) throw new DecError('BAD_ARGUMENT', 'This model store has no folder to store models in.');
      if (files.length === 0) throw new DecError('BAD_ARGUMENT', 'No files to ingest were given.');
      const models = loadModels(files);
      const results = models.map((model) => storeModel(dir, files, model, ingestedAt));
      for (const { folder, status } of results) if (status !== 'unchanged') loaded.delete(folder);
      return results;
    },
    find(wanted) {
      const id = canonicalMrid(wanted).toUpperCase();
      const isWanted = ({ name, mrid }: { readonly name: string; readonly mrid: string }): boolean =>
        canonicalMrid(mrid).toUpperCase() === id || name.toUpperCase() === wanted.trim().toUpperCase();
      // Stored models come first: a user may have replaced the built-in one.
      const kept = stored().find(({ manifest }) => isWanted(manifest));
      if (kept) return loadStored(kept);
      for (const { path } of fixed) {
        const model = load(path, [path]).find(isWanted);
        if (model) return model;
      }
      if (/\.(xml|rdf)$/i.test(wanted) || wanted.includes('/')) {
        if (!existsSync(wanted)) {
          throw new DecError('FEEDER_UNKNOWN', `There is no file ${wanted}.`, { file: wanted });
        }
        return load(wanted, [wanted])[0]!;
      }
      const known = list();
      const lines = known.map(({ name, mrid }) => `  ${name}  ${mrid}`);
      throw new DecError(
        'FEEDER_UNKNOWN',
        `The feeder "${wanted}" is unknown. Known feeders:\n${lines.join('\n') || '  none'}\nTake another in with "dec ingest FILE".`,
        { feeder: wanted, known: known.map(({ name, mrid }) => `${name} ${mrid}`) },
      );
    },
    all() {
      const models = new Map<string, LoadedModel>();
      for (const { path } of fixed)
        for (const model of load(path, [path])) models.set(canonicalMrid(model.mrid), model);
      for (const entry of stored()) {
        try {
          models.set(canonicalMrid(entry.manifest.mrid), loadStored(entry));
        } catch (error) {
          note(problems, `The model in ${entry.folder} cannot be read: ${textOf(error)}`);
        }
      }
      return [...models.values()];
    },
  };
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

/** Reads CIM XML files as one model. @throws DecError `XML_MALFORMED`, `FEEDER_DATA` */
export function loadModels(paths: readonly string[]): readonly LoadedModel[] {
  let index: CimIndex | undefined;
  for (const path of paths) {
    const reader: CimIndexReader = index ? new CimIndexReader(path, index) : new CimIndexReader(path);
    const text = readText(path);
    for (let from = 0; from < text.length; from += CHUNK) reader.push(text.slice(from, from + CHUNK));
    reader.end();
    index = reader.index;
  }
  const feeders = index ? readFeeders(index).feeders : [];
  if (!index || feeders.length === 0) {
    throw new DecError('FEEDER_DATA', `${paths.join(', ')}: there is no feeder in it.`, { files: [...paths] });
  }
  const siblings = feeders.map(({ mrid }) => canonicalMrid(mrid));
  const whole = index;
  return feeders.map((feeder) => ({
    name: feeder.name,
    mrid: feeder.mrid,
    index: whole,
    feeder,
    files: paths,
    siblings,
  }));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DecError(
      'FEEDER_UNKNOWN',
      `The file ${path} cannot be read: ${textOf(error)}`,
      { file: path },
      { cause: error },
    );
  }
}

function storeModel(dir: string, files: readonly string[], model: LoadedModel, ingestedAt: string): IngestResult {
  const { name, mrid } = model;
  const counts = countElements(model.feeder);
  const folder = join(dir, canonicalMrid(mrid).replace(/[^\w.-]/g, '_'));
  const described = files.map((source, i) => {
    const content = readFileSync(source);
    const isDoubled = files.some((other, j) => j < i && basename(other) === basename(source));
    return {
      name: isDoubled ? `${i}-${basename(source)}` : basename(source),
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: content.length,
      source,
    };
  });
  const before = existsSync(join(folder, MANIFEST)) ? readManifest(folder) : undefined;
  const digests = (list: readonly { readonly sha256: string }[]) =>
    list
      .map(({ sha256 }) => sha256)
      .sort()
      .join();
  if (before && digests(before.files) === digests(described))
    return { name, mrid, status: 'unchanged', counts, folder };
  // A half-written model must never be found, so it becomes visible by one rename.
  const draft = join(dir, `.${basename(folder)}.${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  for (const file of described) copyFileSync(file.source, join(draft, file.name));
  const manifest: ModelManifest = { name, mrid, counts: { ...counts }, files: described, ingestedAt };
  writeFileSync(join(draft, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  const isUpdate = existsSync(folder);
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return { name, mrid, status: isUpdate ? 'updated' : 'added', counts, folder };
}

/** A manifest, or undefined when it is damaged: then the model is simply stored anew. */
function readManifest(folder: string): ModelManifest | undefined {
  try {
    const result = manifestSchema.safeParse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

function note(problems: string[], problem: string): void {
  if (!problems.includes(problem)) problems.push(problem);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
