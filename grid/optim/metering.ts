import type { Battery, FeederData, Load, Machine, PhotovoltaicSystem } from '../model/index.js';
import { type Forecast, lowestLoadRatio, nominalLoadPower, type PvEstimate, type PvObservation } from './estimation.js';

/** A reading of one phase as far as estimation uses it: never a bare magnitude, always with what it is. */
export type MeterReading =
  /** Into the element: a generating unit reads negative. */
  | { readonly kind: 'power'; readonly powerW: number; readonly powerVar: number }
  | { readonly kind: 'voltage'; readonly magnitudeV: number }
  | { readonly kind: 'current' | 'position' | 'stateOfCharge' };

/** Active and reactive power, W and var. */
export interface Power {
  readonly powerW: number;
  readonly powerVar: number;
}

/** Loads and generation that are read and estimated together. */
export interface MeteredEquipment {
  readonly loads: readonly Load[];
  readonly pvSystems: readonly PhotovoltaicSystem[];
  readonly batteries: readonly Battery[];
  readonly machines: readonly Machine[];
  /** Buses whose nodes 1 and 2 are legs of a split-phase service. */
  readonly splitPhaseBuses: ReadonlySet<string>;
}

/** Loads and held generation for an interval, as {@link import('./star.js').LocalInputs} wants them. */
export interface MeteredShare {
  readonly loads: Readonly<Record<string, Power>>;
  readonly held: Readonly<Record<string, Power>>;
  /** Whether every load and unit was read. */
  readonly isMeasured: boolean;
}

interface Meter {
  readonly powerByPhase: Map<string, Power>;
  readonly voltageByPhase: Map<string, number>;
}

/** The meters of some equipment: readings of the present instant, limits in force, and what was learnt of each PV unit. */
export class Meters {
  readonly equipment: MeteredEquipment;
  private readonly meters = new Map<string, Meter>();
  private readonly limits = new Map<string, number>();
  private readonly yields = new Map<string, number>();

  constructor(equipment: MeteredEquipment) {
    this.equipment = equipment;
    const { loads, pvSystems, batteries, machines } = equipment;
    for (const { id } of [...loads, ...pvSystems, ...batteries, ...machines]) {
      this.meters.set(id, { powerByPhase: new Map(), voltageByPhase: new Map() });
    }
    for (const pv of pvSystems) this.limits.set(pv.id, pv.maxPowerW);
  }

  /** Takes one reading; readings of other equipment are left aside. */
  observe(equipmentId: string, phase: string, reading: MeterReading): void {
    const meter = this.meters.get(equipmentId);
    if (meter === undefined) return;
    if (reading.kind === 'power') meter.powerByPhase.set(phase, reading);
    else if (reading.kind === 'voltage') meter.voltageByPhase.set(phase, reading.magnitudeV);
  }

  /** Forgets all readings but keeps limits and yields. */
  clear(): void {
    for (const meter of this.meters.values()) {
      meter.powerByPhase.clear();
      meter.voltageByPhase.clear();
    }
  }

  /** Sum of the measured phases, into the element; undefined without a reading. */
  power(id: string): Power | undefined {
    const phases = this.meters.get(id)?.powerByPhase;
    if (phases === undefined || phases.size === 0) return undefined;
    let powerW = 0;
    let powerVar = 0;
    for (const phase of phases.values()) {
      powerW += phase.powerW;
      powerVar += phase.powerVar;
    }
    return { powerW, powerVar };
  }

  /** The PV units as observed. The sign is turned: what flows into a unit is not generated. */
  observations(): readonly PvObservation[] {
    return this.equipment.pvSystems.map(({ id, maxPowerW }) => {
      const measured = this.power(id);
      return {
        id,
        maxPowerW,
        measuredW: measured === undefined ? undefined : -measured.powerW,
        limitW: this.limits.get(id)!,
        yieldRatio: this.yields.get(id) ?? 1,
      };
    });
  }

  /** Remembers the yields that an estimate found. */
  learn(estimates: ReadonlyMap<string, PvEstimate>): void {
    for (const { id } of this.equipment.pvSystems) {
      const estimate = estimates.get(id);
      if (estimate !== undefined) this.yields.set(id, estimate.yieldRatio);
    }
  }

  /** Loads (at their least during the interval; by forecast when not read) and held generation that was read. */
  share(forecast: Forecast): MeteredShare {
    const { loads, pvSystems, batteries, machines } = this.equipment;
    const nominal: Record<string, Power> = {};
    const held: Record<string, Power> = {};
    let isMeasured = pvSystems.every(({ id }) => this.power(id) !== undefined);
    const ratio = lowestLoadRatio(forecast);
    for (const load of loads) {
      const measured = this.power(load.id);
      if (measured === undefined) {
        isMeasured = false;
        nominal[load.id] = forecastLoad(load, forecast);
        continue;
      }
      const power = nominalLoadPower(load, measured, this.voltagePu(load));
      nominal[load.id] = { powerW: power.powerW * ratio, powerVar: power.powerVar * ratio };
    }
    for (const { id } of [...batteries, ...machines]) {
      const measured = this.power(id);
      if (measured === undefined) isMeasured = false;
      else held[id] = { powerW: -measured.powerW, powerVar: -measured.powerVar };
    }
    return { loads: nominal, held, isMeasured };
  }

  /** Keeps in mind the limit that is now in force, W. */
  setLimit(pvId: string, limitW: number): void {
    if (this.limits.has(pvId)) this.limits.set(pvId, limitW);
  }

  /** Limit in force, W; undefined for units that are not here. */
  limitOf(pvId: string): number | undefined {
    return this.limits.get(pvId);
  }

  /** Mean measured voltage across a load over its rated voltage; undefined when not measured. */
  private voltagePu(load: Load): number | undefined {
    const voltages = [...(this.meters.get(load.id)?.voltageByPhase.values() ?? [])];
    const share = load.shares[0];
    if (voltages.length === 0 || share === undefined) return undefined;
    const mean = voltages.reduce((sum, v) => sum + v, 0) / voltages.length;
    // A share between two legs sees the sum of both, one between two phases sqrt(3) of a phase.
    const isBetween = share.otherNode > 0 && share.otherNode < 4;
    const across = !isBetween ? 1 : this.equipment.splitPhaseBuses.has(load.terminal.bus) ? 2 : Math.sqrt(3);
    return (mean * across) / share.ratedVoltageV;
  }
}

/** A load that was not read: its model's power at the least forecast. */
function forecastLoad(load: Load, forecast: Forecast): Power {
  const factor = forecast.load.length === 0 ? 1 : Math.min(...forecast.load);
  let powerW = 0;
  let powerVar = 0;
  for (const share of load.shares) {
    powerW += share.powerW * factor;
    powerVar += share.powerVar * factor;
  }
  return { powerW, powerVar };
}

/** The equipment of a feeder (or of some of its buses) that is metered. */
export function meteredEquipment(
  feeder: FeederData,
  isIncluded: (bus: string) => boolean = () => true,
): MeteredEquipment {
  const here = <T extends { readonly terminal: { readonly bus: string } }>(list: readonly T[]): readonly T[] =>
    list.filter((element) => isIncluded(element.terminal.bus));
  return {
    loads: here(feeder.loads),
    pvSystems: here(feeder.pvSystems),
    batteries: here(feeder.batteries),
    machines: here(feeder.machines),
    splitPhaseBuses: new Set(feeder.buses.filter((bus) => bus.isSplitPhase).map((bus) => bus.id)),
  };
}
