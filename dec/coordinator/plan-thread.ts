import { Worker } from 'node:worker_threads';
import { DecError, type DecErrorCode } from '../../grid/math/index.js';
import type { Feeder, FeederData } from '../../grid/model/index.js';
import type { FeederHorizonQuestion, FeederHorizonStatus, HorizonStep } from '../../grid/optim/index.js';
import { builtUrl } from '../built.js';

/** What the thread is started with. */
export interface PlanThreadData {
  readonly feeder: FeederData;
}

/** A plan to make. */
export type PlanQuestion = Omit<FeederHorizonQuestion, 'feeder' | 'onPass'>;

/** What a plan says of its first step, and of itself. */
export interface StepPlan {
  readonly status: FeederHorizonStatus;
  readonly statusText: string;
  readonly first: HorizonStep;
  /** Curtailed fraction by PV id and power by battery id, W, positive when discharging. */
  readonly alpha: Readonly<Record<string, number>>;
  readonly batteryW: Readonly<Record<string, number>>;
  /** Money for the first step's energy. */
  readonly energyCost: number;
  readonly gap: number | null;
  readonly corrections: number;
  readonly findings: readonly string[];
}

/** The answer of the thread. */
export type PlanAnswer = { readonly plan: StepPlan } | { readonly error: string; readonly code: DecErrorCode };

/** Makes plans in a thread of its own: the connection to the broker has to be kept alive meanwhile. */
export class PlanThread {
  private readonly worker: Worker;
  private waiting: { resolve(plan: StepPlan): void; reject(error: Error): void } | undefined;

  constructor(feeder: Feeder) {
    // The graph and the indices are made anew in the thread; measurements are nothing to it.
    const { graph: _graph, elements: _elements, busById: _busById, findings: _findings, ...data } = feeder;
    const workerData: PlanThreadData = { feeder: { ...data, measurements: [] } };
    this.worker = new Worker(builtUrl('bin/plan-worker.js'), { workerData, name: 'plan' });
    this.worker.on('message', (answer: PlanAnswer) => {
      const { waiting } = this;
      this.waiting = undefined;
      if ('plan' in answer) waiting?.resolve(answer.plan);
      else waiting?.reject(new DecError(answer.code, answer.error));
    });
    this.worker.on('error', (error) => this.fail(error.message));
    this.worker.on('exit', () => this.fail('its thread has ended'));
  }

  /** Makes one plan at a time. @throws DecError as coordinateHorizon does; `INTERNAL` when the thread has ended */
  plan(question: PlanQuestion): Promise<StepPlan> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.worker.postMessage(question);
    });
  }

  /** Ends the thread, also in the middle of a plan. */
  async close(): Promise<void> {
    this.waiting = undefined;
    await this.worker.terminate();
  }

  private fail(reason: string): void {
    this.waiting?.reject(new DecError('INTERNAL', `No plan was made: ${reason}.`));
    this.waiting = undefined;
  }
}
