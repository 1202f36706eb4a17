import type { CoordinatorData, CoordinatorMemory } from './coordinator-memory.js';
import { type Exchange, exchange } from './exchange.js';
import { evaluate } from './linear-network.js';
import {
  balanceFactor,
  checkpoint,
  hasDiverged,
  type Residuals,
  relax,
  restart,
  scalePrices,
  settles,
} from './pacing.js';
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
export const WARM_SHARE = 0.08;

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

/** What came in with the answers of a round. */
export interface Intake {
  /** Agents whose reply did not come or was not usable. */
  readonly missing: readonly string[];
  readonly powerChangeW: number;
  readonly alphaChange: number;
  /** Somebody is silent who has not been given up. */
  readonly isAwaiting: boolean;
}

/** Takes the replies of a round into `memory.answer`; for those that do not come or are not usable the last stands. */
export function takeReplies(
  data: CoordinatorData,
  memory: CoordinatorMemory,
  replies: ReadonlyMap<string, AgentReply>,
  settings: StarSettings,
): Intake {
  const { answer, price } = memory;
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
  return { missing, powerChangeW, alphaChange, isAwaiting };
}

/** Squared norms of a round, of which residuals and tolerances are made; those of several areas add up. */
export interface RoundSums {
  primal: number;
  dual: number;
  sizeX: number;
  sizeZ: number;
  sizeU: number;
  count: number;
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
  const { z, price } = memory;
  const { isOpening } = memory;
  memory.isOpening = false;
  memory.round++;
  const intake = takeReplies(data, memory, replies, settings);
  const { missing, powerChangeW, isAwaiting } = intake;
  let { alphaChange } = intake;
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

  // The opening answers are taken as they are.
  const step = relaxedAnswers(memory, isOpening ? 1 : memory.relaxation);
  memory.solver.solve(step.relaxed, price, z, memory);

  const { rho } = memory;
  const residuals = residualsOf(movePrices(data, memory, step, settings), rho, settings);
  for (let g = 0; g < ownBefore.length; g++) {
    alphaChange = Math.max(alphaChange, Math.abs(memory.ownAlpha[g]! - ownBefore[g]!));
  }
  const hasConverged = settles(memory, settings, { ...residuals, powerChangeW, alphaChange, isAwaiting });
  const progress: RoundProgress = { round: memory.round, rho, ...residuals, hasConverged, powerChangeW, missing };
  const { primalResidual, dualResidual, primalTolerance, dualTolerance } = residuals;
  const residual = Math.hypot(primalResidual, dualResidual);
  const isDiverged = hasDiverged(memory, residual, Math.hypot(primalTolerance, dualTolerance));
  if (isDiverged && memory.best) {
    restart(memory, memory.best);
    memory.best = undefined;
    return { ...progress, isRestarted: true };
  }
  if (residual <= memory.leastResidual) memory.best = checkpoint(memory);
  relax(memory, settings, residual);
  const factor = balanceFactor(memory, residuals);
  if (factor !== 1) {
    memory.rho *= factor;
    scalePrices(price, factor);
  }
  return progress;
}

/** Answers between the last copies and what was answered, and the copies as they were. */
export interface RelaxedStep {
  readonly relaxed: Exchange;
  readonly before: Exchange;
}

/** Over-relaxed answers of a round. */
export function relaxedAnswers({ answer, z }: CoordinatorMemory, relaxation: number): RelaxedStep {
  const ports = answer.power.length;
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
  return { relaxed, before };
}

/** Moves the prices after a projection, and sums what the residuals are made of. */
export function movePrices(
  data: CoordinatorData,
  memory: CoordinatorMemory,
  { relaxed, before }: RelaxedStep,
  settings: StarSettings,
): RoundSums {
  const { answer, z, price } = memory;
  const ports = answer.power.length;
  const sums: RoundSums = { primal: 0, dual: 0, sizeX: 0, sizeZ: 0, sizeU: 0, count: 0 };
  /** Adds a block to the residuals and moves its prices; only blocks of size count for the relative tolerance. */
  const weigh = (block: keyof Exchange, weight: number, hasSize: boolean) => {
    const [x, y, zNew, zOld, u] = [answer[block], relaxed[block], z[block], before[block], price[block]];
    for (let k = 0; k < x.length; k++) {
      u[k]! += y[k]! - zNew[k]!;
      sums.primal += weight * (x[k]! - zNew[k]!) ** 2;
      sums.dual += weight * (zNew[k]! - zOld[k]!) ** 2;
      sums.sizeU += weight * u[k]! ** 2;
      sums.count++;
      if (!hasSize) continue;
      sums.sizeX += weight * x[k]! ** 2;
      sums.sizeZ += weight * zNew[k]! ** 2;
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
  return sums;
}

/** Residuals and their tolerances (Boyd et al. 2011, section 3.3.1). */
export function residualsOf(sums: Readonly<RoundSums>, rho: number, settings: StarSettings): Residuals {
  const { primal, dual, sizeX, sizeZ, sizeU, count } = sums;
  const root = Math.sqrt(Math.max(1, count));
  return {
    primalResidual: Math.sqrt(primal),
    dualResidual: rho * Math.sqrt(dual),
    primalTolerance: root * settings.absoluteTolerance + settings.relativeTolerance * Math.sqrt(Math.max(sizeX, sizeZ)),
    dualTolerance: root * settings.absoluteTolerance + settings.relativeTolerance * rho * Math.sqrt(sizeU),
  };
}
