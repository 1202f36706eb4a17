import {
  type Bus,
  type BusMessage,
  connectStomp,
  formatLegacyReply,
  SIMULATION_REQUEST_QUEUE,
  simulationLogTopic,
  simulationOutputTopic,
  startBroker,
} from '../../bus/index.js';
import { loadModels, openModelStore, startPlatform } from '../../platform/index.js';

/*
 * An imitation of a real GridAPPS-D for tests: our platform behind a second broker, with everything that passes between them
 * written as the real one writes it, its defects included (gridappsd-protocol.md, sections 1.5, 1.7, 4, 5). Nothing of this is
 * a real platform: it shows that what is known of one is borne, and nothing more.
 */

/** A running imitation. */
export interface RealPlatform {
  readonly port: number;
  /** What was asked and commanded, in order: request types, configuration types, commands. */
  readonly asked: readonly string[];
  /** Difference messages by simulation. */
  readonly differences: readonly Readonly<Record<string, unknown>>[];
  /** Logins of connections that asked for a token. */
  readonly tokens: number;
  close(): Promise<void>;
}

/** Exports that the real platform has not had since v2026.02. */
const MISSING: ReadonlySet<string> = new Set(['YBus Export', 'Vnom Export']);
/** Keys of a start request that GridAPPS-D knows; of others it takes no notice. */
const KNOWN_MODEL = ['load_scaling_factor', 'schedule_name', 'z_fraction', 'i_fraction', 'p_fraction', 'model_state'];
const KNOWN_CONFIG = ['start_time', 'duration', 'publish_period', 'interval', 'run_realtime', 'simulation_name'];
/** How late answers are, ms. */
const LATE_MS = 150;

/** Settings of {@link startRealPlatform}. */
export interface RealPlatformOptions {
  /** CIM files of the feeders that it has. */
  readonly feeders: readonly string[];
  /** Whether it pauses after measurements (from GOSS-GridAPPS-D pull request 1772 on). */
  readonly pauses: boolean;
  /** Whether it has a CIM dictionary. */
  readonly hasDictionary?: boolean;
}

/** Starts the imitation on a free port. */
export async function startRealPlatform(options: RealPlatformOptions): Promise<RealPlatform> {
  const store = openModelStore(undefined, { builtIn: options.feeders });
  const own = await startPlatform({ port: 0, store });
  const front = await startBroker({ port: 0, onWarning: () => undefined });
  const near = await connectStomp({ port: front.port });
  const far = await connectStomp({ port: own.port, login: 'system', passcode: 'manager' });
  const asked: string[] = [];
  const differences: Record<string, unknown>[] = [];
  const dead = new Set<string>();
  let tokens = 0;
  const known = new Set(
    loadModels(options.feeders).flatMap(({ feeder }) =>
      feeder.pvSystems.flatMap(({ mrid, unitMrid }) => [mrid, unitMrid]),
    ),
  );

  const twice = (replyTo: string, first: string, second = first): void => {
    setTimeout(() => {
      near.send(replyTo, first);
      near.send(replyTo, second);
    }, LATE_MS);
  };

  const answer = async (message: BusMessage): Promise<void> => {
    const replyTo = message.headers['reply-to'];
    // Answers to a request queue that is its own reply queue come back here.
    if (replyTo === undefined) return;
    const destination = message.headers['destination'] ?? message.destination;
    const request = record(JSON.parse(message.body));
    const type = String(request['requestType'] ?? request['configurationType'] ?? destination.split('.').at(-1));
    asked.push(type);
    if (MISSING.has(type) || (type === 'CIM Dictionary' && options.hasDictionary === false)) {
      const text = `No configuration handler registered for '${type}'\n\tat gov.pnnl.goss.gridappsd.process.ProcessEvent`;
      // A stack trace with its line breaks as they are, and a second answer with nothing in it.
      twice(replyTo, `{"error":{"message":"${text}"},"responseComplete":true,"id":"7"}`, '{"data":{},"id":"7"}');
      return;
    }
    if (destination.endsWith('.timeseries')) {
      twice(replyTo, '{"error":{"message":"Proven is not there"},"responseComplete":true,"id":"8"}', '{"data":{}}');
      return;
    }
    if (destination === SIMULATION_REQUEST_QUEUE) {
      await begin(request, replyTo);
      return;
    }
    if (destination.endsWith('status.platform')) {
      twice(replyTo, JSON.stringify({ applications: [], services: [], appInstances: [], serviceInstances: [] }));
      return;
    }
    const reply = await far.request(destination, message.body);
    const { data, id, error } = record(JSON.parse(reply.body));
    if (error !== undefined) twice(replyTo, reply.body, '{"data":{}}');
    // Since v2024.06 lists and texts arrive inside a text.
    else twice(replyTo, data === undefined ? reply.body : formatLegacyReply(data, String(id ?? '9')));
  };

  const begin = async (request: Record<string, unknown>, replyTo: string): Promise<void> => {
    const systems = list(request['power_system_configs']).map((system) => {
      const simulator = record(system['simulator_config']);
      const model = only(record(simulator['model_creation_config']), KNOWN_MODEL);
      return { ...system, simulator_config: { ...simulator, model_creation_config: model } };
    });
    const pauses = options.pauses ? ['pause_after_measurements'] : [];
    const config = only(record(request['simulation_config']), [...KNOWN_CONFIG, ...pauses]);
    const body = JSON.stringify({ ...request, power_system_configs: systems, simulation_config: config });
    const started = await far.request(SIMULATION_REQUEST_QUEUE, body);
    const id = String(record(JSON.parse(started.body))['simulationId']);
    relay(id);
    // Without any events the key is left out.
    twice(replyTo, JSON.stringify({ simulationId: id }));
  };

  const relay = (id: string): void => {
    far.subscribe(simulationOutputTopic(id), ({ body }) => {
      if (dead.has(id)) return;
      const { message } = record(JSON.parse(body));
      const { timestamp, measurements } = record(message);
      const written = Object.entries(record(measurements)).map(([mrid, measured]) => {
        const one = record(measured);
        const texts = Object.entries(one).map(([key, value]) => [key, String(value)] as const);
        return [mrid, Object.fromEntries(texts)] as const;
      });
      const text = { timestamp: String(timestamp), measurements: Object.fromEntries(written) };
      near.send(simulationOutputTopic(id), JSON.stringify({ simulation_id: Number(id), message: text }));
    });
    far.subscribe(simulationLogTopic(id), ({ body }) => {
      // A simulation that died says nothing more, not even that it is over.
      if (!dead.has(id)) near.send(simulationLogTopic(id), body);
    });
  };

  const command = async (id: string, body: string): Promise<void> => {
    const { command: name, input } = record(JSON.parse(body));
    asked.push(String(name));
    if (name === 'update') {
      const message = record(record(input)['message']);
      differences.push(message);
      const isKnown = list(message['forward_differences']).every(
        ({ object, attribute }) =>
          known.has(String(object)) && /^PowerElectronicsConnection\.[pq]$/.test(String(attribute)),
      );
      if (!isKnown) dead.add(id);
    }
    far.send(`/topic/goss.gridappsd.simulation.input.${id}`, body);
  };

  const requests = (bus: Bus): void => {
    for (const kind of ['queue', 'topic'])
      bus.subscribe(`/${kind}/goss.gridappsd.process.>`, (message) => answer(message));
    bus.subscribe('/topic/goss.gridappsd.simulation.input.>', ({ body, destination }) =>
      command(destination.slice(destination.lastIndexOf('.') + 1), body),
    );
    bus.subscribe('/topic/pnnl.goss.token.topic', ({ headers }) => {
      tokens++;
      // The name of the queue comes without a prefix; anybody may log in with what comes back.
      near.send(headers['reply-to'] ?? '', `ey${'J'.repeat(40)}.${'J'.repeat(240)}.${'J'.repeat(43)}`);
    });
  };
  requests(near);
  await near.flush();
  return {
    port: front.port,
    asked,
    differences,
    get tokens() {
      return tokens;
    },
    async close() {
      await near.close();
      await far.close();
      await front.close();
      await own.close();
    },
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function only(value: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
