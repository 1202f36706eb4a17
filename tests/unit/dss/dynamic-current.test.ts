import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { writeDss } from '../../../grid/dss/writer/index.js';
import { createPowerFlow, SERIES_DEFAULTS, SeriesRunner } from '../../../grid/flow/index.js';

const ANSWERS = readFileSync(new URL('dynamic-current.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as [control: string, kvar: readonly number[]]);

const scriptOf = (control: string) => `new circuit.q bus1=a basekv=12.47 pu=1.03
new line.l bus1=a bus2=b r1=3 x1=5 r0=3 x0=5 c1=0 c0=0 length=1
new loadshape.s npts=8 interval=1 mult=[.2 .5 .9 1 1 .6 .3 .3]
new xycurve.vv npts=4 xarray=[.92 .98 1.02 1.08] yarray=[1 0 0 -1]
new pvsystem.p phases=3 bus1=b kv=12.47 pmpp=300 kva=310 irradiance=1 daily=s
new invcontrol.i derlist=[pvsystem.p] varchangetolerance=1e-7 activepchangetolerance=1e-7 voltagechangetolerance=1e-7 ${control}
set voltagebases=[12.47]
calcv
set maxcontroliter=500`;
const read = (script: string) => readDss('master.dss', new DssFileSet([['master.dss', script]])).feeder;

// kvar of the source by hour: dss-python 0.15.7 (DSS C-API 0.14.5), `mode=daily stepsize=1h number=1`, tolerance 1e-10.
describe('dynamic reactive current', () => {
  it.each([
    ['as written', false],
    ['exported and read again', true],
  ])('answers the change of the voltage against its moving average: %s', (_, isExported) => {
    const different = ANSWERS.flatMap(([control, wanted]) => {
      const feeder = read(scriptOf(control));
      const runner = new SeriesRunner(isExported ? read(writeDss(feeder).text) : feeder, {
        ...SERIES_DEFAULTS,
        tolerancePu: 1e-10,
        maxControlPasses: 500,
        mode: 'daily',
        stepS: 3600,
        steps: 8,
      });
      const found = Array.from(runner.runChunk(0, runner.initialState()).powers.sourceVar, (vars) => vars / 1e3);
      const isSame = found.every((kvar, hour) => Math.abs(kvar - wanted[hour]!) < 0.01);
      return isSame ? [] : [`${control}: ${wanted}, here ${found}`];
    });
    expect(ANSWERS.length).toBe(12);
    expect(different).toEqual([]);
  });

  it('gives none in a snapshot, where nothing has changed', () => {
    const flow = createPowerFlow(
      read(scriptOf('mode=dynamicreaccurr dbvmin=.99 dbvmax=1.01 arGraHiV=3 deltaq_factor=.3')),
    );
    const solution = flow.solve({ controls: true });
    expect(solution.voltagePuAt('B', 1)).toBeGreaterThan(1.01);
    expect(flow.generationOf('pvsystem.p').powerVar).toBe(0);
  });
});
