import { describe, expect, it } from 'vitest';
import { InlineWorker, runChunks } from '../../../dec/series/index.js';
import {
  type ChunkResult,
  chunkCount,
  createPowerFlow,
  type FeederFlow,
  profileValue,
  reactiveValue,
  SERIES_DEFAULTS,
  SeriesRunner,
  type SeriesSettings,
  timeOfStep,
} from '../../../grid/flow/index.js';
import type { Feeder, ProfileNames } from '../../../grid/model/index.js';
import { busyFeeder } from './busy-feeder.js';

const STEPS = 480;

const FUNCTION = [
  'new xycurve.v npts=6 xarray=[0.5 0.92 0.98 1.02 1.08 1.5] yarray=[0.44 0.44 0 0 -0.44 -0.44]',
  'new invcontrol.v derlist=[pvsystem.p] mode=voltvar vvc_curve1=v',
];

function settingsOf(change: Partial<SeriesSettings> = {}): SeriesSettings {
  return { ...SERIES_DEFAULTS, mode: 'daily', stepS: 300, steps: STEPS, keptNodes: [0, 4, 7, 10], ...change };
}

/** All pieces by so many workers, in order. */
async function pieces(feeder: Feeder, settings: SeriesSettings, workers = 1): Promise<ChunkResult[]> {
  const hands = Array.from({ length: workers }, () => new InlineWorker(new SeriesRunner(feeder, settings)));
  const results: ChunkResult[] = [];
  const start = new SeriesRunner(feeder, settings).initialState();
  const count = await runChunks(hands, chunkCount(settings), start, (result) => {
    results.push(result);
  });
  expect(count).toBe(chunkCount(settings));
  return results;
}

/** Bits of all numbers of a result. */
const bits = (results: readonly ChunkResult[]) => results.map((result) => JSON.stringify(result, replaceArrays));
function replaceArrays(_: string, value: unknown): unknown {
  if (value instanceof Float64Array) return Array.from(new BigUint64Array(value.slice().buffer), String);
  return ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value;
}

const moves = (results: readonly ChunkResult[], kind: 0 | 1): number =>
  results.reduce((sum, { operations }) => sum + operations.kind.filter((k) => k === kind).length, 0);

describe.each([
  ['static', 'static' as const, []],
  ['time', 'time' as const, []],
  ['static with an inverter function', 'static' as const, FUNCTION],
])('a series with controls in mode %s', (_, controlMode, more) => {
  const feeder = busyFeeder(...more);

  it('has the same bits for any number of workers', async () => {
    const settings = settingsOf({ controlMode });
    const one = await pieces(feeder, settings, 1);
    expect(one.length).toBeGreaterThan(5);
    expect(moves(one, 0)).toBeGreaterThan(10);
    expect(moves(one, 1)).toBeGreaterThan(3);
    const expected = bits(one);
    for (const workers of [2, 3]) {
      const found = bits(await pieces(feeder, settings, workers));
      found.forEach((text, chunk) => {
        expect(text === expected[chunk], `piece ${chunk}, ${workers} workers`).toBe(true);
      });
    }
  });

  it('has the same bits for any number of steps side by side', async () => {
    const expected = bits(await pieces(feeder, settingsOf({ controlMode, width: 1 })));
    for (const width of [2, 4, 8]) {
      const found = bits(await pieces(feeder, settingsOf({ controlMode, width })));
      found.forEach((text, chunk) => {
        expect(text === expected[chunk], `piece ${chunk}, width ${width}`).toBe(true);
      });
    }
  });
});

/** Tells a power flow what its devices do at a time, device by device. */
function setDevices(flow: FeederFlow, timeS: number): void {
  const { feeder } = flow;
  const profileOf = (names: ProfileNames | undefined) => feeder.profiles.find(({ name }) => name === names?.daily)!;
  for (const { id, shares, profiles } of feeder.loads) {
    const profile = profileOf(profiles);
    const powerW = shares.reduce((sum, share) => sum + share.powerW, 0) * profileValue(profile, timeS)!;
    const powerVar = shares.reduce((sum, share) => sum + share.powerVar, 0) * reactiveValue(profile, timeS)!;
    flow.setLoadPower(id, powerW, powerVar);
  }
  for (const { id, profiles } of feeder.pvSystems) flow.setIrradiance(id, profileValue(profileOf(profiles), timeS)!);
  for (const { id, profiles } of feeder.batteries) flow.followProfile(id, profileValue(profileOf(profiles), timeS)!);
}

describe('a series', () => {
  it('equals the snapshots of its steps, with independent losses and energy in balance', async () => {
    const feeder = busyFeeder();
    const flow = createPowerFlow(feeder, { tolerancePu: 1e-12, maxIterations: 300, controls: false });
    const settings = settingsOf({ steps: 96, tolerancePu: 1e-12, keptNodes: flow.nodes.map((__, i) => i) });
    const runner = new SeriesRunner(feeder, settings);
    let state = runner.initialState();
    let compared = 0;
    for (let chunk = 0; chunk < chunkCount(settings); chunk++) {
      const result = runner.runChunk(chunk, state);
      const taps = [...state.taps];
      const sections = [...state.sections];
      const { operations, powers, nodes } = result;
      for (let at = 0, op = 0; at < result.end - result.first; at++) {
        const step = result.first + at;
        for (; op < operations.step.length && operations.step[op] === step; op++) {
          (operations.kind[op] === 0 ? taps : sections)[operations.device[op]!] = operations.to[op]!;
        }
        feeder.regulators.forEach(({ id }, i) => {
          flow.setTap(id, taps[i]!);
        });
        feeder.capacitors.forEach(({ id }, i) => {
          flow.setCapacitorSections(id, sections[i]!);
        });
        setDevices(flow, timeOfStep(settings, step));
        const solution = flow.solve();
        flow.advance(settings.stepS);
        expect(solution.status).toBe('converged');
        flow.nodes.forEach(({ baseV }, i) => {
          const pu = Math.hypot(solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!) / baseV;
          const kept = nodes.kept[at * flow.nodes.length + i]!;
          if (Math.abs(pu - kept) > 1e-9) throw new Error(`step ${step}, node ${i}: ${kept} is not ${pu}`);
          compared++;
        });
        const scale = Math.abs(solution.sourceW);
        expect(Math.abs(powers.lossW[at]! - solution.lossW)).toBeLessThan(1e-9 * scale);
        expect(Math.abs(powers.sourceW[at]! - solution.sourceW)).toBeLessThan(1e-9 * scale);
        const balance = powers.sourceW[at]! - powers.loadW[at]! - solution.lossW + powers.generationW[at]!;
        expect(Math.abs(balance), `hour ${timeOfStep(settings, step) / 3600}`).toBeLessThan(1e-9 * scale);
      }
      state = result.endState;
    }
    expect(compared).toBeGreaterThan(96 * 10);
  });
});
