import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { canonicalMrid, type Feeder, findAreas, type StoredArea, secondaryAreasOf } from '../../../grid/model/index.js';
import { feedersDir } from '../../feeders.js';

const publicDir = feedersDir ? `${feedersDir}/cim/` : undefined;
if (!publicDir)
  console.warn('skipped: areas against the objects stored in the public measurement files (feeders absent)');

function read(path: string): Feeder {
  const [feeder] = readFeeders(readCimText([{ name: path, text: readFileSync(path, 'utf8') }])).feeders;
  return feeder!;
}

/** One line per area: its equipment, sorted; the terminals stored in the same list left out. */
function storedSets(feeder: Feeder, kind: StoredArea['kind']): string[] {
  return feeder.storedAreas
    .filter((area) => area.kind === kind)
    .map(({ equipment, boundaryTerminals }) => equipment.filter((id) => !boundaryTerminals.includes(id)))
    .map((equipment) => [...equipment].sort().join(' '))
    .sort();
}

function foundSets(areas: readonly { readonly equipment: readonly string[] }[]): string[] {
  return areas.map(({ equipment }) => [...equipment].sort().join(' ')).sort();
}

function expectStoredAreas(feeder: Feeder, switchCount: number, secondaryCount: number): void {
  const tree = findAreas(feeder);
  const secondaries = secondaryAreasOf(tree);
  expect(tree.switchAreas).toHaveLength(switchCount);
  expect(secondaries).toHaveLength(secondaryCount);
  expect(foundSets([tree.feederArea])).toEqual(storedSets(feeder, 'FeederArea'));
  expect(foundSets(tree.switchAreas)).toEqual(storedSets(feeder, 'SwitchArea'));
  expect(foundSets(secondaries)).toEqual(storedSets(feeder, 'SecondaryArea'));
  // Equal sets give equal ids, and every secondary lies in the switch area that the file names.
  const stored = new Map(feeder.storedAreas.map((area) => [canonicalMrid(area.mrid), area]));
  expect(new Set(tree.switchAreas.map(({ id }) => id)).size).toBe(switchCount);
  for (const area of tree.switchAreas) {
    expect(stored.get(canonicalMrid(area.id))?.kind).toBe('SwitchArea');
    for (const { id } of area.secondaryAreas) {
      expect(canonicalMrid(stored.get(canonicalMrid(id))?.parent ?? '')).toBe(canonicalMrid(area.id));
    }
  }
}

describe('areas found from the graph', () => {
  it.skipIf(!publicDir)('equal the 8 switch and 83 secondary areas stored in IEEE123_PV_meas', () => {
    expectStoredAreas(read(`${publicDir}IEEE123_PV_meas.xml`), 8, 83);
  });

  it.skipIf(!publicDir)(
    'equal the 4 switch and 2 secondary areas stored in IEEE13_meas, whose fuse bounds none',
    () => {
      expectStoredAreas(read(`${publicDir}IEEE13_meas.xml`), 4, 2);
    },
  );

  it.skipIf(!publicDir)('equal the 6 switch areas and the secondary area stored in IEEE123_meas', () => {
    expectStoredAreas(read(`${publicDir}IEEE123_meas.xml`), 6, 1);
  });

  it.skipIf(!publicDir)(
    'are the feeder alone in ACEP_PSIL_meas, which has no switch and its source at low voltage',
    () => {
      expectStoredAreas(read(`${publicDir}ACEP_PSIL_meas.xml`), 0, 0);
    },
  );

  it('equal the 6 switch and 83 secondary areas stored in the flagship feeder', () => {
    expectStoredAreas(read(fileURLToPath(new URL('../../../inputs/feeder/IEEE123Sec.xml', import.meta.url))), 6, 83);
  });
});
