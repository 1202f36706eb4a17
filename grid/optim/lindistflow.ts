import { DecError } from '../math/index.js';
import {
  type Bus,
  type ComplexMatrix,
  type FeederData,
  type Finding,
  type PhaseShare,
  reactorPrimitive,
} from '../model/index.js';
import { keepWires, wireDrop } from './branch-coefficients.js';
import { collectTransformers } from './lindistflow-transformer.js';
import type { LinearBranch, LinearNetwork } from './linear-network.js';
import { type ClosedLoop, closedLoop, loopError } from './loops.js';
import { coilShare, type Edge, isPhaseNode, NetworkBuilder } from './network-builder.js';
import type { PrimaryState } from './star.js';

/*
 * From a feeder to its linear model (LinDistFlow on real phases).
 *
 * Steps: 1. breadth-first from the source over closed branches; a branch that reaches a fed node closes a loop;
 *        2. each branch becomes gain, drop and share coefficients on the phases it has;
 *        3. capacitors, shunt reactors, line charging and no-load losses become constant power at nominal voltage.
 * Lines: see branch-coefficients.ts; wires other than phases are reduced as grounded at both ends.
 * Transformers: a child node's voltage behind the coils is V' = sum c_i V_i over parent nodes (c from connection, rated
 *   voltages and taps). At nominal angles node i carries the complex share s_i = c_i V_i / V' of the child's power, and
 *   |V'|^2 moves with v_i by Re(s_i) |V'|^2. A series impedance stands on the child's side, without coupling of phases.
 *   Delta secondaries float: they have no zero sequence. Banks of tanks between phases on both sides are balanced
 *   equivalents, node to node; beside a wire that joins one of their phases (open delta) they are what they are:
 *   V_a' = V_w + c (V_a - V_w).
 * Centre-tapped units (120/240 V): an inner point behind the primary winding carries P_s1 + P_s2; each leg adds its own
 *   winding. With the star equivalent (r1, x1), (r2, x2), (r3, x3):
 *     v_leg = g v_primary - 2 [r1 (P1 + P2) + x1 (Q1 + Q2) + r_leg P_leg + x_leg Q_leg] / S_rated.
 *   A 240 V load draws half from each leg.
 * Cost: O(elements). Fails: `LOOP` names the branches of the loop, `NO_SOURCE` when there is nothing to start from.
 * Sources: Gan and Low (2014); Kersting, "Distribution System Modeling and Analysis", chapters 8 (shares of delta coils)
 *          and 11 (centre-tapped transformers and triplex).
 */

/** Switches for reproducing known peculiarities of other programs. */
export interface LinearCompatibility {
  /** Uses x_AC in place of x_BC for the effect of phase B's reactive power on phase C, as the ancestor does. */
  readonly upstreamIndexTypo: boolean;
}

/** The linear model of a feeder. */
export interface LinearFeeder {
  readonly network: LinearNetwork;
  /** `bus node` to node index. */
  readonly index: ReadonlyMap<string, number>;
  /** Buses without a closed path to the source; nothing at them is in the model. */
  readonly isolatedBuses: readonly string[];
  readonly findings: readonly Finding[];
}

const NO_STATE: PrimaryState = { taps: {}, capacitorSections: {}, openSwitches: [] };

/** Where the power of a shunt device goes: node index and complex share. */
export interface NodeShare {
  readonly index: number;
  readonly re: number;
  readonly im: number;
}

/**
 * Node shares of a two-terminal shunt at a bus; empty when the bus is not in the model.
 * A share between two nodes is divided by the coil rule above.
 */
export function nodeShares(
  feeder: Pick<LinearFeeder, 'network' | 'index'>,
  bus: string,
  share: Pick<PhaseShare, 'node' | 'otherNode'>,
): readonly NodeShare[] {
  const a = feeder.index.get(`${bus} ${share.node}`);
  const b = feeder.index.get(`${bus} ${share.otherNode}`);
  if (a === undefined && b === undefined) return [];
  if (a === undefined) return [{ index: b!, re: 1, im: 0 }];
  if (b === undefined) return [{ index: a, re: 1, im: 0 }];
  const one = coilShare(feeder.network.nodes, a, b);
  return [
    { index: a, ...one },
    { index: b, re: 1 - one.re, im: -one.im },
  ];
}

function phaseAngle(node: number, isSplitPhase: boolean): number {
  if (isSplitPhase) return node === 2 ? Math.PI : 0;
  return node === 2 ? (-2 * Math.PI) / 3 : node === 3 ? (2 * Math.PI) / 3 : 0;
}

/**
 * Makes the linear model of a feeder at given tap, capacitor and switch states.
 *
 * @throws DecError `LOOP` naming all independent loops and switches that open them, `NO_SOURCE`, `FEEDER_DATA` for a source
 *   at an unknown bus
 */
export function linearFeeder(
  feeder: FeederData,
  state: PrimaryState = NO_STATE,
  compat: LinearCompatibility = { upstreamIndexTypo: false },
): LinearFeeder {
  const found = treeModel(feeder, state, compat);
  if (!('loop' in found)) return found;
  throw loopError(feeder, found.loop, (opened) => {
    const lines = feeder.lines.filter(({ id }) => !opened.includes(id));
    const next = treeModel(
      { ...feeder, lines },
      { ...state, openSwitches: [...state.openSwitches, ...opened] },
      compat,
    );
    return 'loop' in next ? next.loop : undefined;
  });
}

/** The linear model, or the first loop where there is no tree. */
function treeModel(
  feeder: FeederData,
  state: PrimaryState,
  compat: LinearCompatibility,
): LinearFeeder | { readonly loop: ClosedLoop } {
  const busById = new Map(feeder.buses.map((bus) => [bus.id, bus]));
  const source = feeder.sources[0];
  if (!source) {
    throw new DecError('NO_SOURCE', `Feeder ${feeder.name} has no source, so voltages have nothing to start from.`, {
      feeder: feeder.name,
    });
  }
  const rootBus = busById.get(source.terminal.bus);
  if (!rootBus) {
    throw new DecError('FEEDER_DATA', `Source ${source.name} stands at a bus that does not exist.`, {
      source: source.name,
      bus: source.terminal.bus,
    });
  }
  const builder = new NetworkBuilder();
  const edges = collectEdges(feeder, state, compat, busById, builder);

  // The ideal voltage stands behind the source's own impedance. One-phase sources at the same bus act together.
  const together = feeder.sources.filter((other) => other.terminal.bus === rootBus.id);
  const rootVoltages: number[] = [];
  const roots: number[][] = [];
  for (const part of together) {
    const sourceNodes = part.terminal.nodes.filter((node) => isPhaseNode(node, rootBus));
    const sourcePu = state.sourceVoltagePu ?? part.voltageV / part.nominalVoltageV;
    const dividedV = part.nominalVoltageV / Math.sqrt(3);
    const isAcross = sourceNodes.length === 1 || rootBus.isSplitPhase;
    const lineToNeutralV = isAcross ? nearestBase(part.nominalVoltageV, dividedV, rootBus.baseVoltageV) : dividedV;
    const squared = ((sourcePu * lineToNeutralV) / rootBus.baseVoltageV) ** 2;
    roots.push(
      sourceNodes.map((node) => {
        rootVoltages.push(squared);
        return builder.addNode('', node, rootBus.baseVoltageV, phaseAngle(node, rootBus.isSplitPhase));
      }),
    );
  }
  together.forEach((part, k) => {
    const parents = roots[k]!;
    const children = parents.map((i) => {
      const { node, baseV, angleRad } = builder.nodes[i]!;
      return builder.addNode(rootBus.id, node, baseV, angleRad);
    });
    const self = { r: (part.r0Ohm + 2 * part.r1Ohm) / 3, x: (part.x0Ohm + 2 * part.x1Ohm) / 3 };
    const mutual = { r: (part.r0Ohm - part.r1Ohm) / 3, x: (part.x0Ohm - part.x1Ohm) / 3 };
    const n = parents.length;
    const pick = (diagonal: number, off: number) =>
      Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? diagonal : off));
    const series = { n, re: pick(self.r, mutual.r), im: pick(self.x, mutual.x) };
    builder.branches.push(wireBranch(part.id, builder, parents, children, series, compat));
  });

  const loop = walk(feeder, rootBus.id, edges, builder);
  if (loop !== undefined) return { loop };

  const network: LinearNetwork = {
    nodes: builder.nodes,
    rootCount: rootVoltages.length,
    rootVoltageSquaredPu: Float64Array.from(rootVoltages),
    branches: builder.branches,
    shuntW: Float64Array.from(builder.shuntW),
    shuntVar: Float64Array.from(builder.shuntVar),
  };
  const model = { network, index: builder.index };
  addCapacitors(feeder, state, model, busById);
  addShuntReactors(feeder, model);
  const reached = new Set(builder.nodes.map((node) => node.bus));
  const isolatedBuses = feeder.buses.filter((bus) => !reached.has(bus.id)).map((bus) => bus.id);
  if (isolatedBuses.length > 0) {
    const names = isolatedBuses.slice(0, 10).map((id) => busById.get(id)!.name);
    builder.findings.push({
      severity: 'warning',
      code: 'ISOLATED_BUS',
      message: `${isolatedBuses.length} buses have no closed path to the source and are left out of coordination: ${names.join(', ')}${isolatedBuses.length > 10 ? ', ...' : ''}.`,
      ...{ class: 'bus', name: names[0]!, mrid: busById.get(isolatedBuses[0]!)!.mrid || isolatedBuses[0]! },
      count: isolatedBuses.length,
    });
  }
  return { ...model, isolatedBuses, findings: builder.findings };
}

/** A single-phase source may state its voltage across the wire or line to line; the one nearer the bus' base is meant. */
function nearestBase(acrossV: number, dividedV: number, baseV: number): number {
  return Math.abs(acrossV - baseV) < Math.abs(dividedV - baseV) ? acrossV : dividedV;
}

/** Breadth-first over the edges; the parent edge of each bus is kept to name a loop, which ends the walk. */
function walk(
  feeder: FeederData,
  rootBus: string,
  edges: ReadonlyMap<string, readonly Edge[]>,
  builder: NetworkBuilder,
): ClosedLoop | undefined {
  const feeds = new Map<string, Edge[]>([[rootBus, []]]);
  const used = new Set<string>();
  const queue = [rootBus];
  for (let head = 0; head < queue.length; head++) {
    const bus = queue[head]!;
    for (const edge of edges.get(bus) ?? []) {
      if (used.has(edge.id)) continue;
      const parentNodes = edge.nodesAt(bus);
      // A branch whose phases are not fed from this side may still be fed from its other end.
      if (!parentNodes.some((node) => builder.at(bus, node) !== undefined)) continue;
      const childBus = edge.from === bus ? edge.to : edge.from;
      const isClosing = edge.nodesAt(childBus).some((node) => builder.at(childBus, node) !== undefined);
      if (isClosing) return closedLoop(edge, bus, childBus, feeds);
      used.add(edge.id);
      builder.branches.push(...edge.build(bus));
      const feeding = feeds.get(childBus);
      if (feeding) feeding.push(edge);
      else feeds.set(childBus, [edge]);
      queue.push(childBus);
    }
  }
  for (const source of feeder.sources) {
    if (source.terminal.bus === rootBus || !feeds.has(source.terminal.bus)) continue;
    throw new DecError(
      'LOOP',
      `Source ${source.name} feeds the same network as the first source; open a switch between them, the linear model needs one source.`,
      { source: source.name },
    );
  }
  return undefined;
}

function wireBranch(
  elementId: string,
  builder: NetworkBuilder,
  parents: readonly number[],
  children: readonly number[],
  series: ComplexMatrix,
  compat: LinearCompatibility,
): LinearBranch {
  const n = children.length;
  const child = children.map((i) => builder.nodes[i]!);
  const drop = wireDrop(
    series,
    child.map((node) => node.angleRad),
    compat.upstreamIndexTypo,
  );
  const gain = new Float64Array(n * n);
  const shareRe = new Float64Array(n * n);
  const dropP = new Float64Array(n * n);
  const dropQ = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const ratio = builder.nodes[parents[i]!]!.baseV / child[i]!.baseV;
    gain[i * n + i] = ratio * ratio;
    shareRe[i * n + i] = 1;
    for (let j = 0; j < n; j++) {
      const scale = 1 / (child[i]!.baseV * child[j]!.baseV);
      dropP[i * n + j] = drop.p[i * n + j]! * scale;
      dropQ[i * n + j] = drop.q[i * n + j]! * scale;
    }
  }
  return {
    elementId,
    parents: Int32Array.from(parents),
    children: Int32Array.from(children),
    gain,
    dropP,
    dropQ,
    shareRe,
    shareIm: new Float64Array(n * n),
  };
}

function collectEdges(
  feeder: FeederData,
  state: PrimaryState,
  compat: LinearCompatibility,
  busById: ReadonlyMap<string, Bus>,
  builder: NetworkBuilder,
): ReadonlyMap<string, readonly Edge[]> {
  const edges = new Map<string, Edge[]>();
  const add = (edge: Edge) => {
    for (const bus of [edge.from, edge.to]) {
      const list = edges.get(bus);
      if (list) list.push(edge);
      else edges.set(bus, [edge]);
    }
  };
  const open = new Set(state.openSwitches);
  const wires = [
    ...feeder.lines.map((line) => ({
      element: line,
      isOpen: line.from.nodes.map((_, i) => Boolean(line.isOpen?.from[i] || line.isOpen?.to[i])) as readonly boolean[],
      shunt: line.shuntSiemens,
    })),
    ...feeder.reactors
      .filter(({ from, to }) => from.bus !== to.bus)
      .map((reactor) => ({ element: reactor, isOpen: [] as readonly boolean[], shunt: undefined })),
    ...feeder.switches.map((device) => ({
      element: device,
      isOpen: open.has(device.id) ? device.isOpen.map(() => true) : device.isOpen,
      shunt: undefined,
    })),
  ];
  for (const { element, isOpen, shunt } of wires) {
    const fromBus = busById.get(element.from.bus);
    const toBus = busById.get(element.to.bus);
    if (!fromBus || !toBus || open.has(element.id)) continue;
    const keep = element.from.nodes
      .map((_, k) => k)
      .filter(
        (k) => !isOpen[k] && isPhaseNode(element.from.nodes[k]!, fromBus) && isPhaseNode(element.to.nodes[k]!, toBus),
      );
    if (keep.length === 0) continue;
    for (const k of keep) {
      const node = element.from.nodes[k]!;
      if (node === element.to.nodes[k]) builder.addWire(element.from.bus, element.to.bus, node);
    }
    add({
      id: element.id,
      name: element.name,
      from: element.from.bus,
      to: element.to.bus,
      nodesAt: (bus) => keep.map((k) => (bus === element.from.bus ? element.from : element.to).nodes[k]!),
      build: (parentBus) => {
        const [parentEnd, childEnd] =
          parentBus === element.from.bus ? [element.from, element.to] : [element.to, element.from];
        const childBus = busById.get(childEnd.bus)!;
        // A wire whose parent node is dead feeds nothing.
        const live = keep.filter((k) => builder.at(parentEnd.bus, parentEnd.nodes[k]!) !== undefined);
        const parents = live.map((k) => builder.at(parentEnd.bus, parentEnd.nodes[k]!)!);
        const series = keepWires(element.seriesOhm, live);
        const children = live.map((k, i) =>
          builder.addNode(childBus.id, childEnd.nodes[k]!, childBus.baseVoltageV, builder.nodes[parents[i]!]!.angleRad),
        );
        if (shunt) addCharging(builder, shunt, live, parents, children);
        return [wireBranch(element.id, builder, parents, children, series, compat)];
      },
    });
  }
  collectTransformers(feeder, state, busById, builder, add);
  return edges;
}

/** Half of a line's susceptance at each end, as power drawn at nominal voltage. */
function addCharging(
  builder: NetworkBuilder,
  shunt: ComplexMatrix,
  live: readonly number[],
  parents: readonly number[],
  children: readonly number[],
): void {
  for (const end of [parents, children]) {
    for (let a = 0; a < live.length; a++) {
      const va = builder.nodes[end[a]!]!;
      for (let b = 0; b < live.length; b++) {
        const susceptance = (shunt.im[live[a]! * shunt.n + live[b]!] ?? 0) / 2;
        if (susceptance === 0) continue;
        const vb = builder.nodes[end[b]!]!;
        const angle = va.angleRad - vb.angleRad;
        const size = susceptance * va.baseV * vb.baseV;
        builder.shuntW[end[a]!]! += size * -Math.sin(angle);
        builder.shuntVar[end[a]!]! += -size * Math.cos(angle);
      }
    }
  }
}

/** What reactors at one bus draw at nominal voltages: to ground, to the next phase. */
function addShuntReactors(feeder: FeederData, { network, index }: Pick<LinearFeeder, 'network' | 'index'>): void {
  for (const reactor of feeder.reactors) {
    if (reactor.from.bus !== reactor.to.bus) continue;
    const { conductors, y } = reactorPrimitive(reactor);
    const places = conductors.map(({ bus, node }) => index.get(`${bus} ${node}`));
    const voltage = (i: number, trig: (angle: number) => number) => {
      const node = network.nodes[places[i] ?? -1];
      return node ? node.baseV * trig(node.angleRad) : 0;
    };
    places.forEach((at, i) => {
      if (at === undefined) return;
      let re = 0;
      let im = 0;
      for (let j = 0; j < y.n; j++) {
        const gr = y.re[i * y.n + j]!;
        const gi = y.im[i * y.n + j]!;
        re += gr * voltage(j, Math.cos) - gi * voltage(j, Math.sin);
        im += gr * voltage(j, Math.sin) + gi * voltage(j, Math.cos);
      }
      network.shuntW[at]! += voltage(i, Math.cos) * re + voltage(i, Math.sin) * im;
      network.shuntVar[at]! += voltage(i, Math.sin) * re - voltage(i, Math.cos) * im;
    });
  }
}

function addCapacitors(
  feeder: FeederData,
  state: PrimaryState,
  model: Pick<LinearFeeder, 'network' | 'index'>,
  busById: ReadonlyMap<string, Bus>,
): void {
  const { network } = model;
  for (const capacitor of feeder.capacitors) {
    if (!busById.has(capacitor.terminal.bus)) continue;
    capacitor.shares.forEach((share, k) => {
      const sections = state.capacitorSections[capacitor.id] ?? capacitor.sectionsOn[k] ?? 0;
      const whole = capacitor.sectionVar * capacitor.sectionCount;
      const listed = capacitor.shares.reduce((sum, s) => sum + Math.abs(s.powerVar), 0);
      // Shares state the split between phases; the size is that of the sections in service.
      const part = listed > 0 ? Math.abs(share.powerVar) / listed : 1 / capacitor.shares.length;
      const ratedVar = (part * whole * sections) / Math.max(1, capacitor.sectionCount);
      for (const { index, re, im } of nodeShares(model, capacitor.terminal.bus, share)) {
        const acrossV =
          share.otherNode === 0 ? network.nodes[index]!.baseV : network.nodes[index]!.baseV * Math.sqrt(3);
        const drawn = -ratedVar * (acrossV / share.ratedVoltageV) ** 2;
        network.shuntW[index]! += -im * drawn;
        network.shuntVar[index]! += re * drawn;
      }
    });
  }
}
