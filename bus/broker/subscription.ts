import { type Address, addressFor, addressKey } from '../address.js';
import { BusError } from '../bus-error.js';
import type { StompVersion } from '../frame.js';
import { MESSAGE_OVERHEAD_BYTES, type SlowConsumerPolicy } from './limits.js';
import type { Message } from './message.js';
import type { HeadTemplate } from './output.js';
import { headerLine, isAscii, type OwnHeaders } from './own-headers.js';
import type { Consumer } from './queue.js';
import { replyToFor } from './seat.js';
import type { Selector } from './selector.js';

/** How a client says that it has taken a message. */
export type AckMode = 'auto' | 'client' | 'client-individual';

/** What a subscription needs of its connection. */
export interface SubscriptionWire {
  readonly version: StompVersion;
  /** Whether queue messages may be sent now; if not, the subscription is asked again later. */
  isReady(subscription: StompSubscription): boolean;
  /** Whether a topic message of this size still fits. */
  hasRoom(bytes: number): boolean;
  /** Drops the oldest topic messages that wait until one of this size fits. @returns how many */
  makeRoom(bytes: number): number;
  /** @param isAsciiHead - whether each character of the head is one byte */
  sendMessage(head: string, isAsciiHead: boolean, message: Message, isDroppable: boolean): void;
  /** @param head - all of it but the message's number */
  sendNumbered(head: HeadTemplate, message: Message, isDroppable: boolean): void;
  nextAckId(): string;
  warn(warning: BusError): void;
  noteDropped(count: number): void;
  /** Ends the connection, whose peer does not keep up. */
  abandon(reason: BusError): void;
}

/** Settings of a {@link StompSubscription}. */
export interface SubscriptionSettings {
  readonly mode: AckMode;
  /** Messages, and bytes of them, that may be unacknowledged. */
  readonly prefetch: number;
  readonly prefetchBytes: number;
  readonly slowConsumerPolicy: SlowConsumerPolicy;
  readonly selector: Selector | undefined;
}

/** One subscription of a STOMP connection, with what it has been sent and has not acknowledged. */
export class StompSubscription implements Consumer {
  /** Not acknowledged yet, oldest first, by the id an ACK names. */
  readonly unacknowledged = new Map<string, Message>();
  readonly mode: AckMode;
  readonly accepts?: (message: Message) => boolean;
  private unacknowledgedBytes = 0;
  private dropped = 0;
  /** The lines of the last destination: one subscription mostly hears of one. */
  private lastKey: string | undefined;
  private lastLines = '';
  private isLastAscii = true;
  /** The head of the last message, for those that differ in their number alone. */
  private template: HeadTemplate | undefined;
  private templateOf: OwnHeaders | undefined;
  private templateLength = -1;
  private templateTime = 0;

  constructor(
    readonly owner: string,
    /** Undefined for STOMP 1.0 subscriptions without id. */
    readonly id: string | undefined,
    readonly address: Address,
    private readonly settings: SubscriptionSettings,
    private readonly wire: SubscriptionWire,
  ) {
    this.mode = settings.mode;
    const { selector } = settings;
    if (selector !== undefined) this.accepts = (message) => selector(message);
  }

  isReady(): boolean {
    return this.mayTakeMore() && this.wire.isReady(this);
  }

  deliver(message: Message): void {
    const { kind } = message.address;
    const isTopic = kind === 'topic' || kind === 'temp-topic';
    if (isTopic && !this.takesTopicMessage(message)) return;
    const { version } = this.wire;
    const ack = this.mode === 'auto' ? undefined : version === '1.2' ? this.wire.nextAckId() : message.id;
    try {
      this.send(message, ack, isTopic);
    } catch (error) {
      // An old version cannot carry every header; that concerns this subscriber, not the sender.
      if (!(error instanceof BusError)) throw error;
      this.wire.noteDropped(1);
      const text = `A message to a STOMP ${version} client was dropped: ${error.message}`;
      this.wire.warn(new BusError('PROTOCOL', text, { connection: this.owner, destination: message.key }));
      return;
    }
    if (ack === undefined) return;
    message.settle();
    this.unacknowledged.set(ack, message);
    this.unacknowledgedBytes += message.size + MESSAGE_OVERHEAD_BYTES;
  }

  /**
   * Takes messages off the list: up to and with this one in `client` mode, this one in `client-individual` mode.
   * @returns them; undefined when the id is not among those sent
   */
  settle(ackId: string): Message[] | undefined {
    const named = this.unacknowledged.get(ackId);
    if (named === undefined) return undefined;
    const settled: Message[] = [];
    if (this.mode === 'client-individual') {
      this.unacknowledged.delete(ackId);
      settled.push(named);
    } else {
      for (const [id, message] of this.unacknowledged) {
        settled.push(message);
        this.unacknowledged.delete(id);
        if (id === ackId) break;
      }
    }
    for (const { size } of settled) this.unacknowledgedBytes -= size + MESSAGE_OVERHEAD_BYTES;
    return settled;
  }

  private mayTakeMore(): boolean {
    if (this.mode === 'auto' || this.unacknowledged.size === 0) return true;
    const { prefetch, prefetchBytes } = this.settings;
    return this.unacknowledged.size < prefetch && this.unacknowledgedBytes < prefetchBytes;
  }

  private takesTopicMessage(message: Message): boolean {
    const bytes = message.size + MESSAGE_OVERHEAD_BYTES;
    if (!this.mayTakeMore()) {
      this.noteDropped(1);
      return false;
    }
    if (this.wire.hasRoom(bytes)) return true;
    if (this.settings.slowConsumerPolicy === 'disconnect') {
      const text = `The subscriber of ${addressKey(this.address)} does not keep up.`;
      this.wire.abandon(new BusError('SLOW_CONSUMER', text, { destination: message.key, connection: this.owner }));
      return false;
    }
    const older = this.wire.makeRoom(bytes);
    if (older > 0) this.noteDropped(older);
    if (this.wire.hasRoom(bytes)) return true;
    this.noteDropped(1);
    return false;
  }

  private noteDropped(count: number): void {
    const before = this.dropped;
    this.dropped += count;
    this.wire.noteDropped(count);
    if (Math.floor(Math.log2(this.dropped)) === Math.floor(Math.log2(Math.max(before, 0.5)))) return;
    this.wire.warn(
      new BusError(
        'SLOW_CONSUMER',
        `A subscriber of ${addressKey(this.address)} does not keep up: ${this.dropped} messages to it were dropped so far.`,
        { destination: addressKey(this.address), connection: this.owner, dropped: this.dropped },
      ),
    );
  }

  /** Headers in the order of ActiveMQ. */
  private send(message: Message, ack: string | undefined, isDroppable: boolean): void {
    const { version } = this.wire;
    const own = message.own;
    const length = message.bytes.length;
    if (
      own === this.templateOf &&
      message.key === this.lastKey &&
      length === this.templateLength &&
      message.timestamp === this.templateTime &&
      this.template !== undefined &&
      ack === undefined &&
      message.deliveries === 0
    ) {
      this.wire.sendNumbered(this.template, message, isDroppable);
      return;
    }
    const lines = own.linesFor(version);
    if (this.lastKey !== message.key) this.rememberDestination(message);
    const written = version === '1.0' ? 'ID:dec-' : 'ID\\cdec-';
    let isAsciiHead = lines.isAscii && this.isLastAscii;
    const before = `MESSAGE\ncontent-length:${length}\nexpires:${own.expires}\n${this.lastLines}priority:${own.priority}\nmessage-id:${written}`;
    let after = `\ntimestamp:${message.timestamp}\n`;
    const replyTo = replyToFor(message, this.owner);
    if (replyTo !== undefined) {
      const line = headerLine('reply-to', replyTo, version);
      after += line;
      isAsciiHead &&= isAscii(line);
    }
    if (ack !== undefined && version === '1.2') after += headerLine('ack', ack, version);
    if (message.deliveries > 0) after += 'redelivered:true\n';
    after += `${lines.text}\n`;
    if (ack === undefined && replyTo === undefined && message.deliveries === 0 && own === this.templateOf) {
      this.template = { before: Buffer.from(before), after: Buffer.from(after) };
      this.templateLength = length;
      this.templateTime = message.timestamp;
    }
    // The first message of its kind may be the last; the second one makes a template.
    if (own !== this.templateOf) this.template = undefined;
    this.templateOf = own;
    this.wire.sendMessage(`${before}${message.sequence}${after}`, isAsciiHead, message, isDroppable);
  }

  private rememberDestination(message: Message): void {
    const { version } = this.wire;
    const destination = headerLine('destination', addressFor(message.address, this.owner), version);
    const subscription = this.id === undefined ? '' : headerLine('subscription', this.id, version);
    this.lastKey = message.key;
    this.lastLines = destination + subscription;
    this.isLastAscii = isAscii(this.lastLines);
  }
}
