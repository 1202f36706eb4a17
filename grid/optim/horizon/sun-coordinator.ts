import { type CurtailmentProblem, dispatchState } from '../problem.js';
import type { StarSettings } from '../star-settings.js';
import { LaneNetwork } from './lane-network.js';
import { CandidateRows, StepLimits } from './step-limits.js';
import type { SunQuestion } from './sun-agent.js';

/*
 * The coordinator's half of sharing curtailment over many steps at once.
 *
 * Solved:  min sum_i,t p_it alpha_it^2  over all customers and steps, every node's voltage inside its limits in every step.
 *   Customers at one port (the same nodes, the same shares) move the network alike: it only knows their sum. With n_k of them
 *   at port k, x_k their mean and z_k its copy that the network bears,
 *     z = argmin sum_k n_k (x_k + u_k - z_k)^2 / 2  subject to  low <= v + sum_k s_ik n_k z_k <= high,   u += x - z,
 *   and everybody at port k is asked to move by z_k - x_k - u_k. Steps share nothing but rho.
 * Steps: voltages of x + u at the limits that have been near to binding, in all steps by one sweep (lane-network.ts); their
 *   prices (step-limits.ts); z by one sweep of the gradient; where z has moved so far that another limit could be broken
 *   by now, the voltages of all nodes, which tell; over-relaxation; balancing of rho as in coordinator-update.ts.
 * Cost: O(branches to such limits * steps + sum over steps of binding rows^2) a round, O(branches * steps) where all nodes
 *   are looked at.
 * Fails: limits that cannot hold are given up at the price of a violation; residuals tell.
 * Source: Boyd et al. (2011), sections 3.4 and 7.3.
 */

/** Power drawn and offered in one step. */
export interface SunStep {
  /** By node, W and var, without the units. */
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  /** By unit of the problem, W. */
  readonly availableW: Float64Array;
}

/** Customers that move the network alike. */
export interface SunPort {
  readonly nodes: Int32Array;
  readonly shareRe: Float64Array;
  readonly shareIm: Float64Array;
  /** Their units in the problem. */
  readonly units: readonly number[];
}

/** How a round went. */
export interface SunProgress {
  readonly round: number;
  readonly rho: number;
  readonly primalResidual: number;
  readonly primalTolerance: number;
  readonly dualResidual: number;
  readonly dualTolerance: number;
  readonly hasConverged: boolean;
}

/** A limit is broken by more than this, pu squared: well above the tolerance of those that bind. */
const BROKEN_TOLERANCE = 1e-8;
/** Broken limits of a step that become candidates in a pass, and passes of a round. */
const WORST_AT_ONCE = 12;
const MOST_PASSES = 30;
const BALANCE_EVERY = 5;
const BALANCE_RATIO = 5;
const BALANCE_UNTIL = 200;

/** Ports of a problem's units, in the order in which they first come. */
export function sunPorts({ units }: Pick<CurtailmentProblem, 'units'>): readonly SunPort[] {
  const ports = new Map<string, SunPort & { readonly units: number[] }>();
  units.forEach(({ nodes, shareRe, shareIm }, u) => {
    const key = `${nodes.join()} ${shareRe.join()} ${shareIm.join()}`;
    const port = ports.get(key);
    if (port) port.units.push(u);
    else ports.set(key, { nodes, shareRe, shareIm, units: [u] });
  });
  return [...ports.values()];
}

/** Shares curtailment of all steps among ports. Arrays over ports and steps have the steps of a port side by side. */
export class SunCoordinator {
  readonly steps: number;
  round = 0;
  private rho: number;
  private relaxation: number;
  private calmRounds = 0;
  private readonly counts: Float64Array;
  /** By port: W for a mean of one. */
  private readonly units: Float64Array;
  private readonly lanes: LaneNetwork;
  /** Squared voltages without curtailment, nodes by steps. */
  private readonly untouched: Float64Array;
  private readonly change: Float64Array;
  private readonly mean: Float64Array;
  private readonly z: Float64Array;
  private readonly price: Float64Array;
  private readonly offset: Float64Array;
  private readonly wanted: Float64Array;
  /** By port: no voltage moves by more for a mean of one, pu squared. */
  private readonly reach: Float64Array;
  /** The copies whose voltages were last looked at everywhere, and by step what then was left to the nearest other limit. */
  private readonly seen: Float64Array;
  private readonly room: Float64Array;
  private readonly moved: Float64Array;
  private readonly isCandidate: Uint8Array;
  /** Vectors of questions by port, of odd and even rounds. */
  private readonly shifts: readonly (readonly Float64Array[])[];
  private readonly before: Float64Array;
  private readonly candidates: CandidateRows;
  private readonly limits: readonly StepLimits[];
  /** Nodes with a limit, in the order of their slots. */
  private readonly limited: Int32Array;

  constructor(
    private readonly problem: CurtailmentProblem,
    readonly ports: readonly SunPort[],
    steps: readonly SunStep[],
    private readonly settings: StarSettings,
  ) {
    const { network, units, lowerSquaredPu, upperSquaredPu } = problem;
    const count = network.nodes.length;
    this.steps = steps.length;
    this.rho = settings.rho;
    this.relaxation = settings.relaxation;
    this.counts = Float64Array.from(ports, (port) => port.units.length);
    this.units = this.counts.map((n) => n * settings.powerUnitW);
    this.lanes = new LaneNetwork(network, ports, this.steps);
    this.reach = this.lanes.reach().map((perW, k) => perW * this.units[k]!);
    this.untouched = new Float64Array(count * this.steps);
    const none = new Float64Array(problem.groupCount);
    steps.forEach(({ drawnW, drawnVar, availableW }, t) => {
      const own = units.map((unit, u) => ({ ...unit, availableW: availableW[u]! }));
      const { voltageSquaredPu } = dispatchState({ ...problem, drawnW, drawnVar, units: own }, none);
      for (let i = 0; i < count; i++) this.untouched[this.lanes.slotOf[i]! * this.steps + t] = voltageSquaredPu[i]!;
    });
    this.change = new Float64Array(count * this.steps);
    const size = ports.length * this.steps;
    this.mean = new Float64Array(size);
    this.z = new Float64Array(size);
    this.price = new Float64Array(size);
    this.offset = new Float64Array(size);
    this.wanted = new Float64Array(size);
    this.before = new Float64Array(size);
    this.shifts = [0, 1].map(() => ports.map(() => new Float64Array(this.steps)));
    this.seen = new Float64Array(size);
    this.room = new Float64Array(this.steps).fill(-1);
    this.moved = new Float64Array(this.steps);
    this.isCandidate = new Uint8Array(count);
    const cap = settings.violationPrice / settings.voltageUnitSquaredPu;
    this.candidates = new CandidateRows(this.counts, problem, cap);
    this.limits = steps.map(() => new StepLimits(this.candidates));
    const isLimited = (i: number) => Number.isFinite(lowerSquaredPu[i]!) || Number.isFinite(upperSquaredPu[i]!);
    this.limited = Int32Array.from(Array.from({ length: count }, (_, i) => i).filter(isLimited));
    this.limited.sort((a, b) => this.lanes.slotOf[a]! - this.lanes.slotOf[b]!);
  }

  /** Limits with a price, summed over the steps. */
  get bindingLimits(): number {
    return this.limits.reduce((sum, { active }) => sum + active.length, 0);
  }

  /** The questions of the coming round, one for each port; their vectors are written anew two rounds later. */
  questions(): readonly SunQuestion[] {
    const { steps, z, mean, price, rho, shifts } = this;
    const round = this.round + 1;
    return shifts[round % 2]!.map((shift, k) => {
      for (let t = 0, at = k * steps; t < steps; t++, at++) shift[t] = z[at]! - mean[at]! - price[at]!;
      return { round, rho, shift };
    });
  }

  /**
   * Takes the answers of a round.
   *
   * @param sums - by port: what its customers curtail together, by step, power units
   * @param moved - sum over all customers and steps of the squared change since the last round
   */
  update(sums: readonly Float64Array[], moved: number): SunProgress {
    const { steps, counts, mean, before, z, price, wanted, offset, relaxation, rho, settings } = this;
    this.round++;
    before.set(mean);
    for (let k = 0, at = 0; k < counts.length; k++) {
      const sum = sums[k]!;
      const perCustomer = 1 / counts[k]!;
      for (let t = 0; t < steps; t++, at++) {
        const x = sum[t]! * perCustomer;
        mean[at] = x;
        wanted[at] = relaxation * x + (1 - relaxation) * z[at]! + price[at]!;
      }
    }
    const isBorne = this.project();
    let primal = 0;
    let dual = moved;
    let sizeX = 0;
    let sizeZ = 0;
    let sizeU = 0;
    let customers = 0;
    for (let k = 0, at = 0; k < counts.length; k++) {
      const n = counts[k]!;
      customers += n;
      // Sums of one port stay in registers: a sum over all would be one chain of 10^5 additions.
      let [ownPrimal, ownDual, ownX, ownZ, ownU] = [0, 0, 0, 0, 0];
      for (const end = at + steps; at < end; at++) {
        const x = mean[at]!;
        const copy = z[at]!;
        const own = wanted[at]! - copy;
        price[at] = own;
        const between = copy - x;
        // Everybody's copy moves by its own change and by that of what all at the port are asked to add.
        const further = between - offset[at]!;
        ownDual += further * (2 * (x - before[at]!) + further);
        offset[at] = between;
        ownPrimal += between * between;
        ownX += x * x;
        ownZ += copy * copy;
        ownU += own * own;
      }
      primal += n * ownPrimal;
      dual += n * ownDual;
      sizeX += n * ownX;
      sizeZ += n * ownZ;
      sizeU += n * ownU;
    }
    const root = Math.sqrt(Math.max(1, customers * steps));
    const primalResidual = Math.sqrt(primal);
    const dualResidual = rho * Math.sqrt(Math.max(0, dual));
    const { absoluteTolerance, relativeTolerance } = settings;
    const primalTolerance = root * absoluteTolerance + relativeTolerance * Math.sqrt(Math.max(sizeX, sizeZ));
    const dualTolerance = root * absoluteTolerance + relativeTolerance * rho * Math.sqrt(sizeU);
    const isCalm = isBorne && primalResidual <= primalTolerance && dualResidual <= dualTolerance;
    this.calmRounds = isCalm ? this.calmRounds + 1 : 0;
    this.balance(primalResidual, dualResidual);
    const hasConverged = this.calmRounds >= 2;
    return { round: this.round, rho, primalResidual, primalTolerance, dualResidual, dualTolerance, hasConverged };
  }

  /** Nearest means to the wanted ones that the network bears, all steps. */
  private project(): boolean {
    const { wanted, limits, candidates, change, steps, lanes, units } = this;
    lanes.spreadWanted(wanted, units, change);
    limits.forEach((own, t) => {
      this.take(own, t);
      own.solve();
    });
    for (let pass = 0; ; pass++) {
      this.pullBack();
      const open = this.mayBreak() ? this.violated() : [];
      if (open.length === 0) return true;
      if (pass >= MOST_PASSES) return false;
      lanes.spreadWanted(wanted, units, change);
      for (let t = 0; t < steps; t++) {
        if (limits[t]!.multipliers.length < candidates.count) this.take(limits[t]!, t);
      }
      for (const t of open) limits[t]!.solve();
    }
  }

  /** Gives a step's limits the voltages that there would be without them. */
  private take(own: StepLimits, t: number): void {
    const { untouched, change, steps } = this;
    const { slotOf } = this.lanes;
    own.take((node) => untouched[slotOf[node]! * steps + t]! + change[slotOf[node]! * steps + t]!);
  }

  /** The wanted means less what the prices of limits take from them. */
  private pullBack(): void {
    const { steps, lanes, change, wanted, z, limits, candidates } = this;
    z.set(wanted);
    change.fill(0);
    limits.forEach(({ active, multipliers }, t) => {
      for (const row of active) change[lanes.slotOf[candidates.nodes[row]!]! * steps + t] = multipliers[row]!;
    });
    lanes.pull(change, -this.settings.powerUnitW, z);
  }

  /** Whether the copies have moved so far since all voltages were looked at that a limit could be broken that was not. */
  private mayBreak(): boolean {
    const { steps, reach, moved, room, seen, z } = this;
    moved.fill(0);
    for (let k = 0, at = 0; k < reach.length; k++) {
      const perMean = reach[k]!;
      for (let t = 0; t < steps; t++, at++) moved[t]! += perMean * Math.abs(z[at]! - seen[at]!);
    }
    return moved.some((by, t) => !(by <= room[t]!));
  }

  /** Looks at all voltages: makes the worst broken limits of each step candidates; the steps that have any. */
  private violated(): readonly number[] {
    const { steps, untouched, change, limited, room, isCandidate } = this;
    const { lowerSquaredPu, upperSquaredPu } = this.problem;
    const { slotOf } = this.lanes;
    this.lanes.spread(this.z, this.units, change);
    this.seen.set(this.z);
    room.fill(Number.POSITIVE_INFINITY);
    const broken = new Map<number, { readonly node: number; readonly by: number }[]>();
    for (const node of limited) {
      if (isCandidate[node] === 1) continue;
      const high = upperSquaredPu[node]! + BROKEN_TOLERANCE;
      const low = lowerSquaredPu[node]! - BROKEN_TOLERANCE;
      for (let t = 0, at = slotOf[node]! * steps; t < steps; t++, at++) {
        const v = untouched[at]! + change[at]!;
        const left = Math.min(high - v, v - low);
        if (left >= 0) {
          if (left < room[t]!) room[t] = left;
          continue;
        }
        const list = broken.get(t) ?? [];
        broken.set(t, list);
        list.push({ node, by: -left });
      }
    }
    const open: number[] = [];
    const found: number[] = [];
    for (const [t, list] of broken) {
      list.sort((a, b) => b.by - a.by);
      for (const { node } of list.slice(0, WORST_AT_ONCE)) {
        if (isCandidate[node] === 1) continue;
        isCandidate[node] = 1;
        this.lanes.want(node);
        found.push(node);
      }
      open.push(t);
    }
    this.learn(found);
    // What is broken and no candidate yet is to be looked at again.
    for (const t of open) if (broken.get(t)!.some(({ node }) => isCandidate[node] === 0)) room[t] = -1;
    return open;
  }

  /** Makes nodes candidates: how one power unit at each port changes their squared voltages, a node in each lane of a pass. */
  private learn(nodes: readonly number[]): void {
    const { steps, lanes, change, candidates, ports } = this;
    const answers = new Float64Array(ports.length * steps);
    for (let first = 0; first < nodes.length; first += steps) {
      const abreast = nodes.slice(first, first + steps);
      change.fill(0);
      answers.fill(0);
      abreast.forEach((node, lane) => {
        change[lanes.slotOf[node]! * steps + lane] = 1;
      });
      lanes.pull(change, this.settings.powerUnitW, answers);
      abreast.forEach((node, lane) => {
        candidates.add(
          node,
          Float64Array.from(ports, (_, k) => answers[k * steps + lane]!),
        );
      });
    }
  }

  /** Keeps the residuals near one another; prices change inversely to rho. */
  private balance(primal: number, dual: number): void {
    if (this.round % BALANCE_EVERY !== 0 || this.round > BALANCE_UNTIL) return;
    const ratio = primal / Math.max(dual, 1e-12);
    if (ratio <= BALANCE_RATIO && ratio >= 1 / BALANCE_RATIO) return;
    const factor = Math.min(10, Math.max(0.1, Math.sqrt(ratio)));
    this.rho *= factor;
    for (let at = 0; at < this.price.length; at++) this.price[at]! /= factor;
  }
}
