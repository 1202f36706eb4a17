/*
 * Power and energy of a battery behind its inverter.
 *
 * Steps: the state (charging, discharging, idling) and rate from profile and triggers; a full battery does not charge, one at
 * its reserve does not discharge; power at the terminals; then the energy of a step: charging (P_dc - idle) * efficiency,
 * discharging (P_dc + idle) / efficiency, where P_dc is the power behind the inverter's own efficiency.
 * Source: behaviour of OpenDSS' Storage as measured with DSS C-API 0.14.5.
 */
import type { Battery, Cell, Inverter } from '../../model/index.js';
import { curveValue } from './curve.js';
import { inverterPower, type TerminalPower } from './inverter-limit.js';
import type { InverterRequest } from './pv-power.js';

/** What a battery does now. */
export interface StorageOrder {
  readonly state: Cell['state'];
  /** Share of the rated charging or discharging power. */
  readonly rate: number;
}

/** Where the energy of a battery may be, Wh. */
type Store = Pick<Battery, 'ratedEnergyWh'> & { readonly cell: Cell };

/** Share of the rating below which a distance from full or from the reserve is rounding: 35 % of 2 MWh is 700000.0000000001 Wh. */
const ROUNDING = 1e-9;

const reserveWh = ({ ratedEnergyWh, cell }: Store) => (ratedEnergyWh * cell.reservePct) / 100;

/**
 * What a battery would do under a multiplier of its profile, before its energy is looked at.
 *
 * @param multiplier - present value of the profile; undefined in a snapshot, where the state of the model holds
 * @param isAtChargeHour - whether this step is the one in which charging starts
 * @param previous - what the stored energy allowed of the last order; undefined before the first
 */
export function storageOrder(
  cell: Cell,
  multiplier?: number,
  isAtChargeHour = false,
  previous?: StorageOrder,
): StorageOrder {
  const own = { charging: cell.chargeRatePct, discharging: cell.dischargeRatePct, idling: 0 };
  if (multiplier === undefined || cell.dispatch === 'external' || cell.dispatch === 'price') {
    return previous ?? { state: cell.state, rate: own[cell.state] / 100 };
  }
  if (cell.dispatch === 'follow') {
    if (multiplier === 0) return { state: 'idling', rate: 0 };
    return { state: multiplier < 0 ? 'charging' : 'discharging', rate: Math.abs(multiplier) };
  }
  // First what goes on is ended, then what idles is begun; the clock comes last and charging on it has no level that ends it.
  const { chargeTrigger, dischargeTrigger } = cell;
  let state = previous?.state ?? cell.state;
  if (state === 'charging' && chargeTrigger !== 0 && chargeTrigger < multiplier) state = 'idling';
  else if (state === 'discharging' && dischargeTrigger !== 0 && dischargeTrigger > multiplier) state = 'idling';
  if (state === 'idling') {
    if (dischargeTrigger !== 0 && dischargeTrigger < multiplier) state = 'discharging';
    else if (chargeTrigger !== 0 && chargeTrigger > multiplier) state = 'charging';
    if (isAtChargeHour) state = 'charging';
  }
  return state === previous?.state ? previous : { state, rate: own[state] / 100 };
}

/** The order that the stored energy allows. */
export function allowedOrder(store: Store, storedWh: number, order: StorageOrder): StorageOrder {
  const slackWh = ROUNDING * store.ratedEnergyWh;
  const isFull = order.state === 'charging' && storedWh >= store.ratedEnergyWh - slackWh;
  const isEmpty = order.state === 'discharging' && storedWh <= reserveWh(store) + slackWh;
  return isFull || isEmpty ? { state: 'idling', rate: 0 } : order;
}

/** Power behind an inverter with an efficiency curve, W, for a power at its terminals; both without sign. */
export function directPowerW(inverter: Inverter | undefined, terminalW: number, isCharging: boolean): number {
  const curve = inverter?.efficiency;
  if (!curve || !inverter || terminalW === 0) return terminalW;
  // The curve's argument is the power behind the inverter: a few substitutions settle it far below rounding.
  let direct = terminalW;
  for (let k = 0; k < 40; k++) {
    const efficiency = curveValue(curve, direct / inverter.ratedVA);
    const next = isCharging ? terminalW * efficiency : terminalW / efficiency;
    if (!(Math.abs(next - direct) > 1e-12 * terminalW)) return next;
    direct = next;
  }
  return direct;
}

/** Power at the terminals of a battery, generation positive. */
export function storagePower(
  battery: Pick<Battery, 'maxPowerW' | 'maxChargeW' | 'ratedPowerVA'> & { readonly cell: Cell },
  inverter: Inverter,
  order: StorageOrder,
  request: InverterRequest = {},
): TerminalPower {
  const { cell, maxPowerW, maxChargeW } = battery;
  let offeredW: number;
  // More than the rating is never asked of the cell, whatever the rate says.
  const wanted = Math.min(1, order.rate) * (order.state === 'charging' ? maxChargeW : maxPowerW);
  // Below its cut-out power the inverter lets the cell idle.
  const isIdling = order.state === 'idling' || wanted < (inverter.cutOutPct / 100) * inverter.ratedVA;
  if (isIdling) {
    const lossW = (maxPowerW * cell.idlingLossPct) / 100;
    const curve = inverter.efficiency;
    offeredW = -(curve ? lossW / curveValue(curve, lossW / inverter.ratedVA) : lossW);
  } else {
    offeredW = order.state === 'charging' ? -wanted : wanted;
  }
  const limitW = request.limitW ?? Number.POSITIVE_INFINITY;
  const limitedW = Math.sign(offeredW) * Math.min(Math.abs(offeredW), limitW);
  const kept = request.priority === undefined ? inverter : { ...inverter, priority: request.priority };
  return inverterPower(kept, isIdling ? offeredW : limitedW, maxPowerW, true, request.powerVar);
}

/**
 * Stored energy after a step, Wh, within reserve and rating.
 *
 * @param powerW - power at the terminals during the step, W, generation positive
 * @param seconds - length of the step, s
 */
export function energyAfter(
  battery: Store & Pick<Battery, 'maxPowerW'> & { readonly inverter?: Inverter },
  storedWh: number,
  state: Cell['state'],
  powerW: number,
  seconds: number,
): number {
  const { cell, ratedEnergyWh } = battery;
  if (state === 'idling') return storedWh;
  const idleW = (battery.maxPowerW * cell.idlingLossPct) / 100;
  const directW = directPowerW(battery.inverter, Math.abs(powerW), state === 'charging');
  const hours = seconds / 3600;
  if (state === 'charging') {
    return Math.min(ratedEnergyWh, storedWh + ((directW - idleW) * cell.chargeEfficiencyPct * hours) / 100);
  }
  const drawn = ((directW + idleW) * hours * 100) / cell.dischargeEfficiencyPct;
  return Math.max(Math.min(storedWh, reserveWh(battery)), storedWh - drawn);
}
