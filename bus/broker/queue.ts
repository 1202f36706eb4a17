import { MESSAGE_OVERHEAD_BYTES } from './limits.js';
import type { Message } from './message.js';

/** Who receives messages: a STOMP subscription or a subscription of a seat. */
export interface Consumer {
  /** Connection or seat it belongs to. */
  readonly owner: string;
  /** Whether it takes another message now. Only queues ask; topics deliver and leave the bound to the consumer. */
  isReady(): boolean;
  /** Whether it wants this message; everything when absent (a subscription without selector). */
  accepts?(message: Message): boolean;
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

const COMPACT_AT = 1024;

/**
 * A queue: each message goes to one consumer, in turn; messages wait while none is ready. Amortised constant time per message;
 * with selectors, a message that nobody wants stays and those behind it are looked at in its stead, which costs the number of
 * messages that wait.
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
  private selective = 0;

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
    if (consumer.accepts !== undefined) this.selective++;
  }

  detach(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    if (consumer.accepts !== undefined) this.selective--;
    if (at < this.turn) this.turn--;
  }

  /** Whether a message may be added within `slack` times the bounds. */
  hasRoom(message: Message, slack: number): boolean {
    if (this.length === 0) return true;
    const { maxQueueMessages, maxQueueBytes } = this.limits;
    return this.length < maxQueueMessages * slack && this.bytes + message.size <= maxQueueBytes * slack;
  }

  /** Adds a message at the end. */
  push(message: Message): void {
    this.waiting.push(message);
    this.count(message, 1);
  }

  /** Drops the oldest messages, to stay within `slack` times the bounds. @returns how many */
  trim(slack: number): number {
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
      if (this.selective > 0) expired = this.pumpSelected(now);
      else
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
    this.waiting.at(-1)?.settle();
    return expired;
  }

  /** Each message to a consumer that is ready and wants it; one that nobody wants is passed over. */
  private pumpSelected(now: number): number {
    let expired = 0;
    const left: Message[] = [];
    let at = this.first;
    for (; at < this.waiting.length; at++) {
      const message = this.waiting[at]!;
      if (message.hasExpired(now)) {
        expired++;
        this.count(message, -1);
        continue;
      }
      if (this.consumers.every((consumer) => !consumer.isReady())) break;
      const consumer = this.nextReady(message);
      if (consumer === undefined) {
        left.push(message);
        continue;
      }
      this.count(message, -1);
      consumer.deliver(message);
    }
    // Delivering may have added messages at the end; they stay behind what is left.
    if (at > this.first + left.length) {
      this.waiting = [...left, ...this.waiting.slice(at)];
      this.first = 0;
    }
    return expired;
  }

  private count(message: Message, sign: 1 | -1): void {
    this.bytes += sign * message.size;
    this.meter.bytes += sign * (message.size + MESSAGE_OVERHEAD_BYTES);
  }

  private nextReady(message?: Message): Consumer | undefined {
    const count = this.consumers.length;
    for (let i = 0; i < count; i++) {
      const at = (this.turn + i) % count;
      const consumer = this.consumers[at]!;
      if (!consumer.isReady() || (message !== undefined && consumer.accepts?.(message) === false)) continue;
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
