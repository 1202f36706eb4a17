import type { CimObject } from './cim-object.js';

/** A phase as CIM writes it. */
export type CimPhase = 'A' | 'B' | 'C' | 'N' | 's1' | 's2';

/** Phases of the codes met; there are few. */
const KNOWN = new Map<string, readonly CimPhase[]>();
const MAX_KNOWN = 256;
const NONE: readonly CimPhase[] = [];

const TOKEN = /s12|s21|s1|s2|[ABCN]/g;

/**
 * Phases of a PhaseCode, OrderedPhaseCodeKind or SinglePhaseKind in the order written: `OrderedPhaseCodeKind.Ns2` is N, s2.
 *
 * @returns an empty list for absent values and for `none`, `X`, `XY` and the like
 */
export function phasesOf(code: string | undefined): readonly CimPhase[] {
  if (code === undefined) return NONE;
  const known = KNOWN.get(code);
  if (known) return known;
  const phases = read(code);
  if (KNOWN.size < MAX_KNOWN) KNOWN.set(code, phases);
  return phases;
}

function read(code: string): readonly CimPhase[] {
  const member = code.slice(code.lastIndexOf('.') + 1);
  const phases: CimPhase[] = [];
  for (const [token] of member.matchAll(TOKEN)) {
    if (token === 's12') phases.push('s1', 's2');
    else if (token === 's21') phases.push('s2', 's1');
    else if (token === 's1' || token === 's2') phases.push(token);
    else if (token === 'A' || token === 'B' || token === 'C' || token === 'N') phases.push(token);
  }
  return phases;
}

/** Node number of a phase, the neutral as an explicit conductor (4). */
export function nodeOfPhase(phase: CimPhase): number {
  switch (phase) {
    case 'A':
    case 's1':
      return 1;
    case 'B':
    case 's2':
      return 2;
    case 'C':
      return 3;
    case 'N':
      return 4;
  }
}

/** Whether a phase is a leg of a split-phase secondary. */
export function isSecondaryPhase(phase: CimPhase): boolean {
  return phase === 's1' || phase === 's2';
}

/** The member of an enumeration value: `D` of `WindingConnection.D`, whether written as a link or as text. */
export function memberOf(value: string | undefined): string {
  return value === undefined ? '' : value.slice(value.lastIndexOf('.') + 1);
}

/** Node at the far end of a delta share that starts at a node: A to B, B to C, C to A; s1 to s2. */
export function deltaPartner(node: number, isSplitPhase: boolean): number {
  if (isSplitPhase) return node === 1 ? 2 : 1;
  return (node % 3) + 1;
}

/** Sorts phase objects by their sequence numbers where all have one, else by phase. */
export function orderedPhaseObjects(
  objects: readonly CimObject[],
  phaseAttribute: string,
  sequenceOf?: (object: CimObject) => number | undefined,
): CimObject[] {
  const rank = (object: CimObject) => {
    const phase = phasesOf(object.get(phaseAttribute))[0];
    return phase ? nodeOfPhase(phase) : 9;
  };
  if (objects.length === 1) {
    // The only one is asked all the same: its attributes count as read.
    rank(objects[0]!);
    sequenceOf?.(objects[0]!);
    return [...objects];
  }
  const order = objects.map((object) => ({ object, rank: rank(object), sequence: sequenceOf?.(object) }));
  const hasSequence = order.every(({ sequence }) => sequence !== undefined);
  const isBefore = (a: (typeof order)[number], b: (typeof order)[number]) =>
    hasSequence ? (a.sequence ?? 0) <= (b.sequence ?? 0) : a.rank <= b.rank;
  if (order.every((one, k) => k === 0 || isBefore(order[k - 1]!, one))) return [...objects];
  order.sort((a, b) => (hasSequence ? (a.sequence ?? 0) - (b.sequence ?? 0) : a.rank - b.rank));
  return order.map(({ object }) => object);
}
