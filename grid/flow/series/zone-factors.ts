/*
 * What taps and sections do to the voltages of a feeder, zone by zone.
 *
 * Solved: V = f (start without own drop + w own drop), with f the factor of the node's zone and w the weight of what is lost behind the
 * node's own transformer; both are functions of the positions of all devices and of the stretch s of all load:
 * f = prod(1 + m_d (a_d + sum(m_e x_de))) (1 + s sum(m_d b_d)), w = 1 + p (|f|^2 - 1) / 2, m_d the way of device d from its reference,
 * e the banks where d is a tap changer.
 * Steps: (1) for each tap changer and capacitor the relative change a of every no-load voltage by one position; nodes of one kind that
 * answer alike to all of them are a zone; (2) for each pair of a capacitor and a tap changer what both do beyond that, x: a bank in
 * service makes the network behind a regulator stiffer or softer; (3) what half of all load adds, b, and how the own drop follows, p: -2 where
 * loads hold their power, 0 where they are admittances.
 * Cost: a factor update and a solve for each device and pair, some iterations for each device, once; at a step some products for each zone.
 * Fails: never; what cannot be solved counts as no effect.
 */
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { HEADER, START_ZONES, ZONE_BYTES } from '../kernel/layout.js';
import { sectionsOf } from './control-panel.js';

/** Nodes answer alike to a device when their relative changes round to the same multiple of this. */
const LIKENESS = 2e-4;
/** How much coarser likeness becomes where there are too many zones. */
const COARSER = 1.25;
/** Pairs of a capacitor and a tap changer at most that are looked at; with more of them none is. */
const MOST_PAIRS = 256;
/** How the own drop follows the voltage before it where loads hold their power. */
const POWER_FOLLOWS = -2;

/** A tap changer or capacitor that has moved the no-load voltages. */
interface Mover {
  readonly isTap: boolean;
  /** Present position. */
  readonly position: () => number;
  readonly moveTo: (position: number) => void;
  /** Position at which the references are solved, and one beside it. */
  readonly reference: number;
  readonly beside: number;
  /** Relative change of the no-load voltages by one position, by zone, interleaved re/im, and what all load adds to it. */
  readonly change: Float64Array;
  readonly loaded: Float64Array;
}

/** A mover before zones are known: changes by active node. */
type NodeMover = Omit<Mover, 'loaded'>;

/** What a bank and a tap changer do beyond the product of what each does: the tap changer's change by one position of the bank. */
interface Pair {
  readonly bank: number;
  readonly tap: number;
  readonly change: Float64Array;
}

/** A loaded reference case. */
export interface LoadedCase {
  /** Stretch of all load in it. */
  readonly stretch: number;
  /** Voltages at the active nodes at the present taps and sections, interleaved re/im; undefined where there is no solution. */
  readonly solve: () => Float64Array | undefined;
  /** Own drop of the active nodes in it, interleaved re/im, V. */
  readonly ownDrop: Float64Array;
}

/** Factors of the zones of one feeder. References are solved at the taps and sections of the power flow when it is made. */
export class ZoneFactors {
  /** Zone of each active node. */
  readonly zone: Int32Array;
  readonly count: number;
  private readonly movers: readonly Mover[];
  private readonly pairs: readonly Pair[];
  private ownFollows = POWER_FOLLOWS;
  /** Factors without load, and what all load adds; as they are now and as they were when marked. */
  private readonly bare: Float64Array;
  private readonly load: Float64Array;
  /**
   * Products of the factors, and behind them sums of the parts under load, of more and more movers: those of k are of 2k and 2k + 1, the first
   * of all is number 1, single movers come last. A product depends on its movers alone, not on the order in which they have moved.
   */
  private readonly products: readonly Float64Array[];
  private readonly isOld: Uint8Array;
  /** How far the movers are from their references in the products. */
  private readonly ways: Float64Array;
  private readonly markedBare: Float64Array;
  private readonly markedLoad: Float64Array;
  private age = -1;
  /** Changes of the movers where the banks stand as they stood last. */
  private changes: readonly Float64Array[] = [];
  private bankWays: Float64Array;

  /**
   * @param source - Norton currents of the sources, A
   * @param kind - of each active node; there are a few
   */
  constructor(
    private readonly flow: FeederFlow,
    private readonly core: FlowCore,
    solver: LaneSolver,
    source: Float64Array,
    kind: Uint8Array,
  ) {
    this.zone = new Int32Array(solver.activeCount);
    const voltage = new Float64Array(2 * core.compiled.nodeCount);
    const noLoad = (): Float64Array | undefined => {
      if (flow.core().lostNode >= 0) return undefined;
      core.network.factor.solve(source, voltage);
      const active = new Float64Array(2 * solver.activeCount);
      solver.gather(voltage, active);
      return active;
    };
    const unmoved = core.lostNode >= 0 ? undefined : noLoad();
    const movers = unmoved ? this.findMovers(unmoved, noLoad) : [];
    const member = this.findZones(movers, kind);
    this.count = member.length;
    const byZone = (byNode: Float64Array) =>
      Float64Array.from({ length: 2 * member.length }, (_, t) => byNode[2 * member[t >> 1]! + (t & 1)]!);
    this.movers = movers.map((mover) => ({
      ...mover,
      change: byZone(mover.change),
      loaded: new Float64Array(2 * member.length),
    }));
    this.pairs = unmoved ? this.findPairs(byZone(unmoved), () => noLoad(), byZone) : [];
    const size = 2 * member.length;
    const leaves = 2 ** Math.ceil(Math.log2(Math.max(1, movers.length)));
    this.products = Array.from({ length: 2 * leaves }, () =>
      new Float64Array(2 * size).map((_, t) => +(t < size && t % 2 === 0)),
    );
    this.isOld = new Uint8Array(leaves);
    this.ways = new Float64Array(movers.length);
    this.bare = this.products[1]!.subarray(0, size);
    this.load = this.products[1]!.subarray(size);
    this.markedBare = this.bare.slice();
    this.markedLoad = this.load.slice();
    this.bankWays = new Float64Array(movers.length).fill(Number.NaN);
    flow.core();
  }

  private findMovers(unmoved: Float64Array, noLoad: () => Float64Array | undefined): NodeMover[] {
    const { flow } = this;
    const { regulators, capacitors } = flow.feeder;
    const mover = (
      isTap: boolean,
      position: () => number,
      moveTo: (to: number) => void,
      low: number,
      high: number,
    ): NodeMover[] => {
      const reference = position();
      const beside = reference < high ? reference + 1 : reference - 1;
      if (beside < low) return [];
      moveTo(beside);
      const moved = noLoad();
      moveTo(reference);
      if (!moved) return [];
      const change = relativeChange(unmoved, moved, beside - reference);
      return [{ isTap, position, moveTo, reference, beside, change }];
    };
    return [
      ...regulators
        .filter(({ sharesTapOf }) => sharesTapOf === undefined)
        .flatMap(({ id, lowStep, highStep }) =>
          mover(
            true,
            () => flow.taps.get(id)!,
            (to) => flow.setTap(id, to),
            lowStep,
            highStep,
          ),
        ),
      ...capacitors.flatMap(({ id, sectionCount }) =>
        mover(
          false,
          () => sectionsOf(flow, id),
          (to) => flow.setCapacitorSections(id, to),
          0,
          sectionCount,
        ),
      ),
    ];
  }

  /**
   * Puts nodes that answer alike to all movers into zones.
   *
   * @returns a node of each zone
   */
  private findZones(movers: readonly NodeMover[], kind: Uint8Array): readonly number[] {
    const { zone } = this;
    for (let likeness = LIKENESS; ; likeness *= COARSER) {
      const zones = new Map<number, number[]>();
      const members: number[] = [];
      const answer = (change: Float64Array, t: number) => Math.round(change[t]! / likeness);
      const isLike = (t: number, member: number) =>
        kind[t] === kind[member] &&
        movers.every(
          ({ change }) =>
            answer(change, 2 * t) === answer(change, 2 * member) &&
            answer(change, 2 * t + 1) === answer(change, 2 * member + 1),
        );
      for (let t = 0; t < zone.length; t++) {
        let key = kind[t]!;
        for (const { change } of movers) {
          key = (Math.imul(key, 31) + answer(change, 2 * t)) | 0;
          key = (Math.imul(key, 31) + answer(change, 2 * t + 1)) | 0;
        }
        const alike = zones.get(key) ?? [];
        const known = alike.find((z) => isLike(t, members[z]!));
        zone[t] = known ?? members.length;
        if (known !== undefined) continue;
        zones.set(key, [...alike, members.length]);
        members.push(t);
      }
      if (members.length <= START_ZONES) return members;
    }
  }

  private findPairs(
    unmoved: Float64Array,
    noLoad: () => Float64Array | undefined,
    byZone: (byNode: Float64Array) => Float64Array,
  ): Pair[] {
    const { movers } = this;
    const numbered = movers.map((mover, number) => ({ ...mover, number }));
    const [banks, taps] = [numbered.filter(({ isTap }) => !isTap), numbered.filter(({ isTap }) => isTap)];
    if (banks.length * taps.length > MOST_PAIRS) return [];
    const pairs: Pair[] = [];
    // A section asks for a new factor, a tap for some rows of it: the bank stays while the taps take turns.
    for (const bank of banks) {
      bank.moveTo(bank.beside);
      const own = bank.beside - bank.reference;
      for (const tap of taps) {
        tap.moveTo(tap.beside);
        const both = noLoad();
        tap.moveTo(tap.reference);
        if (!both) continue;
        const change = relativeChange(unmoved, byZone(both), 1);
        const other = tap.beside - tap.reference;
        for (let z = 0; z < change.length; z += 2) {
          const [ar, ai] = [1 + own * bank.change[z]!, own * bank.change[z + 1]!];
          const [br, bi] = [1 + other * tap.change[z]!, other * tap.change[z + 1]!];
          change[z] = (1 + change[z]! - (ar * br - ai * bi)) / (own * other);
          change[z + 1] = (change[z + 1]! - (ar * bi + ai * br)) / (own * other);
        }
        pairs.push({ bank: bank.number, tap: tap.number, change });
      }
      bank.moveTo(bank.reference);
    }
    return pairs;
  }

  /** Learns what load adds to what the movers do; they return to their references. */
  learn({ stretch, solve, ownDrop }: LoadedCase): void {
    const { flow, movers, zone, count } = this;
    const unmoved = solve();
    if (!unmoved || stretch === 0) return;
    const changes = movers.map(({ moveTo, beside, reference }) => {
      moveTo(beside);
      const moved = flow.core().lostNode >= 0 ? undefined : solve();
      moveTo(reference);
      return moved && relativeChange(unmoved, moved, beside - reference);
    });
    flow.core();
    const own = relativeTo(unmoved, ownDrop);
    const members = new Float64Array(count);
    for (const z of zone) members[z] = members[z]! + 1;
    const meanOf = (byNode: Float64Array): Float64Array => {
      const mean = new Float64Array(2 * count);
      for (let t = 0; t < byNode.length; t++) {
        const z = zone[t >> 1]!;
        const at = 2 * z + (t & 1);
        mean[at] = mean[at]! + byNode[t]! / members[z]!;
      }
      return mean;
    };
    const meanOwn = meanOf(own);
    const means = changes.map((change) => change && meanOf(change));
    // How much more a node with more own drop moves than others of its zone.
    let [above, below] = [0, 0];
    changes.forEach((change, d) => {
      const mean = means[d];
      if (!change || !mean) return;
      for (let t = 0; t < change.length; t += 2) {
        const z = 2 * zone[t >> 1]!;
        const size = mean[z]! * (own[t]! - meanOwn[z]!);
        above += size * (change[t]! - mean[z]!);
        below += size * size;
      }
    });
    this.ownFollows = below > 0 ? Math.max(POWER_FOLLOWS, Math.min(0, above / below)) : POWER_FOLLOWS;
    movers.forEach(({ change, loaded }, d) => {
      const mean = means[d];
      if (!mean) return;
      for (let t = 0; t < loaded.length; t++) {
        const byOwn = this.ownFollows * mean[t & ~1]! * meanOwn[t]!;
        loaded[t] = (mean[t]! - byOwn - change[t]!) / stretch;
      }
    });
    this.ways.fill(Number.NaN);
    this.age = -1;
  }

  /** Works out what depends on taps and sections alone: of those that have moved, and of the products that they are in. */
  private refresh(): void {
    const { core, movers, ways, products } = this;
    if (this.age === core.network.factorAge) return;
    this.age = core.network.factorAge;
    this.followBanks();
    const leaves = products.length / 2;
    for (let d = 0; d < movers.length; d++) {
      const { position, reference, loaded } = movers[d]!;
      const way = position() - reference;
      if (way === ways[d]) continue;
      ways[d] = way;
      const change = this.changes[d]!;
      const own = products[leaves + d]!;
      for (let z = 0, load = change.length; z < change.length; z += 2, load += 2) {
        own[z] = 1 + way * change[z]!;
        own[z + 1] = way * change[z + 1]!;
        own[load] = way * loaded[z]!;
        own[load + 1] = way * loaded[z + 1]!;
      }
      for (let above = (leaves + d) >> 1; above >= 1; above >>= 1) this.isOld[above] = 1;
    }
    for (let node = leaves - 1; node >= 1; node--) {
      if (this.isOld[node] === 0) continue;
      this.isOld[node] = 0;
      multiply(products[2 * node]!, products[2 * node + 1]!, products[node]!);
    }
  }

  /** What taps change where the banks stand now. */
  private followBanks(): void {
    const { movers, pairs, bankWays } = this;
    let areSame = true;
    for (let d = 0; d < movers.length; d++) {
      const { isTap, position, reference } = movers[d]!;
      const way = isTap ? 0 : position() - reference;
      if (bankWays[d] === way) continue;
      bankWays[d] = way;
      areSame = false;
    }
    if (areSame) return;
    const changes = movers.map(({ change }) => change.slice());
    for (const { bank, tap, change } of pairs) {
      const to = changes[tap]!;
      for (let t = 0; t < to.length; t++) to[t] = to[t]! + bankWays[bank]! * change[t]!;
    }
    this.changes = changes;
    this.ways.fill(Number.NaN);
  }

  /** Notes the present taps and sections, so that {@link turn} can go on from a solution at them. */
  mark(): void {
    this.refresh();
    this.markedBare.set(this.bare);
    this.markedLoad.set(this.load);
  }

  /** Puts the factors for a start at the present taps and sections into the memory of a solver. */
  start({ header, voltages: F }: LaneSolver, stretch: number): void {
    this.refresh();
    const { bare, load } = this;
    const halfFollows = this.ownFollows / 2;
    for (let z = 0, to = header[HEADER.zoneAt]! >> 3; z < bare.length; z += 2, to += ZONE_BYTES >> 3) {
      stretched(bare, load, z, stretch, F, to);
      const re = F[to]!;
      const im = F[to + 1]!;
      F[to + 2] = 1 + halfFollows * (re * re + im * im - 1);
    }
  }

  /** The same for voltages that were solved at the taps and sections that were marked. */
  turn({ header, voltages: F }: LaneSolver, stretch: number): void {
    this.refresh();
    const { bare, load, markedBare, markedLoad } = this;
    const halfFollows = this.ownFollows / 2;
    for (let z = 0, to = header[HEADER.zoneAt]! >> 3; z < bare.length; z += 2, to += ZONE_BYTES >> 3) {
      stretched(bare, load, z, stretch, F, to);
      stretched(markedBare, markedLoad, z, stretch, F, to + 2);
      const re = F[to]!;
      const im = F[to + 1]!;
      const beforeRe = F[to + 2]!;
      const beforeIm = F[to + 3]!;
      const square = beforeRe * beforeRe + beforeIm * beforeIm;
      const more = halfFollows * (re * re + im * im - square);
      F[to] = (re * beforeRe + im * beforeIm) / square;
      F[to + 1] = (im * beforeRe - re * beforeIm) / square;
      F[to + 2] = more * re;
      F[to + 3] = more * im;
    }
  }
}

/** Puts the factor of the zone whose numbers stand at `z`, under load, into an array. */
function stretched(
  bare: Float64Array,
  load: Float64Array,
  z: number,
  stretch: number,
  F: Float64Array,
  to: number,
): void {
  const re = 1 + stretch * load[z]!;
  const im = stretch * load[z + 1]!;
  F[to] = bare[z]! * re - bare[z + 1]! * im;
  F[to + 1] = bare[z]! * im + bare[z + 1]! * re;
}

/** Multiplies factors in the first halves, adds the second halves. */
function multiply(a: Float64Array, b: Float64Array, to: Float64Array): void {
  const half = to.length / 2;
  for (let z = 0, load = half; z < half; z += 2, load += 2) {
    const ar = a[z]!;
    const ai = a[z + 1]!;
    const br = b[z]!;
    const bi = b[z + 1]!;
    to[z] = ar * br - ai * bi;
    to[z + 1] = ar * bi + ai * br;
    to[load] = a[load]! + b[load]!;
    to[load + 1] = a[load + 1]! + b[load + 1]!;
  }
}

/** Relative change of complex numbers by one of so many steps; 0 where there was nothing. */
function relativeChange(from: Float64Array, to: Float64Array, steps: number): Float64Array {
  const change = new Float64Array(from.length);
  for (let t = 0; t < from.length; t += 2) {
    const [br, bi] = [from[t]!, from[t + 1]!];
    const [dr, di] = [to[t]! - br, to[t + 1]! - bi];
    const square = br * br + bi * bi;
    if (square === 0) continue;
    change[t] = (dr * br + di * bi) / (square * steps);
    change[t + 1] = (di * br - dr * bi) / (square * steps);
  }
  return change;
}

/** Complex numbers as shares of others; 0 where there is nothing. */
function relativeTo(whole: Float64Array, part: Float64Array): Float64Array {
  return relativeChange(
    whole,
    Float64Array.from(whole, (value, t) => value + part[t]!),
    1,
  );
}
