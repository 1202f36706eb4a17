import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { IEEE4_PUBLISHED, ieee4, type Phasor } from './ieee4.js';

/** Published to four digits and a tenth of a degree: one unit of the last digit of 12 340 V, and rounding of data. */
const VOLTAGE_TOLERANCE = 1.0e-3;
const ANGLE_TOLERANCE_DEG = 0.11;

describe('IEEE 4-node feeder against the published results', () => {
  for (const { primary, load, n2, n3, n4 } of IEEE4_PUBLISHED) {
    it(`${primary} to grounded wye step-down, ${load} load`, () => {
      const solution = createPowerFlow(ieee4(primary, load)).solve();
      expect(solution.status).toBe('converged');
      const phasors = (bus: string): Phasor[] =>
        [1, 2, 3].map((node) => {
          const v = solution.voltageAt(bus, node)!;
          const w = bus === 'N2' && primary === 'delta' ? solution.voltageAt(bus, (node % 3) + 1)! : { re: 0, im: 0 };
          return [Math.hypot(v.re - w.re, v.im - w.im), (Math.atan2(v.im - w.im, v.re - w.re) * 180) / Math.PI];
        });
      const compare = (bus: string, published: readonly Phasor[]) => {
        const ours = phasors(bus);
        published.forEach(([volts, degrees], i) => {
          expect(Math.abs(ours[i]![0] / volts - 1), `${bus} phase ${i + 1}: ${ours[i]}`).toBeLessThan(
            VOLTAGE_TOLERANCE,
          );
          expect(Math.abs(ours[i]![1] - degrees), `${bus} phase ${i + 1}: ${ours[i]}`).toBeLessThan(
            ANGLE_TOLERANCE_DEG,
          );
        });
      };
      compare('N2', n2);
      compare('N3', n3);
      compare('N4', n4);
    });
  }
});
