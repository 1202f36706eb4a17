import type { KeyList } from './key-list.js';

/** Characters of names in ASCII: 0 none, 1 inside a name, 2 also at its start. */
export const NAME_CHARACTER = nameCharacters();

function nameCharacters(): Uint8Array {
  const table = new Uint8Array(256);
  for (let c = 0; c < 128; c++) {
    const text = String.fromCharCode(c);
    if (/[A-Za-z_:]/.test(text)) table[c] = 2;
    else if (/[-.0-9]/.test(text)) table[c] = 1;
  }
  return table;
}

/** Bytes after a block that its view reaches: a word or an id may be looked for at its very end. */
export const PADDING = 64;

/** What a name is in RDF. */
export type RdfRole = 'about' | 'ID' | 'nodeID' | 'resource' | 'type' | 'Description' | 'none';

/** A link: what an rdf:resource or a subject stands for. */
export interface Resource {
  readonly written: string;
  /** Number of `Kind.member` among the texts apart, when it is one of an enumeration; else -1. */
  readonly member: number;
  /** Number of the id. */
  readonly id: number;
  readonly subject: string;
}

/** The one copy of a text that the engine compares by its address. */
export function interned(text: string): string {
  const [name = text] = Object.keys({ [text]: 0 });
  return name;
}

/** A qualified name of an element or attribute as it stands in a file. */
export class XmlName {
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Without its prefix. */
  readonly local: string;
  /** Before the first colon; empty without one. */
  readonly prefix: string;
  /** The same bytes in words of four, little end first; the last word overlaps. */
  readonly #words: Int32Array;
  readonly #places: Int32Array;
  /** Number of the CIM attribute of this local name; -1 until it is met as one. */
  attribute = -1;
  /** What it means in RDF; undefined until it is asked for. */
  role: RdfRole | undefined;
  /** Whether it declares a name space. */
  readonly isDeclaration: boolean;
  /** Whether an element of this name is of a name space that is not CIM's; undefined until it is met. */
  isForeign: boolean | undefined;
  /** Of an object without properties of this element. */
  keys: KeyList | undefined;
  /** Element of the object that came after the last one of this name. */
  follower: XmlName | undefined;
  /** The name that followed: of the first attribute of an element, or of the next attribute. */
  next: XmlName | undefined;
  /** What the last link of an element of this name stood for, written without character references. */
  linked: Resource | undefined;

  constructor(bytes: Uint8Array, text: string) {
    this.bytes = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const count = bytes.length < 4 ? 0 : Math.ceil(bytes.length / 4);
    this.#places = Int32Array.from({ length: count }, (_, k) => Math.min(4 * k, bytes.length - 4));
    this.#words = this.#places.map((place) => view.getInt32(place, true));
    this.text = text;
    this.isDeclaration = text === 'xmlns' || text.startsWith('xmlns:');
    const colon = text.indexOf(':');
    this.local = interned(text.slice(colon + 1));
    this.prefix = colon < 0 ? '' : text.slice(0, colon);
  }

  /**
   * Whether a name stands at this place of the bytes and ends there.
   *
   * @param view - of the same bytes and of {@link PADDING} more
   */
  isAt(bytes: Uint8Array, view: DataView, at: number): boolean {
    const words = this.#words;
    const places = this.#places;
    const own = this.bytes;
    const { length } = own;
    if (length < 4) {
      for (let i = 0; i < length; i++) if (bytes[at + i] !== own[i]) return false;
    } else {
      for (let k = 0; k < words.length; k++) if (view.getInt32(at + places[k]!, true) !== words[k]) return false;
    }
    return NAME_CHARACTER[bytes[at + length]!] === 0;
  }
}

/** Names by their bytes, without making a text of one that is known. */
export class XmlNames {
  #slots: (XmlName | undefined)[] = new Array(512);
  #count = 0;

  /** The name that stands in the bytes; the caller has checked its characters. */
  at(bytes: Uint8Array, view: DataView, from: number, to: number): XmlName {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash(bytes, from, to) & mask; ; slot = (slot + 1) & mask) {
      const name = slots[slot];
      if (name === undefined) return this.#add(bytes.slice(from, to), slot);
      if (name.bytes.length === to - from && name.isAt(bytes, view, from)) return name;
    }
  }

  #add(bytes: Uint8Array, slot: number): XmlName {
    const name = new XmlName(bytes, String.fromCharCode(...bytes));
    this.#slots[slot] = name;
    this.#count++;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    return name;
  }

  #grow(): void {
    const old = this.#slots;
    const mask = old.length * 2 - 1;
    this.#slots = new Array(old.length * 2);
    for (const name of old) {
      if (name === undefined) continue;
      let slot = hash(name.bytes, 0, name.bytes.length) & mask;
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & mask;
      this.#slots[slot] = name;
    }
  }
}

function hash(bytes: Uint8Array, from: number, to: number): number {
  let h = 0;
  for (let i = from; i < to; i++) h = (Math.imul(h, 31) + bytes[i]!) | 0;
  return h ^ (h >>> 15);
}
