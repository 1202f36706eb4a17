import { type CimObject, REFERENCE } from './cim-object.js';
import type { CimIndex } from './object-index.js';

/** Puts the objects of one file into an index; what a subject met again says is added, and what does not agree is named. */
export class ObjectMerge {
  readonly #index: CimIndex;
  readonly #fileName: string;
  /** Whether the index had no objects before, so that all of them are of this file. */
  readonly #isFirst: boolean;
  /** Ids of this file, and whether they had an element with a class; in a first file only those that had none. */
  readonly #ownIds = new Map<string, boolean>();

  constructor(index: CimIndex, fileName: string) {
    this.#index = index;
    this.#fileName = fileName;
    this.#isFirst = index.objects.size === 0;
  }

  /** Whether an object of the index had an element with a class in this file; undefined when it had none at all. */
  #isOwn(id: string): boolean | undefined {
    return this.#ownIds.get(id) ?? (this.#isFirst ? true : undefined);
  }

  #own(id: string, isTyped: boolean): void {
    if (!this.#isFirst || !isTyped || this.#ownIds.size > 0) this.#ownIds.set(id, isTyped);
  }

  /**
   * Takes the next object of the file, read to its end.
   *
   * @param isTyped - false for an rdf:Description without an rdf:type
   */
  add(read: CimObject, isTyped: boolean): void {
    const { objects } = this.#index;
    const object = objects.numbered(read.number);
    if (!object) {
      objects.add(read);
      if (read.keyList.hasRepeats) this.#nameRepeats(read);
      this.#own(read.id, isTyped);
      return;
    }
    const own = this.#isOwn(read.id);
    const isAgain = own === true && isTyped;
    if (isTyped && object.className !== read.className) this.#retype(object, read, own !== undefined);
    else if (isAgain) {
      this.#addAgain(object, read);
      return;
    }
    this.#own(read.id, own === true || isTyped);
    const { keys } = read.keyList;
    for (let i = 0; i < keys.length; i++) {
      const kept = object.add(keys[i]!, read.valueAt(i));
      if (kept === undefined) continue;
      this.#nameConflict(object, read, keys[i]! >> 2, read.valueAt(i), kept);
    }
  }

  /** Names values that one declaration gives to one attribute beside its first; links may be several. */
  #nameRepeats(read: CimObject): void {
    const { keys } = read.keyList;
    const first = new Map<number, number>();
    for (let i = 0; i < keys.length; i++) {
      const code = keys[i]! >> 2;
      const at = first.get(code);
      if (at === undefined) first.set(code, i);
      else if (keys[i] !== keys[at] || ((keys[i]! & 3) !== REFERENCE && read.valueAt(i) !== read.valueAt(at))) {
        this.#nameConflict(read, read, code, read.valueAt(i), read.valueAt(at));
      }
    }
  }

  #nameConflict(object: CimObject, read: CimObject, code: number, value: string, kept: string): void {
    const attribute = this.#index.attributeName(code);
    this.#index.findings.push({
      severity: 'warning',
      code: 'CONFLICTING_VALUE',
      message: `${object.className} ${read.subject} has ${attribute} twice; the first value is kept.`,
      class: object.className,
      mrid: read.subject,
      attribute,
      value,
      allowed: kept,
      file: this.#fileName,
      line: read.line,
    });
  }

  /**
   * A second element of the same class and id in one file. One that only adds properties is another part of the object, as
   * RDF allows; one that repeats properties is a copy, one that contradicts them another object under a used id.
   */
  #addAgain(object: CimObject, read: CimObject): void {
    const before = [...object.properties()];
    const { keys } = read.keyList;
    const own = new Set(keys.map((key) => this.#index.attributeName(key >> 2)));
    const isRepeated = before.some(({ attribute }) => own.has(attribute));
    const differing = new Set<string>();
    let firstValue = '';
    for (let i = 0; i < keys.length; i++) {
      const attribute = this.#index.attributeName(keys[i]! >> 2);
      // A link may have several targets.
      const isLink = (keys[i]! & 3) === REFERENCE;
      const earlier = isLink ? [] : before.filter((property) => property.attribute === attribute);
      if (earlier.length > 0 && !earlier.some(({ value }) => value === read.valueAt(i))) {
        if (differing.size === 0) firstValue = read.valueAt(i);
        differing.add(attribute);
        continue;
      }
      object.add(keys[i]!, read.valueAt(i));
    }
    if (!isRepeated) return;
    const [attribute] = differing;
    const facts =
      attribute === undefined
        ? 'twice in the file with the same values; it is read once'
        : `for two objects of the file, which differ in ${[...differing].join(', ')}; the first is kept`;
    this.#index.findings.push({
      severity: attribute === undefined ? 'warning' : 'error',
      code: 'DUPLICATE_ID',
      message: `The id ${read.subject} of a ${object.className} is used ${facts}.`,
      class: object.className,
      mrid: read.subject,
      ...(attribute === undefined ? {} : { attribute, value: firstValue, allowed: object.get(attribute) ?? '' }),
      file: this.#fileName,
      line: read.line,
    });
  }

  #retype(object: CimObject, read: CimObject, isOwn: boolean): void {
    if (object.className === 'Description') {
      object.className = read.className;
      return;
    }
    this.#index.findings.push({
      severity: isOwn ? 'error' : 'warning',
      code: 'DUPLICATE_ID',
      message: `The id ${read.subject} is used for a ${object.className} and for a ${read.className}; they are read as one ${object.className}.`,
      class: read.className,
      mrid: read.subject,
      file: this.#fileName,
      line: read.line,
    });
  }
}
