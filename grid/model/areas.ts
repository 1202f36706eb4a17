/**
 * Areas: how a feeder falls apart for distributed agents.
 *
 * Steps: join buses over lines, closed or open switches that are no area boundary, and transformers within one voltage level;
 * what hangs together below a service transformer is a secondary area, what hangs together at medium voltage between
 * boundary switches is a switch area, and the part with a source is the feeder's own. Cost: one pass over all elements.
 * The rule is the one the area objects of the platform's own files follow (SwitchArea, SecondaryArea): fuses, which nobody
 * can operate from afar, bound no area.
 */
import type { Bus, Terminal } from './bus.js';
import type { Switch, Transformer } from './element.js';
import type { Feeder, StoredArea } from './feeder.js';
import { canonicalMrid } from './mrid.js';
import { nameUuid } from './name-uuid.js';

/** Everything below one service transformer (or a bank of them); its boundary is the transformer's terminals. */
export interface SecondaryArea {
  /** mRID of the stored SecondaryArea with the same equipment, else a UUID made from the transformers' ids. */
  readonly id: string;
  /** Name of the first transformer's bank. */
  readonly name: string;
  /** The service transformers that feed the area; they belong to it. */
  readonly transformerIds: readonly string[];
  /** Where these transformers stand on the primary: bus and phase nodes (without ground). */
  readonly primaryTerminals: readonly Terminal[];
  readonly buses: readonly string[];
  /** Canonical ids of all equipment: elements, the banks of transformer tanks, PV and battery units. */
  readonly equipment: readonly string[];
}

/** A part of the medium-voltage network between switches. */
export interface SwitchArea {
  readonly id: string;
  /** Ids of the switches at its edge, open or closed. */
  readonly boundaryBranches: readonly string[];
  readonly buses: readonly string[];
  /** As in {@link SecondaryArea.equipment}; what is in secondary areas is not repeated. */
  readonly equipment: readonly string[];
  readonly secondaryAreas: readonly SecondaryArea[];
}

/** All areas: the feeder's own part (source side of the first switches, and the boundary switches), and the rest. */
export interface AreaTree {
  readonly feederArea: SwitchArea;
  readonly switchAreas: readonly SwitchArea[];
}

/** Switch classes that bound an area: those that are operated remotely or on site; a fuse or a cut does not. */
const BOUNDARY_CLASSES: ReadonlySet<string> = new Set([
  'Breaker',
  'LoadBreakSwitch',
  'Recloser',
  'Disconnector',
  'Sectionaliser',
  'Switch',
  'GroundDisconnector',
  'ProtectedSwitch',
]);

/** Settings of {@link findAreas}. */
export interface AreaOptions {
  /** Classes of the switches that bound areas; replaces the default. */
  readonly boundaryClasses?: ReadonlySet<string>;
}

/** Highest nominal line-to-line voltage that counts as low voltage, V (IEC 60038: 1000 V). */
const LOW_VOLTAGE_MAX_V = 1000;
/** Name space of the ids made for areas that the source does not name; drawn once at random. */
const AREA_NAMESPACE = '5f0c2a7e-8b1d-4d5c-b0a3-91d4e6c7f218';

/** Sets of buses that hang together. */
class BusParts {
  private readonly parent = new Map<string, string>();

  root(bus: string): string {
    let top = bus;
    for (let up = this.parent.get(top); up !== undefined; up = this.parent.get(top)) top = up;
    // Halving the path keeps later look-ups short.
    for (let at = bus; at !== top; ) {
      const up = this.parent.get(at)!;
      this.parent.set(at, top);
      at = up;
    }
    return top;
  }

  join(a: string, b: string): void {
    const rootA = this.root(a);
    const rootB = this.root(b);
    if (rootA !== rootB) this.parent.set(rootB, rootA);
  }
}

interface Part {
  readonly buses: string[];
  readonly equipment: Set<string>;
  readonly boundary: Set<string>;
  readonly transformers: Transformer[];
}

function isLowVoltage(bus: Bus): boolean {
  return bus.isSplitPhase || bus.baseVoltageV * Math.sqrt(3) <= LOW_VOLTAGE_MAX_V * 1.001;
}

/** True for a transformer between medium or high voltage and low voltage. */
export function isServiceTransformer(feeder: Feeder, transformer: Transformer): boolean {
  const levels = transformer.windings.map(({ terminal }) => {
    const bus = feeder.busById.get(terminal.bus);
    return bus ? isLowVoltage(bus) : undefined;
  });
  return levels.includes(true) && levels.includes(false);
}

/** Canonical id of every element with what CIM has beside it: the bank of a tank, the unit behind an inverter. */
function equipmentIds(element: {
  readonly id: string;
  readonly bankId?: string;
  readonly unitMrid?: string;
}): string[] {
  const ids = [element.id];
  if (element.bankId) ids.push(canonicalMrid(element.bankId));
  if (element.unitMrid) ids.push(canonicalMrid(element.unitMrid));
  return ids;
}

/**
 * Finds the feeder's switch areas and secondary areas from its graph.
 *
 * @param feeder - any feeder; buses without a path to anything are areas of their own
 * @returns areas in the order of the feeder's switches and transformers
 */
export function findAreas(feeder: Feeder, options: AreaOptions = {}): AreaTree {
  const boundaryClasses = options.boundaryClasses ?? BOUNDARY_CLASSES;
  const parts = new BusParts();
  const isLow = (bus: string) => {
    const found = feeder.busById.get(bus);
    return found !== undefined && isLowVoltage(found);
  };
  const isBoundary = (device: Switch) => boundaryClasses.has(device.switchClass) && !isLow(device.from.bus);
  for (const { from, to } of [...feeder.lines, ...feeder.reactors]) parts.join(from.bus, to.bus);
  for (const device of feeder.switches) if (!isBoundary(device)) parts.join(device.from.bus, device.to.bus);
  const isService = new Map(feeder.transformers.map((t) => [t.id, isServiceTransformer(feeder, t)]));
  for (const transformer of feeder.transformers) {
    const [first, ...others] = transformer.windings;
    if (!first) continue;
    if (!isService.get(transformer.id)) {
      for (const { terminal } of others) parts.join(first.terminal.bus, terminal.bus);
    } else {
      // The legs of a split-phase secondary are one level even when they are at two buses.
      const low = transformer.windings.filter(({ terminal }) => isLow(terminal.bus));
      for (const { terminal } of low) parts.join(low[0]!.terminal.bus, terminal.bus);
    }
  }

  const byRoot = new Map<string, Part>();
  const partOf = (bus: string): Part => {
    const root = parts.root(bus);
    let part = byRoot.get(root);
    if (!part) {
      part = { buses: [], equipment: new Set(), boundary: new Set(), transformers: [] };
      byRoot.set(root, part);
    }
    return part;
  };
  const head = new Set(feeder.sources.map((source) => partOf(source.terminal.bus)));
  for (const bus of feeder.buses) partOf(bus.id).buses.push(bus.id);
  const own = { buses: [] as string[], equipment: new Set<string>(), boundary: new Set<string>() };
  const put = (bus: string, element: Parameters<typeof equipmentIds>[0]) => {
    for (const id of equipmentIds(element)) partOf(bus).equipment.add(id);
  };
  for (const line of [...feeder.lines, ...feeder.reactors]) put(line.from.bus, line);
  const edgeOrder: Part[] = [];
  for (const device of feeder.switches) {
    if (!isBoundary(device)) {
      put(device.from.bus, device);
      continue;
    }
    own.equipment.add(device.id);
    for (const { bus } of [device.from, device.to]) {
      partOf(bus).boundary.add(device.id);
      edgeOrder.push(partOf(bus));
    }
  }
  for (const transformer of feeder.transformers) {
    const winding = isService.get(transformer.id)
      ? transformer.windings.find(({ terminal }) => isLow(terminal.bus))
      : transformer.windings[0];
    if (!winding) continue;
    put(winding.terminal.bus, transformer);
    if (isService.get(transformer.id)) partOf(winding.terminal.bus).transformers.push(transformer);
  }
  for (const shunts of [feeder.capacitors, feeder.loads, feeder.pvSystems, feeder.batteries, feeder.machines]) {
    for (const shunt of shunts) put(shunt.terminal.bus, shunt);
  }
  for (const machine of feeder.inductionMachines ?? []) put(machine.terminal.bus, machine);
  for (const source of [...feeder.sources, ...(feeder.currentSources ?? [])]) put(source.terminal.bus, source);

  const names = new AreaNames(feeder);
  const secondaries = new Map<Part, SecondaryArea[]>();
  const secondaryParts = new Set<Part>();
  for (const part of serviceOrder(feeder, isService, partOf, isLow)) {
    if (head.has(part)) continue;
    secondaryParts.add(part);
    const area = secondaryArea(part, names, isLow);
    const parent = partOf(area.primaryTerminals[0]!.bus);
    secondaries.set(parent, [...(secondaries.get(parent) ?? []), area]);
  }

  const switchAreas: SwitchArea[] = [];
  // Areas at a switch come first, in the order of the switches; parts that nothing bounds follow.
  for (const part of new Set([...edgeOrder, ...byRoot.values()])) {
    if (secondaryParts.has(part)) continue;
    if (head.has(part) || part.buses.length === 0) continue;
    const secondaryAreas = secondaries.get(part) ?? [];
    switchAreas.push({
      id: names.switchArea(part, secondaryAreas),
      boundaryBranches: [...part.boundary],
      buses: part.buses,
      equipment: [...part.equipment],
      secondaryAreas,
    });
  }
  for (const part of head) {
    own.buses.push(...part.buses);
    for (const id of part.equipment) own.equipment.add(id);
    for (const id of part.boundary) own.boundary.add(id);
  }
  const feederArea: SwitchArea = {
    id: names.feederArea(),
    boundaryBranches: [...own.boundary],
    buses: own.buses,
    equipment: [...own.equipment],
    secondaryAreas: [...head].flatMap((part) => secondaries.get(part) ?? []),
  };
  return { feederArea, switchAreas };
}

/** Parts below service transformers in the order of the transformers. */
function serviceOrder(
  feeder: Feeder,
  isService: ReadonlyMap<string, boolean>,
  partOf: (bus: string) => Part,
  isLow: (bus: string) => boolean,
): Set<Part> {
  const order = new Set<Part>();
  for (const transformer of feeder.transformers) {
    if (!isService.get(transformer.id)) continue;
    for (const { terminal } of transformer.windings) if (isLow(terminal.bus)) order.add(partOf(terminal.bus));
  }
  return order;
}

function secondaryArea(part: Part, names: AreaNames, isLow: (bus: string) => boolean): SecondaryArea {
  const primary = new Map<string, Set<number>>();
  for (const transformer of part.transformers) {
    for (const { terminal } of transformer.windings) {
      if (isLow(terminal.bus)) continue;
      const nodes = primary.get(terminal.bus) ?? new Set();
      for (const node of terminal.nodes) if (node !== 0) nodes.add(node);
      primary.set(terminal.bus, nodes);
    }
  }
  return {
    id: names.secondaryArea(part),
    name: part.transformers[0]!.bankName,
    transformerIds: part.transformers.map((transformer) => transformer.id),
    primaryTerminals: [...primary].map(([bus, nodes]) => ({ bus, nodes: [...nodes].sort((a, b) => a - b) })),
    buses: part.buses,
    equipment: [...part.equipment],
  };
}

function sortedKey(ids: Iterable<string>): string {
  return [...ids].sort().join(' ');
}

/** Gives areas the mRIDs they have in the source, found by their equipment, and makes stable ones for the others. */
class AreaNames {
  private readonly byEquipment = new Map<string, StoredArea[]>();
  private readonly storedById = new Map<string, StoredArea>();
  private readonly busOfTerminal = new Map<string, string>();
  private readonly taken = new Set<string>();

  constructor(private readonly feeder: Feeder) {
    for (const stored of feeder.storedAreas) {
      this.storedById.set(canonicalMrid(stored.mrid), stored);
      const key = `${stored.kind} ${sortedKey(this.equipmentOf(stored))}`;
      this.byEquipment.set(key, [...(this.byEquipment.get(key) ?? []), stored]);
    }
    for (const { terminalMrid, bus } of feeder.measurements) this.busOfTerminal.set(canonicalMrid(terminalMrid), bus);
  }

  feederArea(): string {
    const stored = this.feeder.storedAreas.find(({ kind }) => kind === 'FeederArea');
    return stored?.mrid ?? nameUuid(AREA_NAMESPACE, `FeederArea ${canonicalMrid(this.feeder.mrid)}`);
  }

  secondaryArea(part: Part): string {
    const candidates = this.candidates('SecondaryArea', part);
    if (candidates[0]) return this.take(candidates[0]);
    return nameUuid(AREA_NAMESPACE, `SecondaryArea ${sortedKey(part.transformers.map(({ id }) => id))}`);
  }

  switchArea(part: Part, secondaryAreas: readonly SecondaryArea[]): string {
    // Several areas may hold nothing but a bus: then the areas inside and the terminals at the edge tell them apart.
    const parents = new Set(secondaryAreas.map(({ id }) => this.storedById.get(canonicalMrid(id))?.parent));
    const buses = new Set(part.buses);
    const candidates = this.candidates('SwitchArea', part);
    const isParent = (stored: StoredArea) =>
      [...parents].some((p) => p && canonicalMrid(p) === canonicalMrid(stored.mrid));
    const isAtEdge = (stored: StoredArea) =>
      stored.boundaryTerminals.some((terminal) => buses.has(this.busOfTerminal.get(terminal) ?? ''));
    const stored = candidates.find(isParent) ?? candidates.find(isAtEdge) ?? candidates[0];
    if (stored) return this.take(stored);
    return nameUuid(AREA_NAMESPACE, `SwitchArea ${sortedKey(part.boundary)} ${sortedKey(part.buses).slice(0, 64)}`);
  }

  /** Stored equipment without the terminals that are kept in the same list. */
  private equipmentOf(stored: StoredArea): string[] {
    const terminals = new Set(stored.boundaryTerminals);
    return stored.equipment.filter((id) => !terminals.has(id));
  }

  private candidates(kind: StoredArea['kind'], part: Part): StoredArea[] {
    const found = this.byEquipment.get(`${kind} ${sortedKey(part.equipment)}`) ?? [];
    return found.filter((stored) => !this.taken.has(stored.mrid));
  }

  private take(stored: StoredArea): string {
    this.taken.add(stored.mrid);
    return stored.mrid;
  }
}

/** All secondary areas of a tree, in order. */
export function secondaryAreasOf(tree: AreaTree): SecondaryArea[] {
  return [tree.feederArea, ...tree.switchAreas].flatMap((area) => area.secondaryAreas);
}
