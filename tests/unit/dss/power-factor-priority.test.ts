import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';

const ANSWERS = readFileSync(new URL('power-factor-priority.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as [unit: string, kw: number, kvar: number]);

// kW and kvar at the terminals: dss-python 0.15.7 (DSS C-API 0.14.5), a snapshot of this circuit with tolerance 1e-9.
describe('PV systems and storage units with pfpriority=yes', () => {
  it('lower their watts with vars that kvarmax cuts and come back to the factor that was set at their rating', () => {
    const different: string[] = [];
    for (const [unit, kw, kvar] of ANSWERS) {
      const text = `new circuit.q bus1=a basekv=12.47
new line.l bus1=a bus2=b r1=.1 x1=.1 r0=.1 x0=.1 c1=0 c0=0 length=1
new ${unit.replace(' ', ' phases=3 bus1=b kv=12.47 ')}
set voltagebases=[12.47]
calcv`;
      const { feeder } = readDss('master.dss', new DssFileSet([['master.dss', text]]));
      const flow = createPowerFlow(feeder);
      flow.solve();
      const { id, shares } = [...feeder.pvSystems, ...feeder.batteries][0]!;
      const { powerW, powerVar } = flow.generationOf(id);
      // The powers of the model are those of the power flow.
      const sumW = shares.reduce((sum, share) => sum + share.powerW, 0);
      const sumVar = shares.reduce((sum, share) => sum + share.powerVar, 0);
      const isSame =
        [powerW, sumW].every((watt) => Math.abs(watt / 1e3 - kw) < 1e-3) &&
        [powerVar, sumVar].every((vars) => Math.abs(vars / 1e3 - kvar) < 1e-3);
      if (!isSame) different.push(`${unit}: ${kw} ${kvar}, here ${powerW / 1e3} ${powerVar / 1e3}`);
    }
    expect(ANSWERS.length).toBe(180);
    expect(different).toEqual([]);
  });
});
