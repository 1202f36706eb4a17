/*
 * What the loads of each zone have in the drop of each zone.
 *
 * Solved: shares a of zone g in the drop of zone y, complex, so that the drop of y is stretched by sum(a_yg s_g) where the loads of the
 * zones are stretched by s: what more load in g adds to the drop at the nodes of y, in least squares as a multiple of their whole drop; loads of
 * other phases turn it. All shares of a zone together are 1, so that loads that are stretched alike stretch every drop alike.
 * Steps: around a case in which all loads draw a part of their powers, each zone's loads in turn draw more.
 * Cost: one power flow for each zone, from the case's own state, once.
 * Fails: never; what cannot be solved counts as nothing, and a zone that no load moves follows all loads by their size.
 */
import type { LaneSolver } from '../kernel/lane-solver.js';
import { HEADER, START_ZONES, ZONE_BLOCK } from '../kernel/layout.js';

/** What the drops of zones are made of. */
export interface ZoneDrops {
  /** Zones, and the zone of each active node. */
  readonly count: number;
  readonly zone: Int32Array;
  /** Direction of the whole drop of the active nodes, interleaved re/im, V. */
  readonly direction: Float64Array;
  /** Power of the loads of each zone in the reference case, W. */
  readonly referenceW: Float64Array;
  /** What more load in a zone adds to the drop of the active nodes, interleaved re/im, V; undefined where there is no solution. */
  readonly added: (zone: number) => Float64Array | undefined;
}

/** Least sum of the shares of a zone, of what it should be, that says something about it. */
const LEAST_SUM = 1e-9;

/** Shares of the loads of zones in the drops of zones: `[drop * START_ZONES + load]`, interleaved re/im. */
export function zoneShares({ count, zone, direction, referenceW, added }: ZoneDrops): Float64Array {
  const shares = new Float64Array(2 * START_ZONES * START_ZONES);
  const sizes = new Float64Array(START_ZONES);
  for (let t = 0; t < zone.length; t++) {
    sizes[zone[t]!] = sizes[zone[t]!]! + direction[2 * t]! ** 2 + direction[2 * t + 1]! ** 2;
  }
  for (let g = 0; g < count; g++) {
    const more = referenceW[g] === 0 ? undefined : added(g);
    if (!more) continue;
    for (let t = 0; t < zone.length; t++) {
      const at = 2 * (zone[t]! * START_ZONES + g);
      const [dr, di] = [direction[2 * t]!, direction[2 * t + 1]!];
      const [mr, mi] = [more[2 * t]!, more[2 * t + 1]!];
      shares[at] = shares[at]! + mr * dr + mi * di;
      shares[at + 1] = shares[at + 1]! + mi * dr - mr * di;
    }
  }
  const all = referenceW.reduce((sum, w) => sum + w, 0);
  for (let y = 0; y < count; y++) {
    const row = shares.subarray(2 * y * START_ZONES, 2 * (y * START_ZONES + count));
    let [re, im] = [0, 0];
    for (let g = 0; g < row.length; g += 2) {
      re += row[g]!;
      im += row[g + 1]!;
    }
    const square = re * re + im * im;
    const isKnown = Math.sqrt(square) > LEAST_SUM * sizes[y]!;
    for (let g = 0; g < row.length; g += 2) {
      const [gr, gi] = [row[g]!, row[g + 1]!];
      row[g] = isKnown ? (gr * re + gi * im) / square : all === 0 ? 0 : referenceW[g / 2]! / all;
      row[g + 1] = isKnown ? (gi * re - gr * im) / square : 0;
    }
  }
  return shares;
}

/** Puts shares into the memory of a solver: blocks of zones side by side, in each the loads one after the other. */
export function prepareZoneShares(solver: LaneSolver, count: number, shares: Float64Array): void {
  const { header, words, singles } = solver;
  const blocks = Math.ceil(count / ZONE_BLOCK);
  words[HEADER.zoneBlocks] = blocks;
  let to = header[HEADER.zoneShareAt]! >> 2;
  for (let block = 0; block < blocks; block++) {
    for (let g = 0; g < ZONE_BLOCK * blocks; g++) {
      for (let k = 0; k < ZONE_BLOCK; k++, to += 2) {
        const from = 2 * ((ZONE_BLOCK * block + k) * START_ZONES + g);
        singles[to] = shares[from]!;
        singles[to + 1] = shares[from + 1]!;
      }
    }
  }
}
