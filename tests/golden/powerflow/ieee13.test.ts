import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { IEEE13_PUBLISHED, IEEE13_TAPS, ieee13 } from './ieee13.js';

/**
 * Published to four decimals of pu and two of a degree; one unit of the last decimal for rounding, one for the
 * published program's own convergence criterion and the ideal regulators it assumes.
 */
const VOLTAGE_TOLERANCE_PU = 2.0e-4;
const ANGLE_TOLERANCE_DEG = 0.02;

describe('IEEE 13-node feeder', () => {
  it('gives the published voltages at the published taps', () => {
    const solution = createPowerFlow(ieee13(), { controls: false }).solve();
    expect(solution.status).toBe('converged');
    const apart: string[] = [];
    for (const [bus, phasors] of Object.entries(IEEE13_PUBLISHED)) {
      for (const [node, [pu, degrees]] of Object.entries(phasors)) {
        const v = solution.voltageAt(bus, Number(node))!;
        const dv = solution.voltagePuAt(bus, Number(node))! - pu;
        const da = (Math.atan2(v.im, v.re) * 180) / Math.PI - degrees;
        if (Math.abs(dv) > VOLTAGE_TOLERANCE_PU || Math.abs(da) > ANGLE_TOLERANCE_DEG) {
          apart.push(`${bus}.${node}: ${dv.toFixed(5)} pu, ${da.toFixed(3)} deg`);
        }
      }
    }
    expect(apart).toEqual([]);
  });

  it('delivers the published 3 577 kW and 1 725 kvar at the substation, 111 kW of them lost', () => {
    // Published radial flow summary: 3577.191 kW, 1724.976 kvar; losses 111.063 kW.
    const solution = createPowerFlow(ieee13(), { controls: false }).solve();
    expect(Math.abs(solution.sourceW / 3577191 - 1)).toBeLessThan(1e-3);
    expect(Math.abs(solution.sourceVar / 1724976 - 1)).toBeLessThan(2e-3);
    expect(Math.abs(solution.lossW / 111063 - 1)).toBeLessThan(5e-3);
  });

  it('keeps the published taps when its controls run from them', () => {
    const flow = createPowerFlow(ieee13());
    expect(flow.solve().status).toBe('converged');
    expect([...flow.taps.values()]).toEqual([IEEE13_TAPS.A, IEEE13_TAPS.B, IEEE13_TAPS.C]);
  });
});
