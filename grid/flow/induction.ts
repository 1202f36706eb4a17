/*
 * Induction machines in the power flow.
 *
 * Solved: the currents J of each machine that stand beside its admittance in the matrix, J = Ys V - I(V), where I(V) is what the
 * machine takes in both sequences at the slip that its positive-sequence voltage gives (grid/model/induction.ts).
 * Steps: solve with J; J from the voltages; Anderson's mixing of the last changes; until J rests.
 * Cost: a power flow from the last voltages a round, six to ten rounds. Fails: the rounds run out, or the network has no
 * solution; then the status says so.
 * Source: D. G. Anderson (1965), "Iterative procedures for nonlinear integral equations".
 */
import { type CompiledFeeder, type InductionMachine, sequenceAdmittance, slipAt } from '../model/index.js';
import { solveDense } from './held-voltage.js';
import type { PowerFlowStatus } from './power-flow.js';

/** Change of a machine's current that counts as none, of its rated current. */
const RESTING = 1e-9;
const ROUNDS = 60;
/** Step of the differences that give a tangent, of the voltage. */
const DIFFERENCE = 1e-5;
/** Changes that are mixed. */
const DEPTH = 4;
const HALF_SQRT3 = Math.sqrt(3) / 2;

interface PlacedMachine {
  readonly machine: InductionMachine;
  readonly nodes: Int32Array;
  /** Entries of its matrix on and off the diagonal, S. */
  readonly own: readonly [number, number];
  readonly mutual: readonly [number, number];
  readonly ratedA: number;
}

/** The induction machines of a compiled feeder. */
export class InductionMachines {
  private readonly placed: readonly PlacedMachine[];
  /** J of all machines, six numbers each, A. */
  private held: Float64Array;

  constructor(private readonly compiled: CompiledFeeder) {
    this.placed = (compiled.feeder.inductionMachines ?? []).map((machine) => {
      const { nodes, primitive } = compiled.elements[compiled.elementIndex.get(machine.id)!]!;
      const { re, im } = primitive.y;
      return {
        ...{ machine, nodes, own: [re[0]!, im[0]!] as const, mutual: [re[1]!, im[1]!] as const },
        ratedA: machine.ratedPowerVA / (Math.sqrt(3) * machine.ratedVoltageV),
      };
    });
    this.held = new Float64Array(6 * this.placed.length);
  }

  get isEmpty(): boolean {
    return this.placed.length === 0;
  }

  /** Adds the present currents to those of the nodes, interleaved re/im, A. */
  addTo(current: Float64Array): void {
    this.placed.forEach(({ nodes }, m) => {
      nodes.forEach((node, i) => {
        if (node < 0) return;
        current[2 * node] = current[2 * node]! + this.held[6 * m + 2 * i]!;
        current[2 * node + 1] = current[2 * node + 1]! + this.held[6 * m + 2 * i + 1]!;
      });
    });
  }

  /** Present currents by node; undefined where there are no machines. */
  byNode(): Float64Array | undefined {
    if (this.isEmpty) return undefined;
    const current = new Float64Array(2 * this.compiled.nodeCount);
    this.addTo(current);
    return current;
  }

  /** Present currents by machine, interleaved re/im, A. */
  byId(): ReadonlyMap<string, Float64Array> {
    return new Map(this.placed.map(({ machine }, m) => [machine.id, this.held.slice(6 * m, 6 * m + 6)]));
  }

  /**
   * Brings the currents to rest.
   *
   * @param voltage - the last solution; read anew after each solve
   * @param settle - solves with the present currents
   */
  rest(voltage: () => Float64Array, settle: () => PowerFlowStatus): PowerFlowStatus {
    let status = settle();
    if (this.isEmpty) return status;
    const states: Float64Array[] = [];
    const changes: Float64Array[] = [];
    for (let round = 0; status === 'converged'; round++) {
      const wanted = this.wanted(voltage());
      const change = wanted.map((value, k) => value - this.held[k]!);
      if (change.every((value, k) => Math.abs(value) <= RESTING * this.placed[Math.floor(k / 6)]!.ratedA))
        return status;
      if (round >= ROUNDS) return 'iterationLimit';
      states.push(this.held);
      changes.push(change);
      if (states.length > DEPTH + 1) {
        states.shift();
        changes.shift();
      }
      this.held = mixed(states, changes);
      status = settle();
    }
    return status;
  }

  /**
   * How the currents answer to voltages near a state, dJ = K dV over the reals: K by central differences, true to about 1e-9.
   */
  tangents(voltage: Float64Array): NodeTangent[] {
    return this.placed.map((placed) => {
      const v = terminalVoltage(placed, voltage);
      const step = DIFFERENCE * Math.max(...v.map(Math.abs), placed.machine.ratedVoltageV);
      const matrix = new Float64Array(36);
      const [up, down] = [new Float64Array(6), new Float64Array(6)];
      for (let c = 0; c < 6; c++) {
        const at = v[c]!;
        v[c] = at + step;
        writeCurrents(placed, v, up, 0);
        v[c] = at - step;
        writeCurrents(placed, v, down, 0);
        v[c] = at;
        for (let r = 0; r < 6; r++) matrix[6 * r + c] = (up[r]! - down[r]!) / (2 * step);
      }
      return { nodes: placed.nodes, matrix };
    });
  }

  /** J that belongs to the voltages. */
  private wanted(voltage: Float64Array): Float64Array {
    const wanted = new Float64Array(this.held.length);
    this.placed.forEach((placed, m) => {
      writeCurrents(placed, terminalVoltage(placed, voltage), wanted, 6 * m);
    });
    return wanted;
  }
}

/** How the three currents of a machine answer to its three voltages, row-major over (re, im) of each, S; -1 for ground. */
export interface NodeTangent {
  readonly nodes: Int32Array;
  readonly matrix: Float64Array;
}

/** Adds the answers of machines to small changes of the voltages, or of the transposed map, to the currents of the nodes. */
export function addNodeTangents(
  tangents: readonly NodeTangent[],
  step: Float64Array,
  current: Float64Array,
  isTransposed: boolean,
): void {
  const place = (nodes: Int32Array, k: number) => (nodes[k >> 1]! < 0 ? -1 : 2 * nodes[k >> 1]! + (k & 1));
  for (const { nodes, matrix } of tangents) {
    for (let r = 0; r < 6; r++) {
      const to = place(nodes, r);
      if (to < 0) continue;
      for (let c = 0; c < 6; c++) {
        const from = place(nodes, c);
        if (from >= 0) current[to]! += matrix[isTransposed ? 6 * c + r : 6 * r + c]! * step[from]!;
      }
    }
  }
}

function terminalVoltage({ nodes }: PlacedMachine, voltage: Float64Array): Float64Array {
  const v = new Float64Array(6);
  nodes.forEach((node, i) => {
    if (node < 0) return;
    v[2 * i] = voltage[2 * node]!;
    v[2 * i + 1] = voltage[2 * node + 1]!;
  });
  return v;
}

/** Writes the J of a machine that belongs to the voltages at its terminal, six numbers from `at`, A. */
function writeCurrents({ machine, own, mutual }: PlacedMachine, v: Float64Array, to: Float64Array, at: number): void {
  const [r1, i1] = sequence(v, 1);
  const [r2, i2] = sequence(v, -1);
  const slip = slipAt(machine, r1 * r1 + i1 * i1);
  const [g1, b1] = sequenceAdmittance(machine, slip);
  const [g2, b2] = sequenceAdmittance(machine, 2 - slip);
  // both sequences see own - mutual of the matrix
  const yr = own[0] - mutual[0];
  const yi = own[1] - mutual[1];
  const one = [(yr - g1) * r1 - (yi - b1) * i1, (yr - g1) * i1 + (yi - b1) * r1] as const;
  const two = [(yr - g2) * r2 - (yi - b2) * i2, (yr - g2) * i2 + (yi - b2) * r2] as const;
  for (let i = 0; i < 3; i++) {
    const c = i === 0 ? 1 : -0.5;
    const s = i === 0 ? 0 : i === 1 ? -HALF_SQRT3 : HALF_SQRT3;
    to[at + 2 * i] = c * (one[0] + two[0]) - s * (one[1] - two[1]);
    to[at + 2 * i + 1] = c * (one[1] + two[1]) + s * (one[0] - two[0]);
  }
}

/** Positive (1) or negative (-1) sequence of three phasors. */
function sequence(v: Float64Array, sign: 1 | -1): readonly [number, number] {
  const sumR = -0.5 * (v[2]! + v[4]!);
  const sumI = -0.5 * (v[3]! + v[5]!);
  const turn = sign * HALF_SQRT3;
  return [(v[0]! + sumR - turn * (v[3]! - v[5]!)) / 3, (v[1]! + sumI + turn * (v[2]! - v[4]!)) / 3];
}

/** The next state by Anderson's mixing: the least change that the last ones combine to. */
function mixed(states: readonly Float64Array[], changes: readonly Float64Array[]): Float64Array {
  const last = changes.length - 1;
  const newest = changes[last]!;
  const plain = states[last]!.map((value, k) => value + newest[k]!);
  if (last === 0) return plain;
  const differences = Array.from({ length: last }, (_, t) => newest.map((value, k) => value - changes[t]![k]!));
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, k) => sum + value * y[k]!, 0);
  const square = Math.max(...differences.map((d) => dot(d, d)));
  const matrix = differences.map((x, i) => differences.map((y, j) => dot(x, y) + (i === j ? 1e-14 * square : 0)));
  const weights = solveDense(
    matrix,
    differences.map((d) => dot(d, newest)),
  );
  if (!weights?.every(Number.isFinite)) return plain;
  return plain.map((value, k) =>
    weights.reduce((sum, weight, t) => sum - weight * (plain[k]! - states[t]![k]! - changes[t]![k]!), value),
  );
}
