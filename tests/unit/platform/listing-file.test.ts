import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  flagshipPath,
  formatListing,
  listingEntries,
  listingOf,
  listingPath,
  openModelStore,
} from '../../../platform/index.js';
import { smallSecondariesFile } from '../../builders/small-secondaries.js';

describe('the listing beside a model file', () => {
  let folder = '';
  let file = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dec-listing-'));
    file = smallSecondariesFile(folder);
    writeFileSync(listingPath(file), formatListing(file, [{ name: 'told', mrid: 'M-1', counts: {}, errors: 0 }]));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('of the built-in feeder is what reading it gives (a snapshot: vitest -u writes it anew)', async () => {
    const path = flagshipPath();
    await expect(formatListing(path, listingEntries(path))).toMatchFileSnapshot(listingPath(path));
    expect(listingOf(path)).toHaveLength(1);
  });

  it('is what a list tells, without reading the model', () => {
    expect(openModelStore(undefined, { builtIn: [file] }).list()).toEqual([
      { name: 'told', mrid: 'M-1', counts: {}, errors: 0, origin: 'built in' },
    ]);
  });

  it('holds for the bytes it was made from alone, and is nothing when it is damaged', () => {
    const other = join(folder, 'other.xml');
    copyFileSync(file, other);
    copyFileSync(listingPath(file), listingPath(other));
    expect(listingOf(other)).toHaveLength(1);
    writeFileSync(other, `${' '}`, { flag: 'a' });
    expect(listingOf(other)).toBeUndefined();
    expect(openModelStore(undefined, { builtIn: [other] }).list()).toMatchObject([{ name: 'small_secondaries' }]);
    copyFileSync(file, other);
    writeFileSync(listingPath(other), '{"sha256"');
    expect(listingOf(other)).toBeUndefined();
    expect(listingOf(join(folder, 'absent.xml'))).toBeUndefined();
  });
});
