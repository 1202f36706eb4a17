import { type CompiledElement, type CompiledFeeder, injectedCurrents, type Primitive } from '../model/index.js';
import type { ShareInjection } from './injection.js';
import type { ConductorFlow, PowerFlowFallback, PowerFlowSolution, PowerFlowStatus } from './power-flow.js';

/** What a solution keeps of the solver's state. */
export interface SolvedState {
  readonly compiled: CompiledFeeder;
  readonly injection: ShareInjection;
  readonly status: PowerFlowStatus;
  readonly iterations: number;
  readonly controlPasses: number;
  readonly unsettledControls: readonly string[];
  readonly fallback?: PowerFlowFallback;
  readonly mismatchPu: number;
  readonly worstNode: number;
  /** Node voltages, owned by the solution. */
  readonly voltage: Float64Array;
  readonly primitives: readonly Primitive[];
  /** Open-circuit voltages by source id. */
  readonly sourceVoltage: ReadonlyMap<string, Float64Array>;
  /** Currents of induction machines beside their admittance, by id, interleaved re/im, A. */
  readonly machineCurrent: ReadonlyMap<string, Float64Array>;
  readonly powerW: Float64Array;
  readonly powerVar: Float64Array;
  readonly part: Uint8Array;
}

interface Power {
  readonly w: number;
  readonly var: number;
}

/** Branches from bus to bus: what a shunt reactor draws is no loss of the network (OpenDSS `Circuit.Losses`). */
export function isLossy(element: CompiledElement): boolean {
  const { kind } = element;
  if (kind === 'line' || kind === 'switch' || kind === 'transformer') return true;
  if (kind !== 'reactor') return false;
  const { conductors } = element;
  return conductors.some(({ bus }) => bus !== conductors[0]?.bus);
}

/** Whether an element ends at one of the nodes. */
function isAtAny({ nodeRoom, nodeStart, primitive }: CompiledElement, place: ReadonlyMap<number, number>): boolean {
  for (let i = 0; i < primitive.y.n; i++) if (place.has(nodeRoom[nodeStart + i]!)) return true;
  return false;
}

/** A solved state with voltages, flows and totals worked out when they are asked for. */
export class Solution implements PowerFlowSolution {
  readonly status: PowerFlowStatus;
  readonly iterations: number;
  readonly controlPasses: number;
  readonly unsettledControls: readonly string[];
  readonly fallback?: PowerFlowFallback;
  readonly mismatchPu: number;
  readonly worstBus: string;
  readonly worstNode: number;
  readonly voltage: Float64Array;
  private readonly state: SolvedState;
  private source?: Power;
  private loss?: Power;

  constructor(state: SolvedState) {
    const { compiled } = state;
    this.state = state;
    this.status = state.status;
    this.iterations = state.iterations;
    this.controlPasses = state.controlPasses;
    this.unsettledControls = state.unsettledControls;
    if (state.fallback) this.fallback = state.fallback;
    this.mismatchPu = state.mismatchPu;
    this.worstBus = compiled.nodeBus[state.worstNode] ?? '';
    this.worstNode = compiled.nodeNumber[state.worstNode] ?? 0;
    this.voltage = state.voltage;
  }

  voltageAt(bus: string, node: number): { readonly re: number; readonly im: number } | undefined {
    const i = this.state.compiled.nodeIndex(bus, node);
    return i < 0 ? undefined : { re: this.voltage[2 * i]!, im: this.voltage[2 * i + 1]! };
  }

  voltagePuAt(bus: string, node: number): number | undefined {
    const i = this.state.compiled.nodeIndex(bus, node);
    if (i < 0) return undefined;
    return Math.hypot(this.voltage[2 * i]!, this.voltage[2 * i + 1]!) / this.state.compiled.nodeBaseV[i]!;
  }

  flows(elementId: string): readonly ConductorFlow[] {
    const { compiled } = this.state;
    const index = compiled.elementIndex.get(elementId);
    if (index !== undefined) return this.elementFlows(index);
    const range = compiled.shares.rangeOf.get(elementId);
    return range ? this.shareFlows(range) : [];
  }

  get sourceW(): number {
    return this.sourcePower().w;
  }

  get sourceVar(): number {
    return this.sourcePower().var;
  }

  get lossW(): number {
    return this.branchLoss().w;
  }

  get lossVar(): number {
    return this.branchLoss().var;
  }

  private sourcePower(): Power {
    this.source ??= this.total(({ kind }) => kind === 'source', -1);
    return this.source;
  }

  private branchLoss(): Power {
    this.loss ??= this.total(isLossy, 1);
    return this.loss;
  }

  private total(isCounted: (element: CompiledElement) => boolean, sign: 1 | -1): Power {
    let w = 0;
    let vars = 0;
    this.state.compiled.elements.forEach((element, e) => {
      if (!isCounted(element)) return;
      for (const flow of this.elementFlows(e)) {
        w += flow.powerW;
        vars += flow.powerVar;
      }
    });
    return { w: sign * w, var: sign * vars };
  }

  /**
   * Currents into everything but the sources at the nodes of a source, interleaved re/im. Behind a stiff source these
   * tell its current better than the drop over its impedance, which is lost in the rounding of the voltages.
   * Undefined where that does not hold: the neighbours are stiffer, or another source stands at the same node.
   */
  private surroundings(index: number): Float64Array | undefined {
    const { compiled, primitives } = this.state;
    const source = compiled.elements[index]!;
    const place = new Map<number, number>();
    source.nodes.forEach((node, i) => {
      if (node >= 0) place.set(node, i);
    });
    const size = (y: { re: Float64Array; im: Float64Array }, k: number) => Math.hypot(y.re[k]!, y.im[k]!);
    const own = primitives[index]!.y;
    const currents = new Float64Array(2 * source.nodes.length);
    for (let e = 0; e < compiled.elements.length; e++) {
      const element = compiled.elements[e]!;
      if (e === index || !isAtAny(element, place)) continue;
      if (element.kind === 'source' && !this.constantCurrents(element.id)) return undefined;
      const { y } = primitives[e]!;
      const flows = this.elementFlows(e);
      for (let i = 0; i < element.nodes.length; i++) {
        const at = place.get(element.nodes[i]!);
        if (at === undefined) continue;
        if (size(y, i * (y.n + 1)) > size(own, at * (own.n + 1))) return undefined;
        currents[2 * at] = currents[2 * at]! + flows[i]!.currentRe;
        currents[2 * at + 1] = currents[2 * at + 1]! + flows[i]!.currentIm;
      }
    }
    for (const [first, end] of compiled.shares.rangeOf.values()) {
      for (let k = first; k < end; k++) {
        for (const [node, sign] of [
          [compiled.shares.a[k]!, 1],
          [compiled.shares.b[k]!, -1],
        ] as const) {
          const at = place.get(node);
          if (at === undefined) continue;
          const [ir, ii] = this.state.injection.current(k, this.voltage, this.state);
          currents[2 * at] = currents[2 * at]! + sign * ir;
          currents[2 * at + 1] = currents[2 * at + 1]! + sign * ii;
        }
      }
    }
    return currents;
  }

  /** Currents that a source of constant current gives, interleaved re/im, A; undefined for any other element. */
  private constantCurrents(elementId: string): Float64Array | undefined {
    const source = this.state.compiled.feeder.currentSources?.find(({ id }) => id === elementId);
    return source && injectedCurrents(source);
  }

  private elementFlows(index: number): ConductorFlow[] {
    const { compiled, primitives, sourceVoltage } = this.state;
    const element = compiled.elements[index]!;
    const constant = this.constantCurrents(element.id);
    const around = element.kind === 'source' && !constant ? this.surroundings(index) : undefined;
    const { n, data, offset } = primitives[index]!.y;
    const square = n * n;
    const inner = sourceVoltage.get(element.id);
    const beside = this.state.machineCurrent.get(element.id);
    const vr = new Float64Array(n);
    const vi = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      const node = element.nodeRoom[element.nodeStart + j]!;
      if (node >= 0) {
        vr[j] = this.voltage[2 * node]!;
        vi[j] = this.voltage[2 * node + 1]!;
      }
    }
    return element.conductors.map((conductor, i) => {
      let ir = 0;
      let ii = 0;
      for (let j = 0; j < n; j++) {
        const ur = vr[j]! - (inner ? inner[2 * j]! : 0);
        const ui = vi[j]! - (inner ? inner[2 * j + 1]! : 0);
        const k = offset + i * n + j;
        ir += data[k]! * ur - data[k + square]! * ui;
        ii += data[k]! * ui + data[k + square]! * ur;
      }
      if (beside) {
        ir -= beside[2 * i]!;
        ii -= beside[2 * i + 1]!;
      }
      const given = constant ?? around;
      if (given) {
        ir = -given[2 * i]!;
        ii = -given[2 * i + 1]!;
      }
      return {
        terminal: conductor.terminal,
        bus: conductor.bus,
        node: conductor.node,
        currentRe: ir,
        currentIm: ii,
        powerW: vr[i]! * ir + vi[i]! * ii,
        powerVar: vi[i]! * ir - vr[i]! * ii,
      };
    });
  }

  private shareFlows([first, end]: readonly [number, number]): ConductorFlow[] {
    const { compiled, injection } = this.state;
    const sums = new Map<number, [number, number]>();
    for (let k = first; k < end; k++) {
      const [ir, ii] = injection.current(k, this.voltage, this.state);
      const add = (node: number, sign: 1 | -1) => {
        const sum = sums.get(node) ?? [0, 0];
        sum[0] += sign * ir;
        sum[1] += sign * ii;
        sums.set(node, sum);
      };
      add(compiled.shares.a[k]!, 1);
      add(compiled.shares.b[k]!, -1);
    }
    return [...sums]
      .filter(([node]) => node >= 0)
      .map(([node, [ir, ii]]) => {
        const vr = this.voltage[2 * node]!;
        const vi = this.voltage[2 * node + 1]!;
        return {
          terminal: 1,
          bus: compiled.nodeBus[node]!,
          node: compiled.nodeNumber[node]!,
          currentRe: ir,
          currentIm: ii,
          powerW: vr * ir + vi * ii,
          powerVar: vi * ir - vr * ii,
        };
      });
  }
}
