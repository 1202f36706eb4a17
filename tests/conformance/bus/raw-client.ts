import { connect, type Socket } from 'node:net';
import { Decoder, encodeFrame, type Frame, type StompVersion } from '../../../bus/index.js';

/** A STOMP peer that sends exactly what it is told and keeps what it gets. */
export class RawClient {
  readonly frames: Frame[] = [];
  isClosed = false;
  bytesRead = 0;
  private readonly decoder = new Decoder();
  private waits: (() => void)[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.bytesRead += bytes.length;
      this.decoder.push(bytes, (frame) => {
        if (frame.command === 'CONNECTED') this.decoder.version = (frame.headers['version'] as StompVersion) ?? '1.0';
        this.frames.push(frame);
      });
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => resolve(new RawClient(socket)));
      socket.setNoDelay(true);
      socket.once('error', reject);
    });
  }

  static async login(port: number, headers: Record<string, string> = {}): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.send('CONNECT', { 'accept-version': '1.2', host: 'localhost', ...headers });
    const answer = () => client.frames.find(({ command }) => command === 'CONNECTED' || command === 'ERROR');
    await client.until(() => answer() !== undefined || client.isClosed, 'CONNECTED');
    if (answer()?.command !== 'CONNECTED') throw new Error(`not let in: ${answer()?.headers['message'] ?? 'closed'}`);
    await client.next('CONNECTED');
    return client;
  }

  /** Sends text or bytes as they are. */
  write(raw: string | Uint8Array): void {
    this.socket.write(raw);
  }

  send(command: string, headers: Record<string, string>, body = ''): void {
    this.write(encodeFrame({ command, headers, body: new TextEncoder().encode(body) }));
  }

  /** Sends with a receipt and waits for it. */
  async sendAndWait(command: string, headers: Record<string, string>, body = ''): Promise<void> {
    const receipt = `r${Math.random()}`;
    this.send(command, { ...headers, receipt }, body);
    await this.until(
      () => this.frames.some(({ headers: got }) => got['receipt-id'] === receipt),
      `receipt of ${command}`,
    );
  }

  /** Takes the next frame of a command off the list. */
  async next(command: string): Promise<Frame> {
    await this.until(() => this.frames.some((frame) => frame.command === command), command);
    const at = this.frames.findIndex((frame) => frame.command === command);
    return this.frames.splice(at, 1)[0]!;
  }

  /** Bodies of the messages so far. */
  get bodies(): string[] {
    return this.frames.filter(({ command }) => command === 'MESSAGE').map(bodyOf);
  }

  /** Number of messages so far. */
  get messages(): number {
    return this.frames.reduce((count, { command }) => count + (command === 'MESSAGE' ? 1 : 0), 0);
  }

  async until(condition: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0) {
        const got = this.frames.map(({ command, headers }) => `${command} ${headers['message'] ?? ''}`).join(', ');
        throw new Error(`${what}: not within ${timeoutMs} ms (frames: ${got || 'none'}; closed: ${this.isClosed})`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 50));
        this.waits.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private wake(): void {
    const waits = this.waits;
    this.waits = [];
    for (const wake of waits) wake();
  }
}

/** Body of a frame as text. */
export function bodyOf(frame: Frame): string {
  return new TextDecoder().decode(frame.body);
}
