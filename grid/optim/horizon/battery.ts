import { DecError } from '../../math/index.js';
import type { Battery } from '../../model/index.js';

/** A battery as a schedule sees it: energy behind two efficiencies. Powers are at the AC side. */
export interface ScheduledBattery {
  readonly id: string;
  readonly maxChargeW: number;
  readonly maxDischargeW: number;
  /** Share of charged power that is stored, and of power taken from the store that is delivered; above 0, at most 1. */
  readonly chargeEfficiency: number;
  readonly dischargeEfficiency: number;
  readonly storedWh: number;
  /** Range in which the stored energy is kept; the lower end is the reserve, Wh. */
  readonly minStoredWh: number;
  readonly maxStoredWh: number;
  /** Share of the stored energy that is lost in an hour; default 0. */
  readonly lossPerHour?: number;
}

/** What the model does not say about a battery. */
export interface BatteryAssumptions {
  /** One-way efficiency of charging and of discharging. Default 0.95: 0.9 both ways. */
  readonly efficiency: number;
  /** Energy never used, share of the rated energy. Default 0.1. */
  readonly reserve: number;
}

/** Our choice for home systems with lithium cells: 0.9 both ways, a tenth kept back. */
export const BATTERY_ASSUMPTIONS: BatteryAssumptions = { efficiency: 0.95, reserve: 0.1 };

/**
 * The battery of a feeder model for a schedule; cell data of the model go before assumptions.
 *
 * @throws DecError `BAD_ARGUMENT` for assumptions outside their range
 */
export function scheduledBattery(battery: Battery, given: Partial<BatteryAssumptions> = {}): ScheduledBattery {
  const { efficiency, reserve } = { ...BATTERY_ASSUMPTIONS, ...given };
  const { cell } = battery;
  const ratingW = battery.ratedPowerVA > 0 ? battery.ratedPowerVA : Infinity;
  // A model may have its stored energy below the reserve; a schedule can only keep what is there.
  const reserveWh = (cell ? cell.reservePct / 100 : reserve) * battery.ratedEnergyWh;
  return checkedBattery({
    id: battery.id,
    maxChargeW: Math.min(battery.maxChargeW, ratingW),
    maxDischargeW: Math.min(battery.maxPowerW, ratingW),
    chargeEfficiency: cell ? cell.chargeEfficiencyPct / 100 : efficiency,
    dischargeEfficiency: cell ? cell.dischargeEfficiencyPct / 100 : efficiency,
    storedWh: Math.min(battery.storedEnergyWh, battery.ratedEnergyWh),
    minStoredWh: Math.min(reserveWh, battery.storedEnergyWh),
    maxStoredWh: battery.ratedEnergyWh,
  });
}

/**
 * The battery itself when its data make sense.
 *
 * @throws DecError `BAD_ARGUMENT` naming the battery and the value
 */
export function checkedBattery(battery: ScheduledBattery): ScheduledBattery {
  const { id, maxChargeW, maxDischargeW, chargeEfficiency, dischargeEfficiency, lossPerHour = 0 } = battery;
  const { storedWh, minStoredWh, maxStoredWh } = battery;
  const isShare = (value: number) => value > 0 && value <= 1;
  const wrong = !(maxChargeW >= 0 && maxDischargeW >= 0)
    ? `powers ${maxChargeW} and ${maxDischargeW} W; they are finite and not negative`
    : !isShare(chargeEfficiency) || !isShare(dischargeEfficiency)
      ? `efficiencies ${chargeEfficiency} and ${dischargeEfficiency}; they lie above 0 and at most at 1`
      : !(lossPerHour >= 0 && lossPerHour < 1)
        ? `a loss of ${lossPerHour} in an hour; it lies from 0 to below 1`
        : !(0 <= minStoredWh && minStoredWh <= storedWh + 1e-6 && storedWh <= maxStoredWh + 1e-6)
          ? `${storedWh} Wh stored, which is not within ${minStoredWh} and ${maxStoredWh} Wh`
          : undefined;
  if (wrong) throw new DecError('BAD_ARGUMENT', `The battery ${id} has ${wrong}.`, { battery: id });
  return battery;
}
