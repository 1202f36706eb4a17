import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { type CapacitorControl, canonicalMrid, type Regulator } from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';
import { ieee13 } from '../../golden/powerflow/ieee13.js';

/** A single-phase 2.4 kV regulator (bus a to b) with a short line to c. */
function regulated(
  sourcePu: number,
  options: Partial<Regulator> = {},
  load: { kw: number; kvar?: number } = { kw: 1 },
) {
  return feeder('regulated')
    .source('S', 'a', { kv: 2.4, phases: 'A', pu: sourcePu, z1: [1e-4, 1e-4] })
    .transformer('T', {
      phases: 1,
      windings: [
        { bus: 'a', kv: 2.4, kva: 1000, resistancePct: 0.001 },
        { bus: 'b', kv: 2.4, kva: 1000, resistancePct: 0.001 },
      ],
      reactancesPct: [0.005],
    })
    .regulator('R', 'T', { targetV: 122, bandV: 2, ptRatio: 20, ...options })
    .line('L', 'b', 'c', { r: [[0.3]], x: [[0.6]], phases: 'A' })
    .load('D', 'c', { phases: 'A', minPu: 0.5, maxPu: 1.5, ...load })
    .build();
}

const position = (sourcePu: number, options: Partial<Regulator> = {}, load?: { kw: number; kvar?: number }) => {
  const flow = createPowerFlow(regulated(sourcePu, options, load));
  const solution = flow.solve();
  return { tap: flow.taps.get('regulator.R')!, solution, flow };
};

describe('regulator control in OpenDSS static mode', () => {
  it('moves 70 % of the way, rounded down, until it stands in the band', () => {
    // By hand at 115.2 V: 6.8 V wanted is 9.07 steps, rounded 9, 70 % of it 6; at 119.52 V 2.48 V is 3.3 steps,
    // rounded 3, 70 % of it 2; at 120.96 V, ratio 1.05, outside 121 to 123 by a little: one step more to 121.68 V.
    const { tap, solution } = position(0.96);
    expect(tap).toBe(9);
    expect(solution.controlPasses).toBe(3);
    expect(solution.status).toBe('converged');
  });

  it('stays where it is inside the band and stops at its limits', () => {
    expect(position(1.016).tap).toBe(0);
    expect(position(0.85).tap).toBe(16);
    expect(position(1.2).tap).toBe(-16);
    expect(position(0.85, { highStep: 4 }).tap).toBe(4);
  });

  it('does not act when disabled, frozen or told not to', () => {
    expect(position(0.96, { isControlEnabled: false }).tap).toBe(0);
    const flow = createPowerFlow(regulated(0.96));
    flow.setTap('regulator.R', 3, true);
    flow.solve();
    expect(flow.taps.get('regulator.R')).toBe(3);
    flow.setTap('regulator.R', 3, false);
    flow.solve({ controls: false });
    expect(flow.taps.get('regulator.R')).toBe(3);
    flow.solve();
    // By hand from step 3: 117.36 V wants 6.2 steps, 70 % of 6 is 4; at step 7, 120.24 V, 2.3 steps, at least one.
    expect(flow.taps.get('regulator.R')).toBeGreaterThan(7);
  });

  it('holds the voltage at the far end of the compensated drop', () => {
    // Compensator set to the line: R = 0.3 ohm * CT / PT = 0.3 * 100 / 20 = 1.5 V, X = 3 V.
    const drop = { hasLineDropCompensation: true, lineDropRV: 1.5, lineDropXV: 3, ctPrimaryA: 100 };
    const { solution } = position(1, drop, { kw: 400, kvar: 150 });
    const far = (solution.voltagePuAt('C', 1)! * 2400) / 20;
    expect(Math.abs(far - 122)).toBeLessThan(1.05);
    const blind = position(1, {}, { kw: 400, kvar: 150 }).solution;
    expect((blind.voltagePuAt('C', 1)! * 2400) / 20).toBeLessThan(far - 2);
  });

  it('comes down from a voltage limit even when the drop asks for more', () => {
    const drop = { hasLineDropCompensation: true, lineDropRV: 6, lineDropXV: 9, ctPrimaryA: 100 };
    const { solution } = position(1, { ...drop, maxVoltageV: 124 }, { kw: 400, kvar: 150 });
    expect((solution.voltagePuAt('B', 1)! * 2400) / 20).toBeLessThan(124);
  });

  it('goes up to the lower voltage limit even when the band is wide', () => {
    // By hand: 117 V stands in 106 to 118 V. Of the 2 V up to 119 V, 2.7 steps of 0.75 V, rounded 3, 70 % of it 2; at
    // 118.46 V one step more to 119.19 V.
    expect(position(0.975, { targetV: 112, bandV: 12 }).tap).toBe(0);
    const { tap, solution } = position(0.975, { targetV: 112, bandV: 12, minVoltageV: 119 });
    expect([tap, solution.controlPasses, solution.status]).toEqual([3, 2, 'converged']);
  });

  it('seeks the band no further than a limit, instead of hunting between the two', () => {
    // 120 V at no load; the band wants 122 V, the limit of 121 V leaves one step of 0.75 V.
    const { tap, solution } = position(1, { maxVoltageV: 121 });
    expect([tap, solution.status]).toEqual([1, 'converged']);
    const low = position(1, { targetV: 116, minVoltageV: 119 });
    expect([low.tap, low.solution.status]).toEqual([-1, 'converged']);
  });

  it('watches another bus when the model names one', () => {
    const { solution } = position(1, { monitored: { bus: 'C', nodes: [1, 0] } }, { kw: 400, kvar: 150 });
    expect(Math.abs((solution.voltagePuAt('C', 1)! * 2400) / 20 - 122)).toBeLessThan(1.05);
  });

  it('keeps reverse operation as data and says so', () => {
    const { flow } = position(1, { isReversible: true });
    expect(flow.findings.map(({ code }) => code)).toEqual(['CONTROL_NOT_ACTED']);
  });

  it('reports controls that are not at rest after the passes allowed', () => {
    const flow = createPowerFlow(regulated(0.96));
    const short = flow.solve({ maxControlPasses: 2 });
    expect([short.status, short.controlPasses]).toEqual(['controlsUnsettled', 2]);
    // The third pass is the last one needed: reaching the limit with nothing left to do is no failure.
    const enough = createPowerFlow(regulated(0.96)).solve({ maxControlPasses: 3 });
    expect([enough.status, enough.controlPasses]).toEqual(['converged', 3]);
  });

  it('finds the taps of OpenDSS on the 13-node feeder from the neutral position', () => {
    // OpenDSS (DSS C-API 0.14.5, IEEE13Nodeckt.dss, taps reset to 1.0, static control) ends at 9, 6, 9.
    const flow = createPowerFlow(ieee13({ A: 0, B: 0, C: 0 }));
    expect(flow.solve().status).toBe('converged');
    expect([...flow.taps.values()]).toEqual([9, 6, 9]);
  });
});

/** A capacitor of three sections at the end of a line with a lagging load. */
function compensated(control: Partial<CapacitorControl>, kvar = 600, sectionsOn = 0) {
  return feeder('compensated')
    .source('S', 'a', { kv: 4.16 })
    .line('L', 'a', 'b', { r: [[0.3], [0, 0.3], [0, 0, 0.3]], x: [[0.9], [0, 0.9], [0, 0, 0.9]] })
    .load('D', 'b', { kw: 300, kvar, minPu: 0.5, maxPu: 1.5 })
    .capacitor('C', 'b', {
      kvar: 600,
      sectionCount: 3,
      sectionsOn,
      control: {
        mrid: canonicalMrid('control'),
        mode: 'voltage',
        isEnabled: true,
        target: 0,
        deadband: 0,
        delayS: 15,
        monitoredTerminal: 1,
        ...control,
      },
    })
    .build();
}

const sections = (control: Partial<CapacitorControl>, kvar?: number, sectionsOn?: number) => {
  const flow = createPowerFlow(compensated(control, kvar, sectionsOn));
  expect(flow.solve().status).toBe('converged');
  return flow.capacitorSections.get('capacitor.C')![0];
};

describe('capacitor control', () => {
  it('by voltage: in below the band, out above it', () => {
    // By hand, V - (R P + X Q) / V a phase: 2 314 V without a section, and 25 V for each.
    expect(sections({ target: 2370, deadband: 40 })).toBe(2);
    expect(sections({ target: 2330, deadband: 20 }, 600, 3)).toBe(1);
    expect(sections({ target: 2300, deadband: 200 }, 600, 1)).toBe(1);
  });

  it('by reactive power through the line', () => {
    // 600 kvar of load plus line losses: sections of 200 kvar until less than 250 kvar flows.
    const watch = { mode: 'reactivePower', monitoredElementId: 'line.L', target: 100e3, deadband: 300e3 } as const;
    expect(sections(watch)).toBe(2);
    expect(sections(watch, 0, 3)).toBe(0);
  });

  it('by current through the line on one phase', () => {
    const watch = {
      mode: 'currentFlow',
      monitoredElementId: 'line.L',
      monitoredPhase: 'B',
      target: 65,
      deadband: 40,
    } as const;
    // By hand: 300 kW and 600 kvar at 4.16 kV are 93 A or more; 300 kW alone 42 A, so one section brings it under 85 A.
    expect(sections(watch)).toBe(1);
  });

  it('leaves a time schedule alone and says so', () => {
    const flow = createPowerFlow(compensated({ mode: 'timeScheduled', target: 8 }, 600, 1));
    flow.solve();
    expect(flow.capacitorSections.get('capacitor.C')).toEqual([1, 1, 1]);
    expect(flow.findings.map(({ code }) => code)).toEqual(['CONTROL_NOT_ACTED']);
  });

  it('refuses more sections than the bank has', () => {
    const flow = createPowerFlow(compensated({}));
    expect(() => flow.setCapacitorSections('capacitor.C', 4)).toThrow(/3 sections/);
  });
});
