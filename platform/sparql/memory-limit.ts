/*
 * WebAssembly takes memory outside of what V8 counts, so that the limits of a thread's heap do not hold it: the store of the
 * SPARQL thread could take all of its address space, 4 GiB, before the time of a query was over. A module without a maximum for its
 * memory is given one, and an allocation beyond it fails inside the module, which traps.
 *
 * WebAssembly Core Specification 2.0, sections 5.3.4 (limits) and 5.5.8 (memory section).
 */

/** What the statements of all models and the work of a query may take together, MB; a thousand statements take 0.3. */
export const MEMORY_MB = 1024;
/** The least that answers anything, and all that addresses of 32 bits reach, MB. */
export const SPARQL_MEMORY_RANGE_MB = [16, 4096] as const;

/** Bytes of a page of WebAssembly. */
const PAGE_BYTES = 64 * 1024;
const MAGIC_BYTES = 8;
const MEMORY_SECTION = 5;
/** Flag of limits that have a maximum. */
const HAS_MAXIMUM = 1;

/** Largest memory of a module of 32-bit addresses, pages. */
const PAGES_MAX = 65_536;

/**
 * A module whose one memory, defined in it and exported or not, grows to no more than a maximum; one with a lower maximum keeps it.
 * @param maxBytes - rounded down to whole pages
 * @throws RangeError when the module defines no memory, or begins with a larger one
 */
export function withMemoryLimit(module: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const maxPages = Math.min(PAGES_MAX, Math.floor(maxBytes / PAGE_BYTES));
  let at = MAGIC_BYTES;
  while (at < module.length) {
    const [start, length] = [at, unsigned(module, at + 1)];
    const end = length.end + length.value;
    if (module[start] === MEMORY_SECTION) {
      const count = unsigned(module, length.end);
      const flags = module[count.end] ?? 0;
      const least = unsigned(module, count.end + 1);
      const most = (flags & HAS_MAXIMUM) === 0 ? PAGES_MAX : unsigned(module, least.end).value;
      if (count.value !== 1 || least.value > maxPages) {
        throw new RangeError(`A memory of at most ${maxPages} pages is asked for, and ${least.value} are needed.`);
      }
      const limits = [...written(least.value), ...written(Math.min(most, maxPages))];
      const body = [...written(1), flags | HAS_MAXIMUM, ...limits];
      const section = [MEMORY_SECTION, ...written(body.length), ...body];
      const limited = new Uint8Array(start + section.length + module.length - end);
      limited.set(module.subarray(0, start));
      limited.set(section, start);
      limited.set(module.subarray(end), start + section.length);
      return limited;
    }
    at = end;
  }
  throw new RangeError('The module defines no memory of its own.');
}

/** What is used of the `WebAssembly` of a thread. */
interface Maker {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
}
declare const WebAssembly: Maker;

/**
 * Holds the memory of every module that this thread loads from now on: a package gives no way to it, and makes its module while it
 * is imported. For a thread that loads one.
 * @returns tells how much memory that module has, bytes; 0 before it is loaded
 */
export function limitModuleMemory(maxBytes: number): () => number {
  const { Module, Instance } = WebAssembly;
  let bytesNow = (): number => 0;
  WebAssembly.Module = class extends Module {
    constructor(bytes: Uint8Array) {
      super(withMemoryLimit(bytes, maxBytes));
    }
  };
  WebAssembly.Instance = class extends Instance {
    constructor(module: object, imports: object) {
      super(module, imports);
      const { memory } = this.exports;
      // Asked anew each time: a memory that grows has another buffer.
      bytesNow = () => {
        const buffer: unknown = Reflect.get(Object(memory), 'buffer');
        return buffer instanceof ArrayBuffer ? buffer.byteLength : 0;
      };
    }
  };
  return () => bytesNow();
}

/** Reads an unsigned LEB128 number. */
function unsigned(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let [value, factor, at] = [0, 1, from];
  for (;;) {
    const byte = bytes[at++];
    if (byte === undefined) throw new RangeError('The module ends in the middle of a number.');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: at };
    factor *= 128;
  }
}

/** Writes an unsigned LEB128 number. */
function written(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = (rest - low) / 128;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}
