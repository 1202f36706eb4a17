import type { Exchange } from './exchange.js';
import type { RoundProgress } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * The pace of the rounds: over-relaxation, penalty, and what is done when they run away.
 *
 * Steps: 1. a residual that grows takes over-relaxation back by a step, one that falls gives it back; 2. every fifth round
 *        the penalty changes by the root of the ratio of the residuals where that is large, or, where one of them is within
 *        its tolerance and the other is far from it, by the root of the ratio of what each lacks; 3. a residual of ten times
 *        the least so far is divergence: copies and prices go back to where it was least, half the step of the penalty is
 *        undone, and from then on the penalty makes half steps; 4. two calm rounds in a row are the end: nothing moves much, nor
 *        would it if the last rounds went on at their rate.
 * Fails: not; with steps of the penalty that shrink without end, two convex blocks converge.
 * Source: Boyd et al. (2011), sections 3.3.1, 3.4.1 and 3.4.3; Wohlberg (2017), arXiv:1704.06209, for relative residuals;
 *         dec-ancestor study 9.4 (guard, stop).
 */

/** What the pace is kept by. */
export interface Pace {
  rho: number;
  round: number;
  /** Present over-relaxation, and the residual of the last round, that it is adapted by. */
  relaxation: number;
  lastResidual: number;
  /** Least residual since the last (re)start. */
  leastResidual: number;
  /** Exponent of the residuals' ratio in a change of the penalty: a root at first, halved by every restart. */
  balanceExponent: number;
  /** Rounds in a row in which nothing moved any more. */
  calmRounds: number;
  /** Largest change of a curtailed fraction in each of the last rounds, newest last. */
  alphaChanges: readonly number[];
  /** Primal residual over its tolerance in each of the last rounds, newest last. */
  disagreements: readonly number[];
}

/** Residuals of a round and what they are to come below. */
export type Residuals = Pick<RoundProgress, 'primalResidual' | 'primalTolerance' | 'dualResidual' | 'dualTolerance'>;

/** What the end is judged by. */
export interface RoundOutcome extends Residuals {
  /** Largest change of a port's power, W, and of a curtailed fraction. */
  readonly powerChangeW: number;
  readonly alphaChange: number;
  /** Somebody is silent who has not been given up. */
  readonly isAwaiting: boolean;
}

/** Calm rounds in a row that are the end. */
const CALM_ROUNDS = 2;
/**
 * How far the primal residual may still have to go, in its tolerances. Agents can rest at the end of what they can do, with a
 * residual that stays, while prices are on their way to where they move again.
 */
const DISAGREEMENT_DISTANCE = 15;

/** Counts calm rounds; whether the rounds are at their end. */
export function settles(
  pace: Pick<Pace, 'calmRounds' | 'alphaChanges' | 'disagreements'>,
  settings: Pick<StarSettings, 'powerToleranceW' | 'alphaTolerance' | 'alphaDistance'>,
  { primalResidual, primalTolerance, dualResidual, dualTolerance, ...outcome }: RoundOutcome,
): boolean {
  pace.alphaChanges = [...pace.alphaChanges, outcome.alphaChange].slice(-2 * RATE_BLOCK);
  pace.disagreements = [...pace.disagreements, primalTolerance > 0 ? primalResidual / primalTolerance : 0].slice(
    -2 * RATE_BLOCK,
  );
  const isCalm =
    primalResidual <= primalTolerance &&
    dualResidual <= dualTolerance &&
    outcome.powerChangeW <= settings.powerToleranceW &&
    outcome.alphaChange <= settings.alphaTolerance;
  pace.calmRounds = isCalm && !outcome.isAwaiting ? pace.calmRounds + 1 : 0;
  return (
    pace.calmRounds >= CALM_ROUNDS &&
    distanceToCome(pace.alphaChanges) <= settings.alphaDistance &&
    distanceToCome(pace.disagreements) <= DISAGREEMENT_DISTANCE
  );
}

/** Rounds over which the rate of steps that shrink is taken: the last ones tell what has just slowed down. */
const RATE_SPANS = [5, 2] as const;
/** Rounds in each of the two blocks whose ratio is the rate of steps that swing. */
const RATE_BLOCK = 3;
/** A rate is taken as no nearer to 1: the distance is then 49 times the last step. */
const RATE_MAX = 0.98;

/**
 * How far a sequence of steps that shrink geometrically still goes: the last step times q / (1 - q). The rate q is the slower of
 * those over five and over two rounds; where a step of the last rounds has grown, that of the sums of three rounds and the three
 * before. One step alone says nothing about a rate and goes nowhere further.
 *
 * @param steps - newest last, not negative
 */
export function distanceToCome(steps: readonly number[]): number {
  const last = steps.length - 1;
  const step = steps[last] ?? 0;
  if (last < 1 || step === 0) return 0;
  const recent = steps.slice(-RATE_BLOCK);
  const isSwinging = last >= 2 * RATE_BLOCK - 1 && recent.some((one, k) => k > 0 && one > recent[k - 1]!);
  const rate = Math.min(RATE_MAX, isSwinging ? blockRate(steps) : spanRate(steps));
  return (step * rate) / (1 - rate);
}

function spanRate(steps: readonly number[]): number {
  const last = steps.length - 1;
  const rates = RATE_SPANS.map((rounds) => {
    const span = Math.min(rounds, last);
    return (steps[last]! / steps[last - span]!) ** (1 / span);
  });
  return Math.max(...rates);
}

function blockRate(steps: readonly number[]): number {
  const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0);
  return (sum(steps.slice(-RATE_BLOCK)) / sum(steps.slice(-2 * RATE_BLOCK, -RATE_BLOCK))) ** (1 / RATE_BLOCK);
}

/** The pace of a first round. */
export function startPace(settings: StarSettings): Pace {
  return {
    rho: settings.rho,
    round: 0,
    relaxation: settings.relaxation,
    lastResidual: Infinity,
    leastResidual: Infinity,
    balanceExponent: 0.5,
    calmRounds: 0,
    alphaChanges: [],
    disagreements: [],
  };
}

/** A residual that grows by this factor in a round takes over-relaxation back by a step; one that falls gives it back. */
const RELAX_GROWTH = 1.5;
const RELAX_STEP = 0.2;

/** Adapts over-relaxation: rounds that swing get less of it, down to none. */
export function relax(pace: Pace, settings: StarSettings, residual: number): void {
  const isSwinging = residual > RELAX_GROWTH * pace.lastResidual;
  const next = pace.relaxation + (isSwinging ? -RELAX_STEP : RELAX_STEP / 2);
  pace.relaxation = Math.min(settings.relaxation, Math.max(Math.min(1, settings.relaxation), next));
  pace.lastResidual = residual;
}

const BALANCE_EVERY = 5;
const BALANCE_RATIO = 5;
const BALANCE_LARGEST_FACTOR = 10;
const BALANCE_UNTIL = 200;
/** Where only one residual is within its tolerance: how many times as far the other must be from its own. */
const LACK_RATIO = 2;

/** By what the penalty changes to keep the residuals within a ratio of one another; 1 where it stays. */
export function balanceFactor(
  { round, balanceExponent }: Pick<Pace, 'round' | 'balanceExponent'>,
  residuals: Residuals,
): number {
  if (round % BALANCE_EVERY !== 0 || round > BALANCE_UNTIL) return 1;
  const ratio = unbalance(residuals);
  if (ratio === 1) return 1;
  const power = balanceExponent === 0.5 ? Math.sqrt(ratio) : ratio ** balanceExponent;
  return Math.min(BALANCE_LARGEST_FACTOR, Math.max(1 / BALANCE_LARGEST_FACTOR, power));
}

/** Ratio of the residuals where it is to change, 1 where it may stay. */
function unbalance({ primalResidual, primalTolerance, dualResidual, dualTolerance }: Residuals): number {
  const ratio = primalResidual / Math.max(dualResidual, 1e-12);
  if (ratio > BALANCE_RATIO || ratio < 1 / BALANCE_RATIO) return ratio;
  // Rounds can crawl with residuals of like size, of which one has long been small enough.
  const [primal, dual] = [primalResidual / primalTolerance, dualResidual / dualTolerance];
  const lack = primal / Math.max(dual, 1e-12);
  const isOneSided = primal <= 1 !== dual <= 1;
  return isOneSided && (lack > LACK_RATIO || lack < 1 / LACK_RATIO) ? lack : 1;
}

/** Scaled prices change inversely to the penalty. */
export function scalePrices({ power, reactive, voltage }: Exchange, factor: number): void {
  for (const list of [power, reactive, voltage]) for (let k = 0; k < list.length; k++) list[k]! /= factor;
}

/** Growth of the residual over its least that counts as divergence. */
const DIVERGED_GROWTH = 10;

/** Whether the rounds have run away: the residual is ten times the least so far and not small. */
export function hasDiverged(pace: Pace, residual: number, tolerance: number): boolean {
  if (residual < pace.leastResidual) pace.leastResidual = residual;
  return residual > DIVERGED_GROWTH * Math.max(pace.leastResidual, tolerance);
}

/** What the rounds go on from. */
interface Place {
  readonly z: Exchange;
  readonly price: Exchange;
  readonly ownAlpha: Float64Array;
}

/** Where the rounds can go back to. */
export interface Checkpoint extends Place {
  readonly rho: number;
}

const copied = ({ power, reactive, voltage }: Exchange): Exchange => ({
  power: power.slice(),
  reactive: reactive.slice(),
  voltage: voltage.slice(),
});

/** What is kept of a round with the least residual so far. */
export function checkpoint({ rho, z, price, ownAlpha }: Place & Pace): Checkpoint {
  return { rho, z: copied(z), price: copied(price), ownAlpha: ownAlpha.slice() };
}

/** Goes back to a checkpoint with half the step that the penalty has made since, and shorter steps to come. */
export function restart(memory: Place & Pace, { rho, z, price, ownAlpha }: Checkpoint): void {
  const next = Math.sqrt(rho * memory.rho);
  for (const block of ['power', 'reactive', 'voltage'] as const) {
    memory.z[block].set(z[block]);
    memory.price[block].set(price[block]);
  }
  memory.ownAlpha.set(ownAlpha);
  scalePrices(memory.price, next / rho);
  restartPace(memory, next);
}

/** The pace after a restart. */
export function restartPace(pace: Pace, rho: number): void {
  pace.rho = rho;
  pace.relaxation = 1;
  pace.lastResidual = Infinity;
  // What was least was so in other circumstances, as before an agent came back: measured by it the rounds would go back for ever.
  pace.leastResidual = Infinity;
  pace.balanceExponent /= 2;
  pace.alphaChanges = [];
  pace.disagreements = [];
}

/**
 * By how much residuals may exceed their tolerances at the end of the first passes: what these are for is the correction
 * after them, and it moves voltages by more than agreement to the last digit would. The last pass is always exact.
 */
const ROUGH_PASSES: readonly number[] = [40, 8];

/** Whether the pass after so many corrections may end before agents agree. */
export function isRoughPass(corrections: number): boolean {
  return corrections < ROUGH_PASSES.length;
}

/** Whether the rounds of a pass have come near enough to agreement for the correction that follows. */
export function isNearAgreement(
  { primalResidual, primalTolerance, dualResidual, dualTolerance, missing = [] }: RoundProgress,
  corrections: number,
  maxCorrections: number,
): boolean {
  const excess = corrections < maxCorrections && missing.length === 0 ? ROUGH_PASSES[corrections] : undefined;
  return excess !== undefined && primalResidual < excess * primalTolerance && dualResidual < excess * dualTolerance;
}
