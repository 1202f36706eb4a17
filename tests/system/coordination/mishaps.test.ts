import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectStomp, encodeFrame, simulationInput, simulationInputTopic } from '../../../bus/index.js';
import { type RunProgress, type RunResult, runCoordination } from '../../../dec/coordinator/index.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import { type Platform, startPlatform } from '../../../platform/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { dec } from '../cli/dec.js';

/*
 * What may happen around a run: loops in the network, others who pause or stop the simulation, a subscriber that does not
 * read, agents that all go. Each has its exit code (docs/errors.md).
 */

vi.setConfig({ testTimeout: 200_000 });

/** Limit of ANSI C84.1 range A, and what the issue allows a measured voltage beyond. */
const ALLOWED_PU = 1.05 + 1e-3;
/** What the broker keeps here for a connection that does not read. */
const BACKLOG_MAX_BYTES = 2e6;
let folder = '';
let small = '';
let meshed = '';
const store = () => ['--store', join(folder, 'store')];
const NOON = ['--intervals', '1', '--interval', '5m', '--start', '12:00'] as const;
const manifestAt = (path: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-mishaps-'));
  small = smallSecondariesFile(folder);
  meshed = smallSecondariesFile(folder, 'meshed_secondaries', true);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dec run on a meshed feeder with PV', () => {
  it('lists every loop with its switches, and starts nothing', async () => {
    const { code, stdout, stderr } = await dec(['run', meshed, ...NOON, '--out', join(folder, 'loops'), ...store()]);
    expect(code).toBe(2);
    expect(stdout).not.toContain('12:00');
    expect(stderr).toMatch(/1\. .*2\. /s);
    for (const name of ['sw7', 'sw8']) expect(stderr).toContain(name);
    expect(stderr).toContain('--open');
  });

  it('tells the loop that is left when one of two is opened', async () => {
    const { code, stderr } = await dec([
      ...['run', meshed, ...NOON, '--open', 'sw7', '--out', join(folder, 'loop'), ...store()],
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('sw8');
    expect(stderr).not.toMatch(/2\. bus/);
  });

  it('coordinates its PV when both are opened', async () => {
    const out = join(folder, 'opened');
    const { code } = await dec(['run', meshed, ...NOON, '--open', 'sw7,sw8', '--out', out, ...store()]);
    expect(code).toBe(0);
    const [interval] = manifestAt(out).intervals;
    expect(interval!.before.vMaxPu).toBeGreaterThan(ALLOWED_PU);
    expect(interval!.during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
    expect(interval!.curtailedW).toBeGreaterThan(1000);
  });
});

/** A run on a platform of this process, beside which somebody else acts when the first output is there. */
async function besides(
  act: (platform: Platform, simulationId: string) => Promise<void>,
  settings: NonNullable<Parameters<typeof runCoordination>[0]['settings']>,
  onPlatform?: (platform: Platform) => void,
): Promise<RunResult> {
  const platform = await startPlatform({
    ...{ port: 0, feeders: [small], brokerLimits: { maxOutputBytes: BACKLOG_MAX_BYTES } },
  });
  onPlatform?.(platform);
  let acted: Promise<void> | undefined;
  let simulationId = '';
  const onProgress = (progress: RunProgress): void => {
    if (progress.kind === 'stage') simulationId = /^simulation (\S+)/.exec(progress.text)?.[1] ?? simulationId;
    if (progress.kind === 'output') acted ??= act(platform, simulationId);
  };
  try {
    const broker = { host: platform.host, port: platform.port };
    const result = await runCoordination({ feeder: small, broker, audit: false, settings, onProgress });
    await acted;
    return result;
  } finally {
    await platform.close();
  }
}

async function send(platform: Platform, simulationId: string, ...commands: ('pause' | 'resume' | 'stop')[]) {
  const { host, port } = platform;
  const bus = await connectStomp({ host, port, login: 'system', passcode: 'manager' });
  for (const command of commands) {
    bus.send(simulationInputTopic(simulationId), simulationInput.format({ command }));
    await bus.flush();
    if (command === 'pause') await new Promise((resolve) => setTimeout(resolve, 1500));
  }
  await bus.close();
}

describe('a simulation that somebody else commands during a run', () => {
  it('and pauses: the run waits, and goes on when it is resumed', async () => {
    const result = await besides((platform, id) => send(platform, id, 'pause', 'resume'), {
      ...{ intervals: 2, intervalS: 4, publishPeriodS: 1, isRealtime: true },
    });
    expect(result.status).toBe('completed');
    expect(result.intervals).toHaveLength(2);
    expect(result.intervals.at(-1)!.status).toBe('converged');
  });

  it('and stops: the run ends, keeps what is done, and says so', async () => {
    const result = await besides((platform, id) => send(platform, id, 'stop'), {
      ...{ intervals: 40, intervalS: 300, publishPeriodS: 300 },
    });
    expect(result.status).toBe('simulationEnded');
    expect(result.reason).toContain('before all intervals were done');
    expect(result.intervals.length).toBeGreaterThan(0);
    expect(result.intervals.length).toBeLessThan(40);
  });
});

describe('a subscriber that does not read', () => {
  it('is dropped messages, told, and bounded; the run goes on', async () => {
    let most = 0;
    let dropped = 0;
    let timer: NodeJS.Timeout | undefined;
    const result = await besides(
      (platform, id) =>
        new Promise((resolve) => {
          const socket = connect({ port: platform.port, host: '127.0.0.1' }, () => {
            // Subscribes and never reads.
            socket.pause();
            const frame = (command: string, headers: Record<string, string>) =>
              socket.write(encodeFrame({ command, headers, body: new Uint8Array() }));
            const login = { login: 'system', passcode: 'manager' };
            frame('CONNECT', { 'accept-version': '1.2', host: 'localhost', ...login });
            frame('SUBSCRIBE', { id: '0', destination: `/topic/goss.gridappsd.simulation.output.${id}` });
            resolve();
          });
          socket.on('error', () => undefined);
        }),
      // 120 outputs of about 0.2 MB each, more than sockets and the broker keep for one subscriber.
      { intervals: 2, intervalS: 300, publishPeriodS: 5 },
      ({ broker }) => {
        timer = setInterval(() => {
          const { backlogBytes, slowDropped } = broker.statistics();
          most = Math.max(most, backlogBytes);
          dropped = slowDropped;
        }, 20);
      },
    ).finally(() => clearInterval(timer));
    expect(result.status).toBe('completed');
    expect(result.intervals.map(({ status }) => status)).toEqual(['converged', 'converged']);
    expect(dropped).toBeGreaterThan(0);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(BACKLOG_MAX_BYTES);
  });
});

describe('a run whose agents all go', () => {
  it('is not done: it ends with 2, its status and the reason', async () => {
    const module = new URL('./leaving-agents.mjs', import.meta.url).href;
    const out = join(folder, 'gone');
    const { code, stdout } = await dec([
      ...['run', small, '--intervals', '2', '--interval', '5m', '--start', '12:00', '--hosts', '1'],
      ...['--agent-module', module, '--out', out, ...store()],
    ]);
    expect(code).toBe(2);
    const { status, reason, intervals } = manifestAt(out);
    expect(status).toBe('agentsLost');
    expect(reason).toMatch(/nobody answered in [12] of 2 intervals/);
    expect(stdout).toContain('All agents are lost');
    expect(intervals.at(-1)!.status).toBe('noAgents');
  });
});
