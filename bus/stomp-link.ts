import { isIP, Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import stompit, { type Client } from 'stompit';
import { asError, BusError } from './bus-error.js';
import type { StompAddress } from './stomp-address.js';

/**
 * ActiveMQ leaves gaps of twice the agreed interval after traffic; a peer is given up after three
 * (gridappsd-protocol.md, section 1.1).
 */
const SILENT_INTERVALS = 3;
/** Longest header line: GridAPPS-D carries a token of several hundred characters in one. */
const MAX_HEADER_LINE = 64 * 1024;
const MAX_HEADERS = 256;
/** Oldest version of TLS that is spoken. */
const TLS_VERSION = 'TLSv1.2';

/**
 * Opens one STOMP session.
 * @throws BusError `BUS_UNAVAILABLE` (retriable) when nobody answers, `LOGIN_REFUSED` for a bad login, `PROTOCOL` for a
 * server that does not speak STOMP, `TIMEOUT`, `CANCELLED`
 */
export function openLink(address: StompAddress): Promise<Client> {
  const { host = '127.0.0.1', port = 61613, login, passcode, tls, signal } = address;
  const { virtualHost = '/', heartbeatMs = 10_000, connectTimeoutMs = 10_000 } = address;
  const place = { host, port };
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancelled(host, port, signal));
      return;
    }
    let isOver = false;
    const finish = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (error: BusError): void => finish(() => reject(error));
    const give = (error: BusError): void => {
      fail(error);
      client.destroy(error);
    };
    const onAbort = (): void => give(cancelled(host, port, signal));
    const timer = setTimeout(
      () =>
        give(
          new BusError(
            'TIMEOUT',
            `The server at ${host}:${port} did not answer as a STOMP broker within ${connectTimeoutMs} ms.`,
            { ...place, timeoutMs: connectTimeoutMs },
            { retriable: true },
          ),
        ),
      connectTimeoutMs,
    );
    // The frame reader takes its limits from the same object; its declaration does not list them.
    const options = {
      host,
      port,
      timeout: 0,
      connectHeaders: { host: virtualHost, ...(login === undefined ? {} : { login, passcode: passcode ?? '' }) },
      heartbeat: [heartbeatMs, heartbeatMs],
      heartbeatDelayMargin: (SILENT_INTERVALS - 1) * heartbeatMs,
      // Beats leave early, so that a busy event loop does not make them late.
      heartbeatOutputMargin: heartbeatMs / 4,
      maxLineLength: MAX_HEADER_LINE,
      maxHeaders: MAX_HEADERS,
    };
    const client = stompit.connect(
      tls === undefined ? options : { ...options, ...secured(host, tls) },
      (error, connected) => {
        if (error) fail(connectError(error, host, port, login));
        else if (isOver) connected.destroy(new BusError('CANCELLED', 'The connection came too late.'));
        else finish(() => resolve(connected));
      },
    );
    answerErrors(client);
    // Every later error must find a listener, or it ends the process.
    client.on('error', (error: Error) => fail(connectError(error, host, port, login)));
    const socket = client.getTransportSocket();
    // Without this each request waits 40 ms for a delayed acknowledgement, because a frame leaves in three writes.
    if (socket instanceof Socket) socket.setNoDelay(true);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * The library's own handler of ERROR frames destroys the frame instead of the session when the broker sends its text as
 * text/plain, which ends the process; so each time it installs its handlers ours takes the place of that one.
 */
function answerErrors(client: Client): void {
  const install = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (handlers) =>
    install({
      ...handlers,
      ERROR: (frame) => {
        const text = headersOf(frame)['message'] ?? 'the broker sent an ERROR frame';
        const end = () => client.destroy(client.createApplicationError(text));
        const gone = GONE.message.exec(text);
        if ((text !== LATE_DELIVERY.message && gone === null) || !isReadable(frame)) {
          end();
          return;
        }
        frame.readString('utf-8', (error, body) => {
          if (error || !body?.includes(gone === null ? LATE_DELIVERY.body : GONE.body)) end();
          else if (gone !== null) client.emit(UNDELIVERABLE, `/remote-${gone[1]}/${gone[2]}`);
        });
      },
    });
}

/** A frame that was received: the library declares one that is to be sent. */
function isReadable(frame: object): frame is Pick<Client.Message, 'readString'> {
  return typeof Reflect.get(frame, 'readString') === 'function';
}

/**
 * What RabbitMQ says where a message for a subscription comes to its STOMP side behind the UNSUBSCRIBE (`send_delivery` of
 * rabbit_stomp_processor). The connection stays open, and nothing is wrong: nobody waits for that message any more.
 */
const LATE_DELIVERY = { message: 'Subscription not found', body: 'no current subscription with tag' } as const;

/**
 * What ActiveMQ says where a message is for a temporary destination whose connection has left: a client that did not wait for its
 * answer. The connection stays open (ActiveMQ 5.17.2: what is sent behind it arrives), and everybody else is to be served on.
 */
const GONE = { message: /^(temp-(?:queue|topic)):\/\/(\S+)$/, body: 'DestinationDoesNotExistException' } as const;

/** Event of a client: a message could not be delivered, with the temporary destination that is gone, as it is sent to. */
export const UNDELIVERABLE = 'dec-undeliverable';

/** Settings of TLS. An authority that is named counts beside those of the system. */
function secured(host: string, { ca }: { readonly ca?: string }) {
  return {
    ssl: true,
    minVersion: TLS_VERSION,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  } as const;
}

function cancelled(host: string, port: number, signal: AbortSignal | undefined): BusError {
  return new BusError(
    'CANCELLED',
    `The connection to ${host}:${port} was cancelled.`,
    { host, port },
    { cause: signal?.reason },
  );
}

function connectError(thrown: unknown, host: string, port: number, login: string | undefined): BusError {
  if (thrown instanceof BusError) return thrown;
  const cause = asError(thrown);
  const details = { host, port, reason: cause.message };
  // RabbitMQ says no more than "Bad CONNECT" of a wrong password and of a virtual host that is not there.
  const isBadConnect = /^bad connect/i.test(cause.message);
  if (isBadConnect || /password|passcode|login|authenti|user name|access refused|not authorized/i.test(cause.message)) {
    const user = login === undefined ? 'without a login' : login.length > 64 ? 'with a token' : `as "${login}"`;
    return new BusError(
      'LOGIN_REFUSED',
      `The broker at ${host}:${port} refused the connection ${user}: ${cause.message} Check user name and password${isBadConnect ? ', and the virtual host if one is named' : ''}.`,
      details,
      { cause },
    );
  }
  if ('code' in cause && /CERT|SIGNATURE|ALTNAME|^ERR_SSL|EPROTO/.test(String(cause.code))) {
    return new BusError(
      'BUS_UNAVAILABLE',
      `No trusted TLS connection to the broker at ${host}:${port}: ${cause.message}. Its certificate must be for that name and of an authority that is trusted; name another authority with --broker-ca.`,
      details,
      { cause },
    );
  }
  if ('isApplicationError' in cause || 'isProtocolError' in cause) {
    const isTransport = 'code' in cause || /connect timed out|connection ended/.test(cause.message);
    if (!isTransport) {
      return new BusError(
        'PROTOCOL',
        `The server at ${host}:${port} is no usable STOMP broker: ${cause.message}.`,
        details,
        {
          cause,
        },
      );
    }
  }
  return new BusError(
    'BUS_UNAVAILABLE',
    `Cannot connect to the STOMP broker at ${host}:${port}: ${cause.message}. Is the platform running, and is this its STOMP port?`,
    details,
    { cause, retriable: true },
  );
}

/** Milliseconds after its end in which messages of a subscription may still come. */
const LATE_MS = 10_000;

/**
 * Ends a subscription. What the broker had on its way already is read and dropped: ActiveMQ sends from other threads, so a
 * message can come even behind the receipt, and stompit, which forgets a subscription with the receipt of its UNSUBSCRIBE, would
 * take it as a breach of the protocol and end the connection.
 */
export function endSubscription(client: Client, id: string | number): void {
  client.sendFrame('UNSUBSCRIBE', { id }).end();
  setTimeout(() => {
    // stompit has no call that forgets a subscription and sends nothing.
    const subscriptions: unknown = Reflect.get(client, '_subscriptions');
    if (typeof subscriptions === 'object' && subscriptions !== null) Reflect.deleteProperty(subscriptions, String(id));
  }, LATE_MS).unref();
}

/** The headers of a frame, which its type declaration does not name. */
export function headersOf(message: object): Record<string, string> {
  const written: unknown = Reflect.get(message, 'headers');
  const headers: Record<string, string> = {};
  if (typeof written !== 'object' || written === null) return headers;
  for (const [name, value] of Object.entries(written)) headers[name] = String(value);
  return headers;
}
