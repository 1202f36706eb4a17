import type { Setpoint } from './star.js';

/** Curtailment below this fraction is noise of the iteration: the unit is given its largest power back. */
export const RESTORE_BELOW_ALPHA = 1e-3;

/** Power below zero that is rounding, W per W of the unit's largest. */
const ROUNDING = 1e-6;

/**
 * The absolute limit that a set-point means, W: its power when it is held back, else the unit's largest power, so that a
 * limit never stays behind when the sun or the need for it has gone. NaN when the set-point is no number, or takes power
 * from the network, which no PV system can.
 *
 * @param ratingVA - of the inverter: beside reactive power no more active power is given than fits into it; 0 when unknown
 */
export function limitOfSetpoint(
  {
    alpha,
    availableW,
    setpointW,
    setpointVar = 0,
  }: Pick<Setpoint, 'alpha' | 'availableW' | 'setpointW'> & Partial<Pick<Setpoint, 'setpointVar'>>,
  maxPowerW: number,
  ratingVA = 0,
): number {
  if (Number.isNaN(alpha) || Number.isNaN(setpointW) || setpointW < -ROUNDING * maxPowerW) return Number.NaN;
  if (alpha < RESTORE_BELOW_ALPHA || availableW <= 0) {
    if (ratingVA <= 0 || setpointVar === 0) return maxPowerW;
    return Math.min(maxPowerW, Math.sqrt(Math.max(0, ratingVA ** 2 - setpointVar ** 2)));
  }
  return Math.min(maxPowerW, Math.max(0, setpointW));
}

/**
 * Curtailed fraction of a candidate.
 * @param alpha - of its basis
 * @param cut - share of what is left that is curtailed on top, or below 0 of what is curtailed that is given back
 */
export function candidateAlpha(alpha: number, cut: number): number {
  return cut < 0 ? alpha * (1 + cut) : alpha + cut * (1 - alpha);
}
