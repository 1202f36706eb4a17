import { type ProgrammeSolution, type QuadraticProgramme, TripletList } from '../math/index.js';
import type { LinearNetwork } from './linear-network.js';
import type { MetSide } from './optimal-face.js';

/*
 * From decisions in a linear network to a sparse quadratic programme.
 *
 * Solved: min sum_j (linear_j x_j + 1/2 quadratic_j x_j^2) over controls x in their bounds, where control j draws given powers
 *         at given nodes per unit, every limited node's v = base + dv(x) stays inside its limits, and further rows over
 *         controls and voltages hold.
 * Steps: 1. which nodes' active power, reactive power and voltage can move at all; 2. a branch without controllable power
 *        below moves its nodes with its parents, so that their limits are passed up; 3. unknowns: controls, then dP, dQ and
 *        dv of the nodes that can move; rows: balance of each moving flow, drop of each moving voltage; 4. further rows,
 *        with a bounded slack each unless they are equalities; 5. elastic form: each limit softened by an exact penalty.
 * Cost: O(nodes + controls); the matrix has a few entries per node and factorises with fill O(nodes) on a tree.
 * Fails: never; `isInfeasible` tells that a node which nothing moves stands outside its limits.
 * Source: Farivar and Low (2013), IEEE Trans. Power Systems 28(3), for the flow form; the penalty, Nocedal and Wright (2006),
 *         section 17.2.
 */

/** A number to be decided, and what one of it draws from the network. */
export interface Control {
  readonly nodes: ArrayLike<number>;
  /** Power drawn at those nodes per unit of the control, W and var; generation negative. */
  readonly drawnW: ArrayLike<number>;
  readonly drawnVar: ArrayLike<number>;
  readonly lower: number;
  readonly upper: number;
  /** Cost, kW: `linear x + quadratic / 2 x^2`. */
  readonly linear: number;
  readonly quadratic: number;
}

/** A further row: `lower <= sum values x + sum voltageValues dv <= upper`. */
export interface ControlRow {
  readonly columns: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  readonly lower: number;
  readonly upper: number;
  /** Nodes whose change of squared voltage (pu) takes part, and by how much. */
  readonly voltageNodes?: ArrayLike<number>;
  readonly voltageValues?: ArrayLike<number>;
}

/** What to put into a programme. */
export interface NetworkQuestion {
  readonly network: LinearNetwork;
  /** Squared voltages with every control at zero, pu. */
  readonly base: Float64Array;
  /** Limits by node, pu squared; infinite where a node has none. */
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
  readonly controls: readonly Control[];
  readonly rows?: readonly ControlRow[];
  /** Power and cost that count as one in the programme, kW. */
  readonly unitKw: number;
  readonly isElastic: boolean;
  /** Limits that are met: by node, 1 the upper one, -1 the lower, 0 where others see to it. Not with the elastic form. */
  readonly met?: ReadonlyMap<number, MetSide>;
}

/** What a multiplier holds at a bound in a solution, so that it stands there in every solution of the programme. */
export interface PressedBounds {
  /** Value by control. */
  readonly controls: ReadonlyMap<number, number>;
  /** By node with a limit: 1 at the upper one, -1 at the lower. */
  readonly nodes: ReadonlyMap<number, 1 | -1>;
  /** By further row. */
  readonly rows: ReadonlyMap<number, 1 | -1>;
}

/** Multipliers of the voltage limits, each at the node whose limit stands for those that move with it. */
export interface LimitPrices {
  /** kW per pu squared by node; positive for the upper limit, negative for the lower. */
  readonly price: Float64Array;
  /** The limits as they bind at that node, pu squared. */
  readonly lowerSquaredPu: Float64Array;
  readonly upperSquaredPu: Float64Array;
}

/** The programme after presolve; its first unknowns are the controls. */
export interface NetworkProgramme {
  readonly programme: QuadraticProgramme;
  /** A node that nothing can move stands outside its limits. */
  readonly isInfeasible: boolean;
  /** Reads the limits' multipliers from a solution with hard limits. */
  prices(solution: ProgrammeSolution): LimitPrices;
  /** Multiplier of a further row, kW per unit of the row; positive at its upper side. Zero for equalities. */
  rowPrice(solution: ProgrammeSolution, row: number): number;
  /** Bounds whose multiplier, in units of the programme, is at least this. */
  pressed(solution: ProgrammeSolution, least: number): PressedBounds;
}

/** Penalty of a violated limit: cost in kW per pu squared. Far above any multiplier, so that feasible limits hold. */
export const VIOLATION_COST_KW = 1e7;
/** A limit missed by less is rounding, pu squared. */
export const VIOLATION_SQUARED_PU = 1e-7;
/** Unit of voltage changes in the programme, pu squared: what a unit of power moves at the end of a usual feeder. */
const UNIT_SQUARED_PU = 1e-3;
/** Imaginary shares below this are rounding of angles. */
const LEAST_SHARE = 1e-12;

/** What can move: active power, reactive power and voltage by node; limits passed up to where they bind. */
interface Reach {
  readonly hasP: Uint8Array;
  readonly hasQ: Uint8Array;
  readonly hasV: Uint8Array;
  /** Limits of the change of squared voltage. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly isInfeasible: boolean;
}

function reachOf(question: NetworkQuestion): Reach {
  const { network, base, controls } = question;
  const { branches, rootCount } = network;
  const n = network.nodes.length;
  const lower = Float64Array.from(base, (v, i) => question.lowerSquaredPu[i]! - v);
  const upper = Float64Array.from(base, (v, i) => question.upperSquaredPu[i]! - v);
  const hasP = new Uint8Array(n);
  const hasQ = new Uint8Array(n);
  for (const { nodes, drawnW, drawnVar } of controls) {
    for (let k = 0; k < nodes.length; k++) {
      if (drawnW[k] !== 0) hasP[nodes[k]!] = 1;
      if (drawnVar[k] !== 0) hasQ[nodes[k]!] = 1;
    }
  }
  const isMoved = new Uint8Array(branches.length);
  for (let b = branches.length - 1; b >= 0; b--) {
    const { parents, children, shareRe, shareIm } = branches[b]!;
    const k = children.length;
    for (let j = 0; j < k; j++) {
      const child = children[j]!;
      if (!hasP[child] && !hasQ[child]) continue;
      isMoved[b] = 1;
      for (let i = 0; i < parents.length; i++) {
        const parent = parents[i]!;
        if (shareRe[i * k + j] !== 0) {
          if (hasP[child]) hasP[parent] = 1;
          if (hasQ[child]) hasQ[parent] = 1;
        }
        if (Math.abs(shareIm[i * k + j]!) > LEAST_SHARE) {
          if (hasP[child]) hasQ[parent] = 1;
          if (hasQ[child]) hasP[parent] = 1;
        }
      }
    }
  }
  // A node that takes part in a further row keeps its voltage as an unknown, and with it all above.
  const hasV = new Uint8Array(n);
  for (const { voltageNodes } of question.rows ?? []) {
    for (let k = 0; k < (voltageNodes?.length ?? 0); k++) hasV[voltageNodes![k]!] = 1;
  }
  for (let b = branches.length - 1; b >= 0; b--) {
    const { parents, children, gain } = branches[b]!;
    const m = parents.length;
    for (let i = 0; i < children.length; i++) {
      const child = children[i]!;
      let single = -1;
      let count = 0;
      for (let j = 0; j < m; j++) {
        if (gain[i * m + j] === 0) continue;
        single = j;
        count++;
      }
      const own = single < 0 ? 0 : gain[i * m + single]!;
      // A branch whose flows cannot change moves its nodes with its parents: their limits belong to the parent.
      if (!isMoved[b] && !hasV[child] && count === 1 && own > 0) {
        const parent = parents[single]!;
        lower[parent] = Math.max(lower[parent]!, lower[child]! / own);
        upper[parent] = Math.min(upper[parent]!, upper[child]! / own);
        continue;
      }
      hasV[child] = 1;
      for (let j = 0; j < m; j++) if (gain[i * m + j] !== 0 && parents[j]! >= rootCount) hasV[parents[j]!] = 1;
    }
  }
  let isInfeasible = false;
  for (let i = 0; i < rootCount; i++) {
    // Limits left at a root: nothing moves it.
    if (!hasV[i] && (lower[i]! > VIOLATION_SQUARED_PU || upper[i]! < -VIOLATION_SQUARED_PU)) isInfeasible = true;
    hasP[i] = 0;
    hasQ[i] = 0;
    hasV[i] = 0;
  }
  return { hasP, hasQ, hasV, lower, upper, isInfeasible };
}

/** Makes the programme. */
export function networkProgramme(question: NetworkQuestion): NetworkProgramme {
  const { network, controls, base, unitKw, isElastic } = question;
  const { rootCount } = network;
  const n = network.nodes.length;
  const reach = reachOf(question);
  const { lower, upper } = reach;
  let { isInfeasible } = reach;
  const unitW = unitKw * 1000;
  const unitV = UNIT_SQUARED_PU;
  let total = controls.length;
  const place = (has: Uint8Array) => Int32Array.from(has, (yes) => (yes ? total++ : -1));
  const atP = place(reach.hasP);
  const atQ = place(reach.hasQ);
  const atV = place(reach.hasV);
  const hessian = new TripletList();
  const equality = new TripletList();
  const linear: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  controls.forEach((control, j) => {
    hessian.add(j, j, control.quadratic / unitKw);
    linear.push(control.linear / unitKw);
    low.push(control.lower);
    high.push(control.upper);
    if (control.lower > control.upper) isInfeasible = true;
  });
  for (let j = controls.length; j < total; j++) {
    linear.push(0);
    low.push(-Infinity);
    high.push(Infinity);
  }
  const addVariable = (lowest: number, highest: number, cost: number): number => {
    linear.push(cost);
    low.push(lowest);
    high.push(highest);
    return total++;
  };
  let rows = 0;
  const value: number[] = [];
  const addRow = (rightHandSide = 0): number => {
    value.push(rightHandSide);
    return rows++;
  };

  const rowOfP = new Int32Array(n).fill(-1);
  const rowOfQ = new Int32Array(n).fill(-1);
  for (let i = rootCount; i < n; i++) {
    if (atP[i]! >= 0) {
      rowOfP[i] = addRow();
      equality.add(rowOfP[i]!, atP[i]!, 1);
    }
    if (atQ[i]! >= 0) {
      rowOfQ[i] = addRow();
      equality.add(rowOfQ[i]!, atQ[i]!, 1);
    }
  }
  controls.forEach(({ nodes, drawnW, drawnVar }, j) => {
    for (let k = 0; k < nodes.length; k++) {
      const node = nodes[k]!;
      if (rowOfP[node]! >= 0) equality.add(rowOfP[node]!, j, -drawnW[k]! / unitW);
      if (rowOfQ[node]! >= 0) equality.add(rowOfQ[node]!, j, -drawnVar[k]! / unitW);
    }
  });
  const couple = (row: number, col: number, entry: number) => {
    if (row >= 0 && col >= 0) equality.add(row, col, entry);
  };
  for (const { parents, children, gain, dropP, dropQ, shareRe, shareIm } of network.branches) {
    const k = children.length;
    const m = parents.length;
    for (let i = 0; i < m; i++) {
      const parent = parents[i]!;
      if (parent < rootCount) continue;
      for (let j = 0; j < k; j++) {
        const child = children[j]!;
        const re = shareRe[i * k + j]!;
        const im = Math.abs(shareIm[i * k + j]!) > LEAST_SHARE ? shareIm[i * k + j]! : 0;
        couple(rowOfP[parent]!, atP[child]!, -re);
        couple(rowOfP[parent]!, atQ[child]!, im);
        couple(rowOfQ[parent]!, atQ[child]!, -re);
        couple(rowOfQ[parent]!, atP[child]!, -im);
      }
    }
    for (let i = 0; i < k; i++) {
      const v = atV[children[i]!]!;
      if (v < 0) continue;
      const row = addRow();
      equality.add(row, v, 1);
      for (let j = 0; j < m; j++) couple(row, atV[parents[j]!]!, -gain[i * m + j]!);
      for (let j = 0; j < k; j++) {
        couple(row, atP[children[j]!]!, (dropP[i * k + j]! * unitW) / unitV);
        couple(row, atQ[children[j]!]!, (dropQ[i * k + j]! * unitW) / unitV);
      }
    }
  }
  for (let i = 0; i < n; i++) {
    const v = atV[i]!;
    if (v < 0) continue;
    const lowest = lower[i]! / unitV;
    const highest = upper[i]! / unitV;
    if (lowest > highest) isInfeasible = true;
    if (!isElastic) {
      const side = question.met?.get(i);
      low[v] = side === undefined || side < 0 ? lowest : side > 0 ? highest : -Infinity;
      high[v] = side === undefined || side > 0 ? highest : side < 0 ? lowest : Infinity;
      continue;
    }
    if (!Number.isFinite(lowest) && !Number.isFinite(highest)) continue;
    // v - over + under = inside, inside within the limits, over and under >= 0 at a price.
    const cost = (VIOLATION_COST_KW * unitV) / unitKw;
    const inside = addVariable(Math.min(lowest, highest), highest, 0);
    const over = addVariable(0, Infinity, cost);
    const under = addVariable(0, Infinity, cost);
    const row = addRow();
    equality.add(row, v, 1);
    equality.add(row, over, -1);
    equality.add(row, under, 1);
    equality.add(row, inside, -1);
  }
  const slackOf = (question.rows ?? []).map(({ columns, values, lower: least, upper: most, ...voltages }) => {
    const isEquality = least === most;
    const row = addRow(isEquality ? least : 0);
    for (let k = 0; k < columns.length; k++) equality.add(row, columns[k]!, values[k]!);
    const { voltageNodes = [], voltageValues = [] } = voltages;
    for (let k = 0; k < voltageNodes.length; k++) {
      couple(row, atV[voltageNodes[k]!]!, voltageValues[k]! * unitV);
    }
    if (isEquality) return -1;
    const slack = addVariable(least, most, 0);
    equality.add(row, slack, -1);
    return slack;
  });
  return {
    isInfeasible,
    rowPrice({ lowerMultiplier, upperMultiplier }, row) {
      const slack = slackOf[row] ?? -1;
      return slack < 0 ? 0 : (upperMultiplier[slack]! - lowerMultiplier[slack]!) * unitKw;
    },
    pressed(solution, least) {
      const { lowerMultiplier, upperMultiplier } = solution;
      const sideOf = (column: number): 1 | -1 | undefined => {
        if (column < 0 || low[column] === high[column]) return undefined;
        if (upperMultiplier[column]! >= least) return 1;
        return lowerMultiplier[column]! >= least ? -1 : undefined;
      };
      const sides = (columns: ArrayLike<number>): Map<number, 1 | -1> => {
        const found = new Map<number, 1 | -1>();
        for (let k = 0; k < columns.length; k++) {
          const side = sideOf(columns[k]!);
          if (side !== undefined) found.set(k, side);
        }
        return found;
      };
      const atBound = sides(controls.map((_, j) => j));
      return {
        controls: new Map([...atBound].map(([j, side]) => [j, side > 0 ? high[j]! : low[j]!])),
        nodes: sides(atV),
        rows: sides(slackOf),
      };
    },
    prices({ lowerMultiplier, upperMultiplier }) {
      const price = Float64Array.from(atV, (v) =>
        v < 0 ? 0 : ((upperMultiplier[v]! - lowerMultiplier[v]!) * unitKw) / unitV,
      );
      return {
        price,
        lowerSquaredPu: base.map((v, i) => v + lower[i]!),
        upperSquaredPu: base.map((v, i) => v + upper[i]!),
      };
    },
    programme: {
      hessian: hessian.toMatrix(total, total),
      linear: Float64Array.from(linear),
      equality: equality.toMatrix(rows, total),
      equalityValue: Float64Array.from(value),
      lower: Float64Array.from(low),
      upper: Float64Array.from(high),
    },
  };
}
