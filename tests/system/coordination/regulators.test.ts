import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { intervalQuestion } from '../../../dec/coordinator/energies.js';
import { runCoordination } from '../../../dec/coordinator/index.js';
import { coordinateInProcess } from '../../../grid/optim/index.js';
import { loadModels } from '../../../platform/index.js';
import { regulatedLaneFile } from '../../builders/regulated-lane.js';

/*
 * Regulators answer a curtailment between two intervals (tests/builders/regulated-lane.ts): with set-points for the taps that
 * were measured, the first output after they had acted stood at 1.0462 pu where 1.04 is the limit.
 */

vi.setConfig({ testTimeout: 90_000 });

let folder = '';
let lane = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-regulators-'));
  lane = regulatedLaneFile(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a live run on a feeder whose regulators act', () => {
  it('keeps the limits from the first set-points on, before and after the taps have moved', async () => {
    const warnings: string[] = [];
    const result = await runCoordination({
      feeder: lane,
      audit: false,
      onWarning: (text) => warnings.push(text),
      settings: {
        loadMultiplier: 1,
        pvMultiplier: 1,
        sourceVoltagePu: 1,
        intervals: 2,
        intervalS: 300,
        publishPeriodS: 60,
        hosts: 1,
        limits: { minPu: 0.95, maxPu: 1.04 },
        roundDeadlineMs: 20_000,
        deadBandW: 0,
      },
    });
    expect(result.status, result.reason).toBe('completed');
    expect(warnings.filter((text) => text.includes('positions'))).toEqual([]);
    const [first, second] = result.intervals;
    expect(first?.before.vMaxPu).toBeGreaterThan(1.045);
    expect(first?.controls).toMatchObject({ isAtRest: true, holds: true });
    expect(first?.controls?.moves.length).toBeGreaterThan(0);
    expect(first?.corrections).toBeLessThanOrEqual(3);
    for (const interval of [first, second]) {
      expect(interval?.status).toBe('converged');
      expect(interval?.during?.vMaxPu).toBeLessThanOrEqual(1.04 + 1e-5);
      expect(interval?.ac?.vMaxPu).toBeLessThanOrEqual(1.04 + 1e-5);
    }
    // The simulation's regulators went where the coordinator had seen them go.
    for (const { id, to } of first?.controls?.moves ?? []) expect(second?.state?.taps[id]).toBe(to);
    // The first output after the set-points has them there already, and the run tells so.
    const { feeder } = loadModels([lane])[0]!;
    const steps = feeder.regulators.map(({ id, name }) => [name, second?.state?.taps[id]]);
    expect(first?.positions?.map(({ name, position }) => [name, position])).toEqual(steps);
    const central = coordinateInProcess({
      ...intervalQuestion(feeder, result.settings, first!),
      method: 'central',
      leastCurtailedW: 0,
    });
    expect(Math.abs(first!.audit!.curtailedW / central.curtailedW - 1)).toBeLessThan(2e-3);
  });
});
