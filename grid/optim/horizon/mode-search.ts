import type { ScheduledBattery } from './battery.js';
import { type CustomerHorizon, SCHEDULE_COSTS } from './customer-horizon.js';

/*
 * Which way every battery of a customer runs at every step, near the least cost, where prices pay for burning energy or selling
 * pays more than buying: a linear programme would run both ways there, and resting the lesser side of it can be far off.
 *
 * Solved: one battery at a time, the others as they are, by dynamic programming over levels of its store: the cost of a step
 *         depends on the change of level alone, any shape of it is allowed, and the sun is used as is best at that power.
 * Steps: backwards over the steps, value of each level; forwards from the present one. Batteries in turn, twice.
 * Cost: O(steps * levels * moves of a step). Fails: never; it is a guess, which a programme with those ways fixed makes exact.
 * Source: Bellman (1957), Dynamic Programming.
 */

/** Levels for the largest move of a step, and levels at most and at least. */
const MOVES = 24;
const LEVELS_MAX = 1500;
const LEVELS_MIN = 200;
const ROUNDS = 2;

/** What a customer does: per battery the power by step, kW, discharging positive; through the meter, kW, drawn positive. */
export interface Modes {
  readonly batteryKw: readonly Float64Array[];
  readonly netKw: Float64Array;
}

/**
 * Looks for the ways of a customer's batteries.
 *
 * @param begin - power of each battery to begin with, kW by step, discharging positive; rest when absent
 * @param isBackwards - takes the last battery first
 */
export function searchModes(customer: CustomerHorizon, begin?: readonly Float64Array[], isBackwards = false): Modes {
  const { batteries, loadW } = customer;
  const steps = loadW.length;
  const powers: Float64Array[] = batteries.map((_, b) => begin?.[b] ?? new Float64Array(steps));
  const order = batteries.map((_, b) => (isBackwards ? batteries.length - 1 - b : b));
  const rounds = batteries.length > 1 ? ROUNDS : 1;
  for (let round = 0; round < rounds; round++) {
    for (const b of order) {
      const othersKw = new Float64Array(steps);
      powers.forEach((power, other) => {
        if (other !== b) for (let t = 0; t < steps; t++) othersKw[t]! += power[t]!;
      });
      powers[b] = bestOf(customer, batteries[b]!, othersKw);
    }
  }
  const netKw = Float64Array.from(loadW, (_, t) => {
    const powerKw = powers.reduce((sum, power) => sum + power[t]!, 0);
    return stepCost(customer, t, powerKw).netKw;
  });
  return { batteryKw: powers, netKw };
}

/** Least cost of a step at a battery power, and the power through the meter there; infinite where no sun keeps the meter's limits. */
function stepCost(
  customer: CustomerHorizon,
  t: number,
  powerKw: number,
): { readonly cost: number; readonly netKw: number } {
  const { stepS, importPrice, exportPrice, loadW, availableW } = customer;
  const { curtailmentPerKwh } = { ...SCHEDULE_COSTS, ...customer.costs };
  const hours = stepS / 3600;
  const sunKw = availableW[t]! / 1000;
  const wantedKw = loadW[t]! / 1000 - powerKw;
  const mostIn = (customer.importLimitW?.[t] ?? Infinity) / 1000;
  const mostOut = (customer.exportLimitW?.[t] ?? Infinity) / 1000;
  // A line between the points at which the meter turns or stands at a limit: the least lies at one of them.
  let [cost, netKw] = [Infinity, wantedKw];
  for (const used of [0, sunKw, wantedKw, wantedKw - mostIn, wantedKw + mostOut]) {
    if (!(used >= 0 && used <= sunKw)) continue;
    const net = wantedKw - used;
    if (net > mostIn + 1e-9 || -net > mostOut + 1e-9) continue;
    const money = hours * (net * (net > 0 ? importPrice[t]! : exportPrice[t]!) + curtailmentPerKwh * (sunKw - used));
    if (money < cost) [cost, netKw] = [money, net];
  }
  return { cost, netKw };
}

/** Power of one battery by step, kW, discharging positive. */
function bestOf(customer: CustomerHorizon, battery: ScheduledBattery, othersKw: Float64Array): Float64Array {
  const { loadW, end } = customer;
  const { throughputPerKwh } = { ...SCHEDULE_COSTS, ...customer.costs };
  const steps = loadW.length;
  const hours = customer.stepS / 3600;
  const rangeKwh = (battery.maxStoredWh - battery.minStoredWh) / 1000;
  const power: Float64Array = new Float64Array(steps);
  const upKwh = (hours * battery.chargeEfficiency * battery.maxChargeW) / 1000;
  const downKwh = (hours * battery.maxDischargeW) / 1000 / battery.dischargeEfficiency;
  const moveKwh = Math.max(upKwh, downKwh);
  if (!(rangeKwh > 0) || !(moveKwh > 0)) return power;
  const levels = Math.round(Math.min(LEVELS_MAX, Math.max(LEVELS_MIN, (MOVES * rangeKwh) / moveKwh)));
  const sizeKwh = rangeKwh / levels;
  const up = Math.floor(upKwh / sizeKwh + 1e-9);
  const down = Math.floor(downKwh / sizeKwh + 1e-9);
  const levelOf = (storedWh: number) => (storedWh - battery.minStoredWh) / 1000 / sizeKwh;
  const begin = Math.min(levels, Math.max(0, Math.round(levelOf(battery.storedWh))));
  const kwOf = (move: number) =>
    move > 0
      ? (-move * sizeKwh) / hours / battery.chargeEfficiency
      : ((-move * sizeKwh) / hours) * battery.dischargeEfficiency;

  let after = Float64Array.from({ length: levels + 1 }, (_, level) => {
    if (end.kind === 'cyclic') return level === begin ? 0 : Infinity;
    if (end.kind === 'free') return -(end.valuePerKwh ?? 0) * level * sizeKwh;
    const wantedWh = end.kind === 'atLeast' ? end.share * battery.maxStoredWh : (end.storedWh[battery.id] ?? 0);
    // What cannot be reached is asked of nobody.
    const reach = Math.min(levels, begin + steps * up);
    return level >= Math.min(reach, Math.floor(levelOf(wantedWh))) ? 0 : Infinity;
  });
  const moves = new Int16Array(steps * (levels + 1));
  const costs = new Float64Array(up + down + 1);
  for (let t = steps - 1; t >= 0; t--) {
    for (let move = -down; move <= up; move++) {
      const kw = kwOf(move);
      costs[move + down] = stepCost(customer, t, othersKw[t]! + kw).cost + hours * throughputPerKwh * Math.abs(kw);
    }
    const now = new Float64Array(levels + 1).fill(Infinity);
    for (let level = 0; level <= levels; level++) {
      const last = Math.min(up, levels - level);
      let [least, best] = [Infinity, 0];
      for (let move = -Math.min(down, level); move <= last; move++) {
        const cost = costs[move + down]! + after[level + move]!;
        if (cost < least) [least, best] = [cost, move];
      }
      now[level] = least;
      moves[t * (levels + 1) + level] = best;
    }
    after = now;
  }
  let level = begin;
  for (let t = 0; t < steps; t++) {
    const move = moves[t * (levels + 1) + level]!;
    power[t] = kwOf(move);
    level += move;
  }
  return power;
}
