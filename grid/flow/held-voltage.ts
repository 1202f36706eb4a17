/*
 * Machines that hold a voltage (OpenDSS generator model 3).
 *
 * Solved: the vars of each machine, equal in all its phases and within its limits, at which the mean voltage of its phases is
 * its target. Unknowns are few, so that the voltages' slopes by the vars are kept as a dense matrix.
 * Steps: each machine is moved a little on its own, which gives its column; then Newton steps with that matrix, corrected
 * by Broyden's rule after each; a machine that stands at a limit and is pushed beyond it leaves the system until it is pulled
 * back. A step that the network does not converge at, or that makes the largest deviation worse, is halved.
 * Cost: a power flow for each machine and for each step. Fails: the rounds run out, or the network has no solution at
 * the start; then the status of the last power flow is returned.
 * Source: C. G. Broyden (1965), "A class of methods for solving nonlinear simultaneous equations".
 */
import type { CompiledShares, Machine } from '../model/index.js';
import type { PowerFlowStatus } from './power-flow.js';

/** Deviation from a held voltage that counts as none, pu. */
const HELD_PU = 1e-8;
const ROUNDS = 60;
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

  constructor(
    readonly holders: readonly Holder[],
    private readonly shares: CompiledShares,
    private readonly setVars: (holder: Holder) => void,
  ) {}

  /**
   * Brings the held voltages to their targets.
   *
   * @param voltage - the last solution; read anew after each solve
   * @param settle - solves at the present powers
   */
  hold(voltage: () => Float64Array, settle: () => PowerFlowStatus): PowerFlowStatus {
    const { holders } = this;
    if (holders.length === 0) return 'converged';
    const gaps = () => holders.map((holder) => this.gap(holder, voltage()));
    const outside = holders.filter(({ machine, vars }) => {
      const [least, most] = limitsOf(machine);
      return vars < least || vars > most;
    });
    for (const holder of outside) {
      const [least, most] = limitsOf(holder.machine);
      this.move(holder, Math.min(most, Math.max(least, holder.vars)));
    }
    let status: PowerFlowStatus = outside.length > 0 ? settle() : 'converged';
    if (status !== 'converged') return status;
    let gap = gaps();
    for (let round = 0; round < ROUNDS; round++) {
      const free = holders.flatMap((holder, i) => (this.isMovable(holder, gap[i]!) ? [i] : []));
      if (free.length === 0) return status;
      if (!this.slope) {
        this.slope = holders.map(() => holders.map(() => 0));
        for (let j = 0; j < holders.length; j++) {
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
    return status;
  }

  /** The machines whose vars answer so that their voltage stays: those that stand at no limit. */
  get free(): readonly Holder[] {
    return this.holders.filter(({ machine, vars }) => {
      const [least, most] = limitsOf(machine);
      return vars > least && vars < most;
    });
  }

  private isMovable({ machine, vars }: Holder, gap: number): boolean {
    const [least, most] = limitsOf(machine);
    return Math.abs(gap) > HELD_PU && !(gap > 0 && vars >= most) && !(gap < 0 && vars <= least);
  }

  /** Moves one machine a little and notes what all held voltages do. */
  private probe(
    j: number,
    before: readonly number[],
    gaps: () => number[],
    settle: () => PowerFlowStatus,
  ): PowerFlowStatus {
    const holder = this.holders[j]!;
    const [least, most] = limitsOf(holder.machine);
    const size = PROBE * Math.max(holder.machine.ratedPowerVA, Math.min(Math.abs(most), Math.abs(least)));
    const start = holder.vars;
    const up = Math.min(most, start + size);
    this.move(holder, before[j]! >= 0 && up > start ? up : Math.max(least, start - size));
    const run = holder.vars - start;
    const status = run === 0 ? 'converged' : settle();
    if (status === 'converged') {
      gaps().forEach((gap, i) => {
        this.slope![i]![j] = run === 0 ? (i === j ? 1 : 0) : (before[i]! - gap) / run;
      });
    }
    this.move(holder, start);
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
    const { holders } = this;
    const slope = this.slope!;
    const start = free.map((i) => holders[i]!.vars);
    const largest = Math.max(...free.map((i) => Math.abs(before[i]!)));
    let scale = Math.min(1, LARGEST_STEP_PU / largest);
    let status: PowerFlowStatus = 'converged';
    let gap = [...before];
    for (let halving = 0; halving <= HALVINGS; halving++, scale /= 2) {
      free.forEach((i, k) => {
        const [least, most] = limitsOf(holders[i]!.machine);
        this.move(holders[i]!, Math.min(most, Math.max(least, start[k]! + scale * step[k]!)));
      });
      status = settle();
      if (status !== 'converged') continue;
      gap = gaps();
      if (Math.max(...free.map((i) => Math.abs(gap[i]!))) <= 2 * largest) break;
    }
    const moved = free.map((i, k) => holders[i]!.vars - start[k]!);
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

  private move(holder: Holder, vars: number): void {
    if (holder.vars === vars) return;
    holder.vars = vars;
    this.setVars(holder);
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
