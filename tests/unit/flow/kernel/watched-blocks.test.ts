import { describe, expect, it } from 'vitest';
import { createPowerFlow } from '../../../../grid/flow/index.js';
import { kernelOf, scalarKernelOf } from '../../../../grid/flow/kernel/kernel-of.js';
import { type KernelFactory, LaneSolver } from '../../../../grid/flow/kernel/lane-solver.js';
import { watchedLast } from '../../../../grid/flow/kernel/watched-blocks.js';
import { syntheticFeeder } from '../../../../inputs/generator/synthetic-feeder.js';

const feeder = syntheticFeeder({ nodes: 400 });
const core = createPowerFlow(feeder, { controls: false }).core();
const { network, injection, inverseBase, compiled, powerW, powerVar } = core;
const { factor, elimination } = network;
const silent = elimination.order.subarray(0, elimination.silentCount);
/** One that follows from a silent node of another block, two others, ground and an active one. */
const deep = elimination.blockStart.findIndex((end) => {
  const below = end > 0 && end < silent.length ? factor.Lp[end - 1]! : -1;
  return below >= 0 && below < factor.Lp[end]! && factor.Li[below]! < silent.length;
});
const watched = [-1, silent[elimination.blockStart[deep]! - 1]!, silent[3]!, silent.at(-1)!, elimination.order.at(-1)!];

/** Voltages after some iterations, at first and when the rest has followed. */
function solved(width: number, make: KernelFactory, isWatch: boolean, blocks = elimination) {
  const solver = new LaneSolver(network, injection, inverseBase, width, make, undefined, undefined, blocks);
  const start = new Float64Array(2 * compiled.nodeCount);
  const source = core.sourceCurrent(undefined);
  factor.solve(source, start);
  solver.refresh();
  for (let lane = 0; lane < width; lane++) {
    const part = 1 - 0.1 * lane;
    const share = (power: number) => part * power;
    solver.setPowers(lane, powerW.map(share), powerVar.map(share));
    solver.setSources(lane, source);
    solver.setVoltages(lane, start);
  }
  solver.run(1e-8, 100, width, isWatch);
  const voltages = () =>
    Array.from({ length: width }, (_, lane) => {
      const voltage = new Float64Array(2 * compiled.nodeCount);
      solver.readVoltages(lane, voltage);
      return voltage;
    });
  const first = voltages();
  solver.expandRest();
  return { first, all: voltages(), solver, start };
}

describe('blocks of watched nodes', () => {
  const moved = watchedLast(factor, elimination, watched);

  it('stand last in the silent part with all that they follow from, and no block is lost', () => {
    const { blockStart, silentCount, order } = elimination;
    expect([...moved.blockOrder].sort((a, b) => a - b)).toEqual([...elimination.blockOrder].sort((a, b) => a - b));
    const silentBlocks = moved.blockOrder.filter((b) => blockStart[b]! < silentCount);
    expect(moved.blockOrder.subarray(0, silentBlocks.length)).toEqual(silentBlocks);
    const count = moved.watchedCount!;
    expect(deep).toBeGreaterThan(0);
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(silentBlocks.length / 2);
    const inside = new Set<number>();
    for (const b of silentBlocks.slice(-count)) {
      for (let k = blockStart[b]!; k < blockStart[b + 1]!; k++) inside.add(k);
    }
    for (const node of watched) {
      const k = order.indexOf(node);
      if (k >= 0 && k < silentCount) expect(inside.has(k)).toBe(true);
    }
    for (const k of inside) {
      for (const row of factor.Li.subarray(factor.Lp[k]!, factor.Lp[k + 1]!)) {
        expect(row >= silentCount || inside.has(row)).toBe(true);
      }
    }
  });

  it('have their voltages before the others, which follow, all with the bits of a whole run, in WebAssembly and TypeScript', () => {
    for (const width of [1, 2, 4]) {
      for (const make of [kernelOf, scalarKernelOf]) {
        const whole = solved(width, make, false);
        expect(whole.first).toEqual(whole.all);
        const { first, all, solver, start } = solved(width, make, true, moved);
        expect(all).toEqual(whole.all);
        for (let lane = 0; lane < width; lane++) {
          for (const node of watched) {
            if (node >= 0)
              expect(first[lane]!.slice(2 * node, 2 * node + 2)).toEqual(all[lane]!.slice(2 * node, 2 * node + 2));
          }
          expect(first[lane]).not.toEqual(all[lane]);
        }
        solver.run(1e-8, 100, width, true);
        solver.setVoltages(0, start);
        solver.expandRest();
        const given = new Float64Array(start.length);
        solver.readVoltages(0, given);
        expect(given, 'voltages that were set stay').toEqual(start);
      }
    }
  });
});
