/*
 * Seeded random streams that split by name.
 *
 * A stream has a key of 128 bits, made from the seed and the names on the path to it; the numbers come from xoshiro128**
 * started at the key. `split(id)` depends on the key and on `id` alone, never on how many numbers were drawn: run 417 of
 * a Monte Carlo study is `root.split('run 417')`, whoever asks for it and in whatever order.
 * Cost: a few nanoseconds a number; period 2^128 - 1. Not for secrets.
 * Source: Blackman and Vigna (2021), "Scrambled linear pseudorandom number generators"; key schedule by the finaliser
 * of MurmurHash3 (Appleby 2011); normal variates by Marsaglia's polar method (1964).
 */
import { DecError } from './dec-error.js';

type Key = readonly [number, number, number, number];

/** The 32-bit finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Absorbs a text into a key, character by character, in four lanes. */
function absorb(key: Key, text: string): Key {
  let [a, b, c, d] = key;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = mix(a ^ Math.imul(unit + 1, 0x9e3779b1)) + b;
    b = mix(b ^ Math.imul(unit + 1, 0x85ebca77)) + c;
    c = mix(c ^ Math.imul(unit + 1, 0xc2b2ae3d)) + d;
    d = mix(d ^ Math.imul(unit + 1, 0x27d4eb2f)) + a;
  }
  // The length closes the text, so that 'ab' + 'c' and 'a' + 'bc' are different paths.
  a = mix(a ^ text.length);
  b = mix(b ^ a);
  c = mix(c ^ b);
  d = mix(d ^ c);
  return [a | 0, b | 0, c | 0, d | 0];
}

const ROOT: Key = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

/** A stream of random numbers; see {@link randomStream}. */
export class RandomStream {
  private a: number;
  private b: number;
  private c: number;
  private d: number;
  private spare: number | undefined;

  constructor(private readonly key: Key) {
    [this.a, this.b, this.c, this.d] = key;
    if ((this.a | this.b | this.c | this.d) === 0) this.d = 1;
    for (let i = 0; i < 8; i++) this.uint32();
  }

  /** The stream of a part, by a stable name; independent of this one and of other names. */
  split(id: string | number): RandomStream {
    return new RandomStream(absorb(this.key, `${typeof id === 'number' ? '#' : '/'}${id}`));
  }

  /** An integer from 0 to 2^32 - 1. */
  uint32(): number {
    const product = Math.imul(this.b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result >>> 0;
  }

  /** A number in [low, high), by default [0, 1), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const bits = (this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6);
    return low + (high - low) * (bits / 9007199254740992);
  }

  /** An integer from 0 to `count - 1`, each equally likely. */
  integer(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > 4294967296) {
      throw new DecError('BAD_ARGUMENT', `integer() needs a count from 1 to 2^32, not ${count}.`, { count });
    }
    const fair = 4294967296 - (4294967296 % count);
    let drawn = this.uint32();
    while (drawn >= fair) drawn = this.uint32();
    return drawn % count;
  }

  /** A normal variate. */
  normal(mean = 0, standardDeviation = 1): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return mean + standardDeviation * value;
    }
    let x = 0;
    let y = 0;
    let s = 0;
    do {
      x = this.uniform(-1, 1);
      y = this.uniform(-1, 1);
      s = x * x + y * y;
    } while (s >= 1 || s === 0);
    const scale = Math.sqrt((-2 * Math.log(s)) / s);
    this.spare = y * scale;
    return mean + standardDeviation * x * scale;
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!;
  }

  /** The index of one of the weights, in proportion to them. */
  weighted(weights: readonly number[]): number {
    const total = weights.reduce((sum, w) => sum + w, 0);
    if (!(total > 0) || weights.some((w) => w < 0)) {
      throw new DecError('BAD_ARGUMENT', 'weighted() needs weights of zero or more with a sum above zero.', {
        count: weights.length,
        total,
      });
    }
    let left = this.uniform() * total;
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i]!;
      if (left < 0) return i;
    }
    return weights.findLastIndex((w) => w > 0);
  }

  /** The items in random order (Fisher and Yates), as a new array. */
  shuffled<T>(items: readonly T[]): T[] {
    const list = [...items];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = list[i]!;
      list[i] = list[j]!;
      list[j] = kept;
    }
    return list;
  }
}

/**
 * The root stream of a seed.
 *
 * @param seed - any number or text; the same seed gives the same numbers on every machine
 * @example randomStream(7).split('run 12').split('customer S9A_3').uniform()
 */
export function randomStream(seed: number | string): RandomStream {
  return new RandomStream(absorb(ROOT, `${typeof seed === 'number' ? '#' : '/'}${seed}`));
}
