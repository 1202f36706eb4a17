import { describe, expect, it } from 'vitest';
import { CimIndexReader, readCimText, readFeeders } from '../../../grid/cim/index.js';
import type { Finding } from '../../../grid/model/index.js';
import { BASE, load, loadPhase, object, read, terminals } from './small-feeder.js';

type Properties = Readonly<Record<string, string | number>>;

const named = (findings: readonly Finding[], code: string) =>
  findings.filter((finding) => finding.code === code).map((f) => [f.severity, f.class, f.mrid, f.attribute, f.value]);
const document = (body: string, declaration = '') =>
  `${declaration}<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${body}</rdf:RDF>`;

const inverter = (properties: Properties = {}) =>
  object('PowerElectronicsConnection', 'P', {
    [BASE]: '@B12',
    'PowerElectronicsConnection.p': 4000,
    'PowerElectronicsConnection.q': 0,
    'PowerElectronicsConnection.ratedS': 5000,
    ...properties,
  }) + terminals('P', 'a');
const unit = object('PhotovoltaicUnit', 'U', { 'PowerElectronicsUnit.PowerElectronicsConnection': '@P' });
const capacitor = (properties: Properties = {}) =>
  object('LinearShuntCompensator', 'C', {
    [BASE]: '@B12',
    'ShuntCompensator.nomU': 12470,
    'ShuntCompensator.phaseConnection': '#PhaseShuntConnectionKind.Y',
    'ShuntCompensator.maximumSections': 1,
    'ShuntCompensator.sections': 1,
    'LinearShuntCompensator.bPerSection': 0.004,
    ...properties,
  }) + terminals('C', 'a');
const line = (properties: Properties = {}) =>
  object('ACLineSegment', 'X', {
    [BASE]: '@B12',
    'Conductor.length': 100,
    'ACLineSegment.PerLengthImpedance': '@Z',
    ...properties,
  }) +
  terminals('X', 'a', 'b') +
  object('PerLengthPhaseImpedance', 'Z') +
  object('ACLineSegmentPhase', 'X_A', {
    'ACLineSegmentPhase.ACLineSegment': '@X',
    'ACLineSegmentPhase.phase': '#SinglePhaseKind.A',
  });
const cell = (properties: Properties = {}) =>
  object('PhaseImpedanceData', 'D', {
    'PhaseImpedanceData.PhaseImpedance': '@Z',
    'PhaseImpedanceData.row': 1,
    'PhaseImpedanceData.column': 1,
    'PhaseImpedanceData.r': 0.001,
    'PhaseImpedanceData.x': 0.001,
    ...properties,
  });
/** A three-phase bank from a to b with a tap changer of 16 steps up and down that holds 120 V behind 60:1. */
function regulated(changer: Properties = {}, control: Properties = {}, mesh: Properties = {}, bank: Properties = {}) {
  const end = (n: number) =>
    object('PowerTransformerEnd', `E${n}`, {
      'PowerTransformerEnd.PowerTransformer': '@T',
      'TransformerEnd.endNumber': n,
      'TransformerEnd.Terminal': `@T_T${n}`,
      'PowerTransformerEnd.ratedU': 12470,
      'PowerTransformerEnd.ratedS': 1e6,
      'PowerTransformerEnd.connectionKind': '#WindingConnection.Y',
    });
  return [
    object('PowerTransformer', 'T', bank) + terminals('T', 'a', 'b') + end(1) + end(2),
    object('TransformerMeshImpedance', 'M', {
      'TransformerMeshImpedance.FromTransformerEnd': '@E1',
      'TransformerMeshImpedance.ToTransformerEnd': '@E2',
      'TransformerMeshImpedance.r': 1.5,
      'TransformerMeshImpedance.x': 9,
      ...mesh,
    }),
    object('RatioTapChanger', 'R', {
      'RatioTapChanger.TransformerEnd': '@E2',
      'TapChanger.TapChangerControl': '@K',
      'TapChanger.lowStep': -16,
      'TapChanger.highStep': 16,
      'TapChanger.step': 0,
      'TapChanger.ptRatio': 60,
      'RatioTapChanger.stepVoltageIncrement': 0.625,
      ...changer,
    }),
    object('TapChangerControl', 'K', {
      'RegulatingControl.targetValue': 120,
      'RegulatingControl.targetDeadband': 2,
      ...control,
    }),
  ];
}
const errors = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity === 'error');

describe('a number that cannot be read', () => {
  const places: readonly (readonly [string, string, string, (text: string) => readonly string[]])[] = [
    ['EnergyConsumerPhase', 'L_A', 'EnergyConsumerPhase.p', (text) => [load('Y'), loadPhase('A', text)]],
    [
      'PowerElectronicsConnection',
      'P',
      'PowerElectronicsConnection.p',
      (text) => [inverter({ 'PowerElectronicsConnection.p': text }), unit],
    ],
    ['RatioTapChanger', 'R', 'TapChanger.ptRatio', (text) => regulated({ 'TapChanger.ptRatio': text })],
    ['RatioTapChanger', 'R', 'TapChanger.step', (text) => regulated({ 'TapChanger.step': text })],
    [
      'LinearShuntCompensator',
      'C',
      'ShuntCompensator.sections',
      (text) => [capacitor({ 'ShuntCompensator.sections': text })],
    ],
    ['PhaseImpedanceData', 'D', 'PhaseImpedanceData.r', (text) => [line(), cell({ 'PhaseImpedanceData.r': text })]],
  ];
  const texts = ['abc', 'NaN', '1,5', '', '1e400', '0x10', 'Infinity'];
  it.each(places)('is an error of %s %s %s with value and line', (className, mrid, attribute, body) => {
    for (const text of texts) {
      const { findings } = read(...body(text));
      const [found] = findings.filter((f) => f.code === 'BAD_VALUE' && f.attribute === attribute);
      expect(found, text).toMatchObject({ severity: 'error', class: className, mrid, value: text, file: 'f.xml' });
      expect(found!.line).toBeGreaterThan(0);
    }
    // 60:1 is the ratio that fits the control of the regulator.
    for (const text of attribute === 'TapChanger.ptRatio' ? ['60', '+6.0e1'] : ['1', '+1.0e0']) {
      expect(errors(read(...body(text)).findings)).toEqual([]);
    }
  });

  it('is an error of the source too, and of truth values', () => {
    const source = (attribute: string, text: string) =>
      object('EnergySource', 'S2', { [BASE]: '@B12', 'EnergySource.x': 1, [attribute]: text }) + terminals('S2', 'b');
    for (const attribute of ['EnergySource.voltageAngle', 'EnergySource.voltageMagnitude']) {
      expect(named(read(source(attribute, '1,5')).findings, 'BAD_VALUE')).toEqual([
        ['error', 'EnergySource', 'S2', attribute, '1,5'],
      ]);
    }
    expect(named(read(load('Y', { 'Equipment.inService': 'nein' })).findings, 'BAD_VALUE')).toEqual([
      ['error', 'EnergyConsumer', 'L', 'Equipment.inService', 'nein'],
    ]);
  });

  it('is named once and does not hide behind what follows from it', () => {
    const { feeder, findings } = read(line({ 'Conductor.length': '1 km' }), cell());
    expect(errors(findings).map((f) => [f.code, f.attribute, f.value])).toEqual([
      ['BAD_VALUE', 'Conductor.length', '1 km'],
    ]);
    expect(feeder.lines).toEqual([]);
    const bad = read(capacitor({ 'LinearShuntCompensator.bPerSection': '4e-3 S' }));
    expect(bad.findings.map((f) => f.value)).not.toContain('undefined');
    expect(named(bad.findings, 'BAD_VALUE')).toEqual([
      ['error', 'LinearShuntCompensator', 'C', 'LinearShuntCompensator.bPerSection', '4e-3 S'],
    ]);
  });
});

describe('an attribute that is known but not represented', () => {
  const cases: readonly (readonly [string, string, string, string | number, readonly string[]])[] = [
    [
      'warning',
      'C',
      'LinearShuntCompensator.gPerSection',
      0.01,
      [capacitor({ 'LinearShuntCompensator.gPerSection': 0.01 })],
    ],
    [
      'warning',
      'C',
      'LinearShuntCompensator.b0PerSection',
      0.002,
      [capacitor({ 'LinearShuntCompensator.b0PerSection': 0.002 })],
    ],
    ['warning', 'D', 'PhaseImpedanceData.g', 1, [line(), cell({ 'PhaseImpedanceData.g': 1 })]],
    ['warning', 'X', 'ACLineSegment.gch', 1e-6, [line({ 'ACLineSegment.gch': 1e-6 }), cell()]],
    [
      'warning',
      'W',
      'WireSpacingInfo.phaseWireCount',
      4,
      [object('WireSpacingInfo', 'W', { 'WireSpacingInfo.phaseWireCount': 4 })],
    ],
    ['warning', 'M', 'TransformerMeshImpedance.x0', 25, regulated({}, {}, { 'TransformerMeshImpedance.x0': 25 })],
    [
      'warning',
      'K',
      'RegulatingControl.mode',
      'RegulatingControlModeKind.reactivePower',
      regulated({}, { 'RegulatingControl.mode': '#RegulatingControlModeKind.reactivePower' }),
    ],
    [
      'warning',
      'K',
      'TapChangerControl.minLimitVoltage',
      119.5,
      regulated({}, { 'TapChangerControl.minLimitVoltage': 119.5 }),
    ],
    ['info', 'P', 'PowerElectronicsConnection.maxQ', 100, [inverter({ 'PowerElectronicsConnection.maxQ': 100 }), unit]],
    [
      'info',
      'V',
      'SvTapStep.position',
      5,
      [...regulated(), object('SvTapStep', 'V', { 'SvTapStep.TapChanger': '@R', 'SvTapStep.position': 5 })],
    ],
  ];
  it.each(cases)('is a %s of %s %s when it has an effect', (severity, mrid, attribute, value, body) => {
    const found = read(...body).findings.filter((f) => f.code === 'UNREPRESENTED_ATTRIBUTE');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ severity, mrid, attribute, value: String(value) });
    expect(found[0]!.message).toContain(attribute);
    expect(found[0]!.line).toBeGreaterThan(0);
  });

  it('is counted, with the first object named', () => {
    const infos = ['W1', 'W2'].map((id) => object('WireSpacingInfo', id, { 'WireSpacingInfo.phaseWireCount': 2 }));
    const [found] = read(...infos).findings.filter((f) => f.code === 'UNREPRESENTED_ATTRIBUTE');
    expect(found).toMatchObject({ class: 'WireSpacingInfo', mrid: 'W1', count: 2, allowed: '1' });
  });

  it('is not named with the value that has no effect', () => {
    const { findings } = read(
      capacitor({ 'LinearShuntCompensator.gPerSection': '0.0', 'LinearShuntCompensator.b0PerSection': '4e-3' }),
      line({ 'ACLineSegment.gch': 0 }),
      cell({ 'PhaseImpedanceData.g': 0 }),
      ...regulated(
        {},
        { 'RegulatingControl.mode': '#RegulatingControlModeKind.voltage', 'TapChangerControl.minLimitVoltage': 108 },
        { 'TransformerMeshImpedance.r0': 1.5, 'TransformerMeshImpedance.x0': 9 },
      ),
    );
    expect(named(findings, 'UNREPRESENTED_ATTRIBUTE')).toEqual([]);
  });
});

describe('equipment that is not connected or not in service', () => {
  const off = (body: string) =>
    body.replaceAll(
      '<cim:ACDCTerminal.sequenceNumber>',
      '<cim:ACDCTerminal.connected>false</cim:ACDCTerminal.connected>$&',
    );
  it('is left out whatever its class, with a finding', () => {
    const loads = read(off(load('Y')));
    expect(loads.feeder.loads).toEqual([]);
    expect(named(loads.findings, 'OUT_OF_SERVICE')).toEqual([
      ['info', 'EnergyConsumer', 'L', 'ACDCTerminal.connected', 'false'],
    ]);
    expect(read(line({ 'Equipment.normallyInService': 'false' }), cell()).feeder.lines).toEqual([]);
    const pv = read(
      inverter(),
      unit.replace(
        '</cim:PhotovoltaicUnit>',
        '<cim:Equipment.inService>false</cim:Equipment.inService></cim:PhotovoltaicUnit>',
      ),
    );
    expect(pv.feeder.pvSystems).toEqual([]);
    expect(named(pv.findings, 'OUT_OF_SERVICE').map(([, , mrid]) => mrid)).toEqual(['U']);
  });

  it('takes the tap changer of a transformer with it, without an error', () => {
    for (const bank of [{ 'Equipment.inService': 'false' }, {}]) {
      const isOff = 'Equipment.inService' in bank;
      const [transformer, ...rest] = regulated({}, {}, {}, bank);
      const { feeder, findings } = read(isOff ? transformer! : off(transformer!), ...rest);
      expect([feeder.transformers.length, feeder.regulators.length]).toEqual([0, 0]);
      expect(errors(findings)).toEqual([]);
      expect(named(findings, 'OUT_OF_SERVICE').map(([, , mrid]) => mrid)).toEqual(['T']);
    }
  });
});

describe('a value that cannot be', () => {
  const source = (properties: Properties) => [
    object('EnergySource', 'S2', {
      [BASE]: '@B12',
      'EnergySource.nominalVoltage': 12470,
      'EnergySource.voltageMagnitude': 12470,
      'EnergySource.r': 0.1,
      'EnergySource.x': 1,
      ...properties,
    }) + terminals('S2', 'b'),
  ];
  const cases: readonly (readonly ['error' | 'warning', string, number, (v: number) => readonly string[]])[] = [
    ...[1, 4160].map(
      (v) =>
        [
          'error',
          'RegulatingControl.targetValue',
          v,
          (t: number) => regulated({}, { 'RegulatingControl.targetValue': t }),
        ] as const,
    ),
    ['error', 'RegulatingControl.targetDeadband', -5, (v) => regulated({}, { 'RegulatingControl.targetDeadband': v })],
    ['warning', 'RegulatingControl.targetDeadband', 0, (v) => regulated({}, { 'RegulatingControl.targetDeadband': v })],
    ...[0, 1e30].map(
      (v) =>
        [
          'error',
          'RatioTapChanger.stepVoltageIncrement',
          v,
          (t: number) => regulated({ 'RatioTapChanger.stepVoltageIncrement': t }),
        ] as const,
    ),
    ['error', 'TapChanger.step', 99, (v) => regulated({ 'TapChanger.step': v })],
    ['error', 'TapChanger.ptRatio', 0, (v) => regulated({ 'TapChanger.ptRatio': v })],
    ['error', 'TapChanger.lowStep', 20, (v) => regulated({ 'TapChanger.lowStep': v })],
    ...[5, 0.5, 1e30, -1e9].map(
      (v) =>
        [
          'error',
          'ShuntCompensator.sections',
          v,
          (t: number) => [capacitor({ 'ShuntCompensator.sections': t })],
        ] as const,
    ),
    [
      'warning',
      'LinearShuntCompensator.bPerSection',
      2,
      (v) => [capacitor({ 'LinearShuntCompensator.bPerSection': v })],
    ],
    [
      'error',
      'LinearShuntCompensator.bPerSection',
      1e3,
      (v) => [capacitor({ 'LinearShuntCompensator.bPerSection': v })],
    ],
    ...[1e9, -1e9, 1e30].map(
      (v) => ['error', 'EnergySource.x', v, (t: number) => source({ 'EnergySource.x': t })] as const,
    ),
    ['error', 'EnergySource.x', 0, (v) => source({ 'EnergySource.r': 0, 'EnergySource.x': v })],
    ['error', 'EnergySource.voltageMagnitude', 16, (v) => source({ 'EnergySource.voltageMagnitude': v })],
    [
      'error',
      'EnergySource.nominalVoltage',
      120,
      (v) => source({ 'EnergySource.nominalVoltage': v, 'EnergySource.voltageMagnitude': v }),
    ],
    ['error', 'EnergyConsumerPhase.p', 1e30, (v) => [load('Y'), loadPhase('A', v)]],
  ];
  it.each(cases)('is a named %s: %s = %d', (severity, attribute, value, body) => {
    const found = read(...body(value)).findings.filter((f) => f.code === 'BAD_VALUE' && f.attribute === attribute);
    expect(found.map((f) => [f.severity, Number(f.value)])).toContainEqual([severity, value]);
    expect(found[0]!.allowed).toBeTruthy();
    expect(found[0]!.mrid).toBeTruthy();
  });

  it('is none of the usual ones', () => {
    const { feeder, findings } = read(...regulated(), capacitor(), ...source({}), load('Y'));
    expect(named(findings, 'BAD_VALUE')).toEqual([]);
    expect(feeder.regulators[0]).toMatchObject({ position: 0, targetV: 120, ptRatio: 60 });
  });

  it('is a place of a matrix far outside it, named by its cell', () => {
    for (const row of [100000, 3000, 0, 1.5]) {
      const { feeder, findings } = read(line(), cell({ 'PhaseImpedanceData.row': row }));
      expect(feeder.lines).toEqual([]);
      expect(named(findings, 'BAD_VALUE')).toEqual([
        ['error', 'PhaseImpedanceData', 'D', 'PhaseImpedanceData.row', String(row)],
      ]);
    }
  });
});

describe('a reference to nothing', () => {
  it.each([
    [BASE, load('Y', { [BASE]: '@gone' })],
    ['EnergyConsumer.LoadResponse', load('Y', { 'EnergyConsumer.LoadResponse': '@gone' })],
    [
      'PowerElectronicsConnection.PowerElectronicsUnit',
      inverter({ 'PowerElectronicsConnection.PowerElectronicsUnit': '@gone' }),
    ],
  ])('%s is an error with the id', (attribute, body) => {
    const found = read(body).findings.filter((f) => f.attribute === attribute && f.code === 'MISSING_REFERENCE');
    expect(found.find((f) => f.severity === 'error')).toMatchObject({ value: 'gone' });
    for (const finding of found) expect(finding.value).toBe('gone');
  });
});

describe('an id used twice in a file', () => {
  it('is an error when the objects differ, naming what differs', () => {
    const other = object('EnergyConsumer', 'L', { [BASE]: '@B12', 'EnergyConsumer.p': 9000, 'EnergyConsumer.q': 600 });
    const { findings } = read(load('Y'), other);
    const found = findings.filter((f) => f.code === 'DUPLICATE_ID' || f.code === 'CONFLICTING_VALUE');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ severity: 'error', code: 'DUPLICATE_ID', class: 'EnergyConsumer', mrid: 'L' });
    expect(found[0]).toMatchObject({ attribute: 'EnergyConsumer.p', value: '9000', allowed: '3000' });
  });

  it('is a warning when they are the same, and nothing when one adds to the other', () => {
    const copy = object('EnergyConsumer', 'L', { 'EnergyConsumer.p': 3000 });
    expect(named(read(load('Y'), copy).findings, 'DUPLICATE_ID')).toEqual([
      ['warning', 'EnergyConsumer', 'L', undefined, undefined],
    ]);
    const part =
      '<cim:EnergyConsumer rdf:about="#L"><cim:EnergyConsumer.customerCount>7</cim:EnergyConsumer.customerCount></cim:EnergyConsumer>';
    const { feeder, findings } = read(load('Y'), part);
    expect(named(findings, 'DUPLICATE_ID')).toEqual([]);
    expect(feeder.loads[0]!.customerCount).toBe(7);
  });
});

describe('profiles of a model', () => {
  const files = (...bodies: readonly string[]) =>
    readFeeders(readCimText(bodies.map((body, k) => ({ name: `${k}.xml`, text: document(body) })))).findings;
  const missing = (findings: readonly Finding[]) =>
    findings.filter((f) => f.code === 'MISSING_PROFILE').map((f) => [f.severity, f.attribute]);
  const base = object('BaseVoltage', 'B12', { 'BaseVoltage.nominalVoltage': 12470 }) + object('ConnectivityNode', 'a');
  const bare = object('EnergyConsumer', 'L', { [BASE]: '@B12' }) + terminals('L', 'a');

  it('that are missing are named: a catalogue or a topology alone', () => {
    expect(missing(files(object('TransformerTankInfo', 'I')))).toEqual([['error', 'Terminal.ConductingEquipment']]);
    expect(missing(files(object('Terminal', 'T', { 'Terminal.ConnectivityNode': '@a' }) + base))).toHaveLength(1);
  });

  it('without powers are an error in several files and a warning in one', () => {
    expect(missing(files(base, bare))).toEqual([['error', 'EnergyConsumer.p']]);
    expect(missing(files(base + bare))).toEqual([['warning', 'EnergyConsumer.p']]);
    const state =
      '<cim:EnergyConsumer rdf:about="#L"><cim:EnergyConsumer.p>1</cim:EnergyConsumer.p></cim:EnergyConsumer>';
    expect(missing(files(base, bare, state))).toEqual([]);
  });
});

describe('the encoding of a file', () => {
  const body = '<cim:Feeder rdf:ID="f"><cim:IdentifiedObject.name>Zürich</cim:IdentifiedObject.name></cim:Feeder>';
  const names = (bytes: Uint8Array, cut = bytes.length) => {
    const reader = new CimIndexReader('a.xml');
    for (let at = 0; at < bytes.length; at += cut) reader.push(bytes.subarray(at, at + cut));
    reader.end();
    return reader.index.byClass('Feeder').map((feeder) => feeder.name);
  };
  const declared = (encoding: string) => document(body, `<?xml version="1.0" encoding="${encoding}"?>\n`);

  it('is found from the declaration or the byte order mark, however the bytes are cut', () => {
    const cases = [
      Buffer.from(declared('utf-8'), 'utf8'),
      Buffer.from(`\uFEFF${declared('utf-8')}`, 'utf8'),
      Buffer.from(declared('ISO-8859-1'), 'latin1'),
      Buffer.from(`\uFEFF${declared('UTF-16')}`, 'utf16le'),
      Buffer.from(declared('UTF-16'), 'utf16le'),
      Buffer.from(`\uFEFF${declared('UTF-16')}`, 'utf16le').swap16(),
    ];
    for (const bytes of cases) for (const cut of [1, 7, bytes.length]) expect(names(bytes, cut)).toEqual(['Zürich']);
  });

  it('that is not known or does not fit the bytes is refused', () => {
    expect(() => names(Buffer.from(declared('klingon'), 'latin1'))).toThrow(
      /a\.xml: its encoding klingon is not known/,
    );
    expect(() => names(Buffer.from(declared('utf-8'), 'latin1'))).toThrow(/a\.xml: its bytes at line 2 are not utf-8/);
  });

  it('shows in text that was decoded wrongly', () => {
    const asUtf8 = (text: string, encoding: BufferEncoding) => Buffer.from(text, encoding).toString('utf8');
    const index = readCimText([{ name: 'a.xml', text: asUtf8(declared('ISO-8859-1'), 'latin1') }]);
    expect(index.findings).toMatchObject([
      { severity: 'warning', code: 'ENCODING', value: 'ISO-8859-1', file: 'a.xml' },
    ]);
    expect(() => readCimText([{ name: 'a.xml', text: asUtf8(`\uFEFF${declared('UTF-16')}`, 'utf16le') }])).toThrow(
      /UTF-16/,
    );
  });

  it('and the name space of RDF are told apart', () => {
    const text = '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#"></rdf:RDF>';
    expect(() => readCimText([{ name: 'a.xml', text }])).toThrow(
      /rdf:RDF does not declare its name space; add xmlns:rdf=/,
    );
  });
});

describe('a switch with phases', () => {
  const device = (whole: Properties, phase: Properties) =>
    read(
      object('Breaker', 'W', { [BASE]: '@B12', ...whole }) + terminals('W', 'a', 'b'),
      object('SwitchPhase', 'W_A', {
        'SwitchPhase.Switch': '@W',
        'SwitchPhase.phaseSide1': '#SinglePhaseKind.A',
        'SwitchPhase.phaseSide2': '#SinglePhaseKind.A',
        ...phase,
      }),
    );
  it.each([
    [{ 'Switch.open': 'false' }, { 'SwitchPhase.closed': 'false' }, true],
    [{ 'Switch.open': 'true' }, { 'SwitchPhase.closed': 'true' }, true],
    [{ 'Switch.open': 'false' }, { 'SwitchPhase.normalOpen': 'true' }, false],
    [{}, { 'SwitchPhase.normalOpen': 'true' }, true],
    [{}, { 'SwitchPhase.normalOpen': 'true', 'SwitchPhase.closed': 'true' }, false],
  ])('%o with %o is open: %s', (whole, phase, isOpen) => {
    expect(device(whole, phase).feeder.switches[0]!.isOpen).toEqual([isOpen]);
  });

  it('whose states contradict is named', () => {
    const { findings } = device({ 'Switch.open': 'true' }, { 'SwitchPhase.closed': 'true' });
    expect(named(findings, 'CONFLICTING_VALUE')).toEqual([
      ['warning', 'SwitchPhase', 'W_A', 'SwitchPhase.closed', 'true'],
    ]);
  });
});

describe('what CIM does not say', () => {
  const assumed = (findings: readonly Finding[]) =>
    named(findings, 'ASSUMPTION').map(([severity, , mrid]) => [severity, mrid]);

  it('about the rating of one-phase devices is said where it acts', () => {
    const small = read(load('Y'), loadPhase('A', 3000));
    expect(assumed(small.findings)).toEqual([['info', 'L']]);
    const large = read(load('Y'), loadPhase('A', 2e6));
    expect(assumed(large.findings)).toEqual([['info', 'L']]);
    expect(small.feeder.loads[0]!.shares[0]!.ratedVoltageV).toBe(7200);
    expect(large.feeder.loads[0]!.shares[0]!.ratedVoltageV).toBeCloseTo(12470 / Math.sqrt(3), 6);
    expect(assumed(read(load('Y')).findings)).toEqual([]);
  });

  it('about the leads of a capacitor is said where it acts', () => {
    const { findings } = read(
      object('Breaker', 'W', { [BASE]: '@B12', 'Switch.open': 'false' }) + terminals('W', 'a', 'b'),
      capacitor().replaceAll('rdf:resource="#a"', 'rdf:resource="#b"'),
    );
    expect(assumed(findings)).toEqual([['info', 'W']]);
  });
});
