import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunOutlook, type RunResult, type RunSettings, runCoordination } from '../../../dec/coordinator/index.js';
import { coordinateHorizon, feederForecast } from '../../../grid/optim/index.js';
import { loadModels } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';

/*
 * A run that plans ahead on IEEE 13, which has two PV systems and three batteries with measured states of charge. Without load,
 * at a limit of 1.0405 pu, sun and batteries cannot do as prices alone would have them.
 */
const file = join(feedersDir ?? '', 'cim', 'IEEE13_meas.xml');
const limits = { minPu: 0.9, maxPu: 1.0405 };
const horizon = {
  stepS: 900,
  steps: 8,
  end: 'cyclic',
  efficiency: 0.95,
  reserve: 0.1,
  fairnessPerKwh: 1,
} as const satisfies RunSettings['horizon'];
const INTERVALS = 4;
/** Cheap for an hour, then dear. */
const price = Float64Array.from({ length: INTERVALS + horizon.steps + 1 }, (_, t) => (t < 4 ? 0.1 : 0.4));

function run(settings: Partial<RunSettings>, outlook: RunOutlook): Promise<RunResult> {
  return runCoordination({
    feeder: file,
    outlook,
    settings: {
      intervals: INTERVALS,
      intervalS: horizon.stepS,
      publishPeriodS: 300,
      startTime: Date.UTC(2026, 3, 21, 12) / 1000,
      loadMultiplier: 0,
      sourceVoltagePu: 1,
      limits,
      horizon,
      deadBandW: 0,
      ...settings,
    },
  });
}

describe.skipIf(feedersDir === undefined)('a run that plans ahead', () => {
  let result: RunResult;
  const feeder = feedersDir === undefined ? undefined : loadModels([file])[0]!.feeder;

  beforeAll(async () => {
    result = await run({}, { importPrice: price, exportPrice: price });
  });

  it('finishes, with every interval inside the limits in the simulation', () => {
    expect(result.status).toBe('completed');
    expect(result.intervals).toHaveLength(INTERVALS);
    expect(result.intervals[0]!.before.vMaxPu).toBeGreaterThan(limits.maxPu);
    for (const { status, after, ac, plan } of result.intervals) {
      expect(status).toBe('converged');
      expect(plan!.steps).toBe(horizon.steps);
      expect(after!.vMaxPu).toBeLessThanOrEqual(limits.maxPu + 1e-4);
      // What the plan's power flow says is what the simulation then measures.
      expect(Math.abs(after!.vMaxPu - ac!.vMaxPu)).toBeLessThan(2e-5);
    }
  });

  it('carries out the first step of the plan that is optimal from what was measured', () => {
    const [first] = result.intervals;
    const flat = (value: number) => new Float64Array(horizon.steps).fill(value);
    const { batteries } = feederForecast(feeder!, { load: flat(0), pv: flat(1) }, horizon);
    const central = coordinateHorizon({
      feeder: feeder!,
      // The regulators stand where the simulation has them.
      state: first!.state!,
      voltageLimits: limits,
      stepS: horizon.stepS,
      importPrice: price.slice(0, horizon.steps),
      exportPrice: price.slice(0, horizon.steps),
      loads: Object.fromEntries(feeder!.loads.map(({ id }) => [id, { powerW: flat(0), powerVar: flat(0) }])),
      availableW: Object.fromEntries(
        feeder!.pvSystems.map(({ id, shares }) => [id, flat(shares.reduce((sum, { powerW }) => sum + powerW, 0))]),
      ),
      batteries,
      end: {
        kind: 'stored',
        storedWh: Object.fromEntries(Object.values(batteries).map(({ id, storedWh }) => [id, storedWh])),
      },
      fairnessPerKwh: horizon.fairnessPerKwh,
      heldSteps: 1,
    });
    expect(central.steps[0]!.violations).toBe(0);
    const step = central.steps[0]!;
    const { plan, audit } = first!;
    console.log(
      `first step: curtailed ${(audit!.curtailedW / 1000).toFixed(2)} of ${(step.curtailedW / 1000).toFixed(2)} kW, batteries ${(plan!.batteryW / 1000).toFixed(2)} of ${(step.batteryW / 1000).toFixed(2)} kW`,
    );
    expect(audit!.curtailedW).toBeGreaterThan(10_000);
    expect(Math.abs(audit!.leastCurtailedW! - step.leastCurtailedW!)).toBeLessThan(50);
    expect(audit!.priceOfFairnessPct).toBeCloseTo(
      (100 * (audit!.curtailedW - audit!.leastCurtailedW!)) / audit!.availableW,
      9,
    );
    expect(Math.abs(audit!.curtailedW / step.curtailedW - 1)).toBeLessThan(1e-3);
    expect(Math.abs(plan!.batteryW / step.batteryW - 1)).toBeLessThan(1e-3);
    for (const { mrid, id } of feeder!.pvSystems) {
      const der = audit!.ders.find(({ derMrid }) => derMrid === mrid)!;
      expect(Math.abs(der.alpha - (central.alpha.get(id)?.[0] ?? 0))).toBeLessThan(5e-3);
    }
  });

  it('follows the measured states of charge: batteries do what they were ordered', () => {
    const stored = result.intervals.map(({ plan }) => plan!.storedKwh);
    // The first order acts from the second output on, 5 minutes in; until then batteries do what the model says.
    result.intervals.slice(1, -1).forEach(({ plan }, k) => {
      const before = result.intervals[k]!.plan!.batteryW;
      const charged = -horizon.efficiency * ((before * 300 + plan!.batteryW * 600) / 3600 / 1000);
      expect(stored[k + 2]! - stored[k + 1]!).toBeCloseTo(charged, 1);
    });
    for (const { findings } of result.intervals) expect(findings).toEqual([]);
  });

  it('sells what is stored where the end is free and nothing ever pays more', async () => {
    const falling = price.map((_, t) => 0.4 - 0.01 * t);
    const free = await run(
      { intervals: 1, horizon: { ...horizon, end: 'free' }, limits: { minPu: 0.9, maxPu: 1.1 } },
      { importPrice: falling, exportPrice: falling },
    );
    expect(free.status).toBe('completed');
    expect(free.intervals[0]!.plan!.batteryW).toBeGreaterThan(100_000);
  });

  it('makes a plan again with tighter limits where its first step breaks them in the AC power flow', async () => {
    const tight = await run(
      { intervals: 1, limits: { ...limits, maxPu: 1.0407 } },
      { importPrice: price, exportPrice: price },
    );
    const { status, findings, after } = tight.intervals[0]!;
    expect(status).toBe('converged');
    expect(findings.join()).toMatch(/limits tighter by/);
    expect(after!.vMaxPu).toBeLessThanOrEqual(1.0407 + 1e-5);
  });

  it('is refused without prices', async () => {
    await expect(runCoordination({ feeder: file, settings: { horizon } })).rejects.toThrow(/needs prices/);
  });
});
