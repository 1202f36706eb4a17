/*
 * Starts of a lane in TypeScript: the twin of start-code.ts, operation for operation.
 *
 * Solved: V = z (no load + s (drop + s square drop) + t own drop + u rise) at the active nodes, with s the stretch of the node's
 * phase, t that of its leaf, u that of the units, z the factor of its zone; or V = z V.
 * Cost: 24 flops for a start, 6 for a turn, at each active node.
 */
import { HEADER, START_BYTES } from './layout.js';

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
    const own = F[(leaves + I[record]!) >> 3]!;
    const all = F[(phases + I[record + 1]!) >> 3]!;
    const zone = (zones + I[zoneOf]!) >> 3;
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

/** Turns the voltages of the lane that the header names by the factors of their zones. */
export function turnLane(F: Float64Array, I: Int32Array, width: number): void {
  const count = I[HEADER.startNodes]!;
  const zones = I[HEADER.zoneAt]!;
  let voltage = (I[HEADER.voltageAt]! + I[HEADER.startLane]!) >> 3;
  for (let t = 0, zoneOf = I[HEADER.zoneOfAt]! >> 2; t < count; t++, zoneOf++, voltage += 2 * width) {
    const zone = (zones + I[zoneOf]!) >> 3;
    const re = F[voltage]!;
    const im = F[voltage + width]!;
    F[voltage] = F[zone]! * re - F[zone + 1]! * im;
    F[voltage + width] = F[zone]! * im + F[zone + 1]! * re;
  }
}
