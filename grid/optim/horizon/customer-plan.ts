import type { ProgrammeSolution } from '../../math/index.js';
import { type CustomerSchedule, energyCost, SCHEDULE_COSTS } from './customer-horizon.js';
import type { ScheduledPoint } from './horizon-case.js';
import type { ProgrammeBuilder } from './programme-builder.js';
import { addSchedule, readSchedule, runningPairs, type SchedulePlaces } from './schedule-programme.js';

/* A customer of a feeder in a programme of many: its schedule, its part in the fairness term, and what it draws. */

/** A customer in the programme. */
export interface Plan {
  /** Visits the variables that move voltages at a step: place, pattern, share of the variable in the pattern. */
  terms(step: number, visit: (variable: number, pattern: number, share: number) => void): void;
  /** Adds what is generated at a step and is no variable. */
  fixed(step: number, generatedW: Float64Array): void;
  read(solution: ProgrammeSolution): CustomerSchedule;
  /** Cost that is in no variable: of the fairness term, and energy at steps without variables. */
  readonly constant: number;
  /** Charging and discharging of its batteries, buying and selling at its meter; keys hold whatever else is in the programme. */
  sides(point: number): readonly { readonly key: string; readonly variable: number }[];
  /** Keys of the sides that are to rest of pairs that run both ways: those that rest in the schedule alone, else the lesser ones. */
  running(point: number, x: ArrayLike<number>): readonly string[];
}

/** Powers below this are rest, W. */
const LEAST_W = 1;

/** Whether a customer's own data can move it: without, it uses its sun and rests. */
export function needsProgramme({
  batteries,
  exportPrice,
  importLimitW,
  exportLimitW,
}: ScheduledPoint['customer']): boolean {
  return (
    batteries.length > 0 || importLimitW !== undefined || exportLimitW !== undefined || exportPrice.some((p) => p < 0)
  );
}

/** All sun used, batteries at rest. */
export function idleSchedule(customer: ScheduledPoint['customer']): CustomerSchedule {
  const none: SchedulePlaces = {
    import: new Int32Array(0),
    export: new Int32Array(0),
    pv: new Int32Array(customer.loadW.length).fill(-1),
    batteries: [],
  };
  const resting = readSchedule({ ...customer, batteries: [] }, none, []);
  return {
    ...resting,
    batteries: customer.batteries.map(({ id, storedWh }) => ({
      id,
      powerW: new Float64Array(customer.loadW.length),
      storedWh: new Float64Array(customer.loadW.length).fill(storedWh),
    })),
  };
}

/** What a customer's part in a programme depends on. */
export interface PlanSettings {
  /** Steps at which limits of the network stand. */
  readonly hasRow: Uint8Array;
  readonly alone: CustomerSchedule;
  /** Batteries decided; they move no more. */
  readonly frozen: CustomerSchedule | undefined;
  readonly fairnessPerKwh: number;
}

/** Adds a customer: with a battery that moves at every step, otherwise only where a limit of the network stands. */
export function planOf(builder: ProgrammeBuilder, point: ScheduledPoint, settings: PlanSettings): Plan {
  const { hasRow, alone, frozen, fairnessPerKwh } = settings;
  const batteryW = (b: number, t: number) => frozen?.batteries[b]?.powerW[t] ?? 0;
  const whole = frozen
    ? {
        ...point.customer,
        batteries: [],
        loadW: point.customer.loadW.map((loadW, t) => {
          return loadW - point.customer.batteries.reduce((sum, _, b) => sum + batteryW(b, t), 0);
        }),
      }
    : point.customer;
  const hasBattery = whole.batteries.length > 0;
  const settled = frozen ?? alone;
  const kept: number[] = [];
  for (let t = 0; t < whole.loadW.length; t++) if (hasBattery || (hasRow[t] && whole.availableW[t]! > 0)) kept.push(t);
  const pick = (values: Float64Array) => Float64Array.from(kept, (t) => values[t]!);
  const customer = hasBattery
    ? whole
    : {
        ...whole,
        importPrice: pick(whole.importPrice),
        exportPrice: pick(whole.exportPrice),
        loadW: pick(whole.loadW),
        availableW: pick(whole.availableW),
        ...(whole.importLimitW ? { importLimitW: pick(whole.importLimitW) } : {}),
        ...(whole.exportLimitW ? { exportLimitW: pick(whole.exportLimitW) } : {}),
      };
  const mayCurtail = (at: number) => hasRow[kept[at]!] === 1 || needsProgramme({ ...whole, batteries: [] });
  const places = addSchedule(builder, customer, mayCurtail);
  const placeOf = new Map(kept.map((t, at) => [t, at]));
  const hours = whole.stepS / 3600;
  const { curtailmentPerKwh } = { ...SCHEDULE_COSTS, ...whole.costs };
  let constant = hasBattery
    ? 0
    : energyCost(
        whole,
        settled.netW.map((netW, t) => (placeOf.has(t) ? 0 : netW)),
      );
  if (frozen) {
    const { throughputPerKwh } = { ...SCHEDULE_COSTS, ...whole.costs };
    constant += throughputPerKwh * frozen.throughputKwh;
    const worth = whole.end.kind === 'free' ? (whole.end.valuePerKwh ?? 0) : 0;
    for (const { storedWh } of frozen.batteries) constant -= (worth * storedWh.at(-1)!) / 1000;
  }
  const sides = (k: number) => [
    ...places.batteries.flatMap(({ charge, discharge }, b) =>
      kept.flatMap((t, at) => [
        { key: `${k} ${b} ${t} charge`, variable: charge[at]! },
        { key: `${k} ${b} ${t} discharge`, variable: discharge[at]! },
      ]),
    ),
    ...kept.flatMap((t, at) => {
      const [buys, sells] = [places.import[at]!, places.export[at]!];
      if (sells < 0) return [];
      return [
        { key: `${k} meter ${t} import`, variable: buys },
        { key: `${k} meter ${t} export`, variable: sells },
      ];
    }),
  ];
  /** Variables that rest in the schedule alone. */
  const restingAlone = (): ReadonlySet<number> => {
    const rest = new Set<number>();
    kept.forEach((t, at) => {
      places.batteries.forEach(({ charge, discharge }, b) => {
        const powerW = alone.batteries[b]!.powerW[t]!;
        if (Math.abs(powerW) > LEAST_W) rest.add(powerW > 0 ? charge[at]! : discharge[at]!);
      });
      const netW = alone.netW[t]!;
      if (places.export[at]! >= 0 && Math.abs(netW) > LEAST_W)
        rest.add(netW > 0 ? places.export[at]! : places.import[at]!);
    });
    return rest;
  };
  for (const [at, variable] of places.pv.entries()) {
    if (variable < 0) continue;
    const sunKw = customer.availableW[at]! / 1000;
    // available alpha^2 with alpha = 1 - pv / available, without its constant.
    builder.cost(variable, -2 * fairnessPerKwh * hours, (2 * fairnessPerKwh * hours) / sunKw);
    constant += (fairnessPerKwh + curtailmentPerKwh) * hours * sunKw;
  }
  const share = (system: number, t: number) => {
    const sum = whole.availableW[t]!;
    return sum > 0 ? point.pvAvailableW[system]![t]! / sum : 0;
  };
  return {
    terms(step, visit) {
      const at = placeOf.get(step);
      if (at === undefined) return;
      const pv = places.pv[at]!;
      if (pv >= 0) {
        point.pvPatterns.forEach((pattern, s) => {
          visit(pv, pattern, share(s, step));
        });
      }
      if (!hasBattery) return;
      point.batteryPatterns.forEach((pattern, b) => {
        visit(places.batteries[b]!.discharge[at]!, pattern, 1);
        visit(places.batteries[b]!.charge[at]!, pattern, -1);
      });
    },
    fixed(step, generatedW) {
      const at = placeOf.get(step);
      if (frozen) {
        point.batteryPatterns.forEach((pattern, b) => {
          generatedW[pattern]! += batteryW(b, step);
        });
      }
      if (at !== undefined && places.pv[at]! >= 0) return;
      const usedW = at === undefined ? settled.pvW[step]! : whole.availableW[step]!;
      point.pvPatterns.forEach((pattern, s) => {
        generatedW[pattern]! += usedW * share(s, step);
      });
    },
    read({ x }) {
      const part = readSchedule(customer, places, x);
      if (hasBattery) return part;
      const pvW = settled.pvW.slice();
      kept.forEach((t, at) => {
        pvW[t] = part.pvW[at]!;
      });
      const netW = whole.loadW.map((loadW, t) => loadW - pvW[t]!);
      const curtailedKwh = pvW.reduce((sum, used, t) => sum + ((whole.availableW[t]! - used) * hours) / 1000, 0);
      const before = frozen ? { batteries: frozen.batteries, throughputKwh: frozen.throughputKwh } : {};
      return { ...part, ...before, pvW, netW, curtailedKwh, energyCost: energyCost(whole, netW) };
    },
    constant,
    sides,
    running(k, x) {
      const pairs = runningPairs(customer, places, x);
      if (pairs.length === 0) return [];
      const alone = restingAlone();
      const resting = new Set(
        pairs.map(({ first, second }) => {
          if (alone.has(first) !== alone.has(second)) return alone.has(first) ? first : second;
          return x[first]! >= x[second]! ? second : first;
        }),
      );
      return sides(k).flatMap(({ key, variable }) => (resting.has(variable) ? [key] : []));
    },
  };
}

/** A schedule with other sun, W by step; batteries as they are. */
export function withSun(
  customer: ScheduledPoint['customer'],
  schedule: CustomerSchedule,
  pvW: Float64Array,
): CustomerSchedule {
  const { availableW, stepS } = customer;
  const netW = schedule.netW.map((net, t) => net + schedule.pvW[t]! - pvW[t]!);
  const curtailedKwh = pvW.reduce((sum, used, t) => sum + ((availableW[t]! - used) * stepS) / 3.6e6, 0);
  return { ...schedule, pvW, netW, curtailedKwh, energyCost: energyCost(customer, netW) };
}

/** Money of a customer's schedule in the programme of all: energy, wear, spilt sun, its part in the fairness term, its end. */
export function scheduleCost(
  customer: ScheduledPoint['customer'],
  { pvW, energyCost: energy, throughputKwh, curtailedKwh, batteries }: CustomerSchedule,
  fairnessPerKwh: number,
): number {
  const { availableW, stepS, end } = customer;
  const { throughputPerKwh, curtailmentPerKwh } = { ...SCHEDULE_COSTS, ...customer.costs };
  const worth = end.kind === 'free' ? (end.valuePerKwh ?? 0) : 0;
  const shared = availableW.reduce((sum, available, t) => {
    return available > 0 ? sum + ((available - pvW[t]!) ** 2 / available) * (stepS / 3.6e6) : sum;
  }, 0);
  const left = batteries.reduce((sum, { storedWh }) => sum + storedWh.at(-1)! / 1000, 0);
  return (
    energy +
    throughputPerKwh * throughputKwh +
    curtailmentPerKwh * curtailedKwh +
    fairnessPerKwh * shared -
    worth * left
  );
}
