/*
 * Plain CIM RDF/XML into objects in one pass over the bytes, without an XML parser.
 *
 * Taken: UTF-8, an XML declaration, comments, elements, attributes, text, the five entities and character references, one
 * name space declaration at the root. Nesting, names, repeated attributes and characters are checked. Whatever else a file
 * has, and every error, makes the scanner give up; it has touched nothing then but the index's lists of ids and attribute
 * names, and the whole file goes to the complete parser, which reads it or says what is wrong.
 *
 * Steps: (1) bytes gather into blocks that end with `>`; (2) a block is decoded once, values are slices of its text, and the
 * structure is found in its bytes, where a character beyond ASCII stands as one byte 0x80 so that places agree; (3) a token
 * (text and the tag after it) takes effect when it is complete, an incomplete one waits for the next block; (4) names are
 * compared with those that followed the last time before they are looked up; (5) objects go into the index at the end.
 * A value is kept as its place in the text.
 *
 * Cost: one pass, memory of the texts and the properties. See docs/decisions/0010-cim-scanner.md.
 */
import { canonicalMrid } from '../model/index.js';
import { type CimObject, ENUMERATION, LITERAL, propertyKey, REFERENCE } from './cim-object.js';
import { UUID_LENGTH } from './id-table.js';
import { KeyList } from './key-list.js';
import { ForeignSpaces, isCimSpace, isForeign, RDF } from './name-space.js';
import type { CimIndex } from './object-index.js';
import { ObjectMerge } from './object-merge.js';
import { OpenObject } from './open-object.js';
import { PropertyStore } from './property-store.js';
import { enumerationMember, withoutPrefix } from './subject.js';
import { interned, NAME_CHARACTER, PADDING, type RdfRole, type Resource, type XmlName, XmlNames } from './xml-name.js';
import { BEYOND, CHARACTER, decodeReferences, ENTITY, GREATER, LESS, LINE, PLAIN, QUOTE, RETURN } from './xml-text.js';

/** Bytes of a block; a token longer than one is left to the parser. */
const BLOCK_BYTES = 1 << 20;
const FIRST_BLOCK_BYTES = 1 << 14;
/** Longest text whose places fit 32 bits. */
const MAX_TEXT = 0x7fffffff - 2 * BLOCK_BYTES;

/** What the scanner takes as an XML declaration. */
const DECLARATION =
  /^<\?xml version=(["'])1\.0\1(?: +encoding=(["'])[Uu][Tt][Ff]-8\2)?(?: +standalone=(["'])(?:yes|no)\3)? *\?>/;

const BRACKET = 0x5d;
const [TAB, LF, CR, SPACE, BANG, DOUBLE, SINGLE, DASH, SLASH, LT, EQUALS, GT] = [
  0x09, 0x0a, 0x0d, 0x20, 0x21, 0x22, 0x27, 0x2d, 0x2f, 0x3c, 0x3d, 0x3e,
] as const;

const URN = new TextEncoder().encode('urn:uuid:');
const URN_LENGTH = URN.length;
/** How a character beyond ASCII stands among the bytes of a block, at the least. */
const BEYOND_ASCII = 0x80;

/** Text with something in it that is not to be taken as it stands. */
const HAS_ENTITY = 1;
const HAS_RETURN = 2;

/** Names of RDF that are looked for. */
const ROLES: readonly RdfRole[] = ['about', 'ID', 'nodeID', 'resource', 'type', 'Description'];

function paddedBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length + PADDING), 0, length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer);
}

/** Reads one file; see the head of this file. */
export class RdfScanner {
  readonly #fileName: string;
  readonly #index: CimIndex;
  #bytes = paddedBytes(FIRST_BLOCK_BYTES + 1);
  #view = viewOf(this.#bytes);
  #fill = 0;
  /** Bytes of a block with characters beyond ASCII, one for each code unit of its text. */
  #units: Uint8Array | undefined;
  #unitsView: DataView | undefined;
  /** Texts of what is scanned, and the values in them. */
  readonly #store: PropertyStore;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #encoder = new TextEncoder();

  readonly #names = new XmlNames();
  #isBegun = false;
  #isRooted = false;
  #line = 1;
  /** Open elements: the root, an object, a property, an object in it and so on. */
  readonly #tags: XmlName[] = [];
  readonly #objects: OpenObject[] = [];
  /** How many of them are open. */
  #open = 0;
  /** Attribute number of each open property, and whether it has its value. */
  readonly #properties: number[] = [];
  readonly #isSet: boolean[] = [];
  /** Text of the innermost property before a comment or an element in it. */
  #text = '';
  readonly #read: CimObject[] = [];
  /** Those of them that are an rdf:Description without an rdf:type. */
  readonly #untyped = new Set<CimObject>();

  /** Attributes of the tag that is being read: names and places of the values. */
  readonly #attributes: XmlName[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #hasEntity: boolean[] = [];
  /** Their values, where these are ids in the form that most files have: their numbers, else -1. */
  readonly #ids: number[] = [];

  readonly #spaces = new Map<string, string>();
  readonly #cimSpaces: string[] = [];
  readonly #foreign = new ForeignSpaces();
  readonly #resources = new Map<string, Resource>();
  #lastObject: XmlName | undefined;
  #anonymous = 0;
  /** Names with a meaning in RDF. */
  readonly #roles = new Map<string, RdfRole>();

  constructor(fileName: string, index: CimIndex) {
    this.#fileName = fileName;
    this.#index = index;
    this.#store = new PropertyStore(index, fileName);
  }

  /**
   * Takes the next piece.
   *
   * @returns false when the file is not plain; {@link taken} has all of it then
   */
  push(piece: Uint8Array): boolean {
    let at = 0;
    while (at < piece.length) {
      if (this.#fill === this.#bytes.length - 1 && !this.#makeRoom()) {
        this.#keep(piece.subarray(at));
        return false;
      }
      const count = Math.min(this.#bytes.length - 1 - this.#fill, piece.length - at);
      this.#bytes.set(piece.subarray(at, at + count), this.#fill);
      this.#fill += count;
      at += count;
    }
    return true;
  }

  /**
   * Ends the file and puts its objects into the index.
   *
   * @returns false when the file is not plain or not complete
   */
  end(): boolean {
    if (!this.#scanBlock(this.#fill) || this.#fill > 0 || !this.#isRooted || this.#tags.length > 0) return false;
    for (const space of this.#cimSpaces) this.#index.namespaces.add(space);
    const merge = new ObjectMerge(this.#index, this.#fileName);
    const hasUntyped = this.#untyped.size > 0;
    for (let k = 0; k < this.#read.length; k++) {
      const object = this.#read[k]!;
      merge.add(object, !(hasUntyped && this.#untyped.has(object)));
    }
    this.#foreign.report(this.#index, this.#fileName);
    return true;
  }

  /** All bytes that were pushed. */
  *taken(): Generator<Uint8Array> {
    for (const text of this.#store.texts) yield this.#encoder.encode(text);
    yield this.#bytes.subarray(0, this.#fill);
  }

  /** Scans a full block, or makes a small one larger. */
  #makeRoom(): boolean {
    if (this.#bytes.length <= BLOCK_BYTES) {
      this.#resize(this.#bytes.length * 4);
      return true;
    }
    let end = this.#fill;
    while (end > 0 && this.#bytes[end - 1] !== GT) end--;
    return end > 0 && this.#scanBlock(end) && this.#fill < this.#bytes.length - 1;
  }

  #keep(rest: Uint8Array): void {
    this.#resize(this.#fill + rest.length + 1);
    this.#bytes.set(rest, this.#fill);
    this.#fill += rest.length;
  }

  #resize(length: number): void {
    const bytes = paddedBytes(length);
    bytes.set(this.#bytes.subarray(0, this.#fill));
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** Scans the bytes before `end` and moves what is left to the beginning. */
  #scanBlock(end: number): boolean {
    if (end === 0) return true;
    if (this.#store.textEnd > MAX_TEXT) return false;
    const block = this.#bytes.subarray(0, end);
    let text: string;
    try {
      text = this.#decoder.decode(block);
    } catch {
      // The parser decodes it again and names the line.
      return false;
    }
    const isAscii = text.length === end;
    const units = isAscii ? this.#bytes : this.#unitsOf(text);
    if (!units) return false;
    // A byte that no token can have ends the block.
    const kept = units[text.length]!;
    units[text.length] = 0;
    const view = isAscii ? this.#view : this.#unitsView!;
    const done = this.#scan(units, view, text.length, text);
    units[text.length] = kept;
    if (done < 0) return false;
    const used = isAscii ? done : end - this.#encoder.encode(text.slice(done)).length;
    this.#store.addText(done === text.length ? text : text.slice(0, done));
    this.#bytes.copyWithin(0, used, this.#fill);
    this.#fill -= used;
    return true;
  }

  /** A byte for each code unit; undefined when one is no character of XML. */
  #unitsOf(text: string): Uint8Array | undefined {
    if (!this.#units || this.#units.length <= text.length) {
      this.#units = paddedBytes(this.#bytes.length);
      this.#unitsView = viewOf(this.#units);
    }
    const units = this.#units;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0xfffe) return undefined;
      units[i] = Math.min(code, 0x80);
    }
    return units;
  }

  /** Place after the byte order mark and the declaration; -1 for one that is not taken. */
  #begin(text: string): number {
    this.#isBegun = true;
    const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
    if (!text.startsWith('<?', start)) return start;
    const declaration = DECLARATION.exec(text.slice(start, start + 200))?.[0];
    return declaration === undefined ? -1 : start + declaration.length;
  }

  /**
   * Scans a block.
   *
   * @param units - bytes of the block, then a zero
   * @param view - of the same and of {@link PADDING} more
   * @returns how many of them are done with; -1 when the file is not plain
   */
  #scan(units: Uint8Array, view: DataView, length: number, text: string): number {
    let i = this.#isBegun ? 0 : this.#begin(text);
    if (i < 0) return -1;
    const tags = this.#tags;
    let line = this.#line;
    for (;;) {
      const token = i;
      this.#line = line;
      const depth = tags.length;
      let flags = 0;
      if (depth > 2 && (depth & 1) === 1) {
        for (;;) {
          let kind = CHARACTER[units[i]!]!;
          while (kind === PLAIN) kind = CHARACTER[units[++i]!]!;
          if (kind === LESS) break;
          if (kind === LINE) line++;
          else if (kind === ENTITY) flags |= HAS_ENTITY;
          else if (kind === RETURN && units[i + 1] === LF) flags |= HAS_RETURN;
          else if (kind === GREATER ? units[i - 1] === BRACKET : kind !== QUOTE && kind !== BEYOND)
            return i >= length - 1 ? token : -1;
          i++;
        }
      } else {
        for (let c = units[i]!; c !== LT; c = units[++i]!) {
          if (c === LF) line++;
          else if (c !== SPACE && c !== TAB && !(c === CR && units[i + 1] === LF)) {
            if (i < length) return -1;
            this.#line = line;
            return i;
          }
        }
      }
      const end = i;
      const mark = units[++i]!;
      if (mark === SLASH) {
        const tag = tags[depth - 1];
        if (tag === undefined) return -1;
        i++;
        if (!tag.isAt(units, view, i)) return this.#stop(units, i, length, token);
        i += tag.bytes.length;
        while (units[i] === SPACE) i++;
        if (units[i] !== GT) return i >= length ? token : -1;
        i++;
        if (!this.#close(units, text, token, end, flags)) return -1;
      } else if (mark === BANG) {
        if (units[++i] !== DASH || units[++i] !== DASH) return i >= length ? token : -1;
        i++;
        for (;;) {
          const c = units[i]!;
          if (c === DASH && units[i + 1] === DASH) break;
          if (c === LF) line++;
          else if (c < SPACE && c !== TAB && !(c === CR && units[i + 1] === LF)) return i >= length - 1 ? token : -1;
          i++;
        }
        i += 2;
        if (units[i] !== GT) return i >= length ? token : -1;
        i++;
        if (end > token && depth > 2 && (depth & 1) === 1) {
          const before = this.#literal(text, token, end, flags);
          if (before === undefined) return -1;
          this.#text += before;
        }
      } else {
        if (NAME_CHARACTER[mark] !== 2) return i >= length ? token : -1;
        const name = this.#elementAt(units, view, i);
        i += name.bytes.length;
        let count = 0;
        let isEmpty = false;
        let guess = name.next;
        for (;;) {
          let c = units[i]!;
          if (c === SPACE || c === LF || c === CR || c === TAB) {
            do {
              if (c === LF) line++;
              else if (c === CR && units[i + 1] !== LF) return i >= length - 1 ? token : -1;
              c = units[++i]!;
            } while (c === SPACE || c === LF || c === CR || c === TAB);
          } else if (c !== GT && c !== SLASH) return i >= length ? token : -1;
          if (c === GT) {
            i++;
            break;
          }
          if (c === SLASH) {
            if (units[++i] !== GT) return i >= length ? token : -1;
            i++;
            isEmpty = true;
            break;
          }
          if (NAME_CHARACTER[c] !== 2) return i >= length ? token : -1;
          if (guess === undefined || !guess.isAt(units, view, i)) {
            let to = i + 1;
            while (NAME_CHARACTER[units[to]!]! > 0) to++;
            guess = this.#names.at(units, view, i, to);
            if (count === 0) name.next = guess;
            else this.#attributes[count - 1]!.next = guess;
          }
          i += guess.bytes.length;
          if (units[i] !== EQUALS) return i >= length ? token : -1;
          const quote = units[++i]!;
          if (quote !== DOUBLE && quote !== SINGLE) return i >= length ? token : -1;
          const from = ++i;
          let hasEntity = false;
          const uuid = this.#uuid(units, view, text, from, quote);
          if (uuid >= 0) i += URN_LENGTH + UUID_LENGTH;
          else
            for (;;) {
              let kind = CHARACTER[units[i]!]!;
              while (kind === PLAIN) kind = CHARACTER[units[++i]!]!;
              if (kind === QUOTE) {
                if (units[i] === quote) break;
              } else if (kind === ENTITY) hasEntity = true;
              else if ((kind !== BEYOND && kind !== GREATER) || units[i] === TAB) return i >= length ? token : -1;
              i++;
            }
          this.#attributes[count] = guess;
          this.#from[count] = from;
          this.#to[count] = i;
          this.#hasEntity[count] = hasEntity;
          this.#ids[count] = uuid;
          for (let k = 0; k < count; k++) if (this.#attributes[k] === guess) return -1;
          count++;
          i++;
          guess = guess.next;
        }
        if ((flags & HAS_ENTITY) !== 0) return -1;
        if (!this.#openTag(name, text, count, line)) return -1;
        if (isEmpty && !this.#close(units, text, i, i, 0)) return -1;
      }
    }
  }

  /** After a name that was not the expected one: the block ended in it, or it is another. */
  #stop(units: Uint8Array, at: number, length: number, token: number): number {
    let to = at;
    while (NAME_CHARACTER[units[to]!]! > 0) to++;
    return to >= length ? token : -1;
  }

  /** Name of the element that starts here; most often the one that followed the last time. */
  #elementAt(units: Uint8Array, view: DataView, at: number): XmlName {
    const list = this.#properties.length < this.#open ? this.#objects[this.#open - 1]!.keys : undefined;
    const guess = list ? list.following : this.#lastObject?.follower;
    if (guess?.isAt(units, view, at)) return guess;
    let to = at + 1;
    while (NAME_CHARACTER[units[to]!]! > 0) to++;
    const name = this.#names.at(units, view, at, to);
    if (list) list.following = name;
    return name;
  }

  /** Value of an attribute; undefined for a reference that is none. */
  #value(text: string, k: number): string | undefined {
    const value = text.slice(this.#from[k]!, this.#to[k]!);
    return this.#hasEntity[k] ? decodeReferences(value) : value;
  }

  /** A piece of text as XML means it. */
  #literal(text: string, from: number, to: number, flags: number): string | undefined {
    let value = text.slice(from, to);
    if ((flags & HAS_RETURN) !== 0) value = value.replaceAll('\r\n', '\n');
    return (flags & HAS_ENTITY) !== 0 ? decodeReferences(value) : value;
  }

  #openTag(name: XmlName, text: string, count: number, line: number): boolean {
    const depth = this.#tags.length;
    if (depth === 0) {
      if (!this.#root(name, text, count)) return false;
    } else {
      for (let k = 0; k < count; k++) {
        if (this.#attributes[k]!.isDeclaration) return false;
        if (this.#hasEntity[k] && this.#value(text, k) === undefined) return false;
      }
      name.isForeign ??= isForeign(this.#spaces.get(name.prefix) ?? '');
      if (name.isForeign) this.#foreign.add(this.#spaces.get(name.prefix) ?? '', name.text, line);
      const isOpened =
        (depth & 1) === 1 ? this.#openObject(name, text, count, line) : this.#openProperty(name, text, count);
      if (!isOpened) return false;
    }
    this.#tags.push(name);
    return true;
  }

  /** The root element; false for one that the parser has to speak about. */
  #root(tag: XmlName, text: string, count: number): boolean {
    if (this.#isRooted) return false;
    this.#isRooted = true;
    let prefix: string | undefined;
    for (let k = 0; k < count; k++) {
      const name = this.#attributes[k]!.text;
      const value = this.#value(text, k);
      if (value === undefined) return false;
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
      this.#spaces.set(name === 'xmlns' ? '' : name.slice(6), value);
      if (value === RDF) prefix = name === 'xmlns' ? '' : `${name.slice(6)}:`;
      else if (isCimSpace(value)) this.#cimSpaces.push(value);
    }
    if (prefix === undefined || tag.text !== `${prefix}RDF`) return false;
    for (const role of ROLES) this.#roles.set(`${prefix}${role}`, role);
    return true;
  }

  /** Which attribute of the tag has a role; -1 for none. */
  #attribute(role: RdfRole, count: number): number {
    for (let k = 0; k < count; k++) if (this.#roleOf(this.#attributes[k]!) === role) return k;
    return -1;
  }

  #roleOf(name: XmlName): RdfRole {
    name.role ??= this.#roles.get(name.text) ?? 'none';
    return name.role;
  }

  /** Number of the CIM attribute of a name. */
  #numberOf(name: XmlName): number {
    if (name.attribute < 0) name.attribute = this.#index.internAttribute(name.local);
    return name.attribute;
  }

  #openObject(tag: XmlName, text: string, count: number, line: number): boolean {
    let k = this.#attribute('about', count);
    if (k < 0) k = this.#attribute('ID', count);
    if (k < 0) k = this.#attribute('nodeID', count);
    const uuid = k < 0 ? -1 : this.#ids[k]!;
    let resource: Resource | undefined;
    if (uuid < 0) {
      const written =
        k < 0 ? `anonymous-${this.#index.files.length}-${++this.#anonymous}` : (this.#value(text, k) ?? '');
      resource = this.#resourceOf(written);
    }
    if (this.#objects.length === this.#open) this.#objects.push(new OpenObject());
    const object = this.#objects[this.#open]!;
    const isDescription = this.#roleOf(tag) === 'Description';
    object.subject = resource ? resource.subject : this.#index.ids.text(uuid);
    object.id = resource ? resource.id : uuid;
    object.className = isDescription ? 'Description' : tag.local;
    object.isTyped = !isDescription;
    object.line = line;
    tag.keys ??= new KeyList();
    object.keys = tag.keys;
    if (this.#open > 0) {
      const own = this.#properties.length - 1;
      this.#isSet[own] = true;
      this.#objects[this.#open - 1]!.add(propertyKey(this.#properties[own]!, REFERENCE), object.id, -1);
    }
    if (this.#lastObject) this.#lastObject.follower = tag;
    this.#lastObject = tag;
    this.#open++;
    for (k = 0; k < count; k++) {
      const name = this.#attributes[k]!;
      const role = this.#roleOf(name);
      if (role === 'about' || role === 'ID' || role === 'nodeID' || name.text.startsWith('xml')) continue;
      const key = propertyKey(this.#numberOf(name), LITERAL);
      if (this.#hasEntity[k]) object.add(key, this.#store.addApart(this.#value(text, k) ?? ''), -1);
      else object.add(key, this.#store.textEnd + this.#from[k]!, this.#to[k]! - this.#from[k]!);
    }
    return true;
  }

  #openProperty(tag: XmlName, text: string, count: number): boolean {
    const object = this.#objects[this.#open - 1]!;
    let k = count === 0 ? -1 : this.#attribute('resource', count);
    if (k < 0 && count > 0) k = this.#attribute('nodeID', count);
    this.#text = '';
    if (k >= 0 && this.#roleOf(tag) === 'type') {
      const type = this.#value(text, k) ?? '';
      object.className = type.slice(Math.max(type.lastIndexOf('#'), type.lastIndexOf('/')) + 1);
      object.isTyped = true;
      this.#properties.push(-1);
      this.#isSet.push(true);
      return true;
    }
    const attribute = this.#numberOf(tag);
    if (k >= 0) {
      const uuid = this.#ids[k]!;
      if (uuid >= 0) object.add(propertyKey(attribute, REFERENCE), uuid, -1);
      else {
        const resource = this.#linkedBy(tag, text, k);
        if (resource.member < 0) object.add(propertyKey(attribute, REFERENCE), resource.id, -1);
        else object.add(propertyKey(attribute, ENUMERATION), resource.member, -1);
      }
    }
    this.#properties.push(attribute);
    this.#isSet.push(k >= 0);
    return true;
  }

  /** Ends the innermost element, before whose end tag this text stands; false for a reference in it that is none. */
  #close(units: Uint8Array, text: string, from: number, to: number, flags: number): boolean {
    this.#tags.pop();
    if (this.#open === 0) return true;
    const object = this.#objects[this.#open - 1]!;
    if (this.#properties.length < this.#open) {
      const read = object.read(this.#store);
      this.#read.push(read);
      if (!object.isTyped) this.#untyped.add(read);
      this.#open--;
      return true;
    }
    const attribute = this.#properties.pop()!;
    const isSet = this.#isSet.pop()!;
    if (isSet && flags === 0) return true;
    if (flags === 0 && this.#text === '') {
      while (from < to && units[from]! <= SPACE) from++;
      while (from < to && units[to - 1]! <= SPACE) to--;
      if (from === to || (units[from]! < BEYOND_ASCII && units[to - 1]! < BEYOND_ASCII)) {
        object.add(propertyKey(attribute, LITERAL), this.#store.textEnd + from, to - from);
        return true;
      }
    }
    const value = this.#literal(text, from, to, flags);
    if (value === undefined) return false;
    if (!isSet) {
      object.add(propertyKey(attribute, LITERAL), this.#store.addApart((this.#text + value).trim()), -1);
    }
    this.#text = '';
    return true;
  }

  /** Number of an id in the form that most files have: `urn:uuid:` and a UUID in upper case, then a quote; -1 for another. */
  #uuid(units: Uint8Array, view: DataView, text: string, from: number, quote: number): number {
    if (units[from + URN_LENGTH + UUID_LENGTH] !== quote) return -1;
    for (let i = 0; i < URN_LENGTH; i++) if (units[from + i] !== URN[i]) return -1;
    return this.#index.ids.at(units, view, text, from + URN_LENGTH);
  }

  /** What an attribute of a property stands for; often the same as the last time. */
  #linkedBy(tag: XmlName, text: string, k: number): Resource {
    const from = this.#from[k]!;
    const last = tag.linked;
    if (last?.written.length === this.#to[k]! - from && text.startsWith(last.written, from)) return last;
    const resource = this.#resourceOf(this.#value(text, k) ?? '');
    if (!this.#hasEntity[k]) tag.linked = resource;
    return resource;
  }

  #resourceOf(written: string): Resource {
    let resource = this.#resources.get(written);
    if (!resource) {
      const subject = withoutPrefix(written);
      const named = enumerationMember(written);
      const member = named === undefined ? -1 : this.#store.addApart(interned(named));
      resource = { written, member, id: this.#index.ids.intern(canonicalMrid(subject)), subject };
      this.#resources.set(written, resource);
    }
    return resource;
  }
}
