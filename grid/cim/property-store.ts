import type { CimIndex } from './object-index.js';

/** Length of a value that is not a part of the texts. */
const APART = -1;
const FIRST_PROPERTIES = 1 << 10;

/**
 * Values of the properties of one file, as places in its texts: a value becomes a text when it is asked for, and most are
 * never. A link is the number of an id.
 */
export class PropertyStore {
  readonly index: CimIndex;
  readonly fileName: string;
  /** Pieces of the file's text and the place where each begins. */
  readonly #texts: string[] = [];
  readonly #begins: number[] = [];
  #textEnd = 0;
  /** Texts that do not stand in the file as they are: enumeration members, texts with references. */
  readonly #apart: string[] = [];
  #starts = new Int32Array(FIRST_PROPERTIES);
  #lengths = new Int32Array(FIRST_PROPERTIES);
  #size = 0;

  constructor(index: CimIndex, fileName: string) {
    this.index = index;
    this.fileName = fileName;
  }

  /** How many properties there are; the number of the next one. */
  get size(): number {
    return this.#size;
  }

  /** Place where the next piece of text will begin. */
  get textEnd(): number {
    return this.#textEnd;
  }

  /** The pieces of text in order. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  addText(text: string): void {
    this.#texts.push(text);
    this.#begins.push(this.#textEnd);
    this.#textEnd += text.length;
  }

  /** Keeps a text that does not stand in the file; returns its number. */
  addApart(text: string): number {
    this.#apart.push(text);
    return this.#apart.length - 1;
  }

  /**
   * Adds a property.
   *
   * @param start - place in the text, or the number of an id or of a text apart
   * @param length - of the part of the text; -1 otherwise
   */
  add(start: number, length: number): void {
    if (this.#size === this.#starts.length) this.#grow();
    this.#starts[this.#size] = start;
    this.#lengths[this.#size++] = length;
  }

  /** Number of the id that a link leads to. */
  target(property: number): number {
    return this.#starts[property]!;
  }

  /** Text of a property that is no link. */
  text(property: number): string {
    const start = this.#starts[property]!;
    const length = this.#lengths[property]!;
    if (length === APART) return this.#apart[start]!;
    const begins = this.#begins;
    let low = 0;
    for (let high = begins.length; high - low > 1; ) {
      const middle = (low + high) >>> 1;
      if (begins[middle]! <= start) low = middle;
      else high = middle;
    }
    const from = start - begins[low]!;
    return this.#texts[low]!.slice(from, from + length);
  }

  #grow(): void {
    const starts = new Int32Array(2 * this.#size);
    starts.set(this.#starts);
    this.#starts = starts;
    const lengths = new Int32Array(2 * this.#size);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }
}
