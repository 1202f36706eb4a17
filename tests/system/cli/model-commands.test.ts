import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedersSchema, ingestSchema, powerflowSchema } from '../../../dec/schema/index.js';
import { canonicalMrid } from '../../../grid/model/index.js';
import { feedersDir } from '../../feeders.js';
import { dec, FLAGSHIP } from './dec.js';

const OVERVOLTAGE = ['--load-multiplier', '0.25', '--source-voltage', '1.04'];
let folder = '';
/** A store of the test's own, so that the user's is neither read nor written. */
let store: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-cli-'));
  store = ['--store', join(folder, 'models')];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dec', () => {
  it('lists its commands, each with help and an example', async () => {
    const { code, stdout } = await dec(['--help']);
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map((match) => match[1]!);
    const own = commands.filter((name) => name !== 'help');
    expect(own.sort()).toEqual([
      'agents',
      'bench',
      'coordinate',
      'export',
      'feeders',
      'ingest',
      'platform',
      'powerflow',
      'report',
      'run',
      'series',
      'web',
    ]);
    for (const command of own) {
      const help = await dec([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(/Examples?:\n\s+(DEC_PYTHON=\S+ )?dec /);
      expect(help.stdout).toContain('--json');
      expect(help.stdout).toContain('--quiet');
    }
  });

  it('ends with 2 and names the mistake when a command or an option is unknown', async () => {
    const command = await dec(['fly']);
    expect([command.code, command.stdout]).toEqual([2, '']);
    expect(command.stderr).toContain('fly');
    const option = await dec(['powerflow', FLAGSHIP, '--tolernace', '1']);
    expect([option.code, option.stdout]).toEqual([2, '']);
    expect(option.stderr).toContain('--tolernace');
  });
});

describe('dec feeders and dec ingest', () => {
  it('know the built-in feeder', async () => {
    const { code, json } = await dec(['feeders', '--json', ...store]);
    expect(code).toBe(0);
    const { feeders } = feedersSchema.parse(json());
    expect(feeders).toHaveLength(1);
    expect(feeders[0]).toMatchObject({ name: FLAGSHIP, origin: 'built in' });
    expect(feeders[0]!.counts['transformers']).toBeGreaterThanOrEqual(82);
  });

  it('take a file in once; the second time nothing changes', async () => {
    const own = ['--store', join(folder, 'twice'), '--json'];
    const first = await dec(['ingest', 'inputs/feeder/IEEE123Sec.xml', ...own]);
    const second = await dec(['ingest', 'inputs/feeder/IEEE123Sec.xml', ...own]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(ingestSchema.parse(first.json()).feeders.map(({ status }) => status)).toEqual(['added']);
    expect(ingestSchema.parse(second.json()).feeders.map(({ status }) => status)).toEqual(['unchanged']);
  });

  it('name file and line of malformed XML, and store nothing', async () => {
    const broken = join(folder, 'broken.xml');
    writeFileSync(
      broken,
      '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n<a></b>\n',
    );
    const { code, stdout, stderr } = await dec(['ingest', broken, ...store]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/broken\.xml/);
    expect(stderr).toMatch(/\b3\b/);
    expect(feedersSchema.parse((await dec(['feeders', '--json', ...store])).json()).feeders).toHaveLength(1);
  });

  it('say so when a file is not there', async () => {
    const { code, stderr } = await dec(['ingest', join(folder, 'none.xml'), ...store]);
    expect(code).toBe(2);
    expect(stderr).toContain('none.xml');
  });
});

describe('dec powerflow', () => {
  it('prints one object that keeps the contract, with over-voltages on the built-in feeder', async () => {
    const { code, json, stdout } = await dec(['powerflow', FLAGSHIP, ...OVERVOLTAGE, '--json', ...store]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const report = powerflowSchema.parse(json());
    expect(report.converged).toBe(true);
    expect(report.violations.some(({ voltagePu }) => voltagePu > 1.05)).toBe(true);
    expect(report.settings).toMatchObject({ loadMultiplier: 0.25, pvMultiplier: 1, sourceVoltagePu: 1.04 });
    expect(report.nodes.every(({ bus }) => bus === bus.toUpperCase())).toBe(true);
    expect(new Set(report.nodes.map(({ phase }) => phase))).toContain('s1');
  });

  it('finds a feeder by name, by mRID in any spelling and by file', async () => {
    const list = feedersSchema.parse((await dec(['feeders', '--json', ...store])).json());
    const id = canonicalMrid(list.feeders[0]!.mrid);
    const spellings = [FLAGSHIP, id, `_${id}`, `urn:uuid:${id.toLowerCase()}`, 'inputs/feeder/IEEE123Sec.xml'];
    const sources = [];
    for (const spelling of spellings) {
      const { code, json } = await dec(['powerflow', spelling, '--json', '--quiet', ...store]);
      expect(code).toBe(0);
      sources.push(powerflowSchema.parse(json()).source.pW);
    }
    expect(new Set(sources).size).toBe(1);
  });

  it('ends with 3 on violations only when asked to be strict', async () => {
    expect((await dec(['powerflow', FLAGSHIP, ...OVERVOLTAGE, '--strict', '--quiet', ...store])).code).toBe(3);
  });

  it('shows people voltage levels, the worst nodes, losses and taps, and draws a profile', async () => {
    const picture = join(folder, 'profile.svg');
    const { code, stdout } = await dec(['powerflow', FLAGSHIP, ...OVERVOLTAGE, '--plot', picture, ...store]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^losses +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d$/m);
    expect(stdout).toMatch(/^4\.16 +\d+ +[01]\.\d{4} /m);
    expect(stdout).toMatch(/^0\.12\/0\.24 +\d+ +[01]\.\d{4} /m);
    expect(stdout).toMatch(/outside 0\.95 to 1\.05/);
    expect(stdout).toMatch(/^creg1 +ABC +0 +-16 to 16 /m);
    expect(readFileSync(picture, 'utf8').startsWith('<svg')).toBe(true);
  });

  it('lists the known feeders when the one asked for is unknown', async () => {
    const { code, stdout, stderr } = await dec([
      'powerflow',
      '_00000000-0000-0000-0000-000000000000',
      '--json',
      ...store,
    ]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(FLAGSHIP);
  });

  it.each([
    ['--load-multiplier', 'much'],
    ['--source-voltage', '2400'],
    ['--controls', 'maybe'],
    ['--taps', 'no-such-file.csv'],
  ])('refuses %s %s with 2 and says what it may be', async (option, value) => {
    const { code, stdout, stderr } = await dec(['powerflow', FLAGSHIP, option, value, ...store]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(value);
  });

  const cim = feedersDir === undefined ? '' : join(feedersDir, 'cim');
  if (feedersDir === undefined) console.warn('skipped: dec powerflow on public feeders (no ../shared/feeders)');

  it.skipIf(feedersDir === undefined)('sets and freezes taps and capacitors of state files', async () => {
    const ref = join(feedersDir!, 'ref', 'opendss', 'gridappsd_IEEE13_CDPSM__IEEE13_CDPSM');
    const states = ['--taps', `${ref}_t.csv`, '--capacitors', `${ref}_c.csv`];
    const { code, json } = await dec(['powerflow', join(cim, 'IEEE13.xml'), ...states, '--json', ...store]);
    expect(code).toBe(0);
    const report = powerflowSchema.parse(json());
    // Positions of the reference's _t file: reg1 10, reg2 8, reg3 11.
    expect(report.taps.map(({ position }) => position).sort((a, b) => a - b)).toEqual([8, 10, 11]);
  });

  it.skipIf(feedersDir === undefined)('reads several profiles of one model together', async () => {
    const part = (name: string) => join(cim, 'split_profiles', `ieee13cdpsm_${name}.XML`);
    const parts = ['FUN', 'CAT', 'EP', 'GEO', 'TOPO', 'SSH', 'DYN'].map(part);
    const split = await dec(['powerflow', ...parts, '--json', ...store]);
    const whole = await dec(['powerflow', join(cim, 'split_profiles', 'ieee13cdpsm.xml'), '--json', ...store]);
    expect([split.code, whole.code]).toEqual([0, 0]);
    const [a, b] = [powerflowSchema.parse(split.json()), powerflowSchema.parse(whole.json())];
    expect(a.source.pW).toBeCloseTo(b.source.pW, 3);
    expect(a.nodes).toHaveLength(b.nodes.length);
  });
});
