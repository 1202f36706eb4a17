import { FreeRows, type LimitRows, solveLimits } from '../../math/index.js';

/*
 * Limits of many steps that share one network: which bind in each step, and at what price.
 *
 * Solved, in each step: min |z - w|^2 / 2 (weighted) subject to low <= v(z) <= high, in the multipliers of the rows that have
 *   ever been near to binding in any step (limit-programme.ts). S, the answer of row to row, is the same in all steps.
 * Steps: where the same rows bind as in the last round, two substitutions with the factor that is kept; else the programme,
 *   warm, with that factor.
 * Cost: O(rows binding^2) a step and round, and as much again for each row that binds anew.
 * Fails: see limit-programme.ts; limits that cannot hold keep the price of a violation.
 */

/** Rows that have been near to binding, and their answers to one another. */
export class CandidateRows {
  /** Node of each row. */
  readonly nodes: number[] = [];
  lower: Float64Array = new Float64Array(0);
  upper: Float64Array = new Float64Array(0);
  cap: Float64Array = new Float64Array(0);
  private readonly perPort: Float64Array[] = [];
  private readonly columns: Float64Array[] = [];

  /** @param counts - customers at each port */
  constructor(
    private readonly counts: Float64Array,
    private readonly limits: { readonly lowerSquaredPu: Float64Array; readonly upperSquaredPu: Float64Array },
    private readonly violationCap: number,
  ) {}

  get count(): number {
    return this.nodes.length;
  }

  /** Makes a node's limit a row. @param own - how its squared voltage answers to one power unit at each port */
  add(node: number, own: Float64Array): void {
    const row = this.nodes.length;
    this.nodes.push(node);
    this.perPort.push(own);
    const column = new Float64Array(row + 1);
    this.columns.forEach((other, j) => {
      let sum = 0;
      const theirs = this.perPort[j]!;
      for (let k = 0; k < own.length; k++) sum += own[k]! * this.counts[k]! * theirs[k]!;
      column[j] = sum;
      this.columns[j] = longer(other, sum);
    });
    column[row] = own.reduce((sum, s, k) => sum + s * s * this.counts[k]!, 0);
    this.columns.push(column);
    this.lower = longer(this.lower, this.limits.lowerSquaredPu[node]!);
    this.upper = longer(this.upper, this.limits.upperSquaredPu[node]!);
    this.cap = longer(this.cap, this.violationCap);
  }

  /** Answers of all rows to the multiplier of one. */
  column(row: number): Float64Array {
    return this.columns[row]!;
  }
}

function longer(values: Float64Array, last: number): Float64Array {
  const more = new Float64Array(values.length + 1);
  more.set(values);
  more[values.length] = last;
  return more;
}

/** A violated limit by less than this is kept, pu squared. */
export const ROW_TOLERANCE = 1e-9;

/** The limits of one step. */
export class StepLimits {
  /** By candidate row. */
  multipliers: Float64Array = new Float64Array(0);
  /** Rows with a multiplier. */
  active: readonly number[] = [];
  private unlimited: Float64Array = new Float64Array(0);
  private values: Float64Array = new Float64Array(0);
  private readonly limits: LimitRows;
  private readonly kept: FreeRows;
  private next: Float64Array = new Float64Array(0);

  constructor(private readonly rows: CandidateRows) {
    this.limits = {
      get count() {
        return rows.count;
      },
      get lower() {
        return rows.lower;
      },
      get upper() {
        return rows.upper;
      },
      get cap() {
        return rows.cap;
      },
      column: (row) => rows.column(row),
    };
    this.kept = new FreeRows(this.limits);
  }

  /** Takes voltages that there would be without limits. @param voltageOf - a node's, pu squared */
  take(voltageOf: (node: number) => number): void {
    const { rows } = this;
    if (this.unlimited.length < rows.count) this.grow();
    for (let g = 0; g < rows.count; g++) this.unlimited[g] = voltageOf(rows.nodes[g]!);
  }

  /** Finds the multipliers. */
  solve(): void {
    if (this.repeat()) return;
    const { unlimited, multipliers, values } = this;
    solveLimits(this.limits, unlimited, multipliers, values, ROW_TOLERANCE, this.kept);
    const active: number[] = [];
    for (let g = 0; g < multipliers.length; g++) if (multipliers[g] !== 0) active.push(g);
    this.active = active;
  }

  /** The same rows at their limits again; false where other ones bind. */
  private repeat(): boolean {
    const { rows, active, multipliers, unlimited, kept, next, values } = this;
    const { count, lower, upper, cap } = rows;
    const own = kept.rows;
    const k = own.length;
    // A row whose multiplier is at its cap has none that could follow.
    if (k !== active.length) return false;
    for (let a = 0; a < k; a++) {
      const g = own[a]!;
      next[a] = unlimited[g]! - (multipliers[g]! > 0 ? upper[g]! : lower[g]!);
    }
    kept.solve(next);
    for (let a = 0; a < k; a++) {
      const g = own[a]!;
      if (!(next[a]! * multipliers[g]! > 0 && Math.abs(next[a]!) < cap[g]!)) return false;
    }
    values.set(unlimited);
    let c = 0;
    // Four rows at once, so that values are read and written a quarter as often.
    for (; c + 3 < k; c += 4) {
      const c0 = rows.column(own[c]!);
      const c1 = rows.column(own[c + 1]!);
      const c2 = rows.column(own[c + 2]!);
      const c3 = rows.column(own[c + 3]!);
      const [m0, m1, m2, m3] = [next[c]!, next[c + 1]!, next[c + 2]!, next[c + 3]!];
      for (let g = 0; g < count; g++) values[g]! -= c0[g]! * m0 + c1[g]! * m1 + (c2[g]! * m2 + c3[g]! * m3);
    }
    for (; c < k; c++) {
      const column = rows.column(own[c]!);
      const m = next[c]!;
      for (let g = 0; g < count; g++) values[g]! -= column[g]! * m;
    }
    for (let g = 0; g < count; g++) {
      if (values[g]! > upper[g]! + ROW_TOLERANCE || values[g]! < lower[g]! - ROW_TOLERANCE) return false;
    }
    for (let a = 0; a < k; a++) multipliers[own[a]!] = next[a]!;
    return true;
  }

  private grow(): void {
    const { count } = this.rows;
    const keep = (values: Float64Array) => {
      const more = new Float64Array(count);
      more.set(values);
      return more;
    };
    this.multipliers = keep(this.multipliers);
    this.unlimited = new Float64Array(count);
    this.values = new Float64Array(count);
    this.next = new Float64Array(count);
  }
}
