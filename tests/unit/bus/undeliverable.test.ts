import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type BusError, Decoder, encodeFrame, type Frame, joinBroker } from '../../../bus/index.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A temporary queue as ActiveMQ 5.17.2 writes it into `reply-to`; the part behind the last colon is the queue's number. */
const GONE = 'ID:vm-44279-1795408335091-3:4:1';
const THERE = 'ID:vm-44279-1795408335091-3:5:1';
const REQUESTS = 'goss.gridappsd.process.request.config';

/** Speaks as ActiveMQ 5.17.2 does (recorded): one queue that is gone, another that is there; it closes no connection. */
async function activeMq(body: string) {
  const seen: Frame[] = [];
  let peer: Socket | undefined;
  let connections = 0;
  const write = (command: string, headers: Record<string, string>, text = '') =>
    peer?.write(encodeFrame({ command, headers, body: new TextEncoder().encode(text) }, '1.2'));
  const server = createServer((socket) => {
    peer = socket;
    connections++;
    closers.push(() => socket.destroy());
    socket.on('error', () => undefined);
    const decoder = new Decoder();
    decoder.version = '1.2';
    socket.on('data', (bytes) =>
      decoder.push(bytes, (frame) => {
        seen.push(frame);
        const { destination = '', receipt } = frame.headers;
        if (frame.command === 'CONNECT') write('CONNECTED', { version: '1.2', server: 'ActiveMQ/5.17.2' });
        else if (frame.command === 'SEND' && destination.endsWith(GONE)) {
          write('ERROR', { 'content-type': 'text/plain', message: `temp-queue://${GONE}` }, body);
        } else if (receipt !== undefined) write('RECEIPT', { 'receipt-id': receipt });
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const warnings: BusError[] = [];
  const hub = await joinBroker({ port, heartbeatMs: 0, onWarning: (warning) => warnings.push(warning) });
  closers.push(() => hub.close());
  hub.claim(`/queue/${REQUESTS}`, (request) => request.reply('an answer'));
  await expect.poll(() => seen.some(({ command }) => command === 'SUBSCRIBE')).toBe(true);
  let count = 0;
  const ask = (queue: string, headers: Record<string, string> = {}) =>
    write('MESSAGE', {
      ...{ subscription: '1', 'message-id': String(++count), destination: `/queue/${REQUESTS}` },
      ...{ 'reply-to': `/remote-temp-queue/${queue}`, ...headers },
    });
  const answersTo = (queue: string) =>
    seen.filter(({ command, headers }) => command === 'SEND' && headers['destination']?.endsWith(queue)).length;
  return { ask, answersTo, warnings, connections: () => connections };
}

describe('a client of ActiveMQ that leaves before its answer', () => {
  it('costs the platform no connection; others are answered on it, and the warning names the request', async () => {
    const gone = `org.apache.activemq.DestinationDoesNotExistException: The destination temp-queue://${GONE} does not exist.\n`;
    const { ask, answersTo, warnings, connections } = await activeMq(gone);
    ask(GONE, { 'correlation-id': 'c17' });
    ask(THERE);
    await expect.poll(() => answersTo(THERE)).toBe(1);
    await expect.poll(() => warnings.length).toBe(1);
    ask(THERE);
    await expect.poll(() => answersTo(THERE)).toBe(2);
    expect(connections()).toBe(1);
    expect(warnings[0]).toMatchObject({
      code: 'UNDELIVERABLE',
      details: { destination: `/queue/${REQUESTS}`, replyTo: `/remote-temp-queue/${GONE}`, correlationId: 'c17' },
    });
    expect(warnings[0]!.message).toContain(`Whoever asked /queue/${REQUESTS} (correlation-id c17) left before`);
  });

  it('is not what any other error about such a queue says', async () => {
    const { ask, warnings } = await activeMq('java.lang.SecurityException: not authorized to write');
    ask(GONE);
    await expect.poll(() => warnings.map(({ code }) => code)).toContain('BUS_UNAVAILABLE');
  });
});
