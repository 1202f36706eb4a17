import type { Message } from './message.js';

/** Who receives messages: a STOMP subscription or a subscription of a seat. */
export interface Consumer {
  /** Connection or seat it belongs to. */
  readonly owner: string;
  /** Whether it takes another message now. Only queues ask; topics deliver and leave the bound to the consumer. */
  isReady(): boolean;
  deliver(message: Message): void;
}

/** Bounds of one queue. */
export interface QueueLimits {
  readonly maxQueueMessages: number;
  readonly maxQueueBytes: number;
}

/** Bytes in all queues of an exchange. */
export interface QueueMeter {
  bytes: number;
}

/** What a message costs beside its body: headers, identity, its place in the queue. Measured on Node 20. */
const MESSAGE_OVERHEAD_BYTES = 512;
const COMPACT_AT = 1024;

/**
 * A queue: each message goes to one consumer, in turn; messages wait while none is ready. When full, the oldest message is
 * dropped. Amortised constant time per message.
 */
export class Queue {
  readonly key: string;
  private readonly limits: QueueLimits;
  private readonly consumers: Consumer[] = [];
  private turn = 0;
  private waiting: (Message | undefined)[] = [];
  private first = 0;
  private bytes = 0;
  private isPumping = false;

  constructor(
    key: string,
    limits: QueueLimits,
    private readonly meter: QueueMeter = { bytes: 0 },
  ) {
    this.key = key;
    this.limits = limits;
  }

  /** Takes what waits out of the meter: the queue is gone. */
  forget(): void {
    this.meter.bytes -= this.bytes + this.length * MESSAGE_OVERHEAD_BYTES;
  }

  /** Messages that wait. */
  get length(): number {
    return this.waiting.length - this.first;
  }

  get hasConsumers(): boolean {
    return this.consumers.length > 0;
  }

  /** Whether producers should be held back. */
  get isFull(): boolean {
    return this.length >= this.limits.maxQueueMessages || this.bytes >= this.limits.maxQueueBytes;
  }

  /** Whether producers that were held back may go on. */
  get isRelieved(): boolean {
    return this.length <= this.limits.maxQueueMessages / 2 && this.bytes <= this.limits.maxQueueBytes / 2;
  }

  /** Whether nothing refers to it any more. */
  get isIdle(): boolean {
    return this.consumers.length === 0 && this.length === 0;
  }

  /** Whether a consumer takes another message now. */
  get isReady(): boolean {
    return this.consumers.some((consumer) => consumer.isReady());
  }

  isConsumedBy(owner: string): boolean {
    return this.consumers.some((consumer) => consumer.owner === owner);
  }

  attach(consumer: Consumer): void {
    this.consumers.push(consumer);
  }

  detach(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    if (at < this.turn) this.turn--;
  }

  /** Adds a message at the end. @returns messages dropped to stay within `slack` times the bounds */
  push(message: Message, slack: number): number {
    this.waiting.push(message);
    this.count(message, 1);
    let dropped = 0;
    const { maxQueueMessages, maxQueueBytes } = this.limits;
    while (this.length > 1 && (this.length > maxQueueMessages * slack || this.bytes > maxQueueBytes * slack)) {
      this.shift();
      dropped++;
    }
    return dropped;
  }

  /** Puts messages back at the front, in their order. */
  restore(messages: readonly Message[]): void {
    this.waiting = [...messages, ...this.waiting.slice(this.first)];
    this.first = 0;
    for (const message of messages) this.count(message, 1);
  }

  /** Hands out messages while there are some and a consumer is ready. @returns messages that had expired */
  pump(now: number): number {
    if (this.isPumping) return 0;
    this.isPumping = true;
    let expired = 0;
    try {
      while (this.length > 0) {
        const consumer = this.nextReady();
        if (consumer === undefined) break;
        const message = this.shift();
        if (message.hasExpired(now)) expired++;
        else consumer.deliver(message);
      }
    } finally {
      this.isPumping = false;
    }
    return expired;
  }

  private count(message: Message, sign: 1 | -1): void {
    this.bytes += sign * message.size;
    this.meter.bytes += sign * (message.size + MESSAGE_OVERHEAD_BYTES);
  }

  private nextReady(): Consumer | undefined {
    const count = this.consumers.length;
    for (let i = 0; i < count; i++) {
      const at = (this.turn + i) % count;
      const consumer = this.consumers[at]!;
      if (!consumer.isReady()) continue;
      this.turn = (at + 1) % count;
      return consumer;
    }
    return undefined;
  }

  private shift(): Message {
    const message = this.waiting[this.first]!;
    this.waiting[this.first] = undefined;
    this.first++;
    this.count(message, -1);
    if (this.first >= COMPACT_AT && this.first * 2 >= this.waiting.length) {
      this.waiting = this.waiting.slice(this.first);
      this.first = 0;
    } else if (this.first === this.waiting.length) {
      this.waiting = [];
      this.first = 0;
    }
    return message;
  }
}
