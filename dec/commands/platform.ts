import type { Command } from 'commander';
import { defaultStoreDir, startPlatform } from '../../platform/index.js';
import { aborted, onInterrupt } from '../interrupt.js';
import { port } from '../option.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';

interface PlatformCommandOptions extends OutputOptions {
  readonly port: number;
  readonly store?: string;
  readonly feeder: readonly string[];
}

/** Adds `dec platform`. */
export function addPlatform(program: Command): void {
  program
    .command('platform')
    .description('run the stand-in platform until it is interrupted')
    .option('--port <n>', 'STOMP port on 127.0.0.1; 0 takes any free one', port, 61_613)
    .option('--store <dir>', 'folder of the model store')
    .option('--feeder <file...>', 'further CIM XML or OpenDSS master files whose feeders are known', [])
    .option('--json', 'log lines as JSON objects on stderr')
    .option('--quiet', 'no log lines')
    .addHelpText('after', '\nExample:\n  dec platform --port 61613')
    .action(async (options: PlatformCommandOptions) => {
      process.exitCode = await runPlatform(options);
    });
}

async function runPlatform(options: PlatformCommandOptions): Promise<number> {
  const terminal = new Terminal(options);
  const interruption = onInterrupt();
  try {
    const platform = await startPlatform({
      port: options.port,
      storeDir: options.store ?? defaultStoreDir(),
      ...(options.feeder.length === 0 ? {} : { feeders: options.feeder }),
      onLog: (line) =>
        terminal.note(terminal.isJson ? JSON.stringify(line) : `${line.logLevel} ${line.source}: ${line.logMessage}`),
    });
    try {
      const feeders = platform.feeders.map(({ name, mrid }) => ({ name, mrid }));
      terminal.result({ ready: true, stomp: platform.stompUrl, feeders });
      await aborted(interruption.signal);
    } finally {
      await platform.close();
    }
    return EXIT.done;
  } finally {
    interruption.end();
  }
}
