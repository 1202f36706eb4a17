import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type DssFiles, decodedText, directoryOfPath, joinedPath } from '../grid/dss/index.js';
import type { FileDigest } from './cim-file.js';

/** Files larger than this are no part of a feeder; reading them would only fill the memory. */
const LARGEST_BYTES = 1 << 30;
/** Bytes that are looked at to tell a script from a CIM file. */
const HEAD_BYTES = 4096;
/** A line that only an OpenDSS script has: a command with its object, file or option. */
const COMMAND_LINE = /^\s*(clear(all)?\s*$|(new|edit|set|redirect|compile|solve|calcv\w*)\s+\S)/im;

/**
 * The files of an OpenDSS script on disk. Names compare without letter case and take either slash, as the scripts of
 * Windows users expect; an exact name comes first. Paths stay relative where the script's own path is.
 */
export class DssFolder implements DssFiles {
  readonly #names = new Map<string, ReadonlyMap<string, string>>();
  readonly #read = new Map<string, FileDigest>();

  /** The files that were read, by path as the disk spells it, in the order of their first reading. */
  get filesRead(): ReadonlyMap<string, FileDigest> {
    return this.#read;
  }

  resolve(directory: string, path: string): string {
    return joinedPath(directory, path);
  }

  directoryOf(path: string): string {
    return directoryOfPath(path);
  }

  read(path: string): string | undefined {
    const bytes = this.readBytes(path);
    return bytes && decodedText(bytes);
  }

  readBytes(path: string): Uint8Array | undefined {
    const found = isFile(path) ? path : this.#inAnyCase(path);
    if (found === undefined || !isFile(found)) return undefined;
    try {
      const bytes = readFileSync(found);
      this.#read.set(found, { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });
      return bytes;
    } catch {
      // a file that may not be read is a finding of the script that names it, like one that is not there
      return undefined;
    }
  }

  /** The path with each part in the letter case that the disk has, or undefined where there is no such path. */
  #inAnyCase(path: string): string | undefined {
    const folder = dirname(path);
    if (folder === path) return isFolder(path) ? path : undefined;
    const parent = isFolder(folder) ? folder : this.#inAnyCase(folder);
    const found = parent === undefined ? undefined : this.#namesIn(parent).get(basename(path).toLowerCase());
    return parent === undefined || found === undefined ? undefined : join(parent, found);
  }

  #namesIn(folder: string): ReadonlyMap<string, string> {
    let names = this.#names.get(folder);
    if (!names) {
      names = new Map(isFolder(folder) ? readdirSync(folder).map((name) => [name.toLowerCase(), name]) : []);
      this.#names.set(folder, names);
    }
    return names;
  }
}

function isFile(path: string): boolean {
  const stat = statOf(path);
  return stat?.isFile() === true && stat.size <= LARGEST_BYTES;
}

function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

/** What the disk says of a path; a path that it cannot even look up (too long, forbidden) counts as not there. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // whoever asked names the missing file in a finding
    return undefined;
  }
}

/** Whether a file is an OpenDSS script: by its ending, else by a command at its head. */
export function isDssFile(path: string): boolean {
  if (/\.dss$/i.test(path)) return true;
  if (/\.(xml|rdf|json|csv)$/i.test(path) || !isFile(path)) return false;
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    const text = decodedText(head.subarray(0, readSync(file, head, 0, HEAD_BYTES, 0)));
    return !/^\ufeff?\s*</.test(text) && !text.includes('\0') && COMMAND_LINE.test(text);
  } finally {
    closeSync(file);
  }
}
