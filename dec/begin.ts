/** Exit code of an interrupted command; written here too, because reading the other file takes the time this one bridges. */
const CANCELLED = 4;

/**
 * Runs a program of this package with the arguments of the process. An interruption while the program is still being read
 * ends it with the code of every other interruption.
 */
export async function begin(program: 'dec' | 'run_dec_both'): Promise<void> {
  const stop = (): void => process.exit(CANCELLED);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const { main } = await import('./program.js');
  // A signal that came during the reading is heard before its listener goes.
  await new Promise((resolve) => setImmediate(resolve));
  const code = main(process.argv.slice(2), program);
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  process.exitCode = await code;
}
