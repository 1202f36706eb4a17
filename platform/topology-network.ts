/*
 * What of a feeder hangs together, in the dictionaries of GridAPPS-D's topology processor.
 *
 * Steps: join buses over lines, reactors, transformers and closed switches; the trees from each substation transformer
 * (34 kV and more above, 1 to 34 kV below) or, without one, from each source are feeders; what machines and inverters stand
 * in beyond them are islands. Cost: one pass over all elements.
 */
import type { Topology } from '../bus/index.js';
import { canonicalMrid, type Feeder, type Terminal, type Transformer } from '../grid/model/index.js';
import type { LoadedModel } from './loaded-model.js';
import { measuredFeeder } from './script-telemetry.js';

/** The dictionaries of a feeder. */
export type Network = Required<Pick<Topology, 'feeders' | 'islands' | 'connectivity' | 'equipment'>>;

/** Line-to-line voltage from which a transformer's upper side is that of a substation, and below which its lower side is, V. */
const SUBSTATION_V = 34_000;
const MEDIUM_VOLTAGE_MIN_V = 1000;

/** Classes that every node has a list of. */
const NODE_CLASSES = [
  ...[
    'ACLineSegment',
    'Breaker',
    'EnergyConsumer',
    'EnergySource',
    'Fuse',
    'LinearShuntCompensator',
    'LoadBreakSwitch',
  ],
  ...['PowerElectronicsConnection', 'PowerTransformer', 'RatioTapChanger', 'Recloser', 'SynchronousMachine'],
  ...['TransformerTank', 'Measurement', 'Feeder', 'Island'],
] as const;

/** A piece of equipment where it stands. */
interface Piece {
  readonly className: string;
  readonly id: string;
  readonly name: string;
  readonly buses: readonly string[];
  /** Of a switch. */
  readonly isClosed?: boolean;
}

/**
 * @param isClosed - positions of switches by canonical id; of the others those of the model hold
 */
export function networkOf(model: LoadedModel, isClosed: ReadonlyMap<string, boolean>): Network {
  const { feeder, index } = model;
  const spelled = (id: string): string => index.get(id)?.mrid ?? id;
  const pieces = piecesOf(feeder, (id, otherwise) => index.get(id)?.className ?? otherwise, isClosed);
  const neighbours = new Map<string, string[]>();
  const join = (a: string, b: string): void => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const list = neighbours.get(from);
      if (list) list.push(to);
      else neighbours.set(from, [to]);
    }
  };
  for (const { buses, isClosed: closed = true } of pieces) {
    for (const bus of closed ? buses.slice(1) : []) join(buses[0]!, bus);
  }
  const inTree = new Set<string>();
  /** Buses that hang on the last of some, in the order of finding them. */
  const treeFrom = (...roots: readonly string[]): string[] => {
    const found = [...roots];
    for (const bus of roots) inTree.add(bus);
    for (let k = roots.length - 1; k < found.length; k++) {
      for (const next of neighbours.get(found[k]!) ?? []) {
        if (inTree.has(next)) continue;
        inTree.add(next);
        found.push(next);
      }
    }
    return found;
  };
  const feeders: Record<string, Network['feeders'][string]> = {};
  const islands: Record<string, Network['islands'][string]> = {};
  const places = new Map<string, { readonly list: 'Feeder' | 'Island'; readonly name: string }>();
  const place = (list: 'Feeder' | 'Island', name: string, buses: readonly string[]): readonly string[] => {
    for (const bus of buses) places.set(bus, { list, name });
    return buses.map(spelled);
  };
  const substations = feeder.transformers.filter((transformer) => isSubstation(feeder, transformer));
  const roots = (
    substations.length > 0
      ? substations.map(({ id, windings }) => ({ id, buses: windings.slice(0, 2).map(({ terminal }) => terminal.bus) }))
      : feeder.sources.map(({ id, terminal }) => ({ id, buses: [terminal.bus] }))
  ).map((root) => ({
    ...root,
    className: index.get(root.id)?.className ?? (substations.length > 0 ? 'PowerTransformer' : 'EnergySource'),
  }));
  for (const { id, buses, className } of roots) {
    if (inTree.has(buses.at(-1)!)) continue;
    const name = `feeder_${Object.keys(feeders).length}`;
    const nodes = place('Feeder', name, treeFrom(...buses));
    feeders[name] = { root_node: spelled(buses.at(-1)!), [className]: spelled(id), ConnectivityNode: [...nodes] };
  }
  const islandAt = new Map<string, Record<string, string[]>>();
  for (const className of ['SynchronousMachine', 'PowerElectronicsConnection']) {
    for (const unit of pieces.filter((piece) => piece.className === className)) {
      const bus = unit.buses[0]!;
      if (places.get(bus)?.list === 'Feeder') continue;
      let island = islandAt.get(places.get(bus)?.name ?? '');
      if (island === undefined) {
        const name = `island_${islandAt.size}`;
        island = { ConnectivityNode: [...place('Island', name, treeFrom(bus))] };
        islandAt.set(name, island);
      }
      island[className] = [...(island[className] ?? []), spelled(unit.id)];
    }
  }
  for (const [name, island] of islandAt)
    islands[name] = { ...island, ConnectivityNode: island['ConnectivityNode'] ?? [] };
  return { feeders, islands, ...dictionaries(model, pieces, places) };
}

function dictionaries(
  model: LoadedModel,
  pieces: readonly Piece[],
  places: ReadonlyMap<string, { readonly list: 'Feeder' | 'Island'; readonly name: string }>,
): Pick<Network, 'connectivity' | 'equipment'> {
  const { feeder, index } = model;
  const spelled = (id: string): string => index.get(id)?.mrid ?? id;
  const connectivity = new Map<string, Record<string, unknown> & { readonly name: string }>();
  const lists = new Map<string, Record<string, string[]>>();
  for (const { id, name, baseVoltageV } of feeder.buses) {
    const own: Record<string, string[]> = Object.fromEntries(NODE_CLASSES.map((className) => [className, []]));
    const at = places.get(id);
    if (at) own[at.list]!.push(at.name);
    const nominalVoltage = String(Math.round(baseVoltageV * Math.sqrt(3) * 10) / 10);
    lists.set(id, own);
    connectivity.set(spelled(id), { name: index.get(id)?.name ?? name, nominalVoltage, ...own });
  }
  const equipment: Record<string, Record<string, { readonly name: string }>> = {};
  for (const { className, id, name, buses, isClosed } of pieces) {
    const terminals = buses.map((bus) => terminalAt(model, id, bus));
    for (const bus of new Set(buses)) {
      const own = lists.get(bus);
      own?.[className]?.push(spelled(id));
    }
    const ends = buses.map((bus, k) => [
      [`node${k + 1}`, spelled(bus)],
      [`term${k + 1}`, terminals[k] ?? ''],
    ]);
    const ofClass = equipment[className] ?? {};
    equipment[className] = ofClass;
    ofClass[spelled(id)] = {
      name,
      ...Object.fromEntries(ends.flat()),
      // 1 for closed, in spite of the name: it is the position as it is measured.
      ...(isClosed === undefined ? {} : { open: isClosed ? 1 : 0 }),
    };
  }
  for (const { bus, mrid } of measuredFeeder(model).measurements) lists.get(bus)?.['Measurement']?.push(mrid);
  return { connectivity: Object.fromEntries(connectivity), equipment };
}

/** mRID of the terminal of a piece of equipment at a bus; of a transformer's tank that of its end. */
function terminalAt({ index }: LoadedModel, id: string, bus: string): string | undefined {
  const key = canonicalMrid(id);
  const ends = index.referrers(key, 'TransformerTankEnd.TransformerTank');
  const terminals =
    ends.length > 0
      ? ends.flatMap((end) => end.refs('TransformerEnd.Terminal').flatMap((terminal) => index.get(terminal) ?? []))
      : index.referrers(key, 'Terminal.ConductingEquipment');
  return terminals.find((terminal) => terminal.ref('Terminal.ConnectivityNode') === bus)?.mrid;
}

function piecesOf(
  feeder: Feeder,
  classOf: (id: string, otherwise: string) => string,
  isClosed: ReadonlyMap<string, boolean>,
): readonly Piece[] {
  const piece = (
    element: { readonly id: string; readonly name: string },
    otherwise: string,
    terminals: readonly Terminal[],
  ): Piece => {
    // Legs of a split-phase secondary stand at one bus.
    const buses = terminals.map(({ bus }) => bus).filter((bus, k, all) => all.indexOf(bus) === k);
    return { className: classOf(element.id, otherwise), id: element.id, name: element.name, buses };
  };
  const branches = [
    ...[...feeder.lines, ...feeder.reactors].map((line) => piece(line, 'ACLineSegment', [line.from, line.to])),
    ...feeder.transformers.map((one) =>
      piece(
        one,
        'PowerTransformer',
        one.windings.map(({ terminal }) => terminal),
      ),
    ),
    ...feeder.switches.map((one) => ({
      ...piece(one, one.switchClass, [one.from, one.to]),
      isClosed: isClosed.get(one.id) ?? one.isOpen.includes(false),
    })),
  ];
  const byId = new Map(feeder.transformers.map((one) => [one.id, one]));
  const tapChangers = feeder.regulators.flatMap((one) => {
    const terminal = byId.get(one.transformerId)?.windings[one.winding]?.terminal;
    return terminal === undefined ? [] : [piece(one, 'RatioTapChanger', [terminal])];
  });
  const shunts = (
    [
      ['EnergySource', feeder.sources],
      ['EnergyConsumer', feeder.loads],
      ['PowerElectronicsConnection', [...feeder.pvSystems, ...feeder.batteries]],
      ['SynchronousMachine', feeder.machines],
      ['LinearShuntCompensator', feeder.capacitors],
    ] as const
  ).flatMap(([className, elements]) => elements.map((one) => piece(one, className, [one.terminal])));
  return [...branches, ...tapChangers, ...shunts];
}

function isSubstation(feeder: Feeder, { windings }: Transformer): boolean {
  const [upper = 0, lower = 0] = windings.map(
    ({ terminal }) => (feeder.busById.get(terminal.bus)?.baseVoltageV ?? 0) * Math.sqrt(3),
  );
  return upper >= SUBSTATION_V && lower < SUBSTATION_V && lower >= MEDIUM_VOLTAGE_MIN_V;
}
