import { type CustomerHorizon, type CustomerSchedule, energyCost, SCHEDULE_COSTS } from './customer-horizon.js';
import type { Modes } from './mode-search.js';
import type { ProgrammeBuilder } from './programme-builder.js';

/*
 * One customer's schedule as variables and rows of a programme, kW and kWh.
 *
 * Solved (each step t of h hours, batteries b):
 *   min sum h (price_in in_t - price_out out_t + wear (ch_bt + dis_bt) + spill (available_t - pv_t)) - value e_bT
 *   in_t - out_t + pv_t + sum_b (dis_bt - ch_bt) = load_t
 *   e_bt = (1 - loss h) e_b,t-1 + h (eta_c ch_bt - dis_bt / eta_d),   e within [reserve, largest], its end as asked
 *   0 <= in_t <= import limit, 0 <= out_t <= export limit, 0 <= pv_t <= available_t, 0 <= ch, dis <= ratings.
 * Rows couple neighbouring steps only: the matrix is a band, and the factorisation of an interior-point step is O(T).
 * At a step with one price both ways, in_t - out_t is one variable; at one without sun pv_t is left out.
 */

/** Places of a customer's variables; -1 where a step has none. */
export interface SchedulePlaces {
  readonly import: Int32Array;
  readonly export: Int32Array;
  readonly pv: Int32Array;
  readonly batteries: readonly {
    readonly charge: Int32Array;
    readonly discharge: Int32Array;
    readonly stored: Int32Array;
  }[];
}

/** Sun below this is no variable, kW. */
const LEAST_SUN_KW = 1e-3;

/**
 * Adds a customer to a programme.
 *
 * @param mayCurtail - steps at which the sun is a variable; all of them when absent
 */
export function addSchedule(
  builder: ProgrammeBuilder,
  customer: CustomerHorizon,
  mayCurtail: (step: number) => boolean = () => true,
): SchedulePlaces {
  const { importPrice, exportPrice, loadW, availableW, batteries, end } = customer;
  const { throughputPerKwh, curtailmentPerKwh } = { ...SCHEDULE_COSTS, ...customer.costs };
  const steps = loadW.length;
  const hours = customer.stepS / 3600;
  const places = () => new Int32Array(steps).fill(-1);
  const [imports, exports, pv] = [places(), places(), places()];
  const balance = new Int32Array(steps);
  const chargeKw = batteries.reduce((sum, { maxChargeW }) => sum + maxChargeW / 1000, 0);
  const dischargeKw = batteries.reduce((sum, { maxDischargeW }) => sum + maxDischargeW / 1000, 0);
  for (let t = 0; t < steps; t++) {
    const sunKw = availableW[t]! / 1000;
    const isVariable = sunKw >= LEAST_SUN_KW && mayCurtail(t);
    const loadKw = loadW[t]! / 1000;
    balance[t] = builder.row(loadKw - (isVariable ? 0 : sunKw));
    // More than this cannot pass the meter; finite bounds keep the solver's start sensible.
    const mostIn = Math.min((customer.importLimitW?.[t] ?? Infinity) / 1000, Math.max(0, loadKw) + chargeKw);
    const mostOut = Math.min(
      (customer.exportLimitW?.[t] ?? Infinity) / 1000,
      Math.max(0, sunKw - Math.min(0, loadKw)) + dischargeKw,
    );
    const buy = hours * importPrice[t]!;
    const sell = hours * exportPrice[t]!;
    if (buy === sell) imports[t] = builder.variable(-mostOut, mostIn, buy);
    else {
      imports[t] = builder.variable(0, mostIn, buy);
      exports[t] = builder.variable(0, mostOut, -sell);
      builder.entry(balance[t]!, exports[t]!, -1);
    }
    builder.entry(balance[t]!, imports[t]!, 1);
    if (isVariable) {
      pv[t] = builder.variable(0, sunKw, -hours * curtailmentPerKwh);
      builder.entry(balance[t]!, pv[t]!, 1);
    }
  }
  const wear = hours * throughputPerKwh;
  const batteryPlaces = batteries.map((battery) => {
    const [charge, discharge, stored] = [places(), places(), places()];
    const keep = 1 - (battery.lossPerHour ?? 0) * hours;
    const startKwh = battery.storedWh / 1000;
    const [minKwh, maxKwh] = [battery.minStoredWh / 1000, battery.maxStoredWh / 1000];
    let reachableKwh = startKwh;
    if (end.kind === 'stored') {
      for (let t = 0; t < steps; t++) {
        reachableKwh = Math.min(
          maxKwh,
          keep * reachableKwh + (hours * battery.chargeEfficiency * battery.maxChargeW) / 1000,
        );
      }
      // A hair less, so that rounding does not ask for more than there can be.
      reachableKwh *= 1 - 1e-9;
    }
    for (let t = 0; t < steps; t++) {
      charge[t] = builder.variable(0, battery.maxChargeW / 1000, wear);
      discharge[t] = builder.variable(0, battery.maxDischargeW / 1000, wear);
      let [least, most] = [minKwh, maxKwh];
      if (t === steps - 1) {
        if (end.kind === 'cyclic') least = most = startKwh;
        if (end.kind === 'atLeast') least = Math.max(minKwh, end.share * maxKwh);
        if (end.kind === 'stored')
          least = Math.max(minKwh, Math.min(reachableKwh, (end.storedWh[battery.id] ?? 0) / 1000));
      }
      const worth = t === steps - 1 && end.kind === 'free' ? (end.valuePerKwh ?? 0) : 0;
      stored[t] = builder.variable(least, most, -worth);
      builder.entry(balance[t]!, charge[t]!, -1);
      builder.entry(balance[t]!, discharge[t]!, 1);
      const row = builder.row(t === 0 ? keep * startKwh : 0);
      builder.entry(row, stored[t]!, 1);
      if (t > 0) builder.entry(row, stored[t - 1]!, -keep);
      builder.entry(row, charge[t]!, -hours * battery.chargeEfficiency);
      builder.entry(row, discharge[t]!, hours / battery.dischargeEfficiency);
    }
    return { charge, discharge, stored };
  });
  return { import: imports, export: exports, pv, batteries: batteryPlaces };
}

/** Two variables of which one must rest: charge and discharge, or import and export where selling pays more than buying. */
export interface ExclusivePair {
  readonly first: number;
  readonly second: number;
  /** What the smaller of the two may be, kW. */
  readonly tolerance: number;
}

/** Share of the largest power that counts as rest. */
const REST = 1e-6;

/** Pairs of a customer of which both run in a solution, the worst first. */
export function runningPairs(
  customer: CustomerHorizon,
  places: SchedulePlaces,
  x: ArrayLike<number>,
): readonly ExclusivePair[] {
  const found: (ExclusivePair & { readonly by: number })[] = [];
  const look = (first: number, second: number, sizeKw: number) => {
    if (first < 0 || second < 0) return;
    const by = Math.min(x[first]!, x[second]!);
    const tolerance = REST * Math.max(1, sizeKw);
    if (by > tolerance) found.push({ first, second, tolerance, by });
  };
  customer.batteries.forEach(({ maxChargeW, maxDischargeW }, b) => {
    const { charge, discharge } = places.batteries[b]!;
    for (let t = 0; t < charge.length; t++) look(charge[t]!, discharge[t]!, Math.max(maxChargeW, maxDischargeW) / 1000);
  });
  for (let t = 0; t < places.import.length; t++) {
    if (customer.exportPrice[t]! > customer.importPrice[t]!) look(places.import[t]!, places.export[t]!, 1);
  }
  return found.sort((a, b) => b.by - a.by);
}

/** Variables that rest where every battery and the meter run the given ways; a battery that does nothing may charge at prices below zero, else discharge. */
export function restsOf(customer: CustomerHorizon, places: SchedulePlaces, { batteryKw, netKw }: Modes): number[] {
  const rests: number[] = [];
  places.batteries.forEach(({ charge, discharge }, b) => {
    for (let t = 0; t < charge.length; t++) {
      const kw = batteryKw[b]![t]!;
      const charges = kw < 0 || (kw === 0 && customer.importPrice[t]! < 0);
      rests.push(charges ? discharge[t]! : charge[t]!);
    }
  });
  for (let t = 0; t < places.import.length; t++) {
    if (places.export[t]! < 0 || customer.exportPrice[t]! <= customer.importPrice[t]!) continue;
    rests.push(netKw[t]! > 0 ? places.export[t]! : places.import[t]!);
  }
  return rests;
}

/** A customer's schedule from the values of its variables. */
export function readSchedule(
  customer: CustomerHorizon,
  places: SchedulePlaces,
  x: ArrayLike<number>,
): CustomerSchedule {
  const steps = customer.loadW.length;
  const hours = customer.stepS / 3600;
  const pvW = Float64Array.from(places.pv, (at, t) => (at < 0 ? customer.availableW[t]! : 1000 * x[at]!));
  let throughputKwh = 0;
  const netW = Float64Array.from(customer.loadW, (loadW, t) => loadW - pvW[t]!);
  const batteries = customer.batteries.map((battery, b) => {
    const { charge, discharge } = places.batteries[b]!;
    const powerW = Float64Array.from(charge, (at, t) => 1000 * (x[discharge[t]!]! - x[at]!));
    const storedWh = new Float64Array(steps);
    let held = battery.storedWh;
    const keep = 1 - (battery.lossPerHour ?? 0) * hours;
    for (let t = 0; t < steps; t++) {
      // The store follows from the power at the terminals, as it will in the device.
      held = keep * held + storedEnergyWh(battery, powerW[t]!, hours);
      held = Math.min(Math.max(held, battery.minStoredWh), battery.maxStoredWh);
      storedWh[t] = held;
      netW[t]! -= powerW[t]!;
      throughputKwh += (Math.abs(powerW[t]!) * hours) / 1000;
    }
    return { id: battery.id, powerW, storedWh };
  });
  const curtailedKwh = pvW.reduce((sum, used, t) => sum + ((customer.availableW[t]! - used) * hours) / 1000, 0);
  return {
    id: customer.id,
    batteries,
    pvW,
    netW,
    energyCost: energyCost(customer, netW),
    throughputKwh,
    curtailedKwh,
  };
}

/** Energy that goes into the store in some hours at a power, Wh; negative when discharging. */
export function storedEnergyWh(
  battery: { readonly chargeEfficiency: number; readonly dischargeEfficiency: number },
  powerW: number,
  hours: number,
): number {
  return powerW < 0 ? -powerW * battery.chargeEfficiency * hours : (-powerW / battery.dischargeEfficiency) * hours;
}
