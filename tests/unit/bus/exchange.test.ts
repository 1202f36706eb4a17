import { describe, expect, it } from 'vitest';
import {
  addressFor,
  type BusError,
  createMemoryBus,
  isPattern,
  parseAddress,
  patternTest,
} from '../../../bus/index.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('an address', () => {
  it('is a queue when it has no prefix', () => {
    expect(parseAddress('feeder-models', 'c1')).toEqual({ kind: 'queue', name: 'feeder-models' });
    expect(parseAddress('/odd/name', 'c1')).toEqual({ kind: 'queue', name: '/odd/name' });
    expect(parseAddress('/topic/goss/system/tick', 'c1')).toEqual({ kind: 'topic', name: 'goss/system/tick' });
  });

  it('of a temporary queue is one name to its owner and another to everybody else', () => {
    // gridappsd-protocol.md section 1.5
    const address = parseAddress('/temp-queue/response.1', 'c1');
    expect(addressFor(address, 'c1')).toBe('/temp-queue/response.1');
    const remote = addressFor(address, 'c2');
    expect(remote).toMatch(/^\/remote-temp-queue\//);
    expect(parseAddress(remote, 'c2')).toEqual(address);
    expect(parseAddress('/temp-queue/response.1', 'c2')).not.toEqual(address);
  });
});

describe('a pattern', () => {
  it.each([
    ['a.>', ['a.b', 'a.b.c', 'a'], ['b.a', 'ab']],
    ['a.*.c', ['a.b.c'], ['a.c', 'a.b.b.c', 'a.b.d']],
    ['>', ['a', 'a.b'], []],
    ['*', ['a'], ['a.b']],
    ['a.b', ['a.b'], ['a.b.c', 'a']],
    // What ActiveMQ 5.17.2 delivers for these, asked with SUBSCRIBE and SEND.
    ['a.>.>', ['a', 'a.b', 'a.b.c'], ['b']],
    ['a.>.x', ['a.>.x'], ['a.b.x', 'a.x', 'a.b.c.x']],
    ['a.*.>', ['a.b', 'a.b.c'], ['a', 'b.a']],
    ['a..b', ['a..b'], ['a.b', 'a.q.b']],
    ['a.>b', ['a.>b'], ['a.xb', 'a.x.b']],
  ])('%s', (pattern, yes, no) => {
    const test = patternTest(pattern);
    for (const name of yes) expect([name, test(name)]).toEqual([name, true]);
    for (const name of no) expect([name, test(name)]).toEqual([name, false]);
  });

  it('is told from a plain name', () => {
    expect(isPattern('goss.gridappsd.>')).toBe(true);
    expect(isPattern('2*3')).toBe(false);
  });
});

describe('a subscription that cannot be meant', () => {
  it.each(['/topic/goss.>.x', '/topic/>.x', '/queue/goss.*.>.x', 'goss.>.x'])('%s is refused, with why', (pattern) => {
    const bus = createMemoryBus().bus();
    expect(() => bus.subscribe(pattern, () => undefined)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', message: expect.stringMatching(/last level only/) }),
    );
  });

  it('is not one where wildcards stand right, or brokers take it for a name', () => {
    const bus = createMemoryBus().bus();
    for (const name of ['goss.>', '>', 'goss.*.x', 'goss.>.>', 'a..b', 'a.>b', '.a']) {
      expect(() => bus.subscribe(`/topic/${name}`, () => undefined)).not.toThrow();
    }
  });
});

describe('the exchange', () => {
  it('keeps all queues together within a bound: what came first stays, what comes beyond is refused and told', async () => {
    const warnings: BusError[] = [];
    const limits = { maxTotalBytes: 64 * 1024 };
    const hub = createMemoryBus({ limits, onWarning: (warning) => warnings.push(warning) });
    const bus = hub.bus();
    // 64 queues of 2 KiB: each far below its own bound.
    for (let i = 0; i < 64; i++) bus.send(`/queue/flood.${i}`, 'x'.repeat(2048));
    expect(warnings.map(({ code, message }) => [code, /refused/.test(message)])).toContainEqual(['QUEUE_FULL', true]);
    // A queue that somebody reads passes on as before.
    const heard: string[] = [];
    bus.subscribe('/queue/read', ({ body }) => heard.push(body));
    bus.send('/queue/read', 'through');
    const first: string[] = [];
    bus.subscribe('/queue/flood.0', ({ body }) => first.push(body));
    await turn();
    expect(heard).toEqual(['through']);
    expect(first).toHaveLength(1);
    const last: string[] = [];
    bus.subscribe('/queue/flood.63', ({ body }) => last.push(body));
    await turn();
    expect(last).toEqual([]);
    // What was read makes room.
    const told = warnings.length;
    bus.send('/queue/later', 'y'.repeat(2048));
    expect(warnings).toHaveLength(told);
  });

  it.each([
    ['refuse', 'what came first stays', 0],
    ['dropOldest', 'what came last stays', 15],
  ] as const)('with %s keeps a queue nobody reads within its bound: %s; and warns', async (policy, _, first) => {
    const warnings: BusError[] = [];
    const limits = { maxQueueMessages: 10, fullQueuePolicy: policy };
    const hub = createMemoryBus({ limits, onWarning: (warning) => warnings.push(warning) });
    const bus = hub.bus();
    for (let i = 0; i < 25; i++) bus.send('/queue/unread', String(i));
    const heard: string[] = [];
    bus.subscribe('/queue/unread', ({ body }) => heard.push(body));
    await turn();
    expect(heard).toEqual(Array.from({ length: 10 }, (_unused, i) => String(first + i)));
    expect(warnings.map(({ code }) => code)).toContain('QUEUE_FULL');
    expect(warnings.length).toBeLessThan(6);
    expect(warnings[0]?.message).toContain('/queue/unread');
    await hub.close();
  });

  it('drops what has expired', async () => {
    const hub = createMemoryBus();
    const bus = hub.bus();
    bus.send('/queue/fresh', 'stale', { expires: '1' });
    bus.send('/queue/fresh', 'good', { expires: String(Date.now() + 60_000) });
    const heard: string[] = [];
    bus.subscribe('/queue/fresh', ({ body }) => heard.push(body));
    await turn();
    expect(heard).toEqual(['good']);
    await hub.close();
  });

  it('never delivers from within send', async () => {
    const hub = createMemoryBus();
    const bus = hub.bus();
    const log: string[] = [];
    bus.subscribe('/topic/a', () => log.push('heard'));
    bus.send('/topic/a', '');
    log.push('sent');
    await turn();
    expect(log).toEqual(['sent', 'heard']);
    await hub.close();
  });

  it('forgets the temporary queues of a bus that has left', async () => {
    const hub = createMemoryBus();
    const [asker, server] = [hub.bus(), hub.bus()];
    let replyTo = '';
    server.subscribe('/queue/slow', ({ headers }) => {
      replyTo = headers['reply-to'] ?? '';
    });
    const asked = asker.request('/queue/slow', '').catch((error: BusError) => error.code);
    await turn();
    await asker.close();
    expect(await asked).toBe('BUS_CLOSED');
    expect(replyTo).toMatch(/^\/remote-temp-queue\//);
    server.send(replyTo, 'too late');
    await hub.close();
  });

  it('keeps a claim that throws from stopping the message and reports it', async () => {
    const warnings: BusError[] = [];
    const hub = createMemoryBus({ onWarning: (warning) => warnings.push(warning) });
    hub.claim('a', () => {
      throw new Error('claim trouble');
    });
    const bus = hub.bus();
    bus.send('/queue/a', 'x');
    await turn();
    expect(warnings[0]).toMatchObject({ code: 'HANDLER_FAILED', message: expect.stringContaining('claim trouble') });
    await hub.close();
  });
});
