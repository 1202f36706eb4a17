import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type DssFiles, decodedText } from '../grid/dss/index.js';

/** Files larger than this are no part of a feeder; reading them would only fill the memory. */
const LARGEST_BYTES = 1 << 30;

/**
 * The files of an OpenDSS script on disk. Names compare without letter case and take either slash, as the scripts of
 * Windows users expect; an exact name comes first.
 */
export class DssFolder implements DssFiles {
  readonly #names = new Map<string, ReadonlyMap<string, string>>();
  readonly #read = new Map<string, string>();

  /** Absolute paths of the files that were read, in the order of their first reading. */
  get filesRead(): readonly string[] {
    return [...this.#read.keys()];
  }

  resolve(directory: string, path: string): string {
    const slashed = path.trim().replaceAll('\\', '/');
    return resolve(directory === '' ? '.' : directory, slashed);
  }

  directoryOf(path: string): string {
    return path === '' ? '' : dirname(path);
  }

  read(path: string): string | undefined {
    const bytes = this.readBytes(path);
    return bytes && decodedText(bytes);
  }

  readBytes(path: string): Uint8Array | undefined {
    const found = this.#find(resolve(path));
    if (found === undefined) return undefined;
    const bytes = readFileSync(found);
    this.#read.set(found, found);
    return bytes;
  }

  /** The path as the disk has it, or undefined where there is no such file. */
  #find(path: string): string | undefined {
    const exact = this.#isFile(path) ? path : this.#anyCase(path);
    return exact !== undefined && this.#isFile(exact) ? exact : undefined;
  }

  #isFile(path: string): boolean {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size <= LARGEST_BYTES;
  }

  /** The path with each part in the letter case that the disk has. */
  #anyCase(path: string): string | undefined {
    const folder = dirname(path);
    if (folder === path) return path;
    const parent = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : this.#anyCase(folder);
    if (parent === undefined) return undefined;
    const name = path.slice(folder.length).replace(/^[/\\]/, '');
    const found = this.#namesIn(parent).get(name.toLowerCase());
    return found === undefined ? undefined : join(parent, found);
  }

  #namesIn(folder: string): ReadonlyMap<string, string> {
    let names = this.#names.get(folder);
    if (!names) {
      const entries = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : [];
      names = new Map(entries.map((name) => [name.toLowerCase(), name]));
      this.#names.set(folder, names);
    }
    return names;
  }
}
