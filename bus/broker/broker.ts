import { createServer, type Server } from 'node:net';
import { BusError } from '../bus-error.js';
import { type BusHub, seatsOf } from '../memory-bus.js';
import { Connection, type ConnectionStatistics } from './connection.js';
import { Exchange, type ExchangeStatistics } from './exchange.js';
import { BROKER_LIMITS, type BrokerLimits } from './limits.js';
import type { Authenticator } from './session.js';

/** Port of STOMP on a GridAPPS-D platform. */
export const STOMP_PORT = 61613;

/** Settings of {@link startBroker}. */
export interface BrokerOptions {
  /** TCP port; 0 takes any free one. Default 61613. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1: nobody outside this machine. */
  readonly host?: string;
  /** Decides on logins; everybody is let in when not given. */
  readonly authenticate?: Authenticator;
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
  readonly port: number;
  statistics(): BrokerStatistics;
  /** Stops listening and closes every connection and seat. */
  close(): Promise<void>;
}

/**
 * Starts the embedded STOMP broker.
 * @example const broker = await startBroker({ port: 0 }); const bus = broker.seat();
 * @throws BusError `PORT_IN_USE` naming the port, `BUS_UNAVAILABLE` when it cannot listen for another reason
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { host = '127.0.0.1', authenticate = () => true, now = Date.now, onWarning } = options;
  const warn = onWarning ?? ((warning: BusError) => process.emitWarning(warning.message, 'BusError'));
  const exchange = new Exchange({ ...BROKER_LIMITS, ...options.limits }, now, warn);
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
  };
  let count = 0;
  const server = createServer((socket) => {
    const id = `c${++count}`;
    connections.add(
      new Connection(socket, exchange, id, authenticate, statistics, (connection) => connections.delete(connection)),
    );
  });
  const port = await listen(server, options.port ?? STOMP_PORT, host);
  server.on('error', (error) =>
    warn(new BusError('BUS_UNAVAILABLE', `The broker: ${error.message}`, {}, { cause: error })),
  );
  const seats = seatsOf(exchange, warn);
  let closing: Promise<void> | undefined;
  return {
    ...seats,
    host,
    port,
    statistics: () => ({
      ...exchange.statistics,
      ...statistics,
      ...exchange.depth(),
      connections: connections.size,
      backlogBytes: [...connections].reduce((most, { waitingBytes }) => Math.max(most, waitingBytes), 0),
      subscriptions: [...connections].reduce((sum, connection) => sum + connection.subscriptions, 0),
    }),
    close: () => {
      closing ??= shut(server, connections).then(() => seats.close());
      return closing;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error & { code?: string }): void => reject(listenError(error, port, host));
    server.once('error', onError);
    server.listen({ port, host }, () => {
      server.removeListener('error', onError);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function listenError(error: Error & { code?: string }, port: number, host: string): BusError {
  if (error.code === 'EADDRINUSE') {
    return new BusError(
      'PORT_IN_USE',
      `Port ${port} on ${host} is in use: another broker or platform is probably running. Stop it, or choose another port (0 takes any free one).`,
      { port, host },
      { cause: error },
    );
  }
  return new BusError(
    'BUS_UNAVAILABLE',
    `The broker cannot listen on ${host}:${port}: ${error.message}. Choose another address or port.`,
    { port, host, reason: error.code ?? error.message },
    { cause: error },
  );
}

function shut(server: Server, connections: ReadonlySet<Connection>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const connection of [...connections]) connection.destroy();
  });
}
