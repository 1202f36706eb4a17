/*
 * Machines that hold a voltage (OpenDSS generator model 3).
 *
 * Solved: the vars of each machine, equal in all its phases and within its limits, at which the mean voltage of its phases is
 * its target. Unknowns are few, so that the voltages' slopes by the vars are kept as a dense matrix.
 * Steps: machines that hold the same voltage of the same nodes are one unit, whose vars each gives in proportion to its range; each
 * unit is moved a little on its own, which gives its column; then Newton steps with that matrix, corrected
 * by Broyden's rule after each; a unit that stands at a limit and is pushed beyond it leaves the system until it is pulled
 * back. A step that the network does not converge at, or that makes the largest deviation worse, is halved.
 * Cost: a power flow for each unit and for each step. Fails: where the rounds run out with a voltage further from its target than
 * {@link NEAR_PU}, `controlsUnsettled`; where the network has no solution, with the status of the last power flow.
 * Source: C. G. Broyden (1965), "A class of methods for solving nonlinear simultaneous equations".
 */
import type { CompiledShares, Machine } from '../model/index.js';
import type { PowerFlowStatus } from './power-flow.js';

/** Deviation from a held voltage that counts as none, pu. */
const HELD_PU = 1e-8;
const ROUNDS = 60;
/** Deviation from a held voltage with which the rounds may run out, pu: units joined by next to no impedance share vars in no determined way. */
const NEAR_PU = 1e-5;
/** Share of a machine's rating in vars by which it is moved to see what that does. */
const PROBE = 0.01;
/** Largest predicted change of a held voltage in one step, pu. */
const LARGEST_STEP_PU = 0.05;
const HALVINGS = 8;

/** A machine with the vars it gives now, all phases. */
export interface Holder {
  readonly machine: Machine;
  readonly first: number;
  readonly end: number;
  vars: number;
}

/** Most and least vars of a machine. */
function limitsOf({ maxVar, minVar, ratedPowerVA }: Machine): readonly [least: number, most: number] {
  const most = maxVar ?? ratedPowerVA;
  return [minVar ?? -most, most];
}

/** Machines that hold the same voltage of the same nodes: one unknown. */
interface Unit {
  readonly members: readonly Holder[];
  readonly least: number;
  readonly most: number;
}

const varsOf = ({ members }: Unit) => members.reduce((sum, { vars }) => sum + vars, 0);

function unitsOf(holders: readonly Holder[], { a, b, ratedV }: CompiledShares): Unit[] {
  const byPlace = new Map<string, Holder[]>();
  for (const holder of holders) {
    const { machine, first, end } = holder;
    const places = Array.from({ length: end - first }, (_, k) =>
      [a[first + k], b[first + k], ratedV[first + k]].join(' '),
    );
    const key = [machine.voltageTargetPu ?? 1, ...places.sort()].join('|');
    byPlace.set(key, [...(byPlace.get(key) ?? []), holder]);
  }
  return [...byPlace.values()].map((members) => {
    const limits = members.map(({ machine }) => limitsOf(machine));
    const sum = (side: 0 | 1) => limits.reduce((total, own) => total + own[side], 0);
    return { members, least: sum(0), most: sum(1) };
  });
}

/** Solves a dense system by elimination with pivoting; undefined when it is singular. */
export function solveDense(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
    [rows[k], rows[best]] = [rows[best]!, rows[k]!];
    const pivot = rows[k]![k]!;
    if (pivot === 0 || !Number.isFinite(pivot)) return undefined;
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / pivot;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= rows[i]![j]! * x[j]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}

/** The machines of a feeder that hold a voltage. */
export class HeldVoltages {
  /** Slopes of the held voltages by the vars, pu by var; kept from one solve to the next. */
  private slope: number[][] | undefined;
  private readonly units: readonly Unit[];

  constructor(
    readonly holders: readonly Holder[],
    private readonly shares: CompiledShares,
    private readonly setVars: (holder: Holder) => void,
  ) {
    this.units = unitsOf(holders, shares);
  }

  /**
   * Brings the held voltages to their targets.
   *
   * @param voltage - the last solution; read anew after each solve
   * @param settle - solves at the present powers
   */
  hold(voltage: () => Float64Array, settle: () => PowerFlowStatus): PowerFlowStatus {
    const { units } = this;
    if (units.length === 0) return 'converged';
    const gaps = () => units.map(({ members }) => this.gap(members[0]!, voltage()));
    const outside = units.filter((unit) => {
      const vars = varsOf(unit);
      return vars < unit.least || vars > unit.most;
    });
    for (const unit of outside) this.move(unit, Math.min(unit.most, Math.max(unit.least, varsOf(unit))));
    let status: PowerFlowStatus = outside.length > 0 ? settle() : 'converged';
    if (status !== 'converged') return status;
    let gap = gaps();
    for (let round = 0; round < ROUNDS; round++) {
      const free = units.flatMap((unit, i) => (isMovable(unit, gap[i]!) ? [i] : []));
      if (free.length === 0) return status;
      if (!this.slope) {
        this.slope = units.map(() => units.map(() => 0));
        for (let j = 0; j < units.length; j++) {
          status = this.probe(j, gap, gaps, settle);
          if (status !== 'converged') return status;
        }
        gap = gaps();
        continue;
      }
      const slope = this.slope;
      const step = solveDense(
        free.map((i) => free.map((j) => slope[i]![j]!)),
        free.map((i) => gap[i]!),
      );
      if (!step) {
        this.slope = undefined;
        continue;
      }
      const taken = this.take(free, step, gap, gaps, settle);
      status = taken.status;
      if (status !== 'converged') return status;
      gap = taken.gap;
    }
    const isHeld = units.every((unit, i) => !isMovable(unit, gap[i]!) || Math.abs(gap[i]!) <= NEAR_PU);
    return isHeld ? status : 'controlsUnsettled';
  }

  /** The machines whose vars answer so that their voltage stays: those that stand at no limit, one where several hold one voltage. */
  get free(): readonly Holder[] {
    return this.units.flatMap((unit) => {
      const vars = varsOf(unit);
      return vars > unit.least && vars < unit.most ? [unit.members[0]!] : [];
    });
  }

  /** Moves one unit a little and notes what all held voltages do. */
  private probe(
    j: number,
    before: readonly number[],
    gaps: () => number[],
    settle: () => PowerFlowStatus,
  ): PowerFlowStatus {
    const unit = this.units[j]!;
    const { members, least, most } = unit;
    const rating = members.reduce((sum, { machine }) => sum + machine.ratedPowerVA, 0);
    const size = PROBE * Math.max(rating, Math.min(Math.abs(most), Math.abs(least)));
    const start = varsOf(unit);
    const up = Math.min(most, start + size);
    this.move(unit, before[j]! >= 0 && up > start ? up : Math.max(least, start - size));
    const run = varsOf(unit) - start;
    const status = run === 0 ? 'converged' : settle();
    if (status === 'converged') {
      gaps().forEach((gap, i) => {
        this.slope![i]![j] = run === 0 ? (i === j ? 1 : 0) : (before[i]! - gap) / run;
      });
    }
    this.move(unit, start);
    return status === 'converged' && run !== 0 ? settle() : status;
  }

  /** Takes a step, halved until the network converges and the deviations do not grow; corrects the slopes by what it did. */
  private take(
    free: readonly number[],
    step: readonly number[],
    before: readonly number[],
    gaps: () => number[],
    settle: () => PowerFlowStatus,
  ): { readonly status: PowerFlowStatus; readonly gap: number[] } {
    const { units } = this;
    const slope = this.slope!;
    const start = free.map((i) => varsOf(units[i]!));
    const largest = Math.max(...free.map((i) => Math.abs(before[i]!)));
    let scale = Math.min(1, LARGEST_STEP_PU / largest);
    let status: PowerFlowStatus = 'converged';
    let gap = [...before];
    for (let halving = 0; halving <= HALVINGS; halving++, scale /= 2) {
      free.forEach((i, k) => {
        const { least, most } = units[i]!;
        this.move(units[i]!, Math.min(most, Math.max(least, start[k]! + scale * step[k]!)));
      });
      status = settle();
      if (status !== 'converged') continue;
      gap = gaps();
      if (Math.max(...free.map((i) => Math.abs(gap[i]!))) <= 2 * largest) break;
    }
    const moved = free.map((i, k) => varsOf(units[i]!) - start[k]!);
    const size2 = moved.reduce((sum, d) => sum + d * d, 0);
    if (status === 'converged' && size2 > 0) {
      slope.forEach((row, i) => {
        const predicted = free.reduce((sum, j, k) => sum + row[j]! * moved[k]!, 0);
        const miss = before[i]! - gap[i]! - predicted;
        free.forEach((j, k) => {
          row[j]! += (miss * moved[k]!) / size2;
        });
      });
    }
    return { status, gap };
  }

  /** Gives a unit so many vars: one machine all of them, several each the same place in its range. */
  private move({ members, least, most }: Unit, vars: number): void {
    const place = most > least ? (vars - least) / (most - least) : 0;
    for (const holder of members) {
      const [own, end] = limitsOf(holder.machine);
      const next = members.length === 1 ? vars : own + place * (end - own);
      if (holder.vars === next) continue;
      holder.vars = next;
      this.setVars(holder);
    }
  }

  /** Target less the mean voltage of a machine's phases, pu. */
  private gap({ machine, first, end }: Holder, voltage: Float64Array): number {
    const { a, b, ratedV } = this.shares;
    let sum = 0;
    for (let k = first; k < end; k++) {
      const i = 2 * a[k]!;
      const j = 2 * b[k]!;
      const re = (i >= 0 ? voltage[i]! : 0) - (j >= 0 ? voltage[j]! : 0);
      const im = (i >= 0 ? voltage[i + 1]! : 0) - (j >= 0 ? voltage[j + 1]! : 0);
      sum += Math.hypot(re, im) / ratedV[k]!;
    }
    return (machine.voltageTargetPu ?? 1) - sum / (end - first);
  }
}

function isMovable(unit: Unit, gap: number): boolean {
  const vars = varsOf(unit);
  return Math.abs(gap) > HELD_PU && !(gap > 0 && vars >= unit.most) && !(gap < 0 && vars <= unit.least);
}
