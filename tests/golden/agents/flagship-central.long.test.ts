import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { coordinateInProcess, type LocalInputs, type PrimaryState } from '../../../grid/optim/index.js';

const file = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'inputs', 'feeder', 'IEEE123Sec.xml');
const feeder = readFeeders(readCimText([{ name: 'IEEE123Sec.xml', text: readFileSync(file, 'utf8') }])).feeders[0]!;
// Operating point of the flagship: load x 0.25, PV x 1.0, source 1.04 pu.
const state: PrimaryState = { sourceVoltagePu: 1.04, taps: {}, capacitorSections: {}, openSwitches: [] };
const loads: Record<string, { powerW: number; powerVar: number }> = {};
for (const load of feeder.loads) {
  const sum = (of: 'powerW' | 'powerVar') => load.shares.reduce((all, share) => all + share[of], 0);
  loads[load.id] = { powerW: 0.25 * sum('powerW'), powerVar: 0.25 * sum('powerVar') };
}
const inputs: LocalInputs = { loads, availableW: {}, held: {} };

describe('the central optimum of the flagship by rules whose programmes leave little room', () => {
  for (const mode of ['alphaFair', 'maxMin'] as const) {
    for (const level of ['customer', 'transformer'] as const) {
      it(`${mode} by ${level} is found on the linear model`, { timeout: 30_000 }, () => {
        const question = { feeder, inputs, state, method: 'central', maxCorrections: 0 } as const;
        const result = coordinateInProcess({ ...question, rule: { mode, level } });
        // Without AC corrections the AC power flow is not at the limit; the linear model is.
        expect(result.status).toBe('optimal');
        expect(result.kktResidual).toBeLessThan(1e-8);
        expect(result.linear.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-7);
        const largest = Math.max(...result.ders.map(({ alpha }) => alpha));
        // The least possible largest fraction is maxMin's first level; no rule is below it.
        if (mode === 'maxMin') expect(largest).toBeCloseTo(result.levels[0]!, 7);
        else expect(largest).toBeGreaterThan(0.385);
      });
    }
  }
});
