/** Exit code of an interrupted command; written here too, because reading the other file takes the time this one bridges. */
const CANCELLED = 4;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const listeners = new Map<NodeJS.Signals, () => void>();

/** An interruption that no command hears itself, as while the program is being read, ends the process with {@link CANCELLED}. */
export function endCancelled(): void {
  for (const signal of SIGNALS) {
    const listener = (): void => {
      // A command that cleans up has a listener of its own.
      if (process.listenerCount(signal) === 1) process.exit(CANCELLED);
    };
    listeners.set(signal, listener);
    process.on(signal, listener);
  }
}

/**
 * Leaves signals to the system from here on: a command that computes for minutes without a pause could hear none, and would go on
 * until it is done. It ends at once then, by the signal (130 or 143 in a shell).
 */
export function endBySignal(): void {
  for (const [signal, listener] of listeners) process.off(signal, listener);
  listeners.clear();
}
