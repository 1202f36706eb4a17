import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestSchema } from '../../dec/schema/index.js';
import { smallSecondariesFile } from '../builders/small-secondaries.js';
import { dec } from '../system/cli/dec.js';
import { importHostImage, importNodeImage } from './base-image.js';
import { absence, HOST_IMAGE, type Part, PRODUCT, System, untilSaid } from './system.js';

/*
 * Platform, coordinator, ActiveMQ and three agent hosts, each in a container, on a private network. Whatever is killed or cut
 * off, the voltages that the simulation measures come into their limits, and all agents are there again at the end.
 */

const why = absence();
if (why !== undefined) console.warn(`Skipped: the system in containers, because ${why}.`);

const FEEDER = 'small_secondaries.xml';
const HOSTS = ['left', 'middle', 'right'] as const;
/** Limit of ANSI C84.1 range A, and 1e-3 pu that a measured voltage may be beyond it. */
const ALLOWED_PU = 1.05 + 1e-3;
const WHAT = ['--start', '11:00', '--interval', '15m', '--publish', '5m'];

describe.skipIf(why !== undefined)('the system in containers', () => {
  let folder = '';
  let system: System;
  let broker: Part;
  let platform: Part;
  const hosts = new Map<string, Part>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dec-containers-'));
    smallSecondariesFile(folder);
    importNodeImage('dec-test-base');
    importHostImage(HOST_IMAGE);
    execFileSync('node', ['docker/image.mjs', '--tag', PRODUCT, '--base', 'dec-test-base'], { stdio: 'pipe' });
    system = await System.start(folder);
    broker = await system.broker();
    platform = await system.platform(FEEDER);
  });
  afterAll(async () => {
    await system?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const hostsOf = async (runId: string): Promise<void> => {
    hosts.clear();
    for (const name of HOSTS) hosts.set(name, await system.agents(`${runId}-${name}`, runId));
  };
  const manifest = (name: string) =>
    manifestSchema.parse(JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')));
  /** Runs so many intervals; what happens after the first line of the table is told. */
  const disturbed = async (runId: string, intervals: number, fault: () => Promise<void>) => {
    await hostsOf(runId);
    const coordinator = await system.coordinator(
      FEEDER,
      runId,
      HOSTS.length,
      [...WHAT, '--intervals', String(intervals)],
      runId,
    );
    await untilSaid(coordinator, /\n11:00 /);
    await fault();
    const code = await system.ended(coordinator);
    expect(code, coordinator.said()).toBe(0);
    return manifest(runId);
  };
  /** Voltages as measured, after the set-points of every interval in which agents answered. */
  const expectHeld = (result: ReturnType<typeof manifest>, intervals: number): void => {
    expect(result.intervals).toHaveLength(intervals);
    expect(result.intervals[0]!.before.vMaxPu).toBeGreaterThan(1.06);
    for (const { during } of result.intervals) expect(during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
    expect(result.intervals.at(-1)!.missingAgents).toEqual([]);
    expect(result.intervals.at(-1)!.status).toBe('converged');
  };

  it('comes to the set-points of a run in one process', async () => {
    const own = await dec([
      ...['run', join(folder, FEEDER), ...WHAT, '--intervals', '2', '--out', join(folder, 'own'), '--quiet'],
      ...['--store', join(folder, 'store')],
    ]);
    expect(own.code, own.stderr).toBe(0);
    const result = await disturbed('undisturbed', 2, () => Promise.resolve());
    expectHeld(result, 2);
    for (const [k, { curtailedW }] of result.intervals.entries()) {
      expect(curtailedW).toBe(manifest('own').intervals[k]!.curtailedW);
    }
  });

  it('goes on when an agent host is killed and started again', async () => {
    const result = await disturbed('host-killed', 4, async () => {
      await system.kill(hosts.get('left')!);
      await system.revive(hosts.get('left')!);
    });
    expectHeld(result, 4);
  });

  it('goes on when an agent host is cut off, and takes it back', async () => {
    const result = await disturbed('host-cut', 5, async () => {
      await system.cut(hosts.get('middle')!);
      await new Promise((wake) => setTimeout(wake, 3000));
      await system.heal(hosts.get('middle')!);
    });
    expectHeld(result, 5);
  });

  it('goes on when the broker is killed and started again', async () => {
    const result = await disturbed('broker-killed', 4, async () => {
      await system.kill(broker);
      await system.revive(broker);
    });
    expectHeld(result, 4);
  });

  it('goes on when the coordinator is killed and another one takes its place', async () => {
    await hostsOf('coordinator-killed');
    const words = [...WHAT, '--intervals', '3'];
    const doomed = await system.coordinator(FEEDER, 'coordinator-killed', HOSTS.length, words, 'doomed');
    await untilSaid(doomed, /\n11:00 /);
    await system.kill(doomed);
    // Its claim on the folder of the results lasts that long.
    await new Promise((wake) => setTimeout(wake, 20_000));
    const next = await system.coordinator(FEEDER, 'coordinator-killed', HOSTS.length, words, 'next');
    expect(await system.ended(next), next.said()).toBe(0);
    expectHeld(manifest('coordinator-killed'), 3);
  });

  it('goes on when the platform is killed and started again', async () => {
    const result = await disturbed('platform-killed', 3, async () => {
      await system.kill(platform);
      await system.revive(platform);
    });
    expectHeld(result, 3);
  });
});
