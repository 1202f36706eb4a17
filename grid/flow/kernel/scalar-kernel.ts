/*
 * One iteration of the fixed point in TypeScript, lane by lane: the twin of the WebAssembly kernel, operation for
 * operation, and what runs where there is none.
 *
 * Solved: from V: currents of sources and shares, x = Y^-1 I by the factor of the active nodes, the largest change of any
 * of them, V = x unless the lane is frozen.
 * Steps: (1) sources and shares add to the work vector; (2) forward through the blocks, ending with the pivots; (3)
 * backward through the blocks: x, change, V, and the work vector is zero again. `expand` gives the silent nodes.
 * Cost: 16 flops for each entry of L, about 25 for each share, 6 for each node. Allocates nothing.
 * Fails: never by itself; a change that is not a number counts as infinite.
 *
 * Nomenclature: L, D as in math/complex-factor.ts; lr, li an entry of L; v a voltage, w work, x solution.
 */
import { HEADER, RUN_BYTES, SHARE_BYTES, ZIP_BYTES } from './layout.js';
import { gaugeLoadings, gaugeMagnitudes } from './scalar-gauge.js';
import { spreadPowers, startLane, turnLane } from './scalar-start.js';

/** Kinds of share: constant power, mixed without exponents, by the injection's own law, not at all. */
export const SHARE_KIND = { power: 0, mixed: 1, law: 2, none: 3 } as const;

/** Puts the factors fP and fQ of a share at a squared voltage into the buffer. */
export type ShareLaw = (share: number, square: number) => void;

/** What runs the iterations on a buffer. */
export interface LaneKernel {
  readonly name: 'typescript' | 'wasm';
  /** Lanes side by side. */
  readonly width: number;
  readonly buffer: ArrayBuffer;
  /** One iteration of every lane. */
  iterate(): void;
  /** Voltages of the silent nodes of every lane. */
  expand(): void;
  /** Magnitudes of every lane; nothing without a gauge in the layout. */
  magnitudes(): void;
  /** Loadings of every lane; nothing without a gauge in the layout. */
  loadings(): void;
  /** Starts one lane, or turns its voltages (see scalar-start.ts); nothing without starts in the layout. */
  start(): void;
  turn(): void;
  /** Gives one lane the powers of a step and works out the stretches of its loads (see scalar-start.ts). */
  spread(): void;
  /** Counts the shares below a number that draw constant power within their windows, in one lane. */
  survey(): void;
}

/** The kernel in TypeScript on a buffer laid out by layout.ts. */
export class ScalarKernel implements LaneKernel {
  readonly name = 'typescript';
  private readonly F: Float64Array;
  private readonly I: Int32Array;
  /** Of the lane in its backward pass. */
  private weightAt = 0;
  private isFrozen = false;
  private worst = 0;
  private place = 0;

  constructor(
    readonly buffer: ArrayBuffer,
    readonly width: number,
    private readonly law: ShareLaw,
  ) {
    this.F = new Float64Array(buffer);
    this.I = new Int32Array(buffer);
  }

  iterate(): void {
    for (let lane = 0; lane < this.width; lane++) {
      this.inject(lane);
      this.forward(lane);
      this.backward(lane);
    }
  }

  expand(): void {
    for (let lane = 0; lane < this.width; lane++) this.expandLane(lane);
  }

  magnitudes(): void {
    gaugeMagnitudes(this.F, this.I, this.width);
  }

  loadings(): void {
    gaugeLoadings(this.F, this.I, this.width);
  }

  start(): void {
    startLane(this.F, new Float32Array(this.buffer), this.I, this.width);
  }

  turn(): void {
    turnLane(this.F, new Float32Array(this.buffer), this.I, this.width);
  }

  spread(): void {
    spreadPowers(this.F, this.I, this.width);
  }

  survey(): void {
    const { F, I, width: W } = this;
    const V = (I[HEADER.voltageAt]! + I[HEADER.startLane]!) >> 3;
    const end = I[HEADER.surveyEnd]!;
    let found = 0;
    let shareI = I[HEADER.shareAt]! >> 2;
    for (let left = I[HEADER.shares]!; left > 0; left--, shareI += SHARE_BYTES >> 2) {
      const shareF = (shareI >> 1) + 2;
      const a = V + 2 * W * I[shareI]!;
      const b = V + 2 * W * I[shareI + 1]!;
      const vr = F[a]! - F[b]!;
      const vi = F[a + W]! - F[b + W]!;
      const square = vr * vr + vi * vi;
      const isPlain = I[shareI + 2] === SHARE_KIND.power && square > F[shareF]! && square <= F[shareF + 1]!;
      if (isPlain && I[shareI + 3]! < end) found++;
    }
    I[HEADER.surveyed] = found;
  }

  private inject(lane: number): void {
    const { F, I, width: W } = this;
    const V = (I[HEADER.voltageAt]! >> 3) + lane;
    const work = (I[HEADER.workAt]! >> 3) + lane;
    const ground = work + 2 * W * I[HEADER.ground]!;
    F[ground] = 0;
    F[ground + W] = 0;
    const sources = I[HEADER.sources]!;
    const sourceAt = I[HEADER.sourceAt]! >> 2;
    const injected = (I[HEADER.injectedAt]! >> 3) + lane;
    for (let s = 0; s < sources; s++) {
      const to = work + 2 * W * I[sourceAt + s]!;
      F[to] = F[injected + 2 * W * s]!;
      F[to + W] = F[injected + 2 * W * s + W]!;
    }
    const shares = I[HEADER.shares]!;
    const factors = I[HEADER.factorsAt]! >> 3;
    let shareI = I[HEADER.shareAt]! >> 2;
    let zip = I[HEADER.zipAt]! >> 3;
    let power = (I[HEADER.powerAt]! >> 3) + lane;
    for (let k = 0; k < shares; k++) {
      const shareF = (shareI >> 1) + 2;
      const kind = I[shareI + 2]!;
      if (kind !== SHARE_KIND.none) {
        const a = 2 * W * I[shareI]!;
        const b = 2 * W * I[shareI + 1]!;
        const vr = F[V + a]! - F[V + b]!;
        const vi = F[V + a + W]! - F[V + b + W]!;
        const square = vr * vr + vi * vi;
        let fP: number;
        let fQ: number;
        if (kind !== SHARE_KIND.law && square > F[shareF]!) {
          const inverse = 1 / square;
          if (square > F[shareF + 1]!) {
            fP = F[shareF + 4]!;
            fQ = F[shareF + 5]!;
          } else if (kind === SHARE_KIND.power) {
            fP = inverse;
            fQ = inverse;
          } else {
            const current = 1 / (F[zip]! * Math.sqrt(square));
            fP = F[zip + 1]! + F[zip + 2]! * current + F[zip + 3]! * inverse;
            fQ = F[zip + 4]! + F[zip + 5]! * current + F[zip + 6]! * inverse;
          }
        } else {
          this.law(I[shareI + 3]!, square);
          fP = F[factors]!;
          fQ = F[factors + 1]!;
        }
        const cr = F[shareF + 2]! - F[power]! * fP;
        const ci = F[shareF + 3]! + F[power + W]! * fQ;
        const ir = cr * vr - ci * vi;
        const ii = cr * vi + ci * vr;
        F[work + a] = F[work + a]! + ir;
        F[work + a + W] = F[work + a + W]! + ii;
        F[work + b] = F[work + b]! - ir;
        F[work + b + W] = F[work + b + W]! - ii;
      }
      shareI += SHARE_BYTES >> 2;
      zip += ZIP_BYTES >> 3;
      power += 2 * W;
    }
  }

  private forward(lane: number): void {
    const { F, I, width: W } = this;
    const work = (I[HEADER.workAt]! >> 3) + lane;
    let run = I[HEADER.runAt]! >> 2;
    let row = I[HEADER.rowAt]! >> 2;
    let l = I[HEADER.valueAt]! >> 3;
    for (let left = I[HEADER.runs]!; left > 0; left--, run += RUN_BYTES >> 2) {
      const columns = I[run]!;
      const below = I[run + 1]!;
      let x = work + 2 * W * I[run + 3]!;
      if (columns === 1) {
        for (let blocks = I[run + 2]!; blocks > 0; blocks--) {
          const xr = F[x]!;
          const xi = F[x + W]!;
          const dr = F[l]!;
          const di = F[l + 1]!;
          l += 2;
          F[x] = xr * dr - xi * di;
          F[x + W] = xr * di + xi * dr;
          x += 2 * W;
          for (const end = row + below; row < end; row++, l += 2) {
            const w = work + 2 * W * I[row]!;
            const lr = F[l]!;
            const li = F[l + 1]!;
            F[w] = F[w]! - (lr * xr - li * xi);
            F[w + W] = F[w + W]! - (lr * xi + li * xr);
          }
        }
      } else if (columns === 2) {
        for (let blocks = I[run + 2]!; blocks > 0; blocks--) {
          const x0r = F[x]!;
          const x0i = F[x + W]!;
          const x1r = F[x + 2 * W]! - (F[l + 4]! * x0r - F[l + 5]! * x0i);
          const x1i = F[x + 3 * W]! - (F[l + 4]! * x0i + F[l + 5]! * x0r);
          F[x] = x0r * F[l]! - x0i * F[l + 1]!;
          F[x + W] = x0r * F[l + 1]! + x0i * F[l]!;
          F[x + 2 * W] = x1r * F[l + 2]! - x1i * F[l + 3]!;
          F[x + 3 * W] = x1r * F[l + 3]! + x1i * F[l + 2]!;
          l += 6;
          x += 4 * W;
          for (const end = row + below; row < end; row++, l += 4) {
            const w = work + 2 * W * I[row]!;
            F[w] = F[w]! - (F[l]! * x0r - F[l + 1]! * x0i) - (F[l + 2]! * x1r - F[l + 3]! * x1i);
            F[w + W] = F[w + W]! - (F[l]! * x0i + F[l + 1]! * x0r) - (F[l + 2]! * x1i + F[l + 3]! * x1r);
          }
        }
      } else {
        for (let blocks = I[run + 2]!; blocks > 0; blocks--) {
          const x0r = F[x]!;
          const x0i = F[x + W]!;
          const x1r = F[x + 2 * W]! - (F[l + 6]! * x0r - F[l + 7]! * x0i);
          const x1i = F[x + 3 * W]! - (F[l + 6]! * x0i + F[l + 7]! * x0r);
          const x2r = F[x + 4 * W]! - (F[l + 8]! * x0r - F[l + 9]! * x0i) - (F[l + 10]! * x1r - F[l + 11]! * x1i);
          const x2i = F[x + 5 * W]! - (F[l + 8]! * x0i + F[l + 9]! * x0r) - (F[l + 10]! * x1i + F[l + 11]! * x1r);
          F[x] = x0r * F[l]! - x0i * F[l + 1]!;
          F[x + W] = x0r * F[l + 1]! + x0i * F[l]!;
          F[x + 2 * W] = x1r * F[l + 2]! - x1i * F[l + 3]!;
          F[x + 3 * W] = x1r * F[l + 3]! + x1i * F[l + 2]!;
          F[x + 4 * W] = x2r * F[l + 4]! - x2i * F[l + 5]!;
          F[x + 5 * W] = x2r * F[l + 5]! + x2i * F[l + 4]!;
          l += 12;
          x += 6 * W;
          for (const end = row + below; row < end; row++, l += 6) {
            const w = work + 2 * W * I[row]!;
            F[w] =
              F[w]! -
              (F[l]! * x0r - F[l + 1]! * x0i) -
              (F[l + 2]! * x1r - F[l + 3]! * x1i) -
              (F[l + 4]! * x2r - F[l + 5]! * x2i);
            F[w + W] =
              F[w + W]! -
              (F[l]! * x0i + F[l + 1]! * x0r) -
              (F[l + 2]! * x1i + F[l + 3]! * x1r) -
              (F[l + 4]! * x2i + F[l + 5]! * x2r);
          }
        }
      }
    }
  }

  private backward(lane: number): void {
    const { F, I, width: W } = this;
    const V = (I[HEADER.voltageAt]! >> 3) + lane;
    const work = (I[HEADER.workAt]! >> 3) + lane;
    this.weightAt = I[HEADER.weightAt]! >> 3;
    this.isFrozen = F[(I[HEADER.frozenAt]! >> 3) + lane] !== 0;
    this.worst = 0;
    this.place = 0;
    const runs = I[HEADER.runs]!;
    let run = (I[HEADER.runAt]! + RUN_BYTES * runs) >> 2;
    let row = I[HEADER.rowEnd]! >> 2;
    let l = I[HEADER.valueEnd]! >> 3;
    for (let left = runs; left > 0; left--) {
      run -= RUN_BYTES >> 2;
      const columns = I[run]!;
      const below = I[run + 1]!;
      const size = 2 * columns * below + columns * (columns + 1);
      let node = I[run + 3]! + columns * I[run + 2]!;
      for (let blocks = I[run + 2]!; blocks > 0; blocks--) {
        node -= columns;
        row -= below;
        l -= size;
        const w = work + 2 * W * node;
        const end = row + below;
        let x0r = F[w]!;
        let x0i = F[w + W]!;
        if (columns === 1) {
          for (let r = row, q = l + 2; r < end; r++, q += 2) {
            const v = V + 2 * W * I[r]!;
            const vr = F[v]!;
            const vi = F[v + W]!;
            x0r -= F[q]! * vr - F[q + 1]! * vi;
            x0i -= F[q]! * vi + F[q + 1]! * vr;
          }
          this.settle(node, V + 2 * W * node, w, x0r, x0i);
        } else if (columns === 2) {
          let x1r = F[w + 2 * W]!;
          let x1i = F[w + 3 * W]!;
          for (let r = row, q = l + 6; r < end; r++, q += 4) {
            const v = V + 2 * W * I[r]!;
            const vr = F[v]!;
            const vi = F[v + W]!;
            x0r -= F[q]! * vr - F[q + 1]! * vi;
            x0i -= F[q]! * vi + F[q + 1]! * vr;
            x1r -= F[q + 2]! * vr - F[q + 3]! * vi;
            x1i -= F[q + 2]! * vi + F[q + 3]! * vr;
          }
          x0r -= F[l + 4]! * x1r - F[l + 5]! * x1i;
          x0i -= F[l + 4]! * x1i + F[l + 5]! * x1r;
          this.settle(node + 1, V + 2 * W * node + 2 * W, w + 2 * W, x1r, x1i);
          this.settle(node, V + 2 * W * node, w, x0r, x0i);
        } else {
          let x1r = F[w + 2 * W]!;
          let x1i = F[w + 3 * W]!;
          let x2r = F[w + 4 * W]!;
          let x2i = F[w + 5 * W]!;
          for (let r = row, q = l + 12; r < end; r++, q += 6) {
            const v = V + 2 * W * I[r]!;
            const vr = F[v]!;
            const vi = F[v + W]!;
            x0r -= F[q]! * vr - F[q + 1]! * vi;
            x0i -= F[q]! * vi + F[q + 1]! * vr;
            x1r -= F[q + 2]! * vr - F[q + 3]! * vi;
            x1i -= F[q + 2]! * vi + F[q + 3]! * vr;
            x2r -= F[q + 4]! * vr - F[q + 5]! * vi;
            x2i -= F[q + 4]! * vi + F[q + 5]! * vr;
          }
          x1r -= F[l + 10]! * x2r - F[l + 11]! * x2i;
          x1i -= F[l + 10]! * x2i + F[l + 11]! * x2r;
          x0r -= F[l + 6]! * x1r - F[l + 7]! * x1i;
          x0i -= F[l + 6]! * x1i + F[l + 7]! * x1r;
          x0r -= F[l + 8]! * x2r - F[l + 9]! * x2i;
          x0i -= F[l + 8]! * x2i + F[l + 9]! * x2r;
          this.settle(node + 2, V + 2 * W * node + 4 * W, w + 4 * W, x2r, x2i);
          this.settle(node + 1, V + 2 * W * node + 2 * W, w + 2 * W, x1r, x1i);
          this.settle(node, V + 2 * W * node, w, x0r, x0i);
        }
      }
    }
    F[(I[HEADER.changeAt]! >> 3) + lane] = this.worst;
    I[(I[HEADER.placeAt]! >> 2) + lane] = this.place;
  }

  /** Takes up the solution at a node: its change, its voltage unless the lane is frozen; empties its work. */
  private settle(node: number, v: number, w: number, xr: number, xi: number): void {
    const { F, width: W } = this;
    const dr = xr - F[v]!;
    const di = xi - F[v + W]!;
    const change = (dr * dr + di * di) * F[this.weightAt + node]!;
    if (!(change <= this.worst)) {
      this.worst = Number.isNaN(change) ? Number.POSITIVE_INFINITY : change;
      this.place = node;
    }
    if (!this.isFrozen) {
      F[v] = xr;
      F[v + W] = xi;
    }
    F[w] = 0;
    F[w + W] = 0;
  }

  private expandLane(lane: number): void {
    const { F, I, width: W } = this;
    const V = (I[HEADER.voltageAt]! >> 3) + lane;
    const runs = I[HEADER.silentRuns]!;
    let run = (I[HEADER.silentRunAt]! + RUN_BYTES * runs) >> 2;
    let row = I[HEADER.silentRowEnd]! >> 2;
    let l = I[HEADER.silentValueEnd]! >> 3;
    for (let left = runs; left > 0; left--) {
      run -= RUN_BYTES >> 2;
      const columns = I[run]!;
      const below = I[run + 1]!;
      const inner = columns * (columns - 1);
      let node = I[run + 3]! + columns * I[run + 2]!;
      for (let blocks = I[run + 2]!; blocks > 0; blocks--) {
        node -= columns;
        row -= below;
        l -= inner + 2 * columns * below;
        for (let j = columns - 1; j >= 0; j--) {
          let xr = 0;
          let xi = 0;
          for (let r = 0, q = l + inner + 2 * j; r < below; r++, q += 2 * columns) {
            const v = V + 2 * W * I[row + r]!;
            const vr = F[v]!;
            const vi = F[v + W]!;
            xr -= F[q]! * vr - F[q + 1]! * vi;
            xi -= F[q]! * vi + F[q + 1]! * vr;
          }
          for (let m = j + 1; m < columns; m++) {
            const q = l + m * (m - 1) + 2 * j;
            const v = V + 2 * W * (node + m);
            const vr = F[v]!;
            const vi = F[v + W]!;
            xr -= F[q]! * vr - F[q + 1]! * vi;
            xi -= F[q]! * vi + F[q + 1]! * vr;
          }
          const v = V + 2 * W * (node + j);
          F[v] = xr;
          F[v + W] = xi;
        }
      }
    }
  }
}
