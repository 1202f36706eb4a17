import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../../grid/flow/index.js';
import { kernelOf, scalarKernelOf } from '../../../../grid/flow/kernel/kernel-of.js';
import { type KernelFactory, LaneSolver } from '../../../../grid/flow/kernel/lane-solver.js';
import { GAUGE_STEPS, HEADER, kernelPlaces } from '../../../../grid/flow/kernel/layout.js';
import { BranchRows, ratedBranches } from '../../../../grid/flow/series/branch-rows.js';
import { LaneGauge } from '../../../../grid/flow/series/lane-gauge.js';
import { LoadStretch } from '../../../../grid/flow/series/load-stretch.js';
import { SERIES_DEFAULTS } from '../../../../grid/flow/series/series-settings.js';
import { StartState } from '../../../../grid/flow/series/start-state.js';
import { USUAL_LOAD } from '../../../../grid/flow/series/usual-states.js';
import { randomStream } from '../../../../grid/math/index.js';
import { syntheticFeeder } from '../../../../inputs/generator/synthetic-feeder.js';

const feeder = syntheticFeeder({ nodes: 400 });

function lanes(width: number, make: KernelFactory = kernelOf, steps = 1) {
  const flow = createPowerFlow(feeder, { controls: false });
  const solution = flow.solve();
  const core = flow.core();
  const branches = ratedBranches(feeder);
  const rows = new BranchRows(core, branches, kernelPlaces(core.network.factor, core.network.elimination));
  const loadEnd = Math.max(...feeder.loads.map(({ id }) => core.compiled.shares.rangeOf.get(id)![1]));
  const stretch = new LoadStretch(core.compiled, loadEnd, core.powerW);
  const { network, injection, inverseBase } = core;
  const solver = new LaneSolver(network, injection, inverseBase, width, make, rows.plan(steps), {
    leaves: stretch.leaves,
    multipliers: 3,
  });
  const settings = { ...SERIES_DEFAULTS, mode: 'yearly', stepS: 1800, steps: 1 } as const;
  const newStart = () => new StartState(flow, core, solver, settings, loadEnd, stretch, core.sourceCurrent(undefined));
  return { flow, solution, core, branches, rows, solver, newStart };
}

/** Magnitudes of all places and loadings of all branches in each lane, for voltages that differ from lane to lane. */
function measured(width: number, make: KernelFactory) {
  const { solution, core, rows, solver } = lanes(width, make);
  const gauge = new LaneGauge(core, solver, rows);
  for (let lane = 0; lane < width; lane++) {
    solver.setVoltages(
      lane,
      solution.voltage.map((value) => value * (1 + 0.01 * lane)),
    );
  }
  gauge.measure();
  return Array.from({ length: width }, (_, lane) => ({
    magnitudes: Array.from(core.inverseBase, (__, node) => {
      return gauge.values[gauge.magnitudeAt + lane + solver.placeOf(node) * width]!;
    }),
    loadings: Array.from(
      { length: rows.count },
      (__, b) => gauge.values[gauge.loadingAt + lane + rows.branchOf.indexOf(b) * width]!,
    ),
  }));
}

describe('what is measured on lanes', () => {
  it('is the magnitude of each node and the loading that the solution itself gives for each branch', () => {
    const { solution, branches, flow } = lanes(1);
    const [{ magnitudes, loadings }] = measured(1, kernelOf) as [ReturnType<typeof measured>[number]];
    flow.nodes.forEach(({ baseV }, i) => {
      const size = Math.hypot(solution.voltage[2 * i]!, solution.voltage[2 * i + 1]!) / baseV;
      expect(Math.abs(magnitudes[i]! - size)).toBeLessThan(1e-14);
    });
    expect(branches.length).toBeGreaterThan(100);
    branches.forEach(({ element, ratingA }, b) => {
      const flows = solution.flows(element.id).filter(({ terminal, node }) => terminal === 1 && node !== 0);
      const largest = Math.max(0, ...flows.map(({ currentRe, currentIm }) => Math.hypot(currentRe, currentIm)));
      expect(Math.abs(loadings[b]! - (100 * largest) / ratingA)).toBeLessThan(1e-6);
    });
  });

  it('has the same bits in WebAssembly and TypeScript, at every width', () => {
    const [alone] = measured(1, scalarKernelOf);
    for (const width of [1, 2, 4, 8]) {
      const [fast, slow] = [measured(width, kernelOf), measured(width, scalarKernelOf)];
      expect(fast).toEqual(slow);
      expect(fast[0]).toEqual(alone);
    }
  });
});

describe('measurements of a single lane', () => {
  it('are kept side by side until they are forgotten, each with the bits it has alone', () => {
    const alone = lanes(1);
    const keeping = lanes(1, kernelOf, GAUGE_STEPS);
    const [single, gauge] = [alone, keeping].map(({ core, solver, rows }) => new LaneGauge(core, solver, rows)) as [
      LaneGauge,
      LaneGauge,
    ];
    const nodes = keeping.core.inverseBase.length + 1;
    for (let round = 0; round < 2; round++) {
      const expected: number[][] = [];
      for (let k = 0; k < GAUGE_STEPS; k++) {
        expect(gauge.isFull).toBe(false);
        const voltage = alone.solution.voltage.map((value) => value * (1 + 0.01 * (k + round)));
        alone.solver.setVoltages(0, voltage);
        keeping.solver.setVoltages(0, voltage);
        single.measure();
        gauge.keep(10 + k);
        const { values, magnitudeAt, loadingAt } = single;
        expected.push([
          ...values.slice(magnitudeAt, magnitudeAt + nodes),
          ...values.slice(loadingAt, loadingAt + alone.rows.count),
        ]);
      }
      expect([gauge.isFull, gauge.kept, gauge.firstKept]).toEqual([true, GAUGE_STEPS, 10]);
      const { values, magnitudeAt, loadingAt, magnitudePitch, loadingPitch } = gauge;
      expected.forEach((step, k) => {
        const magnitude = magnitudeAt + k * magnitudePitch;
        const loading = loadingAt + k * loadingPitch;
        expect([
          ...values.slice(magnitude, magnitude + nodes),
          ...values.slice(loading, loading + keeping.rows.count),
        ]).toEqual(step);
      });
      gauge.forget();
    }
  });
});

describe('the survey of shares', () => {
  it('says of each lane whether all loads draw constant power within their windows', () => {
    for (const make of [kernelOf, scalarKernelOf]) {
      for (const width of [1, 2, 4]) {
        const { solution, core, solver } = lanes(width, make);
        const { shares } = core.compiled;
        expect(solver.arePlain(0, shares.count), 'before the network was taken over').toBe(false);
        solver.refresh();
        // Lane 1 leaves the window of one share, by the end that does not lie at ground.
        const k = shares.count - 3;
        const node = shares.a[k]! >= 0 ? shares.a[k]! : shares.b[k]!;
        for (let lane = 0; lane < width; lane++) {
          const voltage = solution.voltage.slice();
          if (lane === 1) voltage.fill(0, 2 * node, 2 * node + 2);
          solver.setVoltages(lane, voltage);
        }
        const found = Array.from({ length: width }, (_, lane) => solver.arePlain(lane, shares.count));
        expect(found).toEqual(found.map((_, lane) => lane !== 1));
        const touched = Array.from(shares.a.keys()).filter((s) => shares.a[s] === node || shares.b[s] === node);
        if (width > 1) expect(solver.arePlain(1, Math.min(...touched))).toBe(true);
      }
    }
  });
});

describe('the factor in the lanes', () => {
  it('is the same, bit by bit, after new rows alone were copied as after all were', () => {
    const { flow, core, solver } = lanes(2);
    solver.refresh();
    const [first, , third] = feeder.regulators;
    for (const [device, position] of [
      [first!, 7],
      [third!, -9],
      [first!, 2],
    ] as const) {
      flow.setTap(device.id, position);
      flow.core();
      expect(core.network.rowsSince(core.network.factorAge - 1)).toHaveLength(1);
      if (position !== -9) solver.refresh();
    }
    const fresh = new LaneSolver(
      core.network,
      core.injection,
      core.inverseBase,
      2,
      kernelOf,
      solver.gauge,
      solver.startPlan,
    );
    fresh.refresh();
    expect(Buffer.from(solver.kernel.buffer).equals(Buffer.from(fresh.kernel.buffer))).toBe(true);
  });
});

describe('the start of a step', () => {
  it('lies within 1 % of the solution wherever taps and sections stand, and does not depend on where they stood before', () => {
    const { flow, core, solver, newStart } = lanes(1);
    const start = newStart();
    const { shares } = core.compiled;
    const size = 2 * solver.activeCount;
    const at = solver.voltageAt(0, 0);
    const begun = () => {
      flow.core();
      solver.refresh();
      start.give(solver, 0, shares.powerW, shares.powerVar);
      start.start(solver);
      return solver.voltages.slice(at, at + size);
    };
    const atModel = begun();
    for (const { id } of feeder.regulators) flow.setTap(id, 12);
    const moved = begun();
    const solved = new Float64Array(size);
    solver.gather(core.solve(shares.powerW, shares.powerVar).voltage, solved);
    let worst = 0;
    for (let t = 0; t < size; t += 2) {
      const length = Math.hypot(solved[t]!, solved[t + 1]!);
      if (length > 1)
        worst = Math.max(worst, Math.hypot(moved[t]! - solved[t]!, moved[t + 1]! - solved[t + 1]!) / length);
    }
    expect(worst).toBeLessThan(0.01);
    for (const { id, position } of feeder.regulators) flow.setTap(id, position);
    expect(begun()).toEqual(atModel);
  });

  it('lies within 0.5 % of the solution where loads follow shapes of their own', () => {
    const { core, solver, newStart } = lanes(1);
    const start = newStart();
    solver.refresh();
    const random = randomStream(41);
    const powerW = core.powerW.map((power) => power * random.uniform(0.3, 0.8));
    const powerVar = core.powerVar.map((power, k) => (power * powerW[k]!) / core.powerW[k]!);
    start.give(solver, 0, powerW, powerVar);
    start.start(solver);
    const solved = new Float64Array(2 * solver.activeCount);
    solver.gather(core.solve(powerW, powerVar).voltage, solved);
    const at = solver.voltageAt(0, 0);
    let worst = 0;
    for (let t = 0; t < solved.length; t += 2) {
      const length = Math.hypot(solved[t]!, solved[t + 1]!);
      const [dr, di] = [solver.voltages[at + t]! - solved[t]!, solver.voltages[at + t + 1]! - solved[t + 1]!];
      if (length > 1) worst = Math.max(worst, Math.hypot(dr, di) / length);
    }
    expect(worst).toBeLessThan(0.005);
  });

  it('has the same bits where the kernel multiplies the powers as where they are given', () => {
    for (const make of [kernelOf, scalarKernelOf]) {
      const { core, solver, newStart } = lanes(2, make);
      const start = newStart();
      const { powerW: baseW, powerVar: baseVar } = core;
      const multipliers = Float64Array.of(1, 0.6, 0.7);
      const multiplierW = Uint16Array.from(baseW, (_, k) => k % 2);
      const multiplierVar = Uint16Array.from(baseW, (_, k) => (k % 2) * 2);
      const draws = { baseW, baseVar, multiplierW, multiplierVar, multipliers };
      const powersIn = (lane: number) =>
        Array.from(baseW, (_, t) => {
          const at = (solver.header[HEADER.powerAt]! >> 3) + lane + 4 * t;
          return [solver.voltages[at], solver.voltages[at + 2]];
        });
      const begun = () => {
        start.start(solver);
        return [powersIn(1), start.loadW(solver), solver.voltages[solver.voltageAt(3, 1)]];
      };
      expect(start.takesDraws(solver, draws)).toBe(true);
      start.follow(solver, 1, draws);
      const followed = begun();
      const times = (base: Float64Array, which: Uint16Array) => base.map((power, k) => power * multipliers[which[k]!]!);
      const [powerW, powerVar] = [times(baseW, multiplierW), times(baseVar, multiplierVar)];
      start.give(solver, 1, powerW, powerVar);
      expect(begun()).toEqual(followed);
      expect(followed[0]).toEqual(Array.from(solver.shareOrder, (k) => [powerW[k], powerVar[k]]));
      const sum = powerW.reduce((all, w) => all + w, 0);
      expect(Math.abs(start.loadW(solver) / sum - 1)).toBeLessThan(1e-12);
      start.follow(solver, 1, draws);
      expect(begun()).toEqual(followed);
      expect(start.takesDraws(solver, { ...draws, multipliers: new Float64Array(4) })).toBe(false);
    }
  });

  it('lies, turned after a tap and a section at usual load, within 4e-5 of the new solution', () => {
    const { flow, core, solver, newStart } = lanes(1);
    const start = newStart();
    const powerW = core.powerW.map((power) => USUAL_LOAD * power);
    const powerVar = core.powerVar.map((power) => USUAL_LOAD * power);
    const solved = () => {
      const voltage = new Float64Array(2 * solver.activeCount);
      solver.gather(core.solve(powerW, powerVar, { tolerancePu: 1e-10 }).voltage, voltage);
      return voltage;
    };
    solver.refresh();
    start.give(solver, 0, powerW, powerVar);
    const at = solver.voltageAt(0, 0);
    const regulators = feeder.regulators.slice(0, 3);
    for (const positions of [regulators.map(({ position }) => position + 1), regulators.map(() => 4)]) {
      const before = solved();
      solver.voltages.set(before, at);
      start.mark();
      for (const [k, { id }] of regulators.entries()) flow.setTap(id, positions[k]!);
      flow.setCapacitorSections(feeder.capacitors[0]!.id, 0);
      flow.core();
      solver.refresh();
      start.turn(solver, 0, solver, 0);
      const after = solved();
      let [worst, moved] = [0, 0];
      for (let t = 0; t < after.length; t += 2) {
        const length = Math.hypot(after[t]!, after[t + 1]!);
        if (length < 1) continue;
        const away = (from: Float64Array, first: number) =>
          Math.hypot(from[first + t]! - after[t]!, from[first + t + 1]! - after[t + 1]!) / length;
        worst = Math.max(worst, away(solver.voltages, at));
        moved = Math.max(moved, away(before, 0));
      }
      expect(moved).toBeGreaterThan(5e-3);
      expect(worst).toBeLessThan(4e-5);
    }
  });

  it('and its turn after a tap have the same bits in WebAssembly and TypeScript, at every width', () => {
    const begun = (width: number, make: KernelFactory) => {
      const { flow, core, solver, newStart } = lanes(width, make);
      const start = newStart();
      const powers = Array.from({ length: width }, (_, lane) => core.powerW.map((power) => power * (0.9 - 0.1 * lane)));
      powers.forEach((power, lane) => {
        start.give(solver, lane, power, power);
        start.start(solver);
      });
      const lane = (at: number) =>
        Array.from({ length: solver.activeCount }, (_, t) => {
          const from = solver.voltageAt(t, at);
          return [solver.voltages[from]!, solver.voltages[from + width]!];
        });
      const started = Array.from({ length: width }, (_, at) => lane(at));
      start.mark();
      flow.setTap(feeder.regulators[0]!.id, 9);
      flow.core();
      start.turn(solver, width - 1, solver, 0);
      return { started, turned: lane(0) };
    };
    const alone = begun(1, scalarKernelOf);
    for (const width of [1, 2, 4]) {
      const [fast, slow] = [begun(width, kernelOf), begun(width, scalarKernelOf)];
      expect(fast).toEqual(slow);
      expect(fast.started[0]).toEqual(alone.started[0]);
    }
  });
});
