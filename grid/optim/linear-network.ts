/*
 * The linear model of a radial network: squared voltages as an affine function of power drawn at nodes.
 *
 * Solved: for each branch with parent nodes p and child nodes c (all quantities of a branch are small vectors)
 *           S_p += share * S_c                (power is passed up without loss; share is complex)
 *           v_c  = gain * v_p - dropP * P_c - dropQ * Q_c
 *         with v = |V|^2 in pu of each node's own base and S = P + jQ the power flowing into a child node.
 * Steps: one pass from the leaves gathers flows, one pass from the root sets voltages. The adjoint runs both backwards.
 * Cost: O(branches), no allocation when buffers are given.
 * Fails: never; what the linearisation misses is put right by a voltage correction (see VoltageCorrection in problem.ts).
 * Sources: Baran and Wu (1989), IEEE Trans. Power Delivery 4(1-2); Gan and Low (2014), PSCC, section IV, for unbalanced
 *          phases with the ratio of phase voltages fixed.
 */

/** One conductor position of one bus, or an inner point of a transformer (bus is then empty). */
export interface LinearNode {
  readonly bus: string;
  readonly node: number;
  /** Line-to-neutral base, V. */
  readonly baseV: number;
  /** Nominal angle, rad; only differences inside one bus matter. */
  readonly angleRad: number;
}

/** A branch (a line, a switch, a transformer coil or bank) seen from the source. Matrices are row-major. */
export interface LinearBranch {
  readonly elementId: string;
  readonly parents: Int32Array;
  readonly children: Int32Array;
  /** children by parents. */
  readonly gain: Float64Array;
  /** children by children, pu squared per W and per var. */
  readonly dropP: Float64Array;
  readonly dropQ: Float64Array;
  /** parents by children: the complex share of a child's power that each parent node carries. */
  readonly shareRe: Float64Array;
  readonly shareIm: Float64Array;
}

/** A radial network ready for evaluation. Nodes of the source come first. */
export interface LinearNetwork {
  readonly nodes: readonly LinearNode[];
  readonly rootCount: number;
  /** Squared voltage of the root nodes, pu. */
  readonly rootVoltageSquaredPu: Float64Array;
  /** In breadth-first order: the branch that feeds a node comes before those it feeds. */
  readonly branches: readonly LinearBranch[];
  /** Power drawn by shunts (capacitors negative, charging, no-load loss) at nominal voltage, W and var by node. */
  readonly shuntW: Float64Array;
  readonly shuntVar: Float64Array;
}

/** Buffers of one evaluation. */
export interface LinearState {
  /** Squared voltage by node, pu. */
  readonly voltageSquaredPu: Float64Array;
  /** Power flowing into each node from above, W and var; at roots, what the source delivers. */
  readonly flowW: Float64Array;
  readonly flowVar: Float64Array;
}

/** Fresh buffers for a network. */
export function linearState(network: LinearNetwork): LinearState {
  const n = network.nodes.length;
  return { voltageSquaredPu: new Float64Array(n), flowW: new Float64Array(n), flowVar: new Float64Array(n) };
}

/**
 * Gathers flows from drawn power: `state.flow*` hold drawn power by node on entry and flows into nodes on return.
 */
export function gatherFlows(network: LinearNetwork, state: LinearState): void {
  const { flowW, flowVar } = state;
  for (let b = network.branches.length - 1; b >= 0; b--) {
    const { parents, children, shareRe, shareIm } = network.branches[b]!;
    const k = children.length;
    for (let i = 0; i < parents.length; i++) {
      let p = 0;
      let q = 0;
      for (let j = 0; j < k; j++) {
        const re = shareRe[i * k + j]!;
        const im = shareIm[i * k + j]!;
        const pj = flowW[children[j]!]!;
        const qj = flowVar[children[j]!]!;
        p += re * pj - im * qj;
        q += re * qj + im * pj;
      }
      flowW[parents[i]!]! += p;
      flowVar[parents[i]!]! += q;
    }
  }
}

/** Sets voltages from the root voltages and flows in `state`. */
export function spreadVoltages(
  network: LinearNetwork,
  rootVoltageSquaredPu: ArrayLike<number>,
  state: LinearState,
): void {
  const { voltageSquaredPu: v, flowW, flowVar } = state;
  for (let i = 0; i < network.rootCount; i++) v[i] = rootVoltageSquaredPu[i]!;
  for (const { parents, children, gain, dropP, dropQ } of network.branches) {
    const k = children.length;
    const m = parents.length;
    for (let i = 0; i < k; i++) {
      let sum = 0;
      for (let j = 0; j < m; j++) sum += gain[i * m + j]! * v[parents[j]!]!;
      for (let j = 0; j < k; j++) {
        sum -= dropP[i * k + j]! * flowW[children[j]!]! + dropQ[i * k + j]! * flowVar[children[j]!]!;
      }
      v[children[i]!] = sum;
    }
  }
}

/**
 * Flows and squared voltages for drawn power; shunts of the network are added.
 *
 * @param drawnW - active power drawn at each node, W (generation negative)
 * @param drawnVar - reactive power drawn at each node, var
 * @param rootVoltageSquaredPu - voltages of the root nodes; the network's own when absent
 */
export function evaluate(
  network: LinearNetwork,
  drawnW: ArrayLike<number>,
  drawnVar: ArrayLike<number>,
  state: LinearState = linearState(network),
  rootVoltageSquaredPu: ArrayLike<number> = network.rootVoltageSquaredPu,
): LinearState {
  for (let i = 0; i < network.nodes.length; i++) {
    state.flowW[i] = drawnW[i]! + network.shuntW[i]!;
    state.flowVar[i] = drawnVar[i]! + network.shuntVar[i]!;
  }
  gatherFlows(network, state);
  spreadVoltages(network, rootVoltageSquaredPu, state);
  return state;
}

/** Gradient of a weighted sum of squared voltages. */
export interface LinearGradient {
  /** By node: change of the sum per W and per var drawn there. */
  readonly perW: Float64Array;
  readonly perVar: Float64Array;
  /** By root node: change of the sum per pu squared of its voltage. */
  readonly perRootVoltage: Float64Array;
}

/**
 * Gradient of `sum_i weight_i * v_i` with respect to drawn power and root voltages.
 * Cost: O(branches).
 */
export function adjoint(network: LinearNetwork, weight: ArrayLike<number>): LinearGradient {
  const n = network.nodes.length;
  const lambda = Float64Array.from({ length: n }, (_, i) => weight[i]!);
  const perW = new Float64Array(n);
  const perVar = new Float64Array(n);
  for (let b = network.branches.length - 1; b >= 0; b--) {
    const { parents, children, gain } = network.branches[b]!;
    const m = parents.length;
    for (let i = 0; i < children.length; i++) {
      const l = lambda[children[i]!]!;
      if (l === 0) continue;
      for (let j = 0; j < m; j++) lambda[parents[j]!]! += gain[i * m + j]! * l;
    }
  }
  for (const { parents, children, dropP, dropQ, shareRe, shareIm } of network.branches) {
    const k = children.length;
    for (let j = 0; j < k; j++) {
      let gp = 0;
      let gq = 0;
      for (let i = 0; i < k; i++) {
        const l = lambda[children[i]!]!;
        gp -= dropP[i * k + j]! * l;
        gq -= dropQ[i * k + j]! * l;
      }
      for (let i = 0; i < parents.length; i++) {
        const re = shareRe[i * k + j]!;
        const im = shareIm[i * k + j]!;
        gp += re * perW[parents[i]!]! + im * perVar[parents[i]!]!;
        gq += re * perVar[parents[i]!]! - im * perW[parents[i]!]!;
      }
      perW[children[j]!] = gp;
      perVar[children[j]!] = gq;
    }
  }
  return { perW, perVar, perRootVoltage: lambda.slice(0, network.rootCount) };
}

/** A secondary network and the primary nodes its roots stand for. */
export interface Attachment {
  readonly network: LinearNetwork;
  readonly portNodes: readonly number[];
}

/** A joined network, and where the nodes of each attachment went: `nodeMaps[a][i]` is the joined index of its node i. */
export interface JoinedNetwork {
  readonly network: LinearNetwork;
  readonly nodeMaps: readonly Int32Array[];
}

/** Hangs secondaries below the ports of a primary: one network whose voltages and flows agree with the separate ones. */
export function joinNetworks(primary: LinearNetwork, attachments: readonly Attachment[]): JoinedNetwork {
  const nodes: LinearNode[] = [...primary.nodes];
  const branches: LinearBranch[] = [...primary.branches];
  const shuntW: number[] = Array.from(primary.shuntW);
  const shuntVar: number[] = Array.from(primary.shuntVar);
  const nodeMaps = attachments.map(({ network, portNodes }) => {
    const map = new Int32Array(network.nodes.length);
    network.nodes.forEach((node, i) => {
      if (i < network.rootCount) {
        map[i] = portNodes[i]!;
        shuntW[map[i]!]! += network.shuntW[i]!;
        shuntVar[map[i]!]! += network.shuntVar[i]!;
        return;
      }
      map[i] = nodes.length;
      nodes.push(node);
      shuntW.push(network.shuntW[i]!);
      shuntVar.push(network.shuntVar[i]!);
    });
    for (const branch of network.branches) {
      branches.push({
        ...branch,
        parents: branch.parents.map((i) => map[i]!),
        children: branch.children.map((i) => map[i]!),
      });
    }
    return map;
  });
  return {
    network: {
      nodes,
      branches,
      rootCount: primary.rootCount,
      rootVoltageSquaredPu: primary.rootVoltageSquaredPu,
      shuntW: Float64Array.from(shuntW),
      shuntVar: Float64Array.from(shuntVar),
    },
    nodeMaps,
  };
}

/** Index of nodes by bus and node number. */
export function nodeIndex(network: LinearNetwork): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  network.nodes.forEach((node, i) => {
    if (node.bus !== '') index.set(`${node.bus} ${node.node}`, i);
  });
  return index;
}
