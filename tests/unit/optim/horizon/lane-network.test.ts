import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../../grid/math/index.js';
import { adjoint, evaluate, LaneNetwork, linearFeeder } from '../../../../grid/optim/index.js';
import { street } from '../street.js';

const LANES = 5;
const { network } = linearFeeder(
  street({ transformers: 6, customers: 6, pvKw: 8, loadKw: 0.8, sourcePu: 1.03, tap: 1 }),
);
const count = network.nodes.length;

const random = randomStream(3);
/** Ports of one to three nodes, every third of them with reactive power too. */
const ports = Array.from({ length: Math.floor(count / 4) }, (_, k) => {
  const nodes = Int32Array.from({ length: 1 + (k % 3) }, () => Math.floor(random.uniform(0, count)));
  const share = () => Float64Array.from(nodes, () => random.uniform(-1, 1));
  return { nodes, shareRe: share(), shareIm: k % 3 === 0 ? share() : new Float64Array(nodes.length) };
});
const unit = Float64Array.from(ports, () => random.uniform(100, 900));
const power = Float64Array.from({ length: ports.length * LANES }, () => random.uniform(-5, 5));
const none = evaluate(network, new Float64Array(count), new Float64Array(count)).voltageSquaredPu;

/** The change of all squared voltages in one lane, by the linear network alone. */
function wantedChange(lane: number): Float64Array {
  const drawnW = new Float64Array(count);
  const drawnVar = new Float64Array(count);
  ports.forEach(({ nodes, shareRe, shareIm }, k) => {
    nodes.forEach((node, j) => {
      drawnW[node]! += unit[k]! * power[k * LANES + lane]! * shareRe[j]!;
      drawnVar[node]! += unit[k]! * power[k * LANES + lane]! * shareIm[j]!;
    });
  });
  return evaluate(network, drawnW, drawnVar).voltageSquaredPu.map((v, i) => v - none[i]!);
}

describe('voltages of many steps side by side', () => {
  it('change as the linear network says step by step', () => {
    const lanes = new LaneNetwork(network, ports, LANES);
    const change = new Float64Array(count * LANES);
    lanes.spread(power, unit, change);
    let largest = 0;
    for (let t = 0; t < LANES; t++) {
      wantedChange(t).forEach((wanted, i) => {
        largest = Math.max(largest, Math.abs(wanted));
        expect(Math.abs(change[lanes.slotOf[i]! * LANES + t]! - wanted)).toBeLessThan(1e-12);
      });
    }
    expect(largest).toBeGreaterThan(1e-3);
  });

  it('are the same at wanted nodes alone, whichever are wanted and when', () => {
    const lanes = new LaneNetwork(network, ports, LANES);
    for (const wanted of [[count - 1], [count - 1, 7, 23], Array.from({ length: count }, (_, i) => i)]) {
      for (const node of wanted) lanes.want(node);
      const change = new Float64Array(count * LANES).fill(Number.NaN);
      lanes.spreadWanted(power, unit, change);
      for (let t = 0; t < LANES; t++) {
        const all = wantedChange(t);
        for (const i of wanted) expect(Math.abs(change[lanes.slotOf[i]! * LANES + t]! - all[i]!)).toBeLessThan(1e-12);
      }
      // Others that are not on the way are not worked out.
      expect(change.some(Number.isNaN)).toBe(wanted.length < 4);
    }
  });

  it('have the gradient of the linear network by the power of each port', () => {
    const lanes = new LaneNetwork(network, ports, LANES);
    const stream = randomStream(4);
    for (const every of [7, 3]) {
      const weight = Array.from({ length: LANES }, () =>
        Float64Array.from({ length: count }, (_, i) => (i % every === 2 ? stream.uniform(-1, 1) : 0)),
      );
      for (let i = 2; i < count; i += every) lanes.want(i);
      const all = new Float64Array(count * LANES);
      for (let i = 0; i < count; i++)
        for (let t = 0; t < LANES; t++) all[lanes.slotOf[i]! * LANES + t] = weight[t]![i]!;
      const sum = new Float64Array(ports.length * LANES).fill(1);
      lanes.pull(all, 250, sum);
      weight.forEach((own, t) => {
        const { perW, perVar } = adjoint(network, own);
        ports.forEach(({ nodes, shareRe, shareIm }, k) => {
          const wanted = nodes.reduce(
            (total, node, j) => total + 250 * (shareRe[j]! * perW[node]! + shareIm[j]! * perVar[node]!),
            1,
          );
          expect(sum[k * LANES + t]).toBeCloseTo(wanted, 12);
        });
      });
    }
  });

  it('never change by more than the reach of the ports says', () => {
    const reach = new LaneNetwork(network, ports, LANES).reach();
    let tightest = 0;
    ports.forEach(({ nodes, shareRe, shareIm }, k) => {
      const [drawnW, drawnVar] = [new Float64Array(count), new Float64Array(count)];
      nodes.forEach((node, j) => {
        drawnW[node]! += 1000 * shareRe[j]!;
        drawnVar[node]! += 1000 * shareIm[j]!;
      });
      const { voltageSquaredPu } = evaluate(network, drawnW, drawnVar);
      const most = voltageSquaredPu.reduce((max, v, i) => Math.max(max, Math.abs(v - none[i]!)), 0);
      expect(most).toBeLessThanOrEqual(1000 * reach[k]! + 1e-12);
      tightest = Math.max(tightest, most / (1000 * reach[k]!));
    });
    // A bound that is far from what happens would be of no use.
    expect(tightest).toBeGreaterThan(0.3);
  });
});
