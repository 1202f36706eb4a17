import type { LiveEvent, LiveInForce, LiveInterval, LiveUpdate } from '../../bus/contract/index.js';
import { inOrder, type RunEvent } from './event-log.js';
import type { FeederMap, IntervalDocument, RunDocument } from './run-document.js';

/** All that is known of a run that goes on, from the updates that came. The server keeps one, and each page. */
export interface LiveRun {
  /** Empty before the first update. */
  readonly runId: string;
  readonly revision: number;
  readonly status: LiveUpdate['status'];
  readonly stage: string;
  readonly description: LiveUpdate['description'] | undefined;
  readonly inForce: LiveInForce | undefined;
  readonly output: LiveUpdate['output'] | undefined;
  readonly open: NonNullable<LiveUpdate['open']> | undefined;
  readonly openRevision: number;
  /** In their order. */
  readonly intervals: readonly LiveInterval[];
  readonly events: readonly LiveEvent[];
}

/** Nothing is known yet. */
export const UNSEEN_RUN: LiveRun = {
  runId: '',
  revision: 0,
  status: 'starting',
  stage: '',
  description: undefined,
  inForce: undefined,
  output: undefined,
  open: undefined,
  openRevision: 0,
  intervals: [],
  events: [],
};

/** What is known after an update. One of another run, or a whole one, stands for itself. */
export function withUpdate(run: LiveRun, update: LiveUpdate): LiveRun {
  const isAnother = update.isWhole || update.runId !== run.runId;
  // An answer that was overtaken by a newer one.
  if (!isAnother && update.revision < run.revision) return run;
  const known = isAnother ? UNSEEN_RUN : run;
  const { runId, revision, status, stage, description, inForce, output, open } = update;
  return {
    ...{ runId, revision, status, stage },
    description: description ?? known.description,
    inForce: inForce ?? known.inForce,
    output: output ?? known.output,
    open: open === undefined ? known.open : (open ?? undefined),
    openRevision: open === undefined ? known.openRevision : (open?.revision ?? revision),
    intervals: withIntervals(known.intervals, update.intervals),
    events: update.events.length === 0 ? known.events : [...known.events, ...update.events],
  };
}

function withIntervals(known: readonly LiveInterval[], changed: readonly LiveInterval[]): readonly LiveInterval[] {
  if (changed.length === 0) return known;
  const byNumber = new Map([...known, ...changed].map((one) => [one.interval, one]));
  return [...byNumber.values()].sort((a, b) => a.interval - b.interval);
}

/** All that is newer than a revision, in one update. @param runId - run that the revision is of; all is told of another one */
export function updateSince(run: LiveRun, since: number, runId: string | undefined): LiveUpdate {
  const isWhole = since <= 0 || (runId !== undefined && runId !== run.runId) || since > run.revision;
  const from = isWhole ? -1 : since;
  const { description, inForce, output, open, openRevision } = run;
  const isNew = (part: { readonly revision: number } | undefined) => part !== undefined && part.revision > from;
  return {
    ...{ runId: run.runId, revision: run.revision, isWhole, status: run.status, stage: run.stage },
    ...(description !== undefined && isNew(description) ? { description } : {}),
    ...(inForce !== undefined && isNew(inForce) ? { inForce } : {}),
    ...(output !== undefined && isNew(output) ? { output } : {}),
    ...(openRevision > from ? { open: open ?? null } : {}),
    intervals: run.intervals.filter(isNew),
    events: run.events.filter(isNew),
  };
}

/**
 * The interval that is being coordinated, as one of a run: nothing was sent, and nothing came after. Before the first one, what
 * the simulation has published.
 */
function openInterval({ open, output, intervals }: LiveRun): IntervalDocument | undefined {
  const first = intervals.length === 0 && output !== undefined ? firstOutput(output) : undefined;
  const begun = open ?? first;
  if (begun === undefined) return undefined;
  const { interval, timestamp, before, beforePu, history } = begun;
  return {
    ...{ interval, timestamp, before, beforePu, history },
    status: open === undefined ? 'waiting' : 'running',
    rounds: history.length,
    corrections: null,
    seconds: 0,
    ...{ availableW: null, curtailedW: null, curtailedPct: null, priceOfFairnessPct: null, jainServed: null },
    ...{ commanded: 0, unchanged: 0, after: null, afterPu: [], curtailment: [] },
    ...{ missingAgents: [], lostAgents: [], agentErrors: [], findings: [] },
  };
}

function firstOutput({ figures, voltagesPu }: NonNullable<LiveRun['output']>) {
  return { interval: 0, timestamp: figures.timestamp, before: figures, beforePu: voltagesPu, history: [] };
}

/**
 * A run that goes on as the pages show runs: its intervals grow, and the one that is being coordinated is the last.
 * @param id - name of the run's folder
 * @returns undefined until the run has told what it is
 */
export function liveDocument(run: LiveRun, id: string): RunDocument | undefined {
  const { description, inForce, intervals } = run;
  if (description === undefined) return undefined;
  const { feeder, settings, versions, agents, ders, nodes } = description;
  const open = openInterval(run);
  const shown: readonly IntervalDocument[] = open === undefined ? intervals : [...intervals, open];
  return {
    id,
    feeder,
    status: run.status,
    reason: null,
    settings: inForce === undefined ? settings : { ...settings, fairness: inForce.fairness },
    limits: inForce?.limits ?? { minPu: 0.95, maxPu: 1.05 },
    versions,
    agents: agents.length,
    ders,
    summary: liveSummary(intervals),
    seconds: intervals.reduce((sum, { seconds }) => sum + seconds, 0),
    findings: [],
    nodes,
    intervals: shown,
    files: [],
  };
}

/** The run at a glance so far, by the names of the manifest. */
function liveSummary(intervals: readonly LiveInterval[]): Record<string, number | null> {
  const [first] = intervals;
  const after = intervals.flatMap((one) => one.after ?? []);
  const most = intervals.reduce<LiveInterval | undefined>(
    (best, one) => ((one.curtailedW ?? -1) > (best?.curtailedW ?? -1) ? one : best),
    undefined,
  );
  const sum = (of: (one: LiveInterval) => number | null) => intervals.reduce((all, one) => all + (of(one) ?? 0), 0);
  const available = sum(({ availableW }) => availableW);
  return {
    vMinBeforePu: first?.before.vMinPu ?? null,
    vMaxBeforePu: first?.before.vMaxPu ?? null,
    violationsBefore: first?.before.violations ?? null,
    vMinAfterPu: after.length === 0 ? null : Math.min(...after.map(({ vMinPu }) => vMinPu)),
    vMaxAfterPu: after.length === 0 ? null : Math.max(...after.map(({ vMaxPu }) => vMaxPu)),
    violationsAfter: after.length === 0 ? null : Math.max(...after.map(({ violations }) => violations)),
    curtailedEnergyPct: available > 0 ? (100 * sum(({ curtailedW }) => curtailedW)) / available : null,
    priceOfFairnessPct: most?.priceOfFairnessPct ?? null,
    jainServed: most?.jainServed ?? null,
    rounds: sum(({ rounds }) => rounds),
  };
}

/** The log of a run that goes on: what its intervals came to, controls and warnings, in the order of simulated time. */
export function withLiveEvents(log: readonly RunEvent[], { events }: LiveRun): readonly RunEvent[] {
  const more = events.map(({ timestamp, grade, text }): RunEvent => ({ index: null, timestamp, grade, text }));
  return inOrder([...log, ...more]);
}

/** What a run that goes on does now, in a few words. */
export function liveStage({ status, stage, open, intervals, description }: LiveRun): string {
  if (status === 'starting' || status === 'ended' || description === undefined) return stage;
  if (open !== undefined) return `interval ${open.interval + 1}, ${open.history.length} rounds so far`;
  const next = intervals.length + 1;
  const most = Number(description.settings['intervals']);
  if (next > most) return 'all intervals are done';
  return status === 'paused' ? `waits before interval ${next}` : `on the way to interval ${next}`;
}

/** The map with its switches as they stand now. */
export function withSwitches(map: FeederMap, openSwitches: readonly string[]): FeederMap {
  const open = new Set(openSwitches.map((name) => name.toLowerCase()));
  const isAsDrawn = map.branches.every(
    ({ kind, name, isOpen }) => kind !== 'switch' || isOpen === open.has(name.toLowerCase()),
  );
  if (isAsDrawn) return map;
  return {
    ...map,
    branches: map.branches.map((branch) =>
      branch.kind === 'switch' ? { ...branch, isOpen: open.has(branch.name.toLowerCase()) } : branch,
    ),
  };
}
