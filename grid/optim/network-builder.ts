import type { Bus, Finding } from '../model/index.js';
import type { LinearBranch, LinearNode } from './linear-network.js';

/** A branch element in a common form while the tree is walked. */
export interface Edge {
  readonly id: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Builds the branches seen from `parentBus`; the child nodes they feed become known. */
  readonly build: (parentBus: string) => LinearBranch[];
  /** Nodes of the element at a bus. */
  readonly nodesAt: (bus: string) => readonly number[];
}

/** Nodes and branches of a linear network while it grows from the source. */
export class NetworkBuilder {
  readonly nodes: LinearNode[] = [];
  readonly index = new Map<string, number>();
  readonly branches: LinearBranch[] = [];
  readonly shuntW: number[] = [];
  readonly shuntVar: number[] = [];
  readonly findings: Finding[] = [];
  /** Inner points of three-winding units, by transformer and phase. */
  readonly innerPoints = new Map<string, number>();

  /** Nodes of two buses that a wire joins: `bus bus node`, buses in order. */
  private readonly wires = new Set<string>();

  /** Notes that a wire joins the same node of two buses. */
  addWire(one: string, other: string, node: number): void {
    this.wires.add(wireKey(one, other, node));
  }

  isWired(one: string, other: string, node: number): boolean {
    return this.wires.has(wireKey(one, other, node));
  }

  /** Adds a node; `bus` is empty for an inner point. Returns its index. */
  addNode(bus: string, node: number, baseV: number, angleRad: number): number {
    const at = this.nodes.length;
    this.nodes.push({ bus, node, baseV, angleRad });
    this.shuntW.push(0);
    this.shuntVar.push(0);
    if (bus !== '') this.index.set(`${bus} ${node}`, at);
    return at;
  }

  /** Index of a node that is fed, or undefined. */
  at(bus: string, node: number): number | undefined {
    return this.index.get(`${bus} ${node}`);
  }
}

function wireKey(one: string, other: string, node: number): string {
  return one < other ? `${one} ${other} ${node}` : `${other} ${one} ${node}`;
}

/** Complex share of the power across (`a`, `b`) that node `a` carries, at nominal angles. */
export function coilShare(nodes: readonly LinearNode[], a: number, b: number): { re: number; im: number } {
  const va = nodes[a]!;
  const vb = nodes[b]!;
  const aRe = va.baseV * Math.cos(va.angleRad);
  const aIm = va.baseV * Math.sin(va.angleRad);
  const dRe = aRe - vb.baseV * Math.cos(vb.angleRad);
  const dIm = aIm - vb.baseV * Math.sin(vb.angleRad);
  const d2 = dRe * dRe + dIm * dIm;
  return { re: (aRe * dRe + aIm * dIm) / d2, im: (aIm * dRe - aRe * dIm) / d2 };
}

/** Whether a node number is a phase (or leg) of the bus, not its neutral or an explicit earth wire. */
export function isPhaseNode(node: number, bus: Bus): boolean {
  return node >= 1 && node <= (bus.isSplitPhase ? 2 : 3);
}
