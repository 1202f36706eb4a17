/*
 * What is kept of each scenario of a batch.
 *
 * Steps: magnitudes of the nodes asked for, then extremes, violations, histograms; power of the sources from the currents
 * into everything around them (behind a stiff source these tell its current better than the drop over its impedance);
 * losses as what sources deliver and neither shares nor shunt elements take.
 * Cost: a square root for each node, a law for each share where losses are asked for. Allocates nothing.
 */
import type { CompiledFeeder } from '../model/index.js';
import type { FlowCore } from './flow-core.js';
import type { LaneSolver } from './kernel/lane-solver.js';

/** How a scenario ended; the number is its place in {@link BATCH_STATUS}. */
export type BatchStatus =
  /** Converged in its lane. */
  | 'converged'
  /** The lane failed; the whole engine found the solution. */
  | 'convergedByEngine'
  | 'iterationLimit'
  | 'diverged'
  | 'singular';

/** Status by number. */
export const BATCH_STATUS: readonly BatchStatus[] = [
  'converged',
  'convergedByEngine',
  'iterationLimit',
  'diverged',
  'singular',
];

/** Which nodes and limits the outputs of a batch have. */
export interface BatchOutputs {
  /** Indices into `flow.nodes`; default all. */
  readonly nodes?: Int32Array;
  /** Limits of violations, pu. Default 0.95 to 1.05. */
  readonly minPu?: number;
  readonly maxPu?: number;
  /** Bins of histograms: values below the first and beyond the last fall into those. */
  readonly histogram?: { readonly fromPu: number; readonly stepPu: number; readonly bins: number };
}

/**
 * Arrays of the caller that a run writes into; what is absent is not worked out. Those by scenario have one place for each
 * scenario of the run; those by node take up what stands in them already. Of a scenario without solution the values are
 * those of the engine's last iterate, and the arrays by node leave it out.
 */
export interface BatchResults {
  /** Number in {@link BATCH_STATUS}, by scenario. */
  readonly status?: Uint8Array;
  readonly iterations?: Int32Array;
  /** Magnitudes, pu, `[scenario * nodes + node]`. */
  readonly voltagePu?: Float64Array;
  /**
   * Lowest and highest magnitude, pu, and where (place among the nodes asked for), by scenario, of the phases with a path to a
   * source and of all nodes with loads; without any of these NaN and -1.
   */
  readonly minimumPu?: Float64Array;
  readonly maximumPu?: Float64Array;
  readonly minimumNode?: Int32Array;
  readonly maximumNode?: Int32Array;
  /** Of these the nodes outside the limits, by scenario. */
  readonly violations?: Int32Array;
  /** Delivered by all sources and lost in branches, by scenario. */
  readonly sourceW?: Float64Array;
  readonly sourceVar?: Float64Array;
  readonly lossW?: Float64Array;
  readonly lossVar?: Float64Array;
  /** Lowest and highest magnitude over the scenarios, pu, by node; start with Infinity and -Infinity. */
  readonly nodeMinimumPu?: Float64Array;
  readonly nodeMaximumPu?: Float64Array;
  /** Scenarios by node and bin, `[node * bins + bin]`. */
  readonly nodeHistogram?: Uint32Array;
}

/**
 * A percentile of a node from its histogram, pu: the upper edge of the bin that holds it.
 *
 * @param fraction - 0 to 1
 * @returns NaN for an empty histogram
 */
export function histogramPercentile(
  histogram: Uint32Array,
  node: number,
  { fromPu, stepPu, bins }: { readonly fromPu: number; readonly stepPu: number; readonly bins: number },
  fraction: number,
): number {
  let total = 0;
  for (let b = 0; b < bins; b++) total += histogram[node * bins + b]!;
  if (total === 0) return Number.NaN;
  let left = Math.max(1, Math.ceil(fraction * total));
  for (let b = 0; b < bins; b++) {
    left -= histogram[node * bins + b]!;
    if (left <= 0) return fromPu + (b + 1) * stepPu;
  }
  return fromPu + bins * stepPu;
}

/** Whether the powers of the scenario are needed for what is wanted. */
export function needsPowers({ sourceW, sourceVar, lossW, lossVar }: BatchResults): boolean {
  return (sourceW ?? sourceVar ?? lossW ?? lossVar) !== undefined;
}

/** A source as the recorder sees it: the admittances around its nodes, or its own where those are stiffer. */
interface SourceRow {
  /** Network node whose current this is. */
  readonly node: number;
  readonly isOwn: boolean;
  /** No source before it has given the currents of this node. */
  readonly isFirst: boolean;
  /** Nodes and admittances, interleaved re/im. */
  readonly nodes: Int32Array;
  readonly admittance: Float64Array;
  /** Shares with an end at the node. */
  readonly shares: Int32Array;
}

/** Nodes of the induction machines, each once. */
export function machineNodesOf({ elements }: CompiledFeeder): readonly number[] {
  const nodes = new Set(elements.flatMap(({ kind, nodes }) => (kind === 'inductionMachine' ? [...nodes] : [])));
  nodes.delete(-1);
  return [...nodes];
}

/** Writes the results of lanes. */
export class BatchRecorder {
  readonly nodes: Int32Array;
  private readonly place: Int32Array;
  private readonly inverseBase: Float64Array;
  /** Of the nodes asked for: 1 where limits hold, see {@link judge}. */
  private readonly isJudged: Uint8Array;
  private readonly minPu: number;
  private readonly maxPu: number;
  private rows: SourceRow[] = [];
  /** Shunt elements that are neither branches nor sources: nodes and admittances. */
  private shunts: { readonly nodes: Int32Array; readonly re: Float64Array; readonly im: Float64Array }[] = [];
  private readonly machineNodes: readonly number[];
  private readonly shareAt: Int32Array;
  private readonly factors = new Float64Array(2);
  private readonly laws: Uint8Array;
  private currentRe = 0;
  private currentIm = 0;
  private shareW = 0;
  private shareVar = 0;

  constructor(
    private readonly core: FlowCore,
    private readonly solver: LaneSolver,
    private readonly outputs: BatchOutputs,
    private readonly isBranch: (kind: string, element: number) => boolean,
  ) {
    const { compiled, inverseBase, injection } = core;
    this.nodes = outputs.nodes ?? Int32Array.from({ length: compiled.nodeCount }, (_, i) => i);
    this.place = this.nodes.map((i) => solver.placeOf(i));
    this.inverseBase = Float64Array.from(this.nodes, (i) => inverseBase[i]!);
    this.isJudged = new Uint8Array(this.nodes.length).fill(1);
    this.minPu = outputs.minPu ?? 0.95;
    this.maxPu = outputs.maxPu ?? 1.05;
    this.machineNodes = machineNodesOf(compiled);
    const { shares } = compiled;
    this.shareAt = Int32Array.from({ length: 2 * shares.count }, (_, t) =>
      solver.placeOf((t % 2 === 0 ? shares.a : shares.b)[t >> 1]!),
    );
    this.laws = Uint8Array.from({ length: shares.count }, (_, k) => (injection.lawInside(k) === 'power' ? 1 : 0));
    this.refresh();
  }

  /** Takes over which nodes limits hold for (see judgedNodes), by network node. */
  judge(isJudged: Uint8Array): void {
    this.nodes.forEach((node, t) => {
      this.isJudged[t] = isJudged[node]!;
    });
  }

  /** Takes over the matrix as it is in the network now. */
  refresh(): void {
    const { compiled, network } = this.core;
    this.rows = [];
    this.shunts = [];
    const sourcesAt = new Map<number, number>();
    compiled.elements.forEach(({ kind, nodes }, e) => {
      const { y } = network.primitives[e]!;
      if (kind === 'source') {
        for (const node of nodes) if (node >= 0) sourcesAt.set(node, (sourcesAt.get(node) ?? 0) + 1);
      } else if (!this.isBranch(kind, e)) {
        this.shunts.push({ nodes: nodes.map((node) => this.solver.placeOf(node)), re: y.re, im: y.im });
      }
    });
    const given = new Set<number>();
    compiled.elements.forEach(({ kind, nodes }, e) => {
      if (kind !== 'source') return;
      const own = network.primitives[e]!.y;
      const rest = nodes.map((node) => (node < 0 ? 0 : network.pattern.diagonal[node]!));
      const isOwn = [...nodes].some((node, i) => {
        if (node < 0) return false;
        const size = Math.hypot(own.re[i * (own.n + 1)]!, own.im[i * (own.n + 1)]!);
        const slot = 2 * rest[i]!;
        const around = Math.hypot(
          network.values[slot]! - own.re[i * (own.n + 1)]!,
          network.values[slot + 1]! - own.im[i * (own.n + 1)]!,
        );
        return around > size || sourcesAt.get(node)! > 1;
      });
      nodes.forEach((node, i) => {
        if (node < 0) return;
        const entries = new Map<number, [number, number]>();
        if (isOwn) {
          nodes.forEach((other, j) => {
            if (other >= 0) entries.set(other, [own.re[i * own.n + j]!, own.im[i * own.n + j]!]);
          });
        } else {
          const { colPtr, rowIdx, values } = network;
          for (let j = 0; j < compiled.nodeCount; j++) {
            for (let p = colPtr[j]!; p < colPtr[j + 1]!; p++) {
              if (rowIdx[p] !== node && j !== node) continue;
              const other = rowIdx[p] === node ? j : rowIdx[p]!;
              entries.set(other, [values[2 * p]!, values[2 * p + 1]!]);
            }
          }
          nodes.forEach((other, j) => {
            const entry = entries.get(other);
            if (!entry) return;
            entry[0] -= own.re[i * own.n + j]!;
            entry[1] -= own.im[i * own.n + j]!;
          });
        }
        this.rows.push({
          node,
          isOwn,
          isFirst: !given.has(node),
          nodes: Int32Array.from(entries.keys(), (other) => this.solver.placeOf(other)),
          admittance: Float64Array.from([...entries.values()].flat()),
          shares: network.pattern.sharesOf(node),
        });
        given.add(node);
      });
    });
  }

  /** Whether the powers of the sources ask for those of the shares: where shares stand at a source's node. */
  get looksAtShares(): boolean {
    return this.rows.some(({ isOwn, shares }) => !isOwn && shares.length > 0);
  }

  /**
   * Writes one lane.
   *
   * @param at - place of the scenario in the arrays
   * @param source - Norton currents of the sources in the lane, by node, times `factor`
   * @param injected - currents of induction machines beside their admittance, by node
   */
  record(
    results: BatchResults,
    at: number,
    lane: number,
    status: BatchStatus,
    powerW: Float64Array,
    powerVar: Float64Array,
    source: Float64Array,
    factor: number,
    injected?: Float64Array,
  ): void {
    if (results.status) results.status[at] = BATCH_STATUS.indexOf(status);
    if (results.iterations) results.iterations[at] = this.solver.iterations[lane]!;
    this.recordVoltages(results, at, lane, status === 'converged' || status === 'convergedByEngine');
    if (!needsPowers(results)) return;
    const { sourceW, sourceVar, lossW, lossVar } = results;
    const { solver, rows, shunts } = this;
    const V = solver.voltages;
    let w = 0;
    let vars = 0;
    const isLossWanted = lossW !== undefined || lossVar !== undefined;
    this.sumShares(lane, powerW, powerVar, isLossWanted);
    for (const row of rows) {
      let ir = 0;
      let ii = 0;
      for (let t = 0; t < row.nodes.length; t++) {
        const from = solver.voltageAt(row.nodes[t]!, lane);
        const yr = row.admittance[2 * t]!;
        const yi = row.admittance[2 * t + 1]!;
        const vr = V[from]!;
        const vi = V[from + solver.width]!;
        ir += yr * vr - yi * vi;
        ii += yr * vi + yi * vr;
      }
      if (row.isOwn) {
        const part = row.isFirst ? factor : 0;
        ir = part * source[2 * row.node]! - ir;
        ii = part * source[2 * row.node + 1]! - ii;
      } else {
        this.compensationAt(row, lane, powerW, powerVar);
        ir -= this.currentRe + (injected ? injected[2 * row.node]! : 0);
        ii -= this.currentIm + (injected ? injected[2 * row.node + 1]! : 0);
      }
      const here = solver.voltageAt(solver.placeOf(row.node), lane);
      const vr = V[here]!;
      const vi = V[here + solver.width]!;
      w += vr * ir + vi * ii;
      vars += vi * ir - vr * ii;
    }
    if (sourceW) sourceW[at] = w;
    if (sourceVar) sourceVar[at] = vars;
    if (!isLossWanted) return;
    w -= this.shareW;
    vars -= this.shareVar;
    for (const { nodes, re, im } of shunts) {
      const n = nodes.length;
      for (let i = 0; i < n; i++) {
        const here = solver.voltageAt(nodes[i]!, lane);
        let ir = 0;
        let ii = 0;
        for (let j = 0; j < n; j++) {
          const there = solver.voltageAt(nodes[j]!, lane);
          ir += re[i * n + j]! * V[there]! - im[i * n + j]! * V[there + solver.width]!;
          ii += re[i * n + j]! * V[there + solver.width]! + im[i * n + j]! * V[there]!;
        }
        w -= V[here]! * ir + V[here + solver.width]! * ii;
        vars -= V[here + solver.width]! * ir - V[here]! * ii;
      }
    }
    for (const node of injected ? this.machineNodes : []) {
      const here = solver.voltageAt(solver.placeOf(node), lane);
      const [ir, ii] = [injected![2 * node]!, injected![2 * node + 1]!];
      w += V[here]! * ir + V[here + solver.width]! * ii;
      vars += V[here + solver.width]! * ir - V[here]! * ii;
    }
    if (lossW) lossW[at] = w;
    if (lossVar) lossVar[at] = vars;
  }

  private recordVoltages(results: BatchResults, at: number, lane: number, isSolved: boolean): void {
    const { voltagePu, minimumPu, maximumPu, minimumNode, maximumNode, violations } = results;
    const { nodeMinimumPu, nodeMaximumPu, nodeHistogram } = results;
    const isExtremeWanted = minimumPu ?? maximumPu ?? minimumNode ?? maximumNode ?? violations;
    const isByNodeWanted = isSolved && (nodeMinimumPu ?? nodeMaximumPu ?? nodeHistogram) !== undefined;
    if (!voltagePu && !isExtremeWanted && !isByNodeWanted) return;
    const { place, inverseBase, solver, minPu, maxPu, isJudged } = this;
    const { fromPu, stepPu, bins } = this.outputs.histogram ?? { fromPu: 0, stepPu: 1, bins: 1 };
    const V = solver.voltages;
    const { width } = solver;
    const base = solver.voltageAt(0, lane);
    const count = place.length;
    if (voltagePu && !isExtremeWanted && !isByNodeWanted) {
      for (let t = 0, to = at * count; t < count; t++, to++) {
        const from = base + 2 * width * place[t]!;
        const vr = V[from]!;
        const vi = V[from + width]!;
        voltagePu[to] = Math.sqrt(vr * vr + vi * vi) * inverseBase[t]!;
      }
      return;
    }
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let lowNode = -1;
    let highNode = -1;
    let outside = 0;
    for (let t = 0; t < count; t++) {
      const from = base + 2 * width * place[t]!;
      const vr = V[from]!;
      const vi = V[from + width]!;
      const pu = Math.sqrt(vr * vr + vi * vi) * inverseBase[t]!;
      if (voltagePu) voltagePu[at * count + t] = pu;
      if (isJudged[t] === 1) {
        if (pu < low) {
          low = pu;
          lowNode = t;
        }
        if (pu > high) {
          high = pu;
          highNode = t;
        }
        if (pu < minPu || pu > maxPu) outside++;
      }
      if (!isByNodeWanted) continue;
      if (nodeMinimumPu && pu < nodeMinimumPu[t]!) nodeMinimumPu[t] = pu;
      if (nodeMaximumPu && pu > nodeMaximumPu[t]!) nodeMaximumPu[t] = pu;
      if (nodeHistogram) {
        const bin = t * bins + Math.min(bins - 1, Math.max(0, Math.floor((pu - fromPu) / stepPu)));
        nodeHistogram[bin] = nodeHistogram[bin]! + 1;
      }
    }
    if (minimumPu) minimumPu[at] = lowNode < 0 ? Number.NaN : low;
    if (maximumPu) maximumPu[at] = highNode < 0 ? Number.NaN : high;
    if (minimumNode) minimumNode[at] = lowNode;
    if (maximumNode) maximumNode[at] = highNode;
    if (violations) violations[at] = outside;
  }

  /** Voltage across a share, squared. */
  private squareOf(k: number, lane: number): number {
    const { solver, shareAt } = this;
    const V = solver.voltages;
    const a = solver.voltageAt(shareAt[2 * k]!, lane);
    const b = solver.voltageAt(shareAt[2 * k + 1]!, lane);
    const vr = V[a]! - V[b]!;
    const vi = V[a + solver.width]! - V[b + solver.width]!;
    return vr * vr + vi * vi;
  }

  /** Consumption of all shares. */
  private sumShares(lane: number, powerW: Float64Array, powerVar: Float64Array, isWanted: boolean): void {
    this.shareW = 0;
    this.shareVar = 0;
    if (!isWanted) return;
    const { injection, compiled } = this.core;
    const { shares } = compiled;
    for (let k = 0; k < shares.count; k++) {
      const part = injection.part[k]!;
      if (part === 0) continue;
      const square = this.squareOf(k, lane);
      if (part === 2) {
        const ratio = (square * shares.admittanceShare[k]!) / shares.ratedV[k]! ** 2;
        this.shareW += shares.powerW[k]! * ratio;
        this.shareVar += shares.powerVar[k]! * ratio;
      } else if (this.laws[k] && square > shares.minV[k]! ** 2 && square <= shares.maxV[k]! ** 2) {
        this.shareW += powerW[k]!;
        this.shareVar += powerVar[k]!;
      } else {
        injection.factors(k, square, this.factors, 0);
        this.shareW += powerW[k]! * this.factors[0]! * square;
        this.shareVar += powerVar[k]! * this.factors[1]! * square;
      }
    }
  }

  /** Compensation current of the shares at a source's node, into `currentRe` and `currentIm`. */
  private compensationAt(
    { node, shares: own }: SourceRow,
    lane: number,
    powerW: Float64Array,
    powerVar: Float64Array,
  ): void {
    this.currentRe = 0;
    this.currentIm = 0;
    const { injection, compiled } = this.core;
    const { shares } = compiled;
    const { solver, shareAt } = this;
    const V = solver.voltages;
    for (const k of own) {
      if (injection.part[k] !== 1) continue;
      injection.factors(k, this.squareOf(k, lane), this.factors, 0);
      const cr = injection.linearRe[k]! - powerW[k]! * this.factors[0]!;
      const ci = injection.linearIm[k]! + powerVar[k]! * this.factors[1]!;
      const a = solver.voltageAt(shareAt[2 * k]!, lane);
      const b = solver.voltageAt(shareAt[2 * k + 1]!, lane);
      const vr = V[a]! - V[b]!;
      const vi = V[a + solver.width]! - V[b + solver.width]!;
      const sign = shares.a[k] === node ? 1 : -1;
      this.currentRe += sign * (cr * vr - ci * vi);
      this.currentIm += sign * (cr * vi + ci * vr);
    }
  }
}
