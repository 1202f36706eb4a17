import type { BranchAttributes, Bus, Feeder } from '../../grid/model/index.js';
import { busTree, treePlaces } from './bus-tree.js';

/** A bus of the drawing, or a whole secondary network drawn as one. */
export interface LayoutNode {
  /** Id of the bus; of a secondary network that of its first bus. */
  readonly id: string;
  /** All buses it stands for. */
  readonly buses: readonly string[];
  readonly isSecondary: boolean;
  /** Pixels inside the drawing, y downwards. */
  readonly x: number;
  readonly y: number;
}

/** All branches of one kind and state between two nodes. */
export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
  readonly elementIds: readonly string[];
  readonly kind: BranchAttributes['kind'];
  /** Number of phases of all together. */
  readonly phases: number;
  readonly isOpen: boolean;
  /** True when a transformer of it has a tap changer. */
  readonly isRegulated: boolean;
  /** True when it leads away from the source in the tree of the drawing; others close loops or stand open. */
  readonly isTree: boolean;
}

/** Where everything of a one-line diagram stands. */
export interface OneLineLayout {
  readonly method: 'coordinates' | 'tree';
  readonly nodes: readonly LayoutNode[];
  readonly edges: readonly LayoutEdge[];
  /** Branches inside collapsed secondaries. */
  readonly hiddenIds: readonly string[];
  readonly width: number;
  readonly height: number;
}

/** Feeders with more buses have their secondary networks collapsed. */
export const COLLAPSE_ABOVE = 300;
/** Line-to-neutral voltage below which a bus belongs to a secondary network, V. */
const SECONDARY_V = 1000;
/** Room that a symbol on a branch needs, px. */
const SYMBOL_GAP = 26;
/** Cosine of the angle, 40 degrees, below which two directions are taken for one. */
const ALONG_COS = 0.766;
/** The same, half of the 22.5 degrees between tries, for the way on to the next bus, which is straight where it can be. */
const ONWARD_COS = 0.98;
/** Buses closer than this are taken to stand at the same place, px. */
const SAME_PLACE = 0.75;

/** Which node each bus is drawn as. */
function groups(feeder: Feeder): ReadonlyMap<string, string> {
  const groupOf = new Map(feeder.buses.map(({ id }) => [id, id]));
  if (feeder.buses.length <= COLLAPSE_ABOVE) return groupOf;
  const seen = new Set<string>();
  for (const { id } of feeder.buses) {
    if (seen.has(id) || !isLow(feeder.busById.get(id))) continue;
    const members = [id];
    seen.add(id);
    for (const bus of members) {
      feeder.graph.forEachEdge(bus, (_edge, { kind }, from, to) => {
        const other = from === bus ? to : from;
        if (kind === 'transformer' || seen.has(other) || !isLow(feeder.busById.get(other))) return;
        seen.add(other);
        members.push(other);
      });
    }
    // A network of low voltage that is most of the feeder is what one wants to see.
    if (members.length <= feeder.buses.length / 3) for (const bus of members) groupOf.set(bus, id);
  }
  return groupOf;
}

function isLow(bus: Bus | undefined): boolean {
  return bus !== undefined && bus.baseVoltageV < SECONDARY_V;
}

interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: BranchAttributes['kind'];
  readonly isOpen: boolean;
  readonly hasSymbol: boolean;
  readonly elementIds: Set<string>;
  readonly phases: Set<string>;
}

/** Branches between drawn nodes, parallel ones of a kind as one. */
function drawnEdges(feeder: Feeder, groupOf: ReadonlyMap<string, string>) {
  const edges = new Map<string, DrawnEdge>();
  const hidden = new Set<string>();
  feeder.graph.forEachEdge((_edge, { kind, elementId, phases, isOpen }, a, b) => {
    const [from, to] = [groupOf.get(a)!, groupOf.get(b)!];
    if (from === to) {
      hidden.add(elementId);
      return;
    }
    const key = [...[from, to].sort(), kind, isOpen].join('\n');
    const edge = edges.get(key) ?? {
      from,
      to,
      kind,
      isOpen,
      hasSymbol: isOpen || kind !== 'line',
      elementIds: new Set<string>(),
      phases: new Set<string>(),
    };
    edges.set(key, edge);
    edge.elementIds.add(elementId);
    for (const phase of phases.match(/s1|s2|[ABC]/g) ?? []) edge.phases.add(phase);
  });
  return { edges: [...edges.values()], hidden };
}

/**
 * Lays out the one-line diagram of a feeder: where every bus of the model has a position, there; else as a tree from the
 * source, trunks straight. No two nodes coincide. Secondary networks of feeders with more than {@link COLLAPSE_ABOVE} buses
 * are one node each.
 */
export function oneLineLayout(feeder: Feeder): OneLineLayout {
  const groupOf = groups(feeder);
  const { edges, hidden } = drawnEdges(feeder, groupOf);
  const members = new Map<string, string[]>();
  for (const { id } of feeder.buses) {
    const group = groupOf.get(id)!;
    const list = members.get(group);
    if (list) list.push(id);
    else members.set(group, [id]);
  }
  const roots = feeder.sources.flatMap(({ terminal }) => groupOf.get(terminal.bus) ?? []);
  const tree = busTree([...members.keys()], edges, roots);
  const given = givenPlaces(feeder, members);
  const placed = given ? spread(given, tree.order, tree.parent, edges) : treePlaces(tree, edges);
  const regulated = new Set(feeder.regulators.map(({ transformerId }) => transformerId));
  const isTreeEdge = new Set(tree.edges);
  return {
    method: given ? 'coordinates' : 'tree',
    width: placed.width,
    height: placed.height,
    hiddenIds: [...hidden],
    nodes: [...members].map(([id, buses]) => {
      const [x, y] = placed.at.get(id)!;
      return { id, buses, isSecondary: buses.length > 1 || isCollapsed(feeder, id), x, y };
    }),
    edges: edges.map((edge, i) => ({
      from: edge.from,
      to: edge.to,
      kind: edge.kind,
      isOpen: edge.isOpen,
      elementIds: [...edge.elementIds],
      phases: Math.min(3, Math.max(1, edge.phases.size)),
      isRegulated: [...edge.elementIds].some((id) => regulated.has(id)),
      isTree: isTreeEdge.has(i),
    })),
  };
}

/** A single bus at the low side of a transformer is a secondary too, where secondaries are collapsed. */
function isCollapsed(feeder: Feeder, bus: string): boolean {
  if (feeder.buses.length <= COLLAPSE_ABOVE || !isLow(feeder.busById.get(bus))) return false;
  return feeder.graph.edges(bus).every((edge) => feeder.graph.getEdgeAttribute(edge, 'kind') === 'transformer');
}

type Places = Map<string, readonly [number, number]>;

/** Positions of the model scaled to the drawing; undefined when one is missing or they say nothing. */
function givenPlaces(feeder: Feeder, members: ReadonlyMap<string, readonly string[]>) {
  const raw: Places = new Map();
  for (const [id, buses] of members) {
    const points = buses.flatMap((bus) => {
      const { x, y } = feeder.busById.get(bus)!;
      return Number.isFinite(x) && Number.isFinite(y) ? [[x!, y!] as const] : [];
    });
    // A collapsed network without positions stands beside the bus that feeds it.
    if (points.length === 0) return undefined;
    const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
    raw.set(id, [mean(0), mean(1)]);
  }
  const distinct = new Set([...raw.values()].map(([x, y]) => `${x} ${y}`)).size;
  if (distinct < Math.max(2, raw.size / 3)) return undefined;
  const range = (axis: 0 | 1) => {
    const values = [...raw.values()].map((point) => point[axis]);
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] as const;
  };
  const [[left, right], [bottom, top]] = [range(0), range(1)];
  const [most, highest] = raw.size > 200 ? [1300, 1000] : raw.size > 40 ? [1050, 800] : [760, 600];
  const scale = Math.min(most / Math.max(right - left, 1e-12), highest / Math.max(top - bottom, 1e-12));
  const at: Places = new Map([...raw].map(([id, [x, y]]) => [id, [(x - left) * scale, (top - y) * scale]]));
  return { at, width: (right - left) * scale, height: (top - bottom) * scale };
}

/** Moves apart what stands at one place, and makes room for symbols on branches without length. */
function spread(
  given: { readonly at: Places; readonly width: number; readonly height: number },
  order: readonly string[],
  parent: ReadonlyMap<string, { readonly node: string; readonly edge: number }>,
  edges: readonly DrawnEdge[],
) {
  const cellOf = (x: number, y: number) => `${Math.floor(x / SYMBOL_GAP)} ${Math.floor(y / SYMBOL_GAP)}`;
  const cells = new Map<string, [number, number][]>();
  const nearest = (x: number, y: number, reach = 1) => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = -reach; i <= reach; i++) {
      for (let j = -reach; j <= reach; j++) {
        for (const [a, b] of cells.get(cellOf(x + i * SYMBOL_GAP, y + j * SYMBOL_GAP)) ?? []) {
          best = Math.min(best, Math.hypot(a - x, b - y));
        }
      }
    }
    return best;
  };
  // Small drawings have room for buses that can be told apart.
  const least = order.length <= 60 ? SYMBOL_GAP / 2 : SAME_PLACE;
  const at: Places = new Map();
  const put = (id: string, x: number, y: number) => {
    at.set(id, [x, y]);
    const key = cellOf(x, y);
    cells.set(key, [...(cells.get(key) ?? []), [x, y]]);
  };
  const moved = order.filter((id) => {
    const [x, y] = given.at.get(id)!;
    const from = parent.get(id);
    const [px, py] = (from && at.get(from.node)) ?? [Number.NaN, Number.NaN];
    const needsRoom = from !== undefined && edges[from.edge]!.kind !== 'line';
    const isTight = nearest(x, y) < least || (needsRoom && Math.hypot(x - px, y - py) < SYMBOL_GAP * 0.7);
    if (!isTight) put(id, x, y);
    return isTight;
  });
  const around = new Map<string, string[]>(order.map((id) => [id, []]));
  for (const { from, to } of edges) {
    around.get(from)!.push(to);
    around.get(to)!.push(from);
  }
  /** Directions in which branches leave a place already, rad. */
  const leaving = (id: string | undefined, x: number, y: number) =>
    (id === undefined ? [] : around.get(id)!).flatMap((other) => {
      const [ox, oy] = at.get(other) ?? [x, y];
      return Math.hypot(ox - x, oy - y) < 1 ? [] : [Math.atan2(oy - y, ox - x)];
    });
  // After all others, so that those keep their places and these see who is there.
  for (const id of moved) {
    const [x, y] = at.get(parent.get(id)?.node ?? '') ?? given.at.get(id)!;
    const taken = leaving(parent.get(id)?.node, x, y);
    const onward = leaving(id, x, y);
    let best: readonly [number, number, number] = [x, y, -1];
    for (let ring = 1; ring <= 6 && best[2] < SYMBOL_GAP * 0.6; ring++) {
      for (let k = 0; k < 16; k++) {
        const angle = (k * Math.PI) / 8;
        const [cx, cy] = [x + ring * SYMBOL_GAP * Math.cos(angle), y + ring * SYMBOL_GAP * Math.sin(angle)];
        // Along a branch that leaves there it would hide that branch.
        const isAlong = taken.some((other) => Math.cos(angle - other) > ALONG_COS);
        const isOnward = onward.some((other) => Math.cos(angle - other) > ONWARD_COS);
        const room = Math.min(nearest(cx, cy, 2), SYMBOL_GAP * 2) * (isAlong ? 0.3 : isOnward ? 1.2 : 1);
        if (room > best[2] + 1e-9) best = [cx, cy, room];
      }
    }
    put(id, best[0], best[1]);
  }
  const points = [...at.values()];
  const lowest = (axis: 0 | 1) => points.reduce((low, point) => Math.min(low, point[axis]), 0);
  const largest = (axis: 0 | 1) => points.reduce((high, point) => Math.max(high, point[axis]), 0);
  const [dx, dy] = [lowest(0), lowest(1)];
  for (const [id, [x, y]] of at) at.set(id, [x - dx, y - dy]);
  return { at, width: largest(0) - dx, height: largest(1) - dy };
}
