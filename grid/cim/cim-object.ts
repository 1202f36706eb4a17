import type { KeyList } from './key-list.js';
import type { PropertyStore } from './property-store.js';

/** How a property was written: a literal, a link to another object, or a member of an enumeration. */
export type CimValueKind = 'literal' | 'reference' | 'enumeration';

/** Kinds as they stand in the lowest two bits of a property's key. */
export const LITERAL = 0;
export const REFERENCE = 1;
export const ENUMERATION = 2;

/** Key of a property: number of its attribute (see {@link CimIndex.internAttribute}) and kind. */
export function propertyKey(attribute: number, kind: number): number {
  return (attribute << 2) | kind;
}

const KINDS: readonly CimValueKind[] = ['literal', 'reference', 'enumeration'];
const NONE: readonly string[] = [];

/**
 * One CIM object. Properties are kept in the order of the file; attribute names are local names as written,
 * e.g. `IdentifiedObject.name`.
 */
export class CimObject {
  /** Key: the canonical form of the RDF subject. */
  readonly id: string;
  /** Number of the id in its index, from 0; ids that are only linked to have one too. */
  readonly number: number;
  /** Place among the objects of its index, in the order of the files. */
  place = -1;
  /** Local name of the class, e.g. `ACLineSegment`. */
  className: string;
  /** Line on which the object was first met. */
  readonly line: number;
  /** The RDF subject without prefix, as written; the fallback of {@link mrid}. */
  readonly subject: string;
  readonly #store: PropertyStore;
  /** Attribute number times four plus the kind of each property. */
  #keys: KeyList;
  /** The first of its properties in the store. */
  readonly #first: number;
  /** Values, where they are not those of the store. */
  #values: string[] | undefined;
  /** One bit for each of the first 31 properties that was asked for; later ones count as asked for. */
  #asked = 0;

  /**
   * @param store - of the file; the values are there when `values` is absent
   * @param place - `number` is that of the id, `first` that of the first property in the store
   * @param keys - of the properties as {@link propertyKey} makes them
   * @param values - kept, not copied
   */
  constructor(
    store: PropertyStore,
    number: number,
    subject: string,
    className: string,
    line: number,
    keys: KeyList,
    first: number,
    values?: string[],
  ) {
    this.#store = store;
    this.number = number;
    this.id = store.index.ids.text(number);
    this.subject = subject;
    this.className = className;
    this.line = line;
    this.#keys = keys;
    this.#first = first;
    this.#values = values;
  }

  /** File in which the object was first met. */
  get file(): string {
    return this.#store.fileName;
  }

  /** mRID as the source spells it: `IdentifiedObject.mRID`, else the RDF subject without its prefix. */
  get mrid(): string {
    return this.get('IdentifiedObject.mRID') ?? this.subject;
  }

  /** `IdentifiedObject.name`, else an empty text. */
  get name(): string {
    return this.get('IdentifiedObject.name') ?? '';
  }

  /** Value of an attribute: the text of a literal, `Kind.member` of an enumeration, the canonical id of a link. */
  get(attribute: string): string | undefined {
    const at = this.placeOf(attribute);
    if (at < 0) return undefined;
    if (at < 31) this.#asked |= 1 << at;
    return this.valueAt(at);
  }

  /** Place of the first property with an attribute; -1 where there is none. */
  placeOf(attribute: string): number {
    return this.#keys.placeOfName(attribute, this.#store.index.attributeNumbers);
  }

  /** How an attribute is written; undefined where it is absent. Asking this is not reading the attribute. */
  kindOf(attribute: string): CimValueKind | undefined {
    const at = this.placeOf(attribute);
    return at < 0 ? undefined : KINDS[this.#keys.keys[at]! & 3];
  }

  /** The attributes and kinds of its properties, shared with objects written alike. */
  get keyList(): KeyList {
    return this.#keys;
  }

  /** Value at a place of {@link keyList}; this does not count as reading it. */
  valueAt(place: number): string {
    if (this.#values) return this.#values[place] ?? '';
    const { keys } = this.#keys;
    if (place >= keys.length) return '';
    const store = this.#store;
    return (keys[place]! & 3) === REFERENCE
      ? store.index.ids.text(store.target(this.#first + place))
      : store.text(this.#first + place);
  }

  /** Number of the id to which the link at a place of {@link keyList} leads. */
  targetAt(place: number): number {
    if (this.#values) return this.#store.index.ids.find(this.#values[place] ?? '');
    return this.#store.target(this.#first + place);
  }

  /** One bit for each of the first 31 properties that was asked for. */
  get asked(): number {
    return this.#asked;
  }

  /** First value of an attribute by its number, an empty text where it is absent; this does not count as reading it. */
  peek(attribute: number): string {
    const place = this.#keys.placeOf(attribute);
    return place < 0 ? '' : this.valueAt(place);
  }

  /** Whether anything has asked this object for an attribute other than its name and mRID. */
  get isAsked(): boolean {
    let own = 0;
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length && i < 31; i++) {
      if (!this.#store.index.attributeName(keys[i]! >> 2).startsWith('IdentifiedObject.')) own |= 1 << i;
    }
    return (this.#asked & own) !== 0;
  }

  /** Puts another spelling of the same value in the place of the first value of an attribute. */
  respell(attribute: string, value: string): void {
    const at = this.placeOf(attribute);
    if (at >= 0) this.#ownValues()[at] = value;
  }

  /** First object linked to by an attribute, as canonical id. */
  ref(attribute: string): string | undefined {
    const at = this.#askLink(attribute);
    return at < 0 ? undefined : this.valueAt(at);
  }

  /** First object linked to by an attribute; undefined also where the input lacks it. */
  link(attribute: string): CimObject | undefined {
    const at = this.#askLink(attribute);
    return at < 0 ? undefined : this.#store.index.numbered(this.targetAt(at));
  }

  /** Number of the id of the first object linked to by an attribute; -1 where there is none. */
  linkNumber(attribute: string): number {
    const at = this.#askLink(attribute);
    return at < 0 ? -1 : this.targetAt(at);
  }

  /** Place of the first link by an attribute, which then counts as read; -1 where there is none. */
  #askLink(attribute: string): number {
    const at = this.placeOf(attribute);
    if (at < 0) return -1;
    const list = this.#keys;
    const { keys } = list;
    if (!list.hasRepeats) {
      if (at < 31) this.#asked |= 1 << at;
      return (keys[at]! & 3) === REFERENCE ? at : -1;
    }
    const code = keys[at]! >> 2;
    const key = propertyKey(code, REFERENCE);
    let first = -1;
    for (let i = at; i < keys.length; i++) {
      if (keys[i]! >> 2 !== code) continue;
      if (i < 31) this.#asked |= 1 << i;
      if (first < 0 && keys[i] === key) first = i;
    }
    return first;
  }

  /** First object linked to by an attribute, as canonical id, without counting as reading it. */
  target(attribute: string): string | undefined {
    const at = this.linkPlace(attribute);
    return at < 0 ? undefined : this.valueAt(at);
  }

  /** First object linked to by an attribute, where the input has it, without counting as reading it. */
  linked(attribute: string): CimObject | undefined {
    const at = this.linkPlace(attribute);
    return at < 0 ? undefined : this.#store.index.numbered(this.targetAt(at));
  }

  /** Place of the first link by an attribute; -1 where there is none. */
  linkPlace(attribute: string): number {
    const at = this.placeOf(attribute);
    if (at < 0) return -1;
    const list = this.#keys;
    const { keys } = list;
    if ((keys[at]! & 3) === REFERENCE) return at;
    return list.hasRepeats ? keys.indexOf(propertyKey(keys[at]! >> 2, REFERENCE)) : -1;
  }

  /** All objects linked to by an attribute, as canonical ids. */
  refs(attribute: string): readonly string[] {
    const at = this.placeOf(attribute);
    if (at < 0) return NONE;
    const { keys } = this.#keys;
    for (let i = at; i < keys.length && i < 31; i++) if (keys[i]! >> 2 === keys[at]! >> 2) this.#asked |= 1 << i;
    return this.targets(attribute);
  }

  /** The same without counting as reading them. */
  targets(attribute: string): readonly string[] {
    const at = this.placeOf(attribute);
    if (at < 0) return NONE;
    const { keys } = this.#keys;
    if (!this.#keys.hasRepeats) return (keys[at]! & 3) === REFERENCE ? [this.valueAt(at)] : NONE;
    const key = propertyKey(keys[at]! >> 2, REFERENCE);
    let list: string[] | undefined;
    for (let i = at; i < keys.length; i++) {
      if (keys[i] === key) {
        if (list) list.push(this.valueAt(i));
        else list = [this.valueAt(i)];
      }
    }
    return list ?? NONE;
  }

  /** Calls back with attribute number and kind of every property, without reading any. */
  eachKind(visit: (attribute: number, kind: CimValueKind) => void): void {
    for (const key of this.#keys.keys) visit(key >> 2, KINDS[key & 3]!);
  }

  /** Calls back with attribute number and target id of every link. */
  eachReference(visit: (attribute: number, target: string) => void): void {
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if ((key & 3) === REFERENCE) visit(key >> 2, this.valueAt(i));
    }
  }

  /** All properties in the order of the file. */
  *properties(): Generator<{ readonly attribute: string; readonly kind: CimValueKind; readonly value: string }> {
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      yield { attribute: this.#store.index.attributeName(key >> 2), kind: KINDS[key & 3]!, value: this.valueAt(i) };
    }
  }

  /**
   * Adds a property; a pair of attribute and value that is already there is not repeated.
   *
   * @returns the other value when the attribute already has a different literal or enumeration value (which is kept)
   */
  add(key: number, value: string): string | undefined {
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === key) {
        const own = this.valueAt(i);
        if (own === value) return undefined;
        if ((key & 3) !== REFERENCE) return own;
      }
    }
    const values = this.#ownValues();
    if ((key & 3) === REFERENCE) this.#store.index.ids.intern(value);
    this.#keys = this.#keys.with(key);
    values.push(value);
    return undefined;
  }

  /** The values in a list of its own, which may change. */
  #ownValues(): string[] {
    this.#values ??= this.#keys.keys.map((_, place) => this.valueAt(place));
    return this.#values;
  }
}
