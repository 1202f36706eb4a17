import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { buildFeeder } from '../../../grid/model/index.js';
import { createScenario } from '../../../platform/simulation/scenario.js';
import { createSimulation } from '../../../platform/simulation/simulation.js';
import { feeder } from '../../builders/feeder.js';
import { measurement } from './grid.js';

/**
 * One phase of 2400 V: a regulator (PT 20, CT 700 A) with a load of 100 kW behind it; at the end of a line of 0.3 + 0.9 ohm a load
 * of 100 kW and 200 kvar with a bank of 100 kvar that is out, in below 2250 V and out above 2290 V.
 */
function start() {
  const data = feeder('controlled')
    .source('S', 'S', { kv: 2.4, phases: 'A' })
    .transformer('T', {
      phases: 1,
      windings: [
        { bus: 'S', kv: 2.4, kva: 2000 },
        { bus: 'R', kv: 2.4, kva: 2000 },
      ],
      reactancesPct: [0.01],
    })
    .regulator('REG', 'T', { targetV: 120, bandV: 2, ptRatio: 20 })
    .load('LR', 'R', { phases: 'A', kw: 100, minPu: 0.8, maxPu: 1.2 })
    .line('L', 'S', 'E', { r: [[0.3]], x: [[0.9]], phases: 'A' })
    .load('LE', 'E', { phases: 'A', kw: 100, kvar: 200, minPu: 0.8, maxPu: 1.2 })
    .capacitor('CAP', 'E', {
      phases: 'A',
      kvar: 100,
      sectionsOn: 0,
      control: {
        mrid: 'control',
        mode: 'voltage',
        isEnabled: true,
        target: 2270,
        deadband: 40,
        delayS: 15,
        monitoredTerminal: 1,
        monitoredElementId: 'line.L',
        voltageBus: { bus: 'E', nodes: [1] },
      },
    })
    .data();
  const measurements = [
    measurement('bank', 'Pos', 'capacitor.CAP', 'E', 'A'),
    measurement('v', 'PNV', 'load.LR', 'R', 'A'),
  ];
  const simulation = createSimulation({
    feeder: buildFeeder({ ...data, measurements }),
    scenario: createScenario({ loadScalingFactor: 1, pvScalingFactor: 1, switches: [], machines: [] }, 0),
    startS: 0,
    intervalS: 60,
    createFlow: createPowerFlow,
  });
  /** Sends differences of one object and gives the bank's position and the voltage on the PT's secondary after a step. */
  return (object = '', differences: Record<string, unknown> = {}) => {
    simulation.enqueue(Object.entries(differences).map(([attribute, value]) => ({ object, attribute, value })));
    const { differences: result } = simulation.advance();
    expect(result.ignored).toEqual([]);
    const values = simulation.measure();
    return { bank: values['bank']!.value, secondaryV: values['v']!.magnitude! / 20 };
  };
}

const CAP = 'capacitor.CAP';

describe('settings of a control in a simulation', () => {
  it('switch a bank by target and dead band, by its own mRID or its control’s', () => {
    const step = start();
    // By hand, V - (R P + X Q) / V: 2 309 V, inside the band.
    expect(step().bank).toBe(0);
    expect(step(CAP, { 'RegulatingControl.targetValue': 2340 }).bank).toBe(1);
    // 2 346 V with the bank: within 2 240 and 2 360 V, above 2 320.
    const wide = { 'RegulatingControl.targetValue': 2300, 'RegulatingControl.targetDeadband': '120' };
    expect(step('control', { ...wide, 'ShuntCompensator.aVRDelay': 30 }).bank).toBe(1);
    expect(step('control', { 'RegulatingControl.targetDeadband': 40 }).bank).toBe(0);
  });

  it('leave a bank to hand until its control is enabled again', () => {
    const step = start();
    step(CAP, { 'RegulatingControl.enabled': false });
    expect(step(CAP, { 'RegulatingControl.targetValue': 2340 }).bank).toBe(0);
    expect(step(CAP, { 'RegulatingControl.enabled': true }).bank).toBe(1);
    // activePower is no mode of a bank: by hand, as on the real platform.
    step(CAP, { 'RegulatingControl.mode': 'RegulatingControlModeKind.activePower' });
    expect(step(CAP, { 'RegulatingControl.targetValue': 2200 }).bank).toBe(1);
    expect(step(CAP, { 'RegulatingControl.enabled': 1 }).bank).toBe(0);
  });

  it('have a bank look at reactive power instead of voltage', () => {
    const step = start();
    expect(step().bank).toBe(0);
    // 2 309 is above the band in volts; 200 kvar and more through the line are above it in var.
    expect(step(CAP, { 'RegulatingControl.mode': 'RegulatingControlModeKind.reactivePower' }).bank).toBe(1);
    expect(step(CAP, { 'RegulatingControl.mode': 0 }).bank).toBe(0);
  });

  it('compensate the drop of a line behind a regulator', () => {
    const step = start();
    expect(step().secondaryV).toBeCloseTo(120, 0);
    // By hand: 41.7 A through a CT of 700 A give 0.0595 of 100 V: 5.95 V more than 120 ± 1 V, and none without.
    const on = step('regulator.REG', { 'TapChanger.lineDropCompensation': true, 'TapChanger.lineDropR': 100 });
    expect(Math.abs(on.secondaryV - 125.7)).toBeLessThan(1.4);
    const turned = step('regulator.REG', { 'TapChanger.lineDropR': 0, 'TapChanger.lineDropX': 100 });
    // Across the voltage: |120 + 5.95 j| is 120.15 V, so nothing has to be made up.
    expect(Math.abs(turned.secondaryV - 120)).toBeLessThan(1.4);
    step('regulator.REG', { 'TapChanger.lineDropR': 100, 'TapChanger.initialDelay': 30 });
    const off = step('regulator.REG', { 'TapChanger.lineDropCompensation': 'false' });
    expect(Math.abs(off.secondaryV - 120)).toBeLessThan(1.4);
  });
});
