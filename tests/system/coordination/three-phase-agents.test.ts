import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { intervalQuestion } from '../../../dec/coordinator/energies.js';
import { runCoordination } from '../../../dec/coordinator/index.js';
import { coordinateInProcess } from '../../../grid/optim/index.js';
import { loadModels } from '../../../platform/index.js';
import { laneFile, THREE_PHASE_LANE } from '../../builders/lane.js';

/*
 * Live agents whose units share one fraction over three phases (tests/builders/lane.ts) change over from prices, which crawl, to
 * cuts: 103 rounds in one interval, and 0.13 % from the central optimum, before.
 */

vi.setConfig({ testTimeout: 90_000 });

let folder = '';
let lane = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-three-phases-'));
  lane = laneFile(folder, THREE_PHASE_LANE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a live run with units of three phases', () => {
  it('comes to the central optimum in 40 rounds, and begins with cuts in the next interval', async () => {
    const result = await runCoordination({
      feeder: lane,
      audit: false,
      settings: {
        loadMultiplier: 1,
        pvMultiplier: 1,
        sourceVoltagePu: 1.03,
        intervals: 2,
        intervalS: 300,
        publishPeriodS: 300,
        hosts: 1,
        limits: { minPu: 0.95, maxPu: 1.05 },
        roundDeadlineMs: 20_000,
        deadBandW: 0,
      },
    });
    expect(result.status, result.reason).toBe('completed');
    const { feeder } = loadModels([lane])[0]!;
    for (const interval of result.intervals) {
      const question = intervalQuestion(feeder, result.settings, interval);
      const central = coordinateInProcess({ ...question, method: 'central', leastCurtailedW: 0 });
      expect([interval.status, central.status]).toEqual(['converged', 'optimal']);
      expect(Math.abs(interval.audit!.curtailedW / central.curtailedW - 1)).toBeLessThan(1e-3);
      expect(interval.during!.vMaxPu).toBeLessThanOrEqual(1.05 + 1e-4);
    }
    const [first, second] = result.intervals;
    expect(first!.rounds).toBeLessThanOrEqual(40);
    expect(first!.findings).toEqual([]);
    expect(second!.rounds).toBeLessThanOrEqual(10);
  });
});
