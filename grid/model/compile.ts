/*
 * From the engineering model to the arrays of the solvers.
 *
 * Steps: number the nodes bus by bus; make the primitive admittance of every source, line, switch, transformer and
 * capacitor; lay out loads and generation as two-terminal shares. A neutral with an impedance to ground but no node
 * number of its own gets one (the lowest free from 4 up).
 * Fails: FEEDER_DATA naming every element that cannot be placed, NO_SOURCE when nothing feeds the circuit.
 */
import { type ComplexDense, DecError, DenseStore } from '../math/index.js';
import { withoutAntifloat } from './antifloat.js';
import type { Terminal } from './bus.js';
import type { Element, Line, Reactor, Regulator, Switch, Transformer, Winding } from './element.js';
import type { Feeder } from './feeder.js';
import { inductionPrimitive } from './induction.js';
import { NodePlaces, WINDING } from './node-places.js';
import { type AdmittanceElement, type CompiledElement, NodeStore, PlacedElement } from './placed-element.js';
import {
  capacitorPrimitive,
  currentSourcePrimitive,
  lineAdmittance,
  type Primitive,
  reactorAdmittance,
  sourcePrimitive,
  switchAdmittance,
} from './primitive.js';
import { type CompiledShares, compileShares } from './shares.js';
import { eachTransformerNode, transformerAdmittance } from './transformer-primitive.js';

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

type CompiledNodes = Pick<CompiledFeeder, 'nodeCount' | 'nodeBus' | 'nodeBusPosition' | 'nodeNumber' | 'nodeBaseV'>;
type CompiledParts = Pick<CompiledFeeder, 'elements' | 'shares' | 'transformers' | 'regulatorsOf'>;

/** A compiled feeder: a class, because each literal with a getter would have a layout of its own. */
class Compilation implements CompiledFeeder {
  readonly nodeCount: number;
  readonly nodeBus: readonly string[];
  readonly nodeBusPosition: Int32Array;
  readonly nodeNumber: Int32Array;
  readonly nodeBaseV: Float64Array;
  readonly elements: readonly CompiledElement[];
  readonly shares: CompiledShares;
  readonly transformers: ReadonlyMap<string, Transformer>;
  readonly regulatorsOf: ReadonlyMap<string, readonly Regulator[]>;
  private index: Map<string, number> | undefined;

  constructor(
    readonly feeder: Feeder,
    private readonly places: NodePlaces,
    nodes: CompiledNodes,
    parts: CompiledParts,
  ) {
    this.nodeCount = nodes.nodeCount;
    this.nodeBus = nodes.nodeBus;
    this.nodeBusPosition = nodes.nodeBusPosition;
    this.nodeNumber = nodes.nodeNumber;
    this.nodeBaseV = nodes.nodeBaseV;
    this.elements = parts.elements;
    this.shares = parts.shares;
    this.transformers = parts.transformers;
    this.regulatorsOf = parts.regulatorsOf;
    this.index = undefined;
  }

  get elementIndex(): ReadonlyMap<string, number> {
    if (this.index) return this.index;
    this.index = new Map();
    for (let e = 0; e < this.elements.length; e++) this.index.set(this.elements[e]!.id, e);
    return this.index;
  }

  nodeIndex(bus: string, node: number): number {
    return this.places.nodeAt(this.places.busAt(bus), node);
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

/** The transformers with free nodes for neutrals that are not solidly grounded, but are numbered 0. */
function withNeutrals(transformers: readonly Transformer[], places: NodePlaces): readonly Transformer[] {
  const { windingStart, windingTraits } = places;
  let placed: Transformer[] | undefined;
  for (let t = 0; t < transformers.length; t++) {
    const start = windingStart[t]!;
    let hasGround = false;
    for (let at = start; at < windingStart[t + 1]!; at++) {
      if ((windingTraits[at]! & WINDING.hasGround) !== 0) hasGround = true;
    }
    if (!hasGround) continue;
    const given = transformers[t]!;
    const own = placeNeutrals(given, places);
    if (own === given) continue;
    placed ??= [...transformers];
    placed[t] = own;
    own.windings.forEach((winding, w) => {
      places.noteWinding(start + w, winding, w === 0 && own.construction === 'auto');
    });
  }
  return placed ?? transformers;
}

/** Gives neutrals that are not solidly grounded, but are numbered 0, a free node. */
function placeNeutrals(transformer: Transformer, places: NodePlaces): Transformer {
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

function isAllFinite({ n, data, offset }: ComplexDense): boolean {
  for (let k = offset, end = offset + 2 * n * n; k < end; k++) if (!Number.isFinite(data[k])) return false;
  return true;
}

/** Taps as the model has them. */
function modelPosition(regulator: Regulator): number {
  return regulator.position;
}

const NO_REGULATORS: readonly Regulator[] = [];

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
  const places = new NodePlaces(feeder).read(feeder);
  const wrong = [...(places.isSound ? [] : problems(feeder)), ...lostRegulators(feeder)];
  if (wrong.length > 0) {
    throw new DecError('FEEDER_DATA', `Feeder ${feeder.name} cannot be compiled: ${wrong.slice(0, 5).join('; ')}.`, {
      feeder: feeder.name,
      count: wrong.length,
      problems: wrong,
    });
  }

  const placed = withNeutrals(feeder.transformers, places);
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
  const transformers = new Map<string, Transformer>();
  for (let t = 0; t < placed.length; t++) {
    const own = placed[t]!;
    transformers.set(own.id, bare.size > 0 && bare.has(own.id) ? { ...own, antifloat: 0 } : own);
  }

  const regulatorsOf = new Map<string, Regulator[]>();
  for (const regulator of feeder.regulators) {
    const list = regulatorsOf.get(regulator.transformerId);
    if (list) list.push(regulator);
    else regulatorsOf.set(regulator.transformerId, [regulator]);
  }

  const store = new DenseStore();
  const rooms = new NodeStore();
  const elements: PlacedElement[] = [];
  const put = (
    kind: CompiledElement['kind'],
    element: AdmittanceElement,
    y: ComplexDense,
    room: Int32Array,
    start: number,
  ) => {
    if (!isAllFinite(y)) {
      throw new DecError('FEEDER_DATA', `The admittance of ${kind} ${element.name} is not finite.`, {
        kind,
        name: element.name,
        mrid: element.mrid,
      });
    }
    elements.push(new PlacedElement(element, kind, y, room, start));
  };
  const lost = (kind: CompiledElement['kind'], element: Element, cause: unknown) =>
    new DecError(
      'FEEDER_DATA',
      `The impedance of ${kind} ${element.name} has no inverse; give it a series impedance above zero.`,
      { kind, name: element.name, mrid: element.mrid },
      { cause },
    );
  const { branchNode, branchStart, windingBus } = places;
  let branch = 0;
  const addBranch = <T extends Line | Switch | Reactor>(element: T, make: (element: T) => ComplexDense) => {
    let y: ComplexDense;
    try {
      y = make(element);
    } catch (cause) {
      throw lost(element.kind, element, cause);
    }
    put(element.kind, element, y, branchNode, branchStart[branch++]!);
  };
  const addOther = <T extends AdmittanceElement>(
    kind: CompiledElement['kind'],
    element: T,
    make: (element: T) => Primitive,
  ) => {
    let primitive: Primitive;
    try {
      primitive = make(element);
    } catch (cause) {
      throw lost(kind, element, cause);
    }
    const { conductors, y } = primitive;
    rooms.take(conductors.length);
    conductors.forEach(({ bus, node }, i) => {
      rooms.piece[rooms.start + i] = places.nodeAt(places.busAt(bus), node);
    });
    put(kind, element, y, rooms.piece, rooms.start);
  };
  for (const source of feeder.sources) addOther('source', source, sourcePrimitive);
  for (const source of feeder.currentSources ?? []) addOther('source', source, currentSourcePrimitive);
  const ofLine = (line: Line) => lineAdmittance(line, store);
  const ofSwitch = (device: Switch) => switchAdmittance(device, device.isOpen, store);
  const ofReactor = (reactor: Reactor) => reactorAdmittance(reactor, store);
  for (const line of feeder.lines) addBranch(line, ofLine);
  for (const device of feeder.switches) addBranch(device, ofSwitch);
  for (const reactor of feeder.reactors) addBranch(reactor, ofReactor);
  // Of transformers that share an id the last one counts; their windings are then looked up by name.
  const areIdsUnique = transformers.size === placed.length;
  let winding = 0;
  let at = 0;
  let transformer: Transformer;
  const place = (w: number, node: number) => {
    const bus = areIdsUnique ? windingBus[winding + w]! : places.busAt(transformer.windings[w]!.terminal.bus);
    rooms.piece[at++] = places.nodeAt(bus, node);
  };
  for (transformer of transformers.values()) {
    const regulators = regulatorsOf.get(transformer.id) ?? NO_REGULATORS;
    let y: ComplexDense;
    try {
      y = transformerAdmittance(transformer, tapRatios(transformer, regulators, modelPosition), store);
    } catch (cause) {
      throw lost('transformer', transformer, cause);
    }
    rooms.take(y.n);
    at = rooms.start;
    eachTransformerNode(transformer, place);
    put('transformer', transformer, y, rooms.piece, rooms.start);
    winding += transformer.windings.length;
  }
  for (const capacitor of feeder.capacitors) {
    addOther('capacitor', capacitor, () => capacitorPrimitive(capacitor, capacitor.sectionsOn));
  }
  for (const machine of feeder.inductionMachines ?? []) addOther('inductionMachine', machine, inductionPrimitive);

  const shares = compileShares(feeder, places);
  const nodes = { nodeCount, nodeBus, nodeBusPosition: nodePosition, nodeNumber, nodeBaseV };
  return new Compilation(feeder, places, nodes, { elements, shares, transformers, regulatorsOf });
}
