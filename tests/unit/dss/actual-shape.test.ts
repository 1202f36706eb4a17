import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { SERIES_DEFAULTS, SeriesRunner } from '../../../grid/flow/index.js';

type Answer = readonly [shape: string, load: string, mode: 'snap' | 'daily', kw: number, kvar: number];

const ANSWERS = readFileSync(new URL('actual-shape.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer);

/** kW and kvar of the load in a snapshot, or in the second hour of a day. */
function powerOf([shape, load, mode]: Answer): readonly [number, number] {
  const text = `new circuit.q bus1=a basekv=12.47 r1=1e-6 x1=1e-6 r0=1e-6 x0=1e-6
new loadshape.k npts=4 interval=1 ${shape}
new load.p phases=3 bus1=a kv=12.47 ${load}
set voltagebases=[12.47] loadmult=1.3
calcv`;
  const { feeder } = readDss('master.dss', new DssFileSet([['master.dss', text]]));
  if (mode === 'snap') {
    const { shares } = feeder.loads[0]!;
    return [
      shares.reduce((sum, share) => sum + share.powerW, 0) / 1e3,
      shares.reduce((sum, share) => sum + share.powerVar, 0) / 1e3,
    ];
  }
  const runner = new SeriesRunner(feeder, { ...SERIES_DEFAULTS, mode: 'daily', stepS: 3600, steps: 2 });
  const { powers } = runner.runChunk(0, runner.initialState());
  return [powers.loadW[1]! / 1e3, powers.sourceVar[1]! / 1e3];
}

// Numbers: dss-python 0.15.7 (DSS C-API 0.14.5), the power of the load with tolerance 1e-9.
describe('loads with a shape of actual powers', () => {
  it('have the power of OpenDSS in a snapshot and in a series, in whichever order their properties are written', () => {
    const different = ANSWERS.flatMap((answer) => {
      const [kw, kvar] = powerOf(answer);
      const isSame = Math.abs(kw - answer[3]) < 2e-3 && Math.abs(kvar - answer[4]) < 2e-3;
      return isSame ? [] : [`${answer.join(' | ')}, here ${kw} ${kvar}`];
    });
    expect(ANSWERS.length).toBeGreaterThan(150);
    expect(different).toEqual([]);
  });
});
