import { canonicalMrid, type Finding } from '../model/index.js';
import { KeyList } from './key-list.js';

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
const NO_OBJECTS: readonly CimObject[] = [];

/**
 * One CIM object. Properties are kept in the order of the file; attribute names are local names as written,
 * e.g. `IdentifiedObject.name`.
 */
export class CimObject {
  /** Key: the canonical form of the RDF subject. */
  readonly id: string;
  /** Local name of the class, e.g. `ACLineSegment`. */
  className: string;
  /** Where the object was first met. */
  readonly file: string;
  readonly line: number;
  /** The RDF subject without prefix, as written; the fallback of {@link mrid}. */
  readonly subject: string;
  readonly #index: CimIndex;
  /** Attribute number times four plus the kind, and the value, of each property. */
  #keys: KeyList;
  readonly #values: string[];
  /** One bit for each of the first 31 properties that was asked for; later ones count as asked for. */
  #asked = 0;

  /**
   * @param keys - of the properties as {@link propertyKey} makes them
   * @param values - kept, not copied
   */
  constructor(
    index: CimIndex,
    place: {
      readonly id: string;
      readonly subject: string;
      readonly className: string;
      readonly file: string;
      readonly line: number;
    },
    keys: KeyList = new KeyList(),
    values: string[] = [],
  ) {
    this.#index = index;
    this.id = place.id;
    this.subject = place.subject;
    this.className = place.className;
    this.file = place.file;
    this.line = place.line;
    this.#keys = keys;
    this.#values = values;
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
    const at = this.#keys.placeOfName(attribute, this.#index.attributeNumbers);
    if (at < 0) return undefined;
    if (at < 31) this.#asked |= 1 << at;
    return this.#values[at];
  }

  /** How an attribute is written; undefined where it is absent. Asking this is not reading the attribute. */
  kindOf(attribute: string): CimValueKind | undefined {
    const at = this.#keys.placeOfName(attribute, this.#index.attributeNumbers);
    return at < 0 ? undefined : KINDS[this.#keys.keys[at]! & 3];
  }

  /** The attributes and kinds of its properties, shared with objects written alike. */
  get keyList(): KeyList {
    return this.#keys;
  }

  /** Value at a place of {@link keyList}; this does not count as reading it. */
  valueAt(place: number): string {
    return this.#values[place] ?? '';
  }

  /** One bit for each of the first 31 properties that was asked for. */
  get asked(): number {
    return this.#asked;
  }

  /** First value of an attribute by its number, an empty text where it is absent; this does not count as reading it. */
  peek(attribute: number): string {
    return this.#values[this.#keys.placeOf(attribute)] ?? '';
  }

  /** Whether anything has asked this object for an attribute other than its name and mRID. */
  get isAsked(): boolean {
    let own = 0;
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length && i < 31; i++) {
      if (!this.#index.attributeName(keys[i]! >> 2).startsWith('IdentifiedObject.')) own |= 1 << i;
    }
    return (this.#asked & own) !== 0;
  }

  /** Calls back with the number of every attribute that nothing has asked this object for. */
  eachUnread(visit: (attribute: number) => void): void {
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length && i < 31; i++) {
      if ((this.#asked & (1 << i)) === 0) visit(keys[i]! >> 2);
    }
  }

  /** Puts another spelling of the same value in the place of the first value of an attribute. */
  respell(attribute: string, value: string): void {
    const code = this.#index.attributeCode(attribute);
    const at = this.#keys.placeOf(code);
    if (at >= 0) this.#values[at] = value;
  }

  /** First object linked to by an attribute, as canonical id. */
  ref(attribute: string): string | undefined {
    const list = this.#keys;
    const at = list.placeOfName(attribute, this.#index.attributeNumbers);
    if (at < 0) return undefined;
    const { keys } = list;
    if (!list.hasRepeats) {
      if (at < 31) this.#asked |= 1 << at;
      return (keys[at]! & 3) === REFERENCE ? this.#values[at] : undefined;
    }
    const code = keys[at]! >> 2;
    const key = propertyKey(code, REFERENCE);
    let first: string | undefined;
    for (let i = at; i < keys.length; i++) {
      if (keys[i]! >> 2 !== code) continue;
      if (i < 31) this.#asked |= 1 << i;
      if (first === undefined && keys[i] === key) first = this.#values[i];
    }
    return first;
  }

  /** First object linked to by an attribute, as canonical id, without counting as reading it. */
  target(attribute: string): string | undefined {
    const list = this.#keys;
    const at = list.placeOfName(attribute, this.#index.attributeNumbers);
    if (at < 0) return undefined;
    return (list.keys[at]! & 3) === REFERENCE
      ? this.#values[at]
      : list.hasRepeats
        ? this.targets(attribute)[0]
        : undefined;
  }

  /** All objects linked to by an attribute, as canonical ids. */
  refs(attribute: string): readonly string[] {
    const at = this.#keys.placeOfName(attribute, this.#index.attributeNumbers);
    if (at < 0) return NONE;
    const { keys } = this.#keys;
    for (let i = at; i < keys.length && i < 31; i++) if (keys[i]! >> 2 === keys[at]! >> 2) this.#asked |= 1 << i;
    return this.targets(attribute);
  }

  /** The same without counting as reading them. */
  targets(attribute: string): readonly string[] {
    const at = this.#keys.placeOfName(attribute, this.#index.attributeNumbers);
    if (at < 0) return NONE;
    const { keys } = this.#keys;
    if (!this.#keys.hasRepeats) return (keys[at]! & 3) === REFERENCE ? [this.#values[at]!] : NONE;
    const key = propertyKey(keys[at]! >> 2, REFERENCE);
    let list: string[] | undefined;
    for (let i = at; i < keys.length; i++) {
      if (keys[i] === key) {
        if (list) list.push(this.#values[i]!);
        else list = [this.#values[i]!];
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
      if ((key & 3) === REFERENCE) visit(key >> 2, this.#values[i]!);
    }
  }

  /** All properties in the order of the file. */
  *properties(): Generator<{ readonly attribute: string; readonly kind: CimValueKind; readonly value: string }> {
    const { keys } = this.#keys;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      yield { attribute: this.#index.attributeName(key >> 2), kind: KINDS[key & 3]!, value: this.#values[i]! };
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
        if (this.#values[i] === value) return undefined;
        if ((key & 3) !== REFERENCE) return this.#values[i];
      }
    }
    this.#keys = this.#keys.with(key);
    this.#values.push(value);
    return undefined;
  }
}

/** Objects of one class. */
interface ClassObjects {
  readonly objects: CimObject[];
  /** The lists of properties they have. */
  readonly keyLists: Set<KeyList>;
}

/** All objects of one model, from one file or from several profile files given together. */
export class CimIndex {
  /** Objects by canonical id, in the order of the files. */
  readonly objects = new Map<string, CimObject>();
  /** What was noteworthy while reading: duplicated ids, conflicting values. */
  readonly findings: Finding[] = [];
  /** Files read, in order. */
  readonly files: string[] = [];
  /** CIM name spaces met. */
  readonly namespaces = new Set<string>();
  readonly #codes = new Map<string, number>();
  readonly #names: string[] = [];
  #byClass: ReadonlyMap<string, ClassObjects> | undefined;
  /** Attributes whose links were followed backwards. */
  readonly #followed = new Set<number>();
  /** Referring objects by attribute number and target id. */
  readonly #inverse = new Map<number, ReadonlyMap<string, CimObject[]>>();

  /** Attribute numbers by name. */
  get attributeNumbers(): ReadonlyMap<string, number> {
    return this.#codes;
  }

  /** Interns an attribute name. */
  internAttribute(name: string): number {
    let code = this.#codes.get(name);
    if (code === undefined) {
      code = this.#names.length;
      this.#codes.set(name, code);
      this.#names.push(name);
    }
    return code;
  }

  /** Number of an attribute name; -1 when no object has it. */
  attributeCode(name: string): number {
    return this.#codes.get(name) ?? -1;
  }

  /** Name of an interned attribute. */
  attributeName(code: number): string {
    return this.#names[code] ?? '';
  }

  /** An object by any spelling of its id. */
  get(id: string): CimObject | undefined {
    return this.objects.get(id) ?? this.objects.get(canonicalMrid(id));
  }

  /** Objects of a class, in the order of the files. */
  byClass(className: string): readonly CimObject[] {
    return this.#classes().get(className)?.objects ?? NO_OBJECTS;
  }

  /** The different lists of properties that objects of a class, or of all classes, have. */
  *keyLists(className?: string): Generator<KeyList> {
    if (className === undefined) for (const { keyLists } of this.#classes().values()) yield* keyLists;
    else yield* this.#classes().get(className)?.keyLists ?? [];
  }

  /** Number of objects by class. */
  classCounts(): ReadonlyMap<string, number> {
    return new Map([...this.#classes()].map(([name, { objects }]) => [name, objects.length]));
  }

  /**
   * Objects that link to an object by an attribute, e.g. `referrers(id, 'Terminal.ConductingEquipment')`. The links of an
   * attribute are inverted at its first use.
   */
  referrers(id: string, attribute: string): readonly CimObject[] {
    const code = this.attributeCode(attribute);
    if (code < 0) return NO_OBJECTS;
    this.#followed.add(code);
    let inverse = this.#inverse.get(code);
    if (!inverse) {
      inverse = this.#invert(code);
      this.#inverse.set(code, inverse);
    }
    return inverse.get(id) ?? NO_OBJECTS;
  }

  /** Whether links of this attribute were followed backwards: they count as read at every object. */
  isFollowed(attributeCode: number): boolean {
    return this.#followed.has(attributeCode);
  }

  /** Forgets what was derived; the reader calls it before it adds a file. */
  invalidate(): void {
    this.#byClass = undefined;
    this.#inverse.clear();
  }

  /** Referring objects by target for one attribute, in the order of the files. */
  #invert(code: number): ReadonlyMap<string, CimObject[]> {
    const inverse = new Map<string, CimObject[]>();
    for (const object of this.#holders(code)) {
      const list = object.keyList;
      const { keys } = list;
      const key = propertyKey(code, REFERENCE);
      for (let i = list.placeOf(code); i >= 0 && i < keys.length; i++) {
        if (keys[i] !== key) continue;
        const target = object.valueAt(i);
        const others = inverse.get(target);
        if (others) others.push(object);
        else inverse.set(target, [object]);
        if (!list.hasRepeats) break;
      }
    }
    return inverse;
  }

  /** Objects of the classes that have an attribute: all of them when there are several, for the order. */
  #holders(code: number): Iterable<CimObject> {
    const lists: (readonly CimObject[])[] = [];
    for (const { objects, keyLists } of this.#classes().values()) {
      for (const keys of keyLists) {
        if (keys.placeOf(code) < 0) continue;
        lists.push(objects);
        break;
      }
    }
    return lists.length > 1 ? this.objects.values() : (lists[0] ?? NO_OBJECTS);
  }

  #classes(): ReadonlyMap<string, ClassObjects> {
    if (this.#byClass) return this.#byClass;
    const classes = new Map<string, ClassObjects>();
    let name: string | undefined;
    let last: ClassObjects | undefined;
    let keys: KeyList | undefined;
    for (const object of this.objects.values()) {
      if (last === undefined || object.className !== name) {
        name = object.className;
        keys = undefined;
        last = classes.get(name);
        if (!last) {
          last = { objects: [], keyLists: new Set() };
          classes.set(name, last);
        }
      }
      last.objects.push(object);
      if (object.keyList === keys) continue;
      keys = object.keyList;
      last.keyLists.add(keys);
    }
    this.#byClass = classes;
    return classes;
  }
}
