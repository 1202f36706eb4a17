import { randomInt } from 'node:crypto';
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
} from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { AgentFailure } from './run-result.js';

/** Kinds of questions whose answers come by agent. */
export type AnswerKind = 'prepared' | 'boundary' | 'verified' | 'setpoints';

/** One agent's part of an answer. */
export type AnswerOf<Kind extends AnswerKind> = CoordinationOf<Kind>['agents'][string];

/** A message without its header. */
export type Body<T = CoordinationMessage> = T extends CoordinationMessage
  ? Omit<T, 'runId' | 'sender' | 'sequence'>
  : never;

/** What came back to one question. */
export interface Answers<Kind extends AnswerKind> {
  readonly byAgent: ReadonlyMap<string, AnswerOf<Kind>>;
  /** Agents that were waited for in vain. */
  readonly late: readonly string[];
}

interface Question {
  readonly interval: number;
  readonly round: number;
  /** Agents still waited for. */
  readonly open: Set<string>;
  accept(message: CoordinationMessage): void;
  done(): void;
}

/** A host as it introduced itself. */
export interface HostRecord {
  readonly hostId: string;
  readonly capacity: number;
}

/** Settings of an exchange. */
export interface ExchangeOptions {
  readonly bus: Bus;
  readonly runId: string;
  readonly onError?: (error: Error) => void;
}

/**
 * The coordinator's side of the bus: asks all agents one question at a time and gathers their answers up to a deadline.
 * It knows agents by id and host only.
 */
export class AgentExchange {
  private readonly options: ExchangeOptions;
  private readonly subscription: BusSubscription;
  private readonly hostOf = new Map<string, string>();
  private readonly hosts = new Map<string, HostRecord>();
  private readonly errors: AgentFailure[] = [];
  private readonly watchers = new Set<(message: CoordinationMessage) => void>();
  private question: Question | undefined;
  private sequence = 0;
  private isGathering = false;
  private readonly callNumber = randomInt(1, 2 ** 31);

  private readonly pulse: NodeJS.Timeout;

  constructor(options: ExchangeOptions) {
    this.options = options;
    // Hosts learn that their coordinator lives, and the coordinator which hosts have come or come back.
    this.pulse = setInterval(() => this.beat(), CALL_EVERY_MS);
    this.pulse.unref();
    this.subscription = options.bus.subscribe(coordinationReply(options.runId), ({ body, destination }) =>
      this.hear(coordination.parse(body, destination)),
    );
  }

  /** Ids of all assigned agents. */
  get agentIds(): readonly string[] {
    return [...this.hostOf.keys()];
  }

  hostOfAgent(agentId: string): string {
    return this.hostOf.get(agentId) ?? '';
  }

  /** Says something to all hosts. */
  broadcast(body: Body): void {
    this.send(coordinationTopic(this.options.runId), body);
  }

  /**
   * Calls the hosts of the run and waits until `count` of them have said hello.
   * @throws DecError `AGENT_LOST` when fewer came in time, `CANCELLED` when the signal came first
   */
  async gather(count: number, deadlineMs: number, signal?: AbortSignal): Promise<readonly HostRecord[]> {
    this.isGathering = true;
    this.call();
    const isComplete = await this.until(() => this.hosts.size >= count, deadlineMs, signal);
    this.isGathering = false;
    if (isComplete) return [...this.hosts.values()];
    throw new DecError(
      'AGENT_LOST',
      `${this.hosts.size} of ${count} agent hosts came within ${deadlineMs / 1000} s. A host may have failed to reach the ` +
        `broker, or belong to another run than ${this.options.runId}.`,
      { hosts: this.hosts.size, wanted: count, runId: this.options.runId },
      { retriable: true },
    );
  }

  /**
   * Gives agents to the hosts in turn and waits for their acknowledgement. Agents that could not be made are returned
   * with the reason.
   */
  async assign(
    assignments: ReadonlyMap<string, unknown>,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<readonly AgentFailure[]> {
    const hosts = [...this.hosts.values()];
    const parts = new Map(hosts.map(({ hostId }) => [hostId, new Map<string, unknown>()]));
    const open = new Set(assignments.keys());
    const rejected: AgentFailure[] = [];
    let turn = 0;
    for (const [agentId, payload] of assignments) {
      const host = nextHost(hosts, parts, turn++);
      if (host === undefined) {
        throw new DecError('BAD_ARGUMENT', `The hosts carry fewer than ${assignments.size} agents; start more hosts.`, {
          agents: assignments.size,
        });
      }
      parts.get(host.hostId)!.set(agentId, payload);
      this.hostOf.set(agentId, host.hostId);
    }
    const watcher = (message: CoordinationMessage): void => {
      if (message.kind !== 'assigned') return;
      for (const agentId of message.agentIds) open.delete(agentId);
      for (const [agentId, reason] of Object.entries(message.rejected)) {
        open.delete(agentId);
        this.hostOf.delete(agentId);
        rejected.push({ agentId, message: reason });
      }
    };
    this.watchers.add(watcher);
    try {
      for (const [hostId, part] of parts) {
        for (const chunk of chunks([...part], AGENTS_PER_ASSIGNMENT)) {
          const agents = Object.fromEntries(chunk);
          this.send(coordinationHost(this.options.runId, hostId), {
            kind: 'assign',
            interval: 0,
            round: 0,
            hostId,
            agents,
          });
        }
      }
      await this.until(() => open.size === 0, deadlineMs, signal);
    } finally {
      this.watchers.delete(watcher);
    }
    for (const agentId of open) {
      this.hostOf.delete(agentId);
      rejected.push({ agentId, message: `not taken by its host within ${deadlineMs / 1000} s` });
    }
    return rejected;
  }

  /** Tells the hosts which simulation to read; resolves with the hosts that did not confirm in time. */
  async watch(simulationId: string, deadlineMs: number, signal?: AbortSignal): Promise<readonly string[]> {
    const open = new Set(this.hosts.keys());
    const watcher = (message: CoordinationMessage): void => {
      if (message.kind === 'watching' && message.simulationId === simulationId) open.delete(message.hostId);
    };
    this.watchers.add(watcher);
    try {
      this.broadcast({ kind: 'watch', interval: 0, round: 0, simulationId });
      await this.until(() => open.size === 0, deadlineMs, signal);
    } finally {
      this.watchers.delete(watcher);
    }
    return [...open];
  }

  /**
   * Asks one question of an interval.
   *
   * @param expected - agents to wait for; answers of others are taken too when they come in time
   */
  async ask<Kind extends AnswerKind>(
    body: Body,
    kind: Kind,
    expected: Iterable<string>,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<Answers<Kind>> {
    signal?.throwIfAborted();
    const assigned = [...expected].filter((agentId) => this.hostOf.has(agentId));
    const open = new Set(assigned.filter((agentId) => this.hosts.has(this.hostOfAgent(agentId))));
    const byAgent = new Map<string, AnswerOf<Kind>>();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.question = undefined;
      };
      const abort = (): void => {
        end();
        reject(cancelled());
      };
      const done = (): void => {
        end();
        resolve();
      };
      const timer = setTimeout(done, deadlineMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.question = {
        interval: body.interval,
        round: body.round,
        open,
        accept: (message) => {
          const parts = partsOf[kind](message);
          if (parts === undefined) return;
          for (const [agentId, part] of Object.entries(parts)) byAgent.set(agentId, part);
          // A host answers once, for all of its agents that have an answer.
          for (const [agentId, hostId] of this.hostOf) if (hostId === message.sender) open.delete(agentId);
        },
        done,
      };
      this.broadcast(body);
      if (open.size === 0) done();
    });
    return { byAgent, late: assigned.filter((agentId) => !byAgent.has(agentId) && !this.hasFailed(agentId)) };
  }

  private beat(): void {
    try {
      this.call();
    } catch (thrown) {
      this.options.onError?.(asError(thrown));
    }
  }

  private call(): void {
    this.broadcast({ kind: 'call', interval: 0, round: this.callNumber });
  }

  /**
   * Only an answer to our own call shows that a host is there: the queue may hold greetings of hosts that are long gone. A
   * host that came by itself is called.
   */
  private greet({ round, hostId, capacity }: CoordinationOf<'hello'>): void {
    if (round === this.callNumber) this.hosts.set(hostId, { hostId, capacity });
    else if (this.isGathering) this.call();
  }

  /** A host is gone: its agents are waited for no longer and are late in every question until it says hello again. */
  lose(hostId: string): void {
    this.hosts.delete(hostId);
    const { question } = this;
    if (question === undefined) return;
    for (const [agentId, carrier] of this.hostOf) if (carrier === hostId) question.open.delete(agentId);
    if (question.open.size === 0) question.done();
  }

  private hasFailed(agentId: string): boolean {
    return this.errors.some((failure) => failure.agentId === agentId);
  }

  /** Failures that agents reported since the last call. */
  takeErrors(): readonly AgentFailure[] {
    return this.errors.splice(0);
  }

  /** Tells the hosts that the run is over and stops listening. */
  close(reason: string): void {
    clearInterval(this.pulse);
    this.broadcast({ kind: 'leave', interval: 0, round: 0, reason });
    this.subscription.unsubscribe();
  }

  private hear(message: CoordinationMessage): void {
    if (message.runId !== this.options.runId || message.sender === COORDINATOR) return;
    if (message.kind === 'hello') this.greet(message);
    for (const watcher of this.watchers) watcher(message);
    const question = this.question;
    if (message.kind === 'agentError') {
      this.errors.push({ agentId: message.agentId, message: message.message });
      question?.open.delete(message.agentId);
    } else if (message.kind === 'leave') {
      this.lose(message.sender);
    } else if (question !== undefined && message.interval === question.interval && message.round === question.round) {
      question.accept(message);
    }
    if (this.question !== undefined && this.question.open.size === 0) this.question.done();
  }

  private send(destination: string, body: Body): void {
    const message: CoordinationMessage = {
      ...body,
      runId: this.options.runId,
      sender: COORDINATOR,
      sequence: this.sequence++,
      session: this.callNumber,
    };
    this.options.bus.send(destination, coordination.format(message));
  }

  /** Waits until a condition holds after some message; false when the deadline came first. */
  private until(condition: () => boolean, deadlineMs: number, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled());
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        this.watchers.delete(check);
        signal?.removeEventListener('abort', abort);
      };
      const check = (): void => {
        if (!condition()) return;
        end();
        resolve(true);
      };
      const abort = (): void => {
        end();
        reject(cancelled());
      };
      const timer = setTimeout(() => {
        end();
        resolve(condition());
      }, deadlineMs);
      this.watchers.add(check);
      signal?.addEventListener('abort', abort, { once: true });
      check();
    });
  }
}

/** Name under which the coordinator speaks. */
const COORDINATOR = 'coordinator';
/** Milliseconds between calls while the exchange is open. */
const CALL_EVERY_MS = 3000;
/** Agents in one message of assignment: their networks are some 50 kB each. */
const AGENTS_PER_ASSIGNMENT = 20;

/** The error of every wait that a signal ended. */
export function cancelled(): DecError {
  return new DecError('CANCELLED', 'The run was cancelled.');
}

/** Whether an error says that a signal ended the work. */
export function isCancelled(thrown: unknown): boolean {
  const error = asError(thrown);
  return error.name === 'AbortError' || ('code' in error && error.code === 'CANCELLED');
}

/** The parts of an answer, when a message is one of that kind. */
const partsOf: {
  readonly [Kind in AnswerKind]: (message: CoordinationMessage) => Readonly<Record<string, AnswerOf<Kind>>> | undefined;
} = {
  prepared: (message) => (message.kind === 'prepared' ? message.agents : undefined),
  boundary: (message) => (message.kind === 'boundary' ? message.agents : undefined),
  verified: (message) => (message.kind === 'verified' ? message.agents : undefined),
  setpoints: (message) => (message.kind === 'setpoints' ? message.agents : undefined),
};

/** The next host in turn that has room. */
function nextHost(
  hosts: readonly HostRecord[],
  parts: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
  turn: number,
): HostRecord | undefined {
  for (let k = 0; k < hosts.length; k++) {
    const host = hosts[(turn + k) % hosts.length]!;
    if (parts.get(host.hostId)!.size < host.capacity) return host;
  }
  return undefined;
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const result: T[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}
