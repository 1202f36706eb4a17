import type { PowerFlow } from '../../grid/flow/index.js';
import type { Battery, Feeder, Machine, PhotovoltaicSystem } from '../../grid/model/index.js';
import { largestPower, type Power, type Scenario, totalPower } from './scenario.js';

/** Seconds of an hour. */
const HOUR_S = 3600;

/** A commanded power; what is absent was not commanded. */
export interface PowerCommand {
  readonly powerW?: number;
  readonly powerVar?: number;
}

/** Energy in a battery and what it does now. */
interface BatteryState {
  readonly battery: Battery;
  readonly capacityWh: number;
  storedWh: number;
  /** Power at the terminals, W, discharging positive. */
  powerW: number;
}

/**
 * The part of a simulated grid that is not voltage: what was commanded, what is stored, and from both the power of every
 * device at an instant. Switches, taps and capacitors live in the power flow.
 */
export interface GridState {
  /** PV: largest power and reactive power; battery: power wanted; machine and load: power instead of the scenario's. */
  command(elementId: string, command: PowerCommand): void;
  /**
   * Moves the stored energy by `durationS` seconds.
   * @param deliveredW - power a battery exchanges with the grid as solved, W, discharging positive: nothing behind an open
   *        switch; undefined takes the power that was set
   */
  advance(durationS: number, deliveredW: (batteryId: string) => number | undefined): void;
  /**
   * Sets the power of every device for the instant `epochS` and the `durationS` seconds after it.
   * @returns whether anything differs from the last call
   */
  apply(flow: PowerFlow, epochS: number, durationS: number): boolean;
  /** Forgets what was set, so that the next `apply` sets all (for a new power flow). */
  invalidate(): void;
  /** State of charge, percent of the rated energy; undefined for what is no battery. */
  chargePercent(batteryId: string): number | undefined;
  /** Power of a PV system, battery or machine as last set, generation positive. */
  powerOf(derId: string): Power | undefined;
}

/** Makes the state of a feeder at the start of a scenario. */
export function createGridState(feeder: Feeder, scenario: Scenario): GridState {
  const commands = new Map<string, PowerCommand>();
  const lastSet = new Map<string, Power>();
  const batteries = new Map<string, BatteryState>();
  for (const battery of feeder.batteries) {
    const capacityWh = Math.max(0, battery.ratedEnergyWh);
    const initial = scenario.battery.initialCharge;
    const storedWh = initial === undefined ? battery.storedEnergyWh : capacityWh * initial;
    const state = { battery, capacityWh, storedWh: Math.min(Math.max(0, storedWh), capacityWh), powerW: 0 };
    batteries.set(battery.id, state);
  }

  const pvPower = (pv: PhotovoltaicSystem, epochS: number): Power => {
    const available = scenario.availablePv(pv, epochS);
    const { powerW: limitW, powerVar } = commands.get(pv.id) ?? {};
    const powerW = limitW === undefined ? available.powerW : Math.min(available.powerW, Math.max(0, limitW));
    return { powerW, powerVar: withinCapability(powerVar ?? available.powerVar, powerW, pv.ratedPowerVA) };
  };

  const batteryPower = (state: BatteryState, durationS: number): Power => {
    const { battery, capacityWh } = state;
    const nominal = totalPower(battery.shares);
    const { powerW: commandedW, powerVar } = commands.get(battery.id) ?? {};
    const { chargeEfficiency, dischargeEfficiency, reserve } = scenario.battery;
    const largestW = largestPower(battery);
    const largestChargeW = battery.maxChargeW > 0 ? battery.maxChargeW : largestW;
    const hours = durationS / HOUR_S;
    const usableWh = Math.max(0, state.storedWh - reserve * capacityWh);
    const roomWh = Math.max(0, capacityWh - state.storedWh);
    const dischargeLimitW = Math.min(largestW, (usableWh * dischargeEfficiency) / hours);
    const chargeLimitW = Math.min(largestChargeW, roomWh / chargeEfficiency / hours);
    const powerW = Math.min(dischargeLimitW, Math.max(-chargeLimitW, commandedW ?? nominal.powerW));
    state.powerW = powerW;
    return { powerW, powerVar: withinCapability(powerVar ?? nominal.powerVar, powerW, battery.ratedPowerVA) };
  };

  const machinePower = (machine: Machine): Power => ({ ...totalPower(machine.shares), ...commands.get(machine.id) });

  return {
    command(elementId, command) {
      commands.set(elementId, { ...commands.get(elementId), ...command });
    },
    advance(durationS, deliveredW) {
      const { chargeEfficiency, dischargeEfficiency } = scenario.battery;
      for (const state of batteries.values()) {
        const powerW = state.powerW === 0 ? 0 : (deliveredW(state.battery.id) ?? state.powerW);
        const fromStoreW = powerW >= 0 ? powerW / dischargeEfficiency : powerW * chargeEfficiency;
        state.storedWh = Math.min(state.capacityWh, Math.max(0, state.storedWh - (fromStoreW * durationS) / HOUR_S));
      }
    },
    apply(flow, epochS, durationS) {
      let isChanged = false;
      const set = (id: string, power: Power, write: (id: string, powerW: number, powerVar: number) => void): void => {
        const last = lastSet.get(id);
        if (last?.powerW === power.powerW && last.powerVar === power.powerVar) return;
        lastSet.set(id, power);
        write(id, power.powerW, power.powerVar);
        isChanged = true;
      };
      const setGeneration = (id: string, powerW: number, powerVar: number) => flow.setGeneration(id, powerW, powerVar);
      const setLoad = (id: string, powerW: number, powerVar: number) => flow.setLoadPower(id, powerW, powerVar);
      for (const load of feeder.loads) {
        set(load.id, { ...scenario.loadPower(load, epochS), ...commands.get(load.id) }, setLoad);
      }
      for (const pv of feeder.pvSystems) set(pv.id, pvPower(pv, epochS), setGeneration);
      for (const state of batteries.values()) set(state.battery.id, batteryPower(state, durationS), setGeneration);
      for (const machine of feeder.machines) set(machine.id, machinePower(machine), setGeneration);
      return isChanged;
    },
    invalidate() {
      lastSet.clear();
    },
    chargePercent(batteryId) {
      const state = batteries.get(batteryId);
      if (!state) return undefined;
      return state.capacityWh > 0 ? (100 * state.storedWh) / state.capacityWh : 0;
    },
    powerOf: (derId) => lastSet.get(derId),
  };
}

/** Reactive power an inverter can give beside its active power, which goes first; without a rating it is not limited. */
function withinCapability(powerVar: number, powerW: number, ratedPowerVA: number): number {
  if (!(ratedPowerVA > 0)) return powerVar;
  const limit = Math.sqrt(Math.max(0, ratedPowerVA ** 2 - powerW ** 2));
  return Math.min(limit, Math.max(-limit, powerVar));
}
