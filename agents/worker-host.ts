import { z } from 'zod';
import { asError, type Bus, connectStomp, kindOfWarning, WarningLog } from '../bus/index.js';
import { createServiceAgent } from '../grid/optim/index.js';
import { type AgentHost, type CreateCore, createAgentHost } from './host.js';

const brokerSchema = z.object({
  host: z.string().exactOptional(),
  port: z.number().exactOptional(),
  login: z.string().exactOptional(),
  passcode: z.string().exactOptional(),
  useToken: z.boolean().exactOptional(),
  virtualHost: z.string().exactOptional(),
  tls: z.object({ ca: z.string().exactOptional() }).exactOptional(),
});

/** Where the broker is and how to log in; plain data, as a worker thread gets it. */
export type BrokerAddress = Readonly<z.infer<typeof brokerSchema>>;

const dataSchema = z.object({
  broker: brokerSchema,
  runId: z.string(),
  hostId: z.string(),
  capacity: z.number().exactOptional(),
  agentModule: z.string().exactOptional(),
  coordinatorSilenceMs: z.number().exactOptional(),
});

/** What a worker thread is started with. */
export type WorkerData = Readonly<z.infer<typeof dataSchema>>;

const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('warning'), message: z.string(), subject: z.string(), count: z.int() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

/** What a worker thread tells the thread that started it. */
export type WorkerReport = Readonly<z.infer<typeof reportSchema>>;

/** Reads a report of a worker. @throws ZodError */
export function readReport(payload: unknown): WorkerReport {
  return reportSchema.parse(payload);
}

/** The side of a message port that a worker uses. */
export interface WorkerPort {
  postMessage(message: WorkerReport): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  close(): void;
}

/** Connects, carries agents until a message `close` comes, then lets the thread end by itself. */
export function runWorker(port: WorkerPort, data: unknown): void {
  let host: AgentHost | undefined;
  let bus: Bus | undefined;
  let isClosing = false;
  // Counts what comes on, so that a flood on a topic of the host does not become one between threads.
  const warnings = new WarningLog((message, subject, count) => {
    // The first of them has been told already.
    port.postMessage({ kind: 'warning', message, subject, count: count > 1 ? count - 1 : 1 });
  });
  const warn = (error: Error): void => {
    if (!isClosing) warnings.add(error.message, kindOfWarning(error));
  };
  const close = async (): Promise<void> => {
    isClosing = true;
    warnings.tellCounts();
    host?.close();
    await bus?.close();
    port.close();
  };
  const open = async (): Promise<void> => {
    const { broker, runId, hostId, capacity, agentModule, coordinatorSilenceMs } = dataSchema.parse(data);
    const createCore = agentModule === undefined ? createServiceAgent : await loadAgentModule(agentModule);
    bus = await connectStomp(broker);
    if (isClosing) {
      await bus.close();
      return;
    }
    host = createAgentHost({
      ...{ bus, runId, hostId, createCore, onError: warn },
      ...(capacity === undefined ? {} : { capacity }),
      ...(coordinatorSilenceMs === undefined ? {} : { coordinatorSilenceMs }),
    });
    port.postMessage({ kind: 'ready' });
  };
  port.on('message', (message) => {
    if (message === 'close') close().catch((error: unknown) => port.postMessage(failure(error)));
  });
  open().catch((error: unknown) => {
    port.postMessage(failure(error));
    port.close();
  });
}

function failure(error: unknown): WorkerReport {
  return { kind: 'failed', message: asError(error).message };
}

/**
 * Loads agents of another make: an ES module that exports `createServiceAgent(model, settings)`.
 * @throws Error when the module has no such function
 */
export async function loadAgentModule(url: string): Promise<CreateCore> {
  const module: unknown = await import(url);
  if (isAgentModule(module)) return module.createServiceAgent;
  throw new Error(`${url} exports no function createServiceAgent`);
}

function isAgentModule(module: unknown): module is { readonly createServiceAgent: CreateCore } {
  return (
    typeof module === 'object' &&
    module !== null &&
    'createServiceAgent' in module &&
    typeof module.createServiceAgent === 'function'
  );
}
