import { describe, expect, it } from 'vitest';
import type { AttributeDifference, ModelCreation } from '../../../bus/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { Feeder } from '../../../grid/model/index.js';
import { createScenario } from '../../../platform/simulation/scenario.js';
import { createSimulation } from '../../../platform/simulation/simulation.js';
import { measurement, smallFeeder } from './grid.js';

const MODEL: ModelCreation = { loadScalingFactor: 1, pvScalingFactor: 1, switches: [], machines: [] };
const START_S = 1_655_251_200;

function start(model: Partial<ModelCreation> = {}, intervalS = 900, feeder: Feeder = small()) {
  const scenario = createScenario({ ...MODEL, ...model }, START_S);
  return createSimulation({ feeder, scenario, startS: START_S, intervalS, createFlow: createPowerFlow });
}

function small(): Feeder {
  return smallFeeder([
    measurement('v-m', 'PNV', 'load.LD', 'M', 'A'),
    measurement('v-e', 'PNV', 'pv.PV', 'E', 'A'),
    measurement('s-load', 'VA', 'load.LD', 'M', 'A'),
    measurement('s-pv', 'VA', 'pv.PV', 'E', 'A'),
    measurement('s-line', 'VA', 'line.L', 'S', 'A'),
    measurement('i-switch', 'A', 'switch.SW', 'M', 'A'),
    measurement('pos-switch', 'Pos', 'switch.SW', 'M', 'A'),
    measurement('pos-cap', 'Pos', 'capacitor.CAP', 'E', 'A'),
    measurement('soc', 'SoC', 'battery.BAT', 'E', ''),
    measurement('nowhere', 'VA', 'line.MISSING', 'M', 'A'),
  ]);
}

function set(object: string, attribute: string, value: unknown): AttributeDifference {
  return { object, attribute, value };
}

describe('a simulation', () => {
  it('measures every placed quantity and names the one that has no place', () => {
    const simulation = start();
    const step = simulation.advance();
    const values = simulation.measure();
    expect(step).toMatchObject({ step: 0, timestamp: START_S, status: 'converged' });
    expect(simulation.unplaced.map(({ id }) => id)).toEqual(['nowhere']);
    expect(Object.keys(values).sort()).toEqual(
      ['i-switch', 'pos-cap', 'pos-switch', 's-line', 's-load', 's-pv', 'soc', 'v-e', 'v-m'].sort(),
    );
    // Load of the feeder's builder: 100 kW + j40 kvar, so |S| = 107.703 kVA at 21.80 degrees.
    expect(values['s-load']!.magnitude).toBeCloseTo(107_703.3, 0);
    expect(values['s-load']!.angle).toBeCloseTo(21.801, 2);
    // PV of 60 kW generates: power into the element is negative, 180 degrees.
    expect(values['s-pv']!.magnitude).toBeCloseTo(60_000, 0);
    expect(Math.abs(values['s-pv']!.angle!)).toBeCloseTo(180, 2);
    expect(values['pos-switch']!.value).toBe(1);
    expect(values['pos-cap']!.value).toBe(1);
    // 20 of 40 kWh.
    expect(values['soc']!.value).toBeCloseTo(50, 9);
    // Power through the line: 100 - 60 kW and 40 - 30 kvar plus its losses (I about 5.7 A, 1 ohm: 33 W).
    expect(values['s-line']!.magnitude).toBeGreaterThan(41_200);
    expect(values['s-line']!.magnitude).toBeLessThan(41_400);
  });

  it('applies a difference message in the next step, not before', () => {
    const simulation = start();
    simulation.advance();
    const before = simulation.measure()['s-pv']!.magnitude;
    simulation.enqueue([set('pv.PV', 'PowerElectronicsConnection.p', 25_000)]);
    expect(simulation.measure()['s-pv']!.magnitude).toBe(before);
    const step = simulation.advance();
    expect(step.differences).toEqual({ applied: 1, ignored: [] });
    expect(simulation.measure()['s-pv']!.magnitude).toBeCloseTo(25_000, 0);
  });

  it('treats a PV command as a limit: output is the lesser of what is available and what is allowed', () => {
    // Ramp 1, 0.5, 0.25, 1 of 60 kW against a limit of 40 kW: 40, 30, 15, 40 kW.
    const simulation = start({ pvProfile: [1, 0.5, 0.25, 1], profileStepS: 900 });
    simulation.enqueue([set('pv.PV', 'PowerElectronicsConnection.p', '40000')]);
    const outputs = [1, 2, 3, 4].map(() => {
      simulation.advance();
      return simulation.powerOf('pv.PV')!.powerW;
    });
    expect(outputs).toEqual([40_000, 30_000, 15_000, 40_000]);
  });

  it('keeps the inverter within its rating, active power first', () => {
    const simulation = start();
    simulation.enqueue([set('pv.PV', 'PowerElectronicsConnection.q', 60_000)]);
    simulation.advance();
    // sqrt(66^2 - 60^2) = 27.495 kvar.
    expect(simulation.powerOf('pv.PV')!.powerVar).toBeCloseTo(27_495.45, 1);
  });

  it('does not charge a battery whose section is dead', () => {
    const simulation = start({ battery: { chargeEfficiency: 0.9, dischargeEfficiency: 0.8, reserve: 0.25 } }, 60);
    simulation.enqueue([set('battery.BAT', 'PowerElectronicsConnection.p', -5000)]);
    const charge = () => {
      simulation.advance();
      return simulation.measure()['soc']!.value;
    };
    // 5 kW for a minute at 90 % into 40 kWh are 0.1875 %.
    expect(charge()).toBeCloseTo(50, 9);
    expect(charge()).toBeCloseTo(50.1875, 6);
    simulation.enqueue([set('switch.SW', 'Switch.open', 1)]);
    expect(charge()).toBeCloseTo(50.375, 6);
    expect(charge()).toBeCloseTo(50.375, 6);
    simulation.enqueue([set('switch.SW', 'Switch.open', 0)]);
    expect(charge()).toBeCloseTo(50.375, 6);
    expect(charge()).toBeCloseTo(50.5625, 6);
  });

  it('integrates the charge of a battery with its efficiency, and ends at the rating and at the reserve', () => {
    const simulation = start({ battery: { chargeEfficiency: 0.9, dischargeEfficiency: 0.8, reserve: 0.25 } }, 3600);
    simulation.enqueue([set('battery.BAT', 'PowerElectronicsConnection.p', -25_000)]);
    const charge = () => {
      simulation.advance();
      return [simulation.powerOf('battery.BAT')!.powerW, simulation.measure()['soc']!.value!];
    };
    // 25 kW are asked for, 10 kW is the rating; 9 of 10 kWh are stored each hour: 20, 29, 38 kWh, then 2 kWh are left.
    expect(charge()[0]).toBe(-10_000);
    expect(charge()[1]).toBeCloseTo(72.5, 6);
    const [lastPower, nearlyFull] = charge();
    expect(nearlyFull).toBeCloseTo(95, 6);
    expect(lastPower).toBeCloseTo(-2000 / 0.9, 3);
    expect(charge()[1]).toBeCloseTo(100, 6);
    simulation.enqueue([set('battery.BAT', 'PowerElectronicsConnection.p', 10_000)]);
    // 10 kW at 0.8 takes 12.5 kWh an hour: 40, 27.5, 15; the reserve of 10 kWh leaves 5 kWh, which give 4 kW for an hour.
    expect(charge()).toEqual([10_000, expect.closeTo(100, 6)]);
    expect(charge()).toEqual([10_000, expect.closeTo(68.75, 6)]);
    expect(charge()).toEqual([expect.closeTo(4000, 3), expect.closeTo(37.5, 6)]);
    expect(charge()).toEqual([expect.closeTo(0, 6), expect.closeTo(25, 6)]);
  });

  it('opens a switch, takes a capacitor out and changes a load, and everything behind follows', () => {
    const simulation = start();
    simulation.advance();
    simulation.enqueue([
      set('capacitor.CAP', 'ShuntCompensator.sections', 0),
      set('load.LD', 'EnergyConsumer.p', 50_000),
      set('switch.SW', 'Switch.open', 1),
    ]);
    expect(simulation.advance().differences.applied).toBe(3);
    const values = simulation.measure();
    expect(values['pos-switch']!.value).toBe(0);
    expect(values['pos-cap']!.value).toBe(0);
    expect(values['i-switch']!.magnitude).toBeLessThan(1e-3);
    // |50 kW + j40 kvar| = 64.03 kVA.
    expect(values['s-load']!.magnitude).toBeCloseTo(64_031.2, 0);
    simulation.enqueue([set('switch.SW', 'Switch.open', 0)]);
    simulation.advance();
    expect(simulation.measure()['pos-switch']!.value).toBe(1);
  });

  it('ignores what it does not know, names object and attribute, and applies the rest', () => {
    const simulation = start();
    simulation.enqueue([
      set('_0D2E1F77-0000-4000-8000-000000000001', 'PowerElectronicsConnection.p', 1),
      set('pv.PV', 'PowerElectronicsConnection.maxIFault', 1),
      set('pv.PV', 'PowerElectronicsConnection.p', 'NaN'),
      set('pv.PV', 'PowerElectronicsConnection.p', -5),
      set('load.LD', 'Switch.open', 1),
      set('switch.SW', 'Switch.open', 7),
      set('pv.PV', 'PowerElectronicsConnection.p', 12_000),
    ]);
    const { applied, ignored } = simulation.advance().differences;
    expect(applied).toBe(1);
    expect(simulation.powerOf('pv.PV')!.powerW).toBe(12_000);
    expect(ignored).toHaveLength(6);
    expect(ignored[0]).toContain('_0D2E1F77-0000-4000-8000-000000000001');
    expect(ignored[0]).toContain('PowerElectronicsConnection.p');
    expect(ignored[1]).toContain('PowerElectronicsConnection.maxIFault');
    expect(ignored[2]).toContain('no finite number');
  });

  it('follows load and PV profiles and the source voltage', () => {
    const simulation = start({
      loadProfile: [0.5, 1],
      profileStepS: 1800,
      loadScalingFactor: 2,
      sourceVoltagePu: 1.04,
    });
    simulation.advance();
    const first = simulation.measure();
    // 0.5 x 2 of 100 + j40; 1.04 of 7200 V less the drop of a few volts.
    expect(first['s-load']!.magnitude).toBeCloseTo(107_703.3, 0);
    expect(first['v-m']!.magnitude).toBeGreaterThan(7200 * 1.04 - 20);
    expect(first['v-m']!.magnitude).toBeLessThan(7200 * 1.04);
    simulation.advance();
    // Half way between 0.5 and 1 at 900 s of 1800 s: 0.75 x 2.
    expect(simulation.measure()['s-load']!.magnitude).toBeCloseTo(1.5 * 107_703.3, 0);
  });
});
