/*
 * From a read script to a feeder: each object to its element, states of switches, controls, buses.
 * Elements that are disabled are left out; elements of classes that are not represented are findings.
 */
import {
  type Battery,
  buildFeeder,
  type Capacitor,
  type CapacitorControl,
  type CurrentSource,
  type Feeder,
  type FeederData,
  type Finding,
  type InductionMachine,
  type InverterControl,
  type Line,
  type Load,
  type Machine,
  type PhotovoltaicSystem,
  phaseOfNode,
  type Reactor,
  type Regulator,
  type Source,
  type Switch,
  type Transformer,
} from '../../model/index.js';
import { type DssFiles, type DssObject, type DssScript, numberOf, readDssScript } from '../script/index.js';
import { readBuses } from './bus-list.js';
import { readCapacitor } from './capacitor.js';
import { readCapacitorControl } from './capacitor-control.js';
import { CircuitReader, type CircuitSettings, DEFAULT_FREQUENCY_HZ } from './circuit-reader.js';
import { withControlMode } from './control-mode.js';
import { readCurrentSource } from './current-source.js';
import { unitsWithoutFactorPriority } from './factor-priority.js';
import { readGenerator } from './generator.js';
import { GrowthLibrary } from './growth.js';
import { readInductionMachine } from './induction-machine.js';
import { readAdaptiveControl, readInverterControl } from './inverter-control.js';
import { LineCodeLibrary, readLine } from './line.js';
import { GeometryLibrary } from './line-geometry.js';
import { readLoad } from './load.js';
import { noteMeters, noteOptions } from './option-check.js';
import { readPhotovoltaic } from './photovoltaic.js';
import { readProfile } from './profile.js';
import { type LineProtection, readProtection } from './protection.js';
import { readFault, readReactor } from './reactor.js';
import { readRegulator } from './regulator.js';
import { readSource } from './source.js';
import { readStorage } from './storage.js';
import { type DssStudy, readStudy } from './study.js';
import { applyTerminalActions } from './terminal-action.js';
import { type ReadTransformer, readTransformer, TransformerCodeLibrary } from './transformer.js';
import { readVoltageControlledCurrent } from './voltage-controlled-current.js';

/** What reading an OpenDSS script gives. */
export interface ReadDss {
  readonly feeder: Feeder;
  readonly script: DssScript;
  readonly study: DssStudy;
  /** Everything that reading and conversion had to say; the feeder has the same. */
  readonly findings: readonly Finding[];
}

/** Classes of elements that carry current and are not represented. */
const UNSUPPORTED = [
  'gicline',
  'gictransformer',
  'gicsource',
  'upfc',
  'vsconverter',
  'upfccontrol',
  'espvlcontrol',
  'gendispatcher',
  'storagecontroller',
] as const;

function settingsOf(script: DssScript): CircuitSettings {
  const number = (name: string): number | undefined => {
    const option = script.options.get(name);
    const result = option && numberOf(option.value);
    return result && 'value' in result ? result.value : undefined;
  };
  return {
    frequencyHz: number('frequency') ?? number('defaultbasefrequency') ?? DEFAULT_FREQUENCY_HZ,
    loadMultiplier: number('loadmult') ?? 1,
    generationMultiplier: number('genmult') ?? 1,
    year: number('year') ?? 0,
  };
}

/** Elements of a circuit as they are collected. */
class Circuit {
  readonly sources: Source[] = [];
  readonly currentSources: CurrentSource[] = [];
  readonly lines: Line[] = [];
  readonly switches: Switch[] = [];
  readonly transformers = new Map<string, ReadTransformer>();
  readonly regulators: Regulator[] = [];
  readonly capacitors: Capacitor[] = [];
  readonly reactors: Reactor[] = [];
  readonly loads: Load[] = [];
  readonly pvSystems: PhotovoltaicSystem[] = [];
  readonly batteries: Battery[] = [];
  readonly machines: Machine[] = [];
  readonly inductionMachines: InductionMachine[] = [];
  readonly inverterControls: InverterControl[] = [];
  private readonly ids = new Set<string>();

  constructor(readonly reader: CircuitReader) {}

  /** An id of its own where duplicate names are allowed. */
  private own<T extends { readonly id: string }>(element: T): T {
    let { id } = element;
    for (let k = 2; this.ids.has(id); k++) id = `${element.id}#${k}`;
    this.ids.add(id);
    return id === element.id ? element : { ...element, id };
  }

  private each(className: string, convert: (object: DssObject) => void): void {
    for (const object of this.reader.script.byClass(className)) if (this.reader.isEnabled(object)) convert(object);
  }

  private keep<T extends { readonly id: string }>(list: T[], element: T | undefined): void {
    if (element) list.push(this.own(element));
  }

  collect(): void {
    const { reader } = this;
    this.each('vsource', (object) => this.keep(this.sources, readSource(reader, object)));
    this.each('isource', (object) => this.keep(this.currentSources, readCurrentSource(reader, object)));
    this.collectLines();
    const codes = new TransformerCodeLibrary(reader);
    for (const className of ['transformer', 'autotrans']) {
      this.each(className, (object) => {
        const read = readTransformer(reader, codes, object);
        if (read) this.transformers.set(this.own(read.transformer).id, read);
      });
    }
    this.collectRegulators();
    this.each('reactor', (object) => this.keep(this.reactors, readReactor(reader, object)));
    this.each('fault', (object) => this.keep(this.reactors, readFault(reader, object)));
    this.collectCapacitors();
    const growth = new GrowthLibrary(reader);
    this.each('load', (object) => this.keep(this.loads, readLoad(reader, growth, object)));
    const lost = unitsWithoutFactorPriority(reader);
    this.each('pvsystem', (object) => this.keep(this.pvSystems, readPhotovoltaic(reader, lost, object)));
    this.each('storage', (object) => this.keep(this.batteries, readStorage(reader, lost, object)));
    this.each('generator', (object) => this.keep(this.machines, readGenerator(reader, object)));
    this.each('vccs', (object) => this.keep(this.machines, readVoltageControlledCurrent(reader, object)));
    this.each('indmach012', (object) => this.keep(this.inductionMachines, readInductionMachine(reader, object)));
    this.noteUnknownBuses();
    const units = new Map([...this.pvSystems, ...this.batteries].map((unit) => [unit.id, unit]));
    this.each('invcontrol', (object) => this.keep(this.inverterControls, readInverterControl(reader, object, units)));
    this.each('expcontrol', (object) => this.keep(this.inverterControls, readAdaptiveControl(reader, object, units)));
    for (const className of UNSUPPORTED) {
      this.each(className, (object) => {
        reader.note(
          'warning',
          'UNSUPPORTED_ELEMENT',
          object,
          `A ${className} is not represented in the model; it is left out.`,
        );
      });
    }
  }

  private collectLines(): void {
    const { reader } = this;
    const codes = new LineCodeLibrary(reader);
    const library = new GeometryLibrary(reader);
    const protection = readProtection(reader);
    this.each('line', (object) => {
      const read = readLine(reader, codes, library, object);
      if (!read) return;
      const element = withProtection(this.own(read), protection.get(object.name));
      if (element.kind === 'line') this.lines.push(element);
      else this.switches.push(element);
    });
  }

  private collectRegulators(): void {
    const { reader } = this;
    const first = new Map<string, string>();
    this.each('regcontrol', (object) => {
      const regulator = readRegulator(reader, this.transformers, object);
      if (!regulator) return;
      const place = `${regulator.transformerId} ${regulator.winding}`;
      const owner = first.get(place);
      this.keep(this.regulators, owner === undefined ? regulator : { ...regulator, sharesTapOf: owner });
      if (owner === undefined) first.set(place, this.regulators.at(-1)!.id);
    });
  }

  /** Regulators whose `bus` nothing is connected to. */
  private noteUnknownBuses(): void {
    const remote = this.regulators.filter(({ remotePtWinding }) => remotePtWinding !== undefined);
    if (remote.length === 0) return;
    const known = new Set(
      [...this.lines, ...this.switches, ...this.reactors, ...this.capacitors].flatMap((one) =>
        one.kind === 'capacitor' ? [one.terminal.bus] : [one.from.bus, one.to.bus],
      ),
    );
    for (const { terminal } of [
      ...this.sources,
      ...this.loads,
      ...this.pvSystems,
      ...this.batteries,
      ...this.machines,
    ]) {
      known.add(terminal.bus);
    }
    for (const { transformer } of this.transformers.values()) {
      for (const { terminal } of transformer.windings) known.add(terminal.bus);
    }
    for (const { id, monitored } of remote) {
      const object = this.reader.script.find('regcontrol', id.slice('regcontrol.'.length));
      if (!object || !monitored || known.has(monitored.bus)) continue;
      const written = object.assignments.findLast(({ property }) => property === 'bus');
      const text = 'Nothing is connected to the bus it watches; its own winding is watched.';
      this.reader.note('error', 'MISSING_REFERENCE', object, text, written);
    }
  }

  private collectCapacitors(): void {
    const { reader } = this;
    const controls = new Map<string, CapacitorControl[]>();
    const ends = new Map<string, readonly { readonly nodes: readonly number[] }[]>();
    for (const { id, from, to } of [...this.lines, ...this.switches, ...this.reactors]) ends.set(id, [from, to]);
    for (const [id, { transformer }] of this.transformers)
      ends.set(
        id,
        transformer.windings.map(({ terminal }) => terminal),
      );
    const label = (id: string, terminal: number, phase: number) => {
      const node = ends.get(id)?.[terminal - 1]?.nodes[phase - 1] ?? phase;
      return node > 0 ? phaseOfNode(node, false) : undefined;
    };
    this.each('capcontrol', (object) => {
      const read = readCapacitorControl(reader, object, label);
      if (!read) return;
      const { monitoredElementId = '', monitoredTerminal = 1 } = read.control;
      const count = ends.get(monitoredElementId)?.length;
      if (count !== undefined && monitoredTerminal > count) {
        const written = object.assignments.findLast(({ property }) => property === 'terminal');
        const text = `The element it watches has ${count} terminals; the first is watched.`;
        reader.note('error', 'VALUE_OUT_OF_RANGE', object, text, written, `1 to ${count}`);
      }
      const list = controls.get(read.capacitor);
      if (list) list.push(read.control);
      else controls.set(read.capacitor, [read.control]);
    });
    this.each('capacitor', (object) => {
      const element = readCapacitor(reader, object, controls.get(object.name) ?? []);
      if (element?.kind === 'capacitor') this.keep(this.capacitors, element);
      else this.keep(this.reactors, element);
    });
  }

  /** The regulated windings have the tap in their regulator's position. */
  get placedTransformers(): Transformer[] {
    const regulated = new Set(this.regulators.map(({ transformerId, winding }) => `${transformerId} ${winding}`));
    return [...this.transformers].map(([id, { transformer }]) => ({
      ...transformer,
      id,
      windings: transformer.windings.map((one, w) => (regulated.has(`${id} ${w}`) ? { ...one, tapRatio: 1 } : one)),
    }));
  }
}

/** Names the devices on a line and sets the state they gave it. */
function withProtection(element: Line | Switch, protection: LineProtection | undefined): Line | Switch {
  if (!protection) return element;
  const { devices, switchClass, isOpen, isNormallyOpen } = protection;
  if (element.kind === 'switch') {
    return {
      ...element,
      switchClass: switchClass ?? element.switchClass,
      isOpen: isOpen === undefined ? element.isOpen : element.isOpen.map(() => isOpen),
      isNormallyOpen: isNormallyOpen ?? isOpen ?? element.isNormallyOpen,
    };
  }
  return {
    ...element,
    ...(devices.length > 0 ? { protection: devices } : {}),
    ...(isOpen ? { isOpen: { from: element.from.nodes.map(() => true), to: element.to.nodes.map(() => false) } } : {}),
  };
}

const NO_CONTAINER: FeederData['container'] = {
  substationName: '',
  substationMrid: '',
  subRegionName: '',
  subRegionMrid: '',
  regionName: '',
  regionMrid: '',
};

/**
 * Converts a read script to a feeder.
 *
 * @param files - for the files that values name
 */
export function readCircuit(script: DssScript, files: DssFiles): ReadDss {
  const reader = new CircuitReader(script, files, settingsOf(script));
  const circuit = new Circuit(reader);
  if (script.circuit) {
    noteOptions(reader);
    circuit.collect();
    noteMeters(reader);
  } else
    reader.noteAt('error', 'NO_CIRCUIT', 'The script makes no circuit (New Circuit.name); there is nothing to solve.');
  const profiles = [...script.byClass('loadshape'), ...script.byClass('tshape')]
    .filter(({ isBuiltIn, displayName }) => !isBuiltIn || isFollowed(circuit, displayName))
    .map((object) => readProfile(reader, object));
  const bare: FeederData = {
    mrid: '',
    name: script.circuitName,
    frequencyHz: reader.settings.frequencyHz,
    container: NO_CONTAINER,
    buses: [],
    sources: circuit.sources,
    lines: circuit.lines,
    switches: circuit.switches,
    transformers: circuit.placedTransformers,
    regulators: circuit.regulators,
    capacitors: circuit.capacitors,
    loads: circuit.loads,
    pvSystems: circuit.pvSystems,
    batteries: circuit.batteries,
    machines: circuit.machines,
    measurements: [],
    storedAreas: [],
    reactors: circuit.reactors,
    inverterControls: circuit.inverterControls,
    profiles,
    growthProfiles: script.byClass('growthshape').length > 0 ? new GrowthLibrary(reader).profiles : [],
    ...(circuit.currentSources.length > 0 ? { currentSources: circuit.currentSources } : {}),
    ...(circuit.inductionMachines.length > 0 ? { inductionMachines: circuit.inductionMachines } : {}),
  };
  const study = readStudy(reader);
  const data = withControlMode(reader, study, applyTerminalActions(reader, bare));
  const buses = readBuses(reader, data);
  const findings = [...script.findings, ...reader.findings.list()];
  return { feeder: buildFeeder({ ...data, buses }, findings), script, study, findings };
}

/** Whether a device follows a profile of that name in some mode. */
function isFollowed({ loads, pvSystems, batteries, machines }: Circuit, name: string): boolean {
  return [...loads, ...pvSystems, ...batteries, ...machines].some(
    ({ profiles }) => profiles !== undefined && Object.values(profiles).includes(name),
  );
}

/**
 * Reads an OpenDSS script with everything it redirects to.
 *
 * @param master - path of the master file as `files` resolves it
 * @returns the feeder of its last circuit; whatever is wrong is in the findings, nothing is thrown
 * @example const { feeder, findings } = readDss('Master.dss', new DssFileSet([['Master.dss', text]]));
 */
export function readDss(master: string, files: DssFiles): ReadDss {
  return readCircuit(readDssScript(master, files), files);
}
