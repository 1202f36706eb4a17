import { Command, CommanderError } from 'commander';
import { UntoldArgumentError } from './option.js';
import { packageVersion } from './package-version.js';
import { EXIT, reportError, withoutPasswords } from './terminal.js';

/** Adds the commands of a module to the program. */
type Adding = (program: Command) => Promise<void>;

/** The commands in the order of the help; a module is loaded when its command is called or listed. */
const COMMANDS: ReadonlyMap<string, Adding> = new Map<string, Adding>([
  ['run', async (program) => (await import('./commands/run.js')).addRun(program)],
  ['feeders', async (program) => (await import('./commands/feeders.js')).addFeeders(program)],
  ['ingest', async (program) => (await import('./commands/feeders.js')).addIngest(program)],
  ['powerflow', async (program) => (await import('./commands/powerflow.js')).addPowerflow(program)],
  ['series', async (program) => (await import('./commands/series.js')).addSeries(program)],
  ['coordinate', async (program) => (await import('./commands/coordinate.js')).addCoordinate(program)],
  ['export', async (program) => (await import('./commands/export.js')).addExport(program)],
  ['bench', async (program) => (await import('./commands/bench.js')).addBench(program)],
  ['platform', async (program) => (await import('./commands/platform.js')).addPlatform(program)],
  ['web', async (program) => (await import('./commands/web.js')).addWeb(program)],
  ['report', async (program) => (await import('./commands/report.js')).addReport(program)],
  ['users', async (program) => (await import('./commands/users.js')).addUsers(program)],
  ['agents', async (program) => (await import('./commands/agents.js')).addAgents(program)],
]);

/** What commander says of a wrong command line repeats words of it, addresses with passwords among them. */
const OUTPUT = { outputError: (text: string, write: (text: string) => void) => write(withoutPasswords(text)) };

/**
 * The command line.
 *
 * @param called - the command it will run; all of them when it is none of their names
 */
export async function createProgram(called?: string): Promise<Command> {
  const program = new Command('dec')
    .description('Keeps the voltage of a distribution feeder inside its limits by sharing PV curtailment fairly.')
    .version(packageVersion())
    .showHelpAfterError('(add --help for usage and an example)')
    .configureOutput(OUTPUT)
    .exitOverride();
  const only = called === undefined ? undefined : COMMANDS.get(called);
  for (const add of only ? [only] : COMMANDS.values()) await add(program);
  return program;
}

/** The main job alone, under the ancestor's name. */
async function createRunProgram(): Promise<Command> {
  const { configureRun } = await import('./commands/run.js');
  return configureRun(new Command('run_dec_both'), 'run_dec_both')
    .version(packageVersion())
    .showHelpAfterError('(add --help for usage and an example)')
    .configureOutput(OUTPUT)
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
    // A configuration has sections of other commands, whose options it is checked against.
    const called = args.some((arg) => arg.startsWith('--config')) ? undefined : args[0];
    const program = name === 'dec' ? await createProgram(called) : await createRunProgram();
    await program.parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done;
  } catch (error) {
    if (error instanceof UntoldArgumentError) {
      process.stderr.write(`error: the value of option ${error.option} is invalid. ${error.message}\n`);
      return EXIT.badInput;
    }
    // Help and version end here too, with 0; everything else commander says is a usage error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    return reportError(error);
  }
}
