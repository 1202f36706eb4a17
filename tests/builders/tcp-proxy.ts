import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose network can be made worse. */
export interface TcpProxy {
  readonly port: number;
  /** Milliseconds by which all bytes are late, in each direction. */
  delayMs: number;
  /** While true nothing passes in either direction, though connections stand. */
  isBlackHole: boolean;
  /** Connections that were made. */
  readonly connections: number;
  /** Ends every connection at once, with RST. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port before another one. */
export function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections++;
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        if (proxy.isBlackHole) return;
        if (proxy.delayMs === 0) to.write(bytes);
        // Equal delays keep the order.
        else setTimeout(() => to.destroyed || to.write(bytes), proxy.delayMs);
      });
    }
  });
  const proxy = {
    port: 0,
    delayMs: 0,
    isBlackHole: false,
    get connections() {
      return connections;
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close() {
      proxy.reset();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve(proxy);
    });
  });
}
