import { describe, expect, it } from 'vitest';
import { ShareInjection } from '../../../../grid/flow/injection.js';
import { orderElimination, WIDEST_BLOCK } from '../../../../grid/flow/kernel/elimination.js';
import { AdmittanceNetwork } from '../../../../grid/flow/network.js';
import { ComplexFactor } from '../../../../grid/math/index.js';
import { capacitorPrimitive, compile, tapRatios, transformerPrimitive } from '../../../../grid/model/index.js';
import { radialFeeder } from '../../../builders/radial-feeder.js';

/** Upper triangle with diagonal of a graph by its edges. */
function pattern(n: number, edges: readonly (readonly [number, number])[]) {
  const columns = Array.from({ length: n }, (_, j) => new Set([j]));
  for (const [i, j] of edges) columns[Math.max(i, j)]!.add(Math.min(i, j));
  const colPtr = [0];
  const rows: number[] = [];
  for (const column of columns) {
    rows.push(...[...column].sort((a, b) => a - b));
    colPtr.push(rows.length);
  }
  return { colPtr: Int32Array.from(colPtr), rowIdx: Int32Array.from(rows) };
}

describe('orderElimination', () => {
  it('takes chains and idle ends without injection out first and leaves the injections alone', () => {
    // 0 - 1 - 2 - 3 - 4 with a spur 2 - 5; injections at both ends of the chain.
    const { colPtr, rowIdx } = pattern(6, [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [2, 5],
    ]);
    const isActive = Uint8Array.of(1, 0, 0, 0, 1, 0);
    const { order, silentCount } = orderElimination(6, colPtr, rowIdx, isActive, [0, 1, 2, 3, 4, 5]);
    expect(silentCount).toBe(4);
    expect([...order.subarray(4)].sort()).toEqual([0, 4]);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('keeps a hub of many injections, whose elimination would join them all', () => {
    const spokes = Array.from({ length: 9 }, (_, k) => [0, k + 1] as const);
    const { colPtr, rowIdx } = pattern(10, spokes);
    const isActive = new Uint8Array(10).fill(1);
    isActive[0] = 0;
    const { silentCount } = orderElimination(
      10,
      colPtr,
      rowIdx,
      isActive,
      Int32Array.from({ length: 10 }, (_, k) => k),
    );
    expect(silentCount).toBe(0);
  });

  it('makes blocks whose columns have the same rows below, silent part first, and no more fill than minimum degree', () => {
    const compiled = compile(radialFeeder(120));
    const network = new AdmittanceNetwork(compiled, new ShareInjection(compiled.shares));
    const { factor, elimination } = network;
    const { blockStart, silentCount } = elimination;
    for (let b = 0; b + 1 < blockStart.length; b++) {
      const start = blockStart[b]!;
      const end = blockStart[b + 1]!;
      expect(end - start).toBeLessThanOrEqual(WIDEST_BLOCK);
      expect(start < silentCount).toBe(end <= silentCount);
      const below = [...factor.Li.subarray(factor.Lp[end - 1]!, factor.Lp[end]!)];
      for (let k = start; k < end; k++) {
        const inside = Array.from({ length: end - 1 - k }, (_, t) => k + 1 + t);
        expect([...factor.Li.subarray(factor.Lp[k]!, factor.Lp[k + 1]!)]).toEqual([...inside, ...below]);
      }
    }
    const free = new ComplexFactor(compiled.nodeCount, network.colPtr, network.rowIdx);
    expect(factor.factorEntries).toBeLessThan(1.15 * free.factorEntries);
    // What every iteration goes through is less than half of it.
    expect(factor.factorEntries - factor.Lp[silentCount]!).toBeLessThan(0.5 * free.factorEntries);
  });
});

describe('AdmittanceNetwork.refresh', () => {
  it('sums and factorises changed elements alone to the bits of the whole', () => {
    const model = radialFeeder(60);
    const compiled = compile(model);
    const kept = new AdmittanceNetwork(compiled, new ShareInjection(compiled.shares));
    expect(kept.refresh()).toBe(-1);
    const transformer = compiled.transformers.get('transformer.reg2')!;
    const changes = [-5, 3, 12].map((position) => {
      const ratios = tapRatios(transformer, compiled.regulatorsOf.get(transformer.id)!, () => position);
      return [compiled.elementIndex.get(transformer.id)!, transformerPrimitive(transformer, ratios)] as const;
    });
    const bank = model.capacitors[0]!;
    const out = [compiled.elementIndex.get(bank.id)!, capacitorPrimitive(bank, [0, 0, 0])] as const;
    for (const list of [[changes[0]!], [changes[1]!, out], [changes[2]!]]) {
      const whole = new AdmittanceNetwork(compiled, new ShareInjection(compiled.shares));
      for (const [element, primitive] of list) kept.setPrimitive(element, primitive);
      for (const [e, primitive] of kept.primitives.entries()) whole.setPrimitive(e, primitive);
      expect(kept.refresh()).toBe(-1);
      expect(whole.refresh()).toBe(-1);
      expect(kept.values).toEqual(whole.values);
      expect(kept.factor.Lx).toEqual(whole.factor.Lx);
      expect(kept.factor.inverseD).toEqual(whole.factor.inverseD);
    }
  });
});
