import { describe, expect, it } from 'vitest';
import {
  coordinateHorizon,
  coordinateInProcess,
  type FeederHorizonQuestion,
  recede,
  recedeFeeder,
  type ScheduledBattery,
  scheduleCustomer,
} from '../../../../grid/optim/index.js';
import { feeder as build } from '../../../builders/feeder.js';
import { MODEL_STATE } from '../street.js';

const STEPS = 12;
const byStep = (of: (t: number) => number) => Float64Array.from({ length: STEPS }, (_, t) => of(t));

/** Three houses on one line: sun at all of them, batteries at the first and the last. */
let net = build('row').source('S', 'SRC', { kv: 0.4, pu: 1.02, z1: [0.001, 0.001], z0: [0.001, 0.001] });
for (const k of [1, 2, 3]) {
  net = net
    .line(`L${k}`, k === 1 ? 'SRC' : `H${k - 1}`, `H${k}`, { r: [[0.25]], x: [[0.12]], phases: 'A', length: 0.3 })
    .load(`D${k}`, `H${k}`, { phases: 'A', kw: 1, kvar: 0.3 })
    .pv(`V${k}`, `H${k}`, { phases: 'A', kw: 5 });
  if (k !== 2) net = net.battery(`B${k}`, `H${k}`, { phases: 'A', kw: 0, kva: 5 });
}
const ROW = net.build();

const battery = (id: string): ScheduledBattery => ({
  id,
  maxChargeW: 3000,
  maxDischargeW: 3000,
  chargeEfficiency: 0.95,
  dischargeEfficiency: 0.95,
  storedWh: 2000,
  minStoredWh: 500,
  maxStoredWh: 8000,
});

function question(more: Partial<FeederHorizonQuestion> = {}): FeederHorizonQuestion {
  const sun = byStep((t) => 5000 * Math.sin((Math.PI * (t + 0.5)) / STEPS));
  return {
    feeder: ROW,
    state: MODEL_STATE,
    voltageLimits: { minPu: 0.94, maxPu: 1.05 },
    stepS: 3600,
    importPrice: byStep((t) => (t < 6 ? 0.2 : 0.4)),
    exportPrice: byStep((t) => (t < 6 ? 0.1 : 0.15)),
    loads: Object.fromEntries(
      ROW.loads.map(({ id }) => [id, { powerW: byStep(() => 800), powerVar: byStep(() => 200) }]),
    ),
    availableW: Object.fromEntries(ROW.pvSystems.map(({ id }) => [id, sun])),
    batteries: Object.fromEntries(ROW.batteries.map(({ id }) => [id, battery(id)])),
    end: { kind: 'cyclic' },
    ...more,
  };
}

describe('a feeder over a horizon', () => {
  it('holds the AC power flow of every step inside the limits, which customers alone would break', () => {
    const result = coordinateHorizon(question());
    expect(result.status).toBe('optimal');
    expect(Math.max(...result.steps.map(({ uncoordinatedMaxPu }) => uncoordinatedMaxPu))).toBeGreaterThan(1.06);
    for (const { vMaxPu, vMinPu, violations, isConverged } of result.steps) {
      expect(isConverged).toBe(true);
      expect(violations).toBe(0);
      expect(vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
      expect(vMinPu).toBeGreaterThanOrEqual(0.94 - 1e-5);
    }
    expect(result.kktResidual).toBeLessThan(1e-7);
    expect(result.energyCost).toBeGreaterThanOrEqual(result.uncoordinatedCost - 1e-6);
    for (const [, { batteries }] of result.schedules) {
      for (const { storedWh } of batteries) expect(storedWh.at(-1)).toBeCloseTo(2000, 0);
    }
  });

  it('curtails less than it would without batteries', () => {
    const withBatteries = coordinateHorizon(question());
    const without = coordinateHorizon(question({ batteries: {} }));
    expect(without.status).toBe('optimal');
    expect(withBatteries.curtailedKwh).toBeLessThan(0.8 * without.curtailedKwh);
  });

  it('leaves every customer its own schedule where no limit binds', () => {
    const result = coordinateHorizon(question({ voltageLimits: { minPu: 0.7, maxPu: 1.3 } }));
    expect(result.status).toBe('optimal');
    expect(result.rows).toBe(0);
    expect(result.curtailedKwh).toBeLessThan(1e-3);
    const one = ROW.batteries[0]!;
    const { importPrice, exportPrice, availableW } = question();
    const alone = scheduleCustomer({
      id: 'H1',
      stepS: 3600,
      importPrice,
      exportPrice,
      loadW: byStep(() => 800),
      availableW: Object.values(availableW)[0]!,
      batteries: [battery(one.id)],
      end: { kind: 'cyclic' },
    });
    const found = result.schedules.get(one.terminal.bus)!;
    expect(found.energyCost).toBeCloseTo(alone.schedule!.energyCost, 6);
  });

  it('costs as much with networks in the programme as with limits as rows over customers', () => {
    const byRows = coordinateHorizon(question({ maxCorrections: 0 }));
    const byNetworks = coordinateHorizon(question({ maxCorrections: 0, maxCouplingRows: 3 }));
    expect(byNetworks.rows).toBeGreaterThan(byRows.rows);
    expect(byNetworks.objective).toBeCloseTo(byRows.objective, 4);
    expect(byNetworks.gap).toBeCloseTo(byRows.gap!, 4);
  });

  it('costs no more than with batteries that rest on a few limits, and holds all of them', () => {
    const few = coordinateHorizon(question({ maxCouplingRows: 3, heldSteps: STEPS }));
    const all = coordinateHorizon(question({ maxCouplingRows: 3 }));
    expect(few.status).toBe('optimal');
    expect(all.status).toBe('optimal');
    expect(all.gap!).toBeLessThan(few.gap! / 2);
    expect(all.objective).toBeLessThanOrEqual(few.objective);
    for (const { vMaxPu } of all.steps) expect(vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
  });

  it('holds steps without sun by batteries, however few limits may tie them', () => {
    // Energy is dearest at the last hour, where customers alone discharge all; what 1.03 pu leaves goes to the hour before it,
    // which breaks no limit until then.
    const price = byStep((t) => (t < 8 ? 0.2 : 0.55 + 0.05 * (t - 8)));
    const night = question({
      voltageLimits: { minPu: 0.94, maxPu: 1.03 },
      importPrice: price,
      exportPrice: price,
      availableW: Object.fromEntries(
        ROW.pvSystems.map(({ id }) => [id, byStep((t) => (t < 6 ? 5000 * Math.sin((Math.PI * (t + 0.5)) / 6) : 0))]),
      ),
      batteries: Object.fromEntries(
        ROW.batteries.map(({ id }) => [id, { ...battery(id), maxDischargeW: 12_000, maxStoredWh: 16_000 }]),
      ),
      maxCouplingRows: 2,
    });
    const result = coordinateHorizon(night);
    expect(result.steps[11]!.uncoordinatedMaxPu).toBeGreaterThan(1.035);
    expect([result.status, result.findings.map(({ code }) => code)]).toEqual(['optimal', []]);
    for (const { vMaxPu, vMinPu } of result.steps) {
      expect(vMaxPu).toBeLessThanOrEqual(1.03 + 1e-5);
      expect(vMinPu).toBeGreaterThanOrEqual(0.94 - 1e-5);
    }
    expect(result.gap).not.toBeNull();
  });

  it('tells the price of fairness of a single interval, at every step', () => {
    const sun = Object.fromEntries(ROW.pvSystems.map(({ id }) => [id, byStep((t) => (t % 2 === 0 ? 5000 : 100))]));
    // Without prices a plan shares curtailment as a single interval does.
    const free = { importPrice: byStep(() => 0), exportPrice: byStep(() => 0) };
    const result = coordinateHorizon(question({ ...free, batteries: {}, availableW: sun }));
    const one = coordinateInProcess({
      feeder: ROW,
      state: MODEL_STATE,
      inputs: {
        loads: Object.fromEntries(ROW.loads.map(({ id }) => [id, { powerW: 800, powerVar: 200 }])),
        availableW: Object.fromEntries(ROW.pvSystems.map(({ id }) => [id, 5000])),
        held: {},
      },
      settings: { limits: { minPu: 0.94, maxPu: 1.05 } },
      method: 'central',
    });
    expect(one.priceOfFairness).toBeGreaterThan(0.01);
    result.steps.forEach(({ leastCurtailedW, curtailedW }, t) => {
      expect(Math.abs(leastCurtailedW! - (t % 2 === 0 ? one.leastCurtailedW : 0))).toBeLessThan(5);
      expect(leastCurtailedW!).toBeLessThanOrEqual(curtailedW + 1);
    });
    // Half of the steps have 15 kW of sun, the others 300 W that nothing curtails.
    expect(result.priceOfFairness).toBeCloseTo((one.priceOfFairness * 15) / 15.3, 3);
  });

  it('tells the gap of customers whose search ended early, where no limit binds', () => {
    const importPrice = byStep((t) => (t % 3 === 1 ? -0.3 : 0.3));
    const batteries = Object.fromEntries(ROW.batteries.map(({ id }) => [id, battery(id)]));
    const free = question({
      voltageLimits: { minPu: 0.5, maxPu: 1.5 },
      importPrice,
      exportPrice: byStep(() => 0.05),
      batteries,
      stepS: 900,
    });
    const result = coordinateHorizon(free);
    const apart = [...result.schedules.keys()].length;
    expect(apart).toBeGreaterThan(1);
    expect(result.status).toBe('optimal');
    expect(result.objective).toBeGreaterThanOrEqual(result.energyCost - 1e-6);
    expect(result.kktResidual).toBeGreaterThan(0);
    expect(result.statusText.includes('least cost were found')).toBe(
      result.gap! <= 1e-6 * (1 + Math.abs(result.objective)),
    );
  });

  it('buys and sells one way at a time beside a limit that binds, where selling pays more than buying', () => {
    const result = coordinateHorizon(
      question({
        importPrice: byStep(() => 0.05),
        exportPrice: byStep((t) => (t < 6 ? 0.3 : 0.02)),
        maxCorrections: 1,
      }),
    );
    expect(result.rows).toBeGreaterThan(0);
    const { feeder, loads: _, ...rest } = question();
    expect(rest.stepS).toBe(3600);
    // Money of the meters alone: energy, wear, spilt sun and the fairness term are all that an objective holds.
    const shared = feeder.pvSystems.reduce((sum, { id }) => {
      const sun = question().availableW[id]!;
      return sum + result.alpha.get(id)!.reduce((all, alpha, t) => all + (sun[t]! / 1000) * alpha ** 2, 0);
    }, 0);
    expect(result.objective).toBeCloseTo(result.energyCost + shared, 1);
    expect(result.gap!).toBeGreaterThan(0);
  });

  it('names step, node and voltage where nothing can hold a limit, and tells no gap', () => {
    const dark = byStep(() => 0);
    const result = coordinateHorizon(
      question({
        // The source alone stands above it at every step.
        voltageLimits: { minPu: 0.9, maxPu: 1.0 },
        availableW: Object.fromEntries(ROW.pvSystems.map(({ id }) => [id, dark])),
        maxCouplingRows: 2,
      }),
    );
    expect([result.status, result.gap, result.priceOfFairness]).toEqual(['limitsViolated', null, null]);
    const broken = result.findings.filter(({ code }) => code === 'LIMITS_VIOLATED');
    expect(broken.length).toBeGreaterThan(0);
    const worst = result.steps.findIndex(({ vMaxPu }) => vMaxPu === Math.max(...result.steps.map((one) => one.vMaxPu)));
    expect(broken[0]!.message).toContain(`at step ${worst + 1} (`);
    expect(broken[0]!.name).toBe(result.steps[worst]!.worstNode);
    expect(broken[0]!.value).toBe(`${result.steps[worst]!.vMaxPu.toFixed(5)} pu`);
  });

  it('shares the sun alike by flows of the network and by rows over customers', () => {
    // Without batteries nothing is lost by the cut: one takes limits as rows, the other decides each step over the network.
    const linear = { maxCorrections: 0, batteries: {} };
    const byRows = coordinateHorizon(question(linear));
    const byFlows = coordinateHorizon(question({ ...linear, maxCouplingRows: 1 }));
    expect(byRows.curtailedKwh).toBeGreaterThan(2);
    expect(byFlows.rows).toBeGreaterThanOrEqual(byRows.rows);
    expect(byFlows.objective).toBeCloseTo(byRows.objective, 5);
    for (const [id, alpha] of byRows.alpha) {
      alpha.forEach((value, t) => {
        expect(byFlows.alpha.get(id)![t]).toBeCloseTo(value, 4);
      });
    }
  });

  it('respects limits at the meter', () => {
    const meterLimits = Object.fromEntries(
      ROW.loads.map(({ terminal }) => [terminal.bus, { exportW: 1200, importW: 1500 }]),
    );
    const { status, schedules } = coordinateHorizon(question({ meterLimits }));
    expect(status).toBe('optimal');
    for (const { netW } of schedules.values()) {
      expect(Math.min(...netW)).toBeGreaterThanOrEqual(-1200 - 0.1);
      expect(Math.max(...netW)).toBeLessThanOrEqual(1500 + 0.1);
    }
  });

  it('pays for less of the weighted sharing term the more it weighs', () => {
    // Weighted sums: the term cannot grow with its weight. Linear model, so that both solve the same problem.
    const [light, heavy] = [0.05, 20].map((fairnessPerKwh) => {
      const { alpha } = coordinateHorizon(question({ fairnessPerKwh, maxCorrections: 0, batteries: {} }));
      let term = 0;
      for (const [id, byStepAlpha] of alpha) {
        byStepAlpha.forEach((a, t) => {
          term += question().availableW[id]![t]! * a * a;
        });
      }
      return term;
    });
    expect(heavy).toBeGreaterThan(0);
    expect(heavy).toBeLessThan(light! * (1 - 1e-3));
  });

  it('refuses a forecast of the wrong length', () => {
    const id = ROW.pvSystems[0]!.id;
    expect(() => coordinateHorizon(question({ availableW: { [id]: new Float64Array(3) } }))).toThrow(
      /3 forecast values/,
    );
  });
});

describe('a receding horizon', () => {
  const sunOf = (t: number) => 4000 * Math.max(0, Math.sin((Math.PI * (t - 6)) / 12));
  const priceOf = (t: number) => (t % 24 >= 16 && t % 24 < 20 ? 0.5 : 0.2);
  const plan = (step: number, batteries: readonly ScheduledBattery[], error: number) => {
    const over = (of: (t: number) => number) => Float64Array.from({ length: 24 }, (_, k) => of(step + k));
    const { schedule } = scheduleCustomer({
      id: 'house',
      stepS: 3600,
      importPrice: over(priceOf),
      exportPrice: over((t) => 0.4 * priceOf(t)),
      loadW: over(() => 1000),
      availableW: over((t) => (1 + error) * sunOf(t % 24)),
      batteries,
      end: { kind: 'free', valuePerKwh: 0.2 },
    });
    return schedule!.batteries.map(({ powerW }) => powerW[0]!);
  };

  it('with a right forecast keeps the store inside its range and moves energy to the dear hours', () => {
    const steps = recede({
      steps: 48,
      stepS: 3600,
      batteries: [battery('b')],
      plan: (t, stores) => plan(t, stores, 0),
    });
    for (const { batteries } of steps) {
      expect(batteries[0]!.storedWh).toBeGreaterThanOrEqual(500 - 0.1);
      expect(batteries[0]!.storedWh).toBeLessThanOrEqual(8000 + 0.1);
    }
    const energy = (from: number, to: number) =>
      steps.slice(from, to).reduce((sum, { batteries }) => sum + batteries[0]!.powerW, 0);
    expect(energy(16, 20)).toBeGreaterThan(2000);
    expect(energy(40, 44)).toBeGreaterThan(2000);
  });

  it('limits an order that the store cannot carry out, and says by how much', () => {
    const steps = recede({ steps: 3, stepS: 3600, batteries: [battery('b')], plan: () => [3000] });
    // 1500 Wh above the reserve give 1425 Wh at the terminals, all in the first hour.
    expect(steps[0]!.batteries[0]).toMatchObject({ orderedW: 3000 });
    expect(steps[0]!.batteries[0]!.powerW).toBeCloseTo(1425, 6);
    expect(steps[1]!.batteries[0]!.powerW).toBeCloseTo(0, 6);
  });
});

describe('a feeder by a receding horizon', () => {
  const run = (steps: number, more: Partial<FeederHorizonQuestion> = {}) => {
    const { importPrice, exportPrice, loads, availableW, batteries, ...common } = question(more);
    const turn = (values: Float64Array, by: number) => values.map((_, t) => values[(t + by) % STEPS]!);
    return recedeFeeder({
      ...common,
      steps,
      batteries,
      outlook: (step) => ({
        importPrice: turn(importPrice, step),
        exportPrice: turn(exportPrice, step),
        loads,
        availableW: Object.fromEntries(Object.entries(availableW).map(([id, values]) => [id, turn(values, step)])),
      }),
    });
  };

  it('names every step that breaks its limits by its own number, with node and voltage, and has no price then', () => {
    // The source alone stands above the limit.
    const { status, steps, priceOfFairness, findings } = run(3, {
      voltageLimits: { minPu: 0.9, maxPu: 1.0 },
      availableW: Object.fromEntries(ROW.pvSystems.map(({ id }) => [id, byStep(() => 0)])),
      maxCouplingRows: 2,
    });
    expect([status, priceOfFairness]).toEqual(['limitsViolated', null]);
    const broken = findings.filter(({ code }) => code === 'LIMITS_VIOLATED');
    expect(broken.map(({ name, message }) => [name, /at step (\d+) /.exec(message)?.[1]])).toEqual(
      steps.map(({ worstNode }, t) => [worstNode, String(t + 1)]),
    );
  });

  it('holds every step it carries out in the AC power flow, stores in their range, and comes back by the end', () => {
    const { status, steps, batteries, energyCost } = run(STEPS);
    expect(status).toBe('optimal');
    expect(steps).toHaveLength(STEPS);
    expect(Math.max(...steps.map(({ uncoordinatedMaxPu }) => uncoordinatedMaxPu))).toBeGreaterThan(1.06);
    for (const { vMaxPu, violations } of steps) {
      expect(violations).toBe(0);
      expect(vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
    }
    for (const { batteries: stores } of batteries) {
      for (const { storedWh, powerW, orderedW } of stores) {
        expect(storedWh).toBeGreaterThanOrEqual(500 - 0.1);
        expect(storedWh).toBeLessThanOrEqual(8000 + 0.1);
        expect(Math.abs(powerW - orderedW)).toBeLessThan(1);
      }
    }
    expect(energyCost).toBeCloseTo(
      steps.reduce((sum, step) => sum + step.energyCost, 0),
      9,
    );
  });

  it('begins with the first step of the plan for the whole horizon', () => {
    const [first] = run(1).steps;
    const plan = coordinateHorizon(question());
    expect(first!.batteryW).toBeCloseTo(plan.steps[0]!.batteryW, 0);
    expect(first!.vMaxPu).toBeCloseTo(plan.steps[0]!.vMaxPu, 6);
  });
});
