/**
 * One suite for every broker: the embedded one always, ActiveMQ and RabbitMQ where Debian's packages are installed. What
 * differs stands in TRAITS, with its source in docs/brokers.md.
 */
import { Client } from '@stomp/stompjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BusError, connectStomp, encodeFrame, type Frame, startBroker } from '../../../bus/index.js';
import { absenceOf, type ForeignKind, startForeign } from '../../peers/brokers.js';
import { bodyOf, RawClient } from './raw-client.js';

interface Subject {
  readonly port: number;
  readonly webSocketUrl: string | undefined;
  stop(): Promise<void>;
}

interface Traits {
  readonly start: () => Promise<Subject>;
  /** Wildcard for the rest of a name. */
  readonly rest: string;
  /** Whether a SUBSCRIBE to a temporary queue comes before replies, or replies come by themselves. */
  readonly subscribesTemporary: boolean;
  /** Where a refused message goes: back to its queue, or to the dead letters at once. */
  readonly nack: 'again' | 'deadLetter';
  readonly hasSelectors: boolean;
  readonly closesOnRefusal: boolean;
  /** Body that must pass, bytes. */
  readonly bodyBytes: number;
  readonly prefetchHeader: string;
}

const LOGIN = { host: '/', login: 'system', passcode: 'manager' };

const TRAITS: Readonly<Record<'embedded' | ForeignKind, Traits>> = {
  embedded: {
    start: async () => {
      const broker = await startBroker({
        port: 0,
        webSocket: { port: 0 },
        authenticate: ({ login, passcode }) => login === LOGIN.login && passcode === LOGIN.passcode,
        onWarning: () => undefined,
      });
      return {
        port: broker.port,
        webSocketUrl: `ws://127.0.0.1:${broker.webSocketPort}/stomp`,
        stop: () => broker.close(),
      };
    },
    rest: '>',
    subscribesTemporary: true,
    nack: 'again',
    hasSelectors: true,
    closesOnRefusal: true,
    bodyBytes: 16 * 1024 * 1024,
    prefetchHeader: 'activemq.prefetchSize',
  },
  activemq: {
    start: () => startForeign('activemq'),
    rest: '>',
    subscribesTemporary: true,
    nack: 'deadLetter',
    hasSelectors: true,
    closesOnRefusal: true,
    bodyBytes: 16 * 1024 * 1024,
    prefetchHeader: 'activemq.prefetchSize',
  },
  rabbitmq: {
    start: () => startForeign('rabbitmq'),
    rest: '#',
    subscribesTemporary: false,
    nack: 'again',
    hasSelectors: false,
    closesOnRefusal: false,
    bodyBytes: 16 * 1024 * 1024,
    prefetchHeader: 'prefetch-count',
  },
};

const messagesOf = ({ frames }: RawClient) => frames.filter(({ command }) => command === 'MESSAGE');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let names = 0;
const fresh = (kind: 'queue' | 'topic') => `/${kind}/dec.${process.pid}.${++names}`;

const KINDS = ['embedded', 'activemq', 'rabbitmq'] as const;
for (const kind of KINDS) {
  const absence = kind === 'embedded' ? undefined : absenceOf(kind);
  if (absence !== undefined) console.warn(`Skipped: the conformance of ${kind}, because ${absence}.`);
}

describe.each(KINDS.map((kind) => [kind, TRAITS[kind]] as const))('%s', (kind, traits) => {
  const isAbsent = kind !== 'embedded' && absenceOf(kind) !== undefined;
  const test = it.skipIf(isAbsent);
  let subject: Subject;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    if (!isAbsent) subject = await traits.start();
  }, 300_000);
  afterAll(async () => {
    if (!isAbsent) await subject.stop();
  }, 180_000);
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  const open = async (): Promise<RawClient> => {
    const client = await RawClient.open(subject.port);
    clients.push(client);
    return client;
  };
  const login = async (headers: Record<string, string> = {}): Promise<RawClient> => {
    const client = await RawClient.login(subject.port, { ...LOGIN, ...headers });
    clients.push(client);
    return client;
  };
  const subscribe = (client: RawClient, destination: string, headers: Record<string, string> = {}): Promise<void> =>
    client.sendAndWait('SUBSCRIBE', { id: '1', destination, ...headers });
  const send = (client: RawClient, destination: string, body: string, headers: Record<string, string> = {}) =>
    client.sendAndWait('SEND', { destination, ...headers }, body);
  const acknowledge = (client: RawClient, command: 'ACK' | 'NACK', { headers }: Frame, more = {}) =>
    client.sendAndWait(command, { id: headers['ack']!, ...more });

  test.each([
    ['1.0,1.1,1.2', '1.2'],
    ['1.0,1.1', '1.1'],
    ['1.1', '1.1'],
    ['1.0', '1.0'],
    [undefined, '1.0'],
  ])('agrees for accept-version %s on %s', async (offered, version) => {
    const client = await open();
    client.send('CONNECT', offered === undefined ? LOGIN : { ...LOGIN, 'accept-version': offered });
    expect((await client.next('CONNECTED')).headers['version'] ?? '1.0').toBe(version);
  });

  test('refuses a wrong password and an unknown version with ERROR and closes', async () => {
    const stranger = await open();
    stranger.send('CONNECT', { ...LOGIN, 'accept-version': '1.2', passcode: 'wrong' });
    await stranger.next('ERROR');
    if (traits.closesOnRefusal) await stranger.until(() => stranger.isClosed, 'close');
    const future = await open();
    future.send('CONNECT', { ...LOGIN, 'accept-version': '9.9' });
    await future.next('ERROR');
    if (traits.closesOnRefusal) await future.until(() => future.isClosed, 'close');
  });

  test('beats as agreed', async () => {
    const client = await login({ 'heart-beat': '0,500' });
    const before = client.bytesRead;
    await client.until(() => client.bytesRead >= before + 2, 'two heart-beats');
  });

  test('gives up a peer that does not beat as it promised', async () => {
    const client = await login({ 'heart-beat': '500,0' });
    await client.until(() => client.isClosed, 'close');
  });

  test('answers receipts of every frame, DISCONNECT before it closes', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue);
    await send(client, queue, 'x');
    await client.sendAndWait('BEGIN', { transaction: 't' });
    await client.sendAndWait('ABORT', { transaction: 't' });
    await client.sendAndWait('UNSUBSCRIBE', { id: '1' });
    await client.sendAndWait('DISCONNECT', {});
    await client.until(() => client.isClosed, 'close');
  });

  test('keeps header values with every escape, umlauts, and a body with NUL bytes', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue);
    const value = 'a:b\\c\nd – ü';
    client.write(
      encodeFrame({
        command: 'SEND',
        headers: { destination: queue, note: value },
        body: new Uint8Array([0, 1, 0, 255]),
      }),
    );
    const message = await client.next('MESSAGE');
    expect(message.headers['note']).toBe(value);
    expect([...message.body]).toEqual([0, 1, 0, 255]);
    expect(message.headers).toMatchObject({ destination: queue, subscription: '1' });
  });

  test('reads CR LF as line ends', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue);
    client.write(`SEND\r\ndestination:${queue}\r\n\r\nhello\0\r\n\r\n`);
    expect(bodyOf(await client.next('MESSAGE'))).toBe('hello');
  });

  test('puts frames together wherever they are cut', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue);
    const length = encodeFrame({
      command: 'SEND',
      headers: { destination: queue },
      body: new TextEncoder().encode('cut 100'),
    }).length;
    for (let at = 1; at < length; at++) {
      const body = new TextEncoder().encode(`cut ${at}`.padEnd(7, '.'));
      const frame = encodeFrame({ command: 'SEND', headers: { destination: queue }, body });
      client.write(frame.subarray(0, at));
      await pause(at % 4 === 0 ? 1 : 0);
      client.write(frame.subarray(at));
    }
    await client.until(() => client.messages === length - 1, 'a message for each cut');
    expect(client.bodies).toEqual(Array.from({ length: length - 1 }, (_, i) => `cut ${i + 1}`.padEnd(7, '.')));
  });

  test('passes a frame of 16 MB unchanged', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue);
    const body = new Uint8Array(traits.bodyBytes);
    for (let i = 0; i < body.length; i++) body[i] = (i * 31) & 255;
    client.write(encodeFrame({ command: 'SEND', headers: { destination: queue }, body }));
    await client.until(() => client.messages === 1, 'the message', 60_000);
    expect(Buffer.compare((await client.next('MESSAGE')).body, body)).toBe(0);
  });

  test('keeps queue messages until somebody comes, each for one consumer; topic messages for all who listen', async () => {
    const [one, two, queue, topic] = [await login(), await login(), fresh('queue'), fresh('topic')];
    await send(one, topic, 'nobody');
    for (const body of ['a', 'b', 'c', 'd']) await send(one, queue, body);
    for (const client of [one, two]) await subscribe(client, topic);
    await subscribe(two, topic, { id: '2' });
    await send(one, topic, 'all');
    await two.until(() => two.messages === 2, 'one copy for each subscription');
    await one.until(() => one.messages === 1, 'one copy');
    expect(
      messagesOf(two)
        .map(({ headers }) => headers['subscription'])
        .sort(),
    ).toEqual(['1', '2']);
    await subscribe(one, queue, { id: '3' });
    await one.until(() => one.messages === 5, 'what waited');
    expect(one.bodies).toEqual(['all', 'a', 'b', 'c', 'd']);
    await subscribe(two, queue, { id: '3' });
    for (let i = 0; i < 10; i++) await send(one, queue, String(i));
    await two.until(() => one.messages + two.messages === 17, 'all');
    expect([one.messages, two.messages]).toEqual([10, 7]);
  });

  test('delivers nothing after UNSUBSCRIBE', async () => {
    const [client, topic] = [await login(), fresh('topic')];
    await subscribe(client, topic);
    await client.sendAndWait('UNSUBSCRIBE', { id: '1' });
    await send(client, topic, 'late');
    await pause(50);
    expect(client.messages).toBe(0);
  });

  test.each(['client', 'client-individual'])('gives back what %s has not acknowledged', async (ack) => {
    const [first, queue] = [await login(), fresh('queue')];
    await subscribe(first, queue, { ack });
    for (const body of ['a', 'b', 'c']) await send(first, queue, body);
    await first.until(() => first.messages === 3, 'three');
    await acknowledge(first, 'ACK', messagesOf(first)[1]!);
    first.close();
    const second = await login();
    await subscribe(second, queue);
    const expected = ack === 'client' ? ['c'] : ['a', 'c'];
    await second.until(() => second.messages === expected.length, 'what is left');
    await pause(50);
    expect(second.bodies).toEqual(expected);
    expect(messagesOf(second)[0]?.headers['redelivered']).toBe('true');
  });

  test('hands out no more than the prefetch', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue, { ack: 'client-individual', [traits.prefetchHeader]: '1' });
    for (const body of ['a', 'b']) await send(client, queue, body);
    const first = await client.next('MESSAGE');
    await pause(50);
    expect(client.messages).toBe(0);
    await acknowledge(client, 'ACK', first);
    expect(bodyOf(await client.next('MESSAGE'))).toBe('b');
  });

  test('deals with a refused message as it is listed', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue, { ack: 'client-individual' });
    await send(client, queue, 'poison', { persistent: 'true' });
    await acknowledge(client, 'NACK', await client.next('MESSAGE'));
    if (traits.nack === 'again') {
      const again = await client.next('MESSAGE');
      expect(again.headers['redelivered']).toBe('true');
      await acknowledge(client, 'ACK', again);
      return;
    }
    await subscribe(client, '/queue/ActiveMQ.DLQ', { id: '2' });
    const letter = await client.next('MESSAGE');
    expect(bodyOf(letter)).toBe('poison');
    expect(letter.headers).toMatchObject({ destination: '/queue/ActiveMQ.DLQ', 'original-destination': queue });
  });

  test('sends what a transaction holds on COMMIT and nothing on ABORT', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue);
    for (const [transaction, end] of [
      ['t1', 'ABORT'],
      ['t2', 'COMMIT'],
    ] as const) {
      await client.sendAndWait('BEGIN', { transaction });
      // RabbitMQ answers receipts of frames in a transaction when it ends.
      for (const body of ['x', 'y']) client.send('SEND', { destination: queue, transaction }, `${transaction} ${body}`);
      await pause(20);
      expect(client.messages).toBe(0);
      await client.sendAndWait(end, { transaction });
    }
    await client.until(() => client.messages === 2, 'what was committed');
    expect(client.bodies).toEqual(['t2 x', 't2 y']);
  });

  test('takes an acknowledgement back when its transaction is aborted', async () => {
    const [first, queue] = [await login(), fresh('queue')];
    await subscribe(first, queue, { ack: 'client-individual' });
    await send(first, queue, 'kept');
    const message = await first.next('MESSAGE');
    await first.sendAndWait('BEGIN', { transaction: 't' });
    await acknowledge(first, 'ACK', message, { transaction: 't' });
    await first.sendAndWait('ABORT', { transaction: 't' });
    first.close();
    const second = await login();
    await subscribe(second, queue);
    expect(bodyOf(await second.next('MESSAGE'))).toBe('kept');
  });

  test('carries a reply to a temporary queue', async () => {
    const [asker, server, queue] = [await login(), await login(), fresh('queue')];
    await subscribe(server, queue);
    if (traits.subscribesTemporary) await subscribe(asker, '/temp-queue/answers');
    await send(asker, queue, 'question', { 'reply-to': '/temp-queue/answers', 'correlation-id': '7' });
    const { headers } = await server.next('MESSAGE');
    await send(server, headers['reply-to']!, 'answer', { 'correlation-id': headers['correlation-id']! });
    const answer = await asker.next('MESSAGE');
    expect(bodyOf(answer)).toBe('answer');
    expect(answer.headers['correlation-id']).toBe('7');
    expect(answer.headers['subscription']).toBe(traits.subscribesTemporary ? '1' : '/temp-queue/answers');
  });

  test('costs who answers no connection where who asked has left', async () => {
    const [queue, errors] = [fresh('queue'), [] as Error[]];
    const { login: user, passcode } = LOGIN;
    const bus = await connectStomp({ port: subject.port, login: user, passcode });
    bus.onError((error) => errors.push(error));
    const asked: string[] = [];
    bus.subscribe(queue, ({ headers }) => asked.push(headers['reply-to'] ?? ''));
    const ask = async (): Promise<RawClient> => {
      const asker = await login();
      if (traits.subscribesTemporary) await subscribe(asker, '/temp-queue/answers');
      asker.send('SEND', { destination: queue, 'reply-to': '/temp-queue/answers' }, 'request');
      return asker;
    };
    const leaving = await ask();
    await expect.poll(() => asked.length).toBe(1);
    leaving.close();
    // The broker has to see it go.
    await pause(300);
    bus.send(asked[0]!, 'too late');
    const staying = await ask();
    await expect.poll(() => asked.length).toBe(2);
    bus.send(asked[1]!, 'in time');
    expect(bodyOf(await staying.next('MESSAGE'))).toBe('in time');
    await bus.close();
    // ActiveMQ alone tells of it.
    const codes = errors.map((error) => error instanceof BusError && error.code);
    expect(codes).toEqual(kind === 'activemq' ? ['UNDELIVERABLE'] : []);
  });

  test('knows wildcards for one part and for the rest of a topic', async () => {
    const [client, topic] = [await login(), fresh('topic')];
    await subscribe(client, `${topic}.*.c`, { id: 'part' });
    await subscribe(client, `${topic}.${traits.rest}`, { id: 'rest' });
    for (const name of ['a', 'a.c', 'a.b.c']) await send(client, `${topic}.${name}`, name);
    await client.until(() => client.messages === 4, 'four copies');
    const heard = messagesOf(client).map((frame) => `${frame.headers['subscription']} ${bodyOf(frame)}`);
    expect(heard.sort()).toEqual(['part a.c', 'rest a', 'rest a.b.c', 'rest a.c']);
  });

  const convert = 'convert_string_expressions:';
  const SELECTORS: readonly (readonly [selector: string, wanted: readonly string[]])[] = [
    ["kind = 'meter'", ['1', '2']],
    ["kind <> 'meter'", ['3']],
    ["kind = 'meter' AND NOT (region = 'north')", ['2']],
    ["kind IN ('switch', 'line') OR region LIKE 'n_rt%'", ['1', '3']],
    ["region NOT LIKE '%th'", []],
    ['volts IS NULL', ['4']],
    ['volts IS NOT NULL AND kind IS NOT NULL', ['1', '2', '3']],
    ["(kind = 'meter' OR kind = 'switch') AND region IN ('south')", ['2', '3']],
    ["note LIKE '50\\%_of' ESCAPE '\\'", ['1']],
    ["note = 'it''s'", ['2']],
    ['JMSPriority > 6', ['3']],
    ["JMSCorrelationID = 'c4'", ['4']],
    ["unknown = 'x' OR TRUE", ['1', '2', '3', '4']],
    ["NOT (unknown = 'x')", []],
  ];

  /** What ActiveMQ 5.17.2 does otherwise over STOMP: texts beside numbers, and NOT before a comparison without parentheses. */
  const OWN_SELECTORS: typeof SELECTORS = [
    ["kind = 'meter' AND NOT region = 'north'", ['2']],
    ['volts > 240', []],
    [`${convert}volts > 240`, ['2', '3']],
    [`${convert}volts BETWEEN 230 AND 245`, ['1', '2']],
    [`${convert}volts * 2 - 20 >= 470.5`, ['3']],
    [`${convert}volts NOT BETWEEN 1 AND 2.5e2`, ['3']],
  ];
  const selectors = kind === 'embedded' ? [...SELECTORS, ...OWN_SELECTORS] : SELECTORS;

  it.skipIf(isAbsent || !traits.hasSelectors).each(selectors)('selects by %s', async (selector, wanted) => {
    const [client, topic] = [await login(), fresh('topic')];
    await subscribe(client, topic, { selector });
    await subscribe(client, topic, { id: 'all' });
    const ofId = (id: string): string[] =>
      messagesOf(client)
        .filter(({ headers }) => headers['subscription'] === id)
        .map(bodyOf);
    const messages: readonly Record<string, string>[] = [
      { kind: 'meter', region: 'north', volts: '230', note: '50% of' },
      { kind: 'meter', region: 'south', volts: '241', note: "it's" },
      { kind: 'switch', region: 'south', volts: '251.5', priority: '7' },
      { 'correlation-id': 'c4' },
    ];
    for (const [i, headers] of messages.entries()) await send(client, topic, String(i + 1), headers);
    await client.until(() => ofId('all').length === 4, 'what is not selected');
    await pause(20);
    expect(ofId('1')).toEqual(wanted);
  });

  it.skipIf(isAbsent || !traits.hasSelectors)('leaves queue messages nobody selects to others', async () => {
    const [client, queue] = [await login(), fresh('queue')];
    await subscribe(client, queue, { selector: "kind = 'wanted'" });
    for (const kind of ['other', 'wanted', 'other', 'wanted']) await send(client, queue, kind, { kind });
    await client.until(() => client.messages === 2, 'the selected');
    expect(client.bodies).toEqual(['wanted', 'wanted']);
    const rest = await login();
    await subscribe(rest, queue);
    await rest.until(() => rest.messages === 2, 'the others');
    expect(rest.bodies).toEqual(['other', 'other']);
  });

  it.skipIf(isAbsent || !traits.hasSelectors)('refuses a selector it cannot read', async () => {
    const client = await login();
    client.send('SUBSCRIBE', { id: '1', destination: fresh('topic'), selector: 'kind = = 5' });
    await client.next('ERROR');
  });

  it.skipIf(isAbsent || kind === 'activemq').each(['v12.stomp', 'v11.stomp', 'v10.stomp'])(
    'speaks %s over WebSocket with @stomp/stompjs',
    async (protocol) => {
      const topic = fresh('topic');
      const heard: string[] = [];
      let chosen = '';
      const client = new Client({
        webSocketFactory: () => {
          const socket = new WebSocket(subject.webSocketUrl!, [protocol]);
          socket.on('open', () => {
            chosen = socket.protocol;
          });
          return socket;
        },
        connectHeaders: LOGIN,
        reconnectDelay: 0,
      });
      const body = 'über WebSocket – '.repeat(5000);
      await new Promise<void>((resolve, reject) => {
        client.onStompError = (frame) => reject(new Error(frame.headers['message']));
        client.onWebSocketError = (event) => reject(event);
        client.onConnect = () => {
          const receipt = 'subscribed';
          client.watchForReceipt(receipt, () => {
            for (const text of ['hello', body]) client.publish({ destination: topic, body: text });
          });
          client.subscribe(
            topic,
            (message) => {
              heard.push(message.body);
              if (heard.length === 2) resolve();
            },
            { receipt },
          );
        };
        client.activate();
      });
      await client.deactivate();
      expect(chosen).toBe(protocol);
      expect(heard).toEqual(['hello', body]);
    },
  );
});
