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

describe('state files that are not what they should be', () => {
  it('are an error with a line when nothing in them can be used', () => {
    for (const text of ['', '\n \n', 'Name, Position\n', '\u0000\u0001PK\u0003', 'hello world\nno states here\n']) {
      const taps = parseTapsCsv(text);
      expect(taps.taps).toEqual([]);
      expect(taps.findings.at(-1)).toMatchObject({ severity: 'error', code: 'NO_STATES' });
      expect(taps.findings.at(-1)!.line).toBeGreaterThan(0);
      const banks = parseCapacitorsCsv(text);
      expect(banks.capacitors).toEqual([]);
      expect(banks.findings.at(-1)).toMatchObject({ severity: 'error', code: 'NO_STATES' });
    }
    expect(parseTapsCsv('\n\nrubbish\n').findings.at(-1)!.line).toBe(3);
  });

  it('may lack the header: the first row is read like the others', () => {
    expect(parseCapacitorsCsv('cap1,"[ 0 1]"\n')).toEqual({
      capacitors: [{ name: 'cap1', sections: [0, 1], line: 1 }],
      findings: [],
    });
    expect(parseTapsCsv('reg1, 5\n').taps).toEqual([{ name: 'reg1', controlName: '', position: 5, line: 1 }]);
    const exported = parseTapsCsv('reg1, creg1, 1.03125, 0.9, 1.1, 0.00625, 5, 2, Forward, False\n');
    expect(exported.taps).toEqual([{ name: 'reg1', controlName: 'creg1', position: 5, winding: 2, line: 1 }]);
    // A header that is not understood is named, not taken for a device.
    expect(parseCapacitorsCsv('bank,on\ncap1,"[ 1]"\n').findings.map(({ line }) => line)).toEqual([1]);
  });

  it('name positions between two steps and windings that are no number', () => {
    const { taps, findings } = parseTapsCsv('Name, Position, Winding\nreg1, 2.5, 2\nreg1, 0x10, 2\nreg1, 3, two\n');
    expect(taps).toEqual([]);
    expect(findings.map(({ code, line }) => [code, line])).toEqual([
      ['MALFORMED_STATE', 2],
      ['MALFORMED_STATE', 3],
      ['MALFORMED_STATE', 4],
      ['NO_STATES', 2],
    ]);
    // The columns are right: what is told is what their rows lack, not the columns again.
    expect(findings.at(-1)!.message).toMatch(/^None of the 3 lines under the header .*whole Position/);
    expect(parseTapsCsv('Name, Position\n').findings.at(-1)!.message).toContain('no line under it');
    const ratios = parseTapsCsv('Name, Tap, Step\nreg1, 1.03125, 0.00625\nreg2, 1.03, 0.00625\n');
    expect(ratios.taps.map(({ name, position }) => [name, position])).toEqual([['reg1', 5]]);
    expect(ratios.findings.map(({ line }) => line)).toEqual([3]);
  });

  it('name a device that is set twice and a winding without tap changer', () => {
    const flow = createPowerFlow(regulated());
    const { taps } = parseTapsCsv('Name, Position, Winding\nreg1, 3, 2\nREG1, 4, 2\nreg1, 9, 7\n');
    expect(setTaps(flow, taps)).toMatchObject([
      { code: 'DUPLICATE_STATE', name: 'Reg1', line: 3 },
      { code: 'VALUE_OUT_OF_RANGE', attribute: 'winding', value: '7', allowed: '2', line: 4 },
    ]);
    expect(flow.taps.get('regulator.Reg1')).toBe(4);
    const { capacitors } = parseCapacitorsCsv('capacitor,states\ncap1,"[ 0 0]"\nCap1,"[ 1 0]"\n');
    expect(setCapacitors(flow, capacitors)).toMatchObject([{ code: 'DUPLICATE_STATE', name: 'Cap1', line: 3 }]);
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

  it('counts loaded nodes without a path to a source as violations of the lower limit, and no others', () => {
    const model = feeder('partly dead')
      .source('S', 'a', { kv: 4.16 })
      .line('L1', 'a', 'b', Z)
      .switch('SW', 'b', 'c', { isOpen: [false, true, true] })
      .line('L2', 'c', 'd', Z)
      .load('D1', 'b', { kw: 30, kvar: 10 })
      .load('D2', 'd', { kw: 30, kvar: 10, phases: 'AB' })
      .build();
    const flow = createPowerFlow(model);
    const report = powerFlowReport(flow, flow.solve());
    expect(report.converged).toBe(true);
    // Phases B and C of c and d are dead; a load stands at phase B of d alone. It holds its end of the wire at ground, so that
    // what phase A induces along it stands at the open end.
    expect(report.violations).toEqual([{ bus: 'D', node: 2, voltagePu: 0, limit: 0.95 }]);
    const voltagePu = (name: string) => report.nodes.find(({ bus, node }) => bus === name && node === 2)!.voltagePu;
    expect(voltagePu('D')).toBeLessThan(1e-6);
    expect(voltagePu('C')).toBeGreaterThan(1e-6);
  });
});
