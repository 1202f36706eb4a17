import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';

const ANSWERS = readFileSync(new URL('regulated-voltage.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as [transformer: string, control: string, tap: number, volts: number]);

// Tap and voltage of e.1: dss-python 0.15.7 (DSS C-API 0.14.5), a snapshot of this circuit, tolerance 1e-9, maxcontroliter 200.
describe('a regulator of a three-phase transformer', () => {
  it('measures across the phase of its winding, or at its bus, as OpenDSS does', () => {
    const different: string[] = [];
    for (const [transformer, control, tap, volts] of ANSWERS) {
      const text = `new circuit.q bus1=a basekv=12.47 mvasc3=60 mvasc1=50
new transformer.t phases=3 buses=[a e] kvs=[12.47 12.47] kvas=[3000 3000] xhl=3 %loadloss=.2 ppm=200 ${transformer}
new load.a phases=1 bus1=e.1 kv=7.2 kw=100 model=2
new load.b phases=1 bus1=e.2 kv=7.2 kw=300 model=2
new load.d phases=1 bus1=e.3 kv=7.2 kw=500 model=2
new load.y phases=3 bus1=e kv=12.47 kw=900 model=2
new regcontrol.r transformer=t vreg=121 band=2 ${control}
set voltagebases=[12.47]
calcv`;
      const { feeder } = readDss('master.dss', new DssFileSet([['master.dss', text]]));
      const flow = createPowerFlow(feeder, { tolerancePu: 1e-10, maxControlPasses: 200 });
      const { voltage } = flow.solve({ controls: true });
      const place = flow.nodes.findIndex(({ bus, node }) => bus === 'E' && node === 1);
      const ownV = Math.hypot(voltage[2 * place]!, voltage[2 * place + 1]!);
      const ownTap = flow.taps.get(feeder.regulators[0]!.id);
      if (ownTap !== tap || !(Math.abs(ownV - volts) < 0.01)) {
        different.push(`${transformer} / ${control}: ${tap} ${volts} V, here ${ownTap} ${ownV} V`);
      }
    }
    expect(ANSWERS.length).toBeGreaterThan(100);
    expect(different).toEqual([]);
  });
});
