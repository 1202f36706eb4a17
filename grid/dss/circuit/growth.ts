import type { GrowthProfile } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

/** Growth of loads whose own shape is not named, a year (OpenDSS `%growth`). */
const DEFAULT_GROWTH_PCT = 2.5;

/** Growth shapes of a script. */
export class GrowthLibrary {
  readonly #profiles = new Map<string, GrowthProfile>();
  readonly #defaultRate: number;

  constructor(reader: CircuitReader) {
    for (const object of reader.script.byClass('growthshape')) {
      this.#profiles.set(object.name, readGrowth(reader, object));
    }
    const option = reader.script.options.get('%growth');
    this.#defaultRate = 1 + ((option ? reader.optionNumber(option) : undefined) ?? DEFAULT_GROWTH_PCT) / 100;
  }

  /** All shapes that the script names itself. */
  get profiles(): readonly GrowthProfile[] {
    return [...this.#profiles.values()];
  }

  /**
   * The multiplier of a year: the product of those of the years before it, each holding until the next that is written.
   *
   * @param name - of the growth shape, undefined for the circuit's own rate
   * @param year - 0 is the first
   */
  factor(name: string | undefined, year: number): number {
    if (year <= 0) return 1;
    const profile = name === undefined ? undefined : this.#profiles.get(name);
    // OpenDSS lets the first year pass without growth.
    if (!profile) return this.#defaultRate ** (year - 1);
    let factor = 1;
    let rate = 1;
    let place = 0;
    const first = profile.years[0] ?? 0;
    for (let y = first; y < year; y++) {
      if (profile.years[place] !== undefined && profile.years[place]! <= y) rate = profile.multipliers[place++] ?? rate;
      factor *= rate;
    }
    return factor;
  }
}

function readGrowth(reader: CircuitReader, object: DssObject): GrowthProfile {
  let years: readonly number[] = [];
  let multipliers: readonly number[] = [];
  for (const assignment of object.assignments) {
    if (assignment.property === 'year') years = reader.numbers(object, assignment);
    else if (assignment.property === 'mult') multipliers = reader.numbers(object, assignment);
    else if (assignment.property === 'csvfile') {
      const rows = reader.rows(object, assignment);
      years = rows.map(([year]) => year ?? 0);
      multipliers = rows.map(([, multiplier]) => multiplier ?? 1);
    }
  }
  const count = Math.min(years.length, multipliers.length);
  return { name: object.displayName, years: years.slice(0, count), multipliers: multipliers.slice(0, count) };
}
