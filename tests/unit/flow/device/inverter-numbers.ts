import type { Cell, Curve, Inverter, Panel } from '../../../../grid/model/index.js';

/** Curves of the reference scripts. */
export const EFFICIENCY: Curve = { name: 'eff', x: [0.1, 0.2, 0.4, 1], y: [0.86, 0.9, 0.93, 0.97] };
export const TEMPERATURE: Curve = { name: 'fac', x: [0, 25, 75, 100], y: [1.2, 1, 0.8, 0.6] };

/** OpenDSS' defaults for an inverter of 100 kVA. */
export function inverter(change: Partial<Inverter> = {}): Inverter {
  const ratedVA = change.ratedVA ?? 100e3;
  return {
    ratedVA,
    maxVar: ratedVA,
    minVar: ratedVA,
    reactive: { by: 'powerFactor', powerFactor: 1 },
    priority: 'var',
    cutInPct: 20,
    cutOutPct: 20,
    varFollowsInverter: false,
    leastPowerForVarPct: 0,
    leastPowerForAllVarPct: 0,
    isCurrentLimited: false,
    ...change,
  };
}

/** OpenDSS' defaults for a panel of 100 kW in full sun. */
export function panel(change: Partial<Panel> = {}): Panel {
  return { maxPowerPointW: 100e3, irradiance: 1, maxPowerPointPct: 100, temperatureC: 25, ...change };
}

/** OpenDSS' defaults for a cell. */
export function cell(change: Partial<Cell> = {}): Cell {
  return {
    chargeEfficiencyPct: 90,
    dischargeEfficiencyPct: 90,
    idlingLossPct: 1,
    idlingVarPct: 0,
    reservePct: 20,
    state: 'idling',
    chargeRatePct: 100,
    dischargeRatePct: 100,
    dispatch: 'default',
    chargeTrigger: 0,
    dischargeTrigger: 0,
    chargeStartHour: 2,
    ...change,
  };
}
