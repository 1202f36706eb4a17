import type { Curve, ProfileNames } from './profile.js';

/** What an inverter may do with its rating (OpenDSS PVSystem and Storage; IEEE 1547 nameplate). */
export interface Inverter {
  readonly ratedVA: number;
  /** Largest reactive power given (`maxVar`) and taken (`minVar`, as a positive number), var. */
  readonly maxVar: number;
  readonly minVar: number;
  /** How the reactive power follows: a power factor (negative: takes vars while generating) or a fixed value, var. */
  readonly reactive:
    | { readonly by: 'powerFactor'; readonly powerFactor: number }
    | { readonly by: 'var'; readonly powerVar: number };
  /** What gives way when the apparent power passes the rating. */
  readonly priority: 'watt' | 'var' | 'powerFactor';
  /** Least DC power to start and to stay on, % of the rating. */
  readonly cutInPct: number;
  readonly cutOutPct: number;
  /** Without it vars go on when the inverter is off (no sun). */
  readonly varFollowsInverter: boolean;
  /** Least active power for reactive power and for its full range, % of the panel's rating; 0 for none. */
  readonly leastPowerForVarPct: number;
  readonly leastPowerForAllVarPct: number;
  /** AC over DC power against DC power in pu of the rating; absent for an ideal inverter. */
  readonly efficiency?: Curve;
  /** Largest current as a multiple of the rated (models 1 and 2 outside their voltage window); absent for none. */
  readonly isCurrentLimited: boolean;
}

/** The sunny side of a PV system: panel power is Pmpp * irradiance * curve(temperature). */
export interface Panel {
  /** Power at 1 kW/m2 and the curve's reference temperature, W. */
  readonly maxPowerPointW: number;
  /** Irradiance, kW/m2; a profile multiplies it. */
  readonly irradiance: number;
  /** Share of Pmpp that is used at most, %. */
  readonly maxPowerPointPct: number;
  readonly temperatureC: number;
  /** Multiplier of Pmpp against panel temperature, deg C. */
  readonly temperatureFactor?: Curve;
  /** Profiles of the panel temperature, deg C. */
  readonly temperatureProfiles?: ProfileNames;
  /** Whether less sun before has cut the inverter out, so that it waits for its cut-in. Absent: it runs down to its cut-out. */
  readonly isCutOut?: boolean;
}

/** The stored side of a battery. */
export interface Cell {
  readonly chargeEfficiencyPct: number;
  readonly dischargeEfficiencyPct: number;
  /** Losses while idling, % of the rated power. */
  readonly idlingLossPct: number;
  readonly idlingVarPct: number;
  /** Energy never discharged, % of the rated energy. */
  readonly reservePct: number;
  readonly state: 'charging' | 'discharging' | 'idling';
  /** Rates used in the `default` dispatch, % of rated power. */
  readonly chargeRatePct: number;
  readonly dischargeRatePct: number;
  /** How the state follows its profile: triggers of the default mode or the profile itself (OpenDSS DispMode). */
  readonly dispatch: 'default' | 'follow' | 'external' | 'loadLevel' | 'price';
  readonly chargeTrigger: number;
  readonly dischargeTrigger: number;
  /** Hour at which charging starts, h; negative for never. */
  readonly chargeStartHour: number;
  /** Load multiplier that is in the powers of the model: the level of the load has it too. Default 1. */
  readonly levelMultiplier?: number;
}

/**
 * A function that moves inverters' reactive or active power with the voltage (OpenDSS InvControl and ExpControl;
 * IEEE 1547-2018 clause 5).
 */
export interface InverterControl {
  readonly kind: 'inverterControl';
  readonly id: string;
  readonly name: string;
  /** Ids of the PV systems and batteries it acts on. */
  readonly derIds: readonly string[];
  readonly mode:
    | 'voltVar'
    | 'voltWatt'
    | 'voltVarVoltWatt'
    | 'voltVarDynamic'
    | 'dynamicReactiveCurrent'
    | 'wattVar'
    | 'wattPowerFactor'
    | 'adaptiveVar';
  /** Reactive power in pu of the reference against voltage in pu. */
  readonly voltVar?: Curve;
  /** What 1 pu of vars means: the room left beside the active power, or the rating. */
  readonly varReference: 'available' | 'rated';
  /** Active power limit in pu of the reference against voltage in pu. */
  readonly voltWatt?: Curve;
  readonly wattReference: 'available' | 'panel' | 'rated';
  /** Reactive power (pu) or power factor against active power (pu). */
  readonly wattVar?: Curve;
  readonly wattPowerFactor?: Curve;
  /** Voltage 1 pu stands for: the rated one or a moving average over a window, s. */
  readonly voltageReference: 'rated' | 'average' | 'ratedAverage';
  readonly averageWindowS: number;
  /** Buses and nodes whose voltage counts instead of the inverter's own, with their base, V. */
  readonly monitored?: readonly { readonly bus: string; readonly nodes: readonly number[]; readonly baseV: number }[];
  /** Which of several phase voltages counts. */
  readonly monitoredPhase: 'average' | 'max' | 'min' | number;
  /** Largest part of the wanted change made in one pass; negative: chosen by the program. */
  readonly varStepFactor: number;
  readonly wattStepFactor: number;
  /** Change that counts as settled: voltage in pu, vars and watts in pu of the rating. */
  readonly voltageTolerancePu: number;
  readonly varTolerancePu: number;
  readonly wattTolerancePu: number;
  /**
   * Dead band and slopes of the dynamic reactive current: outside the band, vars against the deviation of the voltage from its
   * moving average, per unit of the vars by pu of voltage.
   */
  readonly dynamic?: {
    readonly deadbandLowPu: number;
    readonly deadbandHighPu: number;
    readonly slopeLow: number;
    readonly slopeHigh: number;
  };
  /** Settings of the adaptive (exponential) function. */
  readonly adaptive?: {
    readonly referencePu: number;
    readonly slope: number;
    readonly timeConstantS: number;
    readonly biasVarPu: number;
    readonly leastReferencePu: number;
    readonly largestReferencePu: number;
    readonly largestGivenVarPu: number;
    readonly largestTakenVarPu: number;
    readonly prefersVar: boolean;
  };
  readonly isEnabled: boolean;
}
