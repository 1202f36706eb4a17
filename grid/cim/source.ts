import type { Source } from '../model/index.js';
import type { CimEquipment } from './equipment.js';
import type { CimObject } from './object-index.js';
import { nodeOfPhase, phasesOf } from './phase.js';

/** Impedance of a source that gives none, ohm: stiff. */
const STIFF_OHM = 1e-4;

/**
 * Maps one EnergySource.
 *
 * @returns undefined, with a finding, when it cannot be placed or has no voltage
 */
export function readSource(eq: CimEquipment, object: CimObject): Source | undefined {
  const ending = eq.endings(object, 1)?.[0];
  if (!ending) return undefined;
  const base = eq.equipmentBase(object) ?? eq.busBase(ending.bus);
  const nominal = eq.optionalNumber(object, 'EnergySource.nominalVoltage') ?? base;
  const voltage = eq.optionalNumber(object, 'EnergySource.voltageMagnitude') ?? nominal;
  if (nominal === undefined || voltage === undefined || !(nominal > 0) || !(voltage > 0)) {
    eq.findings.add('error', 'MISSING_ATTRIBUTE', object, 'It has no voltage and is left out.', {
      attribute: 'EnergySource.nominalVoltage',
    });
    return undefined;
  }
  const phases = eq.index
    .referrers(object.id, 'EnergySourcePhase.EnergySource')
    .flatMap((phase) => phasesOf(phase.get('EnergySourcePhase.phase')))
    .filter((phase) => phase !== 'N');
  const r = eq.number(object, 'EnergySource.r', 0);
  const x = eq.number(object, 'EnergySource.x', STIFF_OHM);
  return {
    kind: 'source',
    id: object.id,
    mrid: object.mrid,
    name: object.name,
    terminal: eq.terminal(ending, phases.length > 0 ? phases.map(nodeOfPhase).sort() : [1, 2, 3]),
    voltageV: voltage,
    nominalVoltageV: nominal,
    angleRad: eq.optionalNumber(object, 'EnergySource.voltageAngle') ?? 0,
    r1Ohm: r,
    x1Ohm: x,
    r0Ohm: eq.optionalNumber(object, 'EnergySource.r0') ?? r,
    x0Ohm: eq.optionalNumber(object, 'EnergySource.x0') ?? x,
  };
}
