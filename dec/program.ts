import { Command, CommanderError } from 'commander';
import { addAgents } from './commands/agents.js';
import { addBench } from './commands/bench.js';
import { addCoordinate } from './commands/coordinate.js';
import { addExport } from './commands/export.js';
import { addFeeders, addIngest } from './commands/feeders.js';
import { addPlatform } from './commands/platform.js';
import { addPowerflow } from './commands/powerflow.js';
import { addRun, configureRun } from './commands/run.js';
import { addSeries } from './commands/series.js';
import { packageVersion } from './package-version.js';
import { EXIT, reportError } from './terminal.js';

/** The command line with all its commands. */
export function createProgram(): Command {
  const program = new Command('dec')
    .description('Keeps the voltage of a distribution feeder inside its limits by sharing PV curtailment fairly.')
    .version(packageVersion())
    .showHelpAfterError('(add --help for usage and an example)')
    .exitOverride();
  addRun(program);
  addFeeders(program);
  addIngest(program);
  addPowerflow(program);
  addSeries(program);
  addCoordinate(program);
  addExport(program);
  addBench(program);
  addPlatform(program);
  addAgents(program);
  return program;
}

/** The main job alone, under the ancestor's name. */
export function createRunProgram(): Command {
  return configureRun(new Command('run_dec_both'), 'run_dec_both')
    .version(packageVersion())
    .showHelpAfterError('(add --help for usage and an example)')
    .exitOverride();
}

/**
 * Runs a command line and returns its exit code; errors are written to standard error.
 *
 * @param args - without the interpreter and the program
 * @param name - the program they were given to
 */
export async function main(args: readonly string[], name: 'dec' | 'run_dec_both' = 'dec'): Promise<number> {
  // A reader that closes early (`dec feeders | head -1`) has seen enough; that is no error.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  try {
    const program = name === 'dec' ? createProgram() : createRunProgram();
    await program.parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    // Help and version end here too, with 0; everything else commander says is a usage error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    return reportError(error);
  }
}
