/*
 * Phases that change on the way through a device. CIM can say it and it is built now and then (a transposition at a switch),
 * but it may be a slip, and it moves the load of a whole branch to another phase.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { phasesOf } from './phase.js';

const SIDE_1 = 'SwitchPhase.phaseSide1';
const SIDE_2 = 'SwitchPhase.phaseSide2';
const ORDERED = 'TransformerTankEnd.orderedPhases';

/** A tank and the phase of each winding that is between one phase and neutral, by the number of its end. */
interface CimTankPhases {
  readonly tank: CimObject;
  readonly byEnd: ReadonlyMap<string, string>;
}

/**
 * Warns of switches whose sides differ, and of tanks of one bank that share a phase at one side and not at another: a
 * bank may shift all its phases, but what two of its tanks have in common on one side they have in common on the other.
 */
export function nameCrossedPhases(eq: CimEquipment): void {
  for (const object of eq.index.byClass('SwitchPhase')) nameCrossedSwitch(eq, object);
  const banks = new Map<string, CimTankPhases[]>();
  for (const tank of eq.index.byClass('TransformerTank')) {
    const bank = tank.target('TransformerTank.PowerTransformer');
    if (bank === undefined) continue;
    const byEnd = singlePhases(eq, tank);
    banks.set(bank, [...(banks.get(bank) ?? []), { tank, byEnd }]);
  }
  for (const tanks of banks.values()) nameCrossedTanks(eq, tanks);
}

function livePhases(eq: CimEquipment, object: CimObject, attribute: string): string[] {
  return phasesOf(object.peek(eq.index.attributeCode(attribute))).filter((phase) => phase !== 'N');
}

function nameCrossedSwitch(eq: CimEquipment, object: CimObject): void {
  const [one, other] = [livePhases(eq, object, SIDE_1).join(''), livePhases(eq, object, SIDE_2).join('')];
  if (one === '' || other === '' || one === other) return;
  eq.findings.add('warning', 'PHASE_MISMATCH', object, `The switch joins phase ${one} to phase ${other}.`, {
    ...{ attribute: SIDE_2, value: other, allowed: `${one}, unless phases are transposed here` },
  });
}

function singlePhases(eq: CimEquipment, tank: CimObject): Map<string, string> {
  const byEnd = new Map<string, string>();
  for (const end of eq.index.referrersOf(tank, 'TransformerTankEnd.TransformerTank')) {
    const [phase, ...others] = livePhases(eq, end, ORDERED);
    const number = end.peek(eq.index.attributeCode('TransformerEnd.endNumber'));
    if (phase !== undefined && others.length === 0 && 'ABC'.includes(phase)) byEnd.set(number, phase);
  }
  return byEnd;
}

/** One warning for each tank whose own phases change and that is, by that, with another tank on one side only. */
function nameCrossedTanks(eq: CimEquipment, tanks: readonly CimTankPhases[]): void {
  for (const { tank, byEnd } of tanks) {
    if (new Set(byEnd.values()).size < 2) continue;
    const other = tanks.find((one) => one.tank !== tank && isCrossed(byEnd, one.byEnd));
    if (!other) continue;
    const value = [...byEnd].map(([number, phase]) => `end ${number} ${phase}`).join(', ');
    const name = other.tank.name || other.tank.mrid;
    eq.findings.add('warning', 'PHASE_MISMATCH', tank, `Its windings are of other phases than those of ${name}.`, {
      ...{ attribute: ORDERED, value, allowed: 'tanks that share a phase at all their ends or at none' },
    });
  }
}

/** True where two tanks share the phase of one end and not that of another. */
function isCrossed(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  const shared = [...one].filter(([number]) => other.has(number)).map(([number, phase]) => other.get(number) === phase);
  return shared.includes(true) && shared.includes(false);
}
