import { type LaneKernel, ScalarKernel, type ShareLaw } from './scalar-kernel.js';
import { wasmKernel } from './wasm-kernel.js';

/**
 * The fastest kernel to be had here: WebAssembly with vectors, else its TypeScript twin, which gives the same bits.
 *
 * @param bytes - size of the buffer
 * @param width - lanes: 1, 2 or a multiple of 4
 * @param law - puts the factors of a share outside the common laws into the buffer
 */
export function kernelOf(bytes: number, width: number, law: ShareLaw): LaneKernel {
  return wasmKernel(bytes, width, law) ?? scalarKernelOf(bytes, width, law);
}

/** The TypeScript kernel, whatever else there is. */
export function scalarKernelOf(bytes: number, width: number, law: ShareLaw): LaneKernel {
  return new ScalarKernel(new ArrayBuffer(bytes), width, law);
}
