import { canonicalMrid, type Finding } from '../model/index.js';
import { type CimObject, REFERENCE } from './cim-object.js';
import { IdTable } from './id-table.js';
import type { KeyList } from './key-list.js';

const NO_OBJECTS: readonly CimObject[] = [];
const END = -1;

/** Objects of one class. */
interface ClassObjects {
  readonly objects: CimObject[];
  /** The lists of properties they have. */
  readonly keyLists: Set<KeyList>;
}

/** Links of one attribute from their targets, as chains through the links in the order of the files. */
interface InverseLinks {
  /** Number of the first link to each id. */
  readonly first: Int32Array;
  /** Number of the next link to the same id. */
  readonly next: Int32Array;
  /** The objects whose links they are. */
  readonly holders: readonly CimObject[];
}

/** The objects of an index, by canonical id and in the order of the files. */
export class CimObjects {
  readonly #ids: IdTable;
  readonly #list: CimObject[] = [];
  readonly #byNumber: (CimObject | undefined)[] = [];

  /** @param ids - that the numbers of the objects are from */
  constructor(ids: IdTable) {
    this.#ids = ids;
  }

  get size(): number {
    return this.#list.length;
  }

  get(id: string): CimObject | undefined {
    return this.#byNumber[this.#ids.find(id)];
  }

  /** The object whose id has a number. */
  numbered(number: number): CimObject | undefined {
    return this.#byNumber[number];
  }

  has(id: string): boolean {
    return this.get(id) !== undefined;
  }

  /** All of them, in the order of the files. */
  values(): readonly CimObject[] {
    return this.#list;
  }

  /** Adds an object under an id that has none yet. */
  add(object: CimObject): void {
    object.place = this.#list.length;
    this.#list.push(object);
    const list = this.#byNumber;
    while (list.length < object.number) list.push(undefined);
    list[object.number] = object;
  }
}

/** All objects of one model, from one file or from several profile files given together. */
export class CimIndex {
  /** Canonical ids of objects and of what they link to. */
  readonly ids = new IdTable();
  readonly objects = new CimObjects(this.ids);
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
  /** Links by attribute number. */
  readonly #inverse: (InverseLinks | undefined)[] = [];

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

  /** The object whose id has a number. */
  numbered(number: number): CimObject | undefined {
    return this.objects.numbered(number);
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
    return this.referrersOfNumber(this.ids.find(id), attribute);
  }

  /** The same for an object. */
  referrersOf(object: CimObject, attribute: string): readonly CimObject[] {
    return this.referrersOfNumber(object.number, attribute);
  }

  /** The same for the number of an id. */
  referrersOfNumber(number: number, attribute: string): readonly CimObject[] {
    const code = this.attributeCode(attribute);
    if (code < 0) return NO_OBJECTS;
    let inverse = this.#inverse[code];
    if (!inverse) {
      this.#followed.add(code);
      inverse = this.#invert(code);
      this.#inverse[code] = inverse;
    }
    const { first, next, holders } = inverse;
    let link = number >= 0 && number < first.length ? first[number]! : END;
    if (link === END) return NO_OBJECTS;
    const list = [holders[link]!];
    for (link = next[link]!; link !== END; link = next[link]!) list.push(holders[link]!);
    return list;
  }

  /** Whether links of this attribute were followed backwards: they count as read at every object. */
  isFollowed(attributeCode: number): boolean {
    return this.#followed.has(attributeCode);
  }

  /** Forgets what was derived; the reader calls it before it adds a file. */
  invalidate(): void {
    this.#byClass = undefined;
    this.#inverse.length = 0;
  }

  /** Links of one attribute by their targets. */
  #invert(code: number): InverseLinks {
    const key = (code << 2) | REFERENCE;
    const holders: CimObject[] = [];
    const targets: number[] = [];
    const objects = this.objectsWith((list) => list.placeOf(code) >= 0);
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
      const list = object.keyList;
      const { keys } = list;
      for (let i = list.placeOf(code); i >= 0 && i < keys.length; i++) {
        if (keys[i] !== key) continue;
        holders.push(object);
        targets.push(object.targetAt(i));
        if (!list.hasRepeats) break;
      }
    }
    const first = new Int32Array(this.ids.size).fill(END);
    const next = new Int32Array(targets.length);
    for (let link = targets.length - 1; link >= 0; link--) {
      const target = targets[link]!;
      next[link] = first[target]!;
      first[target] = link;
    }
    return { first, next, holders };
  }

  /** Objects of all classes of which one has a list of properties with some quality, in the order of the files. */
  objectsWith(isMeant: (list: KeyList) => boolean): readonly CimObject[] {
    const lists: (readonly CimObject[])[] = [];
    for (const { objects, keyLists } of this.#classes().values()) {
      for (const keys of keyLists) {
        if (!isMeant(keys)) continue;
        lists.push(objects);
        break;
      }
    }
    if (lists.length < 2) return lists[0] ?? NO_OBJECTS;
    // Lists in order one after the other: the sort joins them.
    return lists.flat().sort((a, b) => a.place - b.place);
  }

  #classes(): ReadonlyMap<string, ClassObjects> {
    if (this.#byClass) return this.#byClass;
    const classes = new Map<string, ClassObjects>();
    let name: string | undefined;
    let last: ClassObjects | undefined;
    let keys: KeyList | undefined;
    const objects = this.objects.values();
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
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
