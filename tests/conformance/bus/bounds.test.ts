/** What peers do or leave undone keeps within the bounds of the broker: measured, not only counted. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Broker, type BrokerLimits, type BusError, encodeFrame, startBroker } from '../../../bus/index.js';
import { bodyOf, RawClient } from './raw-client.js';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const MIB = 1024 * 1024;

let broker: Broker;
let warnings: BusError[];
const clients: RawClient[] = [];

async function start(limits: Partial<BrokerLimits>): Promise<void> {
  warnings = [];
  broker = await startBroker({ port: 0, limits, onWarning: (warning) => warnings.push(warning) });
}
async function login(): Promise<RawClient> {
  const client = await RawClient.login(broker.port);
  clients.push(client);
  return client;
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Bytes in use after a collection. */
function used(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
/** Buffers that a collection found dead are given back by a thread of their own, so a figure is asked for until it has settled. */
async function usedAtRest(): Promise<number> {
  let least = used();
  for (let same = 0; same < 3; ) {
    await pause(50);
    const now = used();
    same = now < least - 0.1 * MIB ? 0 : same + 1;
    least = Math.min(least, now);
  }
  return least;
}
/** MiB taken since `before`; what stays is held, what goes within some seconds was on its way. */
const grownSince = (before: number) => expect.poll(() => (used() - before) / MIB, { timeout: 10_000, interval: 100 });

beforeEach(() => start({}));
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await broker.close();
});

describe('memory', () => {
  it('of twenty subscribers that do not read stays within the bound of all together', async () => {
    await broker.close();
    await start({ maxOutputBytes: 8 * MIB, maxTotalOutputBytes: 24 * MIB });
    const slow = await Promise.all(Array.from({ length: 20 }, login));
    const sender = await login();
    for (const client of slow) {
      await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/topic/flood' });
      client.socket.pause();
    }
    const before = await usedAtRest();
    // 200 MiB for each of them; small messages, so that each one's own cost counts too.
    const frame = encodeFrame({
      command: 'SEND',
      headers: { destination: '/topic/flood' },
      body: new Uint8Array(2048),
    });
    const batch = Buffer.concat(Array.from({ length: 512 }, () => frame));
    for (let i = 0; i < 200; i++) {
      sender.write(batch);
      if (i % 20 === 19) await sender.sendAndWait('SEND', { destination: '/topic/none' });
    }
    // Bodies are shared between subscribers, heads are not; sockets and clients keep some of their own.
    await grownSince(before).toBeLessThan(60);
    expect(broker.statistics().slowDropped).toBeGreaterThan(100_000);
    expect(warnings.filter(({ code }) => code === 'SLOW_CONSUMER').length).toBeLessThan(500);
  }, 180_000);

  it('of small messages that wait is theirs alone, not what was read with them', async () => {
    const sender = await login();
    const before = await usedAtRest();
    const waiting = encodeFrame({ command: 'SEND', headers: { destination: '/queue/kept' }, body: new Uint8Array(64) });
    const passing = encodeFrame({
      command: 'SEND',
      headers: { destination: '/topic/none' },
      body: new Uint8Array(60_000),
    });
    for (let i = 0; i < 2000; i++) {
      sender.write(Buffer.concat([waiting, passing]));
      if (i % 200 === 199) await sender.sendAndWait('SEND', { destination: '/topic/none' });
    }
    expect(broker.statistics().waiting).toBe(2000);
    // 2000 small messages; 120 MB were read with them.
    await grownSince(before).toBeLessThan(15);
  });

  it('of an announced body that does not come is not taken', async () => {
    const announcing = await Promise.all(Array.from({ length: 50 }, login));
    const before = await usedAtRest();
    for (const client of announcing) client.write(`SEND\ndestination:/queue/a\ncontent-length:${60 * MIB}\n\nx`);
    await pause(100);
    await grownSince(before).toBeLessThan(20);
  });
});

describe('a slow subscriber', () => {
  it('loses the oldest messages, and hears the newest', async () => {
    await broker.close();
    await start({ maxOutputBytes: 2 * MIB });
    const [slow, sender] = [await login(), await login()];
    await slow.sendAndWait('SUBSCRIBE', { id: '1', destination: '/topic/news' });
    slow.socket.pause();
    const filler = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i++) await sender.sendAndWait('SEND', { destination: '/topic/news' }, `${i} ${filler}`);
    slow.socket.resume();
    await slow.until(() => slow.bodies.at(-1)?.startsWith('199 ') === true, 'the newest');
    const numbers = slow.bodies.map((body) => Number.parseInt(body, 10));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers.length + broker.statistics().slowDropped).toBe(200);
    expect(broker.statistics().slowDropped).toBeGreaterThan(0);
  });

  it('is disconnected where that is the policy', async () => {
    await broker.close();
    await start({ maxOutputBytes: MIB, slowConsumerPolicy: 'disconnect' });
    const [slow, sender] = [await login(), await login()];
    await slow.sendAndWait('SUBSCRIBE', { id: '1', destination: '/topic/news' });
    slow.socket.pause();
    const filler = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i++) await sender.sendAndWait('SEND', { destination: '/topic/news' }, filler);
    expect(broker.statistics().connections).toBe(1);
    expect(warnings.map(({ code }) => code)).toContain('SLOW_CONSUMER');
  });
});

describe('a peer that asks for too much', () => {
  it('is refused by a full queue with an ERROR that has its receipt, and what was confirmed stays', async () => {
    await broker.close();
    await start({ maxQueueMessages: 5 });
    const [sender, reader] = [await login(), await login()];
    for (let i = 0; i < 5; i++) await sender.sendAndWait('SEND', { destination: '/queue/full' }, String(i));
    sender.send('SEND', { destination: '/queue/full', receipt: 'sixth' }, '5');
    const { headers } = await sender.next('ERROR');
    expect(headers['message']).toMatch(/\/queue\/full is full with 5 messages/);
    expect(headers['receipt-id']).toBe('sixth');
    await reader.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/full' });
    await reader.until(() => reader.messages === 5, 'what was confirmed');
    expect(reader.bodies).toEqual(['0', '1', '2', '3', '4']);
  });

  it.each([
    ['subscriptions', { maxSubscriptions: 3 }, (i: number) => ['SUBSCRIBE', { id: `${i}`, destination: '/topic/a' }]],
    ['transactions', { maxTransactions: 3 }, (i: number) => ['BEGIN', { transaction: `${i}` }]],
    ['queues', { maxQueues: 3 }, (i: number) => ['SEND', { destination: `/queue/${i}` }]],
  ] as const)('of %s gets an ERROR', async (_, limits, frame) => {
    await broker.close();
    await start(limits);
    const client = await login();
    for (let i = 0; i < 4; i++) {
      const [command, headers] = frame(i);
      client.send(command as string, headers as Record<string, string>);
    }
    expect((await client.next('ERROR')).headers['message']).toMatch(/\b3\b/);
    await client.until(() => client.isClosed, 'close');
  });

  it('of bytes in a transaction gets an ERROR', async () => {
    await broker.close();
    await start({ maxTransactionBytes: 100_000 });
    const client = await login();
    client.send('BEGIN', { transaction: 't' });
    for (let i = 0; i < 20; i++) client.send('SEND', { destination: '/queue/a', transaction: 't' }, 'x'.repeat(10_000));
    expect((await client.next('ERROR')).headers['message']).toContain('100000 bytes');
  });

  it('of connections is turned away with an ERROR, and let in when there is room', async () => {
    await broker.close();
    await start({ maxConnections: 2 });
    const [first] = [await login(), await login()];
    const third = await RawClient.open(broker.port);
    clients.push(third);
    expect((await third.next('ERROR')).headers['message']).toContain('2 connections');
    await third.until(() => third.isClosed, 'close');
    first.close();
    await pause(50);
    await login();
    expect(broker.statistics()).toMatchObject({ connectionsRefused: 1, connections: 2 });
  });

  it('that have not logged in give way where all places are taken, the oldest first', async () => {
    await broker.close();
    await start({ maxConnections: 3 });
    const user = await login();
    const [oldest, newer] = [await RawClient.open(broker.port), await RawClient.open(broker.port)];
    clients.push(oldest, newer);
    await newer.until(() => broker.statistics().connections === 3, 'three');
    const late = await login();
    await oldest.until(() => oldest.isClosed, 'close');
    expect([user.isClosed, newer.isClosed, late.isClosed]).toEqual([false, false, false]);
    await login();
    await newer.until(() => newer.isClosed, 'close');
    expect(broker.statistics()).toMatchObject({ connectionsRefused: 2, connections: 3 });
  });

  it('of frames a second is read no faster', async () => {
    await broker.close();
    await start({ maxFramesPerSecond: 100 });
    const [fast, reader] = [await login(), await login()];
    await reader.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/pace' });
    const before = performance.now();
    for (let i = 0; i < 150; i++) {
      fast.send('SEND', { destination: '/queue/pace' }, String(i));
      if (i % 10 === 0) await pause(1);
    }
    await reader.until(() => reader.messages === 150, 'all');
    expect(performance.now() - before).toBeGreaterThan(900);
    expect(broker.statistics().paced).toBeGreaterThan(0);
  });

  it('before it has logged in gets no large frame through', async () => {
    const stranger = await RawClient.open(broker.port);
    clients.push(stranger);
    stranger.write(`SEND\ndestination:/queue/a\ncontent-length:${MIB}\n\n`);
    expect((await stranger.next('ERROR')).headers['message']).toContain('65536 are allowed');
  });

  it('holds no more unacknowledged bytes than it may', async () => {
    await broker.close();
    await start({ maxUnacknowledgedBytes: 100_000 });
    const client = await login();
    await client.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/a', ack: 'client-individual' });
    for (let i = 0; i < 10; i++) await client.sendAndWait('SEND', { destination: '/queue/a' }, `${i}`.padEnd(30_000));
    await pause(50);
    expect(client.messages).toBe(4);
    await client.sendAndWait('ACK', { id: (await client.next('MESSAGE')).headers['ack']! });
    await client.until(() => client.bodies.some((body) => body.startsWith('4')), 'the next');
    expect(bodyOf(await client.next('MESSAGE'))[0]).toBe('1');
  });
});
