import { describe, expect, it } from 'vitest';
import { curveValue } from '../../../../grid/flow/device/curve.js';
import { pvPower } from '../../../../grid/flow/device/pv-power.js';
import type { Inverter } from '../../../../grid/model/index.js';
import { EFFICIENCY, inverter, panel, TEMPERATURE } from './inverter-numbers.js';

interface Case {
  readonly irradiance?: number;
  readonly temperatureC?: number;
  readonly pct?: number;
  readonly kvar?: number;
  readonly pf?: number;
  readonly inverter?: Partial<Inverter>;
  readonly expected: readonly [number, number];
}

const priority = (kept: Inverter['priority']) => ({ priority: kept });
const hot = { irradiance: 1.3, temperatureC: 25 } as const;

/**
 * dss-python 0.15.7 (DSS C-API 0.14.5): a stiff 1 kV source at 1 pu and `new pvsystem.d phases=1 kv=1 kva=100 pmpp=100
 * effcurve=[0.1 0.2 0.4 1.0 : 0.86 0.9 0.93 0.97] p-tcurve=[0 25 75 100 : 1.2 1 0.8 0.6] temperature=40 irradiance=0.9`
 * with what is named here in addition; kW, kvar.
 */
const CASES: Readonly<Record<string, Case>> = {
  'no more': { expected: [81.19344, 0] },
  'pf=0.9': { pf: 0.9, expected: [81.19344, 39.32378] },
  'pf=-0.9': { pf: -0.9, expected: [81.19344, -39.32378] },
  'kvar=40': { kvar: 40, expected: [81.19344, 40] },
  'irradiance=1.2 kvar=40': { irradiance: 1.2, kvar: 40, expected: [91.65151, 40] },
  'irradiance=1.3 temperature=25 kvar=40': { ...hot, kvar: 40, expected: [91.65151, 40] },
  '... wattpriority=yes': { ...hot, kvar: 40, inverter: priority('watt'), expected: [100, 0] },
  '... pf=0.9': { ...hot, pf: 0.9, expected: [87.48898, 48.43221] },
  '... pf=0.9 wattpriority=yes': { ...hot, pf: 0.9, inverter: priority('watt'), expected: [100, 0] },
  '... pf=0.9 pfpriority=yes': { ...hot, pf: 0.9, inverter: priority('powerFactor'), expected: [90, 43.58899] },
  '... pf=-0.9 pfpriority=yes': { ...hot, pf: -0.9, inverter: priority('powerFactor'), expected: [90, -43.58899] },
  '... kvar=40 pfpriority=yes': { ...hot, kvar: 40, inverter: priority('powerFactor'), expected: [92.84767, 37.13907] },
  '%pmpp=50': { pct: 50, expected: [50, 0] },
  '%pmpp=50 pf=0.9': { pct: 50, pf: 0.9, expected: [50, 24.21611] },
  'kvar=60 kvarmax=30': { kvar: 60, inverter: { maxVar: 30e3, minVar: 30e3 }, expected: [81.19344, 30] },
  'kvar=-60 kvarmax=30 kvarmaxabs=20': {
    kvar: -60,
    inverter: { maxVar: 30e3, minVar: 20e3 },
    expected: [81.19344, -20],
  },
  'pf=0.8 kvarmax=30': { pf: 0.8, inverter: { maxVar: 30e3, minVar: 30e3 }, expected: [81.19344, 30] },
  'pf=-0.8 kvarmaxabs=20': { pf: -0.8, inverter: { maxVar: 30e3, minVar: 20e3 }, expected: [81.19344, -20] },
  'irradiance=0.15 kvar=30, below cut-in': { irradiance: 0.15, kvar: 30, expected: [0, 30] },
  '... varfollowinverter=yes': {
    irradiance: 0.15,
    kvar: 30,
    inverter: { varFollowsInverter: true },
    expected: [0, 0],
  },
  'irradiance=0.3 %pminnovars=50 kvar=30': {
    irradiance: 0.3,
    kvar: 30,
    inverter: { leastPowerForVarPct: 50 },
    expected: [25.72686, 0],
  },
  'irradiance=0.3 %pminkvarmax=50 pf=0.6': {
    irradiance: 0.3,
    pf: 0.6,
    inverter: { leastPowerForAllVarPct: 50 },
    expected: [25.72686, 34.30248],
  },
  'irradiance=0 kvar=120': { irradiance: 0, kvar: 120, expected: [0, 100] },
  'kvar=120': { kvar: 120, expected: [0, 100] },
};

describe('power of a photovoltaic system against OpenDSS', () => {
  for (const [name, given] of Object.entries(CASES)) {
    it(name, () => {
      const device = inverter({
        efficiency: EFFICIENCY,
        reactive:
          given.kvar === undefined
            ? { by: 'powerFactor', powerFactor: given.pf ?? 1 }
            : { by: 'var', powerVar: given.kvar * 1e3 },
        ...given.inverter,
      });
      const module = panel({ temperatureFactor: TEMPERATURE, maxPowerPointPct: given.pct ?? 100 });
      const sun = { irradiance: given.irradiance ?? 0.9, temperatureC: given.temperatureC ?? 40 };
      const power = pvPower(module, device, sun, true);
      expect(power.powerW / 1e3).toBeCloseTo(given.expected[0], 4);
      expect(power.powerVar / 1e3).toBeCloseTo(given.expected[1], 4);
    });
  }

  it('a panel above the inverter is cut by the rating, by priority of vars', () => {
    // `kva=100 pmpp=150 irradiance=1`, then `pf=0.95`, then `kvar=-50`.
    const large = panel({ maxPowerPointW: 150e3 });
    const at = (reactive: Inverter['reactive']) => {
      const { powerW, powerVar } = pvPower(large, inverter({ reactive }), { irradiance: 1, temperatureC: 25 }, true);
      return [powerW / 1e3, powerVar / 1e3];
    };
    expect(at({ by: 'powerFactor', powerFactor: 1 })[0]).toBeCloseTo(100, 9);
    expect(at({ by: 'powerFactor', powerFactor: 0.95 })[0]).toBeCloseTo(87.00145, 4);
    expect(at({ by: 'powerFactor', powerFactor: 0.95 })[1]).toBeCloseTo(49.30262, 4);
    expect(at({ by: 'var', powerVar: -50e3 })[0]).toBeCloseTo(86.60254, 4);
  });

  it('curves go on along their end pieces', () => {
    // `kva=100 pmpp=100 effcurve=eff %cutin=1 %cutout=1 irradiance=0.05`: 4.2 kW; `p-tcurve=fac temperature=-20`: 68 of 50 kW.
    expect(5 * curveValue(EFFICIENCY, 0.05)).toBeCloseTo(4.2, 9);
    expect(50 * curveValue(TEMPERATURE, -20)).toBeCloseTo(68, 9);
    expect(50 * curveValue(TEMPERATURE, 120)).toBeCloseTo(22, 9);
    expect(curveValue({ name: 'one', x: [1], y: [3] }, 7)).toBe(3);
  });

  it('runs on between cut-out and cut-in only when it ran before', () => {
    const device = inverter({ cutInPct: 20, cutOutPct: 10 });
    const sun = { irradiance: 0.15, temperatureC: 25 };
    expect(pvPower(panel(), device, sun, true).powerW).toBeCloseTo(15e3, 6);
    expect(pvPower(panel(), device, sun, false).powerW).toBe(0);
  });

  it('keeps to the limit and the vars a control asks for', () => {
    const sun = { irradiance: 1, temperatureC: 25 };
    const limited = pvPower(panel(), inverter(), sun, true, { limitW: 60e3, powerVar: -44e3 });
    expect(limited.powerW).toBe(60e3);
    expect(limited.powerVar).toBe(-44e3);
    expect(limited.availableW).toBe(100e3);
  });
});
