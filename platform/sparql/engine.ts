import { patternsFirst } from './group-order.js';
import { hoistBinds } from './lax-scope.js';

/** Forms in which an answer can be had. */
export type SparqlFormat = 'json' | 'xml' | 'csv';

/** Prefixes that the platform puts before every query. */
const PREFIXES = [
  'PREFIX r: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>',
  'PREFIX c: <http://iec.ch/TC57/CIM100#>',
  'PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>',
  'PREFIX cim: <http://iec.ch/TC57/CIM100#>',
  'PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>',
].join('\n');

/** A store of statements that answers SPARQL. */
export interface SparqlEngine {
  /** Takes statements in, as N-Triples. */
  load(nTriples: string): void;
  /** Answers SELECT and ASK in the form wanted. @throws Error when the query cannot be read */
  query(text: string, format: SparqlFormat): string;
}

/** Loads the store's code, which takes a tenth of a second and some tens of MB, only when it is first needed. */
export async function createSparqlEngine(): Promise<SparqlEngine> {
  const { Store } = await import('oxigraph');
  const store = new Store();
  return {
    load: (nTriples) => store.load(nTriples, { format: 'application/n-triples', no_transaction: true }),
    query(text, format) {
      const answer = store.query(`${PREFIXES}\n${patternsFirst(hoistBinds(text))}`, { results_format: format });
      if (typeof answer === 'string') return answer;
      throw new Error('it has no table of results.');
    },
  };
}
