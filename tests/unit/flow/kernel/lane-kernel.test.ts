import { describe, expect, it, vi } from 'vitest';
import { setCurrents } from '../../../../grid/flow/fixed-point.js';
import { createPowerFlow } from '../../../../grid/flow/index.js';
import { ShareInjection } from '../../../../grid/flow/injection.js';
import { kernelOf, scalarKernelOf } from '../../../../grid/flow/kernel/kernel-of.js';
import { type KernelFactory, LaneSolver } from '../../../../grid/flow/kernel/lane-solver.js';
import { AdmittanceNetwork } from '../../../../grid/flow/network.js';
import { compile, type Feeder } from '../../../../grid/model/index.js';
import { feeder } from '../../../builders/feeder.js';
import { radialFeeder, sequence } from '../../../builders/radial-feeder.js';

/** A short feeder with every law of shares: power, mixed, impedance, exponents, delta, generation. */
function mixedFeeder(): Feeder {
  const data = feeder('mixed')
    .source('S', 'A', { kv: 12.47, pu: 1.02, z1: [0.1, 1] })
    .line('L1', 'A', 'B', { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]] })
    .line('L2', 'B', 'C', { r: [[0.3], [0.1, 0.3], [0.1, 0.1, 0.3]], x: [[0.6], [0.2, 0.6], [0.2, 0.2, 0.6]] })
    .line('L3', 'C', 'D', { r: [[0.5]], x: [[0.9]], phases: 'B' })
    .line('L4', 'B', 'E', { r: [[0.3], [0.1, 0.3]], x: [[0.5], [0.2, 0.5]], phases: 'AC' })
    .load('P', 'C', { kw: 900, kvar: 300 })
    .load('Z', 'C', { kw: 300, kvar: 100, model: 'z' })
    .load('I', 'D', { kw: 200, kvar: 50, model: 'i', phases: 'B' })
    .load('M', 'E', { kw: 200, kvar: 90, model: { z: 0.3, i: 0.3, p: 0.4 }, phases: 'AC' })
    .load('D', 'B', { kw: 400, kvar: 150, connection: 'delta' })
    .pv('G', 'D', { kw: 150, phases: 'B' })
    .build();
  return {
    ...data,
    loads: data.loads.map((load) => (load.name === 'P' ? { ...load, voltageExponents: { p: 0.8, q: 2 } } : load)),
  };
}

function lanes(model: Feeder, width: number, make: KernelFactory) {
  const compiled = compile(model);
  const injection = new ShareInjection(compiled.shares);
  const network = new AdmittanceNetwork(compiled, injection);
  expect(network.refresh()).toBe(-1);
  const inverseBase = compiled.nodeBaseV.map((base) => 1 / base);
  const solver = new LaneSolver(network, injection, inverseBase, width, make);
  solver.refresh();
  const flow = createPowerFlow(model, { controls: false });
  const source = flow.core().sourceCurrent(undefined);
  return { compiled, injection, network, inverseBase, solver, source, flow };
}

describe('the lane kernel', () => {
  it('is WebAssembly here, so that the comparisons below compare something', () => {
    expect(kernelOf(65536, 1, () => undefined).name).toBe('wasm');
    expect(scalarKernelOf(65536, 1, () => undefined).name).toBe('typescript');
  });

  it('falls back to TypeScript where there is no WebAssembly', () => {
    vi.stubGlobal('WebAssembly', undefined);
    try {
      expect(kernelOf(65536, 4, () => undefined).name).toBe('typescript');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  for (const [name, model] of [
    ['every law of shares', mixedFeeder()],
    ['blocks of one, two and three columns', radialFeeder(30)],
  ] as const) {
    it(`gives the bits of its TypeScript twin at every width: ${name}`, () => {
      const reference = lanes(model, 1, scalarKernelOf);
      const n = reference.compiled.nodeCount;
      const count = 8;
      // Starts from 0.2 to 1.4 pu reach every branch of the laws.
      const starts = Array.from({ length: count }, (_, s) => {
        const next = sequence(s + 1);
        const flat = reference.flow.solve().voltage;
        return flat.map((v) => v * (0.2 + 1.2 * next()));
      });
      const iterate = (width: number, make: KernelFactory, iterations: number) => {
        const { solver, source, injection } = lanes(model, width, make);
        const found = starts.map(() => new Float64Array(2 * n));
        for (let first = 0; first < count; first += width) {
          for (let lane = 0; lane < width; lane++) {
            const factor = 0.5 + (first + lane) / 8;
            solver.setPowers(
              lane,
              injection.powerW.map((p) => p * factor),
              injection.powerVar.map((q) => q * factor),
            );
            solver.setSources(lane, source);
            solver.setVoltages(lane, starts[first + lane]!);
          }
          solver.run(1e-9, iterations);
          for (let lane = 0; lane < width; lane++) solver.readVoltages(lane, found[first + lane]!);
        }
        return found;
      };
      for (const iterations of [1, 40]) {
        const expected = iterate(1, scalarKernelOf, iterations);
        for (const width of [1, 2, 4, 8]) {
          expect(iterate(width, kernelOf, iterations)).toEqual(expected);
          expect(iterate(width, scalarKernelOf, iterations)).toEqual(expected);
        }
      }
    });
  }

  it('does in one iteration what the share laws and the factor do, at voltages of every branch', () => {
    const { compiled, injection, network, inverseBase, solver, source, flow } = lanes(mixedFeeder(), 1, kernelOf);
    const size = 2 * compiled.nodeCount;
    const base = flow.solve().voltage;
    for (let seed = 1; seed <= 20; seed++) {
      const next = sequence(seed);
      const voltage = base.map((v) => v * (0.3 + 1.1 * next()));
      const state = {
        voltage,
        next: new Float64Array(size),
        rhs: new Float64Array(size),
        sourceCurrent: source,
        inverseBase,
        iterations: 0,
        mismatchPu: 0,
        worstNode: 0,
      };
      setCurrents(state, injection, voltage);
      network.factor.solve(state.rhs, state.next);
      solver.setPowers(0, injection.powerW, injection.powerVar);
      solver.setSources(0, source);
      solver.setVoltages(0, voltage);
      solver.run(1e-9, 1);
      const found = new Float64Array(size);
      solver.readVoltages(0, found);
      for (let i = 0; i < size; i++) {
        expect(Math.abs(found[i]! - state.next[i]!) * inverseBase[i >> 1]!).toBeLessThan(1e-13);
      }
    }
  });

  it('says that a lane ran away and leaves the others alone', () => {
    const { injection, solver, source, flow } = lanes(mixedFeeder(), 4, kernelOf);
    const start = flow.solve().voltage;
    for (let lane = 0; lane < 4; lane++) {
      const factor = lane === 2 ? Number.NaN : 1;
      solver.setPowers(
        lane,
        injection.powerW.map((p) => p * factor),
        injection.powerVar,
      );
      solver.setSources(lane, source);
      solver.setVoltages(lane, start);
    }
    solver.run(1e-8, 50);
    expect(solver.outcome).toEqual(['converged', 'converged', 'diverged', 'converged']);
  });
});
