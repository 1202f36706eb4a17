import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecError } from '../../../grid/math/index.js';
import { DssFolder, isDssFile, loadModels, openModelStore } from '../../../platform/index.js';

const THEN = '2026-01-01T00:00:00Z';
/** A feeder in four files, one of them a folder up, named with other letter case and slashes. */
const FILES: Readonly<Record<string, string>> = {
  'Codes/LineCodes.DSS': 'new linecode.lc nphases=3 r1=0.3 x1=0.6 r0=0.9 x0=1.8 units=km',
  'model/Master.dss':
    'clear\nnew circuit.scripted bus1=650 basekv=4.16\nredirect ..\\codes\\linecodes.dss\nredirect parts/lines.dss\nset voltagebases=[4.16]\ncalcv\nsolve\n',
  'model/Parts/Lines.dss': 'new line.one bus1=650 bus2=671 linecode=lc length=1 units=km\nredirect ../loads.txt\n',
  'model/loads.txt': 'new load.house bus1=671.1 phases=1 kv=2.4 kw=100 kvar=20 daily=shape\n',
};

let dir: string;
let number = 0;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dec-script-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The files in a folder of their own. @returns path of the master */
function written(changes: Readonly<Record<string, string>> = {}): string {
  const folder = join(dir, `source${++number}`);
  for (const [name, text] of Object.entries({ ...FILES, ...changes })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, 'model/Master.dss');
}

const freshStore = () => openModelStore(join(dir, `store${++number}`), { builtIn: [] });

function thrown(action: () => unknown): DecError {
  try {
    action();
  } catch (error) {
    if (error instanceof DecError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('an OpenDSS script as a model', () => {
  it('is read with its redirects in any letter case and with any slash', () => {
    const [model] = loadModels([written()]);
    expect(model).toMatchObject({ name: 'scripted' });
    expect(model!.feeder.lines).toHaveLength(1);
    expect(model!.feeder.loads).toHaveLength(1);
    expect(model!.mrid).not.toBe('');
    expect(loadModels([written()])[0]!.mrid).toBe(model!.mrid);
  });

  it('is told from CIM by its ending or its commands', () => {
    const master = written({
      'a.txt': '! x\nNew Circuit.y\n',
      'b.txt': '<rdf:RDF/>',
      'c.txt': 'dear reader',
      'd.csv': 'new x',
    });
    const at = (name: string) => join(dirname(dirname(master)), name);
    expect([master, at('a.txt'), at('b.txt'), at('c.txt'), at('d.csv'), at('none.txt')].map(isDssFile)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('is kept with every file it read, where its parts find one another', () => {
    const store = freshStore();
    const master = written();
    const [result] = store.ingest([master], THEN);
    expect(result).toMatchObject({ name: 'scripted', status: 'added', counts: { lines: 1, loads: 1 } });
    const manifest = JSON.parse(readFileSync(join(result!.folder, 'model.json'), 'utf8'));
    expect(manifest.files.map(({ name }: { name: string }) => name)).toEqual([
      'script/model/Master.dss',
      'script/Codes/LineCodes.DSS',
      'script/model/Parts/Lines.dss',
      'script/model/loads.txt',
    ]);
    expect(manifest.master).toBe('script/model/Master.dss');
    rmSync(dirname(dirname(master)), { recursive: true });
    const again = openModelStore(store.dir!, { builtIn: [] });
    expect(again.list()).toEqual([expect.objectContaining({ name: 'scripted', origin: master })]);
    const found = again.find('SCRIPTED');
    expect(found.feeder.loads).toHaveLength(1);
    expect(found.mrid).toBe(result!.mrid);
    expect(again.problems).toEqual([]);
  });

  it('taken in again changes nothing; changed, it takes the place of the old one', () => {
    const store = freshStore();
    const master = written();
    const [first] = store.ingest([master], THEN);
    expect(store.ingest([master], THEN)[0]).toMatchObject({ status: 'unchanged', folder: first!.folder });
    writeFileSync(join(dirname(master), 'loads.txt'), `${FILES['model/loads.txt']}~ kw=50\n`);
    const [second] = store.ingest([master], THEN);
    expect(second!.status).toBe('updated');
    expect(existsSync(first!.folder)).toBe(false);
    expect(readdirSync(store.dir!)).toHaveLength(1);
  });

  it('whose stored file went missing is mended by taking it in again', () => {
    const store = freshStore();
    const master = written();
    const [{ folder } = { folder: '' }] = store.ingest([master], THEN);
    rmSync(join(folder, 'script/model/Parts'), { recursive: true });
    store.ingest([master], THEN);
    expect(existsSync(join(folder, 'script/model/Parts/Lines.dss'))).toBe(true);
  });

  it('that lacks a file, makes no circuit or comes with other files is refused with the reason', () => {
    const part = join(dirname(written()), 'Parts/Lines.dss');
    expect(thrown(() => loadModels([part]))).toMatchObject({
      code: 'FEEDER_DATA',
      message: expect.stringMatching(/no circuit/),
    });
    expect(thrown(() => loadModels([join(dir, 'none.dss')]))).toMatchObject({ code: 'FEEDER_UNKNOWN' });
    expect(thrown(() => loadModels([part, written()]))).toMatchObject({ code: 'BAD_ARGUMENT' });
    const [holed] = loadModels([written({ 'model/Master.dss': `${FILES['model/Master.dss']}redirect gone.dss` })]);
    expect(holed!.feeder.findings).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'MISSING_FILE', value: 'gone.dss', line: 8 }),
    );
  });
});

describe('a script folder', () => {
  it('says that what is not there, is a folder, or cannot be looked up is no file', () => {
    const files = new DssFolder();
    for (const path of ['', dir, join(dir, 'no/such/file'), 'x'.repeat(5000), `${dir}/${'y'.repeat(300)}`, 'a\0b']) {
      expect(files.read(path)).toBeUndefined();
    }
    expect(files.filesRead.size).toBe(0);
  });
});
