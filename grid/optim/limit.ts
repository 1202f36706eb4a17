import type { Setpoint } from './star.js';

/** Curtailment below this fraction is noise of the iteration: the unit is given its largest power back. */
export const RESTORE_BELOW_ALPHA = 1e-3;

/**
 * The absolute limit that a set-point means, W: its power when it is held back, else the unit's largest power, so that a
 * limit never stays behind when the sun or the need for it has gone. NaN when the set-point is no number.
 */
export function limitOfSetpoint(
  { alpha, availableW, setpointW }: Pick<Setpoint, 'alpha' | 'availableW' | 'setpointW'>,
  maxPowerW: number,
): number {
  if (Number.isNaN(alpha) || Number.isNaN(setpointW)) return Number.NaN;
  if (alpha < RESTORE_BELOW_ALPHA || availableW <= 0) return maxPowerW;
  return Math.min(maxPowerW, Math.max(0, setpointW));
}

/** Curtailed fraction of a candidate. @param alpha - of its basis */
export function candidateAlpha(alpha: number, cut: number): number {
  return alpha + cut * (1 - alpha);
}
