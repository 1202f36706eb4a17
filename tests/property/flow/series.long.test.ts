import { describe, expect, it } from 'vitest';
import { InlineWorker, runChunks } from '../../../dec/series/index.js';
import { DssFileSet, readDss } from '../../../grid/dss/index.js';
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
import { randomStream } from '../../../grid/math/index.js';
import type { Feeder, ProfileNames } from '../../../grid/model/index.js';

const STEPS = 480;

/**
 * A feeder with everything that carries a state: a regulator, a bank with dead time, a battery, a panel with cut-in. Loads
 * follow a noisy day, so that the controls act again and again.
 */
function busyFeeder(...more: readonly string[]): Feeder {
  const random = randomStream(42);
  const noisy = (low: number, high: number) =>
    Array.from({ length: 96 }, (_, k) =>
      (low + (high - low) * (0.5 - 0.5 * Math.cos((2 * Math.PI * k) / 96)) * random.uniform(0.5, 1.5)).toFixed(4),
    ).join(' ');
  const script = [
    'new circuit.busy basekv=66 pu=1 mvasc3=2000 mvasc1=2100',
    `new loadshape.one npts=96 minterval=15 mult=[${noisy(0.3, 1.1)}]`,
    `new loadshape.two npts=96 minterval=15 mult=[${noisy(0.9, 0.2)}] qmult=[${noisy(0.2, 0.9)}]`,
    `new loadshape.sun npts=96 minterval=15 mult=[${noisy(0.01, 0.9)}]`,
    'new transformer.t phases=3 buses=[sourcebus a] kvs=[66 12.47] kvas=[10000 10000] xhl=8 conns=[delta wye]',
    'new regcontrol.r transformer=t winding=2 vreg=122 band=1.5 ptratio=60 delay=60',
    'new linecode.o nphases=3 r1=0.3 x1=0.6 r0=0.7 x0=1.8 c1=3 c0=1 units=km',
    'new line.ab bus1=a bus2=b linecode=o length=4 units=km normamps=300',
    'new line.bc bus1=b bus2=c linecode=o length=3 units=km normamps=200',
    'new capacitor.k bus1=b kv=12.47 kvar=900',
    'new capcontrol.k element=line.ab terminal=1 capacitor=k type=kvar ctratio=1 ptratio=1 onsetting=2200 offsetting=700 delay=90',
    'new load.l1 bus1=b kv=12.47 kw=6000 kvar=2600 daily=one vminpu=0.8',
    'new load.l2 bus1=c.1.0 phases=1 kv=7.2 kw=600 kvar=250 daily=two model=5 vminpu=0.8',
    'new load.l3 bus1=c.2.3 phases=1 kv=12.47 kw=500 kvar=200 daily=one model=2',
    'new pvsystem.p bus1=c kv=12.47 kva=1200 pmpp=1100 irradiance=1 daily=sun %cutin=10 %cutout=4',
    'new storage.s bus1=b kv=12.47 kwrated=400 kva=450 kwhrated=1500 kwhstored=700 dispmode=default daily=one chargetrigger=0.5 dischargetrigger=0.9',
    ...more,
    'set voltagebases=[66 12.47]',
    'calcv',
  ];
  const { feeder, findings } = readDss('f.dss', new DssFileSet([['f.dss', script.join('\n')]]));
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return feeder;
}

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
