import { describe, expect, it } from 'vitest';
import { otherModelFindings } from '../../../dec/other-model.js';
import { CimIndex, readCimText } from '../../../grid/cim/index.js';

const FEEDER = { mrid: '_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62', name: 'tiny' };
const HEADER = '0D2E1F77-0000-4000-8000-000000000001';
const OTHER = 'C1C3E687-6FFD-C753-582B-632A27E28507';

describe('a difference model', () => {
  // The header of IEC 61970-552: what a difference supersedes is a model, which the feeder's file is.
  const withHeader = readCimText([
    {
      name: 'tiny.xml',
      text: `<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:md="http://iec.ch/TC57/61970-552/ModelDescription/1#" xmlns:cim="http://iec.ch/TC57/CIM100#">
<md:FullModel rdf:about="urn:uuid:${HEADER}"><md:Model.created>2026-01-01T00:00:00Z</md:Model.created></md:FullModel>
<cim:Feeder rdf:about="urn:uuid:49AD8E07-3BF9-A4E2-CB8F-C3722F837B62"/></rdf:RDF>`,
    },
  ]);
  const of = (supersedes: string | undefined, index = withHeader) =>
    otherModelFindings(supersedes === undefined ? {} : { supersedes }, FEEDER, index, 'change.xml');

  it('of the feeder, of the header of its file, or of nothing said is of this model', () => {
    for (const own of [undefined, FEEDER.mrid, FEEDER.mrid.slice(1).toLowerCase(), HEADER, HEADER.toLowerCase()])
      expect(of(own)).toEqual([]);
  });

  it('of another one is told with both', () => {
    expect(of(OTHER)).toMatchObject([
      {
        code: 'DIFFERENCE_OF_OTHER',
        severity: 'warning',
        file: 'change.xml',
        attribute: 'Model.Supersedes',
        value: OTHER,
      },
    ]);
    expect(of(HEADER, new CimIndex())[0]?.message).toMatch(
      new RegExp(`of ${HEADER}, not of tiny \\(${FEEDER.mrid}\\)`),
    );
  });
});
