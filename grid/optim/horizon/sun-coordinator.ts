import { adjoint } from '../linear-network.js';
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
 * Steps: voltages of x + u in all steps by one sweep (lane-network.ts); prices of limits that have been near to binding
 *   (step-limits.ts); z by one sweep of the gradient; its voltages by another, which finds broken limits; over-relaxation;
 *   balancing of rho as in coordinator-update.ts.
 * Cost: O(branches * steps + sum over steps of binding rows^2) a round.
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
  private readonly lanes: LaneNetwork;
  /** Squared voltages without curtailment, nodes by steps. */
  private readonly untouched: Float64Array;
  private readonly change: Float64Array;
  private readonly mean: Float64Array;
  private readonly z: Float64Array;
  private readonly price: Float64Array;
  private readonly offset: Float64Array;
  private readonly wanted: Float64Array;
  private readonly drawn: Float64Array;
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
    const drawing = ports.flatMap(({ nodes, shareIm }) =>
      Array.from(nodes, (node, j) => ({ node, isReactive: shareIm[j] !== 0 })),
    );
    this.lanes = new LaneNetwork(network, drawing, this.steps);
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
    this.drawn = new Float64Array(this.steps);
    const cap = settings.violationPrice / settings.voltageUnitSquaredPu;
    this.candidates = new CandidateRows((node) => this.response(node), this.counts, problem, cap);
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
    counts.forEach((n, k) => {
      const sum = sums[k]!;
      for (let t = 0; t < steps; t++) {
        const at = k * steps + t;
        const x = sum[t]! / n;
        mean[at] = x;
        wanted[at] = relaxation * x + (1 - relaxation) * z[at]! + price[at]!;
      }
    });
    const isBorne = this.project();
    let primal = 0;
    let dual = moved;
    let sizeX = 0;
    let sizeZ = 0;
    let sizeU = 0;
    let customers = 0;
    counts.forEach((n, k) => {
      customers += n;
      for (let at = k * steps; at < (k + 1) * steps; at++) {
        price[at] = wanted[at]! - z[at]!;
        const between = z[at]! - mean[at]!;
        // Everybody's copy moves by its own change and by that of what all at the port are asked to add.
        const further = between - offset[at]!;
        dual += n * further * (2 * (mean[at]! - before[at]!) + further);
        offset[at] = between;
        primal += n * between * between;
        sizeX += n * mean[at]! * mean[at]!;
        sizeZ += n * z[at]! * z[at]!;
        sizeU += n * price[at]! * price[at]!;
      }
    });
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
    const { z, wanted, limits, candidates, untouched, change, steps } = this;
    this.spread(wanted, false);
    const { slotOf } = this.lanes;
    const take = (t: number) =>
      limits[t]!.take((node) => untouched[slotOf[node]! * steps + t]! + change[slotOf[node]! * steps + t]!);
    limits.forEach((own, t) => {
      take(t);
      own.solve();
    });
    for (let pass = 0; ; pass++) {
      this.pullBack();
      this.spread(z, true);
      const open = this.violated();
      if (open.length === 0) return true;
      if (pass >= MOST_PASSES) return false;
      this.spread(wanted, false);
      for (let t = 0; t < steps; t++) {
        if (limits[t]!.multipliers.length < candidates.count) take(t);
      }
      for (const t of open) limits[t]!.solve();
    }
  }

  /** Voltage changes by means at the ports: of all nodes, or of candidates. */
  private spread(means: Float64Array, isWhole: boolean): void {
    const { steps, ports, counts, lanes, change, drawn } = this;
    const { powerUnitW } = this.settings;
    lanes.clear();
    ports.forEach(({ nodes, shareRe, shareIm }, k) => {
      const power = counts[k]! * powerUnitW;
      for (let t = 0; t < steps; t++) drawn[t] = power * means[k * steps + t]!;
      for (let j = 0; j < nodes.length; j++) lanes.draw(nodes[j]!, shareRe[j]!, shareIm[j]!, drawn, 0);
    });
    lanes.spread(change, isWhole);
  }

  /** The wanted means less what the prices of limits take from them. */
  private pullBack(): void {
    const { steps, ports, lanes, change, wanted, z, limits, candidates } = this;
    const { powerUnitW } = this.settings;
    z.set(wanted);
    change.fill(0);
    limits.forEach(({ active, multipliers }, t) => {
      for (const row of active) change[lanes.slotOf[candidates.nodes[row]!]! * steps + t] = multipliers[row]!;
    });
    lanes.pull(change);
    ports.forEach(({ nodes, shareRe, shareIm }, k) => {
      for (let j = 0; j < nodes.length; j++) {
        lanes.gradientAt(nodes[j]!, -powerUnitW * shareRe[j]!, -powerUnitW * shareIm[j]!, z, k * steps);
      }
    });
  }

  /** Makes the worst broken limits of each step candidates; the steps that have any. */
  private violated(): readonly number[] {
    const { steps, untouched, change, limited, candidates } = this;
    const { lowerSquaredPu, upperSquaredPu } = this.problem;
    const { slotOf } = this.lanes;
    const broken = new Map<number, { readonly node: number; readonly by: number }[]>();
    for (const node of limited) {
      const high = upperSquaredPu[node]! + BROKEN_TOLERANCE;
      const low = lowerSquaredPu[node]! - BROKEN_TOLERANCE;
      for (let t = 0, at = slotOf[node]! * steps; t < steps; t++, at++) {
        const v = untouched[at]! + change[at]!;
        if (v <= high && v >= low) continue;
        const list = broken.get(t) ?? [];
        broken.set(t, list);
        list.push({ node, by: Math.max(v - high, low - v) });
      }
    }
    const open: number[] = [];
    for (const [t, list] of broken) {
      let isNew = false;
      list.sort((a, b) => b.by - a.by);
      for (const { node } of list.slice(0, WORST_AT_ONCE)) {
        isNew = candidates.add(node) || isNew;
        this.lanes.want(node);
      }
      if (isNew) open.push(t);
    }
    return open;
  }

  /** Change of a node's squared voltage by one power unit at each port. */
  private response(node: number): Float64Array {
    const { network } = this.problem;
    const { powerUnitW } = this.settings;
    const weight = new Float64Array(network.nodes.length);
    weight[node] = 1;
    const { perW, perVar } = adjoint(network, weight);
    return Float64Array.from(this.ports, ({ nodes, shareRe, shareIm }) => {
      let sum = 0;
      for (let j = 0; j < nodes.length; j++) {
        sum += powerUnitW * (shareRe[j]! * perW[nodes[j]!]! + shareIm[j]! * perVar[nodes[j]!]!);
      }
      return sum;
    });
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
