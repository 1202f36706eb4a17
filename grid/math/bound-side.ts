/*
 * One kind of bound in an interior-point method: slacks s and multipliers z of all lower, or all upper, bounds.
 *
 * With the bound written as s = sign (x - bound) >= 0, eliminating s and z from Newton's equations leaves z / s on the diagonal
 * of x and a push on its right-hand side; the steps of s and z follow from that of x.
 * Source: Wright (1997), Primal-Dual Interior-Point Methods, chapters 5 and 10; Gondzio (1996) for {@link BoundSide.aim}.
 */

/** Lengths of a step; they differ only where there is no quadratic cost. */
export interface StepLength {
  readonly primal: number;
  readonly dual: number;
}

/** Slack, multiplier and their steps for one kind of bound. `sign` is +1 for lower bounds, -1 for upper ones. */
export class BoundSide {
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
  ) {
    const n = bound.length;
    this.isBounded = Uint8Array.from(bound, (v) => (Number.isFinite(v) ? 1 : 0));
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
