/*
 * Attributes without which something is computed otherwise than the file means it, as one table: what is taken in their
 * place is a guess, so that an absent one is a warning. Attributes that equipment cannot do without are errors where it is
 * read; attributes whose absence has a meaning of its own (no limit, not enabled, in service) are not here.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import type { KeyList } from './key-list.js';
import { LOAD_CLASSES } from './load.js';
import { SWITCH_CLASSES } from './switch.js';
import { CATALOGUE } from './unread.js';

interface Expected {
  readonly of: readonly string[];
  readonly attribute: string;
  /** Attributes that do as well. */
  readonly or?: readonly string[];
  /** What is taken in its place, as the end of a sentence. */
  readonly instead: string;
  /** Where it is expected; everywhere when absent. Looking at a value here is not reading it. */
  readonly where?: (eq: CimEquipment, object: CimObject) => boolean;
}

const has = (object: CimObject, ...attributes: readonly string[]) =>
  attributes.some((attribute) => object.kindOf(attribute) !== undefined);

/** Whether an attribute is there and not zero, false or empty. */
function says(eq: CimEquipment, object: CimObject, attribute: string): boolean {
  const written = has(object, attribute) ? object.peek(eq.index.attributeCode(attribute)).toLowerCase() : '';
  return written !== '' && written !== 'false' && Number(written) !== 0;
}

/** The first object that a link leads to. */
function target(object: CimObject | undefined, link: string): CimObject | undefined {
  return object?.linked(link);
}

const isOwn = (prefix: string) => (eq: CimEquipment, object: CimObject) => {
  const info = target(object, 'ACLineSegment.PerLengthImpedance');
  return info === undefined && (says(eq, object, `${prefix}.r`) || says(eq, object, `${prefix}.x`));
};

/** Sequence values of a class: what is not there has a rule, but a line rarely means it. */
function sequence(of: string, where?: Expected['where']): Expected[] {
  const row = (letter: string, instead: string): Expected => ({
    ...{ of: [of], attribute: `${of}.${letter}`, instead },
    ...(where === undefined ? {} : { where }),
  });
  return [
    ...[row('r', '0 is used'), row('x', '0 is used'), row('r0', 'r is used'), row('x0', 'x is used')],
    ...[row('bch', '0 is used'), row('b0ch', 'bch is used')],
  ];
}

/** A quantity of one phase object is expected where it or another one of the same device has any. */
function phaseQuantity(of: string, link: string, letter: string): Expected {
  const values = ['p', 'q', 'pfixed', 'qfixed'].map((name) => `${of}.${name}`);
  return {
    ...{ of: [of], attribute: `${of}.${letter}`, or: [`${of}.${letter}fixed`] },
    instead: 'its share of what its device has beyond the other phases is used, 0 where that is nothing',
    where: (eq, object) => {
      const owner = object.targets(link)[0];
      return owner !== undefined && eq.index.referrers(owner, link).some((twin) => has(twin, ...values));
    },
  };
}

/** Some exporters write an attribute nowhere; where one object of the input has it, its absence at another one is a loss. */
const isWritten = (attribute: string) => (eq: CimEquipment) => eq.index.attributeCode(attribute) >= 0;

/** Older files keep the ratios of instrument transformers in a TapChangerInfo, tied by Asset. */
function hasAsset(eq: CimEquipment, changer: CimObject): boolean {
  return eq.index.referrersOf(changer, 'Asset.PowerSystemResources').length > 0;
}

/** Whether a test of the end tells its losses, so that resistances follow from them. */
function hasLosses(eq: CimEquipment, end: CimObject): boolean {
  const links = ['ShortCircuitTest.EnergisedEnd', 'ShortCircuitTest.GroundedEnds'];
  const tests = links.flatMap((link) => eq.index.referrersOf(end, link));
  return tests.length === 0 || tests.some((test) => says(eq, test, 'ShortCircuitTest.loss'));
}

function controlOf(changer: CimObject): CimObject | undefined {
  return target(changer, 'TapChanger.TapChangerControl');
}

const INVERTER_PHASE = 'PowerElectronicsConnectionPhase.PowerElectronicsConnection';
const WIRE_CLASSES = ['OverheadWireInfo', 'WireInfo', 'ConcentricNeutralCableInfo', 'TapeShieldCableInfo'];

const TABLE: readonly Expected[] = [
  ...sequence('PerLengthSequenceImpedance'),
  ...sequence('ACLineSegment', isOwn('ACLineSegment')),
  { of: ['SeriesCompensator'], attribute: 'SeriesCompensator.r', instead: '0 is used' },
  { of: ['SeriesCompensator'], attribute: 'SeriesCompensator.x', instead: '0 is used' },
  {
    of: WIRE_CLASSES,
    attribute: 'WireInfo.gmr',
    instead: '0.7788 of the radius is used, as of a solid round wire',
  },
  {
    of: WIRE_CLASSES,
    attribute: 'WireInfo.rAC25',
    or: ['WireInfo.rAC50', 'WireInfo.rAC75'],
    instead: 'the resistance to direct current is used',
  },
  { of: ['TransformerCoreAdmittance'], attribute: 'TransformerCoreAdmittance.g', instead: '0 is used' },
  { of: ['TransformerCoreAdmittance'], attribute: 'TransformerCoreAdmittance.b', instead: '0 is used' },
  {
    of: ['TransformerEndInfo'],
    attribute: 'TransformerEndInfo.r',
    instead: '0 is used',
    where: (eq, end) => !hasLosses(eq, end),
  },
  {
    of: ['RatioTapChanger'],
    attribute: 'TapChanger.step',
    or: ['TapChanger.normalStep'],
    instead: 'the neutral step is used',
  },
  {
    // In CGMES the present step stands in a profile of its own, and the equipment alone may be meant.
    of: ['RatioTapChanger'],
    attribute: 'TapChanger.step',
    instead: 'the normal step is used',
    where: (eq, changer) => !eq.isCgmes && has(changer, 'TapChanger.normalStep'),
  },
  {
    of: ['RatioTapChanger'],
    attribute: 'TapChanger.ptRatio',
    instead: '1 is used',
    where: (eq, changer) => !eq.isCgmes && controlOf(changer) !== undefined && !hasAsset(eq, changer),
  },
  ...['initialDelay', 'subsequentDelay'].map(
    (name): Expected => ({
      of: ['RatioTapChanger'],
      attribute: `TapChanger.${name}`,
      instead: '0 s is used',
      where: (_, changer) => controlOf(changer) !== undefined,
    }),
  ),
  {
    of: ['RatioTapChanger'],
    attribute: 'TapChanger.ctRating',
    instead: '0 is used, and line drop is not compensated',
    where: (eq, changer) => {
      const control = controlOf(changer);
      return (
        control !== undefined && !hasAsset(eq, changer) && says(eq, control, 'TapChangerControl.lineDropCompensation')
      );
    },
  },
  {
    of: ['TapChangerControl'],
    attribute: 'TapChangerControl.lineDropCompensation',
    instead: 'line drop is not compensated',
    where: (eq, control) =>
      says(eq, control, 'TapChangerControl.lineDropR') || says(eq, control, 'TapChangerControl.lineDropX'),
  },
  ...['R', 'X'].map(
    (letter): Expected => ({
      of: ['TapChangerControl'],
      attribute: `TapChangerControl.lineDrop${letter}`,
      instead: '0 is used',
      where: (eq, control) => says(eq, control, 'TapChangerControl.lineDropCompensation'),
    }),
  ),
  { of: ['TapChangerControl'], attribute: 'RegulatingControl.mode', instead: 'voltage is used' },
  {
    of: ['TapChangerControl'],
    attribute: 'RegulatingControl.monitoredPhase',
    instead: 'the phases of the winding are used',
  },
  { of: ['RegulatingControl'], attribute: 'RegulatingControl.monitoredPhase', instead: 'the first phase is used' },
  { of: ['RegulatingControl'], attribute: 'RegulatingControl.Terminal', instead: 'its own equipment is monitored' },
  { of: ['EnergySource'], attribute: 'EnergySource.voltageMagnitude', instead: 'the nominal voltage is used' },
  { of: ['EnergySource'], attribute: 'EnergySource.voltageAngle', instead: '0 is used' },
  { of: ['EnergySource'], attribute: 'EnergySource.r0', instead: 'r is used' },
  { of: ['EnergySource'], attribute: 'EnergySource.x0', instead: 'x is used' },
  {
    of: LOAD_CLASSES,
    attribute: 'EnergyConsumer.q',
    or: ['EnergyConsumer.qfixed'],
    instead: '0 is used',
    where: (_, load) => has(load, 'EnergyConsumer.p', 'EnergyConsumer.pfixed'),
  },
  {
    of: LOAD_CLASSES,
    attribute: 'EnergyConsumer.LoadResponse',
    or: ['EnergyConsumer.LoadResponseCharacteristic'],
    instead: 'constant power is used',
    where: isWritten('EnergyConsumer.LoadResponse'),
  },
  { of: LOAD_CLASSES, attribute: 'EnergyConsumer.phaseConnection', instead: 'wye is used' },
  ...['p', 'q'].map(
    (letter): Expected => ({
      of: ['PowerElectronicsConnection'],
      attribute: `PowerElectronicsConnection.${letter}`,
      or: [`PowerElectronicsConnection.${letter}fixed`],
      instead: '0 is used',
      where: (eq, inverter) =>
        !eq.index
          .referrers(inverter.id, INVERTER_PHASE)
          .some((one) => has(one, `PowerElectronicsConnectionPhase.${letter}`)),
    }),
  ),
  phaseQuantity('EnergyConsumerPhase', 'EnergyConsumerPhase.EnergyConsumer', 'p'),
  phaseQuantity('EnergyConsumerPhase', 'EnergyConsumerPhase.EnergyConsumer', 'q'),
  ...['p', 'q'].map((letter) => phaseQuantity('PowerElectronicsConnectionPhase', INVERTER_PHASE, letter)),
  { of: ['LinearShuntCompensator'], attribute: 'ShuntCompensator.phaseConnection', instead: 'wye is used' },
  { of: ['LinearShuntCompensator'], attribute: 'ShuntCompensator.maximumSections', instead: '1 is used' },
  {
    of: ['LinearShuntCompensator'],
    attribute: 'ShuntCompensator.sections',
    or: ['ShuntCompensator.normalSections'],
    instead: 'none is switched on',
    where: (eq, bank) => eq.index.referrersOf(bank, 'ShuntCompensatorPhase.ShuntCompensator').length === 0,
  },
  {
    of: ['LinearShuntCompensatorPhase'],
    attribute: 'ShuntCompensatorPhase.sections',
    or: ['ShuntCompensatorPhase.normalSections'],
    instead: 'none is switched on',
    where: (_, phase) => {
      const bank = target(phase, 'ShuntCompensatorPhase.ShuntCompensator');
      return bank !== undefined && !has(bank, 'ShuntCompensator.sections', 'ShuntCompensator.normalSections');
    },
  },
  {
    of: ['LinearShuntCompensator'],
    attribute: 'ShuntCompensator.aVRDelay',
    instead: '0 s is used',
    where: (eq, bank) => eq.index.referrersOf(bank, 'RegulatingControl.RegulatingCondEq').length > 0,
  },
  { of: ['SwitchPhase'], attribute: 'SwitchPhase.phaseSide1', instead: 'that of the other side is used' },
  { of: ['SwitchPhase'], attribute: 'SwitchPhase.phaseSide2', instead: 'that of the other side is used' },
  {
    of: SWITCH_CLASSES,
    attribute: 'Switch.normalOpen',
    instead: 'it is read as normally closed',
    where: isWritten('Switch.normalOpen'),
  },
  ...(
    [
      ['PhotovoltaicUnit', 'maxP'],
      ['BatteryUnit', 'maxP'],
      ['BatteryUnit', 'minP'],
    ] as const
  ).map(
    ([className, name]): Expected => ({
      of: [className],
      attribute: `PowerElectronicsUnit.${name}`,
      instead: 'ratedS of its connection is used',
      where: isWritten('PowerElectronicsUnit.maxP'),
    }),
  ),
  { of: ['Analog', 'Discrete'], attribute: 'Measurement.phases', instead: 'it stands for no phase' },
  {
    of: ['Analog', 'Discrete'],
    attribute: 'Measurement.PowerSystemResource',
    instead: 'the equipment of its terminal is used',
    where: (_, measurement) => has(measurement, 'Measurement.Terminal'),
  },
  {
    of: ['Analog', 'Discrete'],
    attribute: 'Measurement.Terminal',
    instead: 'the first terminal of its equipment is used',
  },
];

/** Names attributes whose absence changes the power flow or the coordination, with what is taken in their place. */
export function nameAbsent(eq: CimEquipment): void {
  for (const { of, attribute, or = [], instead, where } of TABLE) {
    const codes = [attribute, ...or].map((name) => eq.index.attributeCode(name));
    const isSaid = (list: KeyList) => codes.some((code) => code >= 0 && list.placeOf(code) >= 0);
    const classes = of.filter((className) => ![...eq.index.keyLists(className)].every(isSaid));
    for (const object of classes.flatMap((className) => eq.index.byClass(className))) {
      if (isSaid(object.keyList) || eq.orphans.has(object)) continue;
      // A catalogue may hold more than the equipment uses.
      if (CATALOGUE.has(object.className) && !object.isAsked) continue;
      if (where !== undefined && !where(eq, object)) continue;
      eq.findings.add('warning', 'DEFAULTED_ATTRIBUTE', object, `${attribute} is absent; ${instead}.`, { attribute });
    }
  }
}
