import { randomUUID } from 'node:crypto';
import { BusError, countedWarning, WarningLog } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { buildFeeder, type Feeder } from '../../grid/model/index.js';
import { splitForAgents } from '../../grid/optim/index.js';
import { measuredFeeder, openModelStore } from '../../platform/index.js';
import { switchesNamed } from '../switch-names.js';
import { isCancelled } from './cancelled.js';
import { Closers } from './closers.js';
import { summarizeRun } from './recorder.js';
import { RUN_DEFAULTS, type RunOptions } from './run-options.js';
import type { IntervalResult, RunResult, RunStatus } from './run-result.js';
import { Session, type Warn } from './session.js';
import { withAreaRule } from './star.js';

/**
 * Runs a coordination from beginning to end: platform, agent hosts, simulation, intervals; ends all it started, also when
 * it is cancelled or fails.
 * @throws DecError `FEEDER_UNKNOWN`, `BAD_ARGUMENT`, `AGENT_LOST`, `TIMEOUT`; BusError `BUS_UNAVAILABLE`, `PORT_IN_USE`,
 *   `LOGIN_REFUSED`
 */
export async function runCoordination(options: RunOptions): Promise<RunResult> {
  const began = performance.now();
  const settings = withAreaRule({ ...RUN_DEFAULTS, ...options.settings });
  const runId = options.runId ?? `run-${randomUUID().slice(0, 8)}`;
  const findings: string[] = [];
  const warnings = new WarningLog((text, _kind, count) => {
    const told = count > 1 ? countedWarning(text, count) : text;
    options.onWarning?.(told);
    watched?.audience?.warn(told);
  });
  let watched: Session | undefined;
  const warn: Warn = (text, kind, count) => warnings.add(text, kind, count);
  const store = options.store ?? openModelStore(options.storeDir);
  const found = measuredFeeder(store.find(options.feeder));
  const opened = switchesNamed(found, settings.openSwitches);
  const feeder = opened.length === 0 ? found : withOpen(found, new Set(opened.map(({ id }) => id)));
  const finish = (status: RunStatus, reason: string | undefined, session: Session | undefined): RunResult => {
    const intervals = session?.intervals() ?? [];
    session?.audience?.controls.end();
    return {
      status,
      reason,
      runId,
      simulationId: session?.simulationId,
      feeder: { name: feeder.name, mrid: feeder.mrid },
      settings,
      agents: session?.agents ?? [],
      areas: session?.areas ?? [],
      intervals,
      summary: summarizeRun(intervals),
      findings,
      controls: session?.audience?.controls.records ?? [],
      ...(session?.takenOver === undefined ? {} : { takenOver: session.takenOver }),
      seconds: (performance.now() - began) / 1000,
    };
  };
  const nothing = settings.horizon === undefined ? nothingToCoordinate(feeder) : nothingToPlan(feeder);
  if (nothing !== undefined) return finish('nothingToCoordinate', nothing, undefined);

  const closers = new Closers();
  const session = new Session(options, settings, runId, feeder, closers, warn);
  watched = session;
  try {
    await session.open();
    const status = await session.coordinate();
    await session.settleAudit();
    const lost = status === 'completed' ? agentsLost(session.intervals()) : undefined;
    if (lost !== undefined) return finish('agentsLost', lost, session);
    const unsettled = status === 'completed' ? neverSettled(session.intervals()) : undefined;
    if (unsettled !== undefined) return finish('neverSettled', unsettled, session);
    const reason = status === 'simulationEnded' ? 'The simulation ended before all intervals were done.' : undefined;
    return finish(status, reason, session);
  } catch (error) {
    if (options.signal?.aborted) return finish('cancelled', 'The run was cancelled.', session);
    const cause = session.brokerLost ?? error;
    if (session.brokerLost === undefined && isCancelled(error)) {
      return finish('cancelled', session.stopReason ?? 'The run was cancelled.', session);
    }
    // Intervals that are done have acted; they are not thrown away with the one that failed.
    const isTyped = cause instanceof DecError || cause instanceof BusError;
    if (!isTyped || !session.recorder?.hasIntervals) throw cause;
    await session.settleAudit();
    return finish('simulationEnded', cause.message, session);
  } finally {
    await closers.closeAll(warn);
    warnings.tellCounts();
    // The result holds this list: what the end of the run brought to light belongs to it.
    findings.push(...warnings.lines());
  }
}

/** Why the work was not done to the end though the simulation was: no agent was left. */
function agentsLost(intervals: readonly IntervalResult[]): string | undefined {
  if (intervals.at(-1)?.status !== 'noAgents') return undefined;
  const count = intervals.filter(({ status }) => status === 'noAgents').length;
  return (
    `All agents are lost: nobody answered in ${count} of ${intervals.length} intervals, the last one among them. ` +
    'The set-points in force stayed as they were.'
  );
}

/** Why a run that went to its end is no success: not one interval came to a dispatch that is agreed on and holds. */
export function neverSettled(intervals: readonly Pick<IntervalResult, 'status'>[]): string | undefined {
  if (intervals.length === 0 || intervals.some(({ status }) => status === 'converged')) return undefined;
  const violated = intervals.filter(({ status }) => status === 'violated').length;
  const count = intervals.length === 1 ? 'The only interval' : `None of ${intervals.length} intervals`;
  const how = intervals.length === 1 ? 'did not end' : 'ended';
  return `${count} ${how} with a dispatch that agents agreed on and that keeps the limits; limits were violated in ${violated}.`;
}

/** The feeder with some of its switches open. */
function withOpen(feeder: Feeder, ids: ReadonlySet<string>): Feeder {
  const { graph: _graph, elements: _elements, busById: _busById, ...data } = feeder;
  const switches = data.switches.map((device) =>
    ids.has(device.id) ? { ...device, isOpen: device.isOpen.map(() => true) } : device,
  );
  return buildFeeder({ ...data, switches });
}

/** Why there is nothing to plan; undefined when there is. */
function nothingToPlan(feeder: Feeder): string | undefined {
  if (feeder.pvSystems.length > 0 || feeder.batteries.length > 0) return undefined;
  return `Feeder ${feeder.name} has neither a PV system nor a battery: there is nothing to plan.`;
}

/** Why there is nothing to coordinate; undefined when there is. */
function nothingToCoordinate(feeder: Feeder): string | undefined {
  if (feeder.pvSystems.length === 0) return `Feeder ${feeder.name} has no PV system: there is nothing to coordinate.`;
  if (splitForAgents(feeder).services.length > 0) return undefined;
  return (
    `Feeder ${feeder.name} has no secondary network below a service transformer, and no PV at a bus of its primary that an ` +
    'agent could speak for: there is no agent to coordinate. dec coordinate finds its set-points in one hand.'
  );
}
