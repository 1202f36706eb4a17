import { connect, type Socket } from 'node:net';

/** Frames in one write of a client that sends as fast as it may. */
const FRAMES_PER_WRITE = 100;
/** Messages that may be on their way: nobody has to drop, and both sides of a comparison get the same. */
const WINDOW = 10_000;
const NUL = 0;

/** Where a broker listens, and as whom to log in. */
export interface LoadTarget {
  readonly port: number;
  readonly login: string;
  readonly passcode: string;
}

/**
 * A STOMP peer for measuring: raw socket, frames written beforehand, arrivals counted by their NUL bytes (bodies and headers
 * have none). What it costs must be small beside the broker.
 */
export class LoadClient {
  /** Frames that have arrived. */
  received = 0;
  /** Called after each read. */
  onRead: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes: Buffer) => {
      let count = 0;
      for (let at = bytes.indexOf(NUL); at >= 0; at = bytes.indexOf(NUL, at + 1)) count++;
      this.received += count;
      this.onRead();
    });
    socket.on('error', () => undefined);
  }

  static async open({ port, login, passcode }: LoadTarget): Promise<LoadClient> {
    const client = await new Promise<LoadClient>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => resolve(new LoadClient(socket)));
      socket.setNoDelay(true);
      socket.once('error', reject);
    });
    client.socket.write(
      `CONNECT\naccept-version:1.2\nhost:localhost\nheart-beat:0,0\nlogin:${login}\npasscode:${passcode}\n\n\0`,
    );
    await client.until(1);
    return client;
  }

  /** Subscribes, and waits until the broker has it. */
  async subscribe(destination: string, id = '1'): Promise<void> {
    const before = this.received;
    this.socket.write(`SUBSCRIBE\nid:${id}\ndestination:${destination}\nack:auto\nreceipt:s${id}\n\n\0`);
    await this.until(before + 1);
  }

  /** Waits until so many frames have arrived in all. */
  until(count: number, timeoutMs = 120_000): Promise<void> {
    if (this.received >= count) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const before = this.onRead;
      const timer = setTimeout(
        () => reject(new Error(`${this.received} of ${count} frames within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.onRead = () => {
        before();
        if (this.received < count) return;
        clearTimeout(timer);
        this.onRead = before;
        resolve();
      };
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A SEND frame. */
export function sendFrame(destination: string, body: string): Buffer {
  return Buffer.from(`SEND\ndestination:${destination}\ncontent-length:${Buffer.byteLength(body)}\n\n${body}\0`);
}

/**
 * Publishes messages from one client as fast as the window allows and waits until every receiver has all.
 * @returns seconds
 */
export async function flood(
  sender: LoadClient,
  receivers: readonly LoadClient[],
  destination: string,
  bodyBytes: number,
  messages: number,
): Promise<number> {
  const one = sendFrame(destination, 'x'.repeat(bodyBytes));
  const batch = Buffer.concat(Array.from({ length: FRAMES_PER_WRITE }, () => one));
  const starts = receivers.map(({ received }) => received);
  const behind = (): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < receivers.length; i++) least = Math.min(least, receivers[i]!.received - starts[i]!);
    return least;
  };
  let sent = 0;
  const fill = (): void => {
    const room = behind() + WINDOW;
    while (sent < messages && sent < room && !sender.socket.writableNeedDrain) {
      sender.socket.write(batch);
      sent += FRAMES_PER_WRITE;
    }
  };
  for (const receiver of receivers) receiver.onRead = fill;
  sender.socket.on('drain', fill);
  const before = process.hrtime.bigint();
  fill();
  await Promise.all(receivers.map((receiver, i) => receiver.until(starts[i]! + messages)));
  const seconds = Number(process.hrtime.bigint() - before) / 1e9;
  sender.socket.removeListener('drain', fill);
  for (const receiver of receivers) receiver.onRead = () => undefined;
  return seconds;
}

/** Publish-to-receive times with one message on its way, seconds. */
export async function pingPong(
  sender: LoadClient,
  receiver: LoadClient,
  destination: string,
  bodyBytes: number,
  count: number,
): Promise<number[]> {
  const frame = sendFrame(destination, 'x'.repeat(bodyBytes));
  const seconds: number[] = [];
  await new Promise<void>((resolve) => {
    let at = process.hrtime.bigint();
    receiver.onRead = () => {
      seconds.push(Number(process.hrtime.bigint() - at) / 1e9);
      if (seconds.length === count) {
        resolve();
        return;
      }
      at = process.hrtime.bigint();
      sender.socket.write(frame);
    };
    sender.socket.write(frame);
  });
  receiver.onRead = () => undefined;
  return seconds;
}
