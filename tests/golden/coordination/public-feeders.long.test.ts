import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { coordinateInProcess } from '../../../grid/optim/index.js';
import { feedersDir } from '../../feeders.js';

if (feedersDir === undefined)
  console.warn('skipped: agents beside the optimum on public feeders (no ../shared/feeders)');

describe.skipIf(feedersDir === undefined)('agents on public feeders', () => {
  // Full load and full sun: of IEEE123_PV the lower limit binds far out and the upper one near the source.
  it.each(['IEEE123_PV_meas.xml', 'ieee123_app_deconfliction.xml'])(
    'come to the central optimum of the AC power flow of %s',
    (name) => {
      const text = readFileSync(join(feedersDir!, 'cim', name), 'utf8');
      const feeder = readFeeders(readCimText([{ name, text }])).feeders[0]!;
      const question = {
        feeder,
        inputs: { loads: {}, availableW: {}, held: {} },
        state: { taps: {}, capacitorSections: {}, openSwitches: [] },
        leastCurtailedW: 0,
      };
      const central = coordinateInProcess({ ...question, method: 'central' });
      const star = coordinateInProcess({ ...question, method: 'admm' });
      expect([central.status, star.status]).toEqual(['optimal', 'converged']);
      expect(star.curtailedW).toBeGreaterThan(1000);
      // Requirement: 0.5 % of the objective and 5e-3 of alpha.
      expect(Math.abs(star.objective / central.objective - 1)).toBeLessThan(5e-3);
      const alpha = new Map(central.ders.map((der) => [der.derId, der.alpha]));
      for (const der of star.ders) expect(Math.abs(der.alpha - alpha.get(der.derId)!)).toBeLessThan(1e-3);
      expect(star.ac.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-5);
      expect(star.ac.vMinPu).toBeGreaterThanOrEqual(0.95 - 1e-5);
    },
  );
});
