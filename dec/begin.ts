/** Exit code of an interrupted command; written here too, because reading the other file takes the time this one bridges. */
const CANCELLED = 4;

/**
 * Runs a program of this package with the arguments of the process. An interruption that the command does not hear itself, as
 * while the program is being read, ends it with the code of every other interruption.
 */
export async function begin(program: 'dec' | 'run_dec_both'): Promise<void> {
  const listen = (signal: NodeJS.Signals): void => {
    process.on(signal, () => {
      // A command that cleans up has a listener of its own.
      if (process.listenerCount(signal) === 1) process.exit(CANCELLED);
    });
  };
  listen('SIGINT');
  listen('SIGTERM');
  const { main } = await import('./program.js');
  process.exitCode = await main(process.argv.slice(2), program);
}
