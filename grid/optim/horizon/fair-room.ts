import { solveDense } from '../../math/index.js';

/*
 * Sharing room: the fairest x in 0 <= x <= cap, A x <= b with A >= 0.
 *
 * maxMin        progressive filling: all x grow at the rates of their weights until a row is full or a cap is met; who is
 *               in a full row stops, the others go on. With A >= 0 this is the lexicographic maximum of x over weight.
 * proportional  maximise sum w log x by a primal-dual interior point in the rows' multipliers: the Hessian is diagonal, so
 *               that each step is one dense Cholesky of the number of rows. Rows are taken as they are over-filled, and what
 *               no row ties together (exports and imports, one transformer and another) is solved apart.
 * Cost: filling O(rows * n) per stop; proportional 15 to 40 steps of O(rows^2 n) for the largest part.
 * Fails: never for b >= 0; a row without room (b <= 0) leaves zero for everyone in it.
 * Sources: Bertsekas and Gallager (1992), "Data Networks", section 6.5.2; Kelly, Maulloo and Tan (1998), J. Oper. Res. Soc.
 *          49(3), for proportional fairness; Nocedal and Wright (2006), chapter 19, for the interior point.
 */

/** A row of A with its value of b. */
export interface RoomRow {
  readonly coefficients: Float64Array;
  readonly room: number;
}

/** Coefficients below this share of the row's largest are no part of it. */
const NEGLIGIBLE = 1e-9;

/** Complementarity and stationarity at which the interior point ends, relative. */
const CLOSED = 1e-9;
/** The same while rows are still being found. */
const ROUGHLY_CLOSED = 1e-4;
/** Rows taken at once by the proportional rule. */
const ROWS_PER_ROUND = 24;

/** Lexicographic max-min of x / weight. */
export function fillRoom(rows: readonly RoomRow[], cap: Float64Array, weight: Float64Array): Float64Array {
  const n = cap.length;
  const x = new Float64Array(n);
  const left = Float64Array.from(rows, ({ room }) => Math.max(0, room));
  const largest = rows.map(({ coefficients }) => coefficients.reduce((most, a) => Math.max(most, a), 0));
  const grows = Uint8Array.from(cap, (most, d) => (most > 0 && weight[d]! > 0 ? 1 : 0));
  for (let stop = 0; stop <= n + rows.length; stop++) {
    let time = Infinity;
    const speed = rows.map(({ coefficients }) => {
      let sum = 0;
      for (let d = 0; d < n; d++) if (grows[d]) sum += coefficients[d]! * weight[d]!;
      return sum;
    });
    speed.forEach((rate, i) => {
      if (rate > 0) time = Math.min(time, left[i]! / rate);
    });
    for (let d = 0; d < n; d++) if (grows[d]) time = Math.min(time, (cap[d]! - x[d]!) / weight[d]!);
    if (!Number.isFinite(time)) break;
    for (let d = 0; d < n; d++) if (grows[d]) x[d]! += time * weight[d]!;
    rows.forEach(({ coefficients, room }, i) => {
      left[i]! -= time * speed[i]!;
      if (left[i]! > 1e-12 * Math.max(1, room) || largest[i] === 0) return;
      for (let d = 0; d < n; d++) if (coefficients[d]! > NEGLIGIBLE * largest[i]!) grows[d] = 0;
    });
    for (let d = 0; d < n; d++) {
      if (cap[d]! - x[d]! > 1e-12 * cap[d]!) continue;
      x[d] = cap[d]!;
      grows[d] = 0;
    }
  }
  return x;
}

/**
 * Maximiser of sum weight log x.
 *
 * @param start - rows likely to be full, from a similar question: the fewer are missing, the fewer systems are solved
 */
export function proportionalRoom(
  rows: readonly RoomRow[],
  cap: Float64Array,
  weight: Float64Array,
  start: ReadonlySet<RoomRow> = new Set(),
): Float64Array {
  const n = cap.length;
  // Who is in a row without room has nothing; the others are put in units of their caps, rows in units of their room.
  const isOut = Uint8Array.from(cap, (most, d) => (most > 0 && weight[d]! > 0 ? 0 : 1));
  for (const { coefficients, room } of rows) {
    if (room > 0) continue;
    for (let d = 0; d < n; d++) if (coefficients[d]! > 0) isOut[d] = 1;
  }
  const kept = Array.from(cap.keys()).filter((d) => !isOut[d]);
  const A: Float64Array[] = [];
  const taken: Float64Array[] = [];
  for (const row of rows) {
    if (!(row.room > 0)) continue;
    const scaled = Float64Array.from(kept, (d) => (row.coefficients[d]! * cap[d]!) / row.room);
    if (scaled.reduce((sum, a) => sum + a, 0) <= 1) continue;
    A.push(scaled);
    if (start.has(row)) taken.push(scaled);
  }
  const x = new Float64Array(n);
  if (kept.length === 0) return x;
  const mean = kept.reduce((sum, d) => sum + weight[d]!, 0) / kept.length;
  const w = Float64Array.from(kept, (d) => weight[d]! / mean);
  // Few rows are ever full: they are taken as they are over-filled, so that the dense system stays small.
  const isTaken = new Set(taken);
  let closed = ROUGHLY_CLOSED;
  let solved = solveScaled(taken, w, closed);
  for (let round = 0; round <= 2 * A.length + 1; round++) {
    const over = A.flatMap((row) => {
      if (isTaken.has(row)) return [];
      const by = row.reduce((sum, a, j) => sum + a * solved[j]!, 0) - 1;
      return by > CLOSED ? [{ row, by }] : [];
    }).sort((a, b) => b.by - a.by);
    if (over.length === 0 && closed === CLOSED) break;
    // A rough answer is enough to see which rows are over-filled; what it shows to be all of them is solved well.
    if (over.length === 0) closed = CLOSED;
    for (const { row } of over.slice(0, ROWS_PER_ROUND)) {
      taken.push(row);
      isTaken.add(row);
    }
    solved = solveScaled(taken, w, closed);
  }
  kept.forEach((d, j) => {
    x[d] = solved[j]! * cap[d]!;
  });
  return x;
}

/** The maximiser for caps and room of 1: what no row holds is 1, and what no row ties together is solved apart. */
function solveScaled(A: readonly Float64Array[], w: Float64Array, closed: number): Float64Array {
  const x = new Float64Array(w.length).fill(1);
  for (const { rows, columns } of parts(A, w.length)) {
    const packed = new Float64Array(rows.length * columns.length);
    rows.forEach((row, i) => {
      for (let j = 0; j < columns.length; j++) packed[i * columns.length + j] = A[row]![columns[j]!]!;
    });
    const solved = solvePart(
      packed,
      rows.length,
      Float64Array.from(columns, (d) => w[d]!),
      closed,
    );
    for (let j = 0; j < columns.length; j++) x[columns[j]!] = solved[j]!;
  }
  return x;
}

/** Rows and columns that share entries, as parts without a common one; columns without any row are in none. */
function parts(
  A: readonly Float64Array[],
  n: number,
): readonly { readonly rows: readonly number[]; readonly columns: readonly number[] }[] {
  // Union-find over rows: the first row of a column stands for it.
  const above = Int32Array.from(A.keys());
  const rootOf = (row: number): number => {
    let root = row;
    while (above[root] !== root) root = above[root]!;
    above[row] = root;
    return root;
  };
  const firstRow = new Int32Array(n).fill(-1);
  A.forEach((row, i) => {
    for (let j = 0; j < n; j++) {
      if (row[j] === 0) continue;
      if (firstRow[j]! < 0) firstRow[j] = i;
      else above[rootOf(i)] = rootOf(firstRow[j]!);
    }
  });
  const found = new Map<number, { readonly rows: number[]; readonly columns: number[] }>();
  A.forEach((_, i) => {
    const root = rootOf(i);
    const part = found.get(root) ?? { rows: [], columns: [] };
    part.rows.push(i);
    found.set(root, part);
  });
  for (let j = 0; j < n; j++) if (firstRow[j]! >= 0) found.get(rootOf(firstRow[j]!))!.columns.push(j);
  return [...found.values()].filter(({ columns }) => columns.length > 0);
}

/**
 * Lower triangle and its mirror of `A diag(d) A'`, two rows by two at a time so that each loaded entry serves twice.
 *
 * @param A - m rows of n entries
 * @param scaled - room for m n numbers
 * @param matrix - m by m, overwritten
 */
function weightedGram(A: Float64Array, m: number, d: Float64Array, scaled: Float64Array, matrix: Float64Array): void {
  const n = d.length;
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) scaled[i * n + j] = A[i * n + j]! * d[j]!;
  for (let i = 0; i < m; i += 2) {
    const i0 = i * n;
    // The last row of an odd number stands for its partner too; what it writes is the same.
    const i1 = i + 1 < m ? i0 + n : i0;
    for (let k = 0; k <= i; k += 2) {
      const k0 = k * n;
      const k1 = k + 1 < m ? k0 + n : k0;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      for (let j = 0; j < n; j++) {
        const a0 = scaled[i0 + j]!;
        const a1 = scaled[i1 + j]!;
        const b0 = A[k0 + j]!;
        const b1 = A[k1 + j]!;
        s00 += a0 * b0;
        s01 += a0 * b1;
        s10 += a1 * b0;
        s11 += a1 * b1;
      }
      const iNext = i1 === i0 ? i : i + 1;
      const kNext = k1 === k0 ? k : k + 1;
      matrix[i * m + k] = matrix[k * m + i] = s00;
      matrix[i * m + kNext] = matrix[kNext * m + i] = s01;
      matrix[iNext * m + k] = matrix[k * m + iNext] = s10;
      matrix[iNext * m + kNext] = matrix[kNext * m + iNext] = s11;
    }
  }
}

/**
 * The interior point for one part.
 *
 * @param A - m rows of n entries, one after the other
 * @param closed - complementarity at which it ends, relative
 */
function solvePart(A: Float64Array, m: number, w: Float64Array, closed: number): Float64Array {
  const n = w.length;
  /** Sum of a row's entries times a vector. */
  const rowTimes = (i: number, vector: Float64Array) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += A[i * n + j]! * vector[j]!;
    return sum;
  };
  /** Adds `A' multipliers` to a vector. */
  const addTransposed = (multipliers: Float64Array, to: Float64Array) => {
    for (let i = 0; i < m; i++) {
      const factor = multipliers[i]!;
      for (let j = 0; j < n; j++) to[j]! += A[i * n + j]! * factor;
    }
  };
  const ones = new Float64Array(n).fill(1);
  let densest = 1;
  for (let i = 0; i < m; i++) densest = Math.max(densest, rowTimes(i, ones));
  const x = new Float64Array(n).fill(0.5 / densest);
  const u = new Float64Array(n).fill(1);
  // At the optimum sum lambda_i (A x)_i is the sum of weights that caps do not hold: about n over the rows.
  const lambda = new Float64Array(m).fill(n / m);
  const slack = Float64Array.from({ length: m }, (_, i) => 1 - rowTimes(i, x));
  const [dx, r, inverse, pull] = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const [matrix, scaled, dLambda] = [new Float64Array(m * m), new Float64Array(m * n), new Float64Array(m)];
  const [du, ds] = [new Float64Array(n), new Float64Array(m)];
  for (let iteration = 0; iteration < 200; iteration++) {
    let product = 0;
    for (let j = 0; j < n; j++) product += u[j]! * (1 - x[j]!);
    for (let i = 0; i < m; i++) product += lambda[i]! * slack[i]!;
    for (let j = 0; j < n; j++) pull[j] = -w[j]! / x[j]!;
    addTransposed(lambda, pull);
    let stationarity = 0;
    for (let j = 0; j < n; j++) stationarity = Math.max(stationarity, Math.abs(pull[j]! + u[j]!) * x[j]!);
    if (product < closed * n && stationarity < Math.min(1e3 * closed, 1e-3)) break;
    // Complementarity must not run ahead of stationarity, or steps become short.
    const mean = product / (n + m);
    const mu = stationarity > 10 * mean ? mean : 0.15 * mean;
    for (let j = 0; j < n; j++) {
      r[j] = pull[j]! + mu / (1 - x[j]!);
      inverse[j] = 1 / (w[j]! / x[j]! ** 2 + u[j]! / (1 - x[j]!));
      dx[j] = x[j]! - inverse[j]! * r[j]!;
    }
    weightedGram(A, m, inverse, scaled, matrix);
    for (let i = 0; i < m; i++) {
      matrix[i * m + i]! += slack[i]! / lambda[i]!;
      dLambda[i] = mu / lambda[i]! + rowTimes(i, dx) - 1;
    }
    solveDense(matrix, m, dLambda);
    dx.set(r);
    addTransposed(dLambda, dx);
    let length = 1;
    const shorten = (value: number, step: number) => {
      if (step < 0) length = Math.min(length, (-0.99 * value) / step);
    };
    for (let j = 0; j < n; j++) {
      dx[j] = -inverse[j]! * dx[j]!;
      du[j] = (mu - u[j]! * (1 - x[j]!) + u[j]! * dx[j]!) / (1 - x[j]!);
      shorten(x[j]!, dx[j]!);
      shorten(1 - x[j]!, -dx[j]!);
      shorten(u[j]!, du[j]!);
    }
    for (let i = 0; i < m; i++) {
      ds[i] = 1 - slack[i]! - rowTimes(i, x) - rowTimes(i, dx);
      shorten(slack[i]!, ds[i]!);
      shorten(lambda[i]!, dLambda[i]!);
    }
    for (let j = 0; j < n; j++) {
      x[j]! += length * dx[j]!;
      u[j]! += length * du[j]!;
    }
    for (let i = 0; i < m; i++) {
      slack[i]! += length * ds[i]!;
      lambda[i]! += length * dLambda[i]!;
    }
  }
  // Rounding of the last step must not leave a row over-full.
  let fullest = 1;
  for (let i = 0; i < m; i++) fullest = Math.max(fullest, rowTimes(i, x));
  return x.map((value) => value / fullest);
}
