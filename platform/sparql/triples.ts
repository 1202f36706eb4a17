import { CIM100_NAMESPACE, type CimIndex, type CimObject } from '../../grid/cim/index.js';
import { impliedStatements } from './implied-statements.js';

const RDF_TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type';
/** What relative subjects are relative to on the real platform: the address of its store. */
const STORE_BASE = 'http://localhost:8889/bigdata/namespace/kb/sparql#';

/** Name space of the classes and attributes of some files. */
export function namespaceOf(index: CimIndex): string {
  return [...index.namespaces].find((uri) => uri.endsWith('#')) ?? CIM100_NAMESPACE;
}

/** IRI of an object: `rdf:ID` (with its underscore) is relative to the store, everything else a `urn:uuid:`. */
export function objectIri(subject: string): string {
  return subject.startsWith('_') ? STORE_BASE + subject : `urn:uuid:${subject}`;
}

/** One property of an object as a graph has it. */
export interface ObjectStatement {
  readonly predicate: string;
  readonly kind: 'uri' | 'literal';
  readonly value: string;
}

/** The statements about an object, its class first. */
export function* statementsOf(
  index: CimIndex,
  object: CimObject,
  namespace = namespaceOf(index),
): Generator<ObjectStatement> {
  yield { predicate: RDF_TYPE, kind: 'uri', value: namespace + object.className };
  for (const { attribute, kind, value } of object.properties()) {
    const predicate = namespace + attribute;
    if (kind === 'literal') yield { predicate, kind, value };
    else {
      const iri = kind === 'enumeration' ? namespace + value : objectIri(index.get(value)?.subject ?? value);
      yield { predicate, kind: 'uri', value: iri };
    }
  }
}

/** Objects per piece of text: a seventh of a megabyte, so that a large model is never one text in memory. */
const OBJECTS_PER_PIECE = 150;

/** The attribute whose number GridAPPS-D's models write in one way, which applications look for as a text. */
const DURATION = `${CIM100_NAMESPACE}OperationalLimitType.acceptableDuration`;

/**
 * All statements of some files as N-Triples, in pieces, with what they imply. Whatever release of CIM a file is of, the
 * names are those of CIM100, so that one query is for all models.
 */
export function* nTriples(index: CimIndex): Generator<string> {
  let lines: string[] = [];
  let count = 0;
  const predicates = new Map<string, string>();
  const predicateText = (predicate: string) => {
    const known = predicates.get(predicate) ?? iriText(predicate);
    predicates.set(predicate, known);
    return known;
  };
  const line = (subject: string, predicate: string, kind: ObjectStatement['kind'], value: string) => {
    const text = predicate === DURATION && Number(value) === 5e9 ? '5E9' : value;
    lines.push(`${subject} ${predicateText(predicate)} ${kind === 'literal' ? literalText(text) : iriText(text)} .\n`);
  };
  for (const object of index.objects.values()) {
    const own = iriText(objectIri(object.subject));
    for (const { predicate, kind, value } of statementsOf(index, object, CIM100_NAMESPACE)) {
      line(own, predicate, kind, value);
    }
    for (const { subject, attribute, kind, value } of impliedStatements(index, object)) {
      const predicate = attribute === undefined ? RDF_TYPE : CIM100_NAMESPACE + attribute;
      const isName = attribute === undefined || kind === 'enumeration';
      const object = isName ? CIM100_NAMESPACE + value : kind === 'uri' ? objectIri(value) : value;
      line(iriText(objectIri(subject)), predicate, kind === 'literal' ? kind : 'uri', object);
    }
    if (++count % OBJECTS_PER_PIECE === 0) {
      yield lines.join('');
      lines = [];
    }
  }
  yield lines.join('');
}

/** An IRI between its brackets; what may not stand in one is percent-encoded. */
function iriText(iri: string): string {
  return `<${iri.replace(/[^!#-;=?-[\]_a-z~\u00a0-\uffff]/g, (sign) => encodeURIComponent(sign))}>`;
}

function literalText(value: string): string {
  return JSON.stringify(value).replace(/\\([bf])/g, (_, letter: string) => (letter === 'b' ? '\\u0008' : '\\u000C'));
}
