/*
 * Complex arithmetic on lanes, written out in WebAssembly.
 *
 * One lane: a complex number is one pair (re, im); a multiplication by an entry of the factor takes the number and the
 * number turned by a quarter, (-im, re). Several lanes: two lanes' real parts are one pair, their imaginary parts another.
 * Both do the same operations in the same order as scalar-kernel.ts: the bits agree.
 */
import { type Code, type Frame, f64x2, get, set } from './wasm-code.js';

/** A complex quantity of all lanes of a chunk in locals. */
export interface LaneValue {
  readonly parts: readonly number[];
}

/** How the lanes of one chunk compute. */
export interface LaneArithmetic {
  value(): LaneValue;
  /** Makes a value usable as the right factor of {@link LaneArithmetic.subtractProduct}. */
  turn(x: LaneValue): Code;
  load(x: LaneValue, address: Code, offset?: number): Code;
  /** The value at an address less the one at another. */
  loadDifference(x: LaneValue, address: Code, other: Code): Code;
  store(x: LaneValue, address: Code, offset?: number): Code;
  clear(x: LaneValue): Code;
  zeroAt(address: Code, offset?: number): Code;
  /** `y -= L x` with the entry L in memory. */
  subtractProduct(y: LaneValue, entry: Code, offset: number, x: LaneValue): Code;
  /** Stores `D x`. */
  storeProduct(address: Code, to: number, entry: Code, offset: number, x: LaneValue): Code;
}

/** One lane in one pair. */
export function singleLane(frame: Frame): LaneArithmetic {
  const lr = frame.f64x2();
  const li = frame.f64x2();
  const factor = (entry: Code, offset: number): Code => [
    set(lr, f64x2.loadSplat(entry, offset)),
    set(li, f64x2.loadSplat(entry, offset + 8)),
  ];
  const product = ({ parts: [x, turned] }: LaneValue): Code =>
    f64x2.add(f64x2.mul(get(lr), get(x!)), f64x2.mul(get(li), get(turned!)));
  return {
    value: () => ({ parts: [frame.f64x2(), frame.f64x2()] }),
    turn: ({ parts: [x, turned] }) => set(turned!, f64x2.xor(f64x2.swap(get(x!)), f64x2.signOfFirst)),
    load: ({ parts: [x] }, address, offset = 0) => set(x!, f64x2.load(address, offset)),
    loadDifference: ({ parts: [x] }, address, other) => set(x!, f64x2.sub(f64x2.load(address), f64x2.load(other))),
    store: ({ parts: [x] }, address, offset = 0) => f64x2.store(address, get(x!), offset),
    clear: ({ parts: [x] }) => set(x!, f64x2.zero),
    zeroAt: (address, offset = 0) => f64x2.store(address, f64x2.zero, offset),
    subtractProduct: (y, entry, offset, x) => [
      factor(entry, offset),
      set(y.parts[0]!, f64x2.sub(get(y.parts[0]!), product(x))),
    ],
    storeProduct: (address, to, entry, offset, x) => [factor(entry, offset), f64x2.store(address, product(x), to)],
  };
}

/**
 * Lanes in pairs.
 *
 * @param width - all lanes of a node
 * @param first - first lane of the chunk
 * @param pairs - pairs of lanes in the chunk
 */
export function pairedLanes(frame: Frame, width: number, first: number, pairs: number): LaneArithmetic {
  const lr = frame.f64x2();
  const li = frame.f64x2();
  const each = (make: (re: number, im: number, at: number) => Code, { parts }: LaneValue): Code =>
    Array.from({ length: pairs }, (_, g) => make(parts[2 * g]!, parts[2 * g + 1]!, 8 * first + 16 * g));
  const factor = (entry: Code, offset: number): Code => [
    set(lr, f64x2.loadSplat(entry, offset)),
    set(li, f64x2.loadSplat(entry, offset + 8)),
  ];
  const re = (xr: number, xi: number) => f64x2.sub(f64x2.mul(get(lr), get(xr)), f64x2.mul(get(li), get(xi)));
  const im = (xr: number, xi: number) => f64x2.add(f64x2.mul(get(lr), get(xi)), f64x2.mul(get(li), get(xr)));
  const imaginary = 8 * width;
  return {
    value: () => ({ parts: Array.from({ length: 2 * pairs }, () => frame.f64x2()) }),
    turn: () => [],
    load: (x, address, offset = 0) =>
      each(
        (xr, xi, at) => [
          set(xr, f64x2.load(address, offset + at)),
          set(xi, f64x2.load(address, offset + at + imaginary)),
        ],
        x,
      ),
    loadDifference: (x, address, other) => {
      const less = (at: number) => f64x2.sub(f64x2.load(address, at), f64x2.load(other, at));
      return each((xr, xi, at) => [set(xr, less(at)), set(xi, less(at + imaginary))], x);
    },
    store: (x, address, offset = 0) =>
      each(
        (xr, xi, at) => [
          f64x2.store(address, get(xr), offset + at),
          f64x2.store(address, get(xi), offset + at + imaginary),
        ],
        x,
      ),
    clear: (x) => each((xr, xi) => [set(xr, f64x2.zero), set(xi, f64x2.zero)], x),
    zeroAt: (address, offset = 0) =>
      Array.from({ length: pairs }, (_, g) => [
        f64x2.store(address, f64x2.zero, offset + 8 * first + 16 * g),
        f64x2.store(address, f64x2.zero, offset + 8 * first + 16 * g + imaginary),
      ]),
    subtractProduct: (y, entry, offset, x) => [
      factor(entry, offset),
      Array.from({ length: pairs }, (_, g) => {
        const [xr, xi] = [x.parts[2 * g]!, x.parts[2 * g + 1]!];
        const [yr, yi] = [y.parts[2 * g]!, y.parts[2 * g + 1]!];
        return [set(yr, f64x2.sub(get(yr), re(xr, xi))), set(yi, f64x2.sub(get(yi), im(xr, xi)))];
      }),
    ],
    storeProduct: (address, to, entry, offset, x) => [
      factor(entry, offset),
      each(
        (xr, xi, at) => [
          f64x2.store(address, re(xr, xi), to + at),
          f64x2.store(address, im(xr, xi), to + at + imaginary),
        ],
        x,
      ),
    ],
  };
}
