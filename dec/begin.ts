import { endCancelled } from './signals.js';

/** Runs a program of this package with the arguments of the process. */
export async function begin(program: 'dec' | 'run_dec_both'): Promise<void> {
  endCancelled();
  const { main } = await import('./program.js');
  process.exitCode = await main(process.argv.slice(2), program);
}
