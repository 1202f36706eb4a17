import type { Bus, FeederData, Transformer } from '../model/index.js';
import { type Coil, pairReactance, starReactances, windingCoils } from './branch-coefficients.js';
import type { LinearBranch } from './linear-network.js';
import { coilShare, type Edge, isPhaseNode, type NetworkBuilder } from './network-builder.js';
import type { PrimaryState } from './star.js';

/** Adds the edges of all transformers, at their present taps. */
export function collectTransformers(
  feeder: FeederData,
  state: PrimaryState,
  busById: ReadonlyMap<string, Bus>,
  builder: NetworkBuilder,
  add: (edge: Edge) => void,
): void {
  const taps = new Map<string, number>();
  for (const regulator of feeder.regulators) {
    const position = state.taps[regulator.id] ?? regulator.position;
    taps.set(
      `${regulator.transformerId} ${regulator.winding}`,
      1 + regulator.stepPu * (position - regulator.neutralStep),
    );
  }
  const banks = new Map<string, Transformer[]>();
  for (const transformer of feeder.transformers) {
    const buses = transformer.windings.map((w) => w.terminal.bus);
    if (buses.some((bus) => !busById.has(bus)) || transformer.windings.length < 2) continue;
    if (isCoupledBank(transformer, busById)) {
      const key = [...new Set(buses)].sort().join(' ');
      const list = banks.get(key);
      if (list) list.push(transformer);
      else banks.set(key, [transformer]);
      continue;
    }
    for (const bus of new Set(buses.slice(1))) {
      add(transformerEdge(transformer, buses[0]!, bus, taps, busById, builder));
    }
  }
  for (const tanks of banks.values()) {
    const first = tanks[0]!;
    const from = first.windings[0]!.terminal.bus;
    for (const to of new Set(first.windings.slice(1).map((w) => w.terminal.bus))) {
      add(bankEdge(tanks, from, to, taps, busById, builder));
    }
  }
}

/** Single-phase tanks with a coil between two phases on both sides fix only differences: they are taken as a balanced bank. */
function isCoupledBank(transformer: Transformer, busById: ReadonlyMap<string, Bus>): boolean {
  if (transformer.phases !== 1) return false;
  return transformer.windings.slice(1).some((winding, w) => {
    const [coil] = windingCoils(transformer, w + 1);
    return !busById.get(winding.terminal.bus)!.isSplitPhase && coil!.a !== 0 && coil!.b !== 0;
  });
}

/** Squared volts across a coil as a combination of squared pu voltages of its nodes, and the power shares of the nodes. */
function coilTerms(builder: NetworkBuilder, bus: string, coil: Coil) {
  const a = builder.at(bus, coil.a);
  const b = builder.at(bus, coil.b);
  const nodes = builder.nodes;
  if (a === undefined && b === undefined) return undefined;
  if (a === undefined || b === undefined) {
    const only = (a ?? b)!;
    return { nodes: [only], weight: [nodes[only]!.baseV ** 2], share: [{ re: 1, im: 0 }], angleRad: nodes[only]!.angleRad + (a === undefined ? Math.PI : 0) };
  }
  const angle = nodes[a]!.angleRad - nodes[b]!.angleRad;
  const factor = (1 - Math.cos(angle)) * nodes[a]!.baseV * nodes[b]!.baseV;
  const one = coilShare(nodes, a, b);
  const re = nodes[a]!.baseV * Math.cos(nodes[a]!.angleRad) - nodes[b]!.baseV * Math.cos(nodes[b]!.angleRad);
  const im = nodes[a]!.baseV * Math.sin(nodes[a]!.angleRad) - nodes[b]!.baseV * Math.sin(nodes[b]!.angleRad);
  return {
    nodes: [a, b],
    weight: [factor, factor],
    share: [one, { re: 1 - one.re, im: -one.im }],
    angleRad: Math.atan2(im, re),
  };
}

function addNoLoad(
  builder: NetworkBuilder,
  transformer: Transformer,
  coilVA: number,
  terms: { readonly nodes: readonly number[]; readonly share: readonly { re: number; im: number }[] },
): void {
  const p = transformer.noLoadLossPu * coilVA;
  const q = transformer.magnetisingPu * coilVA;
  terms.nodes.forEach((index, i) => {
    const { re, im } = terms.share[i]!;
    builder.shuntW[index]! += re * p - im * q;
    builder.shuntVar[index]! += re * q + im * p;
  });
}

function scalarBranch(
  elementId: string,
  parents: readonly number[],
  children: readonly number[],
  gain: readonly number[],
  dropP: readonly number[],
  dropQ: readonly number[],
  share: readonly { re: number; im: number }[],
): LinearBranch {
  return {
    elementId,
    parents: Int32Array.from(parents),
    children: Int32Array.from(children),
    gain: Float64Array.from(gain),
    dropP: Float64Array.from(dropP),
    dropQ: Float64Array.from(dropQ),
    shareRe: Float64Array.from(share, (s) => s.re),
    shareIm: Float64Array.from(share, (s) => s.im),
  };
}

function transformerEdge(
  transformer: Transformer,
  from: string,
  to: string,
  taps: ReadonlyMap<string, number>,
  busById: ReadonlyMap<string, Bus>,
  builder: NetworkBuilder,
): Edge {
  const windings = transformer.windings;
  const windingsAt = (bus: string) => windings.map((_, w) => w).filter((w) => windings[w]!.terminal.bus === bus);
  const nodesAt = (bus: string) =>
    windingsAt(bus)
      .flatMap((w) => windings[w]!.terminal.nodes)
      .filter((node) => isPhaseNode(node, busById.get(bus)!));
  const build = (parentBus: string): LinearBranch[] => {
    const childBusId = parentBus === from ? to : from;
    const childBus = busById.get(childBusId)!;
    const parentWinding = windingsAt(parentBus)[0]!;
    const childWindings = windingsAt(childBusId);
    const tapOf = (w: number) => (taps.get(`${transformer.id} ${w}`) ?? 1) * windings[w]!.tapRatio;
    const coilVA = windings[0]!.ratedPowerVA / transformer.phases;
    const star = starReactances(transformer.reactancesPu);
    const hasInnerPoint = windings.length === 3;
    const branches: LinearBranch[] = [];
    const parentCoils = windingCoils(transformer, parentWinding);
    parentCoils.forEach((parentCoil, k) => {
      const terms = coilTerms(builder, parentBus, parentCoil);
      if (!terms) return;
      const innerKey = `${transformer.id} ${k}`;
      const known = builder.innerPoints.get(innerKey);
      if (known === undefined) addNoLoad(builder, transformer, coilVA, terms);
      const ratedV = parentCoil.ratedV * tapOf(parentWinding);
      let parents: readonly number[] = terms.nodes;
      let weight: readonly number[] = terms.weight.map((w) => w / ratedV ** 2);
      let share: readonly { re: number; im: number }[] = terms.share;
      let r = windings[parentWinding]!.resistancePu;
      if (hasInnerPoint) {
        const inner = known ?? builder.addNode('', 0, ratedV, terms.angleRad);
        if (known === undefined) {
          builder.innerPoints.set(innerKey, inner);
          const x1 = star[parentWinding]!;
          branches.push(
            scalarBranch(transformer.id, parents, [inner], weight, [(2 * r) / coilVA], [(2 * x1) / coilVA], share),
          );
        }
        parents = [inner];
        weight = [1];
        share = [{ re: 1, im: 0 }];
        r = 0;
      }
      for (const w of childWindings) {
        const coil = windingCoils(transformer, w)[k];
        if (!coil) continue;
        const childV = coil.ratedV * tapOf(w);
        const x = hasInnerPoint ? star[w]! : pairReactance(transformer, parentWinding, w);
        const rPu = r + windings[w]!.resistancePu;
        const ends = [coil.a, coil.b].filter((node) => isPhaseNode(node, childBus));
        // Delta secondaries are given node by node; a coil across both legs feeds each with half of its voltage.
        const isDelta = ends.length === 2 && transformer.phases === 3;
        const fed = isDelta ? [coil.a] : ends;
        const turn = isDelta ? terms.angleRad : coil.b !== 0 && coil.a === 0 ? terms.angleRad + Math.PI : terms.angleRad;
        const part = isDelta ? 1 / 3 : ends.length === 2 ? 1 / 4 : 1;
        const children = fed.map((node, i) =>
          builder.addNode(childBus.id, node, childBus.baseVoltageV, turn + (i === 1 ? Math.PI : 0)),
        );
        const scale = (part * childV ** 2) / childBus.baseVoltageV ** 2;
        const count = children.length;
        branches.push(
          scalarBranch(
            transformer.id,
            parents,
            children,
            children.flatMap(() => weight.map((g) => g * scale)),
            new Array<number>(count * count).fill((2 * rPu * scale) / coilVA),
            new Array<number>(count * count).fill((2 * x * scale) / coilVA),
            share.flatMap((s) => children.map(() => s)),
          ),
        );
      }
    });
    return branches;
  };
  return { id: `${transformer.id} ${to}`, name: transformer.name, from, to, nodesAt, build };
}

/** A bank of tanks between phases: node to node, the mean ratio and impedance of the tanks that touch a node. */
function bankEdge(
  tanks: readonly Transformer[],
  from: string,
  to: string,
  taps: ReadonlyMap<string, number>,
  busById: ReadonlyMap<string, Bus>,
  builder: NetworkBuilder,
): Edge {
  const windingAt = (tank: Transformer, bus: string) => tank.windings.findIndex((w) => w.terminal.bus === bus);
  const nodesAt = (bus: string) => [
    ...new Set(
      tanks
        .flatMap((tank) => tank.windings.filter((w) => w.terminal.bus === bus).flatMap((w) => w.terminal.nodes))
        .filter((node) => isPhaseNode(node, busById.get(bus)!)),
    ),
  ];
  const build = (parentBus: string): LinearBranch[] => {
    const childBus = busById.get(parentBus === from ? to : from)!;
    builder.findings.push({
      severity: 'info',
      code: 'BALANCED_EQUIVALENT',
      message: `Bank ${tanks[0]!.bankName} has coils between phases on both sides; the linear model takes it as balanced and the power flow corrects it.`,
      class: 'PowerTransformer',
      mrid: tanks[0]!.bankId,
      name: tanks[0]!.bankName,
    });
    return nodesAt(childBus.id).flatMap((node) => {
      const parent = builder.at(parentBus, node) ?? nodesAt(parentBus).map((other) => builder.at(parentBus, other)).find((i) => i !== undefined);
      if (parent === undefined) return [];
      const touching = tanks.filter((tank) => tank.windings[windingAt(tank, childBus.id)]?.terminal.nodes.includes(node));
      let ratio = 0;
      let r = 0;
      let x = 0;
      for (const tank of touching) {
        const p = windingAt(tank, parentBus);
        const c = windingAt(tank, childBus.id);
        const tapOf = (w: number) => (taps.get(`${tank.id} ${w}`) ?? 1) * tank.windings[w]!.tapRatio;
        const perTank = 1 / touching.length;
        const rated = tank.windings[c]!.ratedVoltageV / tank.windings[p]!.ratedVoltageV;
        ratio += perTank * (rated * (tapOf(c) / tapOf(p))) ** 2;
        r += perTank * ((tank.windings[p]!.resistancePu + tank.windings[c]!.resistancePu) / tank.ratingVA);
        x += perTank * (pairReactance(tank, p, c) / tank.ratingVA);
      }
      const parentNode = builder.nodes[parent]!;
      const child = builder.addNode(childBus.id, node, childBus.baseVoltageV, parentNode.angleRad);
      const gain = (ratio * parentNode.baseV ** 2) / childBus.baseVoltageV ** 2;
      return [scalarBranch(tanks[0]!.id, [parent], [child], [gain], [2 * r], [2 * x], [{ re: 1, im: 0 }])];
    });
  };
  return { id: tanks.map((tank) => tank.id).join(' '), name: tanks[0]!.bankName, from, to, nodesAt, build };
}
