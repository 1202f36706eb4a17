import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectStomp, coordinationReply, coordinationTopic, simulationOutputTopic } from '../../../bus/index.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { dec, finish, start, until } from '../cli/dec.js';

/*
 * Whole runs as processes: what is told of agents and topics that misbehave, what two runs at once do to each other, what
 * is left of a run that is stopped, and that set-points do not depend on hosts or repetition.
 */

// Up to three whole runs a test; processes of their own share two cores.
vi.setConfig({ testTimeout: 300_000 });

const QUICK = ['--intervals', '2', '--interval', '5m', '--start', '12:00'] as const;
let folder = '';
/** Path of the small feeder: what is proven here is not about size. */
let small = '';
const store = () => ['--store', join(folder, 'store')];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-disturbance-'));
  small = smallSecondariesFile(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifestAt = (path: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')));

describe('a run tells people', () => {
  it('on stderr which agents fail, with the reason, at each interval', async () => {
    const module = new URL('./faulty-agent.mjs', import.meta.url).href;
    const out = join(folder, 'faulty');
    const { code, stdout, stderr } = await dec([
      'run',
      small,
      ...QUICK,
      '--agent-module',
      module,
      '--out',
      out,
      ...store(),
    ]);
    expect(code).toBe(0);
    const told = stderr.split('\n').filter((line) => line.includes('agent 9A failed'));
    expect(told).toEqual(['12:00', '12:05'].map((time) => expect.stringMatching(`^${time}: agent 9A failed \\(`)));
    expect(told[0]).toContain('the inverter of a customer does not answer');
    expect(stdout).not.toContain('9A');
    const { intervals } = manifestAt(out);
    expect(intervals.map(({ missingAgents }) => missingAgents)).toEqual([['9A'], ['9A']]);
    // The others agree without it: one agent that breaks down does not keep the rounds from ending.
    for (const { status, rounds, during } of intervals) {
      expect(status).toBe('converged');
      expect(rounds).toBeLessThan(200);
      expect(during!.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-3);
    }
    const quiet = await dec([
      ...['run', small, ...QUICK, '--agent-module', module, '--out', join(folder, 'quiet'), '--quiet'],
      ...store(),
    ]);
    expect(quiet.stderr).toBe('');
  });

  it('on stderr which agents are missing when their host dies, and that another one was started in its place', async () => {
    const module = new URL('./dying-agent.mjs', import.meta.url).href;
    const out = join(folder, 'dying');
    const { code, stderr } = await dec(['run', small, ...QUICK, '--agent-module', module, '--out', out, ...store()]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/Agent host host-\d ended by itself \(code 3\); its agents are lost\./);
    expect(stderr).toMatch(/^12:00: agents .*: \d+ agents did not answer/m);
    expect(stderr).toMatch(/Agent host host-3 was started in the place of host-\d\./);
    // The agent that ends its host ends this one too; nobody else's host is given it.
    expect(stderr).toMatch(/ended by itself \(code 3\); its agents are lost\. \(2 of this kind\)/);
    const [first, second] = manifestAt(out).intervals;
    expect(first!.missingAgents).toContain('9A');
    expect(second!.missingAgents).toEqual(first!.missingAgents);
  });

  it('a flood of garbage on its topics in a line a topic, with the number, and goes on', async () => {
    const platform = start(['platform', '--port', '0', '--feeder', small, '--quiet', ...store()]);
    const ended = finish(platform);
    const { stomp } = JSON.parse(await until(platform, 'stdout', /\n/));
    const { hostname: host, port } = new URL(stomp);
    const bus = await connectStomp({ host, port: Number(port), login: 'system', passcode: 'manager' });
    const out = join(folder, 'flood');
    const topics = new Set<string>();
    const FLOOD = 300;
    bus.subscribe(simulationOutputTopic('any').replace('any', '>'), ({ destination, body }) => {
      if (topics.has(destination) || body.startsWith('garbage')) return;
      topics.add(destination);
      const all = [destination, coordinationTopic('flood'), coordinationReply('flood')];
      for (let k = 0; k < FLOOD; k++) for (const topic of all) bus.send(topic, `garbage ${k} {"a":${k}`);
    });
    const { code, stderr } = await dec([
      ...['run', small, ...QUICK, '--broker', stomp, '--run-id', 'flood', '--out', out],
      ...store(),
    ]);
    await bus.close();
    platform.kill('SIGTERM');
    await ended;
    expect(code).toBe(0);
    const manifest = manifestAt(out);
    expect(manifest.status).toBe('completed');
    expect(manifest.intervals[0]!.during!.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-3);
    const malformed = manifest.findings.filter((text) => text.includes('Malformed'));
    expect(malformed.some((text) => text.endsWith(`(${FLOOD} of this kind)`))).toBe(true);
    // Who hears a topic says so once, and once more with the number: the run itself and its two hosts.
    expect(malformed.length).toBeLessThanOrEqual(8);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(20);
  });
});

describe('set-points', () => {
  it('are the same to the byte with one host, with three, and in a repeated run', async () => {
    const runs = [
      ['one', '1'],
      ['three', '3'],
      ['again', '3'],
    ] as const;
    for (const [name, hosts] of runs) {
      const { code } = await dec([
        'run',
        small,
        ...QUICK,
        '--hosts',
        hosts,
        '--out',
        join(folder, name),
        '--quiet',
        ...store(),
      ]);
      expect(code).toBe(0);
    }
    const [one, ...others] = runs.map(([name]) => {
      const path = join(folder, name);
      const simulation = String(manifestAt(path).simulationId);
      const files = readdirSync(path).filter((file) => /^agent_|^setpoints|^difference|^voltages\.parquet/.test(file));
      // The platform gives each simulation a number of its own; all else is the run's.
      return new Map(
        files.map((file) => [file, readFileSync(join(path, file), 'latin1').replaceAll(simulation, 'SIMULATION')]),
      );
    });
    expect(one!.size).toBeGreaterThan(10);
    for (const other of others) {
      expect([...other.keys()]).toEqual([...one!.keys()]);
      for (const [file, content] of other) expect(content === one!.get(file), file).toBe(true);
    }
  });
});

describe('runs beside each other', () => {
  it('start at the same moment, get a folder each, and a later one with other settings destroys neither', async () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'));
    const two = await Promise.all([1, 2].map(() => dec(['run', small, ...QUICK, ...store()], 'dec', cwd)));
    expect(two.map(({ code }) => code)).toEqual([0, 0]);
    const folders = readdirSync(join(cwd, 'outputs')).sort();
    expect(folders).toEqual([
      expect.stringMatching(/^small_secondaries_2026-04-21T1200_[0-9a-f]{6}$/),
      expect.stringMatching(/^small_secondaries_2026-04-21T1200_[0-9a-f]{6}-2$/),
    ]);
    const before = folders.map((name) => readFileSync(join(cwd, 'outputs', name, 'manifest.json'), 'utf8'));
    const other = await dec(['run', small, ...QUICK, '--fairness', 'equalAlpha', ...store()], 'dec', cwd);
    expect(other.code).toBe(0);
    expect(readdirSync(join(cwd, 'outputs'))).toHaveLength(3);
    for (const [k, name] of folders.entries()) {
      expect(readFileSync(join(cwd, 'outputs', name, 'manifest.json'), 'utf8')).toBe(before[k]);
    }
  });

  it('refuse a folder that another one is at work in', async () => {
    const out = join(folder, 'held');
    const first = start(['run', small, '--realtime', '--intervals', '50', '--out', out, ...store()]);
    const ended = finish(first);
    await expect.poll(() => existsSync(join(out, '.dec-run')), { timeout: 20_000 }).toBe(true);
    const second = await dec(['run', small, ...QUICK, '--out', out, ...store()]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('is at work in');
    first.kill('SIGTERM');
    expect((await ended).code).toBe(4);
  });
});

describe('a run that is stopped', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s leaves no process, no temporary file and no claim', async (signal) => {
    const cwd = mkdtempSync(join(folder, 'cwd-'));
    const temporary = mkdtempSync(join(folder, 'tmp-'));
    const child = start(['run', small, '--intervals', '50', ...store()], 'dec', cwd, { TMPDIR: temporary });
    const ended = finish(child);
    // After the first row: the audit, the hosts and the simulation are at work.
    await until(child, 'stdout', /\n10:00 /);
    expect(childrenOf(child.pid!)).toEqual([]);
    child.kill(signal);
    const { code } = await ended;
    expect(code).toBe(4);
    expect(() => process.kill(child.pid!, 0)).toThrow('ESRCH');
    expect(readdirSync(temporary)).toEqual([]);
    const [name] = readdirSync(join(cwd, 'outputs'));
    const path = join(cwd, 'outputs', name!);
    expect(readdirSync(path)).not.toContain('.dec-run');
    expect(manifestAt(path).status).toBe('cancelled');
  });
});

/** Processes that a process has started: a run works with threads, which end with it. Empty where there is no /proc. */
function childrenOf(pid: number): readonly string[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean) : [];
}
