import { DecError } from '../math/index.js';

/** The error for an id that the feeder does not have. */
export function unknown(what: string, id: string): DecError {
  return new DecError('BAD_ARGUMENT', `The feeder has no ${what} with the id ${id}.`, { what, id });
}

/** @throws DecError `BAD_ARGUMENT` where a value is not finite */
export function requireFinite(name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new DecError('BAD_ARGUMENT', `${name} must be a finite number, not ${value}.`, { name });
}
