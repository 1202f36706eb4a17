/*
 * Words of WebAssembly and the module around them, as far as the lane kernel needs them.
 *
 * An expression or statement is a nest of bytes; `moduleBytes` flattens the functions into a binary module that imports
 * one memory and one function. Nothing is checked here: the engine validates the module when it compiles it.
 * Source: WebAssembly Core Specification 2.0, chapter 5 (binary format), with the vector instructions.
 */

/** Bytes of an expression or statement. */
export type Code = readonly (number | Code)[];

const I32 = 0x7f;
const F64 = 0x7c;
const V128 = 0x7b;

/** An unsigned number in LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  do {
    const low = left & 0x7f;
    left >>>= 7;
    bytes.push(left ? low | 0x80 : low);
  } while (left);
  return bytes;
}

/** A signed number in LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (;;) {
    const low = left & 0x7f;
    left >>= 7;
    if ((left === 0 && !(low & 0x40)) || (left === -1 && low & 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const plain =
  (op: number) =>
  (...of: Code[]): Code => [...of, op];
const vector =
  (op: number) =>
  (...of: Code[]): Code => [...of, 0xfd, ...unsigned(op)];
const load =
  (op: number, align: number) =>
  (address: Code, offset = 0): Code => [address, op, align, ...unsigned(offset)];
const vectorLoad =
  (op: number, align: number) =>
  (address: Code, offset = 0): Code => [address, 0xfd, op, align, ...unsigned(offset)];
const store =
  (op: number, align: number) =>
  (address: Code, value: Code, offset = 0): Code => [address, value, op, align, ...unsigned(offset)];

/** Instructions on 32-bit integers. */
export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  shl: plain(0x74),
  /** Shifts to the right, zeros from the left. */
  shiftRight: plain(0x76),
  and: plain(0x71),
  or: plain(0x72),
  eq: plain(0x46),
  ne: plain(0x47),
  less: plain(0x49),
  isZero: plain(0x45),
  load: load(0x28, 2),
  store: store(0x36, 2),
  /** A number of 16 bits without sign. */
  load16: load(0x2f, 1),
  /** Stores the lower 16 bits. */
  store16: store(0x3b, 1),
};

/** Instructions on doubles. */
export const f64 = {
  const: (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
  add: plain(0xa0),
  sub: plain(0xa1),
  mul: plain(0xa2),
  div: plain(0xa3),
  sqrt: plain(0x9f),
  abs: plain(0x99),
  less: plain(0x63),
  ne: plain(0x62),
  /** The first where the condition holds, the second elsewhere. */
  choose: plain(0x1b),
  greater: plain(0x64),
  lessEqual: plain(0x65),
  load: load(0x2b, 3),
  store: store(0x39, 3),
};

/** Eight bytes that follow one another. */
const bytesOf = (first: number): number[] => Array.from({ length: 8 }, (_, k) => first + k);

/** Instructions on pairs of doubles. */
export const f64x2 = {
  zero: [0xfd, 0x0c, ...new Array<number>(16).fill(0)] satisfies Code,
  load: vectorLoad(0x00, 3),
  loadSplat: vectorLoad(0x0a, 3),
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0xfd, 0x0b, 3, ...unsigned(offset)],
  splat: vector(0x14),
  /** 64 bits into the first half, the second one zero. */
  loadLow: vectorLoad(0x5d, 3),
  /** The first two of four single-precision numbers. */
  promote: vector(0x5f),
  add: vector(0xf0),
  sub: vector(0xf1),
  mul: vector(0xf2),
  div: vector(0xf3),
  sqrt: vector(0xef),
  ne: vector(0x48),
  greater: vector(0x4a),
  lessEqual: vector(0x4b),
  /** `a < b ? b : a` in each half. */
  larger: vector(0xf7),
  /** `b < a ? b : a` in each half. */
  smaller: vector(0xf6),
  /** Whether any bit is set. */
  anyTrue: vector(0x53),
  and: vector(0x4e),
  or: vector(0x50),
  xor: vector(0x51),
  /** Bits of the first where the mask is set, of the second elsewhere. */
  select: vector(0x52),
  allTrue: vector(0xc3),
  extract: (value: Code, half: 0 | 1): Code => [value, 0xfd, 0x21, half],
  replace: (pair: Code, half: 0 | 1, value: Code): Code => [pair, value, 0xfd, 0x22, half],
  /** The two halves exchanged. */
  swap: (value: Code): Code => [
    value,
    value,
    0xfd,
    0x0d,
    ...Array.from({ length: 16 }, (_, k) => (k < 8 ? k + 8 : k - 8)),
  ],
  /** The first halves of two pairs, or their second halves. */
  firsts: (a: Code, b: Code): Code => [a, b, 0xfd, 0x0d, ...bytesOf(0), ...bytesOf(16)],
  seconds: (a: Code, b: Code): Code => [a, b, 0xfd, 0x0d, ...bytesOf(8), ...bytesOf(24)],
  /** The sign bit of the first half. */
  signOfFirst: [0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0] satisfies Code,
};

/** Instructions on four 32-bit integers. */
export const i32x4 = {
  /** The whole parts of two doubles in the first two places, 0 for what is no number. */
  wholeOf: vector(0xfc),
  /** The numbers of both in 16 bits each without sign, 0 for those below 0. */
  narrow: vector(0x86),
  extract: (value: Code, place: 0 | 1 | 2 | 3): Code => [value, 0xfd, 0x1b, place],
};

/** Value of a local. */
export const get = (local: number): Code => [0x20, ...unsigned(local)];
/** Sets a local. */
export const set = (local: number, value: Code): Code => [value, 0x21, ...unsigned(local)];
/** Calls a function with arguments on the stack. */
export const call = (index: number, ...args: Code[]): Code => [...args, 0x10, ...unsigned(index)];
/** Does one of two things. */
export const when = (condition: Code, yes: Code, no: Code = []): Code =>
  no.length > 0 ? [condition, 0x04, 0x40, yes, 0x05, no, 0x0b] : [condition, 0x04, 0x40, yes, 0x0b];
/** Ends the function. */
export const leave: Code = [0x0f];
/** Does a thing at least once, again as long as the condition holds. */
export const repeat = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b];

/** The locals of a function. */
export class Frame {
  private readonly types: number[] = [];

  private take(type: number): number {
    this.types.push(type);
    return this.types.length - 1;
  }

  i32(): number {
    return this.take(I32);
  }

  f64(): number {
    return this.take(F64);
  }

  f64x2(): number {
    return this.take(V128);
  }

  /** The body of a function without parameters and results. */
  body(code: Code): number[] {
    const bytes: number[] = [...unsigned(this.types.length)];
    for (const type of this.types) bytes.push(1, type);
    flatten(code, bytes);
    bytes.push(0x0b);
    return bytes;
  }
}

function flatten(code: Code, out: number[]): void {
  for (const part of code) {
    if (typeof part === 'number') out.push(part);
    else flatten(part, out);
  }
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  const bytes = [...text].map((c) => c.charCodeAt(0));
  return [...unsigned(bytes.length), ...bytes];
}

/** Index of the imported function `from.law (i32, f64) -> ()`; the functions of the module follow. */
export const LAW = 0;

/**
 * A module that imports `from.memory` and `from.law` and exports functions without parameters and results.
 *
 * @param functions - bodies by name
 */
export function moduleBytes(functions: Readonly<Record<string, readonly number[]>>): Uint8Array<ArrayBuffer> {
  const names = Object.keys(functions);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [
      [0x60, 2, I32, F64, 0],
      [0x60, 0, 0],
    ]),
    ...section(2, [
      [...name('from'), ...name('law'), 0x00, 0],
      [...name('from'), ...name('memory'), 0x02, 0x00, 1],
    ]),
    ...section(
      3,
      names.map(() => [1]),
    ),
    ...section(
      7,
      names.map((key, index) => [...name(key), 0x00, index + 1]),
    ),
    ...section(
      10,
      names.map((key) => [...unsigned(functions[key]!.length), ...functions[key]!]),
    ),
  ]);
}
