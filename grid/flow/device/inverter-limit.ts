/*
 * What an inverter delivers of the power that is offered and the reactive power that is wanted.
 *
 * Steps: (1) the range of vars at this active power; (2) vars from power factor or fixed value, cut to that range;
 * (3) within the rating by priority: watts first, vars first, or both along the power factor.
 * Source: behaviour of OpenDSS' PVSystem and Storage (ComputeInverterPower) as measured with DSS C-API 0.14.5; IEEE 1547-2018,
 * clause 5.2 for reactive power capability.
 */
import type { Inverter } from '../../model/index.js';

/** Active and reactive power at the terminals, generation positive. */
export interface TerminalPower {
  readonly powerW: number;
  readonly powerVar: number;
}

/** The vars an inverter may give (positive) and take (negative) at an active power. */
export interface VarRange {
  readonly givenVar: number;
  readonly takenVar: number;
}

/**
 * The range of vars at an active power.
 *
 * @param powerW - active power, W; its sign does not matter
 * @param ratedW - what the percentages of the inverter mean: Pmpp of a panel, rated power of a battery, W
 */
export function varRange(inverter: Inverter, powerW: number, ratedW: number): VarRange {
  const share = ratedW > 0 ? (100 * Math.abs(powerW)) / ratedW : 0;
  if (inverter.leastPowerForVarPct > 0 && share < inverter.leastPowerForVarPct) return { givenVar: 0, takenVar: 0 };
  const full = inverter.leastPowerForAllVarPct;
  const part = full > 0 && share < full ? share / full : 1;
  return { givenVar: inverter.maxVar * part, takenVar: inverter.minVar * part };
}

/** Vars that the inverter's own setting asks for at an active power, var. */
export function wantedVar(inverter: Inverter, powerW: number): number {
  const { reactive } = inverter;
  if (reactive.by === 'var') return reactive.powerVar;
  const factor = Math.abs(reactive.powerFactor);
  if (factor >= 1 || factor === 0) return 0;
  return powerW * Math.sqrt(1 / factor ** 2 - 1) * Math.sign(reactive.powerFactor);
}

/**
 * Brings a power within the rating.
 *
 * @param priority - what is kept; `powerFactor` keeps the ratio of the two
 */
export function withinRating(power: TerminalPower, ratedVA: number, priority: Inverter['priority']): TerminalPower {
  const { powerW, powerVar } = power;
  const size = Math.hypot(powerW, powerVar);
  if (size <= ratedVA) return power;
  if (priority === 'powerFactor') return { powerW: (powerW * ratedVA) / size, powerVar: (powerVar * ratedVA) / size };
  const rest = (used: number) => Math.sqrt(Math.max(0, ratedVA ** 2 - used ** 2));
  if (priority === 'watt') {
    const kept = Math.sign(powerW) * Math.min(Math.abs(powerW), ratedVA);
    return { powerW: kept, powerVar: Math.sign(powerVar) * Math.min(Math.abs(powerVar), rest(kept)) };
  }
  const kept = Math.sign(powerVar) * Math.min(Math.abs(powerVar), ratedVA);
  return { powerW: Math.sign(powerW) * Math.min(Math.abs(powerW), rest(kept)), powerVar: kept };
}

/**
 * What comes out of an inverter.
 *
 * @param offeredW - active power behind it after its own losses, W; negative while charging
 * @param ratedW - see {@link varRange}
 * @param isOn - without it only vars are left, and none where they follow the inverter
 * @param controlVar - vars a control asks for in the place of the inverter's own setting
 */
export function inverterPower(
  inverter: Inverter,
  offeredW: number,
  ratedW: number,
  isOn: boolean,
  controlVar?: number,
): TerminalPower {
  if (!isOn && inverter.varFollowsInverter) return { powerW: 0, powerVar: 0 };
  const runningW = isOn ? offeredW : 0;
  const { givenVar, takenVar } = varRange(inverter, runningW, ratedW);
  const wanted = controlVar ?? wantedVar(inverter, runningW);
  const powerVar = Math.min(givenVar, Math.max(-takenVar, wanted));
  if (inverter.priority !== 'powerFactor' || controlVar !== undefined) {
    return withinRating({ powerW: runningW, powerVar }, inverter.ratedVA, inverter.priority);
  }
  // Along its power factor a unit lowers its watts with vars that kvarMax has cut, not with those that too little power
  // has cut; above the rating it comes back to the factor that was set in either case.
  const isCutByMost = powerVar !== wanted && givenVar === inverter.maxVar && takenVar === inverter.minVar;
  const powerW = isCutByMost ? (runningW * powerVar) / wanted : runningW;
  return Math.hypot(powerW, powerVar) > inverter.ratedVA
    ? withinRating({ powerW: runningW, powerVar: wanted }, inverter.ratedVA, 'powerFactor')
    : { powerW, powerVar };
}
