import type { Duplex } from 'node:stream';
import { asError, BusError } from '../bus-error.js';
import { EMPTY_BODY, type Frame, frameHead, type StompVersion } from '../frame.js';
import { Decoder } from '../frame-decoder.js';
import { Heartbeat } from '../heartbeat.js';
import type { Exchange } from './exchange.js';
import type { Message } from './message.js';
import { type HeadTemplate, Output } from './output.js';
import { type Gate, type Peer, Session, type SessionWire } from './session.js';
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
  /** Times a connection was not read because it had sent more frames than it may in a second. */
  paced: number;
  /** Connections refused because there were as many as there may be. */
  connectionsRefused: number;
}

/** Milliseconds a closing connection gets to read the last frames. */
const LINGER_MS = 1000;
/** Largest body of somebody who has not logged in. */
const STRANGER_BODY_BYTES = 64 * 1024;
const SECOND_MS = 1000;
const PACE = ' pace';
const LOGIN = ' login';

/** One connection of the broker, over TCP, TLS or WebSocket: bytes to frames, frames to the session, and back. */
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
  private frames = 0;
  private secondStart = 0;
  private secondFrames = 0;
  private paceTimer: NodeJS.Timeout | undefined;
  private isEnding = false;

  constructor(
    private readonly socket: Duplex,
    private readonly exchange: Exchange,
    readonly id: string,
    gate: Gate,
    peer: Peer,
    private readonly statistics: ConnectionStatistics,
    private readonly onClose: (connection: Connection) => void,
  ) {
    const { limits } = exchange;
    this.decoder = new Decoder(limits);
    this.decoder.narrowBodies(STRANGER_BODY_BYTES);
    this.output = new Output(
      socket,
      exchange.outputMeter,
      () => this.feedStarved(),
      (bytes) => {
        this.statistics.bytesOut += bytes;
        this.heartbeat?.wrote(exchange.now());
      },
    );
    this.session = new Session(exchange, this, gate, id, peer);
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

  /** Whether it has logged in. */
  get isOpen(): boolean {
    return this.session.isOpen;
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
    const { limits, outputMeter } = this.exchange;
    const waiting = this.output.waitingBytes;
    if (waiting + bytes > limits.maxOutputBytes) return false;
    // Where all together are behind, those who keep up go on.
    return outputMeter.bytes + bytes <= limits.maxTotalOutputBytes || this.output.isReady;
  }

  makeRoom(bytes: number): number {
    return this.output.drop(bytes);
  }

  nextAckId(): string {
    return `${this.id}-${++this.ackSequence}`;
  }

  sendMessage(head: string, isAsciiHead: boolean, message: Message, isDroppable: boolean): void {
    this.output.message(head, isAsciiHead, message, isDroppable);
  }

  sendNumbered(head: HeadTemplate, message: Message, isDroppable: boolean): void {
    this.output.numbered(head, message, isDroppable);
  }

  opened(): void {
    this.decoder.narrowBodies();
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
    const release = this.stopReading(queueKey);
    const timer = setTimeout(release, this.exchange.limits.maxHoldMs);
    this.exchange.whenRelieved(queueKey, () => {
      clearTimeout(timer);
      release();
    });
  }

  suspend(isSuspended: boolean): void {
    if (isSuspended) this.stopReading(LOGIN);
    else this.holds.get(LOGIN)?.();
  }

  /** Reads nothing for a reason, until what is handed back is called and no other reason is left. */
  private stopReading(reason: string): () => void {
    const release = (): void => {
      if (this.holds.get(reason) !== release) return;
      this.holds.delete(reason);
      if (this.holds.size > 0 || this.socket.destroyed) return;
      this.heartbeat?.suspend(false, this.exchange.now());
      this.socket.resume();
    };
    this.holds.set(reason, release);
    this.socket.pause();
    this.heartbeat?.suspend(true, this.exchange.now());
    return release;
  }

  /** Whoever sends more frames in a second than it may is read again when the second is over. */
  private keepPace(framesBefore: number): void {
    const { maxFramesPerSecond } = this.exchange.limits;
    if (maxFramesPerSecond <= 0) return;
    const now = this.exchange.now();
    if (now - this.secondStart >= SECOND_MS) {
      this.secondStart = now;
      this.secondFrames = 0;
    }
    this.secondFrames += this.frames - framesBefore;
    if (this.secondFrames <= maxFramesPerSecond || this.isEnding || this.holds.has(PACE)) return;
    // Several seconds' worth in one read takes as many seconds.
    const pauseMs = Math.ceil(this.secondFrames / maxFramesPerSecond) * SECOND_MS - (now - this.secondStart);
    this.statistics.paced++;
    this.paceTimer = setTimeout(this.stopReading(PACE), pauseMs);
  }

  abandon(reason: BusError): void {
    if (this.isEnding) return;
    this.warn(reason);
    this.destroy();
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

  noteDropped(count: number): void {
    this.statistics.slowDropped += count;
  }

  noteRefusal(): void {
    this.statistics.loginsRefused++;
  }

  private read(bytes: Uint8Array): void {
    this.statistics.bytesIn += bytes.length;
    if (this.isEnding) return;
    this.heartbeat?.read(this.exchange.now());
    const before = this.frames;
    try {
      this.decoder.push(bytes, this.take);
      this.statistics.framesIn += this.frames - before;
      this.keepPace(before);
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

  private readonly take = (frame: Frame): void => {
    this.frames++;
    this.session.receive(frame);
  };

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
    clearTimeout(this.paceTimer);
  }

  private closed(): void {
    this.isEnding = true;
    this.stopTimers();
    clearTimeout(this.lingerTimer);
    for (const release of [...this.holds.values()]) release();
    this.output.forget();
    this.decoder.close();
    this.session.leave();
    this.onClose(this);
  }
}
