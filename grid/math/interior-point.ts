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
 * Steps: 1. Ruiz equilibration of [P A'; A 0];
 *        2. at each iterate, (P + Theta) and A in one regularised KKT matrix, factorised by LDL' with a kept ordering;
 *        3. Mehrotra's predictor, centring sigma = (mu_aff/mu)^3, corrector; one step length, or two for linear costs;
 *        4. centrality correctors while steps are short; 5. refinement of every solve against the unregularised matrix.
 * Cost: 8 to 30 iterations of one factorisation and two to four solves; O(n) each on radial networks.
 * Fails: with a status, never an exception: infeasible problems by a Farkas ray, unbounded ones by a direction of descent,
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
}

const DEFAULTS: InteriorPointSettings = { tolerance: 1e-9, maxIterations: 100 };
/** Share of the step to the nearest bound that is taken. */
const STEP_FRACTION = 0.995;
/** A shorter step means that rounding has won. */
const SHORTEST_STEP = 1e-11;
/** Weight that holds fixed variables in the factorised matrix. */
const FIXED_WEIGHT = 1e12;
/** Centrality correctors per iteration, the gain in step length they aim at, and the length that needs none. */
const MAX_CORRECTORS = 3;
const CORRECTOR_REACH = 0.3;
const LONG_STEP = 0.9;
/** Slacks and multipliers of the start, scaled variables. */
const START_SLACK = 1;
const START_MULTIPLIER = 1;
const RUIZ_PASSES = 8;

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

/** Lengths of a step; they differ only where there is no quadratic cost. */
interface StepLength {
  readonly primal: number;
  readonly dual: number;
}

/** Slack, multiplier and their steps for one kind of bound. `sign` is +1 for lower bounds, -1 for upper ones. */
class BoundSide {
  readonly isBounded: Uint8Array;
  readonly slack: Float64Array;
  readonly multiplier: Float64Array;
  /** slack - sign * (x - bound): how far the slack is from telling the truth. */
  readonly gap: Float64Array;
  readonly slackStep: Float64Array;
  readonly multiplierStep: Float64Array;
  readonly secondOrder: Float64Array;
  count = 0;

  constructor(
    readonly sign: 1 | -1,
    readonly bound: Float64Array,
    isFixed: Uint8Array,
  ) {
    const n = bound.length;
    this.isBounded = Uint8Array.from(bound, (v, j) => (Number.isFinite(v) && !isFixed[j] ? 1 : 0));
    this.slack = new Float64Array(n).fill(1);
    this.multiplier = new Float64Array(n);
    this.gap = new Float64Array(n);
    this.slackStep = new Float64Array(n);
    this.multiplierStep = new Float64Array(n);
    this.secondOrder = new Float64Array(n);
    for (let j = 0; j < n; j++) this.count += this.isBounded[j]!;
  }

  /** Slacks from a point, as long as its distance from the bound on either side and at least `least`; equal multipliers. */
  start(x: Float64Array, least: number, multiplier: number): void {
    for (let j = 0; j < x.length; j++) {
      if (!this.isBounded[j]) continue;
      this.slack[j] = Math.max(least, Math.abs(x[j]! - this.bound[j]!));
      this.multiplier[j] = multiplier;
    }
  }

  /** Target of complementarity over the slack: what the elimination of slack and multiplier leaves in the first row. */
  push(j: number, target: number): number {
    const s = this.slack[j]!;
    const z = this.multiplier[j]!;
    return this.sign * ((target - this.secondOrder[j]! + z * this.gap[j]!) / s - z);
  }

  /** Steps of slack and multiplier for a step of x. */
  follow(j: number, dx: number, target: number): void {
    const s = this.slack[j]!;
    const z = this.multiplier[j]!;
    const ds = this.sign * dx - this.gap[j]!;
    this.slackStep[j] = ds;
    this.multiplierStep[j] = (target - this.secondOrder[j]! - z * ds) / s - z;
  }

  /** Longest steps, at most those given, that keep slacks and multipliers non-negative. */
  longestStep(length: StepLength): StepLength {
    let { primal, dual } = length;
    for (let j = 0; j < this.slack.length; j++) {
      if (!this.isBounded[j]) continue;
      if (this.slackStep[j]! < 0) primal = Math.min(primal, -this.slack[j]! / this.slackStep[j]!);
      if (this.multiplierStep[j]! < 0) dual = Math.min(dual, -this.multiplier[j]! / this.multiplierStep[j]!);
    }
    return { primal, dual };
  }

  /** Sum of products of slacks and multipliers after a step. */
  productAfter({ primal, dual }: StepLength): number {
    let sum = 0;
    for (let j = 0; j < this.slack.length; j++) {
      if (!this.isBounded[j]) continue;
      sum += (this.slack[j]! + primal * this.slackStep[j]!) * (this.multiplier[j]! + dual * this.multiplierStep[j]!);
    }
    return sum;
  }

  keepSecondOrder(): void {
    for (let j = 0; j < this.slack.length; j++) this.secondOrder[j] = this.slackStep[j]! * this.multiplierStep[j]!;
  }

  /** Turns products that a longer step would bring out of [low, high] back to that range. */
  aim(length: StepLength, low: number, high: number): void {
    for (let j = 0; j < this.slack.length; j++) {
      if (!this.isBounded[j]) continue;
      const slack = this.slack[j]! + length.primal * this.slackStep[j]!;
      const product = slack * (this.multiplier[j]! + length.dual * this.multiplierStep[j]!);
      const wanted = Math.min(high, Math.max(low, product));
      this.secondOrder[j]! -= Math.max(wanted - product, -high);
    }
  }

  /** Steps and second-order terms, to come back to. */
  snapshot(): readonly Float64Array[] {
    return [this.slackStep.slice(), this.multiplierStep.slice(), this.secondOrder.slice()];
  }

  restore([slackStep, multiplierStep, secondOrder]: readonly Float64Array[]): void {
    this.slackStep.set(slackStep!);
    this.multiplierStep.set(multiplierStep!);
    this.secondOrder.set(secondOrder!);
  }

  move({ primal, dual }: StepLength): void {
    for (let j = 0; j < this.slack.length; j++) {
      if (!this.isBounded[j]) continue;
      this.slack[j]! += primal * this.slackStep[j]!;
      this.multiplier[j]! += dual * this.multiplierStep[j]!;
    }
  }
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
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly lower: BoundSide;
  readonly upper: BoundSide;
  private readonly isFixed: Uint8Array;
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
  ) {
    const n = q.length;
    const m = b.length;
    this.isFixed = Uint8Array.from(l, (v, j) => (Number.isFinite(v) && u[j]! - v <= 1e-13 * (1 + Math.abs(v)) ? 1 : 0));
    this.x = new Float64Array(n);
    this.y = new Float64Array(m);
    this.lower = new BoundSide(1, l, this.isFixed);
    this.upper = new BoundSide(-1, u, this.isFixed);
    this.kkt = new KktSystem(P, A);
    this.theta = new Float64Array(n);
    this.dualGap = new Float64Array(n);
    this.rowGap = new Float64Array(m);
    this.step = new Float64Array(n + m);
    this.hessianX = new Float64Array(n);
    this.transposedY = new Float64Array(n);
    this.start(l, u);
  }

  /** The point that satisfies the rows and is nearest to the middle of the bounds, cost included. */
  private start(l: Float64Array, u: Float64Array): void {
    const { x, y, step, theta, isFixed } = this;
    const n = x.length;
    for (let j = 0; j < n; j++) {
      const hasLower = this.lower.isBounded[j] === 1;
      const hasUpper = this.upper.isBounded[j] === 1;
      const nearest = hasLower && hasUpper ? (l[j]! + u[j]!) / 2 : Math.min(Math.max(0, l[j]!), u[j]!);
      x[j] = isFixed[j] ? l[j]! : nearest;
      theta[j] = isFixed[j] ? FIXED_WEIGHT : hasLower || hasUpper ? 1 : 0;
      step[j] = theta[j]! * x[j]! - (isFixed[j] ? 0 : this.q[j]!);
    }
    step.set(this.b, n);
    this.kkt.factorise(theta);
    this.kkt.solve(step);
    for (let j = 0; j < n; j++) if (!isFixed[j]) x[j] = step[j]!;
    for (let i = 0; i < y.length; i++) y[i] = -step[n + i]!;
    this.lower.start(x, START_SLACK, START_MULTIPLIER);
    this.upper.start(x, START_SLACK, START_MULTIPLIER);
  }

  /** Computes residuals; returns how the iteration ends here, or undefined. */
  assess(tolerance: number): ProgrammeStatus | undefined {
    const { P, A, q, b, x, y, lower, upper, isFixed, dualGap, rowGap, hessianX: Px, transposedY: Aty } = this;
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
      if (isFixed[j]) {
        farkas -= x[j]! * Aty[j]!;
        continue;
      }
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
    const { lower, upper, theta, x, y, step, isFixed } = this;
    const n = x.length;
    for (let j = 0; j < n; j++) {
      theta[j] = isFixed[j] ? FIXED_WEIGHT : 0;
      if (lower.isBounded[j]) theta[j]! += lower.multiplier[j]! / lower.slack[j]!;
      if (upper.isBounded[j]) theta[j]! += upper.multiplier[j]! / upper.slack[j]!;
    }
    this.kkt.factorise(theta);
    lower.secondOrder.fill(0);
    upper.secondOrder.fill(0);
    this.direction(0);
    const pairs = lower.count + upper.count;
    if (pairs > 0 && this.mu > 0) {
      const length = this.stepLength(1);
      const after = (lower.productAfter(length) + upper.productAfter(length)) / pairs;
      lower.keepSecondOrder();
      upper.keepSecondOrder();
      const target = (after / this.mu) ** 3 * this.mu;
      this.direction(target);
      this.centre(target);
    }
    const length = this.stepLength(STEP_FRACTION);
    if (!(Math.max(length.primal, length.dual) > SHORTEST_STEP)) return false;
    for (let j = 0; j < n; j++) x[j]! += length.primal * step[j]!;
    for (let i = 0; i < y.length; i++) y[i]! -= length.dual * step[n + i]!;
    lower.move(length);
    upper.move(length);
    return true;
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

  private direction(target: number): void {
    const { lower, upper, step, isFixed } = this;
    const n = this.x.length;
    for (let j = 0; j < n; j++) {
      let r = isFixed[j] ? 0 : -this.dualGap[j]!;
      if (lower.isBounded[j]) r += lower.push(j, target);
      if (upper.isBounded[j]) r += upper.push(j, target);
      step[j] = r;
    }
    for (let i = 0; i < this.rowGap.length; i++) step[n + i] = -this.rowGap[i]!;
    this.kkt.solve(step);
    for (let j = 0; j < n; j++) {
      if (isFixed[j]) step[j] = 0;
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
  const { tolerance, maxIterations } = { ...DEFAULTS, ...settings };
  const n = programme.linear.length;
  const { col, row, cost } = equilibrate(programme.hessian, programme.equality, programme.linear);
  const iteration = new Iteration(
    scaled(programme.hessian, col, col, cost),
    scaled(programme.equality, row, col, 1),
    Float64Array.from(programme.linear, (v, j) => v * col[j]! * cost),
    Float64Array.from(programme.equalityValue, (v, i) => v * row[i]!),
    Float64Array.from(programme.lower, (v, j) => v / col[j]!),
    Float64Array.from(programme.upper, (v, j) => v / col[j]!),
  );
  let status: ProgrammeStatus = 'iterationLimit';
  let iterations = 0;
  for (; ; iterations++) {
    const ending = iteration.assess(tolerance);
    if (ending) {
      status = ending;
      break;
    }
    if (iterations >= maxIterations) break;
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
  const image = new Float64Array(n);
  addMultiplySymmetric(image, programme.hessian, x);
  let objective = 0;
  for (let j = 0; j < n; j++) objective += (programme.linear[j]! + image[j]! / 2) * x[j]!;
  const multiplier = (side: BoundSide) => Float64Array.from(side.multiplier, (v, j) => v / col[j]! / cost);
  return {
    status,
    x,
    y: Float64Array.from(iteration.y, (v, i) => (v * row[i]!) / cost),
    lowerMultiplier: multiplier(iteration.lower),
    upperMultiplier: multiplier(iteration.upper),
    objective,
    iterations,
    kktResidual: residuals.kkt,
    primalResidual: residuals.primal,
    dualResidual: residuals.dual,
    complementarityGap: residuals.gap,
  };
}
