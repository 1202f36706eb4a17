import type { Socket } from 'node:net';
import { asError, BusError } from '../bus-error.js';
import { EMPTY_BODY, frameHead, type StompVersion } from '../frame.js';
import { Decoder } from '../frame-decoder.js';
import { Heartbeat } from '../heartbeat.js';
import type { Exchange } from './exchange.js';
import { Output } from './output.js';
import { type Authenticator, Session, type SessionWire } from './session.js';
import type { StompSubscription } from './subscription.js';

/** Counters of all connections together. */
export interface ConnectionStatistics {
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  /** Topic messages dropped because their subscriber did not keep up. */
  slowDropped: number;
  loginsRefused: number;
  malformed: number;
  /** Producers held back for a full queue. */
  held: number;
  heartbeatsMissed: number;
}

/** Milliseconds a closing connection gets to read the last frames. */
const LINGER_MS = 1000;

/** One TCP connection of the broker: bytes to frames, frames to the session, and back. */
export class Connection implements SessionWire {
  version: StompVersion = '1.2';
  private readonly decoder: Decoder;
  private readonly output: Output;
  private readonly session: Session;
  private readonly starved = new Set<StompSubscription>();
  private readonly loginTimer: NodeJS.Timeout;
  private heartbeat: Heartbeat | undefined;
  private heartbeatTimer: NodeJS.Timeout | undefined;
  private lingerTimer: NodeJS.Timeout | undefined;
  /** What releases each hold, by queue. */
  private readonly holds = new Map<string, () => void>();
  private ackSequence = 0;
  private isEnding = false;

  constructor(
    private readonly socket: Socket,
    private readonly exchange: Exchange,
    readonly id: string,
    authenticate: Authenticator,
    private readonly statistics: ConnectionStatistics,
    private readonly onClose: (connection: Connection) => void,
  ) {
    const { limits } = exchange;
    // Without this a request waits 40 ms for the peer's delayed acknowledgement.
    socket.setNoDelay(true);
    this.decoder = new Decoder(limits);
    this.output = new Output(
      socket,
      () => this.feedStarved(),
      (bytes) => {
        this.statistics.bytesOut += bytes;
        this.heartbeat?.wrote(exchange.now());
      },
    );
    this.session = new Session(exchange, this, authenticate, id, socket.remoteAddress ?? '');
    this.loginTimer = setTimeout(() => {
      if (!this.session.isOpen) {
        this.session.fail(new BusError('TIMEOUT', `No CONNECT within ${limits.connectTimeoutMs} ms.`));
      }
    }, limits.connectTimeoutMs);
    socket.on('data', (bytes) => this.read(bytes));
    // A reset is how many clients leave; 'close' follows and cleans up.
    socket.on('error', () => undefined);
    socket.on('close', () => this.closed());
  }

  /** Subscriptions of this connection. */
  get subscriptions(): number {
    return this.session.size;
  }

  /** Bytes that wait for the peer to read them. */
  get waitingBytes(): number {
    return this.output.waitingBytes;
  }

  isReady(subscription: StompSubscription): boolean {
    if (this.output.isReady) return true;
    this.starved.add(subscription);
    return false;
  }

  hasRoom(bytes: number): boolean {
    return this.output.waitingBytes + bytes <= this.exchange.limits.maxOutputBytes;
  }

  nextAckId(): string {
    return `${this.id}-${++this.ackSequence}`;
  }

  sendMessage(headers: Readonly<Record<string, string | undefined>>, body: Uint8Array): void {
    let head: string;
    try {
      head = frameHead('MESSAGE', headers, body.length, this.version);
    } catch (error) {
      // An old version cannot carry every header; that concerns this subscriber, not the sender.
      this.statistics.slowDropped++;
      this.warn(
        new BusError('PROTOCOL', `A message to a STOMP ${this.version} client was dropped: ${asError(error).message}`, {
          connection: this.id,
          destination: headers['destination'],
        }),
      );
      return;
    }
    this.output.frame(head, body);
  }

  send(command: string, headers: Readonly<Record<string, string | undefined>>, body?: string): void {
    const bytes = body === undefined ? EMPTY_BODY : Buffer.from(body, 'utf8');
    try {
      this.output.frame(frameHead(command, headers, bytes.length, this.version), bytes);
    } catch (error) {
      this.warn(new BusError('PROTOCOL', `A ${command} frame was not sent: ${asError(error).message}`));
    }
    if (command === 'CONNECTED') this.decoder.version = this.version;
  }

  startHeartbeat(sendEveryMs: number, expectEveryMs: number): void {
    const heartbeat = new Heartbeat(sendEveryMs, expectEveryMs, this.exchange.now());
    if (heartbeat.checkEveryMs === 0) return;
    this.heartbeat = heartbeat;
    this.heartbeatTimer = setInterval(() => {
      const verdict = heartbeat.check(this.exchange.now());
      if (verdict === 'beat') this.output.beat();
      if (verdict === 'lost') this.lose(expectEveryMs);
    }, heartbeat.checkEveryMs);
  }

  hold(queueKey: string): void {
    if (this.isEnding || this.holds.has(queueKey)) return;
    this.statistics.held++;
    this.socket.pause();
    this.heartbeat?.suspend(true, this.exchange.now());
    const release = (): void => {
      if (this.holds.get(queueKey) !== release) return;
      clearTimeout(timer);
      this.holds.delete(queueKey);
      if (this.holds.size > 0 || this.socket.destroyed) return;
      this.heartbeat?.suspend(false, this.exchange.now());
      this.socket.resume();
    };
    const timer = setTimeout(release, this.exchange.limits.maxHoldMs);
    this.holds.set(queueKey, release);
    this.exchange.whenRelieved(queueKey, release);
  }

  end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.stopTimers();
    this.decoder.close();
    this.output.end();
    // Reading on, and throwing away, lets the last frame arrive before the connection is reset.
    this.socket.resume();
    this.lingerTimer = setTimeout(() => this.socket.destroy(), LINGER_MS);
  }

  /** Closes at once. */
  destroy(): void {
    this.isEnding = true;
    this.socket.destroy();
  }

  warn(warning: BusError): void {
    this.exchange.warn(warning);
  }

  noteDropped(): void {
    this.statistics.slowDropped++;
  }

  noteRefusal(): void {
    this.statistics.loginsRefused++;
  }

  private read(bytes: Uint8Array): void {
    this.statistics.bytesIn += bytes.length;
    if (this.isEnding) return;
    this.heartbeat?.read(this.exchange.now());
    try {
      this.decoder.push(bytes, (frame) => {
        this.statistics.framesIn++;
        this.session.receive(frame);
      });
    } catch (thrown) {
      const error = asError(thrown);
      this.statistics.malformed++;
      this.warn(
        thrown instanceof BusError
          ? new BusError(thrown.code, `Connection ${this.id} was closed. ${thrown.message}`, {
              ...thrown.details,
              connection: this.id,
            })
          : new BusError('PROTOCOL', `Connection ${this.id} was closed: ${error.message}`, {}, { cause: error }),
      );
      this.session.fail(error);
    }
  }

  private lose(expectEveryMs: number): void {
    this.statistics.heartbeatsMissed++;
    this.warn(
      new BusError(
        'TIMEOUT',
        `Connection ${this.id} was closed: no heart-beat for three times the agreed ${expectEveryMs} ms.`,
        {
          connection: this.id,
          intervalMs: expectEveryMs,
        },
      ),
    );
    this.socket.destroy();
  }

  private feedStarved(): void {
    if (this.starved.size === 0) return;
    const starved = [...this.starved];
    this.starved.clear();
    this.session.resume(starved);
  }

  private stopTimers(): void {
    clearTimeout(this.loginTimer);
    clearInterval(this.heartbeatTimer);
  }

  private closed(): void {
    this.isEnding = true;
    this.stopTimers();
    clearTimeout(this.lingerTimer);
    for (const release of [...this.holds.values()]) release();
    this.decoder.close();
    this.session.leave();
    this.onClose(this);
  }
}
