import { type Address, addressFor, addressKey } from '../address.js';
import { BusError } from '../bus-error.js';
import type { StompVersion } from '../frame.js';
import type { Message } from './message.js';
import type { Consumer } from './queue.js';
import { replyToFor } from './seat.js';

/** How a client says that it has taken a message. */
export type AckMode = 'auto' | 'client' | 'client-individual';

/** What a subscription needs of its connection. */
export interface SubscriptionWire {
  readonly version: StompVersion;
  /** Whether queue messages may be sent now; if not, the subscription is asked again later. */
  isReady(subscription: StompSubscription): boolean;
  /** Whether a topic message of this size still fits. */
  hasRoom(bytes: number): boolean;
  sendMessage(headers: Readonly<Record<string, string | undefined>>, body: Uint8Array): void;
  nextAckId(): string;
  warn(warning: BusError): void;
  noteDropped(): void;
}

/** One subscription of a STOMP connection, with what it has been sent and has not acknowledged. */
export class StompSubscription implements Consumer {
  /** Not acknowledged yet, oldest first, by the id an ACK names. */
  readonly unacknowledged = new Map<string, Message>();
  private dropped = 0;

  constructor(
    readonly owner: string,
    /** Undefined for STOMP 1.0 subscriptions without id. */
    readonly id: string | undefined,
    readonly address: Address,
    readonly mode: AckMode,
    private readonly prefetch: number,
    private readonly wire: SubscriptionWire,
  ) {}

  isReady(): boolean {
    return (this.mode === 'auto' || this.unacknowledged.size < this.prefetch) && this.wire.isReady(this);
  }

  deliver(message: Message): void {
    const { kind } = message.address;
    if ((kind === 'topic' || kind === 'temp-topic') && !this.hasRoom(message)) {
      this.drop();
      return;
    }
    let ack: string | undefined;
    if (this.mode !== 'auto') {
      ack = this.wire.version === '1.2' ? this.wire.nextAckId() : message.id;
      this.unacknowledged.set(ack, message);
    }
    this.wire.sendMessage(this.headersOf(message, ack), message.bytes);
  }

  /**
   * Takes messages off the list: up to and with this one in `client` mode, this one in `client-individual` mode.
   * @returns them; undefined when the id is not among those sent
   */
  settle(ackId: string): Message[] | undefined {
    const named = this.unacknowledged.get(ackId);
    if (named === undefined) return undefined;
    if (this.mode === 'client-individual') {
      this.unacknowledged.delete(ackId);
      return [named];
    }
    const settled: Message[] = [];
    for (const [id, message] of this.unacknowledged) {
      settled.push(message);
      this.unacknowledged.delete(id);
      if (id === ackId) break;
    }
    return settled;
  }

  private hasRoom(message: Message): boolean {
    return this.wire.hasRoom(message.size) && (this.mode === 'auto' || this.unacknowledged.size < this.prefetch);
  }

  private drop(): void {
    this.dropped++;
    this.wire.noteDropped();
    if ((this.dropped & (this.dropped - 1)) !== 0) return;
    this.wire.warn(
      new BusError(
        'SLOW_CONSUMER',
        `A subscriber of ${addressKey(this.address)} does not keep up: ${this.dropped} messages to it were dropped so far.`,
        { destination: addressKey(this.address), connection: this.owner, dropped: this.dropped },
      ),
    );
  }

  /** In the order of ActiveMQ. */
  private headersOf(message: Message, ack: string | undefined): Record<string, string | undefined> {
    const own = message.headers;
    return {
      expires: own['expires'] ?? '0',
      destination: addressFor(message.address, this.owner),
      subscription: this.id,
      priority: own['priority'] ?? '4',
      'message-id': message.id,
      timestamp: String(message.timestamp),
      'reply-to': replyToFor(message, this.owner),
      ack: this.wire.version === '1.2' ? ack : undefined,
      redelivered: message.deliveries > 0 ? 'true' : undefined,
      ...own,
    };
  }
}
