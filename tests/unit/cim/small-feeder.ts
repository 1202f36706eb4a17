import { readCimText, readFeeders } from '../../../grid/cim/index.js';

/** One object in a few words: class, id, then attribute = literal or `@id` or `#Enumeration.member`. */
export function object(
  className: string,
  id: string,
  properties: Readonly<Record<string, string | number>> = {},
): string {
  const lines = Object.entries(properties).map(([name, value]) => {
    const text = String(value);
    if (text.startsWith('@')) return `<cim:${name} rdf:resource="#${text.slice(1)}"/>`;
    if (text.startsWith('#')) return `<cim:${name} rdf:resource="http://iec.ch/TC57/CIM100${text}"/>`;
    return `<cim:${name}>${text}</cim:${name}>`;
  });
  return `<cim:${className} rdf:ID="${id}"><cim:IdentifiedObject.name>${id}</cim:IdentifiedObject.name>${lines.join('')}</cim:${className}>`;
}

/** Terminals of equipment at nodes, in order. */
export function terminals(equipment: string, ...nodes: string[]): string {
  return nodes
    .map((node, k) =>
      object('Terminal', `${equipment}_T${k + 1}`, {
        'Terminal.ConductingEquipment': `@${equipment}`,
        'Terminal.ConnectivityNode': `@${node}`,
        'ACDCTerminal.sequenceNumber': k + 1,
      }),
    )
    .join('');
}

/** A connectivity node of the feeder. */
export const node = (id: string) =>
  object('ConnectivityNode', id, { 'ConnectivityNode.ConnectivityNodeContainer': '@F' });
/** Attribute that links equipment to its base voltage. */
export const BASE = 'ConductingEquipment.BaseVoltage';

/** A source at bus a with a 12.47 kV base, and whatever is added. */
export function read(...extra: string[]) {
  const body = [
    object('Feeder', 'F'),
    object('BaseVoltage', 'B12', { 'BaseVoltage.nominalVoltage': 12470 }),
    object('BaseVoltage', 'B02', { 'BaseVoltage.nominalVoltage': 208 }),
    node('a'),
    node('b'),
    object('EnergySource', 'S', {
      [BASE]: '@B12',
      'EnergySource.nominalVoltage': 12470,
      'EnergySource.voltageMagnitude': 12470,
      'EnergySource.r': 0.1,
      'EnergySource.x': 1,
    }),
    terminals('S', 'a'),
    ...extra,
  ].join('\n');
  const text = `<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${body}</rdf:RDF>`;
  const { feeders, findings } = readFeeders(readCimText([{ name: 'f.xml', text }]));
  return { feeder: feeders[0]!, findings };
}

/** A load of 3 kW at bus a. */
export const load = (connection: string, properties: Readonly<Record<string, string | number>> = {}) =>
  object('EnergyConsumer', 'L', {
    [BASE]: '@B12',
    'EnergyConsumer.p': 3000,
    'EnergyConsumer.q': 600,
    'EnergyConsumer.phaseConnection': `#PhaseShuntConnectionKind.${connection}`,
    ...properties,
  }) + terminals('L', 'a');
/** A phase of that load. */
export const loadPhase = (phase: string, p: number | string, attribute = 'p') =>
  object('EnergyConsumerPhase', `L_${phase}`, {
    'EnergyConsumerPhase.EnergyConsumer': '@L',
    'EnergyConsumerPhase.phase': `#SinglePhaseKind.${phase}`,
    [`EnergyConsumerPhase.${attribute}`]: p,
  });
