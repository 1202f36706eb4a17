/*
 * The nodal currents of a network, summed branch by branch.
 *
 * Solved: the same product Y V as that of the summed matrix.
 * Steps: what a line, switch or reactor carries along is taken from the voltages between its ends, what leaves it to
 * ground from its own shunts; devices' admittances from the voltage across them; transformers and sources from their
 * primitives.
 * Why: a neutral that only the charging of its line ties to ground has 1e5 S to its neighbours and 1e-5 S to ground. In a
 * row of the summed matrix the shunt stands behind ten digits, and a rounding of the large products is millivolts at the
 * neutral. Differences of voltages are as small as the currents they drive, so that nothing large cancels.
 * Cost: linear in the entries of all elements.
 * Fails: never.
 */
import type { CompiledFeeder, Primitive } from '../model/index.js';

/** Devices' admittances that stand in the matrix, by share, S. */
interface ShareAdmittances {
  readonly linearRe: Float64Array;
  readonly linearIm: Float64Array;
}

/**
 * Subtracts the currents that the network takes at `voltage` from `current`.
 *
 * @param primitives - present primitive of each element, S
 * @param voltage - of each node, interleaved re/im, V
 * @param current - of each node, interleaved re/im, A; becomes the mismatch where it held the injections
 */
export function subtractBranchCurrents(
  { elements, shares, feeder }: CompiledFeeder,
  primitives: readonly Primitive[],
  { linearRe, linearIm }: ShareAdmittances,
  voltage: Float64Array,
  current: Float64Array,
): void {
  /** Subtracts the current that `gr + j gi` drives at a node under the voltage from node `b` to node `a`, -1 for ground. */
  const take = (node: number, gr: number, gi: number, a: number, b: number): void => {
    const re = (a < 0 ? 0 : voltage[2 * a]!) - (b < 0 ? 0 : voltage[2 * b]!);
    const im = (a < 0 ? 0 : voltage[2 * a + 1]!) - (b < 0 ? 0 : voltage[2 * b + 1]!);
    current[2 * node] = current[2 * node]! - (gr * re - gi * im);
    current[2 * node + 1] = current[2 * node + 1]! - (gr * im + gi * re);
  };
  // In the primitive they stand behind the series admittance; an end that is open has changed them.
  const shunts = new Map(
    feeder.lines.flatMap(({ id, isOpen, shuntSiemens }) => (isOpen ? [] : [[id, shuntSiemens.im] as const])),
  );
  for (let e = 0; e < elements.length; e++) {
    const { id, kind, nodeRoom, nodeStart } = elements[e]!;
    const { n, data, offset } = primitives[e]!.y;
    const square = n * n;
    const isSeries = kind === 'line' || kind === 'switch' || kind === 'reactor';
    const shunt = shunts.get(id);
    const order = n / 2;
    for (let i = 0; i < n; i++) {
      const node = nodeRoom[nodeStart + i]!;
      if (node < 0) continue;
      const row = offset + i * n;
      if (!isSeries) {
        for (let j = 0; j < n; j++) take(node, data[row + j]!, data[row + square + j]!, nodeRoom[nodeStart + j]!, -1);
        continue;
      }
      // Own end and far end of the same conductor: Y_near V_near + Y_far V_far = -Y_far (V_near - V_far) + (Y_near + Y_far) V_near.
      const own = i < order ? 0 : order;
      const far = order - own;
      for (let j = 0; j < order; j++) {
        const near = nodeRoom[nodeStart + own + j]!;
        const farRe = data[row + far + j]!;
        const farIm = data[row + square + far + j]!;
        take(node, -farRe, -farIm, near, nodeRoom[nodeStart + far + j]!);
        const half = shunt ? shunt[(i - own) * order + j]! / 2 : data[row + square + own + j]! + farIm;
        take(node, shunt ? 0 : data[row + own + j]! + farRe, half, near, -1);
      }
    }
  }
  for (let k = 0; k < shares.count; k++) {
    const [gr, gi] = [linearRe[k]!, linearIm[k]!];
    if (gr === 0 && gi === 0) continue;
    const [a, b] = [shares.a[k]!, shares.b[k]!];
    if (a >= 0) take(a, gr, gi, a, b);
    if (b >= 0) take(b, gr, gi, b, a);
  }
}
