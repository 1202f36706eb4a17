import type { Bus, FeederData, Transformer } from '../model/index.js';
import { type Coil, pairReactance, starReactances, windingCoils } from './branch-coefficients.js';
import type { LinearBranch } from './linear-network.js';
import { type Edge, isPhaseNode, type NetworkBuilder } from './network-builder.js';
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

/** A voltage as a complex combination of node voltages, V per V. */
interface Term {
  readonly index: number;
  readonly re: number;
  readonly im: number;
}

/** The voltage across a coil in terms of the live nodes of its bus. */
function coilVoltage(builder: NetworkBuilder, bus: string, coil: Coil): readonly Term[] {
  const a = builder.at(bus, coil.a);
  const b = builder.at(bus, coil.b);
  return [
    ...(a === undefined ? [] : [{ index: a, re: 1, im: 0 }]),
    ...(b === undefined ? [] : [{ index: b, re: -1, im: 0 }]),
  ];
}

/** Weighted sum of combinations, one term per node. */
function combine(parts: readonly { readonly terms: readonly Term[]; readonly factor: number }[]): readonly Term[] {
  const sum = new Map<number, Term>();
  for (const { terms, factor } of parts) {
    for (const { index, re, im } of terms) {
      const old = sum.get(index);
      sum.set(index, { index, re: factor * re + (old?.re ?? 0), im: factor * im + (old?.im ?? 0) });
    }
  }
  return [...sum.values()];
}

/**
 * Linearisation of V' = sum c V at nominal node voltages: a node's share of power is c V / V', and |V'|^2 moves with the
 * node's squared voltage by the real part of that share.
 */
function linearise(builder: NetworkBuilder, terms: readonly Term[]) {
  const phasors = terms.map(({ index, re, im }) => {
    const { baseV, angleRad } = builder.nodes[index]!;
    const cos = baseV * Math.cos(angleRad);
    const sin = baseV * Math.sin(angleRad);
    return { re: re * cos - im * sin, im: re * sin + im * cos };
  });
  const totalRe = phasors.reduce((sum, v) => sum + v.re, 0);
  const totalIm = phasors.reduce((sum, v) => sum + v.im, 0);
  const squaredV = totalRe ** 2 + totalIm ** 2;
  return {
    angleRad: Math.atan2(totalIm, totalRe),
    squaredV,
    share: phasors.map((v) => ({
      re: (v.re * totalRe + v.im * totalIm) / squaredV,
      im: (v.im * totalRe - v.re * totalIm) / squaredV,
    })),
  };
}

/** Nodes fed by a coil to ground or across both legs of a split-phase bus (each leg then has half of its voltage). */
function legsOf(
  coil: Coil,
  bus: Bus,
  across: readonly Term[],
  ratio: number,
): { node: number; terms: readonly Term[] }[] {
  const hasA = isPhaseNode(coil.a, bus);
  const hasB = isPhaseNode(coil.b, bus);
  const size = hasA && hasB ? ratio / 2 : ratio;
  return [
    ...(hasA ? [{ node: coil.a, terms: combine([{ terms: across, factor: size }]) }] : []),
    ...(hasB ? [{ node: coil.b, terms: combine([{ terms: across, factor: -size }]) }] : []),
  ];
}

/** No-load loss and magnetising power of one coil, drawn at the nodes it stands between. */
function addNoLoad(
  builder: NetworkBuilder,
  transformer: Transformer,
  coilVA: number,
  nodes: readonly number[],
  share: readonly { readonly re: number; readonly im: number }[],
): void {
  const p = transformer.noLoadLossPu * coilVA;
  const q = transformer.magnetisingPu * coilVA;
  nodes.forEach((index, i) => {
    const { re, im } = share[i]!;
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
    const ratedV = windingCoils(transformer, parentWinding)[0]!.ratedV * tapOf(parentWinding);
    let r = windings[parentWinding]!.resistancePu;
    const coils = windingCoils(transformer, parentWinding).map((coil, k): readonly Term[] => {
      const terms = coilVoltage(builder, parentBus, coil);
      if (terms.length === 0) return [];
      const innerKey = `${transformer.id} ${k}`;
      const known = builder.innerPoints.get(innerKey);
      if (known !== undefined) return [{ index: known, re: 1, im: 0 }];
      const { share, squaredV, angleRad } = linearise(builder, terms);
      const parents = terms.map((term) => term.index);
      addNoLoad(builder, transformer, coilVA, parents, share);
      if (!hasInnerPoint) return terms;
      const inner = builder.addNode('', 0, ratedV, angleRad);
      builder.innerPoints.set(innerKey, inner);
      const gain = share.map((s) => (s.re * squaredV) / ratedV ** 2);
      const x1 = star[parentWinding]!;
      branches.push(
        scalarBranch(transformer.id, parents, [inner], gain, [(2 * r) / coilVA], [(2 * x1) / coilVA], share),
      );
      return [{ index: inner, re: 1, im: 0 }];
    });
    if (hasInnerPoint) r = 0;
    for (const w of childWindings) {
      const x = hasInnerPoint ? star[w]! : pairReactance(transformer, parentWinding, w);
      const own = windingCoils(transformer, w);
      const childV = own[0]!.ratedV * tapOf(w);
      const ratio = childV / ratedV;
      const isDelta = transformer.phases === 3 && windings[w]!.connection === 'delta';
      own.forEach((coil, k) => {
        const across = coils[k]!;
        if (across.length === 0) return;
        // A floating delta has no voltage of zero sequence: V_k = (coil that leaves k - coil that enters k) / 3.
        const entering = coils[own.findIndex((other) => other.b === coil.a)];
        const fed: { node: number; terms: readonly Term[] }[] = isDelta
          ? [
              {
                node: coil.a,
                terms: combine([
                  { terms: across, factor: ratio / 3 },
                  { terms: entering ?? [], factor: -ratio / 3 },
                ]),
              },
            ]
          : legsOf(coil, childBus, across, ratio);
        const part = isDelta ? 1 / 3 : fed.length === 2 ? 1 / 4 : 1;
        const scale = (part * childV ** 2) / childBus.baseVoltageV ** 2 / coilVA;
        const linear = fed.map(({ terms }) => linearise(builder, terms));
        const parents = [...new Set(fed.flatMap(({ terms }) => terms.map((term) => term.index)))];
        const at = (i: number, parent: number) => fed[i]!.terms.findIndex((term) => term.index === parent);
        const shareOf = (i: number, parent: number) => linear[i]!.share[at(i, parent)] ?? { re: 0, im: 0 };
        const children = fed.map(({ node }, i) =>
          builder.addNode(childBus.id, node, childBus.baseVoltageV, linear[i]!.angleRad),
        );
        const count = children.length ** 2;
        branches.push(
          scalarBranch(
            transformer.id,
            parents,
            children,
            fed.flatMap((_, i) =>
              parents.map((parent) => (shareOf(i, parent).re * linear[i]!.squaredV) / childBus.baseVoltageV ** 2),
            ),
            new Array<number>(count).fill(2 * (r + windings[w]!.resistancePu) * scale),
            new Array<number>(count).fill(2 * x * scale),
            parents.flatMap((parent) => fed.map((_, i) => shareOf(i, parent))),
          ),
        );
      });
    }
    return branches;
  };
  return { id: `${transformer.id} ${to}`, name: transformer.name, from, to, nodesAt, build };
}

/** Whether a wire joins one node of every tank's coil, and none the other: open delta. A wire around all of them closes a loop. */
function isOpenDelta(tanks: readonly Transformer[], from: string, to: string, builder: NetworkBuilder): boolean {
  return tanks.every((tank) => {
    if (tank.windings.length !== 2) return false;
    const [one, other] = tank.windings.map((_, w) => windingCoils(tank, w)[0]!);
    const isSame = one!.a === other!.a && one!.b === other!.b;
    return isSame && builder.isWired(from, to, one!.a) !== builder.isWired(from, to, one!.b);
  });
}

/** Branches of tanks in open delta: V_a' = V_w + c (V_a - V_w) with w the node that the wire joins; its own drop is left out. */
function openDeltaBranches(
  tanks: readonly Transformer[],
  parentBus: string,
  childBus: Bus,
  taps: ReadonlyMap<string, number>,
  builder: NetworkBuilder,
): LinearBranch[] {
  return tanks.flatMap((tank) => {
    const p = tank.windings.findIndex((w) => w.terminal.bus === parentBus);
    const c = 1 - p;
    const [above] = windingCoils(tank, p);
    const [below] = windingCoils(tank, c);
    const isFirstWired = builder.isWired(parentBus, childBus.id, below!.a);
    const [own, wired] = isFirstWired ? [below!.b, below!.a] : [below!.a, below!.b];
    const [index, joined] = [builder.at(parentBus, own), builder.at(parentBus, wired)];
    if (index === undefined || joined === undefined) return [];
    const tapOf = (w: number) => (taps.get(`${tank.id} ${w}`) ?? 1) * tank.windings[w]!.tapRatio;
    const childV = below!.ratedV * tapOf(c);
    const ratio = childV / (above!.ratedV * tapOf(p));
    const { angleRad, squaredV, share } = linearise(builder, [
      { index, re: ratio, im: 0 },
      { index: joined, re: 1 - ratio, im: 0 },
    ]);
    const child = builder.addNode(childBus.id, own, childBus.baseVoltageV, angleRad);
    const gain = share.map(({ re }) => (re * squaredV) / childBus.baseVoltageV ** 2);
    const perVA = (childV / childBus.baseVoltageV) ** 2 / tank.ratingVA;
    const r = (tank.windings[p]!.resistancePu + tank.windings[c]!.resistancePu) * perVA;
    const x = pairReactance(tank, p, c) * perVA;
    return [scalarBranch(tank.id, [index, joined], [child], gain, [2 * r], [2 * x], share)];
  });
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
  const isOpen = isOpenDelta(tanks, from, to, builder);
  const windingAt = (tank: Transformer, bus: string) => tank.windings.findIndex((w) => w.terminal.bus === bus);
  const nodesAt = (bus: string) => [
    ...new Set(
      tanks
        .flatMap((tank) => tank.windings.filter((w) => w.terminal.bus === bus).flatMap((w) => w.terminal.nodes))
        // What the wire of an open delta joins is fed by the wire.
        .filter((node) => isPhaseNode(node, busById.get(bus)!) && !(isOpen && builder.isWired(from, to, node))),
    ),
  ];
  const build = (parentBus: string): LinearBranch[] => {
    const childBus = busById.get(parentBus === from ? to : from)!;
    if (isOpen) return openDeltaBranches(tanks, parentBus, childBus, taps, builder);
    builder.findings.push({
      severity: 'info',
      code: 'BALANCED_EQUIVALENT',
      message: `Bank ${tanks[0]!.bankName} has coils between phases on both sides; the linear model takes it as balanced and the power flow corrects it.`,
      class: 'PowerTransformer',
      mrid: tanks[0]!.bankId,
      name: tanks[0]!.bankName,
    });
    return nodesAt(childBus.id).flatMap((node) => {
      const parent =
        builder.at(parentBus, node) ??
        nodesAt(parentBus)
          .map((other) => builder.at(parentBus, other))
          .find((i) => i !== undefined);
      if (parent === undefined) return [];
      const touching = tanks.filter((tank) =>
        tank.windings[windingAt(tank, childBus.id)]?.terminal.nodes.includes(node),
      );
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
