import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Client } from '@stomp/stompjs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  type Broker,
  type BrokerOptions,
  connectStomp,
  hashPassword,
  parseUsers,
  startBroker,
} from '../../../bus/index.js';
import { startPlatform } from '../../../platform/index.js';
import { RawClient } from './raw-client.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function start(options: BrokerOptions): Promise<Broker> {
  const broker = await startBroker({ port: 0, onWarning: () => undefined, ...options });
  ends.push(() => broker.close());
  return broker;
}
async function login(port: number, headers: Record<string, string> = {}): Promise<RawClient> {
  const client = await RawClient.login(port, headers);
  ends.push(() => client.close());
  return client;
}
const status = (url: string, options: { origin?: string } = {}): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, ['v12.stomp'], options);
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => resolve(0));
  });

describe('an open address', () => {
  it('is refused to a broker without logins and to a platform with the well-known passwords', async () => {
    await expect(startBroker({ port: 0, host: '0.0.0.0' })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(startPlatform({ port: 0, host: '0.0.0.0' })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  it('is not what a broker listens on by itself', async () => {
    expect((await start({})).host).toBe('127.0.0.1');
  });
});

describe('permissions', () => {
  it('are asked for every destination, also of replies; what is not permitted ends in an ERROR', async () => {
    const password = await hashPassword('long enough');
    const text = JSON.stringify({ users: { meter: { password, send: ['/topic/out.>'], subscribe: ['/queue/in'] } } });
    const platform = await startPlatform({ port: 0, users: parseUsers(text, 'users.json') });
    ends.push(() => platform.close());
    const enter = () => login(platform.port, { login: 'meter', passcode: 'long enough' });
    const meter = await enter();
    await meter.sendAndWait('SEND', { destination: '/topic/out.1' }, 'x');
    await meter.sendAndWait('SUBSCRIBE', { id: '1', destination: '/queue/in' });
    await meter.sendAndWait('SUBSCRIBE', { id: '2', destination: '/temp-queue/answers' });
    await meter.sendAndWait('SEND', { destination: '/topic/out.1', 'reply-to': '/temp-queue/answers' }, 'x');
    for (const [command, headers] of [
      ['SEND', { destination: '/topic/goss.gridappsd.simulation.input.1' }],
      ['SEND', { destination: '/topic/out.1', 'reply-to': '/queue/goss.gridappsd.process.request.simulation' }],
      ['SUBSCRIBE', { id: '1', destination: '/topic/>' }],
      ['SUBSCRIBE', { id: '1', destination: '/queue/other' }],
    ] as const) {
      const client = await enter();
      client.send(command, headers);
      expect((await client.next('ERROR')).headers['message']).toMatch(/may not (send|subscribe) to/);
      await client.until(() => client.isClosed, 'close');
    }
    await expect(login(platform.port, { login: 'system', passcode: 'manager' })).rejects.toThrow();
  });

  it('come from a file whose faults are named', () => {
    expect(() => parseUsers('{', 'users.json')).toThrow(/users\.json cannot be read/);
    expect(() => parseUsers('{"users":{"a":{"password":"plain"}}}', 'u.json')).toThrow(/users\.a\.password/);
    expect(() => parseUsers('{"users":{},"more":1}', 'u.json')).toThrow(/u\.json/);
  });
});

describe('WebSockets', () => {
  it('are taken on the known paths from the pages that may', async () => {
    const broker = await start({ webSocket: { port: 0, origins: ['http://localhost:8080'] } });
    const url = `ws://127.0.0.1:${broker.webSocketPort}`;
    expect(await status(`${url}/stomp`)).toBe(101);
    expect(await status(`${url}/ws`, { origin: 'http://localhost:8080' })).toBe(101);
    expect(await status(`${url}/stomp`, { origin: 'http://evil.example' })).toBe(403);
    expect(await status(`${url}/other`)).toBe(404);
    expect((await fetch(`http://127.0.0.1:${broker.webSocketPort}/`)).status).toBe(426);
  });

  it('are taken from pages of this machine where none is listed, and from all where all are', async () => {
    const broker = await start({ webSocket: { port: 0 } });
    const url = `ws://127.0.0.1:${broker.webSocketPort}/stomp`;
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:8600', 'https://[::1]:1']) {
      expect([origin, await status(url, { origin })]).toEqual([origin, 101]);
    }
    for (const origin of ['http://evil.example', 'http://localhost.evil.example', 'null']) {
      expect([origin, await status(url, { origin })]).toEqual([origin, 403]);
    }
    const open = await start({ webSocket: { port: 0, origins: ['*'] } });
    expect(await status(`ws://127.0.0.1:${open.webSocketPort}/stomp`, { origin: 'http://evil.example' })).toBe(101);
  });

  it.each([
    [['v10.stomp'], '1.0,1.1,1.2', /^CONNECTED\n[\s\S]*version:1\.0\n/],
    [['v11.stomp'], '1.0,1.1,1.2', /^CONNECTED\n[\s\S]*version:1\.1\n/],
    [['v11.stomp'], '1.0', /^CONNECTED\n[\s\S]*version:1\.0\n/],
    [['v10.stomp', 'v12.stomp'], '1.0,1.1,1.2', /^CONNECTED\n[\s\S]*version:1\.2\n/],
    [[], '1.0,1.1,1.2', /^CONNECTED\n[\s\S]*version:1\.2\n/],
    [['v10.stomp'], '1.1,1.2', /^ERROR\n[\s\S]*up to 1\.0/],
  ])('with the sub-protocols %s and accept-version %s answer %s', async (protocols, versions, answer) => {
    const broker = await start({ webSocket: { port: 0 } });
    const socket = new WebSocket(`ws://127.0.0.1:${broker.webSocketPort}/stomp`, [...protocols]);
    ends.push(() => socket.terminate());
    socket.on('open', () => socket.send(`CONNECT\naccept-version:${versions}\nhost:x\n\n\0`));
    const first = await new Promise<string>((resolve, reject) => {
      socket.on('message', (data) => resolve(String(data)));
      socket.on('error', reject);
    });
    expect(first).toMatch(answer);
  });
});

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dec-tls-'));
  let hasKeys = true;
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-keyout',
        join(folder, 'key.pem'),
        '-out',
        join(folder, 'cert.pem'),
      ],
      { stdio: 'ignore' },
    );
  } catch {
    hasKeys = false;
    console.warn('Skipped: TLS of the broker, because openssl is not there to make a certificate.');
  }

  it.skipIf(!hasKeys)('carries STOMP and WebSocket, and nothing in plain text', async () => {
    const tls = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
    const broker = await start({ tls, webSocket: { port: 0 } });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ port: broker.port, ca: tls.cert, servername: 'localhost' }, () => {
        socket.write('CONNECT\naccept-version:1.2\n\n\0');
      });
      socket.on('error', reject);
      socket.on('data', (bytes) => {
        resolve(bytes.toString());
        socket.destroy();
      });
    });
    expect(answer).toMatch(/^CONNECTED\n/);
    const url = `wss://localhost:${broker.webSocketPort}/stomp`;
    const secure = new Client({
      reconnectDelay: 0,
      webSocketFactory: () => new WebSocket(url, ['v12.stomp'], { ca: tls.cert }),
    });
    // Beyond one record of TLS and one frame of many WebSockets.
    const body = 'ü'.repeat(100_000);
    const heard = await new Promise<string>((resolve, reject) => {
      secure.onWebSocketError = reject;
      secure.onStompError = ({ headers }) => reject(new Error(headers['message']));
      secure.onConnect = () => {
        secure.subscribe('/topic/secure', (message) => resolve(message.body));
        secure.publish({ destination: '/topic/secure', body });
      };
      secure.activate();
    });
    expect(heard).toBe(body);
    await secure.deactivate();
    // A certificate of nobody that is trusted: no session.
    const distrusted = new WebSocket(url, ['v12.stomp']);
    await expect(once(distrusted, 'open')).rejects.toThrow(/certificate/);
    const plain = await RawClient.open(broker.port);
    plain.send('CONNECT', { 'accept-version': '1.2' });
    await plain.until(() => plain.isClosed, 'close');
    await expect(start({ tls: { key: 'no key', cert: 'no certificate' } })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    });
  });

  it.skipIf(!hasKeys)('is spoken by our own clients, which trust nobody who is not named', async () => {
    const ca = readFileSync(join(folder, 'cert.pem'), 'utf8');
    const broker = await start({ tls: { cert: ca, key: readFileSync(join(folder, 'key.pem')) } });
    const bus = await connectStomp({ host: 'localhost', port: broker.port, tls: { ca } });
    ends.push(() => bus.close());
    const heard = new Promise((resolve) => bus.subscribe('/topic/a', ({ body }) => resolve(body)));
    // Beyond one record of TLS, which is 16 KiB.
    const body = 'x'.repeat(100_000);
    bus.send('/topic/a', body);
    expect(await heard).toBe(body);
    for (const [what, address] of [
      ['an unknown authority', { host: 'localhost', tls: {} }],
      ['another name', { host: '127.0.0.1', tls: { ca } }],
    ] as const) {
      const refused = connectStomp({ ...address, port: broker.port });
      await expect(refused, what).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE', message: /No trusted TLS/ });
    }
    await expect(connectStomp({ host: 'localhost', port: broker.port })).rejects.toMatchObject({ retriable: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
});
