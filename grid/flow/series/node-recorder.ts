/*
 * What is kept of the node voltages of a piece of a series: extremes with their steps, sum, last value, distribution, times
 * outside the limits, and every value of chosen nodes.
 * Magnitudes come from lane-gauge.ts, and are taken up while they are in the nearest caches.
 * Cost: a few comparisons and a count for each node and step.
 */
import type { FlowCore } from '../flow-core.js';
import type { FigureRoom } from '../kernel/figure-room.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { type PackedHistogram, ValueTally } from '../kernel/tally.js';
import type { LaneGauge } from './lane-gauge.js';
import { MOST_LANES } from './start-state.js';

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
 * voltages lie one after the other, with ground among them; figures are given in the order of the network.
 */
export class NodeRecorder {
  private readonly count: number;
  /** Network node of each place in the kernel, -1 for ground, and whether it is judged. */
  private readonly nodeOf: Int32Array;
  private readonly isJudged: Uint8Array;
  private readonly tally: ValueTally;
  private readonly state: Uint8Array;
  private readonly since: Int32Array;
  private readonly worst: Float64Array;
  private kept = new Float64Array(0);
  private lowestPu = new Float64Array(0);
  private highestPu = new Float64Array(0);
  /** Nodes that are outside the limits. */
  private outsideCount = 0;
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
    const places = count + 1;
    this.nodeOf = new Int32Array(places).fill(-1);
    for (let node = 0; node < count; node++) this.nodeOf[solver.placeOf(node)] = node;
    this.isJudged = Uint8Array.from(this.nodeOf, (node) => (node < 0 ? 0 : isJudged[node]!));
    this.tally = new ValueTally({
      count: places,
      width: MOST_LANES,
      perBin: 1 / VOLTAGE_BIN_PU,
      limit: Number.POSITIVE_INFINITY,
      isJudged: this.isJudged,
    });
    this.state = new Uint8Array(places);
    this.since = new Int32Array(places);
    this.worst = new Float64Array(places);
  }

  /** Begins a piece. */
  begin(firstStep: number, steps: number): void {
    this.firstStep = firstStep;
    this.tally.begin();
    this.state.fill(INSIDE);
    this.outsideCount = 0;
    this.closed = [];
    this.kept = new Float64Array(steps * this.keptNodes.length).fill(Number.NaN);
    this.lowestPu = new Float64Array(steps).fill(Number.NaN);
    this.highestPu = new Float64Array(steps).fill(Number.NaN);
  }

  /** Takes up the lanes, or kept steps, that a gauge has just measured: steps that follow one another. */
  take(gauge: LaneGauge, firstLane: number, lanes: number, step: number): void {
    const { tally, firstStep, limits } = this;
    const { values, magnitudeAt, width, magnitudePitch } = gauge;
    tally.take(values, magnitudeAt, width, firstLane, lanes, step, magnitudePitch);
    for (let lane = 0; lane < lanes; lane++) {
      const lowest = tally.lowest(lane);
      const highest = tally.highest(lane);
      this.lowestPu[step - firstStep + lane] = lowest;
      this.highestPu[step - firstStep + lane] = highest;
      if (lowest >= limits.minPu && highest <= limits.maxPu && this.outsideCount === 0) continue;
      this.judgeAll(values, magnitudeAt + (firstLane + lane) * magnitudePitch, width, step + lane);
    }
  }

  /** Holds the magnitudes of a step against the limits, where any is outside or was in the step before. */
  private judgeAll(values: Float64Array, at: number, width: number, step: number): void {
    const { isJudged, state } = this;
    const { minPu, maxPu } = this.limits;
    for (let place = 0; place < isJudged.length; place++) {
      if (isJudged[place] === 0) continue;
      const pu = values[at + place * width]!;
      if (pu < minPu || pu > maxPu || state[place] !== INSIDE) this.judge(place, pu, step);
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
      this.outsideCount += (next === INSIDE ? 0 : 1) - (before === INSIDE ? 0 : 1);
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

  /** What was found in the piece, with times outside the limits ended at `end`; what there is of each node goes into a room. */
  figures(end: number, room: FigureRoom): NodeFigures {
    this.state.forEach((state, place) => {
      if (state !== INSIDE) this.close(place, end);
    });
    // In the order of time, however many steps were recorded at once.
    this.closed.sort((a, b) => a.first - b.first || a.node - b.node);
    const { closed, kept, nodeOf, tally, count } = this;
    const doubles = (figure: 'sum' | 'min' | 'max' | 'last') => tally.gather(figure, nodeOf, room.doubles(count));
    const wholes = (figure: 'minStep' | 'maxStep') => tally.gather(figure, nodeOf, room.wholes(count));
    return {
      minPu: doubles('min'),
      maxPu: doubles('max'),
      minStep: wholes('minStep'),
      maxStep: wholes('maxStep'),
      sumPu: doubles('sum'),
      lastPu: doubles('last'),
      kept: kept.slice(0, (end - this.firstStep) * this.keptNodes.length),
      lowestPu: this.lowestPu,
      highestPu: this.highestPu,
      histogram: tally.pack(room, nodeOf, count),
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
