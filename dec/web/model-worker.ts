/** Entry of the worker thread that reads models for the dashboard. */
import { parentPort, workerData } from 'node:worker_threads';
import { DecError } from '../../grid/math/index.js';
import { openModelStore } from '../../platform/index.js';
import { inspect } from './inspection.js';
import { keepFiles } from './keeping.js';
import { ModelRoom } from './model-room.js';
import type { ModelAnswer, ModelQuestion, ModelThreadData } from './model-thread.js';

const { dir, files }: ModelThreadData = workerData;
const store = openModelStore(dir, { files });
const room = new ModelRoom(store);

function answerOf(id: number, question: ModelQuestion): ModelAnswer {
  switch (question.kind) {
    case 'map':
      return { id, map: room.map(question.mrid) };
    case 'flow':
      return { id, flow: room.flow(question.mrid, question.question) };
    case 'inspect':
      return { id, inspection: inspect(question.files) };
    case 'keep':
      return { id, kept: keepFiles(question.files, store, question.keptAt) };
  }
}

parentPort?.on('message', ({ id, question }: { id: number; question: ModelQuestion }) => {
  const answer = (message: ModelAnswer): void => parentPort?.postMessage(message);
  try {
    answer(answerOf(id, question));
  } catch (error) {
    const code = error instanceof DecError ? error.code : 'INTERNAL';
    answer({ id, error: error instanceof Error ? error.message : String(error), code });
  }
});
