import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { writeDss } from '../../../grid/dss/writer/index.js';
import { SERIES_DEFAULTS, type SeriesMode, SeriesRunner } from '../../../grid/flow/index.js';

type Answer = readonly [mode: SeriesMode, option: string, unit: string, loadMultiplier: number, kw: readonly number[]];

const ANSWERS = readFileSync(new URL('load-level.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer);

const ramp = (from: number, by: number) =>
  Array.from({ length: 24 }, (_, hour) => Number((from + by * hour).toFixed(2))).join(' ');

// Whole kW of the unit by hour: dss-python 0.15.7 (DSS C-API 0.14.5), `stepsize=1h number=1`, solved 24 times.
describe('storage units that go by the level of the load', () => {
  it.each([
    ['as written', false],
    ['exported and read again', true],
  ])('charge and discharge by the default shapes of the circuit, not by their own: %s', (_, isExported) => {
    const different = ANSWERS.flatMap(([mode, option, unit, loadMultiplier, wanted]) => {
      const text = `new circuit.q bus1=a basekv=12.47 r1=1e-6 x1=1e-6 r0=1e-6 x0=1e-6
new loadshape.own npts=24 interval=1 mult=[${ramp(0.3, 0.05)}]
new loadshape.dd npts=24 interval=1 mult=[${ramp(1.4, -0.05)}]
new storage.s bus1=a kv=12.47 kwrated=100 kwhrated=1000 %stored=50 dispmode=loadlevel ${unit} daily=own
${option}
set voltagebases=[12.47] loadmult=${loadMultiplier}
calcv`;
      const read = (script: string) => readDss('master.dss', new DssFileSet([['master.dss', script]])).feeder;
      const runner = new SeriesRunner(isExported ? read(writeDss(read(text)).text) : read(text), {
        ...SERIES_DEFAULTS,
        mode,
        stepS: 3600,
        steps: 24,
      });
      const { powers } = runner.runChunk(0, runner.initialState());
      const found = Array.from(powers.sourceW, (watt) => Math.round(-watt / 1000));
      const isSame = found.every((kw, hour) => kw === wanted[hour]);
      return isSame ? [] : [`${mode} ${option} ${unit} ${loadMultiplier}: ${wanted}, here ${found}`];
    });
    expect(ANSWERS.length).toBe(48);
    expect(different).toEqual([]);
  });
});
