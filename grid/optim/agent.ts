import { createPowerFlow, type PowerFlow } from '../flow/index.js';
import { DecError } from '../math/index.js';
import {
  type Bus,
  buildFeeder,
  type FeederData,
  type PhotovoltaicSystem,
  phaseOfNode,
  type Source,
} from '../model/index.js';
import { type AgentData, type AgentMemory, agentData, agentMemory, agentUpdate } from './agent-update.js';
import { bindingErrorPu } from './binding-error.js';
import { agentCuts, type CutData, type CutOpening, type CutReply, type CutRequest } from './cut-exchange.js';
import { agentAtAlpha } from './equal-alpha.js';
import { ownUseW } from './fair-problem.js';
import type { FairnessRule } from './fairness-rule.js';
import { candidateAlpha } from './limit.js';
import { type LinearFeeder, linearFeeder } from './lindistflow.js';
import { evaluate, gatherFlows, linearState, spreadVoltages } from './linear-network.js';
import { type LocalPower, nodeLimits } from './problem.js';
import type {
  AgentReply,
  AgentRequest,
  DispatchCandidate,
  LocalInputs,
  ServiceModel,
  Setpoint,
  VerifyReply,
  VerifyRequest,
} from './star.js';
import { type SidePower, sidePower, withFactors } from './star-cost.js';
import { type StarSettings, starSettings } from './star-settings.js';
import { terminalVoltages } from './terminal-voltage.js';

/*
 * The mathematics of one service-transformer agent: its own linear model, its half of the star, its own AC power flow.
 * Loads, available power and limits stay inside; replies hold boundary quantities and extremes only.
 *
 * Correction: with the port voltage and the set-points of the last verification, v_AC^2 - v_linear^2 of every node and
 * P_AC - P_linear of the port are added to the linear model of the following rounds.
 */

/** An agent's mathematics. Set-points are those of the last round until the next. */
export interface ServiceAgent {
  readonly agentId: string;
  /** Takes inputs for a new interval. @param factors - weights of rule `feedback` by PV id; those of the rule when absent */
  prepare(inputs: LocalInputs, factors?: FairnessRule['factors']): void;
  update(request: AgentRequest): AgentReply;
  /** What it offers where the star exchanges cuts; then its limits that a dispatch breaks. The dispatch is taken. */
  open(): CutOpening;
  cuts(request: CutRequest): CutReply;
  /** Own AC power flow at given port voltages with the present set-points. */
  verify(request: VerifyRequest): VerifyReply;
  /** Takes the findings of the last verification into the linear model. */
  applyCorrection(): void;
  /** The present dispatch; remembered as the last one committed. */
  setpoints(): readonly Setpoint[];
  /** Curtailed fractions of the present dispatch by PV id. */
  fractions(): ReadonlyMap<string, number>;
  /** Takes back the last committed dispatch. */
  hold(): void;
  /**
   * Puts the present dispatch on a candidate; the next round forgets it.
   * @param limitsW - in force, by PV id
   * @param reactiveVar - in force, by PV id, var; none when absent
   */
  adopt(
    candidate: DispatchCandidate,
    limitsW: ReadonlyMap<string, number>,
    reactiveVar?: ReadonlyMap<string, number>,
  ): void;
  /** Sum of the curtailed fractions of the present dispatch, and over how many units. */
  curtailment(): { readonly alphaSum: number; readonly alphaCount: number };
}

interface Situation {
  readonly inputs: LocalInputs;
  readonly power: LocalPower;
  readonly side: SidePower;
  readonly groupCount: number;
  data: AgentData;
  readonly memory: AgentMemory;
  /** Curtailed fractions that the last round came to, by group, while a candidate is adopted. */
  own: Float64Array | undefined;
  ownVar: Float64Array | undefined;
  /** Reactive power that the coordinator decided, var by unit. */
  reactiveVar: Float64Array;
  cuts: CutData | undefined;
}

/** What a verification found, kept until it is applied. */
interface Verification {
  readonly correction: Float64Array;
  readonly offsetW: Float64Array;
  readonly offsetVar: Float64Array;
}

/** Makes the mathematics of one agent. */
export function createServiceAgent(model: ServiceModel, settings: Partial<StarSettings> = {}): ServiceAgent {
  return new TransformerAgent(model, starSettings(settings));
}

/**
 * The network as the linear model sees it: the port's voltage is given, so that nothing stands between it and the network.
 * The power flow needs a little impedance there.
 */
function atPort(feeder: FeederData): FeederData {
  const ideal = { r1Ohm: 0, x1Ohm: 0, r0Ohm: 0, x0Ohm: 0 };
  return { ...feeder, sources: feeder.sources.map((source) => ({ ...source, ...ideal })) };
}

class TransformerAgent implements ServiceAgent {
  readonly agentId: string;
  private readonly linear: LinearFeeder;
  /** Root index of each port node. */
  private readonly rootOf: readonly number[];
  private readonly committed = new Map<string, number>();
  private factors: FairnessRule['factors'] = {};
  private correction: Float64Array;
  private offsetW: Float64Array;
  private offsetVar: Float64Array;
  private situation: Situation | undefined;
  private verification: Verification | undefined;
  private flow: PowerFlow | undefined;
  /** Share of its base at which each source of the kept power flow was built. */
  private builtVoltages: readonly number[] = [];

  constructor(
    private readonly model: ServiceModel,
    private readonly settings: StarSettings,
  ) {
    this.agentId = model.agentId;
    this.linear = linearFeeder(atPort(model.feeder));
    const roots = this.linear.network.nodes.slice(0, this.linear.network.rootCount);
    this.rootOf = model.port.nodes.map((node) => {
      const root = roots.findIndex((candidate) => candidate.node === node);
      if (root < 0) {
        throw new DecError('BAD_ARGUMENT', `Agent ${model.agentId} has no source at node ${node} of its port.`, {
          agent: model.agentId,
          node,
        });
      }
      return root;
    });
    this.correction = new Float64Array(this.linear.network.nodes.length);
    this.offsetW = new Float64Array(roots.length);
    this.offsetVar = new Float64Array(roots.length);
  }

  prepare(inputs: LocalInputs, factors = this.settings.rule?.factors ?? {}): void {
    this.factors = factors;
    const side = sidePower(this.model.feeder, this.linear, inputs, withFactors(this.settings, factors), true);
    const { power, groupCount } = side;
    const before = this.situation;
    const data = this.makeData(side);
    const memory = agentMemory(data);
    // Unknowns of the last interval are a good start when the same units are there.
    if (
      before &&
      before.groupCount === groupCount &&
      before.memory.multipliers.length === memory.multipliers.length &&
      isSound(before.memory)
    ) {
      memory.multipliers.set(before.memory.multipliers);
      memory.alpha.set(before.memory.alpha);
      memory.portVoltageSquaredPu.set(before.memory.portVoltageSquaredPu);
    }
    this.situation = {
      inputs,
      power,
      side,
      groupCount,
      data,
      memory,
      own: undefined,
      ownVar: undefined,
      reactiveVar: new Float64Array(power.units.length),
      cuts: undefined,
    };
    this.verification = undefined;
  }

  update(request: AgentRequest): AgentReply {
    const situation = this.prepared();
    const { data, memory } = situation;
    this.checkRequest(request);
    situation.own = undefined;
    situation.ownVar = undefined;
    const own: AgentRequest = {
      ...request,
      targetW: this.toRoots(request.targetW),
      targetVar: this.toRoots(request.targetVar),
      targetVoltageSquaredPu: this.toRoots(request.targetVoltageSquaredPu),
    };
    const reply =
      this.settings.fairness === 'equalAlpha'
        ? agentAtAlpha(data, memory, own, this.settings)
        : agentUpdate(data, memory, own, this.settings);
    const { powerW, powerVar, voltageSquaredPu } = reply;
    return {
      ...reply,
      powerW: this.rootOf.map((root) => powerW[root]!),
      powerVar: this.rootOf.map((root) => powerVar[root]!),
      voltageSquaredPu: voltageSquaredPu.length > 0 ? this.rootOf.map((root) => voltageSquaredPu[root]!) : [],
    };
  }

  open(): CutOpening {
    const { power, inputs, data } = this.prepared();
    const { feeder } = this.model;
    const used = ownUseW(feeder, inputs, power.units);
    const rated = new Map(feeder.pvSystems.map(({ id, ratedPowerVA }) => [id, ratedPowerVA]));
    const { rule, tellsTerminals } = this.settings;
    const correctionSquaredPu = this.correction;
    const terminals = tellsTerminals
      ? terminalVoltages({ ...power, network: this.linear.network, correctionSquaredPu }, this.rootOf)
      : undefined;
    return {
      powerW: this.rootOf.map((root) => data.baseW[root]!),
      powerVar: this.rootOf.map((root) => data.baseVar[root]!),
      units: power.units.map(({ id, availableW }, u) => ({
        availableW,
        usedW: used[u]!,
        factor: rule?.mode === 'feedback' ? (this.factors[id] ?? 1) : 1,
        ratingVA: rated.get(id) ?? 0,
        shareRe: this.rootOf.map((root) => data.perAlphaW[root * data.groupCount + u]! / availableW),
        shareIm: this.rootOf.map((root) => data.perAlphaVar[root * data.groupCount + u]! / availableW),
        ...(terminals ? { terminals: terminals[u]! } : {}),
      })),
    };
  }

  cuts(request: CutRequest): CutReply {
    const situation = this.prepared();
    const { memory, data } = situation;
    this.checkVector('alpha', request.alpha, data.groupCount);
    this.checkVector('reactiveVar', request.reactiveVar, data.groupCount);
    this.checkVector('voltageSquaredPu', request.voltageSquaredPu, this.rootOf.length);
    situation.own = undefined;
    situation.ownVar = undefined;
    memory.alpha.set(request.alpha);
    memory.portVoltageSquaredPu.set(this.toRoots(request.voltageSquaredPu));
    situation.reactiveVar.set(request.reactiveVar);
    situation.cuts ??= this.cutData(situation);
    return agentCuts(situation.cuts, request);
  }

  /** The limits as rows over the port nodes in their order. */
  private cutData({ data, power }: Situation): CutData {
    const { network } = this.linear;
    const { portCount: m, groupCount: n, limitNodes } = data;
    const rows = limitNodes.length;
    const limitPerVar = new Float64Array(rows * n);
    const zero = new Float64Array(m);
    const state = linearState(network);
    power.units.forEach(({ nodes, shareRe, shareIm }, u) => {
      state.flowW.fill(0);
      state.flowVar.fill(0);
      nodes.forEach((node, k) => {
        state.flowW[node]! += shareIm[k]!;
        state.flowVar[node]! -= shareRe[k]!;
      });
      gatherFlows(network, state);
      spreadVoltages(network, zero, state);
      for (let r = 0; r < rows; r++) limitPerVar[r * n + u] = state.voltageSquaredPu[limitNodes[r]!]!;
    });
    const limitPerPort = new Float64Array(rows * m);
    for (let r = 0; r < rows; r++) {
      this.rootOf.forEach((root, k) => {
        limitPerPort[r * m + k] = data.limitPerPort[r * m + root]!;
      });
    }
    const { limitBase, limitPerAlpha, lowerSquaredPu, upperSquaredPu } = data;
    const limits = { limitBase, limitPerPort, limitPerAlpha, limitPerVar, lowerSquaredPu, upperSquaredPu };
    return { portCount: m, unitCount: n, ...limits };
  }

  verify(request: VerifyRequest): VerifyReply {
    const { power, memory, inputs, reactiveVar } = this.prepared();
    const { network } = this.linear;
    this.checkVector('voltage', request.voltage, 2 * this.rootOf.length);
    const flow = this.flowAt(request.voltage);
    applyInputs(flow, this.model.feeder, inputs);
    power.units.forEach((unit, u) => {
      const powerVar = (inputs.held[unit.id]?.powerVar ?? 0) + reactiveVar[u]!;
      flow.setGeneration(unit.id, (1 - memory.alpha[unit.group]!) * unit.availableW, powerVar);
    });
    const solution = flow.solve({ controls: false });
    const isSolved = solution.status === 'converged' || solution.status === 'controlsUnsettled';

    const rootPowerW = new Float64Array(network.rootCount);
    const rootPowerVar = new Float64Array(network.rootCount);
    for (const source of flow.feeder.sources) {
      for (const conductor of solution.flows(source.id)) {
        const root = network.nodes.findIndex((node, i) => i < network.rootCount && node.node === conductor.node);
        if (root < 0) continue;
        // Flows are counted into the source element; the port counts into the agent.
        rootPowerW[root]! -= conductor.powerW;
        rootPowerVar[root]! -= conductor.powerVar;
      }
    }
    const rootVoltage = new Float64Array(network.rootCount);
    this.rootOf.forEach((root, k) => {
      const { baseV } = network.nodes[root]!;
      rootVoltage[root] = (request.voltage[2 * k]! ** 2 + request.voltage[2 * k + 1]! ** 2) / baseV ** 2;
    });
    const linear = this.linearAt(rootVoltage);
    const agreed = this.linearAt(this.agreedRootVoltage(rootVoltage)).voltageSquaredPu.slice();
    let maxVoltagePu = 0;
    let minVoltagePu = Infinity;
    let violations = 0;
    let bindingPu = 0;
    const correction = new Float64Array(network.nodes.length);
    for (let i = network.rootCount; i < network.nodes.length; i++) {
      const { bus, node } = network.nodes[i]!;
      if (bus === '') continue;
      const pu = solution.voltagePuAt(bus, node);
      if (pu === undefined) continue;
      correction[i] = pu * pu - linear.voltageSquaredPu[i]!;
      if (bus === this.model.port.bus) continue;
      maxVoltagePu = Math.max(maxVoltagePu, pu);
      minVoltagePu = Math.min(minVoltagePu, pu);
      if (pu > this.settings.limits.maxPu || pu < this.settings.limits.minPu) violations++;
      const model = agreed[i]! + (this.correction[i] ?? 0);
      bindingPu = Math.max(bindingPu, bindingErrorPu(pu * pu, model, this.settings.limits));
    }
    const offsetW = rootPowerW.map((w, i) => w - linear.flowW[i]!);
    const offsetVar = rootPowerVar.map((v, i) => v - linear.flowVar[i]!);
    // A correction outlives the interval: one that is not finite must never be kept.
    const isConverged = isSolved && [correction, offsetW, offsetVar].every((values) => values.every(Number.isFinite));
    if (isConverged) this.verification = { correction, offsetW, offsetVar };
    return {
      powerW: this.rootOf.map((root) => rootPowerW[root]!),
      powerVar: this.rootOf.map((root) => rootPowerVar[root]!),
      maxVoltagePu,
      minVoltagePu: Number.isFinite(minVoltagePu) ? minVoltagePu : 0,
      violations,
      isConverged,
      ...(this.settings.fairness === 'equalAlpha' ? {} : { bindingErrorPu: bindingPu }),
    };
  }

  applyCorrection(): void {
    const situation = this.prepared();
    if (!this.verification) return;
    ({ correction: this.correction, offsetW: this.offsetW, offsetVar: this.offsetVar } = this.verification);
    this.verification = undefined;
    // Only right-hand sides move: the factors of the memory stay valid.
    situation.data = this.makeData(situation.side);
    situation.cuts = undefined;
  }

  setpoints(): readonly Setpoint[] {
    const { power, memory, inputs, reactiveVar } = this.prepared();
    const groupOf = new Map(power.units.map((unit) => [unit.id, unit]));
    const decidedVar = new Map(power.units.map(({ id }, u) => [id, reactiveVar[u]!]));
    const { buses, pvSystems } = this.model.feeder;
    const busById = new Map(buses.map((bus) => [bus.id, bus]));
    const points = pvSystems.map((pv): Setpoint => {
      const unit = groupOf.get(pv.id);
      const alpha = unit ? memory.alpha[unit.group]! : 0;
      const availableW = unit?.availableW ?? inputs.availableW[pv.id] ?? 0;
      const setpointVar = (inputs.held[pv.id]?.powerVar ?? 0) + (decidedVar.get(pv.id) ?? 0);
      return setpointOf(pv, busById.get(pv.terminal.bus), availableW, alpha, setpointVar);
    });
    this.committed.clear();
    for (const { derId, alpha } of points) this.committed.set(derId, alpha);
    return points;
  }

  fractions(): ReadonlyMap<string, number> {
    const { power, memory } = this.prepared();
    return new Map(power.units.map(({ id, group }) => [id, memory.alpha[group]!]));
  }

  hold(): void {
    const { power, memory } = this.prepared();
    for (const unit of power.units) {
      const alpha = this.committed.get(unit.id);
      if (alpha !== undefined) memory.alpha[unit.group] = alpha;
    }
  }

  adopt(
    { basis, cut }: DispatchCandidate,
    limitsW: ReadonlyMap<string, number>,
    reactiveVar: ReadonlyMap<string, number> = new Map(),
  ): void {
    const situation = this.prepared();
    const { power, memory, groupCount } = situation;
    situation.own ??= memory.alpha.slice();
    situation.ownVar ??= situation.reactiveVar.slice();
    const { ownVar } = situation;
    situation.reactiveVar =
      power.units.length === 0 || basis === 'new'
        ? ownVar.slice()
        : Float64Array.from(power.units, ({ id }) => reactiveVar.get(id) ?? 0);
    const alpha = basis === 'new' ? situation.own.slice() : new Float64Array(groupCount);
    if (basis === 'inForce') {
      for (const { id, group, availableW } of power.units) {
        alpha[group] = Math.max(alpha[group]!, 1 - (limitsW.get(id) ?? Infinity) / availableW);
      }
    }
    for (let g = 0; g < groupCount; g++) memory.alpha[g] = candidateAlpha(alpha[g]!, cut);
  }

  curtailment() {
    const { power, memory } = this.prepared();
    const alphaSum = power.units.reduce((sum, unit) => sum + memory.alpha[unit.group]!, 0);
    return { alphaSum, alphaCount: power.units.length };
  }

  private checkRequest({ rho, targetW, targetVar, targetVoltageSquaredPu, targetAlpha = 0 }: AgentRequest): void {
    const nodes = this.rootOf.length;
    this.checkVector('rho and targetAlpha', [rho, targetAlpha], 2);
    this.checkVector('targetW', targetW, nodes);
    this.checkVector('targetVar', targetVar, nodes);
    this.checkVector('targetVoltageSquaredPu', targetVoltageSquaredPu, nodes);
  }

  private checkVector(name: string, values: readonly number[], length: number): void {
    if (values.length === length && values.every(Number.isFinite)) return;
    throw new DecError(
      'BAD_ARGUMENT',
      `Agent ${this.agentId} was given ${name} [${values.join(', ')}], where ${length} finite numbers are needed.`,
      { agent: this.agentId, name },
    );
  }

  private prepared(): Situation {
    if (!this.situation) {
      throw new DecError('BAD_ARGUMENT', `Agent ${this.agentId} was asked before it was prepared.`, {
        agent: this.agentId,
      });
    }
    return this.situation;
  }

  private toRoots(values: readonly number[]): number[] {
    const roots = new Array<number>(this.rootOf.length).fill(0);
    this.rootOf.forEach((root, k) => {
      roots[root] = values[k]!;
    });
    return roots;
  }

  private makeData({ power, ...side }: SidePower): AgentData {
    const { network } = this.linear;
    const limits = nodeLimits(network, this.settings.limits);
    return agentData({
      network,
      ...power,
      ...side,
      ...limits,
      correctionSquaredPu: this.correction,
      offsetW: this.offsetW,
      offsetVar: this.offsetVar,
    });
  }

  /** Root voltages that the last round came to; those given where there was none. */
  private agreedRootVoltage(given: Float64Array): Float64Array {
    const { portVoltageSquaredPu } = this.prepared().memory;
    const agreed = given.slice();
    for (const root of this.rootOf) {
      agreed[root] = portVoltageSquaredPu[root] ?? given[root]!;
    }
    return agreed;
  }

  /** The linear model at given root voltages and the present dispatch, without correction. */
  private linearAt(rootVoltage: Float64Array) {
    const { power, memory, reactiveVar } = this.prepared();
    const drawnW = power.drawnW.slice();
    const drawnVar = power.drawnVar.slice();
    power.units.forEach((unit, u) => {
      const output = unit.availableW * (1 - memory.alpha[unit.group]!);
      const own = reactiveVar[u]!;
      unit.nodes.forEach((node, k) => {
        drawnW[node]! -= output * unit.shareRe[k]! - own * unit.shareIm[k]!;
        drawnVar[node]! -= output * unit.shareIm[k]! + own * unit.shareRe[k]!;
      });
    });
    return evaluate(this.linear.network, drawnW, drawnVar, linearState(this.linear.network), rootVoltage);
  }

  /** The kept power flow with its sources at the given port voltages. */
  private flowAt(voltage: readonly number[]): PowerFlow {
    const { feeder, port } = this.model;
    const baseV = feeder.buses.find((bus) => bus.id === port.bus)!.baseVoltageV;
    const size = (k: number) => Math.hypot(voltage[2 * k]!, voltage[2 * k + 1]!);
    if (port.nodes.length === 1) {
      this.flow ??= createPowerFlow(buildFeeder(feeder));
      this.flow.setSourceVoltagePu(size(0) / baseV);
      return this.flow;
    }
    // Port voltages of several phases are not balanced: each phase gets a source of its own, rebuilt when they move.
    if (this.flow && this.builtVoltages.every((v, i) => v === voltage[i])) return this.flow;
    const { r1Ohm, x1Ohm } = feeder.sources.find((source) => source.terminal.bus === port.bus)!;
    const sources = port.nodes.map(
      (node, k): Source => ({
        kind: 'source',
        id: `source.${port.bus}.${node}`,
        mrid: '',
        name: `port_${node}`,
        terminal: { bus: port.bus, nodes: [node] },
        voltageV: size(k),
        nominalVoltageV: baseV,
        angleRad: Math.atan2(voltage[2 * k + 1]!, voltage[2 * k]!),
        ...{ r1Ohm, x1Ohm, r0Ohm: r1Ohm, x0Ohm: x1Ohm },
      }),
    );
    this.builtVoltages = [...voltage];
    this.flow = createPowerFlow(buildFeeder({ ...feeder, sources }));
    return this.flow;
  }
}

/** Whether a memory may start another interval. */
function isSound({ multipliers, alpha, portVoltageSquaredPu }: AgentMemory): boolean {
  return [multipliers, alpha, portVoltageSquaredPu].every((values) => values.every(Number.isFinite));
}

/** Sets loads, held generation and available PV of a power flow from inputs. */
export function applyInputs(flow: PowerFlow, feeder: FeederData, inputs: LocalInputs): void {
  for (const load of feeder.loads) {
    const given = inputs.loads[load.id];
    if (given) flow.setLoadPower(load.id, given.powerW, given.powerVar);
  }
  for (const der of [...feeder.batteries, ...feeder.machines]) {
    const given = inputs.held[der.id];
    if (given) flow.setGeneration(der.id, given.powerW, given.powerVar);
  }
  for (const pv of feeder.pvSystems) {
    const availableW = inputs.availableW[pv.id];
    if (availableW !== undefined) flow.setGeneration(pv.id, availableW, inputs.held[pv.id]?.powerVar ?? 0);
  }
}

/** The set-point of one PV system. */
export function setpointOf(
  pv: PhotovoltaicSystem,
  bus: Bus | undefined,
  availableW: number,
  alpha: number,
  setpointVar: number,
): Setpoint {
  const nodes = [...new Set(pv.shares.flatMap((share) => [share.node, share.otherNode]))].filter((node) => node !== 0);
  return {
    derId: pv.id,
    mrid: pv.mrid,
    unitMrid: pv.unitMrid,
    name: pv.name,
    bus: bus?.name ?? pv.terminal.bus,
    phases: nodes.map((node) => phaseOfNode(node, bus?.isSplitPhase ?? false)).join(''),
    availableW,
    setpointW: (1 - alpha) * availableW,
    setpointVar,
    alpha,
  };
}
