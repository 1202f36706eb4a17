import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { buildFeeder } from '../../../grid/model/index.js';
import { createScenario } from '../../../platform/simulation/scenario.js';
import { createSimulation } from '../../../platform/simulation/simulation.js';
import { feeder } from '../../builders/feeder.js';
import { measurement } from './grid.js';

/** A single-phase regulator of 7.2 kV (PT 60: 120 V on its secondary) with a load behind it. */
function start() {
  const data = feeder('regulated')
    .source('S', 'S', { kv: 7.2, phases: 'A' })
    .transformer('T', {
      phases: 1,
      windings: [
        { bus: 'S', kv: 7.2, kva: 2000 },
        { bus: 'R', kv: 7.2, kva: 2000 },
      ],
      reactancesPct: [0.01],
    })
    .regulator('REG', 'T', { targetV: 120, bandV: 2, ptRatio: 60 })
    .load('LD', 'R', { phases: 'A', kw: 100, minPu: 0.8, maxPu: 1.2 })
    .switch('SW', 'R', 'E', { phases: 'A' })
    .data();
  const measurements = [
    measurement('tap', 'Pos', 'transformer.T', 'R', 'A'),
    measurement('v', 'PNV', 'load.LD', 'R', 'A'),
    measurement('switch', 'Pos', 'switch.SW', 'R', 'A'),
  ];
  const model = { loadScalingFactor: 1, pvScalingFactor: 1, switches: [{ name: 'SW', isOpen: true }], machines: [] };
  const simulation = createSimulation({
    feeder: buildFeeder({ ...data, measurements }),
    scenario: createScenario(model, 0),
    startS: 0,
    intervalS: 60,
    createFlow: createPowerFlow,
    model,
  });
  return {
    /** Sends a difference (attribute and value) of the regulator and gives tap and voltage on the PT secondary after it. */
    step(attribute?: string, value?: unknown) {
      if (attribute !== undefined) simulation.enqueue([{ object: 'regulator.REG', attribute, value }]);
      const { differences } = simulation.advance();
      const values = simulation.measure();
      return {
        tap: values['tap']!.value!,
        secondaryV: values['v']!.magnitude! / 60,
        isSwitchOpen: values['switch']!.value === 0,
        ignored: differences.ignored,
      };
    },
  };
}

describe('a regulator in a simulation', () => {
  it('keeps the tap it is given, and follows its control again when that is enabled', () => {
    const { step } = start();
    // Source at 120 V on the PT secondary: in the band, tap 0.
    expect(step().tap).toBe(0);
    // +8 steps of 0.625 %: 5 % up, 126 V, which the control would not leave alone.
    expect(step('TapChanger.step', 8)).toMatchObject({ tap: 8, secondaryV: expect.closeTo(126, 0) });
    expect(step().tap).toBe(8);
    const freed = step('RegulatingControl.enabled', 'true');
    expect(freed.secondaryV).toBeLessThanOrEqual(121);
    expect(freed.tap).toBeLessThan(8);
  });

  it('moves to a new target, and everything switched before stays as it was', () => {
    const { step } = start();
    expect(step().isSwitchOpen).toBe(true);
    const moved = step('RegulatingControl.targetValue', 126);
    // Band 126 ± 1 V.
    expect(moved.secondaryV).toBeGreaterThanOrEqual(125);
    expect(moved.secondaryV).toBeLessThanOrEqual(127);
    expect(moved.isSwitchOpen).toBe(true);
    expect(step('RegulatingControl.enabled', 0).tap).toBe(moved.tap);
    expect(step('RegulatingControl.targetValue', 114).tap).toBe(moved.tap);
  });

  it('refuses a step outside its range and names the range', () => {
    const { step } = start();
    const { tap, ignored } = step('TapChanger.step', 17);
    expect(tap).toBe(0);
    expect(ignored[0]).toMatch(/TapChanger\.step of object regulator\.REG.*-16 and 16/);
  });
});
