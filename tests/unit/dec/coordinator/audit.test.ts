import { describe, expect, it } from 'vitest';
import { mridKey } from '../../../../bus/index.js';
import { Audit, completed } from '../../../../dec/coordinator/audit.js';
import { summarizeRun } from '../../../../dec/coordinator/recorder.js';
import { buildFeeder } from '../../../../grid/model/index.js';
import { feeder } from '../../../builders/feeder.js';
import { runResult, START } from '../../../builders/run-result.js';

const STATE = { taps: {}, capacitorSections: {}, openSwitches: [] };
const MRIDS = ['_11111111-1111-4111-8111-111111111111', '_22222222-2222-4222-8222-222222222222'] as const;

/** Two roofs of 10 kW on one line. */
function roofs() {
  const data = feeder('roofs')
    .source('S', 'A', { kv: 0.4 })
    .line('L', 'A', 'B', { phases: 'A', r: [[0.1]], x: [[0.1]] })
    .pv('P1', 'B', { phases: 'A', kw: 10 })
    .pv('P2', 'B', { phases: 'A', kw: 10 })
    .build();
  return buildFeeder({
    ...data,
    pvSystems: data.pvSystems.map((pv, k) => ({ ...pv, mrid: MRIDS[k]!, maxPowerW: 10_000 })),
  });
}

/** A quarter of an hour in which the sun rises from nothing at its begin to all at its end, and stays; outputs each 5 min. */
function judged(limitW: number) {
  const net = roofs();
  const settings = { ...runResult().settings, loadMultiplier: 1, pvProfile: [0, 1, 1, 1], profileStepS: 900 };
  const devices = net.pvSystems.map(({ id }, k) => ({ agentId: `${k}`, derId: id, phases: 'A' }));
  const limits = new Map([[mridKey(MRIDS[0]), { setpointW: limitW, setpointVar: 0 }]]);
  return new Audit({ feeder: net, settings, devices }).judge(0, START, STATE, limits);
}

describe('the audit of an interval', () => {
  /*
   * By hand: the limit of 4 1/6 kW is reached 375 s after the begin, the full 10 kW at 900 s. Set-points are in force from
   * 300 s to 1200 s. Unused: (5 5/6 kW * 525 s / 2 + 5 5/6 kW * 300 s) / 3600 = 911.458 Wh. Available, each roof: (3 1/3 + 10)
   * kW / 2 * 600 s + 10 kW * 300 s, together 3888.889 Wh.
   */
  it('tells the energy that limits leave unused while they are in force', () => {
    const audit = judged(10_000 * (375 / 900));
    expect(audit.curtailedWh).toBeCloseTo(911.458333, 5);
    expect(audit.availableWh).toBeCloseTo(3888.888889, 5);
  });

  // By hand, of alpha = (7/12, 0): the power is that of the hardest moment, 10 kW each.
  it('tells power and fairness of the hardest moment', () => {
    const audit = judged(10_000 * (375 / 900));
    expect(audit.curtailedW).toBeCloseTo(5833.333333, 5);
    expect(audit.curtailedPct).toBeCloseTo(29.166667, 5);
    expect(audit.alpha).toEqual({ min: 0, max: expect.closeTo(7 / 12, 12), mean: expect.closeTo(7 / 24, 12) });
    expect(audit.jain.alpha).toBeCloseTo(0.5, 12);
    // (5/12 + 1)^2 / (2 (25/144 + 1)) = 289/338.
    expect(audit.jain.served).toBeCloseTo(289 / 338, 12);
    expect(audit.gini.alpha).toBeCloseTo(0.5, 12);
    // 7/12 over twice the sum of 17/12.
    expect(audit.gini.served).toBeCloseTo(7 / 34, 12);
    expect(audit.worstDecileAlpha).toBeCloseTo(7 / 12, 12);
  });

  // The second roof stands behind the switch: what the outage costs is neither available nor curtailed.
  it('counts nothing for units that an open switch has cut off', () => {
    const data = feeder('roofs')
      .source('S', 'A', { kv: 0.4 })
      .line('L', 'A', 'B', { phases: 'A', r: [[0.1]], x: [[0.1]] })
      .switch('W', 'B', 'C', { phases: 'A' })
      .pv('P1', 'B', { phases: 'A', kw: 10 })
      .pv('P2', 'C', { phases: 'A', kw: 10 })
      .build();
    const pvSystems = data.pvSystems.map((pv, k) => ({ ...pv, mrid: MRIDS[k]!, maxPowerW: 10_000 }));
    const net = buildFeeder({ ...data, pvSystems });
    const settings = { ...runResult().settings, loadMultiplier: 1, pvProfile: [1, 1, 1, 1], profileStepS: 900 };
    const devices = net.pvSystems.map(({ id }, k) => ({ agentId: `${k}`, derId: id, phases: 'A' }));
    const limits = new Map(MRIDS.map((mrid) => [mridKey(mrid), { setpointW: 4000, setpointVar: 0 }]));
    const under = (openSwitches: readonly string[]) =>
      new Audit({ feeder: net, settings, devices }).judge(0, START, { ...STATE, openSwitches }, limits);
    expect([under([]).availableW, under([]).curtailedW]).toEqual([20_000, 12_000]);
    const cut = under(['switch.W']);
    expect([cut.availableW, cut.curtailedW]).toEqual([10_000, 6000]);
    expect([cut.availableWh, cut.curtailedWh]).toEqual([under([]).availableWh / 2, under([]).curtailedWh / 2]);
    expect(cut.alpha).toMatchObject({ min: 0.6, max: 0.6 });
    expect(cut.ders.map(({ availableW, alpha }) => [availableW, alpha])).toEqual([
      [10_000, 0.6],
      [0, 0],
    ]);
  });

  it('has a price of fairness where the least curtailment is known and the limits hold', () => {
    const audit = judged(10_000 * (375 / 900));
    const linear = { vMaxPu: 1.05, vMinPu: 1, worstNode: 'B.1' };
    const figures = { leastCurtailedW: 3833.333333, linear, kktResidual: undefined, reason: undefined };
    // 2000 W of 20 kW.
    expect(completed(audit, figures, true).priceOfFairnessPct).toBeCloseTo(10, 6);
    expect(completed(audit, figures, false).priceOfFairnessPct).toBeUndefined();
  });
});

describe('the summary of a run', () => {
  it('adds energies over all intervals and takes fairness from the one with the most curtailment', () => {
    const [one, two] = runResult({ intervals: 2 }).intervals;
    const energies = [
      { curtailedW: 100, availableWh: 1000, curtailedWh: 100, worstDecileAlpha: 0.1 },
      { curtailedW: 900, availableWh: 3000, curtailedWh: 500, worstDecileAlpha: 0.7 },
    ];
    const intervals = [one!, two!].map((interval, k) => ({
      ...interval,
      audit: { ...interval.audit!, ...energies[k] },
    }));
    expect(summarizeRun(intervals)).toMatchObject({
      curtailedW: 900,
      curtailedWh: 600,
      curtailedEnergyPct: 15,
      jainAlpha: 0.9,
      jainServed: 0.98,
      giniAlpha: 0.15,
      giniServed: 0.05,
      worstDecileAlpha: 0.7,
    });
  });

  it('knows no energy where nothing was judged', () => {
    const { curtailedWh, curtailedEnergyPct, giniAlpha, worstDecileAlpha } = summarizeRun([]);
    expect([curtailedWh, curtailedEnergyPct, giniAlpha, worstDecileAlpha]).toEqual(Array(4).fill(undefined));
  });
});
