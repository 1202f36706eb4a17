import { describe, expect, it } from 'vitest';
import { readCimText } from '../../../grid/cim/index.js';
import { createSparqlEngine, type SparqlEngine } from '../../../platform/sparql/engine.js';
import { hoistBinds } from '../../../platform/sparql/lax-scope.js';
import { nTriples } from '../../../platform/sparql/triples.js';
import { tinyCim } from './cim-text.js';

const compact = (text: string): string => text.replace(/\s+/g, ' ').trim();

async function engineOf(text: string): Promise<SparqlEngine> {
  const engine = await createSparqlEngine();
  for (const piece of nTriples(readCimText([{ name: 'tiny.xml', text }]))) engine.load(piece);
  return engine;
}

function rows(engine: SparqlEngine, query: string): Record<string, string>[] {
  const { results }: { results: { bindings: Record<string, { value: string }>[] } } = JSON.parse(
    engine.query(query, 'json'),
  );
  return results.bindings.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, { value }]) => [name, value])),
  );
}

describe('groups of nothing but binds', () => {
  it('give up their braces, several binds and full stops among them', () => {
    expect(compact(hoistBinds('SELECT * {?s ?p ?o. {bind(str(?o) as ?t)} }'))).toBe(
      'SELECT * {?s ?p ?o. bind(str(?o) as ?t) }',
    );
    expect(compact(hoistBinds('{?s ?p ?o {BIND(if(?o = "}", ?p, ?o) as ?t). bind(1 as ?u)} . ?a ?b ?c}'))).toBe(
      '{?s ?p ?o BIND(if(?o = "}", ?p, ?o) as ?t). bind(1 as ?u) . ?a ?b ?c}',
    );
    expect(compact(hoistBinds('{?s ?p "o". {BIND(concat("}", str(?p)) as ?t). bind(1 as ?u).} . ?a ?b ?c}'))).toBe(
      '{?s ?p "o". BIND(concat("}", str(?p)) as ?t). bind(1 as ?u). ?a ?b ?c}',
    );
  });

  it('keep them where they belong to a clause, or have anything else', () => {
    for (const query of [
      'SELECT * WHERE {bind(1 as ?x)}',
      'SELECT * {?s ?p ?o. OPTIONAL {bind(str(?o) as ?t)}}',
      'SELECT * {?s ?p ?o. {bind(1 as ?t)} UNION {bind(2 as ?t)}}',
      'SELECT * {?s ?p ?o. {?a ?b ?c. bind(str(?c) as ?t)}}',
      'SELECT * {?s ?p "{bind(1 as ?x)}". # {bind(2 as ?y)}\n}',
      'SELECT * {?s <http://x/#{bind> ?o.}',
      'SELECT DISTINCT ?x ?y {bind(1 as ?x)}',
      'SELECT * {GRAPH ?g {bind(1 as ?x)}}',
    ]) {
      expect(hoistBinds(query)).toBe(query);
    }
  });
});

describe('aggregates over rows without a value', () => {
  const VALUES = 'VALUES (?g ?x ?n) {("a" "x1" 1) ("a" UNDEF UNDEF) ("a" "x2" 2) ("b" UNDEF UNDEF) ("c" "; y" 5)}';
  const grouped = async (what: string) => {
    const engine = await createSparqlEngine();
    return rows(engine, `SELECT ?g (${what} as ?y) WHERE {${VALUES}} GROUP BY ?g ORDER BY ?g`).map(({ y }) => y);
  };

  // SPARQL 1.1, 18.5.1.7: GroupConcat of nothing is the empty text; Blazegraph adds up what there is.
  it.each([
    ['group_concat(?x; separator="|")', ['x1|x2', '', '; y']],
    ['GROUP_CONCAT(DISTINCT concat(?x, ")"); SEPARATOR = "\\n")', ['x1)\nx2)', '', '; y)']],
    ['group_concat(?n)', ['1 2', '', '5']],
    ['concat("<", group_concat(?x ; separator=\'ab\'), ">")', ['<x1abx2>', '<>', '<; y>']],
    ['sum(?n)', ['3', '0', '5']],
    ['sum(distinct ?n * 2)', ['6', '0', '10']],
    ['count(?x)', ['2', '0', '1']],
  ])('%s passes over them', async (what, expected) => {
    expect(await grouped(what)).toEqual(expected);
  });

  it('are written in full in what groups are ordered and filtered by', async () => {
    const engine = await createSparqlEngine();
    const query = `SELECT ?g WHERE {${VALUES}} GROUP BY ?g HAVING (group_concat(?x) = "") ORDER BY group_concat(?x)`;
    expect(rows(engine, query)).toEqual([{ g: 'b' }]);
    // Within a text it is none.
    expect(rows(engine, 'SELECT ("group_concat(?x)" as ?t) {}')).toEqual([{ t: 'group_concat(?x)' }]);
  });
});

describe('SPARQL over the objects of a file', () => {
  it('has names, links and enumerations as IRIs, and the prefixes of the platform', async () => {
    const engine = await engineOf(tinyCim());
    expect(rows(engine, 'SELECT ?n WHERE {?s r:type c:Feeder. ?s cim:IdentifiedObject.name ?n}')).toEqual([
      { n: 'tiny' },
    ]);
    const ask =
      'SELECT ?name ?node {?t c:Terminal.ConductingEquipment ?e; c:Terminal.ConnectivityNode ?n. ?e a c:EnergyConsumer; c:IdentifiedObject.name ?name. ?n c:IdentifiedObject.name ?node}';
    expect(rows(engine, ask)).toEqual([{ name: 'load', node: 'tail' }]);
    // A client's own prefixes may come twice.
    const own = 'PREFIX r: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>\nPREFIX c: <http://iec.ch/TC57/CIM100#>\n';
    expect(rows(engine, `${own}SELECT (count(?s) as ?count) {?s a c:ConnectivityNode}`)).toEqual([{ count: '3' }]);
  });

  it.each([
    // The store itself compares whole words, and so says "column 10, expected CONSTRUCT", and the end for most others.
    ['SELEC ?x {?s ?p ?x}', 'line 1, column 1, "SELEC"'],
    ['SELECT ?n WHERE {\n  ?s a c:Feeder.\n  {bind(str(?s) as ?n}\n}', 'line 3, column 22, "}": expected is )'],
    ['SELECT ?x {?s ?p ?x}}', 'line 1, column 21, "}": nothing more may follow'],
    ['SELECT ?x {?s c:a ?x . OPTIONAL ?s c:b ?y }', 'line 1, column 33, "?s": expected is {'],
    ['SELECT ?x {?s c:a ?x . FILTR(?x > 1)}', 'line 1, column 24, "FILTR"'],
    ['SELECT (count(?x) as ?y ?z) {?s c:a ?x}', 'line 1, column 25, "?z": expected is )'],
    ['SELECT ?x {\r\n?s c:a ?x\r\n?s ?p ?x}', 'line 3, column 1, "?s"'],
    ['SELECT ?x {?s c:a ?x FILTER(?x && 2 >= )}', 'line 1, column 40, ")"'],
    ['SELECT * {?s c:a "1"^^xsd:int; c:b "a"@en-us ?q ?z}', 'line 1, column 46, "?q"'],
    ['SELECT * {?s c:a "open }', 'line 1, column 18, """'],
    ['SELECT * # ?s }\n{?s ?p "é𝄞é" ?q ?z}', 'line 2, column 14, "?q"'],
    ['SELECT ?x {?s foo:bar ?x}', 'line 1, column 15, "foo:bar": Prefix not found'],
    ['PREFIX a <http://x#>\nSELECT ?x {?s a:b ?x}', 'line 1, column 8, "a": expected is :'],
    ['SELECT ?x {\n?s ?p ?x', 'it ends too early, at line 2, column 9, behind "?x": expected is'],
    ['', 'it ends too early, at line 1, column 1: expected is'],
    ['SELECT ?x ?y {?s c:a ?x} GROUP BY ?x', 'The SELECT contains a variable that is unbound'],
  ])('names the place of what cannot be read in %j as it was asked', async (query, place) => {
    const engine = await engineOf(tinyCim());
    expect(() => engine.query(query, 'json')).toThrow(place);
  });

  it('sees a variable of the surrounding group in a nested bind, as Blazegraph does', async () => {
    const engine = await engineOf(tinyCim());
    const query = `SELECT ?type ?phases ?eqtype WHERE {
      ?m c:Measurement.measurementType ?type; c:Measurement.PowerSystemResource ?eq; c:Measurement.phases ?raw.
      {bind(strafter(str(?raw),"PhaseCode.") as ?phases)}
      ?eq a ?classraw.
      {bind(strafter(str(?classraw),"CIM100#") as ?eqtype)}
    } ORDER BY ?type`;
    // The three measurements of the hand-made feeder.
    expect(rows(engine, query)).toEqual([
      { type: 'PNV', phases: 'A', eqtype: 'EnergyConsumer' },
      { type: 'Pos', phases: 'A', eqtype: 'LoadBreakSwitch' },
      { type: 'VA', phases: 'B', eqtype: 'PowerElectronicsConnection' },
    ]);
  });

  it('writes subjects as rdf:ID and urn:uuid, and texts with any sign in them', async () => {
    const text = `<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <cim:Feeder rdf:ID="_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62"><cim:IdentifiedObject.name>a "b" \\ ü\n&lt;c&gt;</cim:IdentifiedObject.name></cim:Feeder>
      <cim:Substation rdf:about="urn:uuid:00000000-0000-4000-8000-000000000003"/></rdf:RDF>`;
    const engine = await engineOf(text);
    expect(rows(engine, 'SELECT ?s ?n {?s a ?c OPTIONAL {?s c:IdentifiedObject.name ?n}} ORDER BY ?s')).toEqual([
      {
        s: 'http://localhost:8889/bigdata/namespace/kb/sparql#_49AD8E07-3BF9-A4E2-CB8F-C3722F837B62',
        n: 'a "b" \\ ü\n<c>',
      },
      { s: 'urn:uuid:00000000-0000-4000-8000-000000000003' },
    ]);
    expect(engine.query('ASK {?s a c:Feeder}', 'json')).toContain('"boolean":true');
    expect(engine.query('SELECT ?c {?s a ?c} ORDER BY ?c', 'csv').split('\r\n')[1]).toBe(
      'http://iec.ch/TC57/CIM100#Feeder',
    );
  });
});
