import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedersSchema, ingestSchema, powerflowSchema } from '../../../dec/schema/index.js';
import { tinyCim } from '../../unit/platform/cim-text.js';
import { dec, FLAGSHIP, finish } from './dec.js';

/** Size of the file in the test of memory; the reader has to take 60 MB in less than 1 GB. */
const LARGE_BYTES = 60e6;
const LARGE_RSS_KB = 1e6;
/** Feeders of two buses that stand in it beside copies of the built-in one. */
const SMALL_FEEDERS = 20;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-store-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Runs a command and tells the largest memory it held, kB. */
async function measured(args: readonly string[]) {
  const hook = `data:text/javascript,${encodeURIComponent("process.on('exit',()=>process.stderr.write('maxRSS='+process.resourceUsage().maxRSS))")}`;
  const finished = await finish(spawn(process.execPath, ['--import', hook, 'dist/bin/dec.js', ...args]));
  return { ...finished, maxRssKb: Number(/maxRSS=(\d+)$/.exec(finished.stderr)?.[1]) };
}

describe('the model store on the command line', () => {
  it('takes a file of 60 MB with more than 20 feeders in less than 1 GB, stores it once and computes one of them', async () => {
    const text = readFileSync('inputs/feeder/IEEE123Sec.xml', 'utf8');
    const [start, end] = [text.indexOf('<cim:'), text.lastIndexOf('</rdf:RDF>')];
    const body = text.slice(start, end);
    const path = written('large.xml', text.slice(0, start));
    const copies = Math.ceil(LARGE_BYTES / body.length);
    const tiny = tinyCim();
    const tinyBody = tiny.slice(tiny.indexOf('<cim:'), tiny.lastIndexOf('</rdf:RDF>'));
    for (let copy = 0; copy < copies + SMALL_FEEDERS; copy++) {
      // Ids that differ by copy; what was one object inside a copy stays one.
      const ids = (copy < copies ? body : tinyBody).replace(
        /[0-9A-F]{8}(-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})/gi,
        (id, rest: string) =>
          ((Number.parseInt(id.slice(0, 8), 16) ^ (copy * 0x9e3779b1)) >>> 0).toString(16).padStart(8, '0') + rest,
      );
      appendFileSync(path, ids);
    }
    appendFileSync(path, text.slice(end));
    const store = ['--store', join(folder, 'large'), '--quiet', '--json'];
    const first = await measured(['ingest', path, ...store]);
    expect([first.code, first.stderr.replace(/maxRSS=\d+$/, '')]).toEqual([0, '']);
    const { feeders } = ingestSchema.parse(first.json());
    expect(feeders).toHaveLength(copies + SMALL_FEEDERS);
    expect(first.maxRssKb).toBeLessThan(LARGE_RSS_KB);
    const stored = readdirSync(join(folder, 'large'), { recursive: true }).map((name) =>
      join(folder, 'large', String(name)),
    );
    const bytes = stored.map((name) => statSync(name)).reduce((sum, s) => sum + (s.isFile() ? s.size : 0), 0);
    expect(bytes).toBeLessThan(1.05 * statSync(path).size);

    const flow = await measured(['powerflow', feeders[copies - 1]!.mrid, ...store]);
    expect(flow.code).toBe(0);
    expect(powerflowSchema.parse(flow.json()).converged).toBe(true);
    expect(flow.maxRssKb).toBeLessThan(LARGE_RSS_KB);

    const named = await dec(['powerflow', FLAGSHIP, ...store]);
    expect([named.code, named.stdout]).toEqual([2, '']);
    expect(named.stderr).toContain(feeders[1]!.mrid);
    rmSync(path);
  }, 120_000);

  it('keeps a feeder with errors; list and ingestion say how many, and the power flow refuses it', async () => {
    const path = written('cut.xml', tinyCim().replace(/<cim:EnergySource [\s\S]*?<\/cim:EnergySource>/, ''));
    const store = ['--store', join(folder, 'cut')];
    const taken = await dec(['ingest', path, ...store]);
    expect(taken.code).toBe(0);
    expect(taken.stdout).toMatch(/added: tiny .*; [1-9]\d* errors/);
    const list = feedersSchema.parse((await dec(['feeders', '--json', ...store])).json());
    expect(list.feeders.find(({ name }) => name === 'tiny')!.errors).toBeGreaterThan(0);
    expect((await dec(['powerflow', 'tiny', ...store])).code).toBe(2);
  });

  it.each(['feeders', 'ingest'])('ends %s with 2 and the reason when the store is no folder', async (command) => {
    const inTheWay = written(`file-${command}`, '');
    const files = command === 'ingest' ? ['inputs/feeder/IEEE123Sec.xml'] : [];
    const { code, stdout, stderr } = await dec([command, ...files, '--json', '--store', inTheWay]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(inTheWay);
    expect(stderr).not.toContain('internal error');
  });

  it.skipIf(!existsSync('/proc/self'))('does not hang where no folder can be made', async () => {
    const store = await dec(['ingest', 'inputs/feeder/IEEE123Sec.xml', '--store', '/proc/foo']);
    expect([store.code, store.stdout]).toEqual([2, '']);
  });
});

describe('dec powerflow', () => {
  it('says every finding once, whether the reader or validation found it', async () => {
    const path = written(
      'odd.xml',
      tinyCim().replace('</rdf:RDF>', '<cim:Clamp rdf:about="urn:uuid:c1"></cim:Clamp>\n</rdf:RDF>'),
    );
    const { code, json, stderr } = await dec(['powerflow', path, '--json', '--store', join(folder, 'none')]);
    expect(code).toBe(0);
    const texts = powerflowSchema.parse(json()).findings.map((finding) => JSON.stringify(finding));
    expect(texts.filter((text) => text.includes('Clamp'))).toHaveLength(1);
    expect(new Set(texts).size).toBe(texts.length);
    expect(stderr.match(/Clamp is not represented/g)).toHaveLength(1);
  });

  it('says which feeder of a file it takes when there are several', async () => {
    const second = tinyCim({ feederMrid: '59AD8E07-3BF9-A4E2-CB8F-C3722F837B62', feederName: 'second' });
    const body = second.slice(second.indexOf('<cim:')).replaceAll('00000000-0000-4000', '20000000-0000-4000');
    const path = written('two.xml', tinyCim().replace('</rdf:RDF>\n', body));
    const { code, stderr } = await dec(['powerflow', path, '--store', join(folder, 'none')]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/SEVERAL_FEEDERS.*tiny is used.*59AD8E07/);
  });
});

describe('--plot', () => {
  it('makes the folders of the picture', async () => {
    const path = written('drawn.xml', tinyCim());
    const picture = join(folder, 'new', 'folders', 'tiny.svg');
    const { code, stderr } = await dec(['powerflow', path, '--plot', picture, '--store', join(folder, 'none')]);
    expect(code).toBe(0);
    expect(stderr).toContain(`Wrote ${picture}`);
    expect(readFileSync(picture, 'utf8')).toMatch(/^<svg/);
  });

  it.skipIf(!existsSync('/proc/self')).each([
    ['powerflow', []],
    ['coordinate', ['--compare']],
  ] as const)('of dec %s ends with 2 before the work where no folder can be made', async (command, more) => {
    const { code, stdout, stderr } = await dec([
      ...[command, FLAGSHIP, ...more, '--plot', '/proc/x/y.svg', '--store', join(folder, 'none')],
    ]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('/proc/x');
    expect(stderr).not.toContain('internal error');
  });
});

describe('dec powerflow --plot', () => {
  const store = () => ['--store', join(folder, 'none')];

  it('never overwrites a model, and does not take the feeder for a picture', async () => {
    const [a, b] = [written('a.xml', tinyCim()), written('b.xml', tinyCim())];
    const overwrite = await dec(['powerflow', a, '--plot', b, ...store()]);
    expect([overwrite.code, overwrite.stdout]).toEqual([2, '']);
    expect(overwrite.stderr).toContain('.svg');
    expect(readFileSync(b, 'utf8')).toBe(tinyCim());
    const swallowed = await dec(['powerflow', '--plot', FLAGSHIP, ...store()]);
    expect([swallowed.code, swallowed.stdout]).toEqual([2, '']);
    expect(swallowed.stderr).toMatch(/\.svg.*before the option/);
  });

  it('prints the result, then ends with 2, when the picture cannot be written', async () => {
    const taken = join(folder, 'taken.svg');
    mkdirSync(taken);
    const { code, json, stderr } = await dec(['powerflow', FLAGSHIP, '--plot', taken, '--json', ...store()]);
    expect(code).toBe(2);
    expect(powerflowSchema.parse(json()).converged).toBe(true);
    expect(stderr).toContain(taken);
    expect(stderr).not.toContain('internal error');
  });

  it('keeps the name of the feeder out of the path', async () => {
    const path = written('slash.xml', tinyCim({ feederName: '../north/east' }));
    const cli = join(process.cwd(), 'dist', 'dec', 'cli.js');
    const place = join(folder, 'inner');
    mkdirSync(place);
    const child = spawn(process.execPath, [cli, 'powerflow', path, '--plot', ...store()], { cwd: place });
    expect((await finish(child)).code).toBe(0);
    expect(readdirSync(place).sort()).toEqual(['powerflow_.._north_east.svg', 'powerflow_.._north_east_oneline.svg']);
  });
});
