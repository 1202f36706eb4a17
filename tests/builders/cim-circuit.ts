import { type CimProperty, type CimRecord, enumeration, literal, reference } from '../../grid/cim/index.js';

/*
 * A small circuit of our own, as CIM objects, with one of every class that the reader makes something of: lines by matrix,
 * by sequence values, of their own and by geometry; transformers by ends and by tanks; regulator, capacitor and their
 * controls; switches, loads, PV, battery, machine; measurements, areas, limits.
 */

/** A value in a few words: `@id` is a link, `#Kind.member` an enumeration, all else a literal. */
function property(name: string, value: string | number | boolean): CimProperty {
  const text = String(value);
  if (text.startsWith('@')) return reference(name, text.slice(1));
  if (text.startsWith('#')) return enumeration(name, text.slice(1));
  return literal(name, value);
}

type Values = Readonly<Record<string, string | number | boolean>>;

function object(className: string, id: string, values: Values = {}): CimRecord {
  const properties = Object.entries({ 'IdentifiedObject.name': id, ...values }).map(([name, value]) =>
    property(name, value),
  );
  return { className, id, properties };
}

const HELD: Values = { 'Equipment.EquipmentContainer': '@F', 'Equipment.SubSchedulingArea': '@SWA' };
const MV: Values = { ...HELD, 'ConductingEquipment.BaseVoltage': '@B12' };
const LV: Values = { ...HELD, 'ConductingEquipment.BaseVoltage': '@B02' };

function equipment(className: string, id: string, values: Values, ...nodes: string[]): CimRecord[] {
  return [
    object(className, id, values),
    ...nodes.map((node, k) =>
      object('Terminal', `${id}_T${k + 1}`, {
        'Terminal.ConductingEquipment': `@${id}`,
        'Terminal.ConnectivityNode': `@${node}`,
        'ACDCTerminal.sequenceNumber': k + 1,
      }),
    ),
  ];
}

function phases(className: string, link: string, owner: string, members: readonly string[], values: Values = {}) {
  const attribute = `${className.startsWith('LinearShunt') ? 'ShuntCompensatorPhase' : className}.phase`;
  return members.map((member, k) =>
    object(className, `${owner}_${member}`, {
      [link]: `@${owner}`,
      [attribute]: `#SinglePhaseKind.${member}`,
      ...(className === 'ACLineSegmentPhase' ? { 'ACLineSegmentPhase.sequenceNumber': k + 1 } : {}),
      ...values,
    }),
  );
}

const linePhases = (line: string, members: readonly string[], values: Values = {}) =>
  phases('ACLineSegmentPhase', 'ACLineSegmentPhase.ACLineSegment', line, members, values);

/** The lower triangle of a matrix, ohm and siemens per metre. */
function matrix(id: string, order: number, r: number, x: number, b: number): CimRecord[] {
  const cells: CimRecord[] = [object('PerLengthPhaseImpedance', id)];
  for (let row = 1; row <= order; row++) {
    for (let column = 1; column <= row; column++) {
      const share = row === column ? 1 : 0.4;
      cells.push(
        object('PhaseImpedanceData', `${id}_${row}${column}`, {
          'PhaseImpedanceData.PhaseImpedance': `@${id}`,
          'PhaseImpedanceData.row': row,
          'PhaseImpedanceData.column': column,
          'PhaseImpedanceData.r': r * share,
          'PhaseImpedanceData.x': x * share,
          'PhaseImpedanceData.b': row === column ? b : -b / 4,
        }),
      );
    }
  }
  return cells;
}

function lines(): CimRecord[] {
  const spacing = (id: string, at: number, x: number, y: number) =>
    object('WirePosition', id, {
      'WirePosition.WireSpacingInfo': '@SPACE',
      'WirePosition.sequenceNumber': at,
      'WirePosition.xCoord': x,
      'WirePosition.yCoord': y,
    });
  return [
    // Configuration 601 of the IEEE 13-node feeder, rounded.
    ...matrix('Z3', 3, 2.15e-4, 6.3e-4, 3.9e-9),
    ...equipment(
      'ACLineSegment',
      'L1',
      { ...MV, 'ACLineSegment.PerLengthImpedance': '@Z3', 'Conductor.length': 900 },
      'b',
      'c',
    ),
    ...linePhases('L1', ['A', 'B', 'C']),
    object('PerLengthSequenceImpedance', 'ZS', {
      ...{ 'PerLengthSequenceImpedance.r': 2e-4, 'PerLengthSequenceImpedance.x': 4e-4 },
      ...{ 'PerLengthSequenceImpedance.r0': 5e-4, 'PerLengthSequenceImpedance.x0': 1.2e-3 },
      ...{ 'PerLengthSequenceImpedance.bch': 4e-9, 'PerLengthSequenceImpedance.b0ch': 2e-9 },
    }),
    ...equipment(
      'ACLineSegment',
      'L2',
      { ...MV, 'ACLineSegment.PerLengthImpedance': '@ZS', 'Conductor.length': 700 },
      'c',
      'd',
    ),
    ...equipment(
      'ACLineSegment',
      'L3',
      {
        ...{ ...MV, 'Conductor.length': 800, 'ACLineSegment.r': 0.2, 'ACLineSegment.x': 0.4 },
        ...{ 'ACLineSegment.r0': 0.5, 'ACLineSegment.x0': 1.2, 'ACLineSegment.bch': 3e-6, 'ACLineSegment.b0ch': 2e-6 },
      },
      'd',
      'e',
    ),
    // 1/0 ACSR on a pole (Kersting, Distribution System Modeling and Analysis, appendix A).
    object('OverheadWireInfo', 'WIRE', {
      'WireInfo.gmr': 0.00136,
      'WireInfo.radius': 0.00505,
      'WireInfo.rDC20': 5.5e-4,
      'WireInfo.rAC25': 6.96e-4,
    }),
    object('WireSpacingInfo', 'SPACE'),
    spacing('SPACE_1', 1, 0, 8.5),
    spacing('SPACE_2', 2, 0.15, 7.3),
    ...equipment(
      'ACLineSegment',
      'L4',
      { ...MV, 'ACLineSegment.WireSpacingInfo': '@SPACE', 'Conductor.length': 500 },
      'c',
      'g',
    ),
    ...linePhases('L4', ['A', 'N'], { 'ACLineSegmentPhase.WireInfo': '@WIRE' }),
    ...matrix('Z2', 2, 4e-4, 3e-4, 0),
    ...equipment(
      'ACLineSegment',
      'DROP',
      { ...LV, 'ACLineSegment.PerLengthImpedance': '@Z2', 'Conductor.length': 25 },
      'p',
      'q',
    ),
    ...linePhases('DROP', ['s1', 's2']),
    ...equipment('SeriesCompensator', 'SC', { ...MV, 'SeriesCompensator.r': 0.1, 'SeriesCompensator.x': 1 }, 'h', 'k'),
  ];
}

function primaryTransformer(): CimRecord[] {
  const end = (id: string, number: number, kind: string) =>
    object('PowerTransformerEnd', id, {
      'PowerTransformerEnd.PowerTransformer': '@REG',
      'TransformerEnd.endNumber': number,
      'TransformerEnd.Terminal': `@REG_T${number}`,
      'TransformerEnd.BaseVoltage': '@B12',
      'TransformerEnd.grounded': true,
      'PowerTransformerEnd.ratedU': 12470,
      'PowerTransformerEnd.ratedS': 5e6,
      'PowerTransformerEnd.connectionKind': `#WindingConnection.${kind}`,
      'PowerTransformerEnd.phaseAngleClock': 0,
    });
  return [
    ...equipment('PowerTransformer', 'REG', HELD, 'a', 'b'),
    end('REG_1', 1, 'Yn'),
    end('REG_2', 2, 'Yn'),
    object('TransformerMeshImpedance', 'MESH', {
      'TransformerMeshImpedance.FromTransformerEnd': '@REG_1',
      'TransformerMeshImpedance.ToTransformerEnd': '@REG_2',
      'TransformerMeshImpedance.r': 0.2,
      'TransformerMeshImpedance.x': 1.5,
    }),
    object('TransformerCoreAdmittance', 'CORE', {
      'TransformerCoreAdmittance.TransformerEnd': '@REG_1',
      'TransformerCoreAdmittance.g': 1e-5,
      'TransformerCoreAdmittance.b': 3e-5,
    }),
    object('RatioTapChanger', 'TAP', {
      ...{ 'RatioTapChanger.TransformerEnd': '@REG_2', 'TapChanger.TapChangerControl': '@TAPC' },
      ...{ 'RatioTapChanger.stepVoltageIncrement': 0.625, 'TapChanger.highStep': 16, 'TapChanger.lowStep': -16 },
      ...{ 'TapChanger.neutralStep': 0, 'TapChanger.step': 2, 'TapChanger.ptRatio': 60, 'TapChanger.ctRating': 300 },
      ...{ 'TapChanger.initialDelay': 15, 'TapChanger.subsequentDelay': 2, 'TapChanger.controlEnabled': true },
    }),
    object('TapChangerControl', 'TAPC', {
      ...{ 'RegulatingControl.Terminal': '@REG_T2', 'RegulatingControl.mode': '#RegulatingControlModeKind.voltage' },
      ...{ 'RegulatingControl.monitoredPhase': '#PhaseCode.A', 'RegulatingControl.enabled': true },
      ...{ 'RegulatingControl.targetValue': 124, 'RegulatingControl.targetDeadband': 2 },
      ...{ 'TapChangerControl.lineDropCompensation': true, 'TapChangerControl.lineDropR': 2 },
      ...{ 'TapChangerControl.lineDropX': 4, 'TapChangerControl.maxLimitVoltage': 130 },
      'TapChangerControl.reversible': false,
    }),
  ];
}

function serviceTransformer(): CimRecord[] {
  const info = (id: string, number: number, volts: number, ohm: number) =>
    object('TransformerEndInfo', id, {
      'TransformerEndInfo.TransformerTankInfo': '@CODE',
      'TransformerEndInfo.endNumber': number,
      'TransformerEndInfo.connectionKind': '#WindingConnection.I',
      'TransformerEndInfo.ratedU': volts,
      'TransformerEndInfo.ratedS': 50e3,
      'TransformerEndInfo.r': ohm,
    });
  // 2.04 / 2.04 / 1.36 % at the voltage of the energised end.
  const test = (id: string, from: number, to: number, ohm: number) =>
    object('ShortCircuitTest', id, {
      'ShortCircuitTest.EnergisedEnd': `@CODE_${from}`,
      'ShortCircuitTest.GroundedEnds': `@CODE_${to}`,
      'ShortCircuitTest.leakageImpedance': ohm,
      'ShortCircuitTest.loss': 0,
      'TransformerTest.basePower': 50e3,
    });
  const end = (number: number, code: string, base: string) =>
    object('TransformerTankEnd', `TANK_${number}`, {
      'TransformerTankEnd.TransformerTank': '@TANK',
      'TransformerTankEnd.orderedPhases': `#OrderedPhaseCodeKind.${code}`,
      'TransformerEnd.endNumber': number,
      'TransformerEnd.Terminal': `@SERVICE_T${number}`,
      'TransformerEnd.BaseVoltage': `@${base}`,
    });
  return [
    ...equipment('PowerTransformer', 'SERVICE', HELD, 'c', 'p', 'p'),
    object('TransformerTank', 'TANK', {
      ...HELD,
      'TransformerTank.PowerTransformer': '@SERVICE',
      'TransformerTank.TransformerTankInfo': '@CODE',
    }),
    end(1, 'AN', 'B12'),
    end(2, 's1N', 'B02'),
    end(3, 'Ns2', 'B02'),
    object('TransformerTankInfo', 'CODE'),
    info('CODE_1', 1, 7200, 6.2),
    info('CODE_2', 2, 120, 0.00346),
    info('CODE_3', 3, 120, 0.00346),
    test('TEST_12', 1, 2, 24),
    test('TEST_13', 1, 3, 24),
    test('TEST_23', 2, 3, 0.008),
    object('NoLoadTest', 'IDLE', {
      'NoLoadTest.EnergisedEnd': '@CODE_1',
      'NoLoadTest.excitingCurrent': 0.5,
      'NoLoadTest.loss': 0.1,
      'TransformerTest.basePower': 50e3,
    }),
  ];
}

function devices(): CimRecord[] {
  const inverter = 'PowerElectronicsConnectionPhase.PowerElectronicsConnection';
  return [
    ...equipment(
      'EnergySource',
      'S',
      {
        ...{ ...MV, 'EnergySource.nominalVoltage': 12470, 'EnergySource.voltageMagnitude': 12595 },
        ...{ 'EnergySource.voltageAngle': 0.1, 'EnergySource.r': 0.1, 'EnergySource.x': 1 },
        ...{ 'EnergySource.r0': 0.2, 'EnergySource.x0': 1.4 },
      },
      'a',
    ),
    object('LoadResponseCharacteristic', 'ZIP', {
      ...{ 'LoadResponseCharacteristic.exponentModel': false },
      ...{ 'LoadResponseCharacteristic.pConstantImpedance': 20, 'LoadResponseCharacteristic.pConstantCurrent': 30 },
      ...{ 'LoadResponseCharacteristic.pConstantPower': 50, 'LoadResponseCharacteristic.qConstantImpedance': 40 },
      ...{ 'LoadResponseCharacteristic.qConstantCurrent': 20, 'LoadResponseCharacteristic.qConstantPower': 40 },
    }),
    ...equipment(
      'EnergyConsumer',
      'LOAD',
      {
        ...{ ...MV, 'EnergyConsumer.p': 600e3, 'EnergyConsumer.q': 200e3, 'EnergyConsumer.LoadResponse': '@ZIP' },
        ...{ 'EnergyConsumer.phaseConnection': '#PhaseShuntConnectionKind.D', 'EnergyConsumer.customerCount': 40 },
      },
      'e',
    ),
    ...equipment(
      'EnergyConsumer',
      'HOUSE',
      {
        ...{ ...LV, 'EnergyConsumer.p': 6000, 'EnergyConsumer.q': 1500, 'EnergyConsumer.LoadResponse': '@ZIP' },
        'EnergyConsumer.phaseConnection': '#PhaseShuntConnectionKind.Y',
      },
      'q',
    ),
    ...phases('EnergyConsumerPhase', 'EnergyConsumerPhase.EnergyConsumer', 'HOUSE', ['s1', 's2'], {
      'EnergyConsumerPhase.p': 3000,
      'EnergyConsumerPhase.q': 750,
    }),
    ...equipment(
      'LinearShuntCompensator',
      'CAP',
      {
        ...{ ...MV, 'ShuntCompensator.nomU': 12470, 'LinearShuntCompensator.bPerSection': 1.9e-3 },
        ...{ 'ShuntCompensator.phaseConnection': '#PhaseShuntConnectionKind.Y', 'ShuntCompensator.grounded': true },
        ...{ 'ShuntCompensator.maximumSections': 2, 'ShuntCompensator.sections': 1, 'ShuntCompensator.aVRDelay': 30 },
      },
      'e',
    ),
    object('RegulatingControl', 'CAPC', {
      ...{ 'RegulatingControl.RegulatingCondEq': '@CAP', 'RegulatingControl.Terminal': '@CAP_T1' },
      ...{ 'RegulatingControl.mode': '#RegulatingControlModeKind.voltage', 'RegulatingControl.enabled': true },
      ...{ 'RegulatingControl.monitoredPhase': '#PhaseCode.B', 'RegulatingControl.targetValue': 7300 },
      'RegulatingControl.targetDeadband': 400,
    }),
    ...equipment(
      'LinearShuntCompensator',
      'CAP1',
      {
        ...{ ...MV, 'ShuntCompensator.nomU': 7200, 'ShuntCompensator.maximumSections': 1 },
        'ShuntCompensator.phaseConnection': '#PhaseShuntConnectionKind.Y',
      },
      'h',
    ),
    ...phases('LinearShuntCompensatorPhase', 'ShuntCompensatorPhase.ShuntCompensator', 'CAP1', ['A'], {
      'LinearShuntCompensatorPhase.bPerSection': 1e-3,
      'ShuntCompensatorPhase.sections': 1,
    }),
    ...equipment('LoadBreakSwitch', 'SW', { ...MV, 'Switch.open': false, 'Switch.normalOpen': false }, 'd', 'h'),
    ...['A', 'B', 'C'].map((phase) =>
      object('SwitchPhase', `SW_${phase}`, {
        'SwitchPhase.Switch': '@SW',
        'SwitchPhase.phaseSide1': `#SinglePhaseKind.${phase}`,
        'SwitchPhase.phaseSide2': `#SinglePhaseKind.${phase}`,
        'SwitchPhase.closed': true,
      }),
    ),
    ...equipment('Breaker', 'TIE', { ...MV, 'Switch.open': true, 'Switch.normalOpen': true }, 'e', 'h'),
    ...equipment(
      'SynchronousMachine',
      'GEN',
      { ...MV, 'RotatingMachine.p': 150e3, 'RotatingMachine.q': 30e3, 'RotatingMachine.ratedS': 300e3 },
      'k',
    ),
    ...equipment(
      'PowerElectronicsConnection',
      'INV',
      {
        ...{ ...LV, 'PowerElectronicsConnection.p': 4000, 'PowerElectronicsConnection.q': 0 },
        'PowerElectronicsConnection.ratedS': 6000,
        'PowerElectronicsConnection.PowerElectronicsUnit': '@PV',
      },
      'q',
    ),
    ...phases('PowerElectronicsConnectionPhase', inverter, 'INV', ['s1', 's2'], {
      'PowerElectronicsConnectionPhase.p': 2000,
      'PowerElectronicsConnectionPhase.q': 0,
    }),
    object('PhotovoltaicUnit', 'PV', { 'PowerElectronicsUnit.maxP': 5000 }),
    ...equipment(
      'PowerElectronicsConnection',
      'BINV',
      {
        ...{ ...LV, 'PowerElectronicsConnection.p': 0, 'PowerElectronicsConnection.q': 0 },
        'PowerElectronicsConnection.ratedS': 5000,
        'PowerElectronicsConnection.PowerElectronicsUnit': '@BAT',
      },
      'q',
    ),
    ...phases('PowerElectronicsConnectionPhase', inverter, 'BINV', ['s1', 's2']),
    object('BatteryUnit', 'BAT', {
      ...{ 'PowerElectronicsUnit.maxP': 4000, 'PowerElectronicsUnit.minP': -4000 },
      ...{ 'BatteryUnit.ratedE': 13500, 'BatteryUnit.storedE': 6000 },
    }),
  ];
}

function measurements(): CimRecord[] {
  const point = (className: string, id: string, type: string, device: string, terminal: string, phase: string) =>
    object(className, id, {
      'Measurement.measurementType': type,
      'Measurement.phases': `#PhaseCode.${phase}`,
      'Measurement.PowerSystemResource': `@${device}`,
      'Measurement.Terminal': `@${terminal}`,
    });
  return [
    point('Analog', 'M_PNV', 'PNV', 'L1', 'L1_T2', 'A'),
    point('Analog', 'M_VA', 'VA', 'INV', 'INV_T1', 's1'),
    point('Analog', 'M_SOC', 'SoC', 'BINV', 'BINV_T1', 's1'),
    point('Discrete', 'M_POS', 'Pos', 'SW', 'SW_T1', 'A'),
  ];
}

/** The circuit, objects in a fixed order. */
export function cimCircuit(): CimRecord[] {
  return [
    object('Feeder', 'F', { 'Feeder.NormalEnergizingSubstation': '@SUB' }),
    object('Substation', 'SUB', { 'Substation.Region': '@SGR' }),
    object('SubGeographicalRegion', 'SGR', { 'SubGeographicalRegion.Region': '@GR' }),
    object('GeographicalRegion', 'GR'),
    object('FeederArea', 'FA'),
    object('SwitchArea', 'SWA', { 'SwitchArea.FeederArea': '@FA' }),
    object('BaseFrequency', 'HZ', { 'BaseFrequency.frequency': 60 }),
    object('BaseVoltage', 'B12', { 'BaseVoltage.nominalVoltage': 12470 }),
    object('BaseVoltage', 'B02', { 'BaseVoltage.nominalVoltage': 208 }),
    ...['a', 'b', 'c', 'd', 'e', 'g', 'h', 'k', 'p', 'q'].map((id) =>
      object('ConnectivityNode', id, { 'ConnectivityNode.ConnectivityNodeContainer': '@F' }),
    ),
    ...lines(),
    ...primaryTransformer(),
    ...serviceTransformer(),
    ...devices(),
    ...measurements(),
  ];
}

/** The records with other values of an object, written as in the circuit; undefined is absence. */
export function changed(
  id: string,
  values: Readonly<Record<string, string | number | boolean | undefined>>,
  records: readonly CimRecord[],
): CimRecord[] {
  return records.map((record) => {
    if (record.id !== id) return record;
    const kept = record.properties.filter(({ name }) => !(name in values));
    const own = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [property(name, value)]));
    return { ...record, properties: [...kept, ...own] };
  });
}
