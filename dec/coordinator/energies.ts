import type { Feeder, PhotovoltaicSystem } from '../../grid/model/index.js';
import type { CoordinationQuestion, LocalInputs } from '../../grid/optim/index.js';
import { createScenario, type Scenario } from '../../platform/index.js';
import { modelCreation } from './forecast.js';
import type { IntervalResult, RunSettings } from './run-result.js';
import { unitsWithoutSupply } from './supply.js';

/** A unit and the limit in force, W. */
export interface LimitedUnit {
  readonly unit: PhotovoltaicSystem;
  readonly limitW: number;
}

/** Energies of one unit while the set-points of an interval are in force, Wh. */
export interface UnitEnergy {
  readonly id: string;
  readonly availableWh: number;
  readonly curtailedWh: number;
}

/** Samples of an interval at which the scenario is read. */
export const SAMPLES = 24;

/**
 * What the scenario makes available, and what limits leave unused of it, from the output in which they take effect to the one
 * in which the next ones do.
 *
 * @param fromS - simulated time of the interval's measurements, epoch seconds
 */
export function unitEnergies(
  scenario: Scenario,
  { intervalS, publishPeriodS }: Pick<RunSettings, 'intervalS' | 'publishPeriodS'>,
  fromS: number,
  limited: readonly LimitedUnit[],
): readonly UnitEnergy[] {
  const hours = intervalS / SAMPLES / 3600;
  const energies = limited.map(({ unit: { id } }) => ({ id, availableWh: 0, curtailedWh: 0 }));
  for (let k = 0; k < SAMPLES; k++) {
    const time = fromS + publishPeriodS + (intervalS * (k + 0.5)) / SAMPLES;
    limited.forEach(({ unit, limitW }, u) => {
      const { powerW } = scenario.availablePv(unit, time);
      energies[u]!.availableWh += powerW * hours;
      energies[u]!.curtailedWh += Math.max(0, powerW - limitW) * hours;
    });
  }
  return energies;
}

/**
 * The scenario's hardest moment from one time to another, epoch seconds: most PV, least load.
 *
 * @param dead - units without supply, which have nothing to give
 */
export function hardestInputs(
  scenario: Scenario,
  feeder: Feeder,
  fromS: number,
  toS: number,
  dead: ReadonlySet<string>,
): LocalInputs {
  const times = Array.from({ length: SAMPLES + 1 }, (_, k) => fromS + ((toS - fromS) * k) / SAMPLES);
  const availableW: Record<string, number> = {};
  for (const pv of feeder.pvSystems) {
    availableW[pv.id] = dead.has(pv.id) ? 0 : Math.max(...times.map((time) => scenario.availablePv(pv, time).powerW));
  }
  const loads: Record<string, { powerW: number; powerVar: number }> = {};
  for (const load of feeder.loads) {
    loads[load.id] = times
      .map((time) => scenario.loadPower(load, time))
      .reduce((least, power) => (power.powerW < least.powerW ? power : least));
  }
  return { loads, availableW, held: {} };
}

/** What one interval of a run is about, as a question to the optimum in one hand. */
export function intervalQuestion(
  feeder: Feeder,
  settings: RunSettings,
  { timestamp, state }: Pick<IntervalResult, 'timestamp' | 'state'>,
): Pick<CoordinationQuestion, 'feeder' | 'inputs' | 'state' | 'settings' | 'reactive' | 'intervalSeconds'> {
  const scenario = createScenario(modelCreation(settings), settings.startTime);
  const { intervalS, publishPeriodS, limits, reactive } = settings;
  const known = state ?? { taps: {}, capacitorSections: {}, openSwitches: [] };
  const dead = unitsWithoutSupply(feeder, known.openSwitches);
  return {
    feeder,
    inputs: hardestInputs(scenario, feeder, timestamp, timestamp + intervalS + publishPeriodS, dead),
    state: known,
    settings: { limits },
    ...(reactive === undefined ? {} : { reactive }),
    intervalSeconds: intervalS,
  };
}
