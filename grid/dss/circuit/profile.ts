/*
 * LoadShape, TShape and XYcurve: series over time and curves. Values may stand in the script or in files of several forms.
 */
import type { Curve, Profile, ProfileNames } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import { readDoubles, readSingles } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';

/** Names of the profiles that an object follows; `none` means none. */
export function profileNames(
  reader: CircuitReader,
  object: DssObject,
  className = 'loadshape',
  prefix = '',
): { readonly profiles?: ProfileNames } {
  const names: { daily?: string; yearly?: string; duty?: string } = {};
  for (const assignment of object.assignments) {
    const mode = assignment.property.startsWith(prefix) ? assignment.property.slice(prefix.length) : '';
    if (mode !== 'daily' && mode !== 'yearly' && mode !== 'duty') continue;
    const word = reader.word(assignment);
    if (word === '' || word === 'none') {
      delete names[mode];
      continue;
    }
    const found = reader.reference(object, assignment, className);
    if (found) names[mode] = found.displayName;
  }
  return Object.keys(names).length > 0 ? { profiles: names } : {};
}

/** Seconds in an hour and a minute. */
const HOUR_S = 3600;
const MINUTE_S = 60;

/** Converts a LoadShape or TShape, once. */
export function readProfile(reader: CircuitReader, object: DssObject): Profile {
  const known = reader.profiles.get(object);
  if (known) return known;
  const profile = convertProfile(reader, object);
  reader.profiles.set(object, profile);
  return profile;
}

function convertProfile(reader: CircuitReader, object: DssObject): Profile {
  const isTemperature = object.className === 'tshape';
  let count = 0;
  let intervalS = HOUR_S;
  let values: readonly number[] = [];
  let reactive: readonly number[] | undefined;
  let hours: readonly number[] = [];
  let isActual = isTemperature;
  let isNormalised = false;
  let peakP = 0;
  let peakQ = 0;
  let baseP = 0;
  let baseQ = 0;
  const binary = (assignment: DssAssignment, decode: (bytes: Uint8Array) => number[]) => {
    const bytes = reader.bytes(object, assignment);
    return bytes ? decode(bytes) : [];
  };
  /** Columns of a file: with a fixed interval only values, else the hour before them. */
  const columns = (list: readonly number[], width: number, at: number) => list.filter((_, i) => i % width === at);
  const takeFlat = (list: readonly number[]) => {
    if (intervalS > 0) values = list;
    else {
      hours = columns(list, 2, 0);
      values = columns(list, 2, 1);
    }
  };
  for (const assignment of object.assignments) {
    const number = () => reader.number(object, assignment);
    switch (assignment.property) {
      case 'npts':
        count = reader.count(object, assignment, 0, Number.MAX_SAFE_INTEGER) ?? count;
        break;
      case 'interval':
        intervalS = (number() ?? intervalS / HOUR_S) * HOUR_S;
        break;
      case 'minterval':
        intervalS = (number() ?? intervalS / MINUTE_S) * MINUTE_S;
        break;
      case 'sinterval':
        intervalS = number() ?? intervalS;
        break;
      case 'mult':
      case 'pmult':
      case 'temp':
        values = reader.numbers(object, assignment);
        break;
      case 'qmult':
        reactive = reader.numbers(object, assignment);
        break;
      case 'hour':
        hours = reader.numbers(object, assignment);
        break;
      case 'csvfile': {
        const rows = reader.rows(object, assignment);
        if (intervalS > 0) values = rows.map(([value]) => value ?? 0);
        else {
          hours = rows.map(([hour]) => hour ?? 0);
          values = rows.map(([, value]) => value ?? 0);
        }
        break;
      }
      case 'pqcsvfile': {
        const rows = reader.rows(object, assignment);
        const first = intervalS > 0 ? 0 : 1;
        if (first === 1) hours = rows.map(([hour]) => hour ?? 0);
        values = rows.map((row) => row[first] ?? 0);
        reactive = rows.map((row) => row[first + 1] ?? 0);
        break;
      }
      case 'dblfile':
        takeFlat(binary(assignment, readDoubles));
        break;
      case 'sngfile':
        takeFlat(binary(assignment, readSingles));
        break;
      case 'useactual':
        isActual = reader.flag(object, assignment);
        break;
      case 'action':
        if (reader.word(assignment).startsWith('n')) isNormalised = true;
        break;
      case 'pmax':
        peakP = number() ?? peakP;
        break;
      case 'qmax':
        peakQ = number() ?? peakQ;
        break;
      case 'pbase':
        baseP = number() ?? baseP;
        break;
      case 'qbase':
        baseQ = number() ?? baseQ;
        break;
    }
  }
  const length = count > 0 ? Math.min(count, values.length) : values.length;
  if (length === 0) {
    reader.note('warning', 'MISSING_ATTRIBUTE', object, 'It has no values; what follows it keeps its own.');
  } else if (count > values.length) {
    reader.note(
      'warning',
      'BAD_VALUE',
      object,
      `It has ${values.length} values where npts says ${count}; these are used.`,
    );
  }
  let own = values.slice(0, length);
  let ownReactive = reactive?.slice(0, length);
  if (isNormalised && !isTemperature) {
    own = scaled(own, baseP !== 0 ? baseP : largest(own));
    if (ownReactive) ownReactive = scaled(ownReactive, baseQ !== 0 ? baseQ : largest(ownReactive));
    isActual = false;
  }
  return {
    name: object.displayName,
    intervalS,
    ...(intervalS > 0 ? {} : { hours: hours.slice(0, length) }),
    values: own,
    ...(ownReactive && ownReactive.length > 0 ? { reactiveValues: ownReactive } : {}),
    isActual,
  };
}

/**
 * The multiplier of a profile at an hour: of a fixed interval the nearest point, counted from the end of the first interval
 * and from the start again; else on the line between two points.
 *
 * @returns undefined for a profile without values
 */
export function multiplierAt(profile: Profile, hour: number): number | undefined {
  const { values, hours, intervalS } = profile;
  const count = values.length;
  if (count === 0 || count === 1) return values[0];
  if (intervalS > 0 || !hours) {
    const place = Math.round((hour * HOUR_S) / intervalS) % count;
    return values[place === 0 ? count - 1 : place - 1];
  }
  const end = hours[count - 1]!;
  const at = hour > end && end > 0 ? hour - Math.trunc(hour / end) * end : hour;
  const next = hours.findIndex((h) => h >= at);
  if (next <= 0) return values[Math.max(0, next)];
  const part = (at - hours[next - 1]!) / (hours[next]! - hours[next - 1]!);
  return values[next - 1]! + part * (values[next]! - values[next - 1]!);
}

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const scaled = (values: readonly number[], by: number): number[] =>
  values.map((value) => (by > 0 ? value / by : value));

/** Converts an XYcurve; points are cut to the shorter of both lists. */
export function readCurve(reader: CircuitReader, object: DssObject): Curve {
  let count = 0;
  let x: readonly number[] = [];
  let y: readonly number[] = [];
  let xShift = 0;
  let yShift = 0;
  let xScale = 1;
  let yScale = 1;
  const takePairs = (list: readonly number[]) => {
    x = list.filter((_, i) => i % 2 === 0);
    y = list.filter((_, i) => i % 2 === 1);
  };
  const binary = (assignment: DssAssignment, decode: (bytes: Uint8Array) => number[]) => {
    const bytes = reader.bytes(object, assignment);
    if (bytes) takePairs(decode(bytes));
  };
  for (const assignment of object.assignments) {
    const number = () => reader.number(object, assignment);
    switch (assignment.property) {
      case 'npts':
        count = reader.count(object, assignment, 0) ?? count;
        break;
      case 'points':
        takePairs(reader.numbers(object, assignment));
        break;
      case 'xarray':
        x = reader.numbers(object, assignment);
        break;
      case 'yarray':
        y = reader.numbers(object, assignment);
        break;
      case 'csvfile': {
        const rows = reader.rows(object, assignment);
        x = rows.map((row) => row[0] ?? 0);
        y = rows.map((row) => row[1] ?? 0);
        break;
      }
      case 'dblfile':
        binary(assignment, readDoubles);
        break;
      case 'sngfile':
        binary(assignment, readSingles);
        break;
      case 'xshift':
        xShift = number() ?? xShift;
        break;
      case 'yshift':
        yShift = number() ?? yShift;
        break;
      case 'xscale':
        xScale = number() ?? xScale;
        break;
      case 'yscale':
        yScale = number() ?? yScale;
        break;
    }
  }
  const length = Math.min(x.length, y.length, count > 0 ? count : Number.MAX_SAFE_INTEGER);
  if (length === 0)
    reader.note('warning', 'MISSING_ATTRIBUTE', object, 'It has no points; what refers to it does without.');
  return {
    name: object.displayName,
    x: x.slice(0, length).map((value) => value * xScale + xShift),
    y: y.slice(0, length).map((value) => value * yScale + yShift),
  };
}

/** The curve that an assignment names; undefined, with a finding where it is not defined, for none. */
export function curveOf(reader: CircuitReader, object: DssObject, assignment: DssAssignment): Curve | undefined {
  const word = reader.word(assignment);
  if (word === '' || word === 'none') return undefined;
  const found = reader.reference(object, assignment, 'xycurve');
  if (!found) return undefined;
  const curve = readCurve(reader, found);
  return curve.x.length > 0 ? curve : undefined;
}
