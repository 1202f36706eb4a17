import type { AgentData, AgentMemory } from './agent-update.js';
import type { CoordinatorData } from './coordinator-memory.js';
import { evaluate } from './linear-network.js';
import type { AgentReply, AgentRequest, RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * One curtailed fraction for all: a search on one number instead of a consensus on all of them.
 *
 * Solved: the least alpha in [0, 1] at which every limit of the primary and of every agent holds.
 * Steps: all agents are asked for alpha = 0, then 1; each answers its boundary power there and the highest and the lowest
 *   voltage of its port that its own limits bear. Powers and primary voltages are affine in alpha and the margins of agents
 *   are concave: what is feasible is an interval, and chords between two samples lie below the margins. Between an infeasible
 *   and a feasible sample the largest crossing of chords with zero is feasible and asked next, until a limit is met exactly.
 *   Between two infeasible ones (curtailment on one phase lowers another, so that everything curtailed may be too much) the
 *   least alpha at which all chords are positive is asked, or where the worst of them is highest, and becomes the end of the
 *   bracket on the side that its worst limit turns away from.
 * Cost: one network evaluation per round; three or four rounds, because one limit usually binds throughout.
 * Fails: `isFeasible` false when no alpha holds the limits; the one that exceeds them least stands then.
 * Source: regula falsi on a concave function; the study (dec-ancestor 9.4) asks for the same result by bisection.
 */

/** An agent's answer when alpha is dictated: boundary power, highest and lowest port voltages that its limits bear. */
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
  let depth = Infinity;
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
    depth = Math.min(depth, (value - data.lowerSquaredPu[r]!) / gain);
    if (value < data.lowerSquaredPu[r]! - settings.voltageUnitSquaredPu) isLow = true;
  }
  return {
    round: request.round,
    powerW,
    powerVar,
    voltageSquaredPu: Number.isFinite(room) ? request.targetVoltageSquaredPu.map((v) => v + room) : [],
    ...(Number.isFinite(depth) ? { lowestVoltageSquaredPu: request.targetVoltageSquaredPu.map((v) => v - depth) } : {}),
    ...(n > 0 ? { alpha } : {}),
    status: isLow ? 'infeasible' : 'solved',
  };
}

/** Everything known at one alpha: port powers and margins of all limits (agents' upper, lower, then nodes' upper, lower). */
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
  /** Ends of the bracket: `low` breaks a limit, `high` does so only as long as no sample keeps all of them. */
  low: Sample | undefined;
  high: Sample | undefined;
  /** The alpha that exceeds the limits least so far, and its worst margin, pu squared. */
  best: { readonly alpha: number; readonly worst: number };
  /** Whether that alpha is asked once more, to stand. */
  isClosing: boolean;
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  /** Highest voltage that each port's agent bears; Infinity without a view. */
  readonly borne: Float64Array;
  /** Lowest voltage that each port's agent bears; -Infinity without a view. */
  readonly borneLow: Float64Array;
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
    best: { alpha: 1, worst: -Infinity },
    isClosing: false,
    powerW: new Float64Array(ports),
    powerVar: new Float64Array(ports),
    borne: new Float64Array(ports).fill(Infinity),
    borneLow: new Float64Array(ports).fill(-Infinity),
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
        memory.borneLow[at] = -Infinity;
        at++;
      });
      continue;
    }
    const reply = replies.get(agentId);
    const isUsable =
      reply !== undefined &&
      reply.powerW.length === portNodes.length &&
      [...reply.powerW, ...reply.powerVar, ...reply.voltageSquaredPu, ...(reply.lowestVoltageSquaredPu ?? [])].every(
        Number.isFinite,
      );
    if (!isUsable) missing.push(agentId);
    portNodes.forEach((_, k) => {
      if (isUsable) {
        powerChangeW = Math.max(powerChangeW, Math.abs(memory.powerW[at]! - reply.powerW[k]!));
        memory.powerW[at] = reply.powerW[k]!;
        memory.powerVar[at] = reply.powerVar[k]!;
        memory.borne[at] = reply.voltageSquaredPu[k] ?? Infinity;
        memory.borneLow[at] = reply.lowestVoltageSquaredPu?.[k] ?? -Infinity;
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
  else isDone = decide(memory, sample, worst);
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

/** Gains in the worst margin smaller than this, pu squared, end the search for an alpha that holds the limits. */
const GAIN_SQUARED_PU = 1e-9;
/** An alpha this near to one that was asked brings nothing new. */
const OPENING_WIDTH = 1e-6;

/** Takes a sample into the bracket and decides what is asked next; whether the search is over. */
function decide(memory: EqualAlphaMemory, sample: Sample, worst: number): boolean {
  if (memory.isClosing) return true;
  const { alpha } = sample;
  const isFeasible = worst >= -MARGIN_SQUARED_PU;
  const gain = worst - memory.best.worst;
  if (gain > 0) memory.best = { alpha, worst };
  if (isFeasible) {
    memory.isFeasible = true;
    memory.high = sample;
    if (alpha === 0 || worst <= MARGIN_SQUARED_PU) return true;
  } else if (alpha === 0) memory.low = sample;
  else if (memory.high === undefined) {
    // Nothing that was asked keeps the limits yet.
    memory.isFeasible = false;
    memory.high = sample;
  } else if (memory.isFeasible) memory.low = sample;
  else narrow(memory, sample, sample.margins.indexOf(worst));
  const { low, high } = memory;
  if (!low || !high) memory.asked = 1;
  else if (memory.isFeasible) {
    if (high.alpha - low.alpha > ALPHA_WIDTH) memory.asked = crossing(low, high);
    else if (alpha === high.alpha) return true;
    else memory.asked = high.alpha;
  } else {
    const next = opening(low, high);
    const isInner = alpha > 0 && alpha < 1;
    const isSpent =
      Math.min(next - low.alpha, high.alpha - next) <= OPENING_WIDTH || (isInner && gain <= GAIN_SQUARED_PU);
    if (!isSpent) memory.asked = next;
    else if (memory.best.alpha === alpha) return true;
    else {
      // What was answered last is what stands.
      memory.asked = memory.best.alpha;
      memory.isClosing = true;
    }
  }
  return false;
}

/** Moves the end of a bracket of infeasible samples that the worst limit of a sample between them turns away from. */
function narrow(memory: EqualAlphaMemory, sample: Sample, limit: number): void {
  const { low, high } = memory;
  const value = sample.margins[limit]!;
  const toLeft = (value - low!.margins[limit]!) / (sample.alpha - low!.alpha);
  const toRight = (high!.margins[limit]! - value) / (high!.alpha - sample.alpha);
  if (toRight > 0 || (toLeft >= 0 && toLeft > -toRight)) memory.low = sample;
  else memory.high = sample;
}

/** Between two infeasible samples: the least alpha at which every chord is positive, else where the worst is highest. */
function opening(low: Sample, high: Sample): number {
  let [from, to] = [0, 1];
  for (let i = 0; i < low.margins.length; i++) {
    const [a, b] = [low.margins[i]!, high.margins[i]!];
    if (a >= 0 && b >= 0) continue;
    if (a < 0 && b <= a) to = -1;
    else if (a < 0) from = Math.max(from, -a / (b - a));
    else to = Math.min(to, a / (a - b));
  }
  const width = high.alpha - low.alpha;
  if (from <= to) return low.alpha + from * width;
  const worstAt = (share: number) => {
    let worst = Infinity;
    for (let i = 0; i < low.margins.length; i++) {
      const [a, b] = [low.margins[i]!, high.margins[i]!];
      if (a < 0 || b < 0) worst = Math.min(worst, a + share * (b - a));
    }
    return worst;
  };
  let [left, right] = [0, 1];
  for (let k = 0; k < 60; k++) {
    const third = (right - left) / 3;
    if (worstAt(left + third) < worstAt(right - third)) left += third;
    else right -= third;
  }
  return low.alpha + ((left + right) / 2) * width;
}

/** Port voltages closer than this to those an agent was asked at are the same, pu squared. */
const STALE_SQUARED_PU = 1e-9;

/**
 * Whether the worst margin is that of an agent with several port nodes that was asked at other voltages. What such an agent
 * bears holds for a shift that is the same at all of its nodes; with one node any shift is.
 */
function isStale(data: CoordinatorData, worst: number, askedAt: Float64Array, now: Float64Array): boolean {
  const { length: agents } = data.agents;
  if (worst >= 2 * agents) return false;
  let at = 0;
  for (let j = 0; j < agents; j++) {
    const count = data.agents[j]!.portNodes.length;
    if (j === worst % agents) {
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
  const { length: ports } = agents;
  const { length: nodes } = network.nodes;
  const margins = new Float64Array(2 * (ports + nodes)).fill(Infinity);
  at = 0;
  agents.forEach(({ portNodes }, j) => {
    for (const node of portNodes) {
      // Agents see the primary voltage with what the linear model misses put right.
      memory.portVoltage[at] = v[node]! + data.correctionSquaredPu[node]!;
      margins[j] = Math.min(margins[j]!, memory.borne[at]! - memory.portVoltage[at]!);
      margins[ports + j] = Math.min(margins[ports + j]!, memory.portVoltage[at]! - memory.borneLow[at]!);
      at++;
    }
  });
  for (let i = network.rootCount; i < network.nodes.length; i++) {
    const own = v[i]! + data.correctionSquaredPu[i]!;
    margins[2 * ports + i] = data.upperSquaredPu[i]! - own;
    margins[2 * ports + nodes + i] = own - data.lowerSquaredPu[i]!;
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
