import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunLibrary } from '../../../../dec/web/run-library.js';
import { comparedRun, rulesText } from '../../../../web/index.js';

/*
 * Runs in the likeness of the sample: one whose rule and limits people changed while it went on, and one that a single hand planned.
 */

const folder = mkdtempSync(join(tmpdir(), 'dec-library-'));
const library = new RunLibrary(folder);

beforeAll(() => {
  for (const id of ['changed', 'planned']) cpSync('outputs/sample', join(folder, id), { recursive: true });
  const path = join(folder, 'changed/manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  for (const one of manifest.intervals.slice(5)) {
    one.fairness = 'equalAlpha';
    one.inForce = { limits: { minPu: 0.95, maxPu: 1.03 }, loadMultiplier: 0.25, pvMultiplier: 1 };
  }
  writeFileSync(path, JSON.stringify(manifest));
  const csv = join(folder, 'planned/setpoints.csv');
  const [head, ...rows] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  const primary = rows.map((row) => row.split(',').with(2, 'primary').join(','));
  writeFileSync(csv, `${[head, ...primary].join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the document of a run', () => {
  it('has the rule and the limits that were in force in each interval', async () => {
    const run = await library.document('changed');
    expect(run.limits).toEqual({ minPu: 0.95, maxPu: 1.05 });
    expect(run.intervals.map(({ limits }) => limits?.maxPu)).toEqual(
      run.intervals.map((_, index) => (index < 5 ? 1.05 : 1.03)),
    );
    expect(rulesText(run.intervals, run.settings['fairness'])).toBe('proportional, then equalAlpha');
    expect(comparedRun(run).fairness).toBe('proportional, then equalAlpha');
    expect(run.isByUnit).toBe(false);
  });

  it('names the table that is damaged or missing, and what to do', async () => {
    for (const name of ['voltages.parquet', 'setpoints.csv']) {
      const id = `damaged-${name}`;
      cpSync('outputs/sample', join(folder, id), { recursive: true });
      if (name.endsWith('.csv')) rmSync(join(folder, id, name));
      else writeFileSync(join(folder, id, name), 'PAR1');
      await expect(library.document(id)).rejects.toMatchObject({
        code: 'BAD_ARGUMENT',
        message: expect.stringContaining(`${name} is missing or damaged`),
      });
    }
  });

  it('has curtailment by unit where all are in one hand, so that shares are not of their sum', async () => {
    const run = await library.document('planned');
    expect(run.isByUnit).toBe(true);
    const byAgent = await library.document('changed');
    const sum = (of: typeof run) => of.intervals[4]!.curtailment.reduce((all, { curtailedW }) => all + curtailedW, 0);
    expect(sum(run)).toBeCloseTo(sum(byAgent), 6);
    expect(run.intervals[4]!.curtailment).toHaveLength(run.ders);
    expect(comparedRun(run).sharesPct[0]).toBeGreaterThan(comparedRun(byAgent).sharesPct[0]! - 1e-9);
    expect(rulesText(run.intervals, run.settings['fairness'])).toBe('proportional');
  });
});
