import { describe, expect, it } from 'vitest';
import { type CimRecord, literal, readCimText, readFeeders, reference, writeCim } from '../../../grid/cim/index.js';
import { type Finding, validateFeeder } from '../../../grid/model/index.js';
import { changed as changedObject, cimCircuit } from '../../builders/cim-circuit.js';

/*
 * Values that are well formed but contradict the rest of the file. The circuit is that of the mutation test; each case
 * changes one thing, and asks what is told and what the model takes.
 */

const circuit = cimCircuit();

function read(records: readonly CimRecord[]) {
  const text = writeCim(records, { idStyle: 'id' });
  const { feeders } = readFeeders(readCimText([{ name: 'circuit.xml', text }]));
  return { feeder: feeders[0]!, findings: validateFeeder(feeders[0]!) };
}

type Value = string | number | boolean | undefined;

/** The circuit with other values of an object; `@id` is a link, undefined is absence. */
const changed = (id: string, values: Readonly<Record<string, Value>>, records = circuit) =>
  changedObject(id, values, records);

/** The circuit with one more value of an attribute of an object. */
function doubled(id: string, name: string, target: string): CimRecord[] {
  return circuit.map((record) =>
    record.id === id ? { ...record, properties: [...record.properties, reference(name, target)] } : record,
  );
}

/** The circuit with a copy of an object under another id. */
function withCopy(id: string, copy: string, values: Readonly<Record<string, Value>> = {}): CimRecord[] {
  const original = circuit.find((record) => record.id === id)!;
  return [...circuit, ...changed(copy, values, [{ ...original, id: copy }])];
}

const doubts = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity !== 'info');
const of = (findings: readonly Finding[], id: string, attribute: string) =>
  doubts(findings).filter((finding) => finding.mrid === `_${id}` && finding.attribute === attribute);

const sums = ({ shares }: { readonly shares: readonly { readonly powerW: number; readonly powerVar: number }[] }) =>
  shares.map(({ powerW, powerVar }) => [powerW, powerVar]);

describe('equipment whose base voltage is not that of its bus', () => {
  const BASE = 'ConductingEquipment.BaseVoltage';
  const intact = read(circuit).feeder;

  it.each([
    ['LOAD', BASE, '@B02', '208 V', '12470 V, the base of bus e'],
    ['HOUSE', BASE, '@B12', '12470 V', '208 V, the base of bus q'],
    ['CAP', BASE, '@B02', '208 V', '12470 V, the base of bus e'],
    ['L1', BASE, '@B02', '208 V', '12470 V, the base of bus b'],
    ['DROP', BASE, '@B12', '12470 V', '208 V, the base of bus p'],
    ['SC', BASE, '@B02', '208 V', '12470 V, the base of bus h'],
    ['SW', BASE, '@B02', '208 V', '12470 V, the base of bus d'],
    ['INV', BASE, '@B12', '12470 V', '208 V, the base of bus q'],
    ['GEN', BASE, '@B02', '208 V', '12470 V, the base of bus k'],
    ['S', BASE, '@B02', '208 V', '12470 V, the base of bus a'],
    ['REG_2', 'TransformerEnd.BaseVoltage', '@B02', '208 V', '12470 V, the base of bus b'],
    ['TANK_1', 'TransformerEnd.BaseVoltage', '@B02', '208 V', '12470 V, the base of bus c'],
    ['TANK_2', 'TransformerEnd.BaseVoltage', '@B12', '12470 V', '208 V, the base of bus p'],
  ])('is told with both voltages and the bus, and read at the bus: %s', (id, attribute, base, value, allowed) => {
    const { feeder, findings } = read(changed(id, { [attribute]: base }));
    expect(of(findings, id, attribute)).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        code: 'BASE_VOLTAGE_CONFLICT',
        value,
        allowed: `about ${allowed}`,
      }),
    );
    expect(feeder.buses).toEqual(intact.buses);
    for (const kind of ['loads', 'capacitors', 'pvSystems', 'machines', 'sources', 'transformers'] as const) {
      expect(feeder[kind]).toEqual(intact[kind]);
    }
  });

  it('is told for every such load, and none other', () => {
    const { findings } = read(changed('HOUSE', { [BASE]: '@B12' }));
    expect([...new Set(doubts(findings).map(({ code, mrid }) => `${code} ${mrid}`))]).toEqual([
      'BASE_VOLTAGE_CONFLICT _HOUSE',
    ]);
  });

  const based = (id: string, volts: number, base: string) => [
    ...changed(id, { [BASE]: `@${base}` }),
    { className: 'BaseVoltage', id: base, properties: [literal('BaseVoltage.nominalVoltage', volts)] },
  ];

  it.each([
    ['HOUSE', 120, 'the voltage of a leg'],
    ['HOUSE', 240, 'the voltage across both legs'],
    ['LOAD', 13200, 'a voltage of the same class of equipment'],
  ])('is not told of %s with %s V, %s', (id, volts) => {
    expect(doubts(read(based(id, volts, 'BX')).findings)).toEqual([]);
  });

  it('is read as to neutral where the equipment has one phase, with an info', () => {
    // 12470 V / sqrt(3) = 7200 V; the line L4 has phase A.
    const { findings } = read(based('L4', 7200, 'BX'));
    expect(doubts(findings)).toEqual([]);
    expect(findings).toContainEqual(
      expect.objectContaining({ severity: 'info', code: 'ASSUMPTION', mrid: '_L4', value: '7200 V' }),
    );
    // The line L1 has three.
    expect(of(read(based('L1', 7200, 'BX')).findings, 'L1', BASE)).toHaveLength(1);
  });
});

describe('a quantity of a phase', () => {
  const [ONE, P, Q] = ['HOUSE_s1', 'EnergyConsumerPhase.p', 'EnergyConsumerPhase.q'];

  it('that is absent is what the device has beyond its other phases, with a warning', () => {
    const { feeder, findings } = read(changed(ONE, { [P]: undefined }));
    expect(of(findings, ONE, P)[0]).toMatchObject({ severity: 'warning', code: 'DEFAULTED_ATTRIBUTE' });
    // 6000 W of the load less 3000 W of its other phase.
    expect(sums(feeder.loads.find(({ name }) => name === 'HOUSE')!)).toEqual([
      [3000, 750],
      [3000, 750],
    ]);
  });

  it('that no phase has is an even part of the device', () => {
    const { feeder } = read(changed('HOUSE_s2', { [P]: undefined }, changed(ONE, { [P]: undefined })));
    expect(sums(feeder.loads.find(({ name }) => name === 'HOUSE')!)).toEqual([
      [3000, 750],
      [3000, 750],
    ]);
  });

  it.each([
    ['HOUSE', 'EnergyConsumer.p', { 'EnergyConsumer.p': 5000 }],
    ['HOUSE', 'EnergyConsumer.q', { 'EnergyConsumer.q': 0 }],
    ['INV', 'PowerElectronicsConnection.p', { 'PowerElectronicsConnection.p': 4500 }],
  ])('does not sum up to that of %s: %s', (id, attribute, values) => {
    const [found] = of(read(changed(id, values)).findings, id, attribute);
    expect(found).toMatchObject({ severity: 'warning', code: 'CONFLICTING_VALUE' });
    expect(found!.allowed).toMatch(/^about (6000|1500|4000), the sum of its phases$/);
  });

  it('sums up within rounding without notice', () => {
    expect(doubts(read(changed('HOUSE', { 'EnergyConsumer.p': 6000.9, 'EnergyConsumer.q': 1499.2 })).findings)).toEqual(
      [],
    );
  });

  it('alone exceeds the device: the others get nothing, and it is told', () => {
    const { feeder, findings } = read(changed('HOUSE_s2', { [P]: 9000 }, changed(ONE, { [P]: undefined, [Q]: 750 })));
    expect(of(findings, 'HOUSE', 'EnergyConsumer.p')).not.toEqual([]);
    expect(sums(feeder.loads.find(({ name }) => name === 'HOUSE')!).map(([p]) => p)).toEqual([0, 9000]);
  });
});

describe('a link that has one target', () => {
  it.each([
    ['HOUSE_s1', 'EnergyConsumerPhase.EnergyConsumer', 'LOAD', 'HOUSE (_HOUSE), LOAD (_LOAD)'],
    ['INV_s1', 'PowerElectronicsConnectionPhase.PowerElectronicsConnection', 'BINV', 'INV (_INV), BINV (_BINV)'],
    ['L1', 'ACLineSegment.PerLengthImpedance', 'ZS', 'Z3 (_Z3), ZS (_ZS)'],
    ['L1_T2', 'Terminal.ConnectivityNode', 'k', 'c (_c), k (_k)'],
    ['TAP', 'RatioTapChanger.TransformerEnd', 'REG_1', 'REG_2 (_REG_2), REG_1 (_REG_1)'],
    ['INV', 'PowerElectronicsConnection.PowerElectronicsUnit', 'BAT', 'PV (_PV), BAT (_BAT)'],
    ['LOAD', 'ConductingEquipment.BaseVoltage', 'B02', 'B12 (_B12), B02 (_B02)'],
  ])('and leads to two is an error with both: %s %s', (id, attribute, target, value) => {
    expect(of(read(doubled(id, attribute, target)).findings, id, attribute)).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'CONFLICTING_VALUE', value }),
    );
  });

  it('and leads to two places on the map is a warning', () => {
    const moved = changed('L1', { 'PowerSystemResource.Location': '@P1' });
    const records = moved.map((record) =>
      record.id === 'L1'
        ? { ...record, properties: [...record.properties, reference('PowerSystemResource.Location', 'P2')] }
        : record,
    );
    const [found] = of(read(records).findings, 'L1', 'PowerSystemResource.Location');
    expect(found).toMatchObject({ severity: 'warning', value: '_P1, _P2' });
  });

  it.each([
    'Asset.PowerSystemResources',
    'TransformerMeshImpedance.ToTransformerEnd',
    'ACDCTerminal.OperationalLimitSet',
  ])('is none where the association has several: %s', (attribute) => {
    const records = changed('L1', { [attribute]: '@L2' }).map((record) =>
      record.id === 'L1' ? { ...record, properties: [...record.properties, reference(attribute, 'L3')] } : record,
    );
    expect(doubts(read(records).findings).filter(({ code }) => code === 'CONFLICTING_VALUE')).toEqual([]);
  });
});

describe('parts of which there may be one', () => {
  it.each([
    ['TAP', 'REG_2', 'RatioTapChanger.TransformerEnd', 'error', 'TAP (_TAP), TAP (_TAP9)'],
    ['CAPC', 'CAP', 'RegulatingControl.RegulatingCondEq', 'warning', 'CAPC (_CAPC), CAPC (_CAPC9)'],
  ])('a second %s at %s is told with both', (part, whole, attribute, severity, value) => {
    const { findings } = read(withCopy(part, `${part}9`));
    expect(of(findings, whole, attribute)).toContainEqual(
      expect.objectContaining({ severity, code: 'CONFLICTING_VALUE', value }),
    );
  });

  it('a second control of a tap changer is an error with both', () => {
    const { findings } = read(withCopy('TAPC', 'TAPC9', { 'TapChangerControl.TapChanger': '@TAP' }));
    expect(of(findings, 'TAP', 'TapChangerControl.TapChanger')[0]).toMatchObject({
      ...{ severity: 'error', value: 'TAPC (_TAPC), TAPC (_TAPC9)' },
    });
  });
});

describe('phases that change on the way through a device', () => {
  it('are a warning where the sides of a switch differ', () => {
    const crossed = changed(
      'SW_C',
      { 'SwitchPhase.phaseSide1': '#SinglePhaseKind.B' },
      changed('SW_B', { 'SwitchPhase.phaseSide1': '#SinglePhaseKind.C' }),
    );
    for (const id of ['SW_B', 'SW_C']) {
      expect(
        read(crossed).findings.filter(({ mrid, code }) => mrid === `_${id}` && code === 'PHASE_MISMATCH'),
      ).toMatchObject([{ severity: 'warning', attribute: 'SwitchPhase.phaseSide2' }]);
    }
  });

  const name = 'TransformerTankEnd.orderedPhases';
  const isTank = (id: string) => id === 'TANK' || /^TANK_\d$/.test(id);
  const renamed = (id: string) => (isTank(id) ? id.replace('TANK', 'TANKX') : id);
  /** The circuit with a second tank beside the first. */
  const twoTanks: CimRecord[] = [
    ...circuit,
    ...circuit
      .filter(({ id }) => isTank(id))
      .map((record) => ({
        ...record,
        id: renamed(record.id),
        properties: record.properties.map((property) => ({ ...property, value: renamed(property.value) })),
      })),
  ];
  const bank = (codes: Readonly<Record<string, string>>) =>
    read(
      Object.entries(codes).reduce(
        (records, [id, code]) => changed(id, { [name]: `#OrderedPhaseCodeKind.${code}` }, records),
        twoTanks,
      ),
    ).findings.flatMap(({ code, mrid, message, severity }) =>
      code === 'PHASE_MISMATCH' && /windings/.test(message) ? [`${severity} ${mrid}`] : [],
    );

  it.each([
    ['the same at both ends', 'AN', 'AN', 'BN', 'BN', []],
    ['all shifted', 'AN', 'BN', 'BN', 'CN', []],
    ['swapped', 'AN', 'BN', 'BN', 'AN', []],
    ['between phases, which share one with the other side', 'AN', 'AB', 'BN', 'BN', []],
    ['on one phase at the second end only', 'AN', 'BN', 'BN', 'BN', ['warning _TANK']],
    ['on one phase at the first end only', 'BN', 'BN', 'BN', 'CN', ['warning _TANKX']],
  ])('are a warning where two tanks of a bank come together at one side only: %s', (_, a1, a2, b1, b2, expected) => {
    expect(bank({ TANK_1: a1, TANK_2: a2, TANK_3: a2, TANKX_1: b1, TANKX_2: b2, TANKX_3: b2 })).toEqual(expected);
  });
});

describe('an attribute that one object gives twice', () => {
  const load = circuit.find(({ className }) => className === 'EnergyConsumer')!;
  const twice = (value: number) =>
    circuit.map((record) =>
      record === load ? { ...record, properties: [literal('EnergyConsumer.p', value), ...record.properties] } : record,
    );
  const given = Number(load.properties.find(({ name }) => name === 'EnergyConsumer.p')!.value);

  it('is named with both values, the first of which is kept', () => {
    const [found] = of(read(twice(given + 1000)).findings, load.id, 'EnergyConsumer.p');
    expect(found).toMatchObject({ severity: 'warning', code: 'CONFLICTING_VALUE', allowed: String(given + 1000) });
    expect(Number(found!.value)).toBe(given);
  });

  it('is no conflict with the same value', () => {
    expect(of(read(twice(given)).findings, load.id, 'EnergyConsumer.p')).toEqual([]);
  });
});

describe('a quantity that two objects give', () => {
  const cell = circuit.find(({ id }) => /_11$/.test(id))!.id;
  const mutual = circuit.find(({ id }) => /_21$/.test(id))!.id;
  const shortTest = circuit.find(({ className }) => className === 'ShortCircuitTest')!.id;
  const noLoadTest = circuit.find(({ className }) => className === 'NoLoadTest')!.id;
  const row = 'PhaseImpedanceData.row';

  it.each([
    [cell, row, { 'PhaseImpedanceData.r': 0.009 }],
    [mutual, row, { 'PhaseImpedanceData.row': 1, 'PhaseImpedanceData.column': 2, 'PhaseImpedanceData.x': 0.009 }],
    [shortTest, 'ShortCircuitTest.EnergisedEnd', { 'ShortCircuitTest.loss': 50 }],
    [noLoadTest, 'NoLoadTest.EnergisedEnd', { 'NoLoadTest.loss': 50 }],
    ['MESH', 'TransformerMeshImpedance.FromTransformerEnd', { 'TransformerMeshImpedance.x': 9 }],
    ['CORE', 'TransformerCoreAdmittance.TransformerEnd', { 'TransformerCoreAdmittance.g': 2e-5 }],
  ])('is an error that names both: %s', (id, attribute, values) => {
    const [found] = of(read(withCopy(id, `${id}9`, values)).findings, `${id}9`, attribute);
    expect(found).toMatchObject({ severity: 'error', code: 'CONFLICTING_VALUE' });
    expect(found!.value).toContain(`_${id}`);
  });

  it('is no second one where a matrix gives both halves alike', () => {
    const mirrored = withCopy(mutual, `${mutual}9`, { [row]: 1, 'PhaseImpedanceData.column': 2 });
    expect(doubts(read(mirrored).findings)).toEqual(doubts(read(circuit).findings));
  });
});

describe('a number that orders', () => {
  it.each([
    ['L1_B', 'ACLineSegmentPhase.sequenceNumber', [0, -2, 1.5, 3, 2000]],
    ['SPACE_2', 'WirePosition.sequenceNumber', [0, 1, 3, 1.5]],
    ['L1_T2', 'ACDCTerminal.sequenceNumber', [0, 1, 3, 1.5]],
    ['REG_2', 'TransformerEnd.endNumber', [0, 1, 3, 1.5]],
    ['REG_T2', 'ACDCTerminal.sequenceNumber', [1, 5]],
  ])('%s %s is an error unless it is 1 to n, once', (id, attribute, values) => {
    for (const value of values) {
      const told = doubts(read(changed(id, { [attribute]: value })).findings).filter((f) => f.attribute === attribute);
      expect(told[0], String(value)).toMatchObject({ severity: 'error', code: 'BAD_VALUE' });
    }
  });

  it.each([
    ['L1_B', 'ACLineSegmentPhase.sequenceNumber', 'error'],
    ['SPACE_2', 'WirePosition.sequenceNumber', 'error'],
    ['L1_T2', 'ACDCTerminal.sequenceNumber', 'warning'],
  ])('%s %s is missed where the others have one', (id, attribute, severity) => {
    expect(of(read(changed(id, { [attribute]: undefined })).findings, id, attribute)[0]).toMatchObject({ severity });
  });

  it('may begin above 1 where it runs with the phases, as some exporters number the legs of a secondary', () => {
    const attribute = 'ACLineSegmentPhase.sequenceNumber';
    const legs = changed('DROP_s2', { [attribute]: 3 }, changed('DROP_s1', { [attribute]: 2 }));
    expect(doubts(read(legs).findings)).toEqual([]);
    const crossed = changed('DROP_s2', { [attribute]: 2 }, changed('DROP_s1', { [attribute]: 3 }));
    expect(of(read(crossed).findings, 'DROP_s1', attribute)).not.toEqual([]);
  });
});

describe('terminals', () => {
  it.each([
    ['L1_T2', 'L1', '3', '2'],
    ['LOAD_T1', 'LOAD', '2', '1'],
    ['REG_T2', 'REG', '3', '2'],
  ])('beyond those of the class are an error: a copy of %s', (id, device, count, allowed) => {
    const [found] = of(read(withCopy(id, 'EXTRA')).findings, device, 'Terminal.ConductingEquipment');
    expect(found).toMatchObject({ severity: 'error', allowed });
    expect(found!.message).toContain(`${count} terminals`);
    expect(found!.value).toContain('_EXTRA');
  });

  it.each([
    ['L2_T2', 'L2', 'c', 'error'],
    ['SW_T2', 'SW', 'd', 'warning'],
    ['REG_T2', 'REG', 'a', 'error'],
  ])('at one bus name the branch: %s', (id, branch, bus, severity) => {
    const { findings } = read(changed(id, { 'Terminal.ConnectivityNode': `@${bus}` }));
    const [found] = of(findings, branch, 'Terminal.ConnectivityNode');
    expect(found).toMatchObject({ severity, value: bus });
    expect(found!.message).toContain(`${branch} ends at the bus where it begins, ${bus}`);
  });
});

describe('the hour of a winding', () => {
  const CLOCK = 'PowerTransformerEnd.phaseAngleClock';
  it.each([12, -1, 1.5, 1000])('of %s is an error', (hour) => {
    expect(of(read(changed('REG_2', { [CLOCK]: hour })).findings, 'REG_2', CLOCK)[0]).toMatchObject({
      ...{ severity: 'error', allowed: 'a whole number from 0 to 11' },
    });
  });
  it.each([
    ['Yn', 1],
    ['D', 0],
    ['D', 4],
  ])('of a wye against %s that is %s is a warning', (kind, hour) => {
    const records = changed('REG_2', { [CLOCK]: hour }).map((record) =>
      record.id !== 'REG_2'
        ? record
        : {
            ...record,
            properties: record.properties.map((one) =>
              one.name === 'PowerTransformerEnd.connectionKind' ? { ...one, value: `WindingConnection.${kind}` } : one,
            ),
          },
    );
    expect(of(read(records).findings, 'REG_2', CLOCK)[0]).toMatchObject({ severity: 'warning', value: String(hour) });
  });
});

describe('a value beyond what is built', () => {
  it.each([
    // 12470 V over 641 ohm is a short-circuit power of 0.24 MVA.
    ['S', 'EnergySource.x', 641],
    ['S', 'EnergySource.r', 641],
    ['REG_2', 'TransformerEnd.rground', -5],
    ['REG_2', 'TransformerEnd.rground', 9000],
    ['REG_2', 'TransformerEnd.xground', -5],
    // A radius of 5.05 mm: below 0.2 of it, and above it.
    ['WIRE', 'WireInfo.gmr', 0.0008],
    ['WIRE', 'WireInfo.gmr', 0.006],
    ['WIRE', 'WireInfo.gmr', undefined],
    // The winding is rated 5 MVA at 12470 V, 231 A.
    ['TAP', 'TapChanger.ctRating', 2],
    ['TAP', 'TapChanger.ctRating', 300000],
    ['TAP', 'TapChanger.ptRatio', 20000],
    ['TAPC', 'TapChangerControl.lineDropR', 30],
    ['TAPC', 'TapChangerControl.lineDropX', -30],
    ['INV', 'PowerElectronicsConnection.ratedU', 480],
    ['GEN', 'RotatingMachine.ratedU', 480],
    ['TAP', 'RatioTapChanger.stepVoltageIncrement', 0.05],
    ['TAP', 'RatioTapChanger.stepVoltageIncrement', 6.25],
  ])('is told with its range: %s %s = %s', (id, attribute, value) => {
    const [found] = of(read(changed(id, { [attribute]: value })).findings, id, attribute);
    expect(found).toBeDefined();
    if (value !== undefined) expect(found).toMatchObject({ value: String(value) });
    expect(value === undefined || found!.allowed !== undefined).toBe(true);
  });

  it('tells a PT ratio that does not fit the target by the target', () => {
    const [found] = of(
      read(changed('TAP', { 'TapChanger.ptRatio': 20 })).findings,
      'TAPC',
      'RegulatingControl.targetValue',
    );
    expect(found!.allowed).toContain('behind the PT ratio of 20');
  });
});
