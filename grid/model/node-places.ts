/*
 * The numbering of nodes: which numbers are in use at each bus, and the index of each, bus by bus in ascending order.
 *
 * Numbers below 32 are bits of one word a bus; the index of a node is that of its bus and the bits below its own. Higher
 * ones stand in lists. Every terminal's bus is looked up by name once; where it stands is kept, and so are the nodes of
 * branches, windings and shares, so that later passes read numbers one after the other instead of following links through
 * the whole model, which a large one makes expensive: each link is a place in memory that no cache holds.
 * Cost: linear in terminals.
 */
import type { Terminal } from './bus.js';
import { BusIndex } from './bus-index.js';
import type { Line, PhaseShare, Reactor, Switch, Winding } from './element.js';
import type { Feeder } from './feeder.js';

/** Node numbers from here up stand in lists. */
const WIDE = 32;

/** Set bits of a word. */
function bits(word: number): number {
  let w = word - ((word >>> 1) & 0x55555555);
  w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * What {@link NodePlaces.windingTraits} says of a winding: a node at ground; an impedance from neutral to ground, one that
 * ties it; a node number above 31; it is the series winding of an autotransformer.
 */
export const WINDING = { earthed: 1, hasGround: 2, tied: 4, wide: 8, series: 16 } as const;

/** Number of the lowest set bit of a word that is not zero. */
export function lowestOf(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** A list twice as long, or as long as is needed. */
function widened(list: Int32Array, need: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(Math.max(2 * list.length, need));
  wider.set(list);
  return wider;
}

/** Node numbers in use at each bus of a feeder. */
export class NodePlaces {
  /** One that stays: a class without an object loses its machine code at the next collection. */
  static readonly kept = new NodePlaces({ buses: [], busById: new Map() });

  private readonly index: BusIndex;
  private readonly low: Int32Array;
  private readonly high = new Map<number, number[]>();
  /** Index of the first node of each bus, and the number of nodes. */
  private readonly start: Int32Array;
  /** Position of the bus at each end of lines, switches and reactors, in that order. */
  branchBus = new Int32Array(0);
  /**
   * Conductors of the same branches, those of the first end before those of the second: of branch k
   * `[branchStart[k], branchStart[k + 1])`. Node numbers until {@link number}, then indices of nodes.
   */
  branchNode = new Int32Array(0);
  branchStart = new Int32Array(1);
  /** 1 for branches with conductors that may be open. */
  isOpenable = new Uint8Array(0);
  /** Position of the bus of each winding, transformer by transformer: of transformer t `[windingStart[t], windingStart[t + 1])`. */
  windingBus = new Int32Array(0);
  windingStart = new Int32Array(1);
  /** Its node numbers below 32, as bits, and its traits, see {@link WINDING}. */
  windingNodes = new Int32Array(0);
  windingTraits = new Uint8Array(0);
  /** Position of the bus of each capacitor, load, photovoltaic system, battery and machine, in that order. */
  deviceBus = new Int32Array(0);
  /** Nodes of the shares of these, two each: those of device d are the shares `[shareStart[d], shareStart[d + 1])`. */
  shareNode = new Int32Array(0);
  shareStart = new Int32Array(1);
  /** Whether everything can be placed: terminals at buses, nodes that exist, impedances of the right order, finite powers. */
  isSound = true;
  /** The bus that was asked for last. */
  private lastBus = '';
  private lastPosition = -1;

  constructor({ buses, busById }: Pick<Feeder, 'buses' | 'busById'>) {
    this.index = busById instanceof BusIndex && busById.buses === buses ? busById : new BusIndex(buses);
    this.low = new Int32Array(buses.length);
    this.start = new Int32Array(buses.length + 1);
  }

  /** Takes in all conductors of a feeder; what cannot be placed makes it unsound. */
  read(feeder: Feeder): this {
    const { lines, switches, reactors, transformers } = feeder;
    const branches = lines.length + switches.length + reactors.length;
    this.branchBus = new Int32Array(2 * branches);
    this.branchNode = new Int32Array(6 * branches);
    this.branchStart = new Int32Array(branches + 1);
    this.isOpenable = new Uint8Array(branches);
    let at = 0;
    for (let k = 0; k < lines.length; k++) {
      const line = lines[k]!;
      const n = line.from.nodes.length;
      if (line.shuntSiemens.n !== n) this.isSound = false;
      if (line.isOpen) {
        this.isOpenable[at] = 1;
        if (line.isOpen.from.length !== n || line.isOpen.to.length !== n) this.isSound = false;
      }
      this.takeBranch(at++, line);
    }
    for (let k = 0; k < switches.length; k++) {
      this.isOpenable[at] = 1;
      this.takeBranch(at++, switches[k]!);
    }
    for (let k = 0; k < reactors.length; k++) this.takeBranch(at++, reactors[k]!);

    const some = 3 * transformers.length;
    this.windingStart = new Int32Array(transformers.length + 1);
    this.windingBus = new Int32Array(some);
    this.windingNodes = new Int32Array(some);
    this.windingTraits = new Uint8Array(some);
    at = 0;
    for (let t = 0; t < transformers.length; t++) {
      const { windings, construction } = transformers[t]!;
      const end = at + windings.length;
      if (end > this.windingBus.length) this.widenWindings(end);
      for (let w = 0; w < windings.length; w++) {
        const winding = windings[w]!;
        if (!(winding.ratedVoltageV > 0)) this.isSound = false;
        this.windingBus[at] = this.take(winding.terminal);
        this.noteWinding(at++, winding, w === 0 && construction === 'auto');
      }
      this.windingStart[t + 1] = end;
    }
    for (const { terminal, returnTerminal } of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
      this.take(terminal);
      if (returnTerminal) this.take(returnTerminal);
    }
    for (const { terminal } of feeder.inductionMachines ?? []) {
      this.take(terminal);
      if (terminal.nodes.length !== 3) this.isSound = false;
    }
    const { capacitors, loads, pvSystems, batteries, machines } = feeder;
    const devices = capacitors.length + loads.length + pvSystems.length + batteries.length + machines.length;
    this.deviceBus = new Int32Array(devices);
    this.shareStart = new Int32Array(devices + 1);
    this.shareNode = new Int32Array(2 * devices);
    at = 0;
    for (const list of [capacitors, loads, pvSystems, batteries, machines]) {
      for (let k = 0; k < list.length; k++) {
        const { terminal, shares } = list[k]!;
        const bus = this.busAt(terminal.bus);
        this.deviceBus[at] = bus;
        if (bus < 0) this.isSound = false;
        else this.check(terminal.nodes);
        this.takeShares(bus, at++, shares);
      }
    }
    return this;
  }

  /** Notes the nodes and ties to ground of a winding, as it stands or as its neutral has been placed. */
  noteWinding(at: number, { terminal: { nodes }, groundOhm }: Winding, isSeries: boolean): void {
    let bits = 0;
    let traits: number = isSeries ? WINDING.series : 0;
    if (groundOhm) traits |= WINDING.hasGround | (groundOhm.r >= 0 ? WINDING.tied : 0);
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (node === 0) traits |= WINDING.earthed;
      else if (node < WIDE) bits |= 1 << node;
      else traits |= WINDING.wide;
    }
    this.windingNodes[at] = bits;
    this.windingTraits[at] = traits;
  }

  private widenWindings(need: number): void {
    this.windingBus = widened(this.windingBus, need);
    this.windingNodes = widened(this.windingNodes, need);
    const traits = new Uint8Array(this.windingBus.length);
    traits.set(this.windingTraits);
    this.windingTraits = traits;
  }

  private takeBranch(at: number, { from, to, seriesOhm }: Line | Switch | Reactor): void {
    const n = from.nodes.length;
    if (n === 0 || to.nodes.length !== n || seriesOhm.n !== n) this.isSound = false;
    this.branchBus[2 * at] = this.take(from);
    this.branchBus[2 * at + 1] = this.take(to);
    let end = this.branchStart[at]!;
    const need = end + n + to.nodes.length;
    if (need > this.branchNode.length) this.branchNode = widened(this.branchNode, need);
    for (let i = 0; i < n; i++) this.branchNode[end++] = from.nodes[i]!;
    for (let i = 0; i < to.nodes.length; i++) this.branchNode[end++] = to.nodes[i]!;
    this.branchStart[at + 1] = end;
  }

  private takeShares(bus: number, device: number, shares: readonly PhaseShare[]): void {
    let at = this.shareStart[device]!;
    const end = at + shares.length;
    this.shareStart[device + 1] = end;
    if (2 * end > this.shareNode.length) this.shareNode = widened(this.shareNode, 2 * end);
    for (let t = 0; t < shares.length; t++) {
      const { node, otherNode, ratedVoltageV, powerW, powerVar } = shares[t]!;
      if (!(ratedVoltageV > 0) || !Number.isFinite(powerW) || !Number.isFinite(powerVar)) this.isSound = false;
      this.shareNode[2 * at] = node;
      this.shareNode[2 * at++ + 1] = otherNode;
      if (bus < 0) continue;
      this.add(bus, node);
      this.add(bus, otherNode);
    }
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
    if (bus === this.lastBus) return this.lastPosition;
    this.lastBus = bus;
    this.lastPosition = this.index.positionOf(bus);
    return this.lastPosition;
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
   * Gives every node its index; conductors of branches are indices from now on.
   *
   * @returns position of the bus and number of each node
   */
  number(): { readonly bus: Int32Array; readonly node: Int32Array } {
    const { low, high, start, branchBus, branchStart } = this;
    const branchNode = this.branchNode.slice(0, branchStart[branchStart.length - 1]);
    this.branchNode = branchNode;
    let count = 0;
    for (let b = 0; b < low.length; b++) count += bits(low[b]!);
    for (const list of high.values()) count += list.length;
    const bus = new Int32Array(count);
    const number = new Int32Array(count);
    let at = 0;
    for (let b = 0; b < low.length; b++) {
      start[b] = at;
      for (let left = low[b]!; left !== 0; left &= left - 1) {
        bus[at] = b;
        number[at++] = lowestOf(left);
      }
      const wide = high.size === 0 ? undefined : high.get(b)?.sort((x, y) => x - y);
      if (!wide) continue;
      for (const node of wide) {
        bus[at] = b;
        number[at++] = node;
      }
    }
    start[low.length] = at;
    for (let k = 0; k + 1 < branchStart.length; k++) {
      const first = branchStart[k]!;
      const end = branchStart[k + 1]!;
      const middle = (first + end) / 2;
      for (let c = first; c < end; c++)
        branchNode[c] = this.nodeAt(branchBus[2 * k + (c < middle ? 0 : 1)]!, branchNode[c]!);
    }
    return { bus, node: number };
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
