import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withMemoryLimit } from '../../../platform/sparql/memory-limit.js';

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: { readonly memory: Memory } };
};

/** The smallest module with a memory, exported as `memory`: its limits as the specification writes them. */
const moduleWith = (...limits: number[]) =>
  Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x05, 1 + limits.length, 0x01, ...limits],
    ...[0x07, 0x0a, 0x01, 0x06, ...Buffer.from('memory'), 0x02, 0x00],
  );
const memoryOf = (bytes: Uint8Array) => new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.memory;
const PAGE = 65_536;

it('a module without a maximum grows to the one it is given and no further', () => {
  const free = memoryOf(moduleWith(0x00, 0x02));
  expect(free.grow(300)).toBe(2);
  // 200 pages are written in two bytes: the section becomes longer.
  const limited = memoryOf(withMemoryLimit(moduleWith(0x00, 0x02), 200 * PAGE + 1));
  expect(limited.grow(198)).toBe(2);
  expect(limited.buffer.byteLength).toBe(200 * PAGE);
  expect(() => limited.grow(1)).toThrow(RangeError);
});

it('a lower maximum of its own stays', () => {
  const memory = memoryOf(withMemoryLimit(moduleWith(0x01, 0x02, 0x05), 200 * PAGE));
  expect(memory.grow(3)).toBe(2);
  expect(() => memory.grow(1)).toThrow(RangeError);
});

it('what cannot be held is said', () => {
  expect(() => withMemoryLimit(moduleWith(0x00, 0x02), PAGE)).toThrow('at most 1 pages is asked for, and 2 are needed');
  expect(() => withMemoryLimit(moduleWith(0x00, 0x02).subarray(0, 8), PAGE)).toThrow('defines no memory');
  expect(() => withMemoryLimit(moduleWith(0x00, 0x82).subarray(0, 13), PAGE)).toThrow('middle of a number');
});

it('the store of SPARQL can be held: it defines one memory, without a maximum', () => {
  const folder = join(createRequire(import.meta.url).resolve('oxigraph/package.json'), '..');
  const bytes = readFileSync(join(folder, 'node_bg.wasm'));
  const limited = withMemoryLimit(bytes, 1024 * 2 ** 20);
  expect(limited.length).toBe(bytes.length + 3);
  expect(new WebAssembly.Module(limited)).toBeDefined();
});
