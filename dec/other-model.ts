import type { CimIndex, DifferenceModel } from '../grid/cim/index.js';
import { canonicalMrid, type Feeder, type Finding } from '../grid/model/index.js';

/** A finding where a difference says that it is of another model: of none of the feeder and the headers of its files. */
export function otherModelFindings(
  { supersedes }: Pick<DifferenceModel, 'supersedes'>,
  feeder: Pick<Feeder, 'mrid' | 'name'>,
  index: CimIndex,
  path: string,
): readonly Finding[] {
  if (supersedes === undefined) return [];
  const key = (id: string) => canonicalMrid(id).toUpperCase();
  const own = [feeder.mrid, ...index.byClass('FullModel').flatMap(({ id, mrid }) => [id, mrid])].map(key);
  if (own.includes(key(supersedes))) return [];
  const message = `The difference model is of ${supersedes}, not of ${feeder.name} (${feeder.mrid}); what names objects of this feeder takes effect all the same.`;
  return [
    {
      severity: 'warning',
      code: 'DIFFERENCE_OF_OTHER',
      message,
      file: path,
      attribute: 'Model.Supersedes',
      value: supersedes,
    },
  ];
}
