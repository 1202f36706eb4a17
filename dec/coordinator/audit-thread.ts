import { Worker } from 'node:worker_threads';
import type { Feeder, FeederData } from '../../grid/model/index.js';
import type { AuditQuestion, AuditSettings, DispatchFigures } from '../../grid/optim/index.js';
import { builtUrl } from '../built.js';

/** What the thread is started with. */
export interface AuditThreadData {
  readonly feeder: FeederData;
  readonly settings: AuditSettings;
}

/** One dispatch to judge, and what comes back. */
export interface AuditJob {
  readonly interval: number;
  readonly question: AuditQuestion;
}
/** The answer to a job: figures, or why there are none. */
export type AuditAnswer =
  | { readonly interval: number; readonly figures: DispatchFigures }
  | { readonly interval: number; readonly error: string };

/**
 * Judges dispatches in a thread of its own, while the run goes on: optima of the whole feeder take longer than an interval
 * of a fast simulation. Nothing that it finds flows back into the run, so that no set-point depends on its speed.
 */
export class AuditThread {
  private readonly worker: Worker;
  private readonly warn: (text: string) => void;
  private readonly open = new Set<number>();
  private readonly found = new Map<number, DispatchFigures>();
  private wake: (() => void) | undefined;
  /** Called when an interval's figures are known. */
  onFound: ((interval: number) => void) | undefined;
  private hasEnded = false;

  constructor(feeder: Feeder, settings: AuditThreadData['settings'], warn: (text: string) => void) {
    this.warn = warn;
    // The graph and the indices are made anew in the thread; measurements are nothing to it.
    const { graph: _graph, elements: _elements, busById: _busById, findings: _findings, ...data } = feeder;
    const { limits, fairness, rule, reactive } = settings;
    const workerData: AuditThreadData = {
      feeder: { ...data, measurements: [] },
      settings: {
        limits,
        fairness,
        ...(rule === undefined ? {} : { rule }),
        ...(reactive === undefined ? {} : { reactive }),
      },
    };
    this.worker = new Worker(builtUrl('bin/audit-worker.js'), { workerData, name: 'audit' });
    this.worker.on('message', (message: AuditAnswer) => this.take(message));
    this.worker.on('error', (error) => this.fail(error.message));
    this.worker.on('exit', () => this.fail('its thread has ended'));
  }

  /** Asks for the figures of one interval. */
  ask(job: AuditJob): void {
    if (this.hasEnded) return;
    this.open.add(job.interval);
    this.worker.postMessage(job);
  }

  /** Intervals that are still being judged. */
  get waiting(): number {
    return this.open.size;
  }

  /** What is known so far, by interval. */
  get figures(): ReadonlyMap<number, DispatchFigures> {
    return this.found;
  }

  /** Waits until every interval is judged, or the signal comes. */
  async settle(signal?: AbortSignal): Promise<void> {
    if (this.open.size === 0 || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Ends the thread, also in the middle of its work. */
  async close(): Promise<void> {
    this.hasEnded = true;
    await this.worker.terminate();
  }

  private take(message: AuditAnswer): void {
    this.open.delete(message.interval);
    if ('error' in message) this.warn(`The audit of interval ${message.interval} failed: ${message.error}`);
    else {
      this.found.set(message.interval, message.figures);
      const { reason } = message.figures;
      if (reason !== undefined) this.warn(`The price of fairness is not known: ${reason}`);
      this.onFound?.(message.interval);
    }
    if (this.open.size === 0) this.wake?.();
  }

  private fail(reason: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.open.size > 0) this.warn(`The audit failed, ${this.open.size} intervals are without it: ${reason}.`);
    this.open.clear();
    this.wake?.();
  }
}
