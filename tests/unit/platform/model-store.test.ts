import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecError } from '../../../grid/math/index.js';
import { makeFolder, openModelStore } from '../../../platform/index.js';
import { tinyCim } from './cim-text.js';

const MRID = '49AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const OTHER = '59AD8E07-3BF9-A4E2-CB8F-C3722F837B62';
const THEN = '2026-01-01T00:00:00Z';
const LATER = '2027-01-01T00:00:00Z';

let dir: string;
let file: string;
let number = 0;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dec-store-'));
  file = written(tinyCim(), 'tiny.xml');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A file in a folder of its own. */
function written(text: string, name = 'model.xml'): string {
  const folder = join(dir, `source${++number}`);
  mkdirSync(folder);
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function freshStore(): { readonly folder: string; readonly open: () => ReturnType<typeof openModelStore> } {
  const folder = join(dir, `parent${++number}`, 'store');
  return { folder, open: () => openModelStore(folder, { builtIn: [] }) };
}

/** The same text with other ids, so that it can stand in one file with the first. */
function renumbered(text: string, digit: string): string {
  return text.replaceAll('00000000-0000-4000-8000', `${digit}0000000-0000-4000-8000`);
}

/** Two feeders in one file. */
function twoFeeders(): string {
  const second = renumbered(tinyCim({ feederMrid: OTHER, feederName: 'second' }), '2');
  const body = second.slice(second.indexOf('<cim:'));
  return tinyCim().replace('</rdf:RDF>\n', body);
}

/** The network without its Feeder object: the reader finds no mRID. */
function withoutFeeder(): string {
  return tinyCim().replace(/<cim:Feeder [\s\S]*?<\/cim:Feeder>/, '');
}

function powerW(store: ReturnType<typeof openModelStore>, wanted: string): number {
  return store.find(wanted).feeder.loads[0]!.shares.reduce((sum, share) => sum + share.powerW, 0);
}

function thrown(action: () => unknown): DecError {
  try {
    action();
  } catch (error) {
    if (error instanceof DecError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('a model store', () => {
  it('takes files in once, says so, and lists them', () => {
    const { open } = freshStore();
    const store = open();
    const [first] = store.ingest([file], THEN);
    expect(first).toMatchObject({
      ...{ name: 'tiny', mrid: MRID, status: 'added' },
      counts: { loads: 1, pvSystems: 1, lines: 1 },
    });
    const manifest = readFileSync(join(first!.folder, 'model.json'), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({
      ingestedAt: THEN,
      feeders: [{ name: 'tiny', mrid: MRID, errors: 0 }],
      files: [{ name: 'tiny.xml' }],
    });
    expect(store.ingest([file], LATER)[0]!.status).toBe('unchanged');
    expect(readFileSync(join(first!.folder, 'model.json'), 'utf8')).toBe(manifest);
    expect(open().list()).toMatchObject([{ name: 'tiny', mrid: MRID, errors: 0, origin: file }]);
  });

  it('replaces a feeder by its newer content and takes the old content back when that comes again', () => {
    const { folder, open } = freshStore();
    const store = open();
    store.ingest([file], THEN);
    const changed = written(tinyCim({ loadW: 99_000 }));
    expect(store.ingest([changed], LATER)[0]!.status).toBe('updated');
    expect(powerW(open(), 'TINY')).toBeCloseTo(99_000, 6);
    expect(powerW(store, MRID)).toBeCloseTo(99_000, 6);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(store.ingest([file], LATER)[0]!.status).toBe('updated');
    expect(powerW(open(), MRID)).toBeCloseTo(30_000, 6);
  });

  it('stores a file with several feeders once, and each feeder is found', () => {
    const { folder, open } = freshStore();
    const both = written(twoFeeders());
    const results = open().ingest([both], THEN);
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['tiny', 'added'],
      ['second', 'added'],
    ]);
    const copies = readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.xml'));
    expect(copies).toHaveLength(1);
    expect(open().find(OTHER).name).toBe('second');
    // One of the two gets newer content: the other is still told from the first file, then both from it again.
    const changed = written(tinyCim({ loadW: 99_000 }));
    expect(open().ingest([changed], LATER)[0]!.status).toBe('updated');
    expect(open().list()).toHaveLength(2);
    expect(powerW(open(), MRID)).toBeCloseTo(99_000, 6);
    const again = open().ingest([both], LATER);
    expect(again.map(({ status }) => status)).toEqual(['updated', 'unchanged']);
    expect(powerW(open(), MRID)).toBeCloseTo(30_000, 6);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('takes in a feeder with errors, and its list says how many', () => {
    const { open } = freshStore();
    const sourceless = written(tinyCim().replace(/<cim:EnergySource [\s\S]*?<\/cim:EnergySource>/, ''));
    const [result] = open().ingest([sourceless], THEN);
    const errors = result!.findings.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code)).toContain('NO_SOURCE');
    expect(open().list()).toMatchObject([{ name: 'tiny', errors: errors.length }]);
  });

  it('keeps a usable feeder when files with errors would take its place, unless it is told to', () => {
    const store = freshStore().open();
    store.ingest([file], THEN);
    const broken = written(tinyCim().replace(/<cim:EnergySource [\s\S]*?<\/cim:EnergySource>/, ''));
    const error = thrown(() => store.ingest([broken], LATER));
    expect(error.code).toBe('FEEDER_DATA');
    expect(error.message).toMatch(/nothing was stored.*--replace/);
    expect(error.message).toContain(MRID);
    expect(store.list()).toMatchObject([{ mrid: MRID, errors: 0 }]);
    expect(powerW(store, MRID)).toBeCloseTo(30_000, 6);
    expect(store.ingest([broken], LATER, true)[0]!.status).toBe('updated');
    expect(store.list()[0]!.errors).toBeGreaterThan(0);
  });

  it('gives a network without an id one that outlives a change of values, and leaves the rest of the store alone', () => {
    const { folder, open } = freshStore();
    open().ingest([file], THEN);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const [first] = open().ingest([written(withoutFeeder(), 'meshed.rdf')], THEN);
    expect(first).toMatchObject({ name: 'meshed', status: 'added' });
    expect(first!.mrid).toMatch(/^[0-9A-F-]{36}$/);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
    expect(open().list()).toHaveLength(2);
    expect(open().find(first!.mrid).feeder.mrid).toBe(first!.mrid);
    const changed = written(withoutFeeder().replaceAll('30000', '99000'), 'meshed.rdf');
    expect(open().ingest([changed], LATER)[0]).toMatchObject({ mrid: first!.mrid, status: 'updated' });
  });

  it.each(['.', '..', '.hidden', '../../../outside/x', 'a/b', 'x'.repeat(300)])(
    'keeps the mRID %s out of paths',
    (mrid) => {
      const { folder, open } = freshStore();
      open().ingest([file], THEN);
      const keep = join(folder, '..', 'keep.txt');
      writeFileSync(keep, 'mine');
      const odd = written(tinyCim({ feederMrid: mrid, feederName: 'odd' }));
      expect(open().ingest([odd], THEN)[0]).toMatchObject({ name: 'odd', status: 'added' });
      expect(open().ingest([odd], LATER)[0]).toMatchObject({ name: 'odd', status: 'unchanged' });
      expect(existsSync(keep)).toBe(true);
      expect(open().list()).toHaveLength(2);
      expect(open().find(mrid).name).toBe('odd');
      expect(readdirSync(join(folder, '..')).sort()).toEqual(['keep.txt', 'store']);
    },
  );

  it('never removes what it did not write: neither beside its files nor in a folder without its manifest', () => {
    const { folder, open } = freshStore();
    const [first] = open().ingest([file], THEN);
    writeFileSync(join(first!.folder, 'notes.txt'), 'mine');
    const changed = written(tinyCim({ loadW: 99_000 }));
    const [second] = open().ingest([changed], LATER);
    expect(readdirSync(first!.folder)).toEqual(['notes.txt']);
    // A folder of the very name that the first content would get is now the user's; another name is taken.
    const [third] = open().ingest([file], LATER);
    expect(third!.folder).not.toBe(first!.folder);
    expect(readdirSync(first!.folder)).toEqual(['notes.txt']);
    expect(existsSync(second!.folder)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual([first!, third!].map((result) => basename(result.folder)).sort());
  });

  it('refuses a manifest that points outside its folder, so that nothing outside is ever removed', () => {
    const { folder, open } = freshStore();
    const [first] = open().ingest([file], THEN);
    const path = join(first!.folder, 'model.json');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"name": "tiny.xml"', '"name": "../notes.txt"'));
    open().ingest([written(tinyCim({ loadW: 99_000 }))], LATER);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('leaves nothing behind when a model cannot be read', () => {
    const { folder, open } = freshStore();
    const broken = written(tinyCim().replace('</cim:Feeder>', '</cim:Feedr>'), 'broken.xml');
    expect(() => open().ingest([broken], THEN)).toThrow(/broken\.xml.*line \d+/);
    expect(existsSync(folder)).toBe(false);
  });

  it('goes on when a manifest in the folder is damaged, names it, and takes the model in anew', () => {
    const { open } = freshStore();
    const [first] = open().ingest([file], THEN);
    writeFileSync(join(first!.folder, 'model.json'), '{ "name":');
    const store = open();
    expect(store.list()).toEqual([]);
    expect(store.problems[0]).toContain(first!.folder);
    expect(store.ingest([file], LATER)[0]!.status).toBe('added');
    expect(open().find(MRID).name).toBe('tiny');
  });

  it('copies a stored file that went missing when its content is ingested again', () => {
    const { open } = freshStore();
    const [first] = open().ingest([file], THEN);
    rmSync(join(first!.folder, 'tiny.xml'));
    expect(() => open().find(MRID)).toThrow(/is missing or was changed/);
    open().ingest([file], LATER);
    expect(open().find(MRID).name).toBe('tiny');
  });

  it('does not choose between two feeders of one name', () => {
    const { open } = freshStore();
    open().ingest([file], THEN);
    open().ingest([written(renumbered(tinyCim({ feederMrid: OTHER }), '2'))], THEN);
    const error = thrown(() => open().find('Tiny'));
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(error.message).toContain(MRID);
    expect(error.message).toContain(OTHER);
    expect(open().find(OTHER).mrid).toBe(OTHER);
  });

  it('names the known feeders when one is unknown', () => {
    const store = openModelStore(undefined, { builtIn: [], files: [file] });
    expect(() => store.find('_C1C3E687-6FFD-C753-582B-632A27E28507')).toThrow(/C1C3E687[\s\S]*tiny/);
    expect(thrown(() => store.find('')).code).toBe('FEEDER_UNKNOWN');
  });

  it('says that its folder is none when a file stands there, on reading and on writing', () => {
    const inTheWay = written('a text', 'store');
    for (const path of [inTheWay, join(inTheWay, 'below')]) {
      const store = openModelStore(path, { builtIn: [] });
      expect(thrown(() => store.ingest([file], THEN)).code).toBe('BAD_ARGUMENT');
    }
    expect(thrown(() => openModelStore(inTheWay, { builtIn: [] }).list())).toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  it.skipIf(!existsSync('/proc/self'))('ends, with the reason, where the file system takes no new folders', () => {
    const error = thrown(() => makeFolder('/proc/foo/bar', 'model store'));
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(error.message).toContain('/proc/foo');
  });
});

describe('reading CIM files', () => {
  const umlaut = (encoding: string) =>
    tinyCim({ feederName: 'Mühle' }).replace('encoding="utf-8"', `encoding="${encoding}"`);
  const nameIn = (content: Uint8Array) => {
    const path = written('', 'encoded.xml');
    writeFileSync(path, content);
    return openModelStore(undefined, { builtIn: [], files: [path] }).list()[0]!.name;
  };

  it('follows the encoding that the file names', () => {
    expect(nameIn(Buffer.from(umlaut('utf-8'), 'utf8'))).toBe('Mühle');
    expect(nameIn(Buffer.from(umlaut('ISO-8859-1'), 'latin1'))).toBe('Mühle');
    expect(nameIn(Buffer.from(`\uFEFF${umlaut('UTF-16')}`, 'utf16le'))).toBe('Mühle');
  });

  it('reads characters of several bytes wherever a piece of the file ends', () => {
    // Pieces end at every MiB; one of these two paddings puts the two bytes of a character across that end.
    for (const padding of ['x', 'xx']) {
      const text = tinyCim({ feederName: 'tiny' }).replace(
        '<cim:BaseVoltage ',
        `<!-- ${padding}${'ü'.repeat(700_000)} -->\n<cim:BaseVoltage `,
      );
      expect(nameIn(Buffer.from(text, 'utf8'))).toBe('tiny');
    }
  });

  it('refuses bytes that are not in the encoding instead of changing names', () => {
    const error = thrown(() => nameIn(Buffer.from(umlaut('utf-8'), 'latin1')));
    expect(error.code).toBe('XML_MALFORMED');
    expect(error.message).toMatch(/encoded\.xml.*utf-8/i);
  });
});

describe('objects of all models', () => {
  it('are read without their feeders, once: a model that is asked for later is made of them', () => {
    const { folder, open } = freshStore();
    open().ingest([written(twoFeeders())], THEN);
    const store = openModelStore(folder, { builtIn: [file] });
    const steps = store.readAhead();
    // The first step is a piece of a file, not the end.
    expect(steps.next().done).toBe(false);
    let last = steps.next();
    while (last.done !== true) last = steps.next();
    const indexes = store.indexes();
    expect([...indexes]).toEqual([...(last.value as ReadonlySet<unknown>)]);
    // The stored feeders stand before the built-in one of the same mRID.
    expect(indexes.size).toBe(1);
    expect(indexes.has(store.find(MRID).index)).toBe(true);
    expect(store.find(OTHER).index).toBe(store.find(MRID).index);
    expect([...store.indexes()]).toEqual([...indexes]);
    expect(new Set(store.all().map(({ index }) => index))).toEqual(indexes);
  });

  it('are those of what was taken in last, and of what can be read', () => {
    const { open } = freshStore();
    const store = open();
    store.ingest([written(tinyCim())], THEN);
    const [before] = store.indexes();
    const [{ folder } = { folder: '' }] = store.ingest([written(tinyCim({ feederName: 'renamed' }))], LATER);
    const [after] = store.indexes();
    expect(after).not.toBe(before);
    expect(after!.byClass('Feeder').map(({ name }) => name)).toEqual(['renamed']);
    writeFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith('.xml'))!), 'no XML');
    const fresh = open();
    expect(fresh.indexes().size).toBe(0);
    expect(fresh.problems.join()).toContain('cannot be read');
  });
});
