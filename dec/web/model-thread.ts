import { Worker } from 'node:worker_threads';
import { DecError, type DecErrorCode } from '../../grid/math/index.js';
import type { FeederMap, FlowDocument, GivenFile, Inspection, KeptFeeder } from '../../web/index.js';
import { builtUrl } from '../built.js';
import type { FlowQuestion } from './model-room.js';

/** What the thread is started with: its model store. */
export interface ModelThreadData {
  readonly dir: string | undefined;
  /** Further files known to it. */
  readonly files: readonly string[];
}

/** What is asked of the thread. */
export type ModelQuestion =
  | { readonly kind: 'map'; readonly mrid: string }
  | { readonly kind: 'flow'; readonly mrid: string; readonly question: FlowQuestion }
  | { readonly kind: 'inspect'; readonly files: readonly GivenFile[] }
  /** Time for the store's manifest, ISO 8601. */
  | { readonly kind: 'keep'; readonly files: readonly GivenFile[]; readonly keptAt: string };

/** What it answers. */
export type ModelAnswer = { readonly id: number } & (
  | { readonly map: FeederMap }
  | { readonly flow: FlowDocument }
  | { readonly inspection: Inspection }
  | { readonly kept: KeptFeeder }
  | { readonly error: string; readonly code: DecErrorCode }
);

interface Waiting {
  resolve(answer: ModelAnswer): void;
  reject(error: Error): void;
}

/** Memory that reading a file somebody gave may take, MB, and the time it may take, ms. */
const INSPECTION_MB = 1500;
const INSPECTION_MS = 60_000;

/** Reads models and computes power flows in a thread of its own, so that pages, and a run beside them, never wait for it. */
export class ModelThread {
  private readonly data: ModelThreadData;
  private readonly limits: { readonly maxOldGenerationSizeMb?: number };
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private count = 0;

  constructor(data: ModelThreadData, limits: { readonly maxOldGenerationSizeMb?: number } = {}) {
    this.data = data;
    this.limits = limits;
  }

  /** @throws DecError `FEEDER_UNKNOWN` when the model is not at hand */
  async map(mrid: string): Promise<FeederMap> {
    const answer = await this.ask({ kind: 'map', mrid });
    if ('map' in answer) return answer.map;
    throw failure(answer);
  }

  /** @throws as {@link map} */
  async flow(mrid: string, question: FlowQuestion): Promise<FlowDocument> {
    const answer = await this.ask({ kind: 'flow', mrid, question });
    if ('flow' in answer) return answer.flow;
    throw failure(answer);
  }

  /** Ends the thread, also in the middle of its work; it starts again when it is asked. */
  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    this.fail('the dashboard is closed');
    await worker?.terminate();
  }

  /** @throws DecError `INTERNAL` when the thread ends before it has answered */
  ask(question: ModelQuestion): Promise<ModelAnswer> {
    this.worker ??= this.begin();
    const id = ++this.count;
    const { worker } = this;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.postMessage({ id, question });
    });
  }

  private begin(): Worker {
    const worker = new Worker(builtUrl('bin/model-worker.js'), {
      workerData: this.data,
      name: 'model',
      resourceLimits: this.limits,
    });
    const gone = (reason: string) => {
      if (this.worker === worker) this.worker = undefined;
      this.fail(reason);
    };
    worker.on('message', (answer: ModelAnswer) => {
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      waiting?.resolve(answer);
    });
    worker.on('error', (error) => gone(error.message));
    worker.on('exit', () => gone('its thread has ended'));
    worker.unref();
    return worker;
  }

  private fail(reason: string): void {
    for (const { reject } of this.waiting.values()) {
      reject(new DecError('INTERNAL', `The model was not read: ${reason}.`));
    }
    this.waiting.clear();
  }
}

/** The inspection that is at work, or the last one: each takes the memory of one only. */
let inspection: Promise<unknown> = Promise.resolve();

/**
 * Looks at files in a thread that lives as long as that takes, within limits of memory and time, one after another.
 *
 * @throws DecError of the readers; `FEEDER_DATA` when a limit was reached
 */
export function inspectInThread(files: readonly GivenFile[]): Promise<Inspection> {
  return inTurn(async () => {
    const answer = await askAlone(undefined, { kind: 'inspect', files });
    if ('inspection' in answer) return answer.inspection;
    throw failure(answer);
  });
}

/**
 * Takes files into the model store of a folder, as {@link inspectInThread} looks at them.
 *
 * @throws DecError of `keepFiles`; `FEEDER_DATA` when a limit was reached
 */
export function keepInThread(dir: string, files: readonly GivenFile[], keptAt: string): Promise<KeptFeeder> {
  return inTurn(async () => {
    const answer = await askAlone(dir, { kind: 'keep', files, keptAt });
    if ('kept' in answer) return answer.kept;
    throw failure(answer);
  });
}

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = inspection.then(work);
  // What goes wrong is its asker's, not the next one's.
  inspection = mine.catch(() => {});
  return mine;
}

async function askAlone(dir: string | undefined, question: ModelQuestion): Promise<ModelAnswer> {
  const thread = new ModelThread({ dir, files: [] }, { maxOldGenerationSizeMb: INSPECTION_MB });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void thread.close();
  }, INSPECTION_MS);
  try {
    return await thread.ask(question);
  } catch (error) {
    if (!(error instanceof DecError) || error.code !== 'INTERNAL') throw error;
    const reason = isLate
      ? `Reading took more than ${INSPECTION_MS / 1000} s and was given up.`
      : `Reading was given up: ${error.message}`;
    throw new DecError('FEEDER_DATA', `${reason} Try "dec powerflow FILE".`, {}, { cause: error });
  } finally {
    clearTimeout(timer);
    await thread.close();
  }
}

function failure(answer: ModelAnswer): DecError {
  return 'error' in answer
    ? new DecError(answer.code, answer.error)
    : new DecError('INTERNAL', 'The thread of the models answered something else.');
}
