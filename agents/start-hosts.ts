import { Worker } from 'node:worker_threads';
import { asError } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import { type BrokerAddress, readReport, type WorkerData } from './worker-host.js';

type OnWarning = (text: string, kind?: string, count?: number) => void;

/** Settings of {@link startAgentHosts}. */
export interface StartHostsOptions {
  /** Number of worker threads, each one host. */
  readonly count: number;
  readonly broker: BrokerAddress;
  /** The run whose coordinator they listen to. */
  readonly runId: string;
  /** Beginning of the hosts' names, to tell machines apart. Default `host`. */
  readonly namePrefix?: string;
  /** Agents one host is willing to carry. Default 2000. */
  readonly capacity?: number;
  /** URL of an ES module with agents of another make: it exports `createServiceAgent(model, settings)`. */
  readonly agentModule?: string;
  /**
   * Warnings of hosts, the first of each kind and in the end how many more of it there were, and hosts that ended by
   * themselves.
   */
  readonly onWarning?: OnWarning;
  /** Called when a host ended by itself: nobody will answer for its agents. */
  readonly onLost?: (hostId: string) => void;
  /** Milliseconds of silence after which another coordinator may take a host over. Default 12 000. */
  readonly coordinatorSilenceMs?: number;
  /** Milliseconds a host gets to connect. Default 60 000. */
  readonly startTimeoutMs?: number;
}

/** Running hosts. */
export interface AgentHosts {
  readonly hostIds: readonly string[];
  /**
   * Ends one of the hosts, also in the middle of a computation that does not end, and starts another one in its place.
   * @returns the new host's name; undefined for a host that is none of these, and when none could be started
   */
  replace(hostId: string): Promise<string | undefined>;
  /** Ends all hosts; no thread stays behind. */
  close(): Promise<void>;
}

/** Milliseconds a host gets to leave before its thread is ended. */
const LEAVE_MS = 2000;

/** The worker's entry; under a test runner that reads the sources, the built one is used, because threads cannot. */
function workerUrl(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? '../dist/bin/agents-worker.js' : '../bin/agents-worker.js', import.meta.url);
}

/**
 * Starts agent hosts in worker threads. They connect to the broker by STOMP themselves and wait for a coordinator.
 * @throws DecError `AGENT_LOST` when a host cannot start; the others are closed again
 */
export async function startAgentHosts(options: StartHostsOptions): Promise<AgentHosts> {
  const { count, namePrefix = 'host', onWarning } = options;
  const hosts = Array.from({ length: count }, (_, k) => openHost(options, `${namePrefix}-${k + 1}`, onWarning));
  let numbered = count;
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
    await Promise.all(hosts.map((host) => host.close()));
  };
  const started = await Promise.allSettled(hosts.map((host) => host.ready));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const replace = async (hostId: string): Promise<string | undefined> => {
    const position = hosts.findIndex((host) => host.hostId === hostId);
    if (position < 0 || isClosed) return undefined;
    await hosts[position]!.close();
    if (isClosed) return undefined;
    const next = openHost(options, `${namePrefix}-${++numbered}`, onWarning);
    hosts[position] = next;
    try {
      await next.ready;
    } catch (error) {
      onWarning?.(asError(error).message);
      return undefined;
    }
    onWarning?.(`Agent host ${next.hostId} was started in the place of ${hostId}.`);
    return next.hostId;
  };
  return { hostIds: hosts.map(({ hostId }) => hostId), replace, close };
}

interface OpenHost {
  readonly hostId: string;
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

function openHost(options: StartHostsOptions, hostId: string, onWarning?: OnWarning): OpenHost {
  const { broker, runId, capacity, agentModule, coordinatorSilenceMs, startTimeoutMs = 60_000 } = options;
  const workerData: WorkerData = {
    broker,
    runId,
    hostId,
    ...(capacity === undefined ? {} : { capacity }),
    ...(agentModule === undefined ? {} : { agentModule }),
    ...(coordinatorSilenceMs === undefined ? {} : { coordinatorSilenceMs }),
  };
  const worker = new Worker(workerUrl(), { workerData, name: hostId });
  let isClosing = false;
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      hasEnded = true;
      if (!isClosing) {
        onWarning?.(`Agent host ${hostId} ended by itself (code ${code}); its agents are lost.`);
        options.onLost?.(hostId);
      }
      resolve();
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    const lost = (reason: string): void => {
      reject(
        new DecError('AGENT_LOST', `Agent host ${hostId} did not start: ${reason}`, { hostId }, { retriable: true }),
      );
    };
    const timer = setTimeout(() => lost(`no connection within ${startTimeoutMs / 1000} s`), startTimeoutMs);
    const done = (): void => clearTimeout(timer);
    worker.on('message', (payload: unknown) => {
      const report = readReport(payload);
      if (report.kind === 'ready') {
        done();
        resolve();
      } else if (report.kind === 'failed') {
        done();
        lost(report.message);
      } else onWarning?.(`${hostId}: ${report.message}`, `${hostId}: ${report.subject}`, report.count);
    });
    worker.on('error', (error) => {
      done();
      onWarning?.(`${hostId}: ${error.message}`);
      lost(error.message);
    });
    worker.once('exit', (code) => {
      done();
      lost(`its thread ended with code ${code}`);
    });
  });
  return {
    hostId,
    ready,
    async close() {
      isClosing = true;
      if (hasEnded) return;
      worker.postMessage('close');
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), LEAVE_MS);
      });
      const outcome = await Promise.race([ended, patience]);
      clearTimeout(timer);
      if (outcome === 'late') await worker.terminate();
    },
  };
}
