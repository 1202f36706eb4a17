/*
 * What a PV system could deliver and what a customer consumes during the coming interval, from measurements.
 *
 * Available PV. 1. A unit that runs below its limit is measured: its output is what it has. 2. A unit at its limit hides
 * what it has. It is taken from the forecast times the unit's own yield (measured over forecast when it was last free);
 * and when units beside it run free, their median yield now is used instead, because they see the same sky. Never less than
 * what is measured. 3. A unit without measurement has its forecast. 4. Look-ahead: scaled to the largest forecast of the
 * interval, so that a ramp meets limits that already fit it; loads are scaled to their smallest forecast.
 *
 * Loads. The measured power belongs to the measured voltage; the nominal power of the load's law (ZIP, constant impedance
 * outside its window) at that voltage is what a power flow needs.
 *
 * Fails towards safety: what is not known is taken as available.
 * Source: dec-ancestor study 9.4 (absolute limits from what is available, never old * (1 - alpha)).
 */
import type { Load } from '../model/index.js';

/** Forecast factors over the interval, the first one for the time of the measurements. */
export interface Forecast {
  /** Available PV, W per W of largest power. */
  readonly pv: readonly number[];
  /** Load, W per W of the model's load. */
  readonly load: readonly number[];
}

/** One PV system as observed. */
export interface PvObservation {
  readonly id: string;
  /** Largest active power, W. */
  readonly maxPowerW: number;
  /** Output by measurement of power, W, generation positive; undefined when not measured. */
  readonly measuredW: number | undefined;
  /** Limit in force, W. */
  readonly limitW: number;
  /** Measured over forecast power when the unit was last free; 1 when never seen free. */
  readonly yieldRatio: number;
}

/** Estimate for one PV system. */
export interface PvEstimate {
  readonly id: string;
  /** What the unit could deliver now, and the most during the interval, W. */
  readonly nowW: number;
  readonly availableW: number;
  /** Whether the unit stands at its limit, so that its measurement says nothing about the sun. */
  readonly isLimited: boolean;
  /** Yield to remember. */
  readonly yieldRatio: number;
}

/** A unit within this share of its limit (or this many W) is taken as held by it. */
const LIMIT_BAND_SHARE = 0.01;
const LIMIT_BAND_W = 10;
/** Below this forecast (W per W) a yield is noise and is not learnt. */
const YIELD_MIN_FORECAST = 0.05;
/** Yields outside are a wrong forecast or rating and are cut. */
const YIELD_MAX = 1.5;

/** Whether a unit is held back by its limit. */
export function isLimited(unit: PvObservation): boolean {
  if (unit.measuredW === undefined || unit.limitW >= unit.maxPowerW) return false;
  return unit.measuredW >= unit.limitW - Math.max(LIMIT_BAND_W, LIMIT_BAND_SHARE * unit.limitW);
}

/**
 * Available power of PV systems that see the same sky.
 *
 * @param units - the units of one agent (or of the primary)
 * @param forecast - factors over the interval
 */
export function estimateAvailable(units: readonly PvObservation[], forecast: Forecast): readonly PvEstimate[] {
  const now = forecast.pv[0] ?? 0;
  const peak = forecast.pv.reduce((most, factor) => Math.max(most, factor), now);
  const freeYields: number[] = [];
  const held = units.map(isLimited);
  units.forEach((unit, i) => {
    if (unit.measuredW === undefined || held[i]! || now < YIELD_MIN_FORECAST || unit.maxPowerW <= 0) return;
    freeYields.push(clampYield(unit.measuredW / (unit.maxPowerW * now)));
  });
  const neighbours = median(freeYields);
  return units.map((unit, i) => {
    const wasFree = unit.measuredW !== undefined && !held[i]!;
    let yieldRatio = unit.yieldRatio;
    let nowW: number;
    if (wasFree) {
      nowW = Math.max(0, unit.measuredW!);
      if (now >= YIELD_MIN_FORECAST && unit.maxPowerW > 0) yieldRatio = clampYield(nowW / (unit.maxPowerW * now));
    } else {
      if (held[i]! && neighbours !== undefined) yieldRatio = neighbours;
      nowW = Math.max(unit.measuredW ?? 0, Math.min(1, now * yieldRatio) * unit.maxPowerW);
    }
    const ahead = nowW + unit.maxPowerW * (peak - now) * yieldRatio;
    const availableW = unit.maxPowerW > 0 ? Math.max(nowW, Math.min(ahead, unit.maxPowerW)) : ahead;
    return { id: unit.id, nowW, availableW, isLimited: held[i]!, yieldRatio };
  });
}

/** Factor of the coming interval's smallest load over the present one. */
export function lowestLoadRatio(forecast: Forecast): number {
  const now = forecast.load[0] ?? 1;
  if (now <= 0) return 1;
  return forecast.load.reduce((least, factor) => Math.min(least, factor), now) / now;
}

/**
 * Nominal power of a load from its measured power.
 *
 * @param measured - W and var, consumption positive
 * @param voltagePu - measured voltage, pu of the load's rated voltage; undefined takes the measured power as nominal
 */
export function nominalLoadPower(
  load: Pick<Load, 'zipP' | 'zipQ' | 'voltageExponents' | 'minVoltagePu' | 'maxVoltagePu'>,
  measured: { readonly powerW: number; readonly powerVar: number },
  voltagePu: number | undefined,
): { readonly powerW: number; readonly powerVar: number } {
  if (voltagePu === undefined || !(voltagePu > 0.5 && voltagePu < 1.5)) return measured;
  const inside = Math.min(load.maxVoltagePu, Math.max(load.minVoltagePu, voltagePu));
  const outside = (voltagePu / inside) ** 2;
  const law = (zip: Load['zipP'], exponent: number): number =>
    (zip.z * inside * inside + zip.i * inside + zip.p * inside ** exponent) * outside;
  const p = law(load.zipP, load.voltageExponents?.p ?? 0);
  const q = law(load.zipQ, load.voltageExponents?.q ?? 0);
  return {
    powerW: p > 0 ? measured.powerW / p : measured.powerW,
    powerVar: q > 0 ? measured.powerVar / q : measured.powerVar,
  };
}

function clampYield(ratio: number): number {
  return Math.min(YIELD_MAX, Math.max(0, ratio));
}

function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
