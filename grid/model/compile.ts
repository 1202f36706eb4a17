/*
 * From the engineering model to the arrays of the solvers.
 *
 * Steps: number the nodes bus by bus; make the primitive admittance of every source, line, switch, transformer and
 * capacitor; lay out loads and generation as two-terminal shares. A neutral with an impedance to ground but no node
 * number of its own gets one (the lowest free from 4 up).
 * Fails: FEEDER_DATA naming every element that cannot be placed, NO_SOURCE when nothing feeds the circuit.
 */
import { DecError, DenseStore } from '../math/index.js';
import { withoutAntifloat } from './antifloat.js';
import type { Terminal } from './bus.js';
import type { Element, Line, Reactor, Regulator, Switch, Transformer, Winding } from './element.js';
import type { Feeder } from './feeder.js';
import { inductionPrimitive } from './induction.js';
import { NodePlaces } from './node-places.js';
import {
  type Conductor,
  capacitorPrimitive,
  currentSourcePrimitive,
  linePrimitive,
  type Primitive,
  reactorPrimitive,
  sourcePrimitive,
  switchPrimitive,
} from './primitive.js';
import { type CompiledShares, compileShares } from './shares.js';
import { transformerPrimitive } from './transformer-primitive.js';

/** A branch, source or capacitor placed in the node numbering. */
export interface CompiledElement {
  readonly id: string;
  readonly name: string;
  readonly kind: 'source' | 'line' | 'switch' | 'reactor' | 'transformer' | 'capacitor' | 'inductionMachine';
  readonly conductors: readonly Conductor[];
  /** Node index of each conductor, -1 for ground. */
  readonly nodes: Int32Array;
  /** Primitive admittance in the state of the model (taps, switches, sections as given). */
  readonly primitive: Primitive;
}

/** A feeder as indices and typed arrays. */
export interface CompiledFeeder {
  readonly feeder: Feeder;
  readonly nodeCount: number;
  /** Bus id, node number and line-to-neutral base voltage (V) of each node, bus by bus. */
  readonly nodeBus: readonly string[];
  /** Position of that bus in the feeder's list. */
  readonly nodeBusPosition: Int32Array;
  readonly nodeNumber: Int32Array;
  readonly nodeBaseV: Float64Array;
  /** Index of a node; -1 for ground and for nodes that do not exist. */
  nodeIndex(bus: string, node: number): number;
  readonly elements: readonly CompiledElement[];
  /** Position in `elements` by element id; made when first asked for. */
  readonly elementIndex: ReadonlyMap<string, number>;
  readonly shares: CompiledShares;
  /** The transformers as placed: neutrals with an impedance have a node of their own. */
  readonly transformers: ReadonlyMap<string, Transformer>;
  /** Regulators by the transformer they act on. */
  readonly regulatorsOf: ReadonlyMap<string, readonly Regulator[]>;
}

/** An element as placed. */
class PlacedElement implements CompiledElement {
  readonly id: string;
  readonly name: string;

  constructor(
    element: Element,
    readonly kind: CompiledElement['kind'],
    readonly nodes: Int32Array,
    readonly primitive: Primitive,
  ) {
    this.id = element.id;
    this.name = element.name;
  }

  get conductors(): readonly Conductor[] {
    return this.primitive.conductors;
  }
}

/**
 * Tap ratios of all windings: the fixed ratio times `1 + (position - neutral) * step` of the winding's regulator.
 *
 * @param position - present position of a regulator, steps
 */
export function tapRatios(
  transformer: Transformer,
  regulators: readonly Regulator[],
  position: (regulator: Regulator) => number,
): number[] {
  const ratios = transformer.windings.map((winding) => winding.tapRatio);
  for (const regulator of regulators) {
    if (regulator.sharesTapOf !== undefined) continue;
    const w = regulator.winding;
    ratios[w] = ratios[w]! * (1 + (position(regulator) - regulator.neutralStep) * regulator.stepPu);
  }
  return ratios;
}

/** Gives neutrals that are not solidly grounded, but are numbered 0, a free node. */
function placeNeutrals(transformer: Transformer, places: NodePlaces): Transformer {
  if (!transformer.windings.some(({ groundOhm }) => groundOhm)) return transformer;
  let isChanged = false;
  const windings = transformer.windings.map((winding): Winding => {
    const ground = winding.groundOhm;
    const { bus, nodes } = winding.terminal;
    const isSolid = !ground || (ground.r === 0 && ground.x === 0);
    if (isSolid || transformer.phases === 1 || winding.connection !== 'wye') return winding;
    if ((nodes[transformer.phases] ?? 0) !== 0) return winding;
    const position = places.busAt(bus);
    let node = 4;
    while (places.has(position, node)) node++;
    places.add(position, node);
    isChanged = true;
    return { ...winding, terminal: { bus, nodes: [...nodes.slice(0, transformer.phases), node] } };
  });
  return isChanged ? { ...transformer, windings } : transformer;
}

/** Everything that makes the feeder uncompilable, one sentence each. */
function problems(feeder: Feeder): string[] {
  const list: string[] = [];
  const place = (kind: string, element: Element, terminal: Terminal) => {
    if (!feeder.busById.has(terminal.bus)) list.push(`${kind} ${element.name} ends at an unknown bus ${terminal.bus}`);
    if (terminal.nodes.some((node) => !Number.isInteger(node) || node < 0)) {
      list.push(`${kind} ${element.name} has node numbers [${terminal.nodes.join(', ')}]`);
    }
  };
  const branchOf = (branch: Line | Switch | Reactor) => {
    place(branch.kind, branch, branch.from);
    place(branch.kind, branch, branch.to);
    const n = branch.from.nodes.length;
    if (n === 0 || branch.to.nodes.length !== n || branch.seriesOhm.n !== n) {
      list.push(
        `${branch.kind} ${branch.name} has ${n} and ${branch.to.nodes.length} conductors and an impedance of order ${branch.seriesOhm.n}`,
      );
    }
    if (branch.kind === 'line' && branch.shuntSiemens.n !== branch.seriesOhm.n) {
      list.push(`line ${branch.name} has a shunt of order ${branch.shuntSiemens.n}`);
    }
    const open = branch.kind === 'line' ? branch.isOpen : undefined;
    if (open && (open.from.length !== n || open.to.length !== n)) {
      list.push(
        `line ${branch.name} has ${n} conductors and open states for ${open.from.length} and ${open.to.length}`,
      );
    }
  };
  for (const line of feeder.lines) branchOf(line);
  for (const device of feeder.switches) branchOf(device);
  for (const reactor of feeder.reactors) branchOf(reactor);
  for (const transformer of feeder.transformers) {
    for (const winding of transformer.windings) {
      place('transformer', transformer, winding.terminal);
      if (!(winding.ratedVoltageV > 0))
        list.push(`transformer ${transformer.name} has a winding without rated voltage`);
    }
  }
  for (const source of [...feeder.sources, ...(feeder.currentSources ?? [])]) {
    place(source.kind, source, source.terminal);
    if (source.returnTerminal) place(source.kind, source, source.returnTerminal);
  }
  for (const machine of feeder.inductionMachines ?? []) {
    place(machine.kind, machine, machine.terminal);
    if (machine.terminal.nodes.length !== 3) list.push(`${machine.kind} ${machine.name} has not three conductors`);
  }
  for (const devices of [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (const device of devices) {
      place(device.kind, device, device.terminal);
      for (const { ratedVoltageV, powerW, powerVar } of device.shares) {
        if (!(ratedVoltageV > 0)) list.push(`${device.kind} ${device.name} has a share without rated voltage`);
        if (!Number.isFinite(powerW) || !Number.isFinite(powerVar))
          list.push(`${device.kind} ${device.name} has no finite power`);
      }
    }
  }
  return list;
}

/** Regulators of transformers that are not there. */
function lostRegulators(feeder: Feeder): string[] {
  const list: string[] = [];
  for (const regulator of feeder.regulators) {
    const target = feeder.elements.get(regulator.transformerId);
    if (target?.kind !== 'transformer') {
      list.push(`regulator ${regulator.name} acts on an unknown transformer ${regulator.transformerId}`);
    }
  }
  return list;
}

function areFinite(values: Float64Array): boolean {
  for (let k = 0; k < values.length; k++) if (!Number.isFinite(values[k])) return false;
  return true;
}

/**
 * Compiles a feeder for the power flow.
 *
 * @throws DecError NO_SOURCE when the feeder has no source, FEEDER_DATA naming what cannot be placed
 * @example const compiled = compile(feeder); compiled.nodeCount
 */
export function compile(feeder: Feeder): CompiledFeeder {
  if (feeder.sources.length === 0) {
    throw new DecError('NO_SOURCE', `Feeder ${feeder.name} has no source (EnergySource); nothing feeds it.`, {
      feeder: feeder.name,
    });
  }
  const places = new NodePlaces(feeder.buses).read(feeder);
  const wrong = [...(places.isSound ? [] : problems(feeder)), ...lostRegulators(feeder)];
  if (wrong.length > 0) {
    throw new DecError('FEEDER_DATA', `Feeder ${feeder.name} cannot be compiled: ${wrong.slice(0, 5).join('; ')}.`, {
      feeder: feeder.name,
      count: wrong.length,
      problems: wrong,
    });
  }

  const placed = feeder.transformers.map((t) => placeNeutrals(t, places));
  const { bus: nodePosition, node: nodeNumber } = places.number();
  const nodeCount = nodeNumber.length;
  const nodeBus = new Array<string>(nodeCount);
  const nodeBaseV = new Float64Array(nodeCount);
  for (let i = 0; i < nodeCount; i++) {
    const bus = feeder.buses[nodePosition[i]!]!;
    nodeBus[i] = bus.id;
    nodeBaseV[i] = bus.baseVoltageV;
  }
  const bare = withoutAntifloat(feeder, placed, nodeCount, places);
  const transformers = new Map(placed.map((t) => [t.id, bare.has(t.id) ? { ...t, antifloat: 0 } : t]));

  const regulatorsOf = new Map<string, Regulator[]>();
  for (const regulator of feeder.regulators) {
    const list = regulatorsOf.get(regulator.transformerId);
    if (list) list.push(regulator);
    else regulatorsOf.set(regulator.transformerId, [regulator]);
  }

  const store = new DenseStore();
  const elements: CompiledElement[] = [];
  let elementIndex: Map<string, number> | undefined;
  const add = (kind: CompiledElement['kind'], element: Element, make: () => Primitive, nodes?: Int32Array) => {
    let primitive: Primitive;
    try {
      primitive = make();
    } catch (cause) {
      throw new DecError(
        'FEEDER_DATA',
        `The impedance of ${kind} ${element.name} has no inverse; give it a series impedance above zero.`,
        { kind, name: element.name, mrid: element.mrid },
        { cause },
      );
    }
    if (!areFinite(primitive.y.re) || !areFinite(primitive.y.im)) {
      throw new DecError('FEEDER_DATA', `The admittance of ${kind} ${element.name} is not finite.`, {
        kind,
        name: element.name,
        mrid: element.mrid,
      });
    }
    elements.push(new PlacedElement(element, kind, nodes ?? byConductor(primitive), primitive));
  };
  const { branchNode, branchStart, windingBus } = places;
  /** First winding of the transformer at hand; -1 for other elements. */
  let winding = -1;
  const byConductor = ({ conductors }: Primitive): Int32Array => {
    const nodes = new Int32Array(conductors.length);
    for (let i = 0; i < nodes.length; i++) {
      const { bus, node, terminal } = conductors[i]!;
      nodes[i] = places.nodeAt(winding < 0 ? places.busAt(bus) : windingBus[winding + terminal - 1]!, node);
    }
    return nodes;
  };
  let branch = 0;
  const ofBranch = (): Int32Array => {
    const first = branchStart[branch++]!;
    return new Int32Array(branchNode.buffer, 4 * first, branchStart[branch]! - first);
  };
  for (const source of feeder.sources) add('source', source, () => sourcePrimitive(source));
  for (const source of feeder.currentSources ?? []) add('source', source, () => currentSourcePrimitive(source));
  for (const line of feeder.lines) {
    add('line', line, () => linePrimitive(line, store), ofBranch());
  }
  for (const device of feeder.switches) {
    add('switch', device, () => switchPrimitive(device, device.isOpen), ofBranch());
  }
  for (const reactor of feeder.reactors) {
    add('reactor', reactor, () => reactorPrimitive(reactor), ofBranch());
  }
  // Of transformers that share an id the last one counts; their windings are then looked up by name.
  const areIdsUnique = transformers.size === placed.length;
  let nextWinding = 0;
  for (const transformer of transformers.values()) {
    const ratios = tapRatios(transformer, regulatorsOf.get(transformer.id) ?? [], (r) => r.position);
    winding = areIdsUnique ? nextWinding : -1;
    add('transformer', transformer, () => transformerPrimitive(transformer, ratios, store));
    nextWinding += transformer.windings.length;
  }
  winding = -1;
  for (const capacitor of feeder.capacitors) {
    add('capacitor', capacitor, () => capacitorPrimitive(capacitor, capacitor.sectionsOn));
  }
  for (const machine of feeder.inductionMachines ?? []) {
    add('inductionMachine', machine, () => inductionPrimitive(machine));
  }

  return {
    feeder,
    nodeCount,
    nodeBus,
    nodeBusPosition: nodePosition,
    nodeNumber,
    nodeBaseV,
    nodeIndex: (bus, node) => places.nodeAt(places.busAt(bus), node),
    elements,
    get elementIndex() {
      if (elementIndex) return elementIndex;
      elementIndex = new Map();
      for (let e = 0; e < elements.length; e++) elementIndex.set(elements[e]!.id, e);
      return elementIndex;
    },
    shares: compileShares(feeder, places),
    transformers,
    regulatorsOf,
  };
}
