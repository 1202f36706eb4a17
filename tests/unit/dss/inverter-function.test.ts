import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';

/** A PVSystem of 500 kWp (600 kVA, irradiance 0.4 unless said) or a Storage of 500 kW behind 12.47 kV, and its control. */
const NETWORK = `
clear
new circuit.c basekv=12.47 pu=1.0 r1=.1 x1=1 r0=.2 x0=2
new line.l bus1=sourcebus bus2=b r1=1 x1=2 r0=1 x0=2 c1=0 c0=0
new xycurve.vv npts=4 xarray=[.9 .9565 1.0435 1.1217] yarray=[.44 0 0 -.6]
new xycurve.vw npts=2 xarray=[1.03 1.08] yarray=[1 .2]
new xycurve.wv npts=6 xarray=[-1 -.5 -.1 .1 .5 1] yarray=[.44 0 0 0 0 -.44]
new xycurve.wpf npts=4 xarray=[0 .5 .75 1] yarray=[1 1 -.95 -.9]
new xycurve.eff npts=4 xarray=[.1 .2 .4 1] yarray=[.86 .9 .93 .97]
`;
const PV = 'new pvsystem.d phases=3 bus1=b kv=12.47 pmpp=500';
const STORAGE = 'new storage.d phases=3 bus1=b kv=12.47 kwrated=500 kwhrated=2000 kva=600 %stored=50 %reserve=20';
const TOLERANCES = 'varchangetolerance=1e-7 activepchangetolerance=1e-7 voltagechangetolerance=1e-7';

function read(device: string, control?: string) {
  const made = control === undefined ? '' : `new invcontrol.i ${control} ${TOLERANCES}\n`;
  const text = `${NETWORK}${device}\n${made}set voltagebases=[12.47]\ncalcv\nset maxcontroliter=200 tolerance=1e-10\nsolve\n`;
  const { feeder } = readDss('m.dss', new DssFileSet([['m.dss', text]]));
  const findings = feeder.findings.filter(({ severity }) => severity !== 'info');
  return { feeder, findings: findings.map(({ message }) => message) };
}

/** Power of the unit at rest, kW and kvar, generation positive. */
function powerOf(device: string, control?: string, settings = {}) {
  const { feeder } = read(device, control);
  const flow = createPowerFlow(feeder, { tolerancePu: 1e-12, maxControlPasses: 200, ...settings });
  const solution = flow.solve();
  expect(solution.status).toBe('converged');
  const flows = solution.flows([...feeder.pvSystems, ...feeder.batteries][0]!.id);
  const sum = (values: readonly number[]) => values.reduce((all, value) => all - value / 1e3, 0);
  return { kw: sum(flows.map(({ powerW }) => powerW)), kvar: sum(flows.map(({ powerVar }) => powerVar)), flow };
}

/**
 * dss-python 0.15.7 (DSS C-API 0.14.5) on these scripts: what is added, kW and kvar of the unit. The tolerance is what its own
 * rounds leave.
 */
type Case = readonly [device: string, control: string, kw: number, kvar: number];

// Between dead points the curve asks for no vars, whatever the unit's own setting says.
const OWN_VARS: readonly Case[] = [
  ['pf=.9', 'vvc_curve1=vv', 200, 0],
  ['pf=.9', 'vvc_curve1=vv refreactivepower=varmax', 200, 0],
  ['pf=-.95', 'combimode=vv_vw vvc_curve1=vv voltwatt_curve=vw', 200, 0],
  ['kvar=80', 'vvc_curve1=vv', 200, 0],
  ['kvar=80', 'mode=wattvar wattvar_curve=wv', 200, 0],
  ['kvar=80', 'mode=dynamicreaccurr', 200, 0],
  ['pf=.9', 'mode=wattpf wattpf_curve=wpf', 200, 0],
  ['pf=.9', 'vvc_curve1=vv deltaq_factor=.4', 200, 0],
  ['kvar=80', 'combimode=vv_vw vvc_curve1=vv voltwatt_curve=vw deltaq_factor=.4', 200, 0],
  ['pf=.9', 'mode=voltwatt voltwatt_curve=vw', 200, 96.864],
];

// The argument is the panel's power times the share of Pmpp, whatever Pmpp and the rating let pass.
const OF_POWER: readonly Case[] = [
  ['kva=600 irradiance=.9 %pmpp=80', 'mode=wattpf wattpf_curve=wpf', 400, -351],
  ['kva=600 irradiance=1.1 %pmpp=50', 'mode=wattpf wattpf_curve=wpf', 250, 357.23],
  ['kva=600 irradiance=1.1', 'mode=wattpf wattpf_curve=wpf', 500, -296.859],
  ['kva=400 irradiance=1.3', 'mode=wattpf wattpf_curve=wpf', 0, -400],
  ['kva=500 irradiance=1.1 effcurve=eff', 'mode=wattpf wattpf_curve=wpf', 412.612, -282.402],
  ['kva=600 irradiance=1.1', 'mode=wattvar wattvar_curve=wv', 500, -175.118],
  ['kva=400 irradiance=.8 effcurve=eff', 'mode=wattvar wattvar_curve=wv', 388, -40.219],
];

describe('functions of inverters against OpenDSS', () => {
  for (const [own, control, kw, kvar] of OWN_VARS) {
    it(`a unit with ${own} under ${control}`, () => {
      const got = powerOf(`${PV} kva=600 irradiance=.4 ${own}`, control);
      expect(Math.abs(got.kw - kw)).toBeLessThan(0.01);
      expect(Math.abs(got.kvar - kvar)).toBeLessThan(0.01);
    });
  }

  for (const [own, control, kw, kvar] of OF_POWER) {
    it(`a unit with ${own} under ${control}`, () => {
      const got = powerOf(`${PV} ${own}`, control);
      expect(read(`${PV} ${own}`, control).findings).toEqual([]);
      expect(Math.abs(got.kw - kw)).toBeLessThan(0.01);
      expect(Math.abs(got.kvar - kvar)).toBeLessThan(0.01);
    });
  }

  it('take the vars of the unit away at the first solution and at each after a change of sun', () => {
    const { flow } = powerOf(`${PV} kva=600 irradiance=.4 pf=.9`, 'vvc_curve1=vv');
    for (const irradiance of [0.5, 0.6, 0.4]) {
      flow.setIrradiance('pvsystem.d', irradiance);
      flow.solve();
      expect(Math.abs(flow.generationOf('pvsystem.d').powerVar)).toBeLessThan(10);
    }
    expect(powerOf(`${PV} kva=600 irradiance=.4 pf=.9`, 'vvc_curve1=vv', { controls: false }).kvar).toBeCloseTo(
      96.864,
      2,
    );
  });
});

describe('what OpenDSS makes of inverters and this model does not', () => {
  const cases: readonly (readonly [device: string, control: string, about: RegExp | undefined])[] = [
    [`${STORAGE} state=discharging`, 'mode=wattvar wattvar_curve=wv', /^A Storage follows its curve of vars, where/],
    [
      `${STORAGE} state=discharging`,
      'mode=wattpf wattpf_curve=wpf',
      /^A Storage follows its curve of power factor, where/,
    ],
    [`${PV} kva=600 irradiance=.9 %pmpp=80`, 'mode=wattvar wattvar_curve=wv', /^A PVSystem stays within %Pmpp/],
    [`${PV} kva=600 irradiance=1.3`, 'mode=wattvar wattvar_curve=wv', /^A PVSystem stays within %Pmpp/],
    [`${PV} kva=600 irradiance=1`, 'mode=wattvar wattvar_curve=wv', undefined],
    [`${PV} kva=600 irradiance=1 kvarmaxabs=90`, 'mode=wattvar wattvar_curve=wv', /^Where its limits cut the vars/],
    [
      `${STORAGE} kva=500 state=charging pf=.95`,
      'mode=voltwatt voltwatt_curve=vw',
      /^A Storage that charges beyond its kVA/,
    ],
    [`${STORAGE} state=charging pf=.95`, 'mode=voltwatt voltwatt_curve=vw', undefined],
  ];
  for (const [device, control, about] of cases) {
    it(`is ${about ? '' : 'not '}said of ${device.split(' 12.47 ').at(-1)} under ${control}`, () => {
      const { findings } = read(device, control);
      expect(findings).toHaveLength(about ? 1 : 0);
      if (about) expect(findings[0]).toMatch(about);
    });
  }
});

describe('a Storage with %idlingkvar', () => {
  // dss-python 0.15.7: kW and kvar; the command ends there for OpenDSS, a command of its own does not.
  const cases: readonly (readonly [given: string, kw: number, kvar: number, warnings: number])[] = [
    ['%idlingkvar=10 pf=.95', 500, 0, 1],
    ['pf=.95 %idlingkvar=10 pf=.9', 500, 164.342, 1],
    ['%idlingkvar=10 %discharge=40', 500, 0, 1],
    ['pf=.95 %idlingkvar=10', 500, 164.342, 0],
    ['%idlingkvar=10\n~ pf=.95', 500, 164.342, 0],
  ];
  for (const [given, kw, kvar, warnings] of cases) {
    it(`${given.replace('\n', ' and then ')} is read as OpenDSS reads it`, () => {
      const device = `${STORAGE} state=discharging ${given}`;
      const got = powerOf(device);
      expect(Math.abs(got.kw - kw)).toBeLessThan(0.01);
      expect(Math.abs(got.kvar - kvar)).toBeLessThan(0.01);
      const { findings } = read(device);
      expect(findings).toHaveLength(warnings);
      if (warnings > 0) expect(findings[0]).toContain('OpenDSS stops reading a command at %idlingkvar');
    });
  }
});
