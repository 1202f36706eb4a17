/** The medium-voltage part: source, substation, lines, switches, regulators, XFM-1, capacitors, primary loads, utility PV. */
import { type CimProperty, enumeration, literal, reference } from '../../grid/cim/index.js';
import { type EquipmentRef, type FeederModel, objectId } from './feeder-model.js';
import * as circuit from './ieee123-circuit.js';
import { CONFIGURATIONS, METRES_PER_FOOT } from './line-configuration.js';
import {
  addRegulator,
  addThreePhaseTransformer,
  between,
  LINE_NEUTRAL_V,
  type PrimaryContext,
  point,
  REGULATOR_CODE,
} from './primary-transformer.js';
import * as shared from './shared-objects.js';

/** Head bus of the published feeder, and the high-voltage bus of its substation. */
export const HEAD_BUS = '150';
export const SOURCE_BUS = 'sourcebus';
/** Source voltage of the ancestor's runs, pu. */
export const SOURCE_VOLTAGE_PU = 1.04;
/** Inverter rating over PV rating: leaves 44 % of the rating as reactive power at full output (IEEE 1547-2018 category B). */
export const INVERTER_OVERSIZE = 1.1;

const ABC: readonly circuit.PrimaryPhase[] = ['A', 'B', 'C'];
/** Banks that are switched out: at light load with PV the three-phase bank alone would lift its end of the feeder above 1.05 pu. */
const SECTIONS_OUT = new Set(['c83']);

/** Writes the medium-voltage part. */
export function addPrimaryNetwork(context: PrimaryContext): void {
  for (const bus of context.positions.keys()) {
    const baseV = bus === circuit.XFM1.to ? circuit.XFM1.lowVoltageV : circuit.NOMINAL_VOLTAGE_V;
    context.model.bus(bus, shared.voltageLimitId(baseV));
  }
  addSubstation(context);
  for (const configuration of CONFIGURATIONS.values()) shared.addConfiguration(context.model, configuration);
  for (const segment of circuit.SEGMENTS) addLine(context, segment);
  for (const row of circuit.SWITCHES) addSwitch(context, row);
  shared.addTransformerCode(context.model, REGULATOR_CODE);
  for (const row of circuit.REGULATORS) addRegulator(context, row);
  addXfm1(context);
  for (const row of circuit.CAPACITORS) addCapacitor(context, row);
  for (const load of circuit.SPOT_LOADS) if (load.phases.length > 1) addPrimaryLoad(context, load);
  for (const { bus, kw } of circuit.UTILITY_PV) addUtilityPv(context, bus, kw);
}

/** Properties of any EnergySource, line, switch or shunt: its base voltage. */
function based(voltageV: number): CimProperty {
  return reference('ConductingEquipment.BaseVoltage', shared.baseVoltageId(voltageV));
}

function addSubstation(context: PrimaryContext): void {
  const { model } = context;
  const { name, highVoltageV, ratedVA, rPct, xPct } = circuit.SUBSTATION;
  const head = point(context, HEAD_BUS);
  const upstream = { x: head.x - 30, y: head.y };
  model.bus(SOURCE_BUS, shared.voltageLimitId(highVoltageV));
  const source = model.equipment(
    'EnergySource',
    'source',
    shared.FEEDER_AREA_ID,
    model.location('source', [upstream]),
    [
      based(highVoltageV),
      literal('EnergySource.nominalVoltage', highVoltageV),
      literal('EnergySource.voltageMagnitude', shared.rounded(SOURCE_VOLTAGE_PU * highVoltageV)),
      literal('EnergySource.voltageAngle', 0),
      ...['r', 'r0'].map((key) => literal(`EnergySource.${key}`, 0)),
      ...['x', 'x0'].map((key) => literal(`EnergySource.${key}`, 0.0001)),
    ],
  );
  model.terminal(source, 1, SOURCE_BUS);
  const terminals = addThreePhaseTransformer(context, {
    ...{ name, areaId: shared.FEEDER_AREA_ID, vectorGroup: 'Dyn1', ratedVA, rPct, xPct },
    ends: [
      { bus: SOURCE_BUS, voltageV: highVoltageV, connection: 'D', clock: 0 },
      { bus: HEAD_BUS, voltageV: circuit.NOMINAL_VOLTAGE_V, connection: 'Yn', clock: 1 },
    ],
    points: [upstream, head],
  });
  model.analogs('PNV', terminals.unit, terminals.ends[1]!, ABC);
  model.analogs('VA', terminals.unit, terminals.ends[0]!, ABC);
  model.analogs('VA', terminals.unit, terminals.ends[1]!, ABC);
}

function addLine(context: PrimaryContext, segment: circuit.Segment): void {
  const { model } = context;
  const configuration = CONFIGURATIONS.get(segment.configuration)!;
  const name = `l${segment.from}_${segment.to}`;
  const location = model.location(name, between(context, segment.from, segment.to));
  const line = model.equipment('ACLineSegment', name, context.areaOf(segment.from), location, [
    based(circuit.NOMINAL_VOLTAGE_V),
    reference('ACLineSegment.PerLengthImpedance', objectId('PerLengthPhaseImpedance', configuration.name)),
    literal('Conductor.length', shared.rounded(segment.lengthFt * METRES_PER_FOOT)),
  ]);
  addLinePhases(model, line, configuration.conductors);
  const limitSetId = shared.currentLimitId(configuration);
  const ends = [model.terminal(line, 1, segment.from, { limitSetId }), model.terminal(line, 2, segment.to)];
  for (const end of ends) {
    model.analogs('PNV', line, end, configuration.conductors);
    model.analogs('VA', line, end, configuration.conductors);
  }
}

/** The conductors of a line, in the order of its impedance matrix. */
export function addLinePhases(model: FeederModel, line: EquipmentRef, conductors: readonly string[]): void {
  conductors.forEach((phase, i) => {
    model.addNameless('ACLineSegmentPhase', `${line.name}_${phase}`, [
      reference('ACLineSegmentPhase.ACLineSegment', line.id),
      enumeration('ACLineSegmentPhase.phase', `SinglePhaseKind.${phase}`),
      literal('ACLineSegmentPhase.sequenceNumber', i + 1),
    ]);
  });
}

function addSwitch(context: PrimaryContext, row: circuit.SwitchRow): void {
  const { model } = context;
  const location = model.location(row.name, between(context, row.from, row.to));
  const device = model.equipment('LoadBreakSwitch', row.name, shared.FEEDER_AREA_ID, location, [
    based(circuit.NOMINAL_VOLTAGE_V),
    literal('Switch.normalOpen', row.isOpen),
    literal('Switch.open', row.isOpen),
    literal('Switch.retained', true),
    literal('Switch.ratedCurrent', 600),
    literal('ProtectedSwitch.breakingCapacity', 600),
  ]);
  if (row.phases.length < 3) {
    for (const phase of row.phases) {
      model.addNameless('SwitchPhase', `${row.name}_${phase}`, [
        reference('SwitchPhase.Switch', device.id),
        literal('SwitchPhase.closed', !row.isOpen),
        literal('SwitchPhase.normalOpen', row.isOpen),
        enumeration('SwitchPhase.phaseSide1', `SinglePhaseKind.${phase}`),
        enumeration('SwitchPhase.phaseSide2', `SinglePhaseKind.${phase}`),
      ]);
    }
  }
  const end1 = model.terminal(device, 1, row.from, { boundsAreaId: context.areaOf(row.from) });
  model.terminal(device, 2, row.to, { boundsAreaId: context.areaOf(row.to) });
  model.analogs('A', device, end1, row.phases);
  model.analogs('PNV', device, end1, row.phases);
  model.positions('LoadBreakSwitch', device, end1, row.phases);
}

function addXfm1(context: PrimaryContext): void {
  const { name, from, to, ratedVA, rPct, xPct, lowVoltageV } = circuit.XFM1;
  const switchArea = context.areaOf(from);
  const areaId = objectId('SecondaryArea', name);
  const ref = addThreePhaseTransformer(context, {
    ...{ name, areaId, vectorGroup: 'Dd', ratedVA, rPct, xPct, points: between(context, from, to) },
    ends: [
      { bus: from, voltageV: circuit.NOMINAL_VOLTAGE_V, connection: 'D', clock: 0, boundsAreaId: switchArea },
      { bus: to, voltageV: lowVoltageV, connection: 'D', clock: 0, boundsAreaId: areaId },
    ],
  });
  for (const end of ref.ends) {
    context.model.analogs('PNV', ref.unit, end, ABC);
    context.model.analogs('VA', ref.unit, end, ABC);
  }
}

function addCapacitor(context: PrimaryContext, row: circuit.CapacitorRow): void {
  const { model } = context;
  const n = row.phases.length;
  const sections = SECTIONS_OUT.has(row.name) ? 0 : 1;
  const siemens = shared.rounded((row.kvarPerPhase * 1000) / LINE_NEUTRAL_V ** 2);
  const location = model.location(row.name, [point(context, row.bus)]);
  const bank = model.equipment('LinearShuntCompensator', row.name, context.areaOf(row.bus), location, [
    based(circuit.NOMINAL_VOLTAGE_V),
    literal('LinearShuntCompensator.bPerSection', siemens),
    literal('LinearShuntCompensator.b0PerSection', siemens),
    literal('LinearShuntCompensator.gPerSection', 0),
    literal('LinearShuntCompensator.g0PerSection', 0),
    literal('ShuntCompensator.nomU', n === 3 ? circuit.NOMINAL_VOLTAGE_V : shared.rounded(LINE_NEUTRAL_V)),
    enumeration('ShuntCompensator.phaseConnection', 'PhaseShuntConnectionKind.Y'),
    literal('ShuntCompensator.grounded', true),
    literal('ShuntCompensator.maximumSections', 1),
    literal('ShuntCompensator.normalSections', sections),
    literal('ShuntCompensator.sections', sections),
    literal('ShuntCompensator.aVRDelay', 0),
  ]);
  if (n < 3) {
    for (const phase of row.phases) {
      model.addNameless('LinearShuntCompensatorPhase', `${row.name}_${phase}`, [
        reference('ShuntCompensatorPhase.ShuntCompensator', bank.id),
        enumeration('ShuntCompensatorPhase.phase', `SinglePhaseKind.${phase}`),
        literal('LinearShuntCompensatorPhase.bPerSection', siemens),
        literal('LinearShuntCompensatorPhase.gPerSection', 0),
        literal('ShuntCompensatorPhase.maximumSections', 1),
        literal('ShuntCompensatorPhase.normalSections', sections),
        literal('ShuntCompensatorPhase.sections', sections),
      ]);
    }
  }
  const terminal = model.terminal(bank, 1, row.bus);
  model.analogs('PNV', bank, terminal, row.phases);
  model.analogs('VA', bank, terminal, row.phases);
  model.positions('LinearShuntCompensator', bank, terminal, row.phases);
}

/**
 * A spot load between phases stays on the primary. A load between two phases has one phase object named after the first of
 * them, the convention of the CIM exporters for delta loads (A is AB, B is BC, C is CA).
 */
function addPrimaryLoad(context: PrimaryContext, load: circuit.SpotLoad): void {
  const { model } = context;
  const isThreePhase = load.phases.length === 3;
  const first = load.phases[0]!;
  const name = isThreePhase ? `s${load.bus}` : `s${load.bus}${first.toLowerCase()}`;
  const location = model.location(name, [point(context, load.bus)]);
  const consumer = model.equipment('EnergyConsumer', name, context.areaOf(load.bus), location, [
    based(circuit.NOMINAL_VOLTAGE_V),
    reference('EnergyConsumer.LoadResponse', shared.LOAD_RESPONSE_ID),
    literal('EnergyConsumer.p', load.kw * 1000),
    literal('EnergyConsumer.q', load.kvar * 1000),
    literal('EnergyConsumer.customerCount', 1),
    enumeration('EnergyConsumer.phaseConnection', `PhaseShuntConnectionKind.${isThreePhase ? 'Y' : 'D'}`),
    literal('EnergyConsumer.grounded', isThreePhase),
  ]);
  if (!isThreePhase) {
    model.addNameless('EnergyConsumerPhase', `${name}_${first}`, [
      reference('EnergyConsumerPhase.EnergyConsumer', consumer.id),
      enumeration('EnergyConsumerPhase.phase', `SinglePhaseKind.${first}`),
      literal('EnergyConsumerPhase.p', load.kw * 1000),
      literal('EnergyConsumerPhase.q', load.kvar * 1000),
    ]);
  }
  const terminal = model.terminal(consumer, 1, load.bus);
  const phases = isThreePhase ? ABC : [first];
  model.analogs('PNV', consumer, terminal, phases);
  model.analogs('VA', consumer, terminal, phases);
}

function addUtilityPv(context: PrimaryContext, bus: string, kw: number): void {
  const { model } = context;
  const name = `pv_${bus}`;
  const areaId = context.areaOf(bus);
  const location = model.location(name, [point(context, bus)]);
  const unitId = objectId('PhotovoltaicUnit', name);
  const inverter = model.equipment('PowerElectronicsConnection', name, areaId, location, [
    based(circuit.NOMINAL_VOLTAGE_V),
    ...inverterProperties(unitId, kw * 1000, kw * 1000, circuit.NOMINAL_VOLTAGE_V),
  ]);
  model.equipment('PhotovoltaicUnit', name, areaId, location, [
    literal('PowerElectronicsUnit.maxP', kw * 1000),
    literal('PowerElectronicsUnit.minP', 0),
  ]);
  const terminal = model.terminal(inverter, 1, bus);
  model.analogs('PNV', inverter, terminal, ABC);
  model.analogs('VA', inverter, terminal, ABC);
}

/** Properties of a PowerElectronicsConnection of a unit: rating, present power, limits of the reactive power. */
export function inverterProperties(unitId: string, unitW: number, presentW: number, ratedV: number): CimProperty[] {
  const ratedVA = shared.rounded(INVERTER_OVERSIZE * unitW);
  const maxQ = shared.rounded(0.44 * ratedVA);
  const set = (key: string, value: number) => literal(`PowerElectronicsConnection.${key}`, value);
  return [
    reference('PowerElectronicsConnection.PowerElectronicsUnit', unitId),
    ...[set('ratedS', ratedVA), set('ratedU', ratedV), set('p', presentW), set('q', 0)],
    ...[set('maxQ', maxQ), set('minQ', -maxQ), set('maxIFault', 1.1111111)],
    enumeration('PowerElectronicsConnection.controlMode', 'ConverterControlModeKind.constantPowerFactor'),
  ];
}
