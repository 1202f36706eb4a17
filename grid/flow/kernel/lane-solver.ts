/*
 * Fixed-point power flows of several scenarios on one factor, side by side.
 *
 * Solved: Y V = I(V) in each lane, from the lane's start, until no active node changes by more than the tolerance.
 * Steps: fill the lanes (powers, sources, start), `run`, read the lanes. A lane that has converged is frozen: what it
 * holds does not depend on how long its neighbours go on, so that results are the same bits for any width and any
 * company. The voltages of silent nodes follow when all lanes are at rest.
 * Cost: see scalar-kernel.ts; when the matrix has changed, one pass over the rows of the factor that are new.
 * Fails: lanes that run away or reach the limit say so; the caller falls back to the engine.
 */
import type { ShareInjection } from '../injection.js';
import type { AdmittanceNetwork } from '../network.js';
import { kernelOf } from './kernel-of.js';
import {
  type GaugePlan,
  HEADER,
  type LaneStructure,
  laneOffsets,
  laneStructure,
  RUN_BYTES,
  SHARE_BYTES,
  type StartPlan,
  ZIP_BYTES,
} from './layout.js';
import { type LaneKernel, SHARE_KIND, type ShareLaw } from './scalar-kernel.js';

/** Change beyond which an iterate counts as run away, pu. */
const RUNAWAY_PU = 1e4;

/** How a lane ended. */
export type LaneOutcome = 'converged' | 'limit' | 'diverged';

/** Makes a kernel with a buffer of so many bytes. */
export type KernelFactory = (bytes: number, width: number, law: ShareLaw) => LaneKernel;

/** Lanes of scenarios on one network. */
export class LaneSolver {
  readonly width: number;
  readonly kernel: LaneKernel;
  /** Iterations of each lane in the last run. */
  readonly iterations: Int32Array;
  readonly outcome: LaneOutcome[];
  /** Numbers of the shares in the order of the kernel, by the place of their nodes. */
  readonly shareOrder: Int32Array;
  readonly structure: LaneStructure;
  /** Where the sections of the buffer begin, see layout.ts. */
  readonly header: Int32Array;
  private readonly F: Float64Array;
  private readonly I: Int32Array;
  private readonly sourceNodes: Int32Array;
  private factorAge = -1;
  /** Whether silent nodes that are not watched have still to follow the last run. */
  private isRestDue = false;
  /** Position in the buffer of each entry of L and of each inverse pivot, -1 for pivots that are not used; made when first needed. */
  private entryAt: Int32Array | undefined;
  private pivotAt: Int32Array | undefined;

  constructor(
    private readonly network: AdmittanceNetwork,
    private readonly injection: ShareInjection,
    inverseBase: Float64Array,
    width: number,
    make: KernelFactory = kernelOf,
    readonly gauge?: GaugePlan,
    readonly startPlan?: StartPlan,
    elimination = network.elimination,
  ) {
    this.width = width;
    this.iterations = new Int32Array(width);
    this.outcome = new Array<LaneOutcome>(width).fill('converged');
    this.structure = laneStructure(network.factor, elimination);
    const { structure } = this;
    const { shares } = injection;
    const { nodeAt, activeCount } = structure;
    const place = (node: number) => (node < 0 ? activeCount : nodeAt[node]!);
    const first = Float64Array.from({ length: shares.count }, (_, k) =>
      Math.min(place(shares.a[k]!), place(shares.b[k]!)),
    );
    this.shareOrder = Int32Array.from({ length: shares.count }, (_, k) => k).sort(
      (x, y) => first[x]! - first[y]! || x - y,
    );
    const sources = new Set<number>();
    for (const { kind, nodes } of network.compiled.elements) {
      if (kind !== 'source' && kind !== 'inductionMachine') continue;
      for (const node of nodes) if (node >= 0) sources.add(node);
    }
    this.sourceNodes = Int32Array.from(sources);
    const { header, bytes } = laneOffsets(structure, shares.count, sources.size, width, gauge, startPlan);
    this.header = header;
    const at = header[HEADER.factorsAt]! >> 3;
    const kernel = make(bytes, width, (share, square) => injection.factors(share, square, this.F, at));
    this.kernel = kernel;
    this.F = new Float64Array(kernel.buffer);
    this.I = new Int32Array(kernel.buffer);
    const { F, I } = this;
    I.set(header);
    I.set(structure.runs, header[HEADER.runAt]! >> 2);
    I.set(structure.silentRuns, header[HEADER.silentRunAt]! >> 2);
    I.set(structure.rows, header[HEADER.rowAt]! >> 2);
    I.set(structure.silentRows, header[HEADER.silentRowAt]! >> 2);
    const weight = header[HEADER.weightAt]! >> 3;
    for (let i = 0; i < nodeAt.length; i++) {
      if (nodeAt[i]! < activeCount) F[weight + nodeAt[i]!] = inverseBase[i]! * inverseBase[i]!;
    }
    for (let s = 0; s < this.sourceNodes.length; s++) {
      I[(header[HEADER.sourceAt]! >> 2) + s] = nodeAt[this.sourceNodes[s]!]!;
    }
    for (let t = 0; t < shares.count; t++) {
      const k = this.shareOrder[t]!;
      const record = (header[HEADER.shareAt]! + SHARE_BYTES * t) >> 2;
      I[record] = place(shares.a[k]!);
      I[record + 1] = place(shares.b[k]!);
      I[record + 3] = k;
    }
  }

  /** Bytes of the buffer. */
  get bytes(): number {
    return this.kernel.buffer.byteLength;
  }

  /** Nodes with injections that the iterations work on. */
  get activeCount(): number {
    return this.structure.activeCount;
  }

  /** The buffer as 32-bit words. */
  get words(): Int32Array {
    return this.I;
  }

  /** The buffer as single-precision numbers. */
  get singles(): Float32Array {
    return new Float32Array(this.kernel.buffer);
  }

  /** The buffer as doubles; positions from {@link voltageAt}. */
  get voltages(): Float64Array {
    return this.F;
  }

  /** Number of a network node in the kernel; ground (-1) has one too, with voltage 0. */
  placeOf(node: number): number {
    return node < 0 ? this.structure.activeCount : this.structure.nodeAt[node]!;
  }

  /** Position of the real part of a kernel node's voltage in a lane; the imaginary part stands `width` further. */
  voltageAt(place: number, lane: number): number {
    return (this.header[HEADER.voltageAt]! >> 3) + lane + 2 * this.width * place;
  }

  /** Takes over factor and laws as they are in the network now. Call after any change of taps, switches or sections. */
  refresh(): void {
    const { network } = this;
    if (this.factorAge === network.factorAge) return;
    const lists = network.rowsSince(this.factorAge);
    this.factorAge = network.factorAge;
    if (lists) {
      for (const rows of lists) this.copyRows(rows);
      return;
    }
    const { structure, header, F } = this;
    const { Lx, inverseD } = network.factor;
    const copy = (from: Int32Array, at: number) => {
      for (let t = 0; t < from.length; t++) {
        const source = from[t]!;
        const to = at + 2 * t;
        if (source >= 0) {
          F[to] = Lx[2 * source]!;
          F[to + 1] = Lx[2 * source + 1]!;
        } else {
          F[to] = inverseD[2 * ~source]!;
          F[to + 1] = inverseD[2 * ~source + 1]!;
        }
      }
    };
    copy(structure.valueFrom, header[HEADER.valueAt]! >> 3);
    copy(structure.silentValueFrom, header[HEADER.silentValueAt]! >> 3);
    this.refreshLaws();
  }

  /** Takes over some rows of the factor. */
  private copyRows(rows: Int32Array): void {
    const { F, network } = this;
    const { Lx, inverseD, rowStart, rowSlot } = network.factor;
    if (!this.entryAt || !this.pivotAt) this.findValues();
    const entryAt = this.entryAt!;
    const pivotAt = this.pivotAt!;
    for (const k of rows) {
      const pivot = pivotAt[k]!;
      if (pivot >= 0) {
        F[pivot] = inverseD[2 * k]!;
        F[pivot + 1] = inverseD[2 * k + 1]!;
      }
      for (let t = rowStart[k]!, end = rowStart[k + 1]!; t < end; t++) {
        const slot = rowSlot[t]!;
        const to = entryAt[slot]!;
        F[to] = Lx[2 * slot]!;
        F[to + 1] = Lx[2 * slot + 1]!;
      }
    }
  }

  private findValues(): void {
    const { structure, header, network } = this;
    const entryAt = new Int32Array(network.factor.factorEntries);
    const pivotAt = new Int32Array(network.factor.n).fill(-1);
    const find = (from: Int32Array, at: number) => {
      for (let t = 0; t < from.length; t++) {
        const source = from[t]!;
        if (source >= 0) entryAt[source] = at + 2 * t;
        else pivotAt[~source] = at + 2 * t;
      }
    };
    find(structure.valueFrom, header[HEADER.valueAt]! >> 3);
    find(structure.silentValueFrom, header[HEADER.silentValueAt]! >> 3);
    this.entryAt = entryAt;
    this.pivotAt = pivotAt;
  }

  /** Takes over the laws of the shares; needed by itself when their exponents have changed. */
  refreshLaws(): void {
    const { injection, shareOrder, header, F, I } = this;
    const { shares, part, linearRe, linearIm } = injection;
    for (let t = 0; t < shareOrder.length; t++) {
      const k = shareOrder[t]!;
      const record = header[HEADER.shareAt]! + SHARE_BYTES * t;
      const law = injection.lawInside(k);
      I[(record >> 2) + 2] =
        part[k] !== 1
          ? SHARE_KIND.none
          : shares.maxV[k]! < shares.lowV[k]!
            ? SHARE_KIND.law
            : law === 'power'
              ? SHARE_KIND.power
              : law === 'mixed'
                ? SHARE_KIND.mixed
                : SHARE_KIND.law;
      const values = (record >> 3) + 2;
      F[values] = shares.minV[k]! * shares.minV[k]!;
      F[values + 1] = shares.maxV[k]! * shares.maxV[k]!;
      F[values + 2] = linearRe[k]!;
      F[values + 3] = linearIm[k]!;
      // Above the window the factors do not depend on voltage any more; infinite windows have no above.
      if (Number.isFinite(shares.maxV[k]!)) injection.factors(k, (2 * shares.maxV[k]!) ** 2, F, values + 4);
      const rated = shares.ratedV[k]!;
      const nominal = shares.admittanceShare[k]! / (rated * rated);
      const zip = (header[HEADER.zipAt]! + ZIP_BYTES * t) >> 3;
      F[zip] = rated;
      F[zip + 1] = shares.zP[k]! * nominal;
      F[zip + 2] = shares.iP[k]!;
      F[zip + 3] = shares.pP[k]!;
      F[zip + 4] = shares.zQ[k]! * nominal;
      F[zip + 5] = shares.iQ[k]!;
      F[zip + 6] = shares.pQ[k]!;
    }
  }

  /**
   * Sets the consumption of all shares in a lane.
   *
   * @param powerW - W by share
   * @param powerVar - var by share
   */
  setPowers(lane: number, powerW: Float64Array, powerVar: Float64Array): void {
    const { F, shareOrder, width } = this;
    let at = (this.header[HEADER.powerAt]! >> 3) + lane;
    for (let t = 0; t < shareOrder.length; t++, at += 2 * width) {
      const k = shareOrder[t]!;
      F[at] = powerW[k]!;
      F[at + width] = powerVar[k]!;
    }
  }

  /**
   * Sets the Norton currents of the sources in a lane.
   *
   * @param current - by network node, interleaved re/im, A
   * @param factor - multiplies it
   * @param more - added to it
   */
  setSources(lane: number, current: Float64Array, factor = 1, more?: Float64Array): void {
    const { F, sourceNodes, width } = this;
    let at = (this.header[HEADER.injectedAt]! >> 3) + lane;
    for (let s = 0; s < sourceNodes.length; s++, at += 2 * width) {
      const re = 2 * sourceNodes[s]!;
      F[at] = factor * current[re]! + (more ? more[re]! : 0);
      F[at + width] = factor * current[re + 1]! + (more ? more[re + 1]! : 0);
    }
  }

  /** Sets the start of a lane: voltages by network node, interleaved re/im, V. */
  setVoltages(lane: number, voltage: Float64Array): void {
    const { F, width } = this;
    const { nodeAt } = this.structure;
    this.isRestDue = false;
    const at = (this.header[HEADER.voltageAt]! >> 3) + lane;
    for (let i = 0; i < nodeAt.length; i++) {
      const to = at + 2 * width * nodeAt[i]!;
      F[to] = voltage[2 * i]!;
      F[to + width] = voltage[2 * i + 1]!;
    }
  }

  /**
   * Starts a lane between two states: `factor * (from + stretch * step)` at the active nodes, interleaved re/im in the
   * order of the kernel, V (see {@link gather}).
   */
  start(lane: number, from: Float64Array, step: Float64Array, stretch: number, factor: number): void {
    const { F, width } = this;
    let at = (this.header[HEADER.voltageAt]! >> 3) + lane;
    for (let t = 0; t < from.length; t++, at += width) F[at] = factor * (from[t]! + stretch * step[t]!);
  }

  /** Puts voltages by network node into the order of the kernel, active nodes alone. */
  gather(voltage: Float64Array, to: Float64Array | Float32Array): void {
    const { nodeAt, activeCount } = this.structure;
    for (let i = 0; i < nodeAt.length; i++) {
      const place = nodeAt[i]!;
      if (place >= activeCount) continue;
      to[2 * place] = voltage[2 * i]!;
      to[2 * place + 1] = voltage[2 * i + 1]!;
    }
  }

  /** Reads the voltages of a lane, in the same form. */
  readVoltages(lane: number, voltage: Float64Array): void {
    const { F, width } = this;
    const { nodeAt } = this.structure;
    const at = (this.header[HEADER.voltageAt]! >> 3) + lane;
    for (let i = 0; i < nodeAt.length; i++) {
      const from = at + 2 * width * nodeAt[i]!;
      voltage[2 * i] = F[from]!;
      voltage[2 * i + 1] = F[from + width]!;
    }
  }

  /**
   * Whether the first shares of the feeder all draw constant power within their windows at the voltages of a lane; false too
   * while the network is newer than what was taken over.
   *
   * @param end - the number of the first share that does not count
   */
  arePlain(lane: number, end: number): boolean {
    const { I, kernel } = this;
    if (this.factorAge !== this.network.factorAge) return false;
    I[HEADER.startLane] = 8 * lane;
    I[HEADER.surveyEnd] = end;
    kernel.survey();
    return I[HEADER.surveyed] === end;
  }

  /** Largest last change of a lane, pu. */
  change(lane: number): number {
    return Math.sqrt(this.F[(this.header[HEADER.changeAt]! >> 3) + lane]!);
  }

  /** Network node of the largest last change of a lane; known with one lane only, else -1. */
  worstNode(lane: number): number {
    if (this.width > 1) return -1;
    return this.structure.activeNode[this.I[(this.header[HEADER.placeAt]! >> 2) + lane]!] ?? 0;
  }

  /**
   * Iterates all lanes to rest.
   *
   * @param tolerancePu - largest change at the end, pu
   * @param limit - iterations allowed
   * @param lanes - lanes in use, the first ones; the others rest
   * @param isWatch - whether of the silent nodes the watched ones are enough until {@link expandRest}
   */
  run(tolerancePu: number, limit: number, lanes = this.width, isWatch = false): void {
    const { F, header, width, iterations, outcome, kernel } = this;
    const frozen = header[HEADER.frozenAt]! >> 3;
    const change = header[HEADER.changeAt]! >> 3;
    const goal = tolerancePu * tolerancePu;
    let left = lanes;
    for (let lane = 0; lane < width; lane++) {
      F[frozen + lane] = lane < lanes ? 0 : 1;
      iterations[lane] = 0;
      outcome[lane] = 'limit';
    }
    for (let k = 1; k <= limit && left > 0; k++) {
      kernel.iterate();
      for (let lane = 0; lane < lanes; lane++) {
        if (F[frozen + lane] !== 0) continue;
        iterations[lane] = k;
        const square = F[change + lane]!;
        if (square <= goal) outcome[lane] = 'converged';
        else if (square < RUNAWAY_PU * RUNAWAY_PU) continue;
        else outcome[lane] = 'diverged';
        F[frozen + lane] = 1;
        left--;
      }
    }
    this.isRestDue = isWatch;
    if (!isWatch) kernel.expand();
    else this.expandPart(this.structure.unwatched.runs, this.structure.silentRuns.length / 4);
  }

  /** Lets the silent nodes that are not watched follow the last run, where they have not yet. */
  expandRest(): void {
    if (!this.isRestDue) return;
    this.isRestDue = false;
    this.expandPart(0, this.structure.unwatched.runs);
  }

  /** Expands the silent runs from a first one up to another: all before the watched ones, or those. */
  private expandPart(first: number, end: number): void {
    const { I, header, kernel } = this;
    const { unwatched, silentRuns } = this.structure;
    I[HEADER.silentRuns] = end - first;
    I[HEADER.silentRunAt] = header[HEADER.silentRunAt]! + RUN_BYTES * first;
    if (4 * end < silentRuns.length) {
      I[HEADER.silentRowEnd] = header[HEADER.silentRowAt]! + 4 * unwatched.rows;
      I[HEADER.silentValueEnd] = header[HEADER.silentValueAt]! + 16 * unwatched.values;
    }
    kernel.expand();
    for (const word of ['silentRuns', 'silentRunAt', 'silentRowEnd', 'silentValueEnd'] as const) {
      I[HEADER[word]] = header[HEADER[word]]!;
    }
  }
}
