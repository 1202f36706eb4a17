import { DecError } from '../../grid/math/index.js';

/** Seconds of a day, the span of a profile without a step of its own. */
export const DAY_S = 86_400;

/** How a value between two points is found: on the line between them, or that of the point before. */
export type Interpolation = 'linear' | 'step';

/** A series of factors over time. */
export interface Profile {
  /** Factor at simulated time `epochS` (epoch seconds). */
  factorAt(epochS: number): number;
}

/** What makes a profile. */
export interface ProfileSettings {
  /** Factors, one per point; any number of them. */
  readonly values: readonly number[];
  /** Seconds between two points; a day divided by the number of points when absent. */
  readonly stepS?: number;
  readonly interpolation?: Interpolation;
  /** Time of the first point of a profile with a step of its own, epoch seconds. */
  readonly startS: number;
  /** Name for messages. */
  readonly name: string;
}

/** A profile that is always 1. */
export const FLAT_PROFILE: Profile = { factorAt: () => 1 };

/**
 * Makes a profile. Without `stepS` its points are spread over one day from midnight UTC and the day repeats; with it
 * the first point stands at `startS` and the last value is held after the end.
 * @throws DecError `BAD_ARGUMENT` for an empty list, a value that is not a finite number, or a step that is not positive
 */
export function createProfile(settings: ProfileSettings): Profile {
  const { values, stepS, startS, name, interpolation = 'linear' } = settings;
  if (values.length === 0) {
    throw new DecError('BAD_ARGUMENT', `The profile "${name}" has no points; give at least one factor.`, { name });
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value) || value < 0);
  if (wrong >= 0) {
    throw new DecError(
      'BAD_ARGUMENT',
      `Point ${wrong} of the profile "${name}" is ${values[wrong]}; factors are finite and not negative.`,
      { name, point: wrong },
    );
  }
  if (stepS !== undefined && !(stepS > 0)) {
    throw new DecError('BAD_ARGUMENT', `The profile "${name}" has a step of ${stepS} s; more than 0 is needed.`, {
      name,
      stepS,
    });
  }
  const count = values.length;
  const isDaily = stepS === undefined;
  const spacingS = stepS ?? DAY_S / count;
  const at = (index: number) => values[isDaily ? ((index % count) + count) % count : clamp(index, 0, count - 1)]!;
  return {
    factorAt(epochS) {
      const position = (isDaily ? ((epochS % DAY_S) + DAY_S) % DAY_S : epochS - startS) / spacingS;
      // A point that is meant must not be missed by the rounding of the division.
      const nearest = Math.round(position);
      if (Math.abs(position - nearest) < 1e-9) return at(nearest);
      const before = Math.floor(position);
      if (interpolation === 'step') return at(before);
      return at(before) + (position - before) * (at(before + 1) - at(before));
    },
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
