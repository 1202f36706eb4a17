import { DecError } from '../math/index.js';
import type { FeederData } from '../model/index.js';
import type { Edge } from './network-builder.js';

/*
 * Loops of a network that should be a tree.
 *
 * Steps: 1. a walk from the source ends at the first branch that reaches a fed bus; the two ways back to where they meet
 *        are the loop. 2. A switch of it is opened, normally open ones first, then the one nearest to the middle of the way
 *        round, where ties between feeders stand and both arms stay short, and the walk begins again, until no loop is left
 *        or one has no switch. Opening a branch of a loop cuts nobody off, and each
 *        opening ends one independent loop: what was opened is sufficient.
 * Cost: one walk per independent loop.
 */

/** A loop: its branches in the order of the way round from where its two arms part, and the bus that is fed twice. */
export interface ClosedLoop {
  readonly bus: string;
  readonly edges: readonly Edge[];
}

/**
 * The loop that an edge closes.
 * @param feeds - edges that feed each bus, as walked from the source
 */
export function closedLoop(
  edge: Edge,
  parentBus: string,
  childBus: string,
  feeds: ReadonlyMap<string, readonly Edge[]>,
): ClosedLoop {
  const pathToRoot = (start: string) => {
    const path: Edge[] = [];
    for (let bus = start; ; ) {
      const up = feeds.get(bus)?.[0];
      if (!up || path.length > feeds.size) return path;
      path.push(up);
      bus = up.from === bus ? up.to : up.from;
    }
  };
  const one = pathToRoot(parentBus);
  const other = pathToRoot(childBus);
  while (one.length > 0 && other.length > 0 && one.at(-1) === other.at(-1)) {
    one.pop();
    other.pop();
  }
  return { bus: childBus, edges: [...one.reverse(), edge, ...other] };
}

/** Below this a line of the ancestor's case is a switch, ohm: it writes them as lines. */
const SWITCH_MAX_OHM = 1e-5;

/** What people may open, by id. A feeder without mRID is the ancestor's case: all of its branches may be opened. */
function openable(feeder: FeederData): ReadonlyMap<string, { id: string; name: string; isNormallyOpen: boolean }> {
  // A regulator without impedance stands among its switches.
  const switches = feeder.switches.filter(({ switchClass }) => switchClass !== 'Transformer');
  const lines = feeder.lines.filter(
    ({ seriesOhm: { re, im } }) => feeder.mrid === '' && [...re, ...im].every((z) => Math.abs(z) < SWITCH_MAX_OHM),
  );
  return new Map(
    [...switches, ...lines.map((line) => ({ ...line, isNormallyOpen: false }))].map((one) => [one.id, one]),
  );
}

/** Loops listed at most, and branches of each that are named. */
const LISTED = 20;
const NAMED = 12;

/**
 * The error that names all independent loops, the switches in each, and a set of switches that opens them all.
 *
 * @param next - the first loop that is left when these switches (by id) are open too
 */
export function loopError(
  feeder: FeederData,
  first: ClosedLoop,
  next: (opened: readonly string[]) => ClosedLoop | undefined,
): DecError {
  const switches = openable(feeder);
  const opened: string[] = [];
  const loops: { readonly bus: string; readonly branches: readonly string[]; readonly switches: readonly string[] }[] =
    [];
  let isSufficient = true;
  for (let loop: ClosedLoop | undefined = first; loop !== undefined && loops.length < LISTED; ) {
    const { bus, edges } = loop;
    const inside = edges.flatMap(({ id }, at) => {
      const one = switches.get(id);
      return one ? [{ ...one, offMiddle: Math.abs(at - (edges.length - 1) / 2) }] : [];
    });
    loops.push({
      bus: feeder.buses.find(({ id }) => id === bus)?.name ?? bus,
      branches: edges.map(({ name }) => name),
      switches: inside.map(({ name }) => name),
    });
    const middle = inside.reduce<(typeof inside)[number] | undefined>(
      (best, one) => (best === undefined || one.offMiddle < best.offMiddle ? one : best),
      undefined,
    );
    const chosen = inside.find(({ isNormallyOpen }) => isNormallyOpen) ?? middle;
    if (chosen === undefined) {
      isSufficient = false;
      break;
    }
    opened.push(chosen.id);
    loop = next(opened);
    if (loop !== undefined && loops.length >= LISTED) isSufficient = false;
  }
  const names = opened.map((id) => switches.get(id)?.name ?? id);
  const lines = loops.map(({ bus, branches, switches: inside }, k) => {
    const more = branches.length > NAMED ? `, ... (${branches.length} branches)` : '';
    const here = inside.length > 0 ? `its switches are ${inside.join(', ')}` : 'no switch is in it';
    return `${k + 1}. bus ${bus} is fed twice by ${branches.slice(0, NAMED).join(', ')}${more}; ${here}`;
  });
  const advice = isSufficient
    ? `Open one switch of each, for example with --open ${names.join(',')}`
    : 'Open a switch of each; where there is none the network itself has to be changed';
  return new DecError(
    'LOOP',
    `The linear model needs a tree, but the network has ${loops.length === 1 ? 'a loop' : `${loops.length} loops${isSufficient ? '' : ' or more'}`}: ${lines.join('; ')}. ${advice}.`,
    {
      branches: loops[0]?.branches ?? [],
      loops: loops.map(({ branches }) => branches.join(' ')),
      sufficient: isSufficient ? names : [],
    },
  );
}
