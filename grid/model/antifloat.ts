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
  static readonly kept = new Islands();

  private readonly parent: number[] = [];
  private readonly numbers = new Map<string, number[]>();

  /** Number of a node of a bus. */
  node(bus: string, node: number): number {
    let numbers = this.numbers.get(bus);
    if (!numbers) {
      numbers = [];
      this.numbers.set(bus, numbers);
    }
    let number = numbers[node];
    if (number === undefined) {
      number = this.parent.length;
      numbers[node] = number;
      this.parent.push(number);
    }
    return number;
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
 */
export function withoutAntifloat(feeder: Feeder, transformers: readonly Transformer[]): ReadonlySet<string> {
  const isOpenWinding = ({ terminal, groundOhm }: Winding) =>
    !terminal.nodes.includes(0) && !(groundOhm && groundOhm.r >= 0);
  if (!transformers.some((t) => t.antifloat === undefined && t.windings.some(isOpenWinding))) return new Set();
  const islands = new Islands();
  const grounded: number[] = [];
  const key = (bus: string, node: number) => islands.node(bus, node);
  const tie = (bus: string, nodes: readonly number[]) => {
    const live = nodes.filter((node) => node !== 0);
    for (const node of live.slice(1)) islands.join(key(bus, live[0]!), key(bus, node));
    if (live.length < nodes.length && live[0] !== undefined) grounded.push(key(bus, live[0]));
  };
  for (const branch of [...feeder.lines, ...feeder.switches, ...feeder.reactors]) {
    branch.from.nodes.forEach((node, i) => {
      if (branch.kind === 'switch' && branch.isOpen[i]) return;
      if (branch.kind === 'line' && (branch.isOpen?.from[i] || branch.isOpen?.to[i])) return;
      const far = branch.to.nodes[i]!;
      if (node === 0 && far !== 0) grounded.push(key(branch.to.bus, far));
      else if (far === 0 && node !== 0) grounded.push(key(branch.from.bus, node));
      else if (node !== 0) islands.join(key(branch.from.bus, node), key(branch.to.bus, far));
    });
  }
  for (const { windings, construction } of transformers) {
    for (const { terminal, groundOhm } of windings) {
      tie(terminal.bus, terminal.nodes);
      if (groundOhm && groundOhm.r >= 0 && terminal.nodes[0]) grounded.push(key(terminal.bus, terminal.nodes[0]));
    }
    const [series, common] = windings;
    if (construction === 'auto' && series && common) {
      islands.join(
        key(series.terminal.bus, series.terminal.nodes[0]!),
        key(common.terminal.bus, common.terminal.nodes[0]!),
      );
    }
  }
  for (const { terminal, returnTerminal } of feeder.sources) {
    for (const { bus, nodes } of returnTerminal ? [terminal, returnTerminal] : [terminal]) {
      for (const node of nodes) if (node !== 0) grounded.push(key(bus, node));
    }
  }
  for (const device of [
    ...feeder.capacitors,
    ...feeder.loads,
    ...feeder.pvSystems,
    ...feeder.batteries,
    ...feeder.machines,
  ]) {
    for (const { node, otherNode } of device.shares) tie(device.terminal.bus, [node, otherNode]);
  }

  const isGrounded = new Set(grounded.map((node) => islands.root(node)));
  const charging = new Map<number, number>();
  for (const { from, shuntSiemens } of feeder.lines) {
    const node = from.nodes[0];
    if (!node) continue;
    const sum = shuntSiemens.im.reduce((total, b) => total + b, 0);
    const island = islands.root(key(from.bus, node));
    charging.set(island, (charging.get(island) ?? 0) + sum);
  }
  const antifloat = new Map<number, number>();
  const islandsOf = (transformer: Transformer) =>
    transformer.windings.flatMap(({ terminal }, w) => {
      const node = terminal.nodes.find((n) => n !== 0);
      const island = node === undefined ? undefined : islands.root(key(terminal.bus, node));
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
