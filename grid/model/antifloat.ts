/*
 * Where the shunt that keeps ungrounded islands from floating would do harm.
 *
 * A winding's antifloat shunt (a millionth of its rating, inductive) is a numerical device for galvanic islands without
 * any tie to ground. An island whose lines have charging is tied already. Where that charging is the smaller of the two,
 * the sum turns inductive and the island's neutral is placed by a number nobody measured, near resonance even without
 * bound; there the shunt is left out. Where charging is larger the shunt only shades it, as in OpenDSS, and stays.
 * Steps: join nodes over lines, closed switches, windings and delta capacitors; mark islands with a grounded conductor,
 * a source or a device to ground; compare the sums in the others. Linear in the number of conductors.
 */
import type { Transformer, Winding } from './element.js';
import type { Feeder } from './feeder.js';
import { windingAntifloat } from './transformer-primitive.js';

/** Disjoint sets of nodes. */
class Islands {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new Islands(1);

  private readonly parent: Int32Array;

  constructor(count: number) {
    this.parent = new Int32Array(count);
    for (let i = 0; i < count; i++) this.parent[i] = i;
  }

  root(start: number): number {
    const { parent } = this;
    let top = start;
    while (parent[top] !== top) top = parent[top]!;
    // Every node on the way points to the top from now on, so that long feeders do not become long chains.
    for (let at = start; at !== top; ) {
      const up = parent[at]!;
      parent[at] = top;
      at = up;
    }
    return top;
  }

  join(a: number, b: number): void {
    const first = this.root(a);
    const second = this.root(b);
    if (first !== second) this.parent[first] = second;
  }
}

/**
 * Ids of the transformers, among those that leave the antifloat shunt to the program, that must do without it.
 *
 * @param transformers - the transformers as placed
 * @param nodeCount - nodes in all
 * @param nodeIndex - index of a node that some conductor ends at
 */
export function withoutAntifloat(
  feeder: Feeder,
  transformers: readonly Transformer[],
  nodeCount: number,
  nodeIndex: (bus: string, node: number) => number,
): ReadonlySet<string> {
  const isOpenWinding = ({ terminal, groundOhm }: Winding) =>
    !terminal.nodes.includes(0) && !(groundOhm && groundOhm.r >= 0);
  if (!transformers.some((t) => t.antifloat === undefined && t.windings.some(isOpenWinding))) return new Set();
  const islands = new Islands(nodeCount);
  const grounded: number[] = [];
  const tie = (bus: string, nodes: readonly number[]) => {
    let first = -1;
    let isEarthed = false;
    for (const node of nodes) {
      if (node === 0) isEarthed = true;
      else if (first < 0) first = nodeIndex(bus, node);
      else islands.join(first, nodeIndex(bus, node));
    }
    if (isEarthed && first >= 0) grounded.push(first);
  };
  for (const list of [feeder.lines, feeder.switches, feeder.reactors]) {
    for (const branch of list) {
      const { from, to } = branch;
      for (let i = 0; i < from.nodes.length; i++) {
        if (branch.kind === 'switch' && branch.isOpen[i]) continue;
        if (branch.kind === 'line' && (branch.isOpen?.from[i] || branch.isOpen?.to[i])) continue;
        const near = from.nodes[i]!;
        const far = to.nodes[i]!;
        if (near === 0 && far !== 0) grounded.push(nodeIndex(to.bus, far));
        else if (far === 0 && near !== 0) grounded.push(nodeIndex(from.bus, near));
        else if (near !== 0) islands.join(nodeIndex(from.bus, near), nodeIndex(to.bus, far));
      }
    }
  }
  for (const { windings, construction } of transformers) {
    for (const { terminal, groundOhm } of windings) {
      tie(terminal.bus, terminal.nodes);
      if (groundOhm && groundOhm.r >= 0 && terminal.nodes[0]) grounded.push(nodeIndex(terminal.bus, terminal.nodes[0]));
    }
    const [series, common] = windings;
    if (construction === 'auto' && series && common) {
      islands.join(
        nodeIndex(series.terminal.bus, series.terminal.nodes[0]!),
        nodeIndex(common.terminal.bus, common.terminal.nodes[0]!),
      );
    }
  }
  for (const { terminal, returnTerminal } of feeder.sources) {
    for (const { bus, nodes } of returnTerminal ? [terminal, returnTerminal] : [terminal]) {
      for (const node of nodes) if (node !== 0) grounded.push(nodeIndex(bus, node));
    }
  }
  for (const list of [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (const { terminal, shares } of list) {
      for (const { node, otherNode } of shares) {
        if (node !== 0 && otherNode !== 0)
          islands.join(nodeIndex(terminal.bus, node), nodeIndex(terminal.bus, otherNode));
        else if (node !== 0 || otherNode !== 0) grounded.push(nodeIndex(terminal.bus, Math.max(node, otherNode)));
      }
    }
  }

  const isGrounded = new Set<number>();
  for (const node of grounded) isGrounded.add(islands.root(node));
  const charging = new Map<number, number>();
  for (const { from, shuntSiemens } of feeder.lines) {
    const node = from.nodes[0];
    if (!node) continue;
    const sum = shuntSiemens.im.reduce((total, b) => total + b, 0);
    const island = islands.root(nodeIndex(from.bus, node));
    charging.set(island, (charging.get(island) ?? 0) + sum);
  }
  const antifloat = new Map<number, number>();
  const islandsOf = (transformer: Transformer) =>
    transformer.windings.flatMap(({ terminal }, w) => {
      const node = terminal.nodes.find((n) => n !== 0);
      const island = node === undefined ? undefined : islands.root(nodeIndex(terminal.bus, node));
      return island === undefined || isGrounded.has(island) ? [] : [{ island, w }];
    });
  for (const transformer of transformers) {
    for (const { island, w } of islandsOf(transformer)) {
      antifloat.set(island, (antifloat.get(island) ?? 0) + 2 * transformer.phases * windingAntifloat(transformer, w));
    }
  }
  const isHarmed = (island: number) => {
    const real = charging.get(island) ?? 0;
    return real > 0 && real < (antifloat.get(island) ?? 0);
  };
  return new Set(
    transformers
      .filter((t) => t.antifloat === undefined && islandsOf(t).some(({ island }) => isHarmed(island)))
      .map((t) => t.id),
  );
}
