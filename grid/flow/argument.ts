import { DecError } from '../math/index.js';
import type { PowerFlowSettings } from './power-flow.js';

/** The error for an id that the feeder does not have. */
export function unknown(what: string, id: string): DecError {
  return new DecError('BAD_ARGUMENT', `The feeder has no ${what} with the id ${id}.`, { what, id });
}

/** @throws DecError `BAD_ARGUMENT` where a value is not finite */
export function requireFinite(name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new DecError('BAD_ARGUMENT', `${name} must be a finite number, not ${value}.`, { name });
}

/** @throws DecError `BAD_ARGUMENT` where a value is not a whole number from `least` to `most` */
export function requireWhole(name: string, value: number, least: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = Number.isFinite(most) ? `from ${least} to ${most}` : `of ${least} or more`;
  throw new DecError('BAD_ARGUMENT', `${name} must be a whole number ${range}, not ${value}.`, { name });
}

/** @throws DecError `BAD_ARGUMENT` where a value is not finite or below `least` */
export function requireAtLeast(name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return;
  throw new DecError('BAD_ARGUMENT', `${name} must be a finite number of ${least} or more, not ${value}.`, { name });
}

/** @throws DecError `BAD_ARGUMENT` for settings with which no power flow can be solved */
export function requireFlowSettings(
  settings: Pick<
    PowerFlowSettings,
    'tolerancePu' | 'maxIterations' | 'maxControlPasses' | 'loadMultiplier' | 'pvMultiplier'
  > &
    Pick<PowerFlowSettings, 'sourceVoltagePu'>,
): void {
  requireAtLeast('tolerancePu', settings.tolerancePu, 0);
  requireWhole('maxIterations', settings.maxIterations, 1);
  requireWhole('maxControlPasses', settings.maxControlPasses, 0);
  requireFinite('loadMultiplier', settings.loadMultiplier);
  requireFinite('pvMultiplier', settings.pvMultiplier);
  if (settings.sourceVoltagePu !== undefined) requireAtLeast('sourceVoltagePu', settings.sourceVoltagePu, 0);
}
