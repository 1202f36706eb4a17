/*
 * Strictly convex quadratic programme with few active limits, solved in its multipliers.
 *
 * Solved: min 1/2 x'Hx + q'x + sum_i w_i * max(0, c_i x - u_i, l_i - c_i x), the rows c_i x softened by an exact penalty w_i
 *         (w_i = Infinity: hard limits). With x0 = -inv(H) q, r0 = C x0 and S = C inv(H) C' the dual is a box problem
 *         min 1/2 m'Sm - r0'm + sum(u_i max(m_i, 0) + l_i min(m_i, 0)),  -w_i <= m_i <= w_i,   and r = C x = r0 - S m.
 * Steps: 1. start from the multipliers of the last solve; 2. solve the rows in the free set for r = limit;
 *        3. walk towards that point until a multiplier meets 0 or w, which leaves the free set; repeat 2;
 *        4. free the most violated row (or a capped one that has slack); stop when there is none.
 * Cost: the factor of the free set of k rows is kept while the set changes: O(k^2) for a row that joins, O(k^2) for each row
 *       behind one that leaves, O(k (k + rows)) for a move; a warm start near the optimum is one factor and one solve, and only
 *       the solve where the factor of the last one is handed over.
 * Fails: dependent rows are held apart by a relative ridge of 1e-11; `false` when the change limit is reached.
 * Source: Goldfarb and Idnani (1983), Math. Prog. 27, in the box-dual form of Nocedal and Wright (2006), section 16.7.
 */

/** The rows and limits; {@link LimitProgramme.column} is S e_i for all rows. */
export interface LimitRows {
  readonly count: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Largest multiplier by row; Infinity for hard limits. */
  readonly cap: Float64Array;
  /** Column i of S = C inv(H) C', length `count`. Called once per row that ever becomes active; the caller may keep it. */
  column(i: number): Float64Array;
}

const RIDGE = 1e-11;

/** Cholesky solve of the dense symmetric positive definite `a` (k by k, row-major, destroyed). `b` becomes the solution. */
export function solveDense(a: Float64Array, k: number, b: Float64Array): void {
  for (let j = 0; j < k; j++) {
    let pivot = a[j * k + j]!;
    for (let p = 0; p < j; p++) pivot -= a[j * k + p]! ** 2;
    const d = Math.sqrt(Math.max(pivot, 1e-300));
    a[j * k + j] = d;
    for (let i = j + 1; i < k; i++) {
      let sum = a[i * k + j]!;
      for (let p = 0; p < j; p++) sum -= a[i * k + p]! * a[j * k + p]!;
      a[i * k + j] = sum / d;
    }
  }
  for (let i = 0; i < k; i++) {
    let sum = b[i]!;
    for (let p = 0; p < i; p++) sum -= a[i * k + p]! * b[p]!;
    b[i] = sum / a[i * k + i]!;
  }
  for (let i = k - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let p = i + 1; p < k; p++) sum -= a[p * k + i]! * b[p]!;
    b[i] = sum / a[i * k + i]!;
  }
}

/** Rows at their limits, and the Cholesky factor of what they answer to one another's multipliers. */
export class FreeRows {
  /** The rows, in the order in which they joined. */
  readonly rows: number[] = [];
  /** Lower triangle, row after row. */
  private factor = new Float64Array(64);

  /** @param limits - whose columns say what a row answers to another; the same for as long as the rows stay */
  constructor(private readonly limits: LimitRows) {}

  clear(): void {
    this.rows.length = 0;
  }

  /** Adds a row. */
  add(row: number): void {
    const k = this.rows.length;
    const size = start(k + 1);
    if (size > this.factor.length) {
      const larger = new Float64Array(2 * size);
      larger.set(this.factor);
      this.factor = larger;
    }
    this.rows.push(row);
    this.eliminate(k);
  }

  /** Takes the row at a place away. */
  removeAt(place: number): void {
    const { rows, factor } = this;
    rows.splice(place, 1);
    for (let b = place; b < rows.length; b++) {
      const next = start(b + 1);
      factor.copyWithin(start(b), next, next + place);
      this.eliminate(b, place);
    }
  }

  /** Multipliers by which the rows move by `shift`, which is written over. */
  solve(shift: Float64Array): void {
    const { factor } = this;
    const k = this.rows.length;
    for (let i = 0, at = 0; i < k; i++, at++) {
      // Four sums at once: one alone waits for each addition.
      let [s0, s1, s2, s3] = [shift[i]!, 0, 0, 0];
      let p = 0;
      for (; p + 3 < i; p += 4, at += 4) {
        s0 -= factor[at]! * shift[p]!;
        s1 -= factor[at + 1]! * shift[p + 1]!;
        s2 -= factor[at + 2]! * shift[p + 2]!;
        s3 -= factor[at + 3]! * shift[p + 3]!;
      }
      for (; p < i; p++, at++) s0 -= factor[at]! * shift[p]!;
      shift[i] = (s0 + s1 + (s2 + s3)) / factor[at]!;
    }
    // Column by column: each row of the factor is read from its beginning to its end.
    for (let i = k - 1; i >= 0; i--) {
      const at = start(i);
      const own = shift[i]! / factor[at + i]!;
      shift[i] = own;
      for (let p = 0; p < i; p++) shift[p]! -= factor[at + p]! * own;
    }
  }

  /** The factor's row `b` from the rows before it, those before `from` left as they are. */
  private eliminate(b: number, from = 0): void {
    const { rows, limits, factor } = this;
    const row = rows[b]!;
    const at = start(b);
    for (let j = from; j < b; j++) {
      const other = start(j);
      let sum = limits.column(rows[j]!)[row]!;
      for (let p = 0; p < j; p++) sum -= factor[at + p]! * factor[other + p]!;
      factor[at + j] = sum / factor[other + j]!;
    }
    let pivot = limits.column(row)[row]! * (1 + RIDGE);
    for (let p = 0; p < b; p++) pivot -= factor[at + p]! ** 2;
    factor[at + b] = Math.sqrt(Math.max(pivot, 1e-300));
  }
}

/** Where a row of a lower triangle begins. */
function start(row: number): number {
  return (row * (row + 1)) / 2;
}

/** Whether the kept rows are those with a multiplier between 0 and its cap. */
function isWarm({ rows }: FreeRows, isFree: Uint8Array, count: number): boolean {
  return rows.length === count && rows.every((row) => isFree[row] === 1);
}

/**
 * Finds the multipliers of the limits.
 *
 * @param rows - the rows; `upper` and `lower` may be infinite, and lower <= upper
 * @param unlimited - r0 = C x0, the row values at the minimiser without limits
 * @param multipliers - in: a warm start (any values); out: the multipliers, positive at upper and negative at lower limits
 * @param values - out: row values at the solution
 * @param tolerance - violation of a row, in units of the rows, that is left alone
 * @param kept - the rows at their limits at the end of the last solve with the same columns; renewed
 * @returns whether the optimum was reached
 */
export function solveLimits(
  rows: LimitRows,
  unlimited: Float64Array,
  multipliers: Float64Array,
  values: Float64Array,
  tolerance: number,
  kept: FreeRows = new FreeRows(rows),
): boolean {
  const { count, lower, upper, cap } = rows;
  const isFree = new Uint8Array(count);
  let freeCount = 0;
  /** +1: held at (or capped above) the upper limit, -1: the lower, 0: no multiplier. */
  const side = new Int8Array(count);
  values.set(unlimited);
  for (let i = 0; i < count; i++) {
    const m = multipliers[i]!;
    if (m === 0) continue;
    const limit = m > 0 ? upper[i]! : lower[i]!;
    if (!Number.isFinite(limit) || !Number.isFinite(m)) {
      multipliers[i] = 0;
      continue;
    }
    side[i] = m > 0 ? 1 : -1;
    if (Math.abs(m) >= cap[i]!) multipliers[i] = side[i]! * cap[i]!;
    else {
      isFree[i] = 1;
      freeCount++;
    }
    const column = rows.column(i);
    for (let k = 0; k < count; k++) values[k]! -= column[k]! * multipliers[i]!;
  }
  const { rows: free } = kept;
  if (!isWarm(kept, isFree, freeCount)) {
    kept.clear();
    for (let i = 0; i < count; i++) if (isFree[i] === 1) kept.add(i);
  }

  const maxChanges = 200 + 20 * count;
  const shift = new Float64Array(count);
  for (let change = 0; change < maxChanges; change++) {
    // Move to the optimum of the free set; a multiplier that meets 0 or its cap stops the move and leaves the set.
    while (free.length > 0) {
      const k = free.length;
      for (let a = 0; a < k; a++) {
        const i = free[a]!;
        shift[a] = values[i]! - (side[i]! > 0 ? upper[i]! : lower[i]!);
      }
      kept.solve(shift);
      let length = 1;
      let blocking = -1;
      for (let a = 0; a < k; a++) {
        const i = free[a]!;
        const size = multipliers[i]! * side[i]!;
        const rate = shift[a]! * side[i]!;
        const room = rate < 0 ? size / -rate : rate > 0 ? (cap[i]! - size) / rate : Infinity;
        if (room < length) {
          length = Math.max(0, room);
          blocking = a;
        }
      }
      for (let a = 0; a < k; a++) {
        const delta = length * shift[a]!;
        if (delta === 0) continue;
        const i = free[a]!;
        multipliers[i]! += delta;
        const column = rows.column(i);
        for (let p = 0; p < count; p++) values[p]! -= column[p]! * delta;
      }
      if (blocking < 0) break;
      const i = free[blocking]!;
      kept.removeAt(blocking);
      isFree[i] = 0;
      if (shift[blocking]! * side[i]! < 0) {
        multipliers[i] = 0;
        side[i] = 0;
      } else multipliers[i] = side[i]! * cap[i]!;
      change++;
      if (change > maxChanges) return false;
    }

    let worst = -1;
    let worstBy = tolerance;
    let worstSide = 0;
    for (let i = 0; i < count; i++) {
      if (isFree[i]) continue;
      const v = values[i]!;
      if (side[i] === 0) {
        if (v - upper[i]! > worstBy) {
          worst = i;
          worstBy = v - upper[i]!;
          worstSide = 1;
        } else if (lower[i]! - v > worstBy) {
          worst = i;
          worstBy = lower[i]! - v;
          worstSide = -1;
        }
      } else {
        const slack = side[i]! > 0 ? upper[i]! - v : v - lower[i]!;
        if (slack > worstBy) {
          worst = i;
          worstBy = slack;
          worstSide = side[i]!;
        }
      }
    }
    if (worst < 0) return true;
    // A row that no variable can move has nothing to gain from a multiplier.
    if (!(rows.column(worst)[worst]! > 0)) return false;
    side[worst] = worstSide;
    isFree[worst] = 1;
    kept.add(worst);
  }
  return false;
}
