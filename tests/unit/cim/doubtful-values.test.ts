import { describe, expect, it } from 'vitest';
import { type CimRecord, readCimText, readFeeders, writeCim } from '../../../grid/cim/index.js';
import type { Finding } from '../../../grid/model/index.js';
import { changed as changedObject, cimCircuit } from '../../builders/cim-circuit.js';

/*
 * Limits, energies, places of measurements and tap changers that no device has. The circuit is that of the mutation test;
 * each case changes one thing of it, and asks for the one finding and for silence beside it. Bounds are those of the
 * constants that they are compared with in grid/cim; the values of the circuit stand in tests/builders/cim-circuit.ts.
 */

const circuit = cimCircuit();

type Value = string | number | boolean | undefined;

/** The circuit with other values of an object; `@id` is a link, undefined is absence. */
const changed = (id: string, values: Readonly<Record<string, Value>>, records = circuit) =>
  changedObject(id, values, records);

function findings(records: readonly CimRecord[]): readonly Finding[] {
  const text = writeCim(records, { idStyle: 'id' });
  return readFeeders(readCimText([{ name: 'circuit.xml', text }])).findings;
}

/** Warnings and errors in a few words. */
const doubts = (records: readonly CimRecord[]) =>
  findings(records)
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, code, mrid, attribute, value }) => `${severity} ${code} ${mrid} ${attribute} ${value}`);

const [MAX, MIN] = ['PowerElectronicsUnit.maxP', 'PowerElectronicsUnit.minP'];
const [STORED, RATED] = ['BatteryUnit.storedE', 'BatteryUnit.ratedE'];

describe('limits of a PV unit', () => {
  // The inverter gives 4000 W.
  it.each([
    [{ [MAX]: 3900 }, `${MAX} 3900`],
    [{ [MAX]: -5000 }, `${MAX} -5000`],
    [{ [MIN]: 6000 }, `${MIN} 6000`],
  ])('that contradict are told with the value: %j', (values, told) => {
    expect(doubts(changed('PV', values))).toEqual([`warning BAD_VALUE _PV ${told}`]);
  });

  it('are told with the power that they have to let through', () => {
    const [found] = findings(changed('PV', { [MAX]: 3900 })).filter(({ mrid }) => mrid === '_PV');
    expect(found!.allowed).toBe('at least 4000 W, the p of its connection');
  });

  it.each([{ [MAX]: 4000 }, { [MAX]: 3999 }, { [MIN]: 0 }, { [MIN]: 5000 }])(
    'that fit, but for rounding, are not: %j',
    (values) => {
      expect(doubts(changed('PV', values))).toEqual([]);
    },
  );
});

describe('energies of a battery', () => {
  it.each([
    [{ [STORED]: -1 }, `${STORED} -1`],
    [{ [RATED]: -13500, [STORED]: 0 }, `${RATED} -13500`],
    [{ [RATED]: 0 }, `${RATED} 0`],
  ])('that none has are errors: %j', (values, told) => {
    expect(doubts(changed('BAT', values))).toEqual([`error BAD_VALUE _BAT ${told}`]);
  });

  it('of nothing at all are none', () => {
    expect(doubts(changed('BAT', { [RATED]: 0, [STORED]: 0 }))).toEqual([]);
  });
});

describe('a measurement', () => {
  const TERMINAL = 'Measurement.Terminal';
  const RESOURCE = 'Measurement.PowerSystemResource';
  const PHASES = 'Measurement.phases';

  it('at a terminal of other equipment is told with both', () => {
    // L2_T1 is at node c, as the terminal L1_T2 that it takes the place of.
    const [found] = findings(changed('M_PNV', { [TERMINAL]: '@L2_T1' })).filter(({ mrid }) => mrid === '_M_PNV');
    expect(found).toMatchObject({
      ...{ severity: 'warning', code: 'CONFLICTING_VALUE', attribute: TERMINAL },
      ...{ value: 'L2_T1 of ACLineSegment L2', allowed: 'a terminal of ACLineSegment L1' },
    });
  });

  it('of a tank at a terminal of its transformer is right', () => {
    const place = { [RESOURCE]: '@TANK', [TERMINAL]: '@SERVICE_T1' };
    expect(doubts(changed('M_PNV', place))).toEqual([]);
    const other = doubts(changed('M_PNV', { ...place, [TERMINAL]: '@REG_T1' }));
    expect(other).toHaveLength(1);
    expect(other[0]).toContain(`CONFLICTING_VALUE _M_PNV ${TERMINAL}`);
  });

  it.each([
    // L1 is a three-phase line of 12470 V.
    ['M_PNV', 's1', 'A, B, C'],
    ['M_PNV', 's12', 'A, B, C'],
    // The inverter is at two legs of 120 V.
    ['M_VA', 'A', 's1, s2'],
    ['M_VA', 'ABC', 's1, s2'],
  ])('of a phase that is not at its terminal is told: %s %s', (id, phase, allowed) => {
    const found = findings(changed(id, { [PHASES]: `PhaseCode.${phase}` })).filter(({ mrid }) => mrid === `_${id}`);
    expect(found).toEqual([
      expect.objectContaining({
        ...{ severity: 'warning', code: 'BAD_VALUE', attribute: PHASES, value: phase, allowed },
      }),
    ]);
  });

  it('of a phase that its line has not is told, though the bus has it', () => {
    // L4 has phase A and ends at c, where L1 has three.
    const place = { [RESOURCE]: '@L4', [TERMINAL]: '@L4_T1' };
    expect(doubts(changed('M_PNV', place))).toEqual([]);
    expect(doubts(changed('M_PNV', { ...place, [PHASES]: 'PhaseCode.B' }))).toEqual([
      `warning BAD_VALUE _M_PNV ${PHASES} B`,
    ]);
  });

  it.each(['none', 'ABC', 'ABCN', 'BC'])('of %s at a line of three phases is right', (phase) => {
    expect(doubts(changed('M_PNV', { [PHASES]: `PhaseCode.${phase}` }))).toEqual([]);
  });

  it('without its resource is told, and read at the equipment of its terminal', () => {
    expect(doubts(changed('M_PNV', { [RESOURCE]: undefined }))).toEqual([
      `warning DEFAULTED_ATTRIBUTE _M_PNV ${RESOURCE} undefined`,
    ]);
  });
});

describe('a tap changer', () => {
  it.each([
    ['warning', { 'TapChanger.highStep': 65 }, 'TapChanger.highStep 65'],
    ['warning', { 'TapChanger.lowStep': -100 }, 'TapChanger.lowStep -100'],
    ['error', { 'TapChanger.neutralStep': 17 }, 'TapChanger.neutralStep 17'],
    ['error', { 'TapChanger.neutralStep': undefined, 'TapChanger.lowStep': 1 }, 'TapChanger.neutralStep 0'],
    ['warning', { 'TapChanger.initialDelay': -15 }, 'TapChanger.initialDelay -15'],
    ['warning', { 'TapChanger.initialDelay': 3601 }, 'TapChanger.initialDelay 3601'],
    ['warning', { 'TapChanger.subsequentDelay': -2 }, 'TapChanger.subsequentDelay -2'],
    // The winding is rated 12470 V, 7200 V to neutral.
    ['warning', { 'TapChanger.neutralU': 2400 }, 'TapChanger.neutralU 2400'],
    ['warning', { 'TapChanger.neutralU': 12.47 }, 'TapChanger.neutralU 12.47'],
    ['warning', { 'TapChanger.neutralU': 15000 }, 'TapChanger.neutralU 15000'],
  ])('that none is like is told: %s %j', (severity, values, told) => {
    expect(doubts(changed('TAP', values))).toEqual([`${severity} BAD_VALUE _TAP ${told}`]);
  });

  it.each([
    { 'TapChanger.highStep': 64 },
    { 'TapChanger.neutralStep': 16 },
    // Steps as exporters before 2019 write them.
    { 'TapChanger.lowStep': 0, 'TapChanger.highStep': 32, 'TapChanger.neutralStep': 16 },
    { 'TapChanger.initialDelay': 3600 },
    { 'TapChanger.neutralU': 0 },
    { 'TapChanger.neutralU': 12470 },
    { 'TapChanger.neutralU': 7200 },
  ])('of a usual kind is not: %j', (values) => {
    expect(doubts(changed('TAP', values))).toEqual([]);
  });
});

describe('a tap changer control without a terminal', () => {
  const TERMINAL = 'RegulatingControl.Terminal';
  const LDC = 'TapChangerControl.lineDropCompensation';
  const local = { [TERMINAL]: undefined, [LDC]: false };
  const told = (records: readonly CimRecord[]) =>
    findings(records)
      .filter(({ mrid, attribute }) => mrid === '_TAPC' && attribute === TERMINAL)
      .map(({ severity, code }) => `${severity} ${code}`);

  it('is a warning where line drop is counted from it', () => {
    expect(told(changed('TAPC', { [TERMINAL]: undefined }))).toEqual(['warning DEFAULTED_ATTRIBUTE']);
  });

  it('is a warning at the first winding, which is rarely the one to regulate', () => {
    const records = changed('TAP', { 'RatioTapChanger.TransformerEnd': '@REG_1' }, changed('TAPC', local));
    expect(told(records)).toEqual(['warning DEFAULTED_ATTRIBUTE']);
  });

  it('is an info where its own winding is the likely one, and nothing where it does not act', () => {
    expect(told(changed('TAPC', local))).toEqual(['info DEFAULTED_ATTRIBUTE']);
    expect(told(changed('TAPC', { ...local, 'RegulatingControl.enabled': false }))).toEqual([]);
  });
});

describe('what does not go with the phases or the kind of its device', () => {
  it('is told: a battery that would have to discharge', () => {
    expect(doubts(changed('BAT', { [MIN]: 3000 }))).toEqual([`warning BAD_VALUE _BAT ${MIN} 3000`]);
  });

  it('is told: a connection of one phase on two legs', () => {
    const attribute = 'EnergyConsumer.phaseConnection';
    expect(doubts(changed('HOUSE', { [attribute]: '#PhaseShuntConnectionKind.I' }))).toEqual([
      `warning CONFLICTING_VALUE _HOUSE ${attribute} I`,
    ]);
  });

  it.each([
    ['B', 1],
    ['AB', 1],
    ['N', 1],
    ['A', 0],
  ])('is told: the tap changer of a winding on phase A that watches phase %s', (phase, count) => {
    const attribute = 'RegulatingControl.monitoredPhase';
    const moved = changed('TAP', { 'RatioTapChanger.TransformerEnd': '@TANK_1' });
    const watched = changed(
      'TAPC',
      { [attribute]: `#PhaseCode.${phase}`, 'RegulatingControl.Terminal': '@SERVICE_T1' },
      moved,
    );
    expect(doubts(watched).filter((doubt) => doubt.includes(attribute))).toEqual(
      Array(count).fill(`warning CONFLICTING_VALUE _TAPC ${attribute} ${phase}`),
    );
  });
});

describe('terminals that are not those of their equipment', () => {
  it('are told: a transformer end at a terminal of a line', () => {
    const line = circuit.find(({ className }) => className === 'ACLineSegment')!.id;
    for (const end of ['REG_2', 'TANK_1']) {
      expect(doubts(changed(end, { 'TransformerEnd.Terminal': `@${line}_T1` }))).toContain(
        `error CONFLICTING_VALUE _${end} TransformerEnd.Terminal a terminal of ${line}`,
      );
    }
  });

  it.each([
    // Phases A, B and C of the switch have objects; the house has two legs; the bank and the load have none.
    ['SW_T1', 'AB', ['AB']],
    ['SW_T2', 'ABCN', []],
    ['HOUSE_T1', 's1', ['s1']],
    ['HOUSE_T1', 's12N', []],
    ['LOAD_T1', 'ABC', []],
  ])('are told: phases of a terminal beside those of its equipment: %s %s', (terminal, code, values) => {
    const attribute = 'Terminal.phases';
    const found = doubts(changed(terminal, { [attribute]: `#PhaseCode.${code}` }));
    expect(found.filter((doubt) => doubt.includes('CONFLICTING_VALUE'))).toEqual(
      values.map((value) => `warning CONFLICTING_VALUE _${terminal} ${attribute} ${value}`),
    );
  });

  it('are told: all ends of a transformer at one terminal', () => {
    expect(doubts(changed('REG_2', { 'TransformerEnd.Terminal': '@REG_T1' }))).toContain(
      `error CONFLICTING_VALUE _REG TransformerEnd.Terminal ${'REG_T1'}`,
    );
  });

  it('are found by their number where an end names none', () => {
    const without = changed('TANK_2', { 'TransformerEnd.Terminal': undefined });
    expect(doubts(without).filter((doubt) => /PHASE_MISMATCH|ISOLATED/.test(doubt))).toEqual([]);
  });

  it('are told: phases that differ between both terminals', () => {
    const one = changed('TIE_T1', { 'Terminal.phases': '#PhaseCode.ABC' });
    const both = changed('TIE_T2', { 'Terminal.phases': '#PhaseCode.A' }, one);
    expect(doubts(both)).toContain('warning CONFLICTING_VALUE _TIE_T2 Terminal.phases A');
  });
});

describe('the target of a capacitor', () => {
  const [VALUE, BAND] = ['RegulatingControl.targetValue', 'RegulatingControl.targetDeadband'];
  // 7200 V to ground at 12.47 kV.
  it.each([
    [{ [VALUE]: 7300000 }, `error BAD_VALUE _CAPC ${VALUE} 7300000`],
    [{ [VALUE]: -7300 }, `error BAD_VALUE _CAPC ${VALUE} -7300`],
    [{ [VALUE]: 0 }, `error BAD_VALUE _CAPC ${VALUE} 0`],
    [{ [BAND]: -400 }, `error BAD_VALUE _CAPC ${BAND} -400`],
    [{ [BAND]: 8000 }, `error BAD_VALUE _CAPC ${BAND} 8000`],
    [{ [BAND]: 0 }, `warning BAD_VALUE _CAPC ${BAND} 0`],
  ])('is told where the bank would never act, or for ever: %j', (values, told) => {
    expect(doubts(changed('CAPC', values))).toContain(told);
  });

  it('is told where it is that of two phases at a bank in wye', () => {
    expect(doubts(changed('CAPC', { [VALUE]: 12470 }))).toEqual([`warning BAD_VALUE _CAPC ${VALUE} 12470`]);
    const delta = changed('CAP', { 'ShuntCompensator.phaseConnection': '#PhaseShuntConnectionKind.D' });
    expect(doubts(changed('CAPC', { [VALUE]: 12470 }, delta))).toEqual([]);
  });

  it('is taken where it may be', () => {
    for (const target of [7000, 7300]) expect(doubts(changed('CAPC', { [VALUE]: target }))).toEqual([]);
    expect(doubts(changed('CAPC', { [VALUE]: 7.3e6, 'RegulatingControl.enabled': false }))).toEqual([]);
  });
});

describe('what is not there', () => {
  it('is told: a winding of the catalogue that a tank has not', () => {
    const without = circuit.filter(({ id }) => id !== 'TANK_3');
    expect(doubts(without)).toContain('warning CONFLICTING_VALUE _TANK TransformerTankEnd.TransformerTank 2');
  });

  it('is told: the power of an inverter', () => {
    const attribute = 'PowerElectronicsConnection.p';
    const inverter = 'BINV';
    expect(doubts(changed(inverter, { [attribute]: undefined }))).toContain(
      `warning DEFAULTED_ATTRIBUTE _${inverter} ${attribute} undefined`,
    );
  });

  it('is told: the position of a tap changer, of which the normal one is known', () => {
    const step = 'TapChanger.step';
    const known = { 'TapChanger.normalStep': 0, [step]: undefined };
    const told = `warning DEFAULTED_ATTRIBUTE _TAP ${step} undefined`;
    expect(doubts(changed('TAP', known))).toContain(told);
    expect(doubts(changed('TAP', { ...known, [step]: 0 }))).not.toContain(told);
  });

  it('is told: all shares of a load response', () => {
    const shares = ['Impedance', 'Current', 'Power'].map((kind) => [`LoadResponseCharacteristic.pConstant${kind}`, 0]);
    expect(doubts(changed('ZIP', Object.fromEntries(shares)))).toContain(
      'warning DEFAULTED_ATTRIBUTE _ZIP LoadResponseCharacteristic.pConstantPower undefined',
    );
  });
});

describe('a panel that takes power', () => {
  it('is told, as the standard counts the other way round', () => {
    const turned = ['INV', 'INV_s1', 'INV_s2'].reduce(
      (records, id) =>
        records.map((record) =>
          record.id.startsWith(id)
            ? {
                ...record,
                properties: record.properties.map((one) =>
                  /\.p$/.test(one.name) ? { ...one, value: String(-Number(one.value)) } : one,
                ),
              }
            : record,
        ),
      circuit,
    );
    expect(doubts(turned).filter((doubt) => doubt.includes('Connection.p'))).not.toEqual([]);
  });
});
