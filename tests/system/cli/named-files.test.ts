import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coordinationSchema } from '../../../dec/schema/index.js';
import { dec } from './dec.js';

/** A pair in the ancestor's form: three buses in a row at 2400 V, 300 kW of PV a phase at A and 200 kW at B. */
const each = <T>(value: T) => [value, value, value];
const bus = (idx: number, pvW: number) => ({
  idx,
  kv: 2.4,
  phases: ['1', '2', '3'],
  nodes: [3 * idx, 3 * idx + 1, 3 * idx + 2],
  pq: each([0, 0]),
  pv: each([pvW, 0]),
});
const BUSES = { S: bus(0, 0), A: bus(1, 300_000), B: bus(2, 200_000) };
const zprim = [0, 1, 2].map((i) => [0, 1, 2].map((j) => (i === j ? [0.4, 0.8] : [0, 0])));
const line = (idx: number, from: string, to: string) => ({
  idx,
  type: 'LINE',
  phases: [1, 2, 3],
  from: idx,
  to: idx + 1,
  fr_bus: from,
  to_bus: to,
  zprim,
});
const BRANCHES = { first: line(0, 'S', 'A'), second: line(1, 'A', 'B') };

let folder = '';
let model: string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dec-named-'));
  model = [join(folder, 'buses.json'), join(folder, 'branches.json')];
  writeFileSync(model[0]!, JSON.stringify(BUSES));
  writeFileSync(model[1]!, JSON.stringify(BRANCHES));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function coordinate(...options: string[]) {
  return dec(['coordinate', ...model, '--source-voltage', '1.02', ...options]);
}

async function feedback(file: string) {
  const { code, stderr, json } = await coordinate('--fairness', 'feedback', '--feedback', file, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return coordinationSchema.parse(json());
}

describe('dec coordinate --feedback FILE', () => {
  it('writes what was served, in a folder that it makes, and the next run goes on from it', async () => {
    const file = join(folder, 'kept', 'feedback.json');
    const first = await feedback(file);
    const begun = JSON.parse(readFileSync(file, 'utf8'));
    expect(begun.intervals).toHaveLength(1);
    // A quarter of an hour by default: energy is a quarter of the power.
    for (const { availableW } of first.ders) {
      expect(Object.values(begun.intervals[0].availableWh)).toContainEqual(expect.closeTo(availableW / 4, 6));
    }
    const plain = coordinationSchema.parse(
      (await coordinate('--fairness', 'proportional', '--method', 'central', '--json')).json(),
    );
    // Nothing was served before the first run, so that all factors are one.
    for (const [k, { alpha }] of first.ders.entries()) expect(alpha).toBeCloseTo(plain.ders[k]!.alpha, 6);

    const second = await feedback(file);
    const gone = JSON.parse(readFileSync(file, 'utf8'));
    expect(gone.intervals).toHaveLength(2);
    expect(gone.intervals[0]).toEqual(begun.intervals[0]);
    // Whoever was curtailed more is curtailed less now.
    const most = first.ders[0]!.alpha > first.ders[1]!.alpha ? 0 : 1;
    expect(second.ders[most]!.alpha).toBeLessThan(first.ders[most]!.alpha - 1e-3);
    expect(second.ders[1 - most]!.alpha).toBeGreaterThan(first.ders[1 - most]!.alpha + 1e-3);
  });

  it.each([
    ['{"intervals": [', /is no JSON/],
    ['{"intervals": [], "factors": {"x": -1}}', /is not as this program writes it \(factors\.x/],
    ['[]', /is not as this program writes it/],
  ])('refuses the content %s with 2, and leaves the file as it is', async (content, why) => {
    const file = join(folder, 'garbled.json');
    writeFileSync(file, content);
    const { code, stdout, stderr } = await coordinate('--fairness', 'feedback', '--feedback', file);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
    expect(stderr).toContain('garbled.json');
    expect(readFileSync(file, 'utf8')).toBe(content);
  });

  it('refuses a folder in the place of the file with 2', async () => {
    const place = join(folder, 'a-folder.json');
    mkdirSync(place, { recursive: true });
    const { code, stdout, stderr } = await coordinate('--fairness', 'feedback', '--feedback', place);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/feedback file .*cannot be read/);
  });
});

describe('files that dec coordinate writes', () => {
  it.each([
    ['--feedback', ['--fairness', 'feedback', '--feedback'], 'f.json', /folder of the feedback file/],
    ['--envelopes', ['--envelopes'], 'limits.csv', /folder of the file of limits/],
  ])('%s in a place that is no folder ends with 2 and says so', async (_, options, name, why) => {
    const { code, stdout, stderr } = await coordinate(...options, join(model[0]!, name));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(why);
  });

  it('--envelopes onto a folder ends with 2 and says so', async () => {
    const place = join(folder, 'folder.csv');
    mkdirSync(place, { recursive: true });
    const { code, stderr } = await coordinate('--envelopes', place);
    expect(code).toBe(2);
    expect(stderr).toMatch(/file of limits .*folder\.csv cannot be used/);
  });

  it('--envelopes makes the folder of its file', async () => {
    const file = join(folder, 'new', 'limits.csv');
    const { code } = await coordinate('--envelopes', file);
    expect([code, existsSync(file)]).toEqual([0, true]);
  });
});
