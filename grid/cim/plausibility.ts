/*
 * Ranges of values beyond which the attribute, not the network, is wrong. What cannot be is an error, what is likely a
 * mistake a warning; both name the attribute, its value and what is allowed.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';

/** Two voltages of one place differ by less than this factor, or one is an error: above sqrt(3), the commonest mistake. */
const VOLTAGE_FACTOR = 2;
/** Beyond this factor two voltages of one place are likely a mistake. */
const DOUBTFUL_VOLTAGE_FACTOR = 1.3;
/** No device of a distribution feeder has a GVA, or 100 kA, in one phase; one of 10 kA is doubtful. */
const POWER_VA = 1e9;
const CURRENT_A = 1e5;
const DOUBTFUL_CURRENT_A = 1e4;
/** Short-circuit power below which a source feeds nothing, and below which it is doubtful, VA. */
const SHORT_CIRCUIT_VA = 1e3;
const DOUBTFUL_SHORT_CIRCUIT_VA = 1e5;
/** Short-circuit current of the weakest substation; a source of a few kV and more with less feeds no feeder, A. */
const DOUBTFUL_SHORT_CIRCUIT_A = 200;
/** Above this a source is a substation, below it may be a generator of its own, V. */
const SUBSTATION_V = 1000;

/** A value as a finding quotes it, without digits that only arithmetic made. */
function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/**
 * Demands a range of a number that was read.
 *
 * @returns whether it is in the range
 */
export function demand(
  eq: CimEquipment,
  object: CimObject | undefined,
  attribute: string,
  value: number,
  isRight: boolean,
  allowed: string,
  severity: 'error' | 'warning' = 'error',
): boolean {
  if (!isRight && object) {
    const likely = severity === 'error' ? 'cannot be right' : 'is likely a mistake';
    eq.findings.add(severity, 'BAD_VALUE', object, `${attribute} ${likely}.`, {
      attribute,
      value: short(value),
      allowed,
    });
  }
  return isRight;
}

/**
 * Demands that a voltage fits the one of its place, V.
 *
 * @param why - what else it hangs on, after the expected voltage
 */
export function demandVoltage(
  eq: CimEquipment,
  object: CimObject | undefined,
  attribute: string,
  value: number,
  expectedV: number,
  why = '',
): boolean {
  const factor = value > 0 && expectedV > 0 ? Math.max(value / expectedV, expectedV / value) : Number.POSITIVE_INFINITY;
  const allowed = `about ${short(expectedV)} V${why}`;
  if (!demand(eq, object, attribute, value, factor <= VOLTAGE_FACTOR, allowed)) return false;
  demand(eq, object, attribute, value, factor <= DOUBTFUL_VOLTAGE_FACTOR, allowed, 'warning');
  return true;
}

/**
 * Demands a power that a device of a distribution feeder can have, W, var or VA.
 *
 * @param baseV - base voltage of its place, line-to-line V; undefined where the voltage is not known
 * @param powerOfOne - power of an attribute of 1, VA; 1 where the attribute is a power itself
 */
export function demandPower(
  eq: CimEquipment,
  object: CimObject,
  attribute: string,
  value: number,
  baseV: number | undefined,
  powerOfOne = 1,
): boolean {
  const size = Math.abs(value);
  const limit = (currentA: number) =>
    Math.min(POWER_VA, baseV === undefined ? POWER_VA : (baseV / Math.sqrt(3)) * currentA) / powerOfOne;
  if (size <= limit(DOUBTFUL_CURRENT_A)) return true;
  const allowed = (currentA: number) => `within ${short(limit(currentA))}`;
  if (!demand(eq, object, attribute, value, size <= limit(CURRENT_A), allowed(CURRENT_A))) return false;
  demand(eq, object, attribute, value, false, allowed(DOUBTFUL_CURRENT_A), 'warning');
  return true;
}

/**
 * Demands an impedance of a source, ohm, that lets it feed something.
 *
 * @param nominalV - its voltage, line-to-line V
 * @param isZeroSequence - which may be as large as a source without a neutral has it
 */
export function demandSourceImpedance(
  eq: CimEquipment,
  object: CimObject,
  attribute: string,
  ohm: number,
  nominalV: number,
  isZeroSequence = false,
): boolean {
  if (!demand(eq, object, attribute, ohm, ohm >= 0, '0 or above')) return false;
  const limit = (powerVA: number) => nominalV ** 2 / powerVA;
  const isRight = ohm <= limit(SHORT_CIRCUIT_VA);
  if (!demand(eq, object, attribute, ohm, isRight, `up to ${short(limit(SHORT_CIRCUIT_VA))} ohm`)) return false;
  if (isZeroSequence) return true;
  const current = nominalV > SUBSTATION_V ? DOUBTFUL_SHORT_CIRCUIT_A : 0;
  const power = Math.max(DOUBTFUL_SHORT_CIRCUIT_VA, Math.sqrt(3) * nominalV * current);
  const allowed = `up to ${short(limit(power))} ohm, a short-circuit power of ${short(power / 1e6)} MVA at ${short(nominalV)} V`;
  demand(eq, object, attribute, ohm, ohm <= limit(power), allowed, 'warning');
  return true;
}
