/*
 * Quantities that two objects give: two tests of one pair of windings, two entries of a matrix at one place. One of them would
 * be taken and the other left, by the order of the file.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';

/** Objects that give one quantity of their wholes, and by which links they hang at these. */
interface GivenOnce {
  readonly className: string;
  readonly what: string;
  readonly links: readonly string[];
  /** Links back from a whole. */
  readonly from?: readonly string[];
}

const GIVEN_ONCE: readonly GivenOnce[] = [
  { className: 'NoLoadTest', what: 'no-load test of this winding', links: ['NoLoadTest.EnergisedEnd'] },
  {
    ...{ className: 'ShortCircuitTest', what: 'short-circuit test of these windings' },
    links: ['ShortCircuitTest.EnergisedEnd', 'ShortCircuitTest.GroundedEnds'],
  },
  {
    ...{ className: 'TransformerMeshImpedance', what: 'impedance between these windings' },
    links: [
      ...['TransformerMeshImpedance.FromTransformerEnd', 'TransformerMeshImpedance.ToTransformerEnd'],
      ...['TransformerMeshImpedance.FromTransformerEndInfo', 'TransformerMeshImpedance.ToTransformerEndInfos'],
    ],
  },
  {
    ...{ className: 'TransformerCoreAdmittance', what: 'core admittance of this winding' },
    links: ['TransformerCoreAdmittance.TransformerEnd', 'TransformerCoreAdmittance.TransformerEndInfo'],
    from: ['TransformerEnd.CoreAdmittance', 'TransformerEndInfo.CoreAdmittance'],
  },
];

const CELL = 'PhaseImpedanceData';

/** A number of an entry; looking does not count as reading it. */
function numberOf(eq: CimEquipment, cell: CimObject, name: string): number {
  const text = cell.peek(eq.index.attributeCode(`${CELL}.${name}`));
  return text === '' ? Number.NaN : Number(text);
}

/** Where an entry of an impedance matrix stands: the matrix is symmetric. */
function placeOf(eq: CimEquipment, cell: CimObject): string | undefined {
  const row = numberOf(eq, cell, 'row');
  const column = numberOf(eq, cell, 'column');
  if (!Number.isNaN(row) && !Number.isNaN(column)) return `${Math.max(row, column)}, ${Math.min(row, column)}`;
  const place = numberOf(eq, cell, 'sequenceNumber');
  return Number.isNaN(place) ? undefined : `number ${place}`;
}

/** An entry above the diagonal beside its mirror below it is no second one when they agree. */
function isMirrored(eq: CimEquipment, [first, second, ...others]: readonly CimObject[]): boolean {
  if (!first || !second || others.length > 0) return false;
  return ['r', 'x', 'b', 'g'].every((name) => Object.is(numberOf(eq, first, name), numberOf(eq, second, name)));
}

function collected(groups: Map<string, CimObject[]>, key: string, object: CimObject): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [object]);
  else if (!group.includes(object)) group.push(object);
}

/** Names every quantity that several objects give, with all of them: which is meant is not known. */
export function nameSecondValues(eq: CimEquipment): void {
  const told = (object: CimObject) => (object.name === '' ? object.mrid : `${object.name} (${object.mrid})`);
  const tell = (objects: readonly CimObject[], attribute: string, what: string) => {
    const value = objects.map(told).join(', ');
    const message = `There are ${objects.length} of one ${what}: ${value}; which is meant is not known.`;
    eq.findings.add('error', 'CONFLICTING_VALUE', objects[1]!, message, { attribute, value, allowed: 'one' });
  };
  for (const { className, what, links, from = [] } of GIVEN_ONCE) {
    const groups = new Map<string, CimObject[]>();
    for (const object of eq.index.byClass(className)) {
      const ends = links.flatMap((link) => object.targets(link));
      const back = from.flatMap((link) => eq.index.referrersOf(object, link).map(({ id }) => id));
      // A core admittance may serve several windings, each of which has one.
      if (from.length > 0) for (const end of [...ends, ...back]) collected(groups, end, object);
      // From which side it is seen counts: both may be given.
      else if (ends.length > 0) collected(groups, [ends[0], ...ends.slice(1).sort()].join(' '), object);
    }
    for (const objects of groups.values()) if (objects.length > 1) tell(objects, links[0]!, what);
  }
  const cells = new Map<string, CimObject[]>();
  for (const cell of eq.index.byClass(CELL)) {
    const place = placeOf(eq, cell);
    if (place === undefined) continue;
    for (const matrix of cell.targets(`${CELL}.PhaseImpedance`)) collected(cells, `${matrix} ${place}`, cell);
  }
  for (const [key, objects] of cells) {
    if (objects.length < 2 || isMirrored(eq, objects)) continue;
    tell(objects, `${CELL}.row`, `place in a matrix, ${key.slice(key.indexOf(' ') + 1)}`);
  }
}
