/*
 * Where the steps of a series start from: close to their solution, and a function of the powers, taps and sections alone.
 *
 * Solved: V = scale * (no load + common drop + own load/reference * weight * own drop + units/reference * rise of the units) at
 * the active nodes of the kernel, where `scale` and `weight` follow the taps and sections (zone-factors.ts). The common drop is a
 * square function of its stretch, which is what the loads of all zones have in it (zone-loads.ts); behind a service transformer it is the drop
 * up to there, and that from there on belongs to the customers of the wire (leaf-wires.ts).
 * Steps: (1) at the taps and sections as they are when it is made, the voltages without load, and what all loads at their own and half
 * their powers, and all units at their own, add; (2) what taps and sections do to them, and the loads of each zone to the drops of each;
 * (3) at a step the factors of the zones; (4) where taps or sections move within a step, its last solution turned by the factors of before
 * and after.
 * Cost: four solves and those of zone-factors.ts and zone-loads.ts, once; at a step 25 flops for each active node.
 * Fails: never; a poor start costs iterations.
 */
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { DRAW_BYTES, HEADER, START_BYTES, START_ZONES, ZONE_BYTES } from '../kernel/layout.js';
import type { ShareDraws } from './device-schedule.js';
import { type LoadStretch, stretchOf } from './load-stretch.js';
import type { SeriesSettings } from './series-settings.js';
import { USUAL_LOAD } from './usual-states.js';
import { ZoneFactors } from './zone-factors.js';
import { prepareZoneShares, zoneShares } from './zone-loads.js';

/** Lanes at most. */
export const MOST_LANES = 32;
/** Iterations of a reference case in the lanes. */
const MOST_ITERATIONS = 30;
/** Accuracy with which devices are looked at under load, pu: one position of a device moves the voltages by some thousandths. */
const USUAL_TOLERANCE_PU = 1e-8;

/**
 * Parts of all load between which the drop is a square function: those among which a year is spent. At all load customers may draw less than
 * their power, by laws of their own.
 */
const DROP_LOADS = [0.5 * USUAL_LOAD, USUAL_LOAD, 1.5 * USUAL_LOAD] as const;

/** Starts of the steps of one feeder. */
export class StartState {
  /** No-load voltages by network node, interleaved re/im, V. */
  private readonly noLoadVoltage: Float64Array;
  /** By active node, interleaved re/im: the parts of a start, as START_BYTES has them. */
  private readonly noLoad: Float32Array;
  private readonly commonDrop: Float32Array;
  private readonly squareDrop: Float32Array;
  private readonly ownDrop: Float32Array;
  private readonly unitRise: Float32Array;
  /** Leaf of each active node. */
  private readonly leaf: Int32Array;
  /** Solvers that have the parts in their memory, and what their shares follow; undefined where powers are given one by one. */
  private readonly prepared = new Set<LaneSolver>();
  private readonly following = new Map<LaneSolver, ShareDraws | undefined>();
  private readonly unitReferenceW: number = 0;
  private readonly zones: ZoneFactors;
  /** What the loads of zones have in the drops of zones. */
  private readonly shares: Float64Array = new Float64Array(2 * START_ZONES * START_ZONES);

  /**
   * @param solver - any of the solvers that are started: all have the same order
   * @param loadEnd - shares of loads come first, up to here
   * @param source - Norton currents of the sources, A
   */
  constructor(
    flow: FeederFlow,
    private readonly core: FlowCore,
    solver: LaneSolver,
    settings: SeriesSettings,
    private readonly loadEnd: number,
    private readonly stretch: LoadStretch,
    source: Float64Array,
  ) {
    const { activeCount } = solver;
    const part = () => new Float32Array(2 * activeCount);
    [this.noLoad, this.commonDrop, this.squareDrop, this.ownDrop, this.unitRise] = [
      part(),
      part(),
      part(),
      part(),
      part(),
    ];
    this.leaf = new Int32Array(activeCount);
    this.noLoadVoltage = new Float64Array(2 * core.compiled.nodeCount);
    // First, because a section may take back what is known of the matrix; the solves below find it out again.
    const { activeNode } = solver.structure;
    const phase = Uint8Array.from(activeNode, (node) => stretch.phaseOf(node));
    this.zones = new ZoneFactors(flow, core, solver, source, phase);
    stretch.placeInZones((node) => this.zones.zone[solver.placeOf(node)]!);
    if (core.lostNode >= 0) return;
    const { tolerancePu } = settings;
    const count = core.compiled.shares.count;
    const none = new Float64Array(count);
    /** Voltages with some shares at a part of their own powers, and what they add to those without load; of all nodes. */
    const loaded = (first: number, end: number, part: number, tolerance: number, start?: Float64Array) => {
      const powerW = none.slice();
      const powerVar = none.slice();
      for (let k = first; k < end; k++) {
        powerW[k] = part * core.powerW[k]!;
        powerVar[k] = part * core.powerVar[k]!;
      }
      return this.solved(solver, powerW, powerVar, source, tolerance, start);
    };
    const added = (first: number, end: number, part: number): Float64Array | undefined =>
      loaded(first, end, part, tolerancePu)?.map((value, t) => value - this.noLoadVoltage[t]!);
    const sum = (first: number, end: number) => core.powerW.subarray(first, end).reduce((all, w) => all + w, 0);
    this.noLoadVoltage = core.solve(none, none, { tolerancePu }).voltage;
    solver.gather(this.noLoadVoltage, this.noLoad);
    const [few, half, many] = sum(0, loadEnd) === 0 ? [] : DROP_LOADS.map((part) => added(0, loadEnd, part));
    if (few && half && many) {
      this.splitDrop(solver, few, half, many);
      this.shares = this.findShares(solver, half, source);
      const start = half.map((value, t) => value + this.noLoadVoltage[t]!);
      this.zones.learn({
        stretch: USUAL_LOAD,
        ownDrop: Float64Array.from(this.ownDrop, (value) => USUAL_LOAD * value),
        solve: () => {
          const voltage = loaded(0, loadEnd, USUAL_LOAD, USUAL_TOLERANCE_PU, start);
          const active = new Float64Array(2 * activeCount);
          if (voltage) solver.gather(voltage, active);
          return voltage && active;
        },
      });
    }
    const rise = sum(loadEnd, count) === 0 ? undefined : added(loadEnd, count, 1);
    if (rise) {
      this.unitReferenceW = sum(loadEnd, count);
      solver.gather(rise, this.unitRise);
    }
  }

  /** Voltages at some powers, by the lanes where they can, else by the whole engine; undefined where there is no solution. */
  private solved(
    solver: LaneSolver,
    powerW: Float64Array,
    powerVar: Float64Array,
    source: Float64Array,
    tolerancePu: number,
    start = this.noLoadVoltage,
  ): Float64Array | undefined {
    const { core } = this;
    if (core.network.isRefinementNeeded !== true) {
      const voltage = start.slice();
      solver.refresh();
      solver.setPowers(0, powerW, powerVar);
      solver.setSources(0, source);
      solver.setVoltages(0, voltage);
      solver.run(tolerancePu, MOST_ITERATIONS, 1);
      solver.readVoltages(0, voltage);
      if (solver.outcome[0] === 'converged') return voltage;
    }
    const { status, voltage } = core.solve(powerW, powerVar, { tolerancePu });
    return status === 'converged' ? voltage : undefined;
  }

  /**
   * The part of a drop that the active nodes have in common with others: up to the service transformer, behind one, else the whole.
   *
   * @param drop - by network node, interleaved re/im, V
   * @returns by active node, in the same form
   */
  private common({ structure }: LaneSolver, drop: Float64Array): Float64Array {
    const { noLoadVoltage, stretch } = this;
    /** Mean relative drop of the nodes that feed each leaf. */
    const relative = stretch.wires.feeding.map((nodes): readonly [number, number] => {
      let [re, im] = [0, 0];
      for (const node of nodes) {
        const [br, bi] = [noLoadVoltage[2 * node]!, noLoadVoltage[2 * node + 1]!];
        const [dr, di] = [drop[2 * node]!, drop[2 * node + 1]!];
        const square = br * br + bi * bi;
        if (square === 0) continue;
        re += (dr * br + di * bi) / square / nodes.length;
        im += (di * br - dr * bi) / square / nodes.length;
      }
      return [re, im];
    });
    const common = new Float64Array(2 * structure.activeCount);
    structure.activeNode.forEach((node, place) => {
      const leaf = stretch.leafOf(node);
      const [re, im] = [noLoadVoltage[2 * node]!, noLoadVoltage[2 * node + 1]!];
      const [dr, di] = leaf < 0 ? [0, 0] : relative[leaf]!;
      common[2 * place] = leaf < 0 ? drop[2 * node]! : re * dr - im * di;
      common[2 * place + 1] = leaf < 0 ? drop[2 * node + 1]! : im * dr + re * di;
    });
    return common;
  }

  /** Parts the drop of the nodes of leaves into the one up to their transformer and the rest. */
  private splitDrop(solver: LaneSolver, few: Float64Array, half: Float64Array, many: Float64Array): void {
    const { noLoad, commonDrop, squareDrop, ownDrop, leaf, stretch } = this;
    const [fewOf, halfOf, manyOf] = [this.common(solver, few), this.common(solver, half), this.common(solver, many)];
    const [at, , end] = DROP_LOADS;
    const way = end - USUAL_LOAD;
    solver.structure.activeNode.forEach((node, place) => {
      leaf[place] = Math.max(0, stretch.leafOf(node));
      for (const part of [0, 1] as const) {
        const to = 2 * place + part;
        const square = (fewOf[to]! - 2 * halfOf[to]! + manyOf[to]!) / (2 * way * way);
        const slope = (manyOf[to]! - fewOf[to]!) / (end - at) - 2 * USUAL_LOAD * square;
        squareDrop[to] = square;
        commonDrop[to] = slope;
        noLoad[to] = noLoad[to]! + halfOf[to]! - USUAL_LOAD * (slope + USUAL_LOAD * square);
        ownDrop[to] = (half[2 * node + part]! - halfOf[to]!) / USUAL_LOAD;
      }
    });
  }

  /** What the loads of zones have in the drops of zones, around half of all load. */
  private findShares(solver: LaneSolver, half: Float64Array, source: Float64Array): Float64Array {
    const { core, loadEnd, stretch, zones, commonDrop, squareDrop, noLoadVoltage } = this;
    const atHalf = half.map((value, t) => value + noLoadVoltage[t]!);
    const powers = (of: Float64Array, zone: number) =>
      of.map((value, k) => (k < loadEnd ? (stretch.zoneOfShare(k) === zone ? 0.75 : 0.5) * value : 0));
    return zoneShares({
      count: zones.count,
      zone: zones.zone,
      direction: Float64Array.from(commonDrop, (drop, t) => drop + squareDrop[t]!),
      referenceW: stretch.zoneReferenceW,
      added: (zone) => {
        const [powerW, powerVar] = [powers(core.powerW, zone), powers(core.powerVar, zone)];
        const moved = this.solved(solver, powerW, powerVar, source, USUAL_TOLERANCE_PU, atHalf);
        return (
          moved &&
          this.common(
            solver,
            moved.map((value, t) => value - atHalf[t]!),
          )
        );
      },
    });
  }

  /** Starts the lane that was given its powers last, at the present taps and sections. */
  start(solver: LaneSolver): void {
    this.zones.start(solver, this.loadStretchIn(solver));
    solver.kernel.start();
  }

  /** Gives a lane its powers, W and var by share, and works out how far its loads stretch the reference: what starts and turns go by. */
  give(solver: LaneSolver, lane: number, powerW: Float64Array, powerVar: Float64Array): void {
    this.prepare(solver);
    const { header, words, voltages: F, shareOrder } = solver;
    const isFollowing = this.following.get(solver) !== undefined;
    this.following.set(solver, undefined);
    let draw = header[HEADER.drawAt]! >> 3;
    for (let t = 0; t < shareOrder.length; t++, draw += DRAW_BYTES >> 3) {
      F[draw] = powerW[shareOrder[t]!]!;
      F[draw + 1] = powerVar[shareOrder[t]!]!;
      if (!isFollowing) continue;
      words[2 * draw + 4] = 0;
      words[2 * draw + 5] = 0;
    }
    F[header[HEADER.multiplierAt]! >> 3] = 1;
    this.spread(solver, lane);
  }

  /** Whether a solver has room for the multipliers of some draws. */
  takesDraws({ header }: LaneSolver, { multipliers }: ShareDraws): boolean {
    return multipliers.length <= header[HEADER.startMultipliers]!;
  }

  /** The same as {@link give} by the multipliers of a step; there must be room for them. */
  follow(solver: LaneSolver, lane: number, draws: ShareDraws): void {
    this.prepare(solver);
    const { header, words, voltages: F, shareOrder } = solver;
    if (this.following.get(solver) !== draws) {
      this.following.set(solver, draws);
      const { baseW, baseVar, multiplierW, multiplierVar } = draws;
      let draw = header[HEADER.drawAt]! >> 3;
      for (let t = 0; t < shareOrder.length; t++, draw += DRAW_BYTES >> 3) {
        const k = shareOrder[t]!;
        F[draw] = baseW[k]!;
        F[draw + 1] = baseVar[k]!;
        words[2 * draw + 4] = 8 * multiplierW[k]!;
        words[2 * draw + 5] = 8 * multiplierVar[k]!;
      }
    }
    F.set(draws.multipliers, header[HEADER.multiplierAt]! >> 3);
    this.spread(solver, lane);
  }

  private spread({ header, words, voltages, kernel }: LaneSolver, lane: number): void {
    words[HEADER.startLane] = 8 * lane;
    kernel.spread();
    const unitW = voltages[(header[HEADER.leafStretchAt]! >> 3) + header[HEADER.startLeaves]!]!;
    voltages[header[HEADER.unitStretchAt]! >> 3] = stretchOf(unitW, this.unitReferenceW);
  }

  /** Power of all loads of the lane that was given its powers last, W. */
  loadW({ header, voltages }: LaneSolver): number {
    return voltages[header[HEADER.loadSumAt]! >> 3]!;
  }

  /** Puts the parts of the nodes into the memory of a solver. */
  private prepare(solver: LaneSolver): void {
    const { prepared, noLoad, commonDrop, squareDrop, ownDrop, unitRise, leaf, zones } = this;
    if (prepared.has(solver)) return;
    prepared.add(solver);
    this.stretch.prepare(solver);
    prepareZoneShares(solver, zones.count, this.shares);
    const { header, words, singles } = solver;
    for (let t = 0; t < leaf.length; t++) {
      const record = (header[HEADER.startAt]! + START_BYTES * t) >> 2;
      words[record] = 8 * leaf[t]!;
      words[record + 1] = ZONE_BYTES * zones.zone[t]!;
      [noLoad, commonDrop, squareDrop, ownDrop, unitRise].forEach((part, p) => {
        singles[record + 2 + 2 * p] = part[2 * t]!;
        singles[record + 3 + 2 * p] = part[2 * t + 1]!;
      });
    }
  }

  /** Notes the present taps and sections, so that {@link turn} can go on from a solution at them. */
  mark(): void {
    this.zones.mark();
  }

  /**
   * Starts a lane, the last one that was given its powers, from a solution of the same powers that was found before taps or sections
   * moved (see {@link mark}).
   *
   * @param from - solver and lane of that solution; may be the lane itself
   */
  turn(from: LaneSolver, fromLane: number, solver: LaneSolver, lane: number): void {
    if (from !== solver || fromLane !== lane) {
      const V = solver.voltages;
      let read = from.voltageAt(0, fromLane);
      let at = solver.voltageAt(0, lane);
      for (let t = 0; t < solver.activeCount; t++, at += 2 * solver.width, read += 2 * from.width) {
        V[at] = from.voltages[read]!;
        V[at + solver.width] = from.voltages[read + from.width]!;
      }
    }
    this.zones.turn(solver, this.loadStretchIn(solver));
    solver.words[HEADER.startLane] = 8 * lane;
    solver.kernel.turn();
  }

  /** How far all load of the lane that was given its powers last stretches the reference. */
  private loadStretchIn(solver: LaneSolver): number {
    return stretchOf(this.loadW(solver), this.stretch.referenceW);
  }
}
