import { describe, expect, it } from 'vitest';
import { DssFileSet, readDss } from '../../../../grid/dss/index.js';
import {
  runSeries,
  SERIES_DEFAULTS,
  type SeriesMode,
  SeriesRunner,
  type SeriesSettings,
} from '../../../../grid/flow/index.js';

const HEAD = 'new circuit.c basekv=12.47 pu=1 mvasc3=100000 mvasc1=100000';
const TAIL = ['set voltagebases=[12.47]', 'calcv'];

function circuit(...lines: readonly string[]) {
  const text = [HEAD, ...lines, ...TAIL].join('\n');
  return readDss('c.dss', new DssFileSet([['c.dss', text]])).feeder;
}

/** Powers of the steps of a small circuit in kW, at hourly steps unless told otherwise. */
function powers(lines: readonly string[], change: Partial<SeriesSettings> & { readonly steps: number }) {
  const settings: SeriesSettings = { ...SERIES_DEFAULTS, mode: 'daily', stepS: 3600, ...change };
  const runner = new SeriesRunner(circuit(...lines), settings);
  const { powers: found, storedWh } = runner.runChunk(0, runner.initialState());
  const kilo = (values: Float64Array) => Array.from(values, (value) => Math.round(value) / 1000);
  return { loadKw: kilo(found.loadW), generationKw: kilo(found.generationW), storedKwh: kilo(storedWh), found };
}

const SHAPE = 'new loadshape.s npts=4 interval=1 mult=[1 2 3 4]';
const LOAD = 'new load.l bus1=sourcebus kv=12.47 kw=100 kvar=50';
const MODES: readonly SeriesMode[] = ['daily', 'yearly', 'duty'];

/*
 * Source of all numbers: dss-python 0.15.7 (DSS C-API 0.14.5) on the same lines, `set mode=... stepsize=1h number=1`, `solve`
 * again and again.
 */
describe('loads over time', () => {
  it.each([
    [
      'daily',
      [
        [100, 200],
        [100, 200],
        [100, 200],
      ],
    ],
    [
      'yearly',
      [
        [100, 100],
        [100, 200],
        [100, 100],
      ],
    ],
    [
      'duty',
      [
        [100, 100],
        [100, 100],
        [100, 200],
      ],
    ],
  ] as const)('with a %s profile in the modes daily, yearly, duty', (kind, expected) => {
    MODES.forEach((mode, m) => {
      expect(powers([SHAPE, `${LOAD} ${kind}=s`], { mode, steps: 2 }).loadKw, mode).toEqual(expected[m]);
    });
  });

  it.each([
    ['fixed', [100, 100]],
    ['exempt', [100, 200]],
    ['variable', [200, 400]],
  ] as const)('of status %s under a multiplier of 2', (status, expected) => {
    const found = powers([SHAPE, `${LOAD} daily=s status=${status}`], { steps: 2, loadMultiplier: 2 });
    expect(found.loadKw).toEqual(expected);
  });

  it('take actual powers as they are, without the multiplier', () => {
    const shape = 'new loadshape.s npts=4 interval=1 mult=[10 20 30 40] qmult=[1 2 3 4] useactual=yes';
    const { loadKw, found } = powers([shape, `${LOAD} daily=s`], { steps: 2, loadMultiplier: 2 });
    expect(loadKw).toEqual([10, 20]);
    expect(found.sourceVar[1]! / 1000).toBeCloseTo(2, 3);
  });

  it('begin at the start time and stand still in a snapshot', () => {
    expect(powers([SHAPE, `${LOAD} daily=s`], { steps: 2, startS: 7200 }).loadKw).toEqual([300, 400]);
    expect(powers([SHAPE, `${LOAD} daily=s`], { steps: 2, mode: 'snapshot' }).loadKw).toEqual([100, 100]);
  });

  it('follow a CVR curve in a year alone', () => {
    const lines = [
      'new linecode.t r1=5 x1=5 r0=5 x0=5',
      'new line.l bus1=sourcebus bus2=b linecode=t length=2',
      'new loadshape.cvr npts=4 interval=1 pmult=[0.4 0.8 1.2 2] qmult=[2 3 4 5]',
      'new load.l bus1=b kv=12.47 kw=3000 kvar=1000 model=4 cvrcurve=cvr vminpu=0.5',
    ];
    const yearly = powers(lines, { mode: 'yearly', steps: 3 }).loadKw;
    [2595.607, 2371.288, 2209.107].forEach((kw, k) => {
      expect(Math.abs(yearly[k]! - kw)).toBeLessThan(2e-3);
    });
    const daily = powers(lines, { steps: 2 }).loadKw;
    for (const kw of daily) expect(Math.abs(kw - 2245.194)).toBeLessThan(2e-3);
  });

  it('that name a profile which is not there keep their power, with a finding', () => {
    const feeder = circuit(LOAD);
    const lost = { ...feeder, loads: feeder.loads.map((load) => ({ ...load, profiles: { daily: 'gone' } })) };
    const report = runSeries(lost, { mode: 'daily', stepS: 3600, steps: 2 });
    expect(report.loadWh).toBeCloseTo(200_000, 0);
    expect(report.findings.filter(({ code }) => code === 'MISSING_REFERENCE')).toHaveLength(1);
  });
});

describe('generation over time', () => {
  const GENERATOR = 'new generator.g bus1=sourcebus kv=12.47 kw=100 kvar=50';
  it.each([
    [
      'daily',
      [
        [100, 200],
        [100, 100],
        [100, 100],
      ],
    ],
    [
      'yearly',
      [
        [100, 100],
        [100, 200],
        [100, 100],
      ],
    ],
    [
      'duty',
      [
        [100, 200],
        [100, 100],
        [100, 200],
      ],
    ],
  ] as const)('of a generator in mode %s with a profile of each kind', (mode, expected) => {
    MODES.forEach((kind, k) => {
      expect(powers([SHAPE, `${GENERATOR} ${kind}=s`], { mode, steps: 2 }).generationKw, kind).toEqual(expected[k]);
    });
  });

  it('of a fixed generator does not change', () => {
    expect(powers([SHAPE, `${GENERATOR} daily=s status=fixed`], { steps: 2 }).generationKw).toEqual([100, 100]);
  });

  it('of a panel follows irradiance and temperature', () => {
    const lines = [
      'new loadshape.s npts=4 interval=1 mult=[.1 .2 .3 .4]',
      'new xycurve.t npts=2 xarray=[0 100] yarray=[1.2 0.2]',
      'new tshape.t npts=4 interval=0 hour=[0 2 4 6] temp=[10 20 30 40]',
      'new pvsystem.p bus1=sourcebus kv=12.47 kva=100 pmpp=100 irradiance=0.8 %cutin=0 %cutout=0 daily=s tdaily=t p-tcurve=t temperature=2',
    ];
    const expected = [8.4, 16, 22.8, 28.8, 6.8, 12.8, 25.2, 32, 7.6];
    const { generationKw } = powers(lines, { steps: 9 });
    expected.forEach((kw, k) => {
      expect(Math.abs(generationKw[k]! - kw), `hour ${k + 1}`).toBeLessThan(2e-3);
    });
  });
});

describe('batteries over time', () => {
  const STORAGE = 'new storage.b bus1=sourcebus kv=12.47 kwrated=100 kva=120 kwhrated=300 kwhstored=100 %reserve=20';
  const FOLLOWED = 'new loadshape.s npts=8 interval=1 mult=[-1 -0.5 0 1 1 0.5 0 0]';
  it.each([
    [
      'dispmode=follow',
      [-100, -50, -1, 100, 100, -1, -1, -1, -100, -50],
      [189.1, 233.2, 233.2, 120.978, 60, 60, 60, 60, 149.1, 193.2],
    ],
    [
      'dispmode=default chargetrigger=-0.2 dischargetrigger=0.8',
      [-100, -100, -1, 100, 100, -1, -1, -1, -100, -100],
      [189.1, 278.2, 278.2, 165.978, 60, 60, 60, 60, 149.1, 238.2],
    ],
    [
      'dispmode=default dischargetrigger=0.8 timechargetrig=2',
      [-1, -100, -100, -100, 100, -1, -1, -1],
      [100, 189.1, 278.2, 300, 187.778, 187.778, 187.778, 187.778],
    ],
    ['dispmode=external state=discharging', [100, -1, -1], [60, 60, 60]],
  ] as const)('%s: power and stored energy', (how, powersKw, storedKwh) => {
    const found = powers([FOLLOWED, `${STORAGE} ${how} daily=s`], { steps: powersKw.length });
    powersKw.forEach((kw, k) => {
      expect(Math.abs(found.generationKw[k]! - kw), `kW at hour ${k + 1}`).toBeLessThan(2e-3);
    });
    storedKwh.forEach((kwh, k) => {
      expect(Math.abs(found.storedKwh[k]! - kwh), `kWh at hour ${k + 1}`).toBeLessThan(2e-3);
    });
  });
});

describe('figures of a series', () => {
  it('are the energies, extremes, times outside the limits and loadings of the steps', () => {
    const feeder = circuit(
      SHAPE,
      'new linecode.t r1=2 x1=2 r0=2 x0=2 units=none',
      'new line.l bus1=sourcebus bus2=b linecode=t length=1 normamps=100',
      'new load.l bus1=b kv=12.47 kw=1000 kvar=500 daily=s vminpu=0.5',
    );
    const report = runSeries(feeder, { mode: 'daily', stepS: 3600, steps: 8 });
    expect(report.loadWh).toBeCloseTo(20_000_000, 0);
    expect(report.source.energyWh - report.loadWh - report.lossesWh).toBeCloseTo(0, 3);
    expect(report.source.peakAtH).toBe(4);
    const node = report.nodes.find(({ bus, phase }) => bus === 'B' && phase === 'A')!;
    expect([node.minAtH, node.maxAtH]).toEqual([4, 1]);
    expect(node.lastPu).toBe(node.minPu);
    expect(node.p50Pu).toBeGreaterThan(node.minPu);
    // 2 + j2 ohm at 12.47 kV: 2 MW and 1 Mvar drop 3.9 %, 3 MW and 1.5 Mvar 5.8 %. So hours 3, 4 and 7, 8 lie below 0.95 pu.
    const under = report.violations.filter(({ bus }) => bus === 'B');
    expect(under.map(({ kind, times, hours, longestH }) => [kind, times, hours, longestH])).toEqual([
      ['under', 2, 4, 2],
      ['under', 2, 4, 2],
      ['under', 2, 4, 2],
    ]);
    const [line] = report.branches;
    // 4 MW and 2 Mvar at 12.47 kV and 0.92 pu: 4472 kVA / (sqrt(3) * 11.47 kV) = 225 A over 100 A.
    expect(line!.maxPct).toBeGreaterThan(222);
    expect(line!.maxPct).toBeLessThan(228);
    // 1 MW: 52 A; 2 MW: 105 A; so all hours but the first of each cycle.
    expect(line!.overRatingH).toBe(6);
  });
});
