/**
 * Where the buses are drawn: a tree from left to right whose x is the distance from the head and whose rows never cross.
 * A bus sits on the row of its heaviest branch, so the trunk is a straight line.
 */
import { REGULATORS, SEGMENTS, SWITCHES, XFM1 } from './ieee123-circuit.js';
import { METRES_PER_FOOT } from './line-configuration.js';

/** A point in metres. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Drawn length of a device that has none of its own, ft. */
const DEVICE_LENGTH_FT = 60;
const ROW_SPACING_M = 60;

/** Closed connections of the medium-voltage network: line segments, closed switches, regulators, XFM-1. */
export function primaryConnections(): { readonly from: string; readonly to: string; readonly lengthFt: number }[] {
  return [
    ...SEGMENTS,
    ...[...SWITCHES.filter((row) => !row.isOpen), ...REGULATORS, XFM1].map(({ from, to }) => ({
      ...{ from, to, lengthFt: DEVICE_LENGTH_FT },
    })),
  ];
}

/** Positions of all medium-voltage buses, from the head bus. */
export function layoutBuses(head: string): ReadonlyMap<string, Point> {
  const children = new Map<string, { to: string; lengthFt: number }[]>();
  for (const { from, to, lengthFt } of primaryConnections()) {
    const list = children.get(from) ?? [];
    list.push({ to, lengthFt });
    children.set(from, list);
  }
  const weights = new Map<string, number>();
  const weigh = (bus: string): number => {
    const weight = (children.get(bus) ?? []).reduce((sum, { to }) => sum + weigh(to), 1);
    weights.set(bus, weight);
    return weight;
  };
  weigh(head);
  const positions = new Map<string, Point>();
  let nextRow = 0;
  const place = (bus: string, x: number): number => {
    const branches = [...(children.get(bus) ?? [])].sort((a, b) => weights.get(a.to)! - weights.get(b.to)!);
    // Lighter branches go alternately above and below the heaviest.
    const heavy = branches.pop();
    const above = branches.filter((_, i) => i % 2 === 0);
    const below = branches.filter((_, i) => i % 2 === 1);
    let row = -1;
    for (const branch of [...above, ...(heavy ? [heavy] : []), ...below]) {
      const placed = place(branch.to, x + branch.lengthFt * METRES_PER_FOOT);
      if (branch === heavy) row = placed;
    }
    if (row < 0) row = nextRow++;
    positions.set(bus, { x: Math.round(x * 10) / 10, y: row * ROW_SPACING_M });
    return row;
  };
  place(head, 0);
  return positions;
}
