import type { Feeder, Finding } from '../../model/index.js';
import type { FairnessReport } from '../fairness-metrics.js';
import type { PrimaryState, VoltageLimits } from '../star.js';
import type { ScheduledBattery } from './battery.js';
import type { CustomerSchedule, HorizonEnd, ScheduleCosts } from './customer-horizon.js';

/** Active and reactive power of a load by step, W and var. */
export interface LoadForecast {
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
}

/** Largest powers through a meter, W; one for all steps or one for each. */
export interface MeterLimits {
  readonly importW: number | Float64Array;
  readonly exportW: number | Float64Array;
}

/** What to coordinate over a horizon. Arrays have one entry per step. */
export interface FeederHorizonQuestion {
  readonly feeder: Feeder;
  readonly state: PrimaryState;
  readonly voltageLimits: VoltageLimits;
  readonly stepS: number;
  /** Money per kWh, the same for every customer. */
  readonly importPrice: Float64Array;
  readonly exportPrice: Float64Array;
  /** By load id; a load not named keeps its model power. */
  readonly loads: Readonly<Record<string, LoadForecast>>;
  /** By PV id, W; a PV system not named keeps its model power. */
  readonly availableW: Readonly<Record<string, Float64Array>>;
  /** By battery id; a battery not named rests. */
  readonly batteries: Readonly<Record<string, ScheduledBattery>>;
  readonly end: HorizonEnd;
  readonly costs?: Partial<ScheduleCosts>;
  /** Operating envelopes by bus id. */
  readonly meterLimits?: Readonly<Record<string, MeterLimits>>;
  /**
   * Money per kWh of the term `available alpha^2` that shares curtailment in proportion to the sun. Default 1: far above
   * prices, so that curtailment is shared before anything else is weighed.
   */
  readonly fairnessPerKwh?: number;
  /**
   * Voltage limits that tie all customers over the whole horizon at most; beyond, batteries stay and only the sun is
   * decided step by step, with the price of that as `gap`. Steps that the sun alone cannot hold may tie batteries further, up to
   * 1000. Default 150.
   */
  readonly maxCouplingRows?: number;
  /** AC corrections at most. Default 3. */
  readonly maxCorrections?: number;
  /**
   * Steps from the first one for which limits are made tighter where corrections do not hold them; all when absent. A plan that
   * is made anew before its second step needs 1.
   */
  readonly heldSteps?: number;
  /** Steps done before the first one, by which findings name steps. Default 0. */
  readonly firstStep?: number;
  readonly onPass?: (progress: HorizonProgress) => void;
}

/** Progress of one programme. */
export interface HorizonProgress {
  readonly correction: number;
  readonly rows: number;
  /** Largest violation in the linear model, pu. */
  readonly violationPu: number;
}

/** How it ended. */
export type FeederHorizonStatus = 'optimal' | 'limitsViolated' | 'failed' | 'nothingToDo';

/** One sentence for each status. */
export const FEEDER_HORIZON_STATUS_TEXT: Readonly<Record<FeederHorizonStatus, string>> = {
  optimal: 'The schedules of least cost were found and hold in the AC power flow of every step.',
  limitsViolated: 'Limits are violated in the AC power flow of some steps even with the best schedules found.',
  failed: 'No schedules were found.',
  nothingToDo: 'There is no battery and no sun to schedule.',
};

/** One step of the outcome. Power is positive when drawn from the source. */
export interface HorizonStep {
  readonly vMaxPu: number;
  readonly vMinPu: number;
  /** `BUS.node` of the highest voltage. */
  readonly worstNode: string;
  /** Highest voltage had every customer followed its own prices alone, pu, by the linear model. */
  readonly uncoordinatedMaxPu: number;
  readonly violations: number;
  readonly isConverged: boolean;
  readonly availableW: number;
  readonly curtailedW: number;
  /** Least that could be curtailed with the batteries as planned; null where limits do not hold, or after `heldSteps`. */
  readonly leastCurtailedW: number | null;
  /** Positive when discharging. */
  readonly batteryW: number;
  readonly storedWh: number;
  readonly sourceW: number;
}

/** The outcome of a horizon. */
export interface FeederHorizonResult {
  readonly status: FeederHorizonStatus;
  readonly statusText: string;
  readonly steps: readonly HorizonStep[];
  /** By bus id, of customers with a battery or sun. */
  readonly schedules: ReadonlyMap<string, CustomerSchedule>;
  /** By PV id, curtailed fraction by step. */
  readonly alpha: ReadonlyMap<string, Float64Array>;
  /** Money of the programme. */
  readonly objective: number;
  /** How far above the least of the linear model the objective may be, under the correction at which batteries were decided; null where limits do not hold: the least violation comes before money. */
  readonly gap: number | null;
  readonly kktResidual: number;
  /** Money for energy of the scheduled customers, with the network's limits and without. */
  readonly energyCost: number;
  readonly uncoordinatedCost: number;
  readonly availableKwh: number;
  readonly curtailedKwh: number;
  /** Share of the available energy curtailed above the least, over `heldSteps`; null where limits do not hold. */
  readonly priceOfFairness: number | null;
  /** Of each PV's share of curtailed energy over the horizon. */
  readonly fairness: FairnessReport;
  readonly corrections: number;
  /** Largest difference between linear model and AC power flow without correction, pu. */
  readonly linearErrorPu: number;
  readonly rows: number;
  readonly variables: number;
  readonly programmes: number;
  readonly findings: readonly Finding[];
}
