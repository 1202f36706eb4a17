import { describe, expect, it } from 'vitest';
import { type RunResult, type RunSettings, runCoordination } from '../../../dec/coordinator/index.js';
import {
  advanceFeedback,
  type CoordinationResult,
  coordinateInProcess,
  type FairnessRule,
  FEEDBACK_START,
  type FeedbackState,
  fairnessRule,
  nearestMode,
  type ReactiveRule,
  reactiveRule,
  type VoltageLimits,
} from '../../../grid/optim/index.js';
import { flagshipPath, loadModels } from '../../../platform/index.js';

const limits = { minPu: 0.95, maxPu: 1.05 };
const scenario = { loadMultiplier: 0.25, pvMultiplier: 0.9, sourceVoltagePu: 1.04 };
const { feeder } = loadModels([flagshipPath()])[0]!;

/** Flat sun and load: the look-ahead inputs of every interval are those of the scenario. */
function live(
  rule: FairnessRule,
  more: Partial<RunSettings> = {},
  feedback?: { readonly start: FeedbackState; readonly keep: (state: FeedbackState) => void },
): Promise<RunResult> {
  return runCoordination({
    feeder: flagshipPath(),
    audit: false,
    ...(feedback === undefined ? {} : { feedback }),
    settings: {
      ...scenario,
      intervals: 1,
      intervalS: 300,
      publishPeriodS: 300,
      hosts: 2,
      fairness: nearestMode(rule),
      rule,
      limits,
      roundDeadlineMs: 20_000,
      // Every change is sent: the dead band of 20 W is 5e-3 of a small roof.
      deadBandW: 0,
      ...more,
    },
  });
}

/** @param changes - of limits and source voltage, as {@link live} takes them */
function central(
  rule: FairnessRule,
  reactive?: ReactiveRule,
  changes: { readonly limits?: VoltageLimits; readonly sourceVoltagePu?: number } = {},
): CoordinationResult {
  const total = (shares: readonly { powerW: number; powerVar: number }[], factor: number) => ({
    powerW: factor * shares.reduce((sum, { powerW }) => sum + powerW, 0),
    powerVar: factor * shares.reduce((sum, { powerVar }) => sum + powerVar, 0),
  });
  const { loadMultiplier, pvMultiplier, sourceVoltagePu } = { ...scenario, ...changes };
  return coordinateInProcess({
    feeder,
    inputs: {
      loads: Object.fromEntries(feeder.loads.map(({ id, shares }) => [id, total(shares, loadMultiplier)])),
      availableW: Object.fromEntries(
        feeder.pvSystems.map(({ id, shares }) => [id, total(shares, pvMultiplier).powerW]),
      ),
      held: {},
    },
    state: { sourceVoltagePu, taps: {}, capacitorSections: {}, openSwitches: [] },
    settings: { limits: changes.limits ?? limits },
    rule,
    ...(reactive === undefined ? {} : { reactive }),
    method: 'central',
    // The price of fairness is nothing to these tests.
    leastCurtailedW: 0,
  });
}

/** Curtailed kW within 0.1 %, every fraction within 5e-3, and the simulation's voltages inside the limits. */
function expectOptimum(result: RunResult, k: number, optimum: CoordinationResult): void {
  expect(optimum.status).toBe('optimal');
  const interval = result.intervals[k]!;
  const { audit, status, rounds, before, during } = interval;
  const alpha = new Map(optimum.ders.map((der) => [der.mrid, der.alpha]));
  const change = Math.max(...audit!.ders.map((der) => Math.abs(der.alpha - alpha.get(der.derMrid)!)));
  console.log(
    `${optimum.rule.mode} by ${optimum.rule.level}, reactive ${optimum.reactive.mode}: ${(audit!.curtailedW / 1000).toFixed(2)} of ${(optimum.curtailedW / 1000).toFixed(2)} kW, alpha within ${change.toExponential(1)}, ${rounds} rounds`,
  );
  expect(status).toBe('converged');
  expect(Math.abs(audit!.curtailedW - optimum.curtailedW)).toBeLessThan(1e-3 * optimum.curtailedW + 1);
  expect(change).toBeLessThan(5e-3);
  const { maxPu } = optimum.settings.limits;
  if (k === 0) expect(before.vMaxPu).toBeGreaterThan(maxPu + 0.01);
  expect(during!.vMaxPu).toBeLessThanOrEqual(maxPu + 1e-4);
}

describe('rules that couple live agents', () => {
  it.each<Partial<FairnessRule>>([
    { mode: 'maxMin' },
    { mode: 'equalKw' },
    { mode: 'equalAlpha', level: 'area', weights: 'equal' },
  ])('are the central optimum of the same interval under %o', async (given) => {
    const rule = fairnessRule(given);
    const result = await live(rule);
    expect(result.status).toBe('completed');
    expectOptimum(result, 0, central(rule));
  });

  it('with feedback weigh what was served before, over intervals and runs', async () => {
    const rule = fairnessRule({ mode: 'feedback' });
    const kept: FeedbackState[] = [];
    const keep = (state: FeedbackState): void => {
      kept.push(state);
    };
    const first = await live(rule, { intervals: 2 }, { start: FEEDBACK_START, keep });
    const once = central(rule);
    expectOptimum(first, 0, once);
    const expected = advanceFeedback(FEEDBACK_START, {
      availableWh: Object.fromEntries(once.ders.map(({ derId, availableW }) => [derId, availableW / 12])),
      servedWh: Object.fromEntries(once.ders.map(({ derId, setpointW }) => [derId, setpointW / 12])),
    });
    expect(kept).toHaveLength(2);
    for (const [id, factor] of Object.entries(expected.factors)) {
      expect(Math.abs(kept[0]!.factors[id]! / factor - 1)).toBeLessThan(0.01);
    }
    const twice = central({ ...rule, factors: kept[0]!.factors });
    expectOptimum(first, 1, twice);
    // Somebody's part has changed for it.
    expect(Math.max(...twice.ders.map(({ alpha }, k) => Math.abs(alpha - once.ders[k]!.alpha)))).toBeGreaterThan(0.05);
    // Another run goes on from there.
    const second = await live(rule, {}, { start: kept[1]!, keep });
    expectOptimum(second, 0, central({ ...rule, factors: kept[1]!.factors }));
    expect(kept[2]!.intervals).toHaveLength(3);
  });
});

describe('reactive power of live agents', () => {
  it('holds the limits without curtailment where active power alone needs 560 kW', async () => {
    const rule = fairnessRule();
    const reactive = reactiveRule({ mode: 'capability' });
    const result = await live(rule, { reactive });
    const optimum = central(rule, reactive);
    expectOptimum(result, 0, optimum);
    expect(optimum.curtailedW).toBe(0);
    const { setpoints, difference } = result.intervals[0]!;
    const points = Object.values(setpoints).flat();
    const kvar = points.reduce((sum, { setpointVar }) => sum + setpointVar, 0) / 1000;
    const centralKvar = optimum.ders.reduce((sum, { setpointVar }) => sum + setpointVar, 0) / 1000;
    // Reactive power costs the same everywhere on one path, so that its sum is what is decided.
    expect(Math.abs(kvar / centralKvar - 1)).toBeLessThan(5e-3);
    const sent = difference!.input.message.forward_differences;
    const commandedVar = sent.filter(({ attribute }) => attribute === 'PowerElectronicsConnection.q');
    expect(commandedVar.length).toBeGreaterThan(50);
    // Active power is limited only to what the rating leaves beside reactive power: more than there is.
    for (const { audit } of result.intervals)
      for (const { limitW, availableW } of audit!.ders) expect(limitW).toBeGreaterThanOrEqual(availableW);
    const rated = new Map(feeder.pvSystems.map(({ mrid, ratedPowerVA }) => [mrid, ratedPowerVA]));
    for (const { derMrid, setpointVar } of points) {
      expect(Math.abs(setpointVar)).toBeLessThanOrEqual(0.44 * rated.get(derMrid)! + 1e-3);
    }
  });

  it('follows the Volt-VAr curve at the terminals of every inverter', async () => {
    const rule = fairnessRule();
    const reactive = reactiveRule({ mode: 'volt-var' });
    // Below 1.05 pu at the source the curve alone holds 1.05 pu; under a lower limit it leaves something to curtail.
    const changes = { limits: { minPu: 0.95, maxPu: 1.03 }, sourceVoltagePu: 1.02 };
    const result = await live(rule, { reactive, ...changes });
    const optimum = central(rule, reactive, changes);
    expect(optimum.curtailedW).toBeGreaterThan(50_000);
    expectOptimum(result, 0, optimum);
    const commanded = new Map(
      Object.values(result.intervals[0]!.setpoints)
        .flat()
        .map(({ derMrid, setpointVar }) => [derMrid, setpointVar]),
    );
    const rated = new Map(feeder.pvSystems.map(({ mrid, ratedPowerVA }) => [mrid, ratedPowerVA]));
    for (const { mrid, setpointVar } of optimum.ders) {
      // 1e-3 of the rating is what 1.4e-4 pu of voltage move on the curve.
      expect(Math.abs(commanded.get(mrid)! - setpointVar)).toBeLessThan(1e-3 * rated.get(mrid)!);
    }
  });

  it('keeps power factor and rating where both bind, and curtails what is left', async () => {
    const rule = fairnessRule();
    const reactive = reactiveRule({ mode: 'capability', kappa: 0.1, minPowerFactor: 0.998 });
    const result = await live(rule, { reactive });
    const optimum = central(rule, reactive);
    expect(optimum.curtailedW).toBeGreaterThan(50_000);
    expectOptimum(result, 0, optimum);
    const slope = Math.sqrt(1 - 0.998 ** 2) / 0.998;
    const { audit } = result.intervals[0]!;
    for (const { availableW, alpha, setpointVar } of audit!.ders) {
      expect(Math.abs(setpointVar)).toBeLessThanOrEqual(slope * availableW * (1 - alpha) + 1);
    }
  });
});
