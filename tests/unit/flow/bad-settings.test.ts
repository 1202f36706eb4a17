import { describe, expect, it } from 'vitest';
import { createBatch, createPowerFlow, SERIES_DEFAULTS, SeriesRunner } from '../../../grid/flow/index.js';
import { feeder } from '../../builders/feeder.js';

const model = feeder('plain')
  .source('S', 'A', { kv: 12.47, pu: 1.02, z1: [0.1, 1] })
  .line('L1', 'A', 'B', { r: [[0.3]], x: [[0.6]], phases: 'A' })
  .load('P', 'B', { kw: 100, kvar: 20, phases: 'A' })
  .build();
const refused = (name: string) =>
  expect.objectContaining({ code: 'BAD_ARGUMENT', message: expect.stringContaining(name) });

describe('settings that nothing can be solved with', () => {
  it.each([
    { tolerancePu: -1 },
    { tolerancePu: Number.NaN },
    { maxIterations: 0 },
    { maxIterations: 2.5 },
    { maxControlPasses: -1 },
    { loadMultiplier: Number.NaN },
    { pvMultiplier: Number.POSITIVE_INFINITY },
    { sourceVoltagePu: -1 },
  ])('are refused by a power flow: %o', (settings) => {
    expect(() => createPowerFlow(model, settings).solve()).toThrow(refused(Object.keys(settings)[0]!));
    expect(() => createPowerFlow(model).solve(settings)).toThrow(refused(Object.keys(settings)[0]!));
  });

  it.each([
    { steps: -4 },
    { steps: 2.5 },
    { stepS: Number.NaN },
    { stepS: -900 },
    { startS: Number.NaN },
    { tolerancePu: -1 },
  ])('are refused by a time series: %o', (settings) => {
    const all = { ...SERIES_DEFAULTS, mode: 'daily', steps: 4, stepS: 900, ...settings } as const;
    expect(() => new SeriesRunner(model, all)).toThrow(refused(Object.keys(settings)[0]!));
  });

  it.each([9999, -1, 0.5])('are refused by a batch: node %d', (node) => {
    const flow = createPowerFlow(model);
    // An Int32Array cuts a fraction off; plain numbers reach the check from JavaScript.
    const nodes = [node] as unknown as Int32Array;
    expect(() => createBatch(flow, { outputs: { nodes } })).toThrow(refused('outputs.nodes'));
  });
});
