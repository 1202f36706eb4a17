import { afterEach, describe, expect, it } from 'vitest';
import { type Broker, type BusError, parseUsers, startBroker } from '../../../bus/index.js';
import { RawClient } from '../../conformance/bus/raw-client.js';

let broker: Broker | undefined;
let client: RawClient | undefined;
afterEach(async () => {
  client?.socket.destroy();
  await broker?.close();
});

/** Subscribes as a client of elsewhere, which sends what it is given. */
async function subscribed(...destinations: string[]) {
  const warnings: BusError[] = [];
  broker = await startBroker({ port: 0, onWarning: (warning) => warnings.push(warning) });
  client = await RawClient.login(broker.port);
  for (const [i, destination] of destinations.entries()) {
    await client.sendAndWait('SUBSCRIBE', { id: String(i), destination });
  }
  return warnings.map(({ code, message, details }) => ({ code, message, destination: details['destination'] }));
}

describe('a subscription whose wildcard stands in the wrong place', () => {
  it('stands, as on ActiveMQ, and the log says once what is wrong with it', async () => {
    const warnings = await subscribed('/topic/goss.>.x', '/topic/goss.>.x', '/queue/>.x', 'a..b', '/topic/.a');
    expect(warnings.map(({ code, destination }) => [code, destination])).toEqual([
      ['BAD_ARGUMENT', '/topic/goss.>.x'],
      ['BAD_ARGUMENT', '/queue/>.x'],
      ['BAD_ARGUMENT', '/queue/a..b'],
      ['BAD_ARGUMENT', '/topic/.a'],
    ]);
    expect(warnings[0]!.message).toMatch(/whole of its last level only/);
    expect(warnings[2]!.message).toMatch(/level of it is empty/);
  });

  it('is not said of what is right, nor of temporary names', async () => {
    expect(
      await subscribed(
        '/topic/>',
        '/queue/goss.>',
        'goss.*.x',
        '/topic/a.>.>',
        '/temp-queue/response..1',
        '/topic/2*3',
      ),
    ).toEqual([]);
  });
});

describe('a permission that cannot be meant', () => {
  const file = (pattern: string) => {
    const password = `scrypt:32768:8:1:${'a'.repeat(16)}:${'b'.repeat(43)}`;
    return JSON.stringify({ users: { viz: { password, roles: ['user'], subscribe: ['/topic/ok.>', pattern] } } });
  };

  it.each(['/topic/goss.>.x', 'goss..x', '/queue/.a', '>.a', '>x', '/topic/a.x>'])(
    '%s is refused by the file of users',
    (pattern) => {
      expect(() => parseUsers(file(pattern), 'users.json')).toThrow(
        expect.objectContaining({
          code: 'BAD_ARGUMENT',
          message: expect.stringMatching(/users\.json.*users\.viz\.subscribe\.1.*is no pattern/),
        }),
      );
    },
  );

  it.each(['>', '/queue/>', 'goss.*.x', '/topic/goss.>'])('%s is not', (pattern) => {
    expect(parseUsers(file(pattern), 'users.json')['viz']?.subscribe).toContain(pattern);
  });
});
