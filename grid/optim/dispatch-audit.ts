import { createPowerFlow, type FeederFlow } from '../flow/index.js';
import { buildFeeder, type FeederData } from '../model/index.js';
import { objectiveOf } from './fair-dispatch.js';
import { type FairProblem, fairProblem } from './fair-problem.js';
import type { FairnessRule } from './fairness-rule.js';
import { AC_TOLERANCE_PU, type Extremes, FeederTruth } from './feeder-truth.js';
import { kktResidual } from './kkt-residual.js';
import { leastCurtailment, moved } from './least-curtailment.js';
import { type LinearFeeder, linearFeeder } from './lindistflow.js';
import { type CurtailmentProblem, curtailmentProblem } from './problem.js';
import type { ReactiveRule } from './reactive.js';
import type { FairnessMode, LocalInputs, PrimaryState, VoltageLimits } from './star.js';
import { modelOfCurve } from './star-cost.js';

/*
 * What a dispatch of a whole feeder is worth, by yardsticks in one hand: the least curtailment that holds the limits, the
 * linear model at the dispatch, the distance from the optimum of its own rule.
 *
 * Steps: 1. AC power flow of the dispatch, onto which the linear model is moved; 2. KKT residual there; 3. least
 *        curtailment, moved onto its own AC power flow until its voltage maximum stands at the limit.
 * Cost: one quadratic and one to four linear programmes; the power flow is built once and the linear model kept as long as
 *       taps, capacitors and switches stay.
 * Fails: with parts left out: no least curtailment and no residual where the limits cannot hold.
 */

/** One dispatch to judge. */
export interface AuditQuestion {
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  /** Curtailed fraction by PV id; a unit not named is not curtailed. */
  readonly alpha: Readonly<Record<string, number>>;
  /** Reactive power by PV id, var; none for units not named. */
  readonly reactiveVar?: Readonly<Record<string, number>>;
  /** Weights of rule feedback that it was found with; those of the rule when absent. */
  readonly factors?: FairnessRule['factors'];
}

/** What dispatches are held against. */
export interface AuditSettings {
  readonly limits: VoltageLimits;
  readonly fairness: FairnessMode;
  readonly rule?: FairnessRule;
  readonly reactive?: ReactiveRule;
}

/** What came out. */
export interface DispatchFigures {
  /** Curtailment of the rule `total` under the same limits, W; undefined when no dispatch holds them. */
  readonly leastCurtailedW: number | undefined;
  /** Why there is no least curtailment; undefined when there is one. */
  readonly reason: string | undefined;
  /** Linear model without correction at the dispatch. */
  readonly linear: Extremes;
  /** See kkt-residual.ts; undefined where the limits cannot hold. */
  readonly kktResidual: number | undefined;
  /** Value of the rule's objective ({@link objectiveOf}), where the rule is more than a mode. */
  readonly objective?: number;
}

/** Judges dispatches of one feeder. */
export type DispatchAudit = (question: AuditQuestion) => DispatchFigures;

/** Makes the judge of a feeder. */
export function createDispatchAudit(data: FeederData, settings: AuditSettings): DispatchAudit {
  const feeder = buildFeeder(data);
  const { limits, fairness, rule: given, reactive } = settings;
  const isReactive = reactive !== undefined && reactive.mode !== 'none';
  let kept: { readonly key: string; readonly linear: LinearFeeder; readonly flow: FeederFlow } | undefined;
  return ({ inputs, state, alpha, reactiveVar, factors }) => {
    const whole = given && { ...given, factors: factors ?? given.factors };
    const key = JSON.stringify(state);
    if (kept?.key !== key) kept = { key, linear: linearFeeder(feeder, state), flow: createPowerFlow(feeder) };
    const { linear, flow } = kept;
    const truth = new FeederTruth(feeder, linear, inputs, state, { limits }, flow);
    const dispatch = new Map(Object.entries(alpha));
    const decided = reactiveVar && new Map(Object.entries(reactiveVar));
    const check = truth.solveAnswered(dispatch, decided);
    const plain = curtailmentProblem(feeder, linear, inputs, limits, fairness);
    const extremes = truth.linearExtremes(dispatch, decided);
    const isInside =
      check.isConverged &&
      check.limitedMaxPu <= limits.maxPu + AC_TOLERANCE_PU &&
      check.limitedMinPu >= limits.minPu - AC_TOLERANCE_PU;
    // Nothing can be less than what is nothing already.
    const isNothing = isInside && Object.values(alpha).every((one) => one <= 0);
    const curtailedW = plain.units.reduce((sum, { id, availableW }) => sum + availableW * (alpha[id] ?? 0), 0);
    const least =
      isReactive && isNothing
        ? { leastCurtailedW: 0, reason: undefined }
        : leastCurtailment(
            {
              feeder,
              linear,
              inputs,
              limits,
              reactive,
              held: { curtailedW, excessPu: truth.excessPu(check) },
            },
            truth,
          );
    if (!check.isConverged) return { ...least, linear: extremes, kktResidual: undefined };
    const fair = whole && fairProblem(feeder, linear, inputs, limits, whole);
    const own = fair ? atDispatch(fair, dispatch) : plain;
    const conditions = moved(own, check.correction);
    // Rules of several programmes and reactive power have conditions of more than one quadratic programme.
    const hasResidual = !isReactive && whole?.mode !== 'maxMin' && whole?.mode !== 'equalKw';
    return {
      ...least,
      linear: extremes,
      kktResidual: hasResidual ? kktResidual(conditions, dispatch)?.residual : undefined,
      ...(fair ? { objective: objectiveOf(fair, groupAlphaOf(fair, dispatch)) } : {}),
    };
  };
}

/** A problem with the quadratic model of its cost at a dispatch, which has the same conditions there. */
function atDispatch(problem: FairProblem, alpha: ReadonlyMap<string, number>): CurtailmentProblem {
  const { rule, weightKw } = problem;
  if (rule.mode !== 'alphaFair') return problem;
  return { ...problem, cost: modelOfCurve({ weightKw, gamma: rule.gamma }, groupAlphaOf(problem, alpha)) };
}

function groupAlphaOf({ units, groupCount }: FairProblem, alpha: ReadonlyMap<string, number>): Float64Array {
  const own = new Float64Array(groupCount);
  for (const { id, group } of units) own[group] = alpha.get(id) ?? 0;
  return own;
}
