import { describe, expect, it } from 'vitest';
import { cimDocument, enumeration, literal, reference, writeCim } from '../../../grid/cim/index.js';

const OBJECT = {
  className: 'ACLineSegment',
  id: 'A1',
  properties: [
    literal('IdentifiedObject.name', 'a & b <c> "d"'),
    literal('Conductor.length', 30.48),
    literal('Switch.open', false),
    reference('ConductingEquipment.BaseVoltage', 'B1'),
    enumeration('ACLineSegmentPhase.phase', 'SinglePhaseKind.s1'),
  ],
};

describe('the CIM writer', () => {
  it('writes literals, references and enumerations in the CIM100 spelling', () => {
    expect(writeCim([OBJECT], { comment: ['one -- two'] })).toBe(
      [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<!-- one - - two -->',
        '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
        '<cim:ACLineSegment rdf:about="urn:uuid:A1">',
        '<cim:IdentifiedObject.name>a &amp; b &lt;c&gt; &quot;d&quot;</cim:IdentifiedObject.name>',
        '<cim:Conductor.length>30.48</cim:Conductor.length>',
        '<cim:Switch.open>false</cim:Switch.open>',
        '<cim:ConductingEquipment.BaseVoltage rdf:resource="urn:uuid:B1"/>',
        '<cim:ACLineSegmentPhase.phase rdf:resource="http://iec.ch/TC57/CIM100#SinglePhaseKind.s1"/>',
        '</cim:ACLineSegment>',
        '</rdf:RDF>',
        '',
      ].join('\n'),
    );
  });

  it('writes rdf:ID and fragment references for CIM16 and CIM17', () => {
    const xml = writeCim([OBJECT], { idStyle: 'id', namespace: 'http://iec.ch/TC57/2012/CIM-schema-cim16#' });
    expect(xml).toContain('<cim:ACLineSegment rdf:ID="_A1">');
    expect(xml).toContain('rdf:resource="#_B1"');
    expect(xml).toContain('rdf:resource="http://iec.ch/TC57/2012/CIM-schema-cim16#SinglePhaseKind.s1"');
  });

  it('yields one piece per object', () => {
    expect([...cimDocument([OBJECT, OBJECT])]).toHaveLength(5);
  });
});
