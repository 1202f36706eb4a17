import type { LinearNetwork } from '../linear-network.js';

/*
 * What drawn power changes in the squared voltages of a linear network, for many steps side by side.
 *
 * Solved: S_p += share * S_c, then dv_c = gain * dv_p - dropP * dP_c - dropQ * dQ_c with dv = 0 at the roots, as in
 *         linear-network.ts, for `lanes` right-hand sides at once. Branches below which nothing is drawn carry nothing.
 * Steps: coefficients of all branches in one row of numbers; a pass from the leaves and one from the root, each coefficient
 *        read once for all lanes. Node arrays hold the lanes of a node side by side.
 * Cost: O(branches * lanes). Fails: never.
 */

/** A node where power may be drawn, and whether reactive power too. */
export interface LaneDraw {
  readonly node: number;
  readonly isReactive: boolean;
}

/** Voltage changes by drawn power, many steps abreast. Arrays over nodes have the lanes of {@link slotOf} a node side by side. */
export class LaneNetwork {
  readonly nodeCount: number;
  /** Place of each node: along paths from the source, so that a sweep finds parents near children. */
  readonly slotOf: Int32Array;
  /** By branch: first parent and child in `places`, first coefficient, and how many of each there are. */
  private readonly parentCount: Uint8Array;
  private readonly childCount: Uint8Array;
  private readonly placeAt: Int32Array;
  private readonly places: Int32Array;
  private readonly coefficientAt: Int32Array;
  private readonly coefficients: Float64Array;
  /** By branch: whether power can flow there, and whether reactive power. */
  private readonly carries: Uint8Array;
  private readonly carriesVar: Uint8Array;
  /** By branch: whether it leads to a node that {@link want} named; by node: the branch that feeds it, -1 at roots. */
  private readonly leads: Uint8Array;
  private readonly feeding: Int32Array;
  private readonly parents: readonly Int32Array[];
  private readonly flowW: Float64Array;
  private readonly flowVar: Float64Array;

  /**
   * @param drawing - nodes where power may be drawn
   * @param lanes - steps side by side
   */
  constructor(
    private readonly network: LinearNetwork,
    drawing: Iterable<LaneDraw>,
    readonly lanes: number,
  ) {
    const { nodes } = network;
    const order = branchesAlongPaths(network);
    const branches = Array.from(order, (b) => network.branches[b]!);
    this.nodeCount = nodes.length;
    this.slotOf = new Int32Array(nodes.length);
    let slot = 0;
    for (; slot < network.rootCount; slot++) this.slotOf[slot] = slot;
    for (const { children } of branches) for (const child of children) this.slotOf[child] = slot++;
    const isFed = new Uint8Array(nodes.length);
    const isFedVar = new Uint8Array(nodes.length);
    for (const { node, isReactive } of drawing) {
      isFed[node] = 1;
      if (isReactive) isFedVar[node] = 1;
    }
    this.carries = new Uint8Array(branches.length);
    this.carriesVar = new Uint8Array(branches.length);
    for (let b = branches.length - 1; b >= 0; b--) {
      const { parents, children, shareIm } = branches[b]!;
      if (!children.some((child) => isFed[child] === 1)) continue;
      this.carries[b] = 1;
      if (children.some((child) => isFedVar[child] === 1)) this.carriesVar[b] = 1;
      const isTurned = this.carriesVar[b] === 1 || shareIm.some((im) => im !== 0);
      for (const parent of parents) {
        isFed[parent] = 1;
        if (isTurned) isFedVar[parent] = 1;
      }
    }
    this.parentCount = Uint8Array.from(branches, ({ parents }) => parents.length);
    this.childCount = Uint8Array.from(branches, ({ children }) => children.length);
    this.placeAt = new Int32Array(branches.length);
    this.coefficientAt = new Int32Array(branches.length);
    const places: number[] = [];
    const coefficients: number[] = [];
    branches.forEach(({ parents, children, gain, dropP, dropQ, shareRe, shareIm }, b) => {
      this.placeAt[b] = places.length;
      this.coefficientAt[b] = coefficients.length;
      for (const node of [...parents, ...children]) places.push(this.slotOf[node]! * lanes);
      coefficients.push(...shareRe, ...shareIm, ...gain, ...dropP, ...dropQ);
    });
    this.places = Int32Array.from(places);
    this.coefficients = Float64Array.from(coefficients);
    this.leads = new Uint8Array(branches.length);
    this.feeding = new Int32Array(nodes.length).fill(-1);
    branches.forEach(({ children }, b) => {
      for (const child of children) this.feeding[child] = b;
    });
    this.parents = branches.map((branch) => branch.parents);
    this.flowW = new Float64Array(nodes.length * lanes);
    this.flowVar = new Float64Array(nodes.length * lanes);
  }

  /** Makes a node one of those whose voltage may be asked for alone, or that may have a weight. */
  want(node: number): void {
    const b = this.feeding[node]!;
    if (b < 0 || this.leads[b] === 1) return;
    this.leads[b] = 1;
    for (const parent of this.parents[b]!) this.want(parent);
  }

  /** Takes away what was drawn before. */
  clear(): void {
    this.flowW.fill(0);
    this.flowVar.fill(0);
  }

  /** Draws more at a node: `re + j im` times the lanes of `power` from `first` on, W and var. */
  draw(node: number, re: number, im: number, power: Float64Array, first: number): void {
    const { flowW, flowVar, lanes } = this;
    const at = this.slotOf[node]! * lanes;
    for (let t = 0; t < lanes; t++) flowW[at + t]! += re * power[first + t]!;
    if (im !== 0) for (let t = 0; t < lanes; t++) flowVar[at + t]! += im * power[first + t]!;
  }

  /**
   * Voltage changes of all lanes by what is drawn, pu squared; what is drawn is used up.
   *
   * @param isWhole - of all nodes; else of those on the way to wanted ones
   */
  spread(change: Float64Array, isWhole: boolean): void {
    this.gather();
    const { leads } = this;
    const { lanes, parentCount, childCount, placeAt, places, coefficientAt, coefficients, carries, carriesVar } = this;
    const { flowW, flowVar } = this;
    change.fill(0, 0, this.network.rootCount * lanes);
    for (let b = 0; b < carries.length; b++) {
      if (!isWhole && leads[b] === 0) continue;
      const m = parentCount[b]!;
      const k = childCount[b]!;
      const place = placeAt[b]!;
      const gainAt = coefficientAt[b]! + 2 * m * k;
      const dropAt = gainAt + m * k;
      for (let i = 0; i < k; i++) {
        const to = places[place + m + i]!;
        for (let j = 0; j < m; j++) {
          const gain = coefficients[gainAt + i * m + j]!;
          const from = places[place + j]!;
          if (j === 0) for (let t = 0; t < lanes; t++) change[to + t] = gain * change[from + t]!;
          else if (gain !== 0) for (let t = 0; t < lanes; t++) change[to + t]! += gain * change[from + t]!;
        }
        if (carries[b] === 0) continue;
        for (let j = 0; j < k; j++) {
          const p = coefficients[dropAt + i * k + j]!;
          const q = coefficients[dropAt + (k + i) * k + j]!;
          const from = places[place + m + j]!;
          if (p === 0 && q === 0) continue;
          if (carriesVar[b] === 0) for (let t = 0; t < lanes; t++) change[to + t]! -= p * flowW[from + t]!;
          else for (let t = 0; t < lanes; t++) change[to + t]! -= p * flowW[from + t]! + q * flowVar[from + t]!;
        }
      }
    }
  }

  /**
   * Gradient of `sum weight_i dv_i` by what is drawn: after it {@link gradientAt} tells it for a node, lane by lane.
   *
   * @param weight - nodes by lanes, zero at nodes that are not wanted; used up
   */
  pull(weight: Float64Array): void {
    const { lanes, parentCount, childCount, placeAt, places, coefficientAt, coefficients, carries, carriesVar } = this;
    const { flowW, flowVar, leads } = this;
    for (let b = carries.length - 1; b >= 0; b--) {
      if (leads[b] === 0) continue;
      const m = parentCount[b]!;
      const k = childCount[b]!;
      const place = placeAt[b]!;
      const gainAt = coefficientAt[b]! + 2 * m * k;
      for (let i = 0; i < k; i++) {
        const from = places[place + m + i]!;
        for (let j = 0; j < m; j++) {
          const gain = coefficients[gainAt + i * m + j]!;
          const to = places[place + j]!;
          if (gain !== 0) for (let t = 0; t < lanes; t++) weight[to + t]! += gain * weight[from + t]!;
        }
      }
    }
    flowW.fill(0, 0, this.network.rootCount * lanes);
    flowVar.fill(0, 0, this.network.rootCount * lanes);
    for (let b = 0; b < carries.length; b++) {
      if (carries[b] === 0) continue;
      const m = parentCount[b]!;
      const k = childCount[b]!;
      const place = placeAt[b]!;
      const at = coefficientAt[b]!;
      const dropAt = at + 3 * m * k;
      for (let j = 0; j < k; j++) {
        const to = places[place + m + j]!;
        if (leads[b] === 0) {
          // Nothing below has a weight.
          flowW.fill(0, to, to + lanes);
          if (carriesVar[b] === 1) flowVar.fill(0, to, to + lanes);
        }
        for (let i = 0; leads[b] === 1 && i < k; i++) {
          const p = coefficients[dropAt + i * k + j]!;
          const q = coefficients[dropAt + (k + i) * k + j]!;
          const from = places[place + m + i]!;
          if (i === 0) for (let t = 0; t < lanes; t++) flowW[to + t] = -p * weight[from + t]!;
          else if (p !== 0) for (let t = 0; t < lanes; t++) flowW[to + t]! -= p * weight[from + t]!;
          if (carriesVar[b] === 0) continue;
          if (i === 0) for (let t = 0; t < lanes; t++) flowVar[to + t] = -q * weight[from + t]!;
          else if (q !== 0) for (let t = 0; t < lanes; t++) flowVar[to + t]! -= q * weight[from + t]!;
        }
        for (let i = 0; i < m; i++) {
          const re = coefficients[at + i * k + j]!;
          const im = coefficients[at + (m + i) * k + j]!;
          const from = places[place + i]!;
          if (re === 0 && im === 0) continue;
          if (im === 0) for (let t = 0; t < lanes; t++) flowW[to + t]! += re * flowW[from + t]!;
          else for (let t = 0; t < lanes; t++) flowW[to + t]! += re * flowW[from + t]! + im * flowVar[from + t]!;
          if (carriesVar[b] === 0) continue;
          for (let t = 0; t < lanes; t++) flowVar[to + t]! += re * flowVar[from + t]! - im * flowW[from + t]!;
        }
      }
    }
  }

  /** Adds `re dW + im dVar` of the gradient at a node, lane by lane, to `sum` from `first` on. */
  gradientAt(node: number, re: number, im: number, sum: Float64Array, first: number): void {
    const { flowW, flowVar, lanes } = this;
    const at = this.slotOf[node]! * lanes;
    for (let t = 0; t < lanes; t++) sum[first + t]! += re * flowW[at + t]!;
    if (im !== 0) for (let t = 0; t < lanes; t++) sum[first + t]! += im * flowVar[at + t]!;
  }

  private gather(): void {
    const { lanes, parentCount, childCount, placeAt, places, coefficientAt, coefficients, carries, carriesVar } = this;
    const { flowW, flowVar } = this;
    for (let b = carries.length - 1; b >= 0; b--) {
      if (carries[b] === 0) continue;
      const m = parentCount[b]!;
      const k = childCount[b]!;
      const place = placeAt[b]!;
      const at = coefficientAt[b]!;
      for (let i = 0; i < m; i++) {
        const to = places[place + i]!;
        for (let j = 0; j < k; j++) {
          const re = coefficients[at + i * k + j]!;
          const im = coefficients[at + (m + i) * k + j]!;
          const from = places[place + m + j]!;
          if (im === 0) {
            if (re === 0) continue;
            for (let t = 0; t < lanes; t++) flowW[to + t]! += re * flowW[from + t]!;
            if (carriesVar[b] === 1) for (let t = 0; t < lanes; t++) flowVar[to + t]! += re * flowVar[from + t]!;
            continue;
          }
          for (let t = 0; t < lanes; t++) {
            const w = flowW[from + t]!;
            const v = flowVar[from + t]!;
            flowW[to + t]! += re * w - im * v;
            flowVar[to + t]! += re * v + im * w;
          }
        }
      }
    }
  }
}

/** Indices of branches so that each comes after those that feed it, and soon after. */
function branchesAlongPaths({ branches, nodes, rootCount }: LinearNetwork): Int32Array {
  const fedBy: number[][] = Array.from({ length: nodes.length }, () => []);
  const missing = Int32Array.from(branches, ({ parents }, b) => {
    let count = 0;
    for (const parent of parents) {
      fedBy[parent]!.push(b);
      if (parent >= rootCount) count++;
    }
    return count;
  });
  const ready = Array.from(missing.keys())
    .filter((b) => missing[b] === 0)
    .reverse();
  const order = new Int32Array(branches.length);
  let done = 0;
  for (let b = ready.pop(); b !== undefined; b = ready.pop()) {
    order[done++] = b;
    for (const child of branches[b]!.children) {
      for (const next of fedBy[child]!) {
        missing[next]!--;
        if (missing[next] === 0) ready.push(next);
      }
    }
  }
  return order;
}
