import { asError } from '../../bus/index.js';
import { patternsFirst } from './group-order.js';
import { hoistBinds } from './lax-scope.js';
import { skipUnbound } from './skip-unbound.js';
import { syntaxFault } from './syntax-fault.js';

/** Forms in which an answer can be had. */
export type SparqlFormat = 'json' | 'xml' | 'csv';

/** Prefixes that the platform puts before every query, on its first line. */
const PREFIXES = [
  'PREFIX r: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>',
  'PREFIX c: <http://iec.ch/TC57/CIM100#>',
  'PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>',
  'PREFIX cim: <http://iec.ch/TC57/CIM100#>',
  'PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>',
].join(' ');

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
  const empty = new Store();
  return {
    // Each piece in a transaction: the loader without one keeps 280 MB of buffers in the store's memory, and is no faster.
    load: (nTriples) => store.load(nTriples, { format: 'application/n-triples' }),
    query(text, format) {
      const ask = (query: string): string => {
        const answer = store.query(`${PREFIXES} ${query}`, { results_format: format });
        if (typeof answer === 'string') return answer;
        throw new Error('it has no table of results.');
      };
      try {
        return ask(patternsFirst(hoistBinds(skipUnbound(text))));
      } catch (error) {
        if (!isPlaced(error)) throw error;
      }
      // Where it cannot be read is told in the words of who asked, not in those of the query put in order.
      try {
        return ask(text);
      } catch (error) {
        const fault = isPlaced(error) ? syntaxFault(text, (query) => faultOf(empty, query)) : undefined;
        throw fault === undefined ? error : new Error(fault, { cause: error });
      }
    },
  };
}

/** Whether the store says where the fault is, that is, the query cannot be read. */
function isPlaced(error: unknown): boolean {
  return /^error at \d+:\d+: /.test(asError(error).message);
}

/** What an empty store, which answers every query at once, says of one; undefined when it can be read. */
function faultOf(empty: { query(text: string): unknown }, query: string): string | undefined {
  try {
    empty.query(`${PREFIXES} ${query}`);
  } catch (error) {
    return asError(error).message;
  }
  return undefined;
}
