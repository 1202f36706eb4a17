import { describe, expect, it } from 'vitest';
import {
  BATCH_STATUS,
  createBatch,
  createPowerFlow,
  histogramPercentile,
  powerFlowReport,
  SERIES_DEFAULTS,
  SeriesRunner,
} from '../../../grid/flow/index.js';
import { scalarKernelOf } from '../../../grid/flow/kernel/kernel-of.js';
import { feeder } from '../../builders/feeder.js';
import { radialFeeder, sequence } from '../../builders/radial-feeder.js';
import { readLines } from '../dss/circuit/opendss-answers.js';

/** Loads of a feeder at random multiples of their model, one row a scenario. */
function randomLoads(model: ReturnType<typeof radialFeeder>, count: number, seed: number) {
  const next = sequence(seed);
  const loads = model.loads.length;
  const loadW = new Float64Array(count * loads);
  const loadVar = new Float64Array(count * loads);
  for (let s = 0; s < count; s++) {
    model.loads.forEach((load, k) => {
      const factor = 0.2 + 1.6 * next();
      loadW[s * loads + k] = factor * load.shares.reduce((sum, { powerW }) => sum + powerW, 0);
      loadVar[s * loads + k] = factor * load.shares.reduce((sum, { powerVar }) => sum + powerVar, 0);
    });
  }
  return { count, loadW, loadVar };
}

describe('the PV multiplier of a batch', () => {
  const panels = [
    'kva=600 pmpp=500 irradiance=.8',
    'kva=600 pmpp=500 irradiance=.8 pf=.9',
    'kva=600 pmpp=500 irradiance=.8 kvar=100',
    'kva=400 pmpp=500 irradiance=1',
    'kva=600 pmpp=500 irradiance=.8 effcurve=eff',
    'kva=600 pmpp=500 irradiance=.8 %cutin=30 %cutout=30',
  ];
  const multipliers = Float64Array.of(1, 0.5, 1.2, 0, 0.5);

  it.each(panels)('is one of the sun, as that of the power flow: %s', (panel) => {
    const { feeder } = readLines(`new circuit.c basekv=12.47 r1=.1 x1=1
new line.l bus1=sourcebus bus2=b r1=1 x1=2 r0=1 x0=2 c1=0 c0=0
new xycurve.eff npts=4 xarray=[.1 .2 .4 1] yarray=[.5 .7 .9 .97]
new pvsystem.p phases=3 bus1=b kv=12.47 ${panel}
set voltagebases=[12.47]
calcv`);
    const sourceW = new Float64Array(5);
    const sourceVar = new Float64Array(5);
    const settings = { tolerancePu: 1e-12 };
    const batch = createBatch(createPowerFlow(feeder, settings));
    expect(batch.run({ count: 5, pvMultiplier: multipliers }, { sourceW, sourceVar })).toBe(0);
    multipliers.forEach((pvMultiplier, s) => {
      const alone = createPowerFlow(feeder, { ...settings, pvMultiplier }).solve();
      expect(Math.abs(sourceW[s]! - alone.sourceW)).toBeLessThan(0.01);
      expect(Math.abs(sourceVar[s]! - alone.sourceVar)).toBeLessThan(0.01);
    });
  });

  it('multiplies powers that a scenario gives', () => {
    const model = feeder('roof')
      .source('S', 'a', { kv: 0.4, z1: [0.01, 0.03] })
      .line('l', 'a', 'b', { r: [[0.01], [0, 0.01], [0, 0, 0.01]], x: [[0.01], [0, 0.01], [0, 0, 0.01]] })
      .pv('p', 'b', { kw: 20 })
      .build();
    const sourceW = new Float64Array(1);
    const given = { generationW: Float64Array.of(10e3), generationVar: Float64Array.of(0) };
    createBatch(createPowerFlow(model)).run({ count: 1, pvMultiplier: Float64Array.of(0.5), ...given }, { sourceW });
    expect(Math.abs(sourceW[0]! + 5e3)).toBeLessThan(10);
  });
});

describe('createBatch', () => {
  const model = radialFeeder(40);
  const flow = createPowerFlow(model, { controls: false });

  it('finds for each scenario what the engine finds alone', () => {
    const scenarios = randomLoads(model, 9, 3);
    const nodes = flow.nodes.length;
    const results = {
      status: new Uint8Array(9),
      voltagePu: new Float64Array(9 * nodes),
      sourceW: new Float64Array(9),
      sourceVar: new Float64Array(9),
      lossW: new Float64Array(9),
      lossVar: new Float64Array(9),
    };
    expect(createBatch(flow).run(scenarios, results)).toBe(0);
    const alone = createPowerFlow(model, { controls: false });
    for (let s = 0; s < 9; s++) {
      model.loads.forEach(({ id }, k) => {
        const at = s * model.loads.length + k;
        alone.setLoadPower(id, scenarios.loadW[at]!, scenarios.loadVar[at]!);
      });
      const solution = alone.solve();
      for (let i = 0; i < nodes; i++) {
        const pu = Math.hypot(solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!) / flow.nodes[i]!.baseV;
        expect(Math.abs(results.voltagePu[s * nodes + i]! - pu)).toBeLessThan(1e-8);
      }
      expect(Math.abs(results.sourceW[s]! / solution.sourceW - 1)).toBeLessThan(1e-7);
      expect(Math.abs(results.sourceVar[s]! / solution.sourceVar - 1)).toBeLessThan(1e-6);
      expect(Math.abs(results.lossW[s]! / solution.lossW - 1)).toBeLessThan(1e-5);
      expect(Math.abs(results.lossVar[s]! - solution.lossVar)).toBeLessThan(1e-6 * Math.abs(solution.sourceVar) + 1);
    }
    expect([...results.status]).toEqual(new Array(9).fill(BATCH_STATUS.indexOf('converged')));
  });

  it('gives the same bits for any width, order, part and kernel', () => {
    const scenarios = randomLoads(model, 11, 5);
    const nodes = flow.nodes.length;
    const solve = (settings: Parameters<typeof createBatch>[1], ranges = [{ first: 0, count: 11 }]) => {
      const batch = createBatch(createPowerFlow(model, { controls: false }), settings);
      const voltagePu = new Float64Array(11 * nodes);
      for (const { first, count } of ranges) {
        const part = voltagePu.subarray(first * nodes, (first + count) * nodes);
        batch.run(scenarios, { voltagePu: part }, { first, count });
      }
      return voltagePu;
    };
    const expected = solve({ width: 4 });
    expect(solve({ width: 1 })).toEqual(expected);
    expect(solve({ width: 8 })).toEqual(expected);
    expect(solve({ width: 4, kernel: scalarKernelOf })).toEqual(expected);
    const parts = [
      { first: 6, count: 5 },
      { first: 1, count: 5 },
      { first: 0, count: 1 },
    ];
    expect(solve({ width: 4 }, parts)).toEqual(expected);
  });

  it('runs through a product without laying it out', () => {
    const batch = createBatch(flow);
    const minimumPu = new Float64Array(6);
    const axes = [
      { count: 2, sourceVoltagePu: Float64Array.of(1, 1.04) },
      { count: 3, loadMultiplier: Float64Array.of(0, 1, 1.5) },
    ];
    expect(batch.run(axes, { minimumPu })).toBe(0);
    [1, 1.04].forEach((sourceVoltagePu, i) => {
      [0, 1, 1.5].forEach((loadMultiplier, j) => {
        const alone = createPowerFlow(model, { controls: false }).solve({ sourceVoltagePu, loadMultiplier });
        let low = Number.POSITIVE_INFINITY;
        flow.nodes.forEach(({ baseV }, n) => {
          low = Math.min(low, Math.hypot(alone.voltage[2 * n]!, alone.voltage[2 * n + 1]!) / baseV);
        });
        expect(minimumPu[3 * i + j]).toBeCloseTo(low, 7);
      });
    });
  });

  it('counts violations, extremes and histograms of the nodes asked for', () => {
    const nodes = Int32Array.of(5, 40, 100);
    const histogram = { fromPu: 0.9, stepPu: 0.01, bins: 20 };
    const batch = createBatch(flow, { outputs: { nodes, minPu: 0.99, maxPu: 1.02, histogram } });
    const scenarios = randomLoads(model, 50, 8);
    const results = {
      voltagePu: new Float64Array(150),
      violations: new Int32Array(50),
      maximumNode: new Int32Array(50),
      nodeMinimumPu: new Float64Array(3).fill(Number.POSITIVE_INFINITY),
      nodeMaximumPu: new Float64Array(3).fill(Number.NEGATIVE_INFINITY),
      nodeHistogram: new Uint32Array(60),
    };
    batch.run(scenarios, results);
    for (let t = 0; t < 3; t++) {
      const own = Array.from({ length: 50 }, (_, s) => results.voltagePu[3 * s + t]!).sort((a, b) => a - b);
      expect(results.nodeMinimumPu[t]).toBe(own[0]);
      expect(results.nodeMaximumPu[t]).toBe(own[49]);
      const median = histogramPercentile(results.nodeHistogram, t, histogram, 0.5);
      expect(median - own[24]!).toBeGreaterThanOrEqual(-1e-12);
      expect(median - own[24]!).toBeLessThanOrEqual(0.01 + 1e-12);
    }
    for (let s = 0; s < 50; s++) {
      const own = [...results.voltagePu.subarray(3 * s, 3 * s + 3)];
      expect(results.violations[s]).toBe(own.filter((pu) => pu < 0.99 || pu > 1.02).length);
      expect(results.maximumNode[s]).toBe(own.indexOf(Math.max(...own)));
    }
  });

  it('takes over taps without a new analysis', () => {
    const own = createPowerFlow(model, { controls: false });
    const batch = createBatch(own);
    own.setTap('regulator.reg1', 10);
    own.setTap('regulator.reg2', -3);
    batch.refresh();
    const voltagePu = new Float64Array(own.nodes.length);
    batch.run({ count: 1 }, { voltagePu });
    const fresh = createPowerFlow(model, { controls: false });
    fresh.setTap('regulator.reg1', 10);
    fresh.setTap('regulator.reg2', -3);
    const expected = fresh.solve().voltage;
    own.nodes.forEach(({ baseV }, i) => {
      expect(voltagePu[i]).toBeCloseTo(Math.hypot(expected[2 * i]!, expected[2 * i + 1]!) / baseV, 8);
    });
  });

  it('hands scenarios that fail in their lane to the engine and says how they end', () => {
    const weak = feeder('weak')
      .source('S', 'A', { kv: 12.47 })
      .line('L', 'A', 'B', { r: [[4], [0, 4], [0, 0, 4]], x: [[8], [0, 8], [0, 0, 8]] })
      .load('D', 'B', { kw: 1000, kvar: 300, minPu: 0.2, maxPu: 1.5 })
      .build();
    const status = new Uint8Array(3);
    const own = createPowerFlow(weak, { controls: false });
    const multipliers = Float64Array.of(0.5, 5.25, 1);
    const voltagePu = new Float64Array(3 * own.nodes.length);
    createBatch(own, { maxIterations: 25 }).run({ count: 3, loadMultiplier: multipliers }, { status, voltagePu });
    expect(BATCH_STATUS[status[0]!]).toBe('converged');
    expect(BATCH_STATUS[status[2]!]).toBe('converged');
    expect(BATCH_STATUS[status[1]!]).not.toBe('converged');
    expect(voltagePu.every(Number.isFinite)).toBe(true);
    // The flow itself is as before.
    expect(own.solve().status).toBe('converged');
  });

  it('refuses arrays of the wrong length and widths that no kernel has', () => {
    const batch = createBatch(flow);
    expect(() => batch.run({ count: 2, loadMultiplier: new Float64Array(3) }, {})).toThrow(
      /loadMultiplier has 3 values/,
    );
    expect(() => batch.run({ count: 2 }, { minimumPu: new Float64Array(1) })).toThrow(/minimumPu has 1 places; 2/);
    expect(() => batch.run({ count: 2 }, {}, { first: 1, count: 2 })).toThrow(/not among 2/);
    expect(() => createBatch(flow, { width: 3 })).toThrow(/1, 2 or a multiple of 4/);
  });

  it.each([
    [{ tolerancePu: -1 }, /tolerancePu/],
    [{ tolerancePu: Number.POSITIVE_INFINITY }, /tolerancePu/],
    [{ maxIterations: 0 }, /maxIterations/],
    [{ maxIterations: 1.5 }, /maxIterations/],
    [{ outputs: { histogram: { fromPu: Number.NaN, stepPu: 0.001, bins: 10 } } }, /fromPu/],
    [{ outputs: { histogram: { fromPu: 0.8, stepPu: 0, bins: 10 } } }, /stepPu/],
    [{ outputs: { histogram: { fromPu: 0.8, stepPu: 0.001, bins: 2.5 } } }, /bins/],
  ])('refuses settings with which nothing is solved or counted: %j', (settings, message) => {
    expect(() => createBatch(flow, settings)).toThrow(message);
  });

  it('holds no neutral and no dead spare conductor against limits, as a power flow and a series', () => {
    // OpenDSS (dss-python 0.15.7): s.1 to s.4 0.997933, 0.999514, 1.000082, 0.041607, b.1 to b.4 0.942475, 0.987642, 1.000082, 0.089624 pu.
    const { feeder: fourWire } = readLines(
      'new circuit.n basekv=0.4 pu=1.0 bus1=s.1.2.3 mvasc3=20 mvasc1=20',
      'new reactor.g bus1=s.4 bus2=s.0 phases=1 r=0.1 x=0',
      'new linecode.c nphases=4 rmatrix=(.3|.05 .3|.05 .05 .3|.05 .05 .05 .3) xmatrix=(.3|.1 .3|.1 .1 .3|.1 .1 .1 .3) cmatrix=(0|0 0|0 0 0|0 0 0 0) units=km',
      'new line.l bus1=s.1.2.3.4 bus2=b.1.2.3.4 phases=4 linecode=c length=0.4 units=km',
      'new line.spare bus1=x.1.2.3 bus2=y.1.2.3 phases=3',
      'new load.a bus1=b.1.4 phases=1 kv=0.23094 kw=20 pf=.95 vminpu=.5',
      'new load.b bus1=b.2.4 phases=1 kv=0.23094 kw=5 pf=.95 vminpu=.5',
      'set voltagebases=[0.4]',
      'calcv',
    );
    const power = createPowerFlow(fourWire);
    const report = powerFlowReport(power, power.solve());
    expect(report.violations.map(({ bus, node }) => `${bus}.${node}`)).toEqual(['B.1']);
    const array = () => new Float64Array(1);
    const places = { minimumNode: new Int32Array(1), violations: new Int32Array(1) };
    const results = { minimumPu: array(), maximumPu: array(), ...places };
    const batch = createBatch(power);
    expect(batch.run({ count: 1 }, results)).toBe(0);
    expect(results.minimumPu[0]).toBeCloseTo(0.9424749, 5);
    expect(results.maximumPu[0]).toBeCloseTo(1.0000822, 5);
    const lowest = power.nodes[batch.nodes[results.minimumNode[0]!]!]!;
    expect(`${lowest.bus}.${lowest.node}`).toBe('B.1');
    expect(results.violations[0]).toBe(1);
    // Neutrals alone: nothing is judged.
    const neutrals = Int32Array.from(power.nodes.flatMap(({ node }, i) => (node === 4 ? [i] : [])));
    createBatch(power, { outputs: { nodes: neutrals } }).run({ count: 1 }, results);
    expect([results.minimumPu[0], results.minimumNode[0], results.violations[0]]).toEqual([Number.NaN, -1, 0]);
    const settings = { ...SERIES_DEFAULTS, mode: 'snapshot', stepS: 3600, steps: 1, tolerancePu: 1e-9 } as const;
    const runner = new SeriesRunner(fourWire, settings);
    expect(runner.runChunk(0, runner.initialState()).nodes.lowestPu[0]).toBeCloseTo(0.9424749, 5);
  });
});
