import { createHash } from 'node:crypto';
import {
  asError,
  type Bus,
  type BusSubscription,
  type CoordinationMessage,
  type CoordinationOf,
  coordination,
  coordinationHost,
  coordinationReply,
  coordinationTopic,
  fieldMeasurements,
  fieldOutputTopic,
  simulationOutput,
  simulationOutputTopic,
  storedOutput,
} from '../bus/index.js';
import type { ServiceModel } from '../grid/optim/index.js';
import { AreaAgent, type RoundAnswer } from './area-agent.js';
import { type AgentSettings, readAreaAssignment, readAssignment } from './assignment.js';
import type { AgentInbox, AgentOutbox } from './mailbox.js';
import { MeasurementFeed, type MeasurementsByMrid } from './measurement-feed.js';
import { ServiceAgent, type ServiceAgentCore } from './service-agent.js';

/** Makes the mathematics of one agent. @throws when the model cannot be solved */
export type CreateCore = (model: ServiceModel, settings: AgentSettings) => ServiceAgentCore;

/** What a host needs. */
export interface AgentHostOptions {
  readonly bus: Bus;
  readonly runId: string;
  /** Name of the host in the run; part of a destination. */
  readonly hostId: string;
  /** Number of agents it is willing to carry. Default 2000. */
  readonly capacity?: number;
  /** Makes the mathematics of an agent. */
  readonly createCore: CreateCore;
  /** Milliseconds to wait for the measurements that belong to an interval. Default 2000. */
  readonly measurementWaitMs?: number;
  /** Milliseconds of silence after which another coordinator may take the host over. Default 12 000. */
  readonly coordinatorSilenceMs?: number;
  /** Errors of handlers and malformed messages, for a log. */
  readonly onError?: (error: Error) => void;
}

/** A running host. */
export interface AgentHost {
  readonly hostId: string;
  /** Ids of the agents it carries. */
  readonly agentIds: readonly string[];
  /** Tells the coordinator that it leaves, drops its agents and stops listening. The bus stays open. */
  close(): void;
}

/** The coordinator that a host serves. */
interface Coordinator {
  readonly sender: string;
  readonly session: number;
  /** When it was last heard, monotonic ms. */
  heardMs: number;
  /** Foreign messages that were reported already. */
  readonly ignored: Set<string>;
}

/** An agent's mathematics, and a mark of what it was made from. */
interface KeptCore {
  readonly mark: string;
  readonly core: ServiceAgentCore;
}

/** An area, and a mark of what it was made from. */
interface KeptArea {
  readonly mark: string;
  readonly area: AreaAgent;
}

/** A coordinator calls every few seconds as long as it lives; four calls missed mean that it is gone. */
const COORDINATOR_SILENCE_MS = 12_000;
const IGNORED_MAX = 50;
/** Outputs and questions come on different ways: one may be a little behind, ms. */
const RECALL_AFTER_MS = 300;

type Body<T = CoordinationMessage> = T extends CoordinationMessage ? Omit<T, 'runId' | 'sender' | 'sequence'> : never;
type Answer<Kind extends AgentOutbox['kind']> = Extract<AgentOutbox, { kind: Kind }>;

/**
 * Carries any number of agents: hears the coordinator, hands each agent its part, and answers for all of them in one
 * message. An agent that fails is named in `agentError` and left out; the others go on.
 */
export function createAgentHost(options: AgentHostOptions): AgentHost {
  const { bus, runId, hostId, measurementWaitMs = 2000 } = options;
  const agents = new Map<string, ServiceAgent>();
  const areas = new Map<string, KeptArea>();
  const models = new Map<string, ServiceModel>();
  const areaOf = new Map<string, string>();
  const cores = new Map<string, KeptCore>();
  /** Of a coordinator that fell silent: agents of its successor that are made from the same go on with their linearisation. */
  let orphans: ReadonlyMap<string, KeptCore> = new Map();
  /** The same of areas, which go on with their prices. */
  let orphanAreas: ReadonlyMap<string, KeptArea> = new Map();
  const subscriptions: BusSubscription[] = [];
  let watched: BusSubscription[] = [];
  let feed = new MeasurementFeed([]);
  /** The newest output of the simulation. */
  let newest: { readonly timestamp: number; readonly measurements: MeasurementsByMrid } | undefined;
  let sequence = 0;
  let waiting: { readonly message: CoordinationOf<'prepare'>; readonly timer: NodeJS.Timeout } | undefined;
  let coordinator: Coordinator | undefined;
  const lastSeen = new Map<string, number>();
  /** The last question of an interval, and what was said to it. */
  let asked: Asked | undefined;
  let simulation: string | undefined;

  const say = (body: Body): void => {
    if (asked !== undefined && isAnswerTo(body, asked)) asked.said.push(body);
    send(body);
  };
  const send = (body: Body): void => {
    const message: CoordinationMessage = { ...body, runId, sender: hostId, sequence: sequence++ };
    bus.send(coordinationReply(runId), coordination.format(message));
  };
  const report = (thrown: unknown): void => options.onError?.(asError(thrown));

  /** @param round - number of the call that is answered; 0 without one */
  const hello = (round: number): void =>
    say({
      kind: 'hello',
      interval: 0,
      round,
      hostId,
      agentIds: [...agents.keys(), ...areas.keys()],
      capacity: options.capacity ?? 2000,
    });

  const reset = (): void => {
    if (waiting !== undefined) clearTimeout(waiting.timer);
    waiting = undefined;
    for (const subscription of watched) subscription.unsubscribe();
    watched = [];
    agents.clear();
    areas.clear();
    cores.clear();
    orphans = new Map();
    orphanAreas = new Map();
    models.clear();
    areaOf.clear();
    coordinator = undefined;
    lastSeen.clear();
    asked = undefined;
    simulation = undefined;
    feed = new MeasurementFeed([]);
    newest = undefined;
  };

  const assign = (message: CoordinationOf<'assign'>): void => {
    const rejected: Record<string, string> = {};
    asked = undefined;
    for (const [agentId, payload] of Object.entries(message.agents)) {
      try {
        const mark = createHash('sha256').update(JSON.stringify(payload)).digest('base64');
        const area = readAreaAssignment(payload);
        if (area !== undefined) {
          const left = orphanAreas.get(agentId);
          areas.set(agentId, left?.mark === mark ? left : { mark, area: new AreaAgent(area.area, area.settings) });
          continue;
        }
        const { model, settings, areaId } = readAssignment(payload);
        const orphan = orphans.get(agentId);
        const core = orphan?.mark === mark ? orphan.core : options.createCore(model, settings);
        agents.set(agentId, new ServiceAgent(model, core));
        cores.set(agentId, { mark, core });
        models.set(agentId, model);
        if (areaId !== undefined) areaOf.set(agentId, areaId);
      } catch (error) {
        rejected[agentId] = asError(error).message;
      }
    }
    feed = new MeasurementFeed([...models.values()]);
    // Agents that are made anew between an output and its question know what was measured.
    if (newest !== undefined) feed.fromSimulation(newest.timestamp, newest.measurements);
    const agentIds = Object.keys(message.agents).filter((agentId) => agents.has(agentId) || areas.has(agentId));
    say({ kind: 'assigned', interval: 0, round: message.round, hostId, agentIds, rejected });
  };

  const watch = (simulationId: string): void => {
    for (const subscription of watched) subscription.unsubscribe();
    if (simulation !== simulationId) newest = undefined;
    simulation = simulationId;
    watched = [
      bus.subscribe(simulationOutputTopic(simulationId), ({ body, destination }) => {
        const { message } = simulationOutput.parse(body, destination);
        newest = message;
        feed.fromSimulation(message.timestamp, message.measurements);
        if (waiting !== undefined && waiting.message.timestamp <= message.timestamp) prepareNow();
      }),
    ];
    for (const [agentId, areaId] of areaOf) {
      watched.push(
        bus.subscribe(fieldOutputTopic(simulationId, areaId), ({ body, destination }) =>
          feed.fromField(agentId, fieldMeasurements.parse(body, destination)),
        ),
      );
    }
    void bus.flush().then(
      () => say({ kind: 'watching', interval: 0, round: 0, hostId, simulationId }),
      (error: unknown) => report(error),
    );
  };

  /** Hands a message to agents and gathers answers of the wanted kind; failures are told at once. */
  const ask = <Kind extends AgentOutbox['kind']>(
    message: { readonly interval: number; readonly round: number },
    kind: Kind,
    parts: Iterable<readonly [string, AgentInbox]>,
  ): ReadonlyMap<string, Answer<Kind>> => {
    const answers = new Map<string, Answer<Kind>>();
    for (const [agentId, inbox] of parts) {
      const answer = agents.get(agentId)?.receive(inbox);
      if (answer === undefined || answer.kind === 'ignored') continue;
      if (isAnswer(answer, kind)) answers.set(agentId, answer);
      else if (answer.kind === 'failed' || answer.kind === 'refused') {
        if (answer.kind === 'refused') report(new Error(answer.message));
        const { interval, round } = message;
        say({ kind: 'agentError', interval, round, hostId, agentId, message: answer.message });
      }
    }
    return answers;
  };

  const prepare = (message: CoordinationOf<'prepare'>): void => {
    orphans = new Map();
    orphanAreas = new Map();
    if (waiting !== undefined) clearTimeout(waiting.timer);
    waiting = { message, timer: setTimeout(prepareNow, measurementWaitMs) };
    if (feed.timestamp >= message.timestamp) prepareNow();
    else setTimeout(() => void recall(message), RECALL_AFTER_MS);
  };

  /** An output that was published while this host did not listen is in the platform's time series. */
  const recall = async (message: CoordinationOf<'prepare'>): Promise<void> => {
    const isWaiting = (): boolean => waiting?.message === message;
    if (simulation === undefined || !isWaiting()) return;
    const { timestamp } = message;
    const query = { simulationId: simulation, timestamp, mrids: feed.mrids };
    try {
      const output = await storedOutput(bus, query, { timeoutMs: measurementWaitMs });
      if (output === undefined || !isWaiting()) return;
      feed.fromSimulation(timestamp, output.message.measurements);
      prepareNow();
    } catch {
      // A platform without a time series: the agents go on without these measurements, and say so.
    }
  };

  const prepareNow = (): void => {
    if (waiting === undefined) return;
    const { message, timer } = waiting;
    clearTimeout(timer);
    waiting = undefined;
    const { interval, round, timestamp, horizon, agents: told } = message;
    for (const [agentId, readings] of feed.take()) {
      agents.get(agentId)?.receive({ kind: 'measurements', timestamp: feed.timestamp, readings });
    }
    const forecast = { pv: horizon['pv'] ?? [], load: horizon['load'] ?? [] };
    const answers = ask(
      message,
      'prepared',
      each(agents, (agentId) => {
        return { kind: 'prepare', interval, timestamp, forecast, ...told[agentId] };
      }),
    );
    say({
      kind: 'prepared',
      interval,
      round,
      hostId,
      agents: {
        ...mapValues(answers, ({ isMeasured }) => ({ isMeasured })),
        // An area has its part of the network told with the first round.
        ...Object.fromEntries([...areas.keys()].map((areaId) => [areaId, {}])),
      },
    });
  };

  const solveRound = ({ interval, round, rho, agents: targets }: CoordinationOf<'round'>): void => {
    const parts = pick(targets, ({ targetW, targetVar, targetVoltageSquaredPu, targetAlpha }): AgentInbox => {
      const request = { round, rho, targetW, targetVar, targetVoltageSquaredPu };
      return {
        kind: 'round',
        interval,
        request: targetAlpha === undefined ? request : { ...request, targetAlpha },
      };
    });
    const answers = ask({ interval, round }, 'boundary', parts);
    say({
      kind: 'boundary',
      interval,
      round,
      hostId,
      agents: mapValues(answers, boundaryOf),
    });
  };

  const open = ({ interval, round }: CoordinationOf<'open'>): void => {
    const answers = ask(
      { interval, round },
      'opened',
      each(agents, () => ({ kind: 'open', interval, round })),
    );
    say({ kind: 'opened', interval, round, hostId, agents: mapValues(answers, ({ opening }) => opening) });
  };

  const dispatch = ({ interval, round, agents: parts }: CoordinationOf<'dispatch'>): void => {
    const answers = ask(
      { interval, round },
      'cuts',
      pick(parts, (part): AgentInbox => ({ kind: 'dispatch', interval, request: { round, ...part } })),
    );
    say({ kind: 'cuts', interval, round, hostId, agents: mapValues(answers, ({ reply: { cuts } }) => ({ cuts })) });
  };

  /** Has areas do something; one that fails is named, the others go on. */
  const areasDo = <T>(
    { interval, round }: { readonly interval: number; readonly round: number },
    areaIds: Iterable<string>,
    act: (area: AreaAgent, areaId: string) => T,
  ): Record<string, T> => {
    const done: Record<string, T> = {};
    for (const areaId of areaIds) {
      const area = areas.get(areaId)?.area;
      if (area === undefined) continue;
      try {
        done[areaId] = act(area, areaId);
      } catch (error) {
        say({ kind: 'agentError', interval, round, hostId, agentId: areaId, message: asError(error).message });
      }
    }
    return done;
  };

  const solveAreas = (message: CoordinationOf<'areaRound'>): void => {
    const { interval, round, areas: tasks } = message;
    const reports = areasDo(message, Object.keys(tasks), (area, areaId) =>
      area.round(interval, tasks[areaId]!, {
        // To the agent it is a question of the interval like others: these are numbered together.
        ask: (requests): ReadonlyMap<string, RoundAnswer> =>
          ask(
            message,
            'boundary',
            [...requests].map(
              ([agentId, request]) => [agentId, { kind: 'round', interval, request: { ...request, round } }] as const,
            ),
          ),
        refuse: (agentId, reason) => say({ kind: 'agentError', interval, round, hostId, agentId, message: reason }),
      }),
    );
    say({ kind: 'areaReport', interval, round, hostId, areas: reports });
  };

  const settle = (message: CoordinationOf<'settle'>): void => {
    const { interval, round } = message;
    const outcomes = areasDo(message, message.areas, (area) => area.outcome(interval));
    say({ kind: 'settled', interval, round, hostId, areas: outcomes });
  };

  const verify = ({ interval, round, agents: voltages, candidate }: CoordinationOf<'verify'>): void => {
    const more = candidate === undefined ? {} : { candidate };
    const parts = pick(
      voltages,
      ({ voltage }): AgentInbox => ({ kind: 'verify', interval, round, request: { voltage }, ...more }),
    );
    const answers = ask({ interval, round }, 'verified', parts);
    say({ kind: 'verified', interval, round, hostId, agents: mapValues(answers, ({ reply }) => reply) });
  };

  const commit = ({ interval, round, held }: CoordinationOf<'commit'>): void => {
    const heldIds = new Set(held);
    const committing = [...each(agents, () => ({ kind: 'commit', interval }))].filter(([id]) => !heldIds.has(id));
    const answers = ask({ interval, round }, 'limits', committing);
    say({ kind: 'setpoints', interval, round, hostId, agents: mapValues(answers, ({ limits }) => limits) });
  };

  /**
   * Whether a message comes from the coordinator of this host. A call of another one is heeded only when there is none,
   * or the present one has been silent for long; agents of the one that went before are none of its business.
   */
  const isHeeded = (message: CoordinationMessage): boolean => {
    const { kind, sender } = message;
    // A message that does not say which coordinator's it is could be anybody's.
    const session = kind === 'call' ? message.round : message.session;
    const now = performance.now();
    const isOurs = session !== undefined && coordinator?.sender === sender && coordinator.session === session;
    if (!isOurs && kind === 'call') {
      const silenceMs = options.coordinatorSilenceMs ?? COORDINATOR_SILENCE_MS;
      if (coordinator !== undefined && now - coordinator.heardMs < silenceMs) {
        ignore(message);
        return false;
      }
      const left = [new Map(cores), new Map(areas)] as const;
      reset();
      [orphans, orphanAreas] = left;
      coordinator = { sender, session: message.round, heardMs: now, ignored: new Set() };
      return true;
    }
    if (coordinator === undefined) {
      if (kind !== 'assign' || session === undefined) return false;
      coordinator = { sender, session, heardMs: now, ignored: new Set() };
      return true;
    }
    if (isOurs) coordinator.heardMs = now;
    else ignore(message);
    return isOurs;
  };

  /** Says once per sender and kind that it is not heeded. */
  const ignore = ({ kind, sender }: CoordinationMessage): void => {
    if (coordinator === undefined) return;
    const what = `${kind} of ${sender}`;
    if (coordinator.ignored.has(what) || coordinator.ignored.size >= IGNORED_MAX) return;
    coordinator.ignored.add(what);
    report(
      new Error(
        `Host ${hostId} ignored a ${kind} message of ${sender} in run ${runId}: it serves another coordinator, which has ` +
          'neither left nor fallen silent.',
      ),
    );
  };

  const hear = (body: string, destination: string): void => {
    const message = coordination.parse(body, destination);
    if (message.runId !== runId || message.sender === hostId || !isHeeded(message)) return;
    // Repeated by the broker, or recorded and played again: the coordinator's numbers only rise on each destination.
    if (message.sequence <= (lastSeen.get(destination) ?? -1)) return;
    lastSeen.set(destination, message.sequence);
    if (isQuestion(message)) {
      if (asked !== undefined && asked.kind === message.kind && isOf(message, asked)) {
        // Asked again because the answer may have been lost; where there is none yet it will come.
        for (const said of asked.said) send(said);
        return;
      }
      asked = { kind: message.kind, interval: message.interval, round: message.round, said: [] };
    }
    switch (message.kind) {
      case 'call':
        hello(message.round);
        break;
      case 'leave':
        reset();
        break;
      case 'assign':
        assign(message);
        break;
      case 'watch':
        watch(message.simulationId);
        break;
      case 'prepare':
        prepare(message);
        break;
      case 'round':
        solveRound(message);
        break;
      case 'open':
        open(message);
        break;
      case 'dispatch':
        dispatch(message);
        break;
      case 'areaRound':
        solveAreas(message);
        break;
      case 'settle':
        settle(message);
        break;
      case 'verify':
        verify(message);
        break;
      case 'correct': {
        const { interval, round } = message;
        ask(
          message,
          'corrected',
          each(agents, () => ({ kind: 'correct', interval, round })),
        );
        break;
      }
      case 'commit':
        commit(message);
        break;
      default:
        break;
    }
  };

  bus.onError(report);
  subscriptions.push(
    bus.subscribe(coordinationTopic(runId), ({ body, destination }) => hear(body, destination)),
    bus.subscribe(coordinationHost(runId, hostId), ({ body, destination }) => hear(body, destination)),
  );
  void bus.flush().then(() => hello(0), report);

  return {
    hostId,
    get agentIds() {
      return [...agents.keys()];
    },
    close() {
      reset();
      for (const subscription of subscriptions) subscription.unsubscribe();
      say({ kind: 'leave', interval: 0, round: 0, reason: 'closed' });
    },
  };
}

/** A question of an interval, and what was said to it. */
interface Asked {
  readonly kind: CoordinationMessage['kind'];
  readonly interval: number;
  readonly round: number;
  readonly said: Body[];
}

const QUESTIONS: ReadonlySet<CoordinationMessage['kind']> = new Set([
  ...(['prepare', 'round', 'open', 'dispatch', 'areaRound', 'settle', 'verify', 'commit'] as const),
]);
const ANSWERS: ReadonlySet<CoordinationMessage['kind']> = new Set([
  ...([
    'prepared',
    'boundary',
    'opened',
    'cuts',
    'areaReport',
    'settled',
    'verified',
    'setpoints',
    'agentError',
  ] as const),
]);

function isQuestion({ kind }: CoordinationMessage): boolean {
  return QUESTIONS.has(kind);
}

function isAnswerTo(body: Body, asked: Asked): boolean {
  return ANSWERS.has(body.kind) && isOf(body, asked);
}

function isOf({ interval, round }: Body | CoordinationMessage, asked: Asked): boolean {
  return interval === asked.interval && round === asked.round;
}

function boundaryOf({ kind: _kind, reply: { round: _round, ...reply }, ...curtailment }: Answer<'boundary'>) {
  return { ...reply, ...curtailment };
}

function isAnswer<Kind extends AgentOutbox['kind']>(answer: AgentOutbox, kind: Kind): answer is Answer<Kind> {
  return answer.kind === kind;
}

function* each(
  agents: ReadonlyMap<string, unknown>,
  message: (agentId: string) => AgentInbox,
): Generator<readonly [string, AgentInbox]> {
  for (const agentId of agents.keys()) yield [agentId, message(agentId)];
}

function* pick<T>(
  parts: Readonly<Record<string, T>>,
  message: (part: T) => AgentInbox,
): Generator<readonly [string, AgentInbox]> {
  for (const [agentId, part] of Object.entries(parts)) yield [agentId, message(part)];
}

function mapValues<T, U>(map: ReadonlyMap<string, T>, value: (item: T) => U): Record<string, U> {
  return Object.fromEntries([...map].map(([key, item]) => [key, value(item)]));
}
