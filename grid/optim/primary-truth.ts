import {
  answerOfControls,
  type ControlAnswer,
  createPowerFlow,
  type FeederFlow,
  hasAnsweringControls,
  type PowerFlow,
  type PowerFlowSolution,
} from '../flow/index.js';
import { buildFeeder, type FeederData } from '../model/index.js';
import { applyInputs } from './agent.js';
import { bindingErrorPu } from './binding-error.js';
import { completeState, stateAfter, worseOf } from './control-response.js';
import type { CoordinatorData } from './coordinator-memory.js';
import type { LinearFeeder } from './lindistflow.js';
import { evaluate } from './linear-network.js';
import { portLoadId, withPortLoads } from './port-loads.js';
import type { LocalPower } from './problem.js';
import type {
  LocalInputs,
  Port,
  PrimaryModel,
  PrimaryState,
  VerifyReply,
  VerifyRequest,
  VoltageLimits,
} from './star.js';

/*
 * The AC power flow of the primary at given port powers, and what its linear model misses there.
 *
 * Steps: 1. the state of the interval; 2. where controls answer, the state that they lead to; 3. both as one: each node, and
 *        each node of a port, with the voltage of its worse state, and the linear model at what ports draw there.
 * Cost: one power flow for 1 and one for 2; 3 needs none.
 * Fails: what was found is kept only where the power flow has a solution.
 */

/** Power drawn at a port, W and var by port node; import positive. */
export interface PortPower {
  readonly powerW: readonly number[];
  readonly powerVar: readonly number[];
}

/** What the AC power flow of the primary says at given port powers. */
export interface PrimaryVerification {
  /** Port voltages for each agent's own check. */
  readonly requests: ReadonlyMap<string, VerifyRequest>;
  readonly maxVoltagePu: number;
  readonly minVoltagePu: number;
  /** Bus name and node of the largest voltage. */
  readonly worst: { readonly bus: string; readonly node: number };
  /** Nodes outside the limits. */
  readonly violations: number;
  readonly isConverged: boolean;
  /** As in an agent's answer. */
  readonly bindingErrorPu?: number;
}

/** What controls of the primary do about the dispatch that was verified last. */
export interface StarAnswer extends Pick<ControlAnswer, 'moves' | 'isAtRest'> {
  readonly state: PrimaryState;
  /** By how much a node of the primary rises and falls at most, pu. */
  readonly risePu: number;
  readonly fallPu: number;
}

/** Extremes over the nodes behind a port, pu; the lowest is 0 where there are none. */
export type AgentExtremes = Pick<VerifyReply, 'maxVoltagePu' | 'minVoltagePu'>;

/** What an agent said of its nodes before and after controls answer. */
export interface BothStates {
  readonly before: AgentExtremes;
  readonly after: AgentExtremes;
}

/** The coordinator's present dispatch, as its power flow needs it. */
export interface PrimaryDispatch {
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  readonly linear: LinearFeeder;
  readonly power: LocalPower;
  readonly data: CoordinatorData;
  /** Curtailed fractions of own units, by group. */
  readonly alpha: Float64Array;
  /** Reactive power of an own unit, var. */
  readonly varOf: (id: string) => number;
  /** Of agents without an answer to the verification. */
  readonly presentPowers: ReadonlyMap<string, PortPower>;
  /** The linear model at what rounds agreed on, without correction, pu squared by node. */
  readonly agreedSquaredPu: Float64Array;
}

/** What a verification came to, by node of the linear model: squared voltages, and the model's error. */
interface Seen {
  readonly acSquaredPu: Float64Array;
  readonly found: Float64Array;
  readonly requests: ReadonlyMap<string, VerifyRequest>;
  readonly isConverged: boolean;
}

/** The AC power flow of the primary. */
export class PrimaryTruth {
  private flow: FeederFlow | undefined;
  /** At the positions of the interval, at those that controls come to, and both as one. */
  private seen: Seen | undefined;
  private seenAfter: Seen | undefined;
  private seenWorse: Seen | undefined;

  constructor(
    private readonly model: PrimaryModel,
    private readonly limits: VoltageLimits,
  ) {}

  /** Begins an interval. */
  forget(): void {
    this.seen = undefined;
    this.seenAfter = undefined;
    this.seenWorse = undefined;
  }

  /** @param after - where controls come to; the positions of the interval when absent, with which a verification begins */
  verify(
    dispatch: PrimaryDispatch,
    powers: ReadonlyMap<string, PortPower>,
    after: PrimaryState | undefined,
  ): PrimaryVerification {
    const { inputs, state, linear, power, alpha, varOf } = dispatch;
    const { feeder, ports } = this.model;
    this.flow ??= createPowerFlow(buildFeeder(withPortLoads(feeder, ports)));
    const { flow } = this;
    applyInputs(flow, feeder, inputs);
    applyState(flow, feeder, after ?? completeState(feeder, state));
    for (const unit of power.units) {
      const powerVar = (inputs.held[unit.id]?.powerVar ?? 0) + varOf(unit.id);
      flow.setGeneration(unit.id, (1 - alpha[unit.group]!) * unit.availableW, powerVar);
    }
    for (const port of ports) {
      const given = powers.get(port.agentId) ?? dispatch.presentPowers.get(port.agentId);
      port.nodes.forEach((node, k) => {
        flow.setLoadPower(portLoadId(port, node), given?.powerW[k] ?? 0, given?.powerVar[k] ?? 0);
      });
    }
    const solution = flow.solve({ controls: false });
    const acSquaredPu = new Float64Array(linear.network.nodes.length).fill(Number.NaN);
    linear.network.nodes.forEach(({ bus, node }, i) => {
      const pu = i < linear.network.rootCount || bus === '' ? undefined : solution.voltagePuAt(bus, node);
      if (pu !== undefined) acSquaredPu[i] = pu * pu;
    });
    const requests = new Map(
      ports.map((port) => {
        const voltage = port.nodes.flatMap((node) => {
          const v = solution.voltageAt(port.bus, node);
          return v ? [v.re, v.im] : [0, 0];
        });
        return [port.agentId, { voltage }];
      }),
    );
    const isConverged = solution.status === 'converged' || solution.status === 'controlsUnsettled';
    const seen = this.seenAt(dispatch, powers, acSquaredPu, requests, isConverged);
    if (after === undefined) {
      this.seen = seen;
      this.seenAfter = undefined;
    } else this.seenAfter = seen;
    this.seenWorse = undefined;
    return this.told(dispatch, seen);
  }

  /**
   * The states before and after controls answer as one.
   *
   * @param powers - in that state; voltages do not depend on them
   * @param told - what agents said of both states
   */
  verifyWorse(
    dispatch: PrimaryDispatch,
    powers: ReadonlyMap<string, PortPower>,
    told: ReadonlyMap<string, BothStates>,
  ): PrimaryVerification | undefined {
    const { seen: before, seenAfter: after } = this;
    if (before === undefined || after === undefined) return undefined;
    const acSquaredPu = before.acSquaredPu.map((v, i) =>
      Number.isNaN(v) ? v : worseOf(v, after.acSquaredPu[i]!, this.limits),
    );
    const requests = new Map<string, VerifyRequest>();
    for (const port of this.model.ports) {
      const places = port.nodes.map((node) => dispatch.linear.index.get(`${port.bus} ${node}`));
      const both = told.get(port.agentId);
      const roomsOf = ({ acSquaredPu: squared }: Seen, own: AgentExtremes | undefined) =>
        roomsAt(
          places.map((index) => Math.sqrt(index === undefined ? Number.NaN : squared[index]!)),
          own,
          this.limits,
        );
      const [roomBefore, roomAfter] = [roomsOf(before, both?.before), roomsOf(after, both?.after)];
      const voltage = places.flatMap((index, k) => {
        const worse = roomAfter[k]! < roomBefore[k]! ? after : before;
        // The port is in the state that what hangs there is in.
        if (index !== undefined) acSquaredPu[index] = worse.acSquaredPu[index]!;
        return worse.requests.get(port.agentId)?.voltage.slice(2 * k, 2 * k + 2) ?? [0, 0];
      });
      requests.set(port.agentId, { voltage });
    }
    const isConverged = before.isConverged && after.isConverged;
    this.seenWorse = this.seenAt(dispatch, powers, acSquaredPu, requests, isConverged);
    return this.told(dispatch, this.seenWorse);
  }

  /** Lets controls answer what was verified last; undefined where nothing moves. */
  answer({ state, linear }: Pick<PrimaryDispatch, 'state' | 'linear'>): StarAnswer | undefined {
    const { flow, seen } = this;
    const { feeder } = this.model;
    if (flow === undefined || seen?.isConverged !== true || !hasAnsweringControls(feeder)) return undefined;
    const complete = completeState(feeder, state);
    const answer = answerOfControls(flow);
    if (answer === undefined) return undefined;
    const solution: PowerFlowSolution = flow.solve({ controls: false });
    applyState(flow, feeder, complete);
    let risePu = 0;
    let fallPu = 0;
    linear.network.nodes.forEach(({ bus, node }, i) => {
      const pu = bus === '' ? undefined : solution.voltagePuAt(bus, node);
      const squared = seen.acSquaredPu[i]!;
      if (pu === undefined || Number.isNaN(squared)) return;
      risePu = Math.max(risePu, pu - Math.sqrt(squared));
      fallPu = Math.max(fallPu, Math.sqrt(squared) - pu);
    });
    const { moves, isAtRest } = answer;
    return { moves, isAtRest, state: stateAfter(complete, answer), risePu, fallPu };
  }

  /** What the linear model missed in the last verification, and at the positions of the interval alone; pu squared by node. */
  takeFound(): { readonly correction: Float64Array; readonly known: Float64Array } | undefined {
    const { seen, seenAfter, seenWorse } = this;
    const last = seenWorse ?? seenAfter ?? seen;
    if (last === undefined || !last.isConverged) return undefined;
    return { correction: last.found, known: (seen ?? last).found };
  }

  private seenAt(
    dispatch: PrimaryDispatch,
    powers: ReadonlyMap<string, PortPower>,
    acSquaredPu: Float64Array,
    requests: ReadonlyMap<string, VerifyRequest>,
    isConverged: boolean,
  ): Seen {
    const lin = linearVoltages(this.model.ports, dispatch, powers);
    return {
      acSquaredPu,
      found: acSquaredPu.map((v, i) => (Number.isNaN(v) ? 0 : v - lin[i]!)),
      requests,
      isConverged,
    };
  }

  private told(
    { linear: { network }, data, agreedSquaredPu }: PrimaryDispatch,
    { acSquaredPu, requests, isConverged }: Seen,
  ): PrimaryVerification {
    const { limits } = this;
    let maxVoltagePu = 0;
    let minVoltagePu = Infinity;
    let violations = 0;
    let bindingPu = 0;
    let worst = { bus: '', node: 0 };
    network.nodes.forEach(({ bus, node }, i) => {
      const squared = acSquaredPu[i]!;
      if (Number.isNaN(squared)) return;
      const pu = Math.sqrt(squared);
      if (pu > maxVoltagePu) {
        maxVoltagePu = pu;
        worst = { bus, node };
      }
      minVoltagePu = Math.min(minVoltagePu, pu);
      if (pu > limits.maxPu || pu < limits.minPu) violations++;
      if (!Number.isFinite(data.upperSquaredPu[i]!)) return;
      bindingPu = Math.max(
        bindingPu,
        bindingErrorPu(squared, agreedSquaredPu[i]! + data.correctionSquaredPu[i]!, limits),
      );
    });
    const name = this.model.feeder.buses.find((bus) => bus.id === worst.bus)?.name ?? worst.bus;
    return {
      requests,
      maxVoltagePu,
      minVoltagePu: Number.isFinite(minVoltagePu) ? minVoltagePu : 0,
      worst: { bus: name, node: worst.node },
      violations,
      isConverged,
      bindingErrorPu: bindingPu,
    };
  }
}

/** By port node: how far it and what hangs there are from the limits, pu; negative outside. */
function roomsAt(
  portPu: readonly number[],
  told: AgentExtremes | undefined,
  { minPu, maxPu }: VoltageLimits,
): number[] {
  const hasNodes = told !== undefined && told.minVoltagePu > 0;
  const rise = hasNodes ? Math.max(0, told.maxVoltagePu - Math.max(...portPu)) : 0;
  const fall = hasNodes ? Math.max(0, Math.min(...portPu) - told.minVoltagePu) : 0;
  return portPu.map((pu) => Math.min(maxPu - pu - rise, pu - fall - minPu));
}

/** The linear model at given port powers, without correction, pu squared by node. */
function linearVoltages(
  ports: readonly Port[],
  { linear, power, data, alpha, varOf, presentPowers }: PrimaryDispatch,
  powers: ReadonlyMap<string, PortPower>,
): Float64Array {
  const drawnW = power.drawnW.slice();
  const drawnVar = power.drawnVar.slice();
  for (const unit of power.units) {
    const own = varOf(unit.id);
    unit.nodes.forEach((node, k) => {
      const output = (1 - alpha[unit.group]!) * unit.availableW;
      drawnW[node]! -= output * unit.shareRe[k]! - own * unit.shareIm[k]!;
      drawnVar[node]! -= output * unit.shareIm[k]! + own * unit.shareRe[k]!;
    });
  }
  for (const port of ports) {
    const given = powers.get(port.agentId) ?? presentPowers.get(port.agentId);
    port.nodes.forEach((node, k) => {
      const index = linear.index.get(`${port.bus} ${node}`);
      if (index === undefined) return;
      drawnW[index]! += given?.powerW[k] ?? 0;
      drawnVar[index]! += given?.powerVar[k] ?? 0;
    });
  }
  return evaluate(linear.network, drawnW, drawnVar, undefined, data.rootVoltageSquaredPu).voltageSquaredPu;
}

/** Sets taps, capacitors, switches and source voltage of a power flow; all stay frozen during verification. */
export function applyState(flow: PowerFlow, feeder: FeederData, state: PrimaryState): void {
  if (state.sourceVoltagePu !== undefined) flow.setSourceVoltagePu(state.sourceVoltagePu);
  const regulators = new Set(feeder.regulators.map((regulator) => regulator.id));
  for (const [id, position] of Object.entries(state.taps)) if (regulators.has(id)) flow.setTap(id, position, true);
  const capacitors = new Set(feeder.capacitors.map((capacitor) => capacitor.id));
  for (const [id, sections] of Object.entries(state.capacitorSections)) {
    if (capacitors.has(id)) flow.setCapacitorSections(id, sections, true);
  }
  const open = new Set(state.openSwitches);
  for (const device of feeder.switches) {
    const isOpen = open.has(device.id) || device.isOpen.every(Boolean);
    if (flow.isSwitchOpen(device.id) !== isOpen) flow.setSwitch(device.id, isOpen);
  }
}
