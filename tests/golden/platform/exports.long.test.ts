/**
 * What the platform exports of public files, held against the files' own text: objects are counted and values looked up by
 * pattern, without the reader.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cimDictionary, feederIndex } from '../../../platform/cim-dictionary.js';
import { limitsExport } from '../../../platform/export/limits.js';
import { symbolsExport } from '../../../platform/export/symbols.js';
import { loadModels } from '../../../platform/index.js';
import { feedersDir } from '../../feeders.js';

if (feedersDir === undefined) {
  console.warn('skipped: exports of the public feeders (golden/platform); set DEC_FEEDERS to the folder that has cim/');
}

const FILES = ['IEEE13_meas.xml', 'IEEE123_PV_meas.xml', 'ACEP_PSIL_meas.xml'] as const;
/** Lists of the dictionary and the class that each has one entry for. */
const LISTS = {
  capacitors: ['LinearShuntCompensator'],
  solarpanels: ['PhotovoltaicUnit'],
  batteries: ['BatteryUnit'],
  synchronousmachines: ['SynchronousMachine'],
  energyconsumers: ['EnergyConsumer'],
  switches: ['LoadBreakSwitch'],
  fuses: ['Fuse'],
  breakers: ['Breaker'],
  reclosers: ['Recloser'],
  measurements: ['Analog', 'Discrete'],
  busnames: ['ConnectivityNode'],
} as const;
const record = z.record(z.string(), z.unknown());
const oneFeeder = z.object({ feeders: z.tuple([record]) });
const list = z.array(record);

const open = (file: string) => {
  const path = join(feedersDir!, 'cim', file);
  const text = readFileSync(path, 'utf8');
  return { text, model: loadModels([path])[0]! };
};
const count = (text: string, className: string) => text.split(`<cim:${className} rdf:`).length - 1;
/** The element of an object, from its opening to its closing tag. */
const objects = (text: string, className: string) =>
  [...text.matchAll(new RegExp(`<cim:${className} rdf:\\w+="[^"]*">[\\s\\S]*?</cim:${className}>`, 'g'))].map(
    ([whole]) => whole,
  );
const literalOf = (object: string, attribute: string) =>
  new RegExp(`<cim:${attribute}>([^<]*)<`).exec(object)?.[1] ?? '';
const linkOf = (object: string, attribute: string) =>
  new RegExp(`<cim:${attribute} rdf:resource="(?:urn:uuid:|#_?)([^"]*)"`).exec(object)?.[1] ?? '';

describe.skipIf(feedersDir === undefined)('exports of the public files', () => {
  it.each(FILES)('%s: the dictionary lists every object of its classes, by the mRIDs of the file', (file) => {
    const { text, model } = open(file);
    const [feeder] = oneFeeder.parse(cimDictionary(model)).feeders;
    for (const [name, classes] of Object.entries(LISTS)) {
      const wanted = classes.reduce((sum, className) => sum + count(text, className), 0);
      const entries = z.array(z.unknown()).parse(feeder[name]);
      expect(`${name} ${entries.length}`).toBe(`${name} ${wanted}`);
    }
    const consumers = list.parse(feeder['energyconsumers']).map(({ mRID }) => String(mRID).toUpperCase());
    const mrids = objects(text, 'EnergyConsumer').map((one) => literalOf(one, 'IdentifiedObject.mRID').toUpperCase());
    expect(consumers.sort()).toEqual(mrids.sort());
    const [own] = objects(text, 'Feeder');
    expect(String(feeder['mRID']).toUpperCase()).toBe(literalOf(own!, 'IdentifiedObject.mRID').toUpperCase());
    expect(feeder['name']).toBe(literalOf(own!, 'IdentifiedObject.name'));
    expect(JSON.stringify(feederIndex([model]))).toContain(String(feeder['mRID']));
  });

  it.each(FILES)('%s: limits are those of the file, by node and by ampere', (file) => {
    const { text, model } = open(file);
    const { voltages, currents } = limitsExport(model).limits;
    expect(voltages).toHaveLength(count(text, 'ConnectivityNode'));
    const setOf = new Map(
      objects(text, 'ConnectivityNode').map((node) => [
        literalOf(node, 'IdentifiedObject.mRID').toUpperCase(),
        linkOf(node, 'ConnectivityNode.OperationalLimitSet'),
      ]),
    );
    const limits = objects(text, 'VoltageLimit').map((limit) => ({
      set: linkOf(limit, 'OperationalLimit.OperationalLimitSet'),
      value: Number(literalOf(limit, 'VoltageLimit.value')),
    }));
    let checked = 0;
    for (const { id, Blo, Alo, Ahi, Bhi } of voltages) {
      const set = setOf.get(id.toUpperCase());
      const own = limits.filter((limit) => limit.set === set).map(({ value }) => value);
      if (own.length < 4) continue;
      checked++;
      expect([Blo, Alo, Ahi, Bhi]).toEqual(own.sort((a, b) => a - b));
    }
    expect(checked).toBeGreaterThan(5);
    const amperes = new Set(
      objects(text, 'CurrentLimit').map((limit) => Number(literalOf(limit, 'CurrentLimit.value'))),
    );
    expect(currents.length).toBeGreaterThan(3);
    for (const { Normal } of currents) expect(amperes.has(Normal)).toBe(true);
  });

  it.each(FILES)('%s: symbols stand where the file puts them', (file) => {
    const { text, model } = open(file);
    const [feeder] = oneFeeder.parse(symbolsExport(model)).feeders;
    const points = new Set(
      objects(text, 'PositionPoint').map((point) =>
        ['PositionPoint.xPosition', 'PositionPoint.yPosition'].map((key) => Number(literalOf(point, key))).join(),
      ),
    );
    const lines = list.parse(feeder['overhead_lines']);
    expect(lines).toHaveLength(count(text, 'ACLineSegment'));
    for (const name of ['overhead_lines', 'capacitors', 'solarpanels', 'switches', 'batteries']) {
      for (const { x1, y1, x2, y2 } of list.parse(feeder[name])) {
        expect(points.has(`${x1},${y1}`)).toBe(true);
        if (x2 !== undefined) expect(points.has(`${x2},${y2}`)).toBe(true);
      }
    }
  });
});
