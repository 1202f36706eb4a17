import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CimIndex, CimIndexReader } from '../../grid/cim/index.js';
import { RdfScanner } from '../../grid/cim/rdf-scanner.js';
import { SaxesIndexReader } from '../../grid/cim/saxes-reader.js';
import { DecError } from '../../grid/math/index.js';
import { feedersDir } from '../feeders.js';

const SEED = 20_261;
const UUID = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';

/** Everything that plain files have, and some things that they have not. */
const SAMPLE = `\uFEFF<?xml version="1.0" encoding="UTF-8" standalone='yes'?>
<!-- made for the test: Zürich & co -->
<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:own="http://example.com/own#">
<cim:Feeder rdf:about="urn:uuid:${UUID}">\r
\t<cim:IdentifiedObject.name>  Zürich &amp; &lt;Bern&gt; &#252; &#x1F600; 'a' "b" ] > \u00A0</cim:IdentifiedObject.name>
<cim:X.two>1<!-- between -->2
3\r\n4</cim:X.two>
<cim:X.empty/><cim:X.blank> </cim:X.blank >
</cim:Feeder>
<cim:Terminal rdf:ID="_${UUID.toLowerCase()}x" cim:X.note='a &quot; b' xml:lang="de">
<cim:Terminal.ConductingEquipment rdf:resource = "#_${UUID}"/>
<cim:Terminal.phases rdf:resource="http://iec.ch/TC57/CIM100#PhaseCode.ABC"></cim:Terminal.phases>
<cim:Terminal.part><cim:Location><cim:Location.crs rdf:nodeID="n1"/></cim:Location></cim:Terminal.part>
</cim:Terminal>
<rdf:Description rdf:about="#d"><rdf:type rdf:resource="http://iec.ch/TC57/CIM100#Breaker"/><own:X.rated>5</own:X.rated></rdf:Description>
<own:Thing rdf:nodeID="n1"/>
<cim:Feeder rdf:about="urn:uuid:${UUID}"><cim:X.two>other</cim:X.two></cim:Feeder>
</rdf:RDF>
<!-- end -->
`;
/** The same without the one thing that the scanner leaves to the parser: white space around an equals sign. */
const PLAIN = SAMPLE.replaceAll(' = "', '="');

const INSERTS = [
  ...[
    '<',
    '>',
    '&',
    '"',
    "'",
    '/',
    '=',
    ' ',
    '\n',
    '\r',
    '\t',
    ']',
    ']]>',
    '--',
    '-->',
    '<!--',
    '<![CDATA[',
    ']]>',
    '<?pi?>',
  ],
  ...[
    '\0',
    '\u0001',
    '\u007F',
    'é',
    '\u2028',
    '\uFFFD',
    '\uFFFE',
    '😀',
    '&#1;',
    '&#0;',
    '&#xD800;',
    '&nope;',
    '&#9;',
    '&;',
    '&#;',
  ],
  ...[
    '<a>',
    '</a>',
    '<a/>',
    '</cim:Feeder>',
    '<cim:Feeder>',
    '</rdf:RDF>',
    ' xmlns="u"',
    ' xmlns:cim="u"',
    ' rdf:about="x"',
  ],
  ...[
    '<!DOCTYPE a>',
    'cim:',
    ':',
    'é:',
    ' a="1" a="2"',
    '<?xml version="1.0"?>',
    'rdf:',
    '<rdf:type rdf:resource="u#T"/>',
  ],
];

function dump(index: CimIndex): unknown {
  const objects = [...index.objects.values()].map((o) => [
    o.id,
    o.subject,
    o.className,
    o.file,
    o.line,
    ...o.properties(),
  ]);
  return { objects, findings: index.findings, spaces: [...index.namespaces] };
}

/** The index, or the error. */
function outcome(read: (index: CimIndex) => void): unknown {
  const index = new CimIndex();
  try {
    read(index);
  } catch (error) {
    if (error instanceof DecError) return { code: error.code, message: error.message, details: error.details };
    throw error;
  }
  return dump(index);
}

function byReader(bytes: Uint8Array, cut: number): unknown {
  return outcome((index) => {
    const reader = new CimIndexReader('a.xml', index);
    for (let at = 0; at < bytes.length; at += cut) reader.push(bytes.subarray(at, at + cut));
    reader.end();
  });
}

function byParser(bytes: Uint8Array): unknown {
  return outcome((index) => {
    index.files.push('a.xml');
    const parser = new SaxesIndexReader('a.xml', index);
    parser.push(bytes);
    parser.end();
  });
}

function isScanned(bytes: Uint8Array): boolean {
  const scanner = new RdfScanner('a.xml', new CimIndex());
  return scanner.push(bytes) && scanner.end();
}

describe('the CIM scanner', () => {
  it('reads a plain file by itself, however it is cut, as the parser does', () => {
    const bytes = Buffer.from(PLAIN);
    expect(isScanned(bytes)).toBe(true);
    const expected = byParser(bytes);
    expect(expected).toHaveProperty('objects.length', 5);
    for (const cut of [1, 2, 3, 7, 64, 1000, bytes.length]) expect(byReader(bytes, cut)).toEqual(expected);
  });

  it('gives the same index or the same error as the parser for damaged files', () => {
    let plain = 0;
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(6),
      insert: fc.constantFrom('', ...INSERTS),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(PLAIN, SAMPLE),
        fc.array(edit, { maxLength: 2 }),
        fc.integer({ min: 1, max: 5000 }),
        (base, edits, cut) => {
          let text = base;
          for (const { at, cut: length, insert } of edits) {
            const from = Math.floor(at * text.length);
            text = text.slice(0, from) + insert + text.slice(from + length);
          }
          const bytes = Buffer.from(text);
          if (isScanned(bytes)) plain++;
          expect(byReader(bytes, cut)).toEqual(byParser(bytes));
        },
      ),
      { numRuns: 1200, seed: SEED },
    );
    // Both ways are taken often.
    expect(plain).toBeGreaterThan(200);
    expect(plain).toBeLessThan(1000);
  });

  it('gives the same for files with damaged bytes', () => {
    const sound = Buffer.from(PLAIN);
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(sound);
        bytes[at] = value;
        expect(byReader(bytes, 777)).toEqual(byParser(bytes));
      }),
      { numRuns: 800, seed: SEED },
    );
  });

  it('takes files of many blocks, in any encoding, and tokens longer than a block', () => {
    const rows = Array.from(
      { length: 30_000 },
      (_, k) => `<cim:Feeder rdf:ID="f${k}"><cim:X.a>é${k}</cim:X.a></cim:Feeder>\n`,
    );
    const [head = '', tail = ''] = [
      '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
      '</rdf:RDF>',
    ];
    const long = `<cim:Feeder rdf:ID="long"><cim:X.a>${'x'.repeat(3 << 20)}</cim:X.a></cim:Feeder>`;
    const many = Buffer.from(head + rows.join('') + tail);
    expect(isScanned(many)).toBe(true);
    const file = Buffer.from(head + rows.join('') + long + tail);
    const late = Buffer.from(`${head}${rows.join('')}<cim:X>&nope;</cim:X>${tail}`);
    for (const bytes of [many, file, late]) expect(byReader(bytes, 100_001)).toEqual(byParser(bytes));
  });

  const folder = feedersDir === undefined ? undefined : join(feedersDir, 'cim');
  if (folder === undefined) console.warn('CIM scanner on the public files skipped: DEC_FEEDERS is not set.');
  it.skipIf(folder === undefined)(
    'reads every public CIM file as the parser does, nearly all by itself',
    () => {
      const files = readdirSync(folder ?? '.', { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.xml'),
      );
      const left: string[] = [];
      for (const name of files) {
        const bytes = readFileSync(join(folder ?? '.', name));
        if (!isScanned(bytes)) left.push(name);
        expect(byReader(bytes, 1 << 20), name).toEqual(byParser(bytes));
      }
      expect(files.length).toBeGreaterThan(20);
      expect(left).toEqual([]);
    },
    60_000,
  );
});
