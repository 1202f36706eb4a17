/*
 * What reading gave when it was recorded, so that work on its speed changes nothing: findings by code, the feeder and the
 * voltages of its power flow bit by bit. The record is no outside truth; that the feeders are right is told by the other tests.
 *
 * After a change that is meant: DEC_RECORD=1 npx vitest run tests/golden/cim/reading.long.test.ts, then biome check --write on it and look at the difference of
 * reading.json. Models that are not at hand keep their entry.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type ModelFiles, ownModels, publicModels, type Reading, readingOf } from './reading.js';

const file = fileURLToPath(new URL('reading.json', import.meta.url));
const record: Record<string, Reading> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const isRecording = process.env['DEC_RECORD'] === '1';
const others = publicModels();
if (others.length === 0) console.warn('skipped: readings of the public CIM files (set DEC_FEEDERS)');

function check(models: readonly ModelFiles[]): void {
  it.each(models)('$name gives the findings, feeder and voltages that were recorded', (model) => {
    const reading = readingOf(model);
    if (isRecording) record[model.name] = reading;
    else expect(reading).toEqual(record[model.name]);
  });
}

describe('readings of our own models', () => check(ownModels()));
describe.skipIf(others.length === 0)('readings of the public models', () => check(others));

afterAll(() => {
  if (!isRecording) return;
  const sorted = Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 1)}\n`);
});
