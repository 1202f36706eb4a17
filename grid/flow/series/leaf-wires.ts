/*
 * The wires of a feeder that hang on one transformer: the legs of service transformers' secondaries.
 *
 * Steps: nodes that conductors of lines, switches and reactors join are one wire; a wire at which one transformer alone
 * stands, and no source, is a leaf.
 * Cost: linear in the elements, once.
 */
import type { CompiledFeeder } from '../../model/index.js';

/** Leaf wires of a compiled feeder. */
export interface LeafWires {
  readonly count: number;
  /** Leaf of each network node, -1 for nodes outside. */
  readonly leafOf: Int32Array;
  /** Nodes of each leaf's transformer at its other wires that are no leaves. */
  readonly feeding: readonly Int32Array[];
}

/** Finds the leaf wires. */
export function leafWires({ nodeCount, elements }: Pick<CompiledFeeder, 'nodeCount' | 'elements'>): LeafWires {
  const link = Int32Array.from({ length: nodeCount }, (_, node) => node);
  const root = (start: number): number => {
    let node = start;
    while (link[node] !== node) {
      link[node] = link[link[node]!]!;
      node = link[node]!;
    }
    return node;
  };
  for (const { kind, nodes } of elements) {
    if (kind !== 'line' && kind !== 'switch' && kind !== 'reactor') continue;
    const half = nodes.length / 2;
    for (let i = 0; i < half; i++) {
      if (nodes[i]! >= 0 && nodes[half + i]! >= 0) link[root(nodes[i]!)] = root(nodes[half + i]!);
    }
  }
  const hasSource = new Uint8Array(nodeCount);
  /** Transformers at each wire, and one of them. */
  const ties = new Int32Array(nodeCount);
  const tie = new Int32Array(nodeCount).fill(-1);
  elements.forEach(({ kind, nodes }, e) => {
    if (kind !== 'transformer' && kind !== 'source') return;
    for (const node of nodes) {
      if (node < 0) continue;
      const wire = root(node);
      if (kind === 'source') hasSource[wire] = 1;
      else if (tie[wire] !== e) {
        ties[wire] = ties[wire]! + 1;
        tie[wire] = e;
      }
    }
  });
  const isLeaf = (wire: number) => ties[wire] === 1 && hasSource[wire] === 0;
  const leaf = new Int32Array(nodeCount).fill(-1);
  const feeding: Int32Array[] = [];
  for (let wire = 0; wire < nodeCount; wire++) {
    if (root(wire) !== wire || !isLeaf(wire)) continue;
    const others = elements[tie[wire]!]!.nodes.filter((node) => node >= 0 && !isLeaf(root(node)));
    if (others.length === 0) continue;
    leaf[wire] = feeding.length;
    feeding.push(others);
  }
  return { count: feeding.length, leafOf: link.map((_, node) => leaf[root(node)]!), feeding };
}
