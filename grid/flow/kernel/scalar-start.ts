/*
 * Starts of a lane in TypeScript: the twin of start-code.ts, operation for operation.
 *
 * Solved: V = z (no load + s (drop + s square drop) + t w own drop + u rise) at the active nodes, with s the stretch of the node's
 * phase, t that of its leaf, u that of the units, z the factor of its zone and w the weight of own drops there; or V = z V + g t own
 * drop, with z and g of the zone.
 * Powers: those of a step, by share, go to the places of the shares in the lane; those of the loads of a leaf are summed and held against
 * the leaf's reference, within bounds; those of all leaves, and of the leaves of each phase, are summed where the stretches of the phases
 * stand.
 * Cost: 25 flops for a start, 16 for a turn, at each active node; two moves for each share, an addition for each load.
 */
import { HEADER, LARGEST_STRETCH, SHARE_BYTES, START_BYTES } from './layout.js';

/** Gives the lane that the header names the powers of a step, and works out the stretches of the leaves and the sums of the phases. */
export function spreadPowers(F: Float64Array, I: Int32Array, width: number): void {
  const shares = I[HEADER.shares]!;
  const given = I[HEADER.givenAt]! >> 3;
  let power = (I[HEADER.powerAt]! + I[HEADER.startLane]!) >> 3;
  for (let t = 0, share = I[HEADER.shareAt]! >> 2; t < shares; t++, share += SHARE_BYTES >> 2, power += 2 * width) {
    const k = given + I[share + 3]!;
    F[power] = F[k]!;
    F[power + width] = F[k + shares]!;
  }
  const leaves = I[HEADER.startLeaves]!;
  const stretch = I[HEADER.leafStretchAt]! >> 3;
  F.fill(0, stretch, stretch + leaves);
  for (let k = 0, leafOf = I[HEADER.leafOfAt]! >> 2; k < I[HEADER.startLoads]!; k++, leafOf++) {
    const leaf = stretch + (I[leafOf]! >> 3);
    F[leaf] = F[leaf]! + F[given + k]!;
  }
  const reference = I[HEADER.leafReferenceAt]! >> 3;
  const phase = I[HEADER.leafPhaseAt]! >> 2;
  let [all, first, second, third] = [0, 0, 0, 0];
  for (let c = 0; c < leaves; c++) {
    const power = F[stretch + c]!;
    all += power;
    if (I[phase + c] === 1) first += power;
    if (I[phase + c] === 2) second += power;
    if (I[phase + c] === 3) third += power;
    F[stretch + c] = Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, power * F[reference + c]!));
  }
  F.set([all, first, second, third], I[HEADER.phaseStretchAt]! >> 3);
}

/** Starts the lane that the header names from the stretches. */
export function startLane(F: Float64Array, S: Float32Array, I: Int32Array, width: number): void {
  const count = I[HEADER.startNodes]!;
  const zones = I[HEADER.zoneAt]!;
  const leaves = I[HEADER.leafStretchAt]!;
  const phases = I[HEADER.phaseStretchAt]!;
  const unit = F[I[HEADER.unitStretchAt]! >> 3]!;
  let record = I[HEADER.startAt]! >> 2;
  let voltage = (I[HEADER.voltageAt]! + I[HEADER.startLane]!) >> 3;
  for (let t = 0, zoneOf = I[HEADER.zoneOfAt]! >> 2; t < count; t++, zoneOf++) {
    const zone = (zones + I[zoneOf]!) >> 3;
    const own = F[(leaves + I[record]!) >> 3]! * F[zone + 2]!;
    const all = F[(phases + I[record + 1]!) >> 3]!;
    const of = (part: 0 | 1) => {
      const at = record + 2 + part;
      const value = S[at]! + all * (S[at + 2]! + all * S[at + 4]!) + own * S[at + 6]!;
      return value + unit * S[at + 8]!;
    };
    const re = of(0);
    const im = of(1);
    F[voltage] = F[zone]! * re - F[zone + 1]! * im;
    F[voltage + width] = F[zone]! * im + F[zone + 1]! * re;
    record += START_BYTES >> 2;
    voltage += 2 * width;
  }
}

/** Turns the voltages of the lane that the header names by the factors of their zones; own drops follow theirs. */
export function turnLane(F: Float64Array, S: Float32Array, I: Int32Array, width: number): void {
  const count = I[HEADER.startNodes]!;
  const zones = I[HEADER.zoneAt]!;
  const leaves = I[HEADER.leafStretchAt]!;
  let record = I[HEADER.startAt]! >> 2;
  let voltage = (I[HEADER.voltageAt]! + I[HEADER.startLane]!) >> 3;
  for (let t = 0, zoneOf = I[HEADER.zoneOfAt]! >> 2; t < count; t++, zoneOf++, voltage += 2 * width) {
    const zone = (zones + I[zoneOf]!) >> 3;
    const re = F[voltage]!;
    const im = F[voltage + width]!;
    const own = F[(leaves + I[record]!) >> 3]!;
    const ownRe = own * S[record + 8]!;
    const ownIm = own * S[record + 9]!;
    F[voltage] = F[zone]! * re - F[zone + 1]! * im + (F[zone + 2]! * ownRe - F[zone + 3]! * ownIm);
    F[voltage + width] = F[zone]! * im + F[zone + 1]! * re + (F[zone + 2]! * ownIm + F[zone + 3]! * ownRe);
    record += START_BYTES >> 2;
  }
}
