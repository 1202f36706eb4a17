/*
 * Numbers that order parts of equipment, and the number of its terminals. Rows of a matrix, places of wires and the two ends
 * of a branch are told by these numbers alone, so that a wrong one exchanges conductors silently.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { MACHINE_CLASSES } from './generation.js';
import { LOAD_CLASSES } from './load.js';
import { nodeOfPhase, phasesOf } from './phase.js';
import { demand } from './plausibility.js';
import { SOURCE_CLASSES } from './source.js';
import { SWITCH_CLASSES } from './switch.js';

/** Parts in an order: class, link to the whole, number. */
interface Ordered {
  readonly of: string;
  readonly by: string;
  readonly attribute: string;
  /** Where the phase of each part orders them without numbers. */
  readonly phase?: string;
}

const ORDERED: readonly Ordered[] = [
  {
    ...{ of: 'ACLineSegmentPhase', by: 'ACLineSegmentPhase.ACLineSegment' },
    ...{ attribute: 'ACLineSegmentPhase.sequenceNumber', phase: 'ACLineSegmentPhase.phase' },
  },
  {
    ...{ of: 'SwitchPhase', by: 'SwitchPhase.Switch' },
    ...{ attribute: 'SwitchPhase.sequenceNumber', phase: 'SwitchPhase.phaseSide1' },
  },
  { of: 'WirePosition', by: 'WirePosition.WireSpacingInfo', attribute: 'WirePosition.sequenceNumber' },
];

const SEQUENCES = ['ACDCTerminal.sequenceNumber', 'Terminal.sequenceNumber'] as const;
const TWO_ENDED: readonly string[] = ['ACLineSegment', 'SeriesCompensator', ...SWITCH_CLASSES];
const ONE_ENDED: readonly string[] = [
  ...['LinearShuntCompensator', 'PowerElectronicsConnection'],
  ...[...LOAD_CLASSES, ...MACHINE_CLASSES, ...SOURCE_CLASSES],
];

function called(eq: CimEquipment, bus: string): string {
  const node = eq.index.objects.get(bus);
  return node === undefined || node.name === '' ? (node?.mrid ?? bus) : node.name;
}

/** Names numbers that are not 1 to n, each once; a gap in a row that agrees with the phases changes no order. */
function checkOrder(eq: CimEquipment, { attribute, phase }: Ordered, parts: readonly CimObject[]): void {
  const numbers = parts.map((part) => eq.optionalNumber(part, attribute));
  if (isCount(numbers)) return;
  const isUnread = parts.some((part, k) => numbers[k] === undefined && part.kindOf(attribute) !== undefined);
  if (isUnread) return;
  const absent = parts.filter((_, k) => numbers[k] === undefined);
  if (absent.length > 0) {
    // Phases in their own order are what files without numbers mean.
    if (parts.length < 2 || (phase !== undefined && absent.length === parts.length)) return;
    const allowed = `1 to ${parts.length}, each once`;
    for (const part of absent) {
      eq.findings.add('error', 'MISSING_ATTRIBUTE', part, `${attribute} is absent; it orders the conductors.`, {
        ...{ attribute, allowed },
      });
    }
    return;
  }
  const seen = new Set<number>();
  const isPlace = (number: number) => {
    const isRight = Number.isInteger(number) && number >= 1 && !seen.has(number);
    seen.add(number);
    return isRight;
  };
  const isWrong = numbers.map((number) => !isPlace(number!));
  const ranks = parts.map((part, k) => [numbers[k]!, phase === undefined ? 0 : rank(part.get(phase))] as const);
  ranks.sort(([a], [b]) => a - b);
  const isInOrder =
    phase !== undefined &&
    ranks.every(([number, place], k) => k === 0 || (number === ranks[k - 1]![0] + 1 && place > ranks[k - 1]![1]));
  const allowed = `1 to ${parts.length}, each once`;
  parts.forEach((part, k) => {
    const isRight = !isWrong[k] && (numbers[k]! <= parts.length || isInOrder);
    demand(eq, part, attribute, numbers[k]!, isRight, allowed);
  });
}

/** Whether numbers are 1 to n, each once. */
function isCount(numbers: readonly (number | undefined)[]): boolean {
  let found = 0;
  for (const number of numbers) {
    if (number === undefined || !Number.isInteger(number) || number < 1 || number > Math.min(30, numbers.length))
      return false;
    found |= 1 << number;
  }
  return found === 2 * ((1 << numbers.length) - 1);
}

function rank(code: string | undefined): number {
  const [phase] = phasesOf(code);
  return phase === undefined ? 9 : nodeOfPhase(phase);
}

/** Names numbers of phases and wires that do not order them. */
function nameBadOrders(eq: CimEquipment): void {
  for (const ordered of ORDERED) {
    const groups = new Map<number, CimObject[]>();
    for (const part of eq.index.byClass(ordered.of)) {
      const whole = part.linkNumber(ordered.by);
      if (whole < 0) continue;
      const group = groups.get(whole);
      if (group) group.push(part);
      else groups.set(whole, [part]);
    }
    for (const parts of groups.values()) checkOrder(eq, ordered, parts);
  }
}

/** Names terminals beyond those a class has, and numbers that do not tell them apart. */
function checkTerminals(eq: CimEquipment, device: CimObject, count: number): void {
  const ordered = eq.terminals(device);
  const [present, former] = SEQUENCES;
  const numberOf = (terminal: CimObject) =>
    eq.optionalNumber(terminal, terminal.kindOf(present) === undefined ? former : present);
  if (ordered.length === count && isCount(ordered.map(numberOf))) return;
  const terminals = eq.index.referrersOf(device, 'Terminal.ConductingEquipment');
  if (terminals.length > count) {
    const value = terminals
      .map((terminal) => `${terminal.mrid} at ${called(eq, eq.busOf(terminal) ?? 'no bus')}`)
      .join(', ');
    const message = `It has ${terminals.length} terminals where ${count} can be; which belong to it is not known.`;
    eq.findings.add('error', 'BAD_VALUE', device, message, {
      ...{ attribute: 'Terminal.ConductingEquipment', value, allowed: String(count) },
    });
  }
  // Fewer have a finding of their own.
  if (terminals.length < count) return;
  const written = terminals.map((terminal) => SEQUENCES.find((name) => terminal.kindOf(name) !== undefined));
  if (written.every((name) => name === undefined)) return;
  const allowed = count === 1 ? '1' : `1 to ${count}, each once`;
  const seen = new Set<number>();
  terminals.forEach((terminal, k) => {
    const attribute = written[k];
    if (attribute === undefined) {
      const message = `${SEQUENCES[0]} is absent, though another terminal of its equipment has one.`;
      eq.findings.add('warning', 'DEFAULTED_ATTRIBUTE', terminal, message, { attribute: SEQUENCES[0], allowed });
      return;
    }
    const number = eq.optionalNumber(terminal, attribute);
    if (number === undefined) return;
    const isRight = Number.isInteger(number) && number >= 1 && number <= count && !seen.has(number);
    seen.add(number);
    // The one terminal of a load needs no order.
    demand(eq, terminal, attribute, number, isRight, allowed, count === 1 ? 'warning' : 'error');
  });
}

/** Names a branch that ends where it begins. */
function checkEnds(eq: CimEquipment, branch: CimObject): void {
  const terminals = eq.terminals(branch);
  if (eq.busNumberOf(terminals[0]) !== eq.busNumberOf(terminals[1])) return;
  const buses = terminals.map((terminal) => eq.busOf(terminal));
  const [bus] = buses;
  if (bus === undefined || buses.length < 2 || buses.some((other) => other !== bus)) return;
  const isSwitch = (SWITCH_CLASSES as readonly string[]).includes(branch.className);
  // A topology profile merges the nodes at both sides of a closed switch.
  if (isSwitch && terminals.some((terminal) => terminal.kindOf('Terminal.ConnectivityNode') === undefined)) return;
  const attribute = 'Terminal.ConnectivityNode';
  const message = `${branch.className} ${branch.name === '' ? branch.mrid : branch.name} ends at the bus where it begins, ${called(eq, bus)}.`;
  eq.findings.add(isSwitch ? 'warning' : 'error', 'BAD_VALUE', branch, message, {
    ...{ attribute, value: called(eq, bus), allowed: 'two buses' },
  });
}

/** Names numbers, terminals and ends of equipment that cannot be. */
export function nameBadSequences(eq: CimEquipment): void {
  nameBadOrders(eq);
  for (const branch of TWO_ENDED.flatMap((name) => eq.index.byClass(name))) {
    checkTerminals(eq, branch, 2);
    checkEnds(eq, branch);
  }
  for (const device of ONE_ENDED.flatMap((name) => eq.index.byClass(name))) checkTerminals(eq, device, 1);
  for (const bank of eq.index.byClass('PowerTransformer')) {
    const ends = eq.index.referrersOf(bank, 'PowerTransformerEnd.PowerTransformer').length;
    if (ends < 2 || eq.index.referrersOf(bank, 'TransformerTank.PowerTransformer').length > 0) continue;
    checkTerminals(eq, bank, ends);
    checkEnds(eq, bank);
  }
}
