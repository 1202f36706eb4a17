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
import type { Transformer } from './element.js';
import type { Feeder } from './feeder.js';
import { lowestOf, type NodePlaces, WINDING } from './node-places.js';
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
  const { branchNode, branchStart, isOpenable, windingBus, windingStart, windingNodes, windingTraits } = places;
  let isAnyOpen = false;
  for (let t = 0; t < transformers.length && !isAnyOpen; t++) {
    for (let at = windingStart[t]!; at < windingStart[t + 1]!; at++) {
      const isOpen = (windingTraits[at]! & (WINDING.earthed | WINDING.tied)) === 0;
      if (isOpen && transformers[t]!.antifloat === undefined) isAnyOpen = true;
    }
  }
  if (!isAnyOpen) return new Set();
  const islands = new Islands(nodeCount);
  const earthed = new Uint8Array(nodeCount);
  const tie = (bus: number, nodes: readonly number[]) => {
    let first = -1;
    let isEarthed = false;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (node === 0) isEarthed = true;
      else if (first < 0) first = places.nodeAt(bus, node);
      else islands.join(first, places.nodeAt(bus, node));
    }
    if (isEarthed && first >= 0) earthed[first] = 1;
  };
  for (let k = 0; k < isOpenable.length; k++) {
    const first = branchStart[k]!;
    const n = (branchStart[k + 1]! - first) / 2;
    for (let i = 0; i < n; i++) {
      if (isOpenable[k] === 1 && isOpenAt(feeder, k, i)) continue;
      const near = branchNode[first + i]!;
      const far = branchNode[first + n + i]!;
      if (near >= 0 && far >= 0) islands.join(near, far);
      else if (near >= 0 || far >= 0) earthed[Math.max(near, far)] = 1;
    }
  }
  for (let t = 0; t < transformers.length; t++) {
    const start = windingStart[t]!;
    for (let at = start; at < windingStart[t + 1]!; at++) {
      const traits = windingTraits[at]!;
      const bus = windingBus[at]!;
      if ((traits & (WINDING.wide | WINDING.series)) !== 0) {
        const { windings } = transformers[t]!;
        const { terminal, groundOhm } = windings[at - start]!;
        tie(bus, terminal.nodes);
        if (groundOhm && groundOhm.r >= 0 && terminal.nodes[0]) earthed[places.nodeAt(bus, terminal.nodes[0])] = 1;
        const common = windings[1];
        if ((traits & WINDING.series) !== 0 && common) {
          islands.join(
            places.nodeAt(bus, terminal.nodes[0]!),
            places.nodeAt(windingBus[at + 1]!, common.terminal.nodes[0]!),
          );
        }
        continue;
      }
      const bits = windingNodes[at]!;
      if (bits === 0) continue;
      const first = places.nodeAt(bus, lowestOf(bits));
      for (let left = bits & (bits - 1); left !== 0; left &= left - 1) {
        islands.join(first, places.nodeAt(bus, lowestOf(left)));
      }
      if ((traits & (WINDING.earthed | WINDING.tied)) !== 0) earthed[first] = 1;
    }
  }
  for (const { terminal, returnTerminal } of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
    for (const { bus, nodes } of returnTerminal ? [terminal, returnTerminal] : [terminal]) {
      for (const node of nodes) if (node !== 0) earthed[places.nodeAt(places.busAt(bus), node)] = 1;
    }
  }
  for (const { terminal } of feeder.inductionMachines ?? []) tie(places.busAt(terminal.bus), terminal.nodes);
  const { deviceBus, shareStart, shareNode } = places;
  for (let device = 0; device < deviceBus.length; device++) {
    const bus = deviceBus[device]!;
    for (let k = shareStart[device]!; k < shareStart[device + 1]!; k++) {
      const node = shareNode[2 * k]!;
      const otherNode = shareNode[2 * k + 1]!;
      if (node !== 0 && otherNode !== 0) islands.join(places.nodeAt(bus, node), places.nodeAt(bus, otherNode));
      else if (node !== 0 || otherNode !== 0) earthed[places.nodeAt(bus, Math.max(node, otherNode))] = 1;
    }
  }

  const isGrounded = new Uint8Array(nodeCount);
  for (let i = 0; i < nodeCount; i++) if (earthed[i] === 1) isGrounded[islands.root(i)] = 1;
  /** Charging of the lines and antifloat of the windings of each island, S. */
  const antifloat = new Float64Array(nodeCount);
  /** The island of each winding that nothing ties to ground, else -1. */
  const islandOf = new Int32Array(windingBus.length).fill(-1);
  let isAnyFloating = false;
  for (let t = 0; t < transformers.length; t++) {
    const start = windingStart[t]!;
    for (let at = start; at < windingStart[t + 1]!; at++) {
      let number: number | undefined;
      if (windingNodes[at] !== 0) number = lowestOf(windingNodes[at]!);
      else if ((windingTraits[at]! & WINDING.wide) !== 0) {
        number = transformers[t]!.windings[at - start]!.terminal.nodes.find((node) => node !== 0);
      }
      if (number === undefined) continue;
      const island = islands.root(places.nodeAt(windingBus[at]!, number));
      if (isGrounded[island] === 1) continue;
      isAnyFloating = true;
      islandOf[at] = island;
      const transformer = transformers[t]!;
      antifloat[island] = antifloat[island]! + 2 * transformer.phases * windingAntifloat(transformer, at - start);
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
  for (let t = 0; t < transformers.length; t++) {
    for (let at = windingStart[t]!; at < windingStart[t + 1]!; at++) {
      const island = islandOf[at]!;
      if (island < 0 || transformers[t]!.antifloat !== undefined) continue;
      if (charging[island]! > 0 && charging[island]! < antifloat[island]!) harmed.add(transformers[t]!.id);
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
