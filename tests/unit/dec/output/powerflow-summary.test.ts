import { describe, expect, it } from 'vitest';
import { powerFlowSummary, reason, voltageLevel } from '../../../../dec/output/powerflow-summary.js';
import { textStyle } from '../../../../dec/terminal.js';
import {
  type ControlReading,
  controlReadings,
  createPowerFlow,
  lossSplit,
  type PowerFlowSettings,
  powerFlowReport,
} from '../../../../grid/flow/index.js';
import type { Feeder } from '../../../../grid/model/index.js';
import { allKinds } from '../../../builders/all-kinds.js';
import { FeederBuilder } from '../../../builders/feeder.js';
import { readLines } from '../../dss/circuit/opendss-answers.js';

function summary(feeder: Feeder, settings: Partial<PowerFlowSettings> = {}, held: readonly string[] = []): string {
  const flow = createPowerFlow(feeder, settings);
  const solution = flow.solve();
  const report = powerFlowReport(flow, solution);
  const [losses, readings] = [lossSplit(flow, solution), controlReadings(flow, solution)];
  const lines = powerFlowSummary({ flow, solution, report, losses, readings, held: new Set(held) }, textStyle(false));
  return lines.join('\n');
}

const Z = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.9], [0.4, 0.9], [0.4, 0.4, 0.9]], lengthM: 400 };

describe('the summary of a power flow', () => {
  it('tells outcome, power, losses, voltages by level, loading, controls and findings, without colours off a terminal', () => {
    const text = summary(allKinds());
    for (const heading of [
      'Power',
      'Voltage by level',
      'Lowest and highest nodes',
      'Branch loading',
      'Regulators',
      'Capacitors',
      'Findings',
    ]) {
      expect(text.split('\n')).toContain(heading);
    }
    expect(text).toMatch(/converged in \d+ iterations, \d+ control pass/);
    expect(text).toMatch(/transformers, no-load +\d+\.\d\d/);
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it('says so when no branch has a rating, and lists the largest currents', () => {
    const feeder = new FeederBuilder('bare')
      .source('S', 'a', { kv: 4.16 })
      .line('ab', 'a', 'b', Z)
      .load('D', 'b', { kw: 300, kvar: 100 })
      .build();
    expect(summary(feeder)).toMatch(/No branch has a rating[\s\S]*ab +line +A +B +\d+\.\d +- +-/);
  });

  it('says what was held and that controls are off', () => {
    expect(summary(allKinds(), {}, ['reg.1'])).toMatch(/reg\.1 .*held as given/);
    expect(summary(allKinds(), { controls: false })).toMatch(/reg\.1 .*controls are off/);
  });

  it('tells what units deliver, not what they are set to, outside their window of voltage', () => {
    const { feeder } = readLines(
      'new circuit.ck basekv=12.47 pu=1.0 bus1=src',
      'new line.l1 bus1=src bus2=b length=1 units=km r1=0.3 x1=0.6 r0=0.5 x0=1.5 c1=0 c0=0',
      'new load.d bus1=b kv=12.47 kw=2000 kvar=900',
      'new capacitor.c1 bus1=b kv=12.47 kvar=600 xl=5',
      'new capacitor.c2 bus1=b kv=12.47 kvar=300',
      'new pvsystem.p bus1=b kv=12.47 kva=500 pmpp=500 irradiance=1 vmaxpu=0.9',
      'set voltagebases=[12.47]',
      'calcvoltagebases',
      'solve',
    );
    const text = summary(feeder);
    // OpenDSS (dss-python 0.15.7): source -1389.97002 kW, PVSystem.p -613.780871 kW
    expect(text).toMatch(/source +1389\.9[67] /);
    expect(text).toMatch(/generation +613\.78 /);
    expect(text).toMatch(/loads and shunts +2000\.0[01] /);
    expect(text).toMatch(/PV +1 +500\.00 +613\.78 /);
    expect(text).not.toContain('-0.00');
  });

  it('says where no solution is', () => {
    const feeder = new FeederBuilder('heavy')
      .source('S', 'a', { kv: 4.16 })
      .line('ab', 'a', 'b', { ...Z, lengthM: 40_000 })
      .load('D', 'b', { kw: 90_000, kvar: 10_000, minPu: 0.01 })
      .build();
    const text = summary(feeder, { maxIterations: 3 });
    expect(text).toMatch(/NOT CONVERGED|took over/);
  });
});

describe('the parts of a summary', () => {
  it('names levels line to line, and split-phase ones by both voltages', () => {
    expect(voltageLevel({ kvBase: 2.4018, phase: 'A' })).toBe('4.16');
    expect(voltageLevel({ kvBase: 66.395, phase: 'A' })).toBe('115');
    expect(voltageLevel({ kvBase: 0.12, phase: 's1' })).toBe('0.12/0.24');
  });

  it('splits losses so that the parts add up, no-load losses by the square of the voltage', () => {
    // 500 kVA, 1 % no-load: 5 kW at rated voltage; an idle transformer at 1.02 pu has 1.02^2 of it.
    const feeder = new FeederBuilder('idle')
      .source('S', 'a', { kv: 12.47, pu: 1.02, z1: [1e-6, 1e-6], z0: [1e-6, 1e-6] })
      .transformer('t', {
        windings: [
          { bus: 'a', kv: 12.47, kva: 500, resistancePct: 0.01 },
          { bus: 'b', kv: 0.48, kva: 500, resistancePct: 0.01 },
        ],
        reactancesPct: [0.1],
        noLoadLossPct: 1,
      })
      .build();
    const flow = createPowerFlow(feeder);
    const losses = lossSplit(flow, flow.solve());
    expect(losses.noLoadW).toBeCloseTo(5000 * 1.02 ** 2, 0);
    expect(losses.lineW + losses.transformerW + losses.otherW).toBeCloseTo(losses.totalW, 6);
    expect(losses.transformerW / losses.noLoadW).toBeCloseTo(1, 4);
  });

  it('reads what a regulator sees: the voltage over the PT ratio where there is no compensator', () => {
    const feeder = new FeederBuilder('tap')
      .source('S', 'a', { kv: 12.47, z1: [1e-6, 1e-6], z0: [1e-6, 1e-6] })
      .transformer('r', {
        windings: [
          { bus: 'a', kv: 12.47, kva: 5000 },
          { bus: 'b', kv: 12.47, kva: 5000 },
        ],
        reactancesPct: [0.01],
      })
      .regulator('r', 'r', { targetV: 120, bandV: 2, ptRatio: 60, position: 0 })
      .build();
    const flow = createPowerFlow(feeder);
    const [reading] = controlReadings(flow, flow.solve());
    // 12470 / sqrt(3) / 60 = 119.99 V: within 119 to 121, so the tap stays.
    expect(reading!.value).toBeCloseTo(12_470 / Math.sqrt(3) / 60, 1);
    expect(reading).toMatchObject({ low: 119, high: 121, position: 0, isEnabled: true });
  });

  it('explains a control by its band, its range and what was asked of it', () => {
    const base: ControlReading = {
      id: 'r',
      name: 'R1',
      kind: 'regulator',
      isEnabled: true,
      mode: 'voltage',
      value: 120,
      low: 119,
      high: 121,
      position: 4,
      lowest: -16,
      highest: 16,
    };
    const none = new Set<string>();
    expect(reason(base, true, none)).toBe('within its band');
    expect(reason({ ...base, value: 117, position: 16 }, true, none)).toBe('below its band at the end of its range');
    expect(reason({ ...base, isEnabled: false }, true, none)).toBe('its control is disabled');
    expect(reason(base, true, new Set(['r1']))).toBe('held as given');
    const bank = { ...base, kind: 'capacitor', mode: 'reactivePower', lowest: 0, highest: 1, position: 0 } as const;
    expect(reason({ ...bank, value: 100 }, true, none)).toBe('calls for none, all are out');
    expect(reason({ ...bank, value: 130, position: 1 }, true, none)).toBe('calls for sections, all are in');
  });
});
