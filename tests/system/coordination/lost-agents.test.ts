import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coordination } from '../../../bus/index.js';
import { type RunResult, runCoordination } from '../../../dec/coordinator/index.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import { isViolated } from '../../../dec/strictness.js';
import type { FairnessMode } from '../../../grid/optim/index.js';
import { startPlatform } from '../../../platform/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { dec, finish, start } from '../cli/dec.js';

/*
 * Agents that go, over the real broker: the others coordinate around what they will really do, nobody is released, and the
 * run says so.
 */

/** Limit of ANSI C84.1 range A, and what the issue allows a measured voltage beyond. */
const ALLOWED_PU = 1.05 + 1e-3;
let folder = '';
/** Path of the small feeder: what is proven here is not about size. */
let small = '';

beforeAll(() => {
  expect(existsSync(new URL('../../../dist/bin/agents-worker.js', import.meta.url)), 'npm run build comes first').toBe(
    true,
  );
  folder = mkdtempSync(join(tmpdir(), 'dec-lost-'));
  small = smallSecondariesFile(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run while PV rises, with agents of the module of this folder that misbehaves in a given way. */
function rising(module: string | undefined, fairness: FairnessMode = 'proportional'): Promise<RunResult> {
  return runCoordination({
    feeder: small,
    audit: false,
    ...(module === undefined ? {} : { agentModule: new URL(`./${module}`, import.meta.url).href }),
    settings: {
      ...{ intervals: 2, intervalS: 600, publishPeriodS: 300, hosts: 2, roundDeadlineMs: 20_000, profileStepS: 600 },
      pvProfile: [0.8, 0.9, 1, 1],
      fairness,
    },
  });
}

describe('agents that go', () => {
  it('while a host is killed: the voltage is kept, and its agents are made again on the host that is left', async () => {
    const store = ['--store', join(folder, 'store')];
    const platform = await startPlatform({ port: 0, feeders: [small] });
    const stomp = platform.stompUrl;
    const hosts = ['left', 'right'].map((name) =>
      start(['agents', '--broker', stomp, '--run-id', 'lost', '--name', name, '--quiet']),
    );
    const closed = hosts.map(finish);
    const out = join(folder, 'killed');
    const run = start([
      ...[
        'run',
        small,
        '--broker',
        stomp,
        '--run-id',
        'lost',
        '--hosts',
        '0',
        '--external-hosts',
        '2',
        '--start',
        '10:00',
      ],
      ...['--intervals', '3', '--interval', '15m', '--out', out, ...store],
    ]);
    // Before the broker hands on what the coordinator asks in the second interval: that host answers no more.
    platform.broker.claim(
      'goss.gridappsd.dec.>',
      () => undefined,
      ({ body, destination }) => {
        const { kind, interval, round } = coordination.parse(body, destination);
        if (kind === 'round' && interval === 1 && round > 1) hosts[0]!.kill('SIGKILL');
        return false;
      },
    );
    const { code, stderr } = await finish(run);
    hosts[1]!.kill('SIGTERM');
    await Promise.all(closed);
    await platform.close();
    expect(code, stderr).toBe(0);
    const { intervals } = manifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect(intervals).toHaveLength(3);
    for (const { status, during } of intervals) {
      expect(status).not.toBe('violated');
      expect(during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
    }
    // The interval that was at work went on around its agents.
    expect(intervals[1]!.missingAgents.length).toBeGreaterThan(3);
    expect(intervals.at(-1)!.missingAgents).toEqual([]);
    const curtailed = intervals.map((interval) => interval.curtailedW ?? 0);
    expect(curtailed[2]!).toBeGreaterThan(curtailed[0]!);
  });

  it.each([
    ['throw when they are made', 'unmade-agents.mjs', /cannot be made/],
    ['give set-points that are no numbers', 'nonsense-setpoints.mjs', /is NaN W/],
  ])('agents that %s keep their limits in force, and the voltage is kept around them', async (_, module, reason) => {
    const result = await rising(module);
    const ids = ['9A', '10A'].filter((id) => result.agents.some(({ agentId }) => agentId === id));
    expect(ids).toContain('9A');
    for (const interval of result.intervals) {
      expect(interval.status).toBe('converged');
      expect(interval.missingAgents).toEqual([...ids].sort());
      expect(interval.agentErrors.map(({ agentId }) => agentId).sort()).toEqual([...ids].sort());
      for (const { message } of interval.agentErrors) expect(message).toMatch(reason);
      for (const id of ids) expect(interval.setpoints[id]).toBeUndefined();
      expect(interval.during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
      expect(interval.rounds).toBeLessThan(200);
      // What the AC check foretold is what the simulation measured: the absent ones are in it.
      expect(Math.abs(interval.ac!.vMaxPu - interval.during!.vMaxPu)).toBeLessThan(1e-3);
    }
  });

  it.each(['proportional', 'equalAlpha'] as const)(
    'says under %s that the limits are violated where the others cannot keep them, and does not make it worse',
    async (fairness) => {
      const before = await rising('absent-majority.mjs', fairness);
      const [first, second] = before.intervals;
      expect(first!.status).toBe('violated');
      expect(first!.during!.vMaxPu).toBeLessThan(first!.before.vMaxPu);
      expect(first!.findings.join(' ')).toMatch(/agents take no part and keep their limits in force/);
      // PV rises by an eighth, and nobody is released for it.
      const limits = (interval: typeof first) =>
        Object.values(interval!.setpoints)
          .flat()
          .reduce((sum, { setpointW }) => sum + setpointW, 0);
      expect(limits(second)).toBeLessThanOrEqual(limits(first) * 1.02);
      // Those who take part go as far as they can: by the rule all alike, or those whose power counts at the worst node.
      const most = (id: string) => Math.max(...(first!.setpoints[id] ?? []).map(({ setpointW }) => setpointW));
      const present = fairness === 'equalAlpha' ? Object.keys(first!.setpoints) : ['9A', 'primary'];
      expect(present).toContain('9A');
      for (const id of present) expect(most(id)).toBeLessThan(1);
      // And --strict ends with 3.
      expect(isViolated(before)).toBe(true);
    },
  );

  it('are made up for under equalAlpha too, where the others can', async () => {
    const result = await rising('unmade-agents.mjs', 'equalAlpha');
    for (const interval of result.intervals) {
      expect(interval.missingAgents.length).toBeGreaterThan(1);
      expect(interval.status).toBe('converged');
      expect(interval.during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
    }
  });
});

describe('a run whose subscriptions take time', () => {
  it('begins with the first output, at the simulated start', async () => {
    const out = join(folder, 'late');
    const { code, stderr } = await dec([
      ...['run', small, '--intervals', '1', '--interval', '5m', '--start', '12:00', '--hosts', '4', '--out', out],
      ...['--store', join(folder, 'store')],
    ]);
    expect(code).toBe(0);
    expect(stderr).not.toContain('missed');
    const { intervals } = manifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect(new Date(intervals[0]!.timestamp * 1000).toISOString()).toContain('T12:00');
  });
});
