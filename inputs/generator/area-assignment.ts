/** Which switch area each medium-voltage bus belongs to: the parts that remain when every switch is taken out. */
import { REGULATORS, SEGMENTS, SWITCHES } from './ieee123-circuit.js';

/**
 * Numbers of the switch areas by bus, from 0 in the order in which the switches reach them. The part with the head bus
 * belongs to the feeder itself and has no number.
 */
export function switchAreaByBus(head: string): ReadonlyMap<string, number> {
  const neighbours = new Map<string, string[]>();
  const connect = (a: string, b: string) => {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
  };
  for (const { from, to } of [...SEGMENTS, ...REGULATORS]) connect(from, to);
  const partFrom = (start: string): Set<string> => {
    const part = new Set([start]);
    for (const bus of part) for (const next of neighbours.get(bus) ?? []) part.add(next);
    return part;
  };
  const feederPart = partFrom(head);
  const areas = new Map<string, number>();
  let count = 0;
  for (const { from, to } of SWITCHES) {
    for (const end of [from, to]) {
      if (feederPart.has(end) || areas.has(end)) continue;
      for (const bus of partFrom(end)) areas.set(bus, count);
      count++;
    }
  }
  return areas;
}
