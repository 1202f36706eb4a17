import { asError } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';

/** The error of every wait that a signal ended. */
export function cancelled(): DecError {
  return new DecError('CANCELLED', 'The run was cancelled.');
}

/** Whether an error says that a signal ended the work. */
export function isCancelled(thrown: unknown): boolean {
  const error = asError(thrown);
  return error.name === 'AbortError' || ('code' in error && error.code === 'CANCELLED');
}
