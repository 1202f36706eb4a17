import type { ModelCreation, ProfileChoice } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Battery, Load, PhaseShare, PhotovoltaicSystem } from '../../grid/model/index.js';
import { createProfile, FLAT_PROFILE, type Interpolation, type Profile } from './profile.js';

/** Behaviour of the batteries that CIM does not carry. */
export interface BatterySettings {
  /** Stored share of the rated energy at the start, 0 to 1; the model's own stored energy when absent. */
  readonly initialCharge?: number;
  /** Share of the charging power that is stored. */
  readonly chargeEfficiency: number;
  /** Share of the power taken from the store that reaches the terminals. */
  readonly dischargeEfficiency: number;
  /** Share of the rated energy that is never discharged. */
  readonly reserve: number;
}

/** OpenDSS' defaults of a Storage element: %EffCharge 90, %EffDischarge 90, %reserve 20. */
export const BATTERY_DEFAULTS: BatterySettings = { chargeEfficiency: 0.9, dischargeEfficiency: 0.9, reserve: 0.2 };

/** What multiplies all loads and all sun. */
export interface ScenarioFactors {
  readonly load?: number;
  readonly pv?: number;
}

/** What happens to a feeder over time apart from commands. */
export interface Scenario {
  readonly sourceVoltagePu?: number;
  readonly battery: BatterySettings;
  /** Interpolation in use, for the log. */
  readonly interpolation: Interpolation;
  /** Power of a load at rated voltage, W and var. */
  loadPower(load: Load, epochS: number): Power;
  /** Power a PV system could deliver, W, and the reactive power of the model at that output, var. */
  availablePv(pv: PhotovoltaicSystem, epochS: number): Power;
  /** Multiplies by other factors from now on; what is absent stays. @throws DecError `BAD_ARGUMENT` */
  scale(factors: ScenarioFactors): void;
}

/** Active and reactive power, W and var. */
export interface Power {
  readonly powerW: number;
  readonly powerVar: number;
}

/** Named profiles by name: factors over one day. */
export type ProfileLibrary = ReadonlyMap<string, readonly number[]>;

/** Schedules of the real platform's own models, which stand for "as in the model". */
const SCHEDULE_NAMES: ReadonlySet<string> = new Set(['', 'none', 'flat', 'constant', 'ieeezipload']);

/**
 * Makes the scenario of a simulation request. A load follows `p · load_scaling_factor · profile`; a PV system offers
 * `p · pv_scaling_factor · profile` with the p of the model (its largest power where a profile is given and the model's
 * p is 0), never more than the largest power of unit and inverter.
 * @param model - what the request says
 * @param startS - simulated start, epoch seconds
 * @param library - profiles that may be named
 * @throws DecError `BAD_ARGUMENT` for an unknown profile or an impossible value
 */
export function createScenario(model: ModelCreation, startS: number, library: ProfileLibrary = new Map()): Scenario {
  const interpolation = model.profileInterpolation ?? 'linear';
  const profile = (choice: ProfileChoice | undefined, key: string): Profile => {
    if (choice === undefined) return FLAT_PROFILE;
    if (typeof choice === 'string') {
      const values = library.get(choice);
      if (values) return createProfile({ values, startS, interpolation, name: choice });
      if (SCHEDULE_NAMES.has(choice)) return FLAT_PROFILE;
      const known = [...library.keys()].sort();
      throw new DecError(
        'BAD_ARGUMENT',
        `The ${key} "${choice}" is unknown; known are ${known.join(', ') || 'none'}. A list of factors may be given instead.`,
        { key, profile: choice, known },
      );
    }
    const step = model.profileStepS === undefined ? {} : { stepS: model.profileStepS };
    return createProfile({ values: choice, startS, interpolation, name: key, ...step });
  };
  const loadProfile = profile(model.loadProfile, 'load_profile');
  const pvProfile = profile(model.pvProfile, 'pv_profile');
  requireRange('load_scaling_factor', model.loadScalingFactor, 0, Number.MAX_VALUE);
  requireRange('pv_scaling_factor', model.pvScalingFactor, 0, Number.MAX_VALUE);
  if (model.sourceVoltagePu !== undefined) requireRange('source_voltage_pu', model.sourceVoltagePu, 0.1, 2);
  let { loadScalingFactor, pvScalingFactor } = model;
  return {
    ...(model.sourceVoltagePu === undefined ? {} : { sourceVoltagePu: model.sourceVoltagePu }),
    battery: batterySettings(model),
    interpolation,
    loadPower(load, epochS) {
      const factor = loadScalingFactor * loadProfile.factorAt(epochS);
      const nominal = totalPower(load.shares);
      return { powerW: nominal.powerW * factor, powerVar: nominal.powerVar * factor };
    },
    availablePv(pv, epochS) {
      const nominal = totalPower(pv.shares);
      const isFromRating = nominal.powerW <= 0 && model.pvProfile !== undefined;
      const baseW = isFromRating ? largestPower(pv) : Math.max(0, nominal.powerW);
      const factor = pvScalingFactor * pvProfile.factorAt(epochS);
      const powerW = Math.min(baseW * factor, largestPower(pv));
      const share = baseW > 0 ? powerW / baseW : 0;
      return { powerW, powerVar: nominal.powerW === 0 ? nominal.powerVar : nominal.powerVar * share };
    },
    scale({ load = loadScalingFactor, pv = pvScalingFactor }) {
      requireRange('load_scaling_factor', load, 0, Number.MAX_VALUE);
      requireRange('pv_scaling_factor', pv, 0, Number.MAX_VALUE);
      loadScalingFactor = load;
      pvScalingFactor = pv;
    },
  };
}

/** Sum over the shares of a device. */
export function totalPower(shares: readonly PhaseShare[]): Power {
  let powerW = 0;
  let powerVar = 0;
  for (const share of shares) {
    powerW += share.powerW;
    powerVar += share.powerVar;
  }
  return { powerW, powerVar };
}

/** Largest power of a PV system, W: that of its unit or of its inverter, whichever is less; an absent rating does not limit. */
export function largestPower(unit: PhotovoltaicSystem | Battery): number {
  const unitW = unit.maxPowerW > 0 ? unit.maxPowerW : Number.POSITIVE_INFINITY;
  const inverterVA = unit.ratedPowerVA > 0 ? unit.ratedPowerVA : Number.POSITIVE_INFINITY;
  const limit = Math.min(unitW, inverterVA);
  return Number.isFinite(limit) ? limit : Math.max(0, totalPower(unit.shares).powerW);
}

function batterySettings(model: ModelCreation): BatterySettings {
  const given = model.battery ?? {};
  const settings: BatterySettings = { ...BATTERY_DEFAULTS, ...given };
  if (settings.initialCharge !== undefined) requireRange('battery.initial_charge', settings.initialCharge, 0, 1);
  requireRange('battery.charge_efficiency', settings.chargeEfficiency, 0.01, 1);
  requireRange('battery.discharge_efficiency', settings.dischargeEfficiency, 0.01, 1);
  requireRange('battery.reserve', settings.reserve, 0, 1);
  return settings;
}

function requireRange(key: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  const upper = high === Number.MAX_VALUE ? 'more' : String(high);
  throw new DecError('BAD_ARGUMENT', `${key} is ${value}; ${low} to ${upper} is possible.`, { key, value });
}
