/** Entry of the worker thread that answers SPARQL; see sparql-thread.ts for what is said on its port. */
import { parentPort } from 'node:worker_threads';
import { createSparqlEngine } from './engine.js';
import type { ToWorker } from './sparql-thread.js';

const port = parentPort;
if (port !== null) {
  const engine = createSparqlEngine();
  port.on('message', (message: ToWorker) => {
    engine
      .then(({ load, query }) => {
        if (message.kind === 'load') {
          load(message.nTriples);
          port.postMessage({ id: 0 });
        } else port.postMessage({ id: message.id, answer: query(message.text, message.format) });
      })
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        port.postMessage({ id: message.kind === 'query' ? message.id : 0, reason });
      });
  });
}
