/*
 * How machines that hold a voltage answer to a small injection.
 *
 * Solved: with A the map from injected currents to voltages at constant vars, U the currents of a var of each machine (equal in its
 * phases) and H the gradients of the held voltages, the vars q that answer to a step d keep H (d + A U q) = 0.
 * Steps: S = H A U, by one adjoint solve for each machine; a step becomes d - A U S^-1 H d; a row w = A' g becomes
 * w - A' H' S'^-1 U' w, which is the adjoint of the same.
 * Cost: two solves for each machine, once, when first asked; a dense system of the machines for each row or column.
 * Fails: two machines that hold the same voltage share their vars in no determined way: DecError.
 */
import { DecError } from '../math/index.js';
import type { CompiledShares } from '../model/index.js';
import { type Holder, solveDense } from './held-voltage.js';

/** Solves with the Jacobian at constant vars, or with its adjoint; answers the relative residual. */
type Solve = (b: Float64Array, x: Float64Array, isAdjoint: boolean) => number;

interface Responses {
  /** A' H' by machine. */
  readonly rows: readonly Float64Array[];
  /** A U by machine. */
  readonly columns: readonly Float64Array[];
  /** S, pu by var. */
  readonly slope: readonly (readonly number[])[];
  readonly residual: number;
}

/** The answers of the machines that hold a voltage, at one state. */
export class HeldResponse {
  private readonly gradients: readonly Float64Array[];
  private readonly currents: readonly Float64Array[];
  private responses: Responses | undefined;

  constructor(
    private readonly holders: readonly Holder[],
    shares: CompiledShares,
    voltage: Float64Array,
    private readonly solve: Solve,
  ) {
    const spread = (holder: Holder, at: (vr: number, vi: number, ratedV: number) => readonly [number, number]) => {
      const vector = new Float64Array(voltage.length);
      const count = holder.end - holder.first;
      for (let k = holder.first; k < holder.end; k++) {
        const [a, b] = [shares.a[k]!, shares.b[k]!];
        const part = (node: number, half: 0 | 1) => (node < 0 ? 0 : voltage[2 * node + half]!);
        const [re, im] = at(part(a, 0) - part(b, 0), part(a, 1) - part(b, 1), shares.ratedV[k]!);
        const add = (node: number, sign: 1 | -1) => {
          if (node < 0) return;
          vector[2 * node]! += (sign * re) / count;
          vector[2 * node + 1]! += (sign * im) / count;
        };
        add(a, 1);
        add(b, -1);
      }
      return vector;
    };
    this.gradients = holders.map((holder) =>
      spread(holder, (vr, vi, ratedV) => {
        const size = Math.hypot(vr, vi) * ratedV;
        return size > 0 ? [vr / size, vi / size] : [0, 0];
      }),
    );
    // -j / conj(V) for a var.
    this.currents = holders.map((holder) =>
      spread(holder, (vr, vi) => {
        const square = vr * vr + vi * vi;
        return square > 0 ? [vi / square, -vr / square] : [0, 0];
      }),
    );
  }

  /** Corrects an adjoint row made at constant vars; answers the largest residual of the solves behind it. */
  correctRow(row: Float64Array): number {
    if (this.holders.length === 0) return 0;
    const { rows, slope, residual } = this.all();
    const transposed = slope.map((_, i) => slope.map((line) => line[i]!));
    const share = this.solved(
      transposed,
      this.currents.map((current) => dot(current, row)),
    );
    for (const [i, own] of rows.entries()) subtract(row, own, share[i]!);
    return residual;
  }

  /** Corrects a step of the voltages made at constant vars. */
  correctColumn(step: Float64Array): number {
    if (this.holders.length === 0) return 0;
    const { columns, slope, residual } = this.all();
    const vars = this.solved(
      slope,
      this.gradients.map((gradient) => dot(gradient, step)),
    );
    for (const [j, own] of columns.entries()) subtract(step, own, vars[j]!);
    return residual;
  }

  private solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
    const found = solveDense(matrix, right);
    if (found) return found;
    const names = this.holders.map(({ machine }) => machine.name).join(', ');
    throw new DecError('BAD_ARGUMENT', `Two of the machines ${names} hold the same voltage; let one of them hold it.`, {
      machines: this.holders.map(({ machine }) => machine.id),
    });
  }

  private all(): Responses {
    if (this.responses) return this.responses;
    let residual = 0;
    const solvedWith = (b: Float64Array, isAdjoint: boolean) => {
      const x = new Float64Array(b.length);
      residual = Math.max(residual, this.solve(b, x, isAdjoint));
      return x;
    };
    const rows = this.gradients.map((gradient) => solvedWith(gradient, true));
    const columns = this.currents.map((current) => solvedWith(current, false));
    const slope = rows.map((row) => this.currents.map((current) => dot(row, current)));
    this.responses = { rows, columns, slope, residual };
    return this.responses;
  }
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function subtract(from: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < from.length; i++) from[i]! -= factor * vector[i]!;
}
