import { DecError, type LimitRows, solveDense, solveLimits } from '../math/index.js';
import { gatherFlows, type LinearNetwork, linearState, spreadVoltages } from './linear-network.js';
import type { CurtailableUnit, GroupCost } from './problem.js';
import type { AgentReply, AgentRequest } from './star.js';
import { type CurvedCost, modelOfCurve } from './star-cost.js';
import { PROXIMAL_SHARE, type StarSettings } from './star-settings.js';

/*
 * The agent's half of the star: a small strictly convex quadratic programme.
 *
 * Solved, in the units of the settings (alpha by group, v by port node):
 *   min sum_g cost_g(alpha_g) + rho/2 (|P(alpha) - tP|^2 + wQ |Q(alpha) - tQ|^2 + |v - tv|^2)
 *   subject to 0 <= alpha <= 1 and the limits of every node of the secondary, v_i = a_i + G_i v + B_i alpha,
 *   the limits softened by an exact penalty.
 * P, Q and B are affine in alpha by the linear model of the secondary; they are found once per interval by one evaluation
 * per group and port node. Per penalty rho: one dense inverse and C inv(H) C'. Per round: limit-programme.ts, warm.
 * Cost: O(n^3 + rows n^2) per rho, O(rows n) per round for n unknowns.
 * Limits that cannot hold are violated as little as the price allows, and the status says so.
 * Fails: when a number is not finite; the memory is then as it was before the question.
 * Source: Boyd et al. (2011), "Distributed optimization and statistical learning via ADMM", section 7 (sharing, consensus).
 */

/** What one agent needs for an interval. Private to it. */
export interface AgentData {
  readonly portCount: number;
  readonly groupCount: number;
  /** Boundary power without curtailment by port node, W and var; import positive. */
  readonly baseW: Float64Array;
  readonly baseVar: Float64Array;
  /** Change of boundary power per unit of alpha, port nodes by groups, row-major. */
  readonly perAlphaW: Float64Array;
  readonly perAlphaVar: Float64Array;
  /** Limited nodes: index in the network, voltage at zero port voltage and alpha 0, and its slopes. */
  readonly limitNodes: Int32Array;
  readonly limitBase: Float64Array;
  readonly limitPerPort: Float64Array;
  readonly limitPerAlpha: Float64Array;
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly cost: GroupCost;
  /** Largest alpha by group; 1 when absent. */
  readonly ceiling?: Float64Array;
  /** Replaces the cost where the rule's is not quadratic. */
  readonly curve?: CurvedCost;
}

/** What an agent remembers between rounds. */
export interface AgentMemory {
  rho: number;
  /** inv(H) and inv(H) C', and S = C inv(H) C' by columns. */
  inverse: Float64Array;
  response: Float64Array;
  columns: readonly Float64Array[];
  multipliers: Float64Array;
  values: Float64Array;
  alpha: Float64Array;
  portVoltageSquaredPu: Float64Array;
}

/** Inputs of {@link agentData}. */
export interface AgentSituation {
  readonly network: LinearNetwork;
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly units: readonly CurtailableUnit[];
  readonly groupCount: number;
  readonly cost: GroupCost;
  readonly ceiling?: Float64Array;
  readonly curve?: CurvedCost;
  /** Limits by node, pu squared; infinite where there is none. */
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  /** Added to the linear voltages, pu squared by node. */
  readonly correctionSquaredPu: Float64Array;
  /** Added to the boundary power: what the linear model leaves out (losses), by port node. */
  readonly offsetW: Float64Array;
  readonly offsetVar: Float64Array;
}

/** Works out the affine maps of an interval. */
export function agentData(situation: AgentSituation): AgentData {
  const { network, units, groupCount, lowerSquaredPu, upperSquaredPu, correctionSquaredPu } = situation;
  const n = network.nodes.length;
  const m = network.rootCount;
  const limited: number[] = [];
  for (let i = m; i < n; i++) {
    if (Number.isFinite(lowerSquaredPu[i]!) || Number.isFinite(upperSquaredPu[i]!)) limited.push(i);
  }
  const k = limited.length;
  const zeroRoot = new Float64Array(m);
  const state = linearState(network);

  state.flowW.set(situation.drawnW);
  state.flowVar.set(situation.drawnVar);
  for (let i = 0; i < n; i++) {
    state.flowW[i]! += network.shuntW[i]!;
    state.flowVar[i]! += network.shuntVar[i]!;
  }
  for (const unit of units) {
    unit.nodes.forEach((node, j) => {
      state.flowW[node]! -= unit.availableW * unit.shareRe[j]!;
      state.flowVar[node]! -= unit.availableW * unit.shareIm[j]!;
    });
  }
  gatherFlows(network, state);
  spreadVoltages(network, zeroRoot, state);
  const baseW = new Float64Array(m);
  const baseVar = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    baseW[i] = state.flowW[i]! + situation.offsetW[i]!;
    baseVar[i] = state.flowVar[i]! + situation.offsetVar[i]!;
  }
  const limitBase = Float64Array.from(limited, (i) => state.voltageSquaredPu[i]! + correctionSquaredPu[i]!);

  const perAlphaW = new Float64Array(m * groupCount);
  const perAlphaVar = new Float64Array(m * groupCount);
  const limitPerAlpha = new Float64Array(k * groupCount);
  for (let g = 0; g < groupCount; g++) {
    state.flowW.fill(0);
    state.flowVar.fill(0);
    for (const unit of units) {
      if (unit.group !== g) continue;
      unit.nodes.forEach((node, j) => {
        state.flowW[node]! += unit.availableW * unit.shareRe[j]!;
        state.flowVar[node]! += unit.availableW * unit.shareIm[j]!;
      });
    }
    gatherFlows(network, state);
    spreadVoltages(network, zeroRoot, state);
    for (let i = 0; i < m; i++) {
      perAlphaW[i * groupCount + g] = state.flowW[i]!;
      perAlphaVar[i * groupCount + g] = state.flowVar[i]!;
    }
    limited.forEach((node, r) => {
      limitPerAlpha[r * groupCount + g] = state.voltageSquaredPu[node]!;
    });
  }
  const limitPerPort = new Float64Array(k * m);
  state.flowW.fill(0);
  state.flowVar.fill(0);
  for (let p = 0; p < m; p++) {
    zeroRoot.fill(0);
    zeroRoot[p] = 1;
    spreadVoltages(network, zeroRoot, state);
    limited.forEach((node, r) => {
      limitPerPort[r * m + p] = state.voltageSquaredPu[node]!;
    });
  }
  return {
    portCount: m,
    groupCount,
    baseW,
    baseVar,
    perAlphaW,
    perAlphaVar,
    limitNodes: Int32Array.from(limited),
    limitBase,
    limitPerPort,
    limitPerAlpha,
    lowerSquaredPu: Float64Array.from(limited, (i) => lowerSquaredPu[i]!),
    upperSquaredPu: Float64Array.from(limited, (i) => upperSquaredPu[i]!),
    cost: situation.cost,
    ...(situation.ceiling ? { ceiling: situation.ceiling } : {}),
    ...(situation.curve ? { curve: situation.curve } : {}),
  };
}

/** Memory of an agent that has not been asked yet. */
export function agentMemory(data: AgentData): AgentMemory {
  const rows = data.limitNodes.length + data.groupCount;
  return {
    rho: Number.NaN,
    inverse: new Float64Array(0),
    response: new Float64Array(0),
    columns: [],
    multipliers: new Float64Array(rows),
    values: new Float64Array(rows),
    alpha: new Float64Array(data.groupCount),
    portVoltageSquaredPu: new Float64Array(data.portCount).fill(1),
  };
}

/** Whether a group's cost needs the proximal pull. */
function proximal(data: AgentData, g: number, settings: StarSettings): number {
  if (data.cost.quadratic[g]! > 0) return 0;
  return (PROXIMAL_SHARE * data.cost.linear[g]! * 1000) / settings.powerUnitW;
}

/** Builds H, its inverse and the row responses for a penalty. Unknowns: alpha by group, then v by port node. */
function prepareRho(data: AgentData, memory: AgentMemory, rho: number, settings: StarSettings): void {
  const { groupCount: n, portCount: m } = data;
  const size = n + m;
  const unit = settings.powerUnitW;
  const h = new Float64Array(size * size);
  for (let g = 0; g < n; g++) {
    h[g * size + g] = (data.cost.quadratic[g]! * 1000) / unit + proximal(data, g, settings);
    for (let f = 0; f < n; f++) {
      let sum = 0;
      for (let p = 0; p < m; p++) {
        sum += data.perAlphaW[p * n + g]! * data.perAlphaW[p * n + f]!;
        sum += settings.reactiveWeight * data.perAlphaVar[p * n + g]! * data.perAlphaVar[p * n + f]!;
      }
      h[g * size + f]! += (rho * sum) / (unit * unit);
    }
  }
  // Port voltages are unknowns in voltage units.
  for (let p = 0; p < m; p++) h[(n + p) * size + n + p] = rho;
  const inverse = new Float64Array(size * size);
  const column = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    column.fill(0);
    column[j] = 1;
    solveDense(h.slice(), size, column);
    for (let i = 0; i < size; i++) inverse[i * size + j] = column[i]!;
  }
  const k = data.limitNodes.length;
  const rows = k + n;
  const response = new Float64Array(size * rows);
  const row = new Float64Array(size);
  const columns: Float64Array[] = [];
  const rowOf = (r: number) => fillRow(data, r, settings, row);
  for (let r = 0; r < rows; r++) {
    rowOf(r);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += inverse[i * size + j]! * row[j]!;
      response[i * rows + r] = sum;
    }
    columns.push(new Float64Array(rows));
  }
  for (let s = 0; s < rows; s++) {
    rowOf(s);
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += row[i]! * response[i * rows + r]!;
      columns[r]![s] = sum;
    }
  }
  // The multipliers stay: they do not depend on rho, and are the warm start.
  memory.rho = rho;
  memory.inverse = inverse;
  memory.response = response;
  memory.columns = columns;
}

/** Coefficients of row r: limit rows in voltage units, then alpha itself. */
function fillRow(data: AgentData, r: number, settings: StarSettings, row: Float64Array): void {
  const { groupCount: n, portCount: m } = data;
  const k = data.limitNodes.length;
  row.fill(0);
  if (r >= k) {
    row[r - k] = 1;
    return;
  }
  for (let g = 0; g < n; g++) row[g] = data.limitPerAlpha[r * n + g]! / settings.voltageUnitSquaredPu;
  for (let p = 0; p < m; p++) row[n + p] = data.limitPerPort[r * m + p]!;
}

/** Violation of a limit that counts as infeasible, in voltage units. */
const INFEASIBLE_BY = 1e-3;
const ROW_TOLERANCE = 1e-9;

/** Newton steps of a curved cost at most, and the change of alpha at which they end. */
const MAX_NEWTON = 60;
const NEWTON_ALPHA = 1e-8;
/** Share of the way to an infinite cost that a step may go. */
const NEWTON_SHARE = 0.9;

/**
 * One round of one agent. The memory is updated; the reply holds boundary quantities only.
 * @throws DecError `DIVERGED` when the answer is not finite; the memory is unchanged
 */
export function agentUpdate(
  data: AgentData,
  memory: AgentMemory,
  request: AgentRequest,
  settings: StarSettings,
): AgentReply {
  const before = memory.alpha.slice();
  const reply = data.curve
    ? curvedUpdate(data, data.curve, memory, request, settings)
    : quadraticUpdate(data, memory, request, settings);
  const alphaChange = memory.alpha.reduce((most, alpha, g) => Math.max(most, Math.abs(alpha - before[g]!)), 0);
  return { ...reply, alphaChange };
}

/** Newton on the curved cost: its quadratic model at the present alpha is exact in slope and curvature there. */
function curvedUpdate(
  data: AgentData,
  curve: CurvedCost,
  memory: AgentMemory,
  request: AgentRequest,
  settings: StarSettings,
): AgentReply {
  for (let k = 0; ; k++) {
    const from = memory.alpha.slice();
    memory.rho = Number.NaN;
    const reply = quadraticUpdate({ ...data, cost: modelOfCurve(curve, from) }, memory, request, settings);
    let change = 0;
    let isCut = false;
    for (let g = 0; g < data.groupCount; g++) {
      const most = from[g]! + NEWTON_SHARE * (1 - from[g]!);
      if (memory.alpha[g]! > most) {
        memory.alpha[g] = most;
        isCut = true;
      }
      change = Math.max(change, Math.abs(memory.alpha[g]! - from[g]!));
    }
    if ((change <= NEWTON_ALPHA && !isCut) || k >= MAX_NEWTON) return reply;
  }
}

/** The round of an agent with a quadratic cost. */
function quadraticUpdate(
  data: AgentData,
  memory: AgentMemory,
  request: AgentRequest,
  settings: StarSettings,
): AgentReply {
  const { groupCount: n, portCount: m } = data;
  const { rho } = request;
  const unit = settings.powerUnitW;
  const voltageUnit = settings.voltageUnitSquaredPu;
  if (memory.rho !== rho) prepareRho(data, memory, rho, settings);
  const size = n + m;
  const k = data.limitNodes.length;
  const rows = k + n;

  // x0 = inv(H) times the pull of targets and costs. Voltages are counted from 1 pu.
  const pull = new Float64Array(size);
  for (let g = 0; g < n; g++) {
    let sum = (-data.cost.linear[g]! * 1000) / unit + proximal(data, g, settings) * memory.alpha[g]!;
    for (let p = 0; p < m; p++) {
      sum += (rho * data.perAlphaW[p * n + g]! * (request.targetW[p]! - data.baseW[p]!)) / (unit * unit);
      const perVar = rho * settings.reactiveWeight * data.perAlphaVar[p * n + g]!;
      sum += (perVar * (request.targetVar[p]! - data.baseVar[p]!)) / (unit * unit);
    }
    pull[g] = sum;
  }
  for (let p = 0; p < m; p++) pull[n + p] = (rho * (request.targetVoltageSquaredPu[p]! - 1)) / voltageUnit;
  const x = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += memory.inverse[i * size + j]! * pull[j]!;
    x[i] = sum;
  }

  const lower = new Float64Array(rows);
  const upper = new Float64Array(rows).fill(1, k);
  if (data.ceiling) upper.set(data.ceiling, k);
  const cap = new Float64Array(rows).fill(settings.violationPrice);
  cap.fill(Infinity, k);
  const unlimited = new Float64Array(rows);
  for (let r = 0; r < k; r++) {
    let atNominal = data.limitBase[r]!;
    let value = 0;
    for (let p = 0; p < m; p++) {
      atNominal += data.limitPerPort[r * m + p]!;
      value += data.limitPerPort[r * m + p]! * x[n + p]!;
    }
    for (let g = 0; g < n; g++) value += (data.limitPerAlpha[r * n + g]! / voltageUnit) * x[g]!;
    unlimited[r] = value;
    lower[r] = (data.lowerSquaredPu[r]! - atNominal) / voltageUnit;
    upper[r] = (data.upperSquaredPu[r]! - atNominal) / voltageUnit;
  }
  for (let g = 0; g < n; g++) unlimited[k + g] = x[g]!;
  const multipliersBefore = memory.multipliers.slice();
  const valuesBefore = memory.values.slice();
  const limitRows: LimitRows = { count: rows, lower, upper, cap, column: (i) => memory.columns[i]! };
  solveLimits(limitRows, unlimited, memory.multipliers, memory.values, ROW_TOLERANCE);
  let isInfeasible = false;
  for (let r = 0; r < rows; r++) {
    const multiplier = memory.multipliers[r]!;
    if (multiplier !== 0) for (let i = 0; i < size; i++) x[i]! -= memory.response[i * rows + r]! * multiplier;
    if (r < k && (memory.values[r]! > upper[r]! + INFEASIBLE_BY || memory.values[r]! < lower[r]! - INFEASIBLE_BY)) {
      isInfeasible = true;
    }
  }
  if (!(x.every(Number.isFinite) && memory.multipliers.every(Number.isFinite))) {
    memory.multipliers = multipliersBefore;
    memory.values = valuesBefore;
    memory.rho = Number.NaN;
    throw new DecError('DIVERGED', `Round ${request.round} has no finite answer.`, { round: request.round });
  }
  for (let g = 0; g < n; g++) memory.alpha[g] = Math.min(upper[k + g]!, Math.max(0, x[g]!));
  const powerW: number[] = [];
  const powerVar: number[] = [];
  const voltageSquaredPu: number[] = [];
  for (let p = 0; p < m; p++) {
    let w = data.baseW[p]!;
    let v = data.baseVar[p]!;
    for (let g = 0; g < n; g++) {
      w += data.perAlphaW[p * n + g]! * memory.alpha[g]!;
      v += data.perAlphaVar[p * n + g]! * memory.alpha[g]!;
    }
    memory.portVoltageSquaredPu[p] = 1 + x[n + p]! * voltageUnit;
    powerW.push(w);
    powerVar.push(v);
    // Without limits of its own an agent has no view on the voltage of its port.
    if (k > 0) voltageSquaredPu.push(memory.portVoltageSquaredPu[p]!);
  }
  return {
    round: request.round,
    powerW,
    powerVar,
    voltageSquaredPu,
    status: isInfeasible ? 'infeasible' : 'solved',
  };
}
