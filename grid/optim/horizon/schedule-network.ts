import { forEachEntry } from '../../math/index.js';
import { type Control, networkProgramme } from '../network-programme.js';
import type { Plan } from './customer-plan.js';
import type { HorizonCase } from './horizon-case.js';
import { mixedPattern } from './meter-point.js';
import type { ProgrammeBuilder } from './programme-builder.js';

/*
 * The network of a step inside the programme of all schedules: flows and voltages as unknowns, so that limits are bounds.
 *
 * Solved: for one step the flow form of network-programme.ts, with the customers' own variables as its controls.
 * Cost: a few unknowns and rows per node and step. As rows over customers (voltage-rows.ts) limits that bind are a dense block; here
 *        any number of them costs the same, and the matrix stays that of trees joined by the stores of batteries.
 */

/** Limits of one step by node, pu squared. */
export interface StepLimits {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Adds the network of a step.
 *
 * @param plans - customers, whose variables are in the builder already
 * @returns false where a node that nothing moves stands outside its limits
 */
export function addStepNetwork(
  builder: ProgrammeBuilder,
  horizon: HorizonCase,
  plans: readonly Plan[],
  step: number,
  { lower, upper }: StepLimits,
): boolean {
  const { patterns, linear, points } = horizon;
  const fixedW = new Float64Array(patterns.length);
  const parts = new Map<number, { readonly pattern: (typeof patterns)[number]; readonly weight: number }[]>();
  for (const plan of plans) {
    plan.fixed(step, fixedW);
    plan.terms(step, (variable, pattern, weight) => {
      const own = parts.get(variable) ?? [];
      parts.set(variable, own);
      own.push({ pattern: patterns[pattern]!, weight });
    });
  }
  const controls = [...parts.values()].map((own): Control => {
    const { nodes, wattPerW, varPerW } = mixedPattern(own);
    // A kW generated; bounds and costs are the builder's.
    const drawnW = wattPerW.map((w) => -1000 * w);
    return { nodes, drawnW, drawnVar: varPerW.map((q) => -1000 * q), lower: -Infinity, upper: Infinity, ...FREE };
  });
  const { programme, isInfeasible } = networkProgramme({
    network: linear.network,
    base: horizon.voltages(step, fixedW),
    lowerSquaredPu: lower,
    upperSquaredPu: upper,
    controls,
    unitKw: Math.max(
      1,
      points.reduce((sum, { customer }) => sum + customer.availableW[step]!, 0) / 1000 / points.length,
    ),
    isElastic: false,
  });
  const places = [...parts.keys()];
  for (let j = controls.length; j < programme.linear.length; j++) {
    places.push(builder.variable(programme.lower[j]!, programme.upper[j]!));
  }
  const rows = Array.from(programme.equalityValue, (value) => builder.row(value));
  forEachEntry(programme.equality, (i, j, value) => {
    builder.entry(rows[i]!, places[j]!, value);
  });
  return !isInfeasible;
}

/** No cost of its own. */
const FREE = { linear: 0, quadratic: 0 } as const;
