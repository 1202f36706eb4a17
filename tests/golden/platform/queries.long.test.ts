import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Bus } from '../../../grid/model/index.js';
import { phaseOfNode, type Terminal } from '../../../grid/model/index.js';
import { flagshipPath, type LoadedModel, loadModels } from '../../../platform/index.js';
import { createSparqlEngine, type SparqlEngine } from '../../../platform/sparql/engine.js';
import { nTriples } from '../../../platform/sparql/triples.js';
import { feedersDir } from '../../feeders.js';

/*
 * Queries in the manner of the applications of GridAPPS-D (VALUES for the feeder, binds and OPTIONALs between the triples,
 * a nested select to order what group_concat joins, columns that nothing gives) have as many rows, with the same names,
 * buses, phases and ratings, as the feeder that our own reader makes of the same files.
 */

/** The public files: of two writers, with and without measurements, two feeders, split profiles, three releases of CIM. */
const FILES = [
  ...['IEEE13.xml', 'IEEE13_meas.xml', 'IEEE13_Assets.xml', 'IEEE13_OCHRE.xml', 'IEEE37.xml', 'ACEP_PSIL_meas.xml'],
  ...['IEEE123.xml', 'IEEE123_PV.xml', 'IEEE123_PV_meas.xml', 'LVTest.xml', 'ieee123_app_deconfliction.xml'],
  ...['split_profiles/ieee13cdpsm.xml', 'xfmr/YYD.xml'],
  ...['versions/IEEE13_cim100_rdfID.xml', 'versions/IEEE13_cim17.xml', 'versions/IEEE13_cim16.xml'],
];
if (feedersDir === undefined)
  console.warn('skipped: SPARQL rows of the public feeders (they are not at hand; set DEC_FEEDERS)');

const IN_FEEDER =
  'VALUES ?fdrid {"%"} # one feeder\n ?eq c:Equipment.EquipmentContainer ?fdr. ?fdr c:IdentifiedObject.mRID ?fdrid.';
const END = (n: number) =>
  `?t${n} c:Terminal.ConductingEquipment ?eq. ?t${n} c:ACDCTerminal.sequenceNumber "${n}". ?t${n} c:Terminal.ConnectivityNode ?n${n}. ?n${n} c:IdentifiedObject.name ?bus${n}.`;

const LINES = `SELECT ?name ?bus1 ?bus2 (group_concat(distinct ?side;separator="") as ?sides) WHERE {
  SELECT ?name ?bus1 ?bus2 ?side WHERE {
    ?eq r:type c:ACLineSegment. ${IN_FEEDER} ?eq c:IdentifiedObject.name ?name. ${END(1)} ${END(2)}
    OPTIONAL {?part c:ACLineSegmentPhase.ACLineSegment ?eq. ?part c:ACLineSegmentPhase.phase ?raw.
      FILTER(?raw != c:SinglePhaseKind.N)
      bind(strafter(str(?raw),"SinglePhaseKind.") as ?side)}
    OPTIONAL {?eq c:Conductor.length ?length.}
  } ORDER BY ?name ?side
} GROUP BY ?name ?bus1 ?bus2 ORDER BY ?name`;

const LOADS = `SELECT ?name ?bus ?p ?q ?law WHERE {
  ?eq r:type c:EnergyConsumer. ${IN_FEEDER}
  ?eq c:IdentifiedObject.name ?name. ?eq c:EnergyConsumer.p ?p. ?eq c:EnergyConsumer.q ?q.
  ?eq c:EnergyConsumer.phaseConnection ?raw.
  bind(strafter(str(?raw),"PhaseShuntConnectionKind.") as ?law)
  ?eq c:EnergyConsumer.LoadResponse ?lr. ?lr c:LoadResponseCharacteristic.pConstantPower ?pp.
  ?lr c:LoadResponseCharacteristic.qVoltageExponent ?qe.
  OPTIONAL {?part c:EnergyConsumerPhase.EnergyConsumer ?eq. ?part c:EnergyConsumerPhase.phase ?side_raw.
    bind(strafter(str(?side_raw),"SinglePhaseKind.") as ?side)}
  ?t c:Terminal.ConductingEquipment ?eq. ?t c:Terminal.ConnectivityNode ?n. ?n c:IdentifiedObject.name ?bus
} GROUP BY ?name ?bus ?p ?q ?law ?nothing ORDER BY ?name`;

const WINDINGS = `SELECT ?name ?number ?bus ?u WHERE {
  ?eq r:type c:PowerTransformer. ${IN_FEEDER}
  ?end c:PowerTransformerEnd.PowerTransformer ?eq. ?eq c:IdentifiedObject.name ?name.
  ?end c:PowerTransformerEnd.connectionKind ?raw. bind(strafter(str(?raw),"WindingConnection.") as ?connection)
  ?end c:TransformerEnd.endNumber ?number. ?end c:PowerTransformerEnd.ratedU ?u.
  OPTIONAL {?end c:TransformerEnd.rground ?ground.} OPTIONAL {?end c:TransformerEnd.xground ?x.}
  ?end c:TransformerEnd.Terminal ?t. ?t c:Terminal.ConnectivityNode ?n. ?n c:IdentifiedObject.name ?bus.
  ?end c:TransformerEnd.BaseVoltage ?base. ?base c:BaseVoltage.nominalVoltage ?baseV
} ORDER BY ?name ?number`;

const TANK_WINDINGS = `SELECT ?name ?number ?bus ?u WHERE {
  ?eq r:type c:PowerTransformer. ${IN_FEEDER} ?eq c:PowerTransformer.vectorGroup ?group.
  ?tank c:TransformerTank.PowerTransformer ?eq. ?tank c:IdentifiedObject.name ?name.
  ?asset c:Asset.PowerSystemResources ?tank. ?asset c:Asset.AssetInfo ?info. ?info c:IdentifiedObject.name ?code.
  ?info c:TransformerTankInfo.PowerTransformerInfo ?p. ?p r:type c:PowerTransformerInfo.
  ?end c:TransformerTankEnd.TransformerTank ?tank. ?end c:TransformerTankEnd.phases ?raw.
  bind(strafter(str(?raw),"PhaseCode.") as ?side)
  ?end c:TransformerEnd.endNumber ?number. ?of c:TransformerEndInfo.TransformerTankInfo ?info.
  ?of c:TransformerEndInfo.endNumber ?number. ?of c:TransformerEndInfo.ratedU ?u.
  OPTIONAL {?end c:TransformerEnd.rground ?ground.}
  ?end c:TransformerEnd.Terminal ?t. ?t c:Terminal.ConnectivityNode ?n. ?n c:IdentifiedObject.name ?bus
} ORDER BY ?name ?number`;

const UNITS = (className: string) => `SELECT ?name ?bus ?s WHERE {
  ?unit r:type c:${className}. ?eq c:PowerElectronicsConnection.PowerElectronicsUnit ?unit. ${IN_FEEDER}
  ?eq c:IdentifiedObject.name ?name. ?eq c:PowerElectronicsConnection.ratedS ?s.
  OPTIONAL {?part c:PowerElectronicsConnectionPhase.PowerElectronicsConnection ?eq.
    ?part c:PowerElectronicsConnectionPhase.phase ?raw. {bind(strafter(str(?raw),"SinglePhaseKind.") as ?side)}}
  ?t c:Terminal.ConductingEquipment ?eq. ?t c:Terminal.ConnectivityNode ?n. ?n c:IdentifiedObject.name ?bus
} GROUP BY ?name ?bus ?s ORDER BY ?name`;

const SWITCHES = `SELECT ?class ?name ?bus1 ?bus2 WHERE {
  VALUES ?raw {c:LoadBreakSwitch c:Recloser c:Breaker c:Fuse c:Sectionaliser c:Jumper c:Disconnector c:GroundDisconnector}
  ?eq r:type ?raw. bind(strafter(str(?raw),"#") as ?class) ${IN_FEEDER} ?eq c:IdentifiedObject.name ?name. ${END(1)} ${END(2)}
} ORDER BY ?class ?name`;

/** Rows as texts, sorted. */
function rowsOf(engine: SparqlEngine, query: string, feeder: string): readonly string[] {
  const answer: { head: { vars: string[] }; results: { bindings: Record<string, { value: string }>[] } } = JSON.parse(
    engine.query(query.replaceAll('%', feeder), 'json'),
  );
  const cell = (text: string) =>
    text !== '' && Number.isFinite(Number(text)) ? rounded(Number(text)) : text.toLowerCase();
  const { vars } = answer.head;
  return answer.results.bindings
    .map((row) => vars.map((name) => (row[name] ? cell(row[name].value) : '(unbound)')).join(' '))
    .sort();
}

const rounded = (value: number) => String(Number(value.toPrecision(6)));

/** The same of the feeder. */
function expectedOf({ feeder, index }: LoadedModel): Record<string, readonly string[]> {
  const buses = new Map<string, Bus>(feeder.buses.map((bus) => [bus.id, bus]));
  const bus = ({ bus: id }: Terminal) => buses.get(id)!.name;
  const sides = (terminal: Terminal) =>
    [...new Set(terminal.nodes.map((node) => phaseOfNode(node, buses.get(terminal.bus)!.isSplitPhase)))]
      .sort()
      .join('');
  const rows: Record<string, string[]> = { lines: [], loads: [], windings: [], pv: [], battery: [], switches: [] };
  const add = (kind: string, ...cells: (string | number)[]) =>
    rows[kind]!.push(
      cells
        .map((cell) =>
          cell !== '' && Number.isFinite(Number(cell)) ? rounded(Number(cell)) : String(cell).toLowerCase(),
        )
        .join(' '),
    );
  for (const { id, name, from, to } of feeder.lines) {
    // Where a file has no objects for the phases it means all three, and our terminals say so.
    const hasPhases = index.referrers(id, 'ACLineSegmentPhase.ACLineSegment').length > 0;
    add('lines', name, bus(from), bus(to), hasPhases ? sides(from) : '');
  }
  for (const { name, terminal, connection, shares } of feeder.loads) {
    const sum = (power: 'powerW' | 'powerVar') => shares.reduce((total, share) => total + share[power], 0);
    add('loads', name, bus(terminal), sum('powerW'), sum('powerVar'), { wye: 'Y', delta: 'D' }[connection]);
  }
  for (const { name, windings } of feeder.transformers) {
    windings.forEach(({ terminal, ratedVoltageV }, i) => {
      add('windings', name, i + 1, bus(terminal), ratedVoltageV);
    });
  }
  for (const { name, terminal, ratedPowerVA } of feeder.pvSystems) add('pv', name, bus(terminal), ratedPowerVA);
  for (const { name, terminal, ratedPowerVA } of feeder.batteries) add('battery', name, bus(terminal), ratedPowerVA);
  for (const { switchClass, name, from, to } of feeder.switches) add('switches', switchClass, name, bus(from), bus(to));
  for (const list of Object.values(rows)) list.sort();
  return rows;
}

async function compare(path: string): Promise<number> {
  const models = loadModels([path]);
  const engine = await createSparqlEngine();
  for (const piece of nTriples(models[0]!.index)) engine.load(piece);
  let count = 0;
  for (const model of models) {
    const { mrid: id } = model;
    const rows = (query: string) => rowsOf(engine, query, id);
    const asked: Record<string, readonly string[]> = {
      lines: rows(LINES),
      loads: rows(LOADS),
      windings: [...rows(WINDINGS), ...rows(TANK_WINDINGS)].sort(),
      pv: rows(UNITS('PhotovoltaicUnit')),
      battery: rows(UNITS('BatteryUnit')),
      switches: rows(SWITCHES),
    };
    expect(asked).toEqual(expectedOf(model));
    for (const list of Object.values(asked)) count += list.length;
  }
  return count;
}

describe('rows of queries and the feeder that the reader makes', () => {
  it('are the same for the built-in feeder', async () => {
    // 890 lines, 781 loads, 264 windings, 487 PV, 162 batteries, 8 switches.
    expect(await compare(flagshipPath())).toBe(2592);
  });

  it.skipIf(feedersDir === undefined).each(FILES)('are the same for %s', async (name) => {
    expect(await compare(join(feedersDir ?? '', 'cim', name))).toBeGreaterThan(10);
  });
});
