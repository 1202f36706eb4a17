import { type CoordinatorData, type CoordinatorMemory, type Exchange, exchange } from './coordinator-memory.js';
import { evaluate } from './linear-network.js';
import { heldPorts, ZSolver } from './projection.js';
import type { AgentReply, AgentRequest, RoundProgress } from './star.js';
import { modelOfCurve } from './star-cost.js';
import type { StarSettings } from './star-settings.js';

/*
 * The coordinator's half of the star: projection of the agents' answers onto the primary network, and the prices.
 *
 * Solved each round, with y the relaxed answers and u the scaled prices:
 *   min cost(own alpha) + rho/2 sum_ports (|P - yP - uP|^2 + |Q - yQ - uQ|^2 + |v - yv - uv|^2)
 *   subject to the linear primary network and its limits (softened by an exact penalty); then u += y - z.
 * Steps: an interval opens with the question what agents would do alone; if the network bears it, that is the end. Else
 *   the network equations stand in one saddle-point matrix, factorised once per rho; limits that bind are found by
 *   limit-programme.ts with one substitution per limit that ever binds.
 * Cost: O(nodes) per substitution; two substitutions a round when the binding limits stay the same.
 * Agents that take no part are parameters: their power is drawn at their port, what their customers bear is a limit there,
 *   and they have neither targets nor prices. (Prices of a consensus with somebody who never answers grow without end, and
 *   everybody else is released for what he seems to give.)
 * Fails: not; see the residuals. Two convex blocks converge for every rho > 0.
 * Sources: Boyd et al. (2011), section 3.3 (residuals), 3.4.1 (balancing), 3.4.3 (over-relaxation), 7.1 (consensus).
 */

/** Rounds without an answer after which an agent's port is a fixed power without a view on the voltage. */
const GIVEN_UP_ROUNDS = 3;

function isUsable(reply: AgentReply | undefined, ports: number): reply is AgentReply {
  if (!reply) return false;
  const lists = [reply.powerW, reply.powerVar, reply.voltageSquaredPu];
  return lists.every(
    (list, k) => (list.length === ports || (k === 2 && list.length === 0)) && list.every(Number.isFinite),
  );
}

/**
 * The opening question of an interval: a penalty so small that agents answer the power they would have alone, and a port
 * voltage above any limit, so that they answer the highest one they bear with it.
 */
const OPENING_RHO = 1e-9;
const OPENING_VOLTAGE_SQUARED_PU = 1.44;
/** Prices of the last interval are a good start when uncurtailed power has moved by less than this share. */
const WARM_SHARE = 0.08;

/** The questions for the coming round. */
export function coordinatorRequests(
  data: CoordinatorData,
  memory: CoordinatorMemory,
  settings: StarSettings,
): Map<string, AgentRequest> {
  const requests = new Map<string, AgentRequest>();
  const { z, price } = memory;
  const { isOpening } = memory;
  let at = 0;
  data.agents.forEach(({ agentId, portNodes, held }) => {
    const range = portNodes.map((_, k) => at + k);
    at += portNodes.length;
    if (held !== undefined) return;
    requests.set(agentId, {
      round: memory.round + 1,
      rho: isOpening ? OPENING_RHO : memory.rho,
      targetW: range.map((k) => (z.power[k]! - price.power[k]!) * settings.powerUnitW),
      targetVar: range.map((k) => (z.reactive[k]! - price.reactive[k]!) * settings.powerUnitW),
      targetVoltageSquaredPu: range.map((k) =>
        isOpening
          ? OPENING_VOLTAGE_SQUARED_PU
          : 1 + (z.voltage[k]! - price.voltage[k]!) * settings.voltageUnitSquaredPu,
      ),
    });
  });
  return requests;
}

/**
 * Judges the opening answers: nothing to do when the network bears them, a warm start when they resemble the last
 * interval's, else a cold one, for which they are the first answers.
 */
function open(
  data: CoordinatorData,
  memory: CoordinatorMemory,
  settings: StarSettings,
): 'nothingToDo' | 'warm' | 'cold' {
  const { answer, z, price } = memory;
  const causedBy = networkVoltages(data, answer, settings);
  const scaledVoltage = (node: number) =>
    (causedBy[node]! + data.correctionSquaredPu[node]! - 1) / settings.voltageUnitSquaredPu;
  let isBorne = causedBy.every(
    (v, i) =>
      v + data.correctionSquaredPu[i]! <= data.upperSquaredPu[i]! &&
      v + data.correctionSquaredPu[i]! >= data.lowerSquaredPu[i]!,
  );
  let k = 0;
  for (const { portNodes } of data.agents) {
    for (const node of portNodes) {
      const voltage = scaledVoltage(node);
      if (memory.hasVoltage[k] && voltage > answer.voltage[k]!) isBorne = false;
      answer.voltage[k] = voltage;
      k++;
    }
  }
  const before = memory.uncurtailed;
  memory.uncurtailed = answer.power.slice();
  let moved = 0;
  let size = 0;
  for (let i = 0; i < answer.power.length; i++) {
    moved += (answer.power[i]! - (before?.[i] ?? 0)) ** 2;
    size += answer.power[i]! ** 2;
  }
  if (!isBorne && before && moved <= WARM_SHARE ** 2 * size) return 'warm';
  for (const list of [price.power, price.reactive, price.voltage, memory.multipliers, memory.ownAlpha]) list.fill(0);
  if (isBorne) {
    z.power.set(answer.power);
    z.reactive.set(answer.reactive);
    z.voltage.set(answer.voltage);
    return 'nothingToDo';
  }
  memory.rho = settings.rho;
  memory.solver = undefined;
  return 'cold';
}

function openingProgress(
  memory: CoordinatorMemory,
  hasConverged: boolean,
  powerChangeW: number,
  missing: readonly string[],
): RoundProgress {
  const { answer, z } = memory;
  const primalResidual = Math.sqrt(answer.power.reduce((sum, value, k) => sum + (value - z.power[k]!) ** 2, 0));
  return {
    round: memory.round,
    rho: memory.rho,
    primalResidual,
    primalTolerance: hasConverged ? Math.max(primalResidual, Number.MIN_VALUE) : 0,
    dualResidual: 0,
    dualTolerance: 0,
    hasConverged,
    powerChangeW,
    missing,
  };
}

/** Voltages of the primary for the ports' present powers with nothing of its own curtailed, pu squared. */
function networkVoltages(data: CoordinatorData, ports: Exchange, settings: StarSettings): Float64Array {
  const drawnW = data.drawnW.slice();
  const drawnVar = data.drawnVar.slice();
  for (const own of data.units) {
    own.nodes.forEach((node, k) => {
      drawnW[node]! -= own.availableW * own.shareRe[k]!;
      drawnVar[node]! -= own.availableW * own.shareIm[k]!;
    });
  }
  let at = 0;
  for (const { portNodes } of data.agents) {
    for (const node of portNodes) {
      drawnW[node]! += ports.power[at]! * settings.powerUnitW;
      drawnVar[node]! += ports.reactive[at]! * settings.powerUnitW;
      at++;
    }
  }
  return evaluate(data.network, drawnW, drawnVar, undefined, data.rootVoltageSquaredPu).voltageSquaredPu;
}

/**
 * Takes the answers of a round: relaxation, projection, prices, penalty. The memory is updated.
 */
export function coordinatorUpdate(
  data: CoordinatorData,
  memory: CoordinatorMemory,
  replies: ReadonlyMap<string, AgentReply>,
  settings: StarSettings,
): RoundProgress {
  const { answer, z, price } = memory;
  const ports = answer.power.length;
  const { isOpening } = memory;
  memory.isOpening = false;
  memory.round++;
  const missing: string[] = [];
  let powerChangeW = 0;
  let alphaChange = 0;
  let at = 0;
  let isAwaiting = false;
  const setView = (port: number, hasVoltage: boolean): void => {
    if (memory.hasVoltage[port] === Number(hasVoltage)) return;
    memory.hasVoltage[port] = Number(hasVoltage);
    memory.solver = undefined;
  };
  data.agents.forEach(({ agentId, portNodes, held }, agent) => {
    const reply = replies.get(agentId);
    if (held !== undefined) {
      portNodes.forEach((_, k) => {
        answer.power[at + k] = held.powerW[k]! / settings.powerUnitW;
        answer.reactive[at + k] = held.powerVar[k]! / settings.powerUnitW;
        for (const list of [price.power, price.reactive, price.voltage]) list[at + k] = 0;
        setView(at + k, false);
      });
    } else if (isUsable(reply, portNodes.length)) {
      memory.absentRounds[agent] = 0;
      portNodes.forEach((_, k) => {
        const before = answer.power[at + k]!;
        answer.power[at + k] = reply.powerW[k]! / settings.powerUnitW;
        answer.reactive[at + k] = reply.powerVar[k]! / settings.powerUnitW;
        setView(at + k, reply.voltageSquaredPu.length > 0);
        if (memory.hasVoltage[at + k]) {
          answer.voltage[at + k] = (reply.voltageSquaredPu[k]! - 1) / settings.voltageUnitSquaredPu;
        }
        powerChangeW = Math.max(powerChangeW, Math.abs(answer.power[at + k]! - before) * settings.powerUnitW);
      });
      alphaChange = Math.max(alphaChange, reply.alphaChange ?? 0);
    } else {
      missing.push(agentId);
      memory.absentRounds[agent]!++;
      // A voltage that nobody stands for any more would hold the port, and prices would grow against it without end.
      if (memory.absentRounds[agent]! >= GIVEN_UP_ROUNDS) {
        portNodes.forEach((_, k) => {
          setView(at + k, false);
          price.voltage[at + k] = 0;
        });
      } else isAwaiting = true;
    }
    at += portNodes.length;
  });
  if (isOpening) {
    const outcome = open(data, memory, settings);
    if (outcome !== 'cold')
      return openingProgress(memory, outcome === 'nothingToDo' && missing.length === 0, powerChangeW, missing);
  }
  if (!memory.solver || memory.solver.rho !== memory.rho || (data.curve && data.groupCount > 0)) {
    // A curved cost of its own groups is taken by one Newton step a round.
    const own = data.curve ? { ...data, cost: modelOfCurve(data.curve, memory.ownAlpha) } : data;
    memory.solver = new ZSolver(own, settings, memory.rho, memory.hasVoltage.slice());
  }
  const ownBefore = memory.ownAlpha.slice();

  // Relaxed answers; the opening answers are taken as they are.
  const relaxation = isOpening ? 1 : memory.relaxation;
  const relaxed = exchange(ports);
  const mix = (to: Float64Array, x: Float64Array, old: Float64Array) => {
    for (let k = 0; k < x.length; k++) to[k] = relaxation * x[k]! + (1 - relaxation) * old[k]!;
  };
  mix(relaxed.power, answer.power, z.power);
  mix(relaxed.reactive, answer.reactive, z.reactive);
  mix(relaxed.voltage, answer.voltage, z.voltage);
  const before = exchange(ports);
  before.power.set(z.power);
  before.reactive.set(z.reactive);
  before.voltage.set(z.voltage);
  memory.solver.solve(relaxed, price, z, memory);

  let primal = 0;
  let dual = 0;
  let sizeX = 0;
  let sizeZ = 0;
  let sizeU = 0;
  let count = 0;
  /** Adds a block to the residuals and moves its prices; only blocks of size count for the relative tolerance. */
  const weigh = (block: keyof Exchange, weight: number, hasSize: boolean) => {
    const [x, y, zNew, zOld, u] = [answer[block], relaxed[block], z[block], before[block], price[block]];
    for (let k = 0; k < x.length; k++) {
      u[k]! += y[k]! - zNew[k]!;
      primal += weight * (x[k]! - zNew[k]!) ** 2;
      dual += weight * (zNew[k]! - zOld[k]!) ** 2;
      sizeU += weight * u[k]! ** 2;
      count++;
      if (!hasSize) continue;
      sizeX += weight * x[k]! ** 2;
      sizeZ += weight * zNew[k]! ** 2;
    }
  };
  const isHeld = heldPorts(data);
  for (let k = 0; k < ports; k++) {
    if (!isHeld[k]) continue;
    for (const block of ['power', 'reactive'] as const) {
      for (const list of [z, relaxed, before]) list[block][k] = answer[block][k]!;
    }
  }
  for (let k = 0; k < ports; k++) {
    if (memory.hasVoltage[k]) continue;
    answer.voltage[k] = z.voltage[k]!;
    relaxed.voltage[k] = z.voltage[k]!;
    before.voltage[k] = z.voltage[k]!;
  }
  weigh('power', 1, true);
  weigh('reactive', settings.reactiveWeight, false);
  weigh('voltage', 1, false);
  const { rho } = memory;
  const root = Math.sqrt(Math.max(1, count));
  const primalResidual = Math.sqrt(primal);
  const dualResidual = rho * Math.sqrt(dual);
  const primalTolerance =
    root * settings.absoluteTolerance + settings.relativeTolerance * Math.sqrt(Math.max(sizeX, sizeZ));
  const dualTolerance = root * settings.absoluteTolerance + settings.relativeTolerance * rho * Math.sqrt(sizeU);
  for (let g = 0; g < ownBefore.length; g++) {
    alphaChange = Math.max(alphaChange, Math.abs(memory.ownAlpha[g]! - ownBefore[g]!));
  }
  const isCalm =
    primalResidual <= primalTolerance &&
    dualResidual <= dualTolerance &&
    powerChangeW <= settings.powerToleranceW &&
    alphaChange <= settings.alphaTolerance;
  memory.calmRounds = isCalm && !isAwaiting ? memory.calmRounds + 1 : 0;
  const progress: RoundProgress = {
    round: memory.round,
    rho,
    primalResidual,
    primalTolerance,
    dualResidual,
    dualTolerance,
    hasConverged: memory.calmRounds >= 2,
    powerChangeW,
    missing,
  };
  relax(memory, settings, Math.hypot(primalResidual, dualResidual));
  balance(memory, primalResidual, dualResidual);
  return progress;
}

/** A residual that grows by this factor in a round takes over-relaxation back by a step; one that falls gives it back. */
const RELAX_GROWTH = 1.5;
const RELAX_STEP = 0.2;

/** Adapts over-relaxation: rounds that swing get less of it, down to none. */
function relax(memory: CoordinatorMemory, settings: StarSettings, residual: number): void {
  const isSwinging = residual > RELAX_GROWTH * memory.lastResidual;
  const next = memory.relaxation + (isSwinging ? -RELAX_STEP : RELAX_STEP / 2);
  memory.relaxation = Math.min(settings.relaxation, Math.max(Math.min(1, settings.relaxation), next));
  memory.lastResidual = residual;
}

const BALANCE_EVERY = 5;
const BALANCE_RATIO = 5;
const BALANCE_LARGEST_FACTOR = 10;
const BALANCE_UNTIL = 200;

/**
 * Keeps the residuals within a ratio of one another by changing rho; scaled prices change inversely. The factor is the
 * root of the ratio, so that a bad first rho is left within one or two changes.
 */
function balance(memory: CoordinatorMemory, primal: number, dual: number): void {
  if (memory.round % BALANCE_EVERY !== 0 || memory.round > BALANCE_UNTIL) return;
  const ratio = primal / Math.max(dual, 1e-12);
  if (ratio <= BALANCE_RATIO && ratio >= 1 / BALANCE_RATIO) return;
  const factor = Math.min(BALANCE_LARGEST_FACTOR, Math.max(1 / BALANCE_LARGEST_FACTOR, Math.sqrt(ratio)));
  memory.rho *= factor;
  const { power, reactive, voltage } = memory.price;
  for (const list of [power, reactive, voltage]) for (let k = 0; k < list.length; k++) list[k]! /= factor;
}
