import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { BusError } from '../bus-error.js';
import { listenForWebSockets, type StreamHandler, type WebSocketSettings } from './web-socket.js';

/** Certificate and key of a server, PEM. */
export interface TlsKeys {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A port that is listened on. */
export interface Listener {
  readonly port: number;
  /** Takes no more connections. Those that are there are their owner's. */
  close(): Promise<void>;
}

/** Oldest version of TLS that is spoken. */
const TLS_VERSION = 'TLSv1.2';
/** Bytes of headers of an HTTP request that asks for a WebSocket. */
const HTTP_HEAD_BYTES = 16 * 1024;
const HTTP_MS = 10_000;

/** Listens for STOMP over TCP, or over TLS with keys. @throws BusError `PORT_IN_USE`, `BUS_UNAVAILABLE`, `BAD_ARGUMENT` */
export function listenForSockets(
  port: number,
  host: string,
  tls: TlsKeys | undefined,
  onStream: StreamHandler,
  onError: (error: Error) => void,
): Promise<Listener> {
  const take = (socket: Socket): void => {
    // Without this a request waits 40 ms for the peer's delayed acknowledgement.
    socket.setNoDelay(true);
    onStream(socket, socket.remoteAddress ?? '');
  };
  const server =
    tls === undefined
      ? createServer(take)
      : withKeys(() => createTlsServer({ ...tls, minVersion: TLS_VERSION, handshakeTimeout: HTTP_MS }, take));
  return listen(server, port, host, onError);
}

/** Listens for STOMP over WebSocket, over TLS with keys. @throws as {@link listenForSockets} */
export function listenForWeb(
  port: number,
  host: string,
  tls: TlsKeys | undefined,
  settings: WebSocketSettings,
  onStream: StreamHandler,
  onError: (error: Error) => void,
): Promise<Listener> {
  const limits = { maxHeaderSize: HTTP_HEAD_BYTES, headersTimeout: HTTP_MS, requestTimeout: HTTP_MS };
  const server: HttpServer =
    tls === undefined
      ? createHttpServer(limits)
      : withKeys(() => createHttpsServer({ ...limits, ...tls, minVersion: TLS_VERSION }));
  server.on('connection', (socket: Socket) => socket.setNoDelay(true));
  // Nothing but WebSockets is served here.
  server.on('request', (_, response) => response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end());
  listenForWebSockets(server, settings, onStream);
  return listen(server, port, host, onError);
}

function withKeys<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BusError(
      'BAD_ARGUMENT',
      `Certificate and key cannot be used: ${reason}. Both are PEM, and belong together.`,
      { reason },
      { cause: error },
    );
  }
}

function listen(server: Server, port: number, host: string, onError: (error: Error) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error & { code?: string }): void => reject(listenError(error, port, host));
    server.once('error', refuse);
    server.listen({ port, host }, () => {
      server.removeListener('error', refuse);
      server.on('error', onError);
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') {
              server.closeAllConnections();
            }
          }),
      });
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
