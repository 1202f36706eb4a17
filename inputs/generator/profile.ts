/**
 * Profiles of one day in 96 quarter-hours, of our own making: load, PV and price as shapes and numbers, local solar time.
 * The value of a row holds from its time to the next.
 */
import { FEEDER_SEED } from './customers.js';
import { NamedStream } from './stream.js';

const QUARTERS = 96;
/** Sunrise and sunset of a summer day, and the exponent that makes a ramp of a tilted roof out of a sine. */
const SUNRISE_H = 5.75;
const SUNSET_H = 19.75;
const PV_EXPONENT = 1.35;
/** Passing clouds of the afternoon: middle (h), half width (h), depth (share of the output lost). */
const CLOUDS: readonly (readonly [middleH: number, halfWidthH: number, depth: number])[] = [
  [14.875, 0.5, 0.45],
  [16.125, 0.375, 0.25],
];
/** The quarter-hours of 12:30 and 12:45 carry the peak. */
const PEAK_H = 12.875;

/** Residential day: a floor, a morning and an evening hump (middle h, width h, height). */
const LOAD_FLOOR = 0.42;
const LOAD_HUMPS: readonly (readonly [middleH: number, widthH: number, height: number])[] = [
  [7.5, 1.4, 0.24],
  [13, 2.8, 0.1],
  [19.5, 2.3, 0.55],
];
const LOAD_NOISE = 0.015;

/** Time-of-use tariff: from hour, price per kWh. */
const TARIFF: readonly (readonly [fromH: number, price: number])[] = [
  [0, 0.21],
  [6, 0.27],
  [10, 0.19],
  [16, 0.46],
  [21, 0.27],
];

function middleHour(quarter: number): number {
  return (quarter + 0.5) / 4;
}

/** PV output over its rating by quarter-hour, peak 1. */
export function pvShape(): number[] {
  const raw = Array.from({ length: QUARTERS }, (_, quarter) => {
    const h = middleHour(quarter);
    if (h <= SUNRISE_H || h >= SUNSET_H) return 0;
    const span = h < PEAK_H ? (h - SUNRISE_H) / (PEAK_H - SUNRISE_H) : (SUNSET_H - h) / (SUNSET_H - PEAK_H);
    return Math.sin((Math.PI / 2) * span) ** PV_EXPONENT;
  });
  const peak = Math.max(...raw);
  return raw.map((value, quarter) => {
    const h = middleHour(quarter);
    const share = CLOUDS.reduce((rest, [middle, half, depth]) => {
      const distance = Math.abs(h - middle) / half;
      return distance < 1 ? rest * (1 - depth * Math.cos((Math.PI / 2) * distance) ** 2) : rest;
    }, 1);
    // The two quarter-hours around the peak are its plateau.
    return h > 12.5 && h < 13 ? 1 : (Math.min(value, peak) / peak) * share;
  });
}

/** Load over its daily peak by quarter-hour. */
export function loadShape(): number[] {
  const stream = new NamedStream(FEEDER_SEED, 'load profile');
  const raw = Array.from({ length: QUARTERS }, (_, quarter) => {
    const h = middleHour(quarter);
    const hump = LOAD_HUMPS.reduce((sum, [middle, width, height]) => {
      const away = Math.min(Math.abs(h - middle), 24 - Math.abs(h - middle));
      return sum + height * Math.exp(-0.5 * (away / width) ** 2);
    }, LOAD_FLOOR);
    return hump * (1 + stream.between(-LOAD_NOISE, LOAD_NOISE));
  });
  const peak = Math.max(...raw);
  return raw.map((value) => value / peak);
}

/** Price by quarter-hour, $/kWh. */
export function priceSeries(): number[] {
  return Array.from({ length: QUARTERS }, (_, quarter) => {
    const h = quarter / 4;
    return TARIFF.reduce((price, [from, value]) => (h >= from ? value : price), 0);
  });
}

function clock(quarter: number): string {
  const minutes = quarter * 15;
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function csv(header: string, values: readonly number[], digits: number): string {
  return `${[header, ...values.map((value, quarter) => `${clock(quarter)},${value.toFixed(digits)}`)].join('\n')}\n`;
}

/** The files of `inputs/profiles` by name. */
export function profileFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['load.csv', csv('time,load_pu_of_peak', loadShape(), 4)],
    ['pv.csv', csv('time,pv_pu_of_rating', pvShape(), 4)],
    ['price.csv', csv('time,price_usd_per_kwh', priceSeries(), 4)],
  ]);
}
