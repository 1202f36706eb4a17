/*
 * Terminals that contradict the equipment they are of: a transformer end at a terminal of other equipment, phases of a
 * terminal that its equipment does not have.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { phasesOf } from './phase.js';

const END_TERMINAL = 'TransformerEnd.Terminal';
const EQUIPMENT = 'Terminal.ConductingEquipment';
const PHASES = 'Terminal.phases';

/** Links of phase objects to their equipment, and the attributes that tell a phase. */
const PHASE_OBJECTS: readonly (readonly [link: string, ...phases: string[]])[] = [
  ['ACLineSegmentPhase.ACLineSegment', 'ACLineSegmentPhase.phase'],
  ['SwitchPhase.Switch', 'SwitchPhase.phaseSide1', 'SwitchPhase.phaseSide2'],
  ['EnergyConsumerPhase.EnergyConsumer', 'EnergyConsumerPhase.phase'],
  ['EnergySourcePhase.EnergySource', 'EnergySourcePhase.phase'],
  ['ShuntCompensatorPhase.ShuntCompensator', 'ShuntCompensatorPhase.phase'],
  ['PowerElectronicsConnectionPhase.PowerElectronicsConnection', 'PowerElectronicsConnectionPhase.phase'],
];

/** Names ends of transformers at a terminal of other equipment, and terminals whose phases are not those of their equipment. */
export function nameImplausibleTerminals(eq: CimEquipment): void {
  for (const end of eq.index.byClass('PowerTransformerEnd')) {
    nameOtherTerminal(eq, end, end.target('PowerTransformerEnd.PowerTransformer'));
  }
  for (const end of eq.index.byClass('TransformerTankEnd')) {
    const tank = end.linked('TransformerTankEnd.TransformerTank');
    nameOtherTerminal(eq, end, tank?.target('TransformerTank.PowerTransformer'));
  }
  for (const bank of eq.index.byClass('PowerTransformer')) {
    nameSharedTerminal(eq, bank, eq.index.referrersOf(bank, 'PowerTransformerEnd.PowerTransformer'));
  }
  for (const tank of eq.index.byClass('TransformerTank')) {
    nameSharedTerminal(eq, tank, eq.index.referrersOf(tank, 'TransformerTankEnd.TransformerTank'));
  }
  if (eq.index.attributeCode(PHASES) < 0) return;
  const groups = new Map<string, CimObject[]>();
  for (const terminal of eq.index.byClass('Terminal')) {
    const owner = terminal.target(EQUIPMENT);
    if (owner === undefined || written(eq, terminal, PHASES) === '') continue;
    const group = groups.get(owner);
    if (group) group.push(terminal);
    else groups.set(owner, [terminal]);
  }
  for (const [owner, terminals] of groups) nameOtherPhases(eq, owner, terminals);
}

function nameOtherTerminal(eq: CimEquipment, end: CimObject, bank: string | undefined): void {
  const terminal = end.linked(END_TERMINAL);
  const owner = terminal?.target(EQUIPMENT);
  if (!terminal || owner === undefined || bank === undefined || owner === bank) return;
  const found = eq.index.objects.get(owner);
  eq.findings.add('error', 'CONFLICTING_VALUE', end, 'Its terminal is one of other equipment than its transformer.', {
    ...{ attribute: END_TERMINAL, value: `a terminal of ${found?.name || found?.mrid || owner}` },
    allowed: 'a terminal of its own PowerTransformer',
  });
}

/** Names units all of whose ends are at one terminal; the two legs of a split-phase winding may share theirs. */
function nameSharedTerminal(eq: CimEquipment, unit: CimObject, ends: readonly CimObject[]): void {
  const [first, ...others] = ends.map((end) => end.target(END_TERMINAL));
  if (first === undefined || others.length === 0 || others.some((terminal) => terminal !== first)) return;
  const terminal = eq.index.objects.get(first);
  eq.findings.add('error', 'CONFLICTING_VALUE', unit, 'All its ends are at one terminal.', {
    ...{
      attribute: END_TERMINAL,
      value: terminal?.name || terminal?.mrid || first,
      allowed: 'a terminal for each side',
    },
  });
}

/** Phases of a value in alphabetical order, without the neutral. */
function written(eq: CimEquipment, object: CimObject, attribute: string): string {
  const phases = phasesOf(object.peek(eq.index.attributeCode(attribute))).filter((phase) => phase !== 'N');
  return [...new Set(phases)].sort().join('');
}

function nameOtherPhases(eq: CimEquipment, owner: string, terminals: readonly CimObject[]): void {
  // The windings of a transformer have phases of their own.
  if (eq.index.objects.get(owner)?.className === 'PowerTransformer') return;
  const own = phasesOfObjects(eq, owner);
  const [first] = terminals;
  const allowed = own.size > 0 ? own : new Set([written(eq, first!, PHASES)]);
  for (const terminal of terminals) {
    const value = written(eq, terminal, PHASES);
    if (allowed.has(value)) continue;
    const why = own.size > 0 ? 'those of the phases of its equipment' : 'those of the other terminal';
    eq.findings.add('warning', 'CONFLICTING_VALUE', terminal, `Its phases are not ${why}, which count.`, {
      ...{ attribute: PHASES, value, allowed: [...allowed].join(' or ') },
    });
  }
}

/** The phases that its phase objects give equipment: one set, two where the sides of a switch differ; none without objects. */
function phasesOfObjects(eq: CimEquipment, owner: string): Set<string> {
  for (const [link, ...attributes] of PHASE_OBJECTS) {
    const objects = eq.index.referrers(owner, link);
    if (objects.length === 0) continue;
    const sets = attributes.map((attribute) =>
      objects
        .map((object) => written(eq, object, attribute))
        .sort()
        .join(''),
    );
    return new Set(sets.filter((set) => set !== ''));
  }
  return new Set();
}
