import type { ModelCreation } from '../../bus/index.js';
import type { Forecast } from '../../grid/optim/index.js';
import { createProfile, FLAT_PROFILE, type Profile } from '../../platform/index.js';
import type { RunHorizon, RunSettings } from './run-result.js';

/** What the public scenario says of the coming hours; the forecast that coordinator and agents work with. */
export interface ScenarioForecast {
  /** Samples from one time to another (epoch seconds), both ends included. */
  over(fromS: number, toS: number): Forecast;
}

/** Samples of one interval: profiles are linear between their points, so a few dozen meet every peak closely. */
const SAMPLES = 24;

/** Makes the forecast of a run from its settings. */
export function scenarioForecast(settings: RunSettings): ScenarioForecast {
  const make = (values: readonly number[] | undefined, name: string): Profile =>
    values === undefined
      ? FLAT_PROFILE
      : createProfile({
          values,
          name,
          startS: settings.startTime,
          ...(settings.profileStepS === undefined ? {} : { stepS: settings.profileStepS }),
        });
  const pv = make(settings.pvProfile, 'pv');
  const load = make(settings.loadProfile, 'load');
  return {
    over(fromS, toS) {
      const times = Array.from({ length: SAMPLES + 1 }, (_, k) => fromS + ((toS - fromS) * k) / SAMPLES);
      return {
        pv: times.map((time) => settings.pvMultiplier * pv.factorAt(time)),
        load: times.map((time) => settings.loadMultiplier * load.factorAt(time)),
      };
    },
  };
}

/** Batteries behave as plans take them to. */
function batteryOf({ efficiency, reserve }: RunHorizon): NonNullable<ModelCreation['battery']> {
  return { chargeEfficiency: efficiency, dischargeEfficiency: efficiency, reserve };
}

/** The settings that say what happens on the feeder apart from coordination. */
export type ScenarioSettings = Pick<
  RunSettings,
  | 'loadMultiplier'
  | 'pvMultiplier'
  | 'sourceVoltagePu'
  | 'pvProfile'
  | 'loadProfile'
  | 'profileStepS'
  | 'openSwitches'
  | 'startTime'
  | 'horizon'
>;

/** How the simulation is asked to make the same scenario. */
export function modelCreation(settings: ScenarioSettings): ModelCreation {
  return {
    loadScalingFactor: settings.loadMultiplier,
    pvScalingFactor: settings.pvMultiplier,
    ...(settings.sourceVoltagePu === undefined ? {} : { sourceVoltagePu: settings.sourceVoltagePu }),
    ...(settings.pvProfile === undefined ? {} : { pvProfile: settings.pvProfile }),
    ...(settings.loadProfile === undefined ? {} : { loadProfile: settings.loadProfile }),
    ...(settings.profileStepS === undefined ? {} : { profileStepS: settings.profileStepS }),
    ...(settings.horizon === undefined ? {} : { battery: batteryOf(settings.horizon) }),
    switches: settings.openSwitches.map((name) => ({ name, isOpen: true })),
    machines: [],
  };
}
