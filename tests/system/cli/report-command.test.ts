import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dec } from './dec.js';

describe('dec report', () => {
  let folder = '';
  let html = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dec-report-'));
    const out = join(folder, 'new/sample.html');
    const { code, json } = await dec(['report', 'sample', '--out', out, '--json']);
    expect(code).toBe(0);
    html = readFileSync(out, 'utf8');
    expect(json()).toEqual({ run: 'sample', file: out, bytes: Buffer.byteLength(html), hasMap: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes one file that needs nothing beside it and runs nothing', () => {
    const addresses = [...html.matchAll(/(?:\b(?:src|href)=|url\()["']?([^"'>\s)]+)/g)].map(
      ([, address = '']) => address,
    );
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(address.slice(0, 26)).toBe('data:image/svg+xml;base64,');
    expect(html).not.toMatch(/<script|<link|@import/i);
    expect(html).toContain("default-src 'none'");
  });

  it('looks for a path that is not there where it says, and for a name in outputs/', async () => {
    const away = join(folder, 'away', 'run');
    expect((await dec(['report', away])).stderr).toContain(`There is no run run in ${join(folder, 'away')}.`);
    expect((await dec(['report', 'nowhere'])).stderr).toMatch(/There is no run nowhere in .*outputs\./);
  });

  it('says that a time series has no report, and where its tables are', async () => {
    const series = mkdtempSync(join(folder, 'series-'));
    writeFileSync(join(series, 'manifest.json'), '{"kind":"series"}');
    const { code, stderr, stdout } = await dec(['report', series]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('holds a time series of dec series, not a run');
  });

  it('says what the manifest says, in words, figures and a row for each interval', () => {
    // outputs/sample/manifest.json: interval 0 is the hardest one, its voltages.parquet has 1982 nodes.
    expect(html).toContain(
      'At 10:00, 542 of 1\u202f982 measured nodes stood outside 0.95 to 1.05 pu, up to 1.0586 pu at S85C_6.s1.',
    );
    expect(html).toContain('That takes 428 kW of 3.06 MW (14.0 %).');
    expect(html.match(/<td>converged<\/td>/g)).toHaveLength(14);
    expect(html).toContain('5cb8a370f472b1223ac0d3e1b6019fdaef2916092c28204406144ea19958d1cd');
  });

  it('draws the feeder twice, with rings in the first picture only', () => {
    const [before = '', after = ''] = html.match(/<figcaption>[\s\S]*?<\/svg>/g) ?? [];
    expect(before).toContain('10:00, before');
    expect(after).toContain('10:05, with set-points');
    const rings = (picture: string) => picture.match(/stroke="#d1002e"/g)?.length ?? 0;
    expect(rings(before)).toBeGreaterThan(20);
    // The manifest counts no node outside after the set-points.
    expect(rings(after)).toBe(0);
  });

  it('takes what is no run as bad input', async () => {
    const { code, stderr } = await dec(['report', 'outputs/bench', '--out', join(folder, 'none.html')]);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no run bench');
  });

  it('takes a feeder file that is not there as bad input: it was named to be drawn', async () => {
    const out = join(folder, 'none.html');
    const { code, stderr } = await dec(['report', 'sample', '--feeder', 'nope.xml', '--out', out]);
    expect(code).toBe(2);
    expect(stderr).toContain('nope.xml');
    expect(existsSync(out)).toBe(false);
  });
});
