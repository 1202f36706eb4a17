import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { BusError } from '../bus-error.js';
import { EMPTY_BODY, encodeFrame, type StompVersion } from '../frame.js';
import { isLoopback } from '../loopback.js';
import { type BusHub, seatsOf } from '../memory-bus.js';
import { Connection, type ConnectionStatistics } from './connection.js';
import { Exchange, type ExchangeStatistics } from './exchange.js';
import { BROKER_LIMITS, type BrokerLimits } from './limits.js';
import { type Listener, listenForSockets, listenForWeb, type TlsKeys } from './listener.js';
import type { Authenticator, Authorizer, Gate } from './session.js';
import { listenForWebSockets } from './web-socket.js';

/** Port of STOMP on a GridAPPS-D platform. */
export const STOMP_PORT = 61613;

/** Settings of {@link startBroker}. */
export interface BrokerOptions {
  /** TCP port; 0 takes any free one, null none. Default 61613. */
  readonly port?: number | null;
  /** Address to listen on. Default 127.0.0.1: nobody outside this machine. */
  readonly host?: string;
  /** STOMP over WebSocket on a port of its own, 0 for any free one; none when absent. */
  readonly webSocket?: {
    readonly port: number;
    /** Origins of web pages that may connect, `*` for all; those of this machine's own pages when absent. */
    readonly origins?: readonly string[];
  };
  /** STOMP over WebSocket on a web server that listens already and serves other things too; `isWelcome` decides on each peer. */
  readonly webServer?: { readonly server: Server; readonly isWelcome: (request: IncomingMessage) => boolean };
  /** TLS on every port; plain text when absent. */
  readonly tls?: TlsKeys;
  /** Decides on logins; everybody is let in when not given, which only a loopback address allows. */
  readonly authenticate?: Authenticator;
  /** Decides on destinations; everything is permitted when not given. */
  readonly authorize?: Authorizer;
  readonly limits?: Partial<BrokerLimits>;
  /** Told of slow consumers, dropped messages, malformed input; a process warning when not given. */
  readonly onWarning?: (warning: BusError) => void;
  /** Clock, epoch milliseconds. */
  readonly now?: () => number;
}

/** What a broker has done and holds. */
export interface BrokerStatistics extends ExchangeStatistics, ConnectionStatistics {
  readonly connections: number;
  readonly subscriptions: number;
  readonly queues: number;
  /** Messages waiting in queues. */
  readonly waiting: number;
  /** Bytes waiting for the connection that is furthest behind. */
  readonly backlogBytes: number;
}

/** A running broker. Its seats are buses inside this process on the same exchange. */
export interface Broker extends BusHub {
  readonly host: string;
  /** 0 where it takes no TCP connections. */
  readonly port: number;
  /** Port of STOMP over WebSocket, where there is one. */
  readonly webSocketPort: number | undefined;
  statistics(): BrokerStatistics;
  /** Stops listening and closes every connection and seat. */
  close(): Promise<void>;
}

/**
 * Starts the embedded STOMP broker.
 * @example const broker = await startBroker({ port: 0 }); const bus = broker.seat();
 * @throws BusError `PORT_IN_USE` naming the port, `BUS_UNAVAILABLE` when it cannot listen for another reason,
 * `BAD_ARGUMENT` for unusable keys, or an open address without logins
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { host = '127.0.0.1', now = Date.now, onWarning, tls, webSocket } = options;
  if (options.authenticate === undefined && !isLoopback(host)) {
    throw new BusError(
      'BAD_ARGUMENT',
      `The broker is to listen on ${host} and let everybody in: give it logins to check, or listen on 127.0.0.1.`,
      { host },
    );
  }
  const warn = onWarning ?? ((warning: BusError) => process.emitWarning(warning.message, 'BusError'));
  const limits = { ...BROKER_LIMITS, ...options.limits };
  const exchange = new Exchange(limits, now, warn);
  const gate: Gate = {
    authenticate: delayed(options.authenticate ?? (() => true), limits.refusalDelayMs),
    authorize: options.authorize ?? (() => true),
  };
  const connections = new Set<Connection>();
  const statistics: ConnectionStatistics = {
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    slowDropped: 0,
    loginsRefused: 0,
    malformed: 0,
    held: 0,
    heartbeatsMissed: 0,
    paced: 0,
    connectionsRefused: 0,
  };
  let count = 0;
  const take = (stream: Duplex, remoteAddress: string, newest?: StompVersion): void => {
    // Who has not logged in takes no place from others: the one that has been there longest gives way.
    const stranger =
      connections.size < limits.maxConnections ? undefined : [...connections].find(({ isOpen }) => !isOpen);
    if (connections.size >= limits.maxConnections) {
      statistics.connectionsRefused++;
      if (Number.isInteger(Math.log2(statistics.connectionsRefused))) {
        const which = stranger === undefined ? 'one was refused' : 'one that had not logged in gave way';
        const text = `There are ${limits.maxConnections} connections, all there may be: ${which} (${statistics.connectionsRefused} so far).`;
        warn(new BusError('BUS_UNAVAILABLE', text, { remoteAddress }));
      }
      if (stranger === undefined) {
        turnAway(stream, limits.maxConnections);
        return;
      }
      connections.delete(stranger);
      stranger.destroy();
    }
    const end = (connection: Connection): void => {
      connections.delete(connection);
    };
    connections.add(new Connection(stream, exchange, `c${++count}`, gate, { remoteAddress, newest }, statistics, end));
  };
  const onError = (error: Error): void =>
    warn(new BusError('BUS_UNAVAILABLE', `The broker: ${error.message}`, {}, { cause: error }));
  const { port = STOMP_PORT, webServer } = options;
  const sockets = port === null ? undefined : await listenForSockets(port, host, tls, take, onError);
  const maxMessageBytes = limits.maxHeadBytes + limits.maxBodyBytes;
  let web: Listener | undefined;
  if (webSocket !== undefined) {
    const settings = { maxMessageBytes, origins: webSocket.origins };
    try {
      web = await listenForWeb(webSocket.port, host, tls, settings, take, onError);
    } catch (error) {
      await sockets?.close();
      throw error;
    }
  }
  if (webServer !== undefined) {
    const { server, isWelcome } = webServer;
    listenForWebSockets(server, { maxMessageBytes, origins: ['*'], isWelcome }, take);
  }
  const seats = seatsOf(exchange, warn);
  const shut = async (): Promise<void> => {
    const closed = [sockets?.close(), web?.close()];
    for (const connection of [...connections]) connection.destroy();
    await Promise.all(closed);
    await seats.close();
  };
  let closing: Promise<void> | undefined;
  return {
    ...seats,
    host,
    port: sockets?.port ?? 0,
    webSocketPort: web?.port,
    statistics: () => ({
      ...exchange.statistics,
      ...statistics,
      ...exchange.depth(),
      connections: connections.size,
      backlogBytes: [...connections].reduce((most, { waitingBytes }) => Math.max(most, waitingBytes), 0),
      subscriptions: [...connections].reduce((sum, connection) => sum + connection.subscriptions, 0),
    }),
    close: () => {
      closing ??= shut();
      return closing;
    },
  };
}

/** Says why, and ends. */
function turnAway(stream: Duplex, most: number): void {
  const message = `The broker has ${most} connections, all it may.`;
  stream.on('error', () => undefined);
  stream.end(encodeFrame({ command: 'ERROR', headers: { message }, body: EMPTY_BODY }, '1.0'), () => stream.destroy());
}

/** Lets a refusal wait, so that guessing takes long. */
function delayed(authenticate: Authenticator, delayMs: number): Authenticator {
  if (delayMs <= 0) return authenticate;
  return async (attempt) => {
    const isAccepted = await authenticate(attempt);
    if (!isAccepted) await new Promise((resolve) => setTimeout(resolve, delayMs));
    return isAccepted;
  };
}
