import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspect } from '../../../../dec/web/inspection.js';
import { keepFiles } from '../../../../dec/web/keeping.js';
import { type ModelStore, openModelStore } from '../../../../platform/index.js';
import { tinyCim } from '../../platform/cim-text.js';

const AT = '2026-04-21T12:00:00Z';
const script = (parts = 'loads.dss') =>
  [
    'new circuit.small basekv=12.47 pu=1.02',
    'new line.one bus1=sourcebus bus2=a length=1 units=km',
    `redirect ${parts}`,
    'set voltagebases=[12.47]',
    'calcvoltagebases',
  ].join('\n');
const LOADS = 'new load.house bus1=a.1 phases=1 kv=7.2 kw=50 kvar=10';

describe('files that are kept from a page', () => {
  let folder: string;
  let store: ModelStore;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dec-keep-'));
    store = openModelStore(join(folder, 'store'), { builtIn: [] });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are a feeder of the store that computes what was shown: a CIM document, and a script with its parts', () => {
    const given = [
      [{ name: 'tiny.xml', text: tinyCim() }],
      [
        { name: 'Loads.dss', text: LOADS },
        { name: 'master.dss', text: script() },
      ],
    ];
    for (const files of given) {
      const kept = keepFiles(files, store, AT);
      expect(kept.status).toBe('added');
      expect(store.list().map(({ mrid }) => mrid)).toContain(kept.mrid);
      const seen = inspect(files);
      expect(store.find(kept.mrid).feeder.buses.map(({ name }) => name)).toEqual(
        seen.map.buses.map(({ name }) => expect.stringMatching(new RegExp(`^${name}$`, 'i'))),
      );
      expect(keepFiles(files, store, AT).status).toBe('unchanged');
    }
    expect(store.list().every(({ errors }) => errors === 0)).toBe(true);
    expect(store.list().map(({ origin }) => origin)).toEqual([
      'master.dss (given on the dashboard)',
      'tiny.xml (given on the dashboard)',
    ]);
  });

  it('are none with errors, without a feeder, or with a name that leads elsewhere; nothing is stored then', () => {
    const refused = (files: Parameters<typeof keepFiles>[0], message: RegExp) =>
      expect(() => keepFiles(files, store, AT)).toThrow(message);
    refused([{ name: 'm.dss', text: script('nowhere.dss') }], /mend the model|asks for/);
    refused([{ name: '../up.xml', text: tinyCim() }], /without folders/);
    refused([{ name: '..', text: tinyCim() }], /without folders/);
    refused([{ name: 'x.xml', text: '' }], /x\.xml is empty/);
    refused([{ name: 'x.xml', text: '\u007fELF\u0002\u0001\u0000\ufffd\ufffd\u0000\u0003' }], /x\.xml is no text/);
    expect(existsSync(join(folder, 'store')) ? readdirSync(join(folder, 'store')) : []).toEqual([]);
  });

  it('take no file of this machine into the store, though a script names it', () => {
    const secret = join(folder, 'loads.dss');
    writeFileSync(secret, LOADS);
    const files = [
      { name: 'loads.dss', text: LOADS },
      { name: 'master.dss', text: script(secret) },
    ];
    // Shown with the file that was given under that name.
    expect(inspect(files).flow?.status).toBe('converged');
    expect(() => keepFiles(files, store, AT)).toThrow(/not among the files under that name/);
    const within = [files[0]!, { name: 'master.dss', text: script('parts/loads.dss') }];
    expect(() => keepFiles(within, store, AT)).toThrow(/parts\/loads\.dss/);
  });
});
