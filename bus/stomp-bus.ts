import type { Client } from 'stompit';
import { parseAddress, parseSubscription } from './address.js';
import { asError, BusError } from './bus-error.js';
import { TOKEN_TOPIC, tokenReplyName } from './contract/destination.js';
import { type Credentials, tokenReply, tokenRequest } from './contract/token.js';
import { awaitReply } from './reply-wait.js';
import { closedError, reportError, reportHandlerError } from './report.js';
import type { StompAddress } from './stomp-address.js';
import { endSubscription, headersOf, openLink, UNDELIVERABLE } from './stomp-link.js';
import type { Bus, BusHeaders, BusMessage, BusSubscription, RequestOptions } from './transport.js';

/** How a lost connection is taken up again. */
export interface ReconnectOptions {
  /** First pause, ms; it doubles after each failure. Default 100. */
  readonly initialMs?: number;
  /** Longest pause, ms. Default 5000. */
  readonly maxMs?: number;
  /** Attempts until the bus gives up. Default: without end. */
  readonly attempts?: number;
}

/** Settings of {@link connectStomp}. */
export interface StompOptions extends StompAddress {
  /** `false` ends the bus when its connection is lost. Default: reconnect and subscribe again. */
  readonly reconnect?: ReconnectOptions | false;
  /** Log in with a token fetched by user and password, for every connection. Default: user and password. */
  readonly useToken?: boolean;
}

/** A bus over STOMP. */
export interface StompBus extends Bus {
  /** What the broker calls itself, such as `ActiveMQ/5.17.2`; empty when it does not say. */
  readonly server: string;
  /** Bytes that wait to be read by the broker. */
  readonly backlogBytes: number;
}

/** Messages kept while the connection is being taken up again. */
const MAX_BACKLOG = 10_000;
/** Milliseconds a broker gets to acknowledge DISCONNECT. */
const DISCONNECT_MS = 1000;

interface Listening {
  readonly destination: string;
  readonly handler: (message: BusMessage) => void;
  /** Ends the subscription on the present connection. */
  stop: (() => void) | undefined;
}

/**
 * Connects to a STOMP broker: ours, or ActiveMQ under a GridAPPS-D platform.
 * @example const bus = await connectStomp({ port: 61613, login: 'system', passcode: 'manager' });
 * @throws BusError `BUS_UNAVAILABLE`, `LOGIN_REFUSED`, `PROTOCOL`, `TIMEOUT` or `CANCELLED`
 */
export async function connectStomp(options: StompOptions = {}): Promise<StompBus> {
  return new LinkedBus(options, await openSession(options));
}

/**
 * Fetches a token with user and password, as GridAPPS-D clients do before they log in with it.
 * @param timeoutMs how long to wait for the platform. Default 10 000 ms
 * @throws BusError `LOGIN_REFUSED` when the platform refuses, `TIMEOUT` when there is no token service, or as
 * {@link connectStomp}
 */
export async function requestToken(
  address: StompAddress & Credentials,
  { timeoutMs = 10_000, signal = address.signal }: { timeoutMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const bus = await connectStomp({ ...address, reconnect: false, useToken: false });
  try {
    const stamp = new Date().toISOString().replace('T', ' ').replace('Z', String(process.pid).padStart(6, '0'));
    const replyTo = tokenReplyName(address.login, stamp);
    const options: RequestOptions = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
    const reply = await awaitReply(TOKEN_TOPIC, options, (settle) => {
      const subscription = bus.subscribe(`/queue/${replyTo}`, settle.reply);
      bus.onError(settle.fail);
      bus.send(TOKEN_TOPIC, tokenRequest.format(address), { 'reply-to': replyTo });
      return () => subscription.unsubscribe();
    });
    return tokenReply.parse(reply.body, `/queue/${replyTo}`);
  } finally {
    await bus.close();
  }
}

async function openSession(options: StompOptions): Promise<Client> {
  const { login, passcode = '' } = options;
  if (options.useToken !== true || login === undefined) return openLink(options);
  const token = await requestToken({ ...options, login, passcode });
  return openLink({ ...options, login: token, passcode: '' });
}

class LinkedBus implements StompBus {
  server = '';
  private client: Client | undefined;
  private state: 'open' | 'lost' | 'closed' = 'open';
  private readonly listenings = new Set<Listening>();
  private readonly waits = new Set<(error: BusError) => void>();
  private readonly reporters = new Set<(error: Error) => void>();
  private backlog: (() => void)[] = [];
  private retryTimer: NodeJS.Timeout | undefined;
  private readonly abort = new AbortController();
  private requests = 0;
  private transactions = 0;

  constructor(
    private readonly options: StompOptions,
    client: Client,
  ) {
    this.adopt(client);
  }

  get backlogBytes(): number {
    return this.client?.getTransportSocket().writableLength ?? 0;
  }

  send(destination: string, body: string, headers: BusHeaders = {}): void {
    this.requireOpen();
    parseAddress(destination, '');
    const frame = { ...headers, destination, 'content-length': Buffer.byteLength(body) };
    this.perform((client) => client.sendString(frame, body));
  }

  subscribe(destination: string, handler: (message: BusMessage) => void): BusSubscription {
    this.requireOpen();
    parseSubscription(destination, '');
    const listening: Listening = { destination, handler, stop: undefined };
    this.listenings.add(listening);
    if (this.client !== undefined) this.start(this.client, listening);
    return {
      unsubscribe: () => {
        if (!this.listenings.delete(listening)) return;
        listening.stop?.();
      },
    };
  }

  request(destination: string, body: string, options: RequestOptions = {}): Promise<BusMessage> {
    return awaitReply(destination, options, (settle) => {
      if (this.state === 'lost') throw this.lostError('while it waits to be connected again');
      const replyTo = `/temp-queue/response.${process.pid}.${++this.requests}`;
      const subscription = this.subscribe(replyTo, settle.reply);
      this.waits.add(settle.fail);
      this.send(destination, body, { 'reply-to': replyTo });
      return () => {
        this.waits.delete(settle.fail);
        subscription.unsubscribe();
      };
    });
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.requireOpen();
      const fail = (error: BusError): void => {
        this.waits.delete(fail);
        reject(error);
      };
      this.waits.add(fail);
      this.perform((client) => {
        // An empty transaction is the one frame with a receipt that no broker takes for anything else.
        const transaction = `flush-${++this.transactions}`;
        const onReceipt = (): void => {
          this.waits.delete(fail);
          resolve();
        };
        client.sendFrame('BEGIN', { transaction }).end();
        client.sendFrame('ABORT', { transaction }, { onReceipt, onError: () => undefined }).end();
      });
    });
  }

  onError(handler: (error: Error) => void): void {
    this.reporters.add(handler);
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    clearTimeout(this.retryTimer);
    this.abort.abort();
    for (const listening of this.listenings) listening.stop = undefined;
    this.listenings.clear();
    this.backlog = [];
    this.failWaits(closedError('close'));
    const { client } = this;
    this.client = undefined;
    if (client !== undefined) await disconnect(client);
  }

  private adopt(client: Client): void {
    this.client = client;
    this.state = 'open';
    this.server = headersOf(client)['server'] ?? '';
    client.on('error', (error: Error) => this.lost(client, error));
    client.on(UNDELIVERABLE, (destination: string) => {
      const text = `A message was not delivered: whoever waited for it at ${destination} has left.`;
      reportError(new BusError('UNDELIVERABLE', text, { destination }), this.reporters);
    });
    client.on('end', () => this.lost(client, new Error('the broker ended the connection')));
    for (const listening of this.listenings) this.start(client, listening);
    const backlog = this.backlog;
    this.backlog = [];
    for (const act of backlog) act();
  }

  private start(client: Client, listening: Listening): void {
    const { destination } = listening;
    const take: Client.MessageCallback = (error, message) => {
      if (error) return; // The connection's own error handler tells of it, once.
      message.readString('utf-8', (unreadable, body) => {
        if (unreadable || body === undefined || !this.listenings.has(listening)) return;
        this.hand(listening, headersOf(message), body);
      });
    };
    const isRabbit = this.server.startsWith('RabbitMQ');
    if (isRabbit && destination.startsWith('/temp-queue/')) {
      // There a reply queue is made by the request that names it, and SUBSCRIBE is an error. The declared type of the id is
      // a number, of which RabbitMQ knows nothing.
      Reflect.apply(client.setImplicitSubscription, client, [destination, 'auto', take]);
      return;
    }
    // The rest of a name is # in the language of AMQP.
    const name = isRabbit && destination.startsWith('/topic/') ? destination.replace(/(^|[/.])>$/, '$1#') : destination;
    const subscription = client.subscribe({ destination: name, ack: 'auto' }, take);
    listening.stop = () => {
      if (this.client === client) endSubscription(client, subscription.getId());
    };
  }

  private hand(listening: Listening, headers: Readonly<Record<string, string>>, body: string): void {
    const destination = headers['destination'] ?? listening.destination;
    try {
      const outcome: unknown = listening.handler({ destination, headers, body });
      if (outcome instanceof Promise) {
        outcome.catch((error: unknown) => reportHandlerError(error, destination, this.reporters));
      }
    } catch (error) {
      reportHandlerError(error, destination, this.reporters);
    }
  }

  private perform(act: (client: Client) => void): void {
    if (this.client !== undefined) {
      act(this.client);
      return;
    }
    if (this.backlog.length >= MAX_BACKLOG) throw this.lostError(`and ${MAX_BACKLOG} messages wait already`);
    this.backlog.push(() => {
      if (this.client !== undefined) act(this.client);
    });
  }

  private lost(client: Client, error: Error): void {
    if (this.client !== client) return;
    this.client = undefined;
    this.state = 'lost';
    for (const listening of this.listenings) listening.stop = undefined;
    const lost = this.lostError(`(${error.message})`, error);
    this.failWaits(lost);
    reportError(lost, this.reporters);
    if (this.options.reconnect === false) this.giveUp();
    else this.retry(1);
  }

  private retry(attempt: number): void {
    const { initialMs = 100, maxMs = 5000, attempts = Number.POSITIVE_INFINITY } = this.options.reconnect || {};
    if (attempt > attempts) {
      reportError(this.lostError(`and could not be taken up again in ${attempts} attempts`), this.reporters);
      this.giveUp();
      return;
    }
    const pauseMs = Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 20));
    this.retryTimer = setTimeout(() => {
      openSession({ ...this.options, signal: this.abort.signal }).then(
        (client) => {
          if (this.state === 'closed') void disconnect(client);
          else this.adopt(client);
        },
        (error: unknown) => {
          if (this.state === 'closed') return;
          if (attempt === 1) reportError(asError(error), this.reporters);
          this.retry(attempt + 1);
        },
      );
    }, pauseMs);
  }

  private giveUp(): void {
    this.state = 'closed';
    this.listenings.clear();
    this.backlog = [];
    this.failWaits(closedError('connection lost'));
  }

  private failWaits(error: BusError): void {
    const waits = [...this.waits];
    this.waits.clear();
    for (const fail of waits) fail(error);
  }

  private lostError(what: string, cause?: Error): BusError {
    const { host = '127.0.0.1', port = 61613 } = this.options;
    return new BusError(
      'BUS_UNAVAILABLE',
      `The connection to the broker at ${host}:${port} was lost ${what}.`,
      { host, port },
      { retriable: true, cause },
    );
  }

  private requireOpen(): void {
    if (this.state === 'closed') throw closedError('this bus');
  }
}

/** Says goodbye, and leaves in any case. */
function disconnect(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const leave = (): void => {
      clearTimeout(timer);
      client.destroy(new BusError('BUS_CLOSED', 'The bus was closed.'));
      resolve();
    };
    const timer = setTimeout(leave, DISCONNECT_MS);
    client.disconnect(leave);
  });
}
