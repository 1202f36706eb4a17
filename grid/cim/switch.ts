import { balancedMatrix, type Switch } from '../model/index.js';
import type { CimEnding, CimEquipment } from './equipment.js';
import type { CimObject } from './object-index.js';
import { type CimPhase, nodeOfPhase, orderedPhaseObjects, phasesOf } from './phase.js';

/** CIM classes read as switches. */
export const SWITCH_CLASSES = [
  'LoadBreakSwitch',
  'Breaker',
  'Fuse',
  'Recloser',
  'Disconnector',
  'Sectionaliser',
  'Jumper',
  'Cut',
  'GroundDisconnector',
  'DisconnectingCircuitBreaker',
  'ProtectedSwitch',
  'Switch',
] as const;

/** Resistance of a closed CIM switch, ohm. CIM switches are ideal; a millionth of an ohm keeps the admittance regular. */
const CLOSED_OHM = 1e-6;

function phaseNodes(phases: readonly CimPhase[]): number[] {
  return phases.filter((phase) => phase !== 'N').map(nodeOfPhase);
}

/** State of one phase of a switch; SwitchPhase.closed comes before the state of the whole switch. */
function isPhaseOpen(eq: CimEquipment, phase: CimObject, whole: boolean): boolean {
  const closed = eq.flag(phase, 'SwitchPhase.closed');
  return closed === undefined ? whole : !closed || whole;
}

/**
 * Maps one switch of any class.
 *
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readSwitch(eq: CimEquipment, device: CimObject): Switch | undefined {
  const endings = eq.endings(device, 2);
  if (!endings) return undefined;
  const isNormallyOpen = eq.flag(device, 'Switch.normalOpen') ?? false;
  const isWholeOpen = eq.flag(device, 'Switch.open') ?? isNormallyOpen;
  const phases = orderedPhaseObjects(
    eq.index.referrers(device.id, 'SwitchPhase.Switch'),
    'SwitchPhase.phaseSide1',
    'SwitchPhase.sequenceNumber',
  );
  const from: number[] = [];
  const to: number[] = [];
  const isOpen: boolean[] = [];
  for (const phase of phases) {
    const side1 = phaseNodes(phasesOf(phase.get('SwitchPhase.phaseSide1')));
    const side2 = phaseNodes(phasesOf(phase.get('SwitchPhase.phaseSide2')));
    const near = side1[0] ?? side2[0];
    const far = side2[0] ?? side1[0];
    if (near === undefined || far === undefined) continue;
    from.push(near);
    to.push(far);
    isOpen.push(isPhaseOpen(eq, phase, isWholeOpen));
  }
  if (from.length === 0) {
    const written = phaseNodes(eq.terminalPhases(endings[0]!));
    for (const node of written.length > 0 ? written : [1, 2, 3]) {
      from.push(node);
      to.push(node);
      isOpen.push(isWholeOpen);
    }
  }
  const ratingA = eq.ratingA(device);
  return switchBetween(eq, device, endings, from, to, isOpen, isNormallyOpen, ratingA);
}

function switchBetween(
  eq: CimEquipment,
  device: CimObject,
  endings: readonly CimEnding[],
  from: readonly number[],
  to: readonly number[],
  isOpen: readonly boolean[],
  isNormallyOpen: boolean,
  ratingA: number | undefined,
): Switch {
  return {
    kind: 'switch',
    id: device.id,
    mrid: device.mrid,
    name: device.name,
    switchClass: device.className,
    from: eq.terminal(endings[0]!, from),
    to: eq.terminal(endings[1]!, to),
    isOpen,
    isNormallyOpen,
    seriesOhm: balancedMatrix(from.length, { re: CLOSED_OHM, im: 0 }, { re: 0, im: 0 }),
    ...(ratingA === undefined ? {} : { ratingA }),
  };
}
