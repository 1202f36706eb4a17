import type { DssFiles } from './script.js';

/**
 * A path as meant from a folder, with forward slashes and without `.` and `..` where these can be worked out.
 *
 * @param directory - a folder as an earlier call gave it, '' for the folder in which the reader was started
 * @param path - relative or absolute, with either slash
 */
export function joinedPath(directory: string, path: string): string {
  const slashed = path.trim().replaceAll('\\', '/');
  const isAbsolute = slashed.startsWith('/') || /^[a-z]:/i.test(slashed);
  const whole = isAbsolute || directory === '' ? slashed : `${directory}/${slashed}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    const last = parts.at(-1);
    if (part === '.' || (part === '' && parts.length > 0)) continue;
    if (part === '..' && last !== undefined && last !== '..' && last !== '') parts.pop();
    else parts.push(part);
  }
  return parts.length === 1 && parts[0] === '' && whole.startsWith('/') ? '/' : parts.join('/');
}

/** The folder part of a path with forward slashes, '' where it has none. */
export function directoryOfPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : slash === 0 ? '/' : path.slice(0, slash);
}

/** Files held in memory, by relative path; names compare without letter case. */
export class DssFileSet implements DssFiles {
  readonly #files = new Map<string, string | Uint8Array>();

  /** @param files - relative path with either slash, and the file's text or bytes */
  constructor(files: Iterable<readonly [path: string, content: string | Uint8Array]>) {
    for (const [path, content] of files) this.#files.set(joinedPath('', path).toLowerCase(), content);
  }

  resolve(directory: string, path: string): string {
    return joinedPath(directory, path);
  }

  directoryOf(path: string): string {
    return directoryOfPath(path);
  }

  read(path: string): string | undefined {
    const content = this.#files.get(joinedPath('', path).toLowerCase());
    return content instanceof Uint8Array ? decodedText(content) : content;
  }

  readBytes(path: string): Uint8Array | undefined {
    const content = this.#files.get(joinedPath('', path).toLowerCase());
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  }
}

/** The text of a script file: UTF-8 or UTF-16 by its mark, UTF-8 where it is valid, else Latin-1. */
export function decodedText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // a byte sequence that is not UTF-8 is text of an older editor: each byte is one character
    return new TextDecoder('latin1').decode(bytes);
  }
}
