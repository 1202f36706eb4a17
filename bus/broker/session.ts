import { type Address, addressKey, parseAddress, patternFault } from '../address.js';
import { asError, BusError } from '../bus-error.js';
import type { Frame, StompVersion } from '../frame.js';
import { parseHeartbeat } from '../heartbeat.js';
import type { Exchange, MessagePlan, Origin } from './exchange.js';
import { MESSAGE_OVERHEAD_BYTES } from './limits.js';
import { compileSelector } from './selector.js';
import { type AckMode, StompSubscription, type SubscriptionWire } from './subscription.js';

/** Who wants in. */
export interface LoginAttempt {
  /** Empty when none was given. */
  readonly login: string;
  readonly passcode: string;
  /** Address of the peer. */
  readonly remoteAddress: string;
}

/** Decides on a login. */
export type Authenticator = (attempt: LoginAttempt) => boolean | Promise<boolean>;

/** What a user wants to do. */
export type BusAction = 'send' | 'subscribe';

/** Decides whether a user, named by the login it came with, may send to a destination or subscribe to it. */
export type Authorizer = (login: string, action: BusAction, destination: string) => boolean;

/** What a session asks when somebody wants something. */
export interface Gate {
  readonly authenticate: Authenticator;
  readonly authorize: Authorizer;
}

/** What the transport knows of the other side. */
export interface Peer {
  readonly remoteAddress: string;
  /** The newest version it agreed on before STOMP began; all when undefined. */
  readonly newest: StompVersion | undefined;
}

/** What a session needs of the transport below it. */
export interface SessionWire extends SubscriptionWire {
  version: StompVersion;
  send(command: string, headers: Readonly<Record<string, string | undefined>>, body?: string): void;
  /** The peers have agreed on heart-beats, ms; 0 for none. */
  startHeartbeat(sendEveryMs: number, expectEveryMs: number): void;
  /** Stops reading until the queue with this key has room. */
  hold(queueKey: string): void;
  /** Stops reading while a login is being decided, or goes on. */
  suspend(isSuspended: boolean): void;
  /** The peer has logged in. */
  opened(): void;
  /** Sends what is left and closes. */
  end(): void;
  noteRefusal(): void;
}

const VERSIONS: readonly StompVersion[] = ['1.2', '1.1', '1.0'];
const SERVER = 'distributed-energy-coordinator/0.1';

/** Heads, and decisions on destinations, that a session remembers. */
const REMEMBERED_MAX = 256;

/** What a SEND of a known head does. */
interface SendPlan extends MessagePlan {
  readonly receipt: string | undefined;
}

/** STOMP as a server speaks it to one client; no input or output of its own. */
export class Session {
  private state: 'new' | 'authenticating' | 'open' | 'closed' = 'new';
  private origin: Origin;
  /** Frames that came while the login was being decided. */
  private backlog: Frame[] = [];
  /** gridappsd-python draws its ids from a million and may draw one twice; the newest is meant by UNSUBSCRIBE. */
  private readonly subscriptions = new Map<string, { subscription: StompSubscription; detach: () => void }[]>();
  private readonly manual = new Set<StompSubscription>();
  private readonly transactions = new Map<string, (() => void)[]>();
  private transactionBytes = 0;
  /** By the headers object, which frames with the same head share. */
  private readonly plans = new Map<Frame['headers'], SendPlan>();
  private readonly decisions = new Map<string, boolean>();
  private subscribed = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly wire: SessionWire,
    private readonly gate: Gate,
    private readonly owner: string,
    private readonly peer: Peer,
  ) {
    this.origin = { owner, login: '', isSeenByClaims: true };
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Number of subscriptions. */
  get size(): number {
    return this.subscribed;
  }

  /** Acts on a frame. Faults of the client are answered with ERROR and end the session. */
  receive(frame: Frame): void {
    if (this.state === 'closed') return;
    if (this.state === 'authenticating') {
      this.backlog.push(frame);
      return;
    }
    try {
      if (frame.isRepeat === true && this.state === 'open' && frame.command === 'SEND' && this.sendAgain(frame)) return;
      this.handle(frame);
      const { receipt } = frame.headers;
      if (receipt !== undefined && frame.command !== 'CONNECT' && frame.command !== 'STOMP') {
        this.wire.send('RECEIPT', { 'receipt-id': receipt });
      }
      if (frame.command === 'DISCONNECT') this.end();
    } catch (thrown) {
      this.fail(asError(thrown), frame);
    }
  }

  /** Answers a fault with ERROR and ends. */
  fail(error: Error, frame?: Frame): void {
    if (this.state === 'closed') return;
    const message = error.message.replace(/[\r\n]+/g, ' ');
    const version = this.state === 'new' ? VERSIONS.toReversed().join(',') : undefined;
    this.wire.send(
      'ERROR',
      { 'content-type': 'text/plain', message, version, 'receipt-id': frame?.headers['receipt'] },
      `${error.message}\n`,
    );
    this.end();
  }

  /** The connection is gone or going: gives back what was not acknowledged and leaves the exchange. */
  leave(): void {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.state = 'closed';
    this.backlog = [];
    this.transactions.clear();
    this.plans.clear();
    if (!wasOpen) return;
    const all = [...this.subscriptions.values()].flat();
    this.subscriptions.clear();
    this.subscribed = 0;
    for (const { detach } of all) detach();
    for (const { subscription } of all) this.giveBack(subscription);
    this.exchange.leave(this.owner);
  }

  private end(): void {
    this.leave();
    this.wire.end();
  }

  private handle(frame: Frame): void {
    const { command } = frame;
    if (command === 'CONNECT' || command === 'STOMP') this.connect(frame);
    else if (this.state === 'new') throw fault(`${command} before CONNECT: log in first.`, frame);
    else if (command === 'SEND') this.send(frame);
    else if (command === 'SUBSCRIBE') this.subscribe(frame);
    else if (command === 'UNSUBSCRIBE') this.unsubscribe(frame);
    else if (command === 'ACK' || command === 'NACK') this.settle(frame);
    else if (command === 'BEGIN' || command === 'COMMIT' || command === 'ABORT') this.transact(frame);
    else if (command !== 'DISCONNECT') throw fault(`Unknown STOMP command ${command}.`, frame);
  }

  private connect(frame: Frame): void {
    if (this.state !== 'new') throw fault('A second CONNECT on one connection.', frame);
    const { headers } = frame;
    const offered = (headers['accept-version'] ?? '1.0').split(',').map((version) => version.trim());
    const { newest = '1.2' } = this.peer;
    const version = VERSIONS.find((known) => known <= newest && offered.includes(known));
    if (version === undefined) {
      const supported = newest === '1.2' ? '1.0, 1.1 and 1.2' : `those up to ${newest}, which the sub-protocol says`;
      throw fault(`None of the versions ${offered.join(', ')} is supported; supported are ${supported}.`, frame);
    }
    const beats = parseHeartbeat(headers['heart-beat']);
    if (beats === undefined) throw fault(`heart-beat "${headers['heart-beat']}" is not two numbers.`, frame);
    const attempt = {
      login: headers['login'] ?? '',
      passcode: headers['passcode'] ?? '',
      remoteAddress: this.peer.remoteAddress,
    };
    const verdict = this.gate.authenticate(attempt);
    if (typeof verdict === 'boolean') {
      this.decide(verdict, attempt, version, beats, frame);
      return;
    }
    this.state = 'authenticating';
    this.wire.suspend(true);
    verdict.then(
      (isAccepted) => this.decideLater(isAccepted, attempt, version, beats, frame),
      (error: unknown) => {
        this.wire.warn(new BusError('LOGIN_REFUSED', `The login check failed: ${asError(error).message}`));
        this.decideLater(false, attempt, version, beats, frame);
      },
    );
  }

  private decideLater(...decision: Parameters<Session['decide']>): void {
    if (this.state !== 'authenticating') return;
    this.state = 'new';
    this.wire.suspend(false);
    try {
      this.decide(...decision);
    } catch (error) {
      this.fail(asError(error));
      return;
    }
    const backlog = this.backlog;
    this.backlog = [];
    for (const frame of backlog) this.receive(frame);
  }

  private decide(
    isAccepted: boolean,
    { login }: LoginAttempt,
    version: StompVersion,
    [canMs, wantsMs]: readonly [number, number],
    frame: Frame,
  ): void {
    if (!isAccepted) {
      this.wire.noteRefusal();
      throw fault(`User name [${login === '' ? 'null' : login.slice(0, 64)}] or password is invalid.`, frame);
    }
    const sendMs = wantsMs === 0 ? 0 : Math.max(wantsMs, this.exchange.limits.minHeartbeatMs);
    this.state = 'open';
    this.origin = { owner: this.owner, login, isSeenByClaims: true };
    this.exchange.join(this.owner);
    this.wire.opened();
    this.wire.version = version;
    this.wire.send('CONNECTED', {
      server: SERVER,
      'heart-beat': `${sendMs},${canMs}`,
      session: `ID:${this.owner}`,
      version,
    });
    this.wire.startHeartbeat(sendMs, canMs);
  }

  private send(frame: Frame): void {
    const plan = this.planOf(frame);
    // What waits for COMMIT must not keep alive what was read with it.
    const isInTransaction = frame.headers['transaction'] !== undefined;
    const body = isInTransaction ? frame.body.slice() : frame.body;
    this.inTransaction(frame, () => this.publish(plan, body));
  }

  private publish(plan: MessagePlan, body: Uint8Array): void {
    const full = this.exchange.publish(this.exchange.composeFor(plan, body), this.origin);
    if (full !== undefined) this.wire.hold(full);
  }

  private planOf(frame: Frame): MessagePlan {
    const destination = required(frame, 'destination');
    this.permit('send', destination);
    // Services answer there in their own name: nobody is to reach through them what it may not send to itself.
    const { 'reply-to': replyTo } = frame.headers;
    if (replyTo !== undefined && replyTo.trim() !== '') this.permit('send', replyTo);
    return this.exchange.planOf(destination, frame.headers, this.owner);
  }

  /** A SEND with a head that came before, outside of transactions. @returns whether it was that */
  private sendAgain(frame: Frame): boolean {
    let plan = this.plans.get(frame.headers);
    if (plan === undefined) {
      const { headers } = frame;
      if (headers['transaction'] !== undefined) return false;
      plan = { ...this.planOf(frame), receipt: headers['receipt'] };
      if (this.plans.size >= REMEMBERED_MAX) this.plans.clear();
      this.plans.set(headers, plan);
    }
    this.publish(plan, frame.body);
    if (plan.receipt !== undefined) this.wire.send('RECEIPT', { 'receipt-id': plan.receipt });
    return true;
  }

  /** @throws BusError `NOT_PERMITTED` */
  private permit(action: BusAction, destination: string): void {
    const key = `${action} ${destination}`;
    let isPermitted = this.decisions.get(key);
    if (isPermitted === undefined) {
      isPermitted = this.gate.authorize(this.origin.login, action, destination);
      if (this.decisions.size >= REMEMBERED_MAX) this.decisions.clear();
      this.decisions.set(key, isPermitted);
    }
    if (isPermitted) return;
    const what = action === 'send' ? 'send to' : 'subscribe to';
    throw new BusError('NOT_PERMITTED', `This user may not ${what} ${destination}.`, { destination, action });
  }

  /**
   * Names of temporary destinations can be guessed, and two who read one queue get every second answer each.
   * @throws BusError `NOT_PERMITTED`
   */
  private refuseForeign({ kind, name }: Address, destination: string): void {
    if (kind === 'topic' || kind === 'queue' || name.startsWith(`${this.owner}:`)) return;
    const text = `${destination} belongs to another connection, which alone may subscribe to it.`;
    throw new BusError('NOT_PERMITTED', text, { destination, action: 'subscribe' });
  }

  private subscribe(frame: Frame): void {
    const { headers } = frame;
    const destination = required(frame, 'destination');
    const id = this.wire.version === '1.0' ? headers['id'] : required(frame, 'id');
    const mode = headers['ack'] ?? 'auto';
    if (!isAckMode(mode)) throw fault(`ack "${mode}" is none of auto, client, client-individual.`, frame);
    const address = parseAddress(destination, this.owner);
    this.permit('subscribe', destination);
    this.refuseForeign(address, destination);
    const { limits } = this.exchange;
    if (this.subscribed >= limits.maxSubscriptions) {
      throw fault(`More than ${limits.maxSubscriptions} subscriptions of one connection.`, frame);
    }
    const wished = Number(headers['activemq.prefetchSize'] ?? headers['prefetch-count'] ?? '');
    const subscription = new StompSubscription(
      this.owner,
      id,
      address,
      {
        mode,
        prefetch: wished >= 1 ? Math.min(wished, limits.prefetch) : limits.prefetch,
        prefetchBytes: limits.maxUnacknowledgedBytes,
        slowConsumerPolicy: limits.slowConsumerPolicy,
        selector: headers['selector'] === undefined ? undefined : compileSelector(headers['selector']),
      },
      this.wire,
    );
    const key = id ?? destination;
    const entry = { subscription, detach: (): void => undefined };
    const same = this.subscriptions.get(key);
    if (same === undefined) this.subscriptions.set(key, [entry]);
    else same.push(entry);
    this.subscribed++;
    if (mode !== 'auto') this.manual.add(subscription);
    entry.detach = this.exchange.subscribe(address, subscription);
    const isNamed = address.kind === 'topic' || address.kind === 'queue';
    const odd = isNamed ? patternFault(address.name) : undefined;
    if (odd !== undefined) this.exchange.tellOdd(address, odd);
  }

  private unsubscribe(frame: Frame): void {
    const { headers } = frame;
    const key = this.wire.version === '1.0' ? (headers['id'] ?? required(frame, 'destination')) : required(frame, 'id');
    const same = this.subscriptions.get(key);
    const entry = same?.pop();
    // An UNSUBSCRIBE that crosses another one is no reason to end a session.
    if (same === undefined || entry === undefined) return;
    this.subscribed--;
    if (same.length === 0) this.subscriptions.delete(key);
    entry.detach();
    this.giveBack(entry.subscription);
  }

  private giveBack(subscription: StompSubscription): void {
    this.manual.delete(subscription);
    if (subscription.unacknowledged.size === 0) return;
    const messages = [...subscription.unacknowledged.values()];
    subscription.unacknowledged.clear();
    this.exchange.redeliver(messages);
  }

  private settle(frame: Frame): void {
    const { headers } = frame;
    const ackId = (this.wire.version === '1.2' ? headers['id'] : undefined) ?? headers['message-id'];
    if (ackId === undefined)
      throw fault(`${frame.command} without ${this.wire.version === '1.2' ? 'id' : 'message-id'}.`, frame);
    const of = this.wire.version === '1.1' ? headers['subscription'] : undefined;
    const holder = [...this.manual].find(
      (subscription) => (of === undefined || subscription.id === of) && subscription.unacknowledged.has(ackId),
    );
    if (holder === undefined)
      throw fault(`${frame.command} of "${ackId.slice(0, 80)}", which no open message has.`, frame);
    this.inTransaction(frame, () => {
      const settled = holder.settle(ackId);
      if (settled === undefined) return;
      if (frame.command === 'NACK') this.exchange.redeliver(settled);
      else this.exchange.resume(holder.address);
    });
  }

  private transact(frame: Frame): void {
    const id = required(frame, 'transaction');
    const open = this.transactions.get(id);
    if (frame.command === 'BEGIN') {
      if (open !== undefined) throw fault(`Transaction "${id}" has begun already.`, frame);
      if (this.transactions.size >= this.exchange.limits.maxTransactions) {
        throw fault(`More than ${this.transactions.size} open transactions.`, frame);
      }
      this.transactions.set(id, []);
      return;
    }
    if (open === undefined) throw fault(`Transaction "${id}" has not begun.`, frame);
    this.transactions.delete(id);
    if (this.transactions.size === 0) this.transactionBytes = 0;
    if (frame.command === 'COMMIT') for (const act of open) act();
  }

  private inTransaction(frame: Frame, act: () => void): void {
    const id = frame.headers['transaction'];
    if (id === undefined) {
      act();
      return;
    }
    const open = this.transactions.get(id);
    if (open === undefined) throw fault(`Transaction "${id}" has not begun.`, frame);
    if (open.length >= this.exchange.limits.maxTransactionFrames) {
      throw fault(`Transaction "${id}" holds more than ${open.length} frames.`, frame);
    }
    this.transactionBytes += frame.body.length + MESSAGE_OVERHEAD_BYTES;
    if (this.transactionBytes > this.exchange.limits.maxTransactionBytes) {
      throw fault(`The open transactions hold more than ${this.exchange.limits.maxTransactionBytes} bytes.`, frame);
    }
    open.push(act);
  }

  /** Goes on with queues whose messages had to wait for this connection. */
  resume(subscriptions: Iterable<StompSubscription>): void {
    const keys = new Set<string>();
    for (const { address } of subscriptions) {
      const key = addressKey(address);
      if (keys.has(key)) continue;
      keys.add(key);
      this.exchange.resume(address);
    }
  }
}

function isAckMode(text: string): text is AckMode {
  return text === 'auto' || text === 'client' || text === 'client-individual';
}

function required(frame: Frame, header: string): string {
  const value = frame.headers[header];
  if (value === undefined || value === '') throw fault(`${frame.command} without the header ${header}.`, frame);
  return value;
}

function fault(message: string, frame: Frame): BusError {
  return new BusError('PROTOCOL', message, { command: frame.command, destination: frame.headers['destination'] });
}
