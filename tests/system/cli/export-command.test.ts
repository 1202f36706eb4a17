import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportSchema, powerflowSchema } from '../../../dec/schema/index.js';
import { dec, FLAGSHIP } from './dec.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dec export', () => {
  it('writes an OpenDSS script to a file and says so', async () => {
    const out = join(folder, 'new', 'feeder.dss');
    const { code, stdout } = await dec(['export', FLAGSHIP, 'dss', '--out', out]);
    expect([code, stdout]).toEqual([0, `Wrote ${out}.\n`]);
    const text = readFileSync(out, 'utf8');
    expect(text).toMatch(/^! ieee123sec_dec/);
    expect(text).toMatch(/\nSolve\n$/);
  });

  it('writes CIM that gives the same power flow', async () => {
    const out = join(folder, 'copy.xml');
    expect((await dec(['export', FLAGSHIP, 'cim', '--out', out])).code).toBe(0);
    const store = ['--store', join(folder, 'store')];
    const [first, second] = await Promise.all(
      [FLAGSHIP, out].map(async (name) =>
        powerflowSchema.parse((await dec(['powerflow', name, '--json', ...store])).json()),
      ),
    );
    expect(second!.feeder).toEqual(first!.feeder);
    // A boolean, so that a difference does not print two whole feeders.
    expect(JSON.stringify(second!.nodes) === JSON.stringify(first!.nodes)).toBe(true);
  });

  it('prints the script on standard output, and with --json one object', async () => {
    const { stdout } = await dec(['export', FLAGSHIP, 'dss']);
    const { json } = await dec(['export', FLAGSHIP, 'dss', '--json']);
    expect(exportSchema.parse(json())).toMatchObject({ form: 'dss', text: stdout, bytes: Buffer.byteLength(stdout) });
  });

  it('refuses what it does not know and names what it does', async () => {
    const { code, stdout, stderr } = await dec(['export', FLAGSHIP, 'matpower']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('dss, cim');
  });
});
