import type { AgentData, AgentMemory } from './agent-update.js';
import type { CoordinatorData } from './coordinator-memory.js';
import { evaluate } from './linear-network.js';
import type { AgentReply, AgentRequest, RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * One curtailed fraction for all: a search on one number instead of a consensus on all of them.
 *
 * Solved: the least alpha in [0, 1] at which every limit of the primary and of every agent holds.
 * Steps: all agents are asked for alpha = 0, then 1; each answers its boundary power there and the highest voltage of its
 *   port that its own limits bear. Powers and primary voltages are affine in alpha and the margins of agents are concave,
 *   so that chords between an infeasible and a feasible sample cross zero on the feasible side; the largest crossing is
 *   asked next, until a limit is met exactly.
 * Cost: one network evaluation per round; three or four rounds, because one limit usually binds throughout.
 * Fails: `isFeasible` false when limits cannot hold at alpha = 1; that answer stands then.
 * Source: regula falsi on a concave function; the study (dec-ancestor 9.4) asks for the same result by bisection.
 */

/** An agent's answer when alpha is dictated: boundary power, and the highest port voltages that its limits bear. */
export function agentAtAlpha(
  data: AgentData,
  memory: AgentMemory,
  request: AgentRequest,
  settings: Pick<StarSettings, 'voltageUnitSquaredPu'>,
): AgentReply {
  const { groupCount: n, portCount: m } = data;
  const alpha = Math.min(1, Math.max(0, request.targetAlpha ?? 0));
  memory.alpha.fill(alpha);
  const powerW: number[] = [];
  const powerVar: number[] = [];
  for (let p = 0; p < m; p++) {
    let w = data.baseW[p]!;
    let v = data.baseVar[p]!;
    for (let g = 0; g < n; g++) {
      w += data.perAlphaW[p * n + g]! * alpha;
      v += data.perAlphaVar[p * n + g]! * alpha;
    }
    powerW.push(w);
    powerVar.push(v);
  }
  let room = Infinity;
  let isLow = false;
  for (let r = 0; r < data.limitNodes.length; r++) {
    let value = data.limitBase[r]!;
    let gain = 0;
    for (let p = 0; p < m; p++) {
      value += data.limitPerPort[r * m + p]! * request.targetVoltageSquaredPu[p]!;
      gain += data.limitPerPort[r * m + p]!;
    }
    for (let g = 0; g < n; g++) value += data.limitPerAlpha[r * n + g]! * alpha;
    room = Math.min(room, (data.upperSquaredPu[r]! - value) / gain);
    if (value < data.lowerSquaredPu[r]! - settings.voltageUnitSquaredPu) isLow = true;
  }
  return {
    round: request.round,
    powerW,
    powerVar,
    voltageSquaredPu: Number.isFinite(room) ? request.targetVoltageSquaredPu.map((v) => v + room) : [],
    ...(n > 0 ? { alpha } : {}),
    status: isLow ? 'infeasible' : 'solved',
  };
}

/** Everything known at one alpha: port powers, port voltages and margins of all limits (agents first, then nodes). */
interface Sample {
  readonly alpha: number;
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  readonly margins: Float64Array;
}

/** What the search remembers between rounds. */
export interface EqualAlphaMemory {
  round: number;
  /** The alpha asked last. */
  asked: number;
  low: Sample | undefined;
  high: Sample | undefined;
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  /** Highest voltage that each port's agent bears; Infinity without a view. */
  readonly borne: Float64Array;
  readonly portVoltage: Float64Array;
  isFeasible: boolean;
}

/** Memory of a search that has not begun. */
export function equalAlphaMemory(data: CoordinatorData): EqualAlphaMemory {
  const ports = data.agents.reduce((sum, agent) => sum + agent.portNodes.length, 0);
  return {
    round: 0,
    asked: 0,
    low: undefined,
    high: undefined,
    powerW: new Float64Array(ports),
    powerVar: new Float64Array(ports),
    borne: new Float64Array(ports).fill(Infinity),
    portVoltage: new Float64Array(ports).fill(1),
    isFeasible: true,
  };
}

/** The questions of the coming round: every agent at the same alpha. */
export function equalAlphaRequests(data: CoordinatorData, memory: EqualAlphaMemory): Map<string, AgentRequest> {
  const requests = new Map<string, AgentRequest>();
  let at = 0;
  for (const { agentId, portNodes, held } of data.agents) {
    const range = portNodes.map((_, k) => at + k);
    at += portNodes.length;
    if (held !== undefined) continue;
    requests.set(agentId, {
      round: memory.round + 1,
      rho: 1,
      targetW: range.map((k) => memory.powerW[k]!),
      targetVar: range.map((k) => memory.powerVar[k]!),
      targetVoltageSquaredPu: range.map((k) => memory.portVoltage[k]!),
      targetAlpha: memory.asked,
    });
  }
  return requests;
}

/** A margin of less than this against a limit is none, pu squared. */
const MARGIN_SQUARED_PU = 1e-11;
/** Brackets narrower than this are one number. */
const ALPHA_WIDTH = 1e-11;

/** Takes the answers of a round and decides the next alpha. */
export function equalAlphaUpdate(
  data: CoordinatorData,
  memory: EqualAlphaMemory,
  replies: ReadonlyMap<string, AgentReply>,
  settings: StarSettings,
): RoundProgress {
  memory.round++;
  const alpha = memory.asked;
  const missing: string[] = [];
  let powerChangeW = 0;
  let at = 0;
  for (const { agentId, portNodes, held } of data.agents) {
    if (held !== undefined) {
      portNodes.forEach((_, k) => {
        memory.powerW[at] = held.powerW[k]!;
        memory.powerVar[at] = held.powerVar[k]!;
        memory.borne[at] = held.highestVoltageSquaredPu[k] ?? Infinity;
        at++;
      });
      continue;
    }
    const reply = replies.get(agentId);
    const isUsable =
      reply !== undefined &&
      reply.powerW.length === portNodes.length &&
      [...reply.powerW, ...reply.powerVar, ...reply.voltageSquaredPu].every(Number.isFinite);
    if (!isUsable) missing.push(agentId);
    portNodes.forEach((_, k) => {
      if (isUsable) {
        powerChangeW = Math.max(powerChangeW, Math.abs(memory.powerW[at]! - reply.powerW[k]!));
        memory.powerW[at] = reply.powerW[k]!;
        memory.powerVar[at] = reply.powerVar[k]!;
        memory.borne[at] = reply.voltageSquaredPu[k] ?? Infinity;
      } else if (memory.low && memory.high) {
        // Boundary power is affine in alpha: two samples tell what a silent agent would have answered.
        const share = (alpha - memory.low.alpha) / (memory.high.alpha - memory.low.alpha);
        memory.powerW[at] = memory.low.powerW[at]! + share * (memory.high.powerW[at]! - memory.low.powerW[at]!);
        memory.powerVar[at] = memory.low.powerVar[at]! + share * (memory.high.powerVar[at]! - memory.low.powerVar[at]!);
      }
      at++;
    });
  }
  const askedAt = memory.portVoltage.slice();
  const sample = takeSample(data, memory, alpha);
  const worst = sample.margins.reduce((least, margin) => Math.min(least, margin), Infinity);
  let isDone = false;
  const askedBefore = memory.asked;
  // The same alpha is asked again, at the port voltages that it leads to, before anything is concluded from it.
  const isAskedAgain = isStale(data, sample.margins.indexOf(worst), askedAt, memory.portVoltage);
  if (isAskedAgain) memory.asked = alpha;
  else if (worst >= -MARGIN_SQUARED_PU) {
    memory.high = sample;
    if (alpha === 0 || worst <= MARGIN_SQUARED_PU) isDone = true;
  } else {
    memory.low = sample;
    if (alpha === 1) {
      memory.isFeasible = false;
      isDone = true;
    }
  }
  if (!isAskedAgain && !isDone && memory.low && memory.high) {
    const { low, high } = memory;
    if (high.alpha - low.alpha <= ALPHA_WIDTH) {
      memory.asked = high.alpha;
      isDone = askedBefore === high.alpha;
    } else memory.asked = crossing(low, high);
  } else if (!isAskedAgain && !isDone) memory.asked = 1;
  return {
    round: memory.round,
    rho: 1,
    primalResidual: Math.max(0, -worst) / settings.voltageUnitSquaredPu,
    primalTolerance: MARGIN_SQUARED_PU / settings.voltageUnitSquaredPu,
    dualResidual: isDone ? 0 : isAskedAgain ? 1 : Math.abs(memory.asked - askedBefore),
    dualTolerance: ALPHA_WIDTH,
    hasConverged: isDone,
    powerChangeW,
    missing,
  };
}

/** Port voltages closer than this to those an agent was asked at are the same, pu squared. */
const STALE_SQUARED_PU = 1e-9;

/**
 * Whether the worst margin is that of an agent with several port nodes that was asked at other voltages. What such an agent
 * bears holds for a shift that is the same at all of its nodes; with one node any shift is.
 */
function isStale(data: CoordinatorData, worst: number, askedAt: Float64Array, now: Float64Array): boolean {
  let at = 0;
  for (let j = 0; j < data.agents.length; j++) {
    const count = data.agents[j]!.portNodes.length;
    if (j === worst) {
      for (let k = at; count > 1 && k < at + count; k++) {
        if (Math.abs(askedAt[k]! - now[k]!) > STALE_SQUARED_PU) return true;
      }
      return false;
    }
    at += count;
  }
  return false;
}

function takeSample(data: CoordinatorData, memory: EqualAlphaMemory, alpha: number): Sample {
  const { network, agents } = data;
  const drawnW = data.drawnW.slice();
  const drawnVar = data.drawnVar.slice();
  for (const own of data.units) {
    own.nodes.forEach((node, k) => {
      drawnW[node]! -= (1 - alpha) * own.availableW * own.shareRe[k]!;
      drawnVar[node]! -= (1 - alpha) * own.availableW * own.shareIm[k]!;
    });
  }
  let at = 0;
  for (const { portNodes } of agents) {
    for (const node of portNodes) {
      drawnW[node]! += memory.powerW[at]!;
      drawnVar[node]! += memory.powerVar[at]!;
      at++;
    }
  }
  const v = evaluate(network, drawnW, drawnVar, undefined, data.rootVoltageSquaredPu).voltageSquaredPu;
  const margins = new Float64Array(agents.length + network.nodes.length).fill(Infinity);
  at = 0;
  agents.forEach(({ portNodes }, j) => {
    for (const node of portNodes) {
      // Agents see the primary voltage with what the linear model misses put right.
      memory.portVoltage[at] = v[node]! + data.correctionSquaredPu[node]!;
      margins[j] = Math.min(margins[j]!, memory.borne[at]! - memory.portVoltage[at]!);
      at++;
    }
  });
  for (let i = network.rootCount; i < network.nodes.length; i++) {
    margins[agents.length + i] = data.upperSquaredPu[i]! - v[i]! - data.correctionSquaredPu[i]!;
  }
  return { alpha, powerW: memory.powerW.slice(), powerVar: memory.powerVar.slice(), margins };
}

/** Largest alpha at which a chord between the samples crosses zero. */
function crossing(low: Sample, high: Sample): number {
  let alpha = low.alpha;
  for (let i = 0; i < low.margins.length; i++) {
    const from = low.margins[i]!;
    const to = high.margins[i]!;
    if (from >= 0 || !(to > from)) continue;
    alpha = Math.max(alpha, low.alpha + (-from / (to - from)) * (high.alpha - low.alpha));
  }
  return Math.min(alpha, high.alpha);
}
