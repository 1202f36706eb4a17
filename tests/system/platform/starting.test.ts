import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import {
  connectStomp,
  hashPassword,
  MODEL_QUERY_QUEUE,
  PLATFORM_LOG_TOPIC,
  SIMULATION_REQUEST_QUEUE,
  simulationLog,
} from '../../../bus/index.js';
import { startPlatform } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';

const USER = { login: 'system', passcode: 'manager' };
const START_S = 1_655_251_200;
/** What the platform may hold, kB; GridAPPS-D protocol, section 7. */
const RSS_MAX_KB = 300_000;

describe('starting and ending', () => {
  it('names the port that is in use', async () => {
    const platform = await startPlatform({ port: 0 });
    try {
      await expect(startPlatform({ port: platform.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    } finally {
      await platform.close();
    }
  });

  it('holds less than 300 MB with two feeders of IEEE 123, an answer of 6 MB to SPARQL included', async () => {
    const feeder = feedersDir === undefined ? [] : ['--feeder', join(feedersDir, 'cim', 'IEEE123_PV.xml')];
    const hook = `data:text/javascript,${encodeURIComponent("process.on('exit',()=>process.stderr.write('maxRSS='+process.resourceUsage().maxRSS))")}`;
    const args = ['--import', hook, 'dist/bin/dec.js', 'platform', '--port', '0', '--quiet', ...feeder];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    try {
      const [ready] = await once(createInterface(child.stdout), 'line');
      const bus = await connectStomp({
        port: Number(new URL(JSON.parse(ready).stomp).port),
        ...USER,
        reconnect: false,
      });
      const question = { requestType: 'QUERY', queryString: 'SELECT ?s ?p ?o {?s ?p ?o} LIMIT 30000' };
      const { body } = await bus.request(MODEL_QUERY_QUEUE, JSON.stringify(question));
      expect(body.length).toBeGreaterThan(6e6);
      expect(JSON.parse(body)).toMatchObject({ responseComplete: true, id: expect.stringMatching(/^\d+$/) });
      await bus.close();
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    expect(Number(/maxRSS=(\d+)$/.exec(said)?.[1])).toBeLessThan(RSS_MAX_KB);
  });

  it('refuses a list of users with nobody in it', async () => {
    await expect(startPlatform({ port: 0, users: {} })).rejects.toThrow('nobody could log in');
  });

  it('names a feeder file that cannot be read, and leaves the port free', async () => {
    const probe = await startPlatform({ port: 0 });
    const { port } = probe;
    await probe.close();
    await expect(startPlatform({ port, feeders: [join(tmpdir(), 'dec-none', 'missing.xml')] })).rejects.toThrow(
      /missing\.xml/,
    );
    const again = await startPlatform({ port });
    expect(again.port).toBe(port);
    await again.close();
  });

  it('refuses an open interface with the default passwords', async () => {
    await expect(startPlatform({ port: 0, host: '0.0.0.0' })).rejects.toThrow(/default passwords/);
    // A file of users that keeps one of them is no better, hashed or not, under whatever name.
    const operator1 = { password: await hashPassword('operator'), roles: ['user'] };
    const viz = { password: await hashPassword('manager'), roles: ['user'] };
    const own = { password: await hashPassword('my own'), roles: ['user'] };
    const refused = startPlatform({ port: 0, host: '0.0.0.0', users: { operator1, own, viz } });
    await expect(refused).rejects.toThrow(/and operator1, viz have a well-known default password/);
  });

  it('ends running simulations when it is closed, and is up again at the same port', async () => {
    const second = await startPlatform({ port: 0 });
    const client = await connectStomp({ port: second.port, ...USER, reconnect: false });
    const ends: string[] = [];
    client.subscribe(PLATFORM_LOG_TOPIC, ({ body }) => ends.push(simulationLog.parse(body).logMessage));
    const request = {
      power_system_configs: [{ Line_name: 'ieee123sec_dec' }],
      simulation_config: { start_time: START_S, duration: 3600 },
    };
    await client.request(SIMULATION_REQUEST_QUEUE, JSON.stringify(request));
    expect(second.runs()).toHaveLength(1);
    await second.close();
    expect(second.runs()[0]!.state).toBe('ended');
    await client.close();
    // How long a start takes is measured where the machine is quiet, not here.
    const again = await startPlatform({ port: second.port });
    expect(again.port).toBe(second.port);
    await again.close();
  });
});
