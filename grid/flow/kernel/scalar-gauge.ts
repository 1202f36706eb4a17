/*
 * What is read off solved lanes, in TypeScript: the twin of gauge-code.ts, operation for operation.
 *
 * Solved: the magnitude of every node's voltage, pu; the largest conductor current at the first terminal of every rated
 * branch, % of its rating.
 * Steps: magnitudes in the order of the kernel's nodes; for each branch the rows of its admittance matrix at the first
 * terminal, each the sum of its entries times their nodes' voltages, or the differences of their nodes', the largest square, its root over
 * the rating.
 * Cost: a square root for each node, 8 flops for each admittance of a rated branch. Allocates nothing.
 */
import { GAUGE_ROWS, HEADER, SHAPE_BYTES } from './layout.js';

/** Writes the magnitudes of all nodes, lane-minor. */
export function gaugeMagnitudes(F: Float64Array, I: Int32Array, width: number): void {
  const count = I[HEADER.gaugeNodes]!;
  let voltage = I[HEADER.voltageAt]! >> 3;
  let weight = I[HEADER.gaugeWeightAt]! >> 3;
  let out = I[HEADER.magnitudeAt]! >> 3;
  for (let t = 0; t < count; t++, voltage += 2 * width, weight++, out += width) {
    const perVolt = F[weight]!;
    for (let lane = 0; lane < width; lane++) {
      const re = F[voltage + lane]!;
      const im = F[voltage + lane + width]!;
      F[out + lane] = Math.sqrt(re * re + im * im) * perVolt;
    }
  }
}

/** Writes the loadings of all branches, lane-minor. */
export function gaugeLoadings(F: Float64Array, I: Int32Array, width: number): void {
  const voltage = I[HEADER.voltageAt]! >> 3;
  let places = I[HEADER.entryPlaceAt]! >> 2;
  let values = I[HEADER.entryValueAt]! >> 3;
  let scale = I[HEADER.branchScaleAt]! >> 3;
  let out = I[HEADER.loadingAt]! >> 3;
  let shape = I[HEADER.shapeAt]! >> 2;
  for (let left = I[HEADER.gaugeShapes]!; left > 0; left--, shape += SHAPE_BYTES >> 2) {
    const rows = GAUGE_ROWS * I[shape]! + I[shape + 1]!;
    const entries = I[shape + 2]!;
    const isDifference = I[shape + 4] === 1;
    for (let count = I[shape + 3]!; count > 0; count--) {
      for (let lane = 0; lane < width; lane++) {
        let largest = 0;
        for (let row = 0; row < rows; row++) {
          const first = row - (row % GAUGE_ROWS);
          const distance = Math.min(GAUGE_ROWS, rows - first);
          let value = values + 2 * (first * entries + row - first);
          let re = 0;
          let im = 0;
          for (let j = 0; j < entries; j++, value += 2 * distance) {
            const at = voltage + lane + 2 * width * I[places + (isDifference ? 2 * j : j)]!;
            let vr = F[at]!;
            let vi = F[at + width]!;
            if (isDifference) {
              const other = voltage + lane + 2 * width * I[places + 2 * j + 1]!;
              vr -= F[other]!;
              vi -= F[other + width]!;
            }
            re -= F[value]! * vr - F[value + 1]! * vi;
            im -= F[value]! * vi + F[value + 1]! * vr;
          }
          const square = re * re + im * im;
          if (square > largest) largest = square;
        }
        F[out + lane] = Math.sqrt(largest) * F[scale]!;
      }
      places += isDifference ? 2 * entries : entries;
      values += 2 * rows * entries;
      scale++;
      out += width;
    }
  }
}
