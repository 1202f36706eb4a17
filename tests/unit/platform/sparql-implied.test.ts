import { describe, expect, it } from 'vitest';
import { readCimText } from '../../../grid/cim/index.js';
import { createSparqlEngine } from '../../../platform/sparql/engine.js';
import { nTriples } from '../../../platform/sparql/triples.js';

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const link = (attribute: string, n: number) => `<cim:${attribute} rdf:resource="urn:uuid:${uuid(n)}"/>`;
const value = (attribute: string, text: string) => `<cim:${attribute}>${text}</cim:${attribute}>`;
const object = (className: string, n: number, ...properties: string[]) =>
  `<cim:${className} rdf:about="urn:uuid:${uuid(n)}">${value('IdentifiedObject.name', `${className}${n}`)}${properties.join('')}</cim:${className}>`;

/** Rows of a query over some objects in the name space of a release, as texts. */
async function rows(objects: readonly string[], query: string, release = 'CIM100#'): Promise<readonly string[]> {
  const namespaces = `xmlns:cim="http://iec.ch/TC57/${release}" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"`;
  const text = `<rdf:RDF ${namespaces}>${objects.join('')}</rdf:RDF>`;
  const engine = await createSparqlEngine();
  for (const piece of nTriples(readCimText([{ name: 'some.xml', text }]))) engine.load(piece);
  return engine.query(query, 'csv').trim().split('\r\n').slice(1);
}

describe('what is asked for in the words of another release or writer', () => {
  it('finds the data of a tank by way of an Asset, and the other way', async () => {
    const tank = object('TransformerTank', 1, link('TransformerTank.TransformerTankInfo', 2));
    const query = `SELECT ?tank ?info ?class WHERE {?t a c:TransformerTank; c:IdentifiedObject.name ?tank.
      ?asset c:Asset.PowerSystemResources ?t; c:Asset.AssetInfo ?i; a ?class. ?i c:IdentifiedObject.name ?info.
      ?i c:TransformerTankInfo.PowerTransformerInfo ?p. ?p a c:PowerTransformerInfo}`;
    const row = 'TransformerTank1,TransformerTankInfo2,http://iec.ch/TC57/CIM100#Asset';
    expect(await rows([tank, object('TransformerTankInfo', 2)], query)).toEqual([row]);
    const asset = object('Asset', 3, link('Asset.PowerSystemResources', 1), link('Asset.AssetInfo', 2));
    const older = [object('TransformerTank', 1), object('TransformerTankInfo', 2), asset];
    expect(await rows(older, query)).toEqual([row]);
    expect(
      await rows(older, 'SELECT ?n {?t c:TransformerTank.TransformerTankInfo/c:IdentifiedObject.name ?n}'),
    ).toEqual(['TransformerTankInfo2']);
  });

  it('finds the phases of a tank end in either notation', async () => {
    const end = (n: number, attribute: string, member: string) =>
      object(
        'TransformerTankEnd',
        n,
        `<cim:TransformerTankEnd.${attribute} rdf:resource="http://iec.ch/TC57/CIM100#${member}"/>`,
      );
    const ends = ['AN', 'Ns2', 's1N', 'CB', 'ABCN', 's2s1N'].map((phases, i) =>
      end(i, 'orderedPhases', `OrderedPhaseCodeKind.${phases}`),
    );
    const query =
      'SELECT ?phase {?e c:TransformerTankEnd.phases ?raw. bind(strafter(str(?raw),"#PhaseCode.") as ?phase)} ORDER BY str(?e)';
    expect(await rows(ends, query)).toEqual(['AN', 's2N', 's1N', 'BC', 'ABCN', 's12N']);
    const ordered =
      'SELECT ?phase {?e c:TransformerTankEnd.orderedPhases ?raw. bind(strafter(str(?raw),"OrderedPhaseCodeKind.") as ?phase)}';
    expect(await rows([end(1, 'phases', 'PhaseCode.BN')], ordered)).toEqual(['BN']);
  });

  it('finds links from either end, and attributes by either name', async () => {
    const objects = [
      object('PowerElectronicsConnection', 1),
      object('PhotovoltaicUnit', 2, link('PowerElectronicsUnit.PowerElectronicsConnection', 1)),
      object('PowerElectronicsConnection', 3, link('PowerElectronicsConnection.PowerElectronicsUnit', 4)),
      object('BatteryUnit', 4),
      object('SynchronousMachine', 5, value('RotatingMachine.ratedS', '120000')),
      object('AsynchronousMachine', 6, value('RotatingMachine.ratedS', '5')),
      object('EnergyConsumer', 7, value('EnergyConsumer.pfixed', '10')),
    ];
    const units =
      'SELECT ?n {?c c:PowerElectronicsConnection.PowerElectronicsUnit/c:IdentifiedObject.name ?n} ORDER BY ?n';
    expect(await rows(objects, units)).toEqual(['BatteryUnit4', 'PhotovoltaicUnit2']);
    const back =
      'SELECT ?n {?c c:PowerElectronicsUnit.PowerElectronicsConnection/c:IdentifiedObject.name ?n} ORDER BY ?n';
    expect(await rows(objects, back)).toEqual(['PowerElectronicsConnection1', 'PowerElectronicsConnection3']);
    expect(await rows(objects, 'SELECT ?s {?m c:SynchronousMachine.ratedS ?s}')).toEqual(['120000']);
    expect(await rows(objects, 'SELECT ?p {?m c:EnergyConsumer.p ?p}')).toEqual(['10']);
  });

  it('finds numbers that follow from the order, coefficients that are 0, and a long duration as it is always written', async () => {
    const cells = [1, 2, 3].map((n) =>
      object(
        'PhaseImpedanceData',
        10 + n,
        link('PhaseImpedanceData.PhaseImpedance', 10),
        value('PhaseImpedanceData.sequenceNumber', String(n)),
      ),
    );
    const objects = [
      object('ACLineSegment', 1),
      object('Terminal', 2, link('Terminal.ConductingEquipment', 1)),
      object('Terminal', 3, link('Terminal.ConductingEquipment', 1)),
      ...cells,
      object('LoadResponseCharacteristic', 20, value('LoadResponseCharacteristic.pConstantPower', '100')),
      object('OperationalLimitType', 30, value('OperationalLimitType.acceptableDuration', '5000000000.0')),
      object('OperationalLimitType', 31, value('OperationalLimitType.acceptableDuration', '7200')),
    ];
    const ends = 'SELECT ?n ?m {?t c:ACDCTerminal.sequenceNumber ?n; c:IdentifiedObject.name ?m} ORDER BY ?n';
    expect(await rows(objects, ends)).toEqual(['1,Terminal2', '2,Terminal3']);
    const places =
      'SELECT ?k ?i ?j {?d c:PhaseImpedanceData.sequenceNumber ?k; c:PhaseImpedanceData.row ?i; c:PhaseImpedanceData.column ?j} ORDER BY ?k';
    // Lower triangle of a matrix of 2, column by column: (1, 1), (2, 1), (2, 2).
    expect(await rows(objects, places)).toEqual(['1,1,1', '2,2,1', '3,2,2']);
    const law =
      'SELECT ?p ?z ?e {?l c:LoadResponseCharacteristic.pConstantPower ?p; c:LoadResponseCharacteristic.qConstantImpedance ?z; c:LoadResponseCharacteristic.pVoltageExponent ?e}';
    expect(await rows(objects, law)).toEqual(['100,0,0']);
    expect(await rows(objects, 'SELECT ?d {?t c:OperationalLimitType.acceptableDuration ?d} ORDER BY ?d')).toEqual([
      '5E9',
      '7200',
    ]);
  });

  it('has the names of CIM100 for a file of any release', async () => {
    const query = 'SELECT ?c {?s a ?c}';
    expect(await rows([object('Breaker', 1)], query, '2012/CIM-schema-cim16#')).toEqual([
      'http://iec.ch/TC57/CIM100#Breaker',
    ]);
  });
});
