import { hasAnsweringControls } from '../../flow/index.js';
import type { Finding } from '../../model/index.js';
import { fairnessReport } from '../fairness-metrics.js';
import { AC_TOLERANCE_PU } from '../feeder-truth.js';
import {
  FEEDER_HORIZON_STATUS_TEXT,
  type FeederHorizonQuestion,
  type FeederHorizonResult,
  type FeederHorizonStatus,
  type HorizonStep,
} from './feeder-horizon.js';
import { HorizonCase } from './horizon-case.js';
import { HorizonOptimiser, type HorizonOptimum } from './horizon-optimum.js';
import { HorizonTruth, type StepTruth } from './horizon-truth.js';
import { horizonPrice, leastSun } from './least-sun.js';

/*
 * Coordination of batteries and sun over a horizon, held to the AC power flow of every step.
 *
 * Steps: 1. schedules on the linear model (horizon-optimum.ts); 2. AC power flow of each step; 3. what it says the linear
 * model missed is added to the model, step by step, and 1 repeated with the limits found so far; three times at most.
 * 4. Where a node of a step stays outside, because the linear model takes it for easier to move than it is, all limits of the step
 * are made tighter by a quarter more than what is exceeded, and 1 repeated, three times at most. What exceeds least is taken.
 * Cost: one row-generated programme per pass, one power flow per step and pass.
 * Fails: with a status.
 */

/** AC voltages may pass a limit by this before a further correction, pu. */
const CORRECT_ABOVE_PU = AC_TOLERANCE_PU / 2;
/** Passes with tighter limits, and how much more than what was exceeded they are. */
const TIGHTENED_MAX = 3;
const TIGHTENING = 1.25;
/** Limits are not made tighter by more than this share of their distance. */
const TIGHTENED_SHARE = 0.25;

/**
 * Schedules every battery and PV system of a feeder over a horizon.
 *
 * @throws DecError `BAD_ARGUMENT` for forecasts of the wrong length or data that make no sense; `LOOP`, `NO_SOURCE`
 */
export function coordinateHorizon(question: FeederHorizonQuestion): FeederHorizonResult {
  const horizon = new HorizonCase(question);
  const optimiser = new HorizonOptimiser(horizon, {
    fairnessPerKwh: question.fairnessPerKwh ?? 1,
    maxCouplingRows: question.maxCouplingRows ?? 150,
  });
  const truth = new HorizonTruth(horizon);
  const maxCorrections = question.maxCorrections ?? 3;
  const heldSteps = question.heldSteps ?? horizon.steps;
  const stepsOf = Array.from({ length: horizon.steps }, (_, t) => t);
  const uncoordinatedMaxPu = stepsOf.map((t) => {
    const v = horizon.voltages(t, optimiser.generated(optimiser.alone, t));
    return Math.sqrt(
      v.reduce((most, value, i) => (Number.isFinite(horizon.upperSquaredPu[i]!) ? Math.max(most, value) : most), 0),
    );
  });
  let corrections = 0;
  let programmes = 0;
  let linearErrorPu = 0;
  let tightened = 0;
  let best: Outcome | undefined;
  /** What came out before batteries were decided again. */
  let first: Outcome | undefined;
  for (;;) {
    const correction = corrections;
    const optimum = optimiser.solve((progress) => question.onPass?.({ correction, ...progress }));
    programmes += optimum.programmes;
    const checks = stepsOf.map((t) => truth.solve(t, optimum.schedules));
    const missed = stepsOf.map((t) => {
      const linear = horizon.voltages(t, optimiser.generated(optimum.schedules, t));
      return linear.map((v, i) => {
        const ac = checks[t]!.voltageSquaredPu[i]!;
        return Number.isFinite(ac) ? ac - v : 0;
      });
    });
    if (corrections === 0) {
      for (const step of missed) for (const value of step) linearErrorPu = Math.max(linearErrorPu, Math.abs(value) / 2);
    }
    const isOver = checks.some(({ excessPu, isConverged }) => isConverged && excessPu > CORRECT_ABOVE_PU);
    // Where limits bind, one correction at least: the limit of the linear model is not that of the feeder.
    const isUntried = optimum.rows > 0 && corrections === 0;
    const outcome: Outcome = {
      ...{ optimum, corrections },
      checks,
      excessPu: excessOf(checks.slice(0, heldSteps)),
      tightenedPu: Math.max(...horizon.tightenedPu.map(Math.abs)),
    };
    if (best === undefined || tightened === 0 || outcome.excessPu < best.excessPu) best = outcome;
    const isSpent = corrections >= maxCorrections;
    const isDone = optimum.status === 'failed' || !(isOver || isUntried);
    if (
      isDone ||
      (isSpent && (maxCorrections === 0 || tightened >= TIGHTENED_MAX || !tighten(horizon, checks.slice(0, heldSteps))))
    ) {
      // The linear model stands on the AC power flow now: batteries that rest on a few limits can be decided by all of them.
      if (first === undefined && question.heldSteps === undefined && optimiser.decideAgain()) {
        first = best;
        best = undefined;
        corrections = 0;
        tightened = 0;
        horizon.tightenedPu.fill(0);
        continue;
      }
      const chosen = first && isBetter(first, best) ? first : best;
      return report(horizon, optimiser, truth, chosen, {
        corrections: chosen.corrections,
        programmes,
        linearErrorPu,
        uncoordinatedMaxPu,
      });
    }
    if (isSpent) {
      tightened++;
      continue;
    }
    missed.forEach((step, t) => {
      const kept = horizon.correction[t]!;
      for (let i = 0; i < step.length; i++) kept[i]! += step[i]!;
    });
    corrections++;
  }
}

/** Schedules, and what the AC power flow says of them. */
interface Outcome {
  readonly optimum: HorizonOptimum;
  readonly checks: readonly StepTruth[];
  /** Corrections since batteries were decided. */
  readonly corrections: number;
  /** By how much steps that must hold exceed their limits beyond the tolerance, summed, pu. */
  readonly excessPu: number;
  /** Most by which the limits of a step were tighter, pu. */
  readonly tightenedPu: number;
}

/** Limits come before cost. */
function isBetter(a: Outcome, b: Outcome): boolean {
  if (a.excessPu > 0 || b.excessPu > 0) return a.excessPu < b.excessPu;
  return a.optimum.objective < b.optimum.objective;
}

function excessOf(checks: readonly StepTruth[]): number {
  return checks.reduce(
    (sum, { isConverged, excessPu }) => sum + (isConverged ? Math.max(0, excessPu - AC_TOLERANCE_PU) : Infinity),
    0,
  );
}

/** Makes the limits of steps that exceed them tighter. @returns whether there was one that can be */
function tighten({ question, tightenedPu }: HorizonCase, checks: readonly StepTruth[]): boolean {
  const { minPu, maxPu } = question.voltageLimits;
  let isAny = false;
  checks.forEach(({ isConverged, excessPu, vMaxPu, vMinPu }, t) => {
    if (!isConverged || excessPu <= CORRECT_ABOVE_PU) return;
    const isHigh = vMaxPu - maxPu >= minPu - vMinPu;
    const before = tightenedPu[t]!;
    // A step that breaks both limits in turn begins again at the other one.
    const from = isHigh === before >= 0 ? Math.abs(before) : 0;
    const margin = from + TIGHTENING * excessPu;
    if (!(margin <= TIGHTENED_SHARE * (maxPu - minPu))) return;
    tightenedPu[t] = isHigh ? margin : -margin;
    isAny = true;
  });
  return isAny;
}

function report(
  horizon: HorizonCase,
  optimiser: HorizonOptimiser,
  truth: HorizonTruth,
  { optimum, checks, tightenedPu }: Outcome,
  counts: Pick<FeederHorizonResult, 'corrections' | 'programmes' | 'linearErrorPu'> & {
    readonly uncoordinatedMaxPu: readonly number[];
  },
): FeederHorizonResult {
  const { points, question } = horizon;
  const { schedules } = optimum;
  const heldSteps = question.heldSteps ?? checks.length;
  const priced = { schedules, alone: optimiser.alone, checks };
  const sum = (of: (k: number) => number) => points.reduce((all, _, k) => all + of(k), 0);
  const steps = checks.map((check, t): HorizonStep => {
    const availableW = sum((k) => points[k]!.customer.availableW[t]!);
    const stored = (k: number) => schedules[k]!.batteries.reduce((all, { storedWh }) => all + storedWh[t]!, 0);
    return {
      vMaxPu: check.vMaxPu,
      vMinPu: check.vMinPu,
      worstNode: check.worstNode,
      uncoordinatedMaxPu: counts.uncoordinatedMaxPu[t]!,
      violations: check.violations,
      isConverged: check.isConverged,
      leastCurtailedW: t < heldSteps ? (leastSun(horizon, truth, priced, t) ?? null) : null,
      availableW,
      curtailedW: availableW - sum((k) => schedules[k]!.pvW[t]!),
      batteryW: sum((k) => schedules[k]!.batteries.reduce((all, { powerW }) => all + powerW[t]!, 0)),
      storedWh: sum(stored),
      sourceW: check.sourceW,
    };
  });
  const alpha = new Map<string, Float64Array>();
  const curtailedShare: number[] = [];
  points.forEach(({ point, customer }, k) => {
    const byStep = customer.availableW.map((available, t) =>
      available > 0 ? Math.min(1, Math.max(0, 1 - schedules[k]!.pvW[t]! / available)) : 0,
    );
    const availableWh = customer.availableW.reduce((all, w) => all + w, 0);
    const curtailedWh = customer.availableW.reduce((all, w, t) => all + w * byStep[t]!, 0);
    for (const pv of point.pvSystems) {
      alpha.set(pv.id, byStep);
      if (availableWh > 0) curtailedShare.push(curtailedWh / availableWh);
    }
  });
  // Steps that are looked ahead at are held by later plans.
  const held = steps.slice(0, heldSteps);
  const isViolated = held.some(({ violations, isConverged }) => violations > 0 || !isConverged);
  const status: FeederHorizonStatus =
    points.length === 0
      ? 'nothingToDo'
      : optimum.status === 'failed' || optimiser.impossible.length > 0
        ? 'failed'
        : isViolated
          ? 'limitsViolated'
          : 'optimal';
  const isOpen = status === 'optimal' && (optimum.gap ?? 0) > CLOSED_GAP * (1 + Math.abs(optimum.objective));
  const hours = question.stepS / 3600;
  const findings = [...horizon.findings];
  if (tightenedPu > 0) {
    findings.push({
      severity: 'info',
      code: 'LIMITS_TIGHTENED',
      message: `Steps that exceeded their limits after the corrections were planned with limits tighter by up to ${tightenedPu.toExponential(1)} pu.`,
    });
  }
  const controls = question.feeder.regulators.length + question.feeder.capacitors.length;
  // A live run reads them anew for each plan.
  const isKept = question.heldSteps === undefined || question.firstStep !== undefined;
  if (points.length > 0 && isKept && hasAnsweringControls(question.feeder)) {
    const hint = isViolated ? ': with them following the hours, limits may hold that are broken here' : '';
    findings.push({
      severity: isViolated ? 'warning' : 'info',
      code: 'CONTROLS_HELD',
      message: `${controls} regulators and capacitor banks stay where they are over the whole horizon${hint}.`,
      count: controls,
    });
  }
  if (points.length > 0) findings.push(...brokenLimits(checks.slice(0, heldSteps), question));
  for (const id of optimiser.impossible) {
    findings.push({
      severity: 'error',
      code: 'SCHEDULE_INFEASIBLE',
      message: `No schedule of the customer ${id} keeps its limits at the meter and the end of its battery; widen them.`,
      name: id,
    });
  }
  return {
    status,
    statusText: isOpen ? OPEN_TEXT : FEEDER_HORIZON_STATUS_TEXT[status],
    steps,
    schedules: new Map(points.map(({ point }, k) => [point.bus, schedules[k]!])),
    alpha,
    objective: optimum.objective,
    gap: isViolated ? null : optimum.gap,
    kktResidual: optimum.kktResidual,
    energyCost: sum((k) => schedules[k]!.energyCost),
    uncoordinatedCost: sum((k) => optimiser.alone[k]!.energyCost),
    availableKwh: steps.reduce((all, { availableW }) => all + (availableW * hours) / 1000, 0),
    priceOfFairness: isViolated || status === 'failed' ? null : horizonPrice(held),
    curtailedKwh: steps.reduce((all, { curtailedW }) => all + (curtailedW * hours) / 1000, 0),
    fairness: fairnessReport(curtailedShare),
    corrections: counts.corrections,
    linearErrorPu: counts.linearErrorPu,
    rows: optimum.rows,
    variables: optimum.variables,
    programmes: counts.programmes,
    findings,
  };
}

/** Share of the cost below which a gap is none, and what is said of plans with one. */
const CLOSED_GAP = 1e-6;
const OPEN_TEXT =
  'Schedules were found that hold in the AC power flow of every step; how far they may be above the least cost is the gap.';

/** Steps with broken limits that are told one by one. */
const TOLD_STEPS = 5;

/** What the AC power flow says of steps that break their limits, the worst first. */
function brokenLimits(
  checks: readonly StepTruth[],
  { voltageLimits, stepS, firstStep = 0 }: FeederHorizonQuestion,
): Finding[] {
  const { minPu, maxPu } = voltageLimits;
  const broken = checks
    .map((check, step) => ({ ...check, step: firstStep + step }))
    .filter(({ isConverged, violations }) => !isConverged || violations > 0)
    .sort((a, b) => Number(a.isConverged) - Number(b.isConverged) || b.excessPu - a.excessPu);
  return broken.slice(0, TOLD_STEPS).map(({ isConverged, step, violations, excessNode, excessAtPu }, k) => {
    const at = `step ${step + 1} (${((step * stepS) / 3600).toFixed(2)} h from the begin)`;
    const rest = k === TOLD_STEPS - 1 ? broken.length - TOLD_STEPS : 0;
    const more = rest > 0 ? ` So do ${rest} further steps by less.` : '';
    if (!isConverged) {
      const message = `The AC power flow of ${at} does not converge: its schedules are not verified.${more}`;
      return { severity: 'warning', code: 'STEP_NOT_VERIFIED', message };
    }
    return {
      severity: 'warning',
      code: 'LIMITS_VIOLATED',
      message: `${excessNode} stands at ${excessAtPu.toFixed(5)} pu at ${at}, outside ${minPu} to ${maxPu} pu, in the AC power flow of the plan; nodes outside: ${violations}.${more}`,
      name: excessNode,
      value: `${excessAtPu.toFixed(5)} pu`,
      allowed: `${minPu} to ${maxPu} pu`,
    };
  });
}
