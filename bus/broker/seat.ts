import { type Address, addressFor, parseAddress, parseSubscription } from '../address.js';
import { BusError } from '../bus-error.js';
import { awaitReply } from '../reply-wait.js';
import { closedError, reportHandlerError } from '../report.js';
import type { Bus, BusHeaders, BusMessage, BusSubscription, RequestOptions } from '../transport.js';
import type { Exchange, Origin } from './exchange.js';
import type { Message } from './message.js';

/** A message taken by a claim. */
export interface ClaimedMessage extends BusMessage {
  /** Where an answer goes, as the seat may send to it; undefined when none is wanted. */
  readonly replyTo: string | undefined;
  /** User name of the sender; empty for seats. */
  readonly login: string;
  /** Sends an answer, a text or its UTF-8; without `reply-to` nothing happens. */
  reply(body: string | Uint8Array, headers?: BusHeaders): void;
}

/** What a seat is for: the platform's messages pass the claims by, a client's are seen by them. */
export type SeatRole = 'platform' | 'client';

interface Delivery {
  readonly isWanted: () => boolean;
  readonly run: () => unknown;
  readonly destination: string;
}

/**
 * A bus inside the process, on the exchange itself. Messages are delivered in the order they were sent, never from within
 * `send`: they wait for the next turn of the event loop.
 */
export class Seat implements Bus {
  private readonly origin: Origin;
  private readonly endings = new Set<() => void>();
  private readonly reporters = new Set<(error: Error) => void>();
  private inbox: Delivery[] = [];
  private isScheduled = false;
  private isClosed = false;
  private requests = 0;

  constructor(
    private readonly exchange: Exchange,
    owner: string,
    role: SeatRole,
    private readonly onClose: () => void = () => undefined,
  ) {
    this.origin = { owner, login: '', isSeenByClaims: role === 'client' };
    exchange.join(owner);
  }

  send(destination: string, body: string | Uint8Array, headers: BusHeaders = {}): void {
    this.requireOpen();
    const message = this.exchange.compose(destination, headers, body, this.origin.owner);
    try {
      this.exchange.publish(message, this.origin);
    } catch (error) {
      // The exchange has counted and told it; who sends inside this process is not to end for it.
      if (!(error instanceof BusError && error.code === 'QUEUE_FULL')) throw error;
    }
  }

  subscribe(destination: string, handler: (message: BusMessage) => void): BusSubscription {
    this.requireOpen();
    return this.listen(parseSubscription(destination, this.origin.owner), handler);
  }

  /** Takes messages before they are dispatched; see `Broker.claim`. */
  claim(
    pattern: string,
    handler: (message: ClaimedMessage) => void,
    accepts: (message: ClaimedMessage) => boolean = () => true,
  ): BusSubscription {
    this.requireOpen();
    let isWanted = true;
    const end = this.exchange.claim(pattern, {
      accepts: (message, origin) => {
        try {
          return accepts(this.claimed(message, origin));
        } catch (error) {
          this.report(error, message.key);
          return false;
        }
      },
      deliver: (message, origin) => {
        const destination = message.key;
        this.post({ isWanted: () => isWanted, run: () => handler(this.claimed(message, origin)), destination });
      },
    });
    return this.ending(() => {
      isWanted = false;
      end();
    });
  }

  request(destination: string, body: string, options: RequestOptions = {}): Promise<BusMessage> {
    return awaitReply(destination, options, (settle) => {
      this.requireOpen();
      const replyTo = `/temp-queue/request.${++this.requests}`;
      const subscription = this.listen(parseAddress(replyTo, this.origin.owner), settle.reply);
      const end = (): void => settle.fail(closedError(destination));
      this.endings.add(end);
      this.send(destination, body, { 'reply-to': replyTo });
      return () => {
        this.endings.delete(end);
        subscription.unsubscribe();
      };
    });
  }

  flush(): Promise<void> {
    return this.isClosed ? Promise.reject(closedError('flush')) : Promise.resolve();
  }

  onError(handler: (error: Error) => void): void {
    this.reporters.add(handler);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const end of [...this.endings]) end();
    this.inbox = [];
    this.exchange.leave(this.origin.owner);
    this.onClose();
  }

  private listen(address: Address, handler: (message: BusMessage) => void): BusSubscription {
    let isWanted = true;
    const end = this.exchange.subscribe(address, {
      owner: this.origin.owner,
      isReady: () => true,
      deliver: (message) =>
        this.post({
          isWanted: () => isWanted,
          run: () => handler(this.received(message)),
          destination: message.key,
        }),
    });
    return this.ending(() => {
      isWanted = false;
      end();
    });
  }

  private ending(end: () => void): BusSubscription {
    const once = (): void => {
      if (this.endings.delete(once)) end();
    };
    this.endings.add(once);
    return { unsubscribe: once };
  }

  private received(message: Message): BusMessage {
    const { owner } = this.origin;
    const destination = addressFor(message.address, owner);
    const headers: Record<string, string> = {
      destination,
      'message-id': message.id,
      timestamp: String(message.timestamp),
      ...message.headers,
    };
    const replyTo = replyToFor(message, owner);
    if (replyTo !== undefined) headers['reply-to'] = replyTo;
    return { destination, headers, body: message.text };
  }

  private claimed(message: Message, origin: Origin): ClaimedMessage {
    const received = this.received(message);
    const replyTo = replyToFor(message, this.origin.owner);
    return {
      ...received,
      replyTo,
      login: origin.login,
      reply: (body, headers) => {
        if (replyTo !== undefined && !this.isClosed) this.send(replyTo, body, headers);
      },
    };
  }

  private post(delivery: Delivery): void {
    if (this.isClosed) return;
    this.inbox.push(delivery);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.deliver());
  }

  private deliver(): void {
    this.isScheduled = false;
    const inbox = this.inbox;
    this.inbox = [];
    for (const { isWanted, run, destination } of inbox) {
      if (this.isClosed || !isWanted()) continue;
      try {
        const outcome = run();
        if (outcome instanceof Promise) outcome.catch((error: unknown) => this.report(error, destination));
      } catch (error) {
        this.report(error, destination);
      }
    }
  }

  private report(thrown: unknown, destination: string): void {
    reportHandlerError(thrown, destination, this.reporters);
  }

  private requireOpen(): void {
    if (this.isClosed) throw closedError('this bus');
  }
}

/** How a message's reply destination is shown to one owner. */
export function replyToFor(message: Message, owner: string): string | undefined {
  const { replyTo } = message;
  return replyTo === undefined || typeof replyTo === 'string' ? replyTo : addressFor(replyTo, owner);
}
