const DASH = 0x2d;

/** Whether a byte may stand in a UUID in upper case. */
const DIGIT = new Uint8Array(256);
for (const digit of '0123456789ABCDEF') DIGIT[digit.charCodeAt(0)] = 1;

/** Characters of a UUID. */
export const UUID_LENGTH = 36;
/** Words of four characters of a UUID. */
const WORDS = UUID_LENGTH / 4;

/** UUIDs met in a file, by value, so that each is one text however often it is linked to. */
export class UuidTable {
  #slots = new Int32Array(1 << 12);
  /** Their characters, four to a word. */
  #words = new Int32Array(WORDS << 11);
  readonly #texts: string[] = [];

  /**
   * The UUID in upper case that stands at a place of the bytes and of their text; undefined where there is none.
   *
   * @param view - of the bytes, and of as many more as a UUID has
   */
  at(bytes: Uint8Array, view: DataView, text: string, at: number): string | undefined {
    const words = this.#words;
    let h = 0;
    for (let k = 0; k < WORDS; k++) h = Math.imul(h ^ view.getInt32(at + 4 * k, true), 0x9e3779b1);
    const mask = this.#slots.length - 1;
    for (let slot = (h ^ (h >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot]! - 1;
      if (known < 0) return isUuid(bytes, at) ? this.#add(view, text, at, slot) : undefined;
      let k = 0;
      while (k < WORDS && words[WORDS * known + k] === view.getInt32(at + 4 * k, true)) k++;
      if (k === WORDS) return this.#texts[known]!;
    }
  }

  #add(view: DataView, text: string, at: number, slot: number): string {
    const count = this.#texts.length;
    for (let k = 0; k < WORDS; k++) this.#words[WORDS * count + k] = view.getInt32(at + 4 * k, true);
    this.#slots[slot] = count + 1;
    const written = text.slice(at, at + UUID_LENGTH);
    this.#texts.push(written);
    if (WORDS * (count + 1) === this.#words.length) this.#grow();
    return written;
  }

  #grow(): void {
    const words = new Int32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let k = 0; k < this.#texts.length; k++) {
      let h = 0;
      for (let w = 0; w < WORDS; w++) h = Math.imul(h ^ words[WORDS * k + w]!, 0x9e3779b1);
      let slot = (h ^ (h >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = k + 1;
    }
    this.#slots = slots;
  }
}

function isUuid(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < UUID_LENGTH; i++) {
    const c = bytes[at + i]!;
    if (i === 8 || i === 13 || i === 18 || i === 23 ? c !== DASH : DIGIT[c] === 0) return false;
  }
  return true;
}
