import { adjoint, type LinearNetwork } from '../linear-network.js';
import type { PowerPattern } from './meter-point.js';

/*
 * Voltage limits as rows over powers, made when they are needed.
 *
 * v_i = base_i + sum_k s_ik p_k with s_ik the change of v_i per watt drawn in pattern k: one adjoint pass per node gives
 * its whole row. Few limits of a feeder ever bind, so that rows are added where a solution breaks them, a few at a time
 * that do not say the same; the rows of a tree's neighbours are almost parallel.
 * Cost: O(nodes) per row, kept for every step of a horizon.
 */

/** Answers of a node's squared voltage to one watt drawn in each of some patterns, pu squared per W. */
export class VoltageRows {
  private readonly kept = new Map<number, Float64Array>();

  constructor(
    private readonly network: LinearNetwork,
    private readonly patterns: readonly PowerPattern[],
  ) {}

  /** The row of a node. */
  row(node: number): Float64Array {
    const known = this.kept.get(node);
    if (known) return known;
    const weight = new Float64Array(this.network.nodes.length);
    weight[node] = 1;
    const { perW, perVar } = adjoint(this.network, weight);
    const row = Float64Array.from(this.patterns, ({ nodes, wattPerW, varPerW }) => {
      let sum = 0;
      for (let k = 0; k < nodes.length; k++) sum += perW[nodes[k]!]! * wattPerW[k]! + perVar[nodes[k]!]! * varPerW[k]!;
      return sum;
    });
    this.kept.set(node, row);
    return row;
  }

  /**
   * Nodes to take rows for: the most violated first, leaving out those whose row is parallel to one taken.
   *
   * @param violation - by node, above 0 where a limit is broken
   */
  pick(violation: ArrayLike<number>, tolerance: number, most: number): number[] {
    const candidates: number[] = [];
    for (let i = 0; i < violation.length; i++) if (violation[i]! > tolerance) candidates.push(i);
    candidates.sort((a, b) => violation[b]! - violation[a]! || a - b);
    const taken: number[] = [];
    for (const node of candidates.slice(0, LOOKED_AT)) {
      if (taken.length >= most) break;
      const row = this.row(node);
      if (taken.every((other) => cosine(row, this.row(other)) < PARALLEL)) taken.push(node);
    }
    return taken;
  }
}

/** Violated nodes looked at in one pick, and the cosine from which two rows say the same. */
const LOOKED_AT = 120;
const PARALLEL = 0.995;

function cosine(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let k = 0; k < a.length; k++) {
    ab += a[k]! * b[k]!;
    aa += a[k]! ** 2;
    bb += b[k]! ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 1;
}
