/** Value of each hexadecimal digit as UUIDs in upper case have it; 255 for other bytes. */
const DIGIT = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) DIGIT[value.toString(16).toUpperCase().charCodeAt(0)] = value;

/** Places of the digits of a UUID, eight for each of its four words. */
const PLACES = Uint8Array.from({ length: 36 }, (_, i) => i).filter((i) => i !== 8 && i !== 13 && i !== 18 && i !== 23);
const DASH = 0x2d;

/** Characters of a UUID. */
export const UUID_LENGTH = 36;

/** UUIDs met in a file, by value, so that each is one text however often it is linked to. */
export class UuidTable {
  #slots = new Int32Array(1 << 12);
  #words = new Int32Array(1 << 13);
  readonly #texts: string[] = [];

  /** The UUID in upper case that stands at a place of the bytes and of their text; undefined where there is none. */
  at(bytes: Uint8Array, text: string, at: number): string | undefined {
    if (bytes[at + 8] !== DASH || bytes[at + 13] !== DASH || bytes[at + 18] !== DASH || bytes[at + 23] !== DASH) {
      return undefined;
    }
    const count = this.#texts.length;
    if (4 * count === this.#words.length) this.#grow();
    const words = this.#words;
    for (let k = 0; k < 4; k++) {
      let word = 0;
      for (let i = 8 * k; i < 8 * k + 8; i++) {
        const digit = DIGIT[bytes[at + PLACES[i]!]!]!;
        if (digit > 15) return undefined;
        word = (word << 4) | digit;
      }
      words[4 * count + k] = word;
    }
    const mask = this.#slots.length - 1;
    for (let slot = hash(words, count) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot]! - 1;
      if (known < 0) {
        this.#slots[slot] = count + 1;
        const written = text.slice(at, at + UUID_LENGTH);
        this.#texts.push(written);
        return written;
      }
      if (isSame(words, known, count)) return this.#texts[known]!;
    }
  }

  #grow(): void {
    const words = new Int32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let k = 0; k < this.#texts.length; k++) {
      let slot = hash(words, k) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = k + 1;
    }
    this.#slots = slots;
  }
}

function hash(words: Int32Array, k: number): number {
  const h = Math.imul(words[4 * k]! ^ words[4 * k + 1]!, 0x9e3779b1) ^ words[4 * k + 2]! ^ words[4 * k + 3]!;
  return h ^ (h >>> 15);
}

function isSame(words: Int32Array, a: number, b: number): boolean {
  for (let k = 0; k < 4; k++) if (words[4 * a + k] !== words[4 * b + k]) return false;
  return true;
}
