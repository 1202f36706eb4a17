import { type Address, addressFor, addressKey, isPattern, parseAddress, patternTest } from '../address.js';
import { BusError } from '../bus-error.js';
import type { BrokerLimits } from './limits.js';
import { Message, type Route, routeOf } from './message.js';
import type { OutputMeter } from './output.js';
import { OwnHeaders } from './own-headers.js';
import { type Consumer, Queue, type QueueMeter } from './queue.js';

/** Who sends. */
export interface Origin {
  /** Id of the connection or seat; without colon. */
  readonly owner: string;
  /** User name of the sender; empty for seats. */
  readonly login: string;
  /** Whether claims see what it sends; the platform's own messages pass them by. */
  readonly isSeenByClaims: boolean;
}

/** A destination taken before dispatch. */
export interface Claim {
  /** Whether this message is meant; without a claim that accepts it a message goes its usual way. */
  accepts(message: Message, origin: Origin): boolean;
  deliver(message: Message, origin: Origin): void;
}

/** What messages with the same headers have in common. */
export interface MessagePlan {
  readonly route: Route;
  readonly replyTo: Address | string | undefined;
  readonly own: OwnHeaders;
}

/** Counters since the start. */
export interface ExchangeStatistics {
  messagesIn: number;
  messagesOut: number;
  claimed: number;
  /** Topic messages nobody listened to. */
  unheard: number;
  /** Messages dropped because a queue was full, its owner had left, or they had expired. */
  dropped: number;
  redelivered: number;
  deadLettered: number;
}

const DEAD_LETTERS = routeOf({ kind: 'queue', name: 'ActiveMQ.DLQ' });
/** Odd destinations that are told; whoever makes up more is not heard of. */
const ODD_MAX = 100;
/** How far over its bounds a queue may go while its producers are told to wait. */
const HOLD_SLACK = 2;

/**
 * Routing without input or output: topics, queues, temporary destinations, wildcards and claims. The broker's
 * connections, its seats and the in-memory bus all meet here.
 */
export class Exchange {
  readonly statistics: ExchangeStatistics = {
    messagesIn: 0,
    messagesOut: 0,
    claimed: 0,
    unheard: 0,
    dropped: 0,
    redelivered: 0,
    deadLettered: 0,
  };
  private readonly topics = new Map<string, Set<Consumer>>();
  private readonly queues = new Map<string, Queue>();
  private readonly topicPatterns = new Map<Consumer, (name: string) => boolean>();
  private readonly queuePatterns = new Map<Consumer, (name: string) => boolean>();
  private readonly claims = new Set<{ test: (address: Address) => boolean; claim: Claim }>();
  private readonly owners = new Set<string>();
  private readonly reliefs = new Map<string, (() => void)[]>();
  private readonly drops = new Map<string, number>();
  /** What all queues keep together. */
  private readonly meter: QueueMeter = { bytes: 0 };
  /** What waits for all connections together. */
  readonly outputMeter: OutputMeter = { bytes: 0 };
  private refused = 0;
  private sequence = 0;
  /** Destinations that were told to be odd. */
  private readonly odd = new Set<string>();

  constructor(
    readonly limits: BrokerLimits,
    readonly now: () => number,
    readonly warn: (warning: BusError) => void,
  ) {}

  /** Lets an owner in; its id must not be used twice. */
  join(owner: string): void {
    this.owners.add(owner);
  }

  /** Takes away an owner's temporary destinations. Its consumers are to be detached before. */
  leave(owner: string): void {
    this.owners.delete(owner);
    for (const [key, queue] of this.queues) {
      if (!isTemporaryOf(key, owner)) continue;
      this.statistics.dropped += queue.length;
      queue.forget();
      this.queues.delete(key);
    }
    for (const key of this.topics.keys()) if (isTemporaryOf(key, owner)) this.topics.delete(key);
  }

  /** Makes a message of what a peer sends. @throws BusError `BAD_ARGUMENT` for a bad destination */
  compose(
    destination: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array,
    owner: string,
  ): Message {
    return this.composeFor(this.planOf(destination, headers, owner), body);
  }

  /** What all messages of one owner with the same headers have in common. */
  planOf(destination: string, headers: Readonly<Record<string, string>>, owner: string): MessagePlan {
    const replyTo = headers['reply-to'];
    return {
      route: routeOf(parseAddress(destination, owner)),
      // A bare reply name reaches other readers as it was written.
      replyTo: replyTo === undefined ? undefined : replyTo.startsWith('/') ? parseAddress(replyTo, owner) : replyTo,
      own: new OwnHeaders(headers),
    };
  }

  composeFor({ route, replyTo, own }: MessagePlan, body: string | Uint8Array): Message {
    return new Message(++this.sequence, route, replyTo, own, body, this.now());
  }

  /**
   * Routes a message.
   * @returns the key of a queue that is full, for which its producer should wait ({@link whenRelieved})
   * @throws BusError `QUEUE_FULL` when the message would have to wait and its queue, or all of them together, are full
   */
  publish(message: Message, origin: Origin): string | undefined {
    this.statistics.messagesIn++;
    if (origin.isSeenByClaims && this.claims.size > 0 && this.isClaimed(message, origin)) return undefined;
    const { kind } = message.address;
    if (kind === 'topic' || kind === 'temp-topic') {
      this.fanOut(message);
      return undefined;
    }
    return this.enqueue(message, origin.owner);
  }

  /** Attaches a consumer. @returns detaches it */
  subscribe(address: Address, consumer: Consumer): () => void {
    const isTopic = address.kind === 'topic' || address.kind === 'temp-topic';
    if (isPattern(address.name) && (address.kind === 'topic' || address.kind === 'queue')) {
      return isTopic ? this.subscribeTopics(address.name, consumer) : this.subscribeQueues(address.name, consumer);
    }
    const key = addressKey(address);
    if (isTopic) {
      const listeners = this.topics.get(key) ?? new Set();
      listeners.add(consumer);
      this.topics.set(key, listeners);
      return () => {
        listeners.delete(consumer);
        if (listeners.size === 0 && this.topics.get(key) === listeners) this.topics.delete(key);
      };
    }
    const queue = this.queue({ address, key });
    queue.attach(consumer);
    this.pump(queue);
    return () => this.detach(queue, consumer);
  }

  /** Tells once of a subscription that stands, as on ActiveMQ, and may hear less than its maker thinks. */
  tellOdd(address: Address, odd: string): void {
    const key = addressKey(address);
    if (this.odd.has(key) || this.odd.size >= ODD_MAX) return;
    this.odd.add(key);
    this.warn(new BusError('BAD_ARGUMENT', `A client subscribed to ${key}: ${odd}.`, { destination: key }));
  }

  /** Takes messages before dispatch; a bare pattern means topics and queues of that name alike. @returns ends it */
  claim(pattern: string, claim: Claim): () => void {
    const kind = pattern.startsWith('/topic/') ? 'topic' : pattern.startsWith('/queue/') ? 'queue' : undefined;
    const matches = patternTest(kind === undefined ? pattern : pattern.slice(kind.length + 2));
    const test = (address: Address): boolean =>
      (kind === undefined ? address.kind === 'topic' || address.kind === 'queue' : address.kind === kind) &&
      matches(address.name);
    const entry = { test, claim };
    this.claims.add(entry);
    return () => this.claims.delete(entry);
  }

  /** Puts messages a consumer did not take back at the front of their queue, or among the dead letters. */
  redeliver(messages: readonly Message[]): void {
    const byQueue = new Map<string, Message[]>();
    for (const message of messages) {
      const { kind } = message.address;
      if (kind === 'topic' || kind === 'temp-topic' || !this.isReachable(message.address)) continue;
      message.deliveries++;
      if (message.deliveries > this.limits.maxRedeliveries) {
        this.statistics.deadLettered++;
        this.warnOf(message.key, 'was refused too often; it went to /queue/ActiveMQ.DLQ');
        this.bury(message);
        continue;
      }
      this.statistics.redelivered++;
      const same = byQueue.get(message.key);
      if (same === undefined) byQueue.set(message.key, [message]);
      else same.push(message);
    }
    for (const again of byQueue.values()) {
      const queue = this.queue(again[0]!);
      queue.restore(again);
      this.pump(queue);
    }
  }

  /** Puts a message among the dead letters, with the destination it had in a header as ActiveMQ writes it. */
  private bury(message: Message): void {
    const letters = this.queue(DEAD_LETTERS);
    // What is refused there again keeps its place of origin, and waits for another reader.
    const isBuried = message.key === DEAD_LETTERS.key;
    letters.push(isBuried ? message : message.movedTo(DEAD_LETTERS, addressFor(message.address, '')));
    const dropped = letters.trim(1);
    if (dropped > 0) this.noteDrop(letters.key, dropped);
    if (!isBuried) this.pump(letters);
  }

  /** Goes on with the queues whose consumer has become ready again. */
  resume(address: Address): void {
    if (isPattern(address.name)) {
      for (const queue of this.queues.values()) this.pump(queue);
      return;
    }
    const queue = this.queues.get(addressKey(address));
    if (queue !== undefined) this.pump(queue);
  }

  /** Calls back once when a queue has room again. */
  whenRelieved(key: string, callback: () => void): void {
    const callbacks = this.reliefs.get(key);
    if (callbacks === undefined) this.reliefs.set(key, [callback]);
    else callbacks.push(callback);
  }

  /** Whether anyone has subscribed to a destination by its own name; wildcards do not count. */
  isNamed(address: Address): boolean {
    const isTopic = address.kind === 'topic' || address.kind === 'temp-topic';
    if (!isTopic) return this.queues.get(addressKey(address))?.hasConsumers ?? false;
    return (this.topics.get(addressKey(address))?.size ?? 0) > 0;
  }

  /** Whether anyone would receive a message to a destination now. */
  isHeard(address: Address): boolean {
    if (this.isNamed(address)) return true;
    const isTopic = address.kind === 'topic' || address.kind === 'temp-topic';
    for (const test of (isTopic ? this.topicPatterns : this.queuePatterns).values())
      if (test(address.name)) return true;
    return false;
  }

  /** Queues that exist, and messages waiting in them. */
  depth(): { readonly queues: number; readonly waiting: number } {
    let waiting = 0;
    for (const queue of this.queues.values()) waiting += queue.length;
    return { queues: this.queues.size, waiting };
  }

  private isClaimed(message: Message, origin: Origin): boolean {
    for (const { test, claim } of this.claims) {
      if (!test(message.address) || !claim.accepts(message, origin)) continue;
      this.statistics.claimed++;
      claim.deliver(message, origin);
      return true;
    }
    return false;
  }

  private fanOut(message: Message): void {
    let heard = 0;
    const listeners = this.topics.get(message.key);
    if (listeners !== undefined) {
      for (const consumer of listeners) {
        if (consumer.accepts?.(message) === false) continue;
        consumer.deliver(message);
        heard++;
      }
    }
    if (this.topicPatterns.size > 0 && message.address.kind === 'topic') {
      for (const [consumer, test] of this.topicPatterns) {
        if (!test(message.address.name) || consumer.accepts?.(message) === false) continue;
        consumer.deliver(message);
        heard++;
      }
    }
    this.statistics.messagesOut += heard;
    if (heard === 0) this.statistics.unheard++;
  }

  private enqueue(message: Message, producer: string): string | undefined {
    if (!this.isReachable(message.address)) {
      this.statistics.dropped++;
      return undefined;
    }
    if (this.meter.bytes + message.size > this.limits.maxTotalBytes) {
      const mebibytes = Math.round(this.limits.maxTotalBytes / 2 ** 20);
      this.refuseUnlessRead(message, `The queues of the broker keep ${mebibytes} MiB together, all they may`);
    }
    if (this.queues.size >= this.limits.maxQueues && !this.queues.has(message.key)) {
      this.refuse(message, `The broker has ${this.queues.size} queues, all it may`);
    }
    const queue = this.queue(message);
    const slack = queue.hasConsumers ? HOLD_SLACK : 1;
    if (this.limits.fullQueuePolicy === 'refuse' && !queue.hasRoom(message, slack)) {
      this.refuseUnlessRead(message, `${message.key} is full with ${queue.length} messages`);
    }
    queue.push(message);
    const dropped = queue.trim(slack);
    if (dropped > 0) this.noteDrop(queue.key, dropped);
    this.pump(queue);
    return queue.isFull && queue.hasConsumers && !queue.isConsumedBy(producer) ? queue.key : undefined;
  }

  /** A queue that its consumer keeps empty passes messages on without keeping them. */
  private refuseUnlessRead(message: Message, reason: string): void {
    const queue = this.queues.get(message.key);
    if (queue?.length === 0 && queue.isReady) return;
    this.refuse(message, reason);
  }

  /** Makes no room by dropping what others wait for: who sends more than anybody reads is told. */
  private refuse(message: Message, reason: string): never {
    this.statistics.dropped++;
    this.refused++;
    const text = `${reason}: a message to ${message.key} was refused`;
    const error = new BusError('QUEUE_FULL', `${text}. Start consumers for its queues.`, { destination: message.key });
    if (Number.isInteger(Math.log2(this.refused))) {
      this.warn(new BusError('QUEUE_FULL', `${text} (${this.refused} so far).`, { destination: message.key }));
    }
    throw error;
  }

  /** A temporary destination exists as long as the connection that made it. */
  private isReachable(address: Address): boolean {
    if (address.kind === 'queue' || address.kind === 'topic') return true;
    return this.owners.has(address.name.slice(0, address.name.indexOf(':')));
  }

  private queue({ address, key }: Route): Queue {
    const known = this.queues.get(key);
    if (known !== undefined) return known;
    const queue = new Queue(key, this.limits, this.meter);
    this.queues.set(key, queue);
    if (address.kind === 'queue') {
      for (const [consumer, test] of this.queuePatterns) if (test(address.name)) queue.attach(consumer);
    }
    return queue;
  }

  private pump(queue: Queue): void {
    const before = queue.length;
    const expired = queue.pump(this.now());
    this.statistics.dropped += expired;
    this.statistics.messagesOut += Math.max(0, before - queue.length - expired);
    if (this.reliefs.size > 0 && queue.isRelieved) {
      const callbacks = this.reliefs.get(queue.key);
      this.reliefs.delete(queue.key);
      for (const callback of callbacks ?? []) callback();
    }
  }

  private detach(queue: Queue, consumer: Consumer): void {
    queue.detach(consumer);
    if (queue.isIdle && this.queues.get(queue.key) === queue) this.queues.delete(queue.key);
  }

  private subscribeTopics(pattern: string, consumer: Consumer): () => void {
    this.topicPatterns.set(consumer, patternTest(pattern));
    return () => this.topicPatterns.delete(consumer);
  }

  private subscribeQueues(pattern: string, consumer: Consumer): () => void {
    const test = patternTest(pattern);
    this.queuePatterns.set(consumer, test);
    for (const [key, queue] of this.queues) {
      if (!key.startsWith('/queue/') || !test(key.slice('/queue/'.length))) continue;
      queue.attach(consumer);
      this.pump(queue);
    }
    return () => {
      this.queuePatterns.delete(consumer);
      for (const queue of [...this.queues.values()]) this.detach(queue, consumer);
    };
  }

  private noteDrop(key: string, dropped: number): void {
    this.statistics.dropped += dropped;
    const before = this.drops.get(key) ?? 0;
    this.drops.set(key, before + dropped);
    // A warning at 1, 2, 4, 8, … dropped messages says how bad it is without becoming a flood itself.
    if (Math.floor(Math.log2(before + dropped)) === Math.floor(Math.log2(Math.max(before, 0.5)))) return;
    this.warnOf(key, `is full: ${before + dropped} of its oldest messages were dropped so far`);
  }

  private warnOf(key: string, what: string): void {
    this.warn(
      new BusError('QUEUE_FULL', `${key} ${what}. Start a consumer for it, or a faster one.`, { destination: key }),
    );
  }
}

function isTemporaryOf(key: string, owner: string): boolean {
  return key.startsWith(`/temp-queue/${owner}:`) || key.startsWith(`/temp-topic/${owner}:`);
}
