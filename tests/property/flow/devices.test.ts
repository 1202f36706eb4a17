import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { buildFeeder, type Feeder, withInverterPreset } from '../../../grid/model/index.js';
import { feeder, type Rows } from '../../builders/feeder.js';

const R: Rows = [[0.3465], [0.156, 0.3375], [0.158, 0.1535, 0.3414]];
const X: Rows = [[1.0179], [0.5017, 1.0478], [0.4236, 0.3849, 1.0348]];
const R4: Rows = [...R, [0.1535, 0.15, 0.152, 0.6]];
const X4: Rows = [...X, [0.45, 0.42, 0.43, 1.2]];

interface Description {
  readonly miles: number;
  readonly loadKw: number;
  readonly neutralKw: number;
  readonly pvKw: number;
  readonly batteryKw: number;
  readonly heldPu: number;
  readonly isMeshed: boolean;
  readonly isFedTwice: boolean;
  readonly isEarthed: boolean;
  readonly preset: string;
}

const description: fc.Arbitrary<Description> = fc.record({
  miles: fc.integer({ min: 1, max: 20 }).map((n) => n / 20),
  loadKw: fc.integer({ min: 0, max: 900 }),
  neutralKw: fc.integer({ min: 0, max: 200 }),
  pvKw: fc.integer({ min: 0, max: 900 }),
  batteryKw: fc.integer({ min: -200, max: 200 }),
  heldPu: fc.constantFrom(0.99, 1, 1.01),
  isMeshed: fc.boolean(),
  isFedTwice: fc.boolean(),
  isEarthed: fc.boolean(),
  preset: fc.constantFrom('ieee1547-a', 'ieee1547-b', 'as4777-a', 'as4777-nz'),
});

/**
 * A feeder with what radial ones lack: a loop, a second source, four wires with a neutral that a reactor or the loads alone
 * tie down, a delta island, a switch without impedance, inverters that regulate, a machine that holds its voltage.
 */
function build(d: Description): Feeder {
  const line = { r: R, x: X, length: d.miles };
  const builder = feeder('devices')
    .source('S', 'a', { kv: 12.47, z1: [0.05, 0.4], z0: [0.1, 0.6] })
    .line('l1', 'a', 'b', line)
    .line('l2', 'b', 'c', line)
    .line('l3', 'b', 'd', line)
    .switch('w', 'c', 'e')
    .reactor('coil', 'c', { to: 'f', ohm: [0.1, 0.8] })
    .line('four', 'd', 'n', { r: R4, x: X4, length: d.miles, nodes: [1, 2, 3, 4] })
    .transformer('t', {
      windings: [
        { bus: 'f', connection: 'wye', kv: 12.47, kva: 1000, resistancePct: 0.5 },
        { bus: 'isle', connection: 'delta', kv: 0.48, kva: 1000, resistancePct: 0.5 },
      ],
      reactancesPct: [5],
    })
    .load('d1', 'e', { kw: d.loadKw, kvar: d.loadKw / 3, minPu: 0.8, maxPu: 1.2 })
    .load('isle', 'isle', { connection: 'delta', kw: d.loadKw / 4, kvar: 20, minPu: 0.8, maxPu: 1.2 })
    .load('n1', 'n', { phases: 'A', kw: d.neutralKw, kvar: 10, minPu: 0.7, maxPu: 1.3 })
    .load('n2', 'n', { phases: 'B', kw: d.neutralKw / 2, kvar: 10, minPu: 0.7, maxPu: 1.3 })
    .pv('pv', 'e', { kw: d.pvKw, kva: 1000 })
    .battery('bat', 'd', { kw: d.batteryKw, kva: 300 })
    .machine('g', 'f', { kw: 100, kva: 800 });
  if (d.isEarthed) builder.reactor('earth', 'n', { nodes: [4], ohm: [2, 5] });
  if (d.isMeshed) builder.line('loop', 'd', 'e', line);
  if (d.isFedTwice) builder.source('S2', 'd', { kv: 12.47, pu: 1.001, z1: [0.2, 1.5], z0: [0.3, 2] });
  const data = builder.data();
  const zero = { n: 3, re: new Array<number>(9).fill(0), im: new Array<number>(9).fill(0) };
  const grid = buildFeeder({
    ...data,
    switches: data.switches.map((device) => ({ ...device, seriesOhm: zero })),
    loads: data.loads.map((load) =>
      load.terminal.bus === 'N' ? { ...load, shares: load.shares.map((s) => ({ ...s, otherNode: 4 })) } : load,
    ),
    machines: data.machines.map(
      (machine) => ({ ...machine, model: 3, voltageTargetPu: d.heldPu, maxVar: 4e5 }) as const,
    ),
  });
  return withInverterPreset(grid, d.preset);
}

describe('properties of feeders with every kind of device', () => {
  it('ends converged, finite, with currents balanced at every node to 1e-9', () => {
    fc.assert(
      fc.property(description, (d) => {
        const grid = build(d);
        const flow = createPowerFlow(grid, { tolerancePu: 1e-13 });
        const solution = flow.solve();
        expect(solution.status).toBe('converged');
        expect(solution.voltage.every(Number.isFinite)).toBe(true);
        const sums = new Map<string, { re: number; im: number; size: number }>();
        for (const id of grid.elements.keys()) {
          for (const { bus, node, currentRe, currentIm } of solution.flows(id)) {
            if (node === 0) continue;
            const sum = sums.get(`${bus}.${node}`) ?? { re: 0, im: 0, size: 0 };
            sum.re += currentRe;
            sum.im += currentIm;
            sum.size += Math.hypot(currentRe, currentIm);
            sums.set(`${bus}.${node}`, sum);
          }
        }
        const largest = Math.max(...[...sums.values()].map(({ size }) => size));
        // The switch without impedance has admittances of 1e5 S: its current is known to rounding of the voltages alone.
        for (const [place, { re, im }] of sums) {
          const isAtSwitch = place.startsWith('C.') || place.startsWith('E.');
          expect(Math.hypot(re, im) / largest, place).toBeLessThan(isAtSwitch ? 1e-6 : 1e-9);
        }
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it('does not depend on the state before', () => {
    fc.assert(
      fc.property(description, description, (first, second) => {
        const grid = build(first);
        const warm = createPowerFlow(grid);
        warm.solve();
        warm.solve({ loadMultiplier: second.loadKw / 900, pvMultiplier: 0.3 });
        const again = warm.solve({ loadMultiplier: 1, pvMultiplier: 1 });
        const cold = createPowerFlow(grid).solve();
        expect(again.status).toBe('converged');
        cold.voltage.forEach((v, i) => {
          const base = warm.nodes[i >> 1]!.baseV;
          expect(Math.abs(v - again.voltage[i]!) / base).toBeLessThan(5e-6);
        });
      }),
      { numRuns: 20, seed: 8 },
    );
  });
});

describe('how a power flow ends', () => {
  const loaded = (kw: number) =>
    feeder('end')
      .source('S', 'a', { kv: 12.47 })
      .line('l', 'a', 'b', { r: R, x: X, length: 10 })
      .line('m', 'b', 'c', { r: R, x: X, length: 10 })
      .load('d', 'c', { kw, minPu: 0.01, maxPu: 2 });

  it('beyond the loading limit: a status with the worst node, finite voltages, no exception', () => {
    for (const kw of [2e4, 1e5, 1e7]) {
      const solution = createPowerFlow(loaded(kw).build()).solve();
      expect(solution.voltage.every(Number.isFinite)).toBe(true);
      expect(solution.worstBus).not.toBe('');
      expect(Number.isFinite(solution.mismatchPu)).toBe(true);
      // Either nothing was found, or the collapsed state in which the load is an admittance.
      expect(solution.fallback?.reason).toMatch(/diverged|iterationLimit/);
      if (solution.status === 'converged') expect(solution.voltagePuAt('C', 1)).toBeLessThan(0.5);
      else expect(['diverged', 'iterationLimit']).toContain(solution.status);
    }
  });

  it('an island without a source has no voltage and is named', () => {
    const flow = createPowerFlow(
      loaded(100).switch('w', 'c', 'x', { isOpen: true }).load('far', 'x', { kw: 10 }).build(),
    );
    const solution = flow.solve();
    expect(solution.status).toBe('converged');
    expect(solution.voltagePuAt('X', 1)).toBeLessThan(1e-6);
    expect(flow.findings.map(({ code }) => code)).toContain('ISOLATED_BUS');
  });

  it('the fallback and its place are told', () => {
    // Few iterations for the fixed point near the limit: Newton's method finds the state.
    const solution = createPowerFlow(loaded(2500).build(), { maxIterations: 12 }).solve();
    expect(solution.status).toBe('converged');
    expect(solution.fallback).toMatchObject({ method: 'newton', reason: 'iterationLimit', bus: 'C' });
    expect(createPowerFlow(loaded(100).build()).solve().fallback).toBeUndefined();
  });

  it('a delta island without any tie to ground hangs on its shunt and keeps its line voltages', () => {
    const grid = feeder('isle')
      .source('S', 'a', { kv: 12.47 })
      .transformer('t', {
        windings: [
          { bus: 'a', connection: 'wye', kv: 12.47, kva: 500 },
          { bus: 'b', connection: 'delta', kv: 0.48, kva: 500 },
        ],
        reactancesPct: [4],
      })
      .load('d', 'b', { phases: 'AB', connection: 'delta', kw: 50, kvar: 10 })
      .build();
    const solution = createPowerFlow(grid).solve();
    expect(solution.status).toBe('converged');
    const b = [1, 2, 3].map((node) => solution.voltageAt('B', node)!);
    for (const [i, j] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      expect(Math.hypot(b[i]!.re - b[j]!.re, b[i]!.im - b[j]!.im) / 480).toBeGreaterThan(0.97);
    }
  });
});
