import { randomStream } from '../../math/index.js';
import type { EnvelopeCheckKind } from './envelope.js';
import type { EnvelopeNetwork } from './envelope-network.js';

/*
 * Operating points at which envelopes are verified by the AC power flow.
 *
 * Steps: 1. all at the export limit, all at the import limit; 2. one phase alone exporting or importing, the others at rest
 *        or doing the opposite; 3. the worst mixture of each node, upper and lower limit apart: every customer at the end of
 *        its range, or at rest, that strains that node most. Nodes nearest to their limits come first, and one that some
 *        point before it strains to within a ten-thousandth of its own worst is left out: neighbours share their worst mixture;
 *        4. seeded random mixtures.
 * Cost: one adjoint pass and one pass over the network for each worst mixture, at most MOST_CORNERS of them.
 */

/** An operating point: power of each entry, W. */
export interface Mixture {
  readonly name: string;
  readonly kind: EnvelopeCheckKind;
  readonly x: Float64Array;
}

/** The points, and how many nodes that could come near a limit have no point of their own. */
export interface Mixtures {
  readonly points: readonly Mixture[];
  readonly uncovered: number;
}

/** Worst mixtures verified at most. */
const MOST_CORNERS = 400;
/** A point stands for a node's worst mixture when it strains the node by this share of it. */
const COVERED = 0.9999;
/** A node that its worst mixture moves by less than this share of its room does not come near its limit. */
const NEAR = 0.25;
/** Steps in which room is compared: rows that are full differ by rounding, and stand in the order of their nodes. */
const ROOM_STEP_SQUARED_PU = 1e-7;

/**
 * @param x - limits, W by entry
 * @param roomSquaredPu - how far a node's voltage may be moved up (1) or down (-1); Infinity without a limit
 */
export function verifiedMixtures(
  network: EnvelopeNetwork,
  x: Float64Array,
  roomSquaredPu: (node: number, sign: 1 | -1) => number,
): Mixtures {
  const only = (side: 0 | 1) => x.map((w, d) => (d % 2 === side ? w : 0));
  const points: Mixture[] = [
    { name: 'all at the export limit', kind: 'together', x: only(0) },
    { name: 'all at the import limit', kind: 'together', x: only(1) },
    ...(network.guarantee === 'everyMixture' ? phasePoints(network, x) : []),
  ];
  const worst = worstPoints(network, x, points, roomSquaredPu);
  return { points: [...points, ...worst.points, ...randomPoints(network, x)], uncovered: worst.uncovered };
}

/** The mixture inside limits `x` that moves a node's voltage furthest, of the entries that count by a guarantee. */
export function worstMixture(
  network: EnvelopeNetwork,
  x: Float64Array,
  node: number,
  sign: 1 | -1,
  guarantee = network.guarantee,
): Float64Array {
  const worst = new Float64Array(x.length);
  for (let d = 0; d < x.length; d += 2) {
    const [exported, imported] = [0, 1].map((side) => network.strain(node, d + side, sign, guarantee) * x[d + side]!);
    const side = exported! >= imported! ? 0 : 1;
    if (Math.max(exported!, imported!) > 0) worst[d + side] = x[d + side]!;
  }
  return worst;
}

/** One phase alone, and one phase against the others. */
function phasePoints(network: EnvelopeNetwork, x: Float64Array): Mixture[] {
  const groups = [...new Set(network.customers.map(({ phases }) => phases))].sort();
  if (groups.length < 2) return [];
  return groups.flatMap((phases) => {
    const point = (mine: 0 | 1, others: 0 | 1 | undefined) =>
      x.map((w, d) => {
        const side = network.customers[d >> 1]!.phases === phases ? mine : others;
        return d % 2 === side ? w : 0;
      });
    return [
      { name: `phase ${phases} exporting alone`, kind: 'phase' as const, x: point(0, undefined) },
      { name: `phase ${phases} importing alone`, kind: 'phase' as const, x: point(1, undefined) },
      { name: `phase ${phases} exporting, others importing`, kind: 'phase' as const, x: point(0, 1) },
      { name: `phase ${phases} importing, others exporting`, kind: 'phase' as const, x: point(1, 0) },
    ];
  });
}

/** Worst mixtures of nodes that no point covers yet. */
function worstPoints(
  network: EnvelopeNetwork,
  x: Float64Array,
  before: readonly Mixture[],
  roomSquaredPu: (node: number, sign: 1 | -1) => number,
): Mixtures {
  const reach = network.reach(x);
  const reached = (node: number, sign: 1 | -1) => (sign > 0 ? reach.up : reach.down)[node]!;
  const nodes = Array.from(reach.up.keys())
    .flatMap((node) => [
      { node, sign: 1 as const },
      { node, sign: -1 as const },
    ])
    .flatMap(({ node, sign }) => {
      const room = roomSquaredPu(node, sign);
      const by = reached(node, sign);
      if (!Number.isFinite(room) || !(by > Math.max(ROOM_STEP_SQUARED_PU, NEAR * room))) return [];
      return [{ node, sign, left: Math.round((room - by) / ROOM_STEP_SQUARED_PU) }];
    })
    .sort((one, other) => one.left - other.left || one.node - other.node);
  const isCovered = { up: new Uint8Array(reach.up.length), down: new Uint8Array(reach.up.length) };
  const cover = (point: Float64Array) => {
    network.moved(point).forEach((moved, i) => {
      if (moved >= COVERED * reach.up[i]!) isCovered.up[i] = 1;
      if (-moved >= COVERED * reach.down[i]!) isCovered.down[i] = 1;
    });
  };
  for (const point of before) cover(point.x);
  const points: Mixture[] = [];
  let uncovered = 0;
  for (const { node, sign } of nodes) {
    if ((sign > 0 ? isCovered.up : isCovered.down)[node]) continue;
    if (points.length >= MOST_CORNERS) {
      uncovered++;
      continue;
    }
    const worst = worstMixture(network, x, node, sign);
    const which = sign > 0 ? 'the upper' : 'the lower';
    points.push({ name: `worst for ${which} limit of ${network.nameOf(node)}`, kind: 'worst', x: worst });
    cover(worst);
  }
  return { points, uncovered };
}

/** A third of the customers at each corner, a third anywhere between: mixtures on the surface are the hard ones. */
function randomPoints({ question, customers }: EnvelopeNetwork, x: Float64Array): Mixture[] {
  const { mixtures = 24, seed = 1 } = question;
  const stream = randomStream(seed);
  return Array.from({ length: mixtures }, (_, m) => {
    const draws = stream.split(m);
    const powers = new Float64Array(x.length);
    for (let k = 0; k < customers.length; k++) {
      const kind = draws.integer(3);
      const size = kind === 2 ? draws.uniform() : 1;
      const side = kind === 2 ? draws.integer(2) : kind;
      powers[2 * k + side] = size * x[2 * k + side]!;
    }
    return { name: `mixture ${m + 1}`, kind: 'random', x: powers };
  });
}
