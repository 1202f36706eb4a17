import { DecError } from '../math/index.js';
import { type FeederData, type PhaseShare, ratedShares, splitPower } from '../model/index.js';
import { type LinearFeeder, nodeShares } from './lindistflow.js';
import { evaluate, type LinearNetwork, type LinearState, linearState } from './linear-network.js';
import type { FairnessMode, LocalInputs, VoltageLimits } from './star.js';

/*
 * The curtailment problem as data: a linear network, the power drawn in it, the units that may be curtailed, the limits.
 *
 * Minimise sum_g (linear_g alpha_g + 1/2 quadratic_g alpha_g^2) over the curtailed fractions alpha_g in [0, 1] of groups of
 * units, with every limited node's v = v_linear(alpha) + correction inside its limits.
 * proportional: sum p_av alpha^2, a group per unit. equalAlpha: the same with one group for the feeder (or level).
 * total: sum p_av alpha. p_av in kW, so that objectives are in kW.
 */

/** A unit whose generation may be reduced. */
export interface CurtailableUnit {
  /** Element id in the feeder. */
  readonly id: string;
  readonly availableW: number;
  /** Node indices and the complex share of the unit's power that enters each. */
  readonly nodes: Int32Array;
  readonly shareRe: Float64Array;
  readonly shareIm: Float64Array;
  /** Index of its group: units of one group have one alpha. */
  readonly group: number;
}

/** Cost of a group's curtailed fraction: `linear * alpha + quadratic / 2 * alpha^2`, kW. */
export interface GroupCost {
  readonly linear: Float64Array;
  readonly quadratic: Float64Array;
}

/** What the AC power flow said the linear model missed; added to it. */
export interface VoltageCorrection {
  /** By node, pu squared. */
  readonly voltageSquaredPu: Float64Array;
}

/** The problem as data. */
export interface CurtailmentProblem {
  readonly network: LinearNetwork;
  /** Power drawn by node without the curtailable generation, W and var (held generation negative). */
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly units: readonly CurtailableUnit[];
  readonly groupCount: number;
  readonly cost: GroupCost;
  /** Limits by node, pu squared; infinite where a node has none. */
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly correction: VoltageCorrection;
}

/** Cost of each group under a fairness rule, from the available power of its units. */
export function groupCost(units: readonly CurtailableUnit[], groupCount: number, fairness: FairnessMode): GroupCost {
  const kilowatts = new Float64Array(groupCount);
  for (const unit of units) kilowatts[unit.group]! += unit.availableW / 1000;
  const zero = new Float64Array(groupCount);
  switch (fairness) {
    case 'total':
      return { linear: kilowatts, quadratic: zero };
    case 'proportional':
    case 'equalAlpha':
      return { linear: zero, quadratic: kilowatts.map((kw) => 2 * kw) };
  }
}

/** Power drawn and curtailable units of a feeder for given inputs. */
export interface LocalPower {
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly units: readonly CurtailableUnit[];
}

/** Units below this available power are not worth a variable; they are left free, W. */
const LEAST_AVAILABLE_W = 1;

/**
 * Spreads loads, held generation and available PV of a feeder over the nodes of its linear model.
 *
 * @param groupOf - group of each curtailable unit by position; all different when absent
 */
export function localPower(
  feeder: FeederData,
  model: LinearFeeder,
  inputs: LocalInputs,
  groupOf: (position: number) => number = (position) => position,
): LocalPower {
  const n = model.network.nodes.length;
  const drawnW = new Float64Array(n);
  const drawnVar = new Float64Array(n);
  const draw = (bus: string, shares: readonly PhaseShare[], powerW: number, powerVar: number, sign: number) => {
    const [w, v] = parts(shares);
    shares.forEach((share, k) => {
      const p = sign * powerW * w[k]!;
      const q = sign * powerVar * v[k]!;
      for (const { index, re, im } of nodeShares(model, bus, share)) {
        drawnW[index]! += re * p - im * q;
        drawnVar[index]! += re * q + im * p;
      }
    });
  };
  for (const load of feeder.loads) {
    const given = inputs.loads[load.id];
    const power = given ?? total(load.shares);
    draw(load.terminal.bus, load.shares, power.powerW, power.powerVar, 1);
  }
  for (const der of [...feeder.batteries, ...feeder.machines]) {
    const power = inputs.held[der.id] ?? total(der.shares);
    draw(der.terminal.bus, der.shares, power.powerW, power.powerVar, -1);
  }
  for (const machine of feeder.inductionMachines ?? []) {
    const shares = ratedShares(machine);
    const power = total(shares);
    draw(machine.terminal.bus, shares, power.powerW, power.powerVar, 1);
  }
  const units: CurtailableUnit[] = [];
  for (const pv of feeder.pvSystems) {
    const availableW = inputs.availableW[pv.id] ?? total(pv.shares).powerW;
    const heldVar = inputs.held[pv.id]?.powerVar ?? 0;
    if (heldVar !== 0) draw(pv.terminal.bus, pv.shares, 0, heldVar, -1);
    if (!Number.isFinite(availableW)) {
      throw new DecError('BAD_ARGUMENT', `Available power of PV ${pv.name} is not a number.`, { pv: pv.id });
    }
    if (availableW < LEAST_AVAILABLE_W) continue;
    const [part] = parts(pv.shares);
    const byNode = new Map<number, { re: number; im: number }>();
    pv.shares.forEach((share, k) => {
      for (const { index, re, im } of nodeShares(model, pv.terminal.bus, share)) {
        const sum = byNode.get(index) ?? { re: 0, im: 0 };
        byNode.set(index, { re: sum.re + part[k]! * re, im: sum.im + part[k]! * im });
      }
    });
    if (byNode.size === 0) continue;
    units.push({
      id: pv.id,
      availableW,
      nodes: Int32Array.from(byNode.keys()),
      shareRe: Float64Array.from(byNode.values(), (s) => s.re),
      shareIm: Float64Array.from(byNode.values(), (s) => (Math.abs(s.im) < 1e-12 ? 0 : s.im)),
      group: groupOf(units.length),
    });
  }
  return { drawnW, drawnVar, units };
}

function total(shares: readonly PhaseShare[]): { powerW: number; powerVar: number } {
  let powerW = 0;
  let powerVar = 0;
  for (const share of shares) {
    powerW += share.powerW;
    powerVar += share.powerVar;
  }
  return { powerW, powerVar };
}

/** Parts of a device's active and reactive power by share, as the power flow has them. */
function parts(shares: readonly PhaseShare[]): readonly [ofW: Float64Array, ofVar: Float64Array] {
  const count = shares.length;
  const watts = shares.map(({ powerW }) => powerW);
  const vars = shares.map(({ powerVar }) => powerVar);
  const split = [new Float64Array(count), new Float64Array(count)] as const;
  splitPower(1, watts, vars, 0, count, split[0]);
  splitPower(1, vars, watts, 0, count, split[1]);
  return split;
}

/** Nodes of the source's own bus: nothing in the network moves them, so that they carry no limit. */
function isSourceNode(network: LinearNetwork): Uint8Array {
  const isSource = new Uint8Array(network.nodes.length).fill(1, 0, network.rootCount);
  for (const { parents, children } of network.branches) {
    if (parents.every((parent) => parent < network.rootCount)) for (const child of children) isSource[child] = 1;
  }
  return isSource;
}

/**
 * Limits by node: every node of a bus has them, except those of the source's bus (at an agent: of its port, which is the
 * coordinator's to keep); inner points have none.
 */
export function nodeLimits(
  network: LinearNetwork,
  limits: VoltageLimits,
): Pick<CurtailmentProblem, 'lowerSquaredPu' | 'upperSquaredPu'> {
  const isSource = isSourceNode(network);
  const isLimited = network.nodes.map((node, i) => node.bus !== '' && !isSource[i]);
  return {
    lowerSquaredPu: Float64Array.from(isLimited, (yes) => (yes ? limits.minPu ** 2 : -Infinity)),
    upperSquaredPu: Float64Array.from(isLimited, (yes) => (yes ? limits.maxPu ** 2 : Infinity)),
  };
}

/** The whole problem of one feeder in one hand. */
export function curtailmentProblem(
  feeder: FeederData,
  model: LinearFeeder,
  inputs: LocalInputs,
  limits: VoltageLimits,
  fairness: FairnessMode,
): CurtailmentProblem {
  const power = localPower(feeder, model, inputs, fairness === 'equalAlpha' ? () => 0 : undefined);
  const groupCount = power.units.reduce((count, unit) => Math.max(count, unit.group + 1), 0);
  return {
    network: model.network,
    ...power,
    groupCount,
    cost: groupCost(power.units, groupCount, fairness),
    ...nodeLimits(model.network, limits),
    correction: { voltageSquaredPu: new Float64Array(model.network.nodes.length) },
  };
}

/**
 * Flows and corrected voltages for curtailed fractions by group.
 *
 * @param reactiveVar - reactive power that each unit injects, var; none when absent
 */
export function dispatchState(
  problem: CurtailmentProblem,
  alpha: ArrayLike<number>,
  reactiveVar?: ArrayLike<number>,
): LinearState {
  const { network, units, correction } = problem;
  const drawnW = problem.drawnW.slice();
  const drawnVar = problem.drawnVar.slice();
  units.forEach((unit, u) => {
    const power = unit.availableW * (1 - alpha[unit.group]!);
    const reactive = reactiveVar?.[u] ?? 0;
    for (let k = 0; k < unit.nodes.length; k++) {
      drawnW[unit.nodes[k]!]! -= power * unit.shareRe[k]! - reactive * unit.shareIm[k]!;
      drawnVar[unit.nodes[k]!]! -= power * unit.shareIm[k]! + reactive * unit.shareRe[k]!;
    }
  });
  const state = evaluate(network, drawnW, drawnVar, linearState(network));
  for (let i = 0; i < network.nodes.length; i++) state.voltageSquaredPu[i]! += correction.voltageSquaredPu[i]!;
  return state;
}

/** Largest and smallest voltage of a state over the nodes of buses, pu, and where the largest is. */
export interface VoltageExtremes {
  readonly maxPu: number;
  readonly minPu: number;
  /** Node index of the largest and of the smallest. */
  readonly maxNode: number;
  readonly minNode: number;
}

/** Extremes over the named nodes. */
export function voltageExtremes(network: LinearNetwork, voltageSquaredPu: ArrayLike<number>): VoltageExtremes {
  let maxNode = -1;
  let minNode = -1;
  for (let i = network.rootCount; i < network.nodes.length; i++) {
    if (network.nodes[i]!.bus === '') continue;
    if (maxNode < 0 || voltageSquaredPu[i]! > voltageSquaredPu[maxNode]!) maxNode = i;
    if (minNode < 0 || voltageSquaredPu[i]! < voltageSquaredPu[minNode]!) minNode = i;
  }
  const pu = (i: number) => (i < 0 ? Number.NaN : Math.sqrt(Math.max(0, voltageSquaredPu[i]!)));
  return { maxPu: pu(maxNode), minPu: pu(minNode), maxNode, minNode };
}
