import { ratedCurrent } from '../../grid/flow/index.js';
import type { Feeder } from '../../grid/model/index.js';
import type { FeederMap, MapArea, MapBranch } from '../../web/index.js';
import { oneLineLayout } from '../output/one-line-layout.js';
import { busDistancesKm } from '../output/voltage-profile.js';

/** Distance of the first ring of buses around a service transformer without positions, px. */
const RING_PX = 5;
/** Buses on the first ring; further rings have as many more. */
const RING_BUSES = 8;

/**
 * The map of a feeder: the one-line diagram's layout, and in it every bus of a service area: by its position where the model
 * has positions, else on rings around the transformer.
 */
export function feederMap(feeder: Feeder): FeederMap {
  const layout = oneLineLayout(feeder);
  const indexOf = new Map(feeder.buses.map(({ id }, i) => [id, i]));
  const distance = busDistancesKm(feeder);
  const places: { x: number; y: number; area: number | null }[] = feeder.buses.map(() => ({ x: 0, y: 0, area: null }));
  const areas: MapArea[] = [];
  const scale = layout.method === 'coordinates' ? scaleOf(feeder, layout.width, layout.height) : undefined;
  for (const node of layout.nodes) {
    const buses = node.buses.flatMap((id) => indexOf.get(id) ?? []);
    const [x, y] = [node.x, layout.height - node.y];
    const area = node.isSecondary ? areas.length : null;
    const offsets = scale === undefined || buses.length === 1 ? rings(buses.length) : spread(feeder, buses, scale);
    buses.forEach((bus, k) => {
      const [dx, dy] = offsets[k]!;
      places[bus] = { x: round(x + dx), y: round(y + dy), area };
    });
    if (area !== null) areas.push({ name: nameOf(feeder, node.id), x: round(x), y: round(y), buses });
  }
  return {
    method: layout.method,
    width: layout.width,
    height: layout.height,
    buses: feeder.buses.map(({ id, name, baseVoltageV }, i) => ({
      id,
      name: name.toUpperCase(),
      ...places[i]!,
      baseV: baseVoltageV,
      distanceKm: distance.get(id) ?? null,
    })),
    areas,
    branches: branchesOf(feeder, indexOf),
    sources: feeder.sources.flatMap(({ terminal }) => indexOf.get(terminal.bus) ?? []),
    capacitors: feeder.capacitors.flatMap(({ name, terminal }) => {
      const bus = indexOf.get(terminal.bus);
      return bus === undefined ? [] : [{ name, bus }];
    }),
    units: feeder.pvSystems.flatMap(({ name, mrid, terminal, ratedPowerVA }) => {
      const bus = indexOf.get(terminal.bus);
      return bus === undefined ? [] : [{ name, mrid, bus, ratedVA: ratedPowerVA }];
    }),
  };
}

function nameOf(feeder: Feeder, bus: string): string {
  return (feeder.busById.get(bus)?.name ?? bus).toUpperCase();
}

const round = (value: number) => Math.round(value * 100) / 100;

/** Pixels per unit of the model's positions. */
function scaleOf({ buses }: Feeder, width: number, height: number): number {
  const span = (values: readonly number[]) =>
    values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) -
    values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const [x, y] = [span(buses.flatMap((bus) => bus.x ?? [])), span(buses.flatMap((bus) => bus.y ?? []))];
  return Math.max(x > 0 ? width / x : 0, y > 0 ? height / y : 0);
}

/** Where the buses of an area stand around its middle. */
function spread(feeder: Feeder, indices: readonly number[], scale: number): (readonly [number, number])[] {
  const points = indices.map((bus) => feeder.buses[bus]!);
  const mean = (key: 'x' | 'y') => points.reduce((sum, point) => sum + (point[key] ?? 0), 0) / points.length;
  const [x, y] = [mean('x'), mean('y')];
  return points.map((point) => [((point.x ?? x) - x) * scale, ((point.y ?? y) - y) * scale]);
}

function rings(count: number): (readonly [number, number])[] {
  const places: (readonly [number, number])[] = [[0, 0]];
  for (let ring = 1; places.length < count; ring++) {
    const onRing = RING_BUSES * ring;
    for (let k = 0; k < onRing; k++) {
      const angle = (2 * Math.PI * k) / onRing;
      places.push([RING_PX * ring * Math.cos(angle), RING_PX * ring * Math.sin(angle)]);
    }
  }
  return places.slice(0, Math.max(1, count));
}

/** Every branch once; of a transformer with several windings the edges from its first. */
function branchesOf(feeder: Feeder, indexOf: ReadonlyMap<string, number>): MapBranch[] {
  const ratings = new Map<string, number>();
  for (const { id, ratingA } of [...feeder.lines, ...feeder.switches, ...feeder.reactors]) {
    if (ratingA !== undefined && ratingA > 0) ratings.set(id, ratingA);
  }
  for (const transformer of feeder.transformers) {
    const rating = ratedCurrent(transformer);
    if (rating !== undefined) ratings.set(transformer.id, rating);
  }
  const regulated = new Set(feeder.regulators.map(({ transformerId }) => transformerId));
  const seen = new Set<string>();
  const branches: MapBranch[] = [];
  feeder.graph.forEachEdge((_edge, { kind, elementId, phases, isOpen }, a, b) => {
    const [from, to] = [indexOf.get(a)!, indexOf.get(b)!];
    const key = `${elementId} ${from} ${to}`;
    // Both legs of a split-phase secondary end at one bus.
    if (from === to || seen.has(key)) return;
    seen.add(key);
    branches.push({
      id: elementId,
      name: feeder.elements.get(elementId)?.name ?? elementId,
      ...{ kind, from, to, phases, isOpen },
      isRegulated: regulated.has(elementId),
      ratingA: ratings.get(elementId) ?? null,
    });
  });
  return branches;
}
