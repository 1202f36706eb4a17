import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunResult, runCoordination } from '../../../dec/coordinator/index.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import { type RealPlatform, startRealPlatform } from '../../builders/real-platform.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';
import { dec } from '../cli/dec.js';

/*
 * `dec run --platform real` on an imitation of GridAPPS-D with its known defects (tests/builders/real-platform.ts). Each test is
 * a point of the checklist in gridappsd-protocol.md, section 10.5. No real platform was run.
 */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Limit of ANSI C84.1 range A, and what the issue allows a measured voltage beyond. */
const ALLOWED_PU = 1.05 + 1e-3;

let folder = '';
let feeder = '';
let platform: RealPlatform;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dec-real-'));
  feeder = smallSecondariesFile(folder);
  platform = await startRealPlatform({ feeders: [feeder], pauses: true });
});
afterAll(async () => {
  await platform?.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(on: RealPlatform, more: object = {}): Promise<RunResult> {
  return runCoordination({
    feeder,
    broker: { host: '127.0.0.1', port: on.port, useToken: true, login: 'system', passcode: 'manager' },
    platform: 'real',
    audit: false,
    // The feeder's own source voltage is 1.04 pu; a quarter of its load, as the start request can ask for.
    settings: { intervals: 2, intervalS: 600, publishPeriodS: 300, sourceVoltagePu: undefined, hosts: 1, ...more },
  });
}

function expectHeld({ status, reason, intervals }: RunResult): void {
  expect(status, reason).toBe('completed');
  expect(intervals).toHaveLength(2);
  expect(intervals[0]!.before.vMaxPu).toBeGreaterThan(1.055);
  for (const { status, missingAgents, unmeasuredAgents, during } of intervals) {
    expect(status).toBe('converged');
    expect([...missingAgents, ...unmeasuredAgents]).toEqual([]);
    expect(during!.vMaxPu).toBeLessThanOrEqual(ALLOWED_PU);
  }
}

describe('on a real platform', () => {
  let result: RunResult;
  beforeAll(async () => {
    result = await run(platform);
  });

  it('the limits hold: lists inside texts, numbers as texts, late and doubled answers are read', () => {
    expectHeld(result);
  });

  it('every connection logs in with a token of the platform', () => {
    // The coordinator and one agent host.
    expect(platform.tokens).toBe(2);
  });

  it('commands name objects of the dictionary only, and attributes that the bridge has', () => {
    expect(platform.asked).toContain('CIM Dictionary');
    expect(platform.differences.length).toBeGreaterThan(0);
    // An unknown one would have ended the simulation without a word.
    expect(result.intervals.every(({ during }) => during !== undefined)).toBe(true);
  });

  it('no export is asked for that it does not have: admittances are made from the model', () => {
    expect(platform.asked.filter((type) => /YBus|Vnom|DSS/.test(type))).toEqual([]);
  });

  it('no command is sent that only dec platform has', () => {
    expect(platform.asked).not.toContain('StartSimulation');
    expect(new Set(platform.asked.filter((type) => /^[a-z]/.test(type)))).toEqual(
      new Set(['simulation', 'platform', 'update', 'resume', 'stop']),
    );
  });

  it('without a dictionary the units of its model are commanded', async () => {
    const bare = await startRealPlatform({ feeders: [feeder], pauses: true, hasDictionary: false });
    try {
      expectHeld(await run(bare));
      expect(bare.asked).toContain('QUERY_OBJECT_IDS');
    } finally {
      await bare.close();
    }
  });

  it('one that does not pause by itself is followed in real time', async () => {
    const moving = await startRealPlatform({ feeders: [feeder], pauses: false });
    try {
      const real = await run(moving, { isRealtime: true, intervalS: 4, publishPeriodS: 2 });
      expectHeld(real);
    } finally {
      await moving.close();
    }
  });
});

describe('dec run --platform real', () => {
  const words = (more: readonly string[]) => [
    ...[
      'run',
      feeder,
      '--platform',
      'real',
      '--broker',
      `stomp://127.0.0.1:${platform.port}`,
      '--hosts',
      '1',
      '--quiet',
    ],
    ...[
      '--intervals',
      '1',
      '--interval',
      '10m',
      '--store',
      join(folder, 'store'),
      '--out',
      join(folder, 'out'),
      ...more,
    ],
  ];

  it('runs, and writes what it did', async () => {
    const { code, stderr } = await dec(words(['--token']));
    expect(code, stderr).toBe(0);
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'out', 'manifest.json'), 'utf8')));
    expect(manifest.intervals[0]!.status).toBe('converged');
  });

  it.each(['--source-voltage', '--pv-multiplier', '--pv-profile'])(
    'refuses %s, which that platform takes from its model',
    async (option) => {
      const { code, stderr } = await dec(words([option, option.endsWith('profile') ? 'flat' : '1']));
      expect(code).toBe(2);
      expect(stderr).toContain(`${option}: a real platform takes that from its model`);
    },
  );
});
