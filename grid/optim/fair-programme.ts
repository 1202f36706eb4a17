import { type ProgrammeSolution, solveQuadraticProgramme } from '../math/index.js';
import { alphaControls, programmeUnitKw } from './central.js';
import { type FairProblem, type UnitVoltage, unitVoltage } from './fair-problem.js';
import { adjoint } from './linear-network.js';
import {
  type Control,
  type ControlRow,
  type NetworkProgramme,
  networkProgramme,
  VIOLATION_COST_KW,
} from './network-programme.js';
import type { MetSide, OptimalFace } from './optimal-face.js';
import { dispatchState } from './problem.js';
import { curvePiece, type ReactiveData } from './reactive.js';

/*
 * The programmes that the rules of fairness are made of: alpha by group, reactive power by unit, and what a rule adds.
 *
 * Reactive power x S of unit u: decided, it is two controls (injected, absorbed) of 0 to kappa with a small price, so that
 * only one is used; following a Volt-VAr curve it is one control tied to the voltage by the straight piece of the curve that
 * is active at the last state. The circle p^2 + q^2 <= S^2 is kept by tangents, added where a solution leaves it.
 * Cost: one interior-point solve per call. Fails: with the status of the programme.
 * Source: tangents, Kelley (1960), J. SIAM 8(4).
 */

/** One programme: what differs from the problem's own cost and bounds. */
export interface FairStep {
  /** Cost of alpha by group, kW; the problem's own when absent. */
  readonly linear?: ArrayLike<number>;
  readonly quadratic?: ArrayLike<number>;
  /** Bounds of alpha by group; 0 and the rule's ceiling when absent. */
  readonly lower?: ArrayLike<number>;
  readonly upper?: ArrayLike<number>;
  /** Further unknowns behind alpha and reactive power; the first has column {@link FairProgramme.auxiliary}. */
  readonly auxiliary?: readonly Pick<Control, 'lower' | 'upper' | 'linear'>[];
  readonly rows?: readonly ControlRow[];
  /** Price of reactive power, kW per kvar. */
  readonly reactivePrice?: number;
  /** Nothing is curtailed: what the kVA circle leaves of decided reactive power is a bound, exactly. */
  readonly isFullPower?: boolean;
  /** Softens the limits by an exact penalty. */
  readonly isElastic?: boolean;
  /** Gives each limit this much more, pu squared. */
  readonly reliefSquaredPu?: number;
  /** What earlier programmes found to hold in all of their solutions. */
  readonly face?: OptimalFace;
}

/** The answer of one programme. */
export interface FairAnswer {
  readonly isSolved: boolean;
  readonly alpha: Float64Array;
  /** Reactive power by unit, share of its rating, injection positive. */
  readonly reactive: Float64Array;
  readonly auxiliary: Float64Array;
  readonly solution: ProgrammeSolution;
  readonly built: NetworkProgramme;
}

/** Tangent of the kVA circle of a unit: `p cos + q sin <= S`. */
interface Tangent {
  readonly unit: number;
  readonly cos: number;
  readonly sin: number;
}

/** Leaving the kVA circle by this share of the rating is rounding. */
const CIRCLE_TOLERANCE = 1e-8;
/** Price of reactive power by default: small beside any curtailment, yet large enough to be minimised. */
export const REACTIVE_PRICE = 1e-5;

/**
 * Pull of reactive power that rows tie to terminals towards its last state, kW per share squared: it is at rest there when the
 * settlings are, and moves fractions by less than 1e-6.
 */
const TERMINAL_PULL_KW = 0.01;

/** Solves programmes of one problem; counts them. */
export class FairProgramme {
  /** Column of the first auxiliary unknown. */
  readonly auxiliary: number;
  iterations = 0;
  programmes = 0;
  variables = 0;
  private readonly base: Float64Array;
  private readonly alphas: readonly Control[];
  private readonly unitKw: number;
  private readonly tangents: Tangent[] = [];
  private voltages: Float64Array;
  /** By unit: squared voltages at its terminals at the last state. */
  private terminals: readonly Float64Array[];
  /** By unit: reactive power at the last state, share of its rating. */
  private shares: Float64Array;

  constructor(
    readonly problem: FairProblem,
    private readonly tolerance: number,
  ) {
    this.base = dispatchState(problem, new Float64Array(problem.groupCount)).voltageSquaredPu;
    this.voltages = this.base;
    this.shares = new Float64Array(problem.units.length);
    this.terminals = this.terminalsAt(new Float64Array(problem.groupCount), undefined);
    this.alphas = alphaControls(problem);
    this.unitKw = programmeUnitKw(problem);
    this.auxiliary = problem.groupCount + this.columnsPerUnit * problem.units.length;
  }

  /** Unit of cost, kW. */
  get costUnitKw(): number {
    return this.unitKw;
  }

  /** Solves one programme. */
  solve(step: FairStep = {}): FairAnswer {
    const { problem } = this;
    const { groupCount, cost, ceiling, units } = problem;
    const relief = step.reliefSquaredPu ?? 0;
    const { linear = cost.linear, quadratic = cost.quadratic } = step;
    const none = { nodes: [], drawnW: [], drawnVar: [], quadratic: 0 };
    const controls: Control[] = [
      ...this.alphas.map((control, g) => ({
        ...control,
        lower: step.lower?.[g] ?? 0,
        upper: step.upper?.[g] ?? ceiling[g]!,
        linear: linear[g]!,
        quadratic: quadratic[g]!,
      })),
      ...this.reactiveControls(step.reactivePrice ?? REACTIVE_PRICE, step.isFullPower ?? false),
      ...(step.auxiliary ?? []).map((own) => ({ ...none, ...own })),
    ];
    const cuts = this.cutRows(relief, step.isElastic ? controls : undefined);
    const own = [...this.reactiveRows(), ...cuts];
    const { face } = step;
    for (const [column, value] of face?.columns ?? []) {
      controls[column] = { ...controls[column]!, lower: value, upper: value };
    }
    const met = face && this.equations(face, controls, own);
    for (const [row, side] of met?.rows ?? []) own[row] = metRow(own[row]!, side);
    const built = networkProgramme({
      network: problem.network,
      base: this.base,
      lowerSquaredPu: relief > 0 ? problem.lowerSquaredPu.map((v) => v - relief) : problem.lowerSquaredPu,
      upperSquaredPu: relief > 0 ? problem.upperSquaredPu.map((v) => v + relief) : problem.upperSquaredPu,
      controls,
      rows: [...(step.rows ?? []), ...own],
      unitKw: this.unitKw,
      isElastic: step.isElastic ?? false,
      ...(met ? { met: met.nodes } : {}),
    });
    const solution = solveQuadraticProgramme(built.programme, { tolerance: this.tolerance });
    this.programmes++;
    this.iterations += solution.iterations;
    this.variables = Math.max(this.variables, built.programme.linear.length);
    const { x } = solution;
    const auxiliaryCount = step.auxiliary?.length ?? 0;
    return {
      isSolved: !built.isInfeasible && (solution.status === 'optimal' || solution.status === 'nearOptimal'),
      alpha: x.slice(0, groupCount),
      reactive: Float64Array.from(units, (_, u) => this.reactiveOf(x, u)),
      auxiliary: x.slice(this.auxiliary, this.auxiliary + auxiliaryCount),
      solution,
      built,
    };
  }

  /** What an answer's reactive power costs at the default price, kW. */
  reactiveCost({ reactive }: Pick<FairAnswer, 'reactive'>): number {
    const data = this.problem.reactive;
    if (data?.rule.mode !== 'capability') return 0;
    return reactive.reduce((sum, share, u) => sum + (REACTIVE_PRICE * Math.abs(share) * data.ratingVA[u]!) / 1000, 0);
  }

  /**
   * Takes a dispatch as the new state for Volt-VAr pieces and kVA tangents.
   *
   * @returns largest distance of reactive power from the curve, or from the circle, as a share of a rating
   */
  settle(alpha: ArrayLike<number>, reactive: Float64Array): number {
    const data = this.problem.reactive;
    if (!data) return 0;
    const before = this.voltages;
    const terminalsBefore = this.terminals;
    const decidedVar = reactiveVar(data, reactive);
    this.voltages = dispatchState(this.problem, alpha, decidedVar).voltageSquaredPu;
    this.terminals = this.terminalsAt(alpha, decidedVar);
    this.shares = reactive;
    let worst = 0;
    this.problem.units.forEach(({ group, availableW }, u) => {
      if (data.rule.mode === 'volt-var') {
        const { offset } = curvePiece(data.rule.curve, this.meanVoltage(u), data.share[u]!);
        worst = Math.max(worst, Math.abs(offset - reactive[u]!));
      }
      const p = (availableW * (1 - alpha[group]!)) / data.ratingVA[u]!;
      const size = Math.hypot(p, reactive[u]!);
      if (size <= 1 + CIRCLE_TOLERANCE) return;
      worst = Math.max(worst, size - 1);
      this.tangents.push({ unit: u, cos: p / size, sin: reactive[u]! / size });
    });
    // Pieces that change for ever are met half way.
    if (data.rule.mode === 'volt-var' && this.settlings++ >= FREE_SETTLINGS) {
      this.voltages = this.voltages.map((v, i) => (v + before[i]!) / 2);
      this.terminals = this.terminals.map((own, u) => own.map((v, k) => (v + terminalsBefore[u]![k]!) / 2));
    }
    return worst;
  }

  private settlings = 0;

  /** Which met limits are equations, by their gradients over the controls that are free. */
  private equations(face: OptimalFace, controls: readonly Control[], own: readonly ControlRow[]) {
    const { network } = this.problem;
    const free: number[] = [];
    controls.forEach(({ lower, upper }, j) => {
      if (lower < upper) free.push(j);
    });
    const weighted = (nodes: ArrayLike<number>, values: ArrayLike<number>): Float64Array => {
      const weight = new Float64Array(network.nodes.length);
      for (let k = 0; k < nodes.length; k++) weight[nodes[k]!]! += values[k]!;
      const { perW, perVar } = adjoint(network, weight);
      return Float64Array.from(controls, ({ nodes: drawn, drawnW, drawnVar }) => {
        let sum = 0;
        for (let k = 0; k < drawn.length; k++) {
          sum += perW[drawn[k]!]! * drawnW[k]! + perVar[drawn[k]!]! * drawnVar[k]!;
        }
        return sum;
      });
    };
    return face.equations(
      free,
      (node) => weighted([node], [1]),
      (row) => {
        const { columns, values, voltageNodes = [], voltageValues = [] } = own[row]!;
        const gradient = weighted(voltageNodes, voltageValues);
        for (let k = 0; k < columns.length; k++) gradient[columns[k]!]! += values[k]!;
        return gradient;
      },
    );
  }

  private get columnsPerUnit(): number {
    const mode = this.problem.reactive?.rule.mode;
    return mode === 'capability' ? 2 : mode === 'volt-var' ? 1 : 0;
  }

  private reactiveOf(x: Float64Array, unit: number): number {
    const { groupCount } = this.problem;
    if (this.columnsPerUnit === 0) return 0;
    if (this.columnsPerUnit === 1) return x[groupCount + unit]!;
    return x[groupCount + 2 * unit]! - x[groupCount + 2 * unit + 1]!;
  }

  /** Columns of the reactive power of a unit, and their signs. */
  private reactiveColumns(unit: number): { readonly columns: readonly number[]; readonly signs: readonly number[] } {
    const { groupCount } = this.problem;
    if (this.columnsPerUnit === 1) return { columns: [groupCount + unit], signs: [1] };
    return { columns: [groupCount + 2 * unit, groupCount + 2 * unit + 1], signs: [1, -1] };
  }

  private reactiveControls(price: number, isFullPower: boolean): Control[] {
    const data = this.problem.reactive;
    if (!data) return [];
    return this.problem.units.flatMap(({ nodes, shareRe, shareIm, availableW }, u): Control[] => {
      const rating = data.ratingVA[u]!;
      // Nothing is left where active power alone is beyond the circle; that it is then outside is for the limit's own rows.
      const left = Math.sqrt(Math.max(0, 1 - (availableW / rating) ** 2));
      const share = isFullPower ? Math.min(data.share[u]!, left) : data.share[u]!;
      const injected = {
        nodes,
        drawnW: shareIm.map((im) => rating * im),
        drawnVar: shareRe.map((re) => -rating * re),
        upper: share,
        quadratic: 0,
      };
      // The piece of the curve binds it; bounds would hold the voltage inside the piece instead.
      if (data.rule.mode === 'volt-var') {
        // Several of them in one row, each without curvature of its own, are more than the factorisation bears.
        const pull = this.problem.terminals?.[u] ? TERMINAL_PULL_KW : 0;
        const towards = { linear: -pull * this.shares[u]!, quadratic: pull };
        return [{ ...injected, ...towards, lower: -Infinity, upper: Infinity }];
      }
      const linear = (price * rating) / 1000;
      const absorbed = {
        drawnW: injected.drawnW.map((w) => -w),
        drawnVar: injected.drawnVar.map((v) => -v),
      };
      return [
        { ...injected, lower: 0, linear },
        { ...injected, ...absorbed, lower: 0, linear },
      ];
    });
  }

  /**
   * Rows of the problem's cuts, in thousandths.
   *
   * @param elastic - controls that a slack at the price of a violated limit is added to for each cut
   */
  private cutRows(reliefSquaredPu: number, elastic: Control[] | undefined): ControlRow[] {
    const { cuts = [], units, reactive } = this.problem;
    return cuts.map(({ units: members, perAlpha, perVar, nodes, perNode, most }) => {
      const entries = new Map<number, number>();
      const add = (column: number, value: number) => entries.set(column, (entries.get(column) ?? 0) + 1000 * value);
      let room = most + reliefSquaredPu;
      members.forEach((u, k) => {
        add(units[u]!.group, perAlpha[k]!);
        if (!reactive) return;
        const { columns, signs } = this.reactiveColumns(u);
        columns.forEach((column, side) => {
          add(column, signs[side]! * perVar[k]! * reactive.ratingVA[u]!);
        });
      });
      nodes.forEach((node, k) => {
        room -= perNode[k]! * this.base[node]!;
      });
      if (elastic) {
        entries.set(elastic.length, -1);
        const price = { lower: 0, upper: Infinity, linear: VIOLATION_COST_KW / 1000, quadratic: 0 };
        elastic.push({ nodes: [], drawnW: [], drawnVar: [], ...price });
      }
      return {
        columns: [...entries.keys()],
        values: [...entries.values()],
        lower: -Infinity,
        upper: 1000 * room,
        voltageNodes: nodes,
        voltageValues: perNode.map((value) => 1000 * value),
      };
    });
  }

  private reactiveRows(): ControlRow[] {
    const data = this.problem.reactive;
    if (!data) return [];
    const { units } = this.problem;
    const rows: ControlRow[] = this.tangents.map(({ unit, cos, sin }) => {
      const { group, availableW } = units[unit]!;
      const { columns, signs } = this.reactiveColumns(unit);
      const p = (cos * availableW) / data.ratingVA[unit]!;
      return {
        columns: [group, ...columns],
        values: [-p, ...signs.map((sign) => sign * sin)],
        lower: -Infinity,
        upper: 1 - p,
      };
    });
    const { minPowerFactor } = data.rule;
    if (data.rule.mode === 'capability' && minPowerFactor > 0) {
      const slope = Math.sqrt(1 - minPowerFactor ** 2) / minPowerFactor;
      units.forEach(({ group, availableW }, u) => {
        const { columns } = this.reactiveColumns(u);
        const p = (slope * availableW) / data.ratingVA[u]!;
        rows.push({ columns: [group, ...columns], values: [p, 1, 1], lower: -Infinity, upper: p });
      });
    }
    if (data.rule.mode === 'volt-var') rows.push(...units.map((_, u) => this.curveRow(data, u)));
    return rows;
  }

  /** q - sum slope / (2 m V) dv = what the piece says at the present state. */
  private curveRow(data: ReactiveData, unit: number): ControlRow {
    const { curve } = data.rule;
    const { offset, slope } = curvePiece(curve, this.meanVoltage(unit), data.share[unit]!);
    const { columns } = this.reactiveColumns(unit);
    const row = { columns, values: [1], lower: offset, upper: offset };
    if (slope === 0) return row;
    const present = this.terminals[unit]!;
    const perVoltage = Array.from(present, (v) => -slope / (2 * present.length * Math.sqrt(v)));
    const rows = this.problem.terminals?.[unit];
    if (rows) return this.throughTerminals(data, unit, offset, rows, perVoltage);
    const { nodes } = this.problem.units[unit]!;
    const shift = Array.from(nodes, (node, k) => perVoltage[k]! * (present[k]! - this.base[node]!));
    const value = offset + shift.reduce((sum, v) => sum + v, 0);
    return { ...row, lower: value, upper: value, voltageNodes: nodes, voltageValues: perVoltage };
  }

  /** The same where the terminals lie below a port: their voltages are rows in fractions, reactive powers and port voltages. */
  private throughTerminals(
    data: ReactiveData,
    unit: number,
    offset: number,
    rows: readonly UnitVoltage[],
    perVoltage: readonly number[],
  ): ControlRow {
    const { units } = this.problem;
    const entries = new Map<number, number>();
    const add = (to: Map<number, number>, at: number, value: number) => to.set(at, (to.get(at) ?? 0) + value);
    const atNode = new Map<number, number>();
    add(entries, this.reactiveColumns(unit).columns[0]!, 1);
    let side = offset;
    rows.forEach(({ units: members, base, perAlpha, perVar, nodes, perNode }, k) => {
      const weight = perVoltage[k]!;
      side += weight * (this.terminals[unit]![k]! - base);
      members.forEach((member, j) => {
        add(entries, units[member]!.group, weight * perAlpha[j]!);
        add(entries, this.reactiveColumns(member).columns[0]!, weight * perVar[j]! * data.ratingVA[member]!);
      });
      nodes.forEach((node, p) => {
        add(atNode, node, weight * perNode[p]!);
        side -= weight * perNode[p]! * this.base[node]!;
      });
    });
    return {
      columns: [...entries.keys()],
      values: [...entries.values()],
      lower: side,
      upper: side,
      voltageNodes: [...atNode.keys()],
      voltageValues: [...atNode.values()],
    };
  }

  /** Squared voltages at the terminals of every unit, with {@link voltages} at the nodes of the problem. */
  private terminalsAt(
    groupAlpha: ArrayLike<number>,
    decidedVar: ArrayLike<number> | undefined,
  ): readonly Float64Array[] {
    const { units, terminals, reactive } = this.problem;
    if (reactive?.rule.mode !== 'volt-var') return [];
    const unitAlpha = units.map(({ group }) => groupAlpha[group]!);
    return units.map(({ nodes }, u) => {
      const rows = terminals?.[u];
      if (rows === undefined) return Float64Array.from(nodes, (node) => this.voltages[node]!);
      return Float64Array.from(rows, (row) => unitVoltage(row, unitAlpha, decidedVar, this.voltages));
    });
  }

  private meanVoltage(unit: number): number {
    const own = this.terminals[unit]!;
    return own.reduce((sum, v) => sum + Math.sqrt(Math.max(0, v)), 0) / own.length;
  }
}

/** A row whose limit is met: an equation, or none where others see to it. */
function metRow(row: ControlRow, side: MetSide): ControlRow {
  if (side === 0) return { ...row, lower: -Infinity, upper: Infinity };
  return side > 0 ? { ...row, lower: row.upper } : { ...row, upper: row.lower };
}

/** Volt-VAr states that are taken whole before they are damped. */
const FREE_SETTLINGS = 6;

/** Shares of ratings as reactive power, var. */
export function reactiveVar({ ratingVA }: ReactiveData, shares: ArrayLike<number>): Float64Array {
  return ratingVA.map((rating, u) => rating * shares[u]!);
}
