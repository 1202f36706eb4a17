import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  BusError,
  type BusHub,
  type BusMessage,
  connectStomp,
  createMemoryBus,
  startBroker,
} from '../../../bus/index.js';

interface Place {
  hub: BusHub;
  connect(): Promise<Bus>;
}

const places: readonly (readonly [string, () => Promise<Place>])[] = [
  [
    'in memory',
    async () => {
      const hub = createMemoryBus();
      return { hub, connect: async () => hub.bus() };
    },
  ],
  [
    'in a seat of the broker',
    async () => {
      const hub = await startBroker({ port: 0 });
      return { hub, connect: async () => hub.bus() };
    },
  ],
  [
    'over STOMP',
    async () => {
      const hub = await startBroker({ port: 0 });
      return { hub, connect: () => connectStomp({ port: hub.port, reconnect: false }) };
    },
  ],
];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within 60 s: ${what}`);
    await pause(2);
  }
}

describe.each(places)('a bus %s', (_, open) => {
  let place: Place;
  let first: Bus;
  let second: Bus;

  beforeEach(async () => {
    place = await open();
    first = await place.connect();
    second = await place.connect();
  });
  afterEach(async () => {
    await first.close();
    await second.close();
    await place.hub.close();
  });

  function listen(bus: Bus, destination: string): BusMessage[] {
    const heard: BusMessage[] = [];
    bus.subscribe(destination, (message) => heard.push(message));
    return heard;
  }
  const bodies = (messages: readonly BusMessage[]) => messages.map(({ body }) => body);

  it('brings topic messages to every subscriber, in order, the sender included', async () => {
    const own = listen(first, '/topic/a.b');
    const other = listen(second, '/topic/a.b');
    await Promise.all([first.flush(), second.flush()]);
    for (const body of ['1', '2', '3']) first.send('/topic/a.b', body);
    await until(() => own.length === 3 && other.length === 3, 'three messages each');
    expect(bodies(other)).toEqual(['1', '2', '3']);
    expect(bodies(own)).toEqual(['1', '2', '3']);
    expect(other[0]?.destination).toBe('/topic/a.b');
  });

  it('passes custom headers and a bare reply-to on as they are', async () => {
    const heard = listen(second, '/topic/headers');
    await second.flush();
    first.send('/topic/headers', '{}', {
      GOSS_HAS_SUBJECT: 'True',
      GOSS_SUBJECT: 'x:y\\z',
      'reply-to': 'temp.token_resp.system-2026-01-01 10:00:00.5',
    });
    await until(() => heard.length === 1, 'the message');
    expect(heard[0]?.headers).toMatchObject({
      GOSS_HAS_SUBJECT: 'True',
      GOSS_SUBJECT: 'x:y\\z',
      'reply-to': 'temp.token_resp.system-2026-01-01 10:00:00.5',
    });
  });

  it('gives each queue message to one subscriber, in turn', async () => {
    const one = listen(first, '/queue/work');
    const two = listen(second, '/queue/work');
    await Promise.all([first.flush(), second.flush()]);
    for (let i = 0; i < 10; i++) first.send('/queue/work', String(i));
    await until(() => one.length + two.length === 10, 'ten messages');
    expect([one.length, two.length]).toEqual([5, 5]);
    expect([...bodies(one), ...bodies(two)].sort()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('keeps queue messages until someone listens, and takes a bare name for a queue', async () => {
    first.send('letters', 'early');
    await first.flush();
    const heard = listen(second, '/queue/letters');
    await until(() => heard.length === 1, 'the early message');
    expect(heard[0]).toMatchObject({ body: 'early', destination: '/queue/letters' });
  });

  it('does not keep topic messages', async () => {
    first.send('/topic/news', 'old');
    await first.flush();
    const heard = listen(second, '/topic/news');
    await second.flush();
    first.send('/topic/news', 'new');
    await until(() => heard.length > 0, 'the new message');
    expect(bodies(heard)).toEqual(['new']);
  });

  it('gives two subscriptions of one client a copy each, and stops one without the other', async () => {
    const one: string[] = [];
    const subscription = first.subscribe('/topic/twice', ({ body }) => one.push(body));
    const two = listen(first, '/topic/twice');
    await first.flush();
    second.send('/topic/twice', 'a');
    await until(() => one.length === 1 && two.length === 1, 'two copies');
    subscription.unsubscribe();
    await first.flush();
    second.send('/topic/twice', 'b');
    await until(() => two.length === 2, 'the second message');
    expect(one).toEqual(['a']);
  });

  it.each([
    ['/topic/goss.sim.output.>', ['/topic/goss.sim.output.1', '/topic/goss.sim.output.1.x'], '/topic/goss.sim.input.1'],
    ['/topic/goss.*.log', ['/topic/goss.a.log', '/topic/goss.b.log'], '/topic/goss.a.b.log'],
    ['/queue/req.>', ['/queue/req.config', '/queue/req.data.grid'], '/queue/other'],
  ])('understands the wildcards of %s', async (pattern, matching, other) => {
    const heard = listen(first, pattern);
    await first.flush();
    second.send(other, 'no');
    for (const destination of matching) second.send(destination, 'yes');
    await until(() => heard.length === matching.length, 'the matching messages');
    expect(heard.map(({ destination }) => destination)).toEqual(matching);
    expect(bodies(heard)).toEqual(matching.map(() => 'yes'));
  });

  it('answers requests, each with its own reply', async () => {
    second.subscribe('/queue/service', ({ body, headers }) => second.send(headers['reply-to']!, `re ${body}`));
    await second.flush();
    const replies = await Promise.all(['a', 'b', 'c'].map((body) => first.request('/queue/service', body)));
    expect(bodies(replies)).toEqual(['re a', 're b', 're c']);
  });

  it('takes the first reply of two', async () => {
    second.subscribe('/queue/double', ({ headers }) => {
      second.send(headers['reply-to']!, 'first');
      second.send(headers['reply-to']!, 'second');
    });
    await second.flush();
    for (let i = 0; i < 3; i++) expect((await first.request('/queue/double', '')).body).toBe('first');
  });

  it('gives up a request after its time, naming the destination, and on abort', async () => {
    await expect(first.request('/queue/nobody', '', { timeoutMs: 30 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      retriable: true,
      message: expect.stringContaining('/queue/nobody'),
    });
    const abort = new AbortController();
    const waiting = first.request('/queue/nobody', '', { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('reports a handler that throws, and goes on', async () => {
    const errors: Error[] = [];
    first.onError((error) => errors.push(error));
    const heard: string[] = [];
    first.subscribe('/topic/trouble', ({ body }) => {
      if (body === 'bad') throw new Error('cannot digest');
      heard.push(body);
    });
    first.subscribe('/topic/trouble', async ({ body }) => {
      if (body === 'bad') throw new Error('nor later');
    });
    await first.flush();
    for (const body of ['a', 'bad', 'b']) second.send('/topic/trouble', body);
    await until(() => heard.length === 2 && errors.length === 2, 'two messages and two errors');
    expect(heard).toEqual(['a', 'b']);
    expect(errors[0]).toMatchObject({ code: 'HANDLER_FAILED', message: expect.stringContaining('/topic/trouble') });
  });

  it('carries a body of 4 MB unharmed', async () => {
    const heard = listen(second, '/topic/large');
    await second.flush();
    const body = `ü${'0123456789abcdef'.repeat(250_000)}\u0000end`;
    first.send('/topic/large', body);
    await until(() => heard.length === 1, 'the large message');
    expect(heard[0]?.body === body).toBe(true);
  });

  it('lets a claim take requests on queue and topic, whose replies may use the same name', async () => {
    const claimed: string[] = [];
    place.hub.claim(
      'goss.process.request.>',
      (message) => {
        claimed.push(message.destination);
        message.reply(`re ${message.body}`);
      },
      ({ replyTo }) => replyTo !== undefined,
    );
    const replies = listen(first, '/queue/goss.process.request.simulation');
    await first.flush();
    expect((await first.request('/topic/goss.process.request.config', 'x')).body).toBe('re x');
    // gridappsd-protocol.md section 1.7: viz names the request queue itself as reply-to.
    first.send('/queue/goss.process.request.simulation', 'start', {
      'reply-to': '/queue/goss.process.request.simulation',
    });
    await until(() => replies.length === 1, 'the reply on the request queue');
    expect(bodies(replies)).toEqual(['re start']);
    expect(claimed).toEqual(['/topic/goss.process.request.config', '/queue/goss.process.request.simulation']);
  });

  it('refuses everything once closed, and closes twice without harm', async () => {
    const waiting = first.request('/queue/nobody', '');
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    await first.close();
    await rejected;
    await first.close();
    expect(() => first.send('/topic/a', '')).toThrow(BusError);
    expect(() => first.subscribe('/topic/a', () => undefined)).toThrow(/closed/);
    await expect(first.flush()).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  });

  it('refuses a destination without a name', () => {
    for (const destination of ['', '/topic/', '/queue/']) {
      expect(() => first.send(destination, '')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
    }
  });

  it('serves a thousand requests one after the other on one connection', async () => {
    second.subscribe('/queue/many', ({ body, headers }) => second.send(headers['reply-to']!, body));
    await second.flush();
    for (let i = 0; i < 1000; i++) expect((await first.request('/queue/many', String(i))).body).toBe(String(i));
  });
});
