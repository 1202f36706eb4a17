import type { XmlName } from './xml-name.js';

/**
 * The keys of an object's properties in the order of the file, shared by all objects that have the same ones. A list knows
 * the lists that are one key longer, so that objects written alike find theirs step by step without making it again.
 */
export class KeyList {
  readonly length: number;
  readonly #shorter: KeyList | undefined;
  readonly #last: number;
  #longer: KeyList | undefined;
  #others: Map<number, KeyList> | undefined;
  #keys: readonly number[] | undefined;
  #places: Map<number, number> | undefined;
  #placesByName: Map<string, number> | undefined;
  #repeats: boolean | undefined;
  /** The element that followed these properties the last time; the scanner's guess. */
  following: XmlName | undefined;

  constructor(shorter?: KeyList, last = -1) {
    this.#shorter = shorter;
    this.#last = last;
    this.length = shorter ? shorter.length + 1 : 0;
  }

  /** The list with one more key. */
  with(key: number): KeyList {
    const longer = this.#longer;
    if (longer !== undefined && longer.#last === key) return longer;
    return this.#another(key);
  }

  #another(key: number): KeyList {
    let list = this.#others?.get(key);
    if (!list) {
      list = new KeyList(this, key);
      this.#others ??= new Map();
      this.#others.set(key, list);
    }
    this.#longer = list;
    return list;
  }

  /** The keys in order. */
  get keys(): readonly number[] {
    if (!this.#keys) {
      const keys = new Array<number>(this.length);
      for (let list: KeyList = this; list.#shorter; list = list.#shorter) keys[list.length - 1] = list.#last;
      this.#keys = keys;
    }
    return this.#keys;
  }

  /** Whether an attribute stands in it more than once. */
  get hasRepeats(): boolean {
    this.#repeats ??= new Set(this.keys.map((key) => key >> 2)).size < this.length;
    return this.#repeats;
  }

  /**
   * Place of the first property with an attribute name; -1 where there is none.
   *
   * @param numbers - attribute numbers by name
   */
  placeOfName(name: string, numbers: ReadonlyMap<string, number>): number {
    this.#placesByName ??= new Map();
    const known = this.#placesByName.get(name);
    if (known !== undefined) return known;
    const number = numbers.get(name);
    const place = number === undefined ? -1 : this.placeOf(number);
    this.#placesByName.set(name, place);
    return place;
  }

  /** Place of the first property with an attribute number; -1 where there is none. */
  placeOf(attribute: number): number {
    if (!this.#places) {
      this.#places = new Map();
      const { keys } = this;
      for (let i = keys.length - 1; i >= 0; i--) this.#places.set(keys[i]! >> 2, i);
    }
    return this.#places.get(attribute) ?? -1;
  }
}
