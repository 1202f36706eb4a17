import type { CimIndex, CimObject } from '../../grid/cim/index.js';

const RDF_TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type';
/** Name space when the source names none. */
const CIM100 = 'http://iec.ch/TC57/CIM100#';
/** What relative subjects are relative to on the real platform: the address of its store. */
const STORE_BASE = 'http://localhost:8889/bigdata/namespace/kb/sparql#';

/** Name space of the classes and attributes of some files. */
export function namespaceOf(index: CimIndex): string {
  return [...index.namespaces].find((uri) => uri.endsWith('#')) ?? CIM100;
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
export function* statementsOf(index: CimIndex, object: CimObject): Generator<ObjectStatement> {
  const namespace = namespaceOf(index);
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

/** Objects per piece of text, so that no text of a large model grows beyond what a string may be. */
const OBJECTS_PER_PIECE = 10_000;

/** All statements of some files as N-Triples, in pieces. */
export function* nTriples(index: CimIndex): Generator<string> {
  let lines: string[] = [];
  let count = 0;
  for (const object of index.objects.values()) {
    const subject = iriText(objectIri(object.subject));
    for (const { predicate, kind, value } of statementsOf(index, object)) {
      lines.push(`${subject} ${iriText(predicate)} ${kind === 'literal' ? literalText(value) : iriText(value)} .\n`);
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
