/*
 * Where the steps of a series start from: close to their solution, and a function of the powers, taps and sections alone.
 *
 * Solved: V = scale * (no load + common drop + own load/reference * own drop + units/reference * rise of the units) at the
 * active nodes of the kernel, where `scale` follows the taps and sections. The common drop is a square function of the load
 * of the node's phase over its reference; behind a service transformer it is the drop up to there, and that from there on belongs to the
 * customers of the wire (leaf-wires.ts).
 * Steps: (1) at the taps of the model the voltages without load, and what all loads at their own and half their powers, and all units at their own, add;
 * (2) for each tap changer and capacitor the relative change of every no-load voltage by one position; nodes that answer
 * alike to all of them are a zone; (3) at a step one complex factor for each zone, the product over the devices that have
 * moved; (4) where taps or sections move within a step, its last solution turned by the same factors.
 * Cost: four solves and one for each device, once; at a step 24 flops for each active node.
 * Fails: never; a poor start costs iterations.
 */
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { HEADER, START_BYTES, START_ZONES } from '../kernel/layout.js';
import { sectionsOf } from './control-panel.js';
import { type LoadStretch, stretchOf } from './load-stretch.js';
import type { SeriesSettings } from './series-settings.js';

/** Lanes at most. */
export const MOST_LANES = 32;
/** Iterations of a reference case in the lanes. */
const MOST_ITERATIONS = 30;
/** Nodes answer alike to a device when their relative changes round to the same multiple of this. */
const LIKENESS = 2e-4;
/** A tap changer or capacitor that has moved the no-load voltages. */
interface Mover {
  /** Present position. */
  readonly position: () => number;
  /** Position at which the references were solved. */
  readonly reference: number;
  /** Relative change of the no-load voltages by one position, by active node of the kernel (later by zone), interleaved re/im. */
  readonly change: Float64Array;
}

/** Starts of the steps of one feeder. */
export class StartState {
  /** No-load voltages by network node, interleaved re/im, V. */
  readonly noLoadVoltage: Float64Array;
  /** By active node, interleaved re/im: the parts of a start, as START_BYTES has them. */
  private readonly noLoad: Float32Array;
  private readonly commonDrop: Float32Array;
  private readonly squareDrop: Float32Array;
  private readonly ownDrop: Float32Array;
  private readonly unitRise: Float32Array;
  /** Leaf and phase of each active node. */
  private readonly leaf: Int32Array;
  private readonly phase: Uint8Array;
  /** Solvers that have the parts in their memory. */
  private readonly prepared = new Set<LaneSolver>();
  private readonly unitReferenceW: number = 0;
  private readonly movers: readonly Mover[] = [];
  /** Zone of each active node, and the factors of the zones at the present positions. */
  private readonly zone: Int32Array;
  private readonly scale: Float64Array;
  private readonly marked: Float64Array;
  private readonly ratio: Float64Array;
  private age = -1;

  /**
   * @param solver - any of the solvers that are started: all have the same order
   * @param loadEnd - shares of loads come first, up to here
   * @param source - Norton currents of the sources, A
   */
  constructor(
    private readonly flow: FeederFlow,
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
    this.phase = new Uint8Array(activeCount);
    this.zone = new Int32Array(solver.activeCount);
    this.scale = new Float64Array(2).fill(1);
    this.marked = this.scale.slice();
    this.ratio = this.scale.slice();
    this.noLoadVoltage = new Float64Array(2 * core.compiled.nodeCount);
    if (core.lostNode >= 0) return;
    // First, because a section may take back what is known of the matrix; the solves below find it out again.
    const movers = this.findMovers(solver, source);
    const member = this.findZones(movers);
    this.movers = movers.map((mover) => ({
      ...mover,
      change: Float64Array.from({ length: 2 * member.length }, (_, t) => mover.change[2 * member[t >> 1]! + (t & 1)]!),
    }));
    this.scale = new Float64Array(2 * member.length);
    this.marked = this.scale.slice();
    this.ratio = this.scale.slice();
    const { tolerancePu } = settings;
    const count = core.compiled.shares.count;
    const none = new Float64Array(count);
    /** What some shares add to the no-load voltages of all nodes at a part of their own powers. */
    const added = (first: number, end: number, part: number): Float64Array | undefined => {
      const powerW = none.slice();
      const powerVar = none.slice();
      for (let k = first; k < end; k++) {
        powerW[k] = part * core.powerW[k]!;
        powerVar[k] = part * core.powerVar[k]!;
      }
      const voltage = this.solved(solver, powerW, powerVar, source, tolerancePu);
      return voltage?.map((value, t) => value - this.noLoadVoltage[t]!);
    };
    const sum = (first: number, end: number) => core.powerW.subarray(first, end).reduce((all, w) => all + w, 0);
    this.noLoadVoltage = core.solve(none, none, { tolerancePu }).voltage;
    solver.gather(this.noLoadVoltage, this.noLoad);
    const whole = sum(0, loadEnd) === 0 ? undefined : added(0, loadEnd, 1);
    const half = whole && added(0, loadEnd, 0.5);
    if (whole && half) this.splitDrop(solver, whole, half);
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
  ): Float64Array | undefined {
    const { core, noLoadVoltage } = this;
    if (core.network.isRefinementNeeded !== true) {
      const voltage = noLoadVoltage.slice();
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

  /** Parts the drop of the nodes of leaves into the one up to their transformer and the rest. */
  private splitDrop(solver: LaneSolver, whole: Float64Array, half: Float64Array): void {
    const { noLoadVoltage, commonDrop, squareDrop, ownDrop, leaf, phase, stretch } = this;
    /** Mean relative drop of the nodes that feed each leaf. */
    const relative = (drop: Float64Array) =>
      stretch.wires.feeding.map((nodes): readonly [number, number] => {
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
    const [wholeOf, halfOf] = [relative(whole), relative(half)];
    for (let node = 0; 2 * node < whole.length; node++) {
      const place = solver.placeOf(node);
      if (place >= solver.activeCount) continue;
      const number = stretch.leafOf(node);
      const isLeaf = number >= 0;
      leaf[place] = Math.max(0, number);
      phase[place] = stretch.phaseOf(node);
      for (const part of [0, 1] as const) {
        const turned = part === 0 ? -noLoadVoltage[2 * node + 1]! : noLoadVoltage[2 * node]!;
        const upTo = (drops: readonly (readonly [number, number])[], drop: Float64Array) =>
          isLeaf
            ? noLoadVoltage[2 * node + part]! * drops[number]![0] + turned * drops[number]![1]
            : drop[2 * node + part]!;
        const halfway = upTo(halfOf, half);
        const square = 2 * (upTo(wholeOf, whole) - 2 * halfway);
        const to = 2 * place + part;
        squareDrop[to] = square;
        commonDrop[to] = 2 * halfway - square / 2;
        ownDrop[to] = 2 * (half[2 * node + part]! - halfway);
      }
    }
  }

  private findMovers(solver: LaneSolver, source: Float64Array): Mover[] {
    const { flow, core } = this;
    const voltage = new Float64Array(2 * core.compiled.nodeCount);
    const unmoved = new Float64Array(2 * solver.activeCount);
    const solveNow = (into: Float64Array): boolean => {
      if (flow.core().lostNode >= 0) return false;
      core.network.factor.solve(source, voltage);
      solver.gather(voltage, into);
      return true;
    };
    solveNow(unmoved);
    const mover = (position: () => number, moveTo: (to: number) => void, low: number, high: number): Mover[] => {
      const reference = position();
      const to = reference < high ? reference + 1 : reference - 1;
      if (to < low) return [];
      const change = new Float64Array(unmoved.length);
      moveTo(to);
      const isSolved = solveNow(change);
      moveTo(reference);
      if (!isSolved) return [];
      for (let t = 0; t < change.length; t += 2) {
        const [ar, ai] = [change[t]! - unmoved[t]!, change[t + 1]! - unmoved[t + 1]!];
        const [br, bi] = [unmoved[t]!, unmoved[t + 1]!];
        const size = (br * br + bi * bi) * (to - reference);
        change[t] = size === 0 ? 0 : (ar * br + ai * bi) / size;
        change[t + 1] = size === 0 ? 0 : (ai * br - ar * bi) / size;
      }
      return [{ position, reference, change }];
    };
    const { regulators, capacitors } = flow.feeder;
    const taps = regulators
      .filter(({ sharesTapOf }) => sharesTapOf === undefined)
      .flatMap(({ id, lowStep, highStep }) =>
        mover(
          () => flow.taps.get(id)!,
          (to) => flow.setTap(id, to),
          lowStep,
          highStep,
        ),
      );
    const sections = capacitors.flatMap(({ id, sectionCount }) =>
      mover(
        () => sectionsOf(flow, id),
        (to) => flow.setCapacitorSections(id, to),
        0,
        sectionCount,
      ),
    );
    flow.core();
    return [...taps, ...sections];
  }

  /**
   * Puts nodes that answer alike to all movers into zones.
   *
   * @returns a node of each zone
   */
  private findZones(movers: readonly Mover[]): readonly number[] {
    const { zone } = this;
    for (let likeness = LIKENESS; ; likeness *= 4) {
      const zones = new Map<number, number[]>();
      const members: number[] = [];
      const answer = (change: Float64Array, t: number) => Math.round(change[t]! / likeness);
      const isLike = (t: number, member: number) =>
        movers.every(
          ({ change }) =>
            answer(change, 2 * t) === answer(change, 2 * member) &&
            answer(change, 2 * t + 1) === answer(change, 2 * member + 1),
        );
      for (let t = 0; t < zone.length; t++) {
        let key = 0;
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

  /** Works out the factors of the zones at the present taps and sections. */
  private refresh(): void {
    const { core, movers, scale } = this;
    if (this.age === core.network.factorAge) return;
    this.age = core.network.factorAge;
    for (let z = 0; 2 * z < scale.length; z++) {
      scale[2 * z] = 1;
      scale[2 * z + 1] = 0;
    }
    for (const { position, reference, change } of movers) {
      const moved = position() - reference;
      if (moved === 0) continue;
      for (let z = 0; 2 * z < scale.length; z++) {
        const fr = 1 + moved * change[2 * z]!;
        const fi = moved * change[2 * z + 1]!;
        const sr = scale[2 * z]!;
        const si = scale[2 * z + 1]!;
        scale[2 * z] = sr * fr - si * fi;
        scale[2 * z + 1] = sr * fi + si * fr;
      }
    }
  }

  /** Gives the first lanes their powers, W and var by share, and starts them at the present taps and sections. */
  start(solver: LaneSolver, powersW: readonly Float64Array[], powersVar: readonly Float64Array[], lanes: number): void {
    this.refresh();
    this.prepare(solver);
    const { header, words, voltages } = solver;
    this.setZones(solver, this.scale);
    const given = header[HEADER.givenAt]! >> 3;
    for (let lane = 0; lane < lanes; lane++) {
      const powerW = powersW[lane]!;
      voltages.set(powerW, given);
      voltages.set(powersVar[lane]!, given + powerW.length);
      words[HEADER.startLane] = 8 * lane;
      solver.kernel.spread();
      this.stretch.finish(solver);
      let unitW = 0;
      for (let k = this.loadEnd; k < powerW.length; k++) unitW += powerW[k]!;
      voltages[header[HEADER.unitStretchAt]! >> 3] = stretchOf(unitW, this.unitReferenceW);
      solver.kernel.start();
    }
  }

  /** Puts the parts of the nodes into the memory of a solver. */
  private prepare(solver: LaneSolver): void {
    const { prepared, noLoad, commonDrop, squareDrop, ownDrop, unitRise, leaf, phase, zone } = this;
    if (prepared.has(solver)) return;
    prepared.add(solver);
    this.stretch.prepare(solver);
    const { header, words, singles } = solver;
    for (let t = 0; t < leaf.length; t++) {
      const record = (header[HEADER.startAt]! + START_BYTES * t) >> 2;
      words[record] = 8 * leaf[t]!;
      words[record + 1] = 8 * phase[t]!;
      [noLoad, commonDrop, squareDrop, ownDrop, unitRise].forEach((part, p) => {
        singles[record + 2 + 2 * p] = part[2 * t]!;
        singles[record + 3 + 2 * p] = part[2 * t + 1]!;
      });
      words[(header[HEADER.zoneOfAt]! >> 2) + t] = 16 * zone[t]!;
    }
  }

  private setZones({ header, voltages }: LaneSolver, factors: Float64Array): void {
    voltages.set(factors, header[HEADER.zoneAt]! >> 3);
  }

  /** Notes the factors of the zones, so that {@link turn} can go on from a solution at the present taps and sections. */
  mark(): void {
    this.refresh();
    this.marked.set(this.scale);
  }

  /**
   * Starts a lane from a solution of the same powers that was found before taps or sections moved (see {@link mark}).
   *
   * @param from - solver and lane of that solution; may be the lane itself
   */
  turn(from: LaneSolver, fromLane: number, solver: LaneSolver, lane: number): void {
    this.refresh();
    const { zone, scale, marked, ratio } = this;
    for (let z = 0; z < scale.length; z += 2) {
      const br = marked[z]!;
      const bi = marked[z + 1]!;
      const square = br * br + bi * bi;
      ratio[z] = (scale[z]! * br + scale[z + 1]! * bi) / square;
      ratio[z + 1] = (scale[z + 1]! * br - scale[z]! * bi) / square;
    }
    this.prepare(solver);
    if (from !== solver || fromLane !== lane) {
      const V = solver.voltages;
      let read = from.voltageAt(0, fromLane);
      let at = solver.voltageAt(0, lane);
      for (let t = 0; t < zone.length; t++, at += 2 * solver.width, read += 2 * from.width) {
        V[at] = from.voltages[read]!;
        V[at + solver.width] = from.voltages[read + from.width]!;
      }
    }
    this.setZones(solver, ratio);
    solver.words[HEADER.startLane] = 8 * lane;
    solver.kernel.turn();
  }
}
