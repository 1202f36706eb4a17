import { forEachEntry, solveQuadraticProgramme } from '../../math/index.js';
import { type Control, networkProgramme } from '../network-programme.js';
import type { CustomerSchedule } from './customer-horizon.js';
import { type Plan, planOf } from './customer-plan.js';
import type { HorizonCase } from './horizon-case.js';
import { mixedPattern } from './meter-point.js';
import { ProgrammeBuilder } from './programme-builder.js';

/*
 * The sun of one step with all batteries decided, under every limit of the network at once.
 *
 * Solved: min sum over customers of schedule-programme.ts + fairness * available alpha^2 at the step, with every limited node's
 *         v = v_linear + correction inside its limits.
 * Steps: customers' variables become controls and their balances further rows of network-programme.ts, which keeps flows and
 *        voltages as unknowns, so that limits are bounds.
 * Cost: O(nodes + customers) per iteration. As rows over customers, the limits that bind are a dense block: some hundred of them on
 *        a feeder with heavy over-voltage cost a hundred times as much.
 * Fails: with `isSolved` false.
 */

/** What the limits of one step leave of the sun. */
export interface StepSun {
  readonly isSolved: boolean;
  /** By point of the case, W. */
  readonly pvW: Float64Array;
  readonly kktResidual: number;
  readonly variables: number;
}

/** What a step is decided for. */
export interface StepSunQuestion {
  readonly step: number;
  /** Decided schedules by point; their batteries stay. */
  readonly frozen: readonly CustomerSchedule[];
  /** Limits by node, pu squared. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Softens the limits by an exact penalty. */
  readonly isSoft: boolean;
  readonly fairnessPerKwh: number;
  readonly tolerance: number;
}

/** Decides the sun of one step. */
export function stepSun(horizon: HorizonCase, question: StepSunQuestion): StepSun {
  const { step, frozen, fairnessPerKwh } = question;
  const { points, patterns } = horizon;
  const hasRow = new Uint8Array(horizon.steps);
  hasRow[step] = 1;
  const builder = new ProgrammeBuilder();
  const plans = points.map((point, k) =>
    planOf(builder, point, { hasRow, alone: frozen[k]!, frozen: frozen[k]!, fairnessPerKwh }),
  );
  const generatedW = new Float64Array(patterns.length);
  for (const plan of plans) plan.fixed(step, generatedW);
  const { programme } = networkProgramme({
    network: horizon.linear.network,
    base: horizon.voltages(step, generatedW),
    lowerSquaredPu: question.lower,
    upperSquaredPu: question.upper,
    ...controlsOf(horizon, plans, step, builder),
    unitKw: Math.max(
      1,
      points.reduce((sum, { customer }) => sum + customer.availableW[step]!, 0) / 1000 / points.length,
    ),
    isElastic: question.isSoft,
  });
  const solution = solveQuadraticProgramme(programme, { tolerance: question.tolerance });
  return {
    isSolved: solution.status === 'optimal' || solution.status === 'nearOptimal',
    pvW: Float64Array.from(plans, (plan) => plan.read(solution).pvW[step]!),
    kktResidual: solution.kktResidual,
    variables: programme.linear.length,
  };
}

/** The customers' variables, kW, as controls of the network, and their rows. */
function controlsOf(horizon: HorizonCase, plans: readonly Plan[], step: number, builder: ProgrammeBuilder) {
  const { hessian, linear, equality, equalityValue, lower, upper } = builder.programme();
  const quadratic = new Float64Array(linear.length);
  forEachEntry(hessian, (i, j, value) => {
    if (i === j) quadratic[i] = value;
  });
  const drawn = new Map<number, { readonly pattern: number; readonly share: number }[]>();
  for (const plan of plans) {
    plan.terms(step, (variable, pattern, share) => {
      const parts = drawn.get(variable);
      if (parts) parts.push({ pattern, share });
      else drawn.set(variable, [{ pattern, share }]);
    });
  }
  const controls = Array.from(linear, (cost, j): Control => {
    const { nodes, wattPerW, varPerW } = mixedPattern(
      (drawn.get(j) ?? []).map(({ pattern, share }) => ({ pattern: horizon.patterns[pattern]!, weight: share })),
    );
    return {
      nodes,
      // A kW generated.
      drawnW: wattPerW.map((w) => -1000 * w),
      drawnVar: varPerW.map((q) => -1000 * q),
      lower: lower[j]!,
      upper: upper[j]!,
      linear: cost,
      quadratic: quadratic[j]!,
    };
  });
  const rows = Array.from(equalityValue, (value) => ({
    columns: [] as number[],
    values: [] as number[],
    lower: value,
    upper: value,
  }));
  forEachEntry(equality, (i, j, value) => {
    rows[i]!.columns.push(j);
    rows[i]!.values.push(value);
  });
  return { controls, rows };
}
