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
import { boundaryFault, portNodesOf, setpointFault, verificationFault } from './answer-check.js';
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
  /** Told of every answer that was dropped. Without it they go to where the process's warnings go. */
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
  /** What each agent was made of, to make it again. */
  private readonly assignments = new Map<string, unknown>();
  private readonly portNodes = new Map<string, number | undefined>();
  /** Agents that their host no longer carries: it has come back without them. */
  private readonly stray = new Set<string>();
  /** Hosts that let a question pass and have not been heard since. */
  private readonly silent = new Set<string>();
  /** Hosts that came after the agents had been given out. */
  private readonly spare = new Set<string>();
  private simulationId: string | undefined;
  /** While agents are given out a host cannot list them yet. */
  private isGiving = false;
  private lastInterval = 0;
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
    let turn = 0;
    for (const [agentId, payload] of assignments) {
      const host = nextHost(hosts, parts, turn++);
      if (host === undefined) {
        throw new DecError('BAD_ARGUMENT', `The hosts carry fewer than ${assignments.size} agents; start more hosts.`, {
          agents: assignments.size,
        });
      }
      parts.get(host.hostId)!.set(agentId, payload);
      this.assignments.set(agentId, payload);
      this.portNodes.set(agentId, portNodesOf(payload));
    }
    const rejected = await this.give(parts, deadlineMs, signal);
    for (const { agentId } of rejected) this.hostOf.delete(agentId);
    return rejected;
  }

  /** Gives each host its part; the agents that it did not take are returned with the reason. */
  private async give(
    parts: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<readonly AgentFailure[]> {
    const open = new Set<string>();
    const rejected: AgentFailure[] = [];
    for (const [hostId, part] of parts) {
      for (const agentId of part.keys()) {
        this.hostOf.set(agentId, hostId);
        open.add(agentId);
      }
    }
    const watcher = (message: CoordinationMessage): void => {
      if (message.kind !== 'assigned') return;
      const isOwn = (agentId: string): boolean => this.hostOf.get(agentId) === message.sender;
      for (const agentId of message.agentIds) if (isOwn(agentId)) open.delete(agentId);
      for (const [agentId, reason] of Object.entries(message.rejected)) {
        if (!isOwn(agentId) || !open.delete(agentId)) continue;
        rejected.push({ agentId, message: reason });
      }
    };
    this.watchers.add(watcher);
    this.isGiving = true;
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
      this.isGiving = false;
      this.watchers.delete(watcher);
    }
    for (const agentId of open) {
      rejected.push({ agentId, message: `not taken by its host within ${deadlineMs / 1000} s` });
    }
    return rejected;
  }

  /** Tells the hosts which simulation to read; resolves with the hosts that did not confirm in time. */
  async watch(simulationId: string, deadlineMs: number, signal?: AbortSignal): Promise<readonly string[]> {
    this.simulationId = simulationId;
    const open = new Set(this.hosts.keys());
    const watcher = (message: CoordinationMessage): void => {
      if (message.kind === 'watching' && message.simulationId === simulationId) open.delete(message.sender);
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
    const wanted = new Set(expected);
    this.lastInterval = body.interval;
    if (body.kind === 'prepare') {
      await this.restore(deadlineMs, signal);
      // Who was given up in an earlier interval gets another chance when its host is there.
      for (const [agentId, hostId] of this.hostOf) if (!this.silent.has(hostId)) wanted.add(agentId);
    }
    const assigned = [...wanted].filter((agentId) => this.hostOf.has(agentId));
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
      const timer = setTimeout(() => {
        for (const agentId of open) this.silent.add(this.hostOfAgent(agentId));
        done();
      }, deadlineMs);
      signal?.addEventListener('abort', abort, { once: true });
      this.question = {
        interval: body.interval,
        round: body.round,
        open,
        accept: (message) => {
          const parts = partsOf[kind](message);
          if (parts === undefined) return;
          const faults = faultsOf(message, this.portNodes);
          for (const [agentId, part] of Object.entries(parts)) {
            const fault = this.carries(message.sender, agentId) ? faults.get(agentId) : 'it does not carry that agent';
            if (fault === undefined) byAgent.set(agentId, part);
            else this.drop(message, agentId, fault);
          }
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
  private greet({ round, sender, hostId, capacity, agentIds }: CoordinationOf<'hello'>): void {
    if (sender !== hostId) return;
    if (round !== this.callNumber) {
      if (this.isGathering || this.hostOf.size > 0) this.call();
      return;
    }
    if (!this.hosts.has(hostId) && this.assignments.size > 0) this.spare.add(hostId);
    this.hosts.set(hostId, { hostId, capacity });
    const carried = new Set(agentIds);
    for (const [agentId, carrier] of this.hostOf) {
      if (carrier !== hostId || this.isGiving) continue;
      if (carried.has(agentId)) this.stray.delete(agentId);
      else this.stray.add(agentId);
    }
  }

  /**
   * Gives agents that nobody carries any more to their host when it has come back, else to one that came later. Agents
   * for which there is none stay with the host they had.
   */
  private async restore(deadlineMs: number, signal?: AbortSignal): Promise<void> {
    const parts = new Map<string, Map<string, unknown>>();
    for (const [agentId, hostId] of this.hostOf) {
      const isPresent = this.hosts.has(hostId) && !this.silent.has(hostId);
      if (isPresent && !this.stray.has(agentId)) continue;
      const target = isPresent ? hostId : this.spareWithRoom(parts);
      if (target === undefined) continue;
      const part = parts.get(target) ?? new Map<string, unknown>();
      parts.set(target, part.set(agentId, this.assignments.get(agentId)));
    }
    if (parts.size === 0) return;
    const rejected = new Set((await this.give(parts, deadlineMs, signal)).map(({ agentId }) => agentId));
    for (const part of parts.values()) {
      for (const agentId of part.keys()) if (!rejected.has(agentId)) this.stray.delete(agentId);
    }
    if (this.simulationId === undefined) return;
    for (const hostId of parts.keys()) {
      const { simulationId } = this;
      this.send(coordinationHost(this.options.runId, hostId), { kind: 'watch', interval: 0, round: 0, simulationId });
    }
  }

  private spareWithRoom(parts: ReadonlyMap<string, ReadonlyMap<string, unknown>>): string | undefined {
    for (const hostId of this.spare) {
      const host = this.hosts.get(hostId);
      if (host === undefined || this.silent.has(hostId)) continue;
      let carried = parts.get(hostId)?.size ?? 0;
      for (const carrier of this.hostOf.values()) if (carrier === hostId) carried++;
      if (carried < host.capacity) return hostId;
    }
    return undefined;
  }

  /** How many of these agents are on a host that is there: zero means that no answer can come. */
  awaitedCount(agentIds: Iterable<string>): number {
    let count = 0;
    for (const agentId of agentIds) {
      const hostId = this.hostOf.get(agentId);
      if (hostId !== undefined && this.hosts.has(hostId)) count++;
    }
    return count;
  }

  private carries(sender: string, agentId: string): boolean {
    return this.hostOf.get(agentId) === sender && this.hosts.has(sender);
  }

  /** Says that something was not taken. */
  private drop({ kind, sender }: CoordinationMessage, agentId: string, reason: string): void {
    const text = `A ${kind} message of ${sender} for agent ${agentId} was dropped: ${reason}.`;
    if (this.options.onError === undefined) process.emitWarning(text);
    else this.options.onError(new Error(text));
  }

  /** A host is gone: its agents are waited for no longer and are late in every question until it says hello again. */
  lose(hostId: string): void {
    this.hosts.delete(hostId);
    this.spare.delete(hostId);
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
    this.silent.delete(message.sender);
    for (const watcher of this.watchers) watcher(message);
    const question = this.question;
    if (message.kind === 'agentError') {
      if (!this.carries(message.sender, message.agentId)) {
        this.drop(message, message.agentId, 'it does not carry that agent');
        return;
      }
      if (message.interval !== this.lastInterval) return;
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

/** Why parts of an answer cannot be true, by agent. */
function faultsOf(
  message: CoordinationMessage,
  portNodes: ReadonlyMap<string, number | undefined>,
): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  const check = <T>(parts: Readonly<Record<string, T>>, fault: (part: T, agentId: string) => string | undefined) => {
    for (const [agentId, part] of Object.entries(parts)) {
      const found = fault(part, agentId);
      if (found !== undefined) faults.set(agentId, found);
    }
  };
  if (message.kind === 'boundary') check(message.agents, (part, id) => boundaryFault(part, portNodes.get(id)));
  else if (message.kind === 'verified') check(message.agents, (part, id) => verificationFault(part, portNodes.get(id)));
  else if (message.kind === 'setpoints') check(message.agents, setpointFault);
  return faults;
}

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
