/*
 * One small model that stays in memory. When nothing of a class is left, the engine forgets the layout of its objects and with
 * it the machine code that it made for them; the next model that a process reads would start with slow code again.
 */
import { CimEquipment } from './equipment.js';
import { FindingList } from './finding-list.js';
import { CimIndex } from './object-index.js';
import { ObjectMerge } from './object-merge.js';
import { RdfScanner } from './rdf-scanner.js';
import { NominalVoltages } from './share.js';
import { WindingPairs } from './transformer-test.js';

const IDS = ['49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', '49AD8E07-3BF9-A4E2-CB8F-C3722F837B63'] as const;
const SAMPLE = `<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<cim:ConnectivityNode rdf:about="urn:uuid:${IDS[0]}"><cim:IdentifiedObject.name>a</cim:IdentifiedObject.name></cim:ConnectivityNode>
<cim:EnergyConsumer rdf:about="urn:uuid:${IDS[1]}"><cim:EnergyConsumer.p>1</cim:EnergyConsumer.p>
<cim:EnergyConsumer.phaseConnection rdf:resource="http://iec.ch/TC57/CIM100#PhaseShuntConnectionKind.Y"/></cim:EnergyConsumer>
<cim:Terminal rdf:ID="_t"><cim:Terminal.ConductingEquipment rdf:resource="urn:uuid:${IDS[1]}"/>
<cim:Terminal.ConnectivityNode rdf:resource="urn:uuid:${IDS[0]}"/></cim:Terminal>
</rdf:RDF>
`;

function smallModel(): readonly object[] {
  const index = new CimIndex();
  const scanner = new RdfScanner('', index);
  scanner.push(new TextEncoder().encode(SAMPLE));
  scanner.end();
  const eq = new CimEquipment(index, new FindingList());
  for (const object of index.byClass('EnergyConsumer')) eq.terminals(object);
  const merge = new ObjectMerge(index, '');
  return [index, scanner, merge, eq, new NominalVoltages(eq, [], []), new WindingPairs(2)];
}

/** Objects of every class that reading makes many of. */
export const KEPT_SHAPES: readonly object[] = smallModel();
