/*
 * Where the steps of a series start from: close to their solution, and a function of the powers, taps and sections alone.
 *
 * Solved: V = scale * (no load + load/reference * drop of the loads + units/reference * rise of the units) at the active
 * nodes of the kernel, where `scale` follows the taps and sections.
 * Steps: (1) at the taps of the model the voltages without load, and what all loads and all units at their own powers add;
 * (2) for each tap changer and capacitor the relative change of every no-load voltage by one position; nodes that answer
 * alike to all of them are a zone; (3) at a step one complex factor for each zone, the product over the devices that have
 * moved; (4) where taps or sections move within a step, its last solution turned by the same factors.
 * Cost: three solves and one for each device, once; at a step 14 flops for each active node.
 * Fails: never; a poor start costs iterations.
 */
import type { FeederFlow } from '../feeder-flow.js';
import type { FlowCore } from '../flow-core.js';
import type { LaneSolver } from '../kernel/lane-solver.js';
import { sectionsOf } from './control-panel.js';
import type { SeriesSettings } from './series-settings.js';

/** Longest stretch of a start beyond the reference case. */
const LARGEST_STRETCH = 2;
/** Lanes at most. */
export const MOST_LANES = 32;
/** Nodes answer alike to a device when their relative changes round to the same multiple of this. */
const LIKENESS = 2e-4;
/** Zones at most; beyond, likeness is taken more widely. */
const MOST_ZONES = 64;

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
  private readonly noLoad: Float64Array;
  private readonly loadDrop: Float64Array;
  private readonly unitRise: Float64Array;
  private readonly loadReferenceW: number = 0;
  private readonly unitReferenceW: number = 0;
  private readonly movers: readonly Mover[] = [];
  /** Zone of each active node, and the factors of the zones at the present positions. */
  private readonly zone: Int32Array;
  private readonly scale: Float64Array;
  private readonly marked: Float64Array;
  private readonly ratio: Float64Array;
  /** Stretches of the lanes. */
  private readonly load = new Float64Array(MOST_LANES);
  private readonly unit = new Float64Array(MOST_LANES);
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
    source: Float64Array,
  ) {
    const size = 2 * solver.activeCount;
    const count = core.compiled.shares.count;
    this.noLoad = new Float64Array(size);
    this.loadDrop = new Float64Array(size);
    this.unitRise = new Float64Array(size);
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
    const none = new Float64Array(count);
    const reference = (first: number, end: number, into: Float64Array): number => {
      const powerW = none.slice();
      const powerVar = none.slice();
      powerW.set(core.powerW.subarray(first, end), first);
      powerVar.set(core.powerVar.subarray(first, end), first);
      const sum = powerW.reduce((total, value) => total + value, 0);
      const solution = core.solve(powerW, powerVar, { tolerancePu });
      if (sum === 0 || solution.status !== 'converged') return 0;
      solver.gather(solution.voltage, into);
      for (let t = 0; t < into.length; t++) into[t] = into[t]! - this.noLoad[t]!;
      return sum;
    };
    this.noLoadVoltage = core.solve(none, none, { tolerancePu }).voltage;
    solver.gather(this.noLoadVoltage, this.noLoad);
    this.loadReferenceW = reference(0, loadEnd, this.loadDrop);
    this.unitReferenceW = reference(loadEnd, count, this.unitRise);
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
      const zones = new Map<string, number>();
      const members: number[] = [];
      for (let t = 0; t < zone.length; t++) {
        let key = '';
        for (const { change } of movers) {
          key += `${Math.round(change[2 * t]! / likeness)},${Math.round(change[2 * t + 1]! / likeness)} `;
        }
        const known = zones.get(key);
        zone[t] = known ?? members.length;
        if (known !== undefined) continue;
        zones.set(key, members.length);
        members.push(t);
      }
      if (members.length <= MOST_ZONES) return members;
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

  /** Starts the first lanes at some powers each, at the present taps and sections. */
  start(solver: LaneSolver, powers: readonly Float64Array[], lanes: number): void {
    this.refresh();
    const { noLoad, loadDrop, unitRise, loadEnd, zone, scale, load, unit } = this;
    for (let lane = 0; lane < lanes; lane++) {
      const powerW = powers[lane]!;
      let loadW = 0;
      for (let k = 0; k < loadEnd; k++) loadW += powerW[k]!;
      let unitW = 0;
      for (let k = loadEnd; k < powerW.length; k++) unitW += powerW[k]!;
      load[lane] = stretchOf(loadW, this.loadReferenceW);
      unit[lane] = stretchOf(unitW, this.unitReferenceW);
    }
    const V = solver.voltages;
    const { width } = solver;
    let at = solver.voltageAt(0, 0);
    for (let t = 0; t < zone.length; t++, at += 2 * width) {
      const sr = scale[2 * zone[t]!]!;
      const si = scale[2 * zone[t]! + 1]!;
      for (let lane = 0; lane < lanes; lane++) {
        const re = noLoad[2 * t]! + load[lane]! * loadDrop[2 * t]! + unit[lane]! * unitRise[2 * t]!;
        const im = noLoad[2 * t + 1]! + load[lane]! * loadDrop[2 * t + 1]! + unit[lane]! * unitRise[2 * t + 1]!;
        V[at + lane] = sr * re - si * im;
        V[at + lane + width] = sr * im + si * re;
      }
    }
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
    const source = from.voltages;
    const V = solver.voltages;
    let read = from.voltageAt(0, fromLane);
    let at = solver.voltageAt(0, lane);
    for (let t = 0; t < zone.length; t++, at += 2 * solver.width, read += 2 * from.width) {
      const re = source[read]!;
      const im = source[read + from.width]!;
      const fr = ratio[2 * zone[t]!]!;
      const fi = ratio[2 * zone[t]! + 1]!;
      V[at] = fr * re - fi * im;
      V[at + solver.width] = fr * im + fi * re;
    }
  }
}

/** How far a power stretches a reference case, within bounds. */
function stretchOf(powerW: number, referenceW: number): number {
  if (referenceW === 0) return 0;
  return Math.max(-LARGEST_STRETCH, Math.min(LARGEST_STRETCH, powerW / referenceW));
}
