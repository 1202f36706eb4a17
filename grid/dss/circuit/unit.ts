/** Unit of length as OpenDSS names it; `none` converts to anything without a factor. */
export type LengthUnit = 'none' | 'mi' | 'kft' | 'km' | 'm' | 'ft' | 'in' | 'cm' | 'mm';

/** Metres in each unit, with the digits OpenDSS uses. */
const METRES: Readonly<Record<LengthUnit, number>> = {
  none: 1,
  mi: 1609.344,
  kft: 304.8,
  km: 1000,
  m: 1,
  ft: 0.3048,
  in: 0.0254,
  cm: 0.01,
  mm: 0.001,
};

/** The first two letters of a word decide, as in OpenDSS. */
const BY_LETTERS: Readonly<Record<string, LengthUnit>> = {
  no: 'none',
  mi: 'mi',
  kf: 'kft',
  km: 'km',
  m: 'm',
  me: 'm',
  ft: 'ft',
  in: 'in',
  cm: 'cm',
  mm: 'mm',
};

/** The unit a word means; undefined where OpenDSS knows none (and takes it for `none`). */
export function lengthUnit(word: string): LengthUnit | undefined {
  const letters = word.trim().toLowerCase().slice(0, 2);
  return letters === '' ? 'none' : Object.hasOwn(BY_LETTERS, letters) ? BY_LETTERS[letters] : undefined;
}

/** How many of `to` make one of `from`; 1 where either is `none`. */
export function unitRatio(from: LengthUnit, to: LengthUnit): number {
  return from === 'none' || to === 'none' ? 1 : METRES[from] / METRES[to];
}

/** Metres in a unit; 1 for `none`. */
export const metresIn = (unit: LengthUnit): number => METRES[unit];
