import { describe, expect, it } from 'vitest';
import { HARMLESS_ATTRIBUTES } from '../../../grid/cim/unread.js';
import { type Finding, validateFeeder } from '../../../grid/model/index.js';
import { BASE, load, loadPhase, object, read, terminals } from './small-feeder.js';

const brief = (findings: readonly Finding[], code: string) =>
  findings.filter((finding) => finding.code === code).map((f) => [f.severity, f.class, f.mrid, f.attribute, f.value]);
const errors = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity === 'error');
const phases = [loadPhase('A', 1000), loadPhase('B', 800), loadPhase('C', 1200)];
const powerW = (feeder: ReturnType<typeof read>['feeder']) =>
  feeder.loads.flatMap(({ shares }) => shares).reduce((sum, share) => sum + share.powerW, 0);
const LINK = 'EnergyConsumerPhase.EnergyConsumer';
const PHASE = 'EnergyConsumerPhase.phase';

describe('a phase of a load', () => {
  it('that cannot be read is an error with its value and what is allowed, and its power is told as lost', () => {
    const { feeder, findings } = read(load('Y'), phases[0]!.replace('Kind.A', 'Kind.Q'), phases[1]!, phases[2]!);
    expect(powerW(feeder)).toBe(2000);
    expect(brief(findings, 'BAD_VALUE')).toEqual([['error', 'EnergyConsumerPhase', 'L_A', PHASE, 'Q']]);
    expect(findings.find(({ code }) => code === 'BAD_VALUE')?.allowed).toContain('A, B, C, N, s1, s2');
    expect(brief(findings, 'LOST_POWER')).toEqual([
      ['error', 'EnergyConsumerPhase', 'L_A', 'EnergyConsumerPhase.p', '1000'],
    ]);
  });

  it('that is absent is an error', () => {
    const bare = phases[0]!.replace(/<cim:EnergyConsumerPhase\.phase[^>]*>/, '');
    expect(brief(read(load('Y'), bare, phases[1]!).findings, 'MISSING_ATTRIBUTE')).toEqual([
      ['error', 'EnergyConsumerPhase', 'L_A', PHASE, undefined],
    ]);
  });

  it('in another letter case is read, with a warning', () => {
    const { feeder, findings } = read(load('Y'), phases[0]!.replace('Kind.A', 'Kind.a'), phases[1]!);
    expect(powerW(feeder)).toBe(1800);
    expect(errors(findings)).toEqual([]);
    expect(brief(findings, 'SPELLING')).toEqual([['warning', 'EnergyConsumerPhase', 'L_A', PHASE, 'a']]);
  });

  it('of a leg among phases A, B and C is an error', () => {
    const { findings } = read(load('Y'), phases[0]!.replace('Kind.A', 'Kind.S1'), phases[1]!, phases[2]!);
    expect(brief(findings, 'PHASE_MISMATCH')).toEqual([['error', 'EnergyConsumerPhase', 'L_A', PHASE, 's1']]);
  });

  it('that stands twice is an error', () => {
    const twin = phases[0]!.replace('rdf:ID="L_A"', 'rdf:ID="L_A2"');
    expect(brief(read(load('Y'), twin, ...phases).findings, 'PHASE_MISMATCH')).toHaveLength(1);
  });

  it.each([
    ['absent', (text: string) => text.replace(/<cim:EnergyConsumerPhase\.EnergyConsumer [^>]*>/, ''), undefined],
    [
      'a text',
      (text: string) =>
        text.replace(/<cim:EnergyConsumerPhase\.EnergyConsumer [^>]*>/, `<cim:${LINK}>_L</cim:${LINK}>`),
      '_L',
    ],
    ['a link to another class', (text: string) => text.replace('rdf:resource="#L"', 'rdf:resource="#B12"'), 'B12'],
  ])('whose load is %s is an orphan, and its power is told', (_, change, value) => {
    const { findings } = read(load('Y'), ...phases.map((phase, k) => (k === 0 ? change(phase) : phase)));
    expect(brief(findings, 'ORPHAN')).toEqual([['error', 'EnergyConsumerPhase', 'L_A', LINK, value]]);
    expect(brief(findings, 'LOST_POWER')).toHaveLength(1);
    const all = read(load('Y'), ...phases.map(change)).findings;
    expect(all.find(({ code }) => code === 'LOST_POWER')).toMatchObject({ count: 3, value: '3000' });
  });
});

describe('a connection', () => {
  const connected = (written: string) =>
    read(load('Y').replace('PhaseShuntConnectionKind.Y', `PhaseShuntConnectionKind.${written}`));
  it('that cannot be read is an error; one in lower case is read with a warning', () => {
    const attribute = 'EnergyConsumer.phaseConnection';
    expect(brief(connected('bogus').findings, 'BAD_VALUE')).toEqual([
      ['error', 'EnergyConsumer', 'L', attribute, 'bogus'],
    ]);
    const { feeder, findings } = connected('d');
    expect(feeder.loads[0]!.connection).toBe('delta');
    expect(brief(findings, 'SPELLING')).toEqual([['warning', 'EnergyConsumer', 'L', attribute, 'd']]);
  });
});

const line = (properties: Readonly<Record<string, string | number>>, phase = '') =>
  object('ACLineSegment', 'X', { [BASE]: '@B12', 'Conductor.length': 1000, ...properties }) +
  terminals('X', 'a', 'b') +
  phase;
const linePhase = (phase: string) =>
  object('ACLineSegmentPhase', `X_${phase}`, {
    'ACLineSegmentPhase.ACLineSegment': '@X',
    'ACLineSegmentPhase.phase': `#SinglePhaseKind.${phase}`,
  });
const matrix = (change: Readonly<Record<string, number>> = {}) =>
  object('PerLengthPhaseImpedance', 'Z') +
  [1, 2, 3]
    .flatMap((row) => [1, 2, 3].filter((column) => column <= row).map((column) => [row, column] as const))
    .map(([row, column]) => {
      const value = (letter: string, self: number, mutual: number) =>
        change[`${letter}${row}${column}`] ?? (row === column ? self : mutual);
      return object('PhaseImpedanceData', `D${row}${column}`, {
        'PhaseImpedanceData.PhaseImpedance': '@Z',
        'PhaseImpedanceData.row': row,
        'PhaseImpedanceData.column': column,
        // Configuration 601 of the IEEE 13-node feeder, ohm and siemens per metre, rounded.
        'PhaseImpedanceData.r': value('r', 2.15e-4, 9.7e-5),
        'PhaseImpedanceData.x': value('x', 6.3e-4, 2.6e-4),
        'PhaseImpedanceData.b': value('b', 3.9e-9, -1e-9),
      });
    })
    .join('');
const matrixLine = (change: Readonly<Record<string, number>> = {}, length = 1000) =>
  read(line({ 'ACLineSegment.PerLengthImpedance': '@Z', 'Conductor.length': length }), matrix(change));

describe('the impedance of a line', () => {
  it('of a usual overhead line, short or long, gives no finding', () => {
    for (const length of [0.3, 10, 30_000]) expect(brief(matrixLine({}, length).findings, 'BAD_VALUE')).toEqual([]);
  });

  it.each([
    ['r11', 0.215, 'warning', 'r'],
    ['x22', 0.63, 'warning', 'x'],
    ['b33', 3.9e-6, 'warning', 'b'],
    ['x11', -6.3e-4, 'error', 'x'],
    ['x21', 9e-4, 'error', 'x'],
    ['r31', 3e-4, 'error', 'r'],
  ])('with %s of %d per m is told as %s', (cell, value, severity, letter) => {
    const found = brief(matrixLine({ [cell]: value }).findings, 'BAD_VALUE');
    expect(found).toContainEqual([
      severity,
      'PhaseImpedanceData',
      `D${cell.slice(1)}`,
      `PhaseImpedanceData.${letter}`,
      String(value),
    ]);
  });

  it('with values per 1000 ft and lengths in the same unit is right as it is, as some exporters write it', () => {
    const scaled = matrix().replace(
      /(PhaseImpedanceData\.[rxb]>)([-\de.]+)/g,
      (_, start: string, value: string) => `${start}${Number(value) * 304.8}`,
    );
    const { findings } = read(line({ 'ACLineSegment.PerLengthImpedance': '@Z', 'Conductor.length': 0.4 }), scaled);
    expect(brief(findings, 'BAD_VALUE')).toEqual([]);
  });

  it.each([
    [-5, 'error'],
    [0, 'error'],
    [300_000, 'warning'],
  ])('over a length of %d m is told as %s', (length, severity) => {
    expect(brief(matrixLine({}, length).findings, 'BAD_VALUE')).toEqual([
      [severity, 'ACLineSegment', 'X', 'Conductor.length', String(length)],
    ]);
  });

  it('lacking a cell, or with more conductors than the line has phases, is an error', () => {
    const cells = matrix().replace(/<cim:PhaseImpedanceData rdf:ID="D21">.*?<\/cim:PhaseImpedanceData>/, '');
    const lacking = read(line({ 'ACLineSegment.PerLengthImpedance': '@Z' }), cells).findings;
    expect(brief(lacking, 'MISSING_ATTRIBUTE')).toEqual([
      ['error', 'PerLengthPhaseImpedance', 'Z', 'PhaseImpedanceData.row', '2, 1 absent'],
    ]);
    const two = line({ 'ACLineSegment.PerLengthImpedance': '@Z' }, linePhase('A') + linePhase('B'));
    expect(brief(read(two, matrix()).findings, 'PHASE_MISMATCH')).toEqual([
      ['error', 'ACLineSegment', 'X', 'ACLineSegmentPhase.phase', '2'],
    ]);
  });
});

const bank = (core: Readonly<Record<string, number>> = {}, numbers: readonly number[] = [1, 2], extra = '') =>
  object('PowerTransformer', 'T') +
  terminals('T', 'a', 'b') +
  numbers
    .map((number, k) =>
      object('PowerTransformerEnd', `E${k + 1}`, {
        'PowerTransformerEnd.PowerTransformer': '@T',
        'TransformerEnd.endNumber': number,
        'TransformerEnd.Terminal': `@T_T${k + 1}`,
        'PowerTransformerEnd.ratedU': 12470,
        'PowerTransformerEnd.ratedS': 1e6,
        'PowerTransformerEnd.connectionKind': '#WindingConnection.Y',
        ...(k === 0 && Object.keys(core).length > 0 ? { 'TransformerEnd.CoreAdmittance': '@K' } : {}),
      }),
    )
    .join('') +
  object('TransformerMeshImpedance', 'M', {
    'TransformerMeshImpedance.FromTransformerEnd': '@E1',
    'TransformerMeshImpedance.ToTransformerEnd': '@E2',
    'TransformerMeshImpedance.r': 1.5,
    'TransformerMeshImpedance.x': 9,
  }) +
  (Object.keys(core).length > 0
    ? object(
        'TransformerCoreAdmittance',
        'K',
        Object.fromEntries(Object.entries(core).map(([name, value]) => [`TransformerCoreAdmittance.${name}`, value])),
      )
    : '') +
  extra;

describe('a transformer', () => {
  // 1 MVA at 12.47 kV: 0.00643 S takes the rated power.
  it.each([
    [{ b: 3e-4 }, []],
    [{ b: 3e-3 }, ['warning']],
    [{ b: 3e-2 }, ['error']],
    [{ g: 1e-5 }, []],
    [{ g: 1 }, ['error']],
    [{ g: -1e-5 }, ['error']],
  ])('with a core of %o S is told as %o', (core, severities) => {
    const found = read(bank(core)).findings.filter(({ code }) => code === 'BAD_VALUE');
    expect(found.map(({ severity }) => severity)).toEqual(severities);
  });

  it.each([[[1, 1]], [[1, 7]], [[0, 1]]])('with ends numbered %o is an error', (numbers) => {
    const found = brief(read(bank({}, numbers)).findings, 'BAD_VALUE');
    expect(found).toHaveLength(1);
    expect(found[0]).toEqual([
      'error',
      'PowerTransformerEnd',
      expect.any(String),
      'TransformerEnd.endNumber',
      expect.any(String),
    ]);
  });

  it('whose tap changer has no control keeps its tap, which is told', () => {
    const changer = object('RatioTapChanger', 'R', { 'RatioTapChanger.TransformerEnd': '@E2' });
    const found = read(bank({}, [1, 2], changer)).findings.filter(
      (f) => f.attribute === 'TapChanger.TapChangerControl',
    );
    expect(found).toMatchObject([{ severity: 'info', mrid: 'R' }]);
  });

  it('test of an end that the input lacks is named', () => {
    const test = object('NoLoadTest', 'N', { 'NoLoadTest.EnergisedEnd': '@nowhere', 'NoLoadTest.loss': 1 });
    expect(brief(read(bank({}, [1, 2], test)).findings, 'MISSING_REFERENCE')).toEqual([
      ['error', 'NoLoadTest', 'N', 'NoLoadTest.EnergisedEnd', 'nowhere'],
    ]);
  });
});

/** A source that lacks nothing. */
const SOURCE = {
  ...{ 'EnergySource.nominalVoltage': 12470, 'EnergySource.voltageMagnitude': 12470, 'EnergySource.voltageAngle': 0 },
  ...{ 'EnergySource.r': 0.1, 'EnergySource.x': 1, 'EnergySource.r0': 0.1, 'EnergySource.x0': 1 },
};

describe('a base voltage that is none', () => {
  it.each([-12470, 0, 1e9])('(%d V) is one error with its users, and nothing that follows from it', (value) => {
    const { feeder, findings } = read(
      load('Y'),
      object('BaseVoltage', 'B99', { 'BaseVoltage.nominalVoltage': value }),
      object('EnergySource', 'S2', { ...SOURCE, [BASE]: '@B99' }),
      terminals('S2', 'b'),
    );
    const told = [...findings, ...validateFeeder(feeder)].filter(({ severity }) => severity !== 'info');
    const about = told.filter(({ mrid, name }) => ['B99', 'S2', 'b', 'B'].includes(mrid ?? name ?? ''));
    expect(new Set(about.map(({ code, attribute }) => `${code} ${attribute}`))).toEqual(
      new Set(['BAD_VALUE BaseVoltage.nominalVoltage']),
    );
    expect(about[0]).toMatchObject({ severity: 'error', value: String(value) });
    expect(about[0]!.message).toContain('1 objects use it, EnergySource S2');
  });
});

describe('an attribute that nothing reads', () => {
  it.each([
    ['EnergyConsumer.pfixedPct', load('Y', { 'EnergyConsumer.pfixedPct': 20 })],
    ['EnergyConsumer.qq', load('Y', { 'EnergyConsumer.qq': 0 })],
    ['ACLineSegment.bch', line({ 'ACLineSegment.PerLengthImpedance': '@Z', 'ACLineSegment.bch': 0.02 }) + matrix()],
    [
      'PowerTransformerEnd.b',
      bank({ b: 1e-4 }).replace(
        '<cim:PowerTransformerEnd.ratedU>',
        '<cim:PowerTransformerEnd.b>1</cim:PowerTransformerEnd.b>$&',
      ),
    ],
  ])('is named once: %s', (attribute, body) => {
    const found = read(body).findings.filter(({ code }) => code === 'UNREAD_ATTRIBUTE');
    expect(found).toMatchObject([{ severity: 'info', attribute, count: 1 }]);
    expect(found[0]!.mrid).toBeTruthy();
  });

  it('is not named where it says nothing about the power flow', () => {
    const harmless = { 'IdentifiedObject.description': 'x', 'PowerSystemResource.Location': '@B02' };
    expect(brief(read(load('Y', harmless)).findings, 'UNREAD_ATTRIBUTE')).toEqual([]);
    expect(Object.values(HARMLESS_ATTRIBUTES).flat()).not.toContain('EnergyConsumer.p');
  });
});

describe('the wire of a line by geometry', () => {
  // "250,000 AA, CN" of Kersting (4th ed. 2017), appendix B, in metres.
  const cable = (change: Readonly<Record<string, number>>) =>
    line(
      { 'ACLineSegment.WireSpacingInfo': '@G' },
      linePhase('A').replace('</cim:ACLineSegmentPhase>', '<cim:ACLineSegmentPhase.WireInfo rdf:resource="#W"/>$&'),
    ) +
    object('WireSpacingInfo', 'G') +
    object('WirePosition', 'P', {
      ...{ 'WirePosition.WireSpacingInfo': '@G', 'WirePosition.sequenceNumber': 1 },
      ...{ 'WirePosition.xCoord': 0, 'WirePosition.yCoord': -1.2 },
    }) +
    object('ConcentricNeutralCableInfo', 'W', {
      ...{ 'WireInfo.gmr': 0.00521, 'WireInfo.radius': 0.0072, 'WireInfo.rDC20': 2.5e-4, 'WireInfo.rAC25': 2.55e-4 },
      ...{ 'WireInfo.insulationThickness': 0.00559, 'CableInfo.relativePermittivity': 2.3 },
      ...{ 'CableInfo.diameterOverInsulation': 0.0269, 'ConcentricNeutralCableInfo.diameterOverNeutral': 0.0328 },
      ...{ 'ConcentricNeutralCableInfo.neutralStrandCount': 13, 'ConcentricNeutralCableInfo.neutralStrandGmr': 6.3e-4 },
      ...{ 'ConcentricNeutralCableInfo.neutralStrandRadius': 8.1e-4 },
      'ConcentricNeutralCableInfo.neutralStrandRDC20': 0.0092,
      ...change,
    });

  it('as the maker describes it gives no finding', () => {
    expect(brief(read(cable({})).findings, 'BAD_VALUE')).toEqual([]);
  });

  it.each([
    ['WireInfo.gmr', 5.21, 'warning'],
    ['WireInfo.gmr', 0.009, 'warning'],
    ['WireInfo.rDC20', 0.25, 'warning'],
    ['WireInfo.insulationThickness', 0, 'error'],
    ['CableInfo.relativePermittivity', 0.5, 'error'],
    ['CableInfo.diameterOverInsulation', 0.01, 'error'],
    ['ConcentricNeutralCableInfo.neutralStrandRDC20', 9.2, 'warning'],
  ])('with %s of %d is told as %s', (attribute, value, severity) => {
    const found = brief(read(cable({ [attribute]: value })).findings, 'BAD_VALUE');
    expect(found).toContainEqual([severity, 'ConcentricNeutralCableInfo', 'W', attribute, String(value)]);
  });
});
