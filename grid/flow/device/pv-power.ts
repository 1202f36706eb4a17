/*
 * Power of a photovoltaic system from sun and temperature.
 *
 * Steps: panel power = Pmpp * irradiance * curve(temperature); the inverter starts above cut-in and stops below cut-out;
 * its efficiency is taken at panel power over rating; not more than the allowed share of Pmpp passes; vars and rating by
 * inverter-limit.ts.
 * Source: behaviour of OpenDSS' PVSystem as measured with DSS C-API 0.14.5.
 */
import type { Inverter, Panel } from '../../model/index.js';
import { curveValue } from './curve.js';
import { inverterPower, type TerminalPower } from './inverter-limit.js';

/** What falls on a panel. */
export interface Sun {
  /** kW/m2, multipliers and profile included. */
  readonly irradiance: number;
  /** Temperature of the panel, deg C. */
  readonly temperatureC: number;
}

/** State and power of a photovoltaic system. */
export interface PvPower extends TerminalPower {
  /** Whether the inverter runs; it goes on in this state between cut-out and cut-in. */
  readonly isOn: boolean;
  /** DC power of the panel, W. */
  readonly panelW: number;
  /** Active power it could deliver without vars, within rating and share of Pmpp, W. */
  readonly availableW: number;
  /**
   * What functions of the active power take as their argument: panel power after efficiency, times the share of Pmpp, whatever
   * Pmpp, the rating and whether the inverter runs or not, W.
   */
  readonly offeredW: number;
}

/** What controls ask of an inverter. */
export interface InverterRequest {
  /** Upper limit of the active power, W. */
  readonly limitW?: number;
  /** Vars in the place of the inverter's own setting. */
  readonly powerVar?: number;
  /** What is kept when the rating is short, in the place of the inverter's own priority. */
  readonly priority?: Inverter['priority'];
}

/** DC power of a panel, W. */
export function panelPowerW(panel: Panel, sun: Sun): number {
  const factor = panel.temperatureFactor ? curveValue(panel.temperatureFactor, sun.temperatureC) : 1;
  return panel.maxPowerPointW * sun.irradiance * factor;
}

/**
 * Power of a photovoltaic system.
 *
 * @param wasOn - whether the inverter ran before; decides between cut-out and cut-in
 */
export function pvPower(
  panel: Panel,
  inverter: Inverter,
  sun: Sun,
  wasOn: boolean,
  request: InverterRequest = {},
): PvPower {
  const panelW = panelPowerW(panel, sun);
  const least = ((wasOn ? inverter.cutOutPct : inverter.cutInPct) * inverter.ratedVA) / 100;
  const isOn = panelW >= least;
  const efficiency = inverter.efficiency ? curveValue(inverter.efficiency, panelW / inverter.ratedVA) : 1;
  const mostW = (panel.maxPowerPointW * panel.maxPowerPointPct) / 100;
  const runningW = isOn ? Math.min(panelW * efficiency, mostW) : 0;
  const availableW = Math.min(runningW, inverter.ratedVA);
  const limitedW = Math.min(runningW, request.limitW ?? Number.POSITIVE_INFINITY);
  const kept = request.priority === undefined ? inverter : { ...inverter, priority: request.priority };
  const power = inverterPower(kept, limitedW, panel.maxPowerPointW, isOn, request.powerVar);
  const offeredW = (panelW * efficiency * panel.maxPowerPointPct) / 100;
  return { ...power, isOn, panelW, availableW, offeredW };
}
