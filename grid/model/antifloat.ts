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
import type { NodePlaces } from './node-places.js';
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
    // The lower one stays: feeders are mostly numbered from the source on, so that the ways up are short.
    if (first < second) this.parent[second] = first;
    else if (first > second) this.parent[first] = second;
  }
}

/**
 * Ids of the transformers, among those that leave the antifloat shunt to the program, that must do without it.
 *
 * @param transformers - the transformers as placed
 * @param nodeCount - nodes in all
 * @param places - the nodes of the feeder
 */
export function withoutAntifloat(
  feeder: Feeder,
  transformers: readonly Transformer[],
  nodeCount: number,
  places: NodePlaces,
): ReadonlySet<string> {
  const isOpenWinding = ({ terminal, groundOhm }: Winding) =>
    !terminal.nodes.includes(0) && !(groundOhm && groundOhm.r >= 0);
  if (!transformers.some((t) => t.antifloat === undefined && t.windings.some(isOpenWinding))) return new Set();
  const nodeIndex = (bus: string, node: number) => places.nodeAt(places.busAt(bus), node);
  const islands = new Islands(nodeCount);
  const grounded: number[] = [];
  const tie = (name: string, nodes: readonly number[]) => {
    const bus = places.busAt(name);
    let first = -1;
    let isEarthed = false;
    for (const node of nodes) {
      if (node === 0) isEarthed = true;
      else if (first < 0) first = places.nodeAt(bus, node);
      else islands.join(first, places.nodeAt(bus, node));
    }
    if (isEarthed && first >= 0) grounded.push(first);
  };
  let end = 0;
  for (const list of [feeder.lines, feeder.switches, feeder.reactors]) {
    for (const branch of list) {
      const { from, to } = branch;
      const fromBus = places.branchBus[end++]!;
      const toBus = places.branchBus[end++]!;
      for (let i = 0; i < from.nodes.length; i++) {
        if (branch.kind === 'switch' && branch.isOpen[i]) continue;
        if (branch.kind === 'line' && (branch.isOpen?.from[i] || branch.isOpen?.to[i])) continue;
        const near = from.nodes[i]!;
        const far = to.nodes[i]!;
        if (near === 0 && far !== 0) grounded.push(places.nodeAt(toBus, far));
        else if (far === 0 && near !== 0) grounded.push(places.nodeAt(fromBus, near));
        else if (near !== 0) islands.join(places.nodeAt(fromBus, near), places.nodeAt(toBus, far));
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
  for (const { terminal, returnTerminal } of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
    for (const { bus, nodes } of returnTerminal ? [terminal, returnTerminal] : [terminal]) {
      for (const node of nodes) if (node !== 0) grounded.push(nodeIndex(bus, node));
    }
  }
  for (const { terminal } of feeder.inductionMachines ?? []) tie(terminal.bus, terminal.nodes);
  for (const list of [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (const { terminal, shares } of list) {
      const bus = places.busAt(terminal.bus);
      for (const { node, otherNode } of shares) {
        if (node !== 0 && otherNode !== 0) islands.join(places.nodeAt(bus, node), places.nodeAt(bus, otherNode));
        else if (node !== 0 || otherNode !== 0) grounded.push(places.nodeAt(bus, Math.max(node, otherNode)));
      }
    }
  }

  const isGrounded = new Uint8Array(nodeCount);
  for (const node of grounded) isGrounded[islands.root(node)] = 1;
  /** Charging of the lines and antifloat of the windings of each island, S. */
  const charging = new Float64Array(nodeCount);
  const antifloat = new Float64Array(nodeCount);
  for (let k = 0; k < feeder.lines.length; k++) {
    const { from, shuntSiemens } = feeder.lines[k]!;
    const node = from.nodes[0];
    if (!node) continue;
    let sum = 0;
    for (let t = 0; t < shuntSiemens.im.length; t++) sum += shuntSiemens.im[t]!;
    const island = islands.root(places.nodeAt(places.branchBus[2 * k]!, node));
    charging[island] = charging[island]! + sum;
  }
  /** The island of a winding that nothing ties to ground, else -1. */
  const islandOf = ({ terminal: { bus, nodes } }: Winding): number => {
    for (let i = 0; i < nodes.length; i++) {
      if (nodes[i] === 0) continue;
      const island = islands.root(nodeIndex(bus, nodes[i]!));
      return isGrounded[island] ? -1 : island;
    }
    return -1;
  };
  for (const transformer of transformers) {
    for (let w = 0; w < transformer.windings.length; w++) {
      const island = islandOf(transformer.windings[w]!);
      if (island < 0) continue;
      antifloat[island] = antifloat[island]! + 2 * transformer.phases * windingAntifloat(transformer, w);
    }
  }
  const isHarmed = (winding: Winding) => {
    const island = islandOf(winding);
    return island >= 0 && charging[island]! > 0 && charging[island]! < antifloat[island]!;
  };
  return new Set(transformers.filter((t) => t.antifloat === undefined && t.windings.some(isHarmed)).map((t) => t.id));
}
