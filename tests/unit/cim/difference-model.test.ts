import { describe, expect, it } from 'vitest';
import { type DifferenceModel, readDifferenceModel, writeDifferenceModel } from '../../../grid/cim/index.js';

const PV = 'B441267F-E772-5C31-91DF-26FC9BAE593D';
const model: DifferenceModel = {
  mrid: 'f158cb7f-7953-513e-b712-e7fb786eb67e',
  created: '2026-04-21T10:00:00.000Z',
  scenarioTime: '2026-04-21T10:00:00.000Z',
  description: 'Set-points <of> "a run" & more',
  supersedes: '3E68D5B2-2F49-59F4-95CD-B1065139415B',
  forward: [
    { object: PV, attribute: 'PowerElectronicsConnection.p', value: 4100.5 },
    { object: PV, attribute: 'PowerElectronicsConnection.q', value: -120 },
    { object: '_SW', attribute: 'Switch.open', value: true },
  ],
  reverse: [{ object: PV, attribute: 'PowerElectronicsConnection.p', value: 5900 }],
};

/** What a text without types keeps of values. */
const texts = (list: DifferenceModel['forward']) => list.map((one) => ({ ...one, value: String(one.value) }));

const document = (body: string) =>
  `<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cim="http://iec.ch/TC57/CIM100#"
 xmlns:dm="http://iec.ch/TC57/61970-552/DifferenceModel/1#" xmlns:md="http://iec.ch/TC57/61970-552/ModelDescription/1#">
${body}
</rdf:RDF>`;

describe('difference models', () => {
  it('are read back as they were written', () => {
    const text = writeDifferenceModel(model);
    expect(readDifferenceModel(text, 'd.xml')).toEqual({
      ...{ ...model, forward: texts(model.forward), reverse: texts(model.reverse) },
    });
    expect(writeDifferenceModel(readDifferenceModel(text, 'd.xml'))).toBe(text);
  });

  it('have the elements and name spaces of IEC 61970-552', () => {
    const text = writeDifferenceModel(model);
    expect(text).toContain('<dm:DifferenceModel rdf:about="urn:uuid:f158cb7f-7953-513e-b712-e7fb786eb67e">');
    expect(text).toContain('<md:Model.Supersedes rdf:resource="urn:uuid:3E68D5B2-2F49-59F4-95CD-B1065139415B"/>');
    expect(text).toContain(
      `<dm:forwardDifferences rdf:parseType="Statements">\n<rdf:Description rdf:about="urn:uuid:${PV}">\n` +
        '<cim:PowerElectronicsConnection.p>4100.5</cim:PowerElectronicsConnection.p>\n' +
        '<cim:PowerElectronicsConnection.q>-120</cim:PowerElectronicsConnection.q>\n</rdf:Description>\n',
    );
  });

  it('are read with elements of classes, ids of CIM16 and members of enumerations', () => {
    const read = readDifferenceModel(
      document(`<dm:DifferenceModel rdf:about="#_d"><dm:reverseDifferences rdf:parseType="Statements"/>
<dm:forwardDifferences rdf:parseType="Statements"><cim:RegulatingControl rdf:about="#_c">
<cim:RegulatingControl.mode rdf:resource="http://iec.ch/TC57/CIM100#RegulatingControlModeKind.voltage"/>
</cim:RegulatingControl></dm:forwardDifferences></dm:DifferenceModel>`),
      'd.xml',
    );
    expect(read).toEqual({
      ...{ mrid: '_d', created: '', scenarioTime: '', description: '', reverse: [] },
      forward: [{ object: '_c', attribute: 'RegulatingControl.mode', value: 'RegulatingControlModeKind.voltage' }],
    });
  });

  it.each([
    ['<cim:Line rdf:ID="_a"/>', /d.xml:4: cim:Line stands where.*\n.*d.xml:1: It holds no dm:DifferenceModel/],
    ['<dm:DifferenceModel/>', /d.xml:4: The model has neither rdf:about nor rdf:ID/],
    [
      '<dm:DifferenceModel rdf:about="#_d"><dm:forwardDifferences><rdf:Description><cim:A.b/></rdf:Description></dm:forwardDifferences></dm:DifferenceModel>',
      /rdf:Description has neither rdf:about nor rdf:ID.*\n.*A.b of {2}has no value/,
    ],
    ['<dm:DifferenceModel rdf:about="#_d"><x:y xmlns:x="u"/></dm:DifferenceModel>', /x:y has no place/],
    ['<dm:DifferenceModel rdf:about="#_d">', /d.xml:5/],
  ])('that are none are told with all that is wrong and where: %s', (body, told) => {
    expect(() => readDifferenceModel(document(body), 'd.xml')).toThrow(told);
  });

  it('hold no objects as values', () => {
    const forward = [{ object: PV, attribute: 'EnergyConsumer.p', value: { a: 1 } }];
    expect(() => writeDifferenceModel({ ...model, forward })).toThrow(/EnergyConsumer.p of B441267F/);
  });
});
