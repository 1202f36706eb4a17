import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AUTHENTICATION_FAILED,
  type Broker,
  type Bus,
  BusError,
  connectStomp,
  isToken,
  requestToken,
  startBroker,
  TOKEN_TOPIC,
  tokenReply,
  tokenRequest,
} from '../../../bus/index.js';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(condition: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(2);
  }
}
async function broker(options: Parameters<typeof startBroker>[0] = {}): Promise<Broker> {
  const started = await startBroker({ port: 0, ...options });
  ends.push(() => started.close());
  return started;
}
async function client(options: Parameters<typeof connectStomp>[0]): Promise<Bus> {
  const bus = await connectStomp(options);
  ends.push(() => bus.close());
  return bus;
}
/** A TCP server that is no STOMP broker. */
async function impostor(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
async function freePort(): Promise<number> {
  const started = await startBroker({ port: 0 });
  await started.close();
  return started.port;
}
const failure = async (promise: Promise<unknown>): Promise<BusError> => {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof BusError) return error;
  throw error;
};

/** Answers CONNECT, hands the other frames to `heed` as text, and can send. */
function scripted(heed: (frame: string, socket: Socket) => void): Promise<number> {
  return impostor((socket) => {
    let rest = '';
    socket.on('data', (part) => {
      rest += part.toString();
      for (let end = rest.indexOf('\0'); end >= 0; end = rest.indexOf('\0')) {
        const frame = rest.slice(0, end).trimStart();
        rest = rest.slice(end + 1);
        if (frame.startsWith('CONNECT')) socket.write('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');
        else heed(frame, socket);
      }
    });
  });
}

it('a message that comes behind the end of its subscription is dropped, and the connection stays', async () => {
  const port = await scripted((frame, socket) => {
    const id = /^id:(.*)$/m.exec(frame)?.[1];
    const receipt = /^receipt:(.*)$/m.exec(frame)?.[1];
    if (receipt !== undefined) socket.write(`RECEIPT\nreceipt-id:${receipt}\n\n\0`);
    const message = (body: string) => `MESSAGE\nsubscription:${id}\nmessage-id:1\ndestination:/queue/a\n\n${body}\0`;
    if (frame.startsWith('SUBSCRIBE')) socket.write(message('in time'));
    if (frame.startsWith('UNSUBSCRIBE')) socket.write(message('late'));
  });
  const bus = await client({ port, reconnect: false });
  const errors: Error[] = [];
  bus.onError((error) => errors.push(error));
  const heard: string[] = [];
  const subscription = bus.subscribe('/queue/a', ({ body }) => heard.push(body));
  await until(() => heard.length === 1, 'the first message');
  subscription.unsubscribe();
  await bus.flush();
  await pause(20);
  await bus.flush();
  expect(errors).toEqual([]);
  expect(heard).toEqual(['in time']);
});

describe('connecting', () => {
  it('to nobody says where it tried and what to look at', async () => {
    const port = await freePort();
    const error = await failure(connectStomp({ port }));
    expect(error).toMatchObject({ code: 'BUS_UNAVAILABLE', retriable: true, details: { host: '127.0.0.1', port } });
    expect(error.message).toContain(`127.0.0.1:${port}`);
  });

  it('with a bad password says so', async () => {
    const { port } = await broker({ authenticate: ({ passcode }) => passcode === 'manager' });
    const error = await failure(connectStomp({ port, login: 'system', passcode: 'wrong' }));
    expect(error.code).toBe('LOGIN_REFUSED');
    expect(error.message).toContain('"system"');
    await client({ port, login: 'system', passcode: 'manager' });
  });

  it('to a server that says nothing ends after its time', async () => {
    const port = await impostor(() => undefined);
    const error = await failure(connectStomp({ port, connectTimeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'TIMEOUT', retriable: true });
  });

  it('to a server of another protocol is an error of the protocol', async () => {
    const port = await impostor((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
    expect((await failure(connectStomp({ port, connectTimeoutMs: 2000 }))).code).toBe('PROTOCOL');
  });

  it('can be cancelled', async () => {
    const port = await impostor(() => undefined);
    const abort = new AbortController();
    const connecting = failure(connectStomp({ port, signal: abort.signal }));
    abort.abort();
    expect((await connecting).code).toBe('CANCELLED');
    expect((await failure(connectStomp({ port, signal: abort.signal }))).code).toBe('CANCELLED');
  });
});

describe('a request', () => {
  it('takes far less than the 40 ms it costs without TCP_NODELAY', async () => {
    const { port } = await broker();
    // packages.md section 4: 44 ms with heart-beat 0,0 and Nagle's algorithm, 0.17 ms without it.
    const [asker, server] = [await client({ port, heartbeatMs: 0 }), await client({ port, heartbeatMs: 0 })];
    server.subscribe('/queue/echo', ({ body, headers }) => server.send(headers['reply-to']!, body));
    await server.flush();
    const body = 'x'.repeat(1000);
    const times: number[] = [];
    for (let i = 0; i < 100; i++) {
      const before = performance.now();
      await asker.request('/queue/echo', body);
      times.push(performance.now() - before);
    }
    const median = times.sort((a, b) => a - b)[50]!;
    expect(median).toBeLessThan(15);
  });
});

describe('the token handshake', () => {
  const token = tokenReply.example;
  async function platform(): Promise<Broker> {
    const started = await broker({
      authenticate: ({ login, passcode }) =>
        isToken({ login, passcode }) ? login === token : login === 'system' || login === 'intruder',
    });
    started.claim(TOKEN_TOPIC, (message) => {
      const { login, passcode } = tokenRequest.parse(message.body);
      message.reply(login === 'system' && passcode === 'manager' ? token : AUTHENTICATION_FAILED);
    });
    return started;
  }

  it('fetches a token and logs in with it', async () => {
    const { port, statistics } = await platform();
    expect(await requestToken({ port, login: 'system', passcode: 'manager' })).toBe(token);
    const bus = await client({ port, login: 'system', passcode: 'manager', useToken: true });
    await bus.flush();
    await until(() => statistics().connections === 1, 'only the connection with the token stays');
  });

  it('says when the platform refuses', async () => {
    const { port } = await platform();
    const error = await failure(requestToken({ port, login: 'intruder', passcode: 'x' }));
    expect(error.code).toBe('LOGIN_REFUSED');
  });

  it('ends when there is no token service', async () => {
    const { port } = await broker();
    const error = await failure(requestToken({ port, login: 'system', passcode: 'x' }, { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining(TOKEN_TOPIC) });
  });
});

describe('a lost connection', () => {
  it('is taken up again with its subscriptions, and what was sent meanwhile arrives', async () => {
    const first = await startBroker({ port: 0 });
    const { port } = first;
    const bus = await client({ port, reconnect: { initialMs: 10, maxMs: 50 } });
    const errors: Error[] = [];
    bus.onError((error) => errors.push(error));
    const heard: string[] = [];
    bus.subscribe('/topic/life', ({ body }) => heard.push(body));
    const asked = failure(bus.request('/queue/nobody', ''));
    await bus.flush();
    await first.close();
    expect(await asked).toMatchObject({ code: 'BUS_UNAVAILABLE', retriable: true });
    expect(errors[0]).toMatchObject({ code: 'BUS_UNAVAILABLE', details: { port } });
    bus.send('/queue/kept', 'said while away');
    await pause(60);
    const second = await broker({ port });
    const kept: string[] = [];
    second.bus().subscribe('/queue/kept', ({ body }) => kept.push(body));
    await until(() => kept.length === 1, 'the message sent meanwhile');
    await bus.flush();
    second.bus().send('/topic/life', 'again');
    await until(() => heard.length === 1, 'the subscription again');
    expect([kept, heard]).toEqual([['said while away'], ['again']]);
  });

  it('ends the bus after the attempts allowed, with an error', async () => {
    const started = await startBroker({ port: 0 });
    const bus = await client({ port: started.port, reconnect: { initialMs: 1, attempts: 2 } });
    const errors: Error[] = [];
    bus.onError((error) => errors.push(error));
    await started.close();
    await until(() => errors.some(({ message }) => message.includes('in 2 attempts')), 'giving up');
    expect(() => bus.send('/topic/a', '')).toThrow(expect.objectContaining({ code: 'BUS_CLOSED' }));
  });

  it('is noticed when the server breaks the protocol', async () => {
    const port = await impostor((socket) => {
      socket.once('data', () => {
        socket.write('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');
        setTimeout(() => socket.write('MESSAGE\nbroken header\n\n\0'), 20);
      });
    });
    const bus = await client({ port, reconnect: false });
    const errors: Error[] = [];
    bus.onError((error) => errors.push(error));
    await until(() => errors.length > 0, 'the error');
    expect(errors[0]).toMatchObject({
      code: 'BUS_UNAVAILABLE',
      message: expect.stringContaining('header parse error'),
    });
  });
});

it('an ERROR frame in plain text ends the session, not the process', async () => {
  const port = await impostor((socket) => {
    socket.once('data', () => {
      socket.write('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');
      const error = 'ERROR\ncontent-type:text/plain\nmessage:too much\ncontent-length:4\n\ntoo \0';
      setTimeout(() => socket.end(error), 20);
    });
  });
  const bus = await client({ port, reconnect: false });
  const errors: Error[] = [];
  bus.onError((error) => errors.push(error));
  await until(() => errors.length > 0, 'the error');
  expect(errors[0]).toMatchObject({ code: 'BUS_UNAVAILABLE', message: expect.stringContaining('too much') });
});

describe('closing', () => {
  it('does not wait for a broker that no longer answers', async () => {
    const port = await impostor((socket) => {
      socket.once('data', () => socket.write('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0'));
    });
    const bus = await connectStomp({ port });
    const flushed = failure(bus.flush());
    const before = Date.now();
    await bus.close();
    expect(Date.now() - before).toBeLessThan(2000);
    expect((await flushed).code).toBe('BUS_CLOSED');
  });

  it('ends the attempts to connect again', async () => {
    const started = await startBroker({ port: 0 });
    const bus = await connectStomp({ port: started.port, reconnect: { initialMs: 20 } });
    bus.onError(() => undefined);
    await started.close();
    await pause(10);
    const before = Date.now();
    await bus.close();
    expect(Date.now() - before).toBeLessThan(500);
  });

  it('delivers what was sent before it', async () => {
    const started = await broker();
    const heard: string[] = [];
    started.bus().subscribe('/queue/last', ({ body }) => heard.push(body));
    const bus = await connectStomp({ port: started.port });
    for (let i = 0; i < 50; i++) bus.send('/queue/last', String(i));
    await bus.close();
    await until(() => heard.length === 50, 'all fifty');
  });
});
