import type { Battery, FeederData, Load, Machine, PhotovoltaicSystem } from '../model/index.js';
import { type Forecast, lowestLoadRatio, nominalLoadPower, type PvEstimate, type PvObservation } from './estimation.js';

/** A reading of one phase as far as estimation uses it: never a bare magnitude, always with what it is. */
export type MeterReading =
  /** Into the element: a generating unit reads negative. */
  | { readonly kind: 'power'; readonly powerW: number; readonly powerVar: number }
  | { readonly kind: 'voltage'; readonly magnitudeV: number; readonly angleRad: number }
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

type Metered = Load | PhotovoltaicSystem | Battery | Machine;

interface Meter {
  readonly element: Metered;
  /** By node: what flows into the element there. */
  readonly powerByNode: Map<number, Power>;
  readonly voltageByNode: Map<number, Phasor>;
}

/** Volts and radians. */
interface Phasor {
  readonly magnitudeV: number;
  readonly angleRad: number;
}

/** Below this share of its rated voltage a node is off. */
const DEAD_BELOW_PU = 0.1;

const NODE_OF_PHASE: Readonly<Record<string, number>> = { A: 1, B: 2, C: 3, s1: 1, s2: 2 };

/** The meters of some equipment: readings of the present instant, limits in force, and what was learnt of each PV unit. */
export class Meters {
  readonly equipment: MeteredEquipment;
  private readonly meters = new Map<string, Meter>();
  /** Voltages by bus and node, of whatever equipment was read there. */
  private readonly busVoltages = new Map<string, Phasor>();
  private readonly limits = new Map<string, number>();
  private readonly yields = new Map<string, number>();

  constructor(equipment: MeteredEquipment) {
    this.equipment = equipment;
    const { loads, pvSystems, batteries, machines } = equipment;
    for (const element of [...loads, ...pvSystems, ...batteries, ...machines]) {
      this.meters.set(element.id, { element, powerByNode: new Map(), voltageByNode: new Map() });
    }
    for (const pv of pvSystems) this.limits.set(pv.id, pv.maxPowerW);
  }

  /** Takes one reading; readings of other equipment are left aside. */
  observe(equipmentId: string, phase: string, reading: MeterReading): void {
    const meter = this.meters.get(equipmentId);
    const node = NODE_OF_PHASE[phase];
    if (meter === undefined || node === undefined) return;
    if (reading.kind === 'power') meter.powerByNode.set(node, reading);
    else if (reading.kind === 'voltage') {
      meter.voltageByNode.set(node, reading);
      this.busVoltages.set(`${meter.element.terminal.bus} ${node}`, reading);
    }
  }

  /** Takes a voltage that was read at a bus on other equipment. */
  observeVoltage(
    bus: string,
    phase: string,
    voltage: { readonly magnitudeV: number; readonly angleRad: number },
  ): void {
    const node = NODE_OF_PHASE[phase];
    if (node !== undefined) this.busVoltages.set(`${bus} ${node}`, voltage);
  }

  /** Forgets all readings but keeps limits and yields. */
  clear(): void {
    for (const meter of this.meters.values()) {
      meter.powerByNode.clear();
      meter.voltageByNode.clear();
    }
    this.busVoltages.clear();
  }

  /**
   * Power into an element, W and var; undefined when one of its shares was not read. What flows in at one end of a share
   * between two phases is only a part of its power: at the end that is not read the same current leaves at that voltage.
   */
  power(id: string): Power | undefined {
    const meter = this.meters.get(id);
    if (meter === undefined || meter.powerByNode.size === 0) return undefined;
    let powerW = 0;
    let powerVar = 0;
    for (const power of meter.powerByNode.values()) {
      powerW += power.powerW;
      powerVar += power.powerVar;
    }
    for (const { node, otherNode } of meter.element.shares) {
      const near = meter.powerByNode.get(node);
      const far = meter.powerByNode.get(otherNode);
      if (!isLive(otherNode) || (near !== undefined && far !== undefined)) {
        if (near === undefined) return undefined;
        continue;
      }
      const [read, unread, power] = near !== undefined ? [node, otherNode, near] : [otherNode, node, far];
      // Of a ring of shares the currents at one end are not those of one share.
      if (power === undefined || meter.element.shares.length > 1) return undefined;
      const ratio = this.voltageRatio(meter, unread, read);
      powerW -= power.powerW * ratio.re - power.powerVar * ratio.im;
      powerVar -= power.powerW * ratio.im + power.powerVar * ratio.re;
    }
    return { powerW, powerVar };
  }

  /** Complex ratio of two node voltages of a bus: as measured there, else in the nominal rotation. */
  private voltageRatio(meter: Meter, of: number, to: number): { readonly re: number; readonly im: number } {
    const { bus } = meter.element.terminal;
    const above = this.busVoltages.get(`${bus} ${of}`);
    const below = meter.voltageByNode.get(to) ?? this.busVoltages.get(`${bus} ${to}`);
    let size = 1;
    let angle = this.equipment.splitPhaseBuses.has(bus) ? Math.PI : ((to - of) * 2 * Math.PI) / 3;
    if (above !== undefined && below !== undefined && below.magnitudeV > 0) {
      size = above.magnitudeV / below.magnitudeV;
      angle = above.angleRad - below.angleRad;
    }
    return { re: size * Math.cos(angle), im: size * Math.sin(angle) };
  }

  /** The PV units as observed. The sign is turned: what flows into a unit is not generated. */
  observations(): readonly PvObservation[] {
    return this.equipment.pvSystems.map((unit) => {
      const { id, maxPowerW } = unit;
      // Where there is no voltage nothing can be generated, whatever the sun does: its zero is no yield to be learnt.
      const measured = this.isDead(unit) ? undefined : this.power(id);
      return {
        id,
        maxPowerW,
        measuredW: measured === undefined ? undefined : -measured.powerW,
        limitW: this.limits.get(id)!,
        yieldRatio: this.yields.get(id) ?? 1,
      };
    });
  }

  /** Whether voltages were read at the nodes of a unit, and none of them is live. */
  private isDead({ id, terminal, shares }: PhotovoltaicSystem): boolean {
    const meter = this.meters.get(id);
    const read = shares.flatMap(({ node, otherNode, ratedVoltageV }) =>
      [node, otherNode].filter(isLive).flatMap((one) => {
        const voltage = meter?.voltageByNode.get(one) ?? this.busVoltages.get(`${terminal.bus} ${one}`);
        return voltage === undefined ? [] : [voltage.magnitudeV / ratedVoltageV];
      }),
    );
    return read.length > 0 && read.every((pu) => pu < DEAD_BELOW_PU);
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
    const share = load.shares[0];
    const meter = this.meters.get(load.id);
    const own = [...(meter?.voltageByNode.values() ?? [])];
    if (share === undefined || meter === undefined || own.length === 0) return undefined;
    const mean = own.reduce((sum, { magnitudeV }) => sum + magnitudeV, 0) / own.length;
    if (!isLive(share.otherNode)) return mean / share.ratedVoltageV;
    if (load.shares.length > 1) return (mean * Math.sqrt(3)) / share.ratedVoltageV;
    const near = meter.voltageByNode.get(share.node) ?? this.busVoltages.get(`${load.terminal.bus} ${share.node}`);
    if (near === undefined) return undefined;
    const { re, im } = this.voltageRatio(meter, share.otherNode, share.node);
    return (near.magnitudeV * Math.hypot(1 - re, im)) / share.ratedVoltageV;
  }
}

/** Whether a node has a voltage of its own: a phase or a leg, not the ground or a neutral. */
function isLive(node: number): boolean {
  return node > 0 && node < 4;
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
