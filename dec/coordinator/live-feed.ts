import {
  asError,
  type Bus,
  type LiveInterval,
  type LiveUpdate,
  liveLook,
  liveLookQueue,
  liveTick,
  liveUpdate,
  type RunControl,
  type RunControlReply,
  runControl,
  runControlQueue,
  runControlReply,
  runProgressTopic,
} from '../../bus/index.js';
import { type LiveRun, UNSEEN_RUN, updateSince, withUpdate } from '../../web/index.js';
import type { BranchReadings } from './branch-readings.js';
import { DEAD_BELOW_PU, type MeasuredVoltage } from './measurements.js';
import type { IntervalResult, RoundRecord, RunProgress, RunSettings, VoltageSummary } from './run-result.js';

/** Least milliseconds between two signs that something is new: watchers ask for the present state then. */
const TICK_MS = 100;
const PU_DIGITS = 1e6;

/** Settings of {@link LiveFeed}. */
export interface LiveFeedOptions {
  readonly bus: Bus;
  readonly runId: string;
  /** Decides on controls. */
  readonly onControl: (control: RunControl) => RunControlReply;
  readonly onWarning: (text: string, kind?: string) => void;
}

type Description = Omit<NonNullable<LiveUpdate['description']>, 'revision' | 'nodes'>;
type Part = Partial<Pick<LiveUpdate, 'status' | 'stage'>> & {
  readonly description?: Description;
  readonly inForce?: Omit<NonNullable<LiveUpdate['inForce']>, 'revision'>;
  readonly output?: Omit<NonNullable<LiveUpdate['output']>, 'revision'>;
  readonly open?: Omit<NonNullable<LiveUpdate['open']>, 'revision'> | null;
  readonly interval?: Omit<LiveInterval, 'revision'>;
  readonly event?: Omit<LiveUpdate['events'][number], 'revision'>;
};

/**
 * A run as others see it while it goes on: it says on its progress topic that something is new, at most ten times a second,
 * and answers whoever asks with all that is newer than what is known. Nothing of the run waits for anybody.
 */
export class LiveFeed {
  private readonly options: LiveFeedOptions;
  private readonly endings: readonly { unsubscribe(): void }[];
  private run: LiveRun;
  private readonly nodeIndex = new Map<string, number>();
  private nodes: { readonly bus: string; readonly phase: string }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(options: LiveFeedOptions) {
    this.options = options;
    const { bus, runId, onControl } = options;
    this.run = { ...UNSEEN_RUN, runId };
    this.endings = [
      bus.subscribe(liveLookQueue(runId), ({ body, destination, headers }) =>
        this.reply(headers['reply-to'], () => {
          const look = liveLook.parse(body, destination);
          return liveUpdate.format(updateSince(this.run, look.since, look.runId));
        }),
      ),
      bus.subscribe(runControlQueue(runId), ({ body, destination, headers }) =>
        this.reply(headers['reply-to'], () => {
          let answer: RunControlReply;
          try {
            answer = onControl(runControl.parse(body, destination));
          } catch (error) {
            answer = { isAccepted: false, reason: asError(error).message };
          }
          return runControlReply.format(answer);
        }),
      ),
    ];
  }

  /** What the run is. */
  describe(description: Description): void {
    this.put({ description });
  }

  /** What it does, in a few words. */
  stage(stage: string): void {
    this.put({ stage });
  }

  status(status: LiveUpdate['status']): void {
    if (status !== this.run.status) this.put({ status });
  }

  inForce(inForce: NonNullable<Part['inForce']>): void {
    this.put({ inForce });
  }

  /** An output of the simulation. */
  output(summary: VoltageSummary, voltages: readonly MeasuredVoltage[], branches: BranchReadings): void {
    this.put({ output: { figures: figuresOf(summary), voltagesPu: this.voltages(voltages), branches } });
  }

  /** An interval begins on the newest output. */
  begin(interval: number): void {
    const { output } = this.run;
    if (output === undefined) return;
    const { figures: before, voltagesPu: beforePu } = output;
    this.put({ open: { interval, timestamp: before.timestamp, before, beforePu, history: [] } });
  }

  /** A round of the interval that has begun. */
  round(progress: Extract<RunProgress, { kind: 'round' }>): void {
    const { open } = this.run;
    if (open === undefined) return;
    const { revision: _, ...rest } = open;
    const { primalResidual: primal, primalTolerance, dualResidual: dual, dualTolerance, totalInjectionW } = progress;
    const round = { round: open.history.length + 1, primal, primalTolerance, dual, dualTolerance, totalInjectionW };
    this.put({ open: { ...rest, history: [...open.history, round] } });
  }

  /** An interval is done, or more is known of it. @param settings - those that it worked with */
  interval(result: IntervalResult, settings: Pick<RunSettings, 'fairness' | 'rule' | 'limits'>): void {
    const isOpen = this.run.open?.interval === result.interval;
    this.put({ interval: this.intervalOf(result, settings), ...(isOpen ? { open: null } : {}) });
  }

  event(event: NonNullable<Part['event']>): void {
    this.put({ event });
  }

  /** The run is over: a last sign, and no answers any more. */
  close(): void {
    if (this.isClosed) return;
    this.status('ended');
    this.tick();
    this.isClosed = true;
    for (const { unsubscribe } of this.endings) unsubscribe();
  }

  private put({ description, inForce, output, open, interval, event, status, stage }: Part): void {
    if (this.isClosed) return;
    const revision = this.run.revision + 1;
    const before = this.run.description;
    // More nodes are measured than before.
    const isGrown = before !== undefined && before.nodes.length < this.nodes.length;
    const told = description ?? (isGrown ? before : undefined);
    this.run = withUpdate(this.run, {
      ...{ runId: this.options.runId, revision, isWhole: false },
      status: status ?? this.run.status,
      stage: stage ?? this.run.stage,
      ...(told === undefined ? {} : { description: { ...told, revision, nodes: [...this.nodes] } }),
      ...(inForce === undefined ? {} : { inForce: { ...inForce, revision } }),
      ...(output === undefined ? {} : { output: { ...output, revision } }),
      ...(open === undefined ? {} : { open: open === null ? null : { ...open, revision } }),
      intervals: interval === undefined ? [] : [{ ...interval, revision }],
      events: event === undefined ? [] : [{ ...event, revision }],
    });
    this.timer ??= setTimeout(() => this.tick(), TICK_MS).unref();
  }

  private tick(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { runId, revision, status } = this.run;
    try {
      this.options.bus.send(runProgressTopic(runId), liveTick.format({ runId, revision, status }));
    } catch (error) {
      // Without the broker nobody watches; the run has its own word about it.
      this.options.onWarning(`Watchers of the run were not told: ${asError(error).message}`, 'live');
    }
  }

  private reply(replyTo: string | undefined, make: () => string): void {
    if (replyTo === undefined || replyTo === '') {
      make();
      return;
    }
    this.options.bus.send(replyTo, make());
  }

  /** Voltages in the order of the description. */
  private voltages(measured: readonly MeasuredVoltage[]): (number | null)[] {
    for (const { bus, phase } of measured) {
      const key = `${bus}.${phase}`;
      if (this.nodeIndex.has(key)) continue;
      this.nodeIndex.set(key, this.nodes.length);
      this.nodes.push({ bus, phase });
    }
    const values = new Array<number | null>(this.nodes.length).fill(null);
    for (const { bus, phase, voltagePu } of measured) {
      // What is switched off has no voltage to be judged.
      if (!(voltagePu > DEAD_BELOW_PU)) continue;
      values[this.nodeIndex.get(`${bus}.${phase}`)!] = Math.round(voltagePu * PU_DIGITS) / PU_DIGITS;
    }
    return values;
  }

  private intervalOf(
    result: IntervalResult,
    { fairness, rule, limits }: Pick<RunSettings, 'fairness' | 'rule' | 'limits'>,
  ): Omit<LiveInterval, 'revision'> {
    const { interval, timestamp, status, rounds, corrections, seconds, audit, before, after, nodeVoltages } = result;
    const { commanded, unchanged, missingAgents, lostAgents, agentErrors, findings } = result;
    const known = nodeVoltages.flatMap(({ bus, phase, afterPu }) =>
      afterPu === undefined ? [] : [{ bus, phase, voltagePu: afterPu }],
    );
    return {
      ...{ interval, timestamp, status, rounds, seconds, commanded, unchanged },
      fairness: rule?.mode ?? fairness,
      limits: { minPu: limits.minPu, maxPu: limits.maxPu },
      corrections: result.ac === undefined ? null : corrections,
      availableW: audit?.availableW ?? null,
      curtailedW: audit?.curtailedW ?? null,
      curtailedPct: audit?.curtailedPct ?? null,
      priceOfFairnessPct: audit?.priceOfFairnessPct ?? null,
      jainServed: audit?.jain.served ?? null,
      before: figuresOf(before),
      after: after === undefined ? null : figuresOf(after),
      beforePu: this.voltages(nodeVoltages.map(({ bus, phase, beforePu }) => ({ bus, phase, voltagePu: beforePu }))),
      afterPu: after === undefined ? [] : this.voltages(known),
      curtailment: curtailmentOf(audit),
      history: result.history.map(roundOf),
      missingAgents,
      lostAgents,
      agentErrors,
      findings,
    };
  }
}

function figuresOf({ timestamp, vMaxPu, vMinPu, vMaxNode, vMinNode, violations }: VoltageSummary) {
  return { timestamp, vMaxPu, vMinPu, vMaxNode, vMinNode, violations };
}

function roundOf(one: RoundRecord) {
  return {
    round: one.round,
    primal: one.primalResidual,
    primalTolerance: one.primalTolerance,
    dual: one.dualResidual,
    dualTolerance: one.dualTolerance,
    totalInjectionW: one.totalInjectionW,
  };
}

/** What each agent's generation could give and gives up. */
function curtailmentOf(audit: IntervalResult['audit']): LiveInterval['curtailment'] {
  const sums = new Map<string, { agent: string; availableW: number; curtailedW: number; ders: number }>();
  for (const { agentId, availableW, alpha } of audit?.ders ?? []) {
    const sum = sums.get(agentId) ?? { agent: agentId, availableW: 0, curtailedW: 0, ders: 0 };
    sums.set(agentId, sum);
    sum.availableW += availableW;
    sum.curtailedW += availableW * alpha;
    sum.ders++;
  }
  return [...sums.values()];
}
