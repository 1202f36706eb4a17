import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';

const rowsOf = (name: string) =>
  readFileSync(new URL(name, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const ANSWERS = rowsOf('power-factor-priority.jsonl') as [unit: string, kw: number, kvar: number][];
const CONTROLLED = rowsOf('factor-priority-control.jsonl') as [
  unit: string,
  control: string,
  mode: string,
  kw: number,
  kvar: number,
][];

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

// The same engine, tolerance 1e-9, maxcontroliter 500; steps of 0.3 with tolerances of 1e-7.
describe('units with pfpriority=yes under an InvControl', () => {
  it('lose it to every function but voltwatt and wattpf, whether it acts or not', () => {
    const different: string[] = [];
    for (const [unit, control, mode, kw, kvar] of CONTROLLED) {
      const steps =
        'deltaq_factor=.3 deltap_factor=.3 varchangetolerance=1e-7 activepchangetolerance=1e-7 voltagechangetolerance=1e-7';
      const text = `new circuit.q bus1=a basekv=12.47 pu=1.04
new line.l bus1=a bus2=b r1=.3 x1=.5 r0=3 x0=5 c1=0 c0=0 length=1
new xycurve.vv npts=4 xarray=[.92 .98 1.02 1.08] yarray=[1 0 0 -1]
new xycurve.vw npts=4 xarray=[.5 1.0 1.06 1.2] yarray=[1 1 .2 .2]
new xycurve.wp npts=5 xarray=[0 .2 .5 .8 1] yarray=[1 1 1 -.95 -.9]
new xycurve.wq npts=6 xarray=[-1 -.6 -.2 .2 .6 1] yarray=[.44 .2 0 0 -.2 -.44]
new pvsystem.other bus1=a kv=12.47 kva=1 pmpp=1 irradiance=0
new ${unit.replace(' ', ' phases=3 bus1=b kv=12.47 ')}
${control === '' ? '' : `new invcontrol.i ${control} ${steps}`}
set voltagebases=[12.47]
calcv
set controlmode=${mode}`;
      const { feeder } = readDss('master.dss', new DssFileSet([['master.dss', text]]));
      const flow = createPowerFlow(feeder, { tolerancePu: 1e-10, maxControlPasses: 500 });
      flow.solve({ controls: true });
      const { powerW, powerVar } = flow.generationOf(unit.split(' ')[0]!);
      if (!(Math.abs(powerW / 1e3 - kw) < 1e-2 && Math.abs(powerVar / 1e3 - kvar) < 1e-2)) {
        different.push(`${unit} / ${control} ${mode}: ${kw} ${kvar}, here ${powerW / 1e3} ${powerVar / 1e3}`);
      }
    }
    expect(CONTROLLED.length).toBeGreaterThan(80);
    expect(different).toEqual([]);
  });

  // OpenDSS goes to and fro between these states and those of the whole watts with the same vars (maxcontroliter 40 and 41).
  it.each([
    ['pmpp=300 kva=400 kvarmax=60 irradiance=1', 123.884, -60],
    ['pmpp=300 kva=330 kvarmax=120 kvarmaxabs=90 irradiance=1.05', 173.337, -90],
    ['pmpp=300 kva=310 kvarmax=120 kvarmaxabs=90 irradiance=1', 185.827, -90],
    ['pmpp=300 kva=100 kvarmax=30 irradiance=1', 61.942, -30],
  ])('keep the factor of wattpf where kvarmax cuts its vars: %s', (unit, kw, kvar) => {
    const text = `new circuit.q bus1=a basekv=12.47 pu=1.03
new xycurve.wp npts=5 xarray=[0 .2 .5 .8 1] yarray=[1 1 1 -.95 -.9]
new pvsystem.p phases=3 bus1=a kv=12.47 pfpriority=y ${unit}
new invcontrol.i derlist=[pvsystem.p] mode=wattpf wattpf_curve=wp deltap_factor=.3`;
    const { feeder } = readDss('master.dss', new DssFileSet([['master.dss', text]]));
    const flow = createPowerFlow(feeder);
    expect(flow.solve({ controls: true }).status).toBe('converged');
    const { powerW, powerVar } = flow.generationOf('pvsystem.p');
    expect(powerW / 1e3).toBeCloseTo(kw, 3);
    expect(powerVar / 1e3).toBeCloseTo(kvar, 3);
  });
});
