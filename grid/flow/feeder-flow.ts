import type { Finding } from '../model/index.js';
import type { ControlSnapshot } from './control/queue.js';
import type { StorageOrder } from './device/storage-power.js';
import type { FlowCore } from './flow-core.js';
import type { PowerFlow, PowerFlowSettings } from './power-flow.js';
import type { UnitOutput } from './unit-state.js';

/** A power flow that also says what it noticed about the network. */
export interface FeederFlow extends PowerFlow {
  /** Settings of the last solve, those given at the start before the first. */
  readonly settings: PowerFlowSettings;
  /** Isolated nodes in the present switch state, controls that are kept but not acted. */
  readonly findings: readonly Finding[];
  /** Irradiance of a PV system, kW/m2, and temperature of its panel, deg C, in the place of the model's. */
  setIrradiance(pvId: string, irradiance: number, temperatureC?: number): void;
  /** Lets a unit follow its panel, cell or model again after {@link PowerFlow.setGeneration}. */
  releaseGeneration(derId: string): void;
  /** What a battery does; undefined: what its model says. */
  setStorage(batteryId: string, order: StorageOrder | undefined): void;
  /** What a battery does by the value of its profile and the hour at which charging starts. */
  followProfile(batteryId: string, multiplier: number, isAtChargeHour?: boolean): void;
  /** Stored energy of a battery, Wh. */
  storedEnergyWh(batteryId: string): number;
  setStoredEnergy(batteryId: string, energyWh: number): void;
  /** Power of a generating or storing unit now, and what it could give without a control's limit; generation positive. */
  generationOf(derId: string): UnitOutput;
  /** Lets time pass at the last solution: stored energy, moving averages, adaptive references. */
  advance(seconds: number): void;
  /** What the controls have announced and remember, as plain data for a time series to carry. */
  controlSnapshot(): ControlSnapshot;
  restoreControls(snapshot: ControlSnapshot): void;
  /** 1 for each of {@link PowerFlow.nodes} without a path to a source in the present switch state. */
  readonly isIsolated: Uint8Array;
  /** Network, laws and constants at the present states of all devices, for batches and sensitivities. */
  core(): FlowCore;
}
