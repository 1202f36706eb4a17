/*
 * What is kept of the node voltages of a piece of a series: extremes with their steps, sum, last value, distribution, times
 * outside the limits, and every value of chosen nodes.
 * Cost: a square root and a count for each node and step; lanes of a node lie side by side, so that its counts stay in the cache.
 */
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { type PackedHistogram, ValueHistogram } from './value-histogram.js';

/** Width of a bin of the distribution of voltages, pu: percentiles are off by half of it at most. */
export const VOLTAGE_BIN_PU = 2e-4;

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

/** Records the voltages of the steps of one piece. */
export class NodeRecorder {
  private readonly count: number;
  private readonly minPu: Float64Array;
  private readonly maxPu: Float64Array;
  private readonly minStep: Int32Array;
  private readonly maxStep: Int32Array;
  private readonly sumPu: Float64Array;
  private readonly lastPu: Float64Array;
  private readonly histogram: ValueHistogram;
  private readonly kept: Float64Array;
  private readonly lowestPu: Float64Array;
  private readonly highestPu: Float64Array;
  private readonly state: Uint8Array;
  private readonly since: Int32Array;
  private readonly worst: Float64Array;
  private readonly closed: { node: number; isOver: 0 | 1; first: number; end: number; worstPu: number }[] = [];

  /**
   * @param isJudged - 1 for nodes whose violations count
   * @param firstStep - first step of the piece
   * @param steps - number of its steps
   */
  constructor(
    private readonly core: FlowCore,
    private readonly limits: { readonly minPu: number; readonly maxPu: number },
    private readonly isJudged: Uint8Array,
    private readonly keptNodes: readonly number[],
    private readonly firstStep: number,
    steps: number,
  ) {
    const count = core.compiled.nodeCount;
    this.count = count;
    this.minPu = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    this.maxPu = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.minStep = new Int32Array(count);
    this.maxStep = new Int32Array(count);
    this.sumPu = new Float64Array(count);
    this.lastPu = new Float64Array(count);
    this.histogram = new ValueHistogram(count, VOLTAGE_BIN_PU);
    this.kept = new Float64Array(steps * keptNodes.length).fill(Number.NaN);
    this.lowestPu = new Float64Array(steps).fill(Number.NaN);
    this.highestPu = new Float64Array(steps).fill(Number.NaN);
    this.state = new Uint8Array(count);
    this.since = new Int32Array(count);
    this.worst = new Float64Array(count);
  }

  /**
   * Takes up lanes that are solved.
   *
   * @param firstLane - the first of them
   * @param lanes - how many
   * @param step - step of the first
   */
  record(solver: LaneSolver, firstLane: number, lanes: number, step: number): void {
    const { count, minPu, maxPu, minStep, maxStep, sumPu, lastPu, histogram, isJudged, state } = this;
    const { inverseBase } = this.core;
    const lowest = this.limits.minPu;
    const highest = this.limits.maxPu;
    const V = solver.voltages;
    const { width } = solver;
    const { lowestPu, highestPu } = this;
    const place = step - this.firstStep;
    lowestPu.fill(Number.POSITIVE_INFINITY, place, place + lanes);
    highestPu.fill(Number.NEGATIVE_INFINITY, place, place + lanes);
    for (let i = 0; i < count; i++) {
      const at = solver.voltageAt(solver.placeOf(i), firstLane);
      const weight = inverseBase[i]!;
      let sum = sumPu[i]!;
      let pu = 0;
      for (let lane = 0; lane < lanes; lane++) {
        const re = V[at + lane]!;
        const im = V[at + lane + width]!;
        pu = Math.sqrt(re * re + im * im) * weight;
        sum += pu;
        if (pu < minPu[i]!) {
          minPu[i] = pu;
          minStep[i] = step + lane;
        }
        if (pu > maxPu[i]!) {
          maxPu[i] = pu;
          maxStep[i] = step + lane;
        }
        histogram.add(i, pu);
        if (isJudged[i] === 0) continue;
        if (pu < lowestPu[place + lane]!) lowestPu[place + lane] = pu;
        if (pu > highestPu[place + lane]!) highestPu[place + lane] = pu;
        if (pu < lowest || pu > highest || state[i] !== INSIDE) this.judge(i, pu, step + lane);
      }
      sumPu[i] = sum;
      lastPu[i] = pu;
    }
    this.keep(solver, firstLane, lanes, step);
  }

  private keep(solver: LaneSolver, firstLane: number, lanes: number, step: number): void {
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
  private judge(node: number, pu: number, step: number): void {
    const { state, since, worst } = this;
    const next = pu > this.limits.maxPu ? OVER : pu < this.limits.minPu ? UNDER : INSIDE;
    const before = state[node]!;
    if (before !== next) {
      if (before !== INSIDE) this.close(node, step);
      state[node] = next;
      since[node] = step;
      worst[node] = pu;
    } else if (next === OVER) {
      if (pu > worst[node]!) worst[node] = pu;
    } else if (pu < worst[node]!) worst[node] = pu;
  }

  private close(node: number, end: number): void {
    const isOver = this.state[node] === OVER ? 1 : 0;
    this.closed.push({ node, isOver, first: this.since[node]!, end, worstPu: this.worst[node]! });
  }

  /** What was found, with times outside the limits ended at `end`. */
  figures(end: number): NodeFigures {
    for (let i = 0; i < this.count; i++) if (this.state[i] !== INSIDE) this.close(i, end);
    // In the order of time, however many steps were recorded at once.
    this.closed.sort((a, b) => a.first - b.first || a.node - b.node);
    const { closed, minPu, maxPu, minStep, maxStep, sumPu, lastPu, kept, histogram } = this;
    return {
      minPu,
      maxPu,
      minStep,
      maxStep,
      sumPu,
      lastPu,
      kept: kept.slice(0, (end - this.firstStep) * this.keptNodes.length),
      lowestPu: this.lowestPu,
      highestPu: this.highestPu,
      histogram: histogram.pack(),
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
