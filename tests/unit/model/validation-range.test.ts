import { describe, expect, it } from 'vitest';
import {
  buildFeeder,
  type Capacitor,
  type FeederData,
  type Finding,
  type PhaseShare,
  type Regulator,
  type Source,
  validateFeeder,
} from '../../../grid/model/index.js';
import { feeder } from '../../builders/feeder.js';

const Z3 = { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]] };

/** A regulated 4.16 kV feeder with a bank of two sections, a load, PV and a battery. */
function sound(): FeederData {
  return feeder('sound')
    .source('S', 'A', { kv: 4.16 })
    .transformer('T', {
      windings: [
        { bus: 'A', kv: 4.16, kva: 5000, resistancePct: 1 },
        { bus: 'B', kv: 4.16, kva: 5000, resistancePct: 1 },
      ],
      reactancesPct: [2],
    })
    .regulator('R', 'T', { maxVoltageV: 132, minVoltageV: 108 })
    .line('L', 'B', 'C', Z3)
    .capacitor('K', 'C', { kvar: 200, sectionCount: 2 })
    .load('D', 'C', { kw: 10, kvar: 3 })
    .pv('P', 'C', { kw: 20 })
    .battery('Y', 'C', { kw: 5 })
    .data();
}

const check = (data: FeederData): Finding[] => validateFeeder(buildFeeder(data));
/** The findings as `severity attribute value | allowed`. */
const said = (data: FeederData) =>
  check(data).map(({ severity, code, attribute, value }) => `${severity} ${code} ${attribute} ${value}`);
const regulator = (change: Partial<Regulator>) => {
  const data = sound();
  return said({ ...data, regulators: [{ ...data.regulators[0]!, ...change }] });
};
const capacitor = (change: Partial<Capacitor>) => {
  const data = sound();
  return said({ ...data, capacitors: [{ ...data.capacitors[0]!, ...change }] });
};
const source = (change: Partial<Source>) => {
  const data = sound();
  return said({ ...data, sources: [{ ...data.sources[0]!, ...change }] });
};
const error = (attribute: string, value: string) => [`error VALUE_OUT_OF_RANGE ${attribute} ${value}`];
const warning = (attribute: string, value: string) => [`warning VALUE_OUT_OF_RANGE ${attribute} ${value}`];

describe('ranges of regulators', () => {
  it('are kept by a sound feeder', () => {
    expect(said(sound())).toEqual([]);
  });

  it('name attribute, value and what it may be', () => {
    const data = sound();
    const [finding] = check({ ...data, regulators: [{ ...data.regulators[0]!, position: 99 }] });
    expect(finding).toMatchObject({
      ...{ severity: 'error', class: 'regulator', name: 'R', mrid: 'regulator.R' },
      ...{ attribute: 'step', value: '99', allowed: 'a whole number from -16 to 16' },
    });
  });

  it('are not repeated where the reader has named the attribute as no less severe', () => {
    const data = sound();
    const off = { ...data, regulators: [{ ...data.regulators[0]!, position: 99 }] };
    const read = (severity: Finding['severity']): Finding => ({
      ...{ severity, code: 'BAD_VALUE', message: '', mrid: 'regulator.R', attribute: 'TapChanger.step' },
    });
    expect(validateFeeder(buildFeeder(off, [read('error')]))).toHaveLength(1);
    expect(validateFeeder(buildFeeder(off, [read('warning')]))).toHaveLength(2);
  });

  it('refuse a PT ratio, a band and a target that are not above zero', () => {
    expect(regulator({ ptRatio: 0 })).toEqual(error('ptRatio', '0'));
    expect(regulator({ ptRatio: Number.NaN })).toEqual(error('ptRatio', 'NaN'));
    expect(regulator({ bandV: 0 })).toEqual(error('targetDeadband', '0'));
    expect(regulator({ bandV: -5 })).toEqual(error('targetDeadband', '-5'));
    expect(regulator({ targetV: 0 })).toEqual(error('targetValue', '0'));
  });

  it('let a tap of a script, which has no mRID, stand between two steps, and refuse it elsewhere', () => {
    const data = sound();
    const between = (mrid: string) =>
      check({ ...data, regulators: [{ ...data.regulators[0]!, mrid, position: 2.5 }] }).map(
        ({ severity, attribute, value }) => `${severity} ${attribute} ${value}`,
      );
    expect(between('')).toEqual(['info step 2.5']);
    expect(between('_R')).toEqual(['error step 2.5']);
  });

  it('refuse a tap changer that is no tap changer, with or without control', () => {
    expect(regulator({ lowStep: 16, highStep: -16 })).toEqual(error('lowStep', '16'));
    expect(regulator({ highStep: 16.5 })).toEqual(error('highStep', '16.5'));
    expect(regulator({ stepPu: 0 })).toEqual(error('stepVoltageIncrement', '0'));
    expect(regulator({ stepPu: 1e30 })).toEqual(error('stepVoltageIncrement', '1e+32'));
    expect(regulator({ neutralStep: 40 })).toEqual(warning('neutralStep', '40'));
  });

  it('doubt a target far from the nominal voltage behind the PT, whichever of the two is wrong', () => {
    expect(regulator({ targetV: 1 })[0]).toBe(warning('targetValue', '1')[0]);
    expect(regulator({ targetV: 4160 })[0]).toBe(warning('targetValue', '4160')[0]);
    // Limits of 0 V are limits that are not set.
    expect(regulator({ ptRatio: 1, maxVoltageV: 0, minVoltageV: 0 })).toEqual(warning('targetValue', '120'));
    // 4160 / sqrt(3) = 2402 V: a control in volts of the primary.
    expect(regulator({ ptRatio: 1, targetV: 2400, bandV: 40, maxVoltageV: 2640, minVoltageV: 2160 })).toEqual([]);
    expect(regulator({ targetV: 1, isControlEnabled: false })).toEqual([]);
  });

  it('doubt limits that exclude the band and a compensator without current transformer', () => {
    expect(regulator({ maxVoltageV: 110 })).toEqual(warning('maxLimitVoltage', '110'));
    expect(regulator({ minVoltageV: 130 })).toEqual(warning('minLimitVoltage', '130'));
    expect(regulator({ hasLineDropCompensation: true, lineDropRV: 3, ctPrimaryA: 0 })).toEqual(
      warning('ctRating', '0'),
    );
  });
});

describe('ranges of capacitors', () => {
  it('refuse sections that the bank does not have', () => {
    for (const sections of [5, 0.5, 1e30, -1e9]) {
      expect(capacitor({ sectionsOn: [sections, sections, sections] })).toEqual(error('sections', String(sections)));
    }
    expect(capacitor({ sectionCount: 0 })).toEqual(error('maximumSections', '0'));
  });

  it('doubt a bank that takes more current than a feeder carries, and refuse the impossible', () => {
    // 16 S at 4.16 kV is 276.9 Mvar a section, two of them 76.9 kA.
    expect(capacitor({ sectionVar: 16 * 4160 ** 2 })).toEqual(warning('bPerSection', 'worth 2.769e+5 kvar'));
    expect(capacitor({ sectionVar: Number.NaN })).toEqual(error('bPerSection', 'worth NaN var'));
  });
});

describe('ranges of sources', () => {
  it('refuse an impedance that is missing or absurd', () => {
    const none = { r1Ohm: 0, x1Ohm: 0, r0Ohm: 0, x0Ohm: 0 };
    expect(source(none)).toEqual(error('x', '0'));
    expect(source({ r0Ohm: 0, x0Ohm: 0 })).toEqual(error('x0', '0'));
    expect(source({ x1Ohm: 1e9 })).toEqual(error('x', '1000000000'));
    expect(source({ x1Ohm: -1e30 })).toEqual(error('x', '-1e+30'));
    expect(source({ x1Ohm: -1 })).toEqual(warning('x', '-1'));
  });

  it('doubt a voltage far from the base of its bus, and refuse none', () => {
    expect(source({ voltageV: 16 })).toEqual(warning('voltageMagnitude', '16'));
    expect(source({ nominalVoltageV: 2400 })).toEqual(warning('nominalVoltage', '2400'));
    expect(source({ voltageV: 1.05 * 4160 })).toEqual([]);
    expect(source({ voltageV: Number.NaN })).toEqual(error('voltageMagnitude', 'NaN'));
    expect(source({ angleRad: Number.POSITIVE_INFINITY })).toEqual(error('voltageAngle', 'Infinity'));
  });
});

describe('ranges of powers', () => {
  it('refuse what is not finite or above 1e12 W, on every kind of device', () => {
    const data = sound();
    const first = <T extends { readonly shares: readonly PhaseShare[] }>(
      device: T,
      change: Partial<PhaseShare>,
    ): T => ({
      ...device,
      shares: device.shares.map((share, k) => (k === 0 ? { ...share, ...change } : share)),
    });
    const findings = said({
      ...data,
      loads: [first(data.loads[0]!, { powerW: 1e30 })],
      pvSystems: [first(data.pvSystems[0]!, { powerVar: Number.NaN })],
      batteries: [{ ...data.batteries[0]!, ratedEnergyWh: Number.POSITIVE_INFINITY, ratedPowerVA: 1e13 }],
    });
    expect(findings).toEqual([
      ...error('p', '1e+30'),
      ...error('q', 'NaN'),
      ...error('ratedS', '10000000000000'),
      ...error('ratedE', 'Infinity'),
    ]);
  });
});
