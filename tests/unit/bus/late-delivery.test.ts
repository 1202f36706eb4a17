import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectStomp } from '../../../bus/index.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const frame = (command: string, headers: Record<string, string>, body = '') =>
  `${command}\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')}\n${body}\0`;

/** A broker that lets everybody in and sends given frames at the first SUBSCRIBE. */
async function broker(answer: readonly string[]): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let isAnswered = false;
    socket.on('data', (bytes) => {
      const text = bytes.toString();
      if (text.startsWith('CONNECT')) socket.write(frame('CONNECTED', { version: '1.2', server: 'RabbitMQ/3.10.8' }));
      if (!isAnswered && text.includes('SUBSCRIBE')) {
        isAnswered = true;
        for (const one of answer) socket.write(one);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** What a bus hears of frames in the place of an answer to SUBSCRIBE. */
async function heard(answer: readonly string[]) {
  const port = await broker(answer);
  const bus = await connectStomp({ port, heartbeatMs: 0, reconnect: false });
  closers.push(() => bus.close());
  const bodies: string[] = [];
  const errors: string[] = [];
  bus.onError((error) => errors.push(error.message));
  bus.subscribe('/topic/a', ({ body }) => bodies.push(body));
  await expect.poll(() => bodies.length + errors.length).toBeGreaterThan(0);
  return { bodies, errors };
}

const message = frame('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/topic/a' }, 'next');
const error = (text: string, body: string) =>
  frame('ERROR', { message: text, 'content-type': 'text/plain', 'content-length': String(body.length) }, body);

describe('a message of RabbitMQ that comes behind the end of its subscription', () => {
  it('costs no connection: what follows is read', async () => {
    const late = error('Subscription not found', "There is no current subscription with tag 'T_7'.\n");
    expect(await heard([late, message])).toEqual({ bodies: ['next'], errors: [] });
  });

  it.each([
    ['Subscription not found', 'Message with id "1" has no subscription'],
    ['Bad command', 'no current subscription with tag'],
  ])('is not what any other error says: %s, %s', async (text, body) => {
    const { bodies, errors } = await heard([error(text, body), message]);
    expect(bodies).toEqual([]);
    expect(errors.join()).toContain(text);
  });
});
