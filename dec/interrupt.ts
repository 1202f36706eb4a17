import { EXIT } from './terminal.js';

/** A signal that the user's interruption (Ctrl-C, or SIGTERM of a supervisor) aborts, and what takes the listeners away. */
export interface Interruption {
  readonly signal: AbortSignal;
  end(): void;
}

/** Listens for SIGINT and SIGTERM. The first asks the work to stop and clean up; a second ends the process at once. */
export function onInterrupt(): Interruption {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.cancelled);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    end() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
