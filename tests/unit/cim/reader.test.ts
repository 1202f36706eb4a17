import { describe, expect, it } from 'vitest';
import { CimIndexReader, readCimText } from '../../../grid/cim/index.js';
import { DecError } from '../../../grid/math/index.js';

const UUID = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const OTHER = '259E820F-B4AF-4E1A-8271-687534EDAECC';

function document(body: string, namespace = 'http://iec.ch/TC57/CIM100#'): string {
  return `<?xml version="1.0"?>\n<rdf:RDF xmlns:cim="${namespace}" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n${body}\n</rdf:RDF>\n`;
}
const read = (body: string) => readCimText([{ name: 'a.xml', text: document(body) }]);
const named = (attribute: string, name: string) =>
  `<cim:Feeder ${attribute}><cim:IdentifiedObject.name>${name}</cim:IdentifiedObject.name></cim:Feeder>`;

function failure(action: () => unknown): DecError {
  try {
    action();
  } catch (error) {
    if (error instanceof DecError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the CIM reader', () => {
  it.each([
    ['a URN', `rdf:about="urn:uuid:${UUID}"`, UUID],
    ['a URN in lower case', `rdf:about="urn:uuid:${UUID.toLowerCase()}"`, UUID.toLowerCase()],
    ['a fragment (CGMES)', `rdf:about="#_${UUID}"`, `_${UUID}`],
    ['an rdf:ID', `rdf:ID="_${UUID}"`, `_${UUID}`],
    ['an absolute address', `rdf:about="http://example.com/model#_${UUID}"`, `_${UUID}`],
  ])('finds an object given by %s under one id and keeps its spelling', (_, attribute, mrid) => {
    const object = read(named(attribute, 'f')).get(UUID)!;
    expect(object.className).toBe('Feeder');
    expect(object.id).toBe(UUID);
    expect(object.mrid).toBe(mrid);
    expect(object.name).toBe('f');
  });

  it('keeps plain text ids as they are', () => {
    const index = read(
      `${named('rdf:ID="CAB0006"', 'x')}<cim:Terminal rdf:ID="T1"><cim:Terminal.ConductingEquipment rdf:resource="#CAB0006"/></cim:Terminal>`,
    );
    expect(index.get('T1')!.ref('Terminal.ConductingEquipment')).toBe('CAB0006');
    expect(index.referrers('CAB0006', 'Terminal.ConductingEquipment').map((o) => o.id)).toEqual(['T1']);
  });

  it('takes the written mRID before the RDF subject', () => {
    const index = read(
      `<cim:Feeder rdf:about="urn:uuid:${UUID}"><cim:IdentifiedObject.mRID>_${UUID}</cim:IdentifiedObject.mRID></cim:Feeder>`,
    );
    expect(index.get(`urn:uuid:${UUID}`)!.mrid).toBe(`_${UUID}`);
  });

  it('reads rdf:Description with rdf:type in any place', () => {
    const index = read(
      `<rdf:Description rdf:about="urn:uuid:${UUID}"><cim:IdentifiedObject.name>f</cim:IdentifiedObject.name>` +
        '<rdf:type rdf:resource="http://iec.ch/TC57/CIM100#Feeder"/></rdf:Description>',
    );
    expect(index.byClass('Feeder').map((o) => o.name)).toEqual(['f']);
    expect(index.classCounts().get('Description')).toBeUndefined();
  });

  it('takes any name space and any prefix', () => {
    const text =
      '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://iec.ch/TC57/2009/CIM-schema-cim14#">' +
      `<Line r:ID="_${UUID}"><IdentifiedObject.name>l</IdentifiedObject.name></Line></r:RDF>`;
    const index = readCimText([{ name: 'a.xml', text }]);
    expect(index.byClass('Line')[0]!.name).toBe('l');
    expect([...index.namespaces]).toEqual(['http://iec.ch/TC57/2009/CIM-schema-cim14#']);
  });

  it('tells enumerations from links', () => {
    const object = read(
      `<cim:Switch rdf:ID="s"><cim:X.phases rdf:resource="http://iec.ch/TC57/CIM100#PhaseCode.ABC"/><cim:X.link rdf:resource="urn:uuid:${UUID}"/></cim:Switch>`,
    ).get('s')!;
    expect(object.get('X.phases')).toBe('PhaseCode.ABC');
    expect(object.ref('X.phases')).toBeUndefined();
    expect(object.refs('X.link')).toEqual([UUID]);
    expect([...object.properties()].map((p) => p.kind)).toEqual(['enumeration', 'reference']);
  });

  it('reads properties given as attributes, as CDATA, with entities, and objects inside properties', () => {
    const index = read(
      '<cim:Feeder rdf:ID="f" cim:IdentifiedObject.name="a"><cim:X.note><![CDATA[1 < 2]]></cim:X.note><cim:X.text>&lt;&amp;&#252;</cim:X.text>' +
        '<cim:X.part><cim:Location rdf:ID="inner"><cim:Y.z>1</cim:Y.z></cim:Location></cim:X.part></cim:Feeder>',
    );
    const feeder = index.get('f')!;
    expect(feeder.name).toBe('a');
    expect(feeder.get('X.note')).toBe('1 < 2');
    expect(feeder.get('X.text')).toBe('<&ü');
    expect(feeder.ref('X.part')).toBe('inner');
    expect(index.byClass('Location')[0]!.get('Y.z')).toBe('1');
  });

  it('gives the same index however the text is cut', () => {
    const text = document(
      `${named(`rdf:about="urn:uuid:${UUID}"`, 'Münsingen &amp; Bern')}<cim:Line rdf:ID="l"><cim:X.link rdf:resource="#_${UUID}"/></cim:Line>`,
    );
    const dump = (cut: number) => {
      const reader = new CimIndexReader('a.xml');
      for (let at = 0; at < text.length; at += cut) reader.push(text.slice(at, at + cut));
      reader.end();
      return [...reader.index.objects.values()].map((o) => [
        o.id,
        o.className,
        o.line,
        ...[...o.properties()].map((p) => p.value),
      ]);
    };
    const whole = dump(text.length);
    expect(whole).toHaveLength(2);
    for (let cut = 1; cut < 60; cut++) expect(dump(cut)).toEqual(whole);
  });

  it('merges the profiles of one model by subject', () => {
    const index = readCimText([
      { name: 'eq.xml', text: document(named(`rdf:ID="_${UUID}"`, 'f')) },
      { name: 'ssh.xml', text: document(`<cim:Feeder rdf:about="#_${UUID}"><cim:X.p>5</cim:X.p></cim:Feeder>`) },
    ]);
    expect(index.objects.size).toBe(1);
    expect(index.get(UUID)!.name).toBe('f');
    expect(index.get(UUID)!.get('X.p')).toBe('5');
    expect(index.get(UUID)!.file).toBe('eq.xml');
    expect(index.findings).toEqual([]);
  });

  it('names an id that two classes of a file share, and values that differ', () => {
    const index = read(
      `${named(`rdf:ID="_${UUID}"`, 'f')}\n<cim:Line rdf:ID="_${UUID}"><cim:IdentifiedObject.name>g</cim:IdentifiedObject.name></cim:Line>`,
    );
    expect(index.findings.map(({ severity, code, line }) => ({ severity, code, line }))).toEqual([
      { severity: 'error', code: 'DUPLICATE_ID', line: 4 },
      { severity: 'warning', code: 'CONFLICTING_VALUE', line: 4 },
    ]);
    expect(index.get(UUID)!.name).toBe('f');
  });

  it('finds nothing for unknown ids, classes and attributes', () => {
    const index = read(named(`rdf:ID="_${OTHER}"`, 'f'));
    expect(index.get(UUID)).toBeUndefined();
    expect(index.byClass('Breaker')).toEqual([]);
    expect(index.get(OTHER)!.get('No.such')).toBeUndefined();
    expect(index.referrers(OTHER, 'No.such')).toEqual([]);
  });
});

describe('malformed CIM files', () => {
  it('are reported with file, line and column', () => {
    const error = failure(() => read('<cim:Feeder rdf:ID="f">\n<cim:X.p>1</cim:X.q>\n</cim:Feeder>'));
    expect(error.code).toBe('XML_MALFORMED');
    expect(error.details).toMatchObject({ file: 'a.xml', line: 4 });
    expect(error.details['column']).toBeGreaterThan(0);
    expect(error.message).toMatch(/^a\.xml, line 4, column \d+: unexpected close tag \(in Feeder f/);
  });

  it.each([
    ['cut short', document('<cim:Feeder rdf:ID="f">').slice(0, -12)],
    ['empty', ''],
    ['no XML', 'New Circuit.x'],
    ['two roots', `${document('')}<a/>`],
    ['a bad entity', document('<cim:Feeder rdf:ID="f"><cim:X.p>&nope;</cim:X.p></cim:Feeder>')],
    ['another kind of XML', '<html><body/></html>'],
  ])('are refused when %s', (_, text) => {
    expect(failure(() => readCimText([{ name: 'b.xml', text }])).code).toBe('XML_MALFORMED');
  });
});
