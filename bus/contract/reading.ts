import type { SimulationMeasurement } from './simulation-output.js';

/** Types of measurements as the model declares them. */
export type MeasurementType = 'PNV' | 'VA' | 'A' | 'Pos' | 'SoC';

/**
 * A measured quantity as its declared type says. The wire does not tell voltages from powers (both are a magnitude and an
 * angle), so a measurement is never read without its type.
 */
export type Reading =
  /** Voltage to neutral, of one leg on a split-phase bus. */
  | { readonly kind: 'voltage'; readonly magnitudeV: number; readonly angleRad: number }
  /** Power into the element: a generating unit reads negative. */
  | { readonly kind: 'power'; readonly powerW: number; readonly powerVar: number }
  | { readonly kind: 'current'; readonly magnitudeA: number; readonly angleRad: number }
  /** 1 closed or in, 0 open or out, steps of a tap changer. */
  | { readonly kind: 'position'; readonly value: number }
  | { readonly kind: 'stateOfCharge'; readonly percent: number };

/**
 * Reads a measurement by type.
 * @returns undefined when the quantities of this type are not in it or are no numbers
 */
export function readMeasurement(type: MeasurementType, measured: SimulationMeasurement): Reading | undefined {
  const { magnitude, value } = measured;
  if (type === 'Pos' || type === 'SoC') {
    if (value === undefined || !Number.isFinite(value)) return undefined;
    return type === 'Pos' ? { kind: 'position', value } : { kind: 'stateOfCharge', percent: value };
  }
  const angleRad = ((measured.angle ?? 0) * Math.PI) / 180;
  if (magnitude === undefined || !Number.isFinite(magnitude) || !Number.isFinite(angleRad)) return undefined;
  if (type === 'PNV') return { kind: 'voltage', magnitudeV: magnitude, angleRad };
  if (type === 'VA' && measured.angle === undefined) return undefined;
  if (type === 'A') return { kind: 'current', magnitudeA: magnitude, angleRad };
  return { kind: 'power', powerW: magnitude * Math.cos(angleRad), powerVar: magnitude * Math.sin(angleRad) };
}

/** The one spelling of a measurement's or device's mRID, for look-ups: without `urn:uuid:` and `_`, upper case. */
export function mridKey(written: string): string {
  return written
    .trim()
    .replace(/^urn:uuid:/i, '')
    .replace(/^[#_]+/, '')
    .toUpperCase();
}
