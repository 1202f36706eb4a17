const DASH = 0x2d;

/** Whether a byte may stand in a UUID in upper case. */
const DIGIT = new Uint8Array(256);
for (const digit of '0123456789ABCDEF') DIGIT[digit.charCodeAt(0)] = 1;

/** Characters of a UUID. */
export const UUID_LENGTH = 36;
/** Words of four characters of a UUID. */
const WORDS = UUID_LENGTH / 4;
/** Bytes beyond a UUID that may be looked at with it. */
const SCRATCH = new Uint8Array(UUID_LENGTH);
const SCRATCH_VIEW = new DataView(SCRATCH.buffer);

/** Numbers of the canonical ids that the files of an index have, counted from 0; UUIDs are found by their characters. */
export class IdTable {
  #slots = new Int32Array(1 << 12);
  /** Characters of the UUIDs, four to a word, by {@link #uuids}. */
  #words = new Int32Array(WORDS << 11);
  /** Number of the id of each UUID. */
  readonly #uuids: number[] = [];
  readonly #texts: string[] = [];
  /** Numbers of ids that are no such UUIDs, and of those that were looked for. */
  readonly #others = new Map<string, number>();

  /** How many ids there are. */
  get size(): number {
    return this.#texts.length;
  }

  /** The id with a number; empty for a number that none has. */
  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Number of an id that may be new. */
  intern(id: string): number {
    if (takeUuid(id)) return this.at(SCRATCH, SCRATCH_VIEW, id, 0);
    let number = this.#others.get(id);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(id);
      this.#others.set(id, number);
    }
    return number;
  }

  /** Number of an id; -1 where it has none. */
  find(id: string): number {
    let number = this.#others.get(id);
    if (number !== undefined) return number;
    if (!takeUuid(id)) return -1;
    const known = this.#slots[this.#slotOf(SCRATCH_VIEW, 0)]! - 1;
    if (known < 0) return -1;
    number = this.#uuids[known]!;
    // Its text has a hash now: the next time it is found by that.
    this.#others.set(id, number);
    return number;
  }

  /**
   * Number of the UUID in upper case that stands at a place of the bytes and of their text; -1 where there is none.
   *
   * @param view - of the bytes, and of as many more as a UUID has
   */
  at(bytes: Uint8Array, view: DataView, text: string, at: number): number {
    const slot = this.#slotOf(view, at);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) return this.#uuids[known]!;
    return isUuid(bytes, at) ? this.#add(view, text, at, slot) : -1;
  }

  /** The slot of the characters at a place, or the free one where they belong. */
  #slotOf(view: DataView, at: number): number {
    const words = this.#words;
    const slots = this.#slots;
    let h = 0;
    for (let k = 0; k < WORDS; k++) h = Math.imul(h ^ view.getInt32(at + 4 * k, true), 0x9e3779b1);
    const mask = slots.length - 1;
    for (let slot = (h ^ (h >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot]! - 1;
      if (known < 0) return slot;
      let k = 0;
      while (k < WORDS && words[WORDS * known + k] === view.getInt32(at + 4 * k, true)) k++;
      if (k === WORDS) return slot;
    }
  }

  #add(view: DataView, text: string, at: number, slot: number): number {
    const count = this.#uuids.length;
    for (let k = 0; k < WORDS; k++) this.#words[WORDS * count + k] = view.getInt32(at + 4 * k, true);
    this.#slots[slot] = count + 1;
    const number = this.#texts.length;
    this.#uuids.push(number);
    this.#texts.push(text.slice(at, at + UUID_LENGTH));
    if (WORDS * (count + 1) === this.#words.length) this.#grow();
    return number;
  }

  #grow(): void {
    const words = new Int32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let k = 0; k < this.#uuids.length; k++) {
      let h = 0;
      for (let w = 0; w < WORDS; w++) h = Math.imul(h ^ words[WORDS * k + w]!, 0x9e3779b1);
      let slot = (h ^ (h >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = k + 1;
    }
    this.#slots = slots;
  }
}

/** Puts the characters of a UUID in upper case where the table looks at them; false for another id. */
function takeUuid(id: string): boolean {
  if (id.length !== UUID_LENGTH) return false;
  for (let i = 0; i < UUID_LENGTH; i++) {
    const c = id.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23 ? c !== DASH : c > 0x7f || DIGIT[c] === 0) return false;
    SCRATCH[i] = c;
  }
  return true;
}

function isUuid(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < UUID_LENGTH; i++) {
    const c = bytes[at + i]!;
    if (i === 8 || i === 13 || i === 18 || i === 23 ? c !== DASH : DIGIT[c] === 0) return false;
  }
  return true;
}
