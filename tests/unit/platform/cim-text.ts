/** A CIM100 feeder of two buses, written by hand: source, line, load, PV, a switch and three measurements. */
export function tinyCim(
  options: { readonly feederMrid?: string; readonly feederName?: string; readonly loadW?: number } = {},
): string {
  const { feederMrid = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', feederName = 'tiny', loadW = 30_000 } = options;
  const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const link = (attribute: string, n: number | string) =>
    `<cim:${attribute} rdf:resource="urn:uuid:${typeof n === 'number' ? uuid(n) : n}"/>`;
  const enumeration = (attribute: string, member: string) =>
    `<cim:${attribute} rdf:resource="http://iec.ch/TC57/CIM100#${member}"/>`;
  const value = (attribute: string, text: string | number) => `<cim:${attribute}>${text}</cim:${attribute}>`;
  const object = (className: string, id: number | string, name: string, ...properties: string[]) => {
    const mrid = typeof id === 'number' ? uuid(id) : id;
    const head = `${value('IdentifiedObject.mRID', mrid)}${value('IdentifiedObject.name', name)}`;
    return `<cim:${className} rdf:about="urn:uuid:${mrid}">\n${head}\n${properties.join('\n')}\n</cim:${className}>`;
  };
  const equipment = (className: string, id: number, name: string, ...properties: string[]) =>
    object(
      className,
      id,
      name,
      link('Equipment.EquipmentContainer', feederMrid),
      link('ConductingEquipment.BaseVoltage', 4),
      ...properties,
    );
  const terminal = (id: number, equipmentId: number, node: number, sequence = 1) =>
    object(
      'Terminal',
      id,
      `t${id}`,
      link('Terminal.ConductingEquipment', equipmentId),
      link('Terminal.ConnectivityNode', node),
      value('ACDCTerminal.sequenceNumber', sequence),
    );
  const node = (id: number, name: string) =>
    object('ConnectivityNode', id, name, link('ConnectivityNode.ConnectivityNodeContainer', feederMrid));
  const measurement = (className: string, id: number, type: string, phase: string, psr: number, term: number) =>
    object(
      className,
      id,
      `m_${type}_${phase}`,
      value('Measurement.measurementType', type),
      enumeration('Measurement.phases', `PhaseCode.${phase}`),
      link('Measurement.PowerSystemResource', psr),
      link('Measurement.Terminal', term),
    );
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    object('GeographicalRegion', 1, 'region'),
    object('SubGeographicalRegion', 2, 'subregion', link('SubGeographicalRegion.Region', 1)),
    object('Substation', 3, 'station', link('Substation.Region', 2)),
    object('Feeder', feederMrid, feederName, link('Feeder.NormalEnergizingSubstation', 3)),
    object('BaseVoltage', 4, 'base', value('BaseVoltage.nominalVoltage', 4160)),
    node(10, 'head'),
    node(11, 'middle'),
    node(12, 'tail'),
    equipment(
      'EnergySource',
      20,
      'source',
      value('EnergySource.nominalVoltage', 4160),
      value('EnergySource.voltageMagnitude', 4160),
      value('EnergySource.voltageAngle', 0),
      value('EnergySource.r', 0.01),
      value('EnergySource.x', 0.02),
      value('EnergySource.r0', 0.01),
      value('EnergySource.x0', 0.02),
    ),
    terminal(30, 20, 10),
    equipment(
      'ACLineSegment',
      21,
      'line',
      value('Conductor.length', 100),
      value('ACLineSegment.r', 0.1),
      value('ACLineSegment.x', 0.2),
      value('ACLineSegment.r0', 0.3),
      value('ACLineSegment.x0', 0.6),
      value('ACLineSegment.bch', 0),
      value('ACLineSegment.b0ch', 0),
    ),
    terminal(31, 21, 10, 1),
    terminal(32, 21, 11, 2),
    equipment(
      'LoadBreakSwitch',
      22,
      'switch',
      value('Switch.open', 'false'),
      value('Switch.normalOpen', 'false'),
      value('Switch.ratedCurrent', 400),
    ),
    terminal(33, 22, 11, 1),
    terminal(34, 22, 12, 2),
    object(
      'LoadResponseCharacteristic',
      5,
      'constant',
      value('LoadResponseCharacteristic.pConstantPower', 100),
      value('LoadResponseCharacteristic.qConstantPower', 100),
    ),
    equipment(
      'EnergyConsumer',
      23,
      'load',
      value('EnergyConsumer.p', loadW),
      value('EnergyConsumer.q', 0),
      value('EnergyConsumer.customerCount', 1),
      link('EnergyConsumer.LoadResponse', 5),
      enumeration('EnergyConsumer.phaseConnection', 'PhaseShuntConnectionKind.Y'),
      value('EnergyConsumer.grounded', 'true'),
    ),
    terminal(35, 23, 12),
    equipment(
      'PowerElectronicsConnection',
      24,
      'roof',
      link('PowerElectronicsConnection.PowerElectronicsUnit', 25),
      value('PowerElectronicsConnection.ratedS', 20_000),
      value('PowerElectronicsConnection.ratedU', 4160),
      value('PowerElectronicsConnection.p', 15_000),
      value('PowerElectronicsConnection.q', 0),
      value('PowerElectronicsConnection.maxIFault', 1.1),
    ),
    object(
      'PhotovoltaicUnit',
      25,
      'roof',
      value('PowerElectronicsUnit.maxP', 15_000),
      value('PowerElectronicsUnit.minP', 0),
    ),
    terminal(36, 24, 12),
    measurement('Analog', 40, 'PNV', 'A', 23, 35),
    measurement('Analog', 41, 'VA', 'B', 24, 36),
    measurement('Discrete', 42, 'Pos', 'A', 22, 33),
    '</rdf:RDF>',
    '',
  ].join('\n');
}
