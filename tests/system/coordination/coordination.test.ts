import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CoordinationMessage, coordination } from '../../../bus/index.js';
import { type RunProgress, type RunResult, runCoordination } from '../../../dec/coordinator/index.js';
import { flagshipPath, startPlatform } from '../../../platform/index.js';
import { SMALL_AGENTS, smallSecondariesFile } from '../../builders/small-secondaries.js';
import { feedersDir } from '../../feeders.js';

/*
 * Everything real: the embedded broker on a TCP port, the platform and its simulation, agents in worker threads that come
 * in by STOMP; first the flagship feeder with 82 service transformers and 487 PV systems, then what does not need its size
 * on a feeder of eight service transformers.
 */

/** Limits of ANSI C84.1 range A, and what the issue allows a measured voltage beyond. */
const MAX_PU = 1.05;
const ALLOWED_PU = 1e-3;

/** Threads and sockets of this process: what a run may not leave behind. Closed handles go with the next turns of the loop. */
function resources(): readonly string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /Worker|MessagePort|TCP/.test(kind))
    .sort();
}

if (feedersDir === undefined)
  console.warn('A feeder without PV: skipped, the public feeders are not at hand (DEC_FEEDERS).');

let folder = '';
let small = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-coordination-'));
  small = smallSecondariesFile(folder);
  expect(existsSync(new URL('../../../dist/bin/agents-worker.js', import.meta.url)), 'npm run build comes first').toBe(
    true,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a run over the real broker with agents in worker threads', () => {
  it('brings the voltage down, keeps it down while PV ramps up, and lifts the limits when PV falls', async () => {
    const before = resources();
    const events: RunProgress[] = [];
    const result = await runCoordination({
      feeder: flagshipPath(),
      settings: {
        intervals: 4,
        intervalS: 900,
        publishPeriodS: 300,
        hosts: 2,
        // One factor per 5 minutes: up for 25 minutes, high, then the sun goes.
        profileStepS: 300,
        pvProfile: [0.7, 0.75, 0.8, 0.88, 0.94, 1, 1, 0.6, 0.2, 0.1, 0.1, 0.1, 0.1],
        roundDeadlineMs: 20_000,
      },
      onProgress: (event) => events.push(event),
    });
    report(result);
    expect(result.status).toBe('completed');
    expect(result.intervals).toHaveLength(4);
    expect(result.agents.length).toBeGreaterThanOrEqual(82);
    const [first, ...later] = result.intervals;
    expect(first!.before.vMaxPu).toBeGreaterThan(MAX_PU + ALLOWED_PU);
    expect(first!.before.violations).toBeGreaterThan(0);
    for (const interval of result.intervals) {
      expect(interval.missingAgents).toEqual([]);
      expect(interval.unmeasuredAgents).toEqual([]);
      expect(interval.status).not.toBe('violated');
      expect(interval.during!.outputs).toBe(3);
      expect(interval.during!.vMaxPu).toBeLessThanOrEqual(MAX_PU + ALLOWED_PU);
      expect(interval.after!.violations).toBe(0);
    }
    expect(first!.difference).toBeDefined();
    expect(first!.audit!.curtailedW).toBeGreaterThan(1000);
    // PV has fallen to a tenth: nothing is held back any more, every unit has its largest power again.
    const last = later.at(-1)!;
    expect(last.audit!.curtailedW).toBe(0);
    const lifted = result.intervals
      .slice(1)
      .flatMap(({ difference }) => difference?.input.message.forward_differences ?? []);
    expect(lifted.length).toBeGreaterThan(0);
    for (const der of last.audit!.ders) expect(der.limitW).toBeGreaterThan(der.availableW);
    expect(events.filter(({ kind }) => kind === 'interval')).toHaveLength(4);
    expect(events.filter(({ kind }) => kind === 'output').length).toBeGreaterThanOrEqual(12);
    await expect.poll(resources, { timeout: 3000 }).toEqual(before);
  });

  it('goes on when one agent throws, ends the interval in time and names the agent', async () => {
    const before = resources();
    const result = await runCoordination({
      feeder: small,
      audit: false,
      agentModule: new URL('./faulty-agent.mjs', import.meta.url).href,
      settings: { intervals: 1, intervalS: 300, publishPeriodS: 300, hosts: 2, roundDeadlineMs: 20_000 },
    });
    expect(result.status).toBe('completed');
    const [interval] = result.intervals;
    expect(interval!.missingAgents).toEqual(['9A']);
    expect(interval!.agentErrors).toEqual([
      { agentId: '9A', message: expect.stringContaining('inverter of a customer does not answer') },
    ]);
    expect(interval!.setpoints['9A']).toBeUndefined();
    expect(Object.keys(interval!.setpoints).length).toBeGreaterThanOrEqual(SMALL_AGENTS.length - 1);
    expect(interval!.after!.vMaxPu).toBeLessThan(interval!.before.vMaxPu);
    await expect.poll(resources, { timeout: 3000 }).toEqual(before);
  });

  it('goes on with the other host when one host dies in the middle of an interval', async () => {
    const before = resources();
    const result = await runCoordination({
      feeder: small,
      audit: false,
      agentModule: new URL('./dying-agent.mjs', import.meta.url).href,
      settings: { intervals: 2, intervalS: 300, publishPeriodS: 300, hosts: 2, roundDeadlineMs: 120_000 },
    });
    // The limits need those who are gone: the run goes to its end, and says that nothing held them.
    expect(result.intervals.map(({ status }) => status)).toEqual(['violated', 'violated']);
    expect(result.status, result.reason).toBe('neverSettled');
    const dead = result.agents.find(({ agentId }) => agentId === '9A')!.hostId;
    const lost = result.agents.filter(({ hostId }) => hostId === dead).map(({ agentId }) => agentId);
    expect(lost.length).toBeGreaterThan(3);
    for (const interval of result.intervals) {
      expect(interval.missingAgents).toEqual(lost.sort());
      // Nobody waits out a deadline of 120 s for a thread that is known to have ended.
      expect(interval.seconds).toBeLessThan(60);
      expect(Object.keys(interval.setpoints).filter((agentId) => lost.includes(agentId))).toEqual([]);
    }
    expect(result.findings.some((text) => text.includes(`Agent host ${dead} ended by itself (code 3)`))).toBe(true);
    await expect.poll(resources, { timeout: 3000 }).toEqual(before);
  });

  it('ends everything it started when it is cancelled', async () => {
    const before = resources();
    const controller = new AbortController();
    const result = await runCoordination({
      feeder: small,
      audit: false,
      settings: { intervals: 50, hosts: 1, roundDeadlineMs: 20_000 },
      signal: controller.signal,
      onProgress: (event) => {
        if (event.kind === 'round' && event.round === 2) controller.abort();
      },
    });
    expect(result.status).toBe('cancelled');
    await expect.poll(resources, { timeout: 3000 }).toEqual(before);
  });

  it('lets nothing of a customer out of the hosts before commitment, and device and limit only then', async () => {
    const platform = await startPlatform({ port: 0, feeders: [small] });
    const bodies: string[] = [];
    // Sees every message of the coordination and takes none.
    const tap = platform.broker.claim(
      'goss.gridappsd.dec.>',
      () => {},
      (message) => {
        bodies.push(message.body);
        return false;
      },
    );
    const { feeder } = platform.store.find(small);
    const result = await runCoordination({
      feeder: small,
      broker: { host: platform.host, port: platform.port },
      audit: false,
      settings: { intervals: 1, intervalS: 300, publishPeriodS: 300, hosts: 2, roundDeadlineMs: 20_000 },
    });
    tap.unsubscribe();
    await platform.close();
    expect(result.status).toBe('completed');
    const messages = bodies
      .map((body): [CoordinationMessage, string] => [coordination.parse(body), body])
      .filter(([message]) => message.sender !== 'coordinator');
    const kinds = new Set(messages.map(([message]) => message.kind));
    for (const kind of ['prepared', 'boundary', 'verified', 'setpoints']) expect(kinds).toContain(kind);
    const customers = [...feeder.loads, ...feeder.batteries, ...feeder.pvSystems].filter(
      ({ terminal }) => feeder.busById.get(terminal.bus)?.isSplitPhase,
    );
    const secrets = new Set(customers.flatMap(({ id, name, terminal }) => [id, name, terminal.bus]));
    expect(secrets.size).toBeGreaterThan(150);
    const served = new Set(result.agents.map(({ agentId }) => agentId));
    for (const [message, body] of messages) {
      if (message.kind === 'setpoints') {
        for (const limits of Object.values(message.agents)) {
          for (const limit of limits)
            expect(Object.keys(limit).sort()).toEqual(['derMrid', 'setpointVar', 'setpointW']);
        }
        continue;
      }
      const words = new Set(body.split(/[^\w-]+/));
      for (const word of words) expect(secrets.has(word) && !served.has(word), `${message.kind}: ${word}`).toBe(false);
      if (message.kind !== 'boundary') continue;
      for (const [agentId, answer] of Object.entries(message.agents)) {
        const { powerW, powerVar, voltageSquaredPu, ...rest } = answer;
        const nodes = result.agents.find((agent) => agent.agentId === agentId)!.phases.length;
        for (const values of [powerW, powerVar, voltageSquaredPu]) expect(values).toHaveLength(nodes);
        expect(Object.keys(rest).sort()).toEqual(['alphaCount', 'alphaSum', 'status']);
      }
    }
  });

  it('works against the wall clock too: what was measured before the set-points acted is not called after', async () => {
    const result = await runCoordination({
      feeder: small,
      audit: false,
      settings: { intervals: 1, intervalS: 16, publishPeriodS: 2, isRealtime: true, hosts: 2, roundDeadlineMs: 20_000 },
    });
    const [interval] = result.intervals;
    expect(interval!.before.vMaxPu).toBeGreaterThan(MAX_PU + ALLOWED_PU);
    expect(interval!.during!.vMaxPu).toBeLessThanOrEqual(MAX_PU + ALLOWED_PU);
  });

  it.skipIf(feedersDir === undefined)('says so and starts nothing when there is no PV to coordinate', async () => {
    const before = resources();
    const result = await runCoordination({ feeder: join(feedersDir!, 'cim', 'IEEE37.xml') });
    expect(result.status).toBe('nothingToCoordinate');
    expect(result.reason).toContain('no PV system');
    expect(result.intervals).toEqual([]);
    expect(resources()).toEqual(before);
  });

  it('names the known feeders when the one asked for is unknown', async () => {
    await expect(runCoordination({ feeder: '_00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({
      code: 'FEEDER_UNKNOWN',
    });
  });
});

/** One line per interval, so that a failure shows what happened. */
function report(result: RunResult): void {
  for (const { interval, status, rounds, corrections, seconds, before, during, audit } of result.intervals) {
    console.info(
      `interval ${interval}: ${status}, ${rounds} rounds, ${corrections} corrections, ${seconds.toFixed(1)} s, ` +
        `before ${before.vMaxPu.toFixed(5)}, after ${during?.vMaxPu.toFixed(5)} pu, ` +
        `${((audit?.curtailedW ?? 0) / 1000).toFixed(1)} kW (${audit?.curtailedPct.toFixed(2)} %), ` +
        `price ${audit?.priceOfFairnessPct?.toFixed(2)} %`,
    );
  }
}
