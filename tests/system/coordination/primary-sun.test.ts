import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { intervalQuestion } from '../../../dec/coordinator/energies.js';
import { type RunResult, type RunSettings, runCoordination } from '../../../dec/coordinator/index.js';
import { manifestSchema } from '../../../dec/schema/index.js';
import {
  type CoordinationResult,
  coordinateInProcess,
  type FairnessRule,
  fairnessRule,
  nearestMode,
  type ReactiveRule,
  reactiveRule,
} from '../../../grid/optim/index.js';
import { loadModels } from '../../../platform/index.js';
import { LANE_AGENTS, laneFile } from '../../builders/lane.js';
import { feedersDir } from '../../feeders.js';
import { dec } from '../cli/dec.js';

/*
 * PV on the primary in live runs: on a feeder without secondaries every bus with PV is an agent (tests/builders/lane.ts, an
 * OpenDSS script whose units and measurements get their ids from their names); on one with secondaries that have none, it is the
 * coordinator's. Held against the central optimum of the same interval.
 */

vi.setConfig({ testTimeout: 60_000 });

let folder = '';
let lane = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-primary-sun-'));
  lane = laneFile(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = { loadMultiplier: 0.5, pvMultiplier: 1, sourceVoltagePu: 1.03 };

function live(feeder: string, rule: FairnessRule, more: Partial<RunSettings> = {}): Promise<RunResult> {
  return runCoordination({
    feeder,
    audit: false,
    settings: {
      ...scenario,
      intervals: 1,
      intervalS: 300,
      publishPeriodS: 300,
      hosts: 2,
      fairness: nearestMode(rule),
      rule,
      limits: { minPu: 0.95, maxPu: 1.05 },
      roundDeadlineMs: 20_000,
      deadBandW: 0,
      ...more,
    },
  });
}

/** Optimum of the last interval, with the taps that the simulation had. */
function central(path: string, { settings, intervals }: RunResult, rule: FairnessRule): CoordinationResult {
  const { feeder } = loadModels([path])[0]!;
  return coordinateInProcess({
    ...intervalQuestion(feeder, settings, intervals.at(-1)!),
    rule,
    method: 'central',
    leastCurtailedW: 0,
  });
}

/** kW within 0.1 %, alpha within 2e-3, the simulation inside the limits, and every changed unit commanded by its mRID. */
function expectOptimum(path: string, result: RunResult, rule: FairnessRule): void {
  expect(result.status, result.reason).toBe('completed');
  const optimum = central(path, result, rule);
  const { audit, during, before, difference, status, rounds, commanded } = result.intervals.at(-1)!;
  const alpha = new Map(optimum.ders.map((der) => [der.mrid, der.alpha]));
  const change = Math.max(...audit!.ders.map((der) => Math.abs(der.alpha - alpha.get(der.derMrid)!)));
  console.log(
    `${rule.mode} by ${rule.level}: ${(audit!.curtailedW / 1000).toFixed(2)} of ${(optimum.curtailedW / 1000).toFixed(2)} kW, alpha within ${change.toExponential(1)}, ${rounds} rounds`,
  );
  expect([status, optimum.status]).toEqual(['converged', 'optimal']);
  expect(Math.abs(audit!.curtailedW - optimum.curtailedW)).toBeLessThan(1e-3 * optimum.curtailedW + 1);
  expect(change).toBeLessThan(2e-3);
  expect(before.vMaxPu).toBeGreaterThan(1.055);
  expect(during!.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-4);
  expect(commanded).toBeGreaterThan(0);
  const objects = new Set(difference!.input.message.forward_differences.map(({ object }) => object));
  expect(objects.size).toBe(commanded);
  for (const object of objects) expect([...alpha.keys()]).toContain(object);
}

describe('a feeder without secondaries', () => {
  it.each<[Partial<FairnessRule>, Partial<ReactiveRule>?]>([
    [{ mode: 'proportional' }],
    [{ mode: 'equalAlpha' }],
    [{ mode: 'proportional' }, { mode: 'volt-var' }],
  ])('has an agent at every bus with PV, whose dispatch is the central optimum under %o', async (given, reactive) => {
    const rule = fairnessRule(given);
    const result = await live(lane, rule, reactive === undefined ? {} : { reactive: reactiveRule(reactive) });
    expect(result.agents.map(({ agentId }) => agentId)).toEqual(LANE_AGENTS);
    expect(result.intervals[0]!.unmeasuredAgents).toEqual([]);
    expectOptimum(lane, result, rule);
  });

  it('is run by the command line from its OpenDSS script, with the rules side by side', async () => {
    const out = join(folder, 'run');
    const given = ['--load-multiplier', '0.5', '--source-voltage', '1.03', '--pv-profile', 'flat', '--interval', '5m'];
    const run = await dec(['run', lane, '--intervals', '1', ...given, '--out', out, '--compare', '--strict']);
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    expect(run.stdout).toContain(`Set-points, messages, tables and pictures are in ${out}.`);
    expect(run.stdout).toContain('All rules at');
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')));
    expect(manifest.agents).toBe(LANE_AGENTS.length);
    // Nothing has to be curtailed without sun: nothing is sent, and nothing is said to have been.
    const night = await dec([
      'run',
      lane,
      '--intervals',
      '1',
      ...given,
      '--pv-multiplier',
      '0',
      '--out',
      out,
      '--quiet',
    ]);
    expect(night.stdout).toContain(`No set-point was sent. Messages, tables and pictures are in ${out}.`);
  });
});

describe('a feeder whose secondaries have no PV', () => {
  const path = feedersDir === undefined ? '' : join(feedersDir, 'cim', 'IEEE123_PV_meas.xml');
  if (feedersDir === undefined)
    console.warn('primary-sun: IEEE123_PV_meas is skipped, the public feeders are not at hand');

  it.skipIf(feedersDir === undefined).each<Partial<FairnessRule>>([{ mode: 'proportional' }, { mode: 'equalAlpha' }])(
    'has its primary PV commanded by the coordinator, around what 83 agents bear, under %o',
    async (given) => {
      const rule = fairnessRule(given);
      const result = await live(path, rule, { loadMultiplier: 0.3, sourceVoltagePu: 0.98 });
      expect(result.agents).toHaveLength(83);
      expectOptimum(path, result, rule);
    },
  );
});
