import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { parseUsers } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { defaultStoreDir, type PlatformOptions, SPARQL_MEMORY_RANGE_MB, startPlatform } from '../../platform/index.js';
import { aborted, onInterrupt } from '../interrupt.js';
import { type BrokerUrl, brokerUrl, count, port, trusting, webOrigins } from '../option.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';

interface PlatformCommandOptions extends OutputOptions {
  readonly port: number;
  readonly store?: string;
  readonly feeder: readonly string[];
  readonly host: string;
  readonly wsPort?: number;
  readonly wsOrigin?: readonly string[];
  readonly sparqlPort?: number;
  readonly sparqlMemory?: number;
  readonly broker?: BrokerUrl;
  readonly brokerCa?: string;
  readonly legacyStringData?: boolean;
  readonly users?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly maxConnections?: number;
  readonly maxRate?: number;
}

/** The users' password of a platform as it is delivered. */
const DEFAULT_LOGIN = { login: 'system', passcode: 'manager' };

/** Reads the memory of SPARQL, MB. @throws InvalidArgumentError beyond what can be had */
function sparqlMemory(text: string): number {
  const [least, most] = SPARQL_MEMORY_RANGE_MB;
  const megabytes = count(text);
  if (megabytes >= least && megabytes <= most) return megabytes;
  throw new InvalidArgumentError(`It must be from ${least} to ${most} MB.`);
}

/** Adds `dec platform`. */
export function addPlatform(program: Command): void {
  program
    .command('platform')
    .description('run the stand-in platform until it is interrupted')
    .option('--port <n>', 'STOMP port; 0 takes any free one', port, 61_613)
    .option('--host <address>', 'address to listen on; any but loopback needs --users', '127.0.0.1')
    .option('--ws-port <n>', 'STOMP over WebSocket on this port, e.g. 61614; 0 takes any free one', port)
    .option(
      '--ws-origin <origin...>',
      'web pages that may connect, e.g. https://ops.example:8443, or * for all; pages of this machine when absent',
      webOrigins,
    )
    .option('--sparql-port <n>', 'SPARQL over HTTP on this port, as Blazegraph answers on 8889; 0 takes any', port)
    .option(
      '--sparql-memory <MB>',
      'what the models and a query may take together, 16 to 4096 (default: 1024)',
      sparqlMemory,
    )
    .option(
      '--broker <url>',
      'be the platform on a broker that runs already, stomp://[user:password@]host[:port]; its ports, logins and TLS hold',
      brokerUrl,
    )
    .option(
      '--broker-ca <file>',
      'certificate of the authority behind a stomps:// broker, PEM; those of the system count too',
    )
    .option('--users <file>', 'users, roles and permissions, as dec users writes them; those of GridAPPS-D when absent')
    .option('--tls-cert <file>', 'certificate, PEM: TLS on every port')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--max-connections <n>', 'connections at a time', count)
    .option('--max-rate <n>', 'frames a second that a connection may send', count)
    .option('--legacy-string-data', 'answer lists and texts inside a text, as GridAPPS-D has done since 2024.06')
    .option('--store <dir>', 'folder of the model store')
    .option('--feeder <file...>', 'further CIM XML or OpenDSS master files whose feeders are known', [])
    .option('--json', 'log lines as JSON objects on stderr')
    .option('--quiet', 'no log lines')
    .addHelpText('after', '\nExample:\n  dec platform --port 61613')
    .action(async (options: PlatformCommandOptions, acting: Command) => {
      process.exitCode = await runPlatform(options, (name) => acting.getOptionValueSource(name) === 'cli');
    });
}

async function runPlatform(options: PlatformCommandOptions, isOnLine: (option: string) => boolean): Promise<number> {
  const terminal = new Terminal(options);
  const broker = trusting(options.broker, options.brokerCa);
  const interruption = onInterrupt();
  try {
    const platform = await startPlatform({
      port: options.port,
      host: options.host,
      ...(broker === undefined ? {} : { foreign: { ...DEFAULT_LOGIN, ...broker } }),
      ...security(options, isOnLine),
      storeDir: options.store ?? defaultStoreDir(),
      ...(options.legacyStringData ? { legacyStringData: true } : {}),
      ...(options.sparqlPort === undefined ? {} : { sparqlPort: options.sparqlPort }),
      ...(options.sparqlMemory === undefined ? {} : { sparqlMemoryMb: options.sparqlMemory }),
      ...(options.feeder.length === 0 ? {} : { feeders: options.feeder }),
      onLog: (line) =>
        terminal.note(terminal.isJson ? JSON.stringify(line) : `${line.logLevel} ${line.source}: ${line.logMessage}`),
    });
    try {
      const feeders = platform.feeders.map(({ name, mrid }) => ({ name, mrid }));
      const webSocket = platform.webSocketUrl === undefined ? {} : { webSocket: platform.webSocketUrl };
      const sparql = platform.sparqlUrl === undefined ? {} : { sparql: platform.sparqlUrl };
      terminal.result({ ready: true, stomp: platform.stompUrl, ...webSocket, ...sparql, feeders });
      await aborted(interruption.signal);
    } finally {
      await platform.close();
    }
    return EXIT.done;
  } finally {
    interruption.end();
  }
}

/** Who may come in and how, from files. @throws BusError, DecError `BAD_ARGUMENT` */
function security(options: PlatformCommandOptions, isOnLine: (option: string) => boolean): Partial<PlatformOptions> {
  const { users, tlsCert, tlsKey, wsPort, wsOrigin, maxConnections, maxRate } = options;
  const own = { '--users': users, '--tls-cert': tlsCert, '--tls-key': tlsKey, '--ws-port': wsPort };
  // These two have values of their own.
  const places = { '--port': isOnLine('port') || undefined, '--host': isOnLine('host') || undefined };
  const without = Object.entries({
    ...places,
    ...own,
    '--ws-origin': wsOrigin,
    '--max-connections': maxConnections,
    '--max-rate': maxRate,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (options.broker !== undefined && without.length > 0) {
    const isOne = without.length === 1;
    const text = `${without.join(', ')} ${isOne ? 'is a matter' : 'are matters'} of the broker of --broker, and would have no effect here.`;
    throw new DecError('BAD_ARGUMENT', text, { options: without });
  }
  if (wsOrigin !== undefined && wsPort === undefined) {
    throw new DecError(
      'BAD_ARGUMENT',
      '--ws-origin would have no effect without --ws-port: add that, or leave it out.',
    );
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new DecError('BAD_ARGUMENT', 'TLS needs both --tls-cert and --tls-key.', {});
  }
  const limits = {
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(maxRate === undefined ? {} : { maxFramesPerSecond: maxRate }),
  };
  return {
    ...(users === undefined ? {} : { users: parseUsers(read(users), users) }),
    ...(tlsCert === undefined || tlsKey === undefined ? {} : { tls: { cert: read(tlsCert), key: read(tlsKey) } }),
    ...(wsPort === undefined ? {} : { webSocket: { port: wsPort, ...(wsOrigin ? { origins: wsOrigin } : {}) } }),
    brokerLimits: limits,
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DecError('BAD_ARGUMENT', `${file} cannot be read: ${reason}.`, { file });
  }
}
