import { hasAnsweringControls } from '../flow/index.js';
import { DecError } from '../math/index.js';
import type { Finding } from '../model/index.js';
import { setpointOf } from './agent.js';
import {
  type CoordinatorData,
  type CoordinatorMemory,
  coordinatorMemory,
  meetNewProblem,
  type StarMemory,
} from './coordinator-memory.js';
import { coordinatorRequests, coordinatorUpdate } from './coordinator-update.js';
import { type EqualAlphaMemory, equalAlphaMemory, equalAlphaRequests, equalAlphaUpdate } from './equal-alpha.js';
import type { FairnessRule } from './fairness-rule.js';
import { candidateAlpha } from './limit.js';
import { type LinearFeeder, linearFeeder } from './lindistflow.js';
import { evaluate } from './linear-network.js';
import {
  type BothStates,
  type PortPower,
  type PrimaryDispatch,
  PrimaryTruth,
  type PrimaryVerification,
  type StarAnswer,
} from './primary-truth.js';
import { type LocalPower, nodeLimits } from './problem.js';
import type {
  AgentReply,
  AgentRequest,
  DispatchCandidate,
  HeldPort,
  LocalInputs,
  Port,
  PrimaryModel,
  PrimaryState,
  RoundProgress,
  Setpoint,
} from './star.js';
import { type SidePower, sidePower, withFactors } from './star-cost.js';
import { type StarSettings, starSettings } from './star-settings.js';

/*
 * The mathematics of the coordinator: the primary's linear model, its half of the star, the primary's AC power flow.
 * It knows ports by boundary quantities only.
 */

/** The coordinator's mathematics. */
export interface StarCoordinator {
  readonly ports: readonly Port[];
  /** What building the linear model of the primary noticed. */
  readonly findings: readonly Finding[];
  /**
   * Takes inputs and states for a new interval; prices and penalty of the last one are the start of this one.
   *
   * @param factors - weights of rule `feedback` by PV id for this interval; those of the rule when absent
   */
  prepare(inputs: LocalInputs, state: PrimaryState, factors?: FairnessRule['factors']): void;
  /** What the next interval begins with, as it stands: not a copy. Undefined before the first interval. */
  memory(): StarMemory | undefined;
  /** Begins the first interval with what another coordinator of the same primary has left. */
  recall(memory: StarMemory): void;
  start(): ReadonlyMap<string, AgentRequest>;
  /** Takes the replies that came; for missing or unusable ones the last stands. */
  step(replies: ReadonlyMap<string, AgentReply>): {
    readonly requests: ReadonlyMap<string, AgentRequest>;
    readonly progress: RoundProgress;
  };
  /**
   * AC power flow of the primary with its own present dispatch; call again until port powers are at rest.
   *
   * @param after - where controls come to ({@link answer}); at the positions of the interval when absent, with which a
   *   verification begins
   */
  verify(powers: ReadonlyMap<string, PortPower>, after?: PrimaryState): PrimaryVerification;
  /**
   * The state of the interval and that which controls come to as one, after both were verified: each node, and each node of a
   * port with what hangs there, with the voltage of its worse state. Asked for the voltages first, then with what ports draw.
   *
   * @param told - what agents said of both states
   * @returns undefined before both were verified
   */
  verifyWorse(
    powers: ReadonlyMap<string, PortPower>,
    told: ReadonlyMap<string, BothStates>,
  ): PrimaryVerification | undefined;
  /** Lets the primary's controls answer what was verified last; undefined where nothing moves. */
  answer(): StarAnswer | undefined;
  /** Whether regulators or capacitor banks of the primary answer to voltages or powers. */
  readonly hasControls: boolean;
  /**
   * Takes the findings of the last verification into the linear model; rounds go on from {@link requests}.
   *
   * @param isKnownOnly - those of the state of the interval alone
   */
  applyCorrection(isKnownOnly?: boolean): void;
  /**
   * Takes an agent that is not there as given until the next interval: it is asked nothing, its port's power is a parameter,
   * and what its customers bear is a limit of its port.
   */
  hold(agentId: string, port: HeldPort): void;
  /**
   * Puts the coordinator's own PV on a candidate until the next round.
   * @param limitsW - in force, by PV id
   * @param reactiveVar - in force, by PV id, var; none when absent
   */
  adopt(
    candidate: DispatchCandidate,
    limitsW: ReadonlyMap<string, number>,
    reactiveVar?: ReadonlyMap<string, number>,
  ): void;
  /** The linear model and the data of the interval as they stand, for the exchange of cuts. */
  side(): {
    readonly linear: LinearFeeder;
    readonly data: CoordinatorData;
    readonly inputs: LocalInputs;
    readonly factors: FairnessRule['factors'];
  };
  /**
   * Takes a dispatch of the coordinator's own PV that was found elsewhere, by PV id.
   * @param ports - what the same dispatch draws at ports; the agents' last answers when absent
   */
  take(
    alpha: ReadonlyMap<string, number>,
    reactiveVar: ReadonlyMap<string, number>,
    ports?: ReadonlyMap<string, PortPower>,
  ): void;
  /** The questions that are open now. */
  requests(): ReadonlyMap<string, AgentRequest>;
  /** Dispatch of the coordinator's own PV. */
  setpoints(): readonly Setpoint[];
  /** Extremes of the linear model over primary nodes at the present port powers, pu. */
  linearExtremes(): { readonly maxVoltagePu: number; readonly minVoltagePu: number; readonly worst: string };
}

interface Situation {
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  readonly linear: LinearFeeder;
  readonly power: LocalPower;
  readonly side: SidePower;
  data: CoordinatorData;
  memory: CoordinatorMemory;
  search: EqualAlphaMemory;
}

/** Makes the mathematics of the coordinator. */
export function createStarCoordinator(model: PrimaryModel, settings: Partial<StarSettings> = {}): StarCoordinator {
  return new PrimaryCoordinator(model, starSettings(settings));
}

class PrimaryCoordinator implements StarCoordinator {
  readonly ports: readonly Port[];
  readonly hasControls: boolean;
  findings: readonly Finding[] = [];
  private readonly isAlphaShared: boolean;
  private situation: Situation | undefined;
  private readonly held = new Map<string, HeldPort>();
  /** Own curtailed fractions of an adopted candidate, by group; undefined for those of the last round. */
  private adopted: Float64Array | undefined;
  /** Those of a dispatch that was found elsewhere, to which candidates go back. */
  private taken: Float64Array | undefined;
  /** Reactive power of own PV that was decided, var by PV id. */
  private decidedVar: ReadonlyMap<string, number> = new Map();
  /** The same while a candidate with other reactive power is adopted. */
  private adoptedVar: ReadonlyMap<string, number> | undefined;
  /** Power at ports of a dispatch that was found elsewhere. */
  private takenPorts: ReadonlyMap<string, PortPower> | undefined;
  private factors: FairnessRule['factors'];
  private correction: Float64Array | undefined;
  /** Of another coordinator, until the first interval. */
  private recalled: StarMemory | undefined;
  /** What the next interval begins with, where it differs from the correction of this one. */
  private carried: Float64Array | undefined;
  private readonly truth: PrimaryTruth;

  constructor(
    private readonly model: PrimaryModel,
    private readonly settings: StarSettings,
  ) {
    this.ports = model.ports;
    this.truth = new PrimaryTruth(model, settings.limits);
    this.hasControls = hasAnsweringControls(model.feeder);
    this.isAlphaShared = settings.fairness === 'equalAlpha';
    this.factors = settings.rule?.factors ?? {};
  }

  prepare(inputs: LocalInputs, state: PrimaryState, factors = this.settings.rule?.factors ?? {}): void {
    const linear = linearFeeder(this.model.feeder, state);
    this.findings = linear.findings;
    this.factors = factors;
    const side = sidePower(this.model.feeder, linear, inputs, withFactors(this.settings, factors), false);
    const { power } = side;
    this.correction = this.carried ?? this.correction;
    this.carried = undefined;
    if (this.correction?.length !== linear.network.nodes.length) this.correction = undefined;
    this.held.clear();
    this.adopted = undefined;
    this.taken = undefined;
    this.adoptedVar = undefined;
    this.decidedVar = new Map();
    this.takenPorts = undefined;
    const data = this.makeData(linear, side);
    const memory = coordinatorMemory(data, this.settings);
    // Prices of rounds that came to no end, because somebody answered what is not so, are no start.
    const isSpent = this.situation !== undefined && this.situation.memory.round >= this.settings.maxRounds;
    const before = isSpent ? undefined : (this.situation?.memory ?? this.recalled);
    this.recalled = undefined;
    if (before && before.answer.power.length === memory.answer.power.length) {
      memory.rho = before.rho;
      for (const block of ['power', 'reactive', 'voltage'] as const) {
        memory.answer[block].set(before.answer[block]);
        memory.z[block].set(before.z[block]);
        memory.price[block].set(before.price[block]);
      }
      memory.uncurtailed = before.uncurtailed;
      memory.hasVoltage.set(before.hasVoltage);
      if (before.multipliers.length === memory.multipliers.length) memory.multipliers.set(before.multipliers);
      if (before.ownAlpha.length === memory.ownAlpha.length) memory.ownAlpha.set(before.ownAlpha);
    }
    this.situation = { inputs, state, linear, power, side, data, memory, search: equalAlphaMemory(data) };
    this.truth.forget();
  }

  memory(): StarMemory | undefined {
    if (this.situation === undefined) return undefined;
    const { memory, data } = this.situation;
    return { ...memory, correctionSquaredPu: this.carried ?? this.correction ?? data.correctionSquaredPu };
  }

  recall(memory: StarMemory): void {
    this.recalled = memory;
    this.correction = memory.correctionSquaredPu;
  }

  start(): ReadonlyMap<string, AgentRequest> {
    return this.requests();
  }

  requests(): ReadonlyMap<string, AgentRequest> {
    const { data, memory, search } = this.prepared();
    return this.isAlphaShared ? equalAlphaRequests(data, search) : coordinatorRequests(data, memory, this.settings);
  }

  hold(agentId: string, port: HeldPort): void {
    this.held.set(agentId, port);
    const situation = this.prepared();
    situation.data = this.makeData(situation.linear, situation.side);
    meetNewProblem(situation.memory);
    situation.search = equalAlphaMemory(situation.data);
  }

  adopt(
    { basis, cut }: DispatchCandidate,
    limitsW: ReadonlyMap<string, number>,
    reactiveVar: ReadonlyMap<string, number> = new Map(),
  ): void {
    const { power, data } = this.prepared();
    this.adopted = this.taken;
    this.adoptedVar = basis === 'inForce' ? reactiveVar : undefined;
    const alpha = this.ownAlpha().slice();
    if (basis === 'inForce') {
      alpha.fill(0);
      for (const { id, group, availableW } of power.units) {
        alpha[group] = Math.max(alpha[group]!, 1 - (limitsW.get(id) ?? Infinity) / availableW);
      }
    }
    for (let g = 0; g < data.groupCount; g++) alpha[g] = candidateAlpha(alpha[g]!, cut);
    this.adopted = alpha;
  }

  side() {
    const { linear, data, inputs } = this.prepared();
    return { linear, data, inputs, factors: this.factors };
  }

  take(
    alpha: ReadonlyMap<string, number>,
    reactiveVar: ReadonlyMap<string, number>,
    ports?: ReadonlyMap<string, PortPower>,
  ): void {
    const { power, data } = this.prepared();
    const own = new Float64Array(data.groupCount);
    for (const { id, group } of power.units) own[group] = alpha.get(id) ?? 0;
    this.taken = own;
    this.adopted = own;
    this.adoptedVar = undefined;
    this.decidedVar = reactiveVar;
    this.takenPorts = ports;
  }

  step(replies: ReadonlyMap<string, AgentReply>) {
    this.adopted = undefined;
    this.adoptedVar = undefined;
    const { data, memory, search } = this.prepared();
    const progress = this.isAlphaShared
      ? equalAlphaUpdate(data, search, replies, this.settings)
      : coordinatorUpdate(data, memory, replies, this.settings);
    return { requests: this.requests(), progress };
  }

  verify(powers: ReadonlyMap<string, PortPower>, after?: PrimaryState): PrimaryVerification {
    return this.told(this.truth.verify(this.dispatch(), powers, after));
  }

  verifyWorse(powers: ReadonlyMap<string, PortPower>, told: ReadonlyMap<string, BothStates>) {
    const verification = this.truth.verifyWorse(this.dispatch(), powers, told);
    return verification && this.told(verification);
  }

  /** One fraction for all has no node at a limit that others could make room at. */
  private told({ bindingErrorPu, ...verification }: PrimaryVerification): PrimaryVerification {
    return this.isAlphaShared || bindingErrorPu === undefined ? verification : { ...verification, bindingErrorPu };
  }

  private dispatch(): PrimaryDispatch {
    const { inputs, state, linear, power, data } = this.prepared();
    return {
      ...{ inputs, state, linear, power, data },
      alpha: this.ownAlpha(),
      varOf: (id) => this.ownVar(id),
      presentPowers: this.presentPowers(),
      agreedSquaredPu: this.agreedVoltages(),
    };
  }

  answer(): StarAnswer | undefined {
    return this.truth.answer(this.prepared());
  }

  applyCorrection(isKnownOnly = false): void {
    const situation = this.prepared();
    const found = this.truth.takeFound();
    if (!found) return;
    this.correction = isKnownOnly ? found.known : found.correction;
    // The next interval begins at the positions that are measured then: what controls add to this one is not its error.
    this.carried = found.known;
    situation.data = this.makeData(situation.linear, situation.side);
    meetNewProblem(situation.memory);
    situation.search = equalAlphaMemory(situation.data);
  }

  setpoints(): readonly Setpoint[] {
    const { power, inputs } = this.prepared();
    const alpha = this.ownAlpha();
    const unitOf = new Map(power.units.map((unit) => [unit.id, unit]));
    const { buses, pvSystems } = this.model.feeder;
    const busById = new Map(buses.map((bus) => [bus.id, bus]));
    return pvSystems.map((pv) => {
      const unit = unitOf.get(pv.id);
      const availableW = unit?.availableW ?? inputs.availableW[pv.id] ?? 0;
      const own = unit ? alpha[unit.group]! : 0;
      const setpointVar = (inputs.held[pv.id]?.powerVar ?? 0) + this.ownVar(pv.id);
      return setpointOf(pv, busById.get(pv.terminal.bus), availableW, own, setpointVar);
    });
  }

  /** The linear model at what rounds agreed on, without correction, pu squared by node. */
  private agreedVoltages(): Float64Array {
    const { data } = this.prepared();
    const alpha = this.ownAlpha();
    const drawnW = data.drawnW.slice();
    const drawnVar = data.drawnVar.slice();
    for (const unit of data.units) {
      const own = this.ownVar(unit.id);
      unit.nodes.forEach((node, k) => {
        const output = (1 - alpha[unit.group]!) * unit.availableW;
        drawnW[node]! -= output * unit.shareRe[k]! - own * unit.shareIm[k]!;
        drawnVar[node]! -= output * unit.shareIm[k]! + own * unit.shareRe[k]!;
      });
    }
    const present = this.presentPowers();
    for (const { agentId, portNodes } of data.agents) {
      const { powerW, powerVar } = present.get(agentId)!;
      portNodes.forEach((node, k) => {
        drawnW[node]! += powerW[k]!;
        drawnVar[node]! += powerVar[k]!;
      });
    }
    return evaluate(data.network, drawnW, drawnVar, undefined, data.rootVoltageSquaredPu).voltageSquaredPu;
  }

  linearExtremes() {
    const { data, linear } = this.prepared();
    const voltageSquaredPu = this.agreedVoltages();
    let maxVoltagePu = 0;
    let minVoltagePu = Infinity;
    let worst = '';
    linear.network.nodes.forEach(({ bus, node }, i) => {
      if (bus === '') return;
      const pu = Math.sqrt(Math.max(0, voltageSquaredPu[i]! + data.correctionSquaredPu[i]!));
      if (pu > maxVoltagePu) {
        maxVoltagePu = pu;
        worst = `${this.model.feeder.buses.find((b) => b.id === bus)?.name ?? bus}.${node}`;
      }
      minVoltagePu = Math.min(minVoltagePu, pu);
    });
    return { maxVoltagePu, minVoltagePu, worst };
  }

  private prepared(): Situation {
    if (!this.situation) throw new DecError('BAD_ARGUMENT', 'The coordinator was asked before it was prepared.');
    return this.situation;
  }

  /** Reactive power of an own unit, var. */
  private ownVar(id: string): number {
    return (this.adoptedVar ?? this.decidedVar).get(id) ?? 0;
  }

  private ownAlpha(): Float64Array {
    const { memory, search, data } = this.prepared();
    if (this.adopted !== undefined) return this.adopted;
    return this.isAlphaShared ? new Float64Array(data.groupCount).fill(search.asked) : memory.ownAlpha;
  }

  /** Last port powers that agents answered. */
  private presentPowers(): ReadonlyMap<string, PortPower> {
    const { data, memory, search } = this.prepared();
    const unit = this.isAlphaShared ? 1 : this.settings.powerUnitW;
    const [w, v] = this.isAlphaShared
      ? [search.powerW, search.powerVar]
      : [memory.answer.power, memory.answer.reactive];
    const powers = new Map<string, PortPower>();
    let at = 0;
    for (const { agentId, portNodes } of data.agents) {
      const end = at + portNodes.length;
      const scale = (list: Float64Array) => Array.from(list.subarray(at, end), (value) => value * unit);
      const held = this.takenPorts && this.held.get(agentId);
      powers.set(agentId, held ?? this.takenPorts?.get(agentId) ?? { powerW: scale(w), powerVar: scale(v) });
      at = end;
    }
    return powers;
  }

  private makeData(linear: LinearFeeder, { power, ...side }: SidePower): CoordinatorData {
    const { network } = linear;
    this.correction ??= new Float64Array(network.nodes.length);
    const limits = nodeLimits(network, this.settings.limits);
    for (const port of this.ports) {
      const highest = this.held.get(port.agentId)?.highestVoltageSquaredPu ?? [];
      port.nodes.forEach((node, k) => {
        const index = linear.index.get(`${port.bus} ${node}`);
        if (index === undefined) return;
        limits.upperSquaredPu[index] = Math.min(limits.upperSquaredPu[index]!, highest[k] ?? Infinity);
      });
    }
    return {
      network,
      ...power,
      ...side,
      ...limits,
      correctionSquaredPu: this.correction,
      rootVoltageSquaredPu: network.rootVoltageSquaredPu,
      agents: this.ports.flatMap((port) => {
        const portNodes = port.nodes.map((node) => linear.index.get(`${port.bus} ${node}`));
        // A port without a path to the source takes no part in the interval.
        if (portNodes.some((node) => node === undefined)) return [];
        const held = this.held.get(port.agentId);
        return [
          {
            agentId: port.agentId,
            portNodes: portNodes.filter((node) => node !== undefined),
            ...(held === undefined ? {} : { held }),
          },
        ];
      }),
    };
  }
}
