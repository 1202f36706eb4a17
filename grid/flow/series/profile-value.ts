/*
 * The value of a profile at a time.
 *
 * Of a fixed interval the point at the nearest multiple of it (halves to the even one, as far as hours hold them exactly), the first point at the end of the
 * first interval, from the start again after the last. With hours of its own a straight line between the two points around
 * the time, along the first two before the first; past the last hour from the start again.
 * Source: behaviour of OpenDSS' LoadShape and TShape as measured with DSS C-API 0.14.5 (tests/unit/flow/series).
 */
import type { Profile } from '../../model/index.js';
import { hourOf } from './step-clock.js';

/** Hours that count as the same, h (OpenDSS LoadShape). */
const SAME_HOUR = 1e-5;
const HOUR_S = 3600;

/** Rounds halves to the even neighbour. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function atHour(hours: readonly number[], values: readonly number[], hour: number): number {
  const count = values.length;
  const end = hours[count - 1]!;
  const at = hour > end && end > 0 ? hour - Math.trunc(hour / end) * end : hour;
  let low = 1;
  let high = count - 1;
  // The first point from the second on that is at the time or after it.
  while (low < high) {
    const middle = (low + high) >> 1;
    if (hours[middle]! > at - SAME_HOUR) high = middle;
    else low = middle + 1;
  }
  const after = hours[low]!;
  if (Math.abs(after - at) < SAME_HOUR) return values[low]!;
  if (after < at) return values[count - 1]!;
  const before = hours[low - 1]!;
  const run = after - before;
  return run === 0 ? values[low]! : values[low - 1]! + ((at - before) / run) * (values[low]! - values[low - 1]!);
}

/** Place of the point of a fixed interval that holds at an hour, from 0. */
function placeAt(intervalS: number, count: number, hour: number): number {
  const place = roundToEven(hour / (intervalS / HOUR_S)) % count;
  return place === 0 ? count - 1 : place - 1;
}

/**
 * Active value of a profile (or the only one).
 *
 * @param timeS - s since the beginning of the profile
 * @returns undefined for a profile without values
 */
export function profileValue(profile: Profile, timeS: number): number | undefined {
  return valueAt(profile, hourOf(timeS));
}

/**
 * Reactive value of a profile: its own where it has such values; else that of the active power, and nothing where the
 * values are actual powers.
 *
 * @returns undefined for a profile without values
 */
export function reactiveValue(profile: Profile, timeS: number): number | undefined {
  return reactiveValueAt(profile, hourOf(timeS));
}

/** The value of a profile at an hour, see {@link profileValue}. */
export function valueAt(profile: Profile, hour: number): number | undefined {
  return valueIn(profile, profile.values, hour);
}

/** The reactive value of a profile at an hour, see {@link reactiveValue}. */
export function reactiveValueAt(profile: Profile, hour: number): number | undefined {
  const { values, reactiveValues, isActual } = profile;
  if (reactiveValues === undefined) return isActual && values.length > 0 ? 0 : valueAt(profile, hour);
  return valueIn(profile, reactiveValues, hour);
}

function valueIn({ intervalS, hours, values }: Profile, list: readonly number[], hour: number): number | undefined {
  const count = values.length;
  if (count <= 1 || list.length <= 1) return list[0];
  if (intervalS > 0 || !hours) return list[placeAt(intervalS, count, hour)] ?? 0;
  return atHour(hours, list, hour);
}
