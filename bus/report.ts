import { asError, BusError } from './bus-error.js';

/** Tells of a handler that threw; without a reporter it becomes a process warning, never silence. */
export function reportHandlerError(
  thrown: unknown,
  destination: string,
  reporters: ReadonlySet<(error: Error) => void>,
): void {
  const cause = asError(thrown);
  const error =
    thrown instanceof BusError
      ? thrown
      : new BusError(
          'HANDLER_FAILED',
          `A handler of ${destination} failed: ${cause.message}`,
          { destination },
          { cause },
        );
  reportError(error, reporters);
}

/** Hands an error to the reporters. */
export function reportError(error: Error, reporters: ReadonlySet<(error: Error) => void>): void {
  if (reporters.size === 0) process.emitWarning(error.message, 'BusError');
  for (const reporter of reporters) {
    try {
      reporter(error);
    } catch (thrown) {
      process.emitWarning(`A reporter of bus errors failed: ${asError(thrown).message}`, 'BusError');
    }
  }
}

/** The error of every call on a closed bus. */
export function closedError(what: string): BusError {
  return new BusError('BUS_CLOSED', `The bus is closed (${what}).`, { what });
}
