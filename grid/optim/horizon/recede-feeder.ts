import type { Finding } from '../../model/index.js';
import { type FairnessReport, fairnessReport } from '../fairness-metrics.js';
import type { ScheduledBattery } from './battery.js';
import { coordinateHorizon } from './coordinate-horizon.js';
import type { HorizonEnd } from './customer-horizon.js';
import type { FeederHorizonQuestion, FeederHorizonStatus, HorizonStep } from './feeder-horizon.js';
import { horizonPrice } from './least-sun.js';
import { type RecedingStep, recede } from './receding.js';

/*
 * A feeder by a receding horizon: at each step plan ahead with what is known then, carry out the first step, look again.
 *
 * Steps: 1. `outlook` gives prices, loads and sun of the steps ahead, the first as it is, the others as they are forecast;
 *        2. coordinateHorizon plans; its first step is checked by the AC power flow there; 3. batteries carry it out as far
 *        as their stores allow.
 * Cost: one plan per step. Fails: with the status of the worst plan; where one failed, batteries rest in its step.
 * Cyclic: every plan ends with what was stored before the first step, as far as charging all the time comes.
 */

/** What is known at a step: arrays have one entry per step ahead, of which the first is carried out. */
export type Outlook = Pick<FeederHorizonQuestion, 'importPrice' | 'exportPrice' | 'loads' | 'availableW'>;

/** A feeder to run by a receding horizon. */
export interface FeederRecedingQuestion
  extends Omit<FeederHorizonQuestion, 'importPrice' | 'exportPrice' | 'loads' | 'availableW' | 'batteries' | 'onPass'> {
  /** Steps to carry out. */
  readonly steps: number;
  /** By battery id, as they stand before the first step. */
  readonly batteries: Readonly<Record<string, ScheduledBattery>>;
  readonly outlook: (step: number) => Outlook;
  readonly onStep?: (step: number, done: FeederRecedingStep) => void;
}

/** One step carried out. */
export interface FeederRecedingStep extends HorizonStep {
  /** Of the plan whose first step this is. */
  readonly status: FeederHorizonStatus;
  readonly gap: number | null;
  readonly corrections: number;
  /** Money for the energy of the scheduled customers in this step. */
  readonly energyCost: number;
  /** Curtailed fraction by PV id. */
  readonly alpha: ReadonlyMap<string, number>;
}

/** What a receding horizon came to. */
export interface FeederRecedingResult {
  readonly status: FeederHorizonStatus;
  readonly steps: readonly FeederRecedingStep[];
  /** Batteries at each step, in the order of their ids in the question. */
  readonly batteries: readonly RecedingStep[];
  readonly energyCost: number;
  readonly availableKwh: number;
  readonly curtailedKwh: number;
  /** Share of the available energy curtailed above the least of each step; null where limits do not hold. */
  readonly priceOfFairness: number | null;
  /** Of each PV's share of curtailed energy over all steps. */
  readonly fairness: FairnessReport;
  /** Of all plans, each once: which step broke a limit, and where. */
  readonly findings: readonly Finding[];
}

/** From the best to the worst. */
const RANK: readonly FeederHorizonStatus[] = ['nothingToDo', 'optimal', 'limitsViolated', 'failed'];

/**
 * Runs a feeder by a receding horizon.
 *
 * @throws DecError as {@link coordinateHorizon} does
 */
export function recedeFeeder(question: FeederRecedingQuestion): FeederRecedingResult {
  const { steps: count, outlook, onStep, batteries: begin, end: wanted, ...common } = question;
  const hours = question.stepS / 3600;
  const ids = Object.keys(begin);
  const end: HorizonEnd =
    wanted.kind === 'cyclic'
      ? { kind: 'stored', storedWh: Object.fromEntries(ids.map((id) => [id, begin[id]!.storedWh])) }
      : wanted;
  const done: FeederRecedingStep[] = [];
  const findings = new Map<string, Finding>();
  const energyWh = new Map<string, { available: number; curtailed: number }>();
  const carried = recede({
    steps: count,
    stepS: question.stepS,
    batteries: ids.map((id) => begin[id]!),
    plan(step, present) {
      const ahead = outlook(step);
      const plan = coordinateHorizon({
        ...common,
        ...ahead,
        ...{ heldSteps: 1, firstStep: step },
        batteries: Object.fromEntries(present.map((battery) => [battery.id, battery])),
        end,
      });
      for (const finding of plan.findings) findings.set(finding.message, finding);
      const alpha = new Map(Array.from(plan.alpha, ([id, byStep]) => [id, byStep[0]!]));
      for (const [id, fraction] of alpha) {
        const sum = energyWh.get(id) ?? { available: 0, curtailed: 0 };
        const available = hours * (ahead.availableW[id]?.[0] ?? 0);
        energyWh.set(id, { available: sum.available + available, curtailed: sum.curtailed + fraction * available });
      }
      const orders = new Map<string, number>();
      let energyCost = 0;
      for (const { batteries, netW } of plan.schedules.values()) {
        for (const { id, powerW } of batteries) orders.set(id, powerW[0]!);
        const price = netW[0]! > 0 ? ahead.importPrice[0]! : ahead.exportPrice[0]!;
        energyCost += (netW[0]! / 1000) * hours * price;
      }
      const { status, gap, corrections } = plan;
      const one = { ...plan.steps[0]!, status, gap, corrections, energyCost, alpha };
      done.push(one);
      onStep?.(step, one);
      return ids.map((id) => (status === 'failed' ? 0 : (orders.get(id) ?? 0)));
    },
  });
  const kilowattHours = (of: (one: FeederRecedingStep) => number) =>
    done.reduce((sum, one) => sum + (of(one) * hours) / 1000, 0);
  const shares = [...energyWh.values()].flatMap(({ available, curtailed }) =>
    available > 0 ? [curtailed / available] : [],
  );
  return {
    status: RANK[Math.max(0, ...done.map(({ status }) => RANK.indexOf(status)))]!,
    steps: done,
    batteries: carried,
    energyCost: done.reduce((sum, { energyCost }) => sum + energyCost, 0),
    availableKwh: kilowattHours(({ availableW }) => availableW),
    curtailedKwh: kilowattHours(({ curtailedW }) => curtailedW),
    priceOfFairness: done.some(({ status }) => status === 'failed' || status === 'limitsViolated')
      ? null
      : horizonPrice(done),
    fairness: fairnessReport(shares),
    findings: [...findings.values()],
  };
}
