import { Worker } from 'node:worker_threads';
import { DecError } from '../../grid/math/index.js';
import type { SparqlFormat } from './engine.js';
import { MEMORY_MB } from './memory-limit.js';

/** Longest time a query may take, ms; the Python clients wait 30 s. */
export const QUERY_TIME_MS = 60_000;

/** Bounds of a {@link SparqlThread}. */
export interface SparqlBounds {
  /** Longest time a query may take, ms; {@link QUERY_TIME_MS} when absent. */
  readonly timeMs?: number | undefined;
  /** {@link MEMORY_MB} when absent. */
  readonly memoryMb?: number | undefined;
}

/** What the thread is told. */
export type ToWorker =
  | { readonly kind: 'load'; readonly nTriples: string }
  | ({ readonly kind: 'query'; readonly id: number } & Asked);

/** A query and how its answer is wanted. */
interface Asked {
  readonly text: string;
  readonly format: SparqlFormat;
  /** Written before and after the answer. */
  readonly around: readonly [string, string];
}

/** What the thread says: an answer, or why there is none; `id` 0 is about what was loaded, without a reason when it was. */
interface FromWorker {
  readonly id: number;
  readonly answer?: Uint8Array;
  readonly reason?: string;
  /** The store cannot be asked any more. */
  readonly isBroken?: boolean;
  /** It is because there was no memory left. */
  readonly isTooLarge?: boolean;
}

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: DecError) => void;
}

/** In the sources the built thread is used, as tests run from them. */
function workerUrl(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? '../../dist/bin/sparql-worker.js' : './sparql-worker.js', import.meta.url);
}

/**
 * A store of statements in a thread of its own: a query that takes seconds stops neither the clock of a simulation nor the
 * heart-beats of the broker, and one that takes too long can be ended, with the thread.
 */
export class SparqlThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** What is still to be loaded; a piece is written while the one before it goes into the store, so that two are in memory. */
  readonly #loads: Iterator<string>[] = [];
  /** The next piece, written already. */
  #next: string | undefined;
  #isLoading = false;
  readonly #timeMs: number;
  readonly #memoryMb: number;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #loadProblem = '';
  #hasEnded = false;

  constructor({ timeMs = QUERY_TIME_MS, memoryMb = MEMORY_MB }: SparqlBounds = {}) {
    this.#timeMs = timeMs;
    this.#memoryMb = memoryMb;
    // The limits of a thread's heap do not hold the store, which lies outside of it: see memory-limit.ts.
    const resourceLimits = { maxYoungGenerationSizeMb: 4 };
    this.#worker = new Worker(workerUrl(), { name: 'sparql', workerData: { memoryMb }, resourceLimits });
    this.#worker.on('message', (message: FromWorker) => this.#heard(message));
    this.#worker.on('error', (error) => this.#end(`The SPARQL store failed: ${error.message}`));
    this.#worker.on('exit', () => this.#end('The SPARQL store ended.'));
    // A platform that nobody stops is kept alive by its broker, not by this.
    this.#worker.unref();
  }

  /** Whether the thread is gone; a new one has to be loaded anew. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Takes statements in, piece by piece; queries wait until all of them are there. */
  load(pieces: Iterable<string>): void {
    this.#loads.push(pieces[Symbol.iterator]());
    if (!this.#isLoading) this.#loadNext();
  }

  /**
   * Answers one query after the other, in UTF-8.
   * @param around - written before and after the answer
   * @throws DecError `BAD_ARGUMENT` for a faulty query, `TIMEOUT`, `INTERNAL`
   */
  query(text: string, format: SparqlFormat, around: readonly [string, string] = ['', '']): Promise<Uint8Array> {
    if (this.#hasEnded) return Promise.reject(new DecError('INTERNAL', 'The SPARQL store has ended.'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const asked = { text, format, around };
      this.#waiting.set(id, { asked, resolve, reject });
      if (!this.#isLoading) this.#worker.postMessage({ kind: 'query', id, ...asked } satisfies ToWorker);
      if (this.#waiting.size === 1) this.#watch();
    });
  }

  close(): void {
    this.#end('The platform was stopped.');
  }

  #loadNext(): void {
    const nTriples = this.#next ?? this.#write();
    this.#next = undefined;
    if (nTriples !== undefined) {
      this.#isLoading = true;
      this.#worker.postMessage({ kind: 'load', nTriples } satisfies ToWorker);
      this.#next = this.#write();
      return;
    }
    this.#isLoading = false;
    for (const [id, { asked }] of this.#waiting) {
      this.#worker.postMessage({ kind: 'query', id, ...asked } satisfies ToWorker);
    }
  }

  /** Writes the next piece of what is to be loaded. */
  #write(): string | undefined {
    for (let [pieces] = this.#loads; pieces !== undefined; [pieces] = this.#loads) {
      const { value, done } = pieces.next();
      if (done !== true) return value;
      this.#loads.shift();
    }
    return undefined;
  }

  #heard({ id, answer, reason, isBroken = false, isTooLarge = false }: FromWorker): void {
    if (id === 0) {
      if (isTooLarge) {
        const text = `The models of this platform need more than the ${this.#memoryMb} MB that SPARQL has; give it more with --sparql-memory, or the platform fewer models.`;
        this.#end(text, false, 'UNSUPPORTED');
        return;
      }
      if (reason !== undefined) this.#loadProblem = ` (a model could not be loaded: ${reason})`;
      if (!this.#hasEnded) this.#loadNext();
      return;
    }
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#watch();
    if (answer !== undefined) waiting.resolve(answer);
    else if (isTooLarge) {
      const message = `The SPARQL query needs more than the ${this.#memoryMb} MB that it may have beside the models. Name the feeder early in it, join by what objects share, ask for less at once, or give it more with --sparql-memory.`;
      waiting.reject(new DecError('BAD_ARGUMENT', message, this.#details(waiting)));
      this.#end('The SPARQL store was ended with a query that took all of its memory; ask again.', true);
    } else if (isBroken) {
      const message = `The SPARQL query broke the store (${reason ?? 'unknown reason'}): it nests too deep or is too long. The store is made anew; ask in parts.`;
      waiting.reject(new DecError('BAD_ARGUMENT', message, this.#details(waiting)));
      this.#end('The SPARQL store was ended with a query that broke it; ask again.', true);
    } else {
      const message = `The SPARQL query cannot be answered: ${reason ?? 'unknown reason'}${this.#loadProblem}`;
      waiting.reject(new DecError('BAD_ARGUMENT', message, this.#details(waiting)));
    }
  }

  /** Times the query that is being answered: the first that waits. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      const [first] = this.#waiting;
      if (!first) return;
      this.#waiting.delete(first[0]);
      const message = `The SPARQL query took longer than ${this.#timeMs / 1000} s and was ended; name the feeder early in it.`;
      first[1].reject(new DecError('TIMEOUT', message, this.#details(first[1])));
      this.#end('The SPARQL store was ended with a query that took too long; ask again.', true);
    }, this.#timeMs);
  }

  #details({ asked }: Waiting) {
    return { query: asked.text.slice(0, 200) };
  }

  /** @param areBystanders - whether those who wait had no part in the end: they can be asked of another thread */
  #end(reason: string, areBystanders = false, code: 'INTERNAL' | 'UNSUPPORTED' = 'INTERNAL'): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.values()) {
      reject(new DecError(code, reason, { areBystanders }, { retriable: code === 'INTERNAL' }));
    }
    this.#waiting.clear();
    this.#worker.terminate().catch(() => {
      // a thread that is gone already cannot be ended again
    });
  }
}
