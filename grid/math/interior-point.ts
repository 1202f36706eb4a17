import { BoundSide, type StepLength } from './bound-side.js';
import { withProof } from './descent-ray.js';
import { KktSystem } from './kkt-system.js';
import {
  addMultiply,
  addMultiplySymmetric,
  addMultiplyTransposed,
  forEachEntry,
  infinityNorm,
  type SparseMatrix,
  TripletList,
} from './sparse-matrix.js';

/*
 * Convex quadratic programme by a primal-dual interior-point method.
 *
 * Solved: min 1/2 x'Px + q'x  subject to  Ax = b,  l <= x <= u,  with P positive semidefinite (upper triangle stored).
 *         Rows l <= Gx <= u become variables s = Gx with bounds (see {@link withRangeRows}).
 * Steps: 0. variables with equal bounds are put into the constants; 1. Ruiz equilibration of [P A'; A 0];
 *        2. at each iterate, (P + Theta) and A in one regularised KKT matrix, factorised by LDL' with a kept ordering;
 *        3. Mehrotra's predictor, centring sigma = (mu_aff/mu)^3, corrector; one step length, or two for linear costs;
 *        4. centrality correctors while steps are short; 5. refinement of every solve against the unregularised matrix.
 * Cost: 8 to 30 iterations of one factorisation and two to four solves; O(n) each on radial networks.
 * Fails: with a status, never an exception: infeasible problems by a Farkas ray, unbounded ones by a direction of descent (descent-ray.ts),
 *        ill-conditioned ones as `stalled` with the residuals reached.
 * Sources: Mehrotra (1992), SIAM J. Optim. 2(4); Gondzio (1996), Comput. Optim. Appl. 6; Ruiz (2001), RAL-TR-2001-034.
 */

/** The problem as data. */
export interface QuadraticProgramme {
  /** Upper triangle of P, n by n. */
  readonly hessian: SparseMatrix;
  readonly linear: Float64Array;
  /** A, m by n. */
  readonly equality: SparseMatrix;
  readonly equalityValue: Float64Array;
  /** Bounds on x; -Infinity and Infinity where there is none. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** How the solver ended. */
export type ProgrammeStatus = 'optimal' | 'nearOptimal' | 'infeasible' | 'unbounded' | 'iterationLimit' | 'stalled';

/** One sentence for each status. */
export const PROGRAMME_STATUS_TEXT: Readonly<Record<ProgrammeStatus, string>> = {
  optimal: 'All optimality conditions hold within the tolerance.',
  nearOptimal: 'Progress ended just outside the tolerance; the conditions hold within a thousand times of it.',
  infeasible: 'No point satisfies the constraints; the multipliers prove it.',
  unbounded: 'The objective falls without limit inside the constraints.',
  iterationLimit: 'The iteration limit came first; the point may violate constraints.',
  stalled: 'Steps became too short for numerical reasons; the point may violate constraints.',
};

/** Settings of the interior-point method. */
export interface InteriorPointSettings {
  /** Largest relative residual of each optimality condition. Default 1e-9. */
  readonly tolerance: number;
  /** Default 100. */
  readonly maxIterations: number;
}

/** The solver's answer. */
export interface ProgrammeSolution {
  readonly status: ProgrammeStatus;
  readonly x: Float64Array;
  /** Multipliers of the equality rows. */
  readonly y: Float64Array;
  /** Multipliers of lower and upper bounds, non-negative. */
  readonly lowerMultiplier: Float64Array;
  readonly upperMultiplier: Float64Array;
  readonly objective: number;
  readonly iterations: number;
  /** Largest of the three relative residuals below. */
  readonly kktResidual: number;
  readonly primalResidual: number;
  readonly dualResidual: number;
  readonly complementarityGap: number;
  /** Where unbounded: a direction, its largest entry 1, that keeps all constraints for ever and lowers the objective; `x` is a point to begin at. */
  readonly ray?: Float64Array;
}

const DEFAULTS: InteriorPointSettings = { tolerance: 1e-9, maxIterations: 100 };
/** Share of the step to the nearest bound that is taken. */
const STEP_FRACTION = 0.995;
/** A shorter step means that rounding has won. */
const SHORTEST_STEP = 1e-11;
/** Bounds closer than this (relative to 1 + |value|) fix a variable. */
const FIXED_WIDTH = 1e-13;
/** Centrality correctors per iteration, the gain in step length they aim at, and the length that needs none. */
const MAX_CORRECTORS = 3;
const CORRECTOR_REACH = 0.3;
const LONG_STEP = 0.9;
/** Slacks and multipliers of the start, scaled variables. */
const START_SLACK = 1;
const START_MULTIPLIER = 1;
const RUIZ_PASSES = 8;
/** Rows off by less, relative, do not excuse complementarity that grows; what a plainer step then aims at, times the mean. */
const ROWS_HOLD = 1e-2;
const PLAIN_CENTRING = 0.3;
/** Smallest mean product aimed at, times the number of bounds and over the tolerance. */
const LEAST_TARGET = 0.05;
/** The predictor only chooses the centring. */
const PREDICTOR_ACCURACY = 1e-6;
/** Near the tolerance, iterations that do not reduce the residual by this factor are borne this often. */
const GAIN = 0.7;
const PATIENCE = 8;

/** Adds rows `rowLower <= Gx <= rowUpper` to a programme as new variables s with Gx - s = 0. The first n variables stay x. */
export function withRangeRows(
  programme: QuadraticProgramme,
  rows: SparseMatrix,
  rowLower: ArrayLike<number>,
  rowUpper: ArrayLike<number>,
): QuadraticProgramme {
  const n = programme.linear.length;
  const m = programme.equalityValue.length;
  const k = rows.rows;
  const hessian = new TripletList();
  const equality = new TripletList();
  forEachEntry(programme.hessian, (i, j, a) => hessian.add(i, j, a));
  forEachEntry(programme.equality, (i, j, a) => equality.add(i, j, a));
  forEachEntry(rows, (i, j, a) => equality.add(m + i, j, a));
  for (let i = 0; i < k; i++) equality.add(m + i, n + i, -1);
  const join = (a: Float64Array, b: ArrayLike<number>) => Float64Array.from([...a, ...Array.from(b)]);
  return {
    hessian: hessian.toMatrix(n + k, n + k),
    linear: join(programme.linear, new Float64Array(k)),
    equality: equality.toMatrix(m + k, n + k),
    equalityValue: join(programme.equalityValue, new Float64Array(k)),
    lower: join(programme.lower, rowLower),
    upper: join(programme.upper, rowUpper),
  };
}

/** Column and row factors of Ruiz equilibration; `cost` scales the objective. */
function equilibrate(hessian: SparseMatrix, equality: SparseMatrix, linear: Float64Array) {
  const n = hessian.cols;
  const m = equality.rows;
  const col = new Float64Array(n).fill(1);
  const row = new Float64Array(m).fill(1);
  const colMax = new Float64Array(n);
  const rowMax = new Float64Array(m);
  for (let pass = 0; pass < RUIZ_PASSES; pass++) {
    colMax.fill(0);
    rowMax.fill(0);
    forEachEntry(hessian, (i, j, a) => {
      const scaled = Math.abs(a) * col[i]! * col[j]!;
      colMax[j] = Math.max(colMax[j]!, scaled);
      colMax[i] = Math.max(colMax[i]!, scaled);
    });
    forEachEntry(equality, (i, j, a) => {
      const scaled = Math.abs(a) * row[i]! * col[j]!;
      colMax[j] = Math.max(colMax[j]!, scaled);
      rowMax[i] = Math.max(rowMax[i]!, scaled);
    });
    for (let j = 0; j < n; j++) if (colMax[j]! > 0) col[j]! /= Math.sqrt(colMax[j]!);
    for (let i = 0; i < m; i++) if (rowMax[i]! > 0) row[i]! /= Math.sqrt(rowMax[i]!);
  }
  let size = 0;
  for (let j = 0; j < n; j++) size = Math.max(size, Math.abs(linear[j]!) * col[j]!);
  forEachEntry(hessian, (i, j, a) => {
    size = Math.max(size, Math.abs(a) * col[i]! * col[j]!);
  });
  return { col, row, cost: size > 0 ? 1 / size : 1 };
}

function scaled(matrix: SparseMatrix, row: Float64Array, col: Float64Array, factor: number): SparseMatrix {
  const values = new Float64Array(matrix.values.length);
  for (let j = 0; j < matrix.cols; j++) {
    for (let k = matrix.colPtr[j]!; k < matrix.colPtr[j + 1]!; k++) {
      values[k] = matrix.values[k]! * row[matrix.rowIdx[k]!]! * col[j]! * factor;
    }
  }
  return { ...matrix, values };
}

function both(length: number): StepLength {
  return { primal: length, dual: length };
}

/** Residuals of one iterate, relative. */
interface Residuals {
  readonly kkt: number;
  readonly primal: number;
  readonly dual: number;
  readonly gap: number;
}

/** The iteration in scaled variables. */
class Iteration {
  /**
   * A small one that stays in memory: when no object of a class is left, the engine forgets the layout of its objects and
   * with it the machine code made for them, and the next programme would start with slow code again.
   */
  static readonly kept: readonly object[] = Iteration.small();

  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly lower: BoundSide;
  readonly upper: BoundSide;
  private readonly kkt: KktSystem;
  private readonly theta: Float64Array;
  private readonly dualGap: Float64Array;
  private readonly rowGap: Float64Array;
  private readonly step: Float64Array;
  private readonly hessianX: Float64Array;
  private readonly transposedY: Float64Array;
  private mu = 0;
  residuals: Residuals = { kkt: Infinity, primal: Infinity, dual: Infinity, gap: Infinity };

  constructor(
    private readonly P: SparseMatrix,
    private readonly A: SparseMatrix,
    private readonly q: Float64Array,
    private readonly b: Float64Array,
    l: Float64Array,
    u: Float64Array,
    private readonly tolerance: number,
  ) {
    const n = q.length;
    const m = b.length;
    this.x = new Float64Array(n);
    this.y = new Float64Array(m);
    this.lower = new BoundSide(1, l);
    this.upper = new BoundSide(-1, u);
    this.kkt = new KktSystem(P, A);
    this.theta = new Float64Array(n);
    this.dualGap = new Float64Array(n);
    this.rowGap = new Float64Array(m);
    this.step = new Float64Array(n + m);
    this.hessianX = new Float64Array(n);
    this.transposedY = new Float64Array(n);
    this.start(l, u);
  }

  /** A programme of three unknowns between bounds, an iteration into it: fields then have the kinds of values that they keep. */
  private static small(): readonly object[] {
    const hessian = new TripletList();
    const equality = new TripletList();
    for (let j = 0; j < 3; j++) {
      hessian.add(j, j, 0.5);
      equality.add(0, j, 0.7);
    }
    const vector = (value: number) => new Float64Array(3).fill(value);
    const [P, A] = [hessian.toMatrix(3, 3), equality.toMatrix(1, 3)];
    const iteration = new Iteration(P, A, vector(0.3), Float64Array.of(1.1), vector(0), vector(1.5), 1e-9);
    for (let k = 0; k < 2 && iteration.assess() === undefined; k++) iteration.advance();
    return [iteration, hessian, equality];
  }

  /** The point that satisfies the rows and is nearest to the middle of the bounds, cost included. */
  private start(l: Float64Array, u: Float64Array): void {
    const { x, y, step, theta } = this;
    const n = x.length;
    for (let j = 0; j < n; j++) {
      const hasLower = this.lower.isBounded[j] === 1;
      const hasUpper = this.upper.isBounded[j] === 1;
      const nearest = hasLower && hasUpper ? (l[j]! + u[j]!) / 2 : Math.min(Math.max(0, l[j]!), u[j]!);
      theta[j] = hasLower || hasUpper ? 1 : 0;
      step[j] = theta[j]! * nearest - this.q[j]!;
    }
    step.set(this.b, n);
    this.kkt.factorise(theta);
    this.kkt.solve(step);
    for (let j = 0; j < n; j++) x[j] = step[j]!;
    for (let i = 0; i < y.length; i++) y[i] = -step[n + i]!;
    this.lower.start(x, START_SLACK, START_MULTIPLIER);
    this.upper.start(x, START_SLACK, START_MULTIPLIER);
  }

  /** Computes residuals; returns how the iteration ends here, or undefined. */
  assess(): ProgrammeStatus | undefined {
    const { tolerance } = this;
    const { P, A, q, b, x, y, lower, upper, dualGap, rowGap, hessianX: Px, transposedY: Aty } = this;
    const n = x.length;
    Px.fill(0);
    Aty.fill(0);
    rowGap.fill(0);
    addMultiplySymmetric(Px, P, x);
    addMultiplyTransposed(Aty, A, y);
    addMultiply(rowGap, A, x);
    const imageSize = infinityNorm(rowGap);
    for (let i = 0; i < b.length; i++) rowGap[i]! -= b[i]!;
    let product = 0;
    let largestProduct = 0;
    let boundGap = 0;
    let dualSize = 0;
    let dual = 0;
    let rayError = 0;
    let farkas = 0;
    let qx = 0;
    let xPx = 0;
    for (let j = 0; j < n; j++) {
      qx += q[j]! * x[j]!;
      xPx += x[j]! * Px[j]!;
      const pull = lower.multiplier[j]! - upper.multiplier[j]!;
      dualGap[j] = Px[j]! + q[j]! - Aty[j]! - pull;
      dual = Math.max(dual, Math.abs(dualGap[j]!));
      dualSize = Math.max(dualSize, Math.abs(Px[j]!), Math.abs(Aty[j]!));
      rayError = Math.max(rayError, Math.abs(Aty[j]! + pull));
      for (const side of [lower, upper]) {
        if (!side.isBounded[j]) continue;
        const z = side.multiplier[j]!;
        const sz = side.slack[j]! * z;
        product += sz;
        largestProduct = Math.max(largestProduct, sz);
        farkas += side.sign * side.bound[j]! * z;
        side.gap[j] = side.slack[j]! - side.sign * (x[j]! - side.bound[j]!);
        boundGap = Math.max(boundGap, Math.abs(side.gap[j]!));
      }
    }
    for (let i = 0; i < b.length; i++) farkas += b[i]! * y[i]!;
    const pairs = lower.count + upper.count;
    this.mu = pairs > 0 ? product / pairs : 0;
    const rowError = infinityNorm(rowGap);
    const primal = Math.max(rowError, boundGap) / (1 + Math.max(imageSize, infinityNorm(b)));
    const relativeDual = dual / (1 + Math.max(dualSize, infinityNorm(q)));
    const gap = Math.max(product / (1 + Math.abs(qx + xPx / 2)), largestProduct);
    const kkt = Math.max(primal, relativeDual, gap);
    this.residuals = { kkt, primal, dual: relativeDual, gap };
    if (!Number.isFinite(kkt)) return 'stalled';
    if (kkt <= tolerance) return 'optimal';
    if (farkas > 1 && rayError < 1e-8 * farkas && primal > tolerance) return 'infeasible';
    const size = infinityNorm(x);
    if (size > 1e8 && qx < 0 && infinityNorm(Px) < 1e-8 * size && imageSize < 1e-8 * size) return 'unbounded';
    return undefined;
  }

  /** One predictor and corrector; false when the step is too short to go on. */
  advance(): boolean {
    const { lower, upper, theta, x, y, step } = this;
    const n = x.length;
    for (let j = 0; j < n; j++) {
      theta[j] = 0;
      if (lower.isBounded[j]) theta[j]! += lower.multiplier[j]! / lower.slack[j]!;
      if (upper.isBounded[j]) theta[j]! += upper.multiplier[j]! / upper.slack[j]!;
    }
    this.kkt.factorise(theta);
    lower.secondOrder.fill(0);
    upper.secondOrder.fill(0);
    this.direction(0, PREDICTOR_ACCURACY);
    const pairs = lower.count + upper.count;
    if (pairs > 0 && this.mu > 0) {
      const length = this.stepLength(1);
      const after = (lower.productAfter(length) + upper.productAfter(length)) / pairs;
      lower.keepSecondOrder();
      upper.keepSecondOrder();
      // Complementarity far below what is asked for only makes the matrix worse while rows are still off.
      const least = (LEAST_TARGET * this.tolerance) / pairs;
      const target = Math.max((after / this.mu) ** 3 * this.mu, Math.min(least, this.mu));
      this.direction(target);
      this.centre(target);
    }
    const length = this.safeLength(this.stepLength(STEP_FRACTION));
    if (!(Math.max(length.primal, length.dual) > SHORTEST_STEP)) return false;
    for (let j = 0; j < n; j++) x[j]! += length.primal * step[j]!;
    for (let i = 0; i < y.length; i++) y[i]! -= length.dual * step[n + i]!;
    lower.move(length);
    upper.move(length);
    return true;
  }

  /**
   * The length of the step found, or a plainer step: where rows hold well enough and complementarity would grow all the
   * same, predictor and corrector may go round in circles for ever (Cartis 2009). Then the step is Newton's towards less
   * complementarity, without second order, as long as complementarity falls along it: with rows that hold it falls at first.
   */
  private safeLength(length: StepLength): StepLength {
    const { lower, upper, mu, residuals } = this;
    const pairs = lower.count + upper.count;
    const areRowsOff = Math.max(residuals.primal, residuals.dual) > ROWS_HOLD;
    const after = (of: number) => (lower.productAfter(both(of)) + upper.productAfter(both(of))) / pairs;
    const found = pairs > 0 ? (lower.productAfter(length) + upper.productAfter(length)) / pairs : 0;
    if (pairs === 0 || areRowsOff || found <= mu) return length;
    lower.secondOrder.fill(0);
    upper.secondOrder.fill(0);
    this.direction(PLAIN_CENTRING * mu);
    const far = this.stepLength(STEP_FRACTION);
    // Complementarity along the step is a parabola.
    const bend = 2 * (after(1) - 2 * after(0.5) + mu);
    const fall = mu + bend - after(1);
    const lowest = bend > 0 && fall > 0 ? fall / (2 * bend) : 1;
    return both(Math.min(far.primal, far.dual, lowest));
  }

  /** Gondzio's correctors: outlying products are aimed back to the central path while that makes steps longer. */
  private centre(target: number): void {
    const { lower, upper, step } = this;
    for (let k = 0; k < MAX_CORRECTORS; k++) {
      const before = this.stepLength(STEP_FRACTION);
      if (Math.min(before.primal, before.dual) >= LONG_STEP) return;
      const tried = {
        primal: Math.min(1, before.primal + CORRECTOR_REACH),
        dual: Math.min(1, before.dual + CORRECTOR_REACH),
      };
      const kept = { step: step.slice(), lower: lower.snapshot(), upper: upper.snapshot() };
      const floor = Math.max(target, 1e-2 * this.mu);
      lower.aim(tried, 0.1 * floor, 10 * floor);
      upper.aim(tried, 0.1 * floor, 10 * floor);
      this.direction(target);
      const after = this.stepLength(STEP_FRACTION);
      if (after.primal + after.dual >= before.primal + before.dual + 0.1 * CORRECTOR_REACH) continue;
      step.set(kept.step);
      lower.restore(kept.lower);
      upper.restore(kept.upper);
      return;
    }
  }

  /** Steps of at most 1 that stay `fraction` of the way to the nearest bound. A quadratic cost ties both lengths. */
  private stepLength(fraction: number): StepLength {
    const far = this.upper.longestStep(this.lower.longestStep({ primal: 1 / fraction, dual: 1 / fraction }));
    const primal = Math.min(1, fraction * far.primal);
    const dual = Math.min(1, fraction * far.dual);
    const both = Math.min(primal, dual);
    return this.P.values.length === 0 ? { primal, dual } : { primal: both, dual: both };
  }

  /** Residual that a step's equations may keep: far below what the step is to remove, and no smaller than rounding. */
  private accuracy(): number {
    return Math.min(1e-8, Math.max(1e-12, 1e-5 * this.residuals.kkt));
  }

  private direction(target: number, accuracy = this.accuracy()): void {
    const { lower, upper, step } = this;
    const n = this.x.length;
    for (let j = 0; j < n; j++) {
      let r = -this.dualGap[j]!;
      if (lower.isBounded[j]) r += lower.push(j, target);
      if (upper.isBounded[j]) r += upper.push(j, target);
      step[j] = r;
    }
    for (let i = 0; i < this.rowGap.length; i++) step[n + i] = -this.rowGap[i]!;
    this.kkt.solve(step, accuracy);
    for (let j = 0; j < n; j++) {
      if (lower.isBounded[j]) lower.follow(j, step[j]!, target);
      if (upper.isBounded[j]) upper.follow(j, step[j]!, target);
    }
  }
}

/**
 * Solves a convex quadratic programme.
 *
 * @returns the best point found with its status; never throws for a problem without a solution
 */
export function solveQuadraticProgramme(
  programme: QuadraticProgramme,
  settings: Partial<InteriorPointSettings> = {},
): ProgrammeSolution {
  const complete = { ...DEFAULTS, ...settings };
  const { lower, upper } = programme;
  const place = new Int32Array(lower.length).fill(-1);
  let free = 0;
  for (let j = 0; j < place.length; j++) {
    const isFixed = Number.isFinite(lower[j]!) && upper[j]! - lower[j]! <= FIXED_WIDTH * (1 + Math.abs(lower[j]!));
    if (!isFixed) place[j] = free++;
  }
  if (free === place.length) return solveFree(programme, complete);
  const reduced = solveFree(withoutFixed(programme, place, free), complete);
  const x = Float64Array.from(place, (at, j) => (at < 0 ? lower[j]! : reduced.x[at]!));
  // What holds a fixed variable is the multiplier of whichever bound pushes against its gradient.
  const pull = programme.linear.slice();
  addMultiplySymmetric(pull, programme.hessian, x);
  addMultiplyTransposed(pull, programme.equality, reduced.y, -1);
  const side = (multiplier: Float64Array, sign: 1 | -1) =>
    Float64Array.from(place, (at, j) => (at < 0 ? Math.max(0, sign * pull[j]!) : multiplier[at]!));
  return {
    ...reduced,
    x,
    lowerMultiplier: side(reduced.lowerMultiplier, 1),
    upperMultiplier: side(reduced.upperMultiplier, -1),
    objective: objectiveAt(programme, x),
    ...(reduced.ray ? { ray: Float64Array.from(place, (at) => (at < 0 ? 0 : reduced.ray![at]!)) } : {}),
  };
}

/** The programme in its free variables; `place` is where a variable goes, or -1. */
function withoutFixed(programme: QuadraticProgramme, place: Int32Array, free: number): QuadraticProgramme {
  const { lower } = programme;
  const hessian = new TripletList();
  const equality = new TripletList();
  const linear = new Float64Array(free);
  const equalityValue = programme.equalityValue.slice();
  place.forEach((at, j) => {
    if (at >= 0) linear[at]! += programme.linear[j]!;
  });
  forEachEntry(programme.hessian, (i, j, a) => {
    const [row, col] = [place[i]!, place[j]!];
    if (row >= 0 && col >= 0) hessian.add(row, col, a);
    else if (row >= 0) linear[row]! += a * lower[j]!;
    else if (col >= 0) linear[col]! += a * lower[i]!;
  });
  forEachEntry(programme.equality, (i, j, a) => {
    if (place[j]! >= 0) equality.add(i, place[j]!, a);
    else equalityValue[i]! -= a * lower[j]!;
  });
  const keep = (values: Float64Array) => values.filter((_, j) => place[j]! >= 0);
  return {
    hessian: hessian.toMatrix(free, free),
    linear,
    equality: equality.toMatrix(equalityValue.length, free),
    equalityValue,
    lower: keep(lower),
    upper: keep(programme.upper),
  };
}

function objectiveAt({ hessian, linear }: QuadraticProgramme, x: Float64Array): number {
  const image = new Float64Array(x.length);
  addMultiplySymmetric(image, hessian, x);
  let objective = 0;
  for (let j = 0; j < x.length; j++) objective += (linear[j]! + image[j]! / 2) * x[j]!;
  return objective;
}

/** Solves a programme without fixed variables. */
function solveFree(programme: QuadraticProgramme, settings: InteriorPointSettings): ProgrammeSolution {
  const { tolerance, maxIterations } = settings;
  const { col, row, cost } = equilibrate(programme.hessian, programme.equality, programme.linear);
  const even: QuadraticProgramme = {
    hessian: scaled(programme.hessian, col, col, cost),
    linear: Float64Array.from(programme.linear, (v, j) => v * col[j]! * cost),
    equality: scaled(programme.equality, row, col, 1),
    equalityValue: Float64Array.from(programme.equalityValue, (v, i) => v * row[i]!),
    lower: Float64Array.from(programme.lower, (v, j) => v / col[j]!),
    upper: Float64Array.from(programme.upper, (v, j) => v / col[j]!),
  };
  const { hessian, linear, equality, equalityValue, lower, upper } = even;
  const iteration = new Iteration(hessian, equality, linear, equalityValue, lower, upper, tolerance);
  let status: ProgrammeStatus = 'iterationLimit';
  let iterations = 0;
  let least = Infinity;
  let lastGain = 0;
  for (; ; iterations++) {
    const ending = iteration.assess();
    if (ending) {
      status = ending;
      break;
    }
    if (iterations >= maxIterations) break;
    if (iteration.residuals.kkt < GAIN * least) {
      least = iteration.residuals.kkt;
      lastGain = iterations;
    } else if (iterations - lastGain >= PATIENCE && least <= 1e3 * tolerance) {
      status = 'stalled';
      break;
    }
    if (!iteration.advance()) {
      status = 'stalled';
      break;
    }
  }
  const { residuals } = iteration;
  if ((status === 'stalled' || status === 'iterationLimit') && residuals.kkt <= 1e3 * tolerance) status = 'nearOptimal';

  const x = Float64Array.from(iteration.x, (v, j) =>
    Math.min(Math.max(v * col[j]!, programme.lower[j]!), programme.upper[j]!),
  );
  const multiplier = (side: BoundSide) => Float64Array.from(side.multiplier, (v, j) => v / col[j]! / cost);
  const answer: ProgrammeSolution = {
    status,
    x,
    y: Float64Array.from(iteration.y, (v, i) => (v * row[i]!) / cost),
    lowerMultiplier: multiplier(iteration.lower),
    upperMultiplier: multiplier(iteration.upper),
    objective: objectiveAt(programme, x),
    iterations,
    kktResidual: residuals.kkt,
    primalResidual: residuals.primal,
    dualResidual: residuals.dual,
    complementarityGap: residuals.gap,
  };
  if (status === 'optimal' || status === 'nearOptimal' || status === 'infeasible') return answer;
  const proven = withProof(answer, even, { col, row }, (other) => solveQuadraticProgramme(other, settings));
  return { ...proven, objective: objectiveAt(programme, proven.x) };
}
