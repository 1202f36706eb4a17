import type { YbusRows } from '../../bus/index.js';
import {
  type AttributeDifference,
  type Bus,
  fieldMeasurements,
  fieldOutputTopic,
  type SimulationCommand,
  type SimulationEvent,
  type SimulationMeasurement,
  type SimulationRequest,
  simulationLogText,
  simulationLogTopic,
  simulationOutputTopic,
} from '../../bus/index.js';
import type { PowerFlowStatus } from '../../grid/flow/index.js';
import type { Cancel, Clock } from '../clock.js';
import type { LogEntry } from '../log-service.js';
import { YbusWatch } from './dynamic-ybus.js';
import { createEventSchedule } from './event.js';
import { createMonitors, monitorTopics } from './monitor.js';
import type { Simulation } from './simulation.js';

/** Longest wait for a first subscriber, ms: clients subscribe after they have the reply to their start. */
export const SUBSCRIBER_WAIT_MS = 2000;
/** Longest wait while nobody at all would hear the first output, not even by a wildcard, ms: slow clients on a loaded machine. */
export const UNHEARD_WAIT_MS = 10_000;
/** Longest wait for the command to start, when the request asks for one, ms: who asked for it may be gone. */
export const START_WAIT_MS = 120_000;
/** How often subscribers are looked for, ms. */
const SUBSCRIBER_POLL_MS = 10;
/** Time for a client that has the output to take the log too, and for others of its kind to follow, ms. */
const SUBSCRIBER_GRACE_MS = 1000;

/** A run as fast as possible waits while a listener is further behind than this, bytes; the broker drops at 64 MiB. */
const BACKLOG_MAX_BYTES = 16 * 1024 * 1024;
/** How often a listener that is behind is looked at, ms. */
const BACKLOG_POLL_MS = 5;
/** Longest wait for a listener that is behind, ms; one that reads nothing must not stop the others. */
const BACKLOG_WAIT_MS = 20_000;

/** Ids of difference messages that a run remembers. */
const KNOWN_DIFFERENCES_MAX = 10_000;

/** Where a run stands. */
export type RunState = 'waiting' | 'running' | 'paused' | 'ended';

/** What a run is made of. */
export interface RunOptions {
  readonly id: string;
  readonly request: SimulationRequest;
  readonly simulation: Simulation;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Whether anyone listens to a topic now, by its name or by a wildcard. */
  readonly hasSubscriber: (topic: string) => boolean;
  /** Whether anyone has subscribed to the topic by its name: one that listens to all is none that a run waits for. */
  readonly hasNamedSubscriber: (topic: string) => boolean;
  readonly log: (entry: LogEntry) => void;
  /** Bytes waiting for the listener that is furthest behind. */
  readonly backlogBytes: () => number;
  /** Measurement mRIDs by message bus (area). */
  readonly areaMeasurements: ReadonlyMap<string, readonly string[]>;
  /** Keeps what was published, and what was commanded; times in epoch seconds. */
  readonly record: {
    output(time: number, measurements: Readonly<Record<string, SimulationMeasurement>>, status: PowerFlowStatus): void;
    input(time: number, differences: readonly AttributeDifference[]): void;
  };
  /** Called once, after the last log line. */
  readonly onEnd: () => void;
}

/** A simulation with a clock: it steps, publishes and obeys commands. */
export interface SimulationRun {
  readonly id: string;
  readonly request: SimulationRequest;
  readonly state: RunState;
  /** Steps done. */
  readonly step: number;
  command(command: SimulationCommand): void;
  /** Plans further events; what cannot be carried out is said in the log. */
  planEvents(events: readonly Readonly<Record<string, unknown>>[]): void;
  /** The planned events with their status now. */
  listEvents(): readonly SimulationEvent[];
  /** Admittances with switches, taps and capacitor banks as they stand, and of which feeder and time. */
  admittances(): { readonly feederId: string; readonly timestamp: number; readonly ybus: YbusRows };
  stop(): void;
}

/**
 * Starts a run. The first output waits until somebody listens by its name, at most {@link SUBSCRIBER_WAIT_MS} where others
 * hear it, else {@link UNHEARD_WAIT_MS}; where the request asks for it, for the command to start.
 */
export function startRun(options: RunOptions): SimulationRun {
  const { id, request, simulation, bus, clock, log, hasSubscriber, hasNamedSubscriber } = options;
  const stepCount = Math.max(1, Math.ceil(request.durationS / request.intervalS - 1e-9));
  const outputTopic = simulationOutputTopic(id);
  const differences = knownDifferences();
  const events = createEventSchedule();
  const ybus = new YbusWatch(simulation);
  const { monitors, problems: serviceProblems } = createMonitors(request, {
    simulationId: id,
    simulation,
    ybus,
  });
  const eventProblems = events.plan(request.events);
  let state: RunState = 'waiting';
  let step = 0;
  let cancel: Cancel = () => {};
  let isBegun = false;
  let isPausedAtStart = false;
  let pauseAtStep: number | undefined;
  /** Wall time at which step 0 would have been without pauses, ms. */
  let originMs = clock.nowMs();
  let pausedAtMs = originMs;
  let nextPublishS = 0;
  const say = (message: string, status: LogEntry['status'] = 'RUNNING', level: LogEntry['level'] = 'INFO'): void =>
    log({ source: 'simulation', message, ...(status ? { status } : {}), ...(level ? { level } : {}) });

  const end = (status: 'COMPLETE' | 'CLOSED' = 'CLOSED'): void => {
    if (state === 'ended') return;
    state = 'ended';
    cancel();
    for (const monitor of monitors) {
      const text = monitor.farewell?.(status);
      if (text !== undefined) for (const topic of monitorTopics(monitor, id)) bus.send(topic, text);
    }
    say(simulationLogText.complete(id), 'COMPLETE');
    options.onEnd();
  };

  /** Any error inside a step ends the run, and clients are always told the end: they have no other way to leave. */
  const guarded = (work: () => void) => (): void => {
    try {
      work();
    } catch (error) {
      say(`The simulation failed: ${error instanceof Error ? error.message : String(error)}`, 'ERROR', 'ERROR');
      end();
    }
  };

  const publish = (timestamp: number, powerFlow: PowerFlowStatus): void => {
    const measurements = events.publishable(simulation.measure(), timestamp);
    options.record.output(timestamp, measurements, powerFlow);
    bus.send(outputTopic, JSON.stringify({ simulation_id: id, message: { timestamp, measurements, powerFlow } }));
    for (const monitor of monitors) {
      const text = monitor.look(measurements, timestamp);
      if (text !== undefined) for (const topic of monitorTopics(monitor, id)) bus.send(topic, text);
    }
    for (const [busId, mrids] of options.areaMeasurements) {
      const topic = fieldOutputTopic(id, busId);
      if (!hasSubscriber(topic)) continue;
      const own: Record<string, SimulationMeasurement> = {};
      for (const mrid of mrids) {
        const measurement = measurements[mrid];
        if (measurement) own[mrid] = measurement;
      }
      bus.send(topic, fieldMeasurements.format(own));
    }
  };

  const plan = (): void => {
    if (!request.isRealtime) {
      waitForListeners(clock.nowMs());
      return;
    }
    const delayMs = Math.max(0, originMs + (step + 1) * request.intervalS * 1000 - clock.nowMs());
    cancel = clock.after(delayMs, guarded(tick));
  };

  const waitForListeners = (sinceMs: number): void => {
    const isBehind = options.backlogBytes() > BACKLOG_MAX_BYTES && clock.nowMs() - sinceMs < BACKLOG_WAIT_MS;
    cancel = clock.after(isBehind ? BACKLOG_POLL_MS : 0, guarded(isBehind ? () => waitForListeners(sinceMs) : tick));
  };

  const pause = (): void => {
    state = 'paused';
    pausedAtMs = clock.nowMs();
    cancel();
  };

  const resume = (): void => {
    originMs += clock.nowMs() - pausedAtMs;
    state = 'running';
    say(simulationLogText.resumed());
    if (step >= stepCount) finish();
    else plan();
  };

  const finish = (): void => {
    say(simulationLogText.finished(id), 'COMPLETE');
    end('COMPLETE');
  };

  const tick = (): void => {
    simulation.enqueue(events.commandsDue(request.startTime + (isBegun ? step + 1 : 0) * request.intervalS));
    isBegun = true;
    const result = simulation.advance();
    step = result.step;
    for (const line of result.differences.ignored) say(line, 'RUNNING', 'WARN');
    if (result.differences.applied > 0) say(`${result.differences.applied} differences applied`, 'RUNNING', 'DEBUG');
    if (result.status !== 'converged' && result.status !== 'controlsUnsettled') {
      say(
        `The power flow of step ${step} ended with ${result.status}${result.worstBus === '' ? '' : `, worst at bus ${result.worstBus}`}.`,
        'RUNNING',
        'WARN',
      );
    }
    if (step > 0) say(simulationLogText.incrementing(step));
    const isPublishing = result.isOutput ?? step * request.intervalS >= nextPublishS - 1e-9;
    const isLast = step >= stepCount;
    const isPauseDue = (isPublishing && request.pausesAfterMeasurements) || step === pauseAtStep || isPausedAtStart;
    isPausedAtStart = false;
    if (isPauseDue && !isLast) {
      pauseAtStep = undefined;
      pause();
    }
    if (isPublishing) {
      while (nextPublishS <= step * request.intervalS + 1e-9) nextPublishS += request.publishPeriodS;
      publish(result.timestamp, result.status);
    }
    // A listener inside this process may have answered the output already.
    if (isPauseDue && !isLast) {
      if (state === 'paused') say(simulationLogText.paused(), 'PAUSED');
    } else if (state === 'running') {
      if (isLast) finish();
      else plan();
    }
  };

  const begin = (): void => {
    if (state !== 'waiting') return;
    cancel();
    state = 'running';
    originMs = clock.nowMs();
    say(simulationLogText.initialized());
    say(simulationLogText.started(id), 'STARTED');
    say(whatRuns(request, simulation));
    for (const problem of simulation.startProblems) say(problem, 'RUNNING', 'WARN');
    const { unplaced } = simulation;
    if (unplaced.length > 0) {
      const names = unplaced.slice(0, 5).map(({ name, mrid }) => `${name} (${mrid})`);
      say(`${unplaced.length} measurements have no place in the model: ${names.join(', ')}`, 'RUNNING', 'WARN');
    }
    for (const problem of [...serviceProblems, ...eventProblems]) say(problem, 'RUNNING', 'WARN');
    tick();
  };

  const waitForSubscriber = (sinceMs: number, heardMs: number | undefined): void => {
    const nowMs = clock.nowMs();
    const heard = hasNamedSubscriber(outputTopic) ? (heardMs ?? nowMs) : undefined;
    const isHeardWell =
      heard !== undefined && (hasNamedSubscriber(simulationLogTopic(id)) || nowMs - heard >= SUBSCRIBER_GRACE_MS);
    const limitMs = hasSubscriber(outputTopic) ? SUBSCRIBER_WAIT_MS : UNHEARD_WAIT_MS;
    if (isHeardWell || nowMs - sinceMs >= limitMs) begin();
    else
      cancel = clock.after(
        SUBSCRIBER_POLL_MS,
        guarded(() => waitForSubscriber(sinceMs, heard)),
      );
  };

  const stop = (): void => {
    if (state === 'ended') return;
    cancel();
    say(simulationLogText.stopping(), 'CLOSED');
    end();
  };

  const command = (received: SimulationCommand): void => {
    switch (received.command) {
      case 'update': {
        const { message, simulation_id } = received.input;
        if (simulation_id !== undefined && simulation_id !== id) {
          say(`A difference message for simulation ${simulation_id} arrived here and was ignored.`, 'RUNNING', 'WARN');
          return;
        }
        // Sent again by who could not know that it had arrived, or delivered twice by a broker.
        if (!differences.isNew(message.difference_mrid)) {
          say(`Difference message ${message.difference_mrid} had arrived before and was ignored.`, 'RUNNING', 'WARN');
          return;
        }
        const nowS = request.startTime + step * request.intervalS;
        options.record.input(nowS, message.forward_differences);
        simulation.enqueue(events.admit(message.forward_differences, nowS));
        return;
      }
      case 'pause':
        if (state === 'waiting') isPausedAtStart = true;
        else if (state === 'paused') say(simulationLogText.alreadyPaused(), 'PAUSED', 'WARN');
        else if (state === 'running') {
          pause();
          say(simulationLogText.paused(), 'PAUSED');
        }
        return;
      case 'resume':
        if (state === 'paused') resume();
        else say('Resume command received but the simulation is not paused.', 'RUNNING', 'WARN');
        return;
      case 'resumePauseAt':
        if (state === 'paused') {
          pauseAtStep = step + Math.max(1, Math.ceil(received.input.pauseIn / request.intervalS - 1e-9));
          resume();
        } else say('resumePauseAt command received but the simulation is not paused.', 'RUNNING', 'WARN');
        return;
      case 'scale': {
        if (simulation.replayOf !== undefined) {
          say(
            `The command scale has no effect: this is a replay of simulation ${simulation.replayOf}.`,
            'RUNNING',
            'WARN',
          );
          return;
        }
        const { load_scaling_factor: load, pv_scaling_factor: pv } = received.input;
        simulation.scale({ ...(load === undefined ? {} : { load }), ...(pv === undefined ? {} : { pv }) });
        say(`Loads are multiplied by ${load ?? 'the same'}, sun by ${pv ?? 'the same'} from the next step on.`);
        return;
      }
      case 'stop':
        stop();
        return;
      case 'isInitialized':
        say(simulationLogText.initialized());
        return;
      case 'StartSimulation':
        begin();
        return;
      case 'CommOutage':
        say(
          'CommOutage command received; outages are planned in test_config.events, or on the test input topic.',
          'RUNNING',
          'WARN',
        );
    }
  };

  // Not at once: the reply to the start goes out first.
  const createdMs = clock.nowMs();
  const giveUp = (): void => {
    say(`The command to start did not come within ${START_WAIT_MS / 1000} s.`, 'CLOSED', 'WARN');
    end();
  };
  cancel =
    request.waitsForStart === true
      ? clock.after(START_WAIT_MS, guarded(giveUp))
      : clock.after(
          0,
          guarded(() => waitForSubscriber(createdMs, undefined)),
        );
  return {
    id,
    request,
    get state() {
      return state;
    },
    get step() {
      return step;
    },
    planEvents(written) {
      for (const problem of events.plan(written)) say(problem, 'RUNNING', 'WARN');
    },
    listEvents: () => events.list(request.startTime + step * request.intervalS),
    admittances: () => ({
      feederId: simulation.feeder.mrid,
      timestamp: request.startTime + step * request.intervalS,
      ybus: ybus.now(),
    }),
    command: (received) => guarded(() => command(received))(),
    stop,
  };
}

/** What makes the outputs of a run, as its log says it at the start. */
function whatRuns({ feeders, startTime, durationS }: SimulationRequest, { replayOf }: Simulation): string {
  if (replayOf !== undefined) {
    return `This is a replay of simulation ${replayOf} from ${startTime} to ${startTime + durationS}: model, steps and outputs are those of it, and no command changes them.`;
  }
  const asked = feeders.map(({ simulator }) => simulator).join(', ');
  return `The power flow of this platform is used for the simulator asked for (${asked}).`;
}

/** Recognises a difference message by its id when it arrives again; the oldest ids are forgotten. */
function knownDifferences(): { isNew(mrid: string | undefined): boolean } {
  const known = new Set<string>();
  return {
    isNew(mrid) {
      if (mrid === undefined || mrid === '') return true;
      if (known.has(mrid)) return false;
      known.add(mrid);
      const [oldest] = known;
      if (known.size > KNOWN_DIFFERENCES_MAX && oldest !== undefined) known.delete(oldest);
      return true;
    },
  };
}
