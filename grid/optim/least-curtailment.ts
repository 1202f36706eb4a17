import type { Feeder } from '../model/index.js';
import { CENTRAL_STATUS_TEXT, type CentralStatus, solveCentral } from './central.js';
import { solveFair } from './fair-dispatch.js';
import { fairProblem } from './fair-problem.js';
import { fairnessRule } from './fairness-rule.js';
import { AC_TOLERANCE_PU, type FeederTruth } from './feeder-truth.js';
import type { LinearFeeder } from './lindistflow.js';
import { type CurtailmentProblem, curtailmentProblem } from './problem.js';
import type { ReactiveRule } from './reactive.js';
import { refugeRules } from './refuge-rules.js';
import type { LocalInputs, VoltageLimits } from './star.js';

/*
 * The yardstick of the price of fairness: the least curtailment by customers (`total`, by capacity), in one hand, at the inputs
 * and the state of what is measured with it, held to its own AC power flow.
 *
 * It begins with the linear model as it is, or on the AC power flow of nobody curtailed where controls answer, so that it does
 * not depend on what is measured with it: a coordination, a comparison of rules and a run have the same for one interval.
 * Where no dispatch with reactive power holds, it is the least with less of it or without any. Where controls answer, corrections may end at more
 * than what another rule came to: a dispatch that holds is given, and the least found is never above it.
 *
 * Cost: one to eight programmes, eleven at most; four times that where none with all of the reactive power holds.
 * Fails: with a reason where no dispatch was found that holds the limits.
 */

/**
 * Corrections of the least curtailment at most, and how near its AC maximum must come to the limit, pu. A dispatch that is
 * carried out has three and then goes the safe way; the yardstick has as many as it takes, where the least moves from one unit
 * to another with each (seven on the built-in feeder at 1.055 to 1.062 pu).
 */
const MAX_CORRECTIONS = 10;
const EXACT_PU = 1e-7;
/** Why there is none where the programme has an optimum. */
const NOT_FOUND = 'no dispatch of least curtailment was found that keeps the limits in the AC power flow.';
/**
 * How nearly a dispatch must hold the limits to be less than the least that was found, pu: what dispatches are searched to; and
 * by how much less, as a share. What is nearer is what those limits cost, and no other dispatch.
 */
const HELD_PU = 1e-6;
const HELD_SHARE = 1e-3;
/** Curtailed fraction from which a unit counts as curtailed. */
const CURTAILED = 1e-4;
/** Reactive power from which a unit counts as absorbing, var. */
const ABSORBED_VAR = 1;
/** Tolerance of the yardstick's programmes where reactive power is decided. */
const LEAST_TOLERANCE = 1e-8;

/** A dispatch of the yardstick. */
interface Least {
  readonly status: CentralStatus;
  readonly alpha: ReadonlyMap<string, number>;
  readonly reactiveVar: ReadonlyMap<string, number>;
  readonly curtailedW: number;
}

/** What the yardstick is found for. */
export interface LeastQuestion {
  readonly feeder: Feeder;
  readonly linear: LinearFeeder;
  readonly inputs: LocalInputs;
  readonly limits: VoltageLimits;
  readonly reactive?: ReactiveRule | undefined;
  /** A dispatch that was found, W, and by how much it exceeds the limits, pu; where it holds, nothing that is more is the least. */
  readonly held?: { readonly curtailedW: number; readonly excessPu: number } | undefined;
}

/** The yardstick. */
export interface LeastCurtailment {
  /** W; undefined when no dispatch holds the limits. */
  readonly leastCurtailedW: number | undefined;
  /** Why there is none. */
  readonly reason: string | undefined;
}

/** Finds the yardstick. @param truth - of the same feeder, inputs and state */
export function leastCurtailment(question: LeastQuestion, truth: FeederTruth): LeastCurtailment {
  const least = foundLeast(question, truth);
  return { ...least, leastCurtailedW: orHeld(least.leastCurtailedW, question.held) };
}

/** The least that was found, or a dispatch beside it that holds and is less. */
export function orHeld<W extends number | undefined>(leastW: W, held: LeastQuestion['held']): W | number {
  if (held === undefined || leastW === undefined) return leastW;
  const { curtailedW, excessPu } = held;
  const isLess = excessPu <= 0 ? curtailedW < leastW : excessPu <= HELD_PU && curtailedW < (1 - HELD_SHARE) * leastW;
  return isLess ? curtailedW : leastW;
}

function foundLeast(question: LeastQuestion, truth: FeederTruth): LeastCurtailment {
  const { feeder, linear, inputs, limits, reactive } = question;
  if (reactive !== undefined && reactive.mode !== 'none') {
    const total = fairnessRule({ mode: 'total' });
    const leastWith = (by: ReactiveRule): LeastCurtailment => {
      const problem = fairProblem(feeder, linear, inputs, limits, total, by);
      return leastBy(problem, truth, limits, (correction) => {
        const { status, unitAlpha, reactiveVar, curtailedW } = solveFair(moved(problem, correction), LEAST_TOLERANCE);
        return { status, alpha: byUnit(problem, unitAlpha), reactiveVar: byUnit(problem, reactiveVar), curtailedW };
      });
    };
    const least = leastWith(reactive);
    if (least.leastCurtailedW !== undefined || reactive.mode === 'volt-var') return least;
    // Controls may answer reactive power so that nothing holds, where a dispatch with less or without any does: rules give way to that.
    const lesser = refugeRules(total, reactive).filter(({ has }) => has === 'less');
    const found = [...lesser.map(({ reactive: by }) => leastWith(by)), leastWithout(question, truth)];
    return found.reduce((a, b) => ((b.leastCurtailedW ?? Infinity) < (a.leastCurtailedW ?? Infinity) ? b : a));
  }
  return leastWithout(question, truth);
}

function leastWithout({ feeder, linear, inputs, limits }: LeastQuestion, truth: FeederTruth): LeastCurtailment {
  const problem = curtailmentProblem(feeder, linear, inputs, limits, 'total');
  const none = new Map<string, number>();
  return leastBy(problem, truth, limits, (correction) => {
    const { status, unitAlpha, curtailedW } = solveCentral(moved(problem, correction));
    return { status, alpha: byUnit(problem, unitAlpha), reactiveVar: none, curtailedW };
  });
}

/** A problem whose linear model is moved onto an AC power flow. */
export function moved<Problem extends CurtailmentProblem>(
  problem: Problem,
  correction: Float64Array | undefined,
): Problem {
  return correction === undefined ? problem : { ...problem, correction: { voltageSquaredPu: correction } };
}

function byUnit({ units }: CurtailmentProblem, values: Float64Array): ReadonlyMap<string, number> {
  return new Map(units.map(({ id }, u) => [id, values[u]!]));
}

function leastBy(
  problem: CurtailmentProblem,
  truth: FeederTruth,
  limits: VoltageLimits,
  solve: (correction: Float64Array | undefined) => Least,
): LeastCurtailment {
  if (problem.units.length === 0) return { leastCurtailedW: 0, reason: undefined };
  // Where controls answer, the model stands on the AC power flow from the first programme on, as a coordination's does.
  const before = truth.hasControls ? truth.solve(new Map()) : undefined;
  let correction = before?.isConverged ? before.correction : undefined;
  let used = correction ?? new Float64Array(problem.network.nodes.length);
  for (let corrections = 0; ; ) {
    const { status, alpha, reactiveVar, curtailedW } = solve(correction);
    const check = truth.solveAnswered(alpha, reactiveVar);
    const isUsing =
      [...alpha.values()].some((one) => one > CURTAILED) || [...reactiveVar.values()].some((q) => q < -ABSORBED_VAR);
    const isOff = check.isConverged && truth.wantsCorrection(check, used, isUsing, EXACT_PU);
    if (isOff && corrections < MAX_CORRECTIONS) {
      used = check.correction;
      correction = check.correction;
      corrections++;
      continue;
    }
    const isInside =
      check.isConverged &&
      check.limitedMaxPu <= limits.maxPu + AC_TOLERANCE_PU &&
      check.limitedMinPu >= limits.minPu - AC_TOLERANCE_PU;
    if (status === 'optimal' && isInside) return { leastCurtailedW: curtailedW, reason: undefined };
    return { leastCurtailedW: undefined, reason: status === 'optimal' ? NOT_FOUND : CENTRAL_STATUS_TEXT[status] };
  }
}
