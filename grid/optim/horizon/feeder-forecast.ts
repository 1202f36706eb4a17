import type { FeederData } from '../../model/index.js';
import { type BatteryAssumptions, scheduledBattery } from './battery.js';
import type { FeederHorizonQuestion, LoadForecast } from './feeder-horizon.js';

/** Shapes that stand for forecasts of a whole feeder. */
export interface FeederShapes {
  /** Share of each load's model power, by step. */
  readonly load: Float64Array;
  /** Share of each PV system's largest power, by step. */
  readonly pv: Float64Array;
  readonly loadMultiplier?: number;
  readonly pvMultiplier?: number;
  /** Forecasts of single loads and PV systems by name (upper case), W; they go before the shapes. */
  readonly named?: ReadonlyMap<string, Float64Array>;
}

/** Loads, sun and batteries of a feeder over a horizon from shapes and named forecasts. */
export function feederForecast(
  feeder: FeederData,
  shapes: FeederShapes,
  assumptions: Partial<BatteryAssumptions> = {},
): Pick<FeederHorizonQuestion, 'loads' | 'availableW' | 'batteries'> {
  const { load, pv, loadMultiplier = 1, pvMultiplier = 1, named } = shapes;
  const loads: Record<string, LoadForecast> = {};
  for (const { id, name, shares } of feeder.loads) {
    const [w, q] = shares.reduce<readonly [number, number]>(([p, r], s) => [p + s.powerW, r + s.powerVar], [0, 0]);
    const own = named?.get(name.toUpperCase());
    const powerW = own ?? load.map((factor) => factor * loadMultiplier * w);
    // Reactive power keeps the model's power factor.
    loads[id] = {
      powerW,
      powerVar: w === 0 ? load.map((factor) => factor * loadMultiplier * q) : powerW.map((p) => (p * q) / w),
    };
  }
  const availableW: Record<string, Float64Array> = {};
  for (const { id, name, maxPowerW } of feeder.pvSystems) {
    availableW[id] =
      named?.get(name.toUpperCase()) ?? pv.map((factor) => Math.max(0, factor * pvMultiplier * maxPowerW));
  }
  const batteries = Object.fromEntries(
    feeder.batteries.map((battery) => [battery.id, scheduledBattery(battery, assumptions)] as const),
  );
  return { loads, availableW, batteries };
}
