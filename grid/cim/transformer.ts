import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';
import { readTransformerEnds } from './transformer-ends.js';
import { readTank } from './transformer-tank.js';
import { type ReadTransformer, sortedByEndNumber, type WindingPlace } from './winding.js';

/**
 * Maps one PowerTransformer.
 *
 * @returns its units; undefined, with a finding, when it cannot be placed
 */
export function readTransformer(eq: CimEquipment, bank: CimObject): ReadTransformer | undefined {
  const tanks = eq.index.referrersOf(bank, 'TransformerTank.PowerTransformer');
  if (tanks.length === 0) {
    return readTransformerEnds(
      eq,
      bank,
      sortedByEndNumber(
        eq,
        eq.index.referrersOf(bank, 'PowerTransformerEnd.PowerTransformer'),
        'TransformerEnd.endNumber',
      ),
    );
  }
  const ends = new Map<string, WindingPlace>();
  const transformers = tanks.flatMap((tank) => {
    if (!eq.isInService(tank)) return [];
    const read = readTank(eq, bank, tank, ends);
    return read ? [read] : [];
  });
  return { transformers, ends };
}
