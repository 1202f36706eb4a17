import { solveDense } from '../../math/index.js';

/*
 * Sharing room: the fairest x in 0 <= x <= cap, A x <= b with A >= 0.
 *
 * maxMin        progressive filling: all x grow at the rates of their weights until a row is full or a cap is met; who is
 *               in a full row stops, the others go on. With A >= 0 this is the lexicographic maximum of x over weight.
 * proportional  maximise sum w log x by a primal-dual interior point in the rows' multipliers: the Hessian is diagonal, so
 *               that each step is one dense Cholesky of the number of rows.
 * Cost: filling O(rows * n) per stop; proportional 15 to 40 steps of O(rows^2 n).
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
/** Rows taken at once by the proportional rule. */
const ROWS_PER_ROUND = 12;

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
  let solved = solveScaled(taken, w);
  for (let round = 0; round <= A.length; round++) {
    const over = A.map((row) => ({ row, by: row.reduce((sum, a, j) => sum + a * solved[j]!, 0) - 1 }))
      .filter(({ row, by }) => by > CLOSED && !taken.includes(row))
      .sort((a, b) => b.by - a.by);
    if (over.length === 0) break;
    for (const { row } of over.slice(0, ROWS_PER_ROUND)) taken.push(row);
    solved = solveScaled(taken, w);
  }
  kept.forEach((d, j) => {
    x[d] = solved[j]! * cap[d]!;
  });
  return x;
}

/** The interior point for caps and room of 1. */
function solveScaled(A: readonly Float64Array[], w: Float64Array): Float64Array {
  const n = w.length;
  const m = A.length;
  if (m === 0) return new Float64Array(n).fill(1);
  const densest = A.reduce(
    (most, row) =>
      Math.max(
        most,
        row.reduce((sum, a) => sum + a, 0),
      ),
    1,
  );
  const x = new Float64Array(n).fill(0.5 / densest);
  const u = new Float64Array(n).fill(1);
  // At the optimum sum lambda_i (A x)_i is the sum of weights that caps do not hold: about n over the rows.
  const lambda = new Float64Array(m).fill(n / m);
  const slack = Float64Array.from(A, (row) => 1 - row.reduce((sum, a, j) => sum + a * x[j]!, 0));
  const filled = A.map((row) => Int32Array.from(row.keys()).filter((j) => row[j] !== 0));
  const [dx, r, inverse] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let iteration = 0; iteration < 200; iteration++) {
    let product = 0;
    for (let j = 0; j < n; j++) product += u[j]! * (1 - x[j]!);
    for (let i = 0; i < m; i++) product += lambda[i]! * slack[i]!;
    let stationarity = 0;
    for (let j = 0; j < n; j++) {
      let pull = u[j]! - w[j]! / x[j]!;
      for (let i = 0; i < m; i++) pull += A[i]![j]! * lambda[i]!;
      stationarity = Math.max(stationarity, Math.abs(pull) * x[j]!);
    }
    // Complementarity must not run ahead of stationarity, or steps become short.
    const mean = product / (n + m);
    const mu = stationarity > 10 * mean ? mean : 0.15 * mean;
    for (let j = 0; j < n; j++) {
      let pull = -w[j]! / x[j]!;
      for (let i = 0; i < m; i++) pull += A[i]![j]! * lambda[i]!;
      r[j] = pull + mu / (1 - x[j]!);
      inverse[j] = 1 / (w[j]! / x[j]! ** 2 + u[j]! / (1 - x[j]!));
    }
    if (product < CLOSED * n && stationarity < 1e3 * CLOSED) break;
    const matrix = new Float64Array(m * m);
    const dLambda = new Float64Array(m);
    for (let i = 0; i < m; i++) {
      const row = A[i]!;
      for (let k = 0; k <= i; k++) {
        const other = A[k]!;
        // Rows of one direction or one transformer have few entries: the shorter of the two is walked.
        const shared = filled[i]!.length < filled[k]!.length ? filled[i]! : filled[k]!;
        let sum = 0;
        for (let p = 0; p < shared.length; p++) {
          const j = shared[p]!;
          sum += row[j]! * inverse[j]! * other[j]!;
        }
        matrix[i * m + k] = sum;
        matrix[k * m + i] = sum;
      }
      matrix[i * m + i]! += slack[i]! / lambda[i]!;
      let rhs = mu / lambda[i]! - slack[i]!;
      for (let j = 0; j < n; j++) rhs += row[j]! * (x[j]! - inverse[j]! * r[j]!);
      dLambda[i] = rhs + slack[i]! - 1;
    }
    solveDense(matrix, m, dLambda);
    for (let j = 0; j < n; j++) {
      let sum = r[j]!;
      for (let i = 0; i < m; i++) sum += A[i]![j]! * dLambda[i]!;
      dx[j] = -inverse[j]! * sum;
    }
    let length = 1;
    const shorten = (value: number, step: number) => {
      if (step < 0) length = Math.min(length, (-0.99 * value) / step);
    };
    const du = u.map((value, j) => (mu - value * (1 - x[j]!) + value * dx[j]!) / (1 - x[j]!));
    const ds = A.map((row, i) => 1 - slack[i]! - row.reduce((sum, a, j) => sum + a * (x[j]! + dx[j]!), 0));
    for (let j = 0; j < n; j++) {
      shorten(x[j]!, dx[j]!);
      shorten(1 - x[j]!, -dx[j]!);
      shorten(u[j]!, du[j]!);
    }
    for (let i = 0; i < m; i++) {
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
  for (const row of A)
    fullest = Math.max(
      fullest,
      row.reduce((sum, a, j) => sum + a * x[j]!, 0),
    );
  return x.map((value) => value / fullest);
}
