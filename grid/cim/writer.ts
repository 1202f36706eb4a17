/**
 * Writes CIM objects as RDF/XML (IEC 61970-552): typed elements, one property per line, in the order given. The same
 * objects always give the same bytes.
 */

/** One property of a CIM object: a literal, a link to another object, or a member of an enumeration. */
export interface CimProperty {
  /** Class and attribute as in the schema, e.g. `IdentifiedObject.name`. */
  readonly name: string;
  readonly kind: 'literal' | 'reference' | 'enumeration';
  /** The text of a literal, the id of the object linked to, or e.g. `PhaseCode.ABC`. */
  readonly value: string;
}

/** One object to write. */
export interface CimRecord {
  readonly className: string;
  /** mRID without any prefix. */
  readonly id: string;
  readonly properties: readonly CimProperty[];
}

/** How the document is written. */
export interface CimDocumentStyle {
  /** Name space of the classes. Default {@link CIM100_NAMESPACE}. */
  readonly namespace?: string;
  /** `urn`: `rdf:about="urn:uuid:X"` (CIM100); `id`: `rdf:ID="_X"` and `rdf:resource="#_X"` (CIM16, CIM17). Default `urn`. */
  readonly idStyle?: 'urn' | 'id';
  /** Comment lines under the XML declaration. */
  readonly comment?: readonly string[];
}

/** The CIM100 name space. */
export const CIM100_NAMESPACE = 'http://iec.ch/TC57/CIM100#';
const RDF_NAMESPACE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** A literal property. Numbers are written in their shortest exact decimal form. */
export function literal(name: string, value: string | number | boolean): CimProperty {
  return { name, kind: 'literal', value: String(value) };
}

/** A link to another object by its id (without prefix). */
export function reference(name: string, id: string): CimProperty {
  return { name, kind: 'reference', value: id };
}

/** A member of an enumeration, e.g. `SinglePhaseKind.A`. */
export function enumeration(name: string, member: string): CimProperty {
  return { name, kind: 'enumeration', value: member };
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it may stand in an element or a quoted attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

/**
 * The document in pieces, one object each, so that a large model can be written without holding it as one string.
 *
 * @param objects - written in this order
 */
export function* cimDocument(objects: Iterable<CimRecord>, style: CimDocumentStyle = {}): Generator<string> {
  const namespace = style.namespace ?? CIM100_NAMESPACE;
  const isUrn = (style.idStyle ?? 'urn') === 'urn';
  const resource = isUrn ? 'urn:uuid:' : '#_';
  const subject = isUrn ? 'rdf:about="urn:uuid:' : 'rdf:ID="_';
  yield '<?xml version="1.0" encoding="utf-8"?>\n';
  for (const line of style.comment ?? []) yield `<!-- ${line.replaceAll('--', '- -')} -->\n`;
  yield `<rdf:RDF xmlns:cim="${escapeXml(namespace)}" xmlns:rdf="${RDF_NAMESPACE}">\n`;
  for (const object of objects) {
    let text = `<cim:${object.className} ${subject}${escapeXml(object.id)}">\n`;
    for (const { name, kind, value } of object.properties) {
      if (kind === 'literal') text += `<cim:${name}>${escapeXml(value)}</cim:${name}>\n`;
      else if (kind === 'reference') text += `<cim:${name} rdf:resource="${resource}${escapeXml(value)}"/>\n`;
      else text += `<cim:${name} rdf:resource="${escapeXml(namespace + value)}"/>\n`;
    }
    yield `${text}</cim:${object.className}>\n`;
  }
  yield '</rdf:RDF>\n';
}

/** The whole document as one string; see {@link cimDocument}. */
export function writeCim(objects: Iterable<CimRecord>, style: CimDocumentStyle = {}): string {
  return [...cimDocument(objects, style)].join('');
}
