import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../grid/math/index.js';
import { adjoint, evaluate, LaneNetwork, linearFeeder } from '../../../../grid/optim/index.js';
import { street } from '../street.js';

const LANES = 5;
const { network } = linearFeeder(
  street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 }),
);
const count = network.nodes.length;

/** Nodes that draw, every third of them reactive power too. */
const drawing = Array.from({ length: count }, (_, node) => ({ node, isReactive: node % 3 === 0 })).filter(
  ({ node }) => node % 4 === 0,
);

describe('voltages of many steps side by side', () => {
  it('change as the linear network says step by step', () => {
    const random = randomStream(3);
    const lanes = new LaneNetwork(network, drawing, LANES);
    const none = evaluate(network, new Float64Array(count), new Float64Array(count)).voltageSquaredPu;
    const power = Float64Array.from({ length: LANES }, () => random.uniform(-5000, 5000));
    const shares = drawing.map(({ isReactive }) => [random.uniform(-1, 1), isReactive ? random.uniform(-1, 1) : 0]);
    const change = new Float64Array(count * LANES);
    const draw = () => {
      lanes.clear();
      drawing.forEach(({ node }, k) => {
        lanes.draw(node, shares[k]![0]!, shares[k]![1]!, power, 0);
      });
    };
    draw();
    lanes.spread(change, true);
    // The same for one node alone: others that are not on its way stay as they were.
    const last = count - 1;
    const alone = new Float64Array(count * LANES).fill(Number.NaN);
    lanes.want(last);
    draw();
    lanes.spread(alone, false);
    const at = lanes.slotOf[last]! * LANES;
    expect([...alone.subarray(at, at + LANES)]).toEqual([...change.subarray(at, at + LANES)]);
    expect(alone.some(Number.isNaN)).toBe(true);
    let largest = 0;
    for (let t = 0; t < LANES; t++) {
      const drawnW = new Float64Array(count);
      const drawnVar = new Float64Array(count);
      drawing.forEach(({ node }, k) => {
        drawnW[node] = power[t]! * shares[k]![0]!;
        drawnVar[node] = power[t]! * shares[k]![1]!;
      });
      const { voltageSquaredPu } = evaluate(network, drawnW, drawnVar);
      for (let i = 0; i < count; i++) {
        const wanted = voltageSquaredPu[i]! - none[i]!;
        largest = Math.max(largest, Math.abs(wanted));
        expect(Math.abs(change[lanes.slotOf[i]! * LANES + t]! - wanted)).toBeLessThan(1e-12);
      }
    }
    expect(largest).toBeGreaterThan(1e-3);
  });

  it('have the gradient of the linear network where power is drawn', () => {
    const random = randomStream(4);
    const lanes = new LaneNetwork(network, drawing, LANES);
    const weight = Array.from({ length: LANES }, () =>
      Float64Array.from({ length: count }, (_, i) => (i % 7 === 3 ? random.uniform(-1, 1) : 0)),
    );
    for (let i = 3; i < count; i += 7) lanes.want(i);
    const all = new Float64Array(count * LANES);
    for (let i = 0; i < count; i++) for (let t = 0; t < LANES; t++) all[lanes.slotOf[i]! * LANES + t] = weight[t]![i]!;
    lanes.pull(all);
    const wanted = weight.map((own) => adjoint(network, own));
    for (const { node, isReactive } of drawing) {
      const [perW, perVar] = [new Float64Array(LANES), new Float64Array(LANES)];
      lanes.gradientAt(node, 1, 0, perW, 0);
      if (isReactive) lanes.gradientAt(node, 0, 1, perVar, 0);
      for (let t = 0; t < LANES; t++) {
        expect(perW[t]).toBeCloseTo(wanted[t]!.perW[node]!, 14);
        if (isReactive) expect(perVar[t]).toBeCloseTo(wanted[t]!.perVar[node]!, 14);
      }
    }
  });
});
