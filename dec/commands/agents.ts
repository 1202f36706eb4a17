import { hostname } from 'node:os';
import type { Command } from 'commander';
import { startAgentHosts } from '../../agents/index.js';
import { connectStomp, countedWarning, WarningLog } from '../../bus/index.js';
import { agentModuleUrl } from '../agent-module.js';
import { aborted, onInterrupt } from '../interrupt.js';
import { type BrokerUrl, brokerUrl, count, trusting } from '../option.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';
import { SHARED_RUN_ID } from './run.js';

/** The users' password of a platform as it is delivered. */
const DEFAULT_LOGIN = { login: 'system', passcode: 'manager' };

interface AgentsOptions extends OutputOptions {
  readonly broker: BrokerUrl;
  readonly brokerCa?: string;
  readonly runId: string;
  readonly hosts: number;
  readonly name?: string;
  readonly agentModule?: string;
}

/** Adds `dec agents`. */
export function addAgents(program: Command): void {
  program
    .command('agents')
    .description('host agents for a run on this or another machine, until it is interrupted')
    .requiredOption('--broker <url>', 'the broker of the run, stomp://[user:password@]host[:port]', brokerUrl)
    .option(
      '--broker-ca <file>',
      'certificate of the authority behind a stomps:// broker, PEM; those of the system count too',
    )
    .option('--run-id <id>', 'name of the run, as given to dec run', SHARED_RUN_ID)
    .option('--hosts <n>', 'number of hosts (worker threads)', count, 1)
    .option('--name <name>', "beginning of the hosts' names (default: the name of the machine)")
    .option('--agent-module <url>', 'ES module with agents of another make')
    .option('--json', 'print one JSON object when ready')
    .option('--quiet', 'no notices')
    .addHelpText(
      'after',
      '\nExample:\n  dec agents --broker stomp://10.0.0.5:61613\n\n' +
        'The run waits for them when it is started with:\n' +
        '  dec run --broker stomp://10.0.0.5:61613 --hosts 0 --external-hosts 1',
    )
    .action(async (options: AgentsOptions) => {
      process.exitCode = await runAgents(options);
    });
}

async function runAgents(options: AgentsOptions): Promise<number> {
  const terminal = new Terminal(options);
  const agentModule = options.agentModule === undefined ? undefined : await agentModuleUrl(options.agentModule);
  const interruption = onInterrupt();
  const warnings = new WarningLog((text, _kind, count) =>
    terminal.note(count > 1 ? countedWarning(text, count) : text),
  );
  try {
    const broker = { ...DEFAULT_LOGIN, ...trusting(options.broker, options.brokerCa) };
    // A broker that is not there is told here, before any thread is started.
    const probe = await connectStomp({ ...broker, signal: interruption.signal });
    await probe.close();
    const hosts = await startAgentHosts({
      count: options.hosts,
      broker,
      runId: options.runId,
      namePrefix: (options.name ?? hostname()).replace(/[^\w-]/g, '-'),
      onWarning: (text, kind, count) => warnings.add(text, kind, count),
      ...(agentModule === undefined ? {} : { agentModule }),
    });
    try {
      const url = `stomp${broker.tls === undefined ? '' : 's'}://${broker.host}:${broker.port}`;
      if (terminal.isJson) terminal.result({ ready: true, broker: url, runId: options.runId, hosts: hosts.hostIds });
      else terminal.print(`${hosts.hostIds.join(', ')} waiting for run ${options.runId} at ${url}`);
      await aborted(interruption.signal);
    } finally {
      await hosts.close();
      warnings.tellCounts();
    }
    return EXIT.done;
  } finally {
    interruption.end();
  }
}
