import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunResult, type RunSettings, runCoordination } from '../../../dec/coordinator/index.js';
import { type AreaPlan, coordinateInProcess } from '../../../grid/optim/index.js';
import { flagshipPath, loadModels } from '../../../platform/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';

const limits = { minPu: 0.95, maxPu: 1.05 };
const scenario = { loadMultiplier: 0.25, pvMultiplier: 0.9, sourceVoltagePu: 1.04 };

/** Flat sun and load: the look-ahead inputs of every interval are those of the scenario. */
function live(areas: AreaPlan | undefined, more: Partial<RunSettings> = {}): Promise<RunResult> {
  return runCoordination({
    feeder: flagshipPath(),
    audit: false,
    settings: {
      ...scenario,
      intervals: 2,
      intervalS: 300,
      publishPeriodS: 300,
      hosts: 2,
      limits,
      roundDeadlineMs: 20_000,
      deadBandW: 0,
      ...(areas === undefined ? {} : { areas }),
      ...more,
    },
  });
}

function central() {
  const { feeder } = loadModels([flagshipPath()])[0]!;
  const total = (shares: readonly { powerW: number; powerVar: number }[], factor: number) => ({
    powerW: factor * shares.reduce((sum, { powerW }) => sum + powerW, 0),
    powerVar: factor * shares.reduce((sum, { powerVar }) => sum + powerVar, 0),
  });
  return coordinateInProcess({
    feeder,
    inputs: {
      loads: Object.fromEntries(feeder.loads.map(({ id, shares }) => [id, total(shares, 0.25)])),
      availableW: Object.fromEntries(feeder.pvSystems.map(({ id, shares }) => [id, total(shares, 0.9).powerW])),
      held: {},
    },
    state: { sourceVoltagePu: 1.04, taps: {}, capacitorSections: {}, openSwitches: [] },
    settings: { limits },
    method: 'central',
    leastCurtailedW: 0,
  });
}

let folder = '';
/** Path of the small feeder: what is proven with it is not about size. */
let small = '';

beforeAll(() => {
  expect(existsSync(new URL('../../../dist/bin/agents-worker.js', import.meta.url)), 'npm run build comes first').toBe(
    true,
  );
  folder = mkdtempSync(join(tmpdir(), 'dec-areas-'));
  small = smallSecondariesFile(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a live run with areas', () => {
  it('is the central optimum of the same inputs, and that of the run without areas', { timeout: 60_000 }, async () => {
    const optimum = central();
    const alpha = new Map(optimum.ders.map((der) => [der.mrid, der.alpha]));
    const bytes: number[] = [];
    for (const areas of [{ kind: 'switches' }, undefined] as const) {
      const result = await live(areas);
      const name = areas === undefined ? 'without areas' : `in ${result.areas.length} areas`;
      bytes.push(result.intervals.reduce((sum, { received }) => sum + received!.bytes, 0));
      expect(result.status).toBe('completed');
      for (const { audit, status, rounds, during, received } of result.intervals) {
        const change = Math.max(...audit!.ders.map((der) => Math.abs(der.alpha - alpha.get(der.derMrid)!)));
        console.log(
          `${name}: ${rounds} rounds, ${(audit!.curtailedW / 1000).toFixed(2)} of ${(optimum.curtailedW / 1000).toFixed(2)} kW, alpha within ${change.toExponential(1)}, ${received!.messages} messages of ${received!.bytes} bytes to the coordinator`,
        );
        expect(status).toBe('converged');
        expect(audit!.ders).toHaveLength(487);
        expect(Math.abs(audit!.curtailedW / optimum.curtailedW - 1)).toBeLessThan(1e-3);
        expect(change).toBeLessThan(1e-3);
        expect(during!.vMaxPu).toBeLessThanOrEqual(limits.maxPu + 1e-4);
      }
    }
    // What comes to the feeder's level is less than what comes from its agents without areas.
    expect(bytes[0]!).toBeLessThan(bytes[1]!);
  });

  // Silence, lost messages and nonsense of areas are in faulty-areas.long.test.ts, in virtual time.
  it('goes on around an area whose host is killed in a round, names its agents, and takes it in again', async () => {
    const warnings: string[] = [];
    const result = await runCoordination({
      feeder: small,
      audit: false,
      agentModule: new URL('./area-mishap.mjs', import.meta.url).href,
      settings: {
        ...{ intervals: 3, intervalS: 600, publishPeriodS: 300, hosts: 2, profileStepS: 600, roundDeadlineMs: 20_000 },
        pvProfile: [0.8, 0.9, 1, 1],
        areas: { kind: 'count', count: 2 },
      },
      onWarning: (text) => warnings.push(text),
    });
    expect(result.status).toBe('completed');
    expect(result.areas).toHaveLength(2);
    const [first, second, third] = result.intervals;
    const killed = result.areas.find(({ hostId }) =>
      warnings.some((text) => text.startsWith(`Agent host ${hostId} ended`)),
    )!;
    const beside = result.agents.filter(({ hostId }) => hostId === killed.hostId).map(({ agentId }) => agentId);
    expect(beside).toHaveLength(killed.agents);
    expect(beside).toContain('9A');
    expect(beside.length).toBeLessThan(result.agents.length);
    expect(first!.missingAgents).toEqual([]);
    expect([...second!.missingAgents].sort()).toEqual([...beside].sort());
    expect(third!.missingAgents).toEqual([]);
    for (const { status, during } of result.intervals) {
      expect(status).toBe('converged');
      expect(during!.vMaxPu).toBeLessThanOrEqual(limits.maxPu + 1e-3);
    }
    // It is no waiting for a deadline: the host's end is known at once.
    expect(second!.seconds).toBeLessThan(20);
    // Their limits stay in force while they are away, and are new when they are back.
    for (const id of beside) {
      expect(second!.setpoints[id]).toBeUndefined();
      expect(third!.setpoints[id]!.length).toBeGreaterThan(0);
    }
  });
});
