import { beyondPu, type LimitsPu } from './extremes.js';
import type { FeederMap, FlowDocument, NodeName, RunDocument } from './run-document.js';

/** Which phase of a bus its colour tells of; `worst` is the one farthest beyond a limit or, inside, nearest to one. */
export type PhaseChoice = 'worst' | 'highest' | 'lowest' | 'farthest' | 'A' | 'B' | 'C';
/** Which voltages: those an interval worked on, or those in the first output with its set-points. */
export type Moment = 'before' | 'after';

/** A point of the map as it is drawn: a bus, or a collapsed service area. */
export interface DrawnPoint {
  readonly key: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly kind: 'bus' | 'secondary' | 'area';
  /** Indices of buses. */
  readonly buses: readonly number[];
}

/** A line of the map. */
export interface DrawnEdge {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Indices of branches. */
  readonly branches: readonly number[];
  readonly isOpen: boolean;
  /** Conductors of different phases, 1 to 3. */
  readonly phases: number;
  readonly kind: FeederMap['branches'][number]['kind'];
}

/** A sign on the map. */
export interface DrawnSign {
  readonly kind: 'source' | 'closedSwitch' | 'openSwitch' | 'regulator' | 'capacitor';
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

/** What a map shows, without its colours. */
export interface MapView {
  readonly points: readonly DrawnPoint[];
  readonly edges: readonly DrawnEdge[];
  readonly signs: readonly DrawnSign[];
  /** The drawn point of every bus. */
  readonly pointOfBus: readonly string[];
}

/** Points, lines and signs of a feeder. @param isCollapsed - whether a service area is one point */
export function mapView(map: FeederMap, isCollapsed: boolean): MapView {
  const pointOfBus = map.buses.map(({ area }, i) => (isCollapsed && area !== null ? `area ${area}` : `bus ${i}`));
  const points: DrawnPoint[] = [];
  map.buses.forEach(({ name, x, y, area }, i) => {
    if (isCollapsed && area !== null) return;
    points.push({ key: `bus ${i}`, label: name, x, y, kind: area === null ? 'bus' : 'secondary', buses: [i] });
  });
  if (isCollapsed) {
    map.areas.forEach(({ name, x, y, buses }, i) => {
      points.push({ key: `area ${i}`, label: name, x, y, kind: 'area', buses });
    });
  }
  const at = new Map(points.map((point) => [point.key, point]));
  const edges = new Map<
    string,
    { -readonly [K in keyof DrawnEdge]: DrawnEdge[K] } & { all: number[]; letters: Set<string> }
  >();
  const signs: DrawnSign[] = [];
  map.branches.forEach((branch, i) => {
    const [from, to] = [pointOfBus[branch.from]!, pointOfBus[branch.to]!];
    if (from === to) return;
    const key = `${[from, to].sort().join('|')}|${branch.isOpen ? 'open' : ''}`;
    const { kind, isOpen } = branch;
    const edge = edges.get(key) ?? {
      key,
      from,
      to,
      branches: [],
      isOpen,
      phases: 1,
      kind,
      all: [],
      letters: new Set<string>(),
    };
    edges.set(key, edge);
    edge.all.push(i);
    for (const letter of branch.phases.match(/s1|s2|[ABC]/g) ?? []) edge.letters.add(letter);
    const [a, b] = [at.get(from)!, at.get(to)!];
    const middle = { label: branch.name, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    if (kind === 'switch') signs.push({ ...middle, kind: isOpen ? 'openSwitch' : 'closedSwitch' });
    else if (branch.isRegulated && edge.all.length === 1) signs.push({ ...middle, kind: 'regulator' });
  });
  for (const bus of map.sources)
    signs.push({ kind: 'source', label: map.buses[bus]!.name, ...place(at, pointOfBus, bus) });
  for (const { name, bus } of map.capacitors)
    signs.push({ kind: 'capacitor', label: name, ...place(at, pointOfBus, bus) });
  return {
    points,
    edges: [...edges.values()].map(({ all, letters, ...edge }) => ({
      ...edge,
      branches: all,
      phases: Math.min(3, Math.max(1, letters.size)),
    })),
    signs,
    pointOfBus,
  };
}

function place(at: ReadonlyMap<string, DrawnPoint>, pointOfBus: readonly string[], bus: number) {
  const { x, y } = at.get(pointOfBus[bus]!)!;
  return { x, y };
}

/** Measured nodes by bus of the map: index of the node in {@link RunDocument.nodes} and its phase. */
export function nodesByBus(
  map: FeederMap,
  nodes: readonly NodeName[],
): readonly (readonly { readonly node: number; readonly phase: string }[])[] {
  const indexOf = new Map(map.buses.map(({ name }, i) => [name, i]));
  const found: { node: number; phase: string }[][] = map.buses.map(() => []);
  nodes.forEach(({ bus, phase }, node) => {
    const index = indexOf.get(bus.toUpperCase());
    if (index !== undefined) found[index]!.push({ node, phase });
  });
  return found;
}

/**
 * The voltage that stands for each drawn point, pu, in the order of the points: the worst by the limits, the highest or lowest
 * of its nodes, or that of one phase; `farthest` is the one farthest from 0, for differences; null where nothing is measured.
 * Legs of a secondary belong to no phase letter and do not count where one is chosen.
 */
export function pointVoltages(
  view: MapView,
  byBus: ReturnType<typeof nodesByBus>,
  voltagesPu: readonly (number | null)[],
  choice: PhaseChoice,
  limits: LimitsPu,
): readonly (number | null)[] {
  const ranks: Partial<Record<PhaseChoice, (value: number) => number>> = {
    worst: (value) => beyondPu(value, limits),
    lowest: (value) => -value,
    farthest: Math.abs,
  };
  const rank = ranks[choice] ?? Number;
  return view.points.map(({ buses }) => {
    let best: number | null = null;
    for (const bus of buses) {
      for (const { node, phase } of byBus[bus]!) {
        if (choice.length === 1 && phase !== choice) continue;
        const value = voltagesPu[node] ?? null;
        if (value !== null && (best === null || rank(value) > rank(best))) best = value;
      }
    }
    return best;
  });
}

/** The loading that stands for each drawn line, per cent, in their order: the highest of its branches; null without a rating. */
export function edgeLoadings(view: MapView, flow: FlowDocument | undefined): readonly (number | null)[] {
  return view.edges.map(({ branches }) => {
    let most: number | null = null;
    for (const branch of branches) {
      const loading = flow?.branches[branch]?.loadingPct ?? null;
      if (loading !== null && (most === null || loading > most)) most = loading;
    }
    return most;
  });
}

/** Least and most of all voltages of a run, so that the colours mean the same in every interval. */
export function voltageRange({ intervals, limits }: RunDocument): readonly number[] {
  let [low, high] = [limits.maxPu, limits.maxPu];
  for (const { beforePu, afterPu } of intervals) {
    for (const list of [beforePu, afterPu]) {
      for (const value of list) {
        if (value === null) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return [low, high];
}

/**
 * The agent that looks after a bus: that of its service area, which bears the name of the primary bus it hangs on, with the
 * phases of the service transformer or without; undefined where there is none.
 */
export function agentOfBus(run: RunDocument, map: FeederMap, bus: number): string | undefined {
  const known = new Set(
    run.intervals.flatMap(({ curtailment }) => curtailment.map(({ agent }) => agent.toUpperCase())),
  );
  const { area } = map.buses[bus]!;
  const own = new Set(area === null ? [bus] : map.areas[area]!.buses);
  const names: string[] = [];
  for (const { from, to, phases } of map.branches) {
    if (area === null || own.has(from) === own.has(to)) continue;
    const { name } = map.buses[own.has(from) ? to : from]!;
    const letters = phases.replace(/[^ABC]/g, '');
    names.push(`${name}${letters}`, name);
  }
  for (const index of own) names.push(map.buses[index]!.name);
  return names.find((name) => known.has(name.toUpperCase()));
}
