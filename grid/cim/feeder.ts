/*
 * From a CIM index to feeders.
 *
 * Steps: split the equipment by container; map lines, switches and transformers; find the nominal voltages between nodes;
 * map loads, generation, capacitors and tap changers with them; make the buses of what is connected; name everything that
 * is not represented. Nothing is left out without a finding.
 */
import {
  type Battery,
  type Bus,
  buildFeeder,
  type Capacitor,
  type EarthModel,
  type Feeder,
  type FeederData,
  type Finding,
  type Machine,
  type Measurement,
  type PhotovoltaicSystem,
  type StoredArea,
  type Transformer,
} from '../model/index.js';
import { readCapacitor } from './capacitor.js';
import type { CimObject } from './cim-object.js';
import { isKnownClass } from './class-list.js';
import { isNeededLink, nameMissingProfiles, nameMissingTargets } from './completeness.js';
import { type FeederScope, feederContainer, feederScopes } from './container.js';
import { CimEquipment } from './equipment.js';
import { nameAbsent } from './expected.js';
import { FindingList } from './finding-list.js';
import { MACHINE_CLASSES, readInverter, readMachine } from './generation.js';
import { readLine } from './line.js';
import { nameImplausibleLines } from './line-plausibility.js';
import { LOAD_CLASSES, readLoad } from './load.js';
import { readAreas, readMeasurement } from './measurement.js';
import { nameImplausibleMeasurements } from './measurement-plausibility.js';
import { nameUnknownVersions } from './name-space.js';
import type { CimIndex } from './object-index.js';
import { nameLostPowers, nameMixedPhases, nameOrphans, nameRepeatedPhases } from './parentage.js';
import { nameCrossedPhases } from './phase-crossing.js';
import { isTapChangerInService, readRegulator, tapChangerBank } from './regulator.js';
import { nameBadSequences } from './sequence.js';
import { NominalVoltages, splitLegVoltage } from './share.js';
import { placeAtSharedBus, sharedBuses, withoutTertiaryShunt } from './shared-bus.js';
import { nameSecondParts, nameSecondTargets } from './single-link.js';
import { nameSecondValues } from './single-value.js';
import { readSource, SOURCE_CLASSES } from './source.js';
import { readSwitch, SWITCH_CLASSES, withCapacitorLeads } from './switch.js';
import { nameImplausibleTerminals } from './terminal-plausibility.js';
import { readTransformer } from './transformer.js';
import { nameImplausibleTransformers } from './transformer-plausibility.js';
import { nameUnread } from './unread.js';
import { nameUnrepresented } from './unrepresented.js';
import { checkEnumerations } from './vocabulary.js';
import type { WindingPlace } from './winding.js';
import { nameImplausibleWires } from './wire-plausibility.js';

/** What CIM does not say. */
export interface ReadFeederSettings {
  /** Line frequency when the file has no BaseFrequency, Hz. Default 60. */
  readonly frequencyHz?: number;
  /** Earth model of lines given by wire geometry. Default `carson`, with which the GridAPPS-D feeders are made. */
  readonly earthModel?: EarthModel;
  /** Resistivity of the earth, ohm metre. Default 100. */
  readonly earthResistivity?: number;
}

/** Positions of buses, by number, by the PositionPoints of the equipment that ends there. */
function busPositions(eq: CimEquipment): readonly (readonly [number, number] | undefined)[] {
  const { index } = eq;
  const positions: (readonly [number, number] | undefined)[] = new Array(index.ids.size);
  const terminals = index.byClass('Terminal');
  for (let k = 0; k < terminals.length; k++) {
    const terminal = terminals[k]!;
    const bus = eq.busNumberOf(terminal);
    const equipment = terminal.link('Terminal.ConductingEquipment');
    const location = equipment === undefined ? -1 : equipment.linkNumber('PowerSystemResource.Location');
    if (bus < 0 || location < 0 || positions[bus] !== undefined) continue;
    const points = index.referrersOfNumber(location, 'PositionPoint.Location');
    const own = eq.optionalNumber(terminal, 'ACDCTerminal.sequenceNumber', 'Terminal.sequenceNumber') ?? 1;
    const point =
      points.length === 1
        ? points[0]
        : points.find((p) => eq.optionalNumber(p, 'PositionPoint.sequenceNumber') === own);
    const x = eq.optionalNumber(point, 'PositionPoint.xPosition');
    const y = eq.optionalNumber(point, 'PositionPoint.yPosition');
    // The exporter writes 0, 0 for a place it does not know.
    if (x === undefined || y === undefined || (x === 0 && y === 0)) continue;
    positions[bus] = [x, y];
  }
  return positions;
}

/** Buses at which a capacitor and one end of one branch stand, and nothing else. */
function capacitorBuses(eq: CimEquipment, capacitors: readonly Capacitor[]): ReadonlySet<string> {
  const ends = (bus: string) => [
    ...eq.index.referrers(bus, 'Terminal.ConnectivityNode'),
    ...eq.index.referrers(bus, 'Terminal.TopologicalNode'),
  ];
  return new Set(capacitors.map((capacitor) => capacitor.terminal.bus).filter((bus) => ends(bus).length === 2));
}

/** Everything of a file that is the same for all its feeders. */
interface FileContext {
  readonly eq: CimEquipment;
  readonly settings: Required<ReadFeederSettings>;
  readonly positions: readonly (readonly [number, number] | undefined)[];
  readonly measurements: readonly Measurement[];
  readonly areas: readonly StoredArea[];
}

function readOne(context: FileContext, scope: FeederScope): FeederData {
  const { eq, settings, positions } = context;
  const objects = (...classes: readonly string[]) =>
    classes.flatMap((name) => eq.index.byClass(name).filter((object) => scope.holds(object) && eq.isInService(object)));
  const map = <T>(list: readonly CimObject[], read: (object: CimObject) => T | undefined): T[] => {
    const elements: T[] = [];
    for (let k = 0; k < list.length; k++) {
      const element = read(list[k]!);
      if (element !== undefined) elements.push(element);
    }
    return elements;
  };

  const read: Transformer[] = [];
  const places = new Map<string, WindingPlace>();
  for (const bank of objects('PowerTransformer')) {
    const units = readTransformer(eq, bank);
    if (!units) continue;
    read.push(...units.transformers);
    for (const [end, place] of units.ends) places.set(end, place);
  }
  const shared = sharedBuses(read);
  const sharedBus = shared.size === 1 ? [...shared.keys()][0] : undefined;
  const lines = map(objects('ACLineSegment', 'SeriesCompensator'), (o) => {
    const line = readLine(eq, o, settings);
    return line && placeAtSharedBus(eq, line, shared);
  });
  const charged = new Set<string>();
  for (const { from, to, shuntSiemens } of lines) {
    if (shuntSiemens.im.some((b) => b !== 0)) charged.add(from.bus).add(to.bus);
  }
  const transformers = read.map((transformer) => withoutTertiaryShunt(eq, transformer, (id) => charged.has(id)));
  const capacitors = map(objects('LinearShuntCompensator'), (o) => readCapacitor(eq, o));
  const leadsToCapacitor = capacitorBuses(eq, capacitors);
  const switches = map(objects(...SWITCH_CLASSES), (o) => readSwitch(eq, o, sharedBus))
    .map((device) => placeAtSharedBus(eq, device, shared))
    .map((device) =>
      leadsToCapacitor.has(device.from.bus) || leadsToCapacitor.has(device.to.bus)
        ? withCapacitorLeads(eq, device)
        : device,
    );
  const ties: (readonly [string, string])[] = [];
  for (const { from, to } of lines) ties.push([from.bus, to.bus]);
  for (const { from, to } of switches) ties.push([from.bus, to.bus]);
  const voltages = new NominalVoltages(eq, transformers, ties);

  const sources = map(objects(...SOURCE_CLASSES), (o) => readSource(eq, o));
  const loads = map(objects(...LOAD_CLASSES), (o) => readLoad(eq, voltages, o));
  const pvSystems: PhotovoltaicSystem[] = [];
  const batteries: Battery[] = [];
  const machines: Machine[] = [];
  for (const inverter of map(objects('PowerElectronicsConnection'), (o) => readInverter(eq, voltages, o))) {
    if (inverter.kind === 'pv') pvSystems.push(inverter);
    else if (inverter.kind === 'battery') batteries.push(inverter);
    else machines.push(inverter);
  }
  machines.push(...map(objects(...MACHINE_CLASSES), (o) => readMachine(eq, voltages, o)));
  const byId = new Map(transformers.map((transformer) => [transformer.id, transformer]));
  const regulators = map(
    eq.index.byClass('RatioTapChanger').filter((changer) => {
      const bank = tapChangerBank(eq, changer);
      return (bank === undefined || scope.holds(bank)) && isTapChangerInService(eq, changer);
    }),
    (changer) => readRegulator(eq, changer, places, byId),
  );

  const devices = [sources, capacitors, loads, pvSystems, batteries, machines];
  const used = new Set<string>();
  const inScope = new Set<string>();
  for (const branches of [lines, switches]) {
    for (const { id, from, to } of branches) {
      used.add(from.bus).add(to.bus);
      inScope.add(id);
    }
  }
  for (const { windings } of transformers) for (const { terminal } of windings) used.add(terminal.bus);
  for (const list of devices) {
    for (const { id, terminal } of list) {
      used.add(terminal.bus);
      inScope.add(id);
    }
  }
  const buses: Bus[] = [];
  for (const className of ['ConnectivityNode', 'TopologicalNode']) {
    const nodes = eq.index.byClass(className);
    for (let k = 0; k < nodes.length; k++) {
      const node = nodes[k]!;
      const isOwn =
        scope.container !== undefined &&
        node.linkNumber('ConnectivityNode.ConnectivityNodeContainer') === scope.container.number;
      if (!used.has(node.id) && !(isOwn && className === 'ConnectivityNode')) continue;
      buses.push(bus(eq, node, positions[node.number]));
    }
  }

  for (const transformer of transformers) {
    inScope.add(transformer.id);
    inScope.add(transformer.bankId);
  }
  for (const regulator of regulators) inScope.add(regulator.id);
  const measurements = context.measurements.filter((m) => inScope.has(m.equipmentId) || used.has(m.bus));

  return {
    mrid: scope.mrid,
    name: scope.name,
    frequencyHz: settings.frequencyHz,
    container: feederContainer(eq, scope.container),
    buses,
    sources,
    lines,
    switches,
    transformers,
    regulators,
    capacitors,
    loads,
    pvSystems,
    batteries,
    machines,
    measurements,
    storedAreas: context.areas.filter(
      ({ equipment }) => equipment.length === 0 || equipment.some((id) => inScope.has(id)),
    ),
    // CIM series compensators are lines here; inverter functions and profiles have no place in these files.
    reactors: [],
    inverterControls: [],
    profiles: [],
    growthProfiles: [],
  };
}

function bus(eq: CimEquipment, node: CimObject, position: readonly [number, number] | undefined): Bus {
  const isSplitPhase = eq.isSplitPhaseAt(node.number);
  const base = eq.busBaseAt(node.number);
  if (base === undefined) {
    eq.findings.add(
      'warning',
      'MISSING_BASE_VOLTAGE',
      node,
      'Nothing at it has a BaseVoltage; 1 V is used as its base.',
      {
        attribute: 'ConductingEquipment.BaseVoltage',
      },
    );
  }
  return {
    id: node.id,
    mrid: node.mrid,
    name: (node.name === '' ? node.subject : node.name).toUpperCase(),
    baseVoltageV: base === undefined ? 1 : isSplitPhase ? splitLegVoltage(base) : base / Math.sqrt(3),
    isSplitPhase,
    ...(position ? { x: position[0], y: position[1] } : {}),
  };
}

function devices(feeder: FeederData) {
  return [...feeder.loads, ...feeder.pvSystems, ...feeder.batteries, ...feeder.machines];
}

/** Names nodes that nothing is connected to and that no feeder holds: they are in no feeder. */
function nameLonelyNodes(eq: CimEquipment): void {
  for (const node of eq.index.byClass('ConnectivityNode')) {
    if (eq.index.referrersOf(node, 'Terminal.ConnectivityNode').length > 0) continue;
    if (node.linkNumber('ConnectivityNode.ConnectivityNodeContainer') >= 0) continue;
    const fact = 'Nothing is connected to it and no container holds it; it is left out.';
    eq.findings.add('warning', 'ISOLATED_BUS', node, fact, { attribute: 'Terminal.ConnectivityNode' });
  }
}

/** Names the classes that have no part in the model. */
function nameUnknownClasses(eq: CimEquipment): void {
  for (const className of eq.index.classCounts().keys()) {
    if (isKnownClass(className)) continue;
    for (const object of eq.index.byClass(className)) {
      eq.findings.add('warning', 'UNSUPPORTED_CLASS', object, `${className} is not represented in the model.`);
    }
  }
}

/**
 * Maps the objects of an index to feeders: one for each Feeder (CIM16: Line) object, else one for the whole input.
 * The graph, elements and findings of each feeder are ready; `findings` holds the same findings for all feeders.
 *
 * @example const { feeders, findings } = readFeeders(readCimText([{ name: 'IEEE13.xml', text }]));
 */
export function readFeeders(
  index: CimIndex,
  settings: ReadFeederSettings = {},
): { readonly feeders: readonly Feeder[]; readonly findings: readonly Finding[] } {
  const list = new FindingList();
  const spellings = new FindingList();
  nameUnknownVersions(index);
  checkEnumerations(index, list, spellings);
  index.findings.push(...spellings.list());
  const eq = new CimEquipment(index, list);
  const written = eq.optionalNumber(index.byClass('BaseFrequency')[0], 'BaseFrequency.frequency');
  const frequencyHz = written ?? settings.frequencyHz ?? 60;
  const context: FileContext = {
    eq,
    settings: {
      frequencyHz,
      earthModel: settings.earthModel ?? 'carson',
      earthResistivity: settings.earthResistivity ?? 100,
    },
    positions: busPositions(eq),
    measurements: [...index.byClass('Analog'), ...index.byClass('Discrete')].flatMap(
      (object) => readMeasurement(eq, object) ?? [],
    ),
    areas: readAreas(eq),
  };
  nameUnknownClasses(eq);
  nameLonelyNodes(eq);
  nameOrphans(eq);
  nameRepeatedPhases(eq);
  nameMixedPhases(eq);
  nameCrossedPhases(eq);
  nameImplausibleTerminals(eq);
  eq.nameBaseConflicts();
  nameSecondTargets(eq, isNeededLink);
  nameSecondParts(eq);
  nameSecondValues(eq);
  const data = feederScopes(eq).map((scope) => readOne(context, scope));
  const used = new Set(data.flatMap((feeder) => devices(feeder).map(({ id }) => id)));
  nameLostPowers(eq, (id) => used.has(id));
  nameUnrepresented(eq);
  nameUnread(eq);
  nameAbsent(eq);
  // After what is not read, as looking at a value here is reading it.
  nameBadSequences(eq);
  nameImplausibleLines(eq);
  nameImplausibleWires(eq);
  nameImplausibleTransformers(eq);
  nameImplausibleMeasurements(eq, data);
  nameMissingProfiles(eq);
  nameMissingTargets(eq);
  if (data.some((feeder) => feeder.lines.some((line) => line.impedanceSource === 'geometry'))) {
    list.note(
      'info',
      'DEFAULTED_ATTRIBUTE',
      `Wire geometry became impedance at ${frequencyHz} Hz with earth model ${context.settings.earthModel} and ${context.settings.earthResistivity} ohm metre; CIM says none of these.`,
      { attribute: 'WireSpacingInfo' },
    );
  }
  const findings = [...index.findings, ...list.list()];
  return { feeders: data.map((feeder) => buildFeeder(feeder, findings)), findings };
}
