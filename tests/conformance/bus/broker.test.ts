import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerOptions, BusError, startBroker } from '../../../bus/index.js';
import { bodyOf, RawClient } from './raw-client.js';

let broker: Broker;
let warnings: BusError[];
const clients: RawClient[] = [];

async function restart(options: BrokerOptions): Promise<void> {
  await broker.close();
  broker = await startBroker({ port: 0, onWarning: (warning) => warnings.push(warning), ...options });
}
async function login(headers: Record<string, string> = {}): Promise<RawClient> {
  const client = await RawClient.login(broker.port, headers);
  clients.push(client);
  return client;
}
async function open(): Promise<RawClient> {
  const client = await RawClient.open(broker.port);
  clients.push(client);
  return client;
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(async () => {
  warnings = [];
  broker = await startBroker({ port: 0, onWarning: (warning) => warnings.push(warning) });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await broker.close();
});

describe('connecting', () => {
  it.each([
    ['1.0,1.1,1.2', '1.2'],
    ['1.1', '1.1'],
    ['1.0', '1.0'],
    [undefined, '1.0'],
  ])('with accept-version %s gives version %s', async (offered, version) => {
    const client = await open();
    client.send('STOMP', offered === undefined ? {} : { 'accept-version': offered });
    const { headers } = await client.next('CONNECTED');
    expect(headers['version']).toBe(version);
    expect(headers['session']).toMatch(/^ID:/);
  });

  it('with no common version ends in an ERROR that names those supported', async () => {
    const client = await open();
    client.send('CONNECT', { 'accept-version': '3.0' });
    const { headers } = await client.next('ERROR');
    expect(headers['message']).toContain('supported');
    expect(headers['version']).toBe('1.0,1.1,1.2');
    await client.until(() => client.isClosed, 'close');
  });

  it('refuses a bad login in the words of ActiveMQ and closes', async () => {
    await restart({ authenticate: ({ login: user, passcode }) => user === 'system' && passcode === 'manager' });
    const client = await open();
    client.send('CONNECT', { 'accept-version': '1.2', login: 'a', passcode: 'b' });
    const error = await client.next('ERROR');
    expect(error.headers['message']).toBe('User name [a] or password is invalid.'); // gridappsd-protocol.md section 1.6
    expect(error.headers['content-type']).toBe('text/plain');
    await client.until(() => client.isClosed, 'close');
    expect((await login({ login: 'system', passcode: 'manager' })).isClosed).toBe(false);
    expect(broker.statistics().loginsRefused).toBe(1);
  });

  it('waits for an authenticator that takes its time, and keeps the order of what follows', async () => {
    await restart({
      authenticate: async ({ login: user }) => {
        await pause(20);
        return user === 'slow';
      },
    });
    const client = await open();
    client.write('CONNECT\naccept-version:1.2\nlogin:slow\n\n\0');
    client.write('SUBSCRIBE\nid:1\ndestination:/queue/a\n\n\0SEND\ndestination:/queue/a\n\nhello\0');
    expect(bodyOf(await client.next('MESSAGE'))).toBe('hello');
  });

  it('refuses frames before CONNECT, a second CONNECT and silence', async () => {
    const early = await open();
    early.send('SEND', { destination: '/topic/a' }, 'x');
    expect((await early.next('ERROR')).headers['message']).toContain('SEND before CONNECT');
    const twice = await login();
    twice.send('CONNECT', { 'accept-version': '1.2' });
    expect((await twice.next('ERROR')).headers['message']).toContain('second CONNECT');
    await restart({ limits: { connectTimeoutMs: 30 } });
    const silent = await open();
    expect((await silent.next('ERROR')).headers['message']).toContain('No CONNECT');
    await silent.until(() => silent.isClosed, 'close');
  });

  it('beats at half of the agreed interval and drops a peer that does not beat', async () => {
    await restart({ limits: { minHeartbeatMs: 20 } });
    const client = await login({ 'heart-beat': '100,100' });
    expect(client.frames).toHaveLength(0);
    const before = client.bytesRead;
    await client.until(() => client.bytesRead - before >= 2, 'two heart-beats');
    await client.until(() => client.isClosed, 'the broker gives up');
    expect(warnings.some(({ message }) => message.includes('no heart-beat'))).toBe(true);
    expect(broker.statistics().heartbeatsMissed).toBe(1);
  });
});

describe('receipts and headers', () => {
  it('answers every frame that asks for a receipt, and DISCONNECT before it closes', async () => {
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/a' });
    await client.sendAndWait('SEND', { destination: '/queue/a' }, 'x');
    await client.sendAndWait('UNSUBSCRIBE', { id: '1' });
    await client.sendAndWait('DISCONNECT', {});
    await client.until(() => client.isClosed, 'close');
  });

  it('writes MESSAGE as ActiveMQ does and passes custom headers on', async () => {
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', { id: '7', destination: 'plain' });
    client.write('SEND\ndestination:plain\nreply-to:temp.x\nGOSS_SUBJECT:None\nmessage-id:forged\n\n{}\0');
    const { headers } = await client.next('MESSAGE');
    expect(Object.keys(headers)).toEqual([
      'content-length',
      'expires',
      'destination',
      'subscription',
      'priority',
      'message-id',
      'timestamp',
      'reply-to',
      'GOSS_SUBJECT',
    ]);
    expect(headers).toMatchObject({ destination: '/queue/plain', subscription: '7', 'reply-to': 'temp.x' });
    expect(headers['message-id']).toMatch(/^ID:/);
  });

  it('shows a temporary queue to its owner by its name and to others by a name they can answer to', async () => {
    const asker = await login();
    const server = await login();
    await asker.sendAndWait('SUBSCRIBE', { id: '1', destination: '/temp-queue/response.20260101' });
    await server.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/service' });
    asker.send('SEND', { destination: '/queue/service', 'reply-to': '/temp-queue/response.20260101' }, 'q');
    const replyTo = (await server.next('MESSAGE')).headers['reply-to']!;
    expect(replyTo).toMatch(/^\/remote-temp-queue\//);
    server.send('SEND', { destination: replyTo }, 'a');
    const reply = await asker.next('MESSAGE');
    expect(reply.headers['destination']).toBe('/temp-queue/response.20260101');
    expect(bodyOf(reply)).toBe('a');
  });

  it('keeps equal temporary names of two connections apart', async () => {
    const [one, two] = [await login(), await login()];
    for (const client of [one, two]) await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/temp-queue/r' });
    await one.sendAndWait('SEND', { destination: '/temp-queue/r' }, 'mine');
    await one.next('MESSAGE');
    expect(two.bodies).toEqual([]);
  });

  it('lets nobody but its owner read a temporary destination', async () => {
    const [owner, service] = [await login(), await login()];
    await service.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/work' });
    await owner.sendAndWait('SUBSCRIBE', { id: '1', destination: '/temp-queue/response.7' });
    owner.send('SEND', { destination: '/queue/work', 'reply-to': '/temp-queue/response.7' });
    const replyTo = (await service.next('MESSAGE')).headers['reply-to']!;
    for (const destination of [replyTo, replyTo.replace('queue', 'topic'), '/remote-temp-queue/c999:x']) {
      const thief = await login();
      thief.send('SUBSCRIBE', { id: '1', destination });
      expect((await thief.next('ERROR')).headers['message']).toContain('belongs to another connection');
      await thief.until(() => thief.isClosed, 'close');
    }
    for (const body of ['a', 'b', 'c', 'd']) await service.sendAndWait('SEND', { destination: replyTo }, body);
    await owner.until(() => owner.messages === 4, 'all answers');
    expect(owner.bodies).toEqual(['a', 'b', 'c', 'd']);
    // Under the name that others have for it, it is still its owner's.
    await owner.sendAndWait('SUBSCRIBE', { id: '2', destination: replyTo });
  });

  it('lets a client use one subscription id twice', async () => {
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', { id: '5', destination: '/topic/a' });
    await client.sendAndWait('SUBSCRIBE', { id: '5', destination: '/topic/b' });
    client.send('SEND', { destination: '/topic/a' }, 'a');
    await client.sendAndWait('SEND', { destination: '/topic/b' }, 'b');
    expect(client.bodies).toEqual(['a', 'b']);
  });

  it('speaks 1.0 to a client of 1.0: no ids, no escapes', async () => {
    const client = await open();
    client.write('CONNECT\nlogin: a\n\n\0');
    await client.next('CONNECTED');
    client.write('SUBSCRIBE\ndestination: /queue/old\nreceipt:r\n\n\0');
    await client.next('RECEIPT');
    client.write('SEND\ndestination:/queue/old\nkey:a\\b:c\n\nbody\0\n');
    const message = await client.next('MESSAGE');
    expect(message.headers).toMatchObject({ key: 'a\\b:c', destination: '/queue/old' });
    expect(message.headers['subscription']).toBeUndefined();
  });
});

describe('acknowledgement', () => {
  it('gives what was not acknowledged to the next consumer, in order and marked', async () => {
    const first = await login();
    await first.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/work', ack: 'client-individual' });
    for (const body of ['a', 'b', 'c']) await first.sendAndWait('SEND', { destination: '/queue/work' }, body);
    expect(first.bodies).toEqual(['a', 'b', 'c']);
    await first.next('MESSAGE');
    await first.sendAndWait('ACK', { id: (await first.next('MESSAGE')).headers['ack']! });
    first.close();
    const second = await login();
    second.send('SUBSCRIBE', { id: '1', destination: '/queue/work' });
    await second.until(() => second.bodies.length === 2, 'two messages again');
    expect(second.bodies).toEqual(['a', 'c']);
    expect(second.frames[0]?.headers['redelivered']).toBe('true');
    expect(broker.statistics().redelivered).toBe(2);
  });

  it('is cumulative in client mode', async () => {
    const first = await login();
    await first.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/work', ack: 'client' });
    for (const body of ['a', 'b', 'c']) await first.sendAndWait('SEND', { destination: '/queue/work' }, body);
    const [, second] = [await first.next('MESSAGE'), await first.next('MESSAGE')];
    await first.sendAndWait('ACK', { id: second.headers['ack']! });
    await first.sendAndWait('UNSUBSCRIBE', { id: '1' });
    await first.sendAndWait('SUBSCRIBE', { id: '2', destination: '/queue/work' });
    first.frames.splice(0, 1);
    await first.until(() => first.bodies.length > 0, 'the third message');
    expect(first.bodies.at(-1)).toBe('c');
    expect(broker.statistics().redelivered).toBe(1);
  });

  it('hands out no more than the prefetch without acknowledgement', async () => {
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', {
      id: '1',
      destination: '/queue/work',
      ack: 'client-individual',
      'activemq.prefetchSize': '1',
    });
    for (const body of ['a', 'b']) await client.sendAndWait('SEND', { destination: '/queue/work' }, body);
    expect(client.bodies).toEqual(['a']);
    await client.sendAndWait('ACK', { id: (await client.next('MESSAGE')).headers['ack']! });
    expect(bodyOf(await client.next('MESSAGE'))).toBe('b');
  });

  it('gives a refused message again, and up after six times', async () => {
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/work', ack: 'client-individual' });
    client.send('SEND', { destination: '/queue/work', kind: 'bad', 'original-destination': 'forged' }, 'poison');
    for (let i = 0; i <= 6; i++) client.send('NACK', { id: (await client.next('MESSAGE')).headers['ack']! });
    client.send('SUBSCRIBE', { id: '2', destination: '/queue/ActiveMQ.DLQ' });
    const letter = await client.next('MESSAGE');
    expect(bodyOf(letter)).toBe('poison');
    expect(letter.headers).toMatchObject({
      destination: '/queue/ActiveMQ.DLQ',
      'original-destination': '/queue/work',
      kind: 'bad',
    });
    expect(letter.headers['redelivered']).toBeUndefined();
    expect(broker.statistics().deadLettered).toBe(1);
    // The next one finds its reader there.
    client.send('SEND', { destination: '/queue/work' }, 'worse');
    for (let i = 0; i <= 6; i++) client.send('NACK', { id: (await client.next('MESSAGE')).headers['ack']! });
    expect(bodyOf(await client.next('MESSAGE'))).toBe('worse');
  });

  it('of something never sent is an error', async () => {
    const client = await login();
    client.send('ACK', { id: 'nothing' });
    expect((await client.next('ERROR')).headers['message']).toContain('"nothing"');
  });
});

describe('transactions', () => {
  it('send everything on COMMIT and nothing on ABORT', async () => {
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/t' });
    for (const [id, end] of [
      ['t1', 'ABORT'],
      ['t2', 'COMMIT'],
    ] as const) {
      client.send('BEGIN', { transaction: id });
      await client.sendAndWait('SEND', { destination: '/queue/t', transaction: id }, id);
      expect(client.bodies).toEqual([]);
      await client.sendAndWait(end, { transaction: id });
    }
    expect(client.bodies).toEqual(['t2']);
  });

  it('that have not begun are an error', async () => {
    const client = await login();
    client.send('SEND', { destination: '/queue/t', transaction: 'x' }, '');
    expect((await client.next('ERROR')).headers['message']).toContain('"x" has not begun');
  });
});

describe('bad input', () => {
  it.each([
    ['a malformed frame', 'nonsense\n\n\0', /"nonsense" where a command/],
    ['a header without colon', 'SEND\ndestination\n\n\0', /without a name and a colon/],
    ['an unknown command', 'EXPLODE\n\n\0', /Unknown STOMP command EXPLODE/],
    ['SEND without destination', 'SEND\n\nx\0', /SEND without the header destination/],
    ['SUBSCRIBE without id', 'SUBSCRIBE\ndestination:/topic/a\n\n\0', /SUBSCRIBE without the header id/],
    ['an unknown ack mode', 'SUBSCRIBE\nid:1\ndestination:/topic/a\nack:maybe\n\n\0', /"maybe"/],
    ['a destination without name', 'SEND\ndestination:/topic/\n\n\0', /a name is missing/],
    ['a frame larger than allowed', 'SEND\ndestination:a\ncontent-length:999999999\n\n', /are allowed/],
  ])('%s ends that connection with an ERROR and no other', async (_, raw, message) => {
    const [bad, good] = [await login(), await login()];
    await good.sendAndWait('SUBSCRIBE', { id: '1', destination: '/topic/life' });
    bad.write(raw);
    expect((await bad.next('ERROR')).headers['message']).toMatch(message);
    await bad.until(() => bad.isClosed, 'close');
    await good.sendAndWait('SEND', { destination: '/topic/life' }, 'goes on');
    expect(good.bodies).toEqual(['goes on']);
  });

  it('names the connection and the offset in a warning', async () => {
    const bad = await login();
    bad.write('nonsense\n\n\0');
    await bad.next('ERROR');
    expect(warnings[0]).toMatchObject({ code: 'PROTOCOL', details: { connection: 'c1' } });
    expect(warnings[0]?.details['offset']).toBeGreaterThan(0);
  });

  it('a port in use is an error that names the port and what to do', async () => {
    const error: unknown = await startBroker({ port: broker.port }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BusError);
    expect(error).toMatchObject({ code: 'PORT_IN_USE', details: { port: broker.port } });
    expect((error as BusError).message).toMatch(new RegExp(`Port ${broker.port} .*choose another port`));
    // The same where it is that of WebSockets.
    const webSocket = { port: broker.port };
    await expect(startBroker({ port: 0, webSocket })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });
});

describe('slow peers', () => {
  it('a subscriber that does not read loses topic messages within a bound; others do not', async () => {
    await restart({ limits: { maxOutputBytes: 2_000_000 } });
    const [slow, quick, sender] = [await login(), await login(), await login()];
    for (const client of [slow, quick]) await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/topic/big' });
    slow.socket.pause();
    const body = 'x'.repeat(200_000);
    for (let i = 0; i < 100; i++) await sender.sendAndWait('SEND', { destination: '/topic/big' }, body);
    await quick.until(() => quick.messages === 100, 'everything at the quick one');
    expect(broker.statistics().slowDropped).toBeGreaterThan(0);
    expect(warnings.map(({ code }) => code)).toContain('SLOW_CONSUMER');
    expect(warnings[0]?.message).toContain('/topic/big');
    expect(warnings.length).toBeLessThan(10);
    slow.socket.resume();
    await slow.until(() => slow.messages + broker.statistics().slowDropped >= 100, 'the rest');
  });

  it('queue messages wait for a slow consumer, and nothing is lost', async () => {
    const [slow, sender] = [await login(), await login()];
    await slow.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/big' });
    slow.socket.pause();
    const body = 'x'.repeat(200_000);
    for (let i = 0; i < 60; i++) await sender.sendAndWait('SEND', { destination: '/queue/big' }, body);
    expect(broker.statistics().waiting).toBeGreaterThan(0);
    slow.socket.resume();
    await slow.until(() => slow.messages === 60, 'all sixty');
    expect(broker.statistics()).toMatchObject({ slowDropped: 0, dropped: 0, waiting: 0 });
  });

  it('a producer is not read while its queue is full, and goes on afterwards', async () => {
    await restart({ limits: { maxQueueMessages: 20 } });
    const [slow, sender] = [await login(), await login()];
    await slow.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/full' });
    slow.socket.pause();
    const body = 'x'.repeat(200_000);
    for (let i = 0; i < 120; i++) sender.send('SEND', { destination: '/queue/full' }, body);
    await sender.until(() => broker.statistics().held > 0, 'the producer is held');
    await pause(50);
    expect(broker.statistics().waiting).toBeLessThanOrEqual(40);
    slow.socket.resume();
    await slow.until(() => slow.messages === 120, 'everything');
    expect(broker.statistics().dropped).toBe(0);
  });

  it('a producer that fills many queues nobody reads gets an ERROR at the bound of all queues; others go on', async () => {
    await restart({ limits: { maxTotalBytes: 1024 * 1024 } });
    const [flood, reader] = [await login(), await login()];
    await reader.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/life' });
    const body = 'x'.repeat(10_000);
    for (let i = 0; i < 500; i++) flood.send('SEND', { destination: `/queue/flood.${i}` }, body);
    expect((await flood.next('ERROR')).headers['message']).toMatch(/1 MiB together.*refused/);
    await flood.until(() => flood.isClosed, 'close');
    expect(broker.statistics().waiting).toBeLessThanOrEqual(105);
    expect(warnings.map(({ code }) => code)).toContain('QUEUE_FULL');
    await reader.sendAndWait('SEND', { destination: '/queue/life' }, 'goes on');
    await reader.until(() => reader.messages === 1, 'the message');
  });
});

it('closes at once, with clients connected and messages waiting', async () => {
  const client = await login();
  await client.sendAndWait('SEND', { destination: '/queue/left' }, 'behind');
  const before = Date.now();
  await broker.close();
  await broker.close();
  // Nothing is waited for that has a limit; those are 5 s and more.
  expect(Date.now() - before).toBeLessThan(4000);
  await client.until(() => client.isClosed, 'close');
});
