import type { Battery, FeederData, Load, PhaseShare, PhotovoltaicSystem } from '../../model/index.js';
import { type LinearFeeder, nodeShares } from '../lindistflow.js';

/** What stands behind one meter: the loads, PV systems and batteries of one bus. */
export interface MeterPoint {
  /** Bus id, and its name in the model: how files name the customer. */
  readonly bus: string;
  readonly name: string;
  readonly loads: readonly Load[];
  readonly pvSystems: readonly PhotovoltaicSystem[];
  readonly batteries: readonly Battery[];
}

/** The meter points of a feeder, in the order in which its elements name their buses. */
export function meterPoints(feeder: FeederData): readonly MeterPoint[] {
  const nameOf = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
  const points = new Map<string, { loads: Load[]; pvSystems: PhotovoltaicSystem[]; batteries: Battery[] }>();
  const at = (bus: string) => {
    const point = points.get(bus) ?? { loads: [], pvSystems: [], batteries: [] };
    points.set(bus, point);
    return point;
  };
  for (const load of feeder.loads) at(load.terminal.bus).loads.push(load);
  for (const pv of feeder.pvSystems) at(pv.terminal.bus).pvSystems.push(pv);
  for (const battery of feeder.batteries) at(battery.terminal.bus).batteries.push(battery);
  return Array.from(points, ([bus, point]) => ({ bus, name: nameOf.get(bus) ?? bus, ...point }));
}

/** Where one watt of a device goes: W and var by node for each watt of its total. */
export interface PowerPattern {
  readonly nodes: readonly number[];
  readonly wattPerW: readonly number[];
  readonly varPerW: readonly number[];
}

/**
 * Pattern of a device over the nodes of the linear model; empty when its bus is not fed.
 *
 * @param varPerW - reactive power that goes with each watt
 */
export function powerPattern(
  model: LinearFeeder,
  bus: string,
  shares: readonly PhaseShare[],
  varPerW: number,
): PowerPattern {
  const sum = (of: (share: PhaseShare) => number) => shares.reduce((all, share) => all + of(share), 0);
  const [totalW, totalVar] = [sum((s) => s.powerW), sum((s) => s.powerVar)];
  const byNode = new Map<number, { w: number; q: number }>();
  for (const share of shares) {
    const w = Math.abs(totalW) > 1e-9 ? share.powerW / totalW : 1 / shares.length;
    const q = varPerW * (Math.abs(totalVar) > 1e-9 ? share.powerVar / totalVar : w);
    for (const { index, re, im } of nodeShares(model, bus, share)) {
      const before = byNode.get(index) ?? { w: 0, q: 0 };
      byNode.set(index, { w: before.w + re * w - im * q, q: before.q + re * q + im * w });
    }
  }
  return {
    nodes: [...byNode.keys()],
    wattPerW: Array.from(byNode.values(), ({ w }) => w),
    varPerW: Array.from(byNode.values(), ({ q }) => q),
  };
}

/** Weighted sum of patterns; weights are shares of the total. */
export function mixedPattern(
  parts: readonly { readonly pattern: PowerPattern; readonly weight: number }[],
): PowerPattern {
  const byNode = new Map<number, { w: number; q: number }>();
  for (const { pattern, weight } of parts) {
    pattern.nodes.forEach((node, k) => {
      const before = byNode.get(node) ?? { w: 0, q: 0 };
      byNode.set(node, {
        w: before.w + weight * pattern.wattPerW[k]!,
        q: before.q + weight * pattern.varPerW[k]!,
      });
    });
  }
  return {
    nodes: [...byNode.keys()],
    wattPerW: Array.from(byNode.values(), ({ w }) => w),
    varPerW: Array.from(byNode.values(), ({ q }) => q),
  };
}

/** Adds a power drawn in a pattern to powers by node, W and var. */
export function draw(pattern: PowerPattern, powerW: number, drawnW: Float64Array, drawnVar: Float64Array): void {
  for (let k = 0; k < pattern.nodes.length; k++) {
    drawnW[pattern.nodes[k]!]! += powerW * pattern.wattPerW[k]!;
    drawnVar[pattern.nodes[k]!]! += powerW * pattern.varPerW[k]!;
  }
}
