import { describe, expect, it } from 'vitest';
import {
  createPowerFlow,
  parseCapacitorsCsv,
  parseTapsCsv,
  powerFlowReport,
  setCapacitors,
  setTaps,
} from '../../../grid/flow/index.js';
import { feeder } from '../../builders/feeder.js';

const Z = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.9], [0.4, 0.9], [0.4, 0.4, 0.9]] };

/** A regulator far out of band and a capacitor of two sections behind it. */
const regulated = () =>
  feeder('regulated')
    .source('S', 'a', { kv: 4.16, pu: 0.96 })
    .transformer('Reg1', {
      windings: [
        { bus: 'a', kv: 4.16, kva: 5000, resistancePct: 0.005 },
        { bus: 'b', kv: 4.16, kva: 5000, resistancePct: 0.005 },
      ],
      reactancesPct: [0.01],
    })
    .regulator('Reg1', 'Reg1', { targetV: 122, bandV: 2, ptRatio: 20 })
    .line('L1', 'b', 'c', Z)
    .capacitor('Cap1', 'c', { kvar: 200, sectionCount: 2 })
    .load('D1', 'c', { kw: 300, kvar: 100 })
    .build();

describe('state files in the form of OpenDSS exports', () => {
  it('set taps and capacitors by name whatever the case, and freeze them', () => {
    const flow = createPowerFlow(regulated());
    const { taps, findings } = parseTapsCsv(
      'Name, RegControl, Tap, Min, Max, Step, Position, Winding, Direction, CogenMode\nreg1, creg1 ,  1.03125,  0.90000,  1.10000,  0.00625, 5, 2, Forward, False\n',
    );
    expect(findings).toEqual([]);
    expect(taps).toEqual([{ name: 'reg1', controlName: 'creg1', position: 5, winding: 2, line: 2 }]);
    expect(setTaps(flow, taps)).toEqual([]);
    expect(setCapacitors(flow, parseCapacitorsCsv('capacitor,states\ncap1,"[ 1 0]"\n').capacitors)).toEqual([]);
    const report = powerFlowReport(flow, flow.solve());
    expect(report.taps).toEqual([{ name: 'Reg1', phase: 'ABC', position: 5 }]);
    expect(report.capacitors).toEqual([{ name: 'Cap1', steps: 1 }]);
  });

  it('name devices the feeder does not have and lines that say nothing', () => {
    const flow = createPowerFlow(regulated());
    const { taps, findings } = parseTapsCsv('Name, Position\nreg9, 3\nreg1, up\n');
    expect(findings.map(({ code, line }) => [code, line])).toEqual([['MALFORMED_STATE', 3]]);
    expect(setTaps(flow, taps).map(({ code, name }) => [code, name])).toEqual([['UNKNOWN_DEVICE', 'reg9']]);
    const beyond = setTaps(flow, parseTapsCsv('Name, Position\nreg1, 99\n').taps);
    expect(beyond.map(({ code, allowed }) => [code, allowed])).toEqual([['VALUE_OUT_OF_RANGE', '-16 to 16']]);
    expect(flow.taps.get('regulator.Reg1')).toBe(16);
    const states = parseCapacitorsCsv('capacitor,states\ncapX,"[ 1]"\ncap1,"[ 1 1 1]"\ncap1,maybe\n');
    expect(states.findings.map(({ line }) => line)).toEqual([4]);
    expect(setCapacitors(flow, states.capacitors).map(({ code }) => code)).toEqual([
      'UNKNOWN_DEVICE',
      'VALUE_OUT_OF_RANGE',
    ]);
  });
});

describe('powerFlowReport', () => {
  it('balances: the source gives losses and load, and what flows into a lossless end comes out of the other', () => {
    const flow = createPowerFlow(regulated());
    const solution = flow.solve();
    const report = powerFlowReport(flow, solution);
    expect(report.converged).toBe(true);
    expect(report.source.pW).toBeCloseTo(300_000 + report.losses.pW, 2);
    const line = report.branches.find(({ name }) => name === 'L1')!;
    expect(line.terminals.map(({ phase, end }) => `${phase}${end}`)).toEqual(['A1', 'B1', 'C1', 'A2', 'B2', 'C2']);
    expect(line.ratingA).toBeNull();
    const bank = report.branches.find(({ name }) => name === 'Reg1')!;
    // By hand: 5 000 kVA / (sqrt 3 * 4.16 kV) = 693.9 A.
    expect(bank.ratingA).toBeCloseTo(693.93, 1);
    expect(bank.loadingPct).toBeCloseTo((100 * bank.terminals[0]!.currentA) / 693.93, 2);
  });

  it('lists nodes outside 0.95 to 1.05 pu with the limit they break', () => {
    const flow = createPowerFlow(regulated(), { controls: false, sourceVoltagePu: 0.93 });
    const { violations } = powerFlowReport(flow, flow.solve());
    expect(violations).toHaveLength(9);
    expect(violations.every(({ limit, voltagePu }) => limit === 0.95 && voltagePu < 0.95)).toBe(true);
  });
});
