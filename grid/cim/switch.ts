import { balancedMatrix, type Switch } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEnding, CimEquipment } from './equipment.js';
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
/** Resistance and reactance of a switch that leads to nothing but a capacitor, ohm: its leads, as an OpenDSS switch has them. */
const CAPACITOR_LEAD_OHM = 1e-3;

function phaseNodes(phases: readonly CimPhase[]): number[] {
  return phases.filter((phase) => phase !== 'N').map(nodeOfPhase);
}

/**
 * State of one phase of a switch. A phase conducts when neither its own state (SwitchPhase.closed, else its normal state)
 * nor the state of the whole switch opens it: Switch.open opens all phases, SwitchPhase.closed = false one of them.
 */
function isPhaseOpen(eq: CimEquipment, phase: CimObject, isWholeOpen: boolean, isWholeGiven: boolean): boolean {
  const closed = eq.flag(phase, 'SwitchPhase.closed');
  if (closed && isWholeOpen && isWholeGiven) {
    eq.findings.add(
      'warning',
      'CONFLICTING_VALUE',
      phase,
      'It is closed in a switch that is open; it is read as open.',
      {
        attribute: 'SwitchPhase.closed',
        value: 'true',
        allowed: 'false, or Switch.open = false',
      },
    );
  }
  if (closed !== undefined) return !closed || isWholeOpen;
  // The normal state counts where no present one is written.
  return isWholeOpen || (!isWholeGiven && (eq.flag(phase, 'SwitchPhase.normalOpen') ?? false));
}

/**
 * Maps one switch of any class.
 *
 * @param sharedBus - the bus of a bank whose windings all stand at it, where a lost first terminal belongs
 * @returns undefined, with a finding, when it cannot be placed
 */
export function readSwitch(eq: CimEquipment, device: CimObject, sharedBus?: string): Switch | undefined {
  const endings = lostEnding(eq, device, sharedBus) ?? eq.endings(device, 2);
  if (!endings) return undefined;
  const isNormallyOpen = eq.flag(device, 'Switch.normalOpen') ?? false;
  const present = eq.flag(device, 'Switch.open');
  const isWholeOpen = present ?? isNormallyOpen;
  const phases = orderedPhaseObjects(
    eq.index.referrersOf(device, 'SwitchPhase.Switch'),
    'SwitchPhase.phaseSide1',
    (phase) => eq.optionalNumber(phase, 'SwitchPhase.sequenceNumber'),
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
    isOpen.push(isPhaseOpen(eq, phase, isWholeOpen, present !== undefined));
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

/**
 * Exporters that number phases above the third lose the first terminal of switches at a bus of nine nodes. Such a switch
 * begins at that bus when the feeder has one.
 */
function lostEnding(
  eq: CimEquipment,
  device: CimObject,
  sharedBus: string | undefined,
): readonly CimEnding[] | undefined {
  const terminals = eq.terminals(device);
  const [terminal] = terminals;
  const bus = eq.busOf(terminal);
  if (sharedBus === undefined || terminals.length !== 1 || !terminal || bus === undefined) return undefined;
  if (terminal.get('ACDCTerminal.sequenceNumber') !== '2') return undefined;
  eq.findings.add(
    'warning',
    'MISSING_REFERENCE',
    device,
    'Its first terminal is absent; it begins at the bus of the bank whose windings share one bus.',
    {
      attribute: 'Terminal.ConductingEquipment',
      value: sharedBus,
    },
  );
  return [
    { terminal, bus: sharedBus },
    { terminal, bus },
  ];
}

/** Gives a closed switch before a capacitor alone the impedance of its leads. */
export function withCapacitorLeads(eq: CimEquipment, device: Switch): Switch {
  const object = eq.index.objects.get(device.id);
  if (object) {
    eq.findings.add(
      'info',
      'ASSUMPTION',
      object,
      'A switch that leads to a capacitor alone has the impedance of its leads, 1 mOhm and 1 mOhm of reactance.',
      { attribute: 'Switch', value: `${CAPACITOR_LEAD_OHM} ohm`, allowed: `${CLOSED_OHM} ohm as every other switch` },
    );
  }
  const lead = { re: CAPACITOR_LEAD_OHM, im: CAPACITOR_LEAD_OHM };
  return { ...device, seriesOhm: balancedMatrix(device.from.nodes.length, lead, { re: 0, im: 0 }) };
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
