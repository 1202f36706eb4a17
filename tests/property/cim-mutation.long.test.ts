import { describe, expect, it } from 'vitest';
import { type CimProperty, type CimRecord, readCimText, readFeeders, writeCim } from '../../grid/cim/index.js';
import { randomStream } from '../../grid/math/index.js';
import { type Feeder, type Finding, validateFeeder } from '../../grid/model/index.js';
import { cimCircuit } from '../builders/cim-circuit.js';

/*
 * Whatever a file loses or garbles, the reader either says so, naming object or attribute in a warning or an error, or it
 * makes no difference to the model, and so none to the power flow and the coordination, which see nothing but the model.
 */

/** Names and places change no result; the seed decides which of its ways to go wrong each attribute takes. */
const WITHOUT_EFFECT = new Set(['name', 'equipmentName', 'bankName', 'x', 'y', 'container', 'storedAreas', 'findings']);
const DERIVED = new Set(['graph', 'elements', 'busById']);
const SEED = 20_260_421;

/** Attributes whose absence says something, so that nobody can know of a loss. */
const MEANT = new Map([
  ['TapChangerControl.maxLimitVoltage', 'no limit'],
  ['EnergyConsumer.customerCount', 'one customer; nothing is computed from it'],
]);
/** What is told at another object or attribute, because that is where it cannot be done without. */
const ELSEWHERE = new Map([
  ['TapChanger.TapChangerControl', 'TapChangerControl.TapChanger'],
  ['LinearShuntCompensatorPhase.bPerSection', 'LinearShuntCompensator.bPerSection'],
]);

interface Read {
  readonly feeder: Feeder | undefined;
  readonly findings: readonly Finding[];
}

function read(records: readonly CimRecord[], namespace?: string): Read {
  const style = { idStyle: 'id', ...(namespace === undefined ? {} : { namespace }) } as const;
  const { feeders, findings } = readFeeders(readCimText([{ name: 'circuit.xml', text: writeCim(records, style) }]));
  const [feeder] = feeders;
  return { feeder, findings: [...findings, ...(feeder ? validateFeeder(feeder) : [])] };
}

/** Everything of a feeder that results depend on. */
function essence({ feeder }: Read): string {
  return JSON.stringify(feeder, (key, value) => (WITHOUT_EFFECT.has(key) || DERIVED.has(key) ? undefined : value));
}

/** Ways in which a property goes wrong; `undefined` is its loss. */
function damages(property: CimProperty): readonly (CimProperty | undefined)[] {
  switch (property.kind) {
    case 'reference':
      return [
        undefined,
        { ...property, value: 'NOWHERE' },
        { ...property, kind: 'literal' },
        { ...property, value: 'GR' },
      ];
    case 'enumeration':
      return [
        undefined,
        { ...property, value: property.value.replace(/\.\w+$/, '.bogus') },
        { ...property, value: property.value.replace(/^\w+/, 'OtherKind') },
        { ...property, kind: 'literal', value: 'bogus' },
      ];
    case 'literal':
      return [undefined, { ...property, value: 'x%' }, { ...property, value: '' }];
  }
}

function withProperty(records: readonly CimRecord[], at: number, k: number, damaged: CimProperty | undefined) {
  return records.map((record, i) => {
    if (i !== at) return record;
    const properties = record.properties.flatMap((one, j) =>
      j !== k ? [one] : damaged === undefined ? [] : [damaged],
    );
    return { ...record, properties };
  });
}

const records = cimCircuit();
const intact = read(records);

/** The first object with each attribute of each class. */
const pairs = records.flatMap((record, at) =>
  record.properties.flatMap(({ name }, k) => {
    const first = records.find(
      ({ className, properties }) => className === record.className && properties.some((one) => one.name === name),
    );
    return first === record && !name.startsWith('IdentifiedObject.') ? [{ record, at, k, name }] : [];
  }),
);

/** Whether a loss or a fault is told, or has no effect. */
function isTold(at: number, k: number, name: string, damaged: CimProperty | undefined): boolean {
  const { id } = records[at]!;
  const after = read(withProperty(records, at, k, damaged));
  const told = after.findings.filter(({ severity }) => severity !== 'info');
  const attributes = [name, ELSEWHERE.get(name)];
  if (told.some((finding) => attributes.includes(finding.attribute) || finding.mrid === `_${id}`)) return true;
  return (damaged === undefined && MEANT.has(name)) || essence(after) === essence(intact);
}

describe('a CIM file with one fault', () => {
  it('is intact without: one object of every class, and no doubt about any', () => {
    expect(intact.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(pairs.length).toBeGreaterThan(180);
    expect(new Set(records.map(({ className }) => className)).size).toBeGreaterThan(45);
  });

  it('tells the loss of an attribute, or it changes nothing', () => {
    const silent = pairs.filter(({ at, k, name }) => !isTold(at, k, name, undefined));
    expect(silent.map(({ record, name }) => `${record.className} ${name}`)).toEqual([]);
  });

  it('tells a garbled attribute, or it changes nothing', () => {
    const random = randomStream(SEED);
    const silent = pairs.flatMap(({ record, at, k, name }) => {
      const ways = damages(record.properties[k]!).slice(1);
      const damaged = ways[Math.floor(random.uniform(0, ways.length))];
      return isTold(at, k, name, damaged) ? [] : [`${record.className} ${name} = ${damaged?.value}`];
    });
    expect(silent).toEqual([]);
  });

  it.each([
    ['Equipment.EquipmentContainer', 'ACLineSegment'],
    ['Measurement.Terminal', 'Analog'],
    ['Terminal.ConnectivityNode', 'Terminal'],
  ])('tells that %s of one %s leads nowhere, with the id', (name, className) => {
    const { record, at, k } = pairs.find((pair) => pair.name === name && pair.record.className === className)!;
    const damaged: CimProperty = { name, kind: 'reference', value: 'NOWHERE' };
    const { findings } = read(withProperty(records, at, k, damaged));
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'MISSING_REFERENCE', attribute: name, mrid: `_${record.id}`, value: '_NOWHERE' }),
    );
  });

  it.each([
    ['TapChangerControl', 'RegulatingControl.targetValue', '120 is used'],
    ['TapChangerControl', 'RegulatingControl.mode', 'voltage is used'],
    ['Analog', 'Measurement.Terminal', 'the first terminal of its equipment is used'],
  ])('warns that a %s lacks %s, with what is taken', (className, name, instead) => {
    const { record, at, k } = pairs.find((pair) => pair.name === name && pair.record.className === className)!;
    const { findings } = read(withProperty(records, at, k, undefined));
    const found = findings.filter(({ code, attribute }) => code === 'DEFAULTED_ATTRIBUTE' && attribute === name);
    expect(found[0]).toMatchObject({ severity: 'warning', mrid: `_${record.id}` });
    expect(found[0]!.message).toContain(instead);
  });

  it('tells a member of another enumeration', () => {
    const name = 'ACLineSegmentPhase.phase';
    const { at, k } = pairs.find((pair) => pair.name === name)!;
    const damaged: CimProperty = { name, kind: 'enumeration', value: 'PhaseKind.A' };
    const after = read(withProperty(records, at, k, damaged));
    expect(after.findings).toContainEqual(
      expect.objectContaining({ severity: 'warning', code: 'BAD_VALUE', attribute: name, value: 'PhaseKind.A' }),
    );
    expect(essence(after)).toBe(essence(intact));
  });

  it('tells a version of CIM that it does not know, and reads it', () => {
    const after = read(records, 'http://iec.ch/TC57/CIM200#');
    const [finding] = after.findings.filter(({ code }) => code === 'UNKNOWN_NAMESPACE');
    expect(finding).toMatchObject({ severity: 'warning', value: 'http://iec.ch/TC57/CIM200#' });
    expect(essence(after)).toBe(essence(intact));
  });
});
