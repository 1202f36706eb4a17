import { KktSystem, type LimitRows, solveLimits, TripletList } from '../math/index.js';
import { evaluate, type LinearNetwork } from './linear-network.js';
import type { CurtailableUnit, GroupCost } from './problem.js';
import type { AgentReply, AgentRequest, RoundProgress } from './star.js';
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
 * Fails: not; see the residuals. Two convex blocks converge for every rho > 0.
 * Sources: Boyd et al. (2011), section 3.3 (residuals), 3.4.1 (balancing), 3.4.3 (over-relaxation), 7.1 (consensus).
 */

/** What the coordinator needs for an interval. */
export interface CoordinatorData {
  readonly network: LinearNetwork;
  /** Power drawn on the primary without ports and without own curtailable units, W and var by node. */
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly units: readonly CurtailableUnit[];
  readonly groupCount: number;
  readonly cost: GroupCost;
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly correctionSquaredPu: Float64Array;
  readonly rootVoltageSquaredPu: Float64Array;
  /** Agents in order, with the primary node of each of their port nodes. */
  readonly agents: readonly { readonly agentId: string; readonly portNodes: readonly number[] }[];
}

/** Exchanged quantities of all ports in a row: P, Q and v of every port node, scaled. */
interface Exchange {
  readonly power: Float64Array;
  readonly reactive: Float64Array;
  readonly voltage: Float64Array;
}

/** What the coordinator remembers between rounds; z, prices and rho also from interval to interval. */
export interface CoordinatorMemory {
  rho: number;
  round: number;
  readonly answer: Exchange;
  readonly z: Exchange;
  readonly price: Exchange;
  /** The next question is the opening one of an interval. */
  isOpening: boolean;
  /** Uncurtailed port powers of the last interval, scaled. */
  uncurtailed: Float64Array | undefined;
  /** Port nodes whose agent has a view on the voltage. */
  readonly hasVoltage: Uint8Array;
  /** Rounds in a row without an answer, by agent. */
  readonly absentRounds: Int32Array;
  ownAlpha: Float64Array;
  multipliers: Float64Array;
  calmRounds: number;
  /** Factorised for `factoredRho` and the data of the interval; undefined when to be made. */
  solver: ZSolver | undefined;
}

function exchange(ports: number): Exchange {
  return {
    power: new Float64Array(ports),
    reactive: new Float64Array(ports),
    voltage: new Float64Array(ports),
  };
}

/** Memory of a cold start. */
export function coordinatorMemory(data: CoordinatorData, settings: StarSettings): CoordinatorMemory {
  const ports = data.agents.reduce((sum, agent) => sum + agent.portNodes.length, 0);
  return {
    rho: settings.rho,
    round: 0,
    answer: exchange(ports),
    z: exchange(ports),
    price: exchange(ports),
    isOpening: true,
    uncurtailed: undefined,
    hasVoltage: new Uint8Array(ports),
    absentRounds: new Int32Array(data.agents.length),
    ownAlpha: new Float64Array(data.groupCount),
    multipliers: new Float64Array(data.network.nodes.length + data.groupCount),
    calmRounds: 0,
    solver: undefined,
  };
}

/** Rounds without an answer after which an agent's port is a fixed power without a view on the voltage. */
const GIVEN_UP_ROUNDS = 3;

/** Weight of the pull towards the last alpha where the cost alone is not strictly convex. */
const PROXIMAL_SHARE = 0.05;
const ROW_TOLERANCE = 1e-8;

/** The projection: one saddle-point system and the rows of the limits. */
class ZSolver {
  readonly portNodes: Int32Array;
  private readonly kkt: KktSystem;
  private readonly rightSide: Float64Array;
  private readonly work: Float64Array;
  private readonly columns = new Map<number, Float64Array>();
  private readonly responses = new Map<number, Float64Array>();
  private readonly limits: LimitRows;
  private readonly unlimited: Float64Array;
  private readonly values: Float64Array;
  private readonly unknowns: number;
  private readonly atPort: number;
  private readonly atVoltage: number;
  private readonly rowCount: number;
  private readonly theta: Float64Array;

  constructor(
    private readonly data: CoordinatorData,
    private readonly settings: StarSettings,
    readonly rho: number,
    private readonly hasVoltage: Uint8Array,
  ) {
    const { network, groupCount, units } = data;
    const n = network.nodes.length;
    const roots = network.rootCount;
    const inner = n - roots;
    this.portNodes = Int32Array.from(data.agents.flatMap((agent) => agent.portNodes));
    const ports = this.portNodes.length;
    const unit = settings.powerUnitW;
    const voltageUnit = settings.voltageUnitSquaredPu;
    // Unknowns: own alpha, port P, port Q, then flow P, flow Q and v of every node below the roots.
    this.atPort = groupCount;
    const atP = groupCount + 2 * ports - roots;
    const atQ = atP + inner;
    this.atVoltage = atQ + inner;
    this.unknowns = groupCount + 2 * ports + 3 * inner;
    const rowP = -roots;
    const rowQ = rowP + inner;
    const rowV = rowQ + inner;
    const equations = 3 * inner;
    const a = new TripletList();
    this.rightSide = new Float64Array(this.unknowns + equations);
    const b = this.rightSide.subarray(this.unknowns);
    for (let i = roots; i < n; i++) {
      a.add(rowP + i, atP + i, 1);
      a.add(rowQ + i, atQ + i, 1);
      a.add(rowV + i, this.atVoltage + i, 1);
      b[rowP + i] = (data.drawnW[i]! + network.shuntW[i]!) / unit;
      b[rowQ + i] = (data.drawnVar[i]! + network.shuntVar[i]!) / unit;
      b[rowV + i] = -1 / voltageUnit;
    }
    for (const own of units) {
      own.nodes.forEach((node, k) => {
        if (node < roots) return;
        const p = (own.availableW * own.shareRe[k]!) / unit;
        const q = (own.availableW * own.shareIm[k]!) / unit;
        b[rowP + node]! -= p;
        b[rowQ + node]! -= q;
        a.add(rowP + node, own.group, -p);
        a.add(rowQ + node, own.group, -q);
      });
    }
    this.portNodes.forEach((node, k) => {
      if (node < roots) return;
      a.add(rowP + node, this.atPort + k, -1);
      a.add(rowQ + node, this.atPort + ports + k, -1);
    });
    for (const { parents, children, gain, dropP, dropQ, shareRe, shareIm } of network.branches) {
      const kc = children.length;
      const m = parents.length;
      for (let i = 0; i < m; i++) {
        const parent = parents[i]!;
        if (parent < roots) continue;
        for (let j = 0; j < kc; j++) {
          const re = shareRe[i * kc + j]!;
          const im = shareIm[i * kc + j]!;
          a.add(rowP + parent, atP + children[j]!, -re);
          a.add(rowP + parent, atQ + children[j]!, im);
          a.add(rowQ + parent, atQ + children[j]!, -re);
          a.add(rowQ + parent, atP + children[j]!, -im);
        }
      }
      for (let i = 0; i < kc; i++) {
        const row = rowV + children[i]!;
        for (let j = 0; j < m; j++) {
          const g = gain[i * m + j]!;
          const parent = parents[j]!;
          if (parent < roots) b[row]! += (g * data.rootVoltageSquaredPu[parent]!) / voltageUnit;
          else {
            a.add(row, this.atVoltage + parent, -g);
            b[row]! += g / voltageUnit;
          }
        }
        for (let j = 0; j < kc; j++) {
          a.add(row, atP + children[j]!, (dropP[i * kc + j]! * unit) / voltageUnit);
          a.add(row, atQ + children[j]!, (dropQ[i * kc + j]! * unit) / voltageUnit);
        }
      }
    }
    this.kkt = new KktSystem(
      new TripletList().toMatrix(this.unknowns, this.unknowns),
      a.toMatrix(equations, this.unknowns),
    );
    this.theta = new Float64Array(this.unknowns);
    this.setTheta();
    this.work = new Float64Array(this.unknowns + equations);

    this.rowCount = n + groupCount;
    const lower = new Float64Array(this.rowCount).fill(-Infinity);
    const upper = new Float64Array(this.rowCount).fill(Infinity);
    const cap = new Float64Array(this.rowCount).fill(settings.violationPrice);
    for (let i = roots; i < n; i++) {
      lower[i] = (data.lowerSquaredPu[i]! - data.correctionSquaredPu[i]! - 1) / voltageUnit;
      upper[i] = (data.upperSquaredPu[i]! - data.correctionSquaredPu[i]! - 1) / voltageUnit;
    }
    for (let g = 0; g < groupCount; g++) {
      lower[n + g] = 0;
      upper[n + g] = 1;
      cap[n + g] = Infinity;
    }
    this.limits = { count: this.rowCount, lower, upper, cap, column: (i) => this.column(i) };
    this.unlimited = new Float64Array(this.rowCount);
    this.values = new Float64Array(this.rowCount);
  }

  private setTheta(): void {
    const { data, settings, theta, rho, portNodes } = this;
    const ports = portNodes.length;
    for (let g = 0; g < data.groupCount; g++) {
      theta[g] = (data.cost.quadratic[g]! * 1000) / settings.powerUnitW + this.proximal(g);
    }
    for (let k = 0; k < ports; k++) {
      theta[this.atPort + k] = rho;
      theta[this.atPort + ports + k] = rho * settings.reactiveWeight;
      if (this.hasVoltage[k] && portNodes[k]! >= data.network.rootCount) theta[this.voltageOf(portNodes[k]!)]! += rho;
    }
    this.kkt.factorise(theta);
  }

  /** What the linear voltage of a node misses, in voltage units. */
  private shift(node: number): number {
    return this.data.correctionSquaredPu[node]! / this.settings.voltageUnitSquaredPu;
  }

  private voltageOf(node: number): number {
    return this.atVoltage + node;
  }

  private proximal(g: number): number {
    const { cost } = this.data;
    return cost.quadratic[g]! > 0 ? 0 : (PROXIMAL_SHARE * cost.linear[g]! * 1000) / this.settings.powerUnitW;
  }

  /** Row values of an answer of the saddle-point system. */
  private rowsOf(solution: Float64Array, into: Float64Array): void {
    const { network, groupCount } = this.data;
    for (let i = network.rootCount; i < network.nodes.length; i++) into[i] = solution[this.voltageOf(i)]!;
    for (let g = 0; g < groupCount; g++) into[network.nodes.length + g] = solution[g]!;
  }

  private column(i: number): Float64Array {
    const known = this.columns.get(i);
    if (known) return known;
    const n = this.data.network.nodes.length;
    const response = new Float64Array(this.work.length);
    response[i < n ? this.voltageOf(i) : i - n] = 1;
    this.kkt.solve(response);
    const column = new Float64Array(this.rowCount);
    this.rowsOf(response, column);
    this.columns.set(i, column);
    this.responses.set(i, response);
    return column;
  }

  /** Minimises; `z` is overwritten. */
  solve(answer: Exchange, price: Exchange, z: Exchange, memory: CoordinatorMemory): void {
    const { data, settings, rho, work, unknowns, portNodes } = this;
    const ports = portNodes.length;
    work.set(this.rightSide);
    for (let g = 0; g < data.groupCount; g++) {
      work[g] = (-data.cost.linear[g]! * 1000) / settings.powerUnitW + this.proximal(g) * memory.ownAlpha[g]!;
    }
    for (let k = 0; k < ports; k++) {
      work[this.atPort + k] = rho * (answer.power[k]! + price.power[k]!);
      work[this.atPort + ports + k] = rho * settings.reactiveWeight * (answer.reactive[k]! + price.reactive[k]!);
      if (this.hasVoltage[k] && portNodes[k]! >= data.network.rootCount) {
        work[this.voltageOf(portNodes[k]!)]! +=
          rho * (answer.voltage[k]! + price.voltage[k]! - this.shift(portNodes[k]!));
      }
    }
    this.kkt.solve(work);
    this.unlimited.fill(0);
    this.rowsOf(work, this.unlimited);
    solveLimits(this.limits, this.unlimited, memory.multipliers, this.values, ROW_TOLERANCE);
    for (let r = 0; r < this.rowCount; r++) {
      const multiplier = memory.multipliers[r]!;
      if (multiplier === 0) continue;
      this.column(r);
      const response = this.responses.get(r)!;
      for (let i = 0; i < unknowns; i++) work[i]! -= multiplier * response[i]!;
    }
    for (let g = 0; g < data.groupCount; g++) memory.ownAlpha[g] = Math.min(1, Math.max(0, work[g]!));
    for (let k = 0; k < ports; k++) {
      z.power[k] = work[this.atPort + k]!;
      z.reactive[k] = work[this.atPort + ports + k]!;
      const node = portNodes[k]!;
      z.voltage[k] =
        node >= data.network.rootCount
          ? work[this.voltageOf(node)]! + this.shift(node)
          : (data.rootVoltageSquaredPu[node]! - 1) / settings.voltageUnitSquaredPu;
    }
  }
}

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
  data.agents.forEach(({ agentId, portNodes }) => {
    const range = portNodes.map((_, k) => at + k);
    at += portNodes.length;
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
  let at = 0;
  let isAwaiting = false;
  const setView = (port: number, hasVoltage: boolean): void => {
    if (memory.hasVoltage[port] === Number(hasVoltage)) return;
    memory.hasVoltage[port] = Number(hasVoltage);
    memory.solver = undefined;
  };
  data.agents.forEach(({ agentId, portNodes }, agent) => {
    const reply = replies.get(agentId);
    if (isUsable(reply, portNodes.length)) {
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
  if (!memory.solver || memory.solver.rho !== memory.rho) {
    memory.solver = new ZSolver(data, settings, memory.rho, memory.hasVoltage.slice());
  }

  // Relaxed answers; the opening answers are taken as they are.
  const relaxation = isOpening ? 1 : settings.relaxation;
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
  const isCalm =
    primalResidual <= primalTolerance && dualResidual <= dualTolerance && powerChangeW <= settings.powerToleranceW;
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
  balance(memory, primalResidual, dualResidual);
  return progress;
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
