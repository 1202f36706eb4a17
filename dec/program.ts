import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCoordinate } from './commands/coordinate.js';
import { addFeeders, addIngest } from './commands/feeders.js';
import { addPowerflow } from './commands/powerflow.js';
import { EXIT, reportError } from './terminal.js';

/** Version of the package, from its package.json: one folder up in the sources, two in the build. */
export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (typeof version === 'string') return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

/** The command line with all its commands. */
export function createProgram(): Command {
  const program = new Command('dec')
    .description('Keeps the voltage of a distribution feeder inside its limits by sharing PV curtailment fairly.')
    .version(packageVersion())
    .showHelpAfterError('(add --help for usage and an example)')
    .exitOverride();
  addFeeders(program);
  addIngest(program);
  addPowerflow(program);
  addCoordinate(program);
  return program;
}

/**
 * Runs a command line and returns its exit code; errors are written to standard error.
 *
 * @param args - without the interpreter and the program
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    // Help and version end here too, with 0; everything else commander says is a usage error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    return reportError(error);
  }
}
