/*
 * Powers of a solved step: delivered by the sources, drawn by loads, given by generation, lost in branches.
 *
 * Source power from the currents around its nodes (batch-result.ts), consumption from the laws of the shares at the solved
 * voltages, shunts (capacitors, shunt reactors) from their admittances; losses are what is left.
 */

import type { Primitive } from '../../model/index.js';
import { BatchRecorder, machineNodesOf } from '../batch-result.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { isLossy } from '../solution.js';
import type { DrawnPowers } from './step-powers.js';

/** Powers of the steps of a piece, by step. */
export interface PowerFigures {
  readonly sourceW: Float64Array;
  readonly sourceVar: Float64Array;
  readonly loadW: Float64Array;
  readonly generationW: Float64Array;
  readonly lossW: Float64Array;
}

/** Arrays for the powers of some steps. */
export function powerFigures(steps: number): PowerFigures {
  const array = () => new Float64Array(steps);
  return { sourceW: array(), sourceVar: array(), loadW: array(), generationW: array(), lossW: array() };
}

/** Powers that nobody looks at. */
const NONE: readonly [Float64Array, Float64Array] = [new Float64Array(0), new Float64Array(0)];

/** Works out the powers of lanes of one solver. */
export class PowerRecorder {
  private readonly sources: BatchRecorder;
  private readonly shunts: readonly number[];
  /** Kernel nodes of both ends of each share. */
  private readonly shareAt: Int32Array;
  /** Squares of the voltages between which a share draws its power as it is; none for other laws. */
  private readonly window: Float64Array;
  /** Shares of loads come first, up to here. */
  private readonly loadEnd: number;
  private readonly factors = new Float64Array(2);
  /** Elements at the nodes of the sources and what they were when the sources were last looked at. */
  private readonly around: readonly number[];
  private seen: readonly Primitive[];
  private readonly machineNodes: readonly number[];

  constructor(
    private readonly core: FlowCore,
    private readonly solver: LaneSolver,
  ) {
    const { compiled, injection, network } = core;
    const { shares, elements, feeder } = compiled;
    this.sources = new BatchRecorder(core, solver, {}, (_, e) => isLossy(elements[e]!));
    const sourceNodes = new Set(elements.flatMap(({ kind, nodes }) => (kind === 'source' ? [...nodes] : [])));
    sourceNodes.delete(-1);
    this.around = elements.flatMap(({ nodes }, e) => (nodes.some((node) => sourceNodes.has(node)) ? [e] : []));
    this.seen = this.around.map((e) => network.primitives[e]!);
    this.machineNodes = machineNodesOf(compiled);
    this.shunts = elements.flatMap((element, e) => (element.kind === 'source' || isLossy(element) ? [] : [e]));
    this.shareAt = Int32Array.from({ length: 2 * shares.count }, (_, t) =>
      solver.placeOf((t % 2 === 0 ? shares.a : shares.b)[t >> 1]!),
    );
    this.window = Float64Array.from({ length: 2 * shares.count }, (_, t) => {
      if (injection.lawInside(t >> 1) !== 'power') return t % 2 === 0 ? Number.POSITIVE_INFINITY : 0;
      const limit = (t % 2 === 0 ? shares.minV : shares.maxV)[t >> 1]!;
      return limit * limit;
    });
    this.loadEnd = Math.max(0, ...feeder.loads.map(({ id }) => shares.rangeOf.get(id)![1]));
  }

  /** Takes over what has changed around the sources. */
  refresh(): void {
    const { primitives } = this.core.network;
    if (this.around.every((e, k) => primitives[e] === this.seen[k])) return;
    this.seen = this.around.map((e) => primitives[e]!);
    this.sources.refresh();
  }

  /**
   * Writes the powers of one lane.
   *
   * @param at - place in the figures
   * @param drawn - consumption of the shares in the lane
   * @param source - Norton currents of the sources, A
   * @param injected - currents of induction machines beside their admittance, by node, A
   */
  record(
    figures: PowerFigures,
    at: number,
    lane: number,
    drawn: DrawnPowers,
    source: Float64Array,
    injected?: Float64Array,
  ): void {
    const { sourceW, sourceVar, loadW, generationW, lossW } = figures;
    const { sources, loadEnd } = this;
    const [powerW, powerVar] = sources.looksAtShares ? [drawn.powerW(), drawn.powerVar()] : NONE;
    sources.record({ sourceW, sourceVar }, at, lane, 'converged', powerW, powerVar, source, 1, injected);
    const { shares } = this.core.compiled;
    const isPlain = drawn.loadW !== undefined && this.solver.arePlain(lane, loadEnd);
    const load = isPlain ? drawn.loadW : this.consumption(0, loadEnd, lane, drawn.powerW());
    const generation = shares.count > loadEnd ? -this.consumption(loadEnd, shares.count, lane, drawn.powerW()) : 0;
    loadW[at] = load;
    generationW[at] = generation;
    let loss = sourceW[at]! - load + generation - this.shuntPower(lane);
    for (const node of injected ? this.machineNodes : []) {
      const here = this.solver.voltageAt(this.solver.placeOf(node), lane);
      const V = this.solver.voltages;
      loss += V[here]! * injected![2 * node]! + V[here + this.solver.width]! * injected![2 * node + 1]!;
    }
    lossW[at] = loss;
  }

  private consumption(first: number, end: number, lane: number, powerW: Float64Array): number {
    const { core, solver, shareAt, window, factors } = this;
    const { injection } = core;
    const { shares } = core.compiled;
    const V = solver.voltages;
    const { width } = solver;
    const base = solver.voltageAt(0, lane);
    let sum = 0;
    const { part } = injection;
    for (let k = first; k < end; k++) {
      const a = base + 2 * width * shareAt[2 * k]!;
      const b = base + 2 * width * shareAt[2 * k + 1]!;
      const vr = V[a]! - V[b]!;
      const vi = V[a + width]! - V[b + width]!;
      const square = vr * vr + vi * vi;
      if (part[k] === 1 && square > window[2 * k]! && square <= window[2 * k + 1]!) sum += powerW[k]!;
      else if (part[k] === 2) {
        sum += (shares.powerW[k]! * square * shares.admittanceShare[k]!) / shares.ratedV[k]! ** 2;
      } else if (part[k] === 1) {
        injection.factors(k, square, factors, 0);
        sum += powerW[k]! * factors[0]! * square;
      }
    }
    return sum;
  }

  private shuntPower(lane: number): number {
    const { core, solver } = this;
    const V = solver.voltages;
    const { width } = solver;
    let sum = 0;
    for (const e of this.shunts) {
      const { nodes } = core.compiled.elements[e]!;
      const { n, re, im } = core.network.primitives[e]!.y;
      for (let i = 0; i < n; i++) {
        const here = solver.voltageAt(solver.placeOf(nodes[i]!), lane);
        let ir = 0;
        let ii = 0;
        for (let j = 0; j < n; j++) {
          const there = solver.voltageAt(solver.placeOf(nodes[j]!), lane);
          ir += re[i * n + j]! * V[there]! - im[i * n + j]! * V[there + width]!;
          ii += re[i * n + j]! * V[there + width]! + im[i * n + j]! * V[there]!;
        }
        sum += V[here]! * ir + V[here + width]! * ii;
      }
    }
    return sum;
  }
}
