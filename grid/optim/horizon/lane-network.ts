import type { LinearBranch, LinearNetwork } from '../linear-network.js';

/*
 * What power drawn at ports changes in the squared voltages of a linear network, for many steps side by side.
 *
 * Solved: S_p += share * S_c, then dv_c = gain * dv_p - dropP * dP_c - dropQ * dQ_c with dv = 0 at the roots, as in
 *         linear-network.ts, for `lanes` right-hand sides at once. Branches below which nothing is drawn carry nothing.
 * Steps: coefficients of all branches in one row of numbers; a pass from the leaves and one from the root, each coefficient
 *        read once for all lanes. Where only the voltages of wanted nodes are asked for, the passes keep to the branches that
 *        lead there: what a port draws enters them where its own path meets them, multiplied by the shares on the way. Node
 *        arrays hold the lanes of a node side by side.
 * Cost: O(branches * lanes); for wanted nodes O((branches that lead to them + ports) * lanes). Fails: never.
 */

/** Nodes that share a power, each with its complex share of it. */
export interface LanePort {
  readonly nodes: Int32Array;
  readonly shareRe: Float64Array;
  readonly shareIm: Float64Array;
}

/** Where ports meet the branches that lead to wanted nodes: first entry of each port, then place and share of each entry. */
interface Entries {
  readonly first: Int32Array;
  readonly node: Int32Array;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * Voltage changes by power at ports, many steps abreast. Arrays over nodes have the lanes of {@link slotOf} a node side by
 * side, arrays over ports those of a port.
 */
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
  /** Branches from the roots on: all, and those that lead. */
  private readonly all: Int32Array;
  private leading: Int32Array = new Int32Array(0);
  private entries: Entries | undefined;
  private readonly branches: readonly LinearBranch[];
  private readonly flowW: Float64Array;
  private readonly flowVar: Float64Array;

  /**
   * @param ports - where power may be drawn
   * @param lanes - steps side by side
   */
  constructor(
    private readonly network: LinearNetwork,
    private readonly ports: readonly LanePort[],
    readonly lanes: number,
  ) {
    const { nodes } = network;
    const order = branchesAlongPaths(network);
    const branches = Array.from(order, (b) => network.branches[b]!);
    this.branches = branches;
    this.all = Int32Array.from(branches.keys());
    this.nodeCount = nodes.length;
    this.slotOf = new Int32Array(nodes.length);
    let slot = 0;
    for (; slot < network.rootCount; slot++) this.slotOf[slot] = slot;
    for (const { children } of branches) for (const child of children) this.slotOf[child] = slot++;
    const isFed = new Uint8Array(nodes.length);
    const isFedVar = new Uint8Array(nodes.length);
    for (const { nodes: own, shareIm } of ports) {
      own.forEach((node, j) => {
        isFed[node] = 1;
        if (shareIm[j] !== 0) isFedVar[node] = 1;
      });
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
    this.flowW = new Float64Array(nodes.length * lanes);
    this.flowVar = new Float64Array(nodes.length * lanes);
  }

  /** Makes a node one of those whose voltage may be asked for alone, or that may have a weight. */
  want(node: number): void {
    const b = this.feeding[node]!;
    if (b < 0 || this.leads[b] === 1) return;
    this.leads[b] = 1;
    this.entries = undefined;
    for (const parent of this.branches[b]!.parents) this.want(parent);
  }

  /**
   * Voltage changes of all nodes, pu squared.
   *
   * @param power - ports by lanes
   * @param unit - by port: W and var that its shares are multiplied by for a power of one
   */
  spread(power: Float64Array, unit: Float64Array, change: Float64Array): void {
    const { slotOf } = this;
    this.flowW.fill(0);
    this.flowVar.fill(0);
    this.ports.forEach(({ nodes, shareRe, shareIm }, k) => {
      nodes.forEach((node, j) => {
        this.draw(slotOf[node]!, unit[k]! * shareRe[j]!, unit[k]! * shareIm[j]!, power, k);
      });
    });
    this.gather(this.all);
    this.lower(this.all, change);
  }

  /** As {@link spread}, for the wanted nodes and those on the way to them; others keep what they had. */
  spreadWanted(power: Float64Array, unit: Float64Array, change: Float64Array): void {
    const { first, node, re, im } = this.met();
    this.clearLeading();
    for (let k = 0; k < unit.length; k++) {
      for (let e = first[k]!; e < first[k + 1]!; e++) {
        this.draw(this.slotOf[node[e]!]!, unit[k]! * re[e]!, unit[k]! * im[e]!, power, k);
      }
    }
    this.gather(this.leading);
    this.lower(this.leading, change);
  }

  /**
   * Adds to `sum` the gradient of `sum weight_i dv_i` by the power of each port, lane by lane.
   *
   * @param weight - nodes by lanes, zero at nodes that are not wanted; used up
   * @param unit - W and var that the shares of every port are multiplied by for a power of one
   * @param sum - ports by lanes
   */
  pull(weight: Float64Array, unit: number, sum: Float64Array): void {
    const { lanes, flowW, flowVar, slotOf } = this;
    const { first, node, re, im } = this.met();
    this.raise(weight);
    this.descend(weight);
    for (let k = 0; k < this.ports.length; k++) {
      for (let e = first[k]!; e < first[k + 1]!; e++) {
        const from = slotOf[node[e]!]! * lanes;
        const to = k * lanes;
        const real = unit * re[e]!;
        const imaginary = unit * im[e]!;
        for (let t = 0; t < lanes; t++) sum[to + t]! += real * flowW[from + t]!;
        if (imaginary !== 0) for (let t = 0; t < lanes; t++) sum[to + t]! += imaginary * flowVar[from + t]!;
      }
    }
  }

  /** By port: no node's squared voltage changes by more than this for a power of one W and var, pu squared per W. */
  reach(): Float64Array {
    const { branches, network } = this;
    // Below a node the change of its voltage may be multiplied by what lies between; greatest over least is a bound of that.
    const gains = new Float64Array(this.nodeCount).fill(1);
    for (const { parents, children, gain } of branches) {
      children.forEach((child, i) => {
        let sum = 0;
        parents.forEach((parent, j) => {
          sum += Math.abs(gain[i * parents.length + j]!) * gains[parent]!;
        });
        gains[child] = sum;
      });
    }
    const bounds = gains.filter((gain) => gain > 0);
    const further = bounds.reduce((a, b) => Math.max(a, b), 1) / bounds.reduce((a, b) => Math.min(a, b), 1);
    const perW = new Float64Array(this.nodeCount);
    const perVar = new Float64Array(this.nodeCount);
    for (const { parents, children, dropP, dropQ, shareRe, shareIm } of branches) {
      const k = children.length;
      children.forEach((child, j) => {
        let p = 0;
        let q = 0;
        for (let i = 0; i < k; i++) {
          p = Math.max(p, Math.abs(dropP[i * k + j]!));
          q = Math.max(q, Math.abs(dropQ[i * k + j]!));
        }
        p *= further;
        q *= further;
        parents.forEach((parent, i) => {
          const re = Math.abs(shareRe[i * k + j]!);
          const im = Math.abs(shareIm[i * k + j]!);
          p += re * perW[parent]! + im * perVar[parent]!;
          q += re * perVar[parent]! + im * perW[parent]!;
        });
        perW[child] = p;
        perVar[child] = q;
      });
    }
    for (let root = 0; root < network.rootCount; root++) perW[root] = perVar[root] = 0;
    return Float64Array.from(this.ports, ({ nodes, shareRe, shareIm }) =>
      nodes.reduce(
        (sum, node, j) => sum + Math.abs(shareRe[j]!) * perW[node]! + Math.abs(shareIm[j]!) * perVar[node]!,
        0,
      ),
    );
  }

  /** Draws more at a node: `re + j im` times the lanes of a port's power. */
  private draw(slot: number, re: number, im: number, power: Float64Array, port: number): void {
    const { flowW, flowVar, lanes } = this;
    const at = slot * lanes;
    const first = port * lanes;
    for (let t = 0; t < lanes; t++) flowW[at + t]! += re * power[first + t]!;
    if (im !== 0) for (let t = 0; t < lanes; t++) flowVar[at + t]! += im * power[first + t]!;
  }

  private clearLeading(): void {
    const { lanes, flowW, flowVar, parentCount, childCount, placeAt, places } = this;
    flowW.fill(0, 0, this.network.rootCount * lanes);
    flowVar.fill(0, 0, this.network.rootCount * lanes);
    for (const b of this.leading) {
      const place = placeAt[b]! + parentCount[b]!;
      for (let i = 0; i < childCount[b]!; i++) {
        const to = places[place + i]!;
        flowW.fill(0, to, to + lanes);
        flowVar.fill(0, to, to + lanes);
      }
    }
  }

  /** Where the ports meet the branches that lead to wanted nodes. */
  private met(): Entries {
    if (this.entries) return this.entries;
    this.leading = this.all.filter((b) => this.leads[b] === 1);
    const first = new Int32Array(this.ports.length + 1);
    const found: { readonly node: number; readonly re: number; readonly im: number }[] = [];
    const re = new Float64Array(this.nodeCount);
    const im = new Float64Array(this.nodeCount);
    const isWaiting = new Uint8Array(this.nodeCount);
    const waiting: number[] = [];
    const add = (node: number, real: number, imaginary: number) => {
      re[node]! += real;
      im[node]! += imaginary;
      if (isWaiting[node] === 0) waiting.push(node);
      isWaiting[node] = 1;
    };
    this.ports.forEach(({ nodes, shareRe, shareIm }, k) => {
      nodes.forEach((node, j) => {
        add(node, shareRe[j]!, shareIm[j]!);
      });
      for (let w = 0; w < waiting.length; w++) {
        const node = waiting[w]!;
        const [real, imaginary] = [re[node]!, im[node]!];
        re[node] = im[node] = 0;
        isWaiting[node] = 0;
        const b = this.feeding[node]!;
        if (b < 0) continue;
        if (this.leads[b] === 1) {
          found.push({ node, re: real, im: imaginary });
          continue;
        }
        const { parents, children, shareRe: passRe, shareIm: passIm } = this.branches[b]!;
        const column = children.indexOf(node);
        parents.forEach((parent, i) => {
          const [pr, pi] = [passRe[i * children.length + column]!, passIm[i * children.length + column]!];
          if (pr !== 0 || pi !== 0) add(parent, pr * real - pi * imaginary, pr * imaginary + pi * real);
        });
      }
      waiting.length = 0;
      first[k + 1] = found.length;
    });
    this.entries = {
      first,
      node: Int32Array.from(found, ({ node }) => node),
      re: Float64Array.from(found, (entry) => entry.re),
      im: Float64Array.from(found, (entry) => entry.im),
    };
    return this.entries;
  }

  /** Sets voltages along the branches from the flows into their children. */
  private lower(list: Int32Array, change: Float64Array): void {
    const { lanes, parentCount, childCount, placeAt, places, coefficientAt, coefficients, carries, carriesVar } = this;
    const { flowW, flowVar } = this;
    change.fill(0, 0, this.network.rootCount * lanes);
    for (let l = 0; l < list.length; l++) {
      const b = list[l]!;
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

  /** Passes weights up the branches that lead. */
  private raise(weight: Float64Array): void {
    const { lanes, leading, parentCount, childCount, placeAt, places, coefficientAt, coefficients } = this;
    for (let l = leading.length - 1; l >= 0; l--) {
      const b = leading[l]!;
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
  }

  /** The gradient by what is drawn at the nodes of branches that lead, in place of flows. */
  private descend(weight: Float64Array): void {
    const { lanes, leading, parentCount, childCount, placeAt, places, coefficientAt, coefficients } = this;
    const { flowW, flowVar, carries, carriesVar } = this;
    flowW.fill(0, 0, this.network.rootCount * lanes);
    flowVar.fill(0, 0, this.network.rootCount * lanes);
    for (let l = 0; l < leading.length; l++) {
      const b = leading[l]!;
      if (carries[b] === 0) continue;
      const m = parentCount[b]!;
      const k = childCount[b]!;
      const place = placeAt[b]!;
      const at = coefficientAt[b]!;
      const dropAt = at + 3 * m * k;
      for (let j = 0; j < k; j++) {
        const to = places[place + m + j]!;
        for (let i = 0; i < k; i++) {
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

  /** Gathers flows up the branches. */
  private gather(list: Int32Array): void {
    const { lanes, parentCount, childCount, placeAt, places, coefficientAt, coefficients, carries, carriesVar } = this;
    const { flowW, flowVar } = this;
    for (let l = list.length - 1; l >= 0; l--) {
      const b = list[l]!;
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
