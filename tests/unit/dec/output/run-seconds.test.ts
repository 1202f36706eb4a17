import { expect, it } from 'vitest';
import { takenOver } from '../../../../dec/coordinator/succession.js';
import { runManifest } from '../../../../dec/output/manifest.js';
import { secondsRows } from '../../../../dec/output/run-seconds.js';
import { manifestSchema } from '../../../../dec/schema/index.js';
import { runResult } from '../../../builders/run-result.js';

const EXTRAS = { name: 'run', inputs: [], versions: {}, seed: 1 };

// What a reviewer's run left that was killed in its second interval: 205.29 s of coordination in 177.24 s.
const result = runResult({ intervals: 6 });
const continued = {
  ...result,
  summary: { ...result.summary, seconds: 205.29 },
  takenOver: takenOver([{ seconds: 32.96 }])!,
  seconds: 177.24,
};

it('a run that goes on with another tells the seconds of both apart', () => {
  expect(secondsRows(continued)).toEqual([
    ['seconds of coordination', '172.33, and 32.96 of the run it goes on with'],
    ['seconds in all, this run', '177.24'],
  ]);
  const manifest = manifestSchema.parse(JSON.parse(JSON.stringify(runManifest(continued, EXTRAS, 'run', []))));
  expect(manifest).toMatchObject({ takenOver: { intervals: 1, seconds: 32.96 }, seconds: 177.24 });
});

it('a run of one life tells its own', () => {
  expect(takenOver([])).toBeUndefined();
  expect(secondsRows(result)).toEqual([
    ['seconds of coordination', '0.50'],
    ['seconds in all', '1.00'],
  ]);
  expect(runManifest(result, EXTRAS, 'run', [])).not.toHaveProperty('takenOver');
});
