import { type LimitRows, solveDense, solveLimits } from '../../math/index.js';

/*
 * Limits of many steps that share one network: which bind in each step, and at what price.
 *
 * Solved, in each step: min |z - w|^2 / 2 (weighted) subject to low <= v(z) <= high, in the multipliers of the rows that have
 *   ever been near to binding in any step (limit-programme.ts). S, the answer of row to row, is the same in all steps.
 * Steps: where the same rows bind as in the last round, two substitutions with the factor that is kept; else the programme,
 *   warm, and a new factor.
 * Cost: O(rows binding^2) a step and round, O(rows binding^3) where other rows bind than before.
 * Fails: see limit-programme.ts; limits that cannot hold keep the price of a violation.
 */

/** Rows that have been near to binding, and their answers to one another. */
export class CandidateRows {
  /** Node of each row. */
  readonly nodes: number[] = [];
  lower: Float64Array = new Float64Array(0);
  upper: Float64Array = new Float64Array(0);
  cap: Float64Array = new Float64Array(0);
  private readonly indexOf = new Map<number, number>();
  private readonly perPort: Float64Array[] = [];
  private readonly columns: Float64Array[] = [];

  /**
   * @param response - of a node to one power unit at each port
   * @param counts - customers at each port
   */
  constructor(
    private readonly response: (node: number) => Float64Array,
    private readonly counts: Float64Array,
    private readonly limits: { readonly lowerSquaredPu: Float64Array; readonly upperSquaredPu: Float64Array },
    private readonly violationCap: number,
  ) {}

  get count(): number {
    return this.nodes.length;
  }

  /** Makes a node's limit a row; whether it is a new one. */
  add(node: number): boolean {
    if (this.indexOf.has(node)) return false;
    const own = this.response(node);
    const row = this.nodes.length;
    this.indexOf.set(node, row);
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
    return true;
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
const RIDGE = 1e-11;

/** The limits of one step. */
export class StepLimits {
  /** By candidate row. */
  multipliers: Float64Array = new Float64Array(0);
  /** Rows with a multiplier. */
  active: readonly number[] = [];
  private unlimited: Float64Array = new Float64Array(0);
  private values: Float64Array = new Float64Array(0);
  /** Inverse of S over the active rows, row-major; undefined where another set is active than it was made for. */
  private inverse: Float64Array | undefined;
  private shift: Float64Array = new Float64Array(0);

  constructor(private readonly rows: CandidateRows) {}

  /** Takes voltages that there would be without limits. @param voltageOf - a node's, pu squared */
  take(voltageOf: (node: number) => number): void {
    const { rows } = this;
    if (this.unlimited.length < rows.count) this.grow();
    for (let g = 0; g < rows.count; g++) this.unlimited[g] = voltageOf(rows.nodes[g]!);
  }

  /** Finds the multipliers. */
  solve(): void {
    if (this.repeat()) return;
    const { rows, unlimited, multipliers, values } = this;
    const { count, lower, upper, cap } = rows;
    const programme: LimitRows = { count, lower, upper, cap, column: (i) => rows.column(i) };
    solveLimits(programme, unlimited, multipliers, values, ROW_TOLERANCE);
    const active: number[] = [];
    for (let g = 0; g < count; g++) if (multipliers[g] !== 0) active.push(g);
    this.active = active;
    this.inverse = undefined;
  }

  /** The same rows at their limits again; false where other ones bind. */
  private repeat(): boolean {
    const { rows, active, multipliers, unlimited } = this;
    const { count, lower, upper, cap } = rows;
    const k = active.length;
    this.inverse ??= this.inverted();
    const { inverse, shift } = this;
    for (let a = 0; a < k; a++) {
      const g = active[a]!;
      shift[a] = unlimited[g]! - (multipliers[g]! > 0 ? upper[g]! : lower[g]!);
    }
    const next = new Float64Array(k);
    for (let a = 0; a < k; a++) {
      const m = multipliers[active[a]!]!;
      if (Math.abs(m) >= cap[active[a]!]!) return false;
      let sum = 0;
      const at = a * k;
      for (let b = 0; b < k; b++) sum += inverse[at + b]! * shift[b]!;
      if (!(sum * m > 0 && Math.abs(sum) < cap[active[a]!]!)) return false;
      next[a] = sum;
    }
    for (let g = 0; g < count; g++) {
      if (multipliers[g] !== 0) continue;
      const column = rows.column(g);
      let value = unlimited[g]!;
      for (let a = 0; a < k; a++) value -= column[active[a]!]! * next[a]!;
      if (value > upper[g]! + ROW_TOLERANCE || value < lower[g]! - ROW_TOLERANCE) return false;
    }
    for (let a = 0; a < k; a++) multipliers[active[a]!] = next[a]!;
    return true;
  }

  private inverted(): Float64Array {
    const { rows, active } = this;
    const k = active.length;
    this.shift = new Float64Array(k);
    const matrix = new Float64Array(k * k);
    active.forEach((g, a) => {
      const column = rows.column(g);
      active.forEach((h, b) => {
        matrix[b * k + a] = column[h]! * (a === b ? 1 + RIDGE : 1);
      });
    });
    return inverseOf(matrix, k);
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
  }
}

/** Inverse of a dense symmetric positive definite matrix. */
function inverseOf(matrix: Float64Array, k: number): Float64Array {
  // Factor once: solveDense destroys its matrix, so that each unit vector would need another one.
  const l = matrix.slice();
  solveDense(l, k, new Float64Array(k));
  const inverse = new Float64Array(k * k);
  const x = new Float64Array(k);
  for (let c = 0; c < k; c++) {
    x.fill(0);
    x[c] = 1;
    for (let i = c; i < k; i++) {
      let sum = x[i]!;
      for (let p = c; p < i; p++) sum -= l[i * k + p]! * x[p]!;
      x[i] = sum / l[i * k + i]!;
    }
    for (let i = k - 1; i >= 0; i--) {
      let sum = x[i]!;
      for (let p = i + 1; p < k; p++) sum -= l[p * k + i]! * x[p]!;
      x[i] = sum / l[i * k + i]!;
    }
    for (let i = 0; i < k; i++) inverse[c * k + i] = x[i]!;
  }
  return inverse;
}
