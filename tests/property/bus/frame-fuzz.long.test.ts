/**
 * Mutated frames into the codec and into a broker's connection: no crash, no hang, bounded memory, typed errors. A short run by
 * default; `DEC_FUZZ_FRAMES=1000000` is the long one. `DEC_FUZZ_SEED` repeats a run.
 */
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../bus/broker/connection.js';
import { Exchange } from '../../../bus/broker/exchange.js';
import { BROKER_LIMITS, BusError, Decoder, encodeFrame, type Frame, startBroker } from '../../../bus/index.js';
import { randomStream } from '../../../grid/math/index.js';
import { RawClient } from '../../conformance/bus/raw-client.js';

const FRAMES = Number(process.env['DEC_FUZZ_FRAMES'] ?? 30_000);
const SEED = Number(process.env['DEC_FUZZ_SEED'] ?? 61_613);
const LIMITS = { maxHeadBytes: 4096, maxBodyBytes: 65_536, maxHeaders: 32 };
/** A frame takes far less than this; more is a hang. */
const SLOW_MS = 1000;
const MIB = 1024 * 1024;

type Random = () => number;

function streamOf(part: string): Random {
  const stream = randomStream(`${part} ${SEED}`);
  return () => stream.uniform();
}

const text = (body: string) => new TextEncoder().encode(body);
const frame = (command: string, headers: Record<string, string>, body = ''): Uint8Array =>
  encodeFrame({ command, headers, body: text(body) }, '1.2');

/** What a well-behaved client might send. */
const SAMPLES: readonly Uint8Array[] = [
  frame('CONNECT', { 'accept-version': '1.0,1.1,1.2', host: '/', login: 'a', passcode: 'b', 'heart-beat': '0,0' }),
  frame('SUBSCRIBE', { id: '1', destination: '/topic/a.>', ack: 'client', receipt: 'r' }),
  frame('SUBSCRIBE', {
    id: '2',
    destination: '/queue/a',
    selector: "a = 'x' AND b IN ('y', 'z') OR c LIKE '%_' AND d > 5",
  }),
  frame('SEND', { destination: '/queue/a', 'reply-to': '/temp-queue/r', priority: '7', expires: '0' }, 'body\nüber'),
  frame('SEND', { destination: '/topic/a.b', transaction: 't', note: 'a:b\\c\nd' }, 'x'.repeat(300)),
  frame('SEND', { destination: '/topic/a.b' }, '{"a":1}'),
  frame('ACK', { id: 'c1-1', transaction: 't' }),
  frame('NACK', { id: 'c1-2' }),
  frame('BEGIN', { transaction: 't' }),
  frame('COMMIT', { transaction: 't' }),
  frame('ABORT', { transaction: 't' }),
  frame('UNSUBSCRIBE', { id: '1' }),
  frame('DISCONNECT', { receipt: 'bye' }),
  text('\n\r\n\n'),
];
const TOKENS = [
  '\0',
  '\n',
  '\r\n',
  '\n\n',
  ':',
  '\\',
  '\\q',
  'content-length:',
  'content-length:99999999',
  'ack:client',
  '>',
  '*',
  '/temp-queue/',
  '(',
  "'",
  'NOT ',
  '\u00fc',
  'destination:/queue/b',
];

function mutated(random: Random): Uint8Array {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  let bytes = Buffer.from(pick(SAMPLES));
  for (let edits = Math.floor(random() * 4); edits > 0; edits--) {
    const at = Math.floor(random() * (bytes.length + 1));
    const end = Math.min(bytes.length, at + Math.floor(random() * 12));
    const kind = random();
    if (kind < 0.3 && at < bytes.length) bytes[at] = Math.floor(random() * 256);
    else if (kind < 0.5) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    else if (kind < 0.7) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(TOKENS)), bytes.subarray(at)]);
    else if (kind < 0.85) bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), pick(SAMPLES), bytes.subarray(at)]);
  }
  return bytes;
}

/** Hands out bytes in pieces of any size. */
function pieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * random() * bytes.length));
    list.push(bytes.subarray(at, end));
    at = end;
  }
  return list;
}

/** A peer whose answers go nowhere. */
class Sink extends Duplex {
  override _read(): void {
    // Nothing is read from it: the test hands out what comes.
  }
  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

describe(`${FRAMES} mutated frames (seed ${SEED})`, () => {
  it('go through the codec with typed errors alone, and mean the same in whatever pieces they come', () => {
    const random = streamOf('codec');
    let errors = 0;
    let frames = 0;
    for (let i = 0; i < FRAMES; i++) {
      const bytes = mutated(random);
      const read = (parts: readonly Uint8Array[]): { got: Frame[]; fault: unknown } => {
        const decoder = new Decoder(LIMITS);
        const got: Frame[] = [];
        try {
          for (const part of parts) decoder.push(part, (one) => got.push(one));
        } catch (thrown) {
          return { got, fault: thrown };
        }
        return { got, fault: undefined };
      };
      const before = performance.now();
      const whole = read([bytes]);
      const cut = read(pieces(bytes, random));
      expect(performance.now() - before).toBeLessThan(SLOW_MS);
      if (whole.fault !== undefined) {
        errors++;
        if (!(whole.fault instanceof BusError)) throw whole.fault;
      }
      frames += whole.got.length;
      const facts = ({ got, fault }: typeof whole) => [
        got.map(({ command, headers, body }) => [command, { ...headers }, Buffer.from(body).toString('latin1')]),
        fault instanceof BusError ? fault.message : fault,
      ];
      if (JSON.stringify(facts(cut)) !== JSON.stringify(facts(whole))) {
        expect(facts(cut), `frame ${i} of seed ${SEED}`).toEqual(facts(whole));
      }
    }
    expect([errors > FRAMES / 20, frames > FRAMES / 4]).toEqual([true, true]);
  }, 1_200_000);

  it('go through connections of a broker, which ends those connections alone and keeps its bounds', async () => {
    const random = streamOf('broker');
    const limits = { ...BROKER_LIMITS, ...LIMITS, maxQueueMessages: 1000, maxQueues: 2000, maxTotalBytes: 16 * MIB };
    const exchange = new Exchange(
      limits,
      () => 0,
      () => undefined,
    );
    const statistics = {
      ...{ bytesIn: 0, bytesOut: 0, framesIn: 0, slowDropped: 0, loginsRefused: 0 },
      ...{ malformed: 0, held: 0, heartbeatsMissed: 0, paced: 0, connectionsRefused: 0 },
    };
    let sink = new Sink();
    let count = 0;
    const open = (): void => {
      sink.destroy();
      sink = new Sink();
      const gate = { authenticate: () => true, authorize: () => true };
      new Connection(
        sink,
        exchange,
        `c${++count}`,
        gate,
        { remoteAddress: '', newest: undefined },
        statistics,
        () => undefined,
      );
      // Most begin as they should, or hardly a mutation would get beyond CONNECT.
      if (random() < 0.9) sink.emit('data', SAMPLES[0]);
    };
    open();
    let before = 0;
    for (let i = 0; i < FRAMES; i++) {
      const at = performance.now();
      for (const piece of pieces(mutated(random), random)) sink.emit('data', Buffer.from(piece));
      expect(performance.now() - at).toBeLessThan(SLOW_MS);
      if (random() < 0.2) open();
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (i === Math.floor(FRAMES / 4)) before = process.memoryUsage().heapUsed;
    }
    sink.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect((process.memoryUsage().heapUsed - before) / MIB).toBeLessThan(150);
    expect(exchange.depth().queues).toBeLessThanOrEqual(limits.maxQueues);
    expect(statistics.malformed).toBeGreaterThan(0);
    expect(exchange.statistics.messagesIn).toBeGreaterThan(0);
  }, 1_200_000);

  it('go through sockets of a broker, which serves others as before', async () => {
    const random = streamOf('socket');
    const broker = await startBroker({ port: 0, limits: LIMITS, onWarning: () => undefined });
    const good = await RawClient.login(broker.port);
    await good.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/life' });
    try {
      for (let i = 0; i < Math.min(FRAMES, 20_000) / 100; i++) {
        const bad = await RawClient.open(broker.port);
        if (random() < 0.8) bad.write(SAMPLES[0]!);
        for (let j = 0; j < 20; j++) bad.write(mutated(random));
        if (i % 20 === 0) await good.sendAndWait('SEND', { destination: '/queue/life' }, String(i));
        bad.close();
      }
      await good.sendAndWait('SEND', { destination: '/queue/life' }, 'end');
      await good.until(() => good.bodies.includes('end'), 'the last message');
    } finally {
      good.close();
      await broker.close();
    }
  }, 300_000);
});
