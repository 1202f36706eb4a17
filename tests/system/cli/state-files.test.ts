import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { powerflowSchema } from '../../../dec/schema/index.js';
import { dec, FLAGSHIP } from './dec.js';

let folder = '';
let store: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-states-'));
  store = ['--store', join(folder, 'models')];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dec powerflow with state files', () => {
  it('refuses a file without anything usable, naming file and line', async () => {
    const path = join(folder, 'garbage.csv');
    for (const option of ['--taps', '--capacitors']) {
      writeFileSync(path, '\n\nhello world\n');
      const garbage = await dec(['powerflow', FLAGSHIP, option, path, ...store]);
      expect([garbage.code, garbage.stdout]).toEqual([2, '']);
      expect(garbage.stderr).toContain(`${path}:3: The state file has no line that can be used`);
      writeFileSync(path, '');
      const empty = await dec(['powerflow', FLAGSHIP, option, path, ...store]);
      expect(empty.code).toBe(2);
      expect(empty.stderr).toContain(`${path}:1: `);
    }
  });

  it('names the file beside what it could not read or place', async () => {
    const path = join(folder, 'taps.csv');
    writeFileSync(path, 'Name, Position\nnobody, 3\nnobody, 2.5\n');
    const { code, json } = await dec(['powerflow', FLAGSHIP, '--taps', path, '--json', ...store]);
    expect(code).toBe(0);
    const { findings } = powerflowSchema.parse(json());
    expect(findings.find((finding) => finding['code'] === 'MALFORMED_STATE')).toMatchObject({ line: 3, file: path });
    expect(findings.find((finding) => finding['code'] === 'UNKNOWN_DEVICE')).toMatchObject({ line: 2, file: path });
  });
});

describe('dec powerflow with parts cut off', () => {
  /** The built-in feeder with one of its switches open. */
  const withOpen = (name: string): string => {
    const text = readFileSync('inputs/feeder/IEEE123Sec.xml', 'utf8');
    const own = new RegExp(
      `(<cim:IdentifiedObject.name>${name}</cim:IdentifiedObject.name>[^]*?<cim:Switch.open>)false`,
    );
    const path = join(folder, `${name}.xml`);
    writeFileSync(path, text.replace(own, '$1true'));
    return path;
  };

  it('ends with 3 when strict: customers without any voltage are violations', async () => {
    const { code, json } = await dec(['powerflow', withOpen('sw2'), '--strict', '--json', ...store]);
    expect(code).toBe(3);
    const { violations } = powerflowSchema.parse(json());
    const dead = violations.filter(({ voltagePu }) => voltagePu === 0);
    expect(dead.length).toBeGreaterThan(100);
    expect(dead.every(({ limit }) => limit === 0.95)).toBe(true);
  });

  it('gives every customer 0 V where the head switch is open, and says that none is supplied', async () => {
    const { code, json } = await dec(['powerflow', withOpen('sw1'), '--json', ...store]);
    expect(code).toBe(0);
    const { status, violations, nodes, losses, findings } = powerflowSchema.parse(json());
    expect(status).toBe('converged');
    expect(findings.filter((finding) => finding.code === 'NO_SUPPLY')).toMatchObject([{ severity: 'warning' }]);
    expect(violations.every(({ voltagePu }) => voltagePu === 0)).toBe(true);
    expect(violations.length).toBeGreaterThan(200);
    // What is left of voltage is behind the source alone.
    expect(nodes.filter(({ voltagePu }) => (voltagePu ?? 0) > 0.5).length).toBeLessThan(12);
    expect(losses.pW).toBeLessThan(1);
  });

  it('does not coordinate such a feeder', async () => {
    const { code, stderr } = await dec(['coordinate', withOpen('sw1'), '--json', ...store]);
    expect(code).toBe(2);
    expect(stderr).toContain('NO_SUPPLY');
  });
});
