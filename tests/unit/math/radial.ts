import { type QuadraticProgramme, TripletList } from '../../../grid/math/index.js';

/** Seeded numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A radial curtailment problem of `nodes` nodes, three unknowns each: curtailment, flow, rise of squared voltage. The rise
 * without curtailment is 60 units at the worst node, the limit 40.
 */
export function radial(nodes: number): QuadraticProgramme {
  const random = seeded(7);
  const n = 3 * nodes;
  const parents = Array.from({ length: nodes }, (_, i) =>
    i === 0 ? -1 : Math.max(0, i - 1 - Math.floor(random() * 40)),
  );
  const available = parents.map(() => 0.2 + random());
  const resistance = parents.map(() => 1 + random());
  const flow = Float64Array.from(available);
  for (let i = nodes - 1; i > 0; i--) flow[parents[i]!]! += flow[i]!;
  const rise = new Float64Array(nodes);
  for (let i = 0; i < nodes; i++) rise[i] = (rise[parents[i]!] ?? 0) + resistance[i]! * flow[i]!;
  const scale = 60 / rise.reduce((a, b) => Math.max(a, b));
  const p = new TripletList();
  const a = new TripletList();
  const lower = new Float64Array(n).fill(-Infinity);
  const upper = new Float64Array(n).fill(Infinity).fill(40, 2 * nodes);
  const value = new Float64Array(2 * nodes);
  parents.forEach((parent, i) => {
    p.add(i, i, 2 / available[i]!);
    lower[i] = 0;
    upper[i] = available[i]!;
    // flow_i - sum of the children's flows + c_i = available_i
    a.add(i, nodes + i, 1);
    a.add(i, i, 1);
    value[i] = available[i]!;
    if (parent >= 0) a.add(parent, nodes + i, -1);
    // rise_i = rise_parent + r_i flow_i
    a.add(nodes + i, 2 * nodes + i, 1);
    if (parent >= 0) a.add(nodes + i, 2 * nodes + parent, -1);
    a.add(nodes + i, nodes + i, -resistance[i]! * scale);
  });
  return {
    hessian: p.toMatrix(n, n),
    linear: new Float64Array(n),
    equality: a.toMatrix(2 * nodes, n),
    equalityValue: value,
    lower,
    upper,
  };
}
