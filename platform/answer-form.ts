/*
 * Answers to questions about models in other forms than JSON, as the real platform writes them (its
 * BGPowergridModelDataManagerImpl): lists as an element or a line, objects as RDF/XML, tables as SPARQL results.
 */
import type { ModelInfo, SparqlResult } from '../bus/index.js';
import { type CimObject, escapeXml, writeCim } from '../grid/cim/index.js';
import type { LoadedModel } from './loaded-model.js';
import { namespaceOf } from './sparql/triples.js';

/** Forms other than JSON. */
export type TextForm = 'xml' | 'csv';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** What may be the name of an element. */
const XML_NAME = /^[A-Za-z_][\w.-]*$/;

/**
 * A list under a name. In XML each value is an empty element of that name, as there; where one can be none, such as an
 * address of a class or an id that begins with a digit, for which the real platform fails, elements `value` hold all of them.
 */
export function listText(name: string, values: readonly string[], form: TextForm): string {
  if (form === 'csv') return values.join(',');
  const areNames = values.every((value) => XML_NAME.test(value));
  const elements = values.map((value) => (areNames ? `<${value}/>` : `<value>${escapeXml(value)}</value>`));
  return `${DECLARATION}<${name}>\n${elements.map((element) => `  ${element}\n`).join('')}</${name}>\n`;
}

/** Models with their places in the utility: attributes of an element, or texts with bars between them. */
export function modelInfoText({ models }: ModelInfo, form: TextForm): string {
  if (form === 'csv') return models.map((model) => Object.values(model).join('|')).join(',');
  const elements = models.map((model) => {
    const attributes = Object.entries(model).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
    return `  <model${attributes.join('')}/>\n`;
  });
  return `${DECLARATION}<models>\n${elements.join('')}</models>\n`;
}

/** Objects as a CIM file has them, in the name space and the style of ids of theirs; it can be read as one. */
export function objectsText({ index }: LoadedModel, objects: readonly CimObject[]): string {
  const plain = (id: string): string => (index.get(id)?.subject ?? id).replace(/^_/, '');
  const records = objects.map((object) => ({
    className: object.className,
    id: plain(object.id),
    properties: [...object.properties()].map(({ attribute, kind, value }) => ({
      name: attribute,
      kind,
      value: kind === 'reference' ? plain(value) : value,
    })),
  }));
  const idStyle = objects.some(({ subject }) => subject.startsWith('_')) ? 'id' : 'urn';
  return writeCim(records, { namespace: namespaceOf(index), idStyle });
}

/** A table as SPARQL 1.1 Query Results in XML or CSV. */
export function tableText({ head: { vars }, results: { bindings } }: SparqlResult, form: TextForm): string {
  if (form === 'csv') {
    const line = (cells: readonly string[]) =>
      `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;
    return [vars, ...bindings.map((row) => vars.map((name) => row[name]?.value ?? ''))].map(line).join('');
  }
  const head = vars.map((name) => `<variable name="${escapeXml(name)}"/>`).join('');
  const rows = bindings.map((row) => {
    const cells = vars.flatMap((name) => {
      const cell = row[name];
      if (cell === undefined) return [];
      const kind = cell.type === 'uri' ? 'uri' : 'literal';
      return [`<binding name="${escapeXml(name)}"><${kind}>${escapeXml(cell.value)}</${kind}></binding>`];
    });
    return `<result>${cells.join('')}</result>\n`;
  });
  return `${DECLARATION}<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>${head}</head><results>\n${rows.join('')}</results></sparql>\n`;
}

/** Rows of texts as a table of literals. */
export function literalTable(vars: readonly string[], rows: readonly Readonly<Record<string, string>>[]): SparqlResult {
  const bindings = rows.map((row) =>
    Object.fromEntries(vars.map((name) => [name, { type: 'literal', value: row[name] ?? '' }])),
  );
  return { head: { vars: [...vars] }, results: { bindings } };
}
