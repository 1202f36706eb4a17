import type { DssStudy } from '../grid/dss/index.js';
import {
  buildFeeder,
  type Feeder,
  type FeederData,
  feederData,
  type Measurement,
  nameUuid,
  phaseOfNode,
  type Terminal,
} from '../grid/model/index.js';

/** Name space of the ids of units and measurements that a script has no ids for. */
const SCRIPT_NAMESPACE = 'b1d0f2c6-3a57-4e0b-8f0e-6c2a9d4e7b15';

/** The id of something in a circuit by its name there: the same circuit always gives the same. */
const idOf = (feeder: Pick<FeederData, 'mrid'>, name: string): string =>
  nameUuid(SCRIPT_NAMESPACE, `${feeder.mrid.toUpperCase()}\n${name}`).toUpperCase();

/** The PV systems and batteries of a circuit with mRIDs, by which they can be commanded. */
export function withUnitIds(feeder: FeederData): Pick<FeederData, 'pvSystems' | 'batteries'> {
  const identify = <T extends { readonly id: string; readonly mrid: string }>(unit: T): T =>
    unit.mrid === '' ? { ...unit, mrid: idOf(feeder, unit.id) } : unit;
  return { pvSystems: feeder.pvSystems.map(identify), batteries: feeder.batteries.map(identify) };
}

const measuredOf = new WeakMap<Feeder, Feeder>();

/**
 * The feeder as a simulation measures it. A CIM model says itself what is measured; a script does not, and is measured as the
 * platform's own models are: voltages of every bus, power of every load and unit, positions of taps, capacitors and switches,
 * states of charge.
 */
export function measuredFeeder({ feeder, study }: { readonly feeder: Feeder; readonly study?: DssStudy }): Feeder {
  if (study === undefined || feeder.measurements.length > 0) return feeder;
  const known = measuredOf.get(feeder);
  if (known !== undefined) return known;
  const measured = buildFeeder({ ...feederData(feeder), measurements: measurementsOf(feeder) }, feeder.findings);
  measuredOf.set(feeder, measured);
  return measured;
}

/** Classes of equipment as CIM calls them. */
const CLASS_NAMES: Readonly<Record<string, string>> = {
  source: 'EnergySource',
  line: 'ACLineSegment',
  switch: 'LoadBreakSwitch',
  transformer: 'PowerTransformer',
  regulator: 'RatioTapChanger',
  capacitor: 'LinearShuntCompensator',
  load: 'EnergyConsumer',
  pv: 'PowerElectronicsConnection',
  battery: 'PowerElectronicsConnection',
  machine: 'SynchronousMachine',
};

interface Equipment {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
}

function measurementsOf(feeder: Feeder): Measurement[] {
  const found: Measurement[] = [];
  const hasVoltage = new Set<string>();
  const phasesAt = (terminal: Terminal): readonly string[] => {
    const isSplitPhase = feeder.busById.get(terminal.bus)?.isSplitPhase ?? false;
    const nodes = terminal.nodes.filter((node) => node >= 1 && node <= (isSplitPhase ? 2 : 3));
    return [...new Set(nodes)].map((node) => phaseOfNode(node, isSplitPhase));
  };
  const add = (type: Measurement['type'], equipment: Equipment, bus: string, phase: string): void => {
    const id = idOf(feeder, `${type} ${equipment.id} ${bus} ${phase}`);
    const className = CLASS_NAMES[equipment.kind] ?? equipment.kind;
    found.push({
      id,
      mrid: id,
      name: `${className}_${equipment.name}_${type}_${phase}`,
      class: type === 'Pos' ? 'Discrete' : 'Analog',
      type,
      phase,
      equipmentId: equipment.id,
      equipmentClass: className,
      equipmentName: equipment.name,
      terminalMrid: '',
      bus,
    });
  };
  /** @param isAlways - also where the voltage of the node is measured already */
  const voltage = (equipment: Equipment, terminal: Terminal, isAlways: boolean): void => {
    for (const phase of phasesAt(terminal)) {
      const node = `${terminal.bus} ${phase}`;
      if (!isAlways && hasVoltage.has(node)) continue;
      hasVoltage.add(node);
      add('PNV', equipment, terminal.bus, phase);
    }
  };
  const position = (equipment: Equipment, terminal: Terminal | undefined): void => {
    const [phase] = terminal === undefined ? [] : phasesAt(terminal);
    if (terminal !== undefined && phase !== undefined) add('Pos', equipment, terminal.bus, phase);
  };
  for (const source of feeder.sources) voltage(source, source.terminal, true);
  const metered = [...feeder.loads, ...feeder.pvSystems, ...feeder.batteries, ...feeder.machines];
  for (const element of metered) {
    voltage(element, element.terminal, true);
    for (const phase of phasesAt(element.terminal)) add('VA', element, element.terminal.bus, phase);
  }
  for (const battery of feeder.batteries) add('SoC', battery, battery.terminal.bus, 'none');
  for (const transformer of feeder.transformers) {
    for (const { terminal } of transformer.windings) voltage(transformer, terminal, false);
  }
  for (const branch of [...feeder.lines, ...feeder.switches]) {
    voltage(branch, branch.to, false);
    voltage(branch, branch.from, false);
  }
  const transformerOf = new Map(feeder.transformers.map((transformer) => [transformer.id, transformer]));
  for (const regulator of feeder.regulators) {
    position(regulator, transformerOf.get(regulator.transformerId)?.windings[regulator.winding]?.terminal);
  }
  // A position is one number: banks of several sections and switches that are open in a phase keep what the script says.
  for (const capacitor of feeder.capacitors) if (capacitor.sectionCount === 1) position(capacitor, capacitor.terminal);
  for (const device of feeder.switches) {
    const open = device.isOpen.filter(Boolean).length;
    if (open === 0 || open === device.isOpen.length) position(device, device.from);
  }
  return found;
}
