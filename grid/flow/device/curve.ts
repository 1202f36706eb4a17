import type { Curve } from '../../model/index.js';

/**
 * Value of a curve at `x`: linear between its points and along its first or last piece beyond them, as OpenDSS' XYcurve
 * goes on. A curve that shall stay level ends in two points of the same value.
 *
 * @returns the only value of a curve of one point, 0 of a curve without points
 */
export function curveValue(curve: Curve, x: number): number {
  const { x: xs, y: ys } = curve;
  const last = Math.min(xs.length, ys.length) - 1;
  if (last <= 0) return ys[0] ?? 0;
  let k = 1;
  while (k < last && x > xs[k]!) k++;
  const run = xs[k]! - xs[k - 1]!;
  if (run === 0) return ys[k]!;
  return ys[k - 1]! + ((ys[k]! - ys[k - 1]!) * (x - xs[k - 1]!)) / run;
}
