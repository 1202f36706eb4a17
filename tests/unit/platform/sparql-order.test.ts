import { describe, expect, it } from 'vitest';
import { patternsFirst } from '../../../platform/sparql/group-order.js';

const compact = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('. .', '.').trim();

describe('the order of work in a query', () => {
  it('has VALUES first, then all triples, then binds and OPTIONALs in their order, then filters', () => {
    const query = `SELECT ?name ?kind WHERE {
      ?load a c:EnergyConsumer; c:EnergyConsumer.phaseConnection ?raw. # its kind
      bind(strafter(str(?raw), ".") as ?kind)
      FILTER(?kind != "I")
      OPTIONAL {?part c:EnergyConsumerPhase.EnergyConsumer ?load. ?part c:EnergyConsumerPhase.phase ?side}
      VALUES ?id {"a" "b"}
      ?load c:IdentifiedObject.name ?name
    } ORDER BY ?name`;
    expect(compact(patternsFirst(query))).toBe(
      'SELECT ?name ?kind WHERE {VALUES ?id {"a" "b"} ?load a c:EnergyConsumer; c:EnergyConsumer.phaseConnection ?raw . ' +
        '?load c:IdentifiedObject.name ?name . bind(strafter(str(?raw), ".") as ?kind) ' +
        'OPTIONAL {?part c:EnergyConsumerPhase.EnergyConsumer ?load. ?part c:EnergyConsumerPhase.phase ?side} ' +
        'FILTER(?kind != "I")} ORDER BY ?name',
    );
  });

  it('keeps a part before triples that use what is new in it', () => {
    expect(compact(patternsFirst('SELECT * {VALUES ?id {"x"} bind(iri(?id) as ?s) ?s ?p ?o}'))).toBe(
      'SELECT * {VALUES ?id {"x"} bind(iri(?id) as ?s) ?s ?p ?o .}',
    );
    expect(compact(patternsFirst('SELECT * {?s c:a ?b. OPTIONAL {?s c:d ?e} ?e c:f ?g. ?s c:h ?i}'))).toBe(
      'SELECT * {?s c:a ?b . OPTIONAL {?s c:d ?e} ?e c:f ?g. ?s c:h ?i .}',
    );
    // A bind that fails leaves ?x to the OPTIONAL, and UNDEF leaves ?y.
    for (const query of [
      '{bind("a" as ?x) OPTIONAL {?y c:b ?x} ?x c:c ?z .}',
      '{VALUES (?x ?y) {("a" UNDEF)} OPTIONAL {?x c:b ?y} ?y c:c ?z .}',
      '{OPTIONAL {?a c:b ?c} ?a c:d ?e .}',
    ]) {
      expect(compact(patternsFirst(query))).toBe(query);
    }
  });

  it('is changed in nested groups alone where a group has UNION, MINUS, GRAPH or a nested select', () => {
    for (const query of [
      'SELECT * {?s a c:A. bind(1 as ?x) {?s c:b ?y} UNION {?s c:c ?y} ?s c:d ?z}',
      'SELECT * {OPTIONAL {?s c:b ?y} MINUS {?s c:c ?y} ?s c:d ?z}',
      'SELECT * {bind(1 as ?x) GRAPH ?g {?s c:c ?y} ?s c:d ?z}',
      'SELECT ?s {SELECT ?s {?s a c:A} ORDER BY ?s} GROUP BY ?s',
      'ASK',
      'SELECT * {?s "}" ?o',
    ]) {
      expect(patternsFirst(query)).toBe(query);
    }
    expect(compact(patternsFirst('SELECT ?a {SELECT ?a ?t {bind(1 as ?t) ?a c:b ?c} ORDER BY ?a} GROUP BY ?a'))).toBe(
      'SELECT ?a {SELECT ?a ?t {?a c:b ?c . bind(1 as ?t)} ORDER BY ?a} GROUP BY ?a',
    );
  });

  it('takes NOT EXISTS, functions and blank nodes for what they are', () => {
    const query =
      '{?a a c:A. OPTIONAL {?a c:b ?c} FILTER NOT EXISTS {?a c:d ?e} FILTER regex(?c, "}") ?a c:f [c:g ?h]; c:i/c:j "x"@en}';
    expect(compact(patternsFirst(query))).toBe(
      '{?a a c:A . ?a c:f [c:g ?h]; c:i/c:j "x"@en . OPTIONAL {?a c:b ?c} FILTER NOT EXISTS {?a c:d ?e} FILTER regex(?c, "}")}',
    );
  });
});
