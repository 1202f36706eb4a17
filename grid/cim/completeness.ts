/*
 * What an input needs but does not have: objects that are referred to, and whole profiles of a model in several files.
 */

import { type CimObject, REFERENCE } from './cim-object.js';
import { isKnownClass } from './class-list.js';
import type { CimEquipment } from './equipment.js';
import { MACHINE_CLASSES } from './generation.js';
import type { KeyList } from './key-list.js';
import { LOAD_CLASSES } from './load.js';
import { PARENT_LINKS } from './parentage.js';
import { SOURCE_CLASSES } from './source.js';
import { SWITCH_CLASSES } from './switch.js';

/** A link that the model follows. */
interface Link {
  /** Classes it may lead to; any when absent. A class that the model does not know has a finding of its own. */
  readonly to?: readonly string[];
  /** What is no part of the power flow is a `warning`, what names a place alone an `info`. */
  readonly severity?: 'warning' | 'info';
}

const WIRES = ['OverheadWireInfo', 'ConcentricNeutralCableInfo', 'TapeShieldCableInfo', 'WireInfo'];
const EQUIPMENT = [
  ...['ACLineSegment', 'SeriesCompensator', 'LinearShuntCompensator', 'PowerElectronicsConnection'],
  ...['PowerTransformer', 'BusbarSection', 'Junction', 'Connector'],
  ...[...LOAD_CLASSES, ...MACHINE_CLASSES, ...SOURCE_CLASSES, ...SWITCH_CLASSES],
];
const CONTAINERS = ['Feeder', 'Line', 'Substation', 'VoltageLevel', 'Bay', 'ConnectivityNodeContainer'];
const AREAS = ['DistributionArea', 'FeederArea', 'SwitchArea', 'SecondaryArea'];
const part = (...to: readonly string[]): Link => ({ to, severity: 'warning' });

/** Links that the model follows: without their target something is left out, defaulted or stands nowhere. */
const FOLLOWED: Readonly<Record<string, Link>> = {
  'ACLineSegment.PerLengthImpedance': { to: ['PerLengthPhaseImpedance', 'PerLengthSequenceImpedance'] },
  'ACLineSegment.PhaseImpedance': { to: ['PerLengthPhaseImpedance'] },
  'ACLineSegment.SequenceImpedance': { to: ['PerLengthSequenceImpedance'] },
  'ACLineSegment.WireSpacingInfo': { to: ['WireSpacingInfo'] },
  'ACLineSegmentPhase.ACLineSegment': {},
  'ACLineSegmentPhase.WireInfo': { to: WIRES },
  'ConductingEquipment.BaseVoltage': { to: ['BaseVoltage'] },
  'EnergyConsumer.LoadResponse': { to: ['LoadResponseCharacteristic'] },
  'EnergyConsumer.LoadResponseCharacteristic': { to: ['LoadResponseCharacteristic'] },
  'EnergyConsumerPhase.EnergyConsumer': {},
  'EnergySourcePhase.EnergySource': {},
  'NoLoadTest.EnergisedEnd': {},
  'PhaseImpedanceData.PhaseImpedance': {},
  'PowerElectronicsConnection.PowerElectronicsUnit': {},
  'PowerElectronicsConnectionPhase.PowerElectronicsConnection': {},
  'PowerElectronicsUnit.PowerElectronicsConnection': {},
  'PowerTransformerEnd.PowerTransformer': {},
  'RatioTapChanger.TransformerEnd': {},
  'RegulatingCondEq.RegulatingControl': { to: ['RegulatingControl', 'TapChangerControl'] },
  'RegulatingControl.RegulatingCondEq': {},
  'RegulatingControl.Terminal': { to: ['Terminal'] },
  'ShortCircuitTest.EnergisedEnd': {},
  'ShortCircuitTest.GroundedEnds': {},
  'ShuntCompensatorPhase.ShuntCompensator': {},
  'SwitchPhase.Switch': {},
  'TapChanger.TapChangerControl': { to: ['TapChangerControl'] },
  'TapChangerControl.TapChanger': {},
  'Terminal.ConductingEquipment': { to: EQUIPMENT },
  'Terminal.ConnectivityNode': { to: ['ConnectivityNode'] },
  'TransformerCoreAdmittance.TransformerEnd': {},
  'TransformerEnd.BaseVoltage': { to: ['BaseVoltage'] },
  'TransformerEnd.CoreAdmittance': { to: ['TransformerCoreAdmittance'] },
  'TransformerEnd.RatioTapChanger': {},
  'TransformerEnd.StarImpedance': { to: ['TransformerStarImpedance'] },
  'TransformerEnd.Terminal': { to: ['Terminal'] },
  'TransformerEndInfo.TransformerTankInfo': {},
  'TransformerMeshImpedance.FromTransformerEnd': {},
  'TransformerMeshImpedance.FromTransformerEndInfo': {},
  'TransformerMeshImpedance.ToTransformerEnd': {},
  'TransformerMeshImpedance.ToTransformerEndInfos': {},
  'TransformerTank.PowerTransformer': {},
  'TransformerTank.TransformerTankInfo': { to: ['TransformerTankInfo'] },
  'TransformerTankEnd.TransformerTank': {},
  'TransformerTankInfo.PowerTransformerInfo': {},
  'WirePosition.WireSpacingInfo': {},
  'ConnectivityNode.ConnectivityNodeContainer': part(...CONTAINERS),
  'Equipment.EquipmentContainer': part(...CONTAINERS),
  'Equipment.SubSchedulingArea': part(...AREAS),
  'Feeder.NormalEnergizingSubstation': part('Substation'),
  'Measurement.PowerSystemResource': { severity: 'warning' },
  'Measurement.Terminal': part('Terminal'),
  'SecondaryArea.SwitchArea': part(...AREAS),
  'SubGeographicalRegion.Region': { to: ['GeographicalRegion'], severity: 'info' },
  'Substation.Region': { to: ['SubGeographicalRegion'], severity: 'info' },
  'SwitchArea.FeederArea': part(...AREAS),
  'Terminal.BoundedSchedulingArea': part(...AREAS),
};

const FUNCTIONAL = 'functional or equipment profile (FUN, EQ)';
const STEADY_STATE = 'steady-state profile (SSH)';

const NEEDED: ReadonlySet<string> = new Set([
  ...Object.keys(FOLLOWED).filter((name) => FOLLOWED[name]!.severity === undefined),
  ...PARENT_LINKS,
  ...['PowerSystemResource.AssetDatasheet', 'Terminal.TopologicalNode', 'Equipment.EquipmentContainer'],
]);

/** Whether the model makes something of a link. */
export function isNeededLink(attribute: string): boolean {
  return NEEDED.has(attribute);
}

/** Names every followed link whose target the input lacks, with its id. */
export function nameMissingTargets(eq: CimEquipment): void {
  nameTextLinks(eq);
  for (const { object, link } of wrongLinks(eq, linksOf(eq, Object.keys(FOLLOWED), true))) {
    const { attribute } = link;
    const followed: Link | undefined = FOLLOWED[attribute];
    const severity = followed?.severity ?? 'error';
    const target = object.valueAt(link.place);
    const end = eq.index.objects.get(target);
    if (end === undefined) {
      eq.findings.add(severity, 'MISSING_REFERENCE', object, `${attribute} refers to an object that the input lacks.`, {
        ...{ attribute, value: target, allowed: 'the id of an object of the input' },
      });
    } else {
      eq.findings.add(severity, 'MISSING_REFERENCE', object, `${attribute} leads to a ${end.className}.`, {
        ...{ attribute, value: end.mrid, allowed: `a link to a ${followed?.to?.slice(0, 4).join(', ')}` },
      });
    }
  }
}

/** Links that lead nowhere or to another class than they may, in the order of the files. */
function wrongLinks(
  { index }: CimEquipment,
  plans: ReadonlyMap<KeyList, readonly LinkPlace[]>,
): { readonly object: CimObject; readonly link: LinkPlace }[] {
  const wrong: { readonly object: CimObject; readonly link: LinkPlace }[] = [];
  for (const className of index.classCounts().keys()) {
    if (![...index.keyLists(className)].some((list) => plans.has(list))) continue;
    let list: KeyList | undefined;
    let links = NO_LINKS;
    const objects = index.byClass(className);
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
      if (object.keyList !== list) {
        list = object.keyList;
        links = plans.get(list) ?? NO_LINKS;
      }
      for (let l = 0; l < links.length; l++) {
        const link = links[l]!;
        const end = index.numbered(object.targetAt(link.place));
        if (end !== undefined && end.className === link.right) continue;
        const to = FOLLOWED[link.attribute]?.to;
        if (end === undefined || (to !== undefined && !to.includes(end.className) && isKnownClass(end.className))) {
          wrong.push({ object, link });
        } else link.right = end.className;
      }
    }
  }
  return wrong.sort((a, b) => a.object.place - b.object.place);
}

/** One link of objects written alike. */
interface LinkPlace {
  readonly attribute: string;
  /** Where it stands among their properties. */
  readonly place: number;
  /** The last class that was found right; the next object often leads to the same. */
  right?: string;
}

const NO_LINKS: readonly LinkPlace[] = [];

/** Properties of some names by list of properties: those that are links, or those that are not. */
function linksOf(eq: CimEquipment, wanted: readonly string[], isLink: boolean): Map<KeyList, LinkPlace[]> {
  const names = new Map<number, string>();
  for (const name of wanted) {
    const code = eq.index.attributeCode(name);
    if (code >= 0) names.set(code, name);
  }
  const plans = new Map<KeyList, LinkPlace[]>();
  for (const list of eq.index.keyLists()) {
    const places = list.keys.flatMap((key, place): LinkPlace[] => {
      const attribute = names.get(key >> 2);
      return attribute === undefined || ((key & 3) === REFERENCE) !== isLink ? [] : [{ attribute, place }];
    });
    if (places.length > 0) plans.set(list, places);
  }
  return plans;
}

/** Names links that stand there as text: they lead nowhere, whatever they say. */
function nameTextLinks(eq: CimEquipment): void {
  const plans = linksOf(eq, [...Object.keys(FOLLOWED), ...PARENT_LINKS], false);
  if (plans.size === 0) return;
  for (const object of eq.index.objects.values()) {
    for (const { attribute } of plans.get(object.keyList) ?? NO_LINKS) {
      if (eq.orphans.has(object)) continue;
      const severity = FOLLOWED[attribute]?.severity ?? 'error';
      eq.findings.add(severity, 'BAD_VALUE', object, `${attribute} is a text, not a link.`, {
        attribute,
        value: object.peek(eq.index.attributeCode(attribute)),
        allowed: 'rdf:resource with the id of an object of the input',
      });
    }
  }
}

/** Names the profiles that a model in several files lacks, from what no object of the input has. */
export function nameMissingProfiles(eq: CimEquipment): void {
  const { index } = eq;
  const missing = (profile: string, fact: string, attribute: string) => {
    // One file may be a network without loads, with faults that are named one by one; several are the profiles of a model.
    const isCertain = index.files.length > 1 || profile === FUNCTIONAL;
    eq.findings.note(
      isCertain ? 'error' : 'warning',
      'MISSING_PROFILE',
      `${fact}: the ${profile} ${isCertain ? 'is' : 'may be'} missing. Give all profile files of the model together.`,
      { attribute, ...(index.files[0] === undefined ? {} : { file: index.files.join(', ') }) },
    );
  };
  const hasNone = (classes: readonly string[], test: (object: CimObject) => boolean) => {
    const objects = classes.flatMap((name) => index.byClass(name));
    return objects.length > 0 && !objects.some(test);
  };
  const hasAny = (object: CimObject, attributes: readonly string[]) =>
    attributes.some((name) => object.get(name) !== undefined);
  const terminals = index.byClass('Terminal');
  if (!terminals.some((terminal) => terminal.ref('Terminal.ConductingEquipment') !== undefined)) {
    missing(FUNCTIONAL, 'No terminal of the input belongs to equipment', 'Terminal.ConductingEquipment');
    return;
  }
  if (!terminals.some((terminal) => eq.busOf(terminal) !== undefined)) {
    missing('topology profile (TOPO, TP)', 'No terminal of the input has a node', 'Terminal.ConnectivityNode');
  }
  const powers = ['EnergyConsumer', 'EnergyConsumerPhase'].flatMap((name) =>
    ['p', 'q', 'pfixed', 'qfixed'].map((letter) => `${name}.${letter}`),
  );
  if (hasNone([...LOAD_CLASSES, 'EnergyConsumerPhase'], (object) => hasAny(object, powers))) {
    missing(STEADY_STATE, 'No load of the input has a power', 'EnergyConsumer.p');
  }
  const machinePowers = ['RotatingMachine.p', 'PowerElectronicsConnection.p', 'PowerElectronicsConnectionPhase.p'];
  const inverters = ['PowerElectronicsConnection', 'PowerElectronicsConnectionPhase'];
  if (
    hasNone([...MACHINE_CLASSES, ...inverters], (o) =>
      hasAny(o, [...machinePowers, 'PowerElectronicsConnectionPhase.pfixed']),
    )
  ) {
    missing(STEADY_STATE, 'No generation of the input has a power', 'PowerElectronicsConnection.p');
  }
  const impedances = [
    'ACLineSegment.PerLengthImpedance',
    'ACLineSegment.PhaseImpedance',
    'ACLineSegment.SequenceImpedance',
    'ACLineSegment.WireSpacingInfo',
    'ACLineSegment.r',
    'ACLineSegment.x',
  ];
  const hasSheets = index.byClass('WireSpacingInfo').length > 0;
  if (!hasSheets && hasNone(['ACLineSegment'], (object) => hasAny(object, impedances))) {
    missing('electrical profile (EP)', 'No line of the input has an impedance', 'ACLineSegment.PerLengthImpedance');
  }
  if (index.byClass('TransformerTank').length > 0 && index.byClass('TransformerEndInfo').length === 0) {
    missing('catalogue profile (CAT)', 'No tank of the input has ratings', 'TransformerTank.TransformerTankInfo');
  }
}
