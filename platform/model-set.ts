/*
 * Which of several CIM files belong together. Files are profiles of one model when one of them defines the sources and the
 * others speak of its objects; files that each define sources of their own are models of their own.
 *
 * Steps: read each file by itself; files with the same sources or feeders are one model, and two whole ones of them are two
 * versions, of which only one can be meant; every other file goes to the model it shares most objects with.
 */
import { type CimIndex, CimIndexReader, type CimObject } from '../grid/cim/index.js';
import { DecError } from '../grid/math/index.js';
import { canonicalMrid } from '../grid/model/index.js';
import { readCimFile } from './cim-file.js';
import { isDssFile } from './dss-files.js';

const SOURCES = ['EnergySource', 'ExternalNetworkInjection'] as const;

/** What tells where a file belongs. */
interface FileFacts {
  readonly path: string;
  readonly sha256: string;
  /** Ids of its sources with a terminal in the same file, and of its feeders when it has such sources. */
  readonly anchors: ReadonlySet<string>;
  readonly feederMrids: readonly string[];
  /** Whether such a terminal stands at a node: the file is a whole model. */
  readonly isWhole: boolean;
  /** Ids of objects it speaks of. */
  readonly ids: ReadonlySet<string>;
}

function terminalsOf(index: CimIndex, source: CimObject): readonly CimObject[] {
  return index.referrers(source.id, 'Terminal.ConductingEquipment');
}

function factsOf(path: string): FileFacts {
  const reader = new CimIndexReader(path);
  const { sha256 } = readCimFile(path, (bytes) => reader.push(bytes));
  reader.end();
  const { index } = reader;
  const sources = SOURCES.flatMap((name) => index.byClass(name)).filter(
    (source) => terminalsOf(index, source).length > 0,
  );
  const hasNode = (terminal: CimObject) =>
    ['Terminal.ConnectivityNode', 'Terminal.TopologicalNode'].some((link) => terminal.refs(link).length > 0);
  const feeders = sources.length > 0 ? index.byClass('Feeder') : [];
  const ids = new Set<string>();
  for (const object of index.objects.values()) {
    ids.add(object.id);
    object.eachReference((_, target) => ids.add(target));
  }
  return {
    path,
    sha256,
    anchors: new Set([...sources, ...feeders].map(({ id }) => id)),
    feederMrids: feeders.map(({ mrid }) => canonicalMrid(mrid)),
    isWhole: sources.some((source) => terminalsOf(index, source).some(hasNode)),
    ids,
  };
}

function shared(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0;
  for (const id of a) if (b.has(id)) count++;
  return count;
}

/** The same model twice is one of them too many. */
function refuseVersions(files: readonly FileFacts[]): void {
  const clashes = files.flatMap((one, i) =>
    files.slice(i + 1).flatMap((other) => {
      if (!one.isWhole || !other.isWhole || shared(one.anchors, other.anchors) === 0) return [];
      const [mrid] = one.feederMrids.filter((id) => other.feederMrids.includes(id));
      return [{ files: [one.path, other.path], mrid: mrid ?? '' }];
    }),
  );
  if (clashes.length === 0) return;
  const lines = clashes.map(({ files: [a, b], mrid }) => `  ${mrid === '' ? 'the same sources' : mrid}: ${a} and ${b}`);
  throw new DecError(
    'BAD_ARGUMENT',
    `The same feeder comes in two versions:\n${lines.join('\n')}\nGive one of the files of each, or take them in one after the other.`,
    { clashes: clashes.map(({ files: pair }) => pair.join(', ')) },
  );
}

/**
 * Groups files into models, in the order given; an OpenDSS script stands alone. A file that is given twice counts once.
 *
 * @returns for each model its files
 * @throws DecError `BAD_ARGUMENT` when a feeder comes in two versions, or a file belongs to no model or to several;
 *   `XML_MALFORMED`, `FEEDER_UNKNOWN` of the reader
 */
export function modelSets(paths: readonly string[]): readonly (readonly string[])[] {
  if (paths.length < 2) return paths.length === 0 ? [] : [paths];
  if (paths.some(isDssFile)) return [paths];
  const files: FileFacts[] = [];
  for (const path of paths) {
    const facts = factsOf(path);
    if (!files.some(({ sha256 }) => sha256 === facts.sha256)) files.push(facts);
  }
  refuseVersions(files);
  const sets: FileFacts[][] = [];
  for (const file of files) {
    if (file.anchors.size === 0) continue;
    const same = sets.find((set) => set.some(({ anchors }) => shared(anchors, file.anchors) > 0));
    if (same) same.push(file);
    else sets.push([file]);
  }
  // Profiles without one that defines sources: the reader names what is missing.
  if (sets.length === 0) return [files.map(({ path }) => path)];
  const parts = files.filter(({ anchors }) => anchors.size === 0);
  const found = parts.map((part) => ({ part, set: setOf(part, sets) }));
  for (const { part, set } of found) set.push(part);
  const order = new Map(paths.map((path, i) => [path, i]));
  const place = ({ path }: FileFacts) => order.get(path) ?? 0;
  return sets.map((set) => [...set].sort((a, b) => place(a) - place(b)).map(({ path }) => path));
}

/** The model that a profile shares most objects with. */
function setOf(part: FileFacts, sets: readonly FileFacts[][]): FileFacts[] {
  const counts = sets.map((set) => set.reduce((sum, { ids }) => sum + shared(part.ids, ids), 0));
  const most = Math.max(...counts);
  const best = sets.filter((_, i) => counts[i] === most);
  const [first] = best;
  if (first && most > 0 && best.length === 1) return first;
  const models = sets.map(([file]) => file?.path ?? '').join(', ');
  const fact = most === 0 ? 'shares no object with the model of' : 'could belong to several of the models of';
  throw new DecError(
    'BAD_ARGUMENT',
    `The file ${part.path} has no source of its own and ${fact} ${models}. Give the profiles of one model together.`,
    { file: part.path },
  );
}
