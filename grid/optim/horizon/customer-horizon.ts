import { DecError } from '../../math/index.js';
import type { ScheduledBattery } from './battery.js';

/** What the store must hold after the last step. */
export type HorizonEnd =
  /** Anything within its range; each kWh left is worth `valuePerKwh` (default 0). */
  | { readonly kind: 'free'; readonly valuePerKwh?: number }
  /** As much as before the first step. */
  | { readonly kind: 'cyclic' }
  /** At least a share of each battery's largest store. */
  | { readonly kind: 'atLeast'; readonly share: number }
  /** At least so many Wh by battery id, as far as charging all the time comes; a battery not named may end anywhere. */
  | { readonly kind: 'stored'; readonly storedWh: Readonly<Record<string, number>> };

/** What a customer's schedule costs beside energy. */
export interface ScheduleCosts {
  /**
   * Money per kWh that passes the battery's terminals either way: wear, and what keeps charging and discharging apart.
   * Default 1e-4.
   */
  readonly throughputPerKwh: number;
  /** Money per curtailed kWh beside the lost sale: sun that costs nothing to use is used. Default 1e-5. */
  readonly curtailmentPerKwh: number;
}

/** Costs by default. */
export const SCHEDULE_COSTS: ScheduleCosts = { throughputPerKwh: 1e-4, curtailmentPerKwh: 1e-5 };

/** One customer over a horizon: everything behind one meter. Arrays have one entry per step, means over the step. */
export interface CustomerHorizon {
  readonly id: string;
  readonly stepS: number;
  /** Money per kWh bought and sold. */
  readonly importPrice: Float64Array;
  readonly exportPrice: Float64Array;
  readonly loadW: Float64Array;
  /** What the sun offers, W; the schedule may use less. */
  readonly availableW: Float64Array;
  readonly batteries: readonly ScheduledBattery[];
  /** Largest power through the meter each way (an operating envelope), W; no limit when absent. */
  readonly importLimitW?: Float64Array;
  readonly exportLimitW?: Float64Array;
  readonly end: HorizonEnd;
  readonly costs?: Partial<ScheduleCosts>;
}

/** How a schedule ended. */
export type ScheduleStatus = 'optimal' | 'splitLimit' | 'infeasible' | 'failed';

/** One sentence for each status. */
export const SCHEDULE_STATUS_TEXT: Readonly<Record<ScheduleStatus, string>> = {
  optimal: 'The schedule of least cost was found; no battery charges and discharges at once.',
  splitLimit:
    'A schedule without simultaneous charge and discharge was found; the search ended before its optimality was proved.',
  infeasible:
    'No schedule keeps the limits: the load cannot be served within the import limit, or the end cannot be reached.',
  failed: 'The solver did not reach its tolerance.',
};

/** One battery over the horizon. */
export interface BatterySchedule {
  readonly id: string;
  /** At the AC side, positive when discharging, W by step. */
  readonly powerW: Float64Array;
  /** At the end of each step, Wh. */
  readonly storedWh: Float64Array;
}

/** A customer's schedule. */
export interface CustomerSchedule {
  readonly id: string;
  readonly batteries: readonly BatterySchedule[];
  /** Sun used, W by step. */
  readonly pvW: Float64Array;
  /** Through the meter, positive when drawn, W by step. */
  readonly netW: Float64Array;
  /** Money for energy over the horizon, sales subtracted; wear and the value of the end are not in it. */
  readonly energyCost: number;
  readonly throughputKwh: number;
  readonly curtailedKwh: number;
}

/** Money for energy of a net power by step. */
export function energyCost(
  { stepS, importPrice, exportPrice }: Pick<CustomerHorizon, 'stepS' | 'importPrice' | 'exportPrice'>,
  netW: ArrayLike<number>,
): number {
  let cost = 0;
  for (let t = 0; t < netW.length; t++) {
    const energyKwh = (netW[t]! * stepS) / 3.6e6;
    cost += energyKwh * (energyKwh > 0 ? importPrice[t]! : exportPrice[t]!);
  }
  return cost;
}

/**
 * The customer itself when its data fit together.
 *
 * @throws DecError `BAD_ARGUMENT` naming the customer and what does not fit
 */
export function checkedCustomer(customer: CustomerHorizon): CustomerHorizon {
  const { id, stepS, importPrice, exportPrice, loadW, availableW, importLimitW, exportLimitW, end } = customer;
  const steps = loadW.length;
  const refuse = (what: string): never => {
    throw new DecError('BAD_ARGUMENT', `The customer ${id} ${what}.`, { customer: id });
  };
  if (!(stepS > 0) || steps === 0) refuse(`has ${steps} steps of ${stepS} s; both are above zero`);
  const arrays = { importPrice, exportPrice, loadW, availableW, importLimitW, exportLimitW };
  for (const [name, values] of Object.entries(arrays)) {
    if (values === undefined) continue;
    if (values.length !== steps) refuse(`has ${values.length} values of ${name} for ${steps} steps`);
    const isLimit = name.endsWith('LimitW');
    const t = values.findIndex((v) => !(isLimit ? v >= 0 : Number.isFinite(v)) || (name === 'availableW' && v < 0));
    if (t >= 0) refuse(`has ${values[t]} as ${name} of step ${t}`);
  }
  if (end.kind === 'atLeast' && !(end.share >= 0 && end.share <= 1)) {
    refuse(`is to end with a share of ${end.share} stored; it lies from 0 to 1`);
  }
  return customer;
}
