import { DecError } from '../../math/index.js';
import { checkedBattery, type ScheduledBattery } from './battery.js';
import { storedEnergyWh } from './schedule-programme.js';

/*
 * The receding horizon: plan ahead, do the first step, look again.
 *
 * Steps: 1. `plan` gets the step and the batteries as they stand, and returns the power of each for this step, the first
 *        of a schedule over the hours ahead; 2. the store takes what it can of that order; 3. the next step begins there.
 * Cost: one plan per step. Fails: as the plan does.
 * Source: Rawlings, Mayne and Diehl (2017), "Model Predictive Control", chapter 1.
 */

/** What to run. */
export interface RecedingQuestion {
  readonly steps: number;
  readonly stepS: number;
  /** As they stand before the first step. */
  readonly batteries: readonly ScheduledBattery[];
  /**
   * Power of each battery for step `step`, W, positive when discharging; by a schedule of one customer
   * (`scheduleCustomer`) or of a feeder (`coordinateHorizon`) over the horizon that begins there.
   */
  readonly plan: (step: number, batteries: readonly ScheduledBattery[]) => readonly number[];
}

/** One step done. */
export interface RecedingStep {
  readonly batteries: readonly {
    readonly id: string;
    readonly orderedW: number;
    /** What the store could carry out. */
    readonly powerW: number;
    /** At the end of the step. */
    readonly storedWh: number;
  }[];
}

/**
 * Runs a receding horizon.
 *
 * @throws DecError `BAD_ARGUMENT` when a plan has not one finite power for each battery
 */
export function recede({ steps, stepS, batteries, plan }: RecedingQuestion): readonly RecedingStep[] {
  const hours = stepS / 3600;
  let present: readonly ScheduledBattery[] = batteries.map(checkedBattery);
  const done: RecedingStep[] = [];
  for (let step = 0; step < steps; step++) {
    const ordered = plan(step, present);
    if (ordered.length !== present.length || !ordered.every(Number.isFinite)) {
      throw new DecError(
        'BAD_ARGUMENT',
        `The plan of step ${step} has the powers [${ordered.join(', ')}] for ${present.length} batteries.`,
        { step },
      );
    }
    const moved = present.map((battery, b) => {
      const keptWh = (1 - (battery.lossPerHour ?? 0) * hours) * battery.storedWh;
      // Powers at which the store would just be full and just at its reserve after the step.
      const fullW = (keptWh - battery.maxStoredWh) / (battery.chargeEfficiency * hours);
      const emptyW = ((keptWh - battery.minStoredWh) * battery.dischargeEfficiency) / hours;
      const lowest = Math.max(-battery.maxChargeW, Math.min(0, fullW));
      const highest = Math.min(battery.maxDischargeW, Math.max(0, emptyW));
      const powerW = Math.min(Math.max(ordered[b]!, lowest), highest);
      return {
        id: battery.id,
        orderedW: ordered[b]!,
        powerW,
        storedWh: keptWh + storedEnergyWh(battery, powerW, hours),
      };
    });
    present = present.map((battery, b) => {
      const { storedWh } = moved[b]!;
      // Losses at rest may take a store below its reserve: it can only keep what is there.
      return { ...battery, storedWh, minStoredWh: Math.min(battery.minStoredWh, storedWh) };
    });
    done.push({ batteries: moved });
  }
  return done;
}
