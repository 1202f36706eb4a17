/*
 * Model folders on disk: files that were taken in together lie once in a folder named by the digest of their content, with a
 * manifest that lists the feeders in them. Nothing of a model (name, mRID) becomes part of a path. Of two folders with the
 * same feeder the one with the higher sequence counts. A folder appears by one rename; what is removed is only what a
 * manifest of ours lists.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { type FileDigest, readCimFile } from './cim-file.js';
import { isFolder, makeFolder, usingFolder } from './folder.js';

/** File that describes a model folder. */
const MANIFEST = 'model.json';
/** Folder of the files of an OpenDSS script, so that none of their names can be the manifest's. */
const SCRIPT_FOLDER = 'script';
/** How errors name the folder of all models. */
const PURPOSE = 'model store';

/** A feeder as a list shows it. */
export const manifestFeederSchema = z.object({
  name: z.string(),
  mrid: z.string(),
  counts: z.record(z.string(), z.number()),
  /** Errors that validation finds; such a feeder is kept, and commands that compute refuse it. */
  errors: z.int().nonnegative(),
});

const manifestSchema = z.object({
  /** Number of the ingestion: of two folders with the same feeder, the higher one counts. */
  sequence: z.int().positive(),
  ingestedAt: z.string(),
  feeders: z.array(manifestFeederSchema),
  files: z.array(
    z.object({
      // A name that leads out of the folder is none of ours.
      name: z.string().refine((name) => name.split('/').every((part) => !/^\.{0,2}$|\\/.test(part))),
      sha256: z.string(),
      bytes: z.number(),
      source: z.string(),
    }),
  ),
  /** Name of the master file, where the files are an OpenDSS script. */
  master: z.string().optional(),
});

/** What is known of the feeders of a model folder without reading them. */
export type ModelManifest = Readonly<z.infer<typeof manifestSchema>>;
/** A feeder as a manifest lists it. */
export type ManifestFeeder = ModelManifest['feeders'][number];
/** A file as a manifest lists it; `copyFrom` is where it is read when it is taken in, if not at the source that is told. */
export type ManifestFile = ModelManifest['files'][number] & { readonly copyFrom?: string };

/** Files that were taken in together. */
export interface ModelFolder {
  readonly path: string;
  readonly manifest: ModelManifest;
}

/** The model folders of a store, oldest first, and why some cannot be read. */
export function modelFolders(dir: string): {
  readonly folders: readonly ModelFolder[];
  readonly problems: readonly string[];
} {
  const folders: ModelFolder[] = [];
  const problems: string[] = [];
  if (!isFolder(dir, PURPOSE)) return { folders, problems };
  for (const entry of usingFolder(dir, PURPOSE, () => readdirSync(dir, { withFileTypes: true }))) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const path = join(dir, entry.name);
    if (!existsSync(join(path, MANIFEST))) continue;
    try {
      folders.push({ path, manifest: manifestSchema.parse(JSON.parse(readFileSync(join(path, MANIFEST), 'utf8'))) });
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : '';
      problems.push(`The manifest of ${path} cannot be read: ${reason}. Remove the folder and ingest the model again.`);
    }
  }
  folders.sort((a, b) => a.manifest.sequence - b.manifest.sequence || (a.path < b.path ? -1 : 1));
  return { folders, problems };
}

/** The files of an ingestion as the manifest lists them; files of one name are told apart by their number. */
export function describeFiles(sources: readonly string[], digests: readonly FileDigest[]): readonly ManifestFile[] {
  return sources.map((source, i) => {
    const isDoubled =
      basename(source) === MANIFEST || sources.some((s, j) => j < i && basename(s) === basename(source));
    return { name: isDoubled ? `${i}-${basename(source)}` : basename(source), ...digests[i]!, source };
  });
}

/**
 * The files of an OpenDSS script as the manifest lists them: in folders below one of their own, where they find one another
 * as they did at their source.
 */
export function describeScript(
  sources: readonly string[],
  digests: readonly FileDigest[],
  master: string,
): { readonly files: readonly ManifestFile[]; readonly master: string } {
  const paths = sources.map((source) => resolve(source));
  let root = dirname(resolve(master));
  while (dirname(root) !== root && paths.some((path) => relative(root, path).startsWith('..'))) root = dirname(root);
  const nameOf = (path: string) => [SCRIPT_FOLDER, ...relative(root, path).split(sep)].join('/');
  const files = paths.map((path, i) => ({ name: nameOf(path), ...digests[i]!, source: sources[i]! }));
  return { files, master: nameOf(resolve(master)) };
}

/** What identifies the content of files given together: their bytes in any order, and of a script their names too. */
export function contentDigest({ files, master }: Pick<ModelManifest, 'files' | 'master'>): string {
  const digests = files.map(({ sha256, name }) => (master === undefined ? sha256 : `${sha256} ${name}`)).sort();
  if (master !== undefined) digests.push(master);
  return createHash('sha256').update(digests.join('\n')).digest('hex');
}

/**
 * Makes the folder of new content. A folder of that name which is no model folder is left alone, and another name is taken.
 *
 * @throws DecError `BAD_ARGUMENT` when the store cannot be written
 */
export function createModelFolder(dir: string, manifest: ModelManifest): ModelFolder {
  makeFolder(dir, PURPOSE);
  return usingFolder(dir, PURPOSE, () => {
    const digest = contentDigest(manifest);
    let path = join(dir, digest);
    for (let n = 2; existsSync(path); n++) path = join(dir, `${digest}-${n}`);
    // A half-written model must never be found, so it becomes visible by one rename.
    const draft = mkdtempSync(join(dir, '.draft-'));
    try {
      for (const { source, name, copyFrom = source } of manifest.files as readonly ManifestFile[]) {
        mkdirSync(dirname(join(draft, name)), { recursive: true });
        copyFileSync(copyFrom, join(draft, name));
      }
      writeFileSync(join(draft, MANIFEST), json(manifest));
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    return { path, manifest };
  });
}

/**
 * Renews the manifest of a folder whose content was taken in again, and copies files that went missing.
 *
 * @throws DecError `BAD_ARGUMENT` when the store cannot be written
 */
export function renewModelFolder(folder: ModelFolder, manifest: ModelManifest, files: readonly ManifestFile[]): void {
  usingFolder(folder.path, PURPOSE, () => {
    for (const { name, sha256 } of missingFiles(folder)) {
      mkdirSync(dirname(join(folder.path, name)), { recursive: true });
      // By a rename, so that nobody reads half a file, and one that may not be written can be replaced.
      const part = join(folder.path, `.${process.pid}.part`);
      const { source, copyFrom = source } = files.find((file) => file.sha256 === sha256)!;
      copyFileSync(copyFrom, part);
      renameSync(part, join(folder.path, name));
    }
    const draft = join(folder.path, `.${MANIFEST}.${process.pid}`);
    writeFileSync(draft, json(manifest));
    renameSync(draft, join(folder.path, MANIFEST));
  });
}

/** Files that the manifest lists and that are not there, or no longer what was taken in. */
export function missingFiles({ path, manifest }: ModelFolder): readonly ManifestFile[] {
  return manifest.files.filter(({ name, bytes, sha256 }) => {
    const file = join(path, name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found?.isFile() || found.size !== bytes) return true;
    try {
      return readCimFile(file, () => undefined).sha256 !== sha256;
    } catch {
      // What cannot be read is as good as missing; the caller names it.
      return true;
    }
  });
}

/** Removes what a manifest lists, and the folder if nothing else lies in it. */
export function removeModelFolder({ path, manifest }: ModelFolder): void {
  usingFolder(path, PURPOSE, () => {
    for (const { name } of manifest.files) rmSync(join(path, name), { force: true });
    rmSync(join(path, MANIFEST), { force: true });
    for (const folder of foldersWithin(manifest.files.map(({ name }) => name))) {
      const inner = join(path, folder);
      if (isFolder(inner, PURPOSE) && readdirSync(inner).length === 0) rmdirSync(inner);
    }
    if (readdirSync(path).length === 0) rmdirSync(path);
  });
}

/** The folders that some names lie in, the deepest first. */
function foldersWithin(names: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const name of names) {
    for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
      folders.add(name.slice(0, slash));
    }
  }
  return [...folders].sort((a, b) => b.split('/').length - a.split('/').length);
}

function json(manifest: ModelManifest): string {
  // Without what is known for the copying alone.
  return `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`;
}
