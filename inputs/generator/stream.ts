/**
 * Repeatable random numbers: mulberry32 (T. Ettinger, 2017, public domain) started from a 32-bit FNV-1a hash of a seed and a
 * name. Each named thing has a stream of its own, so that adding one thing changes no other. The committed files depend on
 * these bits, so the generator keeps its own copy of them.
 */
export class NamedStream {
  private state: number;

  constructor(seed: number, name: string) {
    let hash = 0x811c9dc5;
    for (const character of `${seed}/${name}`) {
      hash ^= character.codePointAt(0) ?? 0;
      hash = Math.imul(hash, 0x01000193);
    }
    this.state = hash >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Whole number in low..high, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** `count` different indices of 0..size-1, ascending. */
  choose(size: number, count: number): number[] {
    const indices = Array.from({ length: size }, (_, i) => i);
    for (let i = 0; i < Math.min(count, size - 1); i++) {
      const j = this.whole(i, size - 1);
      [indices[i], indices[j]] = [indices[j]!, indices[i]!];
    }
    return indices.slice(0, count).sort((a, b) => a - b);
  }
}
