/** Entry of the worker thread that answers SPARQL; see sparql-thread.ts for what is said on its port. */
import { parentPort, workerData } from 'node:worker_threads';
import { createSparqlEngine } from './engine.js';
import { limitModuleMemory, MEMORY_MB } from './memory-limit.js';
import type { ToWorker } from './sparql-thread.js';

/** An answer with what stands around it, as UTF-8. It is megabytes: neither is put together as text first. */
function encoded(answer: string, [before, after]: readonly [string, string]): Uint8Array<ArrayBuffer> {
  const pieces = [before, answer, after];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0));
  const encoder = new TextEncoder();
  let at = 0;
  for (const piece of pieces) at += encoder.encodeInto(piece, bytes.subarray(at)).written;
  return bytes;
}

/** A trap of WebAssembly, a stack that ran over. */
const BREAKING: ReadonlySet<string> = new Set(['RuntimeError', 'RangeError']);

/**
 * What ends a store that is refused memory, which it does of its own accord, and the part of its memory that it has then at least: a
 * list that is to be twice as long has to be there twice, so that it may be refused when three quarters are free. A query that
 * nests too deep runs out of a stack and traps otherwise.
 */
const ABORT = { name: 'RuntimeError', message: 'unreachable', from: 1 / 4 } as const;

const port = parentPort;
if (port !== null) {
  const given: unknown = workerData;
  const wanted: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, 'memoryMb') : undefined;
  const maxBytes = (typeof wanted === 'number' ? wanted : MEMORY_MB) * 2 ** 20;
  const memoryBytes = limitModuleMemory(maxBytes);
  const engine = createSparqlEngine();
  port.on('message', (message: ToWorker) => {
    engine
      .then(({ load, query }) => {
        if (message.kind === 'load') {
          load(message.nTriples);
          port.postMessage({ id: 0 });
          return;
        }
        const answer = encoded(query(message.text, message.format), message.around);
        // Handed over, not copied.
        port.postMessage({ id: message.id, answer }, [answer.buffer]);
      })
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        // A trap, or a stack that ran over, leaves the store's memory in the middle of something: it answers nothing any more.
        const isBroken = error instanceof Error && BREAKING.has(error.name);
        const isAborted = isBroken && error.name === ABORT.name && error.message === ABORT.message;
        const isTooLarge = isAborted && memoryBytes() > ABORT.from * maxBytes;
        port.postMessage({ id: message.kind === 'query' ? message.id : 0, reason, isBroken, isTooLarge });
      });
  });
}
