import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, Server } from 'node:http';
import { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { StompVersion } from '../frame.js';
import { isLocalOrigin } from '../loopback.js';

/** Paths on which STOMP is spoken: ActiveMQ's, RabbitMQ's, and the one of most examples. */
const PATHS: ReadonlySet<string> = new Set(['/', '/ws', '/stomp']);
/** Sub-protocols, best first, with the version that each stands for. */
const PROTOCOLS: ReadonlyMap<string, StompVersion> = new Map([
  ['v12.stomp', '1.2'],
  ['v11.stomp', '1.1'],
  ['v10.stomp', '1.0'],
]);

/** Takes a new connection. @param newest - the newest version both sides may speak; all when undefined */
export type StreamHandler = (stream: Duplex, remoteAddress: string, newest?: StompVersion) => void;

/** Settings of {@link listenForWebSockets}. */
export interface WebSocketSettings {
  /** Bytes of one WebSocket message; a frame of STOMP may come in several. */
  readonly maxMessageBytes: number;
  /** Origins of pages that may connect, `*` for all; pages of this machine when undefined. Programs that are no browsers send none and may. */
  readonly origins: readonly string[] | undefined;
  /** Decides beside that on who may connect, by the request. */
  readonly isWelcome?: ((request: IncomingMessage) => boolean) | undefined;
}

/** Takes WebSocket connections from an HTTP server and hands each out as a stream of bytes. */
export function listenForWebSockets(
  server: Server,
  { maxMessageBytes, origins, isWelcome }: WebSocketSettings,
  onStream: StreamHandler,
): void {
  const sockets = new WebSocketServer({
    server,
    maxPayload: maxMessageBytes,
    // Compression costs memory for each connection and gives a peer a lever against the processor.
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => [...PROTOCOLS.keys()].find((protocol) => offered.has(protocol)) ?? false,
    verifyClient: ({ origin, req }, decide) => {
      const isListed = origins
        ? origin === undefined || origins.includes(origin) || origins.includes('*')
        : isLocalOrigin(origin);
      const isAllowed = isListed && isWelcome?.(req) !== false;
      const isKnown = PATHS.has(pathOf(req));
      decide(isAllowed && isKnown, isKnown ? 403 : 404);
    },
  });
  // Those of the server, which whoever listens with it is told of; here they would end the process.
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket, request) => {
    // Whoever agreed on a sub-protocol reads frames by its rules, whatever CONNECT offers beside it.
    onStream(new WebSocketStream(socket), request.socket.remoteAddress ?? '', PROTOCOLS.get(socket.protocol));
  });
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/**
 * A WebSocket as a stream of bytes. What is written together goes out as one message: as text where it is UTF-8, which is
 * what browsers' clients expect, else as bytes.
 */
class WebSocketStream extends Duplex {
  constructor(private readonly webSocket: WebSocket) {
    super({ decodeStrings: true, readableHighWaterMark: 256 * 1024, writableHighWaterMark: 64 * 1024 });
    webSocket.binaryType = 'nodebuffer';
    webSocket.on('message', (data: RawData) => {
      if (!this.push(bytesOf(data))) webSocket.pause();
    });
    webSocket.on('error', (error) => this.destroy(error));
    webSocket.on('close', () => {
      this.push(null);
      this.destroy();
    });
  }

  override _read(): void {
    if (this.webSocket.isPaused) this.webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.put(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.put(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.webSocket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.webSocket.terminate();
    done(error);
  }

  private put(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.webSocket.readyState !== this.webSocket.OPEN) done();
    else this.webSocket.send(bytes, { binary: !isUtf8(bytes) }, done);
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
