import { CIM100_NAMESPACE, type CimIndex } from '../../grid/cim/index.js';
import { DecError } from '../../grid/math/index.js';
import { canonicalMrid } from '../../grid/model/index.js';
import type { ModelStore } from '../model-store.js';
import type { SparqlFormat } from './engine.js';
import { type SparqlBounds, SparqlThread } from './sparql-thread.js';
import { namespaceOf, nTriples } from './triples.js';

/** Answers SPARQL over the CIM objects of all known models. */
export interface SparqlService {
  /**
   * The answer in the form wanted, in UTF-8: it can be megabytes, which nobody here reads. Ids are found in either spelling.
   * @param around - written before and after the answer
   * @throws DecError `UNSUPPORTED` for what is no SELECT or ASK, and as {@link SparqlThread.query}
   */
  query(text: string, format: SparqlFormat, around?: readonly [string, string]): Promise<Uint8Array>;
  /**
   * Loads the models, so that the first query need not wait for all of it; nothing where that has been begun.
   * @throws DecError when a model cannot be read
   */
  prepare(): Promise<void>;
  close(): void;
}

/** Text in quotes that is an id and nothing else. */
const QUOTED_ID = /(["'])((?:urn:uuid:)?_?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\1/g;
const COMMENT_OR_TEXT = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<[^<>"{}|^`\\\s]*>|#[^\n]*/g;
/** What a query is, behind its prefixes. */
const KIND = /^\s*(?:prefix\s+\S*\s*<[^>]*>\s*|base\s*<[^>]*>\s*)*([a-z]+)\b/i;
const UPDATES: ReadonlySet<string> = new Set([
  'INSERT',
  'DELETE',
  'LOAD',
  'CLEAR',
  'DROP',
  'CREATE',
  'COPY',
  'MOVE',
  'ADD',
  'WITH',
]);
const OTHERS: ReadonlySet<string> = new Set(['CONSTRUCT', 'DESCRIBE']);

/** Threads that a query may see ended by others before it fails. */
const TURNS = 3;

/** Makes the service; its thread starts, and the models are loaded into it, with the first query. */
export function createSparqlService(store: ModelStore, bounds: SparqlBounds = {}): SparqlService {
  let thread: SparqlThread | undefined;
  let loaded = new Set<CimIndex>();
  let reading: Promise<ReadonlySet<CimIndex>> | undefined;
  let isClosed = false;

  /** The thread with exactly the known models. */
  const current = (indexes: ReadonlySet<CimIndex>): SparqlThread => {
    if (isClosed) throw stopped();
    if (thread && (thread.hasEnded || [...loaded].some((index) => !indexes.has(index)))) {
      thread.close();
      thread = undefined;
    }
    if (!thread) {
      thread = new SparqlThread(bounds);
      loaded = new Set();
    }
    for (const index of indexes) {
      if (loaded.has(index)) continue;
      loaded.add(index);
      thread.load(nTriples(index));
    }
    return thread;
  };

  /** All models, read a piece at a time: the broker and simulations go on meanwhile. */
  const readModels = (): Promise<ReadonlySet<CimIndex>> => {
    reading ??= inTurns(store.readAhead(), () => isClosed).finally(() => {
      reading = undefined;
    });
    return reading;
  };

  /** Asks the thread; where another's query ended it, the next one. */
  const ask = (
    text: string,
    form: readonly [SparqlFormat, readonly [string, string]],
    indexes: ReadonlySet<CimIndex>,
    turns: number,
  ): Promise<Uint8Array> =>
    current(indexes)
      .query(text, ...form)
      .catch((error: unknown) => {
        const isBystander = error instanceof DecError && error.details['areBystanders'] === true;
        if (isBystander && turns > 1 && !isClosed) return ask(text, form, indexes, turns - 1);
        throw error;
      });

  return {
    query(text, format, around = ['', '']) {
      const kind = KIND.exec(withoutComments(text))?.[1]?.toUpperCase() ?? '';
      if (UPDATES.has(kind) || OTHERS.has(kind)) {
        const reason = UPDATES.has(kind)
          ? 'the models of this platform are read-only; take another in with "dec ingest FILE"'
          : 'SELECT and ASK are answered';
        return Promise.reject(new DecError('UNSUPPORTED', `SPARQL ${kind} is not supported: ${reason}.`, { kind }));
      }
      return readModels().then(async (indexes) => {
        const rows = await ask(respelled(text, indexes), [format, around], indexes, TURNS);
        const own = foreignNamespace(text, indexes);
        if (own === undefined) return rows;
        return new TextEncoder().encode(new TextDecoder().decode(rows).replaceAll(CIM100_NAMESPACE, own));
      });
    },
    async prepare() {
      if (thread !== undefined || isClosed) return;
      try {
        current(await readModels());
      } catch (error) {
        // Nobody asks any more after the platform's end, which also ends the reading.
        if (!isClosed) throw error;
      }
    },
    close() {
      isClosed = true;
      thread?.close();
    },
  };
}

/** The name space of a model's release that a query is written in, where that is not CIM100; its answer is in it too. */
function foreignNamespace(text: string, indexes: ReadonlySet<CimIndex>): string | undefined {
  if (text.includes(CIM100_NAMESPACE)) return undefined;
  return [...indexes].map(namespaceOf).find((namespace) => namespace !== CIM100_NAMESPACE && text.includes(namespace));
}

const stopped = (): DecError => new DecError('INTERNAL', 'The platform was stopped.');

/** Does steps, each in a turn of the event loop of its own. @throws DecError `INTERNAL` when they are not wanted any more */
async function inTurns<T>(steps: Generator<void, T>, isOver: () => boolean): Promise<T> {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
    await new Promise((resolve) => setImmediate(resolve));
    // Thrown inside, so that the file that is being read is closed.
    if (isOver()) steps.throw(stopped());
  }
}

function withoutComments(text: string): string {
  return text.replace(COMMENT_OR_TEXT, (piece) => (piece.startsWith('#') ? ' ' : piece));
}

/**
 * The query with the names of CIM100, which the store has for all models, and with ids as the models spell them, where an id
 * is known in another spelling only.
 */
function respelled(text: string, indexes: ReadonlySet<CimIndex>): string {
  let own = text;
  for (const namespace of new Set([...indexes].map(namespaceOf))) own = own.replaceAll(namespace, CIM100_NAMESPACE);
  return own.replace(QUOTED_ID, (whole, quote: string, written: string) => {
    const id = canonicalMrid(written);
    for (const index of indexes) {
      const object = index.get(id) ?? index.get(id.toUpperCase()) ?? index.get(id.toLowerCase());
      if (!object) continue;
      // A query may go by the subject (CIM-Graph) as well as by the mRID: what is right for either stays.
      return object.mrid === written || object.subject === written ? whole : quote + object.mrid + quote;
    }
    return whole;
  });
}
