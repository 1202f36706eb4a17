import { solveQuadraticProgramme } from '../../math/index.js';
import { priceOfFairness } from '../fairness-metrics.js';
import { AC_TOLERANCE_PU } from '../feeder-truth.js';
import { type Control, networkProgramme } from '../network-programme.js';
import type { CustomerSchedule } from './customer-horizon.js';
import { withSun } from './customer-plan.js';
import type { HorizonCase } from './horizon-case.js';
import type { HorizonTruth, StepTruth } from './horizon-truth.js';
import { sunControl, sunRange } from './least-violation.js';
import { mixedPattern } from './meter-point.js';

/*
 * The yardstick of a horizon's price of fairness: the least sun that a step has to curtail (`total`), batteries as planned.
 *
 * Solved: min sum of curtailed power with every limited node's v = v_linear + correction inside its limits. Sun that customers
 *         leave by their own prices is left here too: that is no price of fairness.
 * Steps: 1. the linear model is moved onto the AC power flow of the plan; 2. one linear programme of the network; 3. AC power
 *        flow, and 1 again from there where it is off, three times at most.
 * Cost: one to four programmes and power flows for each step that curtails; with batteries free too it would be a second plan.
 * Fails: with undefined where no dispatch was found that holds the limits.
 */

/** A step that curtails less has no price, W: the tolerance of plans. */
const CURTAILED_W = 1;
const MAX_CORRECTIONS = 3;
/** How near model and AC power flow come to one another at the worst node, pu. */
const EXACT_PU = 1e-6;

/** A plan, and what is known of it. */
export interface PricedPlan {
  readonly schedules: readonly CustomerSchedule[];
  /** Of every customer by its own prices. */
  readonly alone: readonly CustomerSchedule[];
  readonly checks: readonly StepTruth[];
}

/** Least curtailment of a step, W; undefined where limits do not hold. */
export function leastSun(
  horizon: HorizonCase,
  truth: HorizonTruth,
  plan: PricedPlan,
  step: number,
): number | undefined {
  const { points, patterns } = horizon;
  const { schedules, alone, checks } = plan;
  if (!checks[step]!.isConverged || checks[step]!.violations > 0) return undefined;
  const sunW = (k: number) => points[k]!.customer.availableW[step]!;
  const curtailedW = points.reduce((sum, _, k) => sum + sunW(k) - schedules[k]!.pvW[step]!, 0);
  if (curtailedW < CURTAILED_W) return curtailedW;
  let used = schedules.map(({ pvW }) => pvW[step]!);
  let check = checks[step]!;
  for (let correction = 0; ; correction++) {
    const generated = (sun: readonly number[]) => {
      const watts = new Float64Array(patterns.length);
      points.forEach((point, k) => {
        point.pvPatterns.forEach((pattern, s) => {
          watts[pattern] = sun[k]! * horizon.pvShare(point, s, step);
        });
        point.batteryPatterns.forEach((pattern, b) => {
          watts[pattern] = schedules[k]!.batteries[b]!.powerW[step]!;
        });
      });
      return watts;
    };
    const before = horizon.voltages(step, generated(used));
    const missed = before.map((v, i) => {
      const ac = check.voltageSquaredPu[i]!;
      return Number.isFinite(ac) ? ac - v : 0;
    });
    const controls: Control[] = [];
    const shining: number[] = [];
    points.forEach((point, k) => {
      if (sunW(k) < CURTAILED_W) return;
      const shares = point.pvPatterns.map((pattern, s) => ({
        pattern: patterns[pattern]!,
        weight: horizon.pvShare(point, s, step),
      }));
      const [least, most] = sunRange(
        point,
        step,
        schedules[k]!.batteries.map(({ powerW }) => powerW[step]!),
      );
      const wanted = Math.max(alone[k]!.pvW[step]!, schedules[k]!.pvW[step]!);
      const { nodes, wattPerW, varPerW } = mixedPattern(shares);
      const upper = 1 - Math.min(least, wanted) / sunW(k);
      const lower = Math.min(upper, 1 - Math.min(most, wanted) / sunW(k));
      shining.push(k);
      controls.push({ ...sunControl(nodes, wattPerW, varPerW, sunW(k), lower, upper, 0), linear: sunW(k) / 1000 });
    });
    const { programme, isInfeasible } = networkProgramme({
      network: horizon.linear.network,
      base: horizon.voltages(step, generated(points.map((_, k) => sunW(k)))).map((v, i) => v + missed[i]!),
      lowerSquaredPu: horizon.lowerSquaredPu,
      upperSquaredPu: horizon.upperSquaredPu,
      controls,
      unitKw: Math.max(1, curtailedW / 1000 / Math.max(1, controls.length)),
      isElastic: false,
    });
    if (isInfeasible) return undefined;
    const { status, x } = solveQuadraticProgramme(programme, { tolerance: 1e-9 });
    if (status !== 'optimal' && status !== 'nearOptimal') return undefined;
    used = points.map((_, k) => sunW(k));
    shining.forEach((k, c) => {
      used[k] = sunW(k) * (1 - Math.min(controls[c]!.upper, Math.max(controls[c]!.lower, x[c]!)));
    });
    check = truth.solve(
      step,
      points.map(({ customer }, k) => {
        const pvW = schedules[k]!.pvW.slice();
        pvW[step] = used[k]!;
        return withSun(customer, schedules[k]!, pvW);
      }),
    );
    if (!check.isConverged) return undefined;
    const isExact = Math.abs(check.excessPu) <= EXACT_PU;
    if (!isExact && correction < MAX_CORRECTIONS) continue;
    if (check.excessPu > AC_TOLERANCE_PU) return undefined;
    return points.reduce((sum, _, k) => sum + sunW(k) - used[k]!, 0);
  }
}

/**
 * Price of fairness over steps: curtailed energy above the least, as a share of what is available.
 *
 * @param steps - power by step, W; `leastCurtailedW` null where no dispatch holds the limits
 * @returns null where a step has no yardstick
 */
export function horizonPrice(
  steps: readonly {
    readonly availableW: number;
    readonly curtailedW: number;
    readonly leastCurtailedW: number | null;
  }[],
): number | null {
  let [availableW, curtailedW, leastW] = [0, 0, 0];
  for (const step of steps) {
    if (step.leastCurtailedW === null) return null;
    availableW += step.availableW;
    curtailedW += step.curtailedW;
    leastW += step.leastCurtailedW;
  }
  return priceOfFairness(curtailedW, leastW, availableW);
}
