/*
 * CIM RDF/XML into a typed object index by a complete XML parser, streaming.
 *
 * Elements under rdf:RDF are objects (typed elements, or rdf:Description with rdf:type), their children are properties:
 * text is a literal, rdf:resource a link or a member of an enumeration, an element inside a property an object of its own.
 * Subjects are rdf:about, rdf:ID or rdf:nodeID in any spelling; a subject met again adds properties to the same object,
 * which is how split profiles merge. Only local names count, so every CIM name space is taken.
 * Cost: one pass, memory proportional to the number of properties. Fails: XML_MALFORMED with file, line and column.
 */
import { type SaxesAttributePlain, SaxesParser, type SaxesTagPlain } from 'saxes';
import { DecError } from '../math/index.js';
import { canonicalMrid } from '../model/index.js';
import { CimObject, ENUMERATION, LITERAL, propertyKey, REFERENCE } from './cim-object.js';
import { XmlTextDecoder } from './encoding.js';
import { KeyList } from './key-list.js';
import { ForeignSpaces, isCimSpace, isForeign, RDF } from './name-space.js';
import type { CimIndex } from './object-index.js';
import { ObjectMerge } from './object-merge.js';
import { PropertyStore } from './property-store.js';
import { enumerationMember, withoutPrefix } from './subject.js';

/** Control characters that XML 1.0 has no place for. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F]/;

/** An object being read. */
interface ReadObject {
  /** As written, without `urn:uuid:` and `#`. */
  readonly subject: string;
  /** Canonical. */
  readonly id: string;
  className: string;
  /** False for an rdf:Description without an rdf:type. */
  isTyped: boolean;
  /** Line on which its start tag ends. */
  readonly line: number;
  keys: KeyList;
  readonly values: string[];
}

/** A property being read. */
interface OpenProperty {
  readonly code: number;
  isSet: boolean;
}

/** Reads one file piece by piece into an index, with everything that XML allows, and says what it does not allow. */
export class SaxesIndexReader {
  readonly fileName: string;
  readonly index: CimIndex;
  readonly #parser: SaxesParser<{ xmlns: false; fileName: string; position: true }>;
  readonly #noKeys = new KeyList();
  readonly #open: ReadObject[] = [];
  readonly #properties: OpenProperty[] = [];
  readonly #merge: ObjectMerge;
  readonly #store: PropertyStore;
  readonly #localNames = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  #isRooted = false;
  #about = 'rdf:about';
  #id = 'rdf:ID';
  #node = 'rdf:nodeID';
  #resource = 'rdf:resource';
  #type = 'rdf:type';
  #description = 'rdf:Description';
  #anonymous = 0;
  /** Name spaces by prefix, and the elements of those that are not CIM's. */
  readonly #spaces = new Map<string, string>();
  /** Elements known to be of CIM. */
  readonly #own = new Set<string>();
  readonly #foreign = new ForeignSpaces();
  #text = '';
  #decoder: XmlTextDecoder | undefined;
  #isStarted = false;
  #hasReplacement = false;

  /**
   * @param fileName - named in errors and findings
   * @param index - to which the file's objects are added
   */
  constructor(fileName: string, index: CimIndex) {
    this.fileName = fileName;
    this.index = index;
    this.#merge = new ObjectMerge(index, fileName);
    this.#store = new PropertyStore(index, fileName);
    const parser = new SaxesParser<{ xmlns: false; fileName: string; position: true }>({
      xmlns: false,
      fileName,
      position: true,
    });
    parser.on('error', (error) => this.#fail(error.message));
    parser.on('opentag', (tag) => this.#openTag(tag));
    parser.on('closetag', () => this.#closeTag());
    const onText = (text: string) => {
      if (this.#properties.length > 0 && this.#properties.length === this.#open.length) this.#text += text;
    };
    parser.on('text', onText);
    parser.on('cdata', onText);
    this.#parser = parser;
  }

  /**
   * Takes the next piece of the file; a piece may end anywhere, also inside a character.
   *
   * @param chunk - bytes, decoded by the file's byte order mark or XML declaration, or text that is decoded already
   * @throws DecError XML_MALFORMED naming file, line and column
   */
  push(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string') {
      this.#checkDecoding(chunk);
      this.#parser.write(chunk);
      return;
    }
    this.#decoder ??= new XmlTextDecoder(this.fileName);
    this.#parser.write(this.#decoder.decode(chunk));
  }

  /** Text that was decoded with the wrong encoding shows: UTF-16 by zero characters, others by replaced characters. */
  #checkDecoding(text: string): void {
    if (!this.#isStarted && text !== '') {
      this.#isStarted = true;
      const start = text.slice(0, 64);
      if (start.includes('\0') || start.startsWith('\uFFFD\uFFFD')) {
        this.#fail('the file is encoded as UTF-16 but was read as UTF-8; save it as UTF-8');
      }
    }
    if (this.#hasReplacement || !text.includes('\uFFFD')) return;
    this.#hasReplacement = true;
    const line = this.#parser.line + (text.slice(0, text.indexOf('\uFFFD')).match(/\n/g)?.length ?? 0);
    const declared = this.#parser.xmlDecl.encoding ?? /^<\?xml[^>]*?encoding=["']([^"']+)/.exec(text)?.[1];
    this.index.findings.push({
      severity: 'warning',
      code: 'ENCODING',
      message: `${this.fileName} has characters that are not UTF-8, first at line ${line}${declared ? `; it declares ${declared}` : ''}. They are lost in names; save the file as UTF-8.`,
      ...(declared ? { value: declared } : {}),
      allowed: 'UTF-8',
      file: this.fileName,
      line,
    });
  }

  /**
   * Ends the file.
   *
   * @throws DecError XML_MALFORMED when the document is not complete or holds no rdf:RDF
   */
  end(): void {
    if (this.#decoder) this.#parser.write(this.#decoder.end());
    this.#parser.close();
    if (!this.#isRooted) this.#fail('the document has no rdf:RDF element');
    this.#foreign.report(this.index, this.fileName);
    this.index.invalidate();
  }

  #fail(message: string): never {
    const { line, column } = this.#parser;
    const object = this.#open.at(-1);
    const property = this.#properties.at(-1);
    const attribute = property && property.code >= 0 ? `, ${this.index.attributeName(property.code)}` : '';
    const place = object ? ` (in ${object.className} ${object.subject}${attribute})` : '';
    const hint = this.#isRooted ? '' : '. A model is CIM XML (RDF) or an OpenDSS master file';
    const bare = message.replace(/^[^:]*:\d+:\d+: /, '').replace(/\.$/, '') + place + hint;
    throw new DecError('XML_MALFORMED', `${this.fileName}, line ${line}, column ${column}: ${bare}`, {
      file: this.fileName,
      line,
      column,
      reason: bare,
    });
  }

  #local(qualified: string): string {
    let local = this.#localNames.get(qualified);
    if (local === undefined) {
      local = qualified.slice(qualified.indexOf(':') + 1);
      this.#localNames.set(qualified, local);
    }
    return local;
  }

  #canonical(written: string): string {
    let id = this.#ids.get(written);
    if (id === undefined) {
      id = canonicalMrid(withoutPrefix(written));
      this.#ids.set(written, id);
    }
    return id;
  }

  #root(tag: SaxesTagPlain): void {
    this.#isRooted = true;
    let prefix = '';
    for (const [name, value] of Object.entries<SaxesAttributePlain['value']>(tag.attributes)) {
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
      this.#spaces.set(name === 'xmlns' ? '' : name.slice(6), value);
      if (value === RDF) prefix = name === 'xmlns' ? '' : `${name.slice(6)}:`;
      else if (isCimSpace(value)) this.index.namespaces.add(value);
    }
    const isBound = Object.values<SaxesAttributePlain['value']>(tag.attributes).includes(RDF);
    if (!isBound && this.#local(tag.name) === 'RDF') {
      const own = tag.name.includes(':') ? tag.name.slice(0, tag.name.indexOf(':')) : '';
      const declaration = own === '' ? 'xmlns' : `xmlns:${own}`;
      this.#fail(`the root element ${tag.name} does not declare its name space; add ${declaration}="${RDF}"`);
    }
    if (tag.name !== `${prefix}RDF`) {
      this.#fail(`the root element is ${tag.name}, not rdf:RDF; this is not a CIM RDF/XML document`);
    }
    this.#about = `${prefix}about`;
    this.#id = `${prefix}ID`;
    this.#node = `${prefix}nodeID`;
    this.#resource = `${prefix}resource`;
    this.#type = `${prefix}type`;
    this.#description = `${prefix}Description`;
  }

  #openTag(tag: SaxesTagPlain): void {
    if (!this.#isRooted) {
      this.#root(tag);
    } else if (this.#open.length === this.#properties.length) {
      this.#openObject(tag);
    } else {
      this.#openProperty(tag);
    }
  }

  /** Counts elements of name spaces that are neither CIM's nor RDF's; only local names count, so they are read all the same. */
  #noteSpace({ name, attributes }: SaxesTagPlain): void {
    if (this.#own.has(name) && !Object.keys(attributes).some((key) => key.startsWith('xmlns'))) return;
    const colon = name.indexOf(':');
    const prefix = colon < 0 ? '' : name.slice(0, colon);
    const space = attributes[prefix === '' ? 'xmlns' : `xmlns:${prefix}`] ?? this.#spaces.get(prefix) ?? '';
    if (isForeign(space)) this.#foreign.add(space, name, this.#parser.line);
    else this.#own.add(name);
  }

  #openObject(tag: SaxesTagPlain): void {
    const { attributes } = tag;
    this.#noteSpace(tag);
    let written = attributes[this.#about] ?? attributes[this.#id] ?? attributes[this.#node];
    if (written === undefined) {
      this.#anonymous++;
      written = `anonymous-${this.index.files.length}-${this.#anonymous}`;
    }
    const isDescription = tag.name === this.#description;
    const object: ReadObject = {
      subject: withoutPrefix(written),
      id: this.#canonical(written),
      className: isDescription ? 'Description' : this.#local(tag.name),
      isTyped: !isDescription,
      line: this.#parser.line,
      keys: this.#noKeys,
      values: [],
    };
    const property = this.#properties.at(-1);
    const parent = this.#open.at(-1);
    if (property && parent) {
      property.isSet = true;
      parent.keys = parent.keys.with(propertyKey(property.code, REFERENCE));
      parent.values.push(object.id);
    }
    this.#open.push(object);
    for (const name in attributes) {
      if (name.startsWith('xml') || name === this.#about || name === this.#id || name === this.#node) continue;
      object.keys = object.keys.with(propertyKey(this.index.internAttribute(this.#local(name)), LITERAL));
      object.values.push(attributes[name]!);
    }
  }

  #openProperty(tag: SaxesTagPlain): void {
    const object = this.#open.at(-1)!;
    this.#noteSpace(tag);
    const resource = tag.attributes[this.#resource] ?? tag.attributes[this.#node];
    this.#text = '';
    if (tag.name === this.#type && resource !== undefined) {
      object.className = resource.slice(Math.max(resource.lastIndexOf('#'), resource.lastIndexOf('/')) + 1);
      object.isTyped = true;
      this.#properties.push({ code: -1, isSet: true });
      return;
    }
    const code = this.index.internAttribute(this.#local(tag.name));
    if (resource !== undefined) {
      const member = enumerationMember(resource);
      object.keys = object.keys.with(propertyKey(code, member === undefined ? REFERENCE : ENUMERATION));
      object.values.push(member ?? this.#canonical(resource));
    }
    this.#properties.push({ code, isSet: resource !== undefined });
  }

  #closeTag(): void {
    if (this.#open.length === 0) return;
    if (this.#properties.length === this.#open.length) {
      const property = this.#properties.pop()!;
      if (property.isSet) return;
      const object = this.#open.at(-1)!;
      object.keys = object.keys.with(propertyKey(property.code, LITERAL));
      if (CONTROL.test(this.#text)) {
        const code = CONTROL.exec(this.#text)![0].charCodeAt(0);
        this.#fail(
          `the text has a control character (U+${code.toString(16).padStart(4, '0')}), which XML does not allow`,
        );
      }
      object.values.push(this.#text.trim());
      this.#text = '';
      return;
    }
    const { subject, id, className, isTyped, line, keys, values } = this.#open.pop()!;
    for (let i = 0; i < values.length; i++) if ((keys.keys[i]! & 3) === REFERENCE) this.index.ids.intern(values[i]!);
    const number = this.index.ids.intern(id);
    this.#merge.add(new CimObject(this.#store, number, subject, className, line, keys, 0, values), isTyped);
  }
}
