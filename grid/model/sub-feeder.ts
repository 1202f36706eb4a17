/** Parts of a feeder as feeders of their own: one secondary for its agent, the primary for the coordinator. */
import { DecError } from '../math/index.js';
import { type AreaTree, type SecondaryArea, secondaryAreasOf } from './areas.js';
import { feederData } from './build.js';
import type { Bus, Terminal } from './bus.js';
import type { Source } from './element.js';
import type { Feeder, FeederData } from './feeder.js';
import { canonicalMrid } from './mrid.js';

/** Impedance of the stiff source in place of the network above, ohm. */
const STIFF_X_OHM = 1e-4;
/** Lag of phases A, B, C (nodes 1, 2, 3) behind phase A, rad. */
const PHASE_STEP_RAD = (2 * Math.PI) / 3;

/**
 * Stiff sources at one bus: one of three phases when all are needed, else one of one phase per node, since a source of two
 * phases would have its voltages opposite to one another.
 */
function stiffSources(bus: Bus, terminal: Terminal): Source[] {
  const make = (nodes: readonly number[], voltageV: number, angleRad: number): Source => ({
    kind: 'source',
    id: `source.${bus.id}.${nodes.join('.')}`,
    mrid: '',
    name: `source_${bus.name}_${nodes.join('_')}`,
    terminal: { bus: bus.id, nodes },
    ...{ voltageV, nominalVoltageV: voltageV, angleRad },
    ...{ r1Ohm: 0, x1Ohm: STIFF_X_OHM, r0Ohm: 0, x0Ohm: STIFF_X_OHM },
  });
  const { nodes } = terminal;
  if (nodes.join() === '1,2,3') return [make(nodes, bus.baseVoltageV * Math.sqrt(3), 0)];
  return nodes.map((node) => make([node], bus.baseVoltageV, -(node - 1) * PHASE_STEP_RAD));
}

/** Keeps the elements whose buses are all kept and whose equipment is not taken out. */
function restrict(feeder: Feeder, isKept: (bus: string) => boolean, isOut: (id: string) => boolean): FeederData {
  const branch = <T extends { readonly id: string; readonly from: Terminal; readonly to: Terminal }>(e: T) =>
    isKept(e.from.bus) && isKept(e.to.bus) && !isOut(e.id);
  const shunt = <T extends { readonly id: string; readonly terminal: Terminal }>(e: T) =>
    isKept(e.terminal.bus) && !isOut(e.id);
  const transformers = feeder.transformers.filter(
    (t) => t.windings.every(({ terminal }) => isKept(terminal.bus)) && !isOut(t.id),
  );
  const transformerIds = new Set(transformers.map(({ id }) => id));
  const part = {
    ...feederData(feeder),
    buses: feeder.buses.filter(({ id }) => isKept(id)),
    sources: feeder.sources.filter(shunt),
    lines: feeder.lines.filter(branch),
    switches: feeder.switches.filter(branch),
    transformers,
    regulators: feeder.regulators.filter(({ transformerId }) => transformerIds.has(transformerId)),
    capacitors: feeder.capacitors.filter(shunt),
    loads: feeder.loads.filter(shunt),
    pvSystems: feeder.pvSystems.filter(shunt),
    batteries: feeder.batteries.filter(shunt),
    machines: feeder.machines.filter(shunt),
    reactors: feeder.reactors.filter(branch),
    ...(feeder.currentSources ? { currentSources: feeder.currentSources.filter(shunt) } : {}),
    ...(feeder.inductionMachines ? { inductionMachines: feeder.inductionMachines.filter(shunt) } : {}),
  };
  const derIds = new Set([...part.pvSystems, ...part.batteries].map(({ id }) => id));
  const inverterControls = feeder.inverterControls.flatMap((control) => {
    const kept = control.derIds.filter((id) => derIds.has(id));
    return kept.length > 0 ? [{ ...control, derIds: kept }] : [];
  });
  const equipment = new Set<string>(transformers.map(({ bankId }) => canonicalMrid(bankId)));
  const kept = [part.sources, part.lines, part.switches, transformers, part.regulators, part.capacitors, part.reactors];
  for (const list of [
    ...kept,
    part.loads,
    part.pvSystems,
    part.batteries,
    part.machines,
    part.currentSources ?? [],
    part.inductionMachines ?? [],
  ]) {
    for (const { id } of list) equipment.add(id);
  }
  return {
    ...part,
    inverterControls,
    measurements: feeder.measurements.filter((m) => equipment.has(m.equipmentId) && isKept(m.bus)),
  };
}

/** Elements by bus, as positions in the feeder's lists. */
type Places = ReadonlyMap<string, ReadonlyMap<PlacedList, readonly number[]>>;

const PLACED = [
  'buses',
  'sources',
  'lines',
  'switches',
  'transformers',
  'capacitors',
  'loads',
  'pvSystems',
  'batteries',
  'machines',
  'reactors',
  'measurements',
  'currentSources',
  'inductionMachines',
] as const;
type PlacedList = (typeof PLACED)[number];

/** Made once per feeder: a feeder of n areas is cut into all of them in one pass. */
const placesOf = new WeakMap<Feeder, Places>();

function placesIn(feeder: Feeder): Places {
  const known = placesOf.get(feeder);
  if (known) return known;
  const places = new Map<string, Map<PlacedList, number[]>>();
  const put = (bus: string, list: PlacedList, position: number) => {
    const lists = places.get(bus) ?? new Map<PlacedList, number[]>();
    places.set(bus, lists);
    const positions = lists.get(list);
    if (!positions) lists.set(list, [position]);
    else if (positions.at(-1) !== position) positions.push(position);
  };
  feeder.buses.forEach(({ id }, k) => {
    put(id, 'buses', k);
  });
  for (const list of ['lines', 'switches', 'reactors'] as const) {
    feeder[list].forEach(({ from, to }, k) => {
      for (const { bus } of [from, to]) put(bus, list, k);
    });
  }
  const shunts = ['sources', 'capacitors', 'loads', 'pvSystems', 'batteries', 'machines'] as const;
  for (const list of [...shunts, 'currentSources', 'inductionMachines'] as const) {
    feeder[list]?.forEach(({ terminal }, k) => {
      put(terminal.bus, list, k);
    });
  }
  feeder.transformers.forEach(({ windings }, k) => {
    for (const { terminal } of windings) put(terminal.bus, 'transformers', k);
  });
  feeder.measurements.forEach(({ bus }, k) => {
    put(bus, 'measurements', k);
  });
  placesOf.set(feeder, places);
  return places;
}

/** The feeder with what touches the given buses only, in its own order. */
function nearBuses(feeder: Feeder, buses: Iterable<string>): Feeder {
  const places = placesIn(feeder);
  const positions = new Map<PlacedList, Set<number>>(PLACED.map((list) => [list, new Set()]));
  for (const bus of buses) {
    for (const [list, own] of places.get(bus) ?? []) for (const k of own) positions.get(list)!.add(k);
  }
  const pick = <T>(list: PlacedList, from: readonly T[]): T[] =>
    [...positions.get(list)!].sort((a, b) => a - b).map((k) => from[k]!);
  return {
    ...feeder,
    buses: pick('buses', feeder.buses),
    sources: pick('sources', feeder.sources),
    lines: pick('lines', feeder.lines),
    switches: pick('switches', feeder.switches),
    transformers: pick('transformers', feeder.transformers),
    capacitors: pick('capacitors', feeder.capacitors),
    loads: pick('loads', feeder.loads),
    pvSystems: pick('pvSystems', feeder.pvSystems),
    batteries: pick('batteries', feeder.batteries),
    machines: pick('machines', feeder.machines),
    reactors: pick('reactors', feeder.reactors),
    measurements: pick('measurements', feeder.measurements),
    ...(feeder.currentSources ? { currentSources: pick('currentSources', feeder.currentSources) } : {}),
    ...(feeder.inductionMachines ? { inductionMachines: pick('inductionMachines', feeder.inductionMachines) } : {}),
  };
}

/**
 * The network below a service transformer, with the transformer and stiff sources at the phases of its primary.
 * Its mRID is the area's id; the nominal source voltage is 1 pu of the primary bus, so that `--source-voltage` and
 * `PowerFlow.setSourceVoltagePu` set the primary voltage.
 *
 * @throws DecError FEEDER_DATA when a bus of the area is not in the feeder
 */
export function extractSecondary(feeder: Feeder, area: SecondaryArea): FeederData {
  const inside = new Set(area.buses);
  const primary = new Set(area.primaryTerminals.map(({ bus }) => bus));
  // Only what belongs to the area comes along from its primary bus: the service transformers.
  const equipment = new Set(area.equipment);
  const part = restrict(
    nearBuses(feeder, new Set([...inside, ...primary])),
    (bus) => inside.has(bus) || primary.has(bus),
    (id) => !equipment.has(id),
  );
  const sources = area.primaryTerminals.flatMap((terminal) => {
    const bus = feeder.busById.get(terminal.bus);
    if (!bus) {
      throw new DecError('FEEDER_DATA', `Area ${area.name} stands at bus ${terminal.bus}, which the feeder lacks.`, {
        area: area.id,
        bus: terminal.bus,
      });
    }
    return stiffSources(bus, terminal);
  });
  const storedAreas = feeder.storedAreas.filter(({ mrid }) => mrid === area.id);
  return { ...part, mrid: area.id, name: area.name, sources: [...sources, ...part.sources], storedAreas };
}

/** The feeder without its secondary areas: no low-voltage bus, no service transformer, nothing behind one. */
export function primaryOf(feeder: Feeder, areas: AreaTree): FeederData {
  const secondary = secondaryAreasOf(areas);
  const lowBuses = new Set(secondary.flatMap(({ buses }) => buses));
  const out = new Set(secondary.flatMap(({ equipment }) => equipment));
  const part = restrict(
    feeder,
    (bus) => !lowBuses.has(bus),
    (id) => out.has(id),
  );
  return { ...part, storedAreas: feeder.storedAreas.filter(({ kind }) => kind !== 'SecondaryArea') };
}

/** Lists of what customers have at a bus. */
const CUSTOMERS = ['loads', 'pvSystems', 'batteries', 'machines'] as const;

/** Ids of what customers have at the given buses. */
function customersAt(feeder: FeederData, isThere: (bus: string) => boolean): ReadonlySet<string> {
  return new Set(
    CUSTOMERS.flatMap((list) => feeder[list].filter(({ terminal }) => isThere(terminal.bus)).map(({ id }) => id)),
  );
}

/** Phase nodes that the customers of a bus are connected to, ascending; without ground. */
export function customerNodes(feeder: Feeder, bus: string): readonly number[] {
  const near = nearBuses(feeder, [bus]);
  const nodes = CUSTOMERS.flatMap((list) =>
    near[list].flatMap(({ shares }) => shares.flatMap(({ node, otherNode }) => [node, otherNode])),
  );
  return [...new Set(nodes)].filter((node) => node !== 0).sort((a, b) => a - b);
}

/**
 * The customers of one bus of the primary, with stiff sources at the given nodes in place of the network: nothing lies
 * between. Its mRID is the bus' id.
 *
 * @throws DecError FEEDER_DATA when the feeder lacks the bus
 */
export function extractCustomers(feeder: Feeder, busId: string, nodes: readonly number[]): FeederData {
  const bus = feeder.busById.get(busId);
  if (!bus) throw new DecError('FEEDER_DATA', `The feeder ${feeder.name} lacks bus ${busId}.`, { bus: busId });
  const near = nearBuses(feeder, [busId]);
  const customers = customersAt(near, (id) => id === busId);
  const part = restrict(
    near,
    (id) => id === busId,
    (id) => !customers.has(id),
  );
  const sources = stiffSources(bus, { bus: busId, nodes });
  return { ...part, mrid: bus.id, name: bus.name, sources, storedAreas: [] };
}

/** A part of a feeder without the customers of some buses. */
export function withoutCustomers(feeder: Feeder, buses: ReadonlySet<string>): FeederData {
  const customers = customersAt(feeder, (bus) => buses.has(bus));
  return restrict(
    feeder,
    () => true,
    (id) => customers.has(id),
  );
}

/** The secondary area that a bus lies in. */
export function secondaryAreaOfBus(areas: AreaTree, bus: string): SecondaryArea | undefined {
  return secondaryAreasOf(areas).find(({ buses }) => buses.includes(bus));
}
