import { isIPv6 } from 'node:net';
import {
  asError,
  type Broker,
  type BrokerLimits,
  type BrokerStatistics,
  type BusError,
  checkPassword,
  formatLegacyReply,
  formatReply,
  isLoopback,
  isPasswordHash,
  joinBroker,
  type LogLine,
  type StompOptions,
  startBroker,
  type TlsKeys,
} from '../bus/index.js';
import { createPowerFlow } from '../grid/flow/index.js';
import { DecError } from '../grid/math/index.js';
import { createApplicationService } from './application-service.js';
import { type Clock, systemClock } from './clock.js';
import { createConfigurationService } from './configuration-service.js';
import { createFieldService } from './field-service.js';
import { createLogService, type LogService } from './log-service.js';
import { createModelService } from './model-service.js';
import { type ModelListing, type ModelStore, openModelStore } from './model-store.js';
import { packageProfiles } from './package-files.js';
import { newProcessId, routeRequests } from './request-router.js';
import { createSimulationHost, type RunSummary } from './simulation/host.js';
import type { ProfileLibrary } from './simulation/scenario.js';
import { openSparqlEndpoint, type SparqlEndpoint } from './sparql/http-endpoint.js';
import { createSparqlService } from './sparql/sparql-service.js';
import { createTimeSeries } from './time-series.js';
import { createTokenService, DEFAULT_USERS, type PlatformUser, type TokenService } from './token-service.js';
import { createTopologyService } from './topology-service.js';

/** Settings of {@link startPlatform}. */
export interface PlatformOptions {
  /** TCP port of the broker; 0 takes any free one. Default 61613. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Folder of the model store; only the built-in and the given feeders when absent. */
  readonly storeDir?: string;
  /** A store that is open already, in the place of `storeDir` and `feeders`: its models are not read again. */
  readonly store?: ModelStore;
  /** Further CIM XML files whose feeders are known. */
  readonly feeders?: readonly string[];
  /** Users by name; the ones of the real platform when absent, which only the loopback interface allows. */
  readonly users?: Readonly<Record<string, PlatformUser>>;
  /** STOMP over WebSocket on a port of its own; none when absent. */
  readonly webSocket?: { readonly port: number; readonly origins?: readonly string[] };
  /** SPARQL over HTTP on this port, loopback only, for it knows no logins; none when absent. */
  readonly sparqlPort?: number;
  /** What the models and a query may take together in the store of SPARQL, MB, 16 to 4096. Default 1024. */
  readonly sparqlMemoryMb?: number;
  /** TLS on every port of STOMP; plain text when absent. */
  readonly tls?: TlsKeys;
  /** Bounds of the broker that differ from its own, such as what it keeps for a subscriber that does not read. */
  readonly brokerLimits?: Partial<BrokerLimits>;
  /**
   * A broker that runs already, such as ActiveMQ, to be the platform on. Logins, permissions, TLS and addresses are its own
   * then: what is said of them here has no effect.
   */
  readonly foreign?: StompOptions;
  /** Answers lists and texts inside a text, as GridAPPS-D has done since 2024.06; real lists when absent. */
  readonly legacyStringData?: boolean;
  /** Profiles that simulation requests may name, beside those of the package. */
  readonly profiles?: ProfileLibrary;
  /** Told of every log line, also those of simulations. */
  readonly onLog?: (line: LogLine) => void;
  /** Time; the wall clock when absent. */
  readonly clock?: Clock;
}

/** A running platform. */
export interface Platform {
  /** `stomp://host:port`. */
  readonly stompUrl: string;
  /** `ws://host:port/stomp`, where there is STOMP over WebSocket; `wss:` with TLS, as `stomps:` above. */
  readonly webSocketUrl: string | undefined;
  /** `http://host:port/bigdata/namespace/kb/sparql`, where there is SPARQL over HTTP. */
  readonly sparqlUrl: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Known feeders. */
  readonly feeders: readonly ModelListing[];
  readonly store: ModelStore;
  /** The broker, for a bus inside this process. */
  readonly broker: Broker;
  /** What the broker did and holds. */
  statistics(): BrokerStatistics;
  /** Simulations, newest last. */
  runs(): readonly RunSummary[];
  /** Stops all simulations and the broker; nothing stays behind. */
  close(): Promise<void>;
}

/**
 * Starts the stand-in platform: broker, models, queries, configurations, simulations, field bus and logs.
 * @throws BusError `PORT_IN_USE`; DecError for an unreadable feeder, or for default users on an open interface
 * @example const platform = await startPlatform({ port: 0 }); console.log(platform.stompUrl);
 */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const { host = '127.0.0.1', clock = systemClock } = options;
  if (options.foreign === undefined && options.users === undefined && !isLoopback(host)) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The platform is to listen on ${host} with the well-known default passwords; give users of your own, or listen on 127.0.0.1.`,
      { host },
    );
  }
  if (options.sparqlPort !== undefined && !isLoopback(host)) {
    throw new DecError(
      'BAD_ARGUMENT',
      `SPARQL over HTTP knows no logins and is not opened on ${host}; ask over STOMP, or listen on 127.0.0.1.`,
      { host },
    );
  }
  if (options.users !== undefined && Object.keys(options.users).length === 0) {
    throw new DecError(
      'BAD_ARGUMENT',
      'There is no user, so that nobody could log in; add one with "dec users add".',
      {},
    );
  }
  if (options.foreign === undefined && options.users !== undefined && !isLoopback(host)) {
    await refuseDefaultPasswords(options.users, host);
  }
  const tokens = createTokenService(clock, options.users ?? DEFAULT_USERS);
  // The log speaks over the broker, whose own warnings belong into the log.
  let log: LogService | undefined;
  const onWarning = (warning: BusError): void =>
    log?.platform({ source: 'broker', level: 'WARN', message: warning.message });
  const { foreign } = options;
  const broker = await (foreign === undefined
    ? startBroker({
        host,
        ...(options.port === undefined ? {} : { port: options.port }),
        ...(options.brokerLimits === undefined ? {} : { limits: options.brokerLimits }),
        ...(options.webSocket === undefined ? {} : { webSocket: options.webSocket }),
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        authenticate: ({ login, passcode }) => {
          const user = tokens.authenticate(login, passcode);
          return user instanceof Promise ? user.then((name) => name !== undefined) : user !== undefined;
        },
        authorize: (login, action, destination) => tokens.authorize(login, action, destination),
        onWarning,
        now: () => clock.nowMs(),
      })
    : joinBroker({ ...foreign, onWarning }));
  try {
    return await compose(broker, tokens, options, (made) => {
      log = made;
    });
  } catch (error) {
    await broker.close();
    throw error;
  }
}

/**
 * A password that everybody knows is as bad under a name of one's own.
 * @throws DecError `BAD_ARGUMENT` naming the users of a file that have one
 */
async function refuseDefaultPasswords(users: Readonly<Record<string, PlatformUser>>, host: string): Promise<void> {
  const wellKnown = [...new Set(Object.values(DEFAULT_USERS).map(({ password }) => password))];
  const isOne = (password: string, known: string) =>
    isPasswordHash(password) ? checkPassword(password, known) : password === known;
  const kept: string[] = [];
  for (const [name, { password }] of Object.entries(users)) {
    if ((await Promise.all(wellKnown.map((known) => isOne(password, known)))).includes(true)) kept.push(name);
  }
  if (kept.length === 0) return;
  throw new DecError(
    'BAD_ARGUMENT',
    `The platform is to listen on ${host}, and ${kept.join(', ')} ${kept.length === 1 ? 'has' : 'have'} a well-known default password; give another one with "dec users add".`,
    { host, users: kept },
  );
}

/** Puts the services on a broker. The port is taken first, so that one in use is told before models are read. */
async function compose(
  broker: Broker,
  tokens: TokenService,
  options: PlatformOptions,
  setLog: (log: LogService | undefined) => void,
): Promise<Platform> {
  const { host = '127.0.0.1', clock = systemClock, onLog } = options;
  const store = options.store ?? openModelStore(options.storeDir, options.feeders ? { files: options.feeders } : {});
  const feeders = store.list();
  const profiles: ProfileLibrary = new Map([...packageProfiles(), ...(options.profiles ?? [])]);
  const bus = broker.seat();
  const logs = createLogService({ bus, clock, ...(onLog ? { onLog } : {}) });
  setLog(logs);
  bus.onError((error) => logs.platform({ source: 'platform', level: 'ERROR', message: asError(error).message }));
  const hasSimulation = (id: string): boolean =>
    simulations.runs().some((run) => run.id === id && run.state !== 'ended');
  const field = createFieldService(store, (destination, body) => bus.send(destination, body), hasSimulation);
  const sparql = createSparqlService(store, { memoryMb: options.sparqlMemoryMb });
  const prepareQueries = (): void => {
    sparql.prepare().catch((error: unknown) => {
      const message = `The models cannot be made ready for SPARQL: ${asError(error).message}`;
      logs.platform({ source: 'store', level: 'WARN', message });
    });
  };
  const timeSeries = createTimeSeries();
  const applications = createApplicationService(
    clock,
    (destination, body) => bus.send(destination, body),
    (message) => logs.platform({ source: 'applications', level: 'WARN', message }),
  );
  const simulations = createSimulationHost({
    timeSeries,
    bus,
    clock,
    log: logs,
    hasSubscriber: (topic) => broker.hasSubscriber(topic),
    hasNamedSubscriber: (topic) => broker.hasNamedSubscriber(topic),
    backlogBytes: () => broker.statistics().backlogBytes,
    findModel: (mrid) => store.find(mrid),
    areaMeasurements: (model) => field.measurementsOf(model),
    createFlow: (feeder) => createPowerFlow(feeder),
    profiles,
    newId: newProcessId,
  });
  routeRequests({
    hub: broker,
    log: logs,
    tokens,
    models: createModelService(store, sparql),
    configurations: createConfigurationService(
      store,
      (id) => simulations.modelOf(id)?.mrid,
      (message) => logs.platform({ source: 'configuration', level: 'WARN', message }),
    ),
    simulations,
    applications,
    timeSeries,
    writeReply: options.legacyStringData ? formatLegacyReply : formatReply,
    field,
    topology: createTopologyService(store, (simulationId, mrids, untilS) =>
      timeSeries.answer({
        queryMeasurement: 'simulation',
        queryFilter: [
          { key: 'simulation_id', eq: simulationId },
          { key: 'measurement_mrid', eq: [...mrids] },
          ...(Number.isFinite(untilS) ? [{ key: 'time', le: untilS }] : []),
        ],
        selectCriteria: [],
        first: undefined,
        last: undefined,
      }),
    ),
    // After the answer to what gave the sign.
    onApplication: () => setImmediate(prepareQueries),
    fieldModelMrid: () => feeders[0]?.mrid,
  });
  for (const problem of store.problems) logs.platform({ source: 'store', level: 'WARN', message: problem });
  const endpoint: SparqlEndpoint | undefined =
    options.sparqlPort === undefined ? undefined : await openSparqlEndpoint(sparql, host, options.sparqlPort);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    simulations.close();
    // One turn of the event loop, so that the last log lines leave before the connections end.
    await new Promise<void>((resolve) => setImmediate(resolve));
    setLog(undefined);
    sparql.close();
    await endpoint?.close();
    await broker.close();
  };
  return {
    stompUrl: `stomp${options.tls ? 's' : ''}://${authorityOf(broker.host)}:${broker.port}`,
    webSocketUrl:
      broker.webSocketPort === undefined
        ? undefined
        : `ws${options.tls ? 's' : ''}://${authorityOf(host)}:${broker.webSocketPort}/stomp`,
    sparqlUrl: endpoint && `http://${authorityOf(host)}:${endpoint.port}/bigdata/namespace/kb/sparql`,
    host: broker.host,
    port: broker.port,
    feeders,
    store,
    broker,
    statistics: () => broker.statistics(),
    runs: () => simulations.runs(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** A host as it stands in an address. */
const authorityOf = (host: string) => (isIPv6(host) ? `[${host}]` : host);
