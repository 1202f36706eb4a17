import type { Bus } from './bus.js';

/** The buses of a feeder by their keys, and where each stands in the list; of those that share a key the last one counts. */
export class BusIndex implements ReadonlyMap<string, Bus> {
  private readonly position = new Map<string, number>();

  constructor(readonly buses: readonly Bus[]) {
    for (let b = 0; b < buses.length; b++) this.position.set(buses[b]!.id, b);
  }

  /** Position of a bus in the list, -1 where there is none. */
  positionOf(id: string): number {
    return this.position.get(id) ?? -1;
  }

  get size(): number {
    return this.position.size;
  }

  get(id: string): Bus | undefined {
    return this.buses[this.positionOf(id)];
  }

  has(id: string): boolean {
    return this.position.has(id);
  }

  forEach(each: (bus: Bus, id: string, index: ReadonlyMap<string, Bus>) => void): void {
    for (const [id, position] of this.position) each(this.buses[position]!, id, this);
  }

  *entries(): MapIterator<[string, Bus]> {
    for (const [id, position] of this.position) yield [id, this.buses[position]!];
  }

  keys(): MapIterator<string> {
    return this.position.keys();
  }

  *values(): MapIterator<Bus> {
    for (const position of this.position.values()) yield this.buses[position]!;
  }

  [Symbol.iterator](): MapIterator<[string, Bus]> {
    return this.entries();
  }
}
