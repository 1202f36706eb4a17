/*
 * What is kept of the node voltages of a piece of a series: extremes with their steps, sum, last value, distribution, times
 * outside the limits, and every value of chosen nodes.
 * Magnitudes come from lane-gauge.ts, those of many steps at once.
 * Cost: a few comparisons and a count for each node and step.
 */
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { BLOCK, type MeasuredSteps, MOST_STEPS } from './lane-gauge.js';
import { type PackedHistogram, ValueHistogram } from './value-histogram.js';

/** Width of a bin of the distribution of voltages, pu: percentiles are off by half of it at most. */
export const VOLTAGE_BIN_PU = 5e-4;

/** Times of nodes outside the limits, side by side. */
export interface ViolationList {
  readonly node: Int32Array;
  /** 1 above the upper limit, 0 below the lower one. */
  readonly isOver: Uint8Array;
  /** First step and the one after the last. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** Voltage farthest from the limit, pu. */
  readonly worstPu: Float64Array;
}

/** What is known of the nodes over some steps. */
export interface NodeFigures {
  readonly minPu: Float64Array;
  readonly maxPu: Float64Array;
  /** Steps of the extremes, the first of several. */
  readonly minStep: Int32Array;
  readonly maxStep: Int32Array;
  readonly sumPu: Float64Array;
  readonly lastPu: Float64Array;
  readonly histogram: PackedHistogram;
  readonly violations: ViolationList;
  /** Magnitudes of the kept nodes, pu, `[step * kept + node]`; NaN where a step has no solution. */
  readonly kept: Float64Array;
  /** Lowest and highest voltage of the judged nodes by step, pu. */
  readonly lowestPu: Float64Array;
  readonly highestPu: Float64Array;
}

/** States of a node against the limits. */
const INSIDE = 0;
const UNDER = 1;
const OVER = 2;

/**
 * Records the voltages of the steps of one piece after the other. Nodes are gone through in the order of the kernel, in which
 * voltages lie one after the other; figures are given in the order of the network.
 */
export class NodeRecorder {
  private readonly count: number;
  /** Network node of each place, its number in the kernel, and whether it is judged; by place. */
  private readonly nodeOf: Int32Array;
  private readonly kernelPlace: Int32Array;
  private readonly isJudged: Uint8Array;
  private readonly minPu: Float64Array;
  private readonly maxPu: Float64Array;
  private readonly minStep: Int32Array;
  private readonly maxStep: Int32Array;
  private readonly sumPu: Float64Array;
  private readonly lastPu: Float64Array;
  private readonly histogram: ValueHistogram;
  private readonly state: Uint8Array;
  private readonly since: Int32Array;
  private readonly worst: Float64Array;
  private kept = new Float64Array(0);
  private lowestPu = new Float64Array(0);
  private highestPu = new Float64Array(0);
  private closed: { node: number; isOver: 0 | 1; first: number; end: number; worstPu: number }[] = [];
  private firstStep = 0;

  /**
   * @param solver - any of the solvers whose lanes are recorded: all have the same order
   * @param isJudged - 1 for nodes whose violations count, by network node
   */
  constructor(
    private readonly core: FlowCore,
    solver: LaneSolver,
    private readonly limits: { readonly minPu: number; readonly maxPu: number },
    isJudged: Uint8Array,
    private readonly keptNodes: readonly number[],
  ) {
    const count = core.compiled.nodeCount;
    this.count = count;
    this.nodeOf = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => solver.placeOf(a) - solver.placeOf(b));
    this.kernelPlace = this.nodeOf.map((node) => solver.placeOf(node));
    this.isJudged = Uint8Array.from(this.nodeOf, (node) => isJudged[node]!);
    this.minPu = new Float64Array(count);
    this.maxPu = new Float64Array(count);
    this.minStep = new Int32Array(count);
    this.maxStep = new Int32Array(count);
    this.sumPu = new Float64Array(count);
    this.lastPu = new Float64Array(count);
    this.histogram = new ValueHistogram(count, VOLTAGE_BIN_PU);
    this.state = new Uint8Array(count);
    this.since = new Int32Array(count);
    this.worst = new Float64Array(count);
  }

  /** Begins a piece. */
  begin(firstStep: number, steps: number): void {
    this.firstStep = firstStep;
    this.minPu.fill(Number.POSITIVE_INFINITY);
    this.maxPu.fill(Number.NEGATIVE_INFINITY);
    this.minStep.fill(0);
    this.maxStep.fill(0);
    this.sumPu.fill(0);
    this.lastPu.fill(0);
    this.histogram.clear();
    this.state.fill(INSIDE);
    this.closed = [];
    this.kept = new Float64Array(steps * this.keptNodes.length).fill(Number.NaN);
    this.lowestPu = new Float64Array(steps).fill(Number.NaN);
    this.highestPu = new Float64Array(steps).fill(Number.NaN);
  }

  /** Takes up measured steps in the order of time, node by node. */
  takeUp(measured: MeasuredSteps): void {
    const { count, kernelPlace, isJudged, minPu, maxPu, minStep, maxStep, sumPu, lastPu, histogram, state } = this;
    const { lowestPu, highestPu } = this;
    const { count: collectedCount, step: steps } = measured;
    const collected = new Float64Array(BLOCK * MOST_STEPS);
    let blockEnd = 0;
    let blockFirst = 0;
    const lowest = this.limits.minPu;
    const highest = this.limits.maxPu;
    const lowestOf = new Float64Array(collectedCount).fill(Number.POSITIVE_INFINITY);
    const highestOf = new Float64Array(collectedCount).fill(Number.NEGATIVE_INFINITY);
    for (let t = 0; t < count; t++) {
      const place = kernelPlace[t]!;
      if (place >= blockEnd) {
        blockFirst = place;
        blockEnd = Math.min(place + BLOCK, count + 1);
        measured.magnitudes(blockFirst, blockEnd - blockFirst, collected);
      }
      const first = (place - blockFirst) * MOST_STEPS;
      const isWatched = isJudged[t] === 1;
      let sum = sumPu[t]!;
      let least = minPu[t]!;
      let most = maxPu[t]!;
      let pu = 0;
      for (let k = 0; k < collectedCount; k++) {
        pu = collected[first + k]!;
        sum += pu;
        if (pu < least) {
          least = pu;
          minStep[t] = steps[k]!;
        }
        if (pu > most) {
          most = pu;
          maxStep[t] = steps[k]!;
        }
        if (!isWatched) continue;
        if (pu < lowestOf[k]!) lowestOf[k] = pu;
        if (pu > highestOf[k]!) highestOf[k] = pu;
      }
      sumPu[t] = sum;
      minPu[t] = least;
      maxPu[t] = most;
      lastPu[t] = pu;
      histogram.addAll(t, collected, first, first + collectedCount);
      if (!isWatched) continue;
      if (least >= lowest && most <= highest) continue;
      for (let k = 0; k < collectedCount; k++) {
        const value = collected[first + k]!;
        if (value < lowest || value > highest || state[t] !== INSIDE) this.judge(t, value, steps[k]!);
      }
    }
    for (let k = 0; k < collectedCount; k++) {
      const at = steps[k]! - this.firstStep;
      lowestPu[at] = lowestOf[k]!;
      highestPu[at] = highestOf[k]!;
    }
  }

  /** Keeps the voltages of the chosen nodes of lanes that are solved. */
  keep(solver: LaneSolver, firstLane: number, lanes: number, step: number): void {
    const { keptNodes, kept, core } = this;
    const V = solver.voltages;
    for (let t = 0; t < keptNodes.length; t++) {
      const node = keptNodes[t]!;
      const at = solver.voltageAt(solver.placeOf(node), firstLane);
      for (let lane = 0; lane < lanes; lane++) {
        const re = V[at + lane]!;
        const im = V[at + lane + solver.width]!;
        const place = (step - this.firstStep + lane) * keptNodes.length + t;
        kept[place] = Math.sqrt(re * re + im * im) * core.inverseBase[node]!;
      }
    }
  }

  /** Notes where a node stands against the limits. */
  private judge(place: number, pu: number, step: number): void {
    const { state, since, worst } = this;
    const next = pu > this.limits.maxPu ? OVER : pu < this.limits.minPu ? UNDER : INSIDE;
    const before = state[place]!;
    if (before !== next) {
      if (before !== INSIDE) this.close(place, step);
      state[place] = next;
      since[place] = step;
      worst[place] = pu;
    } else if (next === OVER) {
      if (pu > worst[place]!) worst[place] = pu;
    } else if (pu < worst[place]!) worst[place] = pu;
  }

  private close(place: number, end: number): void {
    const isOver = this.state[place] === OVER ? 1 : 0;
    const node = this.nodeOf[place]!;
    this.closed.push({ node, isOver, first: this.since[place]!, end, worstPu: this.worst[place]! });
  }

  /** What was found in the piece, with times outside the limits ended at `end`. */
  figures(end: number): NodeFigures {
    for (let t = 0; t < this.count; t++) if (this.state[t] !== INSIDE) this.close(t, end);
    // In the order of time, however many steps were recorded at once.
    this.closed.sort((a, b) => a.first - b.first || a.node - b.node);
    const { closed, kept, histogram, nodeOf } = this;
    const byNode = <T extends Float64Array | Int32Array>(values: T, into: T): T => {
      for (let t = 0; t < nodeOf.length; t++) into[nodeOf[t]!] = values[t]!;
      return into;
    };
    const doubles = (values: Float64Array) => byNode(values, new Float64Array(values.length));
    const wholes = (values: Int32Array) => byNode(values, new Int32Array(values.length));
    return {
      minPu: doubles(this.minPu),
      maxPu: doubles(this.maxPu),
      minStep: wholes(this.minStep),
      maxStep: wholes(this.maxStep),
      sumPu: doubles(this.sumPu),
      lastPu: doubles(this.lastPu),
      kept: kept.slice(0, (end - this.firstStep) * this.keptNodes.length),
      lowestPu: this.lowestPu,
      highestPu: this.highestPu,
      histogram: histogram.pack(nodeOf),
      violations: {
        node: Int32Array.from(closed, ({ node }) => node),
        isOver: Uint8Array.from(closed, ({ isOver }) => isOver),
        first: Int32Array.from(closed, ({ first }) => first),
        end: Int32Array.from(closed, (one) => one.end),
        worstPu: Float64Array.from(closed, ({ worstPu }) => worstPu),
      },
    };
  }
}
