import type { Command } from 'commander';
import { aborted, onInterrupt } from '../interrupt.js';
import { storeAt } from '../model-source.js';
import { port } from '../option.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';
import { isLoopback, startDashboard } from '../web/dashboard-server.js';

/** Port of the dashboard unless told. */
const WEB_PORT = 8600;

interface WebOptions extends OutputOptions {
  readonly host: string;
  readonly port: number;
  readonly runs: string;
  readonly feeder: readonly string[];
  readonly store?: string;
  readonly readOnly?: boolean;
}

/** Adds `dec web`. */
export function addWeb(program: Command): void {
  program
    .command('web')
    .description('the dashboard in a browser: finished runs with map, plots and playback, until it is interrupted')
    .option('--port <n>', 'port; 0 takes any free one', port, WEB_PORT)
    .option(
      '--host <address>',
      'address to listen on; any but loopback shows your runs to whoever reaches it',
      '127.0.0.1',
    )
    .option('--runs <dir>', 'folder with the folders of runs', 'outputs')
    .option('--feeder <file...>', 'CIM XML or OpenDSS master files of runs whose feeder is not in the store', [])
    .option('--store <dir>', 'folder of the model store')
    .option('--read-only', 'no run can be deleted from the pages; so it is also on any address but loopback')
    .option('--json', 'print one line of JSON when it is ready')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec web --runs outputs')
    .action(async (options: WebOptions) => {
      process.exitCode = await runWeb(options);
    });
}

async function runWeb(options: WebOptions): Promise<number> {
  const terminal = new Terminal(options);
  const interruption = onInterrupt();
  try {
    const dashboard = await startDashboard({
      host: options.host,
      port: options.port,
      runs: options.runs,
      store: storeAt(options.store),
      feeders: options.feeder,
      ...(options.readOnly ? { mayDelete: false } : {}),
      onError: (error) => terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    try {
      if (!isLoopback(options.host)) {
        terminal.note('The dashboard has no login: whoever reaches this address sees every run.');
      }
      if (terminal.isJson) terminal.result({ ready: true, url: dashboard.url, runs: options.runs });
      else terminal.print(`Dashboard of the runs in ${options.runs}: ${dashboard.url} (Ctrl-C ends it)`);
      await aborted(interruption.signal);
    } finally {
      await dashboard.close();
    }
    return EXIT.done;
  } finally {
    interruption.end();
  }
}
