import { describe, expect, it } from 'vitest';
import { CimIndexReader } from '../../../grid/cim/index.js';
import { DecError } from '../../../grid/math/index.js';
import { object, read } from './small-feeder.js';

const RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';

function failure(action: () => unknown): DecError {
  try {
    action();
  } catch (error) {
    if (error instanceof DecError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

function push(text: string | Uint8Array): CimIndexReader {
  const reader = new CimIndexReader('f.xml');
  reader.push(text);
  reader.end();
  return reader;
}

describe('what does not belong into a CIM file', () => {
  const named = (name: string) =>
    `<rdf:RDF ${RDF} xmlns:cim="http://iec.ch/TC57/CIM100#">\n<cim:Feeder rdf:ID="F">\n<cim:IdentifiedObject.name>${name}</cim:IdentifiedObject.name></cim:Feeder></rdf:RDF>`;

  it('is refused where it is a zero character in a name, with its line', () => {
    expect(failure(() => push(named('a\0b')))).toMatchObject({ code: 'XML_MALFORMED', details: { line: 3 } });
  });

  it('is refused where bytes are not of the encoding, with their line', () => {
    const bytes = Buffer.concat([
      Buffer.from(named('a').slice(0, -60)),
      Buffer.from([0xe9, 0x41]),
      Buffer.from('\n'.repeat(300)),
    ]);
    const error = failure(() => push(bytes));
    expect(error).toMatchObject({ code: 'XML_MALFORMED', details: { line: 3, encoding: 'utf-8' } });
    expect(error.message).toContain('line 3');
  });

  it('is named where elements are of another name space, once with their number', () => {
    const text = named('a').replace(
      '</rdf:RDF>',
      '<x:Feeder xmlns:x="urn:other" rdf:ID="G"/><Line rdf:ID="H"/></rdf:RDF>',
    );
    const found = push(text).index.findings.filter(({ code }) => code === 'UNKNOWN_NAMESPACE');
    expect(found.map(({ severity, value, count, line }) => [severity, value, count, line])).toEqual([
      ['warning', 'urn:other', 1, 3],
      ['warning', 'Line', 1, 3],
    ]);
    expect(push(named('a')).index.findings).toEqual([]);
  });

  it('is named where a node has neither container nor terminals', () => {
    const found = read(object('ConnectivityNode', 'z')).findings.filter(({ code }) => code === 'ISOLATED_BUS');
    expect(found).toMatchObject([{ severity: 'warning', class: 'ConnectivityNode', mrid: 'z' }]);
  });
});
