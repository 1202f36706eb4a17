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
import { type Multipliers, type PortFacts, portFactsOf } from './answer-check.js';
import { type AnswerKind, type AnswerOf, faultsOf, isRoundAnswer, partsOf, unreadableOf } from './answer-parts.js';
import { cancelled } from './cancelled.js';
import { Question } from './question.js';
import { type HostRecord, Roster } from './roster.js';
import type { AgentFailure, ReceivedAnswers } from './run-result.js';

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

/** Settings of an exchange. */
export interface ExchangeOptions {
  readonly bus: Bus;
  readonly runId: string;
  /** Told of every answer that was dropped. Without it they go to where the process's warnings go. */
  readonly onError?: (error: Error) => void;
  /**
   * Starts a host in the place of one that has ended or does not answer; undefined when it cannot be done. Without it its
   * agents go to the other hosts.
   */
  readonly replaceHost?: (hostId: string) => Promise<string | undefined>;
  /** What the run multiplies loads and sun by (default 1): with ratings they bound what an agent can truly answer. */
  readonly multipliers?: Multipliers;
  /** Milliseconds without a word after which agents that a host has not taken are given to others (default 8000). */
  readonly takeMs?: number;
}

/**
 * The coordinator's side of the bus: asks all agents one question at a time and gathers their answers up to a deadline.
 * It knows agents by id and host only.
 */
export class AgentExchange {
  private readonly options: ExchangeOptions;
  private readonly subscription: BusSubscription;
  private readonly roster = new Roster();
  /** Hosts that agents are given to at first; all that are there when nobody was gathered. */
  private seated: readonly string[] = [];
  /** What each agent was made of, to make it again. */
  private readonly assignments = new Map<string, unknown>();
  private readonly ports = new Map<string, PortFacts | undefined>();
  private readonly notMade = new Map<string, string>();
  private simulationId: string | undefined;
  /** While agents are given out a host cannot list them yet. */
  private isGiving = false;
  private lastInterval = 0;
  private readonly errors: AgentFailure[] = [];
  private readonly watchers = new Set<(message: CoordinationMessage) => void>();
  private question: Question | undefined;
  private received = { messages: 0, bytes: 0 };
  private sequence = 0;
  private isGathering = false;
  private isInterrupted = false;
  /** Moves the models onto the last AC solution; said until a question after it has been answered. */
  private correction: Body | undefined;
  private readonly callNumber = randomInt(1, 2 ** 31);

  private readonly pulse: NodeJS.Timeout;

  constructor(options: ExchangeOptions) {
    this.options = options;
    // Hosts learn that their coordinator lives, and the coordinator which hosts have come or come back.
    this.pulse = setInterval(() => this.beat(), CALL_EVERY_MS);
    this.pulse.unref();
    this.subscription = options.bus.subscribe(coordinationReply(options.runId), ({ body, destination }) => {
      const message = coordination.parse(body, destination);
      if (isRoundAnswer(message)) {
        this.received.messages++;
        this.received.bytes += Buffer.byteLength(body);
      }
      this.hear(message);
    });
  }

  /** Ids of all assigned agents. */
  get agentIds(): readonly string[] {
    return this.roster.agentIds;
  }

  /** Agents that no host could make, with the reason. */
  get unmade(): ReadonlyMap<string, string> {
    return this.notMade;
  }

  /** What the port of an agent can carry; undefined where its assignment does not say. */
  portOf(agentId: string): PortFacts | undefined {
    return this.ports.get(agentId);
  }

  hostOfAgent(agentId: string): string {
    return this.roster.carrierOf(agentId) ?? '';
  }

  /** Has the agents move their models onto the last AC solution. */
  correct(interval: number, round: number): void {
    this.correction = { kind: 'correct', interval, round };
    this.broadcast(this.correction);
  }

  /** The connection to the broker is lost: the present question waits, and its time stands still. */
  interrupt(): void {
    this.isInterrupted = true;
    this.question?.suspend();
  }

  /** The connection is there again: what it may have swallowed is asked again. */
  proceed(): void {
    this.isInterrupted = false;
    this.question?.proceed();
  }

  /** Says something to all hosts. */
  broadcast(body: Body): void {
    this.send(coordinationTopic(this.options.runId), body);
  }

  /**
   * Calls the hosts of the run and waits until `count` of them have said hello. Agents are given to these; whoever comes
   * beside them is kept in reserve.
   *
   * @param own - hosts that must be among them: those that the run has started
   * @param former - hosts that carried agents for a predecessor, and are waited for while they may still heed it
   * @throws DecError `AGENT_LOST` when fewer came in time, `CANCELLED` when the signal came first
   */
  async gather(
    count: number,
    deadlineMs: number,
    signal?: AbortSignal,
    own: readonly string[] = [],
    former: readonly string[] = [],
  ): Promise<readonly HostRecord[]> {
    const { roster } = this;
    this.isGathering = true;
    this.call();
    const isThere = (): boolean => roster.size >= count && own.every((hostId) => roster.has(hostId));
    const areBack = (): boolean =>
      former.filter((hostId) => roster.has(hostId)).length >= Math.min(count, former.length);
    // One that has died with its coordinator is not missed for longer than a living one would take.
    await this.until(() => isThere() && areBack(), Math.min(deadlineMs, FORMER_MS), signal);
    const isComplete = isThere() || (await this.until(isThere, deadlineMs, signal));
    this.isGathering = false;
    if (isComplete) {
      // A coordinator that takes over gives agents to the hosts that had them; by name, so that each has the same ones.
      const isFormer = (hostId: string) => Number(former.includes(hostId));
      const others = roster.hostIds
        .filter((hostId) => !own.includes(hostId))
        .sort((a, b) => isFormer(b) - isFormer(a) || a.localeCompare(b, 'en', { numeric: true }));
      this.seated = [...own, ...others].slice(0, count);
      return this.seated.flatMap((hostId) => roster.record(hostId) ?? []);
    }
    throw new DecError(
      'AGENT_LOST',
      `${roster.size} of ${count} agent hosts came within ${deadlineMs / 1000} s. A host may have failed to reach the ` +
        `broker, or belong to another run than ${this.options.runId}.`,
      { hosts: roster.size, wanted: count, runId: this.options.runId },
      { retriable: true },
    );
  }

  /**
   * Gives agents to the gathered hosts in turn and waits for their acknowledgement. Agents of a host that takes none go to
   * the others. Agents that could not be made are returned with the reason.
   *
   * @param groups - who must sit beside whom on one host: name of the group by agent
   */
  async assign(
    assignments: ReadonlyMap<string, unknown>,
    deadlineMs: number,
    signal?: AbortSignal,
    groups: ReadonlyMap<string, string> = new Map(),
  ): Promise<readonly AgentFailure[]> {
    const { roster } = this;
    roster.group(groups);
    const seating = roster.inTurn(
      [...assignments.keys()],
      this.seated.filter((hostId) => roster.has(hostId)),
    );
    const seats = [...seating.values()].reduce((sum, { length }) => sum + length, 0);
    if (seats < assignments.size) {
      throw new DecError('BAD_ARGUMENT', `The hosts carry fewer than ${assignments.size} agents; start more hosts.`, {
        agents: assignments.size,
      });
    }
    for (const [agentId, payload] of assignments) {
      this.assignments.set(agentId, payload);
      this.ports.set(agentId, portFactsOf(payload, this.options.multipliers));
    }
    const rejected = await this.give(seating, deadlineMs, signal);
    for (const { agentId, message } of rejected) this.notMade.set(agentId, message);
    roster.dismiss(rejected.map(({ agentId }) => agentId));
    return rejected;
  }

  /**
   * Makes agents anew on the hosts that have them, of other assignments; they know nothing of the limits in force. Agents that
   * could not be made are returned with the reason.
   */
  async reassign(
    assignments: ReadonlyMap<string, unknown>,
    multipliers: Multipliers,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<readonly AgentFailure[]> {
    const seating = new Map<string, string[]>();
    for (const [agentId, payload] of assignments) {
      const hostId = this.roster.carrierOf(agentId);
      if (hostId === undefined) continue;
      this.assignments.set(agentId, payload);
      this.ports.set(agentId, portFactsOf(payload, multipliers));
      if (this.roster.has(hostId)) seating.set(hostId, [...(seating.get(hostId) ?? []), agentId]);
    }
    this.correction = undefined;
    return this.give(seating, deadlineMs, signal);
  }

  /** Hosts that carry agents. */
  get carriers(): readonly string[] {
    return this.roster.hostIds.filter((hostId) => this.roster.agentsOf(hostId).length > 0);
  }

  /** Gives each host its part; the agents that nobody took are returned with the reason. */
  private async give(
    seating: ReadonlyMap<string, readonly string[]>,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<readonly AgentFailure[]> {
    const { roster } = this;
    const open = new Set<string>();
    const rejected: AgentFailure[] = [];
    const heardMs = new Map<string, number>();
    const watcher = (message: CoordinationMessage): void => {
      if (message.kind !== 'assigned') return;
      heardMs.set(message.sender, performance.now());
      for (const agentId of message.agentIds) if (roster.carries(message.sender, agentId)) open.delete(agentId);
      for (const [agentId, reason] of Object.entries(message.rejected)) {
        if (!roster.carries(message.sender, agentId) || !open.delete(agentId)) continue;
        rejected.push({ agentId, message: reason });
      }
    };
    const hand = (parts: ReadonlyMap<string, readonly string[]>): void => {
      for (const [hostId, part] of parts) {
        roster.seat(hostId, part);
        heardMs.set(hostId, performance.now());
        for (const agentId of part) open.add(agentId);
        for (const chunk of chunks(part, AGENTS_PER_ASSIGNMENT)) {
          const agents = Object.fromEntries(chunk.map((agentId) => [agentId, this.assignments.get(agentId)]));
          this.tell(hostId, { kind: 'assign', interval: 0, round: 0, hostId, agents });
        }
      }
    };
    this.watchers.add(watcher);
    this.isGiving = true;
    const endMs = performance.now() + deadlineMs;
    const takeMs = this.options.takeMs ?? TAKE_MS;
    try {
      hand(seating);
      while (open.size > 0 && performance.now() < endMs) {
        const waitMs = Math.min(takeMs, endMs - performance.now());
        if (await this.until(() => open.size === 0, waitMs, signal)) break;
        const carriers = new Set([...open].map((agentId) => this.hostOfAgent(agentId)));
        const idle = [...carriers].filter((hostId) => performance.now() - (heardMs.get(hostId) ?? 0) >= takeMs - 1);
        for (const hostId of idle) roster.idled(hostId);
        const others = roster.reliable().filter((hostId) => !idle.includes(hostId));
        if (idle.length === 0 || others.length === 0) continue;
        const left = [...open].filter((agentId) => idle.includes(this.hostOfAgent(agentId)));
        const text = `Hosts ${idle.join(', ')} took none of their agents within ${takeMs / 1000} s; the ${left.length} agents were given to others.`;
        this.warn(text);
        for (const hostId of idle) this.tell(hostId, { kind: 'leave', interval: 0, round: 0, reason: text });
        roster.dismiss(left);
        hand(roster.inTurn(left, others));
      }
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
    return this.confirmWatching(simulationId, this.roster.hostIds, deadlineMs, signal, (body) => this.broadcast(body));
  }

  private async confirmWatching(
    simulationId: string,
    hostIds: readonly string[],
    deadlineMs: number,
    signal: AbortSignal | undefined,
    say: (body: Body) => void,
  ): Promise<readonly string[]> {
    const open = new Set(hostIds);
    const watcher = (message: CoordinationMessage): void => {
      if (message.kind === 'watching' && message.simulationId === simulationId) open.delete(message.sender);
    };
    this.watchers.add(watcher);
    try {
      say({ kind: 'watch', interval: 0, round: 0, simulationId });
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
    const { roster } = this;
    this.lastInterval = body.interval;
    if (body.kind === 'prepare') {
      // Who was given up in an earlier interval gets another chance when its host is there.
      for (const agentId of roster.agentIds) if (!roster.isSilent(this.hostOfAgent(agentId))) wanted.add(agentId);
    }
    const assigned = [...wanted].filter((agentId) => roster.carrierOf(agentId) !== undefined);
    const byAgent = new Map<string, AnswerOf<Kind>>();
    const question = new Question({
      interval: body.interval,
      round: body.round,
      open: assigned.filter((agentId) => roster.isCarried(agentId)),
      deadlineMs,
      signal,
      say: (isRepeated) => {
        // Models that were not moved onto the last AC solution would answer another question.
        if (isRepeated && this.correction !== undefined) this.broadcast(this.correction);
        this.broadcast(body);
      },
      accept: (message) => {
        const parts = partsOf[kind](message);
        if (parts === undefined) return;
        roster.answered(message.sender);
        const faults = faultsOf(message, this.ports);
        for (const [agentId, part] of Object.entries(parts)) {
          const fault = roster.carries(message.sender, agentId) ? faults.get(agentId) : 'it does not carry that agent';
          if (fault === undefined) byAgent.set(agentId, part);
          else this.drop(message, agentId, fault);
        }
        for (const [agentId, fault] of Object.entries(unreadableOf(message))) {
          if (roster.carries(message.sender, agentId)) this.drop(message, agentId, fault);
        }
        // A host answers once, for all of its agents that have an answer.
        for (const agentId of roster.agentsOf(message.sender)) question.open.delete(agentId);
      },
      reach: () => this.options.bus.flush(),
      onLate: (agentIds) => {
        for (const hostId of new Set([...agentIds].map((agentId) => this.hostOfAgent(agentId)))) roster.missed(hostId);
      },
    });
    this.question = question;
    roster.listen();
    try {
      await question.ask(this.isInterrupted);
    } finally {
      this.question = undefined;
    }
    this.correction = undefined;
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
      if (this.isGathering || this.roster.agentIds.length > 0) this.call();
      return;
    }
    const isStale = this.roster.greet({ hostId, capacity }, agentIds, this.isGiving);
    if (isStale) this.tell(hostId, { kind: 'leave', interval: 0, round: 0, reason: 'its agents were given to others' });
  }

  /**
   * Makes agents again whose host has ended, does not answer, or has come back without them.
   * @returns agents that were made anew: they know nothing of the limits in force
   */
  async restore(deadlineMs: number, signal?: AbortSignal): Promise<readonly string[]> {
    const { roster } = this;
    const replacements = new Map<string, string>();
    for (const hostId of roster.failed()) {
      const name = await this.options.replaceHost?.(hostId);
      if (name === undefined) continue;
      this.call();
      if (await this.until(() => roster.has(name), deadlineMs, signal)) replacements.set(hostId, name);
    }
    const before = new Map(roster.agentIds.map((agentId) => [agentId, this.hostOfAgent(agentId)]));
    const seating = roster.rescue(replacements);
    if (seating.size === 0) return [];
    const left = new Set<string>();
    for (const [hostId, part] of seating) {
      for (const agentId of part) if (before.get(agentId) !== hostId) left.add(before.get(agentId) ?? '');
    }
    const rejected = new Set((await this.give(seating, deadlineMs, signal)).map(({ agentId }) => agentId));
    for (const hostId of left) {
      if (roster.has(hostId) && roster.agentsOf(hostId).length === 0) {
        this.tell(hostId, { kind: 'leave', interval: 0, round: 0, reason: 'its agents were given to others' });
      }
    }
    const { simulationId } = this;
    if (simulationId !== undefined) {
      await this.confirmWatching(simulationId, [...seating.keys()], deadlineMs, signal, (body) => {
        for (const hostId of seating.keys()) this.tell(hostId, body);
      });
    }
    return [...seating.values()].flat().filter((agentId) => !rejected.has(agentId));
  }

  /** How many of these agents are on a host that is there: zero means that no answer can come. */
  awaitedCount(agentIds: Iterable<string>): number {
    let count = 0;
    for (const agentId of agentIds) if (this.roster.isCarried(agentId)) count++;
    return count;
  }

  /** Whether an agent's host let a whole question pass or is gone. */
  hasLost(agentId: string): boolean {
    const hostId = this.roster.carrierOf(agentId);
    return hostId === undefined || !this.roster.has(hostId) || this.roster.isSilent(hostId);
  }

  /** Says that something was not taken. */
  private drop({ kind, sender }: CoordinationMessage, agentId: string, reason: string): void {
    const text = `A ${kind} message of ${sender} for agent ${agentId} was dropped: ${reason}.`;
    this.warn(text);
  }

  private warn(text: string): void {
    if (this.options.onError === undefined) process.emitWarning(text);
    else this.options.onError(new Error(text));
  }

  /** A host is gone: its agents are waited for no longer and are late in every question until it says hello again. */
  lose(hostId: string): void {
    this.roster.lose(hostId);
    const { question } = this;
    if (question === undefined) return;
    for (const agentId of this.roster.agentsOf(hostId)) question.open.delete(agentId);
    question.settle();
  }

  /** Whether an agent reported a failure since {@link takeErrors}. */
  hasFailed(agentId: string): boolean {
    return this.errors.some((failure) => failure.agentId === agentId);
  }

  /** Failures that agents reported since the last call. */
  takeErrors(): readonly AgentFailure[] {
    return this.errors.splice(0);
  }

  /** What has come in answer to rounds since the last call. */
  takeReceived(): ReceivedAnswers {
    const { received } = this;
    this.received = { messages: 0, bytes: 0 };
    return received;
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
    this.roster.heard(message.sender);
    for (const watcher of this.watchers) watcher(message);
    const question = this.question;
    if (message.kind === 'agentError') {
      if (!this.roster.carries(message.sender, message.agentId)) {
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
    this.question?.settle();
  }

  private tell(hostId: string, body: Body): void {
    this.send(coordinationHost(this.options.runId, hostId), body);
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
/** Hosts heed a coordinator for 12 s after its last word, and each heard it at another time. */
const FORMER_MS = 16_000;
/** Agents in one message of assignment: their networks are some 50 kB each. */
const AGENTS_PER_ASSIGNMENT = 20;
/** Default of `takeMs`. */
const TAKE_MS = 8000;

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const result: T[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}
