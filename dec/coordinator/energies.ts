import type { PhotovoltaicSystem } from '../../grid/model/index.js';
import type { Scenario } from '../../platform/index.js';
import type { RunSettings } from './run-result.js';

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
