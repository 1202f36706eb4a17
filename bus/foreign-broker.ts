import { isPattern, patternTest } from './address.js';
import type { Broker } from './broker/broker.js';
import type { ClaimedMessage } from './broker/seat.js';
import { BusError } from './bus-error.js';
import { FIELD_REQUESTS, REQUEST_QUEUES, TOKEN_TOPIC } from './contract/destination.js';
import { reportError } from './report.js';
import { connectStomp, type StompBus, type StompOptions } from './stomp-bus.js';
import type { Bus, BusHeaders, BusMessage, BusSubscription } from './transport.js';

/**
 * Requests to context managers, by the depth of their area: a queue hands a message to one consumer, so nothing may be
 * taken that belongs to an agent.
 */
const CONTEXT_MANAGERS = [2, 4, 6].map(
  (parts) => `/queue/${FIELD_REQUESTS.slice(0, -1)}${'*.'.repeat(parts)}context_manager`,
);

/** Marks what this side of the hub has sent, so that it does not take its own answers for requests. */
const SENDER_HEADER = 'dec-sender';

/** Answers that are remembered, to tell whose was not taken: a broker says so within moments. */
const ANSWERS_MAX = 1000;

/** Settings of {@link joinBroker}. */
export interface JoinOptions extends StompOptions {
  /** Told of lost connections and of what this broker cannot do. */
  readonly onWarning?: (warning: BusError) => void;
}

/**
 * A hub on a broker that runs elsewhere, ActiveMQ or RabbitMQ: what the platform needs of a broker, over one STOMP
 * connection that is taken up again when it is lost.
 *
 * Claims become subscriptions, so they see messages beside others that listen to the same topic and instead of others that
 * read the same queue. Who is subscribed is not known: everybody may be, and nobody by name. The sender's login is not
 * known either, and logins and permissions are those of the broker; the token service is left out, because that broker would
 * refuse its tokens, while clients without an answer go on with user and password.
 *
 * RabbitMQ has no wildcards over queues: there the requests to the platform are read by name, and context managers of
 * areas not at all.
 *
 * @throws BusError as `connectStomp`
 */
export async function joinBroker(options: JoinOptions): Promise<Broker> {
  const { host = '127.0.0.1', port = 61_613, onWarning } = options;
  const bus = await connectStomp(options);
  const id = `${process.pid}.${Date.now().toString(36)}`;
  const counts = { in: 0, out: 0, claimed: 0 };
  let subscriptions = 0;
  const reporters = new Set<(error: Error) => void>();
  /** What was asked, by where the answer went. */
  const answered = new Map<string, { readonly queue: string; readonly correlationId: string | undefined }>();
  // Each once: a seat hears of its handlers, as on a broker of our own; of the connection the hub is told.
  bus.onError((error) => {
    const known =
      error instanceof BusError ? error : new BusError('HANDLER_FAILED', error.message, {}, { cause: error });
    if (reporters.size > 0 && known.code === 'HANDLER_FAILED') reportError(error, reporters);
    else onWarning?.(known.code === 'UNDELIVERABLE' ? withRequest(known) : known);
  });
  /** Says which request it was whose sender has left. */
  const withRequest = (undelivered: BusError): BusError => {
    const { destination: replyTo } = undelivered.details;
    const request = answered.get(String(replyTo));
    if (request === undefined) return undelivered;
    const { queue, correlationId } = request;
    const which = correlationId === undefined ? '' : ` (correlation-id ${correlationId})`;
    const text = `Whoever asked ${queue}${which} left before the answer came: ${replyTo} is gone. Nobody else is concerned.`;
    return new BusError('UNDELIVERABLE', text, { destination: queue, replyTo, correlationId }, { cause: undelivered });
  };

  const send = (destination: string, body: string, headers: BusHeaders = {}): void => {
    counts.out++;
    bus.send(destination, body, { ...headers, [SENDER_HEADER]: id });
  };
  const claimed = (message: BusMessage): ClaimedMessage => {
    const replyTo = message.headers['reply-to'];
    return {
      ...message,
      replyTo,
      login: '',
      reply: (body, headers) => {
        if (replyTo === undefined) return;
        const { destination: queue, headers: asked } = message;
        // Put at the end, where the newest are.
        answered.delete(replyTo);
        answered.set(replyTo, { queue, correlationId: asked['correlation-id'] });
        if (answered.size > ANSWERS_MAX) answered.delete(answered.keys().next().value!);
        send(replyTo, typeof body === 'string' ? body : new TextDecoder().decode(body), headers);
      },
    };
  };
  const listen = (destination: string, handler: (message: BusMessage) => void): BusSubscription => {
    subscriptions++;
    const subscription = bus.subscribe(destination, (message) => {
      counts.in++;
      return handler(message);
    });
    return {
      unsubscribe: () => {
        subscriptions--;
        subscription.unsubscribe();
      },
    };
  };
  const seat = (): Bus => ({
    send,
    subscribe: listen,
    request: (destination, body, settings) => bus.request(destination, body, settings),
    flush: () => bus.flush(),
    onError: (handler) => {
      reporters.add(handler);
    },
    close: () => bus.close(),
  });

  return {
    host,
    port,
    webSocketPort: undefined,
    bus: seat,
    seat,
    claim(pattern, handler, accepts = () => true) {
      if (pattern === TOKEN_TOPIC) return { unsubscribe: () => undefined };
      const parts = destinationsOf(pattern, bus, onWarning).map((destination) =>
        listen(destination, (message) => {
          if (message.headers[SENDER_HEADER] === id) return undefined;
          const request = claimed(message);
          if (!accepts(request)) return undefined;
          counts.claimed++;
          return handler(request);
        }),
      );
      return {
        unsubscribe: () => {
          for (const part of parts) part.unsubscribe();
        },
      };
    },
    hasSubscriber: () => true,
    hasNamedSubscriber: () => false,
    // What happens inside a foreign broker is not known; these are the counts of the connection to it.
    statistics: () => ({
      ...{ messagesIn: counts.out, messagesOut: counts.in, claimed: counts.claimed, unheard: 0, dropped: 0 },
      ...{ redelivered: 0, deadLettered: 0, bytesIn: 0, bytesOut: 0, framesIn: 0, slowDropped: 0, loginsRefused: 0 },
      ...{ malformed: 0, held: 0, heartbeatsMissed: 0, paced: 0, connectionsRefused: 0, connections: 1 },
      ...{ subscriptions, queues: 0, waiting: 0, backlogBytes: bus.backlogBytes },
    }),
    close: () => bus.close(),
  };
}

/** What is subscribed to for a claim. */
function destinationsOf(pattern: string, { server }: StompBus, onWarning: JoinOptions['onWarning']): readonly string[] {
  if (pattern.startsWith('/')) return [pattern];
  const isRabbit = server.startsWith('RabbitMQ');
  const topic = `/topic/${pattern}`;
  if (pattern === FIELD_REQUESTS && !isRabbit) return CONTEXT_MANAGERS;
  if (!isRabbit || !isPattern(pattern)) return [topic, `/queue/${pattern}`];
  const isMeant = patternTest(pattern);
  const named = REQUEST_QUEUES.filter((queue) => isMeant(queue.slice('/queue/'.length)));
  if (named.length === 0) {
    const text = `${server} has no wildcards over queues: nothing is read from the queues ${pattern}, only from topics.`;
    onWarning?.(new BusError('BAD_ARGUMENT', text, { pattern }));
  }
  return [topic, ...named];
}
