import type { Source } from '../model/index.js';
import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { nodeOfPhase, phasesOf } from './phase.js';
import { demand, demandSourceImpedance, demandVoltage } from './plausibility.js';

/** Classes read as sources. */
export const SOURCE_CLASSES = ['EnergySource', 'ExternalNetworkInjection'] as const;

/** Impedance of a source that gives none, ohm: stiff. */
const STIFF_OHM = 1e-4;

function ownImpedance(eq: CimEquipment, object: CimObject): { readonly r: number; readonly x: number } {
  return { r: eq.number(object, 'EnergySource.r', 0), x: eq.number(object, 'EnergySource.x', STIFF_OHM) };
}

/** Positive-sequence impedance of a network injection from its initial short-circuit current and R/X ratio, ohm. */
function networkImpedance(
  eq: CimEquipment,
  object: CimObject,
  nominalV: number,
): { readonly r: number; readonly x: number } {
  const current = eq.optionalNumber(object, 'ExternalNetworkInjection.maxInitialSymShCCurrent') ?? 0;
  if (!(current > 0)) {
    eq.findings.add('info', 'DEFAULTED_ATTRIBUTE', object, 'It has no short-circuit current; a stiff source is used.', {
      attribute: 'ExternalNetworkInjection.maxInitialSymShCCurrent',
    });
    return { r: 0, x: STIFF_OHM };
  }
  const ratio = eq.optionalNumber(object, 'ExternalNetworkInjection.maxR1ToX1Ratio') ?? 0;
  const z = nominalV / (Math.sqrt(3) * current);
  const x = z / Math.hypot(1, ratio);
  return { r: ratio * x, x };
}

/** Angle of phase A, rad; values that can only be degrees are taken as degrees. */
function angle(eq: CimEquipment, object: CimObject): number {
  const written = eq.optionalNumber(object, 'EnergySource.voltageAngle') ?? 0;
  if (Math.abs(written) <= 2 * Math.PI) return written;
  eq.findings.add(
    'warning',
    'UNIT',
    object,
    'Its voltage angle is beyond a full turn in radians and is read as degrees.',
    {
      attribute: 'EnergySource.voltageAngle',
      value: String(written),
    },
  );
  return (written * Math.PI) / 180;
}

/**
 * Maps one EnergySource, or one ExternalNetworkInjection as a source at nominal voltage behind its short-circuit impedance.
 *
 * @returns undefined, with a finding, when it cannot be placed or has no voltage
 */
export function readSource(eq: CimEquipment, object: CimObject): Source | undefined {
  const ending = eq.endings(object, 1)?.[0];
  if (!ending) return undefined;
  const base = eq.baseAt(object, ending.bus);
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
  const { r, x } =
    object.className === 'EnergySource' ? ownImpedance(eq, object) : networkImpedance(eq, object, nominal);
  const r0 = eq.optionalNumber(object, 'EnergySource.r0') ?? r;
  const x0 = eq.optionalNumber(object, 'EnergySource.x0') ?? x;
  if (base !== undefined) demandVoltage(eq, object, 'EnergySource.nominalVoltage', nominal, base);
  demandVoltage(eq, object, 'EnergySource.voltageMagnitude', voltage, nominal);
  demandSourceImpedance(eq, object, 'EnergySource.r', r, nominal);
  demandSourceImpedance(eq, object, 'EnergySource.x', x, nominal);
  demandSourceImpedance(eq, object, 'EnergySource.r0', r0, nominal, true);
  demandSourceImpedance(eq, object, 'EnergySource.x0', x0, nominal, true);
  demand(eq, object, 'EnergySource.x', x, r !== 0 || x !== 0, 'above 0 where r is 0: a source is behind an impedance');
  demand(eq, object, 'EnergySource.x0', x0, r0 !== 0 || x0 !== 0, 'above 0 where r0 is 0');
  return {
    kind: 'source',
    id: object.id,
    mrid: object.mrid,
    name: object.name,
    terminal: eq.terminal(ending, phases.length > 0 ? phases.map(nodeOfPhase).sort() : [1, 2, 3]),
    voltageV: voltage,
    nominalVoltageV: nominal,
    angleRad: angle(eq, object),
    r1Ohm: r,
    x1Ohm: x,
    r0Ohm: r0,
    x0Ohm: x0,
  };
}
