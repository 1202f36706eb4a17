import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecError } from '../../../grid/math/index.js';
import { openModelStore } from '../../../platform/index.js';
import { modelSets } from '../../../platform/model-set.js';
import { feedersDir } from '../../feeders.js';
import { tinyCim } from './cim-text.js';

const OTHER = '59AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const THEN = '2026-01-01T00:00:00Z';

let dir: string;
let tiny: string;
let second: string;
let number = 0;

function written(text: string, name: string): string {
  const folder = join(dir, `source${++number}`);
  mkdirSync(folder);
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function thrown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DecError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dec-sets-'));
  tiny = written(tinyCim(), 'tiny.xml');
  const other = tinyCim({ feederMrid: OTHER, feederName: 'second' });
  second = written(other.replaceAll('00000000-0000-4000-8000', '20000000-0000-4000-8000'), 'second.xml');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A file without a source that adds a position to an object of the first model. */
const part = (name = 'part.xml', about = /<cim:ACLineSegment rdf:about="([^"]+)"/.exec(tinyCim())?.[1] ?? '') =>
  written(
    `<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cim:ACLineSegment rdf:about="${about}"><cim:IdentifiedObject.description>x</cim:IdentifiedObject.description></cim:ACLineSegment></rdf:RDF>`,
    name,
  );

describe('several files given together', () => {
  it('are models of their own where each has its own sources, and a profile goes to its model', () => {
    const profile = part();
    expect(modelSets([second, profile, tiny])).toEqual([[second], [profile, tiny]]);
  });

  it('are taken into the store each by itself, told with the files they came from', () => {
    const folder = join(dir, 'store-two');
    const store = openModelStore(folder, { builtIn: [] });
    const results = store.ingest([tiny, second], THEN);
    expect(results.map(({ name, status, counts }) => [name, status, counts['loads'], counts['lines']])).toEqual([
      ['tiny', 'added', 1, 1],
      ['second', 'added', 1, 1],
    ]);
    const origins = new Map(store.list().map(({ name, origin }) => [name, origin]));
    expect(origins.get('tiny')).toBe(tiny);
    expect(origins.get('second')).toBe(second);
  });

  it('are refused where one feeder comes in two versions, both files named, and nothing is stored', () => {
    const changed = written(tinyCim().replace('</rdf:RDF>', '<!-- other --></rdf:RDF>'), 'changed.xml');
    const store = openModelStore(join(dir, 'store-versions'), { builtIn: [] });
    const message = thrown(() => store.ingest([tiny, second, changed], THEN));
    expect(message).toMatch(/BAD_ARGUMENT.*two versions/);
    expect(message).toContain(tiny);
    expect(message).toContain(changed);
    expect(message).not.toContain(second);
    expect(store.list()).toEqual([]);
  });

  it('are refused where a profile speaks of no object of any model', () => {
    const foreign = part('foreign.xml', 'urn:uuid:99999999-0000-4000-8000-000000000001');
    expect(thrown(() => modelSets([tiny, foreign]))).toMatch(/foreign\.xml .*shares no object/);
  });

  it('count once where the same content is given twice', () => {
    expect(modelSets([tiny, written(tinyCim(), 'copy.xml')])).toEqual([[tiny]]);
  });
});

if (!feedersDir) console.warn('skipped: model sets of the public CIM files (feeders absent)');
describe.skipIf(!feedersDir)('the public files', () => {
  const cim = (name: string) => join(feedersDir ?? '', 'cim', name);
  it('of two CIM versions stay two feeders', () => {
    const files = [cim('versions/IEEE13_cim17.xml'), cim('IEEE37.xml')];
    expect(modelSets(files)).toEqual(files.map((file) => [file]));
  });

  it('in profiles are one model, whatever stands beside them', () => {
    const profiles = ['FUN', 'CAT', 'EP', 'GEO', 'SSH', 'TOPO', 'DYN'].map((name) =>
      cim(`split_profiles/ieee13cdpsm_${name}.XML`),
    );
    expect(modelSets([...profiles, cim('IEEE37.xml')])).toEqual([profiles, [cim('IEEE37.xml')]]);
  });
});

describe('a stored file that was changed', () => {
  it('is refused by name although its size is the same, told in the list, and repaired by taking it in again', () => {
    const folder = join(dir, 'store-edited');
    const open = () => openModelStore(folder, { builtIn: [] });
    const [first] = open().ingest([tiny], THEN);
    const stored = join(first!.folder, 'tiny.xml');
    const text = readFileSync(stored, 'utf8');
    const edited = text.replace(/(<cim:EnergyConsumer\.p>)\d/, '$19');
    expect(edited).not.toBe(text);
    expect(edited).toHaveLength(text.length);
    writeFileSync(stored, edited);
    expect(thrown(() => open().find('tiny'))).toContain(stored);
    const listing = open();
    expect(listing.list().map(({ name }) => name)).toEqual(['tiny']);
    expect(listing.problems.join(' ')).toContain(stored);
    expect(open().ingest([tiny], THEN)[0]!.status).toBe('updated');
    expect(readFileSync(stored, 'utf8')).toBe(text);
    expect(open().find('tiny').name).toBe('tiny');
    expect(open().ingest([tiny], THEN)[0]!.status).toBe('unchanged');
    appendFileSync(stored, ' ');
    chmodSync(stored, 0o444);
    expect(open().ingest([tiny], THEN)[0]!.status).toBe('updated');
    expect(readFileSync(stored, 'utf8')).toBe(text);
  });
});
