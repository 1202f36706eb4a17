/*
 * The numbering of nodes: which numbers are in use at each bus, and the index of each, bus by bus in ascending order.
 *
 * Numbers below 32 are bits of one word a bus; the index of a node is that of its bus and the bits below its own. Higher
 * ones stand in lists. Every terminal's bus is looked up by name once; where it stands is kept.
 * Cost: linear in terminals.
 */
import type { Terminal } from './bus.js';
import type { Feeder } from './feeder.js';

/** Node numbers from here up stand in lists. */
const WIDE = 32;

/** Set bits of a word. */
function bits(word: number): number {
  let w = word - ((word >>> 1) & 0x55555555);
  w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Node numbers in use at each bus of a feeder. */
export class NodePlaces {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new NodePlaces([]);

  /** Position of each bus in the feeder's list. */
  private readonly position = new Map<string, number>();
  private readonly low: Int32Array;
  private readonly high = new Map<number, number[]>();
  /** Index of the first node of each bus, and the number of nodes. */
  private readonly start: Int32Array;
  /** Position of the bus at each end of lines, switches and reactors, in that order. */
  branchBus = new Int32Array(0);
  /** Whether every terminal ends at a bus, with node numbers that exist. */
  isSound = true;

  constructor(buses: readonly { readonly id: string }[]) {
    for (let b = 0; b < buses.length; b++) this.position.set(buses[b]!.id, b);
    this.low = new Int32Array(buses.length);
    this.start = new Int32Array(buses.length + 1);
  }

  /** Takes in all conductors of a feeder; what does not stand at a bus makes it unsound. */
  read(feeder: Feeder): this {
    const { lines, switches, reactors } = feeder;
    this.branchBus = new Int32Array(2 * (lines.length + switches.length + reactors.length));
    let at = 0;
    for (const list of [lines, switches, reactors]) {
      for (let k = 0; k < list.length; k++) {
        const { from, to } = list[k]!;
        this.branchBus[at++] = this.take(from);
        this.branchBus[at++] = this.take(to);
      }
    }
    for (const { windings } of feeder.transformers) {
      for (let w = 0; w < windings.length; w++) this.take(windings[w]!.terminal);
    }
    for (const { terminal, returnTerminal } of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
      this.take(terminal);
      if (returnTerminal) this.take(returnTerminal);
    }
    for (const { terminal } of feeder.inductionMachines ?? []) this.take(terminal);
    for (const list of [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
      for (let k = 0; k < list.length; k++) {
        const { terminal, shares } = list[k]!;
        const bus = this.busAt(terminal.bus);
        if (bus < 0) this.isSound = false;
        else this.check(terminal.nodes);
        for (let t = 0; t < shares.length && bus >= 0; t++) {
          this.add(bus, shares[t]!.node);
          this.add(bus, shares[t]!.otherNode);
        }
      }
    }
    return this;
  }

  private take({ bus, nodes }: Terminal): number {
    const position = this.busAt(bus);
    if (position < 0) this.isSound = false;
    else if (this.check(nodes)) for (let i = 0; i < nodes.length; i++) this.add(position, nodes[i]!);
    return position;
  }

  private check(nodes: readonly number[]): boolean {
    for (let i = 0; i < nodes.length; i++) {
      if (Number.isInteger(nodes[i]!) && nodes[i]! >= 0) continue;
      this.isSound = false;
      return false;
    }
    return true;
  }

  /** Position of a bus, -1 where there is none. */
  busAt(bus: string): number {
    return this.position.get(bus) ?? -1;
  }

  /** Whether a node number is in use at the bus of a position. */
  has(bus: number, node: number): boolean {
    return node < WIDE ? ((this.low[bus]! >>> node) & 1) === 1 : (this.high.get(bus)?.includes(node) ?? false);
  }

  /** Takes a node number into use; not for when indices have been given. */
  add(bus: number, node: number): void {
    if (node === 0) return;
    if (node > 0 && node < WIDE && Number.isInteger(node)) {
      this.low[bus] = this.low[bus]! | (1 << node);
      return;
    }
    const list = this.high.get(bus);
    if (!list) this.high.set(bus, [node]);
    else if (!list.includes(node)) list.push(node);
  }

  /**
   * Gives every node its index.
   *
   * @param take - called for each node in order
   * @returns the number of nodes
   */
  number(take: (bus: number, node: number) => void): number {
    const { low, high, start } = this;
    let count = 0;
    for (let b = 0; b < low.length; b++) {
      start[b] = count;
      for (let left = low[b]!; left !== 0; left &= left - 1) {
        take(b, 31 - Math.clz32(left & -left));
        count++;
      }
      const wide = high.size === 0 ? undefined : high.get(b)?.sort((x, y) => x - y);
      if (!wide) continue;
      for (const node of wide) take(b, node);
      count += wide.length;
    }
    start[low.length] = count;
    return count;
  }

  /** Index of a node at the bus of a position (see {@link busAt}); -1 for ground and for nodes that do not exist. */
  nodeAt(bus: number, node: number): number {
    if (bus < 0 || node === 0) return -1;
    const own = this.low[bus]!;
    if (node > 0 && node < WIDE && Number.isInteger(node)) {
      return (own >>> node) & 1 ? this.start[bus]! + bits(own & ((1 << node) - 1)) : -1;
    }
    const place = this.high.get(bus)?.indexOf(node) ?? -1;
    return place < 0 ? -1 : this.start[bus]! + bits(own) + place;
  }
}
