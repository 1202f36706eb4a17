/*
 * What is read off solved lanes, in TypeScript: the twin of gauge-code.ts, operation for operation.
 *
 * Solved: the magnitude of every node's voltage, pu; the largest conductor current at the first terminal of every rated
 * branch, % of its rating.
 * Steps: magnitudes in the order of the kernel's nodes; for each branch the rows of its admittance matrix at the first
 * terminal, each the sum of its entries times their nodes' voltages, the largest square, its root over the rating.
 * Cost: a square root for each node, 8 flops for each admittance of a rated branch. Allocates nothing.
 */
import { HEADER } from './layout.js';

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
  const branches = I[HEADER.gaugeBranches]!;
  const voltage = I[HEADER.voltageAt]! >> 3;
  const rowsOf = I[HEADER.branchRowsAt]! >> 2;
  let row = I[HEADER.rowEntriesAt]! >> 2;
  let place = I[HEADER.entryPlaceAt]! >> 2;
  let value = I[HEADER.entryValueAt]! >> 3;
  const scale = I[HEADER.branchScaleAt]! >> 3;
  const out = I[HEADER.loadingAt]! >> 3;
  for (let b = 0; b < branches; b++) {
    const lastRow = row + I[rowsOf + b]!;
    const firstPlace = place;
    const firstValue = value;
    for (let lane = 0; lane < width; lane++) {
      let largest = 0;
      place = firstPlace;
      value = firstValue;
      for (let r = row; r < lastRow; r++) {
        let re = 0;
        let im = 0;
        for (const end = place + I[r]!; place < end; place++, value += 2) {
          const at = voltage + lane + 2 * width * I[place]!;
          const vr = F[at]!;
          const vi = F[at + width]!;
          re -= F[value]! * vr - F[value + 1]! * vi;
          im -= F[value]! * vi + F[value + 1]! * vr;
        }
        const square = re * re + im * im;
        if (square > largest) largest = square;
      }
      F[out + b * width + lane] = Math.sqrt(largest) * F[scale + b]!;
    }
    row = lastRow;
  }
}
