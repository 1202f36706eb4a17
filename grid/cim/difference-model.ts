/*
 * Difference models as IEC 61970-552 writes them: a dm:DifferenceModel with a header, the statements that hold afterwards
 * (forward) and those that held before (reverse), each an rdf:Description of an object with attributes.
 * Source: IEC 61970-552:2016, clauses 5 (difference model) and 6.2 (header).
 * Reading fails: XML_MALFORMED with file and line; PROTOCOL, all findings at once, for what is no difference model.
 */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { DecError } from '../math/index.js';
import type { Difference } from './difference.js';
import { isCimSpace, RDF } from './name-space.js';
import { withoutPrefix } from './subject.js';
import { CIM100_NAMESPACE, escapeXml } from './writer.js';

/** Name space of difference models. */
const DIFFERENCE_MODEL = 'http://iec.ch/TC57/61970-552/DifferenceModel/1#';
/** Name space of model headers. */
const MODEL_DESCRIPTION = 'http://iec.ch/TC57/61970-552/ModelDescription/1#';

/** A change of a model. */
export interface DifferenceModel {
  /** Identifies the difference, a UUID without prefix. */
  readonly mrid: string;
  /** When it was made, ISO 8601. */
  readonly created: string;
  /** The time it is meant for, ISO 8601. */
  readonly scenarioTime: string;
  readonly description: string;
  /** mRID of the model that it changes. */
  readonly supersedes?: string;
  /** What holds afterwards. */
  readonly forward: readonly Difference[];
  /** What held before. */
  readonly reverse: readonly Difference[];
}

/**
 * Writes a difference model as RDF/XML; the same model always gives the same bytes.
 *
 * @throws DecError UNSUPPORTED for a value that is no number, text or truth value, or an attribute that is no XML name
 */
export function writeDifferenceModel(model: DifferenceModel): string {
  const header = [
    ['created', model.created],
    ['scenarioTime', model.scenarioTime],
    ['description', model.description],
  ].map(([name, text]) => `<md:Model.${name}>${escapeXml(text!)}</md:Model.${name}>\n`);
  if (model.supersedes !== undefined) {
    header.push(`<md:Model.Supersedes rdf:resource="urn:uuid:${escapeXml(withoutPrefix(model.supersedes))}"/>\n`);
  }
  return [
    '<?xml version="1.0" encoding="utf-8"?>\n',
    `<rdf:RDF xmlns:rdf="${RDF}" xmlns:cim="${CIM100_NAMESPACE}" xmlns:md="${MODEL_DESCRIPTION}" xmlns:dm="${DIFFERENCE_MODEL}">\n`,
    `<dm:DifferenceModel rdf:about="urn:uuid:${escapeXml(withoutPrefix(model.mrid))}">\n`,
    ...header,
    ...statements('forwardDifferences', model.forward),
    ...statements('reverseDifferences', model.reverse),
    '</dm:DifferenceModel>\n</rdf:RDF>\n',
  ].join('');
}

/** Class and attribute, e.g. `PowerElectronicsConnection.p`. */
const ATTRIBUTE = /^[A-Za-z_]\w*\.[A-Za-z_]\w*$/;

function* statements(name: string, differences: readonly Difference[]): Generator<string> {
  const byObject = new Map<string, Difference[]>();
  for (const difference of differences) {
    const list = byObject.get(difference.object);
    if (list) list.push(difference);
    else byObject.set(difference.object, [difference]);
  }
  yield `<dm:${name} rdf:parseType="Statements">\n`;
  for (const [object, list] of byObject) {
    yield `<rdf:Description rdf:about="urn:uuid:${escapeXml(withoutPrefix(object))}">\n`;
    for (const { attribute, value } of list) {
      if (typeof value === 'object' || !ATTRIBUTE.test(attribute)) {
        throw new DecError('UNSUPPORTED', `A difference model cannot hold ${attribute} of ${object}.`, {
          ...{
            object,
            attribute,
            value: JSON.stringify(value),
            allowed: 'Class.attribute with a number, text or truth',
          },
        });
      }
      yield `<cim:${attribute}>${escapeXml(String(value))}</cim:${attribute}>\n`;
    }
    yield '</rdf:Description>\n';
  }
  yield `</dm:${name}>\n`;
}

/** What is open at a place of the document. */
type Place =
  | { readonly at: 'root' | 'model' | 'ignored' }
  | { readonly at: 'header'; readonly name: string }
  | { readonly at: 'side'; readonly list: Difference[] }
  | { readonly at: 'object'; readonly list: Difference[]; readonly object: string }
  | {
      readonly at: 'attribute';
      readonly list: Difference[];
      readonly object: string;
      readonly attribute: string;
      readonly resource: string | undefined;
    };

/**
 * Reads a difference model. Objects may be rdf:Description or elements of their class, ids may be written in every style.
 * Numbers come back as texts, as CIM has no other way to tell them.
 *
 * @param fileName - named in errors
 * @throws DecError XML_MALFORMED with file and line; PROTOCOL with everything that is no difference model
 */
export function readDifferenceModel(text: string, fileName: string): DifferenceModel {
  const reading = new Reading(fileName);
  reading.write(text);
  return reading.model();
}

class Reading {
  readonly #fileName: string;
  readonly #parser: SaxesParser<{ xmlns: true; fileName: string; position: true }>;
  readonly #open: Place[] = [];
  readonly #problems: { readonly line: number; readonly message: string }[] = [];
  readonly #header = new Map<string, string>();
  readonly #forward: Difference[] = [];
  readonly #reverse: Difference[] = [];
  #mrid: string | undefined;
  #text = '';

  constructor(fileName: string) {
    this.#fileName = fileName;
    this.#parser = new SaxesParser({ xmlns: true, fileName, position: true });
    this.#parser.on('error', (cause) => {
      const { line } = this.#parser;
      throw new DecError('XML_MALFORMED', `${fileName}:${line}: ${cause.message}`, { file: fileName, line }, { cause });
    });
    this.#parser.on('opentag', (tag) => this.#enter(tag));
    this.#parser.on('closetag', () => this.#leave());
    this.#parser.on('text', (text) => {
      this.#text += text;
    });
    this.#parser.on('cdata', (text) => {
      this.#text += text;
    });
  }

  write(text: string): void {
    this.#parser.write(text).close();
  }

  model(): DifferenceModel {
    if (this.#mrid === undefined) this.#note(1, 'It holds no dm:DifferenceModel.');
    const problems = this.#problems.map(({ line, message }) => `${this.#fileName}:${line}: ${message}`);
    if (problems.length > 0) {
      throw new DecError('PROTOCOL', problems.join('\n'), { file: this.#fileName, problems });
    }
    const supersedes = this.#header.get('Supersedes');
    return {
      mrid: this.#mrid!,
      created: this.#header.get('created') ?? '',
      scenarioTime: this.#header.get('scenarioTime') ?? '',
      description: this.#header.get('description') ?? '',
      ...(supersedes === undefined ? {} : { supersedes }),
      forward: this.#forward,
      reverse: this.#reverse,
    };
  }

  #note(line: number, message: string): void {
    this.#problems.push({ line, message });
  }

  #enter(tag: SaxesTagNS): void {
    this.#text = '';
    const place = this.#placeOf(tag, this.#open.at(-1));
    this.#open.push(place);
  }

  #placeOf(tag: SaxesTagNS, parent: Place | undefined): Place {
    const { uri, local } = tag;
    const line = this.#parser.line;
    switch (parent?.at) {
      case undefined:
        if (uri !== RDF || local !== 'RDF') this.#note(line, `The document is a ${tag.name}, not an rdf:RDF.`);
        return { at: 'root' };
      case 'root':
        if (uri !== DIFFERENCE_MODEL || local !== 'DifferenceModel') {
          this.#note(line, `${tag.name} stands where a dm:DifferenceModel is expected.`);
          return { at: 'ignored' };
        }
        if (this.#mrid !== undefined) this.#note(line, 'It holds more than one dm:DifferenceModel.');
        this.#mrid = subjectOf(tag);
        if (this.#mrid === undefined) this.#note(line, 'The model has neither rdf:about nor rdf:ID.');
        return { at: 'model' };
      case 'model':
        if (uri === DIFFERENCE_MODEL && local === 'forwardDifferences') return { at: 'side', list: this.#forward };
        if (uri === DIFFERENCE_MODEL && local === 'reverseDifferences') return { at: 'side', list: this.#reverse };
        if (uri === DIFFERENCE_MODEL && local === 'preconditions') return { at: 'ignored' };
        if (uri !== MODEL_DESCRIPTION) this.#note(line, `${tag.name} has no place in a dm:DifferenceModel.`);
        this.#takeResource(tag);
        return { at: 'header', name: local.replace(/^Model\./, '') };
      case 'side': {
        const object = subjectOf(tag);
        if (object === undefined) this.#note(line, `${tag.name} has neither rdf:about nor rdf:ID.`);
        return { at: 'object', list: parent.list, object: object ?? '' };
      }
      case 'object':
        if (!isCimSpace(uri) || !ATTRIBUTE.test(local)) this.#note(line, `${tag.name} is no attribute of CIM.`);
        return { ...parent, at: 'attribute', attribute: local, resource: attributeOf(tag, 'resource') };
      case 'ignored':
        return parent;
      default:
        this.#note(line, `${tag.name} stands inside a value.`);
        return { at: 'ignored' };
    }
  }

  #takeResource(tag: SaxesTagNS): void {
    const resource = attributeOf(tag, 'resource');
    if (resource !== undefined) this.#header.set(tag.local.replace(/^Model\./, ''), withoutPrefix(resource));
  }

  #leave(): void {
    const place = this.#open.pop();
    const text = this.#text.trim();
    this.#text = '';
    if (place?.at === 'header') {
      if (!this.#header.has(place.name)) this.#header.set(place.name, text);
    } else if (place?.at === 'attribute') {
      const { list, object, attribute, resource } = place;
      const line = this.#parser.line;
      if (resource === undefined && text === '') this.#note(line, `${attribute} of ${object} has no value.`);
      // A member of an enumeration is written as the text after its name space.
      list.push({
        object,
        attribute,
        value: resource === undefined ? text : resource.slice(resource.indexOf('#') + 1),
      });
    }
  }
}

function attributeOf(tag: SaxesTagNS, local: string): string | undefined {
  const found = Object.values<SaxesAttributeNS>(tag.attributes).find((one) => one.uri === RDF && one.local === local);
  return found?.value;
}

function subjectOf(tag: SaxesTagNS): string | undefined {
  const written = attributeOf(tag, 'about') ?? attributeOf(tag, 'ID');
  return written === undefined || written === '' ? undefined : withoutPrefix(written);
}
