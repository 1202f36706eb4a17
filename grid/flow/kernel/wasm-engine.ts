/** Modules of WebAssembly at work: compiled once for each purpose, each instance with a memory of its own. */

/** What the language's global object offers, where it does. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
      readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
      readonly Instance: new (
        module: object,
        imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
      ) => { readonly exports: Readonly<Record<string, unknown>> };
    }
  | undefined;

const PAGE_BYTES = 65536;
const compiled = new Map<string, object>();
/** Set when a memory could not be had: each further attempt would search the whole heap for one to free. */
let isRefused = false;

/** A module at work. */
export interface Instance {
  readonly buffer: ArrayBuffer;
  /** An exported function without parameters and results. */
  readonly entry: (name: string) => () => void;
}

/**
 * An instance of a module of wasm-code.ts.
 *
 * @param purpose - modules of one purpose are the same
 * @param bytes - size of the memory
 * @param law - the function that it imports
 * @returns undefined where WebAssembly with vectors cannot be had
 */
export function instanceOf(
  purpose: string,
  binary: () => Uint8Array<ArrayBuffer>,
  bytes: number,
  law: (share: number, square: number) => void,
): Instance | undefined {
  if (isRefused || typeof WebAssembly === 'undefined') return undefined;
  try {
    let module = compiled.get(purpose);
    if (!module) {
      module = new WebAssembly.Module(binary());
      compiled.set(purpose, module);
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
    const { exports } = new WebAssembly.Instance(module, { from: { memory, law } });
    const entry = (name: string): (() => void) => {
      const found = exports[name];
      if (typeof found !== 'function') throw new TypeError(`The module has no function ${name}.`);
      return () => {
        found();
      };
    };
    return { buffer: memory.buffer, entry };
  } catch (error) {
    // No vector instructions (CompileError) or no address space for one more memory (RangeError): the twin takes over.
    if (error instanceof Error && (error.name === 'CompileError' || error instanceof RangeError)) {
      isRefused = true;
      return undefined;
    }
    throw error;
  }
}
