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
  const islands = new Islands(nodeCount);
  const grounded: number[] = [];
  const tie = (bus: number, nodes: readonly number[]) => {
    let first = -1;
    let isEarthed = false;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (node === 0) isEarthed = true;
      else if (first < 0) first = places.nodeAt(bus, node);
      else islands.join(first, places.nodeAt(bus, node));
    }
    if (isEarthed && first >= 0) grounded.push(first);
  };
  const { branchNode, branchStart, isOpenable, windingBus } = places;
  for (let k = 0; k < isOpenable.length; k++) {
    const first = branchStart[k]!;
    const n = (branchStart[k + 1]! - first) / 2;
    for (let i = 0; i < n; i++) {
      if (isOpenable[k] === 1 && isOpenAt(feeder, k, i)) continue;
      const near = branchNode[first + i]!;
      const far = branchNode[first + n + i]!;
      if (near >= 0 && far >= 0) islands.join(near, far);
      else if (near >= 0 || far >= 0) grounded.push(Math.max(near, far));
    }
  }
  for (let t = 0, at = 0; t < transformers.length; t++) {
    const { windings, construction } = transformers[t]!;
    const [series, common] = windings;
    if (construction === 'auto' && series && common) {
      islands.join(
        places.nodeAt(windingBus[at]!, series.terminal.nodes[0]!),
        places.nodeAt(windingBus[at + 1]!, common.terminal.nodes[0]!),
      );
    }
    for (let w = 0; w < windings.length; w++, at++) {
      const { terminal, groundOhm } = windings[w]!;
      tie(windingBus[at]!, terminal.nodes);
      if (groundOhm && groundOhm.r >= 0 && terminal.nodes[0]) {
        grounded.push(places.nodeAt(windingBus[at]!, terminal.nodes[0]));
      }
    }
  }
  for (const { terminal, returnTerminal } of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
    for (const { bus, nodes } of returnTerminal ? [terminal, returnTerminal] : [terminal]) {
      for (const node of nodes) if (node !== 0) grounded.push(places.nodeAt(places.busAt(bus), node));
    }
  }
  for (const { terminal } of feeder.inductionMachines ?? []) tie(places.busAt(terminal.bus), terminal.nodes);
  let device = 0;
  for (const list of [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (let k = 0; k < list.length; k++) {
      const { shares } = list[k]!;
      const bus = places.deviceBus[device++]!;
      for (let t = 0; t < shares.length; t++) {
        const { node, otherNode } = shares[t]!;
        if (node !== 0 && otherNode !== 0) islands.join(places.nodeAt(bus, node), places.nodeAt(bus, otherNode));
        else if (node !== 0 || otherNode !== 0) grounded.push(places.nodeAt(bus, Math.max(node, otherNode)));
      }
    }
  }

  const isGrounded = new Uint8Array(nodeCount);
  for (let g = 0; g < grounded.length; g++) isGrounded[islands.root(grounded[g]!)] = 1;
  /** Charging of the lines and antifloat of the windings of each island, S. */
  const antifloat = new Float64Array(nodeCount);
  /** The island of each winding that nothing ties to ground, else -1. */
  const islandOf = new Int32Array(windingBus.length).fill(-1);
  let isAnyFloating = false;
  for (let t = 0, at = 0; t < transformers.length; t++) {
    const transformer = transformers[t]!;
    for (let w = 0; w < transformer.windings.length; w++, at++) {
      const node = transformer.windings[w]!.terminal.nodes.find((number) => number !== 0);
      if (node === undefined) continue;
      const island = islands.root(places.nodeAt(windingBus[at]!, node));
      if (isGrounded[island] === 1) continue;
      isAnyFloating = true;
      islandOf[at] = island;
      antifloat[island] = antifloat[island]! + 2 * transformer.phases * windingAntifloat(transformer, w);
    }
  }
  const harmed = new Set<string>();
  if (!isAnyFloating) return harmed;
  const charging = new Float64Array(nodeCount);
  for (let k = 0; k < feeder.lines.length; k++) {
    const node = branchNode[branchStart[k]!]!;
    if (node < 0) continue;
    const { shuntSiemens } = feeder.lines[k]!;
    let sum = 0;
    for (let t = 0; t < shuntSiemens.im.length; t++) sum += shuntSiemens.im[t]!;
    const island = islands.root(node);
    charging[island] = charging[island]! + sum;
  }
  for (let t = 0, at = 0; t < transformers.length; t++) {
    const { id, windings, antifloat: given } = transformers[t]!;
    for (let w = 0; w < windings.length; w++, at++) {
      const island = islandOf[at]!;
      if (given !== undefined || island < 0) continue;
      if (charging[island]! > 0 && charging[island]! < antifloat[island]!) harmed.add(id);
    }
  }
  return harmed;
}

/** Whether a conductor of a line or switch is open at either end, by the branch's place among lines, switches, reactors. */
function isOpenAt({ lines, switches }: Feeder, branch: number, conductor: number): boolean {
  const line = lines[branch];
  if (line) return (line.isOpen?.from[conductor] || line.isOpen?.to[conductor]) ?? false;
  return switches[branch - lines.length]?.isOpen[conductor] ?? false;
}
