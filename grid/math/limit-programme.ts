/*
 * Strictly convex quadratic programme with few active limits, solved in its multipliers.
 *
 * Solved: min 1/2 x'Hx + q'x + sum_i w_i * max(0, c_i x - u_i, l_i - c_i x), the rows c_i x softened by an exact penalty w_i
 *         (w_i = Infinity: hard limits). With x0 = -inv(H) q, r0 = C x0 and S = C inv(H) C' the dual is a box problem
 *         min 1/2 m'Sm - r0'm + sum(u_i max(m_i, 0) + l_i min(m_i, 0)),  -w_i <= m_i <= w_i,   and r = C x = r0 - S m.
 * Steps: 1. start from the multipliers of the last solve; 2. solve the rows in the free set for r = limit;
 *        3. walk towards that point until a multiplier meets 0 or w, which leaves the free set; repeat 2;
 *        4. free the most violated row (or a capped one that has slack); stop when there is none.
 * Cost: O(k^3/3) per change of the free set of k rows, O(rows) per freed row; a warm start near the optimum is one solve.
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

/**
 * Finds the multipliers of the limits.
 *
 * @param rows - the rows; `upper` and `lower` may be infinite, and lower <= upper
 * @param unlimited - r0 = C x0, the row values at the minimiser without limits
 * @param multipliers - in: a warm start (any values); out: the multipliers, positive at upper and negative at lower limits
 * @param values - out: row values at the solution
 * @param tolerance - violation of a row, in units of the rows, that is left alone
 * @returns whether the optimum was reached
 */
export function solveLimits(
  rows: LimitRows,
  unlimited: Float64Array,
  multipliers: Float64Array,
  values: Float64Array,
  tolerance: number,
): boolean {
  const { count, lower, upper, cap } = rows;
  const free: number[] = [];
  const isFree = new Uint8Array(count);
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
      free.push(i);
      isFree[i] = 1;
    }
    const column = rows.column(i);
    for (let k = 0; k < count; k++) values[k]! -= column[k]! * multipliers[i]!;
  }

  const maxChanges = 200 + 20 * count;
  for (let change = 0; change < maxChanges; change++) {
    // Move to the optimum of the free set; a multiplier that meets 0 or its cap stops the move and leaves the set.
    while (free.length > 0) {
      const k = free.length;
      const matrix = new Float64Array(k * k);
      const shift = new Float64Array(k);
      for (let a = 0; a < k; a++) {
        const i = free[a]!;
        const column = rows.column(i);
        for (let b = 0; b < k; b++) matrix[b * k + a] = column[free[b]!]!;
        matrix[a * k + a]! *= 1 + RIDGE;
        shift[a] = values[i]! - (side[i]! > 0 ? upper[i]! : lower[i]!);
      }
      solveDense(matrix, k, shift);
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
      free.splice(blocking, 1);
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
    free.push(worst);
  }
  return false;
}
