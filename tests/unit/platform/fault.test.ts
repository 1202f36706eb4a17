import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { faultProblem, faultSchema, withFaults } from '../../../platform/simulation/fault.js';
import { tinyCim } from './cim-text.js';

const [feeder] = readFeeders(readCimText([{ name: 'tiny.xml', text: tinyCim() }])).feeders;
const [load] = feeder!.loads;
const [line] = feeder!.lines;

function volts(elementId: string, fault: object): readonly number[] {
  const faulted = withFaults(feeder!, new Map([[elementId, faultSchema.parse(fault)]]));
  const solution = createPowerFlow(faulted).solve();
  expect(solution.status).toBe('converged');
  return [1, 2, 3].map((node) => {
    const { re, im } = solution.voltageAt(load!.terminal.bus, node)!;
    return Math.hypot(re, im);
  });
}

describe('a fault on a feeder of 2402 V to neutral', () => {
  it('to ground brings down the phases it names', () => {
    const [a, b, c] = volts(load!.id, { PhaseConnectedFaultKind: 'lineToGround', phases: 'A' });
    expect(a).toBeLessThan(100);
    expect(Math.min(b!, c!)).toBeGreaterThan(2000);
  });

  it('between lines makes their voltages one, at half the voltage of both where the impedances are alike', () => {
    const [a, b, c] = volts(load!.id, { PhaseConnectedFaultKind: 'lineToLine', PhaseCode: 'PhaseCode.AB' });
    expect(Math.abs(a! - b!)).toBeLessThan(2);
    // |Va + Vb| / 2 is half of a phase voltage: 1201 V.
    expect(a).toBeGreaterThan(1000);
    expect(a).toBeLessThan(1400);
    expect(c).toBeGreaterThan(2000);
  });

  it('between lines and to ground brings down all phases when it names none', () => {
    expect(Math.max(...volts(load!.id, { PhaseConnectedFaultKind: 'lineToLineToGround' }))).toBeLessThan(100);
  });

  it('that opens a line leaves its phases behind it without the source', () => {
    const [a, b] = volts(line!.id, { PhaseConnectedFaultKind: 'lineOpen', phases: 'A' });
    expect(b).toBeGreaterThan(2000);
    expect(Math.abs(a! - b!)).toBeGreaterThan(100);
  });

  it('is refused where it cannot be', () => {
    const open = faultSchema.parse({ PhaseConnectedFaultKind: 'lineOpen' });
    expect(faultProblem(feeder!, load!.id, open)).toMatch(/line or a switch/);
    expect(faultProblem(feeder!, 'nothing', open)).toMatch(/no terminal/);
    const one = faultSchema.parse({ PhaseConnectedFaultKind: 'lineToLine', phases: 'A' });
    expect(faultProblem(feeder!, load!.id, one)).toMatch(/2 of the phases/);
    expect(faultSchema.safeParse({ PhaseConnectedFaultKind: 'tree' }).success).toBe(false);
  });
});
