import { mridKey } from '../bus/index.js';
import {
  type AgentReply,
  type AgentRequest,
  type CutOpening,
  type CutReply,
  type CutRequest,
  type DispatchCandidate,
  type LocalInputs,
  limitOfSetpoint,
  type ServiceModel,
  type Setpoint,
  type VerifyReply,
  type VerifyRequest,
} from '../grid/optim/index.js';
import { describe, intervalOf, type ServiceAgentState, transition } from './agent-state.js';
import { type CustomerAgent, customersOf } from './customer-agent.js';
import { estimate } from './estimator.js';
import type { AgentInbox, AgentOutbox, DerLimit } from './mailbox.js';
import { dispatchFault, numberFault, targetFault, voltageFault } from './plausibility.js';

/** The mathematics of an agent; `createServiceAgent` of grid/optim, or another module's. */
export interface ServiceAgentCore {
  /** @param factors - weights of rule feedback by PV id */
  prepare(inputs: LocalInputs, factors?: Readonly<Record<string, number>>): void;
  update(request: AgentRequest): AgentReply;
  verify(request: VerifyRequest): VerifyReply;
  applyCorrection(): void;
  setpoints(): readonly Setpoint[];
  /** Takes back to the last committed set-points. */
  hold(): void;
  /**
   * Puts the present dispatch on a candidate until the next round. Agents without it check and commit their own.
   * @param limitsW - in force, by PV id
   * @param reactiveVar - in force, by PV id, var
   */
  adopt?(
    candidate: DispatchCandidate,
    limitsW: ReadonlyMap<string, number>,
    reactiveVar?: ReadonlyMap<string, number>,
  ): void;
  /** What it offers to a rule that couples agents. Agents without it take no part in such rules. */
  open?(): CutOpening;
  /** Its limits that a dispatch breaks; the dispatch is taken. */
  cuts?(request: CutRequest): CutReply;
  /** Sum of the curtailed fractions of its units, and how many there are; agents that do not tell it leave it out. */
  curtailment?(): { readonly alphaSum: number; readonly alphaCount: number };
}

/**
 * One service-transformer agent: its customers inside, its state explicit. It answers what it is told and nothing else;
 * it never throws.
 */
export class ServiceAgent {
  readonly id: string;
  private readonly portNodes: number;
  /** Base voltage of the port, V; infinite where the model names none. */
  private readonly portBaseV: number;
  private readonly core: ServiceAgentCore;
  private readonly customers: readonly CustomerAgent[];
  private readonly pvById: ReadonlyMap<string, ServiceModel['feeder']['pvSystems'][number]>;
  private current: ServiceAgentState = { name: 'idle' };
  private lastAnswer: AgentOutbox | undefined;
  private committed: readonly DerLimit[] = [];
  /** Limits in force when the interval began, by PV id, W: a commitment may be taken back within it. */
  private inForce: ReadonlyMap<string, number> = new Map();
  private varInForce: ReadonlyMap<string, number> = new Map();

  constructor(model: ServiceModel, core: ServiceAgentCore) {
    this.id = model.agentId;
    this.portNodes = model.port.nodes.length;
    this.portBaseV = model.feeder.buses.find(({ id }) => id === model.port.bus)?.baseVoltageV ?? Infinity;
    this.core = core;
    this.customers = customersOf(model.feeder);
    this.pvById = new Map(model.feeder.pvSystems.map((pv) => [pv.id, pv]));
  }

  get state(): ServiceAgentState {
    return this.current;
  }

  /** The limits it last committed. */
  get limits(): readonly DerLimit[] {
    return this.committed;
  }

  /** Takes one message and gives the answer; undefined when there is none to give. */
  receive(message: AgentInbox): AgentOutbox | undefined {
    if (message.kind === 'measurements') {
      for (const customer of this.customers) {
        customer.forgetReadings();
        for (const reading of message.readings) customer.observe(reading);
      }
      return undefined;
    }
    const fault = this.fault(message);
    if (fault !== undefined) {
      return { kind: 'refused', message: `${this.id} refused a ${message.kind} message: ${fault}` };
    }
    const event =
      message.kind === 'prepare' || message.kind === 'commit'
        ? ({ name: message.kind, interval: message.interval } as const)
        : ({
            name: 'ask',
            interval: message.interval,
            round: roundOf(message),
            isRound: STANDS_ALONE[message.kind] === true,
          } as const);
    const next = transition(this.current, event);
    if (next.way === 'ignore') {
      if (message.kind === 'commit' && this.current.name === 'failed') return this.heldLimits();
      return { kind: 'ignored', reason: next.reason ?? describe(this.current) };
    }
    if (next.way === 'repeat') return this.lastAnswer;
    try {
      const answer = this.act(message);
      this.current = next.state;
      this.lastAnswer = answer;
      return answer;
    } catch (error) {
      return this.fail(message, error);
    }
  }

  /** What makes a message impossible, before it can touch state. */
  private fault(message: AgentInbox): string | undefined {
    if (message.kind === 'round') return targetFault(message.request, this.portNodes);
    if (message.kind === 'dispatch') return dispatchFault(message.request, this.portNodes);
    if (message.kind === 'verify') return voltageFault(message.request, this.portNodes, this.portBaseV);
    return undefined;
  }

  private act(message: Exclude<AgentInbox, { kind: 'measurements' }>): AgentOutbox {
    switch (message.kind) {
      case 'prepare': {
        if (message.limits !== undefined) this.takeLimits(message.limits);
        this.inForce = this.limitsInForce();
        this.varInForce = this.reactiveInForce();
        const { inputs, isMeasured } = estimate(this.customers, message.forecast);
        this.core.prepare(inputs, message.factors);
        return { kind: 'prepared', isMeasured };
      }
      case 'round': {
        const reply = this.core.update(message.request);
        // Modes without a voltage of the agent's own leave it out.
        const voltages = reply.voltageSquaredPu.length > 0 ? [reply.voltageSquaredPu] : [];
        this.checkBoundary([reply.powerW, reply.powerVar, ...voltages], reply.alpha ?? 0);
        return { kind: 'boundary', reply, ...this.core.curtailment?.() };
      }
      case 'open': {
        if (this.core.open === undefined) throw new Error('the agent takes no part in rules that couple agents');
        const opening = this.core.open();
        this.checkPorts(opening.powerW, opening.powerVar);
        return { kind: 'opened', opening: checkedAnswer(opening) };
      }
      case 'dispatch': {
        if (this.core.cuts === undefined) throw new Error('the agent takes no part in rules that couple agents');
        return { kind: 'cuts', reply: checkedAnswer(this.core.cuts(message.request)) };
      }
      case 'verify': {
        if (message.candidate !== undefined) this.core.adopt?.(message.candidate, this.inForce, this.varInForce);
        const reply = this.core.verify(message.request);
        this.checkBoundary([reply.powerW, reply.powerVar], reply.maxVoltagePu + reply.minVoltagePu);
        return { kind: 'verified', round: message.round, reply };
      }
      case 'correct':
        this.core.applyCorrection();
        return { kind: 'corrected' };
      case 'commit': {
        const limits = this.core.setpoints().map((setpoint) => this.limitOf(setpoint));
        this.committed = limits.map(({ derMrid, setpointW, setpointVar }) => ({ derMrid, setpointW, setpointVar }));
        for (const { derId, setpointW } of limits) {
          for (const customer of this.customers) customer.setLimit(derId, setpointW);
        }
        return { kind: 'limits', limits: this.committed };
      }
    }
  }

  /** Limits that somebody else found to be in force. */
  private takeLimits(limits: readonly DerLimit[]): void {
    const byMrid = new Map(limits.map((limit) => [mridKey(limit.derMrid), limit]));
    this.committed = [...limits];
    for (const { id, mrid } of this.pvById.values()) {
      const limit = byMrid.get(mridKey(mrid));
      if (limit === undefined) continue;
      for (const customer of this.customers) customer.setLimit(id, limit.setpointW);
    }
  }

  private limitsInForce(): ReadonlyMap<string, number> {
    const limits = new Map<string, number>();
    for (const id of this.pvById.keys()) {
      for (const customer of this.customers) {
        const limitW = customer.limitOf(id);
        if (limitW !== undefined) limits.set(id, limitW);
      }
    }
    return limits;
  }

  /** Reactive power that was last committed, by PV id, var. */
  private reactiveInForce(): ReadonlyMap<string, number> {
    const byMrid = new Map(this.committed.map(({ derMrid, setpointVar }) => [mridKey(derMrid), setpointVar]));
    return new Map([...this.pvById.values()].map(({ id, mrid }) => [id, byMrid.get(mridKey(mrid)) ?? 0]));
  }

  /** An absolute limit from what is available; a unit that need not be held back gets its largest power. */
  private limitOf(setpoint: Setpoint): DerLimit & { readonly derId: string } {
    const { derId, mrid, setpointVar } = setpoint;
    const pv = this.pvById.get(derId);
    if (pv === undefined) throw new Error(`set-point for ${derId}, which is not a PV system of ${this.id}`);
    const setpointW = limitOfSetpoint(setpoint, pv.maxPowerW, pv.ratedPowerVA);
    if (!Number.isFinite(setpointW) || !Number.isFinite(setpointVar)) {
      throw new Error(`set-point of ${derId} is ${setpoint.setpointW} W and ${setpointVar} var`);
    }
    return { derId, derMrid: mrid, setpointW, setpointVar };
  }

  private checkBoundary(quantities: readonly (readonly number[])[], scalar: number): void {
    this.checkPorts(...quantities);
    const wrong = [...quantities.flat(), scalar].find((value) => !Number.isFinite(value));
    if (wrong !== undefined) throw new Error(`answer holds ${wrong}`);
  }

  private checkPorts(...quantities: readonly (readonly number[])[]): void {
    for (const values of quantities) {
      if (values.length !== this.portNodes) {
        throw new Error(`answer has ${values.length} values for ${this.portNodes} port nodes`);
      }
    }
  }

  private fail(inbox: Exclude<AgentInbox, { kind: 'measurements' }>, error: unknown): AgentOutbox {
    const message = error instanceof Error ? error.message : String(error);
    const interval = Math.max(inbox.interval, intervalOf(this.current));
    const failure = { name: 'fail', interval, message } as const;
    const isRound = inbox.kind !== 'prepare' && inbox.kind !== 'commit';
    this.current = transition(this.current, isRound ? { ...failure, round: roundOf(inbox) } : failure).state;
    try {
      this.core.hold();
    } catch (second) {
      return { kind: 'failed', message: `${message}; and holding failed too: ${String(second)}` };
    }
    return { kind: 'failed', message };
  }

  private heldLimits(): AgentOutbox {
    return { kind: 'limits', limits: this.committed };
  }
}

/** Questions that can be answered whatever came of the last one. */
const STANDS_ALONE: Readonly<Partial<Record<AgentInbox['kind'], true>>> = { round: true, open: true, dispatch: true };

function roundOf(message: Extract<AgentInbox, { kind: 'round' | 'open' | 'dispatch' | 'verify' | 'correct' }>): number {
  return message.kind === 'round' || message.kind === 'dispatch' ? message.request.round : message.round;
}

/** An answer of numbers. @throws Error naming the first that is none */
function checkedAnswer<T>(answer: T): T {
  const fault = numberFault(answer);
  if (fault !== undefined) throw new Error(`answer: ${fault}`);
  return answer;
}
