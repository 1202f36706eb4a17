import { KktSystem, type LimitRows, solveLimits, TripletList } from '../math/index.js';
import type { CoordinatorData, CoordinatorMemory, Projection } from './coordinator-memory.js';
import type { Exchange } from './exchange.js';
import { PROXIMAL_SHARE, type StarSettings } from './star-settings.js';

/*
 * The projection of a round: the primary's linear network and limits in one saddle-point system (coordinator-update.ts).
 *
 * Steps: 1. unknowns are own alpha, port powers, and flow and voltage of every node; factorised once per rho. 2. Per round
 *        one substitution; limits that bind are found by limit-programme.ts with one substitution per limit that ever binds.
 * Cost: O(nodes) per substitution. Fails: not; limits are soft by an exact penalty.
 */

/** Violation of a limit that is left alone, in its units. */
export const ROW_TOLERANCE = 1e-8;

/** The projection: one saddle-point system and the rows of the limits. */
export class ZSolver implements Projection {
  readonly portNodes: Int32Array;
  protected readonly kkt: KktSystem;
  private readonly rightSide: Float64Array;
  protected readonly work: Float64Array;
  private readonly columns = new Map<number, Float64Array>();
  private readonly responses = new Map<number, Float64Array>();
  protected readonly limits: LimitRows;
  private readonly unlimited: Float64Array;
  private readonly values: Float64Array;
  protected readonly unknowns: number;
  protected readonly atPort: number;
  protected readonly atVoltage: number;
  /** First unknown of the flows, by node index, and first equation of power balances and voltage drops. */
  protected readonly atFlow: { readonly p: number; readonly q: number };
  protected readonly equationOf: { readonly p: number; readonly q: number; readonly v: number };
  protected readonly rowCount: number;
  private readonly theta: Float64Array;
  /** By port node: whether its power is given. */
  private readonly isHeld: Uint8Array;

  constructor(
    protected readonly data: CoordinatorData,
    protected readonly settings: StarSettings,
    readonly rho: number,
    protected readonly hasVoltage: Uint8Array,
  ) {
    const { network, groupCount, units } = data;
    const n = network.nodes.length;
    const roots = network.rootCount;
    const inner = n - roots;
    this.portNodes = Int32Array.from(data.agents.flatMap((agent) => agent.portNodes));
    this.isHeld = heldPorts(data);
    const heldPower = data.agents.flatMap(({ portNodes, held }) => portNodes.map((_, k) => held?.powerW[k] ?? 0));
    const heldReactive = data.agents.flatMap(({ portNodes, held }) => portNodes.map((_, k) => held?.powerVar[k] ?? 0));
    const ports = this.portNodes.length;
    const unit = settings.powerUnitW;
    const voltageUnit = settings.voltageUnitSquaredPu;
    // Unknowns: own alpha, port P, port Q, then flow P, flow Q and v of every node below the roots.
    this.atPort = groupCount;
    const atP = groupCount + 2 * ports - roots;
    const atQ = atP + inner;
    this.atVoltage = atQ + inner;
    this.unknowns = groupCount + 2 * ports + 3 * inner;
    const rowP = -roots;
    const rowQ = rowP + inner;
    const rowV = rowQ + inner;
    const equations = 3 * inner;
    this.atFlow = { p: atP, q: atQ };
    this.equationOf = { p: this.unknowns + rowP, q: this.unknowns + rowQ, v: this.unknowns + rowV };
    const a = new TripletList();
    this.rightSide = new Float64Array(this.unknowns + equations);
    const b = this.rightSide.subarray(this.unknowns);
    for (let i = roots; i < n; i++) {
      a.add(rowP + i, atP + i, 1);
      a.add(rowQ + i, atQ + i, 1);
      a.add(rowV + i, this.atVoltage + i, 1);
      b[rowP + i] = (data.drawnW[i]! + network.shuntW[i]!) / unit;
      b[rowQ + i] = (data.drawnVar[i]! + network.shuntVar[i]!) / unit;
      b[rowV + i] = -1 / voltageUnit;
    }
    for (const own of units) {
      own.nodes.forEach((node, k) => {
        if (node < roots) return;
        const p = (own.availableW * own.shareRe[k]!) / unit;
        const q = (own.availableW * own.shareIm[k]!) / unit;
        b[rowP + node]! -= p;
        b[rowQ + node]! -= q;
        a.add(rowP + node, own.group, -p);
        a.add(rowQ + node, own.group, -q);
      });
    }
    this.portNodes.forEach((node, k) => {
      if (node < roots) return;
      if (this.isHeld[k]) {
        b[rowP + node]! += heldPower[k]! / unit;
        b[rowQ + node]! += heldReactive[k]! / unit;
        return;
      }
      a.add(rowP + node, this.atPort + k, -1);
      a.add(rowQ + node, this.atPort + ports + k, -1);
    });
    for (const { parents, children, gain, dropP, dropQ, shareRe, shareIm } of network.branches) {
      const kc = children.length;
      const m = parents.length;
      for (let i = 0; i < m; i++) {
        const parent = parents[i]!;
        if (parent < roots) continue;
        for (let j = 0; j < kc; j++) {
          const re = shareRe[i * kc + j]!;
          const im = shareIm[i * kc + j]!;
          a.add(rowP + parent, atP + children[j]!, -re);
          a.add(rowP + parent, atQ + children[j]!, im);
          a.add(rowQ + parent, atQ + children[j]!, -re);
          a.add(rowQ + parent, atP + children[j]!, -im);
        }
      }
      for (let i = 0; i < kc; i++) {
        const row = rowV + children[i]!;
        for (let j = 0; j < m; j++) {
          const g = gain[i * m + j]!;
          const parent = parents[j]!;
          if (parent < roots) b[row]! += (g * data.rootVoltageSquaredPu[parent]!) / voltageUnit;
          else {
            a.add(row, this.atVoltage + parent, -g);
            b[row]! += g / voltageUnit;
          }
        }
        for (let j = 0; j < kc; j++) {
          a.add(row, atP + children[j]!, (dropP[i * kc + j]! * unit) / voltageUnit);
          a.add(row, atQ + children[j]!, (dropQ[i * kc + j]! * unit) / voltageUnit);
        }
      }
    }
    this.kkt = new KktSystem(
      new TripletList().toMatrix(this.unknowns, this.unknowns),
      a.toMatrix(equations, this.unknowns),
    );
    this.theta = new Float64Array(this.unknowns);
    this.setTheta();
    this.work = new Float64Array(this.unknowns + equations);

    this.rowCount = n + groupCount;
    const lower = new Float64Array(this.rowCount).fill(-Infinity);
    const upper = new Float64Array(this.rowCount).fill(Infinity);
    const cap = new Float64Array(this.rowCount).fill(settings.violationPrice);
    for (let i = roots; i < n; i++) {
      lower[i] = (data.lowerSquaredPu[i]! - data.correctionSquaredPu[i]! - 1) / voltageUnit;
      upper[i] = (data.upperSquaredPu[i]! - data.correctionSquaredPu[i]! - 1) / voltageUnit;
    }
    for (let g = 0; g < groupCount; g++) {
      lower[n + g] = 0;
      upper[n + g] = data.ceiling?.[g] ?? 1;
      cap[n + g] = Infinity;
    }
    this.limits = { count: this.rowCount, lower, upper, cap, column: (i) => this.column(i) };
    this.unlimited = new Float64Array(this.rowCount);
    this.values = new Float64Array(this.rowCount);
  }

  private setTheta(): void {
    const { data, settings, theta, rho, portNodes } = this;
    const ports = portNodes.length;
    for (let g = 0; g < data.groupCount; g++) {
      theta[g] = (data.cost.quadratic[g]! * 1000) / settings.powerUnitW + this.proximal(g);
    }
    for (let k = 0; k < ports; k++) {
      theta[this.atPort + k] = rho;
      theta[this.atPort + ports + k] = rho * settings.reactiveWeight;
      if (this.hasVoltage[k] && portNodes[k]! >= data.network.rootCount) theta[this.voltageOf(portNodes[k]!)]! += rho;
    }
    this.kkt.factorise(theta);
  }

  /** What the linear voltage of a node misses, in voltage units. */
  private shift(node: number): number {
    return this.data.correctionSquaredPu[node]! / this.settings.voltageUnitSquaredPu;
  }

  protected voltageOf(node: number): number {
    return this.atVoltage + node;
  }

  private proximal(g: number): number {
    const { cost } = this.data;
    return cost.quadratic[g]! > 0 ? 0 : (PROXIMAL_SHARE * cost.linear[g]! * 1000) / this.settings.powerUnitW;
  }

  /** Row values of an answer of the saddle-point system. */
  protected rowsOf(solution: Float64Array, into: Float64Array): void {
    const { network, groupCount } = this.data;
    for (let i = network.rootCount; i < network.nodes.length; i++) into[i] = solution[this.voltageOf(i)]!;
    for (let g = 0; g < groupCount; g++) into[network.nodes.length + g] = solution[g]!;
  }

  private column(i: number): Float64Array {
    const known = this.columns.get(i);
    if (known) return known;
    const n = this.data.network.nodes.length;
    const response = new Float64Array(this.work.length);
    response[i < n ? this.voltageOf(i) : i - n] = 1;
    this.kkt.solve(response);
    const column = new Float64Array(this.rowCount);
    this.rowsOf(response, column);
    this.columns.set(i, column);
    this.responses.set(i, response);
    return column;
  }

  /** Puts the right-hand side of a round into `work`: what the answers pull to, and the network's given power. */
  protected setRightSide(answer: Exchange, price: Exchange, ownAlpha: Float64Array): void {
    const { data, settings, rho, work, portNodes } = this;
    const ports = portNodes.length;
    work.set(this.rightSide);
    for (let g = 0; g < data.groupCount; g++) {
      work[g] = (-data.cost.linear[g]! * 1000) / settings.powerUnitW + this.proximal(g) * ownAlpha[g]!;
    }
    for (let k = 0; k < ports; k++) {
      work[this.atPort + k] = rho * (answer.power[k]! + price.power[k]!);
      work[this.atPort + ports + k] = rho * settings.reactiveWeight * (answer.reactive[k]! + price.reactive[k]!);
      if (this.hasVoltage[k] && portNodes[k]! >= data.network.rootCount) {
        work[this.voltageOf(portNodes[k]!)]! +=
          rho * (answer.voltage[k]! + price.voltage[k]! - this.shift(portNodes[k]!));
      }
    }
  }

  /** Reads the answer in `work`: copies of the ports' quantities and own fractions. */
  protected takeAnswer(z: Exchange, ownAlpha: Float64Array): void {
    const { data, settings, work, portNodes } = this;
    const ports = portNodes.length;
    for (let g = 0; g < data.groupCount; g++) ownAlpha[g] = Math.min(data.ceiling?.[g] ?? 1, Math.max(0, work[g]!));
    for (let k = 0; k < ports; k++) {
      z.power[k] = work[this.atPort + k]!;
      z.reactive[k] = work[this.atPort + ports + k]!;
      const node = portNodes[k]!;
      z.voltage[k] =
        node >= data.network.rootCount
          ? work[this.voltageOf(node)]! + this.shift(node)
          : (data.rootVoltageSquaredPu[node]! - 1) / settings.voltageUnitSquaredPu;
    }
  }

  /** Minimises; `z` is overwritten. */
  solve(answer: Exchange, price: Exchange, z: Exchange, memory: CoordinatorMemory): void {
    const { work, unknowns } = this;
    this.setRightSide(answer, price, memory.ownAlpha);
    this.kkt.solve(work);
    this.unlimited.fill(0);
    this.rowsOf(work, this.unlimited);
    solveLimits(this.limits, this.unlimited, memory.multipliers, this.values, ROW_TOLERANCE);
    for (let r = 0; r < this.rowCount; r++) {
      const multiplier = memory.multipliers[r]!;
      if (multiplier === 0) continue;
      this.column(r);
      const response = this.responses.get(r)!;
      for (let i = 0; i < unknowns; i++) work[i]! -= multiplier * response[i]!;
    }
    this.takeAnswer(z, memory.ownAlpha);
  }
}

/** Whether a port node is one of an agent that takes no part. */
export function heldPorts(data: CoordinatorData): Uint8Array {
  return Uint8Array.from(
    data.agents.flatMap(({ portNodes, held }) => portNodes.map(() => (held === undefined ? 0 : 1))),
  );
}
