import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { isLoopback } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { aborted, onInterrupt } from '../interrupt.js';
import { storeAt } from '../model-source.js';
import { type BrokerUrl, brokerUrl, port, trusting } from '../option.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';
import { startDashboard } from '../web/dashboard-server.js';
import type { ControlLeave } from '../web/live-desk.js';
import { RunStarter } from '../web/run-starter.js';

/** Port of the dashboard unless told. */
export const WEB_PORT = 8600;

interface WebOptions extends OutputOptions {
  readonly host: string;
  readonly port: number;
  readonly runs: string;
  readonly feeder: readonly string[];
  readonly store?: string;
  readonly readOnly?: boolean;
  readonly allowControl?: boolean;
  readonly broker?: BrokerUrl;
  readonly brokerCa?: string;
}

/** Adds `dec web`. */
export function addWeb(program: Command): void {
  program
    .command('web')
    .description(
      'the dashboard in a browser: runs with map, plots and playback, those at work live, until it is interrupted',
    )
    .option('--port <n>', 'port; 0 takes any free one', port, WEB_PORT)
    .option(
      '--host <address>',
      'address to listen on; any but loopback shows your runs to whoever reaches it',
      '127.0.0.1',
    )
    .option('--runs <dir>', 'folder with the folders of runs', 'outputs')
    .option('--feeder <file...>', 'CIM XML or OpenDSS master files of runs whose feeder is not in the store', [])
    .option('--store <dir>', 'folder of the model store')
    .option('--read-only', 'pages only watch: no controls of runs, no new runs, no run is deleted')
    .option(
      '--allow-control',
      'pages may act on runs also where the address is not loopback; they need the key that is printed (or is in DEC_WEB_KEY)',
    )
    .option(
      '--broker <url>',
      'how to log in to the brokers of runs at work, where not as a platform is delivered',
      brokerUrl,
    )
    .option('--broker-ca <file>', 'certificate of the authority behind their TLS, PEM')
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
    const leave = controlLeave(options);
    const store = storeAt(options.store, options.feeder);
    const broker = trusting(options.broker, options.brokerCa);
    const starter = new RunStarter({
      runs: options.runs,
      store,
      storeOptions: options.store === undefined ? [] : ['--store', options.store],
    });
    const dashboard = await startDashboard({
      host: options.host,
      port: options.port,
      runs: options.runs,
      store,
      feeders: options.feeder,
      ...(options.readOnly ? { mayDelete: false } : {}),
      leave,
      ...(broker === undefined ? {} : { credentials: broker }),
      ...(leave === 'none' ? {} : { starter }),
      onError: (error) => terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    const key = typeof leave === 'object' ? leave.key : undefined;
    try {
      if (!isLoopback(options.host)) {
        terminal.note('The dashboard has no login: whoever reaches this address sees every run.');
      }
      if (terminal.isJson) {
        terminal.result({ ready: true, url: dashboard.url, runs: options.runs, ...(key === undefined ? {} : { key }) });
      }
      terminal.print(`Dashboard of the runs in ${options.runs}: ${dashboard.url} (Ctrl-C ends it)`);
      if (key !== undefined) terminal.print(`Key for acting on runs: ${key}`);
      await aborted(interruption.signal);
    } finally {
      await dashboard.close();
    }
    return EXIT.done;
  } finally {
    interruption.end();
  }
}

/** Bytes of a key that is made here. */
const KEY_BYTES = 16;

/** Who may act through the dashboard. @throws DecError `BAD_ARGUMENT` for options that say two things */
function controlLeave({ host, readOnly = false, allowControl = false }: WebOptions): ControlLeave {
  if (readOnly && allowControl) {
    throw new DecError('BAD_ARGUMENT', '--read-only and --allow-control exclude one another.');
  }
  if (readOnly) return 'none';
  if (isLoopback(host)) return 'all';
  if (!allowControl) return 'none';
  const { DEC_WEB_KEY: given = '' } = process.env;
  return { key: given === '' ? randomBytes(KEY_BYTES).toString('base64url') : given };
}
