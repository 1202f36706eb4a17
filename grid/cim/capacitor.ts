import type { Capacitor, CapacitorControl, Connection, PhaseShare } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { devicePhases, shuntConnection } from './load.js';
import { deltaPartner, memberOf, nodeOfPhase, orderedPhaseObjects, phasesOf } from './phase.js';
import { demand, demandPower, demandVoltage } from './plausibility.js';

const MODES: Readonly<Record<string, CapacitorControl['mode']>> = {
  voltage: 'voltage',
  reactivePower: 'reactivePower',
  currentFlow: 'currentFlow',
  timeScheduled: 'timeScheduled',
  powerFactor: 'powerFactor',
};

/**
 * Names targets and dead bands at which a bank never acts, or acts for ever.
 *
 * @param baseV - line-to-line, of the bus that is watched
 */
function checkTarget(
  eq: CimEquipment,
  control: CimObject,
  mode: CapacitorControl['mode'],
  target: number,
  deadband: number,
  connection: Connection,
  baseV: number | undefined,
): void {
  if (mode === 'timeScheduled') return;
  const [value, band] = ['RegulatingControl.targetValue', 'RegulatingControl.targetDeadband'];
  if (mode === 'powerFactor') demand(eq, control, value, target, Math.abs(target) <= 1, '-1 to 1');
  if (mode === 'currentFlow') demand(eq, control, value, target, target >= 0, '0 or above');
  if (mode === 'voltage' && baseV !== undefined) {
    // The voltage is that of a phase to ground, or of two phases at a delta bank.
    const why =
      connection === 'delta' ? ' between phases, as it is a delta bank' : ' to ground, as it is no delta bank';
    demandVoltage(eq, control, value, target, connection === 'delta' ? baseV : baseV / Math.sqrt(3), why);
  }
  const most = mode === 'voltage' ? Math.abs(target) : Number.POSITIVE_INFINITY;
  if (!demand(eq, control, band, deadband, deadband >= 0 && deadband < most, `0 to the target (${target})`)) return;
  demand(eq, control, band, deadband, deadband > 0, 'above 0: a bank without a band switches for ever', 'warning');
}

/** The control of a capacitor, whichever of the two holds the link. */
function readControl(
  eq: CimEquipment,
  capacitor: CimObject,
  ownBus: string,
  connection: Connection,
): CapacitorControl | undefined {
  const id = capacitor.ref('RegulatingCondEq.RegulatingControl');
  const control =
    (id === undefined ? undefined : eq.index.objects.get(id)) ??
    eq.index.referrersOf(capacitor, 'RegulatingControl.RegulatingCondEq')[0];
  if (!control) return undefined;
  const written = memberOf(control.get('RegulatingControl.mode'));
  const mode = MODES[written];
  if (mode === undefined) {
    eq.findings.add(
      'warning',
      'UNSUPPORTED_ATTRIBUTE',
      control,
      'Its mode is not known; the capacitor is not controlled.',
      {
        attribute: 'RegulatingControl.mode',
        value: written,
        allowed: Object.keys(MODES).join(', '),
      },
    );
    return undefined;
  }
  const terminal = control.link('RegulatingControl.Terminal');
  const monitored = terminal?.ref('Terminal.ConductingEquipment');
  const phase = phasesOf(control.get('RegulatingControl.monitoredPhase'))[0];
  const isEnabled = eq.flag(control, 'RegulatingControl.enabled') ?? true;
  // CGMES counts voltages in kV.
  const unit = eq.isCgmes && mode === 'voltage' ? 1e3 : 1;
  const target = unit * eq.number(control, 'RegulatingControl.targetValue', 0);
  const deadband = unit * eq.number(control, 'RegulatingControl.targetDeadband', 0);
  if (isEnabled) {
    const bus = eq.busOf(terminal) ?? ownBus;
    const baseV = bus === undefined ? undefined : eq.busBase(bus);
    checkTarget(eq, control, mode, target, deadband, connection, baseV);
  }
  return {
    mrid: control.mrid,
    mode,
    isEnabled,
    target,
    deadband,
    delayS: eq.optionalNumber(capacitor, 'ShuntCompensator.aVRDelay') ?? 0,
    ...(monitored === undefined ? {} : { monitoredElementId: monitored }),
    monitoredTerminal: eq.optionalNumber(terminal, 'ACDCTerminal.sequenceNumber') ?? 1,
    ...(phase === undefined ? {} : { monitoredPhase: phase }),
  };
}

/**
 * Maps one LinearShuntCompensator.
 *
 * @returns undefined, with a finding, when it cannot be placed or is not a capacitor
 */
export function readCapacitor(eq: CimEquipment, object: CimObject): Capacitor | undefined {
  const ending = eq.endings(object, 1)?.[0];
  if (!ending) return undefined;
  const base = eq.baseAt(object, ending.bus);
  const nominal = eq.optionalNumber(object, 'ShuntCompensator.nomU') ?? base;
  if (nominal === undefined || !(nominal > 0)) {
    eq.findings.add('error', 'MISSING_ATTRIBUTE', object, 'It has no nominal voltage and is left out.', {
      attribute: 'ShuntCompensator.nomU',
    });
    return undefined;
  }
  const connection = shuntConnection(eq, object, 'ShuntCompensator.phaseConnection');
  const phaseObjects = orderedPhaseObjects(
    eq.index.referrersOf(object, 'ShuntCompensatorPhase.ShuntCompensator'),
    'ShuntCompensatorPhase.phase',
  );
  const written = phaseObjects.flatMap((phase) => phasesOf(phase.get('ShuntCompensatorPhase.phase')).slice(0, 1));
  const phases = (written.length > 0 ? written : [...devicePhases(eq, ending)]).filter((phase) => phase !== 'N');
  const isGrounded = eq.flag(object, 'ShuntCompensator.grounded') ?? true;
  // One phase is rated across the unit, several line-to-line; a one-phase unit may still be given line-to-line.
  const isAcross = phases.length === 1 && !(base !== undefined && Math.abs(nominal / base - 1) < 0.05);
  const ratedVoltageV = connection === 'delta' || isAcross ? nominal : nominal / Math.sqrt(3);
  const total = eq.optionalNumber(object, 'LinearShuntCompensator.bPerSection');
  const shares = phases.map((phase, k): PhaseShare => {
    const own = eq.optionalNumber(phaseObjects[k], 'LinearShuntCompensatorPhase.bPerSection');
    const b = own ?? (total ?? 0) / phases.length;
    const node = nodeOfPhase(phase);
    return {
      node,
      otherNode: connection === 'delta' ? deltaPartner(node, eq.isSplitPhase(ending.bus)) : isGrounded ? 0 : 4,
      ratedVoltageV,
      powerW: 0,
      // Susceptances are per phase in phase objects; the whole unit's stands at its own nominal voltage.
      powerVar: own === undefined ? b * nominal ** 2 : b * ratedVoltageV ** 2,
    };
  });
  const sectionVar = shares.reduce((sum, share) => sum + share.powerVar, 0);
  if (!(sectionVar > 0)) {
    const attribute = 'LinearShuntCompensator.bPerSection';
    const written = object.get(attribute);
    const isReactor = sectionVar < 0 || written !== undefined;
    eq.findings.add(
      isReactor ? 'warning' : 'error',
      isReactor ? 'UNSUPPORTED_ATTRIBUTE' : 'MISSING_ATTRIBUTE',
      object,
      isReactor
        ? 'It has no positive susceptance (a reactor or unreadable) and is left out.'
        : 'It has no susceptance and is left out.',
      { attribute, ...(written === undefined ? {} : { value: written }), allowed: 'above 0' },
    );
    return undefined;
  }
  if (base !== undefined) {
    // One phase may be rated to neutral.
    const expected = isAcross && nominal < base / 1.3 ? base / Math.sqrt(3) : base;
    demandVoltage(eq, object, 'ShuntCompensator.nomU', nominal, eq.isSplitPhase(ending.bus) ? nominal : expected);
  }
  if (total !== undefined) {
    const attribute = 'LinearShuntCompensator.bPerSection';
    demandPower(eq, object, attribute, total, nominal, nominal ** 2 / phases.length);
  }
  for (const phase of phaseObjects) {
    const attribute = 'LinearShuntCompensatorPhase.bPerSection';
    demandPower(eq, phase, attribute, eq.optionalNumber(phase, attribute) ?? 0, nominal, ratedVoltageV ** 2);
  }
  const sectionCount = eq.optionalNumber(object, 'ShuntCompensator.maximumSections') ?? 1;
  demand(
    eq,
    object,
    'ShuntCompensator.maximumSections',
    sectionCount,
    sectionCount >= 1 && Number.isInteger(sectionCount),
    'a whole number from 1',
  );
  const sections = (of: CimObject | undefined, ...attributes: readonly string[]) =>
    attributes
      .map((attribute) => {
        const value = eq.optionalNumber(of, attribute);
        if (value === undefined) return undefined;
        const isRight = value >= 0 && value <= sectionCount && Number.isInteger(value);
        return demand(eq, of, attribute, value, isRight, `0 to ${sectionCount}, whole`) ? value : 0;
      })
      .find((value) => value !== undefined);
  const present = sections(object, 'ShuntCompensator.sections');
  const whole = present ?? sections(object, 'ShuntCompensator.normalSections') ?? 0;
  const control = readControl(eq, object, ending.bus, connection);
  return {
    kind: 'capacitor',
    id: object.id,
    mrid: object.mrid,
    name: object.name,
    terminal: eq.terminal(ending, [...new Set(shares.flatMap((share) => [share.node, share.otherNode]))]),
    connection,
    sectionVar,
    ratedVoltageV: nominal,
    shares,
    sectionCount: Math.max(1, sectionCount),
    sectionsOn: phases.map(
      (_, k) =>
        sections(phaseObjects[k], 'ShuntCompensatorPhase.sections') ??
        present ??
        sections(phaseObjects[k], 'ShuntCompensatorPhase.normalSections') ??
        whole,
    ),
    ...(control ? { control } : {}),
  };
}
