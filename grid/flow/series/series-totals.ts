/*
 * The whole of a series from its pieces, added in the order of time: the same sums in the same order for any number of workers.
 */
import type { BranchFigures } from './branch-recorder.js';
import { LOADING_BIN_PCT } from './branch-recorder.js';
import { type ChunkResult, STEP_STATUS } from './chunk.js';
import { VOLTAGE_BIN_PU } from './node-recorder.js';
import type { SeriesSettings } from './series-settings.js';
import { ValueHistogram } from './value-histogram.js';

/** A time of a node outside the limits. */
export interface ViolationEntry {
  /** Place in `flow.nodes`. */
  readonly node: number;
  readonly isOver: boolean;
  /** First step and the one after the last. */
  readonly first: number;
  readonly end: number;
  readonly worstPu: number;
}

/** Figures of a node's violations of one kind. */
export interface ViolationSum {
  times: number;
  steps: number;
  longestSteps: number;
  worstPu: number;
}

/** Operations of one device. */
export interface OperationSum {
  operations: number;
  /** Steps or sections moved. */
  moved: number;
  position: number;
}

const HOUR_S = 3600;

/** Adds up pieces. */
export class SeriesTotals {
  readonly minPu: Float64Array;
  readonly maxPu: Float64Array;
  readonly minStep: Int32Array;
  readonly maxStep: Int32Array;
  readonly lastPu: Float64Array;
  readonly voltages: ValueHistogram;
  readonly loadings: ValueHistogram;
  readonly loadingMaxPct: Float64Array;
  readonly loadingMaxStep: Int32Array;
  readonly overSteps: Int32Array;
  /** By node; the second map is of voltages above the limit. */
  readonly under = new Map<number, ViolationSum>();
  readonly over = new Map<number, ViolationSum>();
  readonly taps = new Map<number, OperationSum>();
  readonly sections = new Map<number, OperationSum>();
  readonly unsettledControls = new Set<string>();
  /** Steps done, and those among them without a solution or with controls that did not rest. */
  steps = 0;
  unsolvedSteps = 0;
  unsettledSteps = 0;
  iterations = 0;
  sourceWh = 0;
  sourceVarh = 0;
  loadWh = 0;
  generationWh = 0;
  lossWh = 0;
  /** Largest power from the sources, W, and when; NaN before the first solved step. */
  peakW = Number.NaN;
  peakStep = -1;
  tapSteps = 0;
  sectionSteps = 0;
  private readonly sumPu: Float64Array;
  private readonly sumPct: Float64Array;
  /** Violations that last to the end of the last piece. */
  private readonly open = new Map<string, ViolationEntry>();

  constructor(
    private readonly settings: SeriesSettings,
    readonly nodeCount: number,
    readonly branchCount: number,
  ) {
    this.minPu = new Float64Array(nodeCount).fill(Number.POSITIVE_INFINITY);
    this.maxPu = new Float64Array(nodeCount).fill(Number.NEGATIVE_INFINITY);
    this.minStep = new Int32Array(nodeCount);
    this.maxStep = new Int32Array(nodeCount);
    this.sumPu = new Float64Array(nodeCount);
    this.lastPu = new Float64Array(nodeCount);
    this.voltages = new ValueHistogram(nodeCount, VOLTAGE_BIN_PU);
    this.loadings = new ValueHistogram(branchCount, LOADING_BIN_PCT);
    this.loadingMaxPct = new Float64Array(branchCount).fill(Number.NEGATIVE_INFINITY);
    this.loadingMaxStep = new Int32Array(branchCount);
    this.sumPct = new Float64Array(branchCount);
    this.overSteps = new Int32Array(branchCount);
  }

  /** Steps with a solution. */
  get solvedSteps(): number {
    return this.steps - this.unsolvedSteps;
  }

  meanPu(node: number): number {
    return this.sumPu[node]! / this.solvedSteps;
  }

  meanLoadingPct(branch: number): number {
    return this.sumPct[branch]! / this.solvedSteps;
  }

  /**
   * Adds the next piece.
   *
   * @returns the violations that ended in it
   */
  add(result: ChunkResult): readonly ViolationEntry[] {
    this.addNodes(result);
    this.addBranches(result.branches);
    this.addSteps(result);
    this.addOperations(result);
    for (const name of result.unsettled) this.unsettledControls.add(name);
    return this.joinViolations(result);
  }

  /** Ends the violations that last to the end of the series. */
  finish(): readonly ViolationEntry[] {
    const rest = [...this.open.values()];
    this.open.clear();
    for (const entry of rest) this.count(entry);
    return rest;
  }

  private addNodes({ nodes }: ChunkResult): void {
    const isSolved = nodes.lowestPu.some((pu) => !Number.isNaN(pu));
    for (let i = 0; i < this.nodeCount; i++) {
      if (nodes.minPu[i]! < this.minPu[i]!) {
        this.minPu[i] = nodes.minPu[i]!;
        this.minStep[i] = nodes.minStep[i]!;
      }
      if (nodes.maxPu[i]! > this.maxPu[i]!) {
        this.maxPu[i] = nodes.maxPu[i]!;
        this.maxStep[i] = nodes.maxStep[i]!;
      }
      this.sumPu[i] = this.sumPu[i]! + nodes.sumPu[i]!;
    }
    if (isSolved) this.lastPu.set(nodes.lastPu);
    this.voltages.merge(nodes.histogram);
  }

  private addBranches(branches: BranchFigures): void {
    for (let b = 0; b < this.branchCount; b++) {
      if (branches.maxPct[b]! > this.loadingMaxPct[b]!) {
        this.loadingMaxPct[b] = branches.maxPct[b]!;
        this.loadingMaxStep[b] = branches.maxStep[b]!;
      }
      this.sumPct[b] = this.sumPct[b]! + branches.sumPct[b]!;
      this.overSteps[b] = this.overSteps[b]! + branches.overSteps[b]!;
    }
    this.loadings.merge(branches.histogram);
  }

  private addSteps({ first, end, powers, status, iterations }: ChunkResult): void {
    const hours = this.settings.stepS / HOUR_S;
    for (let at = 0; at < end - first; at++) {
      this.steps++;
      this.iterations += iterations[at]!;
      const how = STEP_STATUS[status[at]!];
      if (how === 'controlsUnsettled') this.unsettledSteps++;
      if (how === 'unsolved') {
        this.unsolvedSteps++;
        continue;
      }
      const sourceW = powers.sourceW[at]!;
      if (!(sourceW <= this.peakW)) {
        this.peakW = sourceW;
        this.peakStep = first + at;
      }
      this.sourceWh += sourceW * hours;
      this.sourceVarh += powers.sourceVar[at]! * hours;
      this.loadWh += powers.loadW[at]! * hours;
      this.generationWh += powers.generationW[at]! * hours;
      this.lossWh += powers.lossW[at]! * hours;
    }
  }

  private addOperations({ operations }: ChunkResult): void {
    const { kind, device, from, to } = operations;
    for (let t = 0; t < kind.length; t++) {
      const sums = kind[t] === 0 ? this.taps : this.sections;
      const moved = Math.abs(to[t]! - from[t]!);
      if (kind[t] === 0) this.tapSteps += moved;
      else this.sectionSteps += moved;
      const sum = sums.get(device[t]!) ?? { operations: 0, moved: 0, position: 0 };
      sum.operations++;
      sum.moved += moved;
      sum.position = to[t]!;
      sums.set(device[t]!, sum);
    }
  }

  /** Joins violations over the border of two pieces. */
  private joinViolations({ first, end, nodes }: ChunkResult): readonly ViolationEntry[] {
    const { node, isOver, first: firsts, end: ends, worstPu } = nodes.violations;
    const ended: ViolationEntry[] = [];
    const stillOpen = new Map<string, ViolationEntry>();
    for (let t = 0; t < node.length; t++) {
      let entry: ViolationEntry = {
        node: node[t]!,
        isOver: isOver[t] === 1,
        first: firsts[t]!,
        end: ends[t]!,
        worstPu: worstPu[t]!,
      };
      const key = `${entry.node} ${entry.isOver}`;
      const before = this.open.get(key);
      if (before && entry.first === first) {
        const worst = entry.isOver ? Math.max : Math.min;
        entry = { ...entry, first: before.first, worstPu: worst(entry.worstPu, before.worstPu) };
        this.open.delete(key);
      }
      if (entry.end === end) stillOpen.set(key, entry);
      else ended.push(entry);
    }
    ended.push(...this.open.values());
    this.open.clear();
    for (const [key, entry] of stillOpen) this.open.set(key, entry);
    for (const entry of ended) this.count(entry);
    return ended.sort((a, b) => a.first - b.first || a.node - b.node);
  }

  private count({ node, isOver, first, end, worstPu }: ViolationEntry): void {
    const sums = isOver ? this.over : this.under;
    const sum = sums.get(node) ?? { times: 0, steps: 0, longestSteps: 0, worstPu };
    sum.times++;
    sum.steps += end - first;
    sum.longestSteps = Math.max(sum.longestSteps, end - first);
    sum.worstPu = isOver ? Math.max(sum.worstPu, worstPu) : Math.min(sum.worstPu, worstPu);
    sums.set(node, sum);
  }
}
