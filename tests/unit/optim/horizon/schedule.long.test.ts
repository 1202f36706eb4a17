import { describe, expect, it } from 'vitest';
import {
  forEachEntry,
  LdlFactor,
  randomStream,
  solveQuadraticProgramme,
  TripletList,
} from '../../../../grid/math/index.js';
import {
  addSchedule,
  type CustomerHorizon,
  ProgrammeBuilder,
  type ScheduledBattery,
  scheduleCustomer,
} from '../../../../grid/optim/index.js';
import { highsObjective } from '../../../golden/horizon/highs.js';

const BATTERY: ScheduledBattery = {
  id: 'b',
  maxChargeW: 5000,
  maxDischargeW: 5000,
  chargeEfficiency: 0.95,
  dischargeEfficiency: 0.92,
  storedWh: 6000,
  minStoredWh: 1350,
  maxStoredWh: 13_500,
};

/** A house over some quarter-hours with seeded load, sun and prices. */
function house(steps: number, seed = 1, more: Partial<CustomerHorizon> = {}): CustomerHorizon {
  const stream = randomStream(seed);
  const make = (of: (t: number) => number) => Float64Array.from({ length: steps }, (_, t) => of(t));
  const importPrice = make((t) => 0.2 + 0.15 * Math.sin(t / 15) + 0.02 * stream.uniform());
  return {
    id: 'house',
    stepS: 900,
    importPrice,
    exportPrice: importPrice.map((price) => 0.4 * price),
    loadW: make(() => 400 + 1500 * stream.uniform()),
    availableW: make((t) => Math.max(0, 6000 * Math.sin((t / 96) * 2 * Math.PI - 1.5))),
    batteries: [BATTERY],
    end: { kind: 'cyclic' },
    ...more,
  };
}

/** The store by hand from the power at the terminals. */
function storeAfter(battery: ScheduledBattery, powerW: Float64Array, hours: number): number[] {
  let stored = battery.storedWh;
  return Array.from(powerW, (p) => {
    stored += p < 0 ? -p * battery.chargeEfficiency * hours : (-p / battery.dischargeEfficiency) * hours;
    return stored;
  });
}

describe('a customer schedule', () => {
  it('obeys balance, ratings, reserve and a cyclic end, and earns against an idle battery', () => {
    const customer = house(96);
    const { status, schedule, objective, kktResidual } = scheduleCustomer(customer);
    expect(status).toBe('optimal');
    expect(kktResidual).toBeLessThan(1e-8);
    const { powerW, storedWh } = schedule!.batteries[0]!;
    const stored = storeAfter(BATTERY, powerW, 0.25);
    for (let t = 0; t < 96; t++) {
      expect(Math.abs(powerW[t]!)).toBeLessThanOrEqual(5000 + 1e-3);
      expect(storedWh[t]!).toBeCloseTo(stored[t]!, 1);
      expect(stored[t]!).toBeGreaterThanOrEqual(1350 - 0.1);
      expect(stored[t]!).toBeLessThanOrEqual(13_500 + 0.1);
      expect(schedule!.netW[t]!).toBeCloseTo(customer.loadW[t]! - schedule!.pvW[t]! - powerW[t]!, 6);
    }
    expect(storedWh[95]!).toBeCloseTo(6000, 1);
    const idle = scheduleCustomer({ ...customer, batteries: [] });
    expect(objective).toBeLessThan(idle.objective - 0.5);
  });

  it.each([
    ['cyclic end', {}],
    ['free end with a value', { end: { kind: 'free', valuePerKwh: 0.15 } }],
    ['an end of at least 80 %', { end: { kind: 'atLeast', share: 0.8 } }],
    [
      'limits at the meter',
      { importLimitW: new Float64Array(48).fill(2500), exportLimitW: new Float64Array(48).fill(800) },
    ],
    ['one price both ways', { exportPrice: house(48, 3).importPrice }],
    ['losses while resting', { batteries: [{ ...BATTERY, lossPerHour: 0.01 }] }],
    ['two batteries', { batteries: [BATTERY, { ...BATTERY, id: 'c', maxStoredWh: 9000, chargeEfficiency: 0.9 }] }],
  ] as const)('agrees with HiGHS on %s', async (_, more) => {
    const customer: CustomerHorizon = house(48, 3, more);
    const builder = new ProgrammeBuilder();
    addSchedule(builder, customer);
    const expected = await highsObjective(builder.programme());
    const { status, objective } = scheduleCustomer(customer);
    expect(status).toBe('optimal');
    // HiGHS' own feasibility tolerance is 1e-7.
    expect(Math.abs(objective - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
  });

  it('keeps to an operating envelope and curtails what cannot be stored', () => {
    const exportLimitW = new Float64Array(96).fill(1500);
    const { schedule } = scheduleCustomer(house(96, 1, { exportLimitW }));
    expect(Math.min(...schedule!.netW)).toBeGreaterThanOrEqual(-1500 - 0.01);
    expect(schedule!.curtailedKwh).toBeGreaterThan(1);
    const free = scheduleCustomer(house(96));
    expect(free.schedule!.curtailedKwh).toBeLessThan(1e-3);
  });

  it('says that an import limit below the load cannot be kept', () => {
    const importLimitW = new Float64Array(8).fill(100);
    const night = house(8, 1, { importLimitW, availableW: new Float64Array(8), batteries: [] });
    expect(scheduleCustomer(night)).toMatchObject({ status: 'infeasible', schedule: undefined });
  });

  it('does not burn energy by charging and discharging at once when prices are negative', () => {
    const paid = house(12, 5);
    const importPrice = paid.importPrice.map((_, t) => (t < 8 ? -0.3 : 0.25));
    const lossy = { ...BATTERY, chargeEfficiency: 0.8, dischargeEfficiency: 0.8, maxStoredWh: 7000 };
    const customer = { ...paid, importPrice, exportPrice: importPrice.map((p) => p - 0.01), batteries: [lossy] };
    const result = scheduleCustomer(customer);
    expect(result.status).toBe('optimal');
    expect(result.programmes).toBeGreaterThan(1);
    const { powerW, storedWh } = result.schedule!.batteries[0]!;
    // The store that follows from one power per step is the one the schedule says, so nothing ran both ways.
    for (const [t, stored] of storeAfter(lossy, powerW, 0.25).entries()) expect(storedWh[t]!).toBeCloseTo(stored, 1);
    expect(result.objective).toBeCloseTo(bestByExhaustion(customer), 5);
  });

  it.each([
    ['one battery', 1, false],
    ['two batteries', 2, false],
    ['feed-in that pays more than buying costs', 1, true],
  ])(
    'comes near a mixed-integer programme over a day with negative hours, and tells what is left: %s',
    async (_, count, isPaid) => {
      const steps = 96;
      const base = house(steps, 11);
      // Spot prices of hours, five of them negative; feed-in flat.
      const importPrice = base.importPrice.map((price, t) =>
        Math.floor(t / 4) % 5 === 2 ? -0.08 - 0.01 * (t % 7) : price,
      );
      const exportPrice = isPaid ? importPrice.map(() => 0.3) : importPrice.map((price) => Math.min(0.08, price));
      const batteries = Array.from({ length: count }, (_none, b) => ({
        ...BATTERY,
        id: `b${b}`,
        maxStoredWh: 13_500 - 4000 * b,
      }));
      const customer = { ...base, importPrice, exportPrice, batteries };
      const { objective, gap, schedule } = scheduleCustomer(customer);
      const builder = new ProgrammeBuilder();
      const places = addSchedule(builder, customer);
      const whole = new Set<number>();
      // One way at a time: a <= A z, b <= B (1 - z).
      const exclude = (a: number, b: number) => {
        if (a < 0 || b < 0) return;
        const z = builder.variable(0, 1);
        whole.add(z);
        for (const [at, sign] of [
          [a, 1],
          [b, -1],
        ] as const) {
          const most = builder.bounds(at).upper;
          const row = builder.rangeRow(-Infinity, sign > 0 ? 0 : most);
          builder.entry(row, at, 1);
          builder.entry(row, z, -sign * most);
        }
      };
      for (let t = 0; t < steps; t++) {
        exclude(places.import[t]!, places.export[t]!);
        for (const { charge, discharge } of places.batteries) exclude(charge[t]!, discharge[t]!);
      }
      const least = await highsObjective(builder.programme(), whole);
      // Money of the same schedule, counted anew: nothing runs both ways in it.
      const energy = schedule!.netW.reduce(
        (sum, w, t) => sum + (w / 4000) * (w > 0 ? importPrice[t]! : exportPrice[t]!),
        0,
      );
      expect(Math.abs(schedule!.energyCost - energy)).toBeLessThan(1e-9);
      // HiGHS closes its search to 1e-4 of the cost.
      expect(objective).toBeGreaterThanOrEqual(least - 2e-4 * Math.abs(least));
      expect(objective - least).toBeLessThanOrEqual(gap + 2e-4 * Math.abs(least));
      expect((objective - least) / Math.abs(least)).toBeLessThan(0.02);
    },
  );

  it('has a factor whose entries grow with the number of steps, not faster', () => {
    const entries = (steps: number) => {
      const builder = new ProgrammeBuilder();
      addSchedule(builder, house(steps));
      const { equality, linear } = builder.programme();
      const n = linear.length;
      const triplets = new TripletList();
      for (let i = 0; i < n + equality.rows; i++) triplets.add(i, i, 1);
      forEachEntry(equality, (i, j, a) => triplets.add(j, n + i, a));
      const size = n + equality.rows;
      return new LdlFactor(triplets.toMatrix(size, size), new Int8Array(size).fill(1)).entryCount / steps;
    };
    expect(entries(1536)).toBeLessThan(1.05 * entries(96));
  });

  it('refuses data that do not fit together', () => {
    expect(() => scheduleCustomer(house(4, 1, { loadW: new Float64Array(3) }))).toThrow(/4 values|3 steps/);
    const broken = { ...BATTERY, chargeEfficiency: 1.2 };
    expect(() => scheduleCustomer(house(4, 1, { batteries: [broken] }))).toThrow(/efficiencies/);
    const empty = { ...BATTERY, storedWh: 100 };
    expect(() => scheduleCustomer(house(4, 1, { batteries: [empty] }))).toThrow(/not within/);
  });
});

/**
 * Least cost of a customer with one battery where the direction of every step is tried both ways: for given
 * directions the programme has no simultaneous flows at all, so the least over all of them is the exact optimum.
 */
function bestByExhaustion(customer: CustomerHorizon): number {
  let best = Infinity;
  // Only directions of the eight paid steps matter; in the others burning energy costs money.
  for (let mask = 0; mask < 2 ** 8; mask++) {
    const builder = new ProgrammeBuilder();
    const { batteries } = addSchedule(builder, customer);
    for (let t = 0; t < 8; t++) {
      const at = (mask >> t) & 1 ? batteries[0]!.charge[t]! : batteries[0]!.discharge[t]!;
      builder.setBounds(at, 0, 0);
    }
    const { status, objective } = solveQuadraticProgramme(builder.programme());
    if (status === 'optimal' || status === 'nearOptimal') best = Math.min(best, objective);
  }
  return best;
}
