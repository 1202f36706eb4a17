import { DecError } from '../../math/index.js';
import { type Feeder, findAreas } from '../../model/index.js';
import type { CoordinatorData } from '../coordinator-memory.js';
import type { LinearBranch } from '../linear-network.js';

/*
 * Where a primary network is cut into areas.
 *
 * Solved: a label by node, so that every area hangs on one place of one other area. A cut is named by the bus below it: all
 *         branches that feed the bus are cut.
 * Steps: 1. buses below the switches that bound areas, below named branches, or, for a number of areas, below which about an
 *        equal share of the agents hangs; 2. labels from the source downwards; 3. a cut through which two areas would feed one
 *        bus, one agent or one unit, or below which nobody is, is taken back, and 2 is repeated.
 * Cost: one pass over the branches for each cut that is taken back.
 */

/** How to cut: at the switches that bound areas, into a number of areas, or at branches by id. */
export type AreaPlan =
  | { readonly kind: 'switches' }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'branches'; readonly elementIds: readonly string[] };

/** A network cut into areas. */
export interface AreaCut {
  /** Area by node; 0 is the one with the source. Parents come before children. */
  readonly areaOf: Int32Array;
  /** By area: the bus below the cut; undefined for area 0. */
  readonly heads: readonly (string | undefined)[];
  /** Buses at which a cut was asked for and not made. */
  readonly takenBack: readonly string[];
}

/** An area, for people. */
export interface AreaMembers {
  /** Name of its first bus. */
  readonly name: string;
  /** How many agents it has; without any it is the coordinator's own. */
  readonly agents: number;
}

/** What of the coordinator's data a cut depends on. */
type Cuttable = Pick<CoordinatorData, 'network' | 'agents' | 'units'>;

/**
 * Cuts the network.
 *
 * @throws DecError BAD_ARGUMENT for a number of areas that is not positive, or branches that the network does not have
 */
export function cutIntoAreas(data: Cuttable, feeder: Feeder, plan: AreaPlan): AreaCut {
  let heads: Set<string>;
  if (plan.kind === 'count') {
    if (!Number.isInteger(plan.count) || plan.count < 1) {
      throw new DecError('BAD_ARGUMENT', `The number of areas must be 1 or more, not ${plan.count}.`, {
        count: plan.count,
      });
    }
    heads = headsByCount(data, plan.count);
  } else {
    const tree = plan.kind === 'switches' ? findAreas(feeder) : undefined;
    const ids = new Set(
      tree ? [tree.feederArea, ...tree.switchAreas].flatMap((area) => area.boundaryBranches) : planned(plan),
    );
    heads = new Set();
    const met = new Set<string>();
    for (const branch of data.network.branches) {
      if (!ids.has(branch.elementId)) continue;
      met.add(branch.elementId);
      const bus = busBelow(data, branch);
      if (bus !== '') heads.add(bus);
    }
    const lost = tree ? [] : [...ids].filter((id) => !met.has(id));
    if (lost.length > 0) {
      throw new DecError(
        'BAD_ARGUMENT',
        `Areas cannot be cut at ${lost.join(', ')}: the primary network has no such branch in service. Name closed switches or lines.`,
        { branches: lost },
      );
    }
  }
  return label(data, heads, plan.kind !== 'count');
}

/** Cuts the network at buses that an earlier cut began areas at: after a switch has moved some may be gone. */
export function cutAtBuses(data: Cuttable, heads: readonly (string | undefined)[]): AreaCut {
  return label(data, new Set(heads.filter((head) => head !== undefined)), false);
}

/** Why a cut that was asked for by name was not made. @param takenBack - names of buses */
export function notCutText(takenBack: readonly string[]): string {
  return `No area begins at ${takenBack.join(', ')}: it would have no agents, share one with another area or hang on two.`;
}

/** Names of buses, for people. */
export function namesOfBuses(feeder: Feeder, buses: readonly string[]): string[] {
  return buses.map((bus) => feeder.busById.get(bus)?.name ?? bus);
}

/** Names of areas, for people: of the bus below the cut, or of the source's. */
export function areaNames(feeder: Feeder, { heads }: AreaCut): string[] {
  const source = feeder.sources[0]?.terminal.bus ?? '';
  return namesOfBuses(
    feeder,
    heads.map((head) => head ?? source),
  );
}

function planned(plan: AreaPlan): readonly string[] {
  return plan.kind === 'branches' ? plan.elementIds : [];
}

function busBelow({ network }: Cuttable, { children }: LinearBranch): string {
  return network.nodes[children[0]!]!.bus;
}

/** Nodes of agents and own units, that must lie in one area each. */
function seats({ agents, units }: Cuttable): readonly (readonly number[])[] {
  return [...agents.map(({ portNodes }) => portNodes), ...units.map(({ nodes }) => Array.from(nodes))];
}

function label(data: Cuttable, asked: ReadonlySet<string>, isEmptyJoined: boolean): AreaCut {
  const { network } = data;
  const heads = new Set(asked);
  const takenBack: string[] = [];
  for (;;) {
    const areaOf = new Int32Array(network.nodes.length);
    const names: (string | undefined)[] = [undefined];
    const areaOfHead = new Map<string, number>();
    let wrong: number | undefined;
    for (const branch of network.branches) {
      const bus = busBelow(data, branch);
      const above = areaOf[branch.parents[0]!]!;
      let area = above;
      if (heads.has(bus)) {
        area = areaOfHead.get(bus) ?? names.length;
        if (area === names.length) {
          names.push(bus);
          areaOfHead.set(bus, area);
        }
      }
      if (branch.parents.some((node) => areaOf[node]! !== above)) {
        wrong = Math.max(...Array.from(branch.parents, (node) => areaOf[node]!));
        break;
      }
      for (const child of branch.children) areaOf[child] = area;
    }
    wrong ??= divided(data, areaOf) ?? fedTwice(data, areaOf, names.length);
    if (wrong === undefined && isEmptyJoined) wrong = empty(data, areaOf, names.length);
    const bus = wrong === undefined ? undefined : names[wrong];
    if (bus === undefined) return { areaOf, heads: names, takenBack };
    heads.delete(bus);
    takenBack.push(bus);
  }
}

/** An area that shares an agent or a unit with another. */
function divided(data: Cuttable, areaOf: Int32Array): number | undefined {
  for (const nodes of seats(data)) {
    const areas = nodes.map((node) => areaOf[node]!);
    if (new Set(areas).size > 1) return Math.max(...areas);
  }
  return undefined;
}

/** An area that hangs on several others, or that holds only a part of a bus. */
function fedTwice({ network }: Cuttable, areaOf: Int32Array, areas: number): number | undefined {
  const above = new Int32Array(areas).fill(-1);
  for (const { parents, children } of network.branches) {
    const area = areaOf[children[0]!]!;
    const from = areaOf[parents[0]!]!;
    if (area === from) continue;
    if (above[area]! >= 0 && above[area] !== from) return area;
    above[area] = from;
  }
  const areaOfBus = new Map<string, number>();
  for (const [i, { bus }] of network.nodes.entries()) {
    if (bus === '') continue;
    const known = areaOfBus.get(bus);
    if (known !== undefined && known !== areaOf[i]) return Math.max(known, areaOf[i]!);
    areaOfBus.set(bus, areaOf[i]!);
  }
  return undefined;
}

/** An area without agents and units. */
function empty(data: Cuttable, areaOf: Int32Array, areas: number): number | undefined {
  const isUsed = new Uint8Array(areas);
  for (const nodes of seats(data)) for (const node of nodes) isUsed[areaOf[node]!] = 1;
  const first = isUsed.indexOf(0, 1);
  return first < 0 ? undefined : first;
}

/** Buses below which about `agents / count` agents hang that hang below no other of them. */
function headsByCount(data: Cuttable, count: number): Set<string> {
  const { network } = data;
  const own = new Map<string, number>();
  for (const nodes of seats(data)) {
    const { bus } = network.nodes[nodes[0]!]!;
    own.set(bus, (own.get(bus) ?? 0) + 1);
  }
  const total = [...own.values()].reduce((sum, value) => sum + value, 0);
  // The bus that a bus hangs on; points inside transformers stand for the bus above them.
  const standIn = network.nodes.map(({ bus }) => bus);
  const order: string[] = [];
  const above = new Map<string, string>();
  for (const { parents, children } of network.branches) {
    const from = standIn[parents[0]!]!;
    for (const child of children) {
      const bus = network.nodes[child]!.bus;
      if (bus === '') standIn[child] = from;
      else if (bus !== from && !above.has(bus)) {
        above.set(bus, from);
        order.push(bus);
      }
    }
  }
  const carve = (share: number): { readonly heads: readonly string[]; readonly areas: number } => {
    const below = new Map(own);
    const heads: string[] = [];
    let rest = total;
    for (let k = order.length - 1; k >= 0; k--) {
      const bus = order[k]!;
      const weight = below.get(bus) ?? 0;
      if (weight >= share && weight > 0 && heads.length < count) {
        heads.push(bus);
        rest -= weight;
      } else below.set(above.get(bus)!, (below.get(above.get(bus)!) ?? 0) + weight);
    }
    // With nobody left at the source the last area, which is nearest to it, is the source's.
    if (rest === 0) heads.pop();
    return { heads, areas: heads.length + 1 };
  };
  // The largest share that gives enough areas; what is left stays with the source.
  let share = total / count;
  let cut = carve(share);
  for (let step = 0; step < 40 && share > 0.5 && cut.areas < count; step++) {
    share *= 0.9;
    cut = carve(share);
  }
  return new Set(cut.areas > count ? cut.heads.slice(0, -1) : cut.heads);
}
