/*
 * What the enumerated attributes that the model reads may say, as one table. A member in another letter case is taken for
 * the one it can only be, with a warning; anything else is an error, as is a value that a class cannot do without.
 * Source: IEC 61970-301 and 61968-11 (CIM16, CIM17, CIM100).
 */

import { type CimObject, REFERENCE } from './cim-object.js';
import type { FindingList } from './finding-list.js';
import type { KeyList } from './key-list.js';
import type { CimIndex } from './object-index.js';
import { memberOf } from './phase.js';

const SINGLE_PHASE = ['A', 'B', 'C', 'N', 's1', 's2', 's12'];
const WINDING = ['A', 'D', 'I', 'Y', 'Yn', 'Z', 'Zn'];
const SHUNT = ['D', 'G', 'I', 'Y', 'Yn'];

/** All orders of up to three of some letters, each with the neutral before, after or absent. */
function phaseCodes(letters: readonly string[]): string[] {
  const orders: string[] = [];
  const extend = (start: string, rest: readonly string[]) => {
    if (start !== '') orders.push(start, `${start}N`, `N${start}`);
    for (const letter of rest)
      extend(
        start + letter,
        rest.filter((other) => other !== letter),
      );
  };
  extend('', letters);
  return orders;
}

const PHASE_CODE = [
  ...['A', 'B', 'C', 'AB', 'BC', 'CA', 'ABC', 'AN', 'ABCN', 's1', 's2', 's12', 's1N', 'Ns2', 's12N', 'none', 'N'],
  ...['X', 'XY', 'XN', 'XYN', 's2N', 's21', 's21N', 'Ns1', 'Ns12', 's1Ns2', 'Ns1s2', 's1s2', 's1s2N'],
  ...phaseCodes(['A', 'B', 'C']),
];

interface Enumeration {
  readonly members: readonly string[];
  /** Classes that have no meaning without a value of this attribute or of `or`. */
  readonly requiredBy?: readonly string[];
  readonly or?: string;
  /** Names that the enumeration has in the versions of CIM. */
  readonly kinds: readonly string[];
  /** Whether any other member is a fact the model names itself, not an unreadable value. */
  readonly isOpen?: true;
}

const ONE_PHASE: Enumeration = { members: SINGLE_PHASE, kinds: ['SinglePhaseKind'] };
const PHASES: Enumeration = { members: PHASE_CODE, kinds: ['PhaseCode', 'OrderedPhaseCodeKind'] };
const SHUNT_CONNECTION: Enumeration = { members: SHUNT, kinds: ['PhaseShuntConnectionKind'] };
const CONNECTION: Enumeration = { members: WINDING, kinds: ['WindingConnection', 'WindingConnectionKind'] };
const phaseOf = (...requiredBy: readonly string[]): Enumeration => ({ ...ONE_PHASE, requiredBy });

/** Every enumerated attribute that the mapping reads. */
const ENUMERATIONS: Readonly<Record<string, Enumeration>> = {
  'ACLineSegmentPhase.phase': phaseOf('ACLineSegmentPhase'),
  'EnergyConsumerPhase.phase': phaseOf('EnergyConsumerPhase'),
  'EnergySourcePhase.phase': phaseOf('EnergySourcePhase'),
  'PowerElectronicsConnectionPhase.phase': phaseOf('PowerElectronicsConnectionPhase'),
  'ShuntCompensatorPhase.phase': phaseOf('LinearShuntCompensatorPhase'),
  'SwitchPhase.phaseSide1': { ...ONE_PHASE, requiredBy: ['SwitchPhase'], or: 'SwitchPhase.phaseSide2' },
  'SwitchPhase.phaseSide2': ONE_PHASE,
  'TransformerTankEnd.orderedPhases': {
    ...PHASES,
    requiredBy: ['TransformerTankEnd'],
    or: 'TransformerTankEnd.phases',
  },
  'TransformerTankEnd.phases': PHASES,
  'Terminal.phases': PHASES,
  'Measurement.phases': { members: [...PHASE_CODE, ...SINGLE_PHASE], kinds: [...PHASES.kinds, 'SinglePhaseKind'] },
  'RegulatingControl.monitoredPhase': PHASES,
  'RegulatingControl.mode': {
    members: [
      ...['voltage', 'activePower', 'reactivePower', 'currentFlow', 'admittance', 'timeScheduled', 'temperature'],
      'powerFactor',
    ],
    kinds: ['RegulatingControlModeKind'],
  },
  'EnergyConsumer.phaseConnection': SHUNT_CONNECTION,
  'ShuntCompensator.phaseConnection': SHUNT_CONNECTION,
  'PowerTransformerEnd.connectionKind': { ...CONNECTION, requiredBy: ['PowerTransformerEnd'] },
  'TransformerEndInfo.connectionKind': { ...CONNECTION, requiredBy: ['TransformerEndInfo'] },
  'PowerElectronicsConnection.controlMode': {
    members: ['unityPowerFactor', 'constantPowerFactor', 'constantReactivePower', 'dynamic', 'voltVar', 'voltWatt'],
    kinds: ['ConverterControlModeKind', 'ConverterControlMode'],
    isOpen: true,
  },
};

/** The first members, as a finding tells them. */
function told(members: readonly string[]): string {
  return members.length <= 8 ? members.join(', ') : `${members.slice(0, 17).join(', ')} and their orders`;
}

/** The other enumeration that a member is written as one of, if any. */
function otherKind({ kinds }: Enumeration, written: string): string | undefined {
  const end = written.lastIndexOf('.');
  const kind = written.slice(Math.max(written.lastIndexOf('#'), written.lastIndexOf('.', end - 1)) + 1, end);
  return end <= 0 || kinds.includes(kind) ? undefined : kind;
}

/** Names a member of another enumeration, which is read by its last word alone. */
function nameOtherKind(
  findings: FindingList,
  attribute: string,
  rule: Enumeration,
  object: CimObject,
  written: string,
): void {
  const kind = otherKind(rule, written);
  if (kind === undefined) return;
  const { kinds } = rule;
  findings.add('warning', 'BAD_VALUE', object, `${attribute} is a ${kind}; it is read as a ${kinds[0]}.`, {
    ...{ attribute, value: written, allowed: `a member of ${kinds.join(' or ')}` },
  });
}

/** An enumerated attribute of objects written alike. */
interface Place {
  readonly attribute: string;
  readonly rule: Enumeration;
  /** Where it stands among their properties. */
  readonly place: number;
  readonly isLink: boolean;
  /** Values that were found right. */
  readonly right: Set<string>;
}

/** The enumerated attributes of objects with one list of properties. */
function placesOf(keys: KeyList, rules: ReadonlyMap<number, readonly [string, Enumeration]>): Place[] {
  return keys.keys.flatMap((key): Place[] => {
    const found = rules.get(key >> 2);
    if (!found) return [];
    const place = keys.placeOf(key >> 2);
    return [
      { attribute: found[0], rule: found[1], place, isLink: (keys.keys[place]! & 3) === REFERENCE, right: new Set() },
    ];
  });
}

function check(findings: FindingList, spellings: FindingList, place: Place, object: CimObject, written: string): void {
  const { attribute, rule, isLink } = place;
  const member = memberOf(written);
  nameOtherKind(findings, attribute, rule, object, written);
  if (!isLink && rule.members.includes(member)) return;
  const alike = rule.members.filter((one) => one.toLowerCase() === member.toLowerCase());
  if (!isLink && new Set(alike).size === 1) {
    object.respell(attribute, written.slice(0, written.length - member.length) + alike[0]!);
    spellings.add('warning', 'SPELLING', object, `${attribute} is read in the letter case of the standard.`, {
      ...{ attribute, value: member, allowed: alike[0]! },
    });
    return;
  }
  if (rule.isOpen && !isLink) return;
  findings.add('error', 'BAD_VALUE', object, `${attribute} is none of the values it may have.`, {
    ...{ attribute, value: member === '' ? written : member, allowed: told(rule.members) },
  });
}

/** Values that are not written as they should be, in the order of the files. Looking at a value here is not reading it. */
function doubtfulValues(
  index: CimIndex,
  plans: ReadonlyMap<KeyList, readonly Place[]>,
): { readonly object: CimObject; readonly place: Place }[] {
  const doubtful: { readonly object: CimObject; readonly place: Place }[] = [];
  for (const className of index.classCounts().keys()) {
    if (![...index.keyLists(className)].some((list) => plans.has(list))) continue;
    const objects = index.byClass(className);
    let list: KeyList | undefined;
    let places: readonly Place[] = [];
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
      if (object.keyList !== list) {
        list = object.keyList;
        places = plans.get(list) ?? [];
      }
      for (let p = 0; p < places.length; p++) {
        const place = places[p]!;
        const { rule, right, isLink } = place;
        const written = object.valueAt(place.place);
        if (right.has(written)) continue;
        const isRight = !isLink && otherKind(rule, written) === undefined && rule.members.includes(memberOf(written));
        if (isRight) right.add(written);
        else doubtful.push({ object, place });
      }
    }
  }
  return doubtful.sort((a, b) => a.object.place - b.object.place);
}

/**
 * Names enumerated values that cannot be read and those that are missing where a class needs one. Respells members in
 * another letter case; as the objects keep the spelling, its warnings go to the findings of the index.
 */
export function checkEnumerations(index: CimIndex, findings: FindingList, spellings: FindingList): void {
  const rules = new Map<number, readonly [string, Enumeration]>();
  for (const [attribute, rule] of Object.entries(ENUMERATIONS)) {
    const code = index.attributeCode(attribute);
    if (code >= 0) rules.set(code, [attribute, rule]);
  }
  const plans = new Map<KeyList, Place[]>();
  for (const keys of index.keyLists()) {
    const places = placesOf(keys, rules);
    if (places.length > 0) plans.set(keys, places);
  }
  for (const { object, place } of doubtfulValues(index, plans)) {
    check(findings, spellings, place, object, object.valueAt(place.place));
  }
  for (const [attribute, rule] of Object.entries(ENUMERATIONS)) {
    for (const className of rule.requiredBy ?? []) {
      const isSaid = (keys: KeyList) =>
        [attribute, rule.or].some((name) => name !== undefined && keys.placeOf(index.attributeCode(name)) >= 0);
      if ([...index.keyLists(className)].every(isSaid)) continue;
      for (const object of index.byClass(className)) {
        if ([attribute, rule.or].some((name) => name !== undefined && object.kindOf(name) !== undefined)) continue;
        findings.add('error', 'MISSING_ATTRIBUTE', object, `${attribute} is absent; the object cannot be placed.`, {
          ...{ attribute, allowed: told(rule.members) },
        });
      }
    }
  }
}
