/*
 * Base voltages of buses: what OpenDSS' `calcvoltagebases` gives them.
 *
 * Solved: the node voltages of the circuit without loads, capacitors and charging, Y V = I of the sources.
 * Steps: (1) sum the primitives of sources, lines, switches, transformers and reactors; (2) nodes without a path to a source
 * are set to zero; (3) factor and solve once; (4) the magnitude at a bus' first node chooses the base that is nearest in
 * ratio. Without `calcvoltagebases` the rated voltages of sources and windings are the bases to choose from.
 * Cost: one sparse factorisation. Fails: a singular matrix gives no voltages, the answer is then undefined.
 * Source: OpenDSS, Solution.pas (SolveZeroLoadSnapShot) and DSSGlobals (SetVoltageBases, NearestBasekV).
 */
import { ComplexFactor, DecError } from '../../math/index.js';
import {
  buildFeeder,
  type CompiledFeeder,
  compile,
  type FeederData,
  sourceVoltages,
  zeroMatrix,
} from '../../model/index.js';

/** Voltage bases where `set voltagebases` is not given, kV line to line (OpenDSS). */
export const DEFAULT_BASES_KV: readonly number[] = [0.208, 0.48, 12.47, 24.9, 34.5, 115, 230];

/** Floating islands beyond this number are not tied one by one. */
const MOST_FLOATING = 200;

/** The base nearest in ratio, kV; the first one where several are as near. */
export function nearestBase(kv: number, bases: readonly number[]): number {
  let best = bases[0] ?? 0;
  let least = Number.POSITIVE_INFINITY;
  for (const base of bases) {
    const distance = Math.abs(1 - kv / base);
    if (distance < least) {
      least = distance;
      best = base;
    }
  }
  return best;
}

/** The circuit with nothing but what carries voltage. */
function unloaded({ currentSources: _currents, inductionMachines: _induction, ...data }: FeederData): FeederData {
  return {
    ...data,
    lines: data.lines.map((line) => ({ ...line, shuntSiemens: zeroMatrix(line.seriesOhm.n) })),
    reactors: data.reactors.filter(({ from, to }) => from.bus !== to.bus),
    capacitors: [],
    loads: [],
    pvSystems: [],
    batteries: [],
    machines: [],
  };
}

/** Admittance matrix as columns of its upper triangle, with the source currents. */
function assemble(compiled: CompiledFeeder) {
  const n = compiled.nodeCount;
  const columns: Map<number, [number, number]>[] = Array.from({ length: n }, () => new Map());
  const add = (i: number, j: number, re: number, im: number) => {
    const column = columns[Math.max(i, j)]!;
    const cell = column.get(Math.min(i, j));
    if (cell) {
      cell[0] += re;
      cell[1] += im;
    } else column.set(Math.min(i, j), [re, im]);
  };
  const current = new Float64Array(2 * n);
  const live: number[] = [];
  const sources = new Map(compiled.feeder.sources.map((source) => [source.id, source]));
  for (const { nodes, primitive, id } of compiled.elements) {
    const { n: size, re, im } = primitive.y;
    const source = sources.get(id);
    const inner = source && sourceVoltages(source, source.voltageV);
    for (let a = 0; a < size; a++) {
      const i = nodes[a]!;
      if (i < 0) continue;
      if (source) live.push(i);
      for (let b = 0; b < size; b++) {
        const gr = re[a * size + b]!;
        const gi = im[a * size + b]!;
        if (inner) {
          current[2 * i] = current[2 * i]! + gr * inner[2 * b]! - gi * inner[2 * b + 1]!;
          current[2 * i + 1] = current[2 * i + 1]! + gr * inner[2 * b + 1]! + gi * inner[2 * b]!;
        }
        const j = nodes[b]!;
        // Two conductors of one element at one node meet in one diagonal entry.
        if (j >= i && (gr !== 0 || gi !== 0)) add(i, j, gr, gi);
      }
    }
  }
  return { columns, current, live };
}

/** Nodes that a path of admittances ties to a source. */
function reached(columns: readonly Map<number, unknown>[], live: readonly number[]): Uint8Array {
  const neighbours: number[][] = columns.map(() => []);
  columns.forEach((column, j) => {
    for (const i of column.keys()) {
      if (i === j) continue;
      neighbours[i]!.push(j);
      neighbours[j]!.push(i);
    }
  });
  const isReached = new Uint8Array(columns.length);
  const queue = [...live];
  for (const node of queue) isReached[node] = 1;
  for (let at = 0; at < queue.length; at++) {
    for (const next of neighbours[queue[at]!]!) {
      if (isReached[next]) continue;
      isReached[next] = 1;
      queue.push(next);
    }
  }
  return isReached;
}

/** Node voltages without load, interleaved re/im, V; undefined where the circuit has no such state. */
function noLoadVoltages(compiled: CompiledFeeder): Float64Array | undefined {
  const { columns, current, live } = assemble(compiled);
  const isReached = reached(columns, live);
  const n = compiled.nodeCount;
  const colPtr = new Int32Array(n + 1);
  const rows: number[] = [];
  const values: number[] = [];
  columns.forEach((column, j) => {
    if (!column.has(j)) column.set(j, [0, 0]);
    const entries = [...column].sort(([a], [b]) => a - b);
    for (const [i, [re, im]] of entries) {
      rows.push(i);
      const isDead = i === j && !isReached[j];
      values.push(re + (isDead ? 1 : 0), im);
    }
    colPtr[j + 1] = rows.length;
  });
  const factor = new ComplexFactor(n, colPtr, Int32Array.from(rows));
  const matrix = Float64Array.from(values);
  for (let lost = factor.refactor(matrix), tries = 0; lost >= 0; lost = factor.refactor(matrix), tries++) {
    if (tries > MOST_FLOATING) return undefined;
    // A floating island is tied to ground at the node where its pivot was lost.
    const place = 2 * rows.indexOf(lost, colPtr[lost]!);
    matrix[place] = matrix[place]! + Math.max(1e-6 * Math.hypot(matrix[place]!, matrix[place + 1]!), 1e-9);
  }
  const voltage = new Float64Array(2 * n);
  factor.solve(current, voltage);
  return voltage.every(Number.isFinite) ? voltage : undefined;
}

/** Magnitude of the no-load voltage by bus and node number, V. */
export type NoLoadVoltages = ReadonlyMap<string, ReadonlyMap<number, number>>;

/**
 * No-load voltage magnitudes of a circuit whose buses need no bases yet.
 *
 * @returns undefined where the circuit cannot be compiled or has no such state
 */
export function solveNoLoad(data: FeederData): NoLoadVoltages | undefined {
  let compiled: CompiledFeeder;
  try {
    compiled = compile(buildFeeder(unloaded(data)));
  } catch (cause) {
    if (cause instanceof DecError) return undefined;
    throw cause;
  }
  const voltage = noLoadVoltages(compiled);
  if (!voltage) return undefined;
  const byBus = new Map<string, Map<number, number>>();
  compiled.nodeBus.forEach((bus, i) => {
    const nodes = byBus.get(bus) ?? new Map<number, number>();
    byBus.set(bus, nodes);
    nodes.set(compiled.nodeNumber[i]!, Math.hypot(voltage[2 * i]!, voltage[2 * i + 1]!));
  });
  return byBus;
}
