/*
 * Starts of a lane in TypeScript: the twin of start-code.ts, operation for operation.
 *
 * Solved: V = z (no load + s (drop + Re s square drop) + t w own drop + u rise) at the active nodes, with s the stretch of the zone's
 * drop, t that of the node's leaf, u that of the units, z the factor of its zone and w the weight of own drops there; or V = z V + g t
 * own drop, with z and g of the zone. The stretch of a zone's drop is the sum of the stretches of the loads of all zones, each times what they have in it.
 * Powers: the base of each share times its multiplier goes to its place in the lane; those of the loads of a leaf are summed and held
 * against the leaf's reference, within bounds; those of all leaves, and of the leaves of each zone over its reference, are summed.
 * Cost: 25 flops for a start, 16 for a turn, at each active node; two multiplications and an addition for each share; four flops for each
 * pair of zones.
 */
import { DRAW_BYTES, HEADER, LARGEST_STRETCH, START_BYTES, START_ZONES, ZONE_BLOCK, ZONE_BYTES } from './layout.js';

/** Gives the lane that the header names the powers of a step, and works out the stretches of the leaves and the sums of the phases. */
export function spreadPowers(F: Float64Array, I: Int32Array, width: number): void {
  const leaves = I[HEADER.startLeaves]!;
  const stretch = I[HEADER.leafStretchAt]! >> 3;
  F.fill(0, stretch, stretch + leaves + 1);
  const multipliers = I[HEADER.multiplierAt]! >> 3;
  let power = (I[HEADER.powerAt]! + I[HEADER.startLane]!) >> 3;
  let draw = I[HEADER.drawAt]! >> 3;
  for (let left = I[HEADER.shares]!; left > 0; left--, draw += DRAW_BYTES >> 3, power += 2 * width) {
    const words = 2 * draw + 4;
    const watts = F[draw]! * F[multipliers + (I[words]! >> 3)]!;
    F[power] = watts;
    F[power + width] = F[draw + 1]! * F[multipliers + (I[words + 1]! >> 3)]!;
    const leaf = stretch + (I[words + 2]! >> 3);
    F[leaf] = F[leaf]! + watts;
  }
  const reference = I[HEADER.leafReferenceAt]! >> 3;
  const zoneOf = I[HEADER.leafZoneAt]! >> 2;
  const sums = I[HEADER.zoneSumAt]! >> 3;
  const perReference = I[HEADER.zoneReferenceAt]! >> 3;
  F.fill(0, sums, sums + START_ZONES);
  let all = 0;
  for (let c = 0; c < leaves; c++) {
    const power = F[stretch + c]!;
    const sum = sums + (I[zoneOf + c]! >> 3);
    all += power;
    F[sum] = F[sum]! + power;
    F[stretch + c] = Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, power * F[reference + c]!));
  }
  for (let z = 0; z < START_ZONES; z++) F[sums + z] = F[sums + z]! * F[perReference + z]!;
  F[I[HEADER.loadSumAt]! >> 3] = all;
}

/** How far the drops of the zones are stretched by the loads of all zones; goes into the records of the zones. */
function stretchZones(F: Float64Array, S: Float32Array, I: Int32Array): void {
  const sums = I[HEADER.zoneSumAt]! >> 3;
  const count = ZONE_BLOCK * I[HEADER.zoneBlocks]!;
  let share = I[HEADER.zoneShareAt]! >> 2;
  let zone = (I[HEADER.zoneAt]! >> 3) + 4;
  for (let block = I[HEADER.zoneBlocks]!; block > 0; block--, share += 2 * ZONE_BLOCK * count) {
    for (let k = 0; k < ZONE_BLOCK; k++, zone += ZONE_BYTES >> 3) {
      let re = 0;
      let im = 0;
      for (let g = 0, at = share + 2 * k; g < count; g++, at += 2 * ZONE_BLOCK) {
        re += F[sums + g]! * S[at]!;
        im += F[sums + g]! * S[at + 1]!;
      }
      F[zone] = Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, re));
      F[zone + 1] = Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, im));
    }
  }
}

/** Starts the lane that the header names from the stretches. */
export function startLane(F: Float64Array, S: Float32Array, I: Int32Array, width: number): void {
  const count = I[HEADER.startNodes]!;
  const zones = I[HEADER.zoneAt]!;
  const leaves = I[HEADER.leafStretchAt]!;
  stretchZones(F, S, I);
  const unit = F[I[HEADER.unitStretchAt]! >> 3]!;
  let record = I[HEADER.startAt]! >> 2;
  let voltage = (I[HEADER.voltageAt]! + I[HEADER.startLane]!) >> 3;
  for (let t = 0; t < count; t++) {
    const zone = (zones + I[record + 1]!) >> 3;
    const own = F[(leaves + I[record]!) >> 3]! * F[zone + 2]!;
    const allRe = F[zone + 4]!;
    const allIm = F[zone + 5]!;
    const dropRe = S[record + 4]! + allRe * S[record + 6]!;
    const dropIm = S[record + 5]! + allRe * S[record + 7]!;
    const re = S[record + 2]! + (allRe * dropRe - allIm * dropIm) + own * S[record + 8]! + unit * S[record + 10]!;
    const im = S[record + 3]! + (allRe * dropIm + allIm * dropRe) + own * S[record + 9]! + unit * S[record + 11]!;
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
  for (let t = 0; t < count; t++, voltage += 2 * width) {
    const zone = (zones + I[record + 1]!) >> 3;
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
